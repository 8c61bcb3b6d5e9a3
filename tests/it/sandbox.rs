//! The sandbox EHR over real HTTP: each behaviour, and the same questions asked of it and of HAPI.

mod ask;
mod conditional;
mod hapi;
mod history;
mod http;
mod questions;
mod running;
mod search;
mod single;
mod transaction;

use ask::{Ehr, ids, patient};
