//! What the server says of itself, whether it finds by identifier, and what may be written.

use uuid::Uuid;

use super::super::super::super::failure::no_token_cure;
use super::super::super::sync::report::allowing;
use super::check::Check;
use crate::client::{Client, Error, Flaw, Unsent};
use crate::config::Ehr;
use crate::fhir::{Capability, Release, Scopes};
use crate::mapping::identity::ITEM_SYSTEM;
use crate::vendor::{Effective, Kind, Placement, Rung, Source, place, suggest};

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

/// How each kind of content goes into an EHR, as a sync would arrange it.
pub(super) struct Ways<'a> {
    effective: Effective<'a>,
    placements: [Placement<'a>; 4],
}

impl<'a> Ways<'a> {
    /// The ways after statement, scopes, pack, override and what is allowed.
    pub(super) fn of(ehr: &'a Ehr, capability: &'a Capability, scopes: Option<&'a Scopes>) -> Self {
        let effective = Effective::new(capability, scopes, ehr.pack(), &ehr.overrides.value, &[]);
        let placements = place(&effective, &ehr.allow());
        Self { effective, placements }
    }

    /// The types without which the plan does not get in as it is to go.
    pub(super) fn of_plan(&self) -> &'static [&'static str] {
        let placed = self.placements.iter().find(|placement| placement.kind == Kind::Plan);
        placed.map_or(&[], |placement| placement.kind.needs(placement.rung))
    }

    /// The types that are sent: those without which a kind does not stand where it does.
    fn types(&self) -> Vec<&'static str> {
        let mut types = Vec::new();
        for placement in &self.placements {
            for of in placement.kind.needs(placement.rung) {
                if !types.contains(of) {
                    types.push(*of);
                }
            }
        }
        types
    }

    /// Whether a search of a type by a parameter proves what is there, as a sync judges it.
    fn finds(&self, resource_type: &str, parameter: &str) -> bool {
        let fact = self.effective.searches(resource_type, parameter);
        fact.allowed && fact.narrowed.is_empty()
    }

    /// Whether what was sent can be looked up; and whether that was denied.
    pub(super) async fn search(&self, client: &Client) -> (Check, bool) {
        const STEP: &str = "search";
        let types = self.types();
        if types.is_empty() {
            return (Check::skipped(STEP, "nothing is sent there that would be looked up"), false);
        }
        if let Some(of) =
            types.iter().find(|of| !self.finds(of, "identifier") && !self.finds(of, "patient"))
        {
            let found = format!("a {of} can be searched neither by identifier nor by patient");
            let cure = "sync looks up what it wrote, so that each resource is written once: `ehr capabilities` says who rules the search out";
            return (Check::failed(STEP, found, cure), false);
        }
        let Some(of) = types.iter().find(|of| self.finds(of, "identifier")) else {
            let types = types.join(", ");
            let why = format!(
                "not tried: what is sent ({types}) is found among all that a Patient has, not by identifier, and no Patient is known here"
            );
            return (Check::skipped(STEP, why), false);
        };
        let identifier = format!("{ITEM_SYSTEM}|{}", Uuid::new_v4());
        let answer = client.search(of, &[("identifier", &identifier)]).await;
        let is_denied = matches!(answer, Err(Error::Unauthorized | Error::Forbidden));
        let check = match answer {
            Ok(found) if found.is_empty() => {
                Check::passed(STEP, format!("a {of} can be looked up by identifier"))
            }
            Ok(_) => Check::failed(
                STEP,
                "an identifier that nobody has was found",
                "this server ignores the identifier of a search and can't be synced with",
            ),
            Err(error @ (Error::IgnoredParameter { .. } | Error::Refused { .. })) => Check::failed(
                STEP,
                error.to_string(),
                format!(
                    "this server can't look up a {of} by identifier, which sync needs to write each one once; if a vendor pack knows it, name the pack (`ehr capabilities` suggests one)"
                ),
            ),
            Err(error) => Check::failed(STEP, error.to_string(), cure(&error)),
        };
        (check, is_denied)
    }

    /// How each kind goes, and the line to write where one does not.
    pub(super) fn writes(
        &self,
        ehr: &Ehr,
        capability: &Capability,
        where_configured: &str,
    ) -> Check {
        const STEP: &str = "writes";
        let mut ways: Vec<String> = Vec::new();
        let mut lines: Vec<String> = Vec::new();
        let mut is_lower = false;
        for placement in &self.placements {
            let kind = placement.kind.code();
            if placement.rung != Rung::Withheld {
                ways.push(format!("{kind}: {}", placement.rung.code()));
                is_lower |= placement.rung != Rung::Structure;
            } else if is_linked(placement) {
                ways.push(format!(
                    "{kind}: structure, at the EHR's own visits that `ehr link --session` links"
                ));
            } else {
                ways.push(format!("{kind}: withheld"));
                lines.push(match placement.possible {
                    Rung::Withheld => format!("{kind} can't be sent there in any way"),
                    possible => allowing(possible, where_configured),
                });
            }
        }
        let mut found = ways.join(", ");
        lines.dedup();
        if !lines.is_empty() {
            let lines = lines.join("; ");
            let cure = format!(
                "{lines}; `ehr ladder` shows what that loses, `ehr capabilities` why it is so"
            );
            return Check::failed(STEP, found, cure);
        }
        let mut notes = Vec::new();
        let types = self.types();
        let lacks = |word: &str| types.iter().any(|of| !self.effective.allows(of, word).allowed);
        if types.len() > 1 && !self.effective.allows_system("transaction").allowed {
            notes.push("no transactions: resources are created one by one");
        }
        if !is_lower && lacks("update") {
            notes.push("what was written there can't be updated");
        }
        if !types.is_empty() && lacks("history-instance") {
            notes.push("no history: an edit made right after ours needs a person");
        }
        for note in &notes {
            found.push_str("; ");
            found.push_str(note);
        }
        let suggested = suggest(capability, &ehr.url.value.host_and_port().0)
            .filter(|_| ehr.pack().is_none())
            .map(|found| {
                format!(
                    "this looks like {}: pack = \"{}\" tells more",
                    found.pack.title, found.pack.name
                )
            });
        if let Some(suggested) = &suggested {
            found.push_str("; ");
            found.push_str(suggested);
        }
        if notes.is_empty() && suggested.is_none() {
            return Check::passed(STEP, found);
        }
        Check::warning(STEP, found, "`ehr capabilities` shows it kind by kind, with sources")
    }
}

/// Whether a kind goes as structure all the same, at visits that a person links: nothing but our own restraint keeps it
/// from making them.
fn is_linked(placement: &Placement<'_>) -> bool {
    let top = placement.narrowings.first();
    placement.kind == Kind::Session
        && top.is_some_and(|top| {
            top.from == Rung::Structure && top.source == Source::Configuration { key: "encounter" }
        })
}
