//! The sandbox EHR over real HTTP: each behaviour, and the same questions asked of it and of HAPI.

mod ask;
mod single;

use ask::{Ehr, patient};
