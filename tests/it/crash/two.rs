//! Two processes at once from one store: one writes, the other says so, and nothing is doubled.

use std::time::Duration;

use ipt_fhir::sandbox::{Config, Fault, Sandbox};
use tokio::task::block_in_place;

use super::practice::{Practice, TWO};

#[tokio::test(flavor = "multi_thread")]
async fn one_writes_and_the_other_says_so() {
    let ehr = Sandbox::start(Config::default()).await.unwrap();
    let practice = Practice::open(ehr.base_url(), 0, TWO).await;
    ehr.faults().next("POST", Fault::DelayAnswer(Duration::from_secs(2)));
    let mut first = practice.start();
    let writes =
        || ehr.log().iter().any(|logged| logged.method == "POST" && logged.path.is_empty());
    while !writes() {
        assert_eq!(first.try_wait().unwrap(), None);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sent = ehr.writes();
    let second =
        block_in_place(|| practice.home.run("sync apply here --yes --format json").ends(1));
    assert_eq!(second.codes(), ["store-locked"]);
    assert!(second.stdout.contains("another process is writing to this EHR"), "{}", second.stdout);
    assert_eq!(ehr.writes(), sent, "the first waits for its answer, the second wrote nothing");
    // Looking needs no lock.
    block_in_place(|| practice.home.run("sync plan here").ends(0));
    assert!(block_in_place(|| first.wait().unwrap()).success());
    practice.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_start_together_double_nothing() {
    for _ in 0..3 {
        let ehr = Sandbox::start(Config::default()).await.unwrap();
        let practice = Practice::open(ehr.base_url(), 0, TWO).await;
        let mut both = [practice.start(), practice.start(), practice.start()];
        let codes = both.each_mut().map(|child| block_in_place(|| child.wait().unwrap().code()));
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 1))), "{codes:?}");
        assert!(codes.contains(&Some(0)), "{codes:?}");
        practice.settled().await;
    }
}
