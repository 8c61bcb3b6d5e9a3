//! Whether a name for a code is one of its names.
//!
//! Case does not count (the reference compares so); neither does white space where only that differs, but that is told
//! apart, for it is a fault of its own.
//!
//! It refuses nothing.

/// How a name compares to one that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same but for case.
    Same,
    /// The same but for case and white space.
    Spaced,
    /// Another one.
    Other,
}

/// Compares two names, without allocating.
pub(super) fn compare(given: &str, right: &str) -> Likeness {
    if given == right || lower(given).eq(lower(right)) {
        return Likeness::Same;
    }
    let words = |text: &str| text.split_whitespace().count();
    let same = words(given) == words(right)
        && given
            .split_whitespace()
            .zip(right.split_whitespace())
            .all(|(a, b)| lower(a).eq(lower(b)));
    if same { Likeness::Spaced } else { Likeness::Other }
}

fn lower(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}
