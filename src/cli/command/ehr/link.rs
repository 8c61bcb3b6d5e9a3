//! `ehr link EHR RECORD Patient/ID`: a person's word that a record is about a Patient.
//!
//! Nothing is searched and nothing guessed: the Patient is named, read, and compared trait by trait without showing
//! a value, and a person says yes.

use std::fmt::Write;

use uuid::Uuid;

use super::super::super::args::EhrLink;
use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, Problem};
use super::super::super::input;
use super::super::super::output::Done;
use super::super::super::prompt::confirm;
use super::super::super::settings::{Settings, client};
use crate::client::{Client, Error};
use crate::fhir::patient::{Agreement, compare};
use crate::fhir::{Resource, ResourceId};
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::mapping;
use crate::mapping::identity::{ITEM_SYSTEM, PLAN_ITEM_SYSTEM};
use crate::object;
use crate::phi::Phi;
use crate::store::{Link, Store, digest};
use crate::sync::{check_patient, client_digest, patient_marks};

/// The traits that a script may not pass over.
const TELLING: [&str; 3] = ["family name", "birth date", "identifiers"];

pub(crate) async fn run(args: &EhrLink, settings: &Settings) -> Result<Done, Failure> {
    let (name, ehr) = settings.ehr(Some(&args.name))?;
    let patient = id(&args.patient, "Patient")?;
    let practitioner =
        args.practitioner.as_deref().map(|text| id(text, "Practitioner")).transpose()?;
    let record = input::record(&args.record)?;
    let path = std::fs::canonicalize(&args.record).map_err(|_| {
        let text = "only a file can be linked: each sync reads it again";
        Failure::new(Exit::Usage, "link-not-a-file", text).in_file(&args.record)
    })?;
    let client = client(ehr)?;
    let found = read(&client, &patient).await?;
    check_patient(&found).map_err(|fault| refused(&patient, &fault.to_string()))?;
    if let Some(practitioner) = &practitioner {
        let therapist = read(&client, practitioner).await?;
        if therapist.get("active").and_then(Value::as_bool) == Some(false) {
            return Err(refused(practitioner, "the Practitioner is not active"));
        }
    }
    let plan = &record.document.plan;
    let mapped = mapping::to_fhir(plan, &mapping::Options::default()).resources;
    let resources: Vec<(Uuid, Resource)> =
        mapped.into_iter().map(|mapped| (mapped.item, mapped.resource)).collect();
    let traits = compare(&our_patient(&resources), &found);
    let mut told = format!("{name} {patient}, compared with the record:\n");
    for (name, agreement) in &traits {
        let _ = writeln!(told, "  {name:<12} {}", words(*agreement));
    }
    // A person who is asked sees them; a script does not.
    if settings.yes
        && !args.accept_differences
        && let Some((name, _)) = traits
            .iter()
            .find(|(name, agreement)| *agreement == Agreement::Differs && TELLING.contains(name))
    {
        let text = format!("{patient} can't be linked by --yes alone: the {name} differs");
        return Err(Failure::new(Exit::Refused, "link-differs", text)
            .help("look the id up in the EHR; --accept-differences links it all the same"));
    }
    confirm(settings, &format!("{told}Link?")).await?;
    let link = Link {
        ehr: name.to_owned(),
        base_url: ehr.url.value.to_string(),
        plan: digest(&plan.id),
        record: Phi::new(path),
        client: client_digest(&resources),
        patient: patient.clone(),
        practitioner,
        patient_marks: patient_marks(&found),
        linked_at: clock::now(),
    };
    let store = Store::open(&settings.config.store_path.value).await?;
    store.link(&link).await?;
    store.close().await?;
    let compared: Object = traits.iter().fold(Object::new(), |mut object, (name, agreement)| {
        object.put(name.replace(' ', "_"), word(*agreement));
        object
    });
    let result = object! {
        "ehr" => name,
        "patient" => patient.to_string(),
        "practitioner" => link.practitioner.as_ref().map(ToString::to_string),
        "compared" => compared,
    };
    let human = format!("{told}linked\nnext: ipt-fhir sync plan {name}\n");
    let differing = traits.iter().filter(|(_, agreement)| *agreement == Agreement::Differs);
    let warnings = differing.map(|(name, _)| {
        let text = format!("the {name} of record and Patient differ");
        Problem::new(Severity::Warning, "link-differs", text)
    });
    Ok(Done::new(human, Value::Object(result)).but(Exit::Done, warnings.collect()))
}

/// The client as our mapping writes them, without the identifiers that only we give.
fn our_patient(resources: &[(Uuid, Resource)]) -> Resource {
    let mut resources = resources.iter().map(|(_, resource)| resource);
    let patient = resources.find(|resource| resource.resource_type() == "Patient");
    let mut patient = patient.cloned().unwrap_or_else(|| Resource::new("Patient"));
    if let Some(Value::Array(identifiers)) = patient.object_mut().get_mut("identifier") {
        identifiers.retain(|identifier| {
            !matches!(identifier.text("system"), Some(ITEM_SYSTEM | PLAN_ITEM_SYSTEM))
        });
    }
    patient
}

async fn read(client: &Client, id: &ResourceId) -> Result<Resource, Failure> {
    match client.read(id).await {
        Ok(found) => Ok(found.resource),
        Err(Error::NotFound { .. }) => Err(refused(id, "the EHR has no such resource")),
        Err(error) => Err(error.into()),
    }
}

fn refused(id: &ResourceId, why: &str) -> Failure {
    Failure::new(Exit::Refused, "link-refused", format!("{id} can't be linked: {why}"))
        .help("look the id up in the EHR")
}

fn id(text: &str, resource_type: &str) -> Result<ResourceId, Failure> {
    let id = text.parse().ok().filter(|id: &ResourceId| id.resource_type() == resource_type);
    id.ok_or_else(|| {
        let message = format!("expected {resource_type}/ID, as in the EHR's own references");
        Failure::new(Exit::Usage, "link-id", message)
    })
}

const fn word(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Agrees => "agrees",
        Agreement::Differs => "differs",
        Agreement::MissingHere => "missing-in-record",
        Agreement::MissingThere => "missing-in-ehr",
        Agreement::MissingInBoth => "missing-in-both",
    }
}

const fn words(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Agrees => "agrees",
        Agreement::Differs => "DIFFERS",
        Agreement::MissingHere => "missing in the record",
        Agreement::MissingThere => "missing in the EHR",
        Agreement::MissingInBoth => "missing in both",
    }
}
