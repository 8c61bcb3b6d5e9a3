//! Rows as values. What does not read back as it was written is damage, never a default.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::fhir::{Resource, ResourceId};
use crate::phi::Phi;

use super::{Error, Hold, Link, Operation, Shadow, State, Verb, digest};

pub(super) fn link(row: &SqliteRow) -> Result<Link, Error> {
    let damaged = || Error::Damaged("link");
    let marks: String = row.try_get("patient_marks")?;
    Ok(Link {
        ehr: row.try_get("ehr")?,
        base_url: row.try_get("base_url")?,
        plan: row.try_get("plan")?,
        record: Phi::new(row.try_get::<String, _>("record")?.into()),
        client: row.try_get("client")?,
        patient: row.try_get::<&str, _>("patient")?.parse().map_err(|_| damaged())?,
        practitioner: row
            .try_get::<Option<&str>, _>("practitioner")?
            .map(|text| text.parse().map_err(|_| damaged()))
            .transpose()?,
        patient_marks: marks.split_whitespace().map(str::to_owned).collect(),
        linked_at: moment(row, "linked_at", "link")?,
    })
}

pub(super) fn shadow(row: &SqliteRow) -> Result<Shadow, Error> {
    const TABLE: &str = "shadow";
    let held: Option<&str> = row.try_get("held")?;
    Ok(Shadow {
        item: item(row, TABLE)?,
        id: id(row, TABLE)?,
        base_version: row.try_get("base_version")?,
        base: body(row, "base", "base_digest", TABLE)?,
        local: row
            .try_get::<Option<&str>, _>("local")?
            .map(|text| parse(text, TABLE))
            .transpose()?,
        held: held
            .map(|text| HOLDS.into_iter().find(|one| hold(*one) == text))
            .map(|hold| hold.ok_or(Error::Damaged(TABLE)))
            .transpose()?,
    })
}

pub(super) fn operation(row: &SqliteRow) -> Result<Operation, Error> {
    const TABLE: &str = "operation";
    let damaged = || Error::Damaged(TABLE);
    let verb = match row.try_get::<&str, _>("verb")? {
        "create" => Verb::Create,
        "update" => Verb::Update {
            id: id(row, TABLE)?,
            base_version: row.try_get::<Option<String>, _>("base_version")?.ok_or_else(damaged)?,
        },
        _ => return Err(damaged()),
    };
    Ok(Operation {
        item: item(row, TABLE)?,
        verb,
        body: body(row, "body", "body_digest", TABLE)?,
        local: parse(row.try_get("local")?, TABLE)?,
        state: match row.try_get::<&str, _>("state")? {
            "in-flight" => State::InFlight,
            "ambiguous" => State::Ambiguous,
            "mediated" => State::Mediated,
            _ => return Err(damaged()),
        },
        attempt: row.try_get("attempt")?,
        waited_until: moment(row, "waited_until", TABLE)?,
        searched: row.try_get("searched")?,
        seen: row
            .try_get::<Option<&str>, _>("seen")?
            .map(|text| text.split_whitespace().map(str::to_owned).collect()),
    })
}

const HOLDS: [Hold; 2] = [Hold::CreatedByUpdate, Hold::Unexplained];

pub(super) const fn hold(hold: Hold) -> &'static str {
    match hold {
        Hold::CreatedByUpdate => "created-by-update",
        Hold::Unexplained => "unexplained",
    }
}

pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::InFlight => "in-flight",
        State::Ambiguous => "ambiguous",
        State::Mediated => "mediated",
    }
}

/// The name of a verb, and the id and version that an update has.
pub(super) fn verb(verb: &Verb) -> (&'static str, Option<&str>, Option<&str>) {
    match verb {
        Verb::Create => ("create", None, None),
        Verb::Update { id, base_version } => ("update", Some(id.id()), Some(base_version)),
    }
}

pub(super) fn item(row: &SqliteRow, table: &'static str) -> Result<Uuid, Error> {
    row.try_get::<&str, _>("item")?.parse().map_err(|_| Error::Damaged(table))
}

pub(super) fn id(row: &SqliteRow, table: &'static str) -> Result<ResourceId, Error> {
    ResourceId::new(row.try_get("resource_type")?, row.try_get("id")?)
        .map_err(|_| Error::Damaged(table))
}

pub(super) fn moment(
    row: &SqliteRow,
    column: &str,
    table: &'static str,
) -> Result<jiff::Timestamp, Error> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| Error::Damaged(table))
}

fn body(
    row: &SqliteRow,
    column: &str,
    digest_column: &str,
    table: &'static str,
) -> Result<Resource, Error> {
    let text: &str = row.try_get(column)?;
    if digest(text) != row.try_get::<&str, _>(digest_column)? {
        return Err(Error::Damaged(table));
    }
    parse(text, table)
}

fn parse(text: &str, table: &'static str) -> Result<Resource, Error> {
    Resource::parse(text.as_bytes()).map_err(|_| Error::Damaged(table))
}
