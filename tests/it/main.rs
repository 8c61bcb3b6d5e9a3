//! The integration tests: one binary, one module for each room or behaviour.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on says so by a panic"
)]

mod architecture;
#[cfg(feature = "app")]
mod canary;
#[cfg(feature = "app")]
mod cli;
#[cfg(feature = "app")]
mod client;
mod clinical;
#[cfg(feature = "app")]
mod config;
#[cfg(feature = "app")]
mod crash;
#[cfg(feature = "app")]
mod dependencies;
mod document;
mod mapping;
mod mapping_narrative;
mod mapping_stripped;
mod merge;
mod note;
#[cfg(feature = "app")]
mod peers;
mod privacy;
mod profiles;
mod property;
mod record;
mod record_faults;
mod record_schema;
mod reference_engine;
mod report;
#[cfg(feature = "app")]
mod sandbox;
mod seed;
#[cfg(feature = "app")]
mod smart;
#[cfg(feature = "app")]
mod store;
mod support;
#[cfg(feature = "app")]
mod sync;
mod validate;
#[cfg(feature = "app")]
mod vendor;
