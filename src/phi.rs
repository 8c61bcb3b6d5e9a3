//! Values that may identify a person, and the one rule for them: nobody prints them by accident.
//!
//! A [`Phi`] has no `Display`, and its `Debug` says `[phi]`. [`Phi::expose`] is the only way in, so a search for
//! that word lists every place where a name or a narrative leaves its wrapper.

use std::fmt;

/// A value that may identify a person.
///
/// ```
/// let name = ipt_fhir::phi::Phi::new("Ann Lee");
/// assert_eq!(format!("{name:?}"), "[phi]");
/// assert_eq!(*name.expose(), "Ann Lee");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Whoever calls this answers for where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[phi]")
    }
}
