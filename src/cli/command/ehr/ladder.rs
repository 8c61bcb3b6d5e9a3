//! `ehr ladder [EHR] [RECORD]`: on which rung each kind of content gets into an EHR, by which transport, in how many
//! requests, and what is lost on the way - before anything is sent.
//!
//! Without an EHR it shows all vendor packs, each over the statement that it holds itself, and without a record a sample
//! of our own. With an EHR it asks for the CapabilityStatement and for nothing else. Nothing of a record is printed but
//! how many resources of which type it makes.

mod view;

use super::super::super::args::{EhrLadder, LadderPack};
use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::Failure;
use super::super::super::input;
use super::super::super::output::Done;
use super::super::super::settings::{Settings, client};
use super::super::demo;
use super::capabilities;
use crate::config::{Ehr, is_ehr_name};
use crate::fhir::{Capability, Refusal, Scopes};
use crate::ipt::{Plan, document};
use crate::json::Value;
use crate::mapping::{self, MappedResource, note};
use crate::store::Store;
use crate::sync::{Forecast, forecast};
use crate::vendor::{Allow, Effective, Overrides, Pack, Placement, place};

/// One server, or one pack, and how the record gets in there.
struct Row<'a> {
    name: &'a str,
    pack: Option<&'a Pack>,
    placements: [Placement<'a>; 4],
    forecast: Forecast,
}

/// All that is shown, before it is put into words.
struct Shown<'a> {
    /// Whether the record is our own sample.
    is_sample: bool,
    resources: &'a [MappedResource],
    allow: &'a Allow,
    rows: Vec<Row<'a>>,
}

/// What one server says, and what is known of it beyond that.
struct Server<'a> {
    name: &'a str,
    statement: Capability,
    scopes: Option<Scopes>,
    refusals: Vec<Refusal>,
    pack: Option<&'static Pack>,
}

pub(crate) async fn run(args: &EhrLadder, settings: &Settings) -> Result<Done, Failure> {
    // One argument is the record if it can't be an EHR's name.
    let (named, record) = match (args.name.as_deref(), &args.record) {
        (Some(one), None) if !is_ehr_name(one) => (None, Some(one.into())),
        (named, record) => (named, record.clone()),
    };
    let plan: Plan = match &record {
        Some(path) => input::record(path)?.document.plan,
        None => {
            document::parse(demo::RECORD.as_bytes())
                .map_err(|error| Failure::new(Exit::Failed, "sample", error.to_string()))?
                .plan
        }
    };
    let options = args.policy.options(settings);
    let resources = mapping::to_fhir(&plan, &options).resources;
    let notes = note::notes(&plan, &options);
    let ehr = settings.ehr_if_named(named)?;
    let allow = allow(args, ehr.map(|(_, ehr)| ehr));
    let servers = servers(args, ehr).await?;
    let servers = match ehr {
        Some((name, ehr)) if args.from.is_none() => known(servers, name, ehr, settings).await?,
        _ => servers,
    };
    let none = Overrides::default();
    let overrides = ehr.map_or(&none, |(_, ehr)| &ehr.overrides.value);
    let rows = servers.iter().map(|server| {
        let (scopes, refusals) = (server.scopes.as_ref(), &server.refusals);
        let effective = Effective::new(&server.statement, scopes, server.pack, overrides, refusals);
        let placements = place(&effective, &allow);
        let forecast = forecast(&effective, &allow, &resources, &notes);
        Row { name: server.name, pack: server.pack, placements, forecast }
    });
    let shown = Shown {
        is_sample: record.is_none(),
        resources: &resources,
        allow: &allow,
        rows: rows.collect(),
    };
    Ok(Done::new(view::human(&shown), Value::Object(view::json(&shown))))
}

/// What is allowed: as asked, else as configured, else all of it, for a table of what is possible.
fn allow(args: &EhrLadder, ehr: Option<&Ehr>) -> Allow {
    let mut allow = ehr.map_or_else(Allow::every_rung, Ehr::allow);
    if let Some(rungs) = &args.allow {
        allow.rungs = rungs.iter().copied().collect();
    }
    allow.opt_in.extend(args.opt_in.iter().copied());
    allow.encounters = args.encounter.or(allow.encounters);
    allow
}

/// The servers to look at: one statement through one pack or through all, or each pack over its own statement.
async fn servers<'a>(
    args: &EhrLadder,
    ehr: Option<(&'a str, &Ehr)>,
) -> Result<Vec<Server<'a>>, Failure> {
    let statement = match (&args.from, ehr) {
        (Some(path), _) => Some(capabilities::from_file(path)?.1),
        (None, Some((_, ehr))) => Some(client(ehr)?.visible_capabilities().await?.0),
        (None, None) => None,
    };
    let configured = ehr.and_then(|(_, ehr)| ehr.pack());
    let packs: Vec<Option<&'static Pack>> = match args.pack {
        Some(LadderPack::One(pack)) => vec![Some(pack)],
        Some(LadderPack::All) => Pack::all().iter().map(Some).collect(),
        None if statement.is_some() => vec![configured],
        None => Pack::all().iter().map(Some).collect(),
    };
    let of_pack = |pack: Option<&'static Pack>| {
        let statement = match &statement {
            Some(statement) => statement.clone(),
            None => pack?.declared()?,
        };
        let own = ehr.map_or("the statement", |(name, _)| name);
        let name = match (pack, args.pack) {
            (Some(pack), Some(_)) => pack.name.as_str(),
            (Some(pack), None) if ehr.is_none() => pack.name.as_str(),
            _ => own,
        };
        Some(Server { name, statement, scopes: None, refusals: Vec::new(), pack })
    };
    Ok(packs.into_iter().filter_map(of_pack).collect())
}

/// The servers with what is known of an EHR besides: what its login may do, and what it has refused.
async fn known<'a>(
    servers: Vec<Server<'a>>,
    name: &str,
    ehr: &Ehr,
    settings: &Settings,
) -> Result<Vec<Server<'a>>, Failure> {
    let scopes = client(ehr)?.login().await?.and_then(|login| login.scopes());
    let store = Store::open(&settings.config.store_path.value).await?;
    let refusals = store.refusals(name, &ehr.url.value.to_string(), clock::now()).await?;
    store.close().await?;
    let with = |server| Server { scopes: scopes.clone(), refusals: refusals.clone(), ..server };
    Ok(servers.into_iter().map(with).collect())
}
