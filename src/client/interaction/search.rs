//! search-type, by GET and by POST.
//!
//! A search that silently leaves out a parameter answers with everybody's resources, or with none: so it is asked
//! strictly (`Prefer: handling=strict`), and where the server gives a self link, every parameter that narrows must
//! stand in it. Where it gives none, nothing is known, and the caller has to look at each match.

use std::collections::BTreeMap;

use reqwest::header::HeaderValue;
use url::{Url, form_urlencoded};

use super::super::answer::{reports_error, versioned};
use super::super::error::Flaw;
use super::super::http::{Interaction, PREFER, Request};
use super::super::{Class, Client, Codes, Error, Versioned};
use crate::fhir::{Bundle, Entry, Resource, ResourceId, outcome};
use crate::phi::Phi;

const STRICT: HeaderValue = HeaderValue::from_static("handling=strict");

/// Parameters that shape an answer without narrowing it (R4 3.1.1.5): a server may leave them out of its self link.
const SHAPING: [&str; 11] = [
    "_contained",
    "_containedType",
    "_count",
    "_elements",
    "_format",
    "_include",
    "_pretty",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
];

impl Client {
    /// All resources that match, of all pages, each once, and those that `_include` brought with them.
    ///
    /// The parameters stand in the URL, so they must not identify a person: our opaque identifiers may, names and
    /// record numbers go by [`Client::search_by_post`]. An empty answer proves absence only where the server's
    /// statement lists the parameter.
    ///
    /// # Errors
    /// [`Error::IgnoredParameter`] if the self link lacks a parameter; [`Error::Incorrect`] if a page leads
    /// elsewhere, in a circle, or says that it is incomplete, also by a total that is larger than what came; [`Error::TooLarge`] beyond 1,000 pages or 256 MiB.
    pub async fn search(
        &self,
        resource_type: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<Versioned>, Error> {
        let url = self.base.below(&[resource_type]).with_query(parameters);
        let request =
            Request::get(Interaction::SearchType, resource_type, url).header(PREFER, STRICT);
        let mut matches = Matches::new(resource_type, self.http.codes());
        let mut is_first = true;
        self.pages(request, &[], |page| {
            if std::mem::take(&mut is_first) {
                complete(&page, parameters)?;
            }
            matches.take(page)
        })
        .await?;
        matches.into_found()
    }

    /// The same search with its parameters in the body, for those that may identify a person.
    ///
    /// Self links are not judged: HAPI's is bare after a POST.
    ///
    /// # Errors
    /// Those of [`Client::search`], and [`Flaw::RevealingLink`] if a next link repeats a value.
    pub async fn search_by_post(
        &self,
        resource_type: &str,
        parameters: &[(&str, Phi<&str>)],
    ) -> Result<Vec<Versioned>, Error> {
        let pairs = parameters.iter().map(|(name, value)| (*name, *value.expose()));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let url = self.base.below(&[resource_type, "_search"]);
        let request = Request::post_form(resource_type, url, form).header(PREFER, STRICT);
        let kept_back: Vec<&str> = parameters.iter().map(|(_, value)| *value.expose()).collect();
        let mut matches = Matches::new(resource_type, self.http.codes());
        self.pages(request, &kept_back, |page| matches.take(page)).await?;
        matches.into_found()
    }
}

/// Whether the server searched with all parameters, as far as its self link tells.
fn complete(page: &Bundle, parameters: &[(&str, &str)]) -> Result<(), Error> {
    let Some(link) = page.link("self") else { return Ok(()) };
    // Read, never fetched: the origin that a server thinks it has does not matter here.
    let query = Url::options()
        .base_url(Url::parse("http://relative.invalid").ok().as_ref())
        .parse(link)
        .ok();
    let used = |name: &str| {
        query.as_ref().is_some_and(|url| url.query_pairs().any(|(used, _)| used == name))
    };
    match parameters.iter().find(|(name, _)| !SHAPING.contains(name) && !used(name)) {
        Some((name, _)) => Err(Error::IgnoredParameter { parameter: (*name).to_owned() }),
        None => Ok(()),
    }
}

/// The matches of a search, gathered over its pages.
///
/// Pages are cut from a list that moves: the same resource may stand on two. The later reading counts.
struct Matches<'a> {
    resource_type: &'a str,
    codes: &'a Codes,
    places: BTreeMap<ResourceId, usize>,
    found: Vec<Versioned>,
    /// How many matches came, and how many the server says there are.
    came: u64,
    total: Option<u64>,
}

impl<'a> Matches<'a> {
    const fn new(resource_type: &'a str, codes: &'a Codes) -> Self {
        Self {
            resource_type,
            codes,
            places: BTreeMap::new(),
            found: Vec::new(),
            came: 0,
            total: None,
        }
    }

    fn take(&mut self, page: Bundle) -> Result<(), Error> {
        self.total = page.total.or(self.total);
        for Entry { resource, search_mode, .. } in page.entries {
            let Some(resource) = resource else { continue };
            if resource.resource_type() == "OperationOutcome"
                && self.resource_type != "OperationOutcome"
            {
                bearable(&resource, self.codes)?;
                continue;
            }
            if search_mode.as_deref() == Some("match")
                && resource.resource_type() != self.resource_type
            {
                return Err(Error::Incorrect(Flaw::OtherType));
            }
            let found = versioned(resource).ok_or(Error::Incorrect(Flaw::NoId))?;
            let earlier = self.places.get(&found.id).and_then(|place| self.found.get_mut(*place));
            if let Some(earlier) = earlier {
                *earlier = found;
            } else {
                // Once, however many pages it stands on: what is on two may be what is missing elsewhere.
                self.came += u64::from(search_mode.as_deref() != Some("include"));
                self.places.insert(found.id.clone(), self.found.len());
                self.found.push(found);
            }
        }
        Ok(())
    }

    /// All that was found. A server may give the first page only and no link to the next one (Medplum's router), and
    /// says so in its total alone.
    fn into_found(self) -> Result<Vec<Versioned>, Error> {
        if self.total.is_some_and(|total| total > self.came) {
            return Err(Error::Incorrect(Flaw::Incomplete));
        }
        Ok(self.found)
    }
}

/// Whether the notes of a server about its own search leave the answer usable.
///
/// Epic says by its own codes 4119 and 59133, as a mere warning, that something may be missing.
fn bearable(notes: &Resource, codes: &Codes) -> Result<(), Error> {
    if reports_error(notes) {
        return Err(Error::Incorrect(Flaw::ErrorInside));
    }
    let is_known = matches!(codes.find(notes), Some((_, Class::Incomplete)));
    if is_known || outcome::codes(notes).iter().any(|(_, code)| code == "incomplete") {
        return Err(Error::Incorrect(Flaw::Incomplete));
    }
    Ok(())
}
