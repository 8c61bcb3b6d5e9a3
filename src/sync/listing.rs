//! Looking up where a server can't be searched by our identifiers: all of the Patient's resources of a type, and what
//! each of them says of itself.
//!
//! Seven of eight hospital EHRs are such servers. A resource is an item's if the ledger or an answer of this run knows
//! its id, if it bears the item's identifier, or, as a note may lose its identifier, if our reference stands in the
//! footer of what is attached. Notes are opened only while one of ours has no id yet: a chart holds many, and they are
//! nobody's business.
//!
//! A server that passes over `patient` answers with other people's resources (W6). Nothing of such an answer is taken,
//! and the run ends: what else it passes over is not known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::client::Versioned;
use crate::fhir::{Resource, ResourceId};
use crate::json::Value;
use crate::mapping::note::{FooterReference, edition_item, footer_reference};
use crate::store::{Operation, Verb};

use super::edition::Succession;
use super::identity::{Item, item_of, names_another};
use super::reading::{or_unavailable, repeated};
use super::report::Stop;
use super::run::Run;

/// A note of ours that was opened.
#[derive(Clone)]
pub(super) struct Opened {
    /// What stands in its footer.
    pub(super) footer: FooterReference,
    bytes: Vec<u8>,
}

/// What there is to see in what a document has attached.
#[derive(Clone)]
pub(super) enum Opening {
    /// A note of ours.
    Ours(Opened),
    /// None of ours.
    Foreign,
    /// It could not be read, or not to its end: that it is none of ours nobody can say.
    Closed,
}

/// Entries of a page; the server may give fewer.
const PAGE: &str = "100";

impl Run<'_, '_> {
    /// Finds items of a type among all that the Patient has of it.
    pub(super) async fn list(&mut self, resource_type: &str, items: &[Uuid]) -> Result<(), Stop> {
        let (client, patient) = (self.ehr.client, self.link.patient.id());
        let parameters = [("patient", patient), ("_count", PAGE)];
        let listed = repeated(|| client.search(resource_type, &parameters)).await?;
        let base_url = self.ehr.base_url;
        let is_foreign =
            |one: &&Versioned| names_another(&one.resource, &self.link.patient, base_url);
        if let Some(foreign) = listed.iter().find(is_foreign) {
            return Err(Stop::ForeignMatch(foreign.id.clone()));
        }
        let ids = listed.iter().map(|one| one.id.id().to_owned()).collect();
        self.listed.insert(resource_type.to_owned(), ids);
        self.unproven.retain(|item| !items.contains(item));
        let mut nameless = Vec::new();
        for versioned in listed {
            let item = match self.item_at(&versioned.id).or_else(|| item_of(&versioned.resource)) {
                Some(item) => Some(item),
                None => self.item_in_footer(&versioned, items).await?,
            };
            let Some(item) = item else {
                nameless.push(versioned);
                continue;
            };
            if !items.contains(&item) {
                continue;
            }
            if !self.is_item(&versioned, item) {
                return Err(Stop::Restored(versioned.id));
            }
            self.check_subject(&versioned)?;
            self.found.entry(item).or_default().push(versioned);
        }
        for item in items {
            self.recognise(*item, &nameless);
        }
        Ok(())
    }

    /// Finds what a create of unknown outcome made, on a server that keeps no identifier: what the chart did not have
    /// before, and what says the same as far as it goes. If there are several, or one beside that which an answer told
    /// of, a person has to look.
    fn recognise(&mut self, item: Uuid, nameless: &[Versioned]) {
        let is_open =
            |one: &&Operation| one.verb == Verb::Create && !self.notes.contains_key(&item);
        let operation = self.operations.get(&item).filter(is_open);
        let Some((operation, seen)) = operation.and_then(|one| Some((one, one.seen.as_ref()?)))
        else {
            return;
        };
        let is_it = |one: &&Versioned| {
            let is_new = !seen.contains(one.id.id());
            is_new && may_be(&operation.body, &one.resource) && self.check_subject(one).is_ok()
        };
        let mut found = self.found.get(&item).cloned().unwrap_or_default();
        found.extend(nameless.iter().filter(is_it).cloned());
        if let [one] = found.as_slice() {
            self.located.insert(item, one.id.clone());
        }
        self.found.insert(item, found);
    }

    /// The item that stands at an id, by the ledger or by an answer of this run.
    fn item_at(&self, id: &ResourceId) -> Option<Uuid> {
        let known = self.shadows.values().find(|shadow| shadow.id == *id);
        let known = known.map(|shadow| shadow.item);
        known.or_else(|| Some(*self.located.iter().find(|(_, located)| *located == id)?.0))
    }

    /// Whether what stands at an id can be the item that was written there: it says so, or it never did.
    pub(super) fn is_item(&self, versioned: &Versioned, item: Uuid) -> bool {
        match item_of(&versioned.resource) {
            Some(stored) => stored == item,
            None => match self.shadows.get(&item) {
                Some(shadow) => shadow.id == versioned.id && item_of(&shadow.base).is_none(),
                None => {
                    self.notes.contains_key(&item) || self.located.get(&item) == Some(&versioned.id)
                }
            },
        }
    }

    /// The note of ours whose reference stands in the footer of what is attached, if one is looked for.
    async fn item_in_footer(
        &mut self,
        versioned: &Versioned,
        items: &[Uuid],
    ) -> Result<Option<Uuid>, Stop> {
        let is_open =
            |item: &&Uuid| self.notes.contains_key(item) && !self.shadows.contains_key(item);
        let looked_for: Vec<Uuid> = items.iter().filter(is_open).copied().collect();
        if versioned.id.resource_type() != "DocumentReference" || looked_for.is_empty() {
            return Ok(None);
        }
        let opening = self.opened(versioned).await?;
        let footer = match opening {
            Opening::Ours(Opened { footer, .. }) if !self.is_elsewhere(&footer, versioned) => {
                footer
            }
            Opening::Foreign => return Ok(None),
            Opening::Ours(_) | Opening::Closed => {
                self.opened.remove(&(versioned.id.clone(), versioned.version.clone()));
                let may_be_here = |item: &Uuid| self.may_have_made(*item, versioned);
                self.unproven
                    .extend(looked_for.into_iter().filter(may_be_here).collect::<Vec<_>>());
                return Ok(None);
            }
        };
        let edition = edition_item(footer.slot, footer.number);
        // One that is updated in place keeps its item, whatever its number.
        let in_place = (self.succession() == Succession::Update).then_some(footer.slot);
        Ok(std::iter::once(edition).chain(in_place).find(|item| looked_for.contains(item)))
    }

    /// Whether a note of this footer stands in another document: then this is a copy of it, or its bytes came from a cache
    /// that was asked for others.
    fn is_elsewhere(&self, footer: &FooterReference, versioned: &Versioned) -> bool {
        let edition = edition_item(footer.slot, footer.number);
        self.shadows.get(&edition).is_some_and(|shadow| shadow.id != versioned.id)
    }

    /// Whether an open create of an item can have made what the chart did not have before.
    fn may_have_made(&self, item: Uuid, versioned: &Versioned) -> bool {
        self.operations.get(&item).is_some_and(|operation| {
            let was_there =
                operation.seen.as_ref().is_some_and(|seen| seen.contains(versioned.id.id()));
            !was_there && may_be(&operation.body, &versioned.resource)
        })
    }

    /// What a document has attached. Each version is opened once in a run, but for one that stayed closed.
    pub(super) async fn opened(&mut self, versioned: &Versioned) -> Result<Opening, Stop> {
        let key = (versioned.id.clone(), versioned.version.clone());
        if let Some(opening) = self.opened.get(&key) {
            return Ok(opening.clone());
        }
        let mut opening = Opening::Foreign;
        let contents = versioned.resource.items("content");
        for attachment in contents.filter_map(|content| content.get("attachment")) {
            let bytes = match (attachment.text("data"), attachment.text("url")) {
                (Some(data), _) => STANDARD.decode(data).ok(),
                (None, Some(url)) => self.fetched(url, attachment.text("contentType")).await?,
                (None, None) => continue,
            };
            let bytes = bytes.filter(|bytes| !self.is_begun(bytes));
            let Some(bytes) = bytes else {
                opening = Opening::Closed;
                continue;
            };
            if let Some(footer) = footer_reference(&bytes) {
                opening = Opening::Ours(Opened { footer, bytes });
                break;
            }
        }
        if !matches!(opening, Opening::Closed) {
            self.opened.insert(key, opening.clone());
        }
        Ok(opening)
    }

    /// The bytes at an address, if they come and are what was announced: a page for people or an OperationOutcome in
    /// their place says nothing of them.
    async fn fetched(&self, url: &str, announced: Option<&str>) -> Result<Option<Vec<u8>>, Stop> {
        let client = self.ehr.client;
        let fetched = or_unavailable(repeated(|| client.fetch_attachment(url)).await)?;
        let is_it = |told: Option<&str>| {
            let told = told.map(media_type);
            let is_instead = matches!(
                told.as_deref(),
                Some("text/html" | "application/fhir+json" | "application/json")
            );
            !is_instead || told == announced.map(media_type)
        };
        let fetched = fetched.filter(|attachment| is_it(attachment.content_type.as_deref()));
        Ok(fetched.map(|attachment| attachment.bytes))
    }

    /// Whether bytes are the beginning of a note that was sent, and not its end: an answer that was cut on the way.
    fn is_begun(&self, bytes: &[u8]) -> bool {
        self.operations.values().any(|operation| {
            let mut contents = operation.body.items("content");
            contents.any(|content| {
                let data = content.get("attachment").and_then(|one| one.text("data"));
                let sent = data.and_then(|data| STANDARD.decode(data).ok());
                sent.is_some_and(|sent| sent.len() > bytes.len() && sent.starts_with(bytes))
            })
        })
    }

    /// What was said in a note that was found without a ledger: our present words, with the content and the date that
    /// are in the EHR in the place of ours. Nothing for what is no note, or none of ours.
    pub(super) async fn told_by_note(
        &mut self,
        item: &Item,
        current: &Versioned,
    ) -> Result<Option<Resource>, Stop> {
        if !self.notes.contains_key(&item.uuid) {
            return Ok(None);
        }
        let Opening::Ours(opened) = self.opened(current).await? else { return Ok(None) };
        let mut told = item.local.clone();
        let data = STANDARD.encode(&opened.bytes);
        if let Some(Value::Array(contents)) = told.object_mut().get_mut("content") {
            contents.truncate(1);
            let attachment = contents.first_mut().and_then(Value::as_object_mut);
            let attachment = attachment.and_then(|content| content.get_mut("attachment"));
            if let Some(attachment) = attachment.and_then(Value::as_object_mut) {
                attachment.insert("data", Value::String(data));
            }
        }
        // A server that keeps no date of the document may keep that of its attachment.
        let creation = current.resource.items("content").next();
        let creation = creation.and_then(|content| content.get("attachment")?.get("creation"));
        if let Some(date) = current.resource.get("date").or(creation) {
            told.object_mut().insert("date", date.clone());
        }
        Ok(Some(told))
    }
}

/// Whether a resource can be what was sent: what tells such resources apart is the same, as far as both have it.
fn may_be(sent: &Resource, found: &Resource) -> bool {
    let agrees = |name: &str| match (sent.get(name), found.get(name)) {
        (Some(sent), Some(found)) => same(sent, found),
        _ => true,
    };
    let telling = [
        "type",
        "code",
        "category",
        "questionnaire",
        "authored",
        "effectiveDateTime",
        "onsetDateTime",
    ];
    sent.resource_type() == found.resource_type() && telling.iter().all(|name| agrees(name))
}

/// Whether two values say the same; codings may be added, and words be put differently beside them.
fn same(sent: &Value, found: &Value) -> bool {
    // The same moment has many spellings, and the less exact one counts.
    if let (Some(sent), Some(found)) = (sent.as_str(), found.as_str()) {
        let moment = |text: &str| text.parse().ok().map(jiff::Timestamp::as_second);
        return match (moment(sent), moment(found)) {
            (Some(sent), Some(found)) => sent == found,
            _ => sent.starts_with(found) || found.starts_with(sent),
        };
    }
    let codings = |value: &Value| -> Vec<(String, String)> {
        let own = value.items("coding");
        let inner = value.as_array().unwrap_or_default().iter();
        let all = own.chain(inner.flat_map(|one| one.items("coding")));
        all.filter_map(|one| Some((one.text("system")?.to_owned(), one.text("code")?.to_owned())))
            .collect()
    };
    let (sent_codings, found_codings) = (codings(sent), codings(found));
    if sent_codings.is_empty() || found_codings.is_empty() {
        return sent.text("text").is_none() && sent.to_text() == found.to_text()
            || sent.text("text").is_some_and(|text| found.text("text") == Some(text));
    }
    sent_codings.iter().any(|coding| found_codings.contains(coding))
}

/// A media type without its parameters.
fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
