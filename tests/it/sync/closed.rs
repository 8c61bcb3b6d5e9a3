//! A note whose answer was lost, and that can't be read when it is looked for: it is not there for all that, and not absent.

use ipt_fhir::sandbox::{Fault, Personality};
use ipt_fhir::sync::Outcome;

use super::personality::with_visits;
use super::practice::Practice;

/// Epic, which keeps of a note nothing that is ours but its footer; the answer to the first one is lost.
async fn at_epic() -> Practice {
    let mut practice = Practice::open(ipt_fhir::sandbox::Behaviour::of(Personality::Epic)).await;
    practice.pack = Personality::Epic.pack();
    practice.plan.sessions.truncate(1);
    with_visits(&mut practice);
    practice.ehr.faults().next("POST", Fault::LoseAnswerAfterApply);
    practice
}

#[tokio::test]
async fn a_note_that_can_not_be_read_back_is_not_sent_again() {
    let practice = at_epic().await;
    assert_eq!(practice.apply().await.outcome(), Outcome::Done);
    let notes = practice.of_type("DocumentReference").len();
    assert_eq!(notes, 2);
    let opened = practice.ehr.log().into_iter().find(|one| one.path.starts_with("Binary/"));
    let number = opened.expect("it is looked for by its footer").number;
    for fault in [
        Fault::HalfBody,
        Fault::HtmlPage,
        Fault::OutcomeInOk,
        Fault::RefuseBefore(404),
        Fault::RefuseBefore(410),
        Fault::RefuseBefore(403),
    ] {
        let practice = at_epic().await;
        practice.ehr.faults().at(number, fault);
        let report = practice.apply().await;
        assert_eq!(report.outcome(), Outcome::Done, "{fault:?} {report:?}");
        assert_eq!(practice.of_type("DocumentReference").len(), notes, "{fault:?}");
        practice.assert_quiet().await;
    }
}

/// While it can't be read it is on its way, whatever else is filed.
#[tokio::test]
async fn a_note_that_stays_closed_stays_open() {
    let practice = at_epic().await;
    practice.apply().await;
    let opened = practice.ehr.log().into_iter().find(|one| one.path.starts_with("Binary/"));
    let number = opened.unwrap().number;
    let practice = at_epic().await;
    // As often as a run may look.
    for later in 0..200 {
        practice.ehr.faults().at(number + later, Fault::RefuseBefore(404));
    }
    practice.apply().await;
    assert_eq!(practice.of_type("DocumentReference").len(), 1);
    practice.ehr.faults().clear();
    assert_eq!(practice.apply().await.outcome(), Outcome::Done);
    assert_eq!(practice.of_type("DocumentReference").len(), 2);
}
