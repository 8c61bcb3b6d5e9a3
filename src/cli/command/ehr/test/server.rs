//! What the server says of itself, whether it finds by identifier, and what may be written.

use uuid::Uuid;

use super::super::super::super::failure::no_token_cure;
use super::check::Check;
use crate::client::{Client, Error, Flaw, Unsent};
use crate::config::Ehr;
use crate::fhir::{Capability, Release, Scopes};
use crate::mapping::identity::ITEM_SYSTEM;
use crate::vendor::{Effective, Kind, Rung, suggest};

/// The types that sync writes.
pub(super) const TYPES: [&str; 15] = [
    "CarePlan",
    "Goal",
    "Appointment",
    "CareTeam",
    "ClinicalImpression",
    "Condition",
    "Consent",
    "DocumentReference",
    "Encounter",
    "Flag",
    "Observation",
    "Procedure",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Task",
];

/// The server's statement: anybody's, or if it is shown to known clients only, that which it shows to us.
pub(super) async fn statement(client: &Client) -> Result<Capability, Error> {
    client.visible_capabilities().await.map(|(capability, _)| capability)
}

/// Whether there is a statement, and of which release.
pub(super) fn metadata(statement: &Result<Capability, Error>) -> Vec<Check> {
    const STEP: &str = "metadata";
    match statement {
        Ok(capability) => vec![Check::passed(STEP, "a CapabilityStatement"), release(capability)],
        // The login says why.
        Err(Error::NotSent(Unsent::NoToken(_))) => {
            let why = "the server shows it to known clients only";
            vec![Check::skipped(STEP, why), Check::skipped("release", why)]
        }
        Err(error) => vec![Check::failed(STEP, error.to_string(), cure(error))],
    }
}

fn release(capability: &Capability) -> Check {
    const STEP: &str = "release";
    let cure = "this program writes R4: use the server's R4 base";
    match capability.release {
        Some(Release::R4) => Check::passed(STEP, "FHIR R4"),
        Some(other) => Check::failed(STEP, format!("FHIR {other}"), cure),
        None => match capability.release_name {
            Some(name) => Check::failed(STEP, format!("FHIR {name}"), cure),
            None => Check::failed(STEP, "no release that is known here", cure),
        },
    }
}

/// The first thing to look at for an error of a request.
pub(super) fn cure(error: &Error) -> &'static str {
    match error {
        Error::NotSent(Unsent::NoToken(why)) => no_token_cure(*why),
        Error::Unauthorized => {
            "the token or password is wrong or has expired: look at auth in the configuration"
        }
        Error::Forbidden => {
            "the credentials are known, but may not do this: ask the EHR's administrator"
        }
        Error::Incorrect(Flaw::WebPage) => {
            "this is a page for people, a login or a portal: the URL must be the base of a FHIR server"
        }
        Error::NotFound { .. } | Error::Refused { .. } | Error::Incorrect(_) => {
            "the URL must be the base of a FHIR server: the one before /metadata"
        }
        Error::NotSent(_) | Error::Busy { .. } => {
            "try again; if it stays so, ask the EHR's administrator"
        }
        _ => "give the server more time with timeout_seconds, or look at its log",
    }
}

/// Whether a look-up by our identifier is answered; and whether it was denied.
pub(super) async fn search(client: &Client) -> (Check, bool) {
    const STEP: &str = "search";
    let identifier = format!("{ITEM_SYSTEM}|{}", Uuid::new_v4());
    let answer = client.search("CarePlan", &[("identifier", &identifier)]).await;
    let is_denied = matches!(answer, Err(Error::Unauthorized | Error::Forbidden));
    let check = match answer {
        Ok(found) if found.is_empty() => {
            Check::passed(STEP, "a CarePlan can be looked up by identifier")
        }
        Ok(_) => Check::failed(
            STEP,
            "an identifier that nobody has was found",
            "this server ignores the identifier of a search and can't be synced with",
        ),
        Err(error @ (Error::IgnoredParameter { .. } | Error::Refused { .. })) => Check::failed(
            STEP,
            error.to_string(),
            "this server can't look up a CarePlan by identifier, which sync needs to write each one once",
        ),
        Err(error) => Check::failed(STEP, error.to_string(), cure(&error)),
    };
    (check, is_denied)
}

/// What may be written, kind by kind, after statement, scopes, pack and override.
pub(super) fn writes(ehr: &Ehr, capability: &Capability, scopes: Option<&Scopes>) -> Check {
    const STEP: &str = "writes";
    let overrides = &ehr.overrides.value;
    let effective = Effective::new(capability, scopes, ehr.pack(), overrides, &[]);
    let takes = |resource_type: &&str| {
        ["create", "read", "update", "search:identifier"]
            .iter()
            .all(|word| effective.fact(resource_type, word).allowed)
    };
    let (taken, left): (Vec<&str>, Vec<&str>) = TYPES.into_iter().partition(takes);
    let mut notes = Vec::new();
    if !left.is_empty() {
        notes.push(format!("not written there: {}", left.join(", ")));
    }
    if !effective.allows_system("transaction").allowed {
        notes.push("no transactions: resources are created one by one".to_owned());
    }
    let has_history = |name: &&str| effective.allows(name, "history-instance").allowed;
    if !taken.iter().all(has_history) {
        notes.push("no history: an edit made right after ours needs a person".to_owned());
    }
    if ehr.pack().is_none()
        && let Some(found) = suggest(capability, &ehr.url.value.host_and_port().0)
    {
        notes.push(format!(
            "this looks like {}: pack = \"{}\" tells more",
            found.pack.title, found.pack.name
        ));
    }
    if effective.rung(Kind::Plan) < Rung::Structure || !taken.contains(&"CarePlan") {
        let found = format!("the server takes no plan; {}", notes.join("; "));
        return Check::failed(
            STEP,
            found,
            "`ehr capabilities` says who does not allow what: the server, the scopes, the pack; the EHR's administrator may switch it on",
        );
    }
    if notes.is_empty() {
        return Check::passed(STEP, "transaction, history, and create, read, update, search");
    }
    Check::warning(STEP, notes.join("; "), "`ehr capabilities` shows it kind by kind, with sources")
}
