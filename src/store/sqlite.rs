//! The statements. `row` turns rows into values and back; nothing outside these two files knows a column, but for
//! `capability`, `reference` and `hand_off`, which have tables of their own.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use uuid::Uuid;

use super::{Error, Ledger, Link, Operation, Shadow, digest, reference, row};

/// The schema, one step after another. The n-th sets `user_version` to n, in the transaction in which it runs.
const MIGRATIONS: [&str; 3] = [
    include_str!("migration/1.sql"),
    include_str!("migration/2.sql"),
    include_str!("migration/3.sql"),
];

/// How long a statement waits while another process writes.
const BUSY: Duration = Duration::from_secs(10);

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code().map(Into::into));
        Self::Database(code.unwrap_or_else(|| "no code".to_owned()))
    }
}

/// Opens the database file and brings its schema up to date.
pub(super) async fn connect(file: &Path) -> Result<SqliteConnection, Error> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
        .connect()
        .await?;
    migrate(&mut connection).await?;
    Ok(connection)
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), Error> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    // IMMEDIATE: of two processes that open a new store, the second waits and then finds it made.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 =
        sqlx::query("PRAGMA user_version").fetch_one(&mut *transaction).await?.try_get(0)?;
    if found > known || found < 0 {
        return Err(Error::Newer { found, known });
    }
    let done = usize::try_from(found).unwrap_or_default();
    for migration in MIGRATIONS.into_iter().skip(done) {
        sqlx::raw_sql(migration).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Reads links, with a condition behind it.
macro_rules! select_link {
    ($condition:literal) => {
        concat!(
            "SELECT ehr, plan, base_url, record, client, patient, practitioner, patient_marks, linked_at FROM link ",
            $condition
        )
    };
}

pub(super) async fn links(
    connection: &mut SqliteConnection,
    ehr: Option<&str>,
) -> Result<Vec<Link>, Error> {
    let rows = sqlx::query(select_link!("WHERE $1 IS NULL OR ehr = $1 ORDER BY ehr, plan"))
        .bind(ehr)
        .fetch_all(connection)
        .await?;
    rows.iter().map(row::link).collect()
}

pub(super) async fn link(
    connection: &mut SqliteConnection,
    ehr: &str,
    plan: &str,
) -> Result<Option<Link>, Error> {
    let row = sqlx::query(select_link!("WHERE ehr = $1 AND plan = $2"))
        .bind(ehr)
        .bind(plan)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(row::link).transpose()
}

pub(super) async fn put_link(connection: &mut SqliteConnection, link: &Link) -> Result<(), Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let elsewhere = sqlx::query(
        "SELECT 1 FROM link WHERE ehr = $1 AND plan = $2 AND (patient <> $3 OR base_url <> $4)
         AND (EXISTS (SELECT 1 FROM shadow WHERE shadow.ehr = $1 AND shadow.plan = $2)
              OR EXISTS (SELECT 1 FROM operation WHERE operation.ehr = $1 AND operation.plan = $2)
              OR EXISTS (SELECT 1 FROM hand_off WHERE hand_off.ehr = $1 AND hand_off.plan = $2
                         AND hand_off.state IN ('waiting', 'done')))",
    )
    .bind(&link.ehr)
    .bind(&link.plan)
    .bind(link.patient.to_string())
    .bind(&link.base_url)
    .fetch_optional(&mut *transaction)
    .await?;
    if elsewhere.is_some() {
        return Err(Error::LinkedOtherwise);
    }
    let record = link.record.expose().to_str().ok_or(Error::Damaged("link"))?;
    // A record that was copied to begin another client's bears the same plan id.
    let copied = sqlx::query(
        "SELECT 1 FROM link WHERE ehr = $1 AND plan = $2 AND record <> $3
         AND (client <> $4 OR patient <> $5)",
    )
    .bind(&link.ehr)
    .bind(&link.plan)
    .bind(record)
    .bind(&link.client)
    .bind(link.patient.to_string())
    .fetch_optional(&mut *transaction)
    .await?;
    if copied.is_some() {
        return Err(Error::PlanOfAnother);
    }
    reference::outlive(&mut transaction, link).await?;
    sqlx::query(
        "INSERT INTO link (ehr, plan, base_url, record, client, patient, practitioner, patient_marks,
         linked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (ehr, plan) DO UPDATE SET base_url = excluded.base_url, record = excluded.record,
         client = excluded.client, patient = excluded.patient, practitioner = excluded.practitioner,
         patient_marks = excluded.patient_marks, linked_at = excluded.linked_at",
    )
    .bind(&link.ehr)
    .bind(&link.plan)
    .bind(&link.base_url)
    .bind(record)
    .bind(&link.client)
    .bind(link.patient.to_string())
    .bind(link.practitioner.as_ref().map(ToString::to_string))
    .bind(link.patient_marks.join(" "))
    .bind(link.linked_at.to_string())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn ledger(
    connection: &mut SqliteConnection,
    ehr: &str,
    plan: &str,
) -> Result<Ledger, Error> {
    let shadows = sqlx::query(
        "SELECT item, resource_type, id, base_version, base, base_digest, local, held
         FROM shadow WHERE ehr = $1 AND plan = $2 ORDER BY item",
    )
    .bind(ehr)
    .bind(plan)
    .fetch_all(&mut *connection)
    .await?;
    let operations = sqlx::query(
        "SELECT item, verb, resource_type, id, base_version, body, body_digest, local, state, attempt,
         waited_until, searched, seen FROM operation WHERE ehr = $1 AND plan = $2 ORDER BY item",
    )
    .bind(ehr)
    .bind(plan)
    .fetch_all(connection)
    .await?;
    Ok(Ledger {
        shadows: shadows.iter().map(row::shadow).collect::<Result<_, _>>()?,
        operations: operations.iter().map(row::operation).collect::<Result<_, _>>()?,
    })
}

pub(super) async fn in_flight_becomes_ambiguous(
    connection: &mut SqliteConnection,
    ehr: &str,
) -> Result<(), Error> {
    sqlx::query("UPDATE operation SET state = 'ambiguous' WHERE ehr = $1 AND state = 'in-flight'")
        .bind(ehr)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn put_operations(
    connection: &mut SqliteConnection,
    ehr: &str,
    plan: &str,
    operations: &[Operation],
) -> Result<(), Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for operation in operations {
        let (verb, id, base_version) = row::verb(&operation.verb);
        let body = operation.body.to_text();
        sqlx::query(
            "INSERT OR REPLACE INTO operation (ehr, item, plan, verb, resource_type, id, base_version,
             body, body_digest, local, state, attempt, waited_until, searched, seen)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(ehr)
        .bind(operation.item.to_string())
        .bind(plan)
        .bind(verb)
        .bind(operation.body.resource_type())
        .bind(id)
        .bind(base_version)
        .bind(&body)
        .bind(digest(&body))
        .bind(operation.local.to_text())
        .bind(row::state(operation.state))
        .bind(operation.attempt)
        .bind(operation.waited_until.to_string())
        .bind(operation.searched)
        .bind(operation.seen.as_ref().map(|seen| seen.iter().cloned().collect::<Vec<_>>().join(" ")))
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn remove_operations(
    connection: &mut SqliteConnection,
    ehr: &str,
    items: &[Uuid],
) -> Result<(), Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for item in items {
        sqlx::query("DELETE FROM operation WHERE ehr = $1 AND item = $2")
            .bind(ehr)
            .bind(item.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn put_shadows(
    connection: &mut SqliteConnection,
    ehr: &str,
    plan: &str,
    shadows: &[Shadow],
) -> Result<(), Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for shadow in shadows {
        let base = shadow.base.to_text();
        sqlx::query(
            "INSERT INTO shadow (ehr, item, plan, resource_type, id, base_version, base, base_digest,
             local, held) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (ehr, item) DO UPDATE SET resource_type = excluded.resource_type,
             id = excluded.id, base_version = excluded.base_version, base = excluded.base,
             base_digest = excluded.base_digest, local = excluded.local, held = excluded.held",
        )
        .bind(ehr)
        .bind(shadow.item.to_string())
        .bind(plan)
        .bind(shadow.id.resource_type())
        .bind(shadow.id.id())
        .bind(&shadow.base_version)
        .bind(&base)
        .bind(digest(&base))
        .bind(shadow.local.as_ref().map(crate::fhir::Resource::to_text))
        .bind(shadow.held.map(row::hold))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM operation WHERE ehr = $1 AND item = $2")
            .bind(ehr)
            .bind(shadow.item.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
