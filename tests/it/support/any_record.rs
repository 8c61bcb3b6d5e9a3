//! Records made by chance: valid, and as odd as a valid record can be.
//!
//! A record is made from a list of numbers, one for each choice; a list that is used up answers 0, which always
//! means the plainest thing: absent, the first of a list, the shortest text. So proptest shrinks a record by
//! shrinking the list, and no rule between fields has to be known to the shrinking.

use std::collections::BTreeSet;

use ipt_fhir::ipt::{
    Achievement, Comparator, ConsentKind, ConsentStatus, Delivery, FocusCode, Format, Gender,
    GoalMeasure, GoalStatus, Instrument, PhaseCode, PlanStatus, Priority, Rank, RelationStatus,
    RoleCode, SessionStatus, Technique, Variant,
    goal::ExpressedBy,
    person::{TelecomSystem, TelecomUse},
    phase::TimeUnit,
    plan::{ClinicalStatus, PrognosisCode, ScreeningResult, VerificationStatus},
    session::{HomeworkStatus, RiskLevel},
};
use ipt_fhir::json::{Number, Object, Value};
use ipt_fhir::object;
use proptest::prelude::*;

mod time;
mod words;

/// A valid record as a JSON value, `x-*` members and `passthrough` included.
pub(crate) fn any_record() -> impl Strategy<Value = Value> {
    any_choices().prop_map(|given| record_of(&given))
}

/// The choices behind a record.
pub(crate) fn any_choices() -> impl Strategy<Value = Vec<u16>> {
    // Most records need about a thousand choices; those with fewer end in plain parts.
    proptest::collection::vec(any::<u16>(), 200..1_600)
}

/// The record of a list of choices.
pub(crate) fn record_of(given: &[u16]) -> Value {
    let mut choices = Choices { given, next: 0, serial: 0, ids: BTreeSet::new() };
    Value::Object(record(&mut choices))
}

/// The choices that are left, and the ids that are taken.
struct Choices<'a> {
    given: &'a [u16],
    next: usize,
    serial: u32,
    ids: BTreeSet<String>,
}

impl Choices<'_> {
    fn draw(&mut self) -> u16 {
        let drawn = self.given.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        drawn
    }

    /// A number below another one.
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.draw()) % end
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.yes() { Some(make(self)) } else { None }
    }

    /// Up to so many, seldom many.
    fn list<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = self.below(most + 1);
        (0..length).map(|_| make(self)).collect()
    }

    /// Some of these, each at most once, in any order.
    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        let mut left = of.to_vec();
        let length = self.below(of.len().min(4) + 1);
        (0..length)
            .map(|_| {
                let index = self.below(left.len());
                left.remove(index)
            })
            .collect()
    }

    fn number(&mut self, of: &[&str]) -> Value {
        Value::Number(Number::from_text(self.one(of)).unwrap())
    }

    /// A number above zero, in one of its many spellings.
    fn positive(&mut self) -> Value {
        self.number(&["1", "2", "1.50", "1e2", "50.0", "0.001", "2E-1", "12.25", "1.0e+1", "33"])
    }

    /// A number from zero up.
    fn zero_or_more(&mut self) -> Value {
        self.number(&["0", "1", "0.0", "17", "27.50", "1e1", "0E0", "8.125"])
    }

    fn small(&mut self) -> u32 {
        let most = [1, 2, 3, 7, 16, 20, 100, 2_147_483_647];
        self.one(&most)
    }
}

/// An object with an `x-*` member in it now and then.
fn with_own(choices: &mut Choices<'_>, mut object: Object) -> Object {
    if choices.below(12) == 11 {
        let value = match choices.below(4) {
            0 => Value::Null,
            1 => Value::Array(Vec::new()),
            2 => Value::Bool(false),
            _ => Value::String(choices.text()),
        };
        object.insert("x-own", value);
    }
    object
}

macro_rules! code {
    ($choices:expr, $type:ty) => {
        $choices.one(<$type>::ALL).code()
    };
}

fn record(choices: &mut Choices<'_>) -> Object {
    let status = choices.one(PlanStatus::ALL);
    let mut variant = choices.one(Variant::ALL);
    // Outside of drafts a plan has problem areas or an IPAF, and DIT has an IPAF.
    let draft = status == PlanStatus::Draft;
    let has_ipaf = if draft { choices.yes() } else { choices.below(3) == 2 };
    let has_focus = if draft { choices.yes() } else { !has_ipaf };
    if variant == Variant::Dit && !has_ipaf && !draft {
        variant = Variant::Ipt;
    }
    let id = choices.one(&[
        "p",
        "0b6d9c7f-58a2-4e31-9f47-c1d8e0b35a64",
        "plan.1",
        "goal-1",
        "-",
        "A-very-long-plan-id-with-all-64-characters-that-an-id-may-have-0",
    ]);
    let date = choices.maybe(Choices::date);
    let client = client(choices, date.as_deref());
    let therapist = therapist(choices);
    let care_team = choices.list(3, care_team_member);
    let diagnoses = choices.list(3, diagnosis);
    let relationships = choices.list(3, relationship);
    let related = ids_of(&relationships);
    let focus_areas: Vec<Object> = if has_focus {
        let more = choices.below(3);
        (0..=more).map(|_| focus_area(choices, &related)).collect()
    } else {
        Vec::new()
    };
    let ipaf = has_ipaf.then(|| ipaf(choices));
    let ipaf_id: Vec<String> = ipaf.iter().map(id_of).collect();
    let phases: Vec<Object> = {
        let more = choices.below(4);
        (0..=more).map(|_| phase(choices)).collect()
    };
    let mut about = ids_of(&focus_areas);
    about.extend(ipaf_id);
    let mut addressed = ids_of(&diagnoses);
    addressed.extend(about.clone());
    let goals = choices.list(3, |choices| goal(choices, &addressed, true));
    let goal_ids: Vec<String> = goals
        .iter()
        .flat_map(|goal| {
            let parts = goal.get("objectives").and_then(Value::as_array).unwrap_or_default();
            let parts = parts.iter().filter_map(|part| part.text("id").map(str::to_owned));
            std::iter::once(id_of(goal)).chain(parts).collect::<Vec<_>>()
        })
        .collect();
    let phase_ids = ids_of(&phases);
    let activities = choices.list(4, |choices| activity(choices, &phase_ids, &goal_ids));
    let mut people = vec![id_of(&client), id_of(&therapist)];
    people.extend(ids_of(&care_team));
    people.extend(related);
    let known = Known {
        people,
        phases: phase_ids,
        activities: ids_of(&activities),
        focus: about,
        goals: goal_ids,
    };
    let mut numbers = BTreeSet::new();
    let sessions = choices.list(4, |choices| session(choices, &known, &mut numbers));
    let record = object! {
        "format" => "ipt-plan",
        "formatVersion" => "1.0",
        "id" => id,
        "revision" => choices.maybe(Choices::small),
        "status" => status.code(),
        "variant" => variant.code(),
        "title" => choices.text(),
        "date" => date.map_or(Value::Null, Value::String),
        "language" => choices.maybe(|choices| choices.one(&["en", "de-CH", "zh-Hant-TW", "es-419"])),
        "client" => client,
        "therapist" => therapist,
        "careTeam" => care_team,
        "referral" => referral(choices),
        "diagnoses" => diagnoses,
        "presentingProblem" => presenting_problem(choices),
        "assessment" => choices.maybe(|choices| object! { "text" => choices.text() }),
        "screening" => screening(choices),
        "focusAreas" => focus_areas,
        "ipaf" => ipaf,
        "inventory" => relationships,
        "phases" => phases,
        "activities" => activities,
        "goals" => goals,
        "interventions" => choices.list(3, intervention),
        "monitoring" => choices.list(2, Choices::text),
        "measures" => choices.list(3, measure),
        "relapsePrevention" => relapse_prevention(choices),
        "prognosis" => prognosis(choices),
        "outcome" => choices.maybe(outcome),
        "review" => choices.maybe(|choices| object! { "next" => choices.date() }),
        "sessions" => sessions,
        "consents" => choices.list(3, consent),
        "passthrough" => choices.list(1, passthrough),
    };
    let mut record = with_own(choices, record);
    // The one object that may be empty.
    record.insert("structure", Value::Object(structure(choices)));
    record
}

fn id_of(object: &Object) -> String {
    object.get("id").and_then(Value::as_str).unwrap().to_owned()
}

fn ids_of(objects: &[Object]) -> Vec<String> {
    objects.iter().map(id_of).collect()
}

fn name(choices: &mut Choices<'_>) -> Object {
    let name = object! {
        "text" => choices.text(),
        "family" => choices.maybe(Choices::text),
        "given" => choices.list(2, Choices::text),
        "prefix" => choices.list(1, Choices::text),
        "suffix" => choices.list(2, Choices::text),
    };
    with_own(choices, name)
}

fn telecom(choices: &mut Choices<'_>) -> Object {
    let telecom = object! {
        "system" => code!(choices, TelecomSystem),
        "value" => choices.text(),
        "use" => choices.maybe(|choices| code!(choices, TelecomUse)),
    };
    with_own(choices, telecom)
}

fn identifier(choices: &mut Choices<'_>) -> Object {
    object! {
        "system" => choices.one(&["http://hl7.org/fhir/sid/us-npi", "urn:oid:1.2.3", "x:%20&<>"]),
        "value" => choices.text(),
    }
}

fn coding(choices: &mut Choices<'_>) -> Object {
    // Some are those that the mapping adds by itself.
    let (system, code) = choices.one(&[
        ("http://hl7.org/fhir/sid/icd-10-cm", "F43.21"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "F10.20"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "Z69.11"),
        ("http://snomed.info/sct", "224965009"),
        ("http://snomed.info/sct", "443730003"),
        ("https://ipt-fhir.org/fhir/CodeSystem/ipt-focus-area", "grief"),
        ("https://ipt-fhir.org/fhir/CodeSystem/ipt-concept", "referrer"),
        ("https://ipt-fhir.org/fhir/CodeSystem/ipt-concept", "therapist"),
        ("urn:oid:2.16.840.1", "two words"),
    ]);
    object! { "system" => system, "code" => code, "display" => choices.maybe(Choices::text) }
}

fn client(choices: &mut Choices<'_>, plan_date: Option<&str>) -> Object {
    let (birth_date, age) = match choices.below(3) {
        0 => (None, None),
        1 => (Some(choices.one(&["1990", "1990-02", "2000-02-29"])), None),
        _ => (None, Some(age(choices, plan_date))),
    };
    let client = object! {
        "id" => choices.id("client"),
        "name" => name(choices),
        "birthDate" => birth_date,
        "age" => age,
        "gender" => choices.maybe(|choices| code!(choices, Gender)),
        "identifiers" => choices.list(2, identifier),
        "telecom" => choices.list(2, telecom),
    };
    with_own(choices, client)
}

fn age(choices: &mut Choices<'_>, plan_date: Option<&str>) -> Object {
    let as_of = choices.maybe(|choices| match plan_date {
        Some(date) if choices.yes() => date.to_owned(),
        _ => choices.date(),
    });
    object! {
        "value" => choices.zero_or_more(),
        "unit" => code!(choices, TimeUnit),
        "asOf" => as_of,
    }
}

fn therapist(choices: &mut Choices<'_>) -> Object {
    let therapist = object! {
        "id" => choices.id("therapist"),
        "name" => name(choices),
        "identifiers" => choices.list(2, identifier),
        "qualification" => choices.maybe(Choices::text),
        "organization" => choices.maybe(Choices::text),
    };
    with_own(choices, therapist)
}

fn care_team_member(choices: &mut Choices<'_>) -> Object {
    let is_person = choices.yes();
    let name = choices.text();
    let (name, organization) = if is_person { (Some(name), None) } else { (None, Some(name)) };
    let member = object! {
        "id" => choices.id("team"),
        "role" => object! { "text" => choices.text(), "coding" => choices.maybe(coding) },
        "name" => name,
        "organization" => organization,
        "telecom" => choices.list(2, |choices| {
            let mut telecom = telecom(choices);
            // An organization has no home.
            if !is_person && telecom.get("use").and_then(Value::as_str) == Some("home") {
                telecom.remove("use");
            }
            telecom
        }),
    };
    with_own(choices, member)
}

fn referral(choices: &mut Choices<'_>) -> Option<Object> {
    let referral = object! {
        "by" => choices.maybe(Choices::text),
        "date" => choices.maybe(Choices::date),
        "reason" => choices.maybe(Choices::text),
    };
    (!referral.is_empty()).then_some(referral)
}

fn diagnosis(choices: &mut Choices<'_>) -> Object {
    let verification = choices.one(VerificationStatus::ALL);
    let clinical = code!(choices, ClinicalStatus);
    let in_error = verification == VerificationStatus::EnteredInError;
    let diagnosis = object! {
        "id" => choices.id("dx"),
        "text" => choices.text(),
        "asWritten" => choices.maybe(Choices::text),
        "codings" => choices.list(3, coding),
        "rank" => choices.maybe(Choices::small),
        "clinicalStatus" => (!in_error).then_some(clinical),
        "verificationStatus" => verification.code(),
        "onset" => choices.maybe(Choices::date),
        "recorded" => choices.maybe(Choices::date),
    };
    with_own(choices, diagnosis)
}

fn presenting_problem(choices: &mut Choices<'_>) -> Object {
    let problem =
        object! { "text" => choices.text(), "symptoms" => choices.list(2, Choices::text) };
    with_own(choices, problem)
}

fn screening(choices: &mut Choices<'_>) -> Option<Object> {
    let exclusion = |choices: &mut Choices<'_>| {
        object! {
            "code" => choices.text(),
            "present" => choices.yes(),
            "note" => choices.maybe(Choices::text),
        }
    };
    let screening = object! {
        "result" => choices.maybe(|choices| code!(choices, ScreeningResult)),
        "exclusions" => choices.list(2, exclusion),
        "text" => choices.maybe(Choices::text),
    };
    (!screening.is_empty()).then_some(screening)
}

fn focus_area(choices: &mut Choices<'_>, related: &[String]) -> Object {
    let focus = object! {
        "id" => choices.id("focus"),
        "code" => code!(choices, FocusCode),
        "label" => choices.text(),
        "rank" => choices.maybe(|choices| code!(choices, Rank)),
        "description" => choices.maybe(Choices::text),
        "relationshipIds" => choices.some(related),
        "codings" => choices.list(2, coding),
    };
    with_own(choices, focus)
}

fn ipaf(choices: &mut Choices<'_>) -> Object {
    object! {
        "id" => choices.id("ipaf"),
        "statement" => choices.text(),
        "experience" => choices.maybe(Choices::text),
        "expectation" => choices.maybe(Choices::text),
        "response" => choices.maybe(Choices::text),
    }
}

fn relationship(choices: &mut Choices<'_>) -> Object {
    let person = object! {
        "id" => choices.id("rel"),
        "label" => choices.text(),
        "relationship" => choices.maybe(|choices| code!(choices, RoleCode)),
        "relationshipText" => choices.maybe(Choices::text),
        "status" => choices.maybe(|choices| code!(choices, RelationStatus)),
        "communicationStyle" => choices.maybe(Choices::text),
        "disputes" => choices.list(2, Choices::text),
        "losses" => choices.list(2, Choices::text),
        "roleChanges" => choices.list(2, Choices::text),
        "support" => choices.maybe(Choices::text),
        "expectations" => choices.maybe(Choices::text),
        "patterns" => choices.maybe(Choices::text),
        "intimacy" => choices.maybe(Choices::text),
        "participates" => choices.maybe(Choices::yes),
        "sensitivity" => choices.maybe(Choices::text),
    };
    with_own(choices, person)
}

fn frequency(choices: &mut Choices<'_>) -> Object {
    object! {
        "count" => choices.small(),
        "period" => choices.positive(),
        "unit" => code!(choices, TimeUnit),
    }
}

fn weeks(choices: &mut Choices<'_>) -> Object {
    let side = choices.below(3);
    let mut sides = [choices.zero_or_more(), choices.zero_or_more()];
    let number = |side: &Value| side.as_number().unwrap().clone();
    sides.sort_by(|left, right| number(left).compare(&number(right)).unwrap());
    let [least, most] = sides;
    object! { "min" => (side != 1).then_some(least), "max" => (side != 0).then_some(most) }
}

fn structure(choices: &mut Choices<'_>) -> Object {
    let length = choices.maybe(
        |choices| object! { "value" => choices.positive(), "unit" => code!(choices, TimeUnit) },
    );
    let sessions = choices.maybe(|choices| {
        let least = choices.small();
        let most = if choices.yes() { least } else { least.max(choices.small()) };
        object! { "min" => least, "max" => most }
    });
    let structure = object! {
        "frequency" => choices.maybe(frequency),
        "sessionLength" => length,
        "sessions" => sessions,
        "weeks" => choices.maybe(weeks),
        "format" => choices.maybe(|choices| code!(choices, Format)),
        "delivery" => choices.maybe(|choices| code!(choices, Delivery)),
        "note" => choices.maybe(Choices::text),
    };
    with_own(choices, structure)
}

fn range(choices: &mut Choices<'_>) -> Object {
    let first = choices.small();
    object! { "first" => first, "last" => first.max(choices.small()) }
}

fn phase(choices: &mut Choices<'_>) -> Object {
    let (sessions, weeks) = match choices.below(3) {
        0 => (None, None),
        1 => (Some(range(choices)), None),
        _ => (None, Some(weeks(choices))),
    };
    let phase = object! {
        "id" => choices.id("phase"),
        "code" => code!(choices, PhaseCode),
        "title" => choices.text(),
        "sessions" => sessions,
        "weeks" => weeks,
        "goal" => choices.maybe(Choices::text),
    };
    with_own(choices, phase)
}

fn techniques(choices: &mut Choices<'_>) -> Vec<&'static str> {
    choices.list(3, |choices| code!(choices, Technique))
}

fn activity(choices: &mut Choices<'_>, phases: &[String], goals: &[String]) -> Object {
    let activity = object! {
        "id" => choices.id("act"),
        "phaseId" => choices.maybe(|choices| choices.one(phases)),
        "sessions" => choices.maybe(range),
        "title" => choices.text(),
        "description" => choices.maybe(Choices::text),
        "techniques" => techniques(choices),
        "goalIds" => choices.some(goals),
        "conditional" => choices.maybe(Choices::text),
    };
    with_own(choices, activity)
}

fn goal(choices: &mut Choices<'_>, addressed: &[String], has_parts: bool) -> Object {
    let achievement = choices.maybe(|choices| code!(choices, Achievement));
    let achieved = achievement.and_then(|_| choices.maybe(Choices::date));
    let (start, due) = choices.dates();
    let goal = object! {
        "id" => choices.id("goal"),
        "text" => choices.text(),
        "status" => code!(choices, GoalStatus),
        "achievement" => achievement,
        "achievementDate" => achieved,
        "priority" => choices.maybe(|choices| code!(choices, Priority)),
        "start" => start,
        "due" => due,
        "expressedBy" => choices.maybe(|choices| code!(choices, ExpressedBy)),
        "addresses" => choices.some(addressed),
        "targets" => choices.list(2, target),
        "note" => choices.maybe(Choices::text),
    };
    let mut goal = with_own(choices, goal);
    if has_parts {
        goal.put("objectives", choices.list(2, |choices| self::goal(choices, addressed, false)));
    }
    goal
}

fn measure_of_target(choices: &mut Choices<'_>) -> String {
    match choices.below(3) {
        0 => format!("{}-total", code!(choices, Instrument)),
        1 => code!(choices, GoalMeasure).to_owned(),
        _ => choices.text(),
    }
}

fn target(choices: &mut Choices<'_>) -> Object {
    let due = choices.maybe(Choices::date);
    if choices.yes() {
        return object! {
            "measure" => measure_of_target(choices),
            "value" => choices.number(&["0", "4", "-3", "1.50", "1e2", "-0.0", "0.0"]),
            "comparator" => choices.maybe(|choices| code!(choices, Comparator)),
            "unit" => choices.maybe(|choices| choices.one(&["1", "{score}", "min", "cups of tea"])),
            "due" => due,
        };
    }
    // Words that are a code, and a measure that says the same as the words.
    let text = if choices.yes() { measure_of_target(choices) } else { choices.text() };
    let measure = choices
        .maybe(|choices| if choices.yes() { text.clone() } else { measure_of_target(choices) });
    object! { "measure" => measure, "text" => text, "due" => due }
}

fn intervention(choices: &mut Choices<'_>) -> Object {
    object! {
        "id" => choices.id("int"),
        "code" => choices.maybe(|choices| code!(choices, Technique)),
        "label" => choices.text(),
        "description" => choices.maybe(Choices::text),
    }
}

fn measure(choices: &mut Choices<'_>) -> Object {
    object! {
        "instrument" => code!(choices, Instrument),
        "frequency" => choices.maybe(frequency),
    }
}

fn relapse_prevention(choices: &mut Choices<'_>) -> Option<Object> {
    let maintenance = choices.maybe(|choices| {
        object! {
            "offered" => choices.yes(),
            "frequency" => choices.maybe(Choices::text),
            "text" => choices.maybe(Choices::text),
        }
    });
    let relapse = object! {
        "warningSigns" => choices.list(2, Choices::text),
        "supportNetwork" => choices.list(2, Choices::text),
        "strategies" => choices.list(2, Choices::text),
        "skills" => choices.list(2, Choices::text),
        "text" => choices.maybe(Choices::text),
        "maintenance" => maintenance,
    };
    (!relapse.is_empty()).then_some(relapse)
}

fn prognosis(choices: &mut Choices<'_>) -> Option<Object> {
    let prognosis = object! {
        "code" => choices.maybe(|choices| code!(choices, PrognosisCode)),
        "text" => choices.maybe(Choices::text),
    };
    (!prognosis.is_empty()).then_some(prognosis)
}

fn outcome(choices: &mut Choices<'_>) -> Object {
    object! { "text" => choices.text(), "date" => choices.maybe(Choices::date) }
}

/// What a session may point at.
struct Known {
    people: Vec<String>,
    phases: Vec<String>,
    activities: Vec<String>,
    focus: Vec<String>,
    goals: Vec<String>,
}

fn session(choices: &mut Choices<'_>, known: &Known, numbers: &mut BTreeSet<u32>) -> Object {
    let status = choices.one(SessionStatus::ALL);
    let counts = !matches!(status, SessionStatus::Cancelled | SessionStatus::EnteredInError);
    let mut number = u32::try_from(choices.below(20) + 1).unwrap();
    while counts && !numbers.insert(number) {
        number += 1;
    }
    let (start, end, minutes) = choices.session_times(status);
    let length = choices.maybe(|choices| {
        let told = choices.one(&[1, 50, 90]);
        minutes.filter(|_| choices.yes()).unwrap_or(told)
    });
    let progress = choices.some(&known.goals);
    let progress: Vec<Object> = progress
        .iter()
        .map(|goal| {
            object! {
                "goalId" => goal,
                "achievement" => code!(choices, Achievement),
                "note" => choices.maybe(Choices::text),
            }
        })
        .collect();
    let risk = choices.maybe(|choices| {
        object! {
            "level" => code!(choices, RiskLevel),
            "text" => choices.maybe(Choices::text),
        }
    });
    let session = object! {
        "id" => choices.id("session"),
        "number" => number,
        "status" => status.code(),
        "statusReason" => choices.maybe(Choices::text),
        "start" => start.as_ref(),
        "end" => end,
        "lengthMinutes" => length,
        "phaseId" => choices.maybe(|choices| choices.one(&known.phases)),
        "format" => choices.maybe(|choices| code!(choices, Format)),
        "delivery" => choices.maybe(|choices| code!(choices, Delivery)),
        "attendees" => choices.some(&known.people),
        "activityIds" => choices.some(&known.activities),
        "techniques" => techniques(choices),
        "focusAreaIds" => choices.some(&known.focus),
        "goalProgress" => progress,
        "summary" => choices.maybe(Choices::text),
        "homework" => choices.list(2, homework),
        "scores" => choices.list(2, |choices| score(choices, start.as_deref())),
        "risk" => risk,
    };
    with_own(choices, session)
}

fn homework(choices: &mut Choices<'_>) -> Object {
    let homework = object! {
        "id" => choices.id("hw"),
        "text" => choices.text(),
        "due" => choices.maybe(Choices::date),
        "status" => code!(choices, HomeworkStatus),
        "review" => choices.maybe(Choices::text),
    };
    with_own(choices, homework)
}

fn score(choices: &mut Choices<'_>, session_start: Option<&str>) -> Object {
    let date = choices.maybe(|choices| match choices.below(3) {
        0 => session_start.map_or_else(|| choices.date(), str::to_owned),
        1 => choices.date(),
        _ => choices.moment(),
    });
    let score = object! {
        "id" => choices.id("score"),
        "instrument" => code!(choices, Instrument),
        "total" => choices.zero_or_more(),
        "items" => choices.list(9, |choices| choices.one(&[0_u32, 1, 2, 3])),
        "date" => date,
    };
    with_own(choices, score)
}

fn consent(choices: &mut Choices<'_>) -> Object {
    let (start, end) = choices.dates();
    let consent = object! {
        "id" => choices.id("consent"),
        "kind" => code!(choices, ConsentKind),
        "scope" => choices.maybe(Choices::text),
        "recipient" => choices.maybe(Choices::text),
        "period" => object! { "start" => start, "end" => end },
        "status" => code!(choices, ConsentStatus),
    };
    with_own(choices, consent)
}

fn passthrough(choices: &mut Choices<'_>) -> Object {
    let resource = object! { "resourceType" => "Condition", "id" => "asthma" };
    let is_resource = choices.yes();
    object! {
        "fhirVersion" => "4.0.1",
        "resource" => is_resource.then_some(resource),
        "path" => (!is_resource).then_some("Goal.extension[0].valueBoolean"),
        "value" => (!is_resource).then_some(false),
        "source" => choices.maybe(Choices::text),
        "hash" => choices.maybe(Choices::text),
    }
}
