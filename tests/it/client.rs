//! The client against raw sockets: what a server, a proxy or a network can do to a request.

mod outcome;
mod search;
pub(crate) mod server;
mod write;

use std::time::Duration;

use ipt_fhir::client::{Authorization, Client, Config};

use server::Server;

/// A client for a scripted server; its time limit is short, because some servers never answer.
fn client(server: &Server) -> Client {
    let base = server.base().parse().unwrap();
    let config = Config::new(base, Duration::from_millis(400), Authorization::None).unwrap();
    Client::new(&config).unwrap()
}
