//! What is told beforehand, against what a run sends.

use ipt_fhir::fhir::Resource;
use ipt_fhir::mapping::{Options, Policy, to_fhir};
use ipt_fhir::sync::{Forecast, Outcome, forecast, kind_of};
use ipt_fhir::vendor::{
    Allow, Effective, Encounters, Kind, Overrides, Pack, Rung, Transport, place,
};
use uuid::Uuid;

use super::clinic::{Clinic, quiet};
use crate::support::record;

fn mapped(name: &str) -> Vec<(Uuid, Resource)> {
    let options = Options { policy: Policy::full(), ..Options::default() };
    let mapped = to_fhir(&record(name).plan, &options);
    mapped.resources.into_iter().map(|mapped| (mapped.item, mapped.resource)).collect()
}

/// Where the server takes everything, the first run sends what was told: each read, and each write.
#[tokio::test]
async fn the_first_run_sends_as_many_requests_as_were_told() {
    let ways = [
        ("", None, Transport::Transaction),
        ("system=-transaction", None, Transport::Single),
        ("", Some("medplum"), Transport::Transaction),
        ("Goal=-conditional-create", Some("medplum"), Transport::Transaction),
    ];
    for (overrides, pack, transport) in ways {
        let long = pack.map(|_| "course-16-sessions.json");
        for name in ["john-lee.json", "john-lee-in-treatment.json"].into_iter().chain(long) {
            let resources = mapped(name);
            let mut clinic = Clinic::open().await;
            clinic.overrides = overrides.parse().unwrap();
            clinic.pack = pack.and_then(Pack::named);
            let statement = clinic.client().visible_capabilities().await.unwrap().0;
            let effective = Effective::new(&statement, None, clinic.pack, &clinic.overrides, &[]);
            let allow = Allow { encounters: Some(Encounters::Create), ..Allow::default() };
            let told = forecast(&effective, &place(&effective, &allow), &resources);
            assert_eq!(told.transport, Some(transport));
            let before = clinic.ehr.log().len();
            let report = clinic.apply_watched(resources, &mut quiet()).await;
            assert_eq!(report.outcome(), Outcome::Done, "{name} {overrides} {pack:?}");
            let log = clinic.ehr.log().split_off(before);
            let reads = log.iter().filter(|logged| logged.method == "GET").count();
            let sent = (reads, log.len() - reads);
            assert_eq!((told.reads, told.writes), sent, "{name} {overrides} {pack:?}");
        }
    }
}

fn told(pack: &str, allow: &Allow) -> Forecast {
    let (pack, none) = (Pack::named(pack).unwrap(), Overrides::default());
    let statement = pack.declared().unwrap();
    let effective = Effective::new(&statement, None, Some(pack), &none, &[]);
    forecast(&effective, &place(&effective, allow), &mapped("john-lee-in-treatment.json"))
}

#[test]
fn every_resource_but_persons_has_one_fate() {
    let all =
        mapped("john-lee-in-treatment.json").iter().filter(|(_, r)| kind_of(r).is_some()).count();
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
    assert_eq!((athena.notes, athena.forms, athena.writes), (0, 1, 1));
    // What a person takes over is no request; the statement and the Patient are looked at all the same.
    let nextgen = told("nextgen-office", &every);
    assert_eq!((nextgen.requests(), nextgen.writes, nextgen.transport), (2, 0, None));
    let nothing = told("epic", &Allow::default());
    assert_eq!((nothing.requests(), nothing.notes), (2, 0));
}
