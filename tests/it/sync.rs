//! Sync over real HTTP against the sandbox: each resource exactly once, nobody's edit overwritten, whatever breaks.

pub(crate) mod clinic;
mod edit;
mod fault;
mod forecast;
mod mediated;
mod partly;
pub(crate) mod proxy;
mod quirk;
mod record;
mod refusal;
mod server;
mod way;
