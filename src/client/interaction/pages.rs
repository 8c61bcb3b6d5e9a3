//! Following the pages of a Bundle: only below the base, never in a circle, and not for ever.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::super::error::{Cause, Flaw};
use super::super::http::{Interaction, Request};
use super::super::{Client, Error};
use crate::fhir::Bundle;

/// More pages than any answer that we ask for has.
const PAGES: usize = 1_000;
/// More than that is not held in memory.
const BYTES: usize = 256 << 20;
/// No chain of pages may take longer.
const CHAIN_LIMIT: Duration = Duration::from_mins(10);

impl Client {
    /// Asks for a Bundle and all pages after it; a page that fails makes the whole answer fail.
    ///
    /// `kept_back` are values that no link may repeat, because they must not stand in a URL.
    pub(super) async fn pages(
        &self,
        first: Request<'_>,
        kept_back: &[&str],
        mut take: impl FnMut(Bundle) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (interaction, resource_type) = (first.interaction, first.resource_type);
        let started = Instant::now();
        let mut seen = BTreeSet::from([first.url.clone()]);
        let mut bytes = 0;
        let mut request = first;
        loop {
            let answer = self.http.send(request).await?;
            bytes += answer.body.len();
            let bundle = Bundle::from_resource(answer.into_resource(interaction, "Bundle")?)
                .map_err(|_| Error::Incorrect(Flaw::NotFhir))?;
            if !is_answer_to(interaction, &bundle.kind) {
                return Err(Error::Incorrect(Flaw::OtherType));
            }
            let next = match bundle.link("next") {
                Some(text) => {
                    Some(self.base.link(text).ok_or(Error::Incorrect(Flaw::ForeignLink))?)
                }
                None => None,
            };
            take(bundle)?;
            let Some(next) = next else { return Ok(()) };
            if next.url().query_pairs().any(|(_, value)| kept_back.contains(&&*value)) {
                return Err(Error::Incorrect(Flaw::RevealingLink));
            }
            if !seen.insert(next.clone()) {
                return Err(Error::Incorrect(Flaw::LinkCircle));
            }
            if seen.len() > PAGES || bytes > BYTES {
                return Err(Error::TooLarge);
            }
            if started.elapsed() > CHAIN_LIMIT {
                return Err(Error::Ambiguous(Cause::Timeout));
            }
            request = Request::get(interaction, resource_type, next);
        }
    }
}

/// Whether a Bundle of a type can be an answer. One that says nothing of its type is taken, and a history is called a
/// searchset by some.
fn is_answer_to(interaction: Interaction, kind: &str) -> bool {
    match (interaction, kind) {
        (_, "" | "searchset") => true,
        (interaction, kind) => interaction != Interaction::SearchType && kind == "history",
    }
}
