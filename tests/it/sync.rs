//! Sync over real HTTP against the sandbox: each resource exactly once, nobody's edit overwritten, whatever breaks.

mod adversary;
mod candidate;
pub(crate) mod clinic;
mod closed;
mod edit;
mod fault;
mod forecast;
mod hand_off;
mod ladder;
mod mediated;
mod partly;
mod personality;
pub(crate) mod practice;
pub(crate) mod proxy;
mod quirk;
mod record;
mod refusal;
mod server;
mod storm;
mod way;
pub(crate) mod wrong_patient;
