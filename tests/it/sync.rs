//! Sync over real HTTP against the sandbox: each resource exactly once, nobody's edit overwritten, whatever breaks.

mod clinic;
mod edit;
mod fault;
mod partly;
mod proxy;
mod record;
mod refusal;
mod server;
mod way;
