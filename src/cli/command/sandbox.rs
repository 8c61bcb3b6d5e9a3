//! `sandbox`: an EHR on this machine, until Ctrl-C.

use std::path::PathBuf;
use std::time::Duration;

use super::super::args;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::input;
use super::super::output::{Done, Output};
use super::super::runtime::Interrupt;
use crate::fhir::{Bundle, Resource};
use crate::json::{Limits, Value};
use crate::object;
use crate::sandbox::{
    Behaviour, Config, Error, Faults, Personality, Sandbox, Seeded, Smart, SmartClient,
};

/// Prints the URL, and ends well when it is interrupted: that is how a server is stopped.
pub(crate) async fn run(args: &args::Sandbox, output: &Output) -> Result<(), Failure> {
    let seed = match &args.seed {
        Some(path) => {
            let bytes = input::read(path, Limits::BUNDLE)?;
            seed(&bytes).map_err(|failure| failure.in_file(path))?
        }
        None => Vec::new(),
    };
    let client = |(id, jwks): &(String, PathBuf)| SmartClient {
        id: id.clone(),
        jwks: jwks.clone(),
        scope: args.smart_scope.clone(),
    };
    let smart = Smart {
        clients: args.smart_client.iter().map(client).collect(),
        token_lifetime: Duration::from_secs(args.token_lifetime),
        // A key that was rotated counts at once: who tries things does not wait.
        jwks_cache: Duration::ZERO,
    };
    let personality = args.personality.as_deref().and_then(Personality::named);
    let faults = Faults::default();
    if let Some(seed) = args.faults {
        let seeded = Seeded::new(seed, args.fault_share);
        let kinds: Vec<&str> = args.fault_kind.iter().map(String::as_str).collect();
        faults.begin(if kinds.is_empty() { seeded } else { seeded.only(&kinds) });
    }
    let config = Config {
        behaviour: personality.map(Behaviour::of).unwrap_or_default(),
        faults,
        listen: args.listen,
        snapshot: args.snapshot.clone(),
        seed,
        smart: Some(smart).filter(|smart| !smart.clients.is_empty()),
        ..Config::default()
    };
    let interrupt = Interrupt::listen();
    let running = Sandbox::start(config).await.map_err(|error| failure(args, &error))?;
    let url = running.base_url().to_owned();
    let token_url = running.token_server().map(|server| server.url().to_owned());
    let result = object! {
        "url" => &url,
        "token_url" => token_url.as_deref(),
        "as" => personality.map(Personality::name),
        "faults" => args.faults,
    };
    output.show(&Done::new(format!("{url}\n"), Value::Object(result)));
    output.note(&match personality {
        Some(known) => format!("a FHIR R4 server that plays {}; Ctrl-C stops it", known.name()),
        None => "a FHIR R4 server for trying things; Ctrl-C stops it".to_owned(),
    });
    if let Some(seed) = args.faults {
        let share = args.fault_share;
        output.note(&format!(
            "{share} of 100 requests go wrong, drawn from seed {seed}; -v names each in the log"
        ));
    }
    let login = match (args.smart_client.first(), &token_url) {
        (Some((id, _)), Some(token_url)) => {
            format!(" --client-id {id} --key-file FILE --token-url {token_url}")
        }
        _ => String::new(),
    };
    let pack = personality.map(|known| match known.pack() {
        Some(pack) => format!(" --pack {} --allow document,hand-off", pack.name),
        None => " --allow document,hand-off".to_owned(),
    });
    let pack = pack.unwrap_or_default();
    output.note(&format!("next, in another terminal: ipt-fhir ehr add sandbox {url}{login}{pack}"));
    interrupt.heard().await;
    running.stop().await.map_err(|error| failure(args, &error))
}

/// The resources of a file: one, or those of a Bundle.
fn seed(bytes: &[u8]) -> Result<Vec<Resource>, Failure> {
    let resource = input::resource(bytes)?;
    if resource.resource_type() != "Bundle" {
        return Ok(vec![resource]);
    }
    let bundle = Bundle::from_resource(resource).map_err(|_| {
        Failure::new(
            Exit::Unreadable,
            "input-not-a-bundle",
            "an entry of the Bundle is no resource",
        )
    })?;
    Ok(bundle.entries.into_iter().filter_map(|entry| entry.resource).collect())
}

fn failure(args: &args::Sandbox, error: &Error) -> Failure {
    let text = error.to_string();
    let failure = match error {
        Error::NotLoopback => return Failure::new(Exit::Refused, "sandbox-not-loopback", text),
        Error::Listen(_) => {
            return Failure::new(Exit::Failed, "sandbox-listen", text)
                .help("another program may have the port; --listen 127.0.0.1:0 takes a free one");
        }
        Error::NotASnapshot { .. } => Failure::new(Exit::Unreadable, "sandbox-snapshot", text)
            .help("name a file that the sandbox wrote, or one that is not there yet"),
        Error::Jwks => {
            return Failure::new(Exit::Unreadable, "sandbox-jwks", text)
                .help("`ehr keys jwks NAME` prints what to register");
        }
        Error::Scope => return Failure::new(Exit::Usage, "sandbox-scope", text),
        Error::NotAnId => Failure::new(Exit::Invalid, "sandbox-seed", text),
        _ => Failure::new(Exit::Failed, "sandbox-snapshot", text),
    };
    let file = if matches!(error, Error::NotAnId) { &args.seed } else { &args.snapshot };
    match file {
        Some(path) => failure.in_file(path),
        None => failure,
    }
}
