//! A record that is linked to its Patient, opened to link more of it.
//!
//! What is linked besides the Patient hangs on that link: it must be of this record, of the client that the record is
//! about now, at the server that the EHR's name stands for now, and of a Patient who is still the same.

use std::path::Path;

use uuid::Uuid;

use super::super::super::exit::Exit;
use super::super::super::failure::Failure;
use super::super::super::input::{self, Record};
use super::super::super::settings::{Settings, client};
use super::link::{read, refused, whole_path};
use crate::client::Client;
use crate::fhir::Resource;
use crate::ipt::Plan;
use crate::mapping;
use crate::mapping::identity::{Identity, derived};
use crate::store::{Link, ReferenceLink, Store, digest};
use crate::sync::{check_linked, client_digest};

/// A linked record.
pub(super) struct Linked {
    record: Record,
    pub(super) store: Store,
    pub(super) link: Link,
    pub(super) references: Vec<ReferenceLink>,
    /// Its resources, as the mapping writes them.
    pub(super) resources: Vec<(Uuid, Resource)>,
    identity: Identity,
}

/// What names the items of a plan, as a sync does.
pub(super) fn identity(plan: &Plan, settings: &Settings) -> Identity {
    let namespace = settings.config.namespace.as_ref().map(|namespace| namespace.value);
    Identity::new(&plan.id, namespace)
}

impl Linked {
    /// Opens a record that is linked to its Patient.
    pub(super) async fn open(
        name: &str,
        path: &Path,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let (name, ehr) = settings.ehr(Some(name))?;
        let record = input::record(path)?;
        let whole = whole_path(path)?;
        let plan = &record.document.plan;
        let plan_digest = digest(&plan.id);
        let store = Store::open(&settings.config.store_path.value).await?;
        let link = store.link_of(name, &plan_digest).await?;
        let link = link.filter(|link| *link.record.expose() == whole).ok_or_else(|| {
            let text = "this record is not linked to a Patient of the EHR";
            Failure::new(Exit::Usage, "link-without-patient", text)
                .help("`ipt-fhir ehr link EHR RECORD Patient/ID` links it")
                .in_file(path)
        })?;
        if link.base_url != ehr.url.value.to_string() {
            let text = "the record is linked to a Patient of the server that this EHR was before";
            return Err(Failure::new(Exit::Refused, "link-other-server", text)
                .help("link it to its Patient anew"));
        }
        let mapped = mapping::to_fhir(plan, &mapping::Options::default()).resources;
        let resources: Vec<(Uuid, Resource)> =
            mapped.into_iter().map(|mapped| (mapped.item, mapped.resource)).collect();
        if client_digest(&resources) != link.client {
            let text = "the record is about another client than when it was linked, or the client's data was corrected";
            return Err(Failure::new(Exit::Refused, "link-other-client", text)
                .help("link it to its Patient anew"));
        }
        let references = store.reference_links(name, &link.plan).await?;
        let identity = identity(plan, settings);
        Ok(Self { record, store, link, references, resources, identity })
    }

    /// The plan.
    pub(super) const fn plan(&self) -> &Plan {
        &self.record.document.plan
    }

    /// A client for its EHR, by which the Patient was found to be the linked one still.
    pub(super) async fn client(&self, settings: &Settings) -> Result<Client, Failure> {
        let (_, ehr) = settings.ehr(Some(&self.link.ehr))?;
        let client = client(ehr)?;
        let patient = read(&client, &self.link.patient).await?;
        check_linked(&patient, &self.link)
            .map_err(|fault| refused(&self.link.patient, &fault.to_string()))?;
        Ok(client)
    }

    /// The item of a session's Encounter.
    pub(super) fn session_item(&self, id: &str) -> Uuid {
        self.identity.item(id)
    }

    /// The item of the therapist.
    pub(super) fn practitioner_item(&self) -> Uuid {
        self.identity.item(&self.plan().therapist.id)
    }

    /// The item that stands for the organization.
    pub(super) fn organization_item(&self) -> Uuid {
        self.identity.item(derived::CARE_TEAM)
    }

    /// What an item is linked to.
    pub(super) fn reference(&self, item: Uuid) -> Option<&ReferenceLink> {
        self.references.iter().find(|reference| reference.item == item)
    }
}
