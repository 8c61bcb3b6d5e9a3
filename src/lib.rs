#![doc = include_str!("../README.md")]

#[cfg(feature = "app")]
pub mod client;
#[cfg(feature = "app")]
pub mod config;
pub mod date;
pub mod fhir;
pub mod ipt;
pub mod issue;
pub mod json;
pub mod mapping;
pub mod phi;
#[cfg(feature = "app")]
pub mod sandbox;
#[cfg(feature = "app")]
pub mod telemetry;
