-- What is linked, what was agreed, and what is on its way. Everything here may identify a person.

-- A person's word that a record is about a Patient of an EHR. `plan` is the digest of the record's plan id, `client`
-- that of who its client was.
CREATE TABLE link (
    ehr TEXT NOT NULL,
    plan TEXT NOT NULL,
    base_url TEXT NOT NULL,
    record TEXT NOT NULL,
    client TEXT NOT NULL,
    patient TEXT NOT NULL,
    practitioner TEXT,
    patient_marks TEXT NOT NULL,
    linked_at TEXT NOT NULL,
    PRIMARY KEY (ehr, plan)
) STRICT;

-- The last version of each resource on which record and EHR agreed, whole.
CREATE TABLE shadow (
    ehr TEXT NOT NULL,
    item TEXT NOT NULL,
    plan TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    id TEXT NOT NULL,
    base_version TEXT,
    base TEXT NOT NULL,
    base_digest TEXT NOT NULL,
    local TEXT,
    held TEXT,
    PRIMARY KEY (ehr, item),
    UNIQUE (ehr, resource_type, id),
    FOREIGN KEY (ehr, plan) REFERENCES link (ehr, plan)
) STRICT, WITHOUT ROWID;

CREATE INDEX shadow_of_plan ON shadow (ehr, plan);

-- The outbox: a row is here before the first byte of its request is sent, and until its outcome is known.
CREATE TABLE operation (
    ehr TEXT NOT NULL,
    item TEXT NOT NULL,
    plan TEXT NOT NULL,
    verb TEXT NOT NULL CHECK (verb IN ('create', 'update')),
    resource_type TEXT NOT NULL,
    id TEXT,
    base_version TEXT,
    body TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    local TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('in-flight', 'ambiguous')),
    attempt INTEGER NOT NULL,
    waited_until TEXT NOT NULL,
    searched INTEGER NOT NULL,
    PRIMARY KEY (ehr, item),
    FOREIGN KEY (ehr, plan) REFERENCES link (ehr, plan)
) STRICT, WITHOUT ROWID;

CREATE INDEX operation_of_plan ON operation (ehr, plan);

PRAGMA user_version = 1;
