//! `ehr link EHR RECORD Patient/ID`: a person's word that a record is about a Patient. Without the Patient, but with
//! sessions, therapist or organization: see `reference`.
//!
//! Nothing is searched and nothing guessed: the Patient is named, read, and compared trait by trait without showing
//! a value, and a person says yes.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::super::super::args::EhrLink;
use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, Problem};
use super::super::super::input;
use super::super::super::output::Done;
use super::super::super::prompt::confirm;
use super::super::super::settings::{Settings, client};
use super::{linked, reference};
use crate::client::{Client, Error};
use crate::fhir::patient::{Agreement, compare};
use crate::fhir::{Resource, ResourceId};
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::mapping;
use crate::object;
use crate::phi::Phi;
use crate::store::{Link, ReferenceLink, Store, digest};
use crate::sync::candidate::as_others_know;
use crate::sync::{check_patient, check_target, client_digest, patient_marks, reference_marks};

/// The traits that a script may not pass over.
const TELLING: [&str; 3] = ["family name", "birth date", "identifiers"];

pub(crate) async fn run(args: &EhrLink, settings: &Settings) -> Result<Done, Failure> {
    match &args.patient {
        Some(patient) => link_patient(args, patient, settings).await,
        None => reference::link(args, settings).await,
    }
}

async fn link_patient(args: &EhrLink, patient: &str, settings: &Settings) -> Result<Done, Failure> {
    let (name, ehr) = settings.ehr(Some(&args.name))?;
    let patient = id(patient, &["Patient"], "the third argument")?;
    let practitioner = args.practitioner.as_deref().map(practitioner_id).transpose()?;
    let record = input::record(&args.record)?;
    let path = Phi::new(whole_path(&args.record)?);
    let client = client(ehr)?;
    let base_url = ehr.url.value.to_string();
    let found = read(&client, &patient).await?;
    check_patient(&found).map_err(|fault| refused(&patient, &fault.to_string()))?;
    let therapist = match &practitioner {
        Some(practitioner) => {
            let therapist = read(&client, practitioner).await?;
            check_target(&therapist, &patient, &base_url)
                .map_err(|fault| refused(practitioner, &fault.to_string()))?;
            Some((practitioner.clone(), reference_marks(&therapist)))
        }
        None => None,
    };
    let plan = &record.document.plan;
    let mapped = mapping::to_fhir(plan, &mapping::Options::default()).resources;
    let resources: Vec<(Uuid, Resource)> =
        mapped.into_iter().map(|mapped| (mapped.item, mapped.resource)).collect();
    let traits = compare(&as_others_know(&resources, "Patient"), &found);
    let mut told = format!("{name} {patient}, compared with the record:\n");
    tell(&mut told, &traits);
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
    let store = Store::open(&settings.config.store_path.value).await?;
    let plan_digest = digest(&plan.id);
    let known = store.link_of(name, &plan_digest).await?;
    if let Some(known) = known {
        // The other file's name may hold a person's.
        if known.record != path {
            told.push_str("  instead of another file, which has the same plan id and is not synced any more\n");
        }
        if known.patient != patient {
            let _ = writeln!(told, "  instead of {}", known.patient);
        }
    }
    confirm(settings, &format!("{told}Link?")).await?;
    let link = Link {
        ehr: name.to_owned(),
        base_url,
        plan: plan_digest,
        record: path,
        client: client_digest(&resources),
        patient: patient.clone(),
        practitioner,
        patient_marks: patient_marks(&found),
        linked_at: clock::now(),
    };
    store.link(&link).await?;
    if let Some((target, marks)) = therapist {
        let reference = ReferenceLink {
            ehr: link.ehr.clone(),
            plan: link.plan.clone(),
            item: linked::identity(plan, settings).item(&plan.therapist.id),
            target,
            marks,
            linked_at: link.linked_at,
        };
        store.link_reference(&link, &reference).await?;
    }
    store.close().await?;
    let result = object! {
        "ehr" => name,
        "patient" => patient.to_string(),
        "practitioner" => link.practitioner.as_ref().map(ToString::to_string),
        "compared" => as_object(&traits),
    };
    let human = format!("{told}linked\nnext: ipt-fhir sync plan {name}\n");
    let differing = traits.iter().filter(|(_, agreement)| *agreement == Agreement::Differs);
    let warnings = differing.map(|(name, _)| {
        let text = format!("the {name} of record and Patient differ");
        Problem::new(Severity::Warning, "link-differs", text)
    });
    Ok(Done::new(human, Value::Object(result)).but(Exit::Done, warnings.collect()))
}

/// Reads what a person named.
pub(super) async fn read(client: &Client, id: &ResourceId) -> Result<Resource, Failure> {
    match client.read(id).await {
        Ok(found) => Ok(found.resource),
        Err(Error::NotFound { .. }) => Err(refused(id, "the EHR has no such resource")),
        Err(error) => Err(error.into()),
    }
}

/// What can't be linked, and why.
pub(super) fn refused(id: &ResourceId, why: &str) -> Failure {
    Failure::new(Exit::Refused, "link-refused", format!("{id} can't be linked: {why}"))
        .help("look the id up in the EHR")
}

/// The Practitioner that a person named.
pub(super) fn practitioner_id(text: &str) -> Result<ResourceId, Failure> {
    id(text, &["Practitioner"], "--practitioner")
}

/// The id that a person named in an argument, which must be of one of these types.
pub(super) fn id(text: &str, types: &[&str], argument: &str) -> Result<ResourceId, Failure> {
    let id = text.parse().ok().filter(|id: &ResourceId| types.contains(&id.resource_type()));
    id.ok_or_else(|| {
        let types = types.join("/ID or ");
        let message = format!("{argument} must be {types}/ID, as in the EHR's own references");
        Failure::new(Exit::Usage, "link-id", message).help(
            "`ipt-fhir ehr candidates` lists the ids of visits and persons; a Patient's is in the EHR itself",
        )
    })
}

/// Where a record is, from the root.
pub(super) fn whole_path(record: &Path) -> Result<PathBuf, Failure> {
    std::fs::canonicalize(record).map_err(|_| {
        let text = "only a file can be linked: each sync reads it again";
        Failure::new(Exit::Usage, "link-not-a-file", text).in_file(record)
    })
}

/// Tells a comparison, a line for each trait.
pub(super) fn tell(told: &mut String, traits: &[(&'static str, Agreement)]) {
    for (name, agreement) in traits {
        let _ = writeln!(told, "  {name:<12} {}", words(*agreement));
    }
}

/// A comparison as data.
pub(super) fn as_object(traits: &[(&'static str, Agreement)]) -> Object {
    traits.iter().fold(Object::new(), |mut object, (name, agreement)| {
        object.put(name.replace(' ', "_"), word(*agreement));
        object
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

/// How a trait compares, for a person.
pub(super) const fn words(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Agrees => "agrees",
        Agreement::Differs => "DIFFERS",
        Agreement::MissingHere => "missing in the record",
        Agreement::MissingThere => "missing in the EHR",
        Agreement::MissingInBoth => "missing in both",
    }
}
