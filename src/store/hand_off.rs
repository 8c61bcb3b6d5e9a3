//! The packages that a person carries into an EHR: which were made, and what became of each.
//!
//! A slot is what is handed off of a record; each change of it makes another edition with its own package. One edition
//! of a slot waits at most: a newer one supersedes it. What was done stays done, because it is in the chart.

use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use super::{Error, Store, Writer, lock, row};

/// A package that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOff {
    /// The EHR's name in the configuration.
    pub ehr: String,
    /// The [`digest()`](super::digest()) of the record's plan id.
    pub plan: String,
    /// The item that stands for what is handed off.
    pub slot: Uuid,
    /// Which edition, from 1.
    pub number: u32,
    /// The name of its directory, and what a person calls it by. It says nothing of anybody.
    pub name: String,
    /// The digest of what it holds.
    pub digest: String,
    /// What became of it.
    pub state: HandOffState,
    /// When it was made.
    pub made_at: jiff::Timestamp,
    /// When somebody decided on it, or a newer one came.
    pub decided_at: Option<jiff::Timestamp>,
    /// Why it was rejected.
    pub reason: Option<RejectReason>,
}

/// What became of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOffState {
    /// Nobody has taken it over yet.
    Waiting,
    /// It is in the chart.
    Done,
    /// It was not taken over.
    Rejected,
    /// A newer edition came before somebody took it over.
    Superseded,
}

/// Why a package was not taken over. Codes and no words of one's own: those might tell of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// It is about another person than it says.
    WrongPatient,
    /// Something in it is wrong.
    Incorrect,
    /// The chart has it already.
    Duplicate,
    /// The organization does not take it.
    NotAccepted,
    /// The client does not want it there.
    NotConsented,
    /// The package was lost before anybody took it over: the next run makes another.
    Lost,
    /// Anything else.
    Other,
}

impl HandOffState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Done, Self::Rejected, Self::Superseded];

    /// Its name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
        }
    }
}

impl RejectReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::WrongPatient,
        Self::Incorrect,
        Self::Duplicate,
        Self::NotAccepted,
        Self::NotConsented,
        Self::Lost,
        Self::Other,
    ];

    /// Its name on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongPatient => "wrong-patient",
            Self::Incorrect => "incorrect",
            Self::Duplicate => "duplicate",
            Self::NotAccepted => "not-accepted",
            Self::NotConsented => "not-consented",
            Self::Lost => "lost",
            Self::Other => "other",
        }
    }

    /// The reason of a name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl Store {
    /// The packages for one EHR, or for all, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn hand_offs(&self, ehr: Option<&str>) -> Result<Vec<HandOff>, Error> {
        let rows = sqlx::query(
            "SELECT ehr, plan, slot, number, name, digest, state, made_at, decided_at, reason
             FROM hand_off WHERE $1 IS NULL OR ehr = $1 ORDER BY made_at, ehr, plan, slot, number",
        )
        .bind(ehr)
        .fetch_all(&mut *self.connection.lock().await)
        .await?;
        rows.iter().map(hand_off).collect()
    }

    /// Keeps a person's decision on a waiting package: done, or rejected for a reason. Of the last package of a slot, if
    /// it was rejected, it can still be said that it was lost: then it is made anew.
    ///
    /// The decision is made in the store alone: `false` if no package of this name waits there any more.
    ///
    /// # Errors
    /// [`Error::Locked`] while a sync of this EHR is running, and [`Error::Database`].
    pub async fn decide_hand_off(
        &self,
        ehr: &str,
        name: &str,
        rejected: Option<RejectReason>,
        decided_at: jiff::Timestamp,
    ) -> Result<bool, Error> {
        let _lock = lock::Lock::take(&self.directory, ehr).await?;
        let state = if rejected.is_some() { HandOffState::Rejected } else { HandOffState::Done };
        let decided = sqlx::query(
            "UPDATE hand_off SET state = $3, decided_at = $4, reason = $5
             WHERE ehr = $1 AND name = $2
               AND (state = 'waiting'
                    OR (state = 'rejected' AND reason <> 'lost' AND $5 = 'lost'
                        AND NOT EXISTS (SELECT 1 FROM hand_off AS later
                                        WHERE later.ehr = hand_off.ehr AND later.slot = hand_off.slot
                                          AND later.number > hand_off.number)))",
        )
        .bind(ehr)
        .bind(name)
        .bind(state.code())
        .bind(decided_at.to_string())
        .bind(rejected.map(RejectReason::code))
        .execute(&mut *self.connection.lock().await)
        .await?;
        Ok(decided.rows_affected() > 0)
    }
}

impl Writer<'_> {
    /// Keeps that a package was made; the editions of its slot that still waited are superseded by it. `made` names this
    /// writer's EHR, whatever it says itself.
    ///
    /// # Errors
    /// [`Error::Database`], also if there is such an edition already.
    pub async fn record_hand_off(&self, made: &HandOff) -> Result<(), Error> {
        let connection = &mut *self.store.connection.lock().await;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        supersede(&mut transaction, &self.ehr, made).await?;
        sqlx::query(
            "INSERT INTO hand_off (ehr, plan, slot, number, name, digest, state, made_at, decided_at,
             reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&self.ehr)
        .bind(&made.plan)
        .bind(made.slot.to_string())
        .bind(made.number)
        .bind(&made.name)
        .bind(&made.digest)
        .bind(made.state.code())
        .bind(made.made_at.to_string())
        .bind(made.decided_at.map(|moment| moment.to_string()))
        .bind(made.reason.map(RejectReason::code))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl Writer<'_> {
    /// Supersedes all packages of a plan that wait: what they hold goes another way now.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn call_hand_offs_back(&self, plan: &str, at: jiff::Timestamp) -> Result<(), Error> {
        sqlx::query(
            "UPDATE hand_off SET state = 'superseded', decided_at = $3
             WHERE ehr = $1 AND plan = $2 AND state = 'waiting'",
        )
        .bind(&self.ehr)
        .bind(plan)
        .bind(at.to_string())
        .execute(&mut *self.store.connection.lock().await)
        .await?;
        Ok(())
    }
}

async fn supersede(
    connection: &mut SqliteConnection,
    ehr: &str,
    by: &HandOff,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE hand_off SET state = 'superseded', decided_at = $4
         WHERE ehr = $1 AND plan = $2 AND slot = $3 AND state = 'waiting'",
    )
    .bind(ehr)
    .bind(&by.plan)
    .bind(by.slot.to_string())
    .bind(by.made_at.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

fn hand_off(row: &SqliteRow) -> Result<HandOff, Error> {
    const TABLE: &str = "hand_off";
    let state: &str = row.try_get("state")?;
    let reason: Option<&str> = row.try_get("reason")?;
    let decided: Option<&str> = row.try_get("decided_at")?;
    Ok(HandOff {
        ehr: row.try_get("ehr")?,
        plan: row.try_get("plan")?,
        slot: row.try_get::<&str, _>("slot")?.parse().map_err(|_| Error::Damaged(TABLE))?,
        number: row.try_get("number")?,
        name: row.try_get("name")?,
        digest: row.try_get("digest")?,
        state: HandOffState::ALL
            .into_iter()
            .find(|one| one.code() == state)
            .ok_or(Error::Damaged(TABLE))?,
        made_at: row::moment(row, "made_at", TABLE)?,
        decided_at: decided.map(|_| row::moment(row, "decided_at", TABLE)).transpose()?,
        reason: reason
            .map(|code| RejectReason::from_code(code).ok_or(Error::Damaged(TABLE)))
            .transpose()?,
    })
}
