//! `ehr list`: the configured EHRs, and where their settings come from.

use std::path::PathBuf;

use comfy_table::{Table, presets};

use super::super::super::output::Done;
use super::super::super::settings::Settings;
use crate::config::{Auth, Sourced};
use crate::json::{Object, Value};
use crate::object;
use crate::vendor::{Allow, Kind, Rung};

pub(crate) fn run(settings: &Settings) -> Done {
    let ehrs = &settings.config.ehrs;
    if ehrs.is_empty() {
        let human = "no EHR is configured; `ipt-fhir ehr add NAME URL` adds one\n";
        return Done::new(human, Value::Array(Vec::new()));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "URL", "AUTH", "PACK", "ALLOWED", "TIMEOUT", "SETTLE", "FROM"]);
    let mut items = Vec::new();
    for (name, ehr) in ehrs {
        let auth = match &ehr.auth {
            Auth::None => "none".to_owned(),
            Auth::Bearer(token) => format!("bearer ({})", token.source()),
            Auth::Smart(smart) => format!("smart ({})", smart.key.source()),
            Auth::Basic { password, .. } => format!("basic ({})", password.source()),
        };
        let (timeout, settle) = (ehr.timeout.value.as_secs(), ehr.settle.value.as_secs());
        let url = ehr.url.value.to_string();
        let seconds = |seconds: u64| format!("{seconds} s");
        table.add_row([
            name,
            &url,
            &auth,
            &ehr.pack().map_or("-".to_owned(), |pack| pack.name.clone()),
            &allowed(&ehr.allow()),
            &seconds(timeout),
            &seconds(settle),
            &ehr.url.origin.to_string(),
        ]);
        let network = &ehr.network;
        let file =
            |path: Option<&Sourced<PathBuf>>| path.map(|path| path.value.display().to_string());
        let identity = network.identity.as_ref();
        let tls: Object = object! {
            "ca" => file(network.authorities.as_ref()),
            "certificate" => file(identity.map(|identity| &identity.certificate)),
            "key" => file(identity.map(|identity| &identity.key)),
        };
        let ladder = &ehr.ladder;
        let origins: Object = object! {
            "allow" => ladder.rungs.origin.to_string(),
            "opt_in" => ladder.opt_in.origin.to_string(),
            "encounter" => ladder.encounters.as_ref().map(|said| said.origin.to_string()),
            "hand_off" => ladder.hand_off.origin.to_string(),
            "url" => ehr.url.origin.to_string(),
            "timeout_seconds" => ehr.timeout.origin.to_string(),
            "settle_seconds" => ehr.settle.origin.to_string(),
            "pack" => ehr.pack.as_ref().map(|pack| pack.origin.to_string()),
        };
        items.push(Value::Object(object! {
            "name" => name,
            "url" => url,
            "auth" => auth,
            "pack" => ehr.pack.as_ref().map(|pack| pack.value.name.as_str()),
            "allow" => rungs(&ehr.allow()),
            "opt_in" => kinds(&ehr.allow()),
            "encounter" => ehr.allow().encounters(ehr.pack()).code(),
            "hand_off" => ladder.hand_off.value.display().to_string(),
            "timeout_seconds" => timeout,
            "settle_seconds" => settle,
            "private_network" => network.private_network.value,
            "tls" => tls,
            "rate" => network.rate.as_ref().map(|rate| rate.value.to_string()),
            "origins" => origins,
        }));
    }
    Done::new(table.trim_fmt() + "\n", Value::Array(items))
}

/// The rungs that are allowed, the highest first.
fn rungs(allow: &Allow) -> Vec<&'static str> {
    allow.rungs.iter().rev().copied().map(Rung::code).collect()
}

/// The kinds that are asked for.
fn kinds(allow: &Allow) -> Vec<&'static str> {
    allow.opt_in.iter().copied().map(Kind::code).collect()
}

/// What is sent besides structure, in a word or two.
fn allowed(allow: &Allow) -> String {
    match rungs(allow).as_slice() {
        [] => "structure only".to_owned(),
        rungs => rungs.join(", "),
    }
}
