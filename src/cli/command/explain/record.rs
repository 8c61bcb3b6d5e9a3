//! What can be wrong with a record, with what is mapped from it or back to it, and with its notes.

use super::Told;

const SCHEMA: &str = "profiles/ipt-plan.schema.json";
const TOUR: &str = "README.md, A tour";
const NOTE: &str = "README.md, How a session note travels";
const PRIVACY: &str = "README.md, Privacy";

/// All of this file.
#[rustfmt::skip]
pub(super) const ALL: &[Told] = &[
    Told(
        "fhir-no-plan",
        "no plan can be read back from this FHIR",
        "`map --reverse` needs one CarePlan that tells of an IPT plan, and its Patient. Give the Bundle that `map` wrote, or one \
         that holds both.",
        TOUR,
    ),
    Told(
        "fhir-package-file",
        "a file of a package is no definition",
        "It is no JSON object as FHIR has it, so it was left out; the other files of the package count. Get the package again.",
        "https://hl7.org/fhir/packages.html",
    ),
    Told(
        "ipt-map-not-read",
        "a resource of the plan can't be read back",
        "It lacks something that a record must have, or holds a code that no record knows. It is not in the record that was \
         written: look at it in the EHR before the record is used.",
        TOUR,
    ),
    Told(
        "ipt-map-risk-not-judged",
        "item 9 of a PHQ-9 is above zero and nobody judged the risk",
        "Item 9 asks for thoughts of death or self-harm. A number is no judgement, so none is made of it: the therapist judges, and \
         `risk` of the session records it.",
        SCHEMA,
    ),
    Told(
        "ipt-note-character",
        "the note has a character that the PDF's fonts lack",
        "A PDF that showed a blank in its place would say something else than the record. Render to text or HTML, or write the \
         word otherwise.",
        NOTE,
    ),
    Told(
        "ipt-note-no-pdf",
        "this build writes no PDF",
        "It was built without the feature `pdf`. Render to text or HTML, or build with it.",
        NOTE,
    ),
    Told("ipt-note-pdf", "the PDF can't be made", "The writer of PDF failed. Render to text or HTML, and report it.", NOTE),
    Told(
        "ipt-note-too-long",
        "the note is longer than the EHR takes",
        "A note is never cut: half of it would pass for the whole. Shorten the summary, or let the policy keep parts of it.",
        NOTE,
    ),
    Told(
        "ipt-plan-achievement-missing",
        "a goal has a date of achievement and no achievement",
        "FHIR has the date with the status. Give `achievement`, or remove `achievementDate`.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-activity-outside-phase",
        "an activity is planned for sessions outside its phase",
        "Most often one of the two ranges was not changed with the other. Check both; it is a warning, for it may be meant.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-born-later",
        "the client was born after the plan was made",
        "One of the two dates is wrong, and a wrong birth date can lead to the wrong chart. Check both.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-clinical-status-forbidden",
        "a diagnosis entered in error has a clinicalStatus",
        "FHIR's invariant con-5: what was never true is neither active nor resolved. Remove `clinicalStatus`.",
        "https://hl7.org/fhir/R4/condition.html#invs",
    ),
    Told(
        "ipt-plan-clinical-status-missing",
        "a diagnosis has no clinicalStatus",
        "Only one that was entered in error has none (FHIR's invariants con-3 and con-5). Give `clinicalStatus`.",
        "https://hl7.org/fhir/R4/condition.html#invs",
    ),
    Told(
        "ipt-plan-code",
        "a code that the schema does not have here",
        "The help below the message lists the codes that are allowed. A word of your own belongs into a text beside it.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-combination",
        "members that can't stand together",
        "The schema allows one of several shapes here, and this is none or more than one of them. Its description says which.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-completed-with-future-session",
        "the plan is completed and a session is still to come",
        "Whoever reads the chart would expect the session. Cancel it, or let the plan be active.",
        SCHEMA,
    ),
    Told("ipt-plan-constant", "a value that can only be one", "The schema has one value for this member. Write it as the message says.", SCHEMA),
    Told(
        "ipt-plan-count",
        "a count with a fraction or an exponent",
        "JSON has 7, 7.0 and 7e0 for the same number, FHIR's integers only the first. Write digits alone.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-dangling-id",
        "an id that no item of the record has",
        "Items refer to each other by id, and this one leads nowhere. Add the item, or correct the id.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-date",
        "a day or time that does not exist",
        "The form is right, the calendar does not have it: 2024-02-30, or 25 o'clock. Correct it.",
        "https://hl7.org/fhir/R4/datatypes.html#dateTime",
    ),
    Told(
        "ipt-plan-dit-without-ipaf",
        "dynamic interpersonal therapy without its focus",
        "DIT works on an interpersonal affective focus. Give `ipaf`, choose another variant, or let the plan be a draft.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-duplicate-id",
        "two items of the record have one id",
        "What refers to it could mean either. Give one of them another id; keep the id of the one that was synced.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-duplicate-key",
        "a member is there twice in one object",
        "Programs take the first or the last of them, each as it likes, so a record with both is not read. Remove one.",
        SCHEMA,
    ),
    Told("ipt-plan-empty", "an empty list or object", "FHIR has none that are empty. Leave the member out if there is nothing to say.", SCHEMA),
    Told("ipt-plan-empty-file", "the file is empty", "There is nothing to read. `record new` prints a record to fill in.", TOUR),
    Told("ipt-plan-ends-before-start", "an end before its start", "One of the two times is wrong. Check both.", SCHEMA),
    Told(
        "ipt-plan-focus-missing",
        "neither problem areas nor an interpersonal affective focus",
        "A course of IPT has a focus. Give `focusAreas` (IPT) or `ipaf` (DIT), or let the plan be a draft.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-focus-twice",
        "problem areas and an interpersonal affective focus",
        "They belong to two therapies. Keep `focusAreas` for IPT, or `ipaf` for DIT.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-form",
        "a text without the form that is needed",
        "Dates, ids, URIs and the like have one form each; the schema's description of the member says which.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-goal-twice",
        "the same goal's progress twice in one session",
        "A session has one word on each goal. Keep one entry for it.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-id-holds-name",
        "the plan's id seems to hold part of a person's name",
        "Ids stand in URLs and logs, where no name may be. Take one that says nothing, such as the UUID that `record new` makes.",
        PRIVACY,
    ),
    Told("ipt-plan-id-twice", "the same id twice in one list", "A list of ids names each item once. Remove one.", SCHEMA),
    Told(
        "ipt-plan-local-id-holds-name",
        "a local id seems to hold part of a person's name",
        "Local ids travel with the resources that are made of the items. Take ids that say nothing of a person.",
        PRIVACY,
    ),
    Told("ipt-plan-missing", "a member is missing", "The schema demands it here. The message names it.", SCHEMA),
    Told(
        "ipt-plan-more-issues",
        "there are more issues than are shown",
        "Faults often follow from each other: mend those that are shown, then check again.",
        TOUR,
    ),
    Told(
        "ipt-plan-not-json",
        "the record is not JSON",
        "The place that is shown is where reading ended; often the fault stands a line before: a comma or a quote. What begins with { or [ \
         is read as JSON, all else as YAML.",
        "https://www.rfc-editor.org/rfc/rfc8259",
    ),
    Told(
        "ipt-plan-not-utf8",
        "the record is not UTF-8",
        "Letters with accents would become others. Save the file as UTF-8.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-not-yaml",
        "the record is not YAML",
        "The place that is shown is where reading ended; look at the indentation and at quotes. Tags of one's own, aliases and several \
         documents in a file are not taken.",
        "https://yaml.org/spec/1.2.2/",
    ),
    Told("ipt-plan-number", "a number that is too large", "No number of a record is that large. Check its exponent.", SCHEMA),
    Told(
        "ipt-plan-organization-at-home",
        "a way to reach an organization at home",
        "An organization has no home (FHIR's invariant org-3). Let `use` be `work`, or leave it out.",
        "https://hl7.org/fhir/R4/organization.html#invs",
    ),
    Told(
        "ipt-plan-own-identifier",
        "an identifier in a system that is ours",
        "What is written gets identifiers in this system, made of the record's ids; by them it is found again. Leave it out.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-phase-beyond-course",
        "a phase ends after the last session of the course",
        "Check the phase's range and `structure.sessions.max`.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-phases-not-contiguous",
        "a phase does not begin right after the one before",
        "Overlaps and gaps are allowed, but seldom meant. Check the ranges.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-process-notes",
        "the record holds psychotherapy notes",
        "What the law keeps apart from the chart (45 CFR 164.501) never leaves by this program, so a record that holds it is refused. \
         Keep it elsewhere; what may be charted goes into a session's `summary`.",
        PRIVACY,
    ),
    Told("ipt-plan-range", "a number outside its range", "The message says the least or the most that is allowed.", SCHEMA),
    Told("ipt-plan-range-reversed", "a range that ends before it begins", "Exchange the two ends, or correct one.", SCHEMA),
    Told(
        "ipt-plan-schema",
        "the record does not fit the schema",
        "A rule of the schema does not hold that has no code of its own. The message names it.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-session-length",
        "a session's length is not the time from its start to its end",
        "Two of the three agree at most. Check them.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-session-number-twice",
        "two sessions have one number",
        "Sessions are counted; only one that was cancelled or entered in error may share its number.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-session-times-missing",
        "a session lacks its start or its end",
        "An Appointment that is booked or was missed has both (FHIR's invariant app-3), any other both or neither (app-2).",
        "https://hl7.org/fhir/R4/appointment.html#invs",
    ),
    Told(
        "ipt-plan-too-large",
        "the record is larger or nested deeper than any record",
        "It is likely another file. A record has 16 MiB and 64 levels at most.",
        SCHEMA,
    ),
    Told("ipt-plan-type", "a value of another type", "The message says which type the schema has here: text, number, list, object.", SCHEMA),
    Told(
        "ipt-plan-unknown-document",
        "the document does not say that it is a record",
        "A record begins with `\"format\": \"ipt-plan\"`. `record new` prints one; `validate` looks at FHIR, `map --reverse` reads it.",
        TOUR,
    ),
    Told(
        "ipt-plan-unknown-key",
        "a member that a record does not have",
        "A misspelt member would silently be lost. Correct it, remove it, or let its name begin with `x-` if it is your own.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-version",
        "a version of the format that is not read",
        "This program reads version 1.0. Use a newer program, or write `\"formatVersion\": \"1.0\"` if it is one.",
        SCHEMA,
    ),
    Told(
        "ipt-plan-wrong-target",
        "an id names another kind of item",
        "A goal where a relationship is meant, for example. The schema's description of the member says which kind belongs there.",
        SCHEMA,
    ),
];
