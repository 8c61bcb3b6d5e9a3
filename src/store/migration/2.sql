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

PRAGMA user_version = 2;
