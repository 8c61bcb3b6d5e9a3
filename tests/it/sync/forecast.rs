//! What is told beforehand, against what a run sends.

use std::collections::BTreeMap;

use ipt_fhir::ipt::Plan;
use ipt_fhir::mapping::{Options, Policy, note, to_fhir};
use ipt_fhir::sandbox::{Behaviour, Logged, Personality};
use ipt_fhir::sync::{Forecast, Outcome, Report, forecast, kind_of};
use ipt_fhir::vendor::{
    Allow, Effective, Encounters, Kind, Overrides, Pack, Rung, Transport, place,
};

use super::clinic::{Clinic, parse, quiet};
use super::practice::Practice;
use crate::support::record;

/// What is told of a record at a server.
fn told_of(effective: &Effective<'_>, allow: &Allow, plan: &Plan, options: &Options) -> Forecast {
    let notes = note::notes(plan, options);
    forecast(effective, allow, &to_fhir(plan, options).resources, &notes)
}

fn full() -> Options {
    Options { policy: Policy::full(), ..Options::default() }
}

/// Reads and writes.
fn counts(log: &[Logged]) -> (usize, usize) {
    let reads = log.iter().filter(|logged| logged.method == "GET").count();
    (reads, log.len() - reads)
}

/// Where the server takes everything, the first run sends what was told: each read, and each write.
#[tokio::test]
async fn the_first_run_sends_as_many_requests_as_were_told() {
    let ways = [
        ("", None, Transport::Transaction),
        ("system=-transaction", None, Transport::Batch),
        ("system=-transaction,-batch", None, Transport::Single),
        ("", Some("medplum"), Transport::Transaction),
        ("Goal=-conditional-create", Some("medplum"), Transport::Transaction),
    ];
    for (overrides, pack, transport) in ways {
        let long = pack.map(|_| "course-16-sessions.json");
        for name in ["john-lee.json", "john-lee-in-treatment.json"].into_iter().chain(long) {
            let plan = record(name).plan;
            let mut clinic = Clinic::open().await;
            clinic.overrides = overrides.parse().unwrap();
            clinic.pack = pack.and_then(Pack::named);
            let statement = clinic.client().visible_capabilities().await.unwrap().0;
            let effective = Effective::new(&statement, None, clinic.pack, &clinic.overrides, &[]);
            let allow = Allow { encounters: Some(Encounters::Create), ..Allow::default() };
            let told = told_of(&effective, &allow, &plan, &full());
            assert_eq!(told.transport, Some(transport));
            let before = clinic.ehr.log().len();
            let mapped = to_fhir(&plan, &full()).resources;
            let resources = mapped.into_iter().map(|one| (one.item, one.resource)).collect();
            let report = clinic.apply_watched(resources, &mut quiet()).await;
            assert_eq!(report.outcome(), Outcome::Done, "{name} {overrides} {pack:?}");
            let sent = counts(&clinic.ehr.log()[before..]);
            let seen: Vec<String> = clinic.ehr.log()[before..]
                .iter()
                .map(|one| format!("{} {}", one.method, one.path))
                .collect();
            let seen = seen.join("\n");
            assert_eq!((told.reads, told.writes), sent, "{name} {overrides} {pack:?}\n{seen}");
        }
    }
}

/// A practice at a vendor's server, with the visit of each session that was held there and linked where that is asked for.
async fn at(personality: Personality) -> Practice {
    let pack = personality.pack().unwrap();
    let mut practice = Practice::open(Behaviour::of(personality)).await;
    practice.pack = Some(pack);
    let is_asked_for = Kind::ALL.into_iter().any(|kind| {
        ["DocumentReference", "Condition"]
            .iter()
            .any(|of| pack.references(kind, of).next().is_some())
    });
    let sessions = practice.plan.sessions.clone();
    for session in sessions.iter().filter(|_| is_asked_for) {
        let Some(start) = &session.start else { continue };
        let (id, start) = (format!("visit-{}", session.number), start.as_str());
        let encounter = parse(&format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","class":{{"code":"AMB"}},
            "subject":{{"reference":"Patient/john"}},"period":{{"start":"{start}","end":"{start}"}}}}"#
        ));
        practice.ehr.put(encounter).unwrap();
        practice.refer(&session.id, &format!("Encounter/{id}"));
    }
    practice
}

/// How a run wrote, by what the server saw.
fn transport(log: &[Logged]) -> Option<Transport> {
    let written = log.iter().find(|logged| logged.method != "GET")?;
    Some(match written.path.as_str() {
        "" => Transport::Transaction,
        _ => Transport::Single,
    })
}

fn rungs(report: &Report) -> Vec<(Kind, Rung)> {
    report.records[0].placements.iter().map(|placed| (placed.kind, placed.rung)).collect()
}

/// What `ehr ladder` prints of each pack, that pack's server sees.
#[tokio::test]
async fn each_pack_s_server_sees_what_the_ladder_told() {
    let mut packs = Vec::new();
    for personality in Personality::ALL {
        let Some(pack) = personality.pack() else { continue };
        let practice = at(personality).await;
        let (own, none) = (pack.declared().unwrap(), Overrides::default());
        let effective = Effective::new(&own, None, Some(pack), &none, &[]);
        let told = told_of(&effective, &practice.allow, &practice.plan, &practice.options);
        let placed = place(&effective, &practice.allow);
        let before = practice.ehr.log().len();
        let report = practice.apply().await;
        let log = practice.ehr.log().split_off(before);
        let seen: Vec<String> =
            log.iter().map(|one| format!("{} {} {:?}", one.method, one.path, one.status)).collect();
        let name = &pack.name;
        assert_eq!(
            (told.reads, told.writes),
            counts(&log),
            "{name} {told:?}\n{seen:#?}\n{report:#?}"
        );
        assert_eq!(told.transport, transport(&log), "{name}");
        assert_eq!(rungs(&report), placed.map(|one| (one.kind, one.rung)), "{name}");
        assert!(
            log.iter().all(|one| one.status.is_some_and(|status| status < 300)),
            "{name} {log:?}"
        );
        assert_eq!(report.outcome(), Outcome::Done, "{name} {report:#?}");
        // What was told to be kept is there, and so are notes and forms.
        let mut kept: BTreeMap<String, usize> = BTreeMap::new();
        for (of, count) in told.shares.iter().flat_map(|share| &share.kept) {
            *kept.entry(of.clone()).or_default() += count;
        }
        if told.notes > 0 {
            *kept.entry("DocumentReference".to_owned()).or_default() += told.notes;
        }
        let mut there = practice.counts();
        // The visits are the EHR's own, and so are the files into which it puts what is attached.
        there.retain(|of, _| {
            kept.contains_key(of) || !matches!(of.as_str(), "Encounter" | "Binary")
        });
        assert_eq!(there, kept, "{name}");
        packs.push(name.as_str());
    }
    packs.sort_unstable();
    let mut all: Vec<&str> = Pack::names().collect();
    all.sort_unstable();
    assert_eq!(packs, all);
}

/// What a personality and its pack both tell of a server, they tell alike.
#[tokio::test]
async fn personalities_declare_what_the_statements_of_their_packs_do() {
    for personality in Personality::ALL {
        let Some(pack) = personality.pack() else { continue };
        let told = pack.declared().unwrap();
        let practice = Practice::open(Behaviour::of(personality)).await;
        let played = practice.client().visible_capabilities().await.unwrap().0;
        // A platform's documentation promises more than the sandbox can do, and the sandbox does more than it needs to.
        let is_hospital = practice.ehr.behaviour().surface.is_some();
        let name = &pack.name;
        assert!(told.resources.len() >= 12, "{name}");
        for (of, told) in &told.resources {
            let played = &played.resources[of];
            if is_hospital {
                assert_eq!(told.interactions, played.interactions, "{name} {of}");
            }
            let mut lacking: Vec<_> = told.interactions.difference(&played.interactions).collect();
            lacking.retain(|interaction| *interaction != "patch");
            assert_eq!(lacking, Vec::<&String>::new(), "{name} {of}");
            for parameter in ["identifier", "patient", "_lastUpdated", "_lastupdated"] {
                let [told, played] =
                    [told, played].map(|of| of.search_parameters.contains(parameter));
                // A platform finds a Provenance by nothing of ours, and only we ask for one.
                let is_moot = !is_hospital && (played || of == "Provenance");
                assert!(told == played || is_moot, "{name} {of} {parameter}");
            }
        }
    }
}

fn told(pack: &str, allow: &Allow) -> Forecast {
    let (pack, none) = (Pack::named(pack).unwrap(), Overrides::default());
    let statement = pack.declared().unwrap();
    let effective = Effective::new(&statement, None, Some(pack), &none, &[]);
    told_of(&effective, allow, &record("john-lee-in-treatment.json").plan, &full())
}

#[test]
fn every_resource_but_persons_has_one_fate() {
    let mapped = to_fhir(&record("john-lee-in-treatment.json").plan, &full()).resources;
    let all = mapped.iter().filter(|mapped| kind_of(mapped.part).is_some()).count();
    let opted = Allow { opt_in: Kind::ALL.into(), ..Allow::every_rung() };
    for allow in [Allow::default(), Allow::every_rung(), opted] {
        for pack in Pack::names() {
            let told = told(pack, &allow);
            let fates = Rung::ALL.map(|rung| told.resources(rung));
            assert_eq!(fates.iter().sum::<usize>(), all, "{pack} {fates:?}");
            assert!(told.writes > 0 || told.transport.is_none(), "{pack}");
        }
    }
}

#[test]
fn notes_and_forms_are_counted_by_what_goes_into_them() {
    let every = Allow::every_rung();
    // A plan and two sessions: each note is looked for, its Encounter read, and filed.
    let epic = told("epic", &every);
    assert_eq!((epic.notes, epic.forms, epic.writes), (3, 0, 3));
    assert_eq!(epic.transport, Some(Transport::Single));
    let athena = told("athenahealth", &every);
    assert_eq!((athena.notes, athena.forms, athena.writes), (0, 2, 2));
    // What a person takes over is no request; the statement and the Patient are looked at all the same.
    let nextgen = told("nextgen-office", &every);
    assert_eq!((nextgen.requests(), nextgen.writes, nextgen.transport), (2, 0, None));
    let nothing = told("epic", &Allow::default());
    assert_eq!((nothing.requests(), nothing.notes), (2, 0));
}
