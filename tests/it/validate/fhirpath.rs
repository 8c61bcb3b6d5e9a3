//! FHIRPath: the official suites, every invariant of the packages, fast paths against the engine, and bombs.

mod bombs;
mod examples;
mod invariants;
mod suite;
mod typed;
