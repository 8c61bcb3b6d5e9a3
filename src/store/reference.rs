//! Which Encounter a session is, which Practitioner the therapist, which Organization or Location the place: a person's
//! word, as the link to the Patient is.
//!
//! Such a link lives and ends with that to the Patient: another Patient or another server has other Encounters, and none
//! of the old ones is carried over. The Practitioner stands in the [`Link`] as well; both change together.
//! Two sessions may share an Encounter, as in a hospital stay; whoever links them is told.

use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use super::{Error, Link, Store, lock, row};
use crate::fhir::ResourceId;

/// A person's word that an item of a record is a resource of an EHR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceLink {
    /// The EHR's name in the configuration.
    pub ehr: String,
    /// The [`digest()`](super::digest()) of the record's plan id, as in the link to the Patient.
    pub plan: String,
    /// The item: the Encounter of a session, the therapist's Practitioner, or the CareTeam for the organization.
    pub item: Uuid,
    /// The resource in the EHR.
    pub target: ResourceId,
    /// Digests of what identified the resource then; all of them must still be there before each write.
    pub marks: Vec<String>,
    /// When.
    pub linked_at: jiff::Timestamp,
}

impl Store {
    /// What is linked of a record besides its Patient, in the order of the items.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn reference_links(
        &self,
        ehr: &str,
        plan: &str,
    ) -> Result<Vec<ReferenceLink>, Error> {
        let rows = sqlx::query(
            "SELECT ehr, plan, item, resource_type, id, marks, linked_at FROM reference_link
             WHERE ehr = $1 AND plan = $2 ORDER BY item",
        )
        .bind(ehr)
        .bind(plan)
        .fetch_all(&mut *self.connection.lock().await)
        .await?;
        rows.iter().map(reference_link).collect()
    }

    /// Keeps links, all or none; those of the same items are replaced. `patient` is whom they were compared with.
    ///
    /// # Errors
    /// [`Error::Locked`] while a sync of this EHR is running, [`Error::LinkedOtherwise`] if the record is not linked, or to
    /// another Patient or server by now, and [`Error::Database`].
    pub async fn link_references(
        &self,
        patient: &Link,
        links: &[ReferenceLink],
    ) -> Result<(), Error> {
        let _lock = lock::Lock::take(&self.directory, &patient.ehr).await?;
        let connection = &mut *self.connection.lock().await;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let still = sqlx::query(
            "SELECT 1 FROM link WHERE ehr = $1 AND plan = $2 AND patient = $3 AND base_url = $4",
        )
        .bind(&patient.ehr)
        .bind(&patient.plan)
        .bind(patient.patient.to_string())
        .bind(&patient.base_url)
        .fetch_optional(&mut *transaction)
        .await?;
        let of_another =
            |link: &ReferenceLink| link.ehr != patient.ehr || link.plan != patient.plan;
        if still.is_none() || links.iter().any(of_another) {
            return Err(Error::LinkedOtherwise);
        }
        for link in links {
            put(&mut transaction, link).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps one link: [`Store::link_references`] of one.
    ///
    /// # Errors
    /// Those of [`Store::link_references`].
    pub async fn link_reference(&self, patient: &Link, link: &ReferenceLink) -> Result<(), Error> {
        self.link_references(patient, std::slice::from_ref(link)).await
    }

    /// Ends the link of an item; whether there was one.
    ///
    /// # Errors
    /// [`Error::Locked`] while a sync of this EHR is running, and [`Error::Database`].
    pub async fn unlink_reference(&self, ehr: &str, plan: &str, item: Uuid) -> Result<bool, Error> {
        let _lock = lock::Lock::take(&self.directory, ehr).await?;
        let connection = &mut *self.connection.lock().await;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "UPDATE link SET practitioner = NULL WHERE ehr = $1 AND plan = $2
             AND EXISTS (SELECT 1 FROM reference_link WHERE ehr = $1 AND plan = $2 AND item = $3
                         AND resource_type = 'Practitioner')",
        )
        .bind(ehr)
        .bind(plan)
        .bind(item.to_string())
        .execute(&mut *transaction)
        .await?;
        let ended =
            sqlx::query("DELETE FROM reference_link WHERE ehr = $1 AND plan = $2 AND item = $3")
                .bind(ehr)
                .bind(plan)
                .bind(item.to_string())
                .execute(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(ended.rows_affected() > 0)
    }
}

async fn put(connection: &mut SqliteConnection, link: &ReferenceLink) -> Result<(), Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO reference_link (ehr, plan, item, resource_type, id, marks, linked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&link.ehr)
    .bind(&link.plan)
    .bind(link.item.to_string())
    .bind(link.target.resource_type())
    .bind(link.target.id())
    .bind(link.marks.join(" "))
    .bind(link.linked_at.to_string())
    .execute(&mut *connection)
    .await?;
    if link.target.resource_type() == "Practitioner" {
        sqlx::query("UPDATE link SET practitioner = $3 WHERE ehr = $1 AND plan = $2")
            .bind(&link.ehr)
            .bind(&link.plan)
            .bind(link.target.to_string())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Ends what a link to a Patient that is about to be kept does not carry over: everything, if it leads to another Patient
/// or server; the Practitioner, if it names another or none.
pub(super) async fn outlive(connection: &mut SqliteConnection, link: &Link) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM reference_link WHERE ehr = $1 AND plan = $2
         AND ((resource_type = 'Practitioner' AND resource_type || '/' || id IS NOT $5)
              OR EXISTS (SELECT 1 FROM link WHERE link.ehr = $1 AND link.plan = $2
                         AND (link.patient <> $3 OR link.base_url <> $4)))",
    )
    .bind(&link.ehr)
    .bind(&link.plan)
    .bind(link.patient.to_string())
    .bind(&link.base_url)
    .bind(link.practitioner.as_ref().map(ToString::to_string))
    .execute(connection)
    .await?;
    Ok(())
}

fn reference_link(row: &SqliteRow) -> Result<ReferenceLink, Error> {
    const TABLE: &str = "reference_link";
    let marks: String = row.try_get("marks")?;
    Ok(ReferenceLink {
        ehr: row.try_get("ehr")?,
        plan: row.try_get("plan")?,
        item: row::item(row, TABLE)?,
        target: row::id(row, TABLE)?,
        marks: marks.split_whitespace().map(str::to_owned).collect(),
        linked_at: row::moment(row, "linked_at", TABLE)?,
    })
}
