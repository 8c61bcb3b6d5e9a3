-- Other resources of an EHR that a person linked, and packages that a person carries over. Everything here may identify a
-- person.

-- A person's word which Encounter a session is, which Practitioner the therapist, and which Organization or Location the
-- place. `marks` are digests of what identified it then.
CREATE TABLE reference_link (
    ehr TEXT NOT NULL,
    plan TEXT NOT NULL,
    item TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    id TEXT NOT NULL,
    marks TEXT NOT NULL,
    linked_at TEXT NOT NULL,
    PRIMARY KEY (ehr, plan, item),
    FOREIGN KEY (ehr, plan) REFERENCES link (ehr, plan)
) STRICT, WITHOUT ROWID;

-- The packages that were made, one row for each edition of a slot. `name` is that of the package's directory, and opaque.
CREATE TABLE hand_off (
    ehr TEXT NOT NULL,
    plan TEXT NOT NULL,
    slot TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'rejected', 'superseded')),
    made_at TEXT NOT NULL,
    decided_at TEXT,
    reason TEXT,
    PRIMARY KEY (ehr, plan, slot, number),
    UNIQUE (ehr, name),
    FOREIGN KEY (ehr, plan) REFERENCES link (ehr, plan)
) STRICT, WITHOUT ROWID;

-- What the chart had of a type before an operation was sent, where nothing but that tells which resource it made: ids
-- with a space between; null where it was not needed.
ALTER TABLE operation ADD COLUMN seen TEXT;

PRAGMA user_version = 3;
