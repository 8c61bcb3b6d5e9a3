//! What to do with one resource, given what was agreed last, what the record says now and what the EHR says now.
//!
//! Pure: bodies in, a [`Step`] out. Three bodies decide, never two: without the base, an edit made in the EHR and
//! an element that our record dropped look the same, and one of them would be lost. Bodies are compared by what
//! they say ([`normalise()`]), not by their bytes, because servers reorder, renumber and re-render; versions only
//! tell which body a write would replace.
//!
//! It refuses to choose between two people: if the record and the EHR both changed a resource, that is a
//! [`Step::Conflict`], whichever elements they touched. (A merge by element stands behind [`with_change`] already;
//! it decides nothing yet.) It creates nothing again that is gone from the EHR, and it deletes nothing.

mod change;
mod decide;
mod list;
mod normalise;

pub use change::{Change, changes, with_change};
pub use decide::{Known, Step, decide};
pub use normalise::{canonical, normalise, same_content};
