//! The client against raw sockets: what a server, a proxy or a network can do to a request.

mod batch;
mod foreign;
mod limit;
mod network;
mod operation;
mod outcome;
mod pace;
mod redirect;
mod search;
pub(crate) mod server;
mod shape;
mod terminology;
mod tls;
mod write;

use std::time::Duration;

use ipt_fhir::client::{Authorization, Client, Config};
use secrecy::SecretString;

use server::Server;

/// A client for a scripted server; its time limit is short, because some servers never answer.
fn client(server: &Server) -> Client {
    let base = server.base().parse().unwrap();
    let config = Config::new(base, Duration::from_millis(400), Authorization::None).unwrap();
    Client::new(&config).unwrap()
}

/// What a token is that must reach nobody else.
const CANARY: &str = "canary-token";

/// The same client with a token.
fn client_with_token(base: &str) -> Client {
    let authorization = Authorization::Bearer(SecretString::from(CANARY));
    let config = Config::new(base.parse().unwrap(), Duration::from_millis(400), authorization);
    Client::new(&config.unwrap()).unwrap()
}
