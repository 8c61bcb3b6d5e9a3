//! capabilities: the CapabilityStatement (R4 3.1.0.10), made from the very tables that the server works by.

use crate::fhir::{Release, Resource};
use crate::json::Object;
use crate::object;
use crate::sandbox::answer::Answer;
use crate::sandbox::definition::{self, Kind};
use crate::sandbox::store::instant;

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
    let mut system = vec!["batch", "history-system"];
    if ehr.behaviour.transactions {
        system.insert(0, "transaction");
    }
    let rest = object! {
        "mode" => "server",
        "documentation" => "Holds everything in memory. An update to an id that is not here creates it, \
            unless If-Match is sent: then it answers 412. An update that changes nothing makes no version.",
        "security" => ehr.login.then(security),
        "resource" => definition::types(&ehr.behaviour).map(|name| resource(ehr, name)).collect::<Vec<_>>(),
        "interaction" => codes(&system),
    };
    Answer::of(Resource::new("CapabilityStatement").with(object! {
        "status" => "active",
        "experimental" => true,
        "date" => instant(ehr.started),
        "kind" => "instance",
        "software" => object! { "name" => "ipt-fhir sandbox", "version" => env!("CARGO_PKG_VERSION") },
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

fn resource(ehr: &Ehr, name: &str) -> Object {
    let mut policy = vec!["literal"];
    if ehr.behaviour.referential_integrity {
        policy.push("enforced");
    }
    let parameters: Vec<_> = definition::parameters(name, &ehr.behaviour).collect();
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
        "updateCreate" => true,
        "conditionalCreate" => ehr.behaviour.conditional_create,
        "conditionalRead" => "not-match",
        "conditionalUpdate" => true,
        "conditionalDelete" => "single",
        "referencePolicy" => policy,
        "searchInclude" => own.flat_map(references).collect::<Vec<_>>(),
        "searchRevInclude" => types().flat_map(references).collect::<Vec<_>>(),
        "searchParam" => parameters
            .iter()
            .map(|parameter| object! { "name" => parameter.name, "type" => parameter.kind.code() })
            .collect::<Vec<_>>(),
    }
}

fn codes(codes: &[&'static str]) -> Vec<Object> {
    codes.iter().map(|code| object! { "code" => *code }).collect()
}
