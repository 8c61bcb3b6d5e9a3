//! `ehr keys …`: the private keys of a SMART login: making them, showing what may be shown, rotating them.
//!
//! The file is the whole state of a rotation (`client::smart::KeyFile`); these commands read it, change it and say what
//! to do next. Printed is the public part only.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use comfy_table::{Table, presets};
use jiff::Timestamp;

use super::super::super::args::{EhrKeys, KeyAlgorithm};
use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::Failure;
use super::super::super::output::Done;
use super::super::super::settings::{Settings, environment};
use crate::client::smart::{Algorithm, Key, KeyFile, Keys, Rotation};
use crate::config::{Auth, Secret, file_to_edit, is_ehr_name, write_private};
use crate::json::Value;
use crate::object;

pub(crate) fn run(keys: &EhrKeys, settings: &Settings) -> Result<Done, Failure> {
    match keys {
        EhrKeys::Generate { name, alg } => generate(name, (*alg).into(), settings),
        EhrKeys::Rotate(rotate) if rotate.retire => retire(&rotate.name, settings),
        EhrKeys::Rotate(args) => {
            let wait = Duration::from_secs(args.cache_time);
            rotate(&args.name, args.alg.map(Into::into), wait, settings)
        }
        EhrKeys::Jwks { name } => jwks(name, settings),
        EhrKeys::List { name } => list(name, settings),
    }
}

impl From<KeyAlgorithm> for Algorithm {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Rs384 => Self::Rs384,
            KeyAlgorithm::Es384 => Self::Es384,
        }
    }
}

/// Where the keys of an EHR are that is not configured yet: beside the configuration.
pub(super) fn default_place(name: &str, settings: &Settings) -> Result<PathBuf, Failure> {
    if !is_ehr_name(name) {
        let text = "the name of an EHR is made of a-z, 0-9 and -, at most 32";
        return Err(Failure::new(Exit::Usage, "config-value", text));
    }
    let file = file_to_edit(settings.sources())?;
    let directory = file.parent().unwrap_or(&settings.directory);
    Ok(directory.join("keys").join(format!("{name}.jwks.json")))
}

/// The configured source of an EHR's keys, if it has one.
fn configured<'a>(name: &str, settings: &'a Settings) -> Option<&'a Secret> {
    match &settings.config.ehrs.get(name)?.auth {
        Auth::Smart(smart) => Some(&smart.key),
        _ => None,
    }
}

/// The key file of an EHR: as configured, else at its default place.
fn place(name: &str, settings: &Settings) -> Result<PathBuf, Failure> {
    match configured(name, settings) {
        None => default_place(name, settings),
        Some(secret) => secret.file().map(PathBuf::from).ok_or_else(|| {
            let text = format!("the key of {name} is not in a file ({})", secret.source());
            Failure::new(Exit::Usage, "keys-not-a-file", text).help("change it where it is kept")
        }),
    }
}

/// The text of the keys, wherever they are.
fn fetch(name: &str, settings: &Settings) -> Result<secrecy::SecretString, Failure> {
    let secret = if let Some(secret) = configured(name, settings) {
        secret.clone()
    } else {
        let path = default_place(name, settings)?;
        if !path.exists() {
            let text = format!("there are no keys for {name}");
            return Err(Failure::new(Exit::Usage, "keys-missing", text)
                .help(format!("`ehr keys generate {name}` makes one")));
        }
        Secret::in_file(path)
    };
    Ok(secret.fetch_whole(&environment)?)
}

fn unfit(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, "keys-unfit", format!("the key source holds {error}"))
}

fn generate(name: &str, algorithm: Algorithm, settings: &Settings) -> Result<Done, Failure> {
    let path = place(name, settings)?;
    if path.exists() {
        let text = format!("{} is there already", path.display());
        return Err(Failure::new(Exit::Refused, "keys-exist", text)
            .help(format!("`ehr keys rotate {name}` adds a new key to it")));
    }
    let file = KeyFile::generate(algorithm).map_err(unfit)?;
    let keys = file.keys().map_err(unfit)?;
    write(&path, &file)?;
    let place = path.display().to_string();
    let kid = keys.iter().map(Key::kid).next().unwrap_or_default().to_owned();
    let human = format!(
        "{place}\n{} key {kid}, open to you only\nnext: ipt-fhir ehr keys jwks {name} > jwks.json, and register that \
         file, or publish it where the EHR reads it\n",
        algorithm.code(),
    );
    let result = object! { "file" => place, "kid" => kid, "alg" => algorithm.code() };
    Ok(Done::new(human, Value::Object(result)))
}

fn rotate(
    name: &str,
    algorithm: Option<Algorithm>,
    wait: Duration,
    settings: &Settings,
) -> Result<Done, Failure> {
    let path = place(name, settings)?;
    let mut file = KeyFile::parse(&fetch(name, settings)?).map_err(refused(name))?;
    let now = clock::now();
    let signs_from = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    // To the second, and not a moment early.
    let signs_from = Timestamp::from_second(signs_from.as_second() + 1).unwrap_or(signs_from);
    let keys = file.keys().map_err(unfit)?;
    let configured = algorithm_of(name, settings);
    let present = keys.signing(now, configured).map_err(unfit)?.algorithm();
    let algorithm = algorithm.unwrap_or(present);
    if configured.is_some_and(|configured| configured != algorithm) {
        let text = "a key of this algorithm would never sign: another one is configured";
        return Err(Failure::new(Exit::Usage, "keys-algorithm", text)
            .help("change algorithm under auth of this EHR first, or leave it out there"));
    }
    file.rotate(algorithm, now, signs_from).map_err(refused(name))?;
    write(&path, &file)?;
    let keys = file.keys().map_err(unfit)?;
    let kid = keys.iter().last().map(Key::kid).unwrap_or_default().to_owned();
    let human = format!(
        "{} key {kid} signs from {signs_from}\nnext: ipt-fhir ehr keys jwks {name} > jwks.json, and register or publish \
         that file now, both keys in it\nafter {signs_from}: ipt-fhir ehr keys rotate {name} --retire\n",
        algorithm.code(),
    );
    let result = object! {
        "file" => path.display().to_string(),
        "kid" => kid,
        "alg" => algorithm.code(),
        "signs_from" => signs_from.to_string(),
    };
    Ok(Done::new(human, Value::Object(result)))
}

fn retire(name: &str, settings: &Settings) -> Result<Done, Failure> {
    let path = place(name, settings)?;
    let mut file = KeyFile::parse(&fetch(name, settings)?).map_err(refused(name))?;
    let retired = file.retire(clock::now(), algorithm_of(name, settings)).map_err(refused(name))?;
    write(&path, &file)?;
    let keys = file.keys().map_err(unfit)?;
    let kid = keys.iter().map(Key::kid).next().unwrap_or_default().to_owned();
    let human = format!(
        "{retired} taken away; {kid} signs\nnext: ipt-fhir ehr keys jwks {name} > jwks.json, and register or publish \
         that file\n"
    );
    let retired = u64::try_from(retired).unwrap_or_default();
    let result =
        object! { "file" => path.display().to_string(), "kid" => kid, "retired" => retired };
    Ok(Done::new(human, Value::Object(result)))
}

/// The algorithm that is configured for an EHR, if it is configured and names one: the others' keys do not sign.
fn algorithm_of(name: &str, settings: &Settings) -> Option<Algorithm> {
    match &settings.config.ehr(name).ok()?.auth {
        Auth::Smart(smart) => smart.algorithm,
        _ => None,
    }
}

fn jwks(name: &str, settings: &Settings) -> Result<Done, Failure> {
    let keys = Keys::parse(&fetch(name, settings)?).map_err(unfit)?;
    let jwks = keys.public_jwks();
    Ok(Done::new(jwks.to_pretty() + "\n", jwks))
}

fn list(name: &str, settings: &Settings) -> Result<Done, Failure> {
    let keys = Keys::parse(&fetch(name, settings)?).map_err(unfit)?;
    let now = clock::now();
    let signing = keys.signing(now, algorithm_of(name, settings)).map_err(unfit)?.kid();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["KID", "ALG", "STATE", "SIGNS FROM"]);
    let mut items = Vec::new();
    for key in &keys {
        let state = match key.signs_from() {
            _ if key.kid() == signing => "signs",
            Some(from) if from > now => "waits",
            _ => "old",
        };
        let from = key.signs_from().map(|from| from.to_string());
        table.add_row([
            key.kid(),
            key.algorithm().code(),
            state,
            from.as_deref().unwrap_or("ever"),
        ]);
        items.push(Value::Object(object! {
            "kid" => key.kid(),
            "alg" => key.algorithm().code(),
            "state" => state,
            "signs_from" => from,
        }));
    }
    let mut human = String::new();
    let _ = writeln!(human, "{}", table.trim_fmt());
    Ok(Done::new(human, Value::Array(items)))
}

fn write(path: &std::path::Path, file: &KeyFile) -> Result<(), Failure> {
    use secrecy::ExposeSecret;
    Ok(write_private(path, file.to_text().expose_secret())?)
}

/// A rotation that does not go on, with what to do.
fn refused(name: &str) -> impl Fn(Rotation) -> Failure {
    move |why| {
        let (code, help) = match why {
            Rotation::Key(fault) => return unfit(fault),
            Rotation::NotAJwks => (
                "keys-no-jwks",
                "`ehr keys generate` makes a JWKS: give it another name, register it, and point auth.key to it"
                    .to_owned(),
            ),
            Rotation::Pending { from } => ("keys-pending", format!("wait until {from}")),
            Rotation::OldKeyThere => {
                ("keys-old", format!("`ehr keys rotate {name} --retire` takes it away"))
            }
            Rotation::NothingOld => {
                ("keys-nothing-old", format!("`ehr keys rotate {name}` adds a new key first"))
            }
            Rotation::InUse { until } => ("keys-in-use", format!("wait until {until}")),
        };
        Failure::new(Exit::Refused, code, why.to_string()).help(help)
    }
}
