//! Which resources of an EHR a session, a therapist or an organization may be: looked for, compared, never chosen.
//!
//! A comparison says of each trait whether record and EHR agree, and nothing of what they say; a person looks the ids up
//! in the EHR and decides. Two visits on one day, and two therapists of one name, are two candidates.

mod encounter;

use std::cmp::Reverse;

use crate::client::{Client, Error, Versioned};
use crate::date::{Instant, PartialDate};
use crate::fhir::patient::{Agreement, compare};
use crate::fhir::{Capability, Resource, ResourceId};
use crate::ipt::Plan;
use crate::ipt::session::Session;
use crate::json::Value;
use crate::mapping::identity::{ITEM_SYSTEM, PLAN_ITEM_SYSTEM};
use crate::phi::Phi;
use crate::store::Link;

use encounter::apart;

use super::identity::is_about;
use super::reading::repeated;
use super::reference::check_target;

pub use encounter::compare_encounter;

/// A trait and how it compares.
pub type Compared = Vec<(&'static str, Agreement)>;

/// Something in the EHR that an item of the record may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Type and id.
    pub id: ResourceId,
    /// When it began and ended, as the EHR says it, where it is a date or a moment.
    pub time: (Option<String>, Option<String>),
    /// Its status, where it is one of FHIR's.
    pub status: Option<&'static str>,
    /// Its class, where it is one of HL7's.
    pub class: Option<&'static str>,
    /// How it compares.
    pub compared: Compared,
}

/// What was found of one type for one kind of item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// What may be it, best first.
    pub found: Vec<T>,
    /// How many resources came that are about another Patient, or that say of nobody whom they are about. They were
    /// dropped: a server that answers so may do so elsewhere (W6).
    pub of_others: usize,
    /// Whether the server lists a search by which they can be looked for.
    pub is_searchable: bool,
}

/// How the therapist, as our mapping writes them, compares with a Practitioner.
pub fn compare_practitioner(therapist: &Resource, practitioner: &Resource) -> Compared {
    let [family, given, _, _, identifiers] = compare(therapist, practitioner);
    vec![identifiers, family, given]
}

/// How the name of the organization compares with an Organization or a Location.
pub fn compare_place(name: Option<&str>, place: &Resource) -> Compared {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let name = name.map(plain).filter(|name| !name.is_empty());
    let alias = place.items("alias").filter_map(Value::as_str);
    let theirs: Vec<String> = place.text("name").into_iter().chain(alias).map(plain).collect();
    let agreement = match name {
        None if theirs.is_empty() => Agreement::MissingInBoth,
        None => Agreement::MissingHere,
        Some(_) if theirs.is_empty() => Agreement::MissingThere,
        Some(name) if theirs.contains(&name) => Agreement::Agrees,
        Some(_) => Agreement::Differs,
    };
    vec![("name", agreement)]
}

/// A person as our mapping writes them, without the identifiers that only we give; an empty one if there is none.
pub fn as_others_know(resources: &[(uuid::Uuid, Resource)], resource_type: &str) -> Resource {
    let mut resources = resources.iter().map(|(_, resource)| resource);
    let found = resources.find(|resource| resource.resource_type() == resource_type);
    let mut person = found.cloned().unwrap_or_else(|| Resource::new(resource_type));
    if let Some(Value::Array(identifiers)) = person.object_mut().get_mut("identifier") {
        identifiers.retain(|identifier| {
            !matches!(identifier.text("system"), Some(ITEM_SYSTEM | PLAN_ITEM_SYSTEM))
        });
    }
    person
}

/// The linked Patient's Encounters on the days of sessions; whatever the server answers, of no other Patient.
///
/// # Errors
/// Those of [`Client::search`].
pub async fn encounters(
    client: &Client,
    capability: &Capability,
    link: &Link,
    sessions: &[&Session],
) -> Result<Found<Versioned>, Error> {
    let parameter = ["patient", "subject"]
        .into_iter()
        .find(|parameter| capability.searches("Encounter", parameter));
    let days = sessions.iter().filter_map(|session| session.start.as_ref()?.day()?.first_day());
    let (Some(parameter), Some(first)) = (parameter, days.clone().min()) else {
        return Ok(Found { found: Vec::new(), of_others: 0, is_searchable: parameter.is_some() });
    };
    let last = days.max().unwrap_or(first);
    let whom = match parameter {
        "patient" => link.patient.id().to_owned(),
        _ => link.patient.to_string(),
    };
    // A day more on either side: a server may take days in its own time zone.
    let from = format!("ge{}", first.yesterday().unwrap_or(first));
    let to = format!("le{}", last.tomorrow().unwrap_or(last));
    let mut parameters = vec![(parameter, whom.as_str())];
    if capability.searches("Encounter", "date") {
        parameters.extend([("date", from.as_str()), ("date", to.as_str())]);
    }
    let found = match repeated(|| client.search("Encounter", &parameters)).await {
        // Days only make the answer shorter.
        Err(Error::IgnoredParameter { parameter }) if parameter == "date" => {
            parameters.truncate(1);
            repeated(|| client.search("Encounter", &parameters)).await?
        }
        found => found?,
    };
    let all = found.len();
    let is_theirs = |found: &Versioned| is_about(&found.resource, &link.patient, &link.base_url);
    let found: Vec<Versioned> = found.into_iter().filter(is_theirs).collect();
    Ok(Found { of_others: all - found.len(), found, is_searchable: true })
}

/// Those of the Encounters that a session may be, best first: at the same time or on the same day, and not called off.
pub fn of_session(
    plan: &Plan,
    session: &Session,
    encounters: &[Versioned],
    link: &Link,
) -> Vec<Candidate> {
    let mut candidates: Vec<(Candidate, u64)> = encounters
        .iter()
        .filter(|found| check_target(&found.resource, &link.patient, &link.base_url).is_ok())
        .map(|found| {
            let compared =
                compare_encounter(plan, session, &found.resource, link.practitioner.as_ref());
            (candidate(&found.id, &found.resource, compared), apart(session, &found.resource))
        })
        .filter(|(candidate, _)| candidate.agrees("time") || candidate.agrees("day"))
        .collect();
    candidates.sort_by_key(|(candidate, apart)| {
        let agreeing = ["practitioner", "status", "class", "type"];
        let agreeing = agreeing.iter().filter(|name| candidate.agrees(name)).count();
        let is_at = candidate.agrees("time");
        (Reverse(is_at), *apart, Reverse(agreeing), candidate.id.clone())
    });
    candidates.into_iter().map(|(candidate, _)| candidate).collect()
}

/// Practitioners who share an identifier or the family name with the therapist, best first.
///
/// # Errors
/// Those of [`Client::search_by_post`].
pub async fn practitioners(
    client: &Client,
    capability: &Capability,
    therapist: &Resource,
) -> Result<Found<Candidate>, Error> {
    let mut searches: Vec<(&str, String)> = Vec::new();
    if capability.searches("Practitioner", "identifier") {
        let token = |identifier: &Value| {
            Some(format!("{}|{}", identifier.text("system")?, identifier.text("value")?))
        };
        searches.extend(
            therapist.items("identifier").filter_map(token).map(|token| ("identifier", token)),
        );
    }
    let by_name = ["family", "name"]
        .into_iter()
        .find(|parameter| capability.searches("Practitioner", parameter));
    let family = therapist.items("name").find_map(|name| name.text("family"));
    searches.extend(by_name.zip(family).map(|(parameter, family)| (parameter, family.to_owned())));
    let is_searchable = !searches.is_empty();
    let mut found = Vec::new();
    for (parameter, value) in &searches {
        found.extend(search(client, "Practitioner", parameter, value).await?);
    }
    let compared = |found: &Versioned| compare_practitioner(therapist, &found.resource);
    let mut found = candidates(&found, compared, |candidate| {
        candidate.agrees("identifiers") || candidate.agrees("family name")
    });
    found.sort_by_key(|candidate| {
        let agreeing = ["identifiers", "family name", "given name"];
        (Reverse(agreeing.map(|name| candidate.agrees(name))), candidate.id.clone())
    });
    Ok(Found { found, of_others: 0, is_searchable })
}

/// Organizations and Locations of the name, those that bear it to the letter first.
///
/// # Errors
/// Those of [`Client::search_by_post`].
pub async fn places(
    client: &Client,
    capability: &Capability,
    name: Option<&str>,
) -> Result<Found<Candidate>, Error> {
    let mut places = Found { found: Vec::new(), of_others: 0, is_searchable: false };
    for resource_type in ["Organization", "Location"] {
        let Some(name) = name.filter(|_| capability.searches(resource_type, "name")) else {
            continue;
        };
        places.is_searchable = true;
        let found = search(client, resource_type, "name", name).await?;
        let compared = |found: &Versioned| compare_place(Some(name), &found.resource);
        // A server that ignores the name answers with every place there is.
        places.found.extend(candidates(&found, compared, |candidate| candidate.agrees("name")));
    }
    Ok(places)
}

impl Candidate {
    /// Whether record and EHR agree on a trait.
    pub fn agrees(&self, name: &str) -> bool {
        let is_so =
            |(one, agreement): &(&str, Agreement)| *one == name && *agreement == Agreement::Agrees;
        self.compared.iter().any(is_so)
    }
}

async fn search(
    client: &Client,
    resource_type: &str,
    parameter: &str,
    value: &str,
) -> Result<Vec<Versioned>, Error> {
    let parameters = [(parameter, Phi::new(value))];
    repeated(|| client.search_by_post(resource_type, &parameters)).await
}

/// What may be it, each once.
fn candidates(
    found: &[Versioned],
    compared: impl Fn(&Versioned) -> Compared,
    is_wanted: impl Fn(&Candidate) -> bool,
) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for found in found {
        // Whose it is does not matter to these types.
        let is_usable = check_target(&found.resource, &found.id, "").is_ok();
        let candidate = candidate(&found.id, &found.resource, compared(found));
        if is_usable && is_wanted(&candidate) && !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    candidates
}

/// A candidate with what may be shown of it: a server's own words may not.
pub fn candidate(id: &ResourceId, resource: &Resource, compared: Compared) -> Candidate {
    const STATUS: [&str; 9] = [
        "planned",
        "arrived",
        "triaged",
        "in-progress",
        "onleave",
        "finished",
        "cancelled",
        "entered-in-error",
        "unknown",
    ];
    const CLASS: [&str; 11] =
        ["AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", "VR"];
    let known = |all: &[&'static str], code: Option<&str>| {
        all.iter().copied().find(|one| Some(*one) == code)
    };
    let time = |name: &str| {
        let text = resource.get("period")?.text(name)?;
        let is_time = Instant::parse(text).is_ok() || PartialDate::parse(text).is_ok();
        is_time.then(|| text.to_owned())
    };
    Candidate {
        id: id.clone(),
        time: (time("start"), time("end")),
        status: known(&STATUS, resource.text("status")),
        class: known(&CLASS, resource.get("class").and_then(|class| class.text("code"))),
        compared,
    }
}
