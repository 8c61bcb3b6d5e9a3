//! capabilities: the CapabilityStatement (R4 3.1.0.10), made from the very tables that the server works by.

use crate::fhir::{Release, Resource};
use crate::json::Object;
use crate::object;
use crate::sandbox::answer::Answer;
use crate::sandbox::behaviour::Behaviour;
use crate::sandbox::definition::{self, Kind};
use crate::sandbox::personality::{Head, Personality};
use crate::sandbox::store::instant;
use crate::sandbox::surface::Taken;

use super::Ehr;

const INTERACTIONS: [&str; 8] = [
    "read",
    "vread",
    "update",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
];

/// What this server can do, and nothing else.
pub(super) fn statement(ehr: &Ehr) -> Answer {
    let behaviour = &ehr.behaviour;
    let declared = behaviour.personality.and_then(Personality::declared);
    let head = declared.map(|declared| declared.statement.clone());
    let head = head.unwrap_or_else(|| Head {
        software: Some("ipt-fhir sandbox".to_owned()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Head::default()
    });
    let listed = declared.and_then(|declared| declared.system.as_ref());
    let can = [
        ("transaction", behaviour.transactions),
        ("batch", behaviour.batches),
        ("history-system", behaviour.surface.is_none()),
    ];
    // What is listed is no more than what can be done, and may be less (HAPI does not list batch).
    let is_listed = |code: &str| listed.is_none_or(|listed| listed.contains(code));
    let system = can.into_iter().filter(|(code, can)| *can && is_listed(code));
    let system: Vec<&'static str> = system.map(|(code, _)| code).collect();
    let rest = object! {
        "mode" => "server",
        "documentation" => documentation(behaviour),
        "security" => ehr.login.then(security),
        "resource" => definition::types(&ehr.behaviour).map(|name| resource(ehr, name)).collect::<Vec<_>>(),
        "interaction" => codes(&system),
    };
    Answer::of(Resource::new("CapabilityStatement").with(object! {
        "status" => "active",
        "experimental" => true,
        "date" => instant(ehr.started),
        "kind" => "instance",
        "publisher" => head.publisher,
        "software" => head
            .software
            .map(|name| object! { "name" => name, "version" => head.version }),
        "implementation" => object! {
            "description" => "A FHIR server in memory, to try ipt-fhir against",
            "url" => ehr.base.as_str(),
        },
        "fhirVersion" => Release::R4.fhir_version(),
        "format" => vec!["application/fhir+json", "json"],
        "rest" => vec![rest],
    }))
}

/// How clients log in (SMART App Launch 2.2).
fn security() -> Object {
    let coding = object! {
        "system" => "http://terminology.hl7.org/CodeSystem/restful-security-service",
        "code" => "SMART-on-FHIR",
    };
    object! { "service" => vec![object! { "coding" => vec![coding] }] }
}

fn documentation(behaviour: &Behaviour) -> String {
    let played = behaviour.personality.map(Personality::name);
    match played {
        Some(name) => format!("The ipt-fhir sandbox, which plays a server of another's: {name}. It is not one."),
        None => "Holds everything in memory. An update to an id that is not here creates it, unless If-Match is sent: \
            then it answers 412. An update that changes nothing makes no version."
            .to_owned(),
    }
}

/// A type of a server with a surface: what is listed there, and nothing of versions or conditions.
fn listed(ehr: &Ehr, name: &str, taken: &Taken) -> Object {
    object! {
        "type" => name,
        "interaction" => codes(&taken.codes()),
        "searchParam" => search_parameters(ehr, name),
    }
}

fn search_parameters(ehr: &Ehr, name: &str) -> Vec<Object> {
    definition::parameters(name, &ehr.behaviour)
        .map(|parameter| object! { "name" => parameter.name, "type" => parameter.kind.code() })
        .collect()
}

fn resource(ehr: &Ehr, name: &str) -> Object {
    if let Some(taken) = ehr.behaviour.surface.as_ref().and_then(|surface| surface.of(name)) {
        return listed(ehr, name, taken);
    }
    let played = ehr.behaviour.personality;
    let mut policy = vec!["literal"];
    if ehr.behaviour.referential_integrity {
        policy.push("enforced");
    }
    let references = |source: &'static str| {
        definition::parameters(source, &ehr.behaviour)
            .filter(|parameter| parameter.kind == Kind::Reference)
            .map(move |parameter| format!("{source}:{}", parameter.name))
    };
    let types = || definition::types(&ehr.behaviour);
    let own = types().filter(|known| *known == name);
    object! {
        "type" => name,
        "interaction" => codes(&INTERACTIONS),
        "versioning" => "versioned",
        "readHistory" => true,
        // HAPI says false on all types, although it does.
        "updateCreate" => ehr.behaviour.update_create && played != Some(Personality::Hapi),
        "conditionalCreate" => ehr.behaviour.conditional_create,
        "conditionalRead" => "not-match",
        "conditionalUpdate" => true,
        "conditionalDelete" => "single",
        "referencePolicy" => policy,
        "searchInclude" => own.flat_map(references).collect::<Vec<_>>(),
        "searchRevInclude" => types().flat_map(references).collect::<Vec<_>>(),
        "searchParam" => search_parameters(ehr, name),
    }
}

fn codes(codes: &[&'static str]) -> Vec<Object> {
    codes.iter().map(|code| object! { "code" => *code }).collect()
}
