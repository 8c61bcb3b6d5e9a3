//! The sandbox EHR over real HTTP: each behaviour, and the same questions asked of it and of HAPI.

mod ask;
mod chart;
mod conditional;
mod epic;
mod fault;
mod hapi;
mod history;
mod hospital;
mod http;
mod oracle;
mod personality;
mod platform;
mod questions;
mod running;
mod search;
mod single;
mod transaction;

use ask::{Ehr, ids, patient};
