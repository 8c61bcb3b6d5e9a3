//! Where real servers leave the specification, each as it was measured or reported (ehr-servers.md).
//!
//! The default is a server that does not. With a quirk the answer is bent after it was made, or a check is left out
//! where it would be made; the interactions themselves stay right, so that two quirks together are no third one.

use std::sync::Arc;

use crate::fhir::Bundle;

use super::answer::Answer;

/// What a server does otherwise than R4 says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a server")]
pub struct Quirks {
    /// `If-Match` is not looked at: an update replaces whatever is there (OpenEMR).
    pub ignores_if_match: bool,
    /// `Prefer: handling=strict` is not looked at: unknown parameters are dropped (sekmet on some types).
    pub ignores_strict: bool,
    /// A create is answered without `Location`, `ETag` and body.
    pub tells_no_place: bool,
    /// Searches and histories have no `total` (helios-hfs).
    pub tells_no_total: bool,
    /// Pages have no links, neither to themselves nor to the next one (Medplum).
    pub gives_no_links: bool,
    /// No page has more entries than this, whatever the client asks for.
    pub longest_page: Option<usize>,
    /// A read of what was deleted is a 404 (Medplum).
    pub forgets_deletions: bool,
    /// The entries of an answer to a transaction or batch stand in another order than those that were sent.
    pub reverses_answers: bool,
    /// The versions in such an answer stand bare in `etag`, `1` for `W/"1"`, and not in `location` (HAPI, Medplum).
    pub bare_entry_tags: bool,
    /// The media type of answers.
    pub media_type: &'static str,
    /// What a transaction is.
    pub transactions: Transactions,
    /// A Bundle with a conditional create and more entries than this is refused with 400 (Medplum: 8).
    pub max_conditional_entries: Option<usize>,
}

/// What a transaction is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transactions {
    /// All or nothing.
    #[default]
    Whole,
    /// One failing entry refuses it, with 400 and not with its own status (helios-hfs); the others are kept all the
    /// same (Medplum).
    Partial,
    /// It is a batch: answered with 200, failed entries inside, references between entries left as they were sent.
    Batch,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            ignores_if_match: false,
            ignores_strict: false,
            tells_no_place: false,
            tells_no_total: false,
            gives_no_links: false,
            longest_page: None,
            forgets_deletions: false,
            reverses_answers: false,
            bare_entry_tags: false,
            media_type: Self::FHIR_JSON,
            transactions: Transactions::Whole,
            max_conditional_entries: None,
        }
    }
}

impl Quirks {
    /// The media type that R4 wants (2.6.1).
    pub const FHIR_JSON: &str = "application/fhir+json;charset=utf-8";

    /// The answer as this server gives it.
    pub(super) fn bend(&self, mut answer: Answer) -> Answer {
        if self.tells_no_place && answer.status == 201 {
            (answer.located, answer.version, answer.body) = (false, None, None);
        }
        let bends_bundles = self.tells_no_total
            || self.gives_no_links
            || self.reverses_answers
            || self.bare_entry_tags;
        let bundle = answer.body.as_deref().filter(|_| bends_bundles).cloned();
        if let Some(Ok(bundle)) = bundle.map(Bundle::from_resource) {
            answer.body = Some(Arc::new(self.bent(bundle).into_resource()));
        }
        answer
    }

    fn bent(&self, mut bundle: Bundle) -> Bundle {
        if self.tells_no_total {
            bundle.total = None;
        }
        if self.gives_no_links {
            bundle.links.clear();
        }
        if bundle.kind.ends_with("-response") {
            if self.reverses_answers {
                bundle.entries.reverse();
            }
            let responses = bundle.entries.iter_mut().filter_map(|entry| entry.response.as_mut());
            for response in responses.filter(|_| self.bare_entry_tags) {
                if let Some(etag) = &mut response.etag {
                    *etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
                }
                if let Some(location) = &mut response.location
                    && let Some((place, _)) = location.split_once("/_history")
                {
                    *location = place.to_owned();
                }
            }
        }
        bundle
    }
}
