//! `ehr capabilities [EHR]`: what an EHR lets be done, kind by kind, and who says so.
//!
//! It asks for the CapabilityStatement and for nothing else; with `--from` it asks nobody. What it prints are FHIR's
//! codes and our own words: nothing that a server wrote as free text.

mod view;

use std::path::Path;

use super::super::super::args::EhrCapabilities;
use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::Failure;
use super::super::super::input;
use super::super::super::output::Done;
use super::super::super::settings::{Settings, client};
use crate::config::Ehr;
use crate::fhir::capability::LIMITS;
use crate::fhir::{Capability, Refusal, Resource, Scopes};
use crate::json::Value;
use crate::store::{StatementChange, Store, digest};
use crate::vendor::{Effective, Overrides, Pack, Placement, Suggestion, place, suggest};

/// All that is shown, before it is put into words.
struct Shown<'a> {
    /// The EHR's name, if it is one that is configured.
    name: Option<&'a str>,
    /// Where the statement is from.
    origin: Origin,
    /// The digest of what it says.
    digest: String,
    effective: Effective<'a>,
    /// Where each kind stands.
    placements: [Placement<'a>; 4],
    /// Who chose the pack.
    pack_by: &'static str,
    suggestion: Option<Suggestion>,
    /// The scopes, if they are known or assumed.
    scopes: Option<&'a Scopes>,
    /// Whether somebody only wants to know what they would mean.
    assumes_scopes: bool,
    explain: bool,
}

/// Where a statement is from.
enum Origin {
    File,
    Server(StatementChange),
}

pub(crate) async fn run(args: &EhrCapabilities, settings: &Settings) -> Result<Done, Failure> {
    let named = args.name.as_deref();
    if let Some(path) = &args.from {
        let ehr = settings.ehr_if_named(named)?;
        let (statement, capability) = from_file(path)?;
        let scopes = args.scopes.as_deref().map(Scopes::parse);
        return Ok(show(args, ehr, &statement, &capability, scopes.as_ref(), &[], Origin::File));
    }
    let (name, ehr) = settings.ehr(named)?;
    let client = client(ehr)?;
    let (capability, statement) = client.visible_capabilities().await?;
    let scopes = match &args.scopes {
        Some(scopes) => Some(Scopes::parse(scopes)),
        None => client.login().await?.and_then(|login| login.scopes()),
    };
    let (base_url, now) = (ehr.url.value.to_string(), clock::now());
    let store = Store::open(&settings.config.store_path.value).await?;
    let change = store.keep_capability(name, &base_url, &statement, now).await?;
    if args.forget_refusals {
        store.forget_refusals(name).await?;
    }
    let refusals = store.refusals(name, &base_url, now).await?;
    store.close().await?;
    let origin = Origin::Server(change);
    Ok(show(args, Some((name, ehr)), &statement, &capability, scopes.as_ref(), &refusals, origin))
}

/// A statement that somebody saved.
pub(super) fn from_file(path: &Path) -> Result<(Resource, Capability), Failure> {
    let read = || {
        let resource = input::resource(&input::read(path, LIMITS)?)?;
        let capability = Capability::parse(&resource).map_err(|error| {
            Failure::new(Exit::Unreadable, "input-not-a-statement", error.to_string())
                .help("save what the server answers to BASE/metadata, as JSON")
        })?;
        Ok((resource, capability))
    };
    read().map_err(|failure: Failure| failure.in_file(path))
}

fn show(
    args: &EhrCapabilities,
    ehr: Option<(&str, &Ehr)>,
    statement: &Resource,
    capability: &Capability,
    scopes: Option<&Scopes>,
    refusals: &[Refusal],
    origin: Origin,
) -> Done {
    let none = Overrides::default();
    let configured = ehr.and_then(|(_, ehr)| ehr.pack.as_ref());
    let (pack, pack_by): (Option<&Pack>, _) = match (args.pack, configured) {
        (Some(pack), _) => (Some(pack), "--pack"),
        (None, Some(pack)) => (Some(pack.value), "configured"),
        (None, None) => (None, "none"),
    };
    let overrides = ehr.map_or(&none, |(_, ehr)| &ehr.overrides.value);
    let host = ehr.map(|(_, ehr)| ehr.url.value.host_and_port().0).unwrap_or_default();
    let allow = ehr.map(|(_, ehr)| ehr.allow()).unwrap_or_default();
    let effective = Effective::new(capability, scopes, pack, overrides, refusals);
    let shown = Shown {
        name: ehr.map(|(name, _)| name),
        origin,
        digest: digest(&Capability::canonical_text(statement)),
        placements: place(&effective, &allow),
        effective,
        pack_by,
        suggestion: suggest(capability, &host),
        scopes,
        assumes_scopes: args.scopes.is_some(),
        explain: args.explain,
    };
    Done::new(view::human(&shown), Value::Object(view::json(&shown)))
}
