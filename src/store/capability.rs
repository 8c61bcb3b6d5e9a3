//! What an EHR said that it can do, kept, and what it refused all the same.
//!
//! A statement is kept under the digest of what it says, so that a change is seen ([`Capability::canonical_text`]). When
//! it changes, what was learned from refusals is forgotten: whoever changed the server may have mended what refused. A
//! statement of another base URL is another server's and is never given out.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection as _, Row as _};

use super::{Error, Store, Writer, digest, row};
use crate::fhir::capability::LIMITS;
use crate::fhir::{Capability, Refusal, Resource};
use crate::json;

/// A CapabilityStatement that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCapability {
    /// The digest of what it says.
    pub digest: String,
    /// The statement, whole.
    pub statement: Resource,
    /// When it was fetched.
    pub fetched_at: jiff::Timestamp,
}

/// How a statement compares with the one that was kept before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementChange {
    /// There was none of this EHR at this base URL.
    First,
    /// It says the same.
    Same,
    /// It says something else; what was learned from refusals is forgotten.
    Changed,
}

impl Store {
    /// The statement of an EHR that was kept last, if it is that of this base URL.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn capability(
        &self,
        ehr: &str,
        base_url: &str,
    ) -> Result<Option<KeptCapability>, Error> {
        let connection = &mut *self.connection.lock().await;
        let found = sqlx::query(
            "SELECT digest, statement, fetched_at FROM capability WHERE ehr = $1 AND base_url = $2",
        )
        .bind(ehr)
        .bind(base_url)
        .fetch_optional(connection)
        .await?;
        found.as_ref().map(kept).transpose()
    }

    /// Keeps the statement of an EHR, and says how it compares with the one before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn keep_capability(
        &self,
        ehr: &str,
        base_url: &str,
        statement: &Resource,
        fetched_at: jiff::Timestamp,
    ) -> Result<StatementChange, Error> {
        let now = digest(&Capability::canonical_text(statement));
        let connection = &mut *self.connection.lock().await;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let before: Option<SqliteRow> =
            sqlx::query("SELECT digest FROM capability WHERE ehr = $1 AND base_url = $2")
                .bind(ehr)
                .bind(base_url)
                .fetch_optional(&mut *transaction)
                .await?;
        let before: Option<String> = before.map(|row| row.try_get("digest")).transpose()?;
        let change = match before {
            None => StatementChange::First,
            Some(before) if before == now => StatementChange::Same,
            Some(_) => StatementChange::Changed,
        };
        sqlx::query(
            "INSERT OR REPLACE INTO capability (ehr, base_url, digest, statement, fetched_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(ehr)
        .bind(base_url)
        .bind(now)
        .bind(statement.to_text())
        .bind(fetched_at.to_string())
        .execute(&mut *transaction)
        .await?;
        if change == StatementChange::Changed {
            forget(&mut transaction, ehr).await?;
        }
        transaction.commit().await?;
        Ok(change)
    }

    /// What an EHR refused at a base URL and what is still believed, in the order of type and interaction.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn refusals(
        &self,
        ehr: &str,
        base_url: &str,
        now: jiff::Timestamp,
    ) -> Result<Vec<Refusal>, Error> {
        let rows = sqlx::query(
            "SELECT resource_type, interaction, status, learned_at, until FROM refusal
             WHERE ehr = $1 AND base_url = $2 ORDER BY resource_type, interaction",
        )
        .bind(ehr)
        .bind(base_url)
        .fetch_all(&mut *self.connection.lock().await)
        .await?;
        let mut refusals = rows.iter().map(refusal).collect::<Result<Vec<_>, _>>()?;
        // A clock that was set back must not make a refusal last: it is believed from when it was learned.
        refusals.retain(|refusal| (refusal.learned_at..refusal.until).contains(&now));
        Ok(refusals)
    }

    /// Forgets all that an EHR refused, so that it is tried again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn forget_refusals(&self, ehr: &str) -> Result<(), Error> {
        forget(&mut *self.connection.lock().await, ehr).await
    }
}

impl Writer<'_> {
    /// Keeps what the EHR refused at a base URL; one of the same type and interaction is replaced.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn learn_refusal(&self, base_url: &str, refusal: &Refusal) -> Result<(), Error> {
        sqlx::query(
            "INSERT OR REPLACE INTO refusal (ehr, base_url, resource_type, interaction, status,
             learned_at, until) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&self.ehr)
        .bind(base_url)
        .bind(&refusal.resource_type)
        .bind(&refusal.interaction)
        .bind(refusal.status)
        .bind(refusal.learned_at.to_string())
        .bind(refusal.until.to_string())
        .execute(&mut *self.store.connection.lock().await)
        .await?;
        Ok(())
    }
}

async fn forget(connection: &mut SqliteConnection, ehr: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM refusal WHERE ehr = $1").bind(ehr).execute(connection).await?;
    Ok(())
}

fn kept(row: &SqliteRow) -> Result<KeptCapability, Error> {
    const TABLE: &str = "capability";
    let text: &str = row.try_get("statement")?;
    let statement = json::parse_with(text.as_bytes(), LIMITS).ok();
    let statement = statement.and_then(|value| Resource::from_value(value).ok());
    let statement = statement.ok_or(Error::Damaged(TABLE))?;
    let kept: String = row.try_get("digest")?;
    if digest(&Capability::canonical_text(&statement)) != kept {
        return Err(Error::Damaged(TABLE));
    }
    let fetched_at = row::moment(row, "fetched_at", TABLE)?;
    Ok(KeptCapability { digest: kept, statement, fetched_at })
}

fn refusal(row: &SqliteRow) -> Result<Refusal, Error> {
    const TABLE: &str = "refusal";
    Ok(Refusal {
        resource_type: row.try_get("resource_type")?,
        interaction: row.try_get("interaction")?,
        status: row.try_get("status")?,
        learned_at: row::moment(row, "learned_at", TABLE)?,
        until: row::moment(row, "until", TABLE)?,
    })
}
