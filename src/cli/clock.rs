//! The time. This is the one place that asks for it; everybody else is told.

use jiff::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the program's own clock enters here")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
