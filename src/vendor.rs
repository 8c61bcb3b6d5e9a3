//! What is known of the vendors' servers beyond what they say of themselves, and what follows from all of it.
//!
//! A [`Pack`] is data (`profiles/vendors/*.toml`, its format in the README there): each fact names its source, and each
//! source says whether it was measured, read in documentation, or is from memory. A pack is the operator's choice; we
//! only [`suggest()`] one. [`Effective`] lays statement, scopes, pack, learned refusals and the operator's overrides over
//! each other and answers each question with the source of the answer; [`place()`] makes of it the rung on which each kind of
//! content gets in.
//!
//! It refuses a pack with an unknown key, a fact without a source, or a widening that does not say so. It does no IO and
//! knows no clock: refusals come in as they are believed now.

mod check;
mod declared;
mod effective;
mod embedded;
mod fact;
mod ladder;
mod overrides;
mod pack;
mod suggest;
mod word;

pub use check::NotAPack;
pub use declared::{Statement, transports};
pub use effective::{Effective, Fact, Source};
pub use fact::{Evidence, SourceEntry, Told};
pub use ladder::{
    Allow, Encounters, Kind, LadderStep, Narrowing, NotAllowable, Placement, Rung, declared_rung,
    place,
};
pub use overrides::{NotAnOverride, Overrides};
pub use pack::{
    Code, CodeClass, CodePlace, Codes, Document, FixedCode, Ignored, LastUpdated, Limits, Login,
    LoginMethod, Match, Note, Pack, QueryOneByOne, Rate, RequiredReference, Rule, Search, Signing,
    StrictLookUp, Supersede, TextLimit, Timing, Transport, Writes,
};
pub use suggest::{Suggestion, suggest};
pub use word::SYSTEM;
