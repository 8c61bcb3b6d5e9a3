#![doc = include_str!("../README.md")]

#[cfg(feature = "app")]
pub mod client;
pub mod date;
pub mod fhir;
pub mod ipt;
pub mod issue;
pub mod json;
pub mod mapping;
pub mod phi;
#[cfg(feature = "app")]
pub mod sandbox;
