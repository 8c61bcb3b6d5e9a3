//! `ehr link EHR RECORD --session N=Encounter/ID --practitioner … --organization …`, and `ehr unlink`.
//!
//! All that is named at once is read, compared and told, then a person says yes, then all of it is linked or nothing. An
//! Encounter of another Patient is never linked, whatever is accepted.

use std::fmt::Write;

use uuid::Uuid;

use super::super::super::args::{EhrLink, EhrUnlink};
use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, Problem};
use super::super::super::output::Done;
use super::super::super::prompt::confirm;
use super::super::super::settings::Settings;
use super::link::{as_object, id, practitioner_id, read, refused, tell};
use super::linked::Linked;
use crate::fhir::patient::Agreement;
use crate::fhir::{Resource, ResourceId};
use crate::ipt::session::Session;
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::object;
use crate::store::ReferenceLink;
use crate::sync::candidate::{
    Compared, as_others_know, compare_encounter, compare_place, compare_practitioner,
};
use crate::sync::{check_target, reference_marks};

/// What is about to be linked.
struct Named {
    /// `session 4`, `therapist`, `organization`.
    what: String,
    item: Uuid,
    target: ResourceId,
    marks: Vec<String>,
    compared: Compared,
    /// What a script may not pass over.
    differences: Vec<String>,
}

pub(super) async fn link(args: &EhrLink, settings: &Settings) -> Result<Done, Failure> {
    // Before anything is opened or asked.
    let sessions: Vec<(u32, ResourceId)> =
        args.session.iter().map(|text| numbered(text)).collect::<Result<_, _>>()?;
    let practitioner = args.practitioner.as_deref().map(practitioner_id).transpose()?;
    let organization = args
        .organization
        .as_deref()
        .map(|text| id(text, &["Organization", "Location"], "--organization"))
        .transpose()?;
    let linked = Linked::open(&args.name, &args.record, settings).await?;
    let client = linked.client(settings).await?;
    let mut named: Vec<Named> = Vec::new();
    if let Some(target) = practitioner {
        let found = read(&client, &target).await?;
        let therapist = as_others_know(&linked.resources, "Practitioner");
        let compared = compare_practitioner(&therapist, &found);
        let item = linked.practitioner_item();
        named.push(name(&linked, "therapist".to_owned(), item, target, &found, compared)?);
    }
    let practitioner = named.first().map(|named| named.target.clone());
    let practitioner = practitioner.or_else(|| linked.link.practitioner.clone());
    for (number, target) in sessions {
        let session = session(&linked, number)?;
        let found = read(&client, &target).await?;
        let compared = compare_encounter(linked.plan(), session, &found, practitioner.as_ref());
        let item = linked.session_item(&session.id);
        let what = format!("session {number}");
        if named.iter().any(|named| named.item == item) {
            return Err(Failure::new(Exit::Usage, "link-twice", format!("{what} is named twice")));
        }
        let mut one = name(&linked, what, item, target, &found, compared)?;
        let known = linked.references.iter().map(|known| (known.item, &known.target));
        let known = known.chain(named.iter().map(|named| (named.item, &named.target)));
        if known.into_iter().any(|(other, target)| other != item && *target == one.target) {
            one.differences.push("another session is linked to this Encounter".to_owned());
        }
        named.push(one);
    }
    if let Some(target) = organization {
        let found = read(&client, &target).await?;
        let place = linked.plan().therapist.organization.as_deref();
        let compared = compare_place(place, &found);
        let item = linked.organization_item();
        named.push(name(&linked, "organization".to_owned(), item, target, &found, compared)?);
    }
    let told = told(&linked, &named);
    if settings.yes && !args.accept_differences {
        for one in &named {
            if let Some(difference) = one.differences.first() {
                let text = format!(
                    "{} can't be linked as {} by --yes alone: {difference}",
                    one.target, one.what
                );
                return Err(Failure::new(Exit::Refused, "link-differs", text).help(
                    "look the id up in the EHR; --accept-differences links it all the same",
                ));
            }
        }
    }
    confirm(settings, &format!("{told}Link?")).await?;
    let now = clock::now();
    let references: Vec<ReferenceLink> = named
        .iter()
        .map(|named| ReferenceLink {
            ehr: linked.link.ehr.clone(),
            plan: linked.link.plan.clone(),
            item: named.item,
            target: named.target.clone(),
            marks: named.marks.clone(),
            linked_at: now,
        })
        .collect();
    linked.store.link_references(&linked.link, &references).await?;
    let result = object! {
        "ehr" => &linked.link.ehr,
        "patient" => linked.link.patient.to_string(),
        "linked" => named.iter().map(as_data).collect::<Vec<_>>(),
    };
    let warnings = named.iter().flat_map(|one| {
        one.differences.iter().map(|difference| {
            let text = format!("{}: {difference}", one.what);
            Problem::new(Severity::Warning, "link-differs", text)
        })
    });
    let warnings = warnings.collect();
    let done = Done::new(format!("{told}linked\n"), Value::Object(result));
    linked.store.close().await?;
    Ok(done.but(Exit::Done, warnings))
}

/// Ends links. Nothing that was written changes; what needs such a link waits until there is another.
pub(crate) async fn unlink(args: &EhrUnlink, settings: &Settings) -> Result<Done, Failure> {
    let linked = Linked::open(&args.name, &args.record, settings).await?;
    let mut items = Vec::new();
    for number in &args.session {
        let session = session(&linked, *number)?;
        items.push((format!("session {number}"), linked.session_item(&session.id)));
    }
    if args.practitioner {
        items.push(("therapist".to_owned(), linked.practitioner_item()));
    }
    if args.organization {
        items.push(("organization".to_owned(), linked.organization_item()));
    }
    if let Some((what, _)) = items.iter().find(|(_, item)| linked.reference(*item).is_none()) {
        let text = format!("{what} is not linked; nothing was done");
        return Err(Failure::new(Exit::Usage, "unlink-not-linked", text));
    }
    let mut human = String::new();
    let mut ended = Vec::new();
    for (what, item) in items {
        if linked.store.unlink_reference(&linked.link.ehr, &linked.link.plan, item).await? {
            let _ = writeln!(human, "{what}: not linked any more");
            ended.push(object! { "what" => what, "item" => item.to_string() });
        }
    }
    let result = object! { "ehr" => &linked.link.ehr, "unlinked" => ended };
    linked.store.close().await?;
    Ok(Done::new(human, Value::Object(result)))
}

/// What a person named, which must be fit to be linked.
fn name(
    linked: &Linked,
    what: String,
    item: Uuid,
    target: ResourceId,
    found: &Resource,
    compared: Compared,
) -> Result<Named, Failure> {
    check_target(found, &linked.link.patient, &linked.link.base_url)
        .map_err(|fault| refused(&target, &fault.to_string()))?;
    let differences = compared.iter().filter_map(|(name, agreement)| match (*name, agreement) {
        ("day" | "family name" | "identifiers" | "name", Agreement::Differs) => {
            Some(format!("the {name} differs"))
        }
        ("day", Agreement::Agrees) => None,
        // A visit of which no day is known can't be shown to be this session.
        ("day", _) => Some("the day can't be compared".to_owned()),
        _ => None,
    });
    let differences = differences.collect();
    Ok(Named { what, item, target, marks: reference_marks(found), compared, differences })
}

fn session(linked: &Linked, number: u32) -> Result<&Session, Failure> {
    let mut sessions = linked.plan().sessions.iter().filter(|session| session.number == number);
    match (sessions.next(), sessions.next()) {
        (Some(session), None) => Ok(session),
        (found, _) => {
            let which = if found.is_some() { "more than one session" } else { "no session" };
            let text = format!("the record has {which} of the number {number}");
            Err(Failure::new(Exit::Usage, "link-session", text)
                .help("`ipt-fhir record show` lists the sessions with their numbers"))
        }
    }
}

/// `N=Encounter/ID`.
fn numbered(text: &str) -> Result<(u32, ResourceId), Failure> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let parts = text.split_once('=').and_then(|(before, rest)| Some((number(before)?, rest)));
    let (number, rest) = parts.ok_or_else(|| {
        let text =
            "--session must be N=Encounter/ID, with the number that the session has in the record";
        Failure::new(Exit::Usage, "link-session", text)
            .help("`ipt-fhir ehr candidates` lists the EHR's Encounters for each session")
    })?;
    Ok((number, id(rest, &["Encounter"], "what stands after N= of --session")?))
}

fn told(linked: &Linked, named: &[Named]) -> String {
    let mut told = format!("{} {}\n", linked.link.ehr, linked.link.patient);
    for one in named {
        let _ = writeln!(told, "{} = {}, compared with the record:", one.what, one.target);
        tell(&mut told, &one.compared);
        let replaced = linked.reference(one.item).filter(|known| known.target != one.target);
        if let Some(known) = replaced {
            let _ = writeln!(told, "  instead of {}", known.target);
        }
        for difference in &one.differences {
            let _ = writeln!(told, "  LOOK: {difference}");
        }
    }
    told
}

fn as_data(named: &Named) -> Object {
    object! {
        "what" => &named.what,
        "item" => named.item.to_string(),
        "id" => named.target.to_string(),
        "compared" => as_object(&named.compared),
    }
}
