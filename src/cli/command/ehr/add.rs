//! `ehr add NAME URL`: writes an EHR into the configuration. Of a secret only the place is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::super::args::EhrAdd;
use super::super::super::failure::Failure;
use super::super::super::output::Done;
use super::super::super::settings::Settings;
use crate::cli::Exit;
use crate::client::Base;
use crate::config::{NewAuth, NewEhr, NewNetwork, NewRate, NewSecret, add_ehr, file_to_edit};
use crate::json::Value;
use crate::object;

pub(crate) fn run(args: &EhrAdd, settings: &Settings) -> Result<Done, Failure> {
    let url: Base = args.url.parse().map_err(|error: crate::client::NotABase| {
        Failure::new(Exit::Usage, "url", error.to_string())
    })?;
    let auth = auth(args, &settings.directory);
    if auth.is_none() && !url.is_loopback() {
        let text = "a server on another machine needs credentials";
        return Err(Failure::new(Exit::Usage, "url", text).help(
            "give --token-file, --token-env or --token-command, or --user and a --password-…",
        ));
    }
    if args.settle == Some(0) && !url.is_loopback() {
        let text = "a settling time of 0 is for a server on this machine only";
        return Err(Failure::new(Exit::Usage, "settle", text));
    }
    let ehr = NewEhr {
        name: args.name.clone(),
        url,
        timeout: settings.timeout(),
        settle: args.settle.map(Duration::from_secs),
        network: network(args, &settings.directory),
        auth,
        pack: args.pack.map(|pack| pack.name.clone()),
    };
    let file = file_to_edit(settings.sources())?;
    add_ehr(&file, &ehr)?;
    let (name, file) = (&ehr.name, file.display().to_string());
    let human = format!("{name} is configured in {file}\nnext: ipt-fhir ehr test {name}\n");
    Ok(Done::new(human, Value::Object(object! { "name" => name, "file" => file })))
}

/// A path of the configuration counts from its own file, one of the command line from where we are.
fn from_here(path: &Path, directory: &Path) -> PathBuf {
    if path.starts_with("~") { path.to_owned() } else { directory.join(path) }
}

fn network(args: &EhrAdd, directory: &Path) -> NewNetwork {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| from_here(path, directory));
    let per_minute = args.rate_per_minute.map(|requests| {
        if args.rate_aligned_to_minute {
            NewRate::PerClockMinute(requests)
        } else {
            NewRate::PerMinute(requests)
        }
    });
    NewNetwork {
        private_network: args.private_network,
        authorities: path(&args.tls_ca),
        identity: path(&args.tls_certificate).zip(path(&args.tls_key)),
        rate: per_minute.or(args.rate_per_second.map(NewRate::PerSecond)),
    }
}

fn auth(args: &EhrAdd, directory: &Path) -> Option<NewAuth> {
    let found = |path: &PathBuf| NewSecret::File(from_here(path, directory));
    let secret = |file: &Option<PathBuf>, variable: &Option<String>, command: &Option<String>| {
        (file.as_ref().map(found))
            .or_else(|| variable.clone().map(NewSecret::Environment))
            .or_else(|| command.clone().map(NewSecret::Command))
    };
    let token = secret(&args.token_file, &args.token_env, &args.token_command);
    let password = secret(&args.password_file, &args.password_env, &args.password_command);
    let basic = || Some(NewAuth::Basic(args.user.clone()?, password?));
    token.map(NewAuth::Bearer).or_else(basic)
}
