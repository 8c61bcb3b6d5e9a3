//! `ehr add NAME URL`: writes an EHR into the configuration. Of a secret only the place is written.
//!
//! For a SMART login the token URL is part of it. What the server offers is shown, and pinned when a person says so; a
//! script names it, or says `--yes` and gets it only if it has the origin of the URL that it gave itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::super::args::EhrAdd;
use super::super::super::failure::Failure;
use super::super::super::output::Done;
use super::super::super::prompt::confirm;
use super::super::super::settings::{Settings, is_interactive};
use super::keys;
use crate::cli::Exit;
use crate::client::smart::discover;
use crate::client::{Base, Config, NotPinned, Pinned};
use crate::config::{
    NewAuth, NewEhr, NewNetwork, NewRate, NewSecret, NewSmart, add_ehr, file_to_edit,
};
use crate::json::Value;
use crate::object;
use crate::vendor::Allow;

pub(crate) async fn run(args: &EhrAdd, settings: &Settings) -> Result<Done, Failure> {
    let url: Base = args.url.parse().map_err(|error: crate::client::NotABase| {
        Failure::new(Exit::Usage, "url", error.to_string())
    })?;
    let auth = match &args.client_id {
        Some(client_id) => Some(NewAuth::Smart(smart(args, client_id, &url, settings).await?)),
        None => auth(args, &settings.directory),
    };
    if auth.is_none() && !url.is_loopback() {
        let text = "a server on another machine needs credentials";
        return Err(Failure::new(Exit::Usage, "url", text).help(
            "give --client-id, or --token-file, --token-env or --token-command, or --user and a --password-…",
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
        allow: Allow {
            rungs: args.allow.iter().copied().collect(),
            opt_in: args.opt_in.iter().copied().collect(),
            encounters: args.encounter,
        },
        hand_off: args.hand_off.as_ref().map(|path| from_here(path, &settings.directory)),
    };
    let file = file_to_edit(settings.sources())?;
    add_ehr(&file, &ehr)?;
    let (name, file) = (&ehr.name, file.display().to_string());
    let pinned = match &ehr.auth {
        Some(NewAuth::Smart(smart)) => Some(smart.token_url.as_str()),
        _ => None,
    };
    let told = pinned.map(|url| format!("its token URL is pinned: {url}\n")).unwrap_or_default();
    let human = format!("{name} is configured in {file}\n{told}next: ipt-fhir ehr test {name}\n");
    let result = object! { "name" => name, "file" => file, "token_url" => pinned };
    Ok(Done::new(human, Value::Object(result)))
}

// A path of the configuration counts from its own file, one of the command line from where we are.
fn in_file(path: &Path, directory: &Path) -> NewSecret {
    NewSecret::File(if path.starts_with("~") { path.to_owned() } else { directory.join(path) })
}

fn secret(
    file: Option<&PathBuf>,
    variable: Option<&String>,
    command: Option<&String>,
    directory: &Path,
) -> Option<NewSecret> {
    file.map(|path| in_file(path, directory))
        .or_else(|| variable.cloned().map(NewSecret::Environment))
        .or_else(|| command.cloned().map(NewSecret::Command))
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
    let token = secret(
        args.token_file.as_ref(),
        args.token_env.as_ref(),
        args.token_command.as_ref(),
        directory,
    );
    let password = secret(
        args.password_file.as_ref(),
        args.password_env.as_ref(),
        args.password_command.as_ref(),
        directory,
    );
    let basic = || Some(NewAuth::Basic(args.user.clone()?, password?));
    token.map(NewAuth::Bearer).or_else(basic)
}

async fn smart(
    args: &EhrAdd,
    client_id: &str,
    url: &Base,
    settings: &Settings,
) -> Result<NewSmart, Failure> {
    let given = secret(
        args.key_file.as_ref(),
        args.key_env.as_ref(),
        args.key_command.as_ref(),
        &settings.directory,
    );
    let key = if let Some(key) = given {
        key
    } else {
        let path = keys::default_place(&args.name, settings)?;
        if !path.is_file() {
            let text = "a SMART login needs a key";
            return Err(Failure::new(Exit::Usage, "key", text).help(format!(
                "give --key-file, --key-env or --key-command; `ehr keys generate {}` makes one",
                args.name
            )));
        }
        NewSecret::File(path)
    };
    let token_url = match &args.token_url {
        Some(text) => text.parse().map_err(|error: NotPinned| {
            Failure::new(Exit::Usage, "token-url", format!("--token-url: {error}"))
        })?,
        None => discovered(args, url, settings).await?,
    };
    if token_url.is_loopback() && !url.is_loopback() {
        let text = "the token URL of a server elsewhere can't be on this machine";
        return Err(Failure::new(Exit::Refused, "token-url", text));
    }
    Ok(NewSmart {
        client_id: client_id.to_owned(),
        key,
        token_url,
        scope: args.scope.clone(),
        algorithm: args.algorithm.map(Into::into),
    })
}

/// The token URL that the server offers, once somebody has answered for it.
async fn discovered(args: &EhrAdd, url: &Base, settings: &Settings) -> Result<Pinned, Failure> {
    let timeout = settings.timeout().unwrap_or(Config::TIMEOUT);
    let give = "give --token-url as the EHR's documentation has it";
    let asked = Config::anonymous(url.clone(), timeout);
    let asked = network(args, &settings.directory).apply(asked)?;
    let offered = discover(&asked).await.map_err(|error| {
        let text = format!("the server's SMART configuration can't be read: {error}");
        Failure::new(Exit::Failed, "smart-configuration", text).help(give)
    })?;
    let refused = |text: String| Failure::new(Exit::Refused, "token-url", text).help(give);
    let token_url = match offered.token_endpoint {
        Some(Ok(token_url)) => token_url,
        Some(Err(why)) => return Err(refused(format!("the token_endpoint on offer: {why}"))),
        None => return Err(refused("the server offers no token_endpoint".to_owned())),
    };
    let own = token_url.has_origin_of(url);
    let keys = match &offered.jwks_uri {
        Some(Ok(keys)) => format!("{keys} (never asked)"),
        Some(Err(_)) => "one that can't be shown (never asked)".to_owned(),
        None => "none".to_owned(),
    };
    let told = format!(
        "the server offers, for logging in:\n  token_endpoint  {token_url}{}\n  jwks_uri        {keys}\n",
        if own { "" } else { "  (another server than the URL's)" },
    );
    if settings.yes && !own {
        return Err(refused(format!("{told}--yes does not answer for another server")));
    }
    if !settings.yes && !is_interactive() {
        let text = format!("{told}this needs a person's word, and there is no terminal to ask at");
        return Err(Failure::new(Exit::Usage, "needs-confirmation", text).help(give));
    }
    confirm(settings, &format!("{told}Is this what the EHR's documentation says? Pin it?")).await?;
    Ok(token_url)
}
