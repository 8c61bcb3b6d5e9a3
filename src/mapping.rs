//! Records ⇄ FHIR, both directions in one file for each resource.
//!
//! [`to_fhir`] applies the export policy to the record and then writes one resource for each thing that the record
//! tells (R4, activities in `detail` style). [`from_fhir`] reads the record back from a Bundle of ours or from what
//! an EHR returns. The same input gives the same bytes: no clock, no random ids, no map order.
//!
//! What it refuses: to invent. A birth date that nobody told, a code that the source does not have, a range of
//! sessions for a foreign activity: none is made up.

mod activity;
mod care_plan;
mod care_team;
mod chart;
mod clinical_impression;
pub mod code;
mod condition;
mod consent;
mod document_reference;
mod element;
mod flag;
pub mod form;
mod goal;
pub mod hand_off;
pub mod identity;
mod label;
mod narrative;
pub mod note;
mod observation;
mod patient;
pub mod policy;
mod practitioner;
mod procedure;
mod questionnaire_response;
mod readable;
pub mod report;
mod score;
mod session;
mod task;
mod writer;

use uuid::Uuid;

use crate::fhir::bundle::Request;
use crate::fhir::{Bundle, Entry, Resource};
use crate::ipt::plan::Plan;
use crate::ipt::{Client, Instrument, Therapist};
use crate::issue::{Issue, Severity};
use crate::json::{Object, Pointer, Value};
use crate::object;

pub use chart::Error;
pub use policy::{Policy, Section, Withheld};
pub use report::Report;
pub use writer::{MappedResource, Part};

/// How a record is mapped.
#[derive(Debug, Clone)]
pub struct Options {
    /// What may leave.
    pub policy: Policy,
    /// The namespace of the opaque identifiers, if not ours.
    pub namespace: Option<Uuid>,
    /// Whether the organization is a 42 CFR Part 2 program: substance use diagnoses are labelled so.
    pub part_2_program: bool,
    /// The SNOMED CT code for the therapy.
    pub psychotherapy: Psychotherapy,
}

/// The SNOMED CT code for the therapy. The default needs an affiliate licence outside SNOMED's member countries;
/// 75516001 |Psychotherapy| of the Global Patient Set does not.
#[derive(Debug, Clone)]
pub struct Psychotherapy {
    /// The code.
    pub code: String,
    /// In words.
    pub display: String,
}

impl Default for Psychotherapy {
    fn default() -> Self {
        Self { code: "443730003".to_owned(), display: "Interpersonal psychotherapy".to_owned() }
    }
}

impl Psychotherapy {
    /// Another code; its words only where we know them, for a display must be that of its code.
    pub fn of(code: &str) -> Self {
        let default = Self::default();
        let display = match code {
            "75516001" => "Psychotherapy",
            code if code == default.code => return default,
            _ => "",
        };
        Self { code: code.to_owned(), display: display.to_owned() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::minimum(),
            namespace: None,
            part_2_program: false,
            psychotherapy: Psychotherapy::default(),
        }
    }
}

/// A record as FHIR.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The resources: people first, then what is referred to before what refers to it, where there is such an order.
    pub resources: Vec<MappedResource>,
    /// What the policy kept here.
    pub withheld: Vec<Withheld>,
    /// What a person should look at.
    pub notices: Vec<Issue>,
}

/// Maps a record.
pub fn to_fhir(plan: &Plan, options: &Options) -> Mapped {
    let (filtered, withheld) = policy::filter(plan, &options.policy);
    let mut writer = writer::Writer::new(&filtered, options);
    patient::write(&mut writer);
    practitioner::write(&mut writer);
    care_team::write(&mut writer);
    condition::write(&mut writer);
    patient::write_age(&mut writer);
    observation::write_focus_areas(&mut writer);
    observation::write_ipaf(&mut writer);
    questionnaire_response::write_screening(&mut writer);
    questionnaire_response::write_inventory(&mut writer);
    clinical_impression::write(&mut writer);
    questionnaire_response::write_relapse_prevention(&mut writer);
    consent::write(&mut writer);
    goal::write(&mut writer);
    session::write(&mut writer);
    care_plan::write(&mut writer);
    document_reference::write_plan(&mut writer);
    Mapped { resources: writer.resources, withheld, notices: notices(plan) }
}

/// PHQ-9's last item asks for thoughts of death: a point there without a judgement of risk wants a look, and never
/// becomes a Flag by itself.
fn notices(plan: &Plan) -> Vec<Issue> {
    let mut notices = Vec::new();
    for (index, session) in plan.sessions.iter().enumerate() {
        for (place, score) in session.scores.iter().enumerate() {
            let is_phq9 = matches!(score.instrument, Instrument::Phq9 | Instrument::Phq9m);
            if is_phq9
                && score.items.get(8).is_some_and(|points| *points > 0)
                && session.risk.is_none()
            {
                let pointer = format!("/sessions/{index}/scores/{place}/items/8");
                let text = "item 9 is above zero, and the session has no judgement of risk";
                let issue = Issue::new(
                    Severity::Warning,
                    "ipt-map-risk-not-judged",
                    Pointer::from(pointer.as_str()),
                    text,
                );
                notices.push(issue.with_help("let the therapist judge, and record `risk`"));
            }
        }
    }
    notices
}

impl Mapped {
    /// The resources as a `collection` Bundle, labelled as strictly as the strictest of them.
    pub fn into_collection(self) -> Resource {
        self.into_bundle("collection", |_| None)
    }

    /// The resources as a `transaction` Bundle of conditional creates, Patient and Practitioner included. For test
    /// servers: in an EHR both are matched by a person and never created.
    pub fn into_transaction(self) -> Resource {
        self.into_bundle("transaction", |mapped| {
            Some(Request {
                method: "POST".to_owned(),
                url: mapped.resource.resource_type().to_owned(),
                if_none_exist: Some(format!(
                    "identifier={}|{}",
                    identity::ITEM_SYSTEM,
                    mapped.item
                )),
                if_match: None,
            })
        })
    }

    fn into_bundle(
        self,
        kind: &str,
        request: impl Fn(&MappedResource) -> Option<Request>,
    ) -> Resource {
        let security = high_water_mark(&self.resources);
        let entries = self
            .resources
            .into_iter()
            .map(|mapped| Entry {
                full_url: Some(identity::urn(mapped.item)),
                request: request(&mapped),
                resource: Some(mapped.resource),
                ..Entry::default()
            })
            .collect();
        let bundle = Bundle::new(kind, entries).into_resource();
        let meta = object! { "meta" => object! { "security" => security } };
        Resource::new("Bundle").with(meta).with(bundle.object().clone())
    }

    /// What became of each part of the record; `source` is the document as it was written.
    pub fn report(&self, source: &Value) -> Report {
        Report::of(source, &self.withheld)
    }
}

/// All labels of the resources, each once (DS4P: a Bundle is as sensitive as what is most sensitive in it).
fn high_water_mark<'a>(resources: impl IntoIterator<Item = &'a MappedResource>) -> Vec<Object> {
    let mut labels: Vec<Object> = Vec::new();
    for mapped in resources {
        let meta = mapped.resource.get("meta");
        let given = meta.into_iter().flat_map(|meta| meta.items("security"));
        for label in given.filter_map(Value::as_object) {
            if !labels.contains(label) {
                labels.push(label.clone());
            }
        }
    }
    labels
}

/// What is to become of a resource that was written and that the mapping no longer writes: the Appointment of a session
/// that was held since, the Encounter of one that was called off. Nothing where there is nothing to say of it.
pub fn superseded(written: &Resource, now: &[&Resource]) -> Option<Resource> {
    session::superseded(written, now)
}

/// A record read back from FHIR.
#[derive(Debug, Clone)]
pub struct ReadBack {
    /// The record. Sections that were withheld when it was written are not in it.
    pub plan: Plan,
    /// The resources of the plan that no part of the record comes from: they lack something, or hold a code that no
    /// record knows. The pointers lead into the Bundle.
    pub issues: Vec<Issue>,
}

/// Reads a record back from resources that we wrote (tier A; with our extensions dropped, tier B).
///
/// `people` gives client and therapist where the resources hold no Patient and Practitioner of ours: in an EHR both
/// are the EHR's own.
///
/// # Errors
/// [`Error`] if there is not one plan of ours, or it lacks what every plan has.
pub fn from_fhir(
    bundle: &Bundle,
    people: Option<(&Client, &Therapist)>,
) -> Result<ReadBack, Error> {
    let chart = chart::Chart::open(bundle)?;
    let frame = care_plan::read(&chart).ok_or(Error::Incomplete)?;
    let client = patient::read(&chart).or_else(|| people.map(|(client, _)| client.clone()));
    let therapist =
        practitioner::read(&chart).or_else(|| people.map(|(_, therapist)| therapist.clone()));
    let (client, therapist) = client.zip(therapist).ok_or(Error::NoPeople)?;
    let activities = activity::read(&chart);
    let formulation = clinical_impression::read(&chart);
    let (care_team, referral) = care_team::read(&chart);
    let mut structure = activities.structure;
    structure.format = frame.format;
    structure.delivery = frame.delivery;
    structure.note = frame.structure_note;
    let plan = Plan {
        format: "ipt-plan".to_owned(),
        format_version: "1.0".to_owned(),
        id: chart.plan_id().to_owned(),
        revision: frame.revision,
        status: frame.status,
        variant: frame.variant,
        title: frame.title,
        date: frame.date,
        language: frame.language,
        client,
        therapist,
        care_team,
        referral,
        diagnoses: condition::read(&chart),
        presenting_problem: formulation.presenting_problem,
        assessment: formulation.assessment,
        screening: questionnaire_response::read_screening(&chart),
        focus_areas: observation::read_focus_areas(&chart),
        ipaf: observation::read_ipaf(&chart),
        inventory: questionnaire_response::read_inventory(&chart),
        structure,
        phases: frame.phases,
        activities: activities.planned,
        goals: goal::read(&chart),
        interventions: activities.interventions,
        monitoring: activities.monitoring,
        measures: activities.measures,
        relapse_prevention: questionnaire_response::read_relapse_prevention(&chart),
        prognosis: formulation.prognosis,
        outcome: frame.outcome,
        review: activities.review,
        sessions: session::read(&chart),
        consents: consent::read(&chart),
    };
    let issues =
        chart.not_among(&to_fhir(&plan, &Options { policy: Policy::full(), ..Options::default() }));
    Ok(ReadBack { plan, issues })
}
