//! Reading an answer: its status, its version, its place, and the resource in it.
//!
//! A successful status proves little: portals answer 200 with HTML, servers with an OperationOutcome that reports an
//! error, caches with another resource. For a read such an answer is [`Error::Incorrect`]; for a write it is
//! [`Error::Ambiguous`], because the write may have happened behind it.

use std::time::Duration;

use reqwest::header::{
    CONTENT_LOCATION, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
};

use super::class::{self, Class, Codes};
use super::error::{Cause, Error, Flaw, issue_types};
use super::http::Interaction;
use super::rate::LONGEST_HOLD;
use super::{Created, Versioned};
use crate::fhir::resource::is_id;
use crate::fhir::{Resource, ResourceId, outcome};
use crate::json::{self, Limits};

/// An HTTP answer, with the headers that FHIR gives a meaning.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    etag: Option<String>,
    location: Option<String>,
    content_location: Option<String>,
    content_type: Option<String>,
    retry_after: Option<String>,
    pub(super) date: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The status and headers of an answer whose body is still to come.
    pub(super) fn from_head(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Self {
            status,
            etag: text(ETAG),
            location: text(LOCATION),
            content_location: text(CONTENT_LOCATION),
            content_type: text(CONTENT_TYPE),
            // An unreadable value still says that the server did not process the request.
            retry_after: headers
                .contains_key(RETRY_AFTER)
                .then(|| text(RETRY_AFTER))
                .map(Option::unwrap_or_default),
            date: text(DATE),
            body: Vec::new(),
        }
    }

    /// Whether the status is 2xx.
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The answer, if its status says success; else the error that its status means (ehrs-and-sync.md 3.7).
    pub(super) fn accept(self, interaction: Interaction, codes: &Codes) -> Result<Self, Error> {
        let status = self.status;
        let told = || self.resource(Limits::RESOURCE);
        Err(match status {
            200..=299 => return Ok(self),
            // "See other" and its kin may follow a write that happened; 307 and 308 say that it did not.
            300..=306 if interaction.writes() => Error::Ambiguous(Cause::Status(status)),
            401 => Error::Unauthorized,
            408 => Error::Ambiguous(Cause::Status(status)),
            _ if self.is_busy() => Error::Busy { retry_after: self.wait() },
            300..=399 | 501 => refusal(status, interaction, told().as_ref()),
            400..=499 => {
                let told = told();
                let explained = told.as_ref().and_then(|outcome| codes.find(outcome));
                match explained {
                    Some((code, class)) => by_code(status, code, class),
                    None => by_status(status, interaction, told.as_ref()),
                }
            }
            _ => Error::Ambiguous(Cause::Status(status)),
        })
    }

    /// Where a redirect leads to.
    pub(super) fn redirect(&self) -> Option<&str> {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
            .then_some(self.location.as_deref())
            .flatten()
    }

    /// Whether the server turned the request away for now.
    pub(super) const fn is_busy(&self) -> bool {
        self.status == 429 || (self.status == 503 && self.retry_after.is_some())
    }

    /// The second of the minute on the server's clock when it answered.
    pub(super) fn second_of_minute(&self) -> Option<u64> {
        let date = http_date(self.date.as_deref()?)?;
        u64::try_from(date.as_second().rem_euclid(60)).ok()
    }

    /// What the server calls its body.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The body as a resource.
    fn resource(&self, limits: Limits) -> Option<Resource> {
        json::parse_with(&self.body, limits).ok().and_then(|value| Resource::from_value(value).ok())
    }

    /// The body of an answer that must be a resource of one type.
    pub(super) fn into_resource(
        self,
        interaction: Interaction,
        resource_type: &str,
    ) -> Result<Resource, Error> {
        let flaw = match self.resource(interaction.limits()) {
            None => self.unreadable(),
            Some(resource) if resource.resource_type() == resource_type => return Ok(resource),
            Some(resource) if reports_error(&resource) => Flaw::ErrorInside,
            Some(_) => Flaw::OtherType,
        };
        Err(flawed(interaction, flaw))
    }

    /// The body of an answer that may be any resource.
    pub(super) fn into_any_resource(self, interaction: Interaction) -> Result<Resource, Error> {
        self.resource(interaction.limits()).ok_or_else(|| flawed(interaction, self.unreadable()))
    }

    /// Checks an answer that needs no body: one that it has must be no error. Tells the version in its ETag.
    pub(super) fn into_acknowledgement(
        self,
        interaction: Interaction,
    ) -> Result<Option<String>, Error> {
        let resource = self.resource(interaction.limits());
        if resource.as_ref().is_some_and(reports_error) {
            return Err(flawed(interaction, Flaw::ErrorInside));
        }
        if resource.is_none() && !self.is_empty() {
            return Err(flawed(interaction, self.unreadable()));
        }
        Ok(self.etag.as_deref().and_then(version))
    }

    /// What a body is that is no resource: of a page for people it is worth saying so.
    fn unreadable(&self) -> Flaw {
        let start = self.body.get(..512).unwrap_or(&self.body).to_ascii_lowercase();
        let start = String::from_utf8_lossy(&start);
        let is_page = start.contains("<html") || start.contains("<!doctype html");
        if is_page { Flaw::WebPage } else { Flaw::NotFhir }
    }

    /// Whether there is no body, or nothing in it.
    fn is_empty(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// The answer to a read of one resource.
    pub(super) fn into_versioned(
        self,
        interaction: Interaction,
        id: &ResourceId,
    ) -> Result<Versioned, Error> {
        let etag = self.etag.as_deref().and_then(version);
        let resource = self.into_resource(interaction, id.resource_type())?;
        let mut versioned = versioned(resource).ok_or(Error::Incorrect(Flaw::NoId))?;
        if versioned.id != *id {
            return Err(Error::Incorrect(Flaw::OtherResource));
        }
        versioned.version = versioned.version.or(etag);
        Ok(versioned)
    }

    /// The answer to a create, or to an update of a known resource.
    pub(super) fn into_created(
        self,
        interaction: Interaction,
        resource_type: &str,
        expected: Option<&ResourceId>,
    ) -> Result<Created, Error> {
        let location = self.location.as_deref().or(self.content_location.as_deref());
        let place = location.and_then(|text| place(text, resource_type));
        let etag = self.etag.as_deref().and_then(version);
        let status = self.status;
        // What comes with a 202 is about the queue, in whatever words: a Task, a page, a text.
        let is_taken_in = status == 202;
        let resource = if self.is_empty() {
            None
        } else if is_taken_in {
            self.resource(interaction.limits())
                .filter(|found| found.resource_type() == resource_type)
        } else {
            let Some(resource) = self.resource(interaction.limits()) else {
                return Err(flawed(interaction, self.unreadable()));
            };
            match resource.resource_type() {
                found if found == resource_type => Some(resource),
                "OperationOutcome" if !reports_error(&resource) => None,
                "OperationOutcome" => return Err(flawed(interaction, Flaw::ErrorInside)),
                _ => return Err(flawed(interaction, Flaw::OtherType)),
            }
        };
        let (place_id, place_version) = place.unzip();
        let body_id = resource.as_ref().and_then(id_of);
        let id = expected.or(body_id.as_ref()).or(place_id.as_ref()).cloned();
        if [&body_id, &place_id].into_iter().any(|other| other.is_some() && *other != id) {
            return Err(flawed(interaction, Flaw::OtherResource));
        }
        let body_version = resource.as_ref().and_then(Resource::version_id).and_then(version);
        let version = body_version.or(etag).or_else(|| place_version.flatten());
        Ok(Created { status, id, version, resource })
    }

    /// How long to wait: seconds, or a date against the server's own clock. `None` if it can't be read.
    pub(super) fn wait(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        let seconds = text.parse().ok().or_else(|| {
            let until = http_date(text)?.as_second();
            let now = http_date(self.date.as_deref()?)?.as_second();
            u64::try_from(until.checked_sub(now)?.max(0)).ok()
        })?;
        Some(Duration::from_secs(seconds).min(LONGEST_HOLD))
    }
}

/// The error of a status that no code explains.
fn by_status(status: u16, interaction: Interaction, told: Option<&Resource>) -> Error {
    match status {
        403 => Error::Forbidden,
        404 if interaction.is_on_instance() => Error::NotFound { gone: false },
        410 => Error::NotFound { gone: true },
        409 | 412 => {
            Error::Conflict { status, class: class::of_conflict(status, interaction, told) }
        }
        _ if class::tells_of_conflict(interaction, told) => {
            Error::Conflict { status: 412, class: Class::VersionConflict }
        }
        _ => refusal(status, interaction, told),
    }
}

fn refusal(status: u16, interaction: Interaction, told: Option<&Resource>) -> Error {
    let class = class::of_refusal(status, interaction, told);
    Error::Refused { status, codes: issue_types(told), class }
}

/// The error of a code that the caller's table explains: the same as if the status had said it, where there is one.
fn by_code(status: u16, code: &str, class: Class) -> Error {
    match class {
        Class::Auth => Error::Unauthorized,
        Class::Ambiguous => Error::Ambiguous(Cause::Status(status)),
        Class::NotProcessed => Error::Busy { retry_after: None },
        class => Error::Explained { status, code: code.to_owned(), class },
    }
}

/// What a flaw in a successful answer means: for a write, that it may have happened all the same.
pub(super) const fn flawed(interaction: Interaction, flaw: Flaw) -> Error {
    if interaction.writes() { Error::Ambiguous(Cause::Flaw(flaw)) } else { Error::Incorrect(flaw) }
}

/// A resource with its id and version; `None` if it has no valid id.
pub(super) fn versioned(resource: Resource) -> Option<Versioned> {
    let id = id_of(&resource)?;
    let last_updated =
        resource.get("meta").and_then(|meta| meta.text("lastUpdated")).map(str::to_owned);
    let version = resource.version_id().and_then(version);
    Some(Versioned { id, version, last_updated, resource })
}

/// Type and id of a resource; `None` if it has no valid id.
pub(super) fn id_of(resource: &Resource) -> Option<ResourceId> {
    ResourceId::new(resource.resource_type(), resource.id()?).ok()
}

/// The version in an ETag, weak, strong or bare; `None` if it is no FHIR version id, and so of no use to us.
pub(super) fn version(etag: &str) -> Option<String> {
    let text = etag.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    (is_id(text) && text != "." && text != "..").then(|| text.to_owned())
}

/// Id and version in a `Location` of a resource of this type.
pub(super) fn place(location: &str, resource_type: &str) -> Option<(ResourceId, Option<String>)> {
    any_place(location).filter(|(id, _)| id.resource_type() == resource_type)
}

/// Id and version in a `Location`, which may be relative and of another origin: it is read, never fetched.
pub(super) fn any_place(location: &str) -> Option<(ResourceId, Option<String>)> {
    let path = location.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let (resource_type, id, version_id) = match segments.as_slice() {
        [.., resource_type, id, "_history", version_id] => (resource_type, id, Some(version_id)),
        [.., resource_type, id] => (resource_type, id, None),
        _ => return None,
    };
    let id = ResourceId::new(resource_type, id).ok()?;
    Some((id, version_id.and_then(|text| version(text))))
}

/// Whether a resource is an OperationOutcome with an issue that is an error.
pub(super) fn reports_error(resource: &Resource) -> bool {
    resource.resource_type() == "OperationOutcome"
        && outcome::codes(resource)
            .iter()
            .any(|(severity, _)| matches!(severity.as_str(), "error" | "fatal"))
}

/// An RFC 9110 date in its preferred form.
fn http_date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_weak_strong_and_bare() {
        for etag in ["W/\"7\"", "\"7\"", "7", " W/\"7\" "] {
            assert_eq!(version(etag).as_deref(), Some("7"), "{etag}");
        }
        for etag in ["", "\"\"", "W/\"a b\"", "\"..\"", "W/\"7\", \"8\"", "*"] {
            assert_eq!(version(etag), None, "{etag}");
        }
    }

    #[test]
    fn a_location_is_read_in_all_its_forms() {
        let read = |text: &str| place(text, "Goal").map(|(id, version)| (id.to_string(), version));
        let found = |version: Option<&str>| Some(("Goal/8".to_owned(), version.map(str::to_owned)));
        assert_eq!(read("https://other.example/fhir/Goal/8/_history/2"), found(Some("2")));
        assert_eq!(read("Goal/8/_history/2"), found(Some("2")));
        assert_eq!(read("Goal/8"), found(None));
        assert_eq!(read("/fhir/Goal/8/?x=1"), found(None));
        for text in ["CarePlan/8", "8", "", "Goal", "Goal/a b", "Goal/.."] {
            assert_eq!(read(text), None, "{text}");
        }
        for text in ["Goal", "/x/../7", "8/_history/1", "Goal/8/_history"] {
            assert_eq!(any_place(text), None, "{text}");
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_by_the_servers_clock() {
        let told = |after: &str, date: Option<&str>| {
            let headers = HeaderMap::new();
            let mut answer = Answer::from_head(429, &headers);
            answer.retry_after = Some(after.to_owned());
            answer.date = date.map(str::to_owned);
            answer
        };
        let wait =
            |after: &str, date: Option<&str>| told(after, date).wait().map(|wait| wait.as_secs());
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(told("1", date).second_of_minute(), Some(37));
        assert_eq!(told("1", Some("now")).second_of_minute(), None);
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait("864000", None), Some(3600));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(30));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:07 GMT", date), Some(0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        assert_eq!(wait("-1", date), None);
        assert_eq!(wait("soon", date), None);
    }
}
