-- What an EHR said that it can do, and what it refused all the same. Nothing here identifies a person.

-- The last CapabilityStatement of an EHR, whole. `digest` is that of what it says, without what differs each time.
CREATE TABLE capability (
    ehr TEXT NOT NULL PRIMARY KEY,
    base_url TEXT NOT NULL,
    digest TEXT NOT NULL,
    statement TEXT NOT NULL,
    fetched_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was refused, believed until a moment.
CREATE TABLE refusal (
    ehr TEXT NOT NULL,
    base_url TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    interaction TEXT NOT NULL,
    status INTEGER NOT NULL,
    learned_at TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (ehr, base_url, resource_type, interaction)
) STRICT, WITHOUT ROWID;

-- The outbox again, with a third state: taken in by the EHR (202), and not decided on there. SQLite can't alter a CHECK.
CREATE TABLE operation_with_mediated (
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
    state TEXT NOT NULL CHECK (state IN ('in-flight', 'ambiguous', 'mediated')),
    attempt INTEGER NOT NULL,
    waited_until TEXT NOT NULL,
    searched INTEGER NOT NULL,
    PRIMARY KEY (ehr, item),
    FOREIGN KEY (ehr, plan) REFERENCES link (ehr, plan)
) STRICT, WITHOUT ROWID;

INSERT INTO operation_with_mediated SELECT * FROM operation;

DROP TABLE operation;

ALTER TABLE operation_with_mediated RENAME TO operation;

CREATE INDEX operation_of_plan ON operation (ehr, plan);

PRAGMA user_version = 2;
