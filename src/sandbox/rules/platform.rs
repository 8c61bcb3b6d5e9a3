//! The platform servers: full structure, within their limits (ehrs-and-sync.md 1.2).

use crate::fhir::{Bundle, Resource};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::interaction::{Ehr, Request, criteria};
use crate::sandbox::personality::Personality;
use crate::vendor::Pack;

use super::{Ruling, decoded, media_type, most_characters};

pub(super) fn before(
    ehr: &Ehr,
    personality: Personality,
    request: &Request,
) -> Result<Ruling, Refusal> {
    if let Some(id) = request.idempotency_key.as_ref().and_then(|key| ehr.keys.get(key)) {
        // A replay: 409 with what was made first.
        let first = ehr.store.current(id).ok_or(Refusal::not_found())?;
        return Ok(Ruling::Answered(Answer::version(409, id, first)));
    }
    let pack = personality.pack();
    let is_bundle = request.path.is_empty();
    let sent = request.body.as_ref();
    let bundle =
        sent.filter(|_| is_bundle).and_then(|body| Bundle::from_resource(body.clone()).ok());
    check_condition(personality, request.if_none_exist.as_deref())?;
    if let Some(bundle) = &bundle {
        check_size(personality, pack, bundle)?;
        for entry in &bundle.entries {
            let condition = entry.request.as_ref().and_then(|asked| asked.if_none_exist.as_deref());
            check_condition(personality, condition)?;
        }
    }
    let entries = bundle.iter().flat_map(|bundle| &bundle.entries);
    for resource in entries.filter_map(|entry| entry.resource.as_ref()).chain(sent) {
        check_note(pack, resource)?;
        check_time(ehr, personality, resource)?;
    }
    Ok(Ruling::AsAsked)
}

/// Google's conditional create searches by identifier only.
fn check_condition(personality: Personality, condition: Option<&str>) -> Result<(), Refusal> {
    let by_others =
        |condition: &str| criteria(condition).iter().any(|(name, _)| name != "identifier");
    if personality == Personality::Google && condition.is_some_and(by_others) {
        let text = "a conditional create searches by identifier only";
        return Err(Refusal::new(400, "not-supported", text).at("http.if-none-exist"));
    }
    Ok(())
}

fn check_size(
    personality: Personality,
    pack: Option<&Pack>,
    bundle: &Bundle,
) -> Result<(), Refusal> {
    let Some(limits) = pack.map(|pack| &pack.limits) else { return Ok(()) };
    let updates = bundle.entries.iter().filter_map(|entry| entry.request.as_ref());
    let updates = updates.filter(|request| request.method == "PUT").count();
    let is_over = |limit: Option<&crate::vendor::Told<usize>>, count: usize| {
        limit.is_some_and(|most| count > most.value)
    };
    if is_over(limits.max_entries.as_ref(), bundle.entries.len())
        || is_over(limits.max_update_entries.as_ref(), updates)
    {
        let status = if personality == Personality::Azure { 413 } else { 400 };
        return Err(Refusal::new(status, "too-costly", "the Bundle has too many entries"));
    }
    Ok(())
}

/// The text of a note is not longer than the pack says (HealthLake).
fn check_note(pack: Option<&Pack>, resource: &Resource) -> Result<(), Refusal> {
    let element = "DocumentReference.content.attachment";
    let most =
        most_characters(pack, element).filter(|_| resource.resource_type() == "DocumentReference");
    let Some(most) = most else { return Ok(()) };
    let mut attachments = resource.items("content").filter_map(|content| content.get("attachment"));
    let is_long = attachments.any(|attachment| {
        let text = decoded(attachment).and_then(|data| String::from_utf8(data).ok());
        media_type(attachment).starts_with("text/")
            && text.is_some_and(|text| text.chars().count() > most)
    });
    if is_long {
        return Err(Refusal::new(400, "too-long", "the text of a note is too long").at(element));
    }
    Ok(())
}

/// Azure refuses what says that it was written more than 10 s from now.
fn check_time(ehr: &Ehr, personality: Personality, resource: &Resource) -> Result<(), Refusal> {
    let said = resource.get("meta").and_then(|meta| meta.text("lastUpdated"));
    let said: Option<jiff::Timestamp> = said.and_then(|said| said.parse().ok());
    let is_ahead = said.is_some_and(|said| said.as_second() > ehr.store.now().as_second() + 10);
    if personality == Personality::Azure && is_ahead {
        return Err(Refusal::invalid("meta.lastUpdated is in the future").at("meta.lastUpdated"));
    }
    Ok(())
}
