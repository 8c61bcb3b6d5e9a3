//! A practice: records linked to Patients of an EHR, and the program with a home of its own.

use std::collections::BTreeMap;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ipt_fhir::ipt::document;
use ipt_fhir::mapping::{Options, to_fhir};
use serde_json::Value;
use tokio::task::block_in_place;
use uuid::Uuid;

use super::eyes::{Expected, Eyes, open_operations};
use crate::cli::Home;
use crate::support::fixture;

/// John is in treatment, Sara's plan is short, the third record has 16 sessions.
pub(super) const THREE: &[&str] =
    &["john-lee-in-treatment.json", "sara-dit.json", "course-16-sessions.json"];
/// Two that are quickly written.
pub(super) const TWO: &[&str] = &["john-lee-in-treatment.json", "sara-dit.json"];
/// One alone.
pub(super) const SARA: &[&str] = &["sara-dit.json"];

pub(super) struct Practice {
    pub(super) home: Home,
    pub(super) eyes: Eyes,
    pub(super) expected: Vec<Expected>,
    records: &'static [&'static str],
    bystander: String,
}

// A run after a killed one waits until the request in flight must have ended: for the time limit and the settling time.
// The limit of ten seconds in each run below is what keeps that wait short.
impl Practice {
    /// Opens a practice at the EHR with this base URL, whose requests may go on for so long after their sender ended.
    pub(super) async fn open(
        base: &str,
        settle_seconds: u64,
        records: &'static [&'static str],
    ) -> Self {
        let mut home = Home::new();
        // Apart from what other practices wrote to the same server.
        let namespace = Uuid::new_v4();
        home.set("IPT_FHIR_IDENTITY__NAMESPACE", &namespace.to_string());
        let eyes = Eyes::new(base);
        let bystander = eyes.new_patient().await;
        block_in_place(|| {
            home.run(&format!("ehr add here {base} --settle {settle_seconds} --encounter create"))
                .ends(0)
        });
        let mut expected = Vec::new();
        for name in records {
            let bytes = fixture(&format!("ipt/{name}"));
            home.write(name, &bytes);
            let patient = eyes.new_patient().await;
            let link = format!("ehr link here {name} {patient} --yes");
            block_in_place(|| home.run(&link).ends(0));
            expected.push(Expected { patient, items: items(&bytes, namespace) });
        }
        Self { home, eyes, expected, records, bystander }
    }

    /// The therapist rewords a goal of each record.
    pub(super) fn change_goals(&self) {
        for name in self.records {
            let mut record: Value =
                serde_json::from_slice(&fixture(&format!("ipt/{name}"))).unwrap();
            let goal = &mut record["goals"][0]["text"];
            *goal = format!("{} Talk about it at home.", goal.as_str().unwrap()).into();
            self.home.write(name, record.to_string());
        }
    }

    /// Starts a run.
    pub(super) fn start(&self) -> Child {
        let mut command = self.home.command([
            "sync",
            "apply",
            "here",
            "--yes",
            "--progress",
            "never",
            "--timeout",
            "10",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs to the end, which must be a good one; how long it took.
    pub(super) fn sync(&self) -> Duration {
        let started = Instant::now();
        block_in_place(|| {
            self.home.run("sync apply here --yes --progress never --timeout 10").ends(0)
        });
        started.elapsed()
    }

    /// Starts a run and kills it when it is time; whether it was killed and had not ended before. The store must be
    /// whole as it was left.
    pub(super) async fn sync_killed(&self, is_time: impl Fn() -> bool) -> bool {
        let mut child = self.start();
        while !is_time() && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let status = kill(&mut child);
        open_operations(&self.store()).await;
        assert!(status.success() || status.code().is_none(), "{status}");
        status.code().is_none()
    }

    /// The state that must be reached after any one run: nothing open, and another run changes nothing.
    pub(super) async fn settled(&self) -> Vec<Vec<String>> {
        assert_eq!(open_operations(&self.store()).await, 0);
        let seen = self.eyes.look(&self.expected, &self.bystander).await;
        let again = block_in_place(|| {
            self.home
                .run("sync apply here --yes --progress never --timeout 10 --format json")
                .ends(0)
        });
        let items: usize = self.expected.iter().map(|record| record.items.len()).sum();
        let summary = again.envelope().pointer("/result/summary").unwrap().to_text();
        assert_eq!(summary, format!(r#"{{"in-sync":{items}}}"#), "another run does nothing");
        let before: BTreeMap<_, _> =
            seen.iter().flat_map(|record| record.versions.clone()).collect();
        let after = self.eyes.versions(&self.expected).await;
        assert_eq!(after, before, "another run writes nothing");
        seen.into_iter().map(|record| record.words).collect()
    }

    fn store(&self) -> std::path::PathBuf {
        self.home.path("home/.local/share/ipt-fhir")
    }
}

/// Ends a process that had no say in it.
pub(super) fn kill(child: &mut Child) -> ExitStatus {
    // On Unix this is SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap()
}

/// What a record becomes: items and types, without the persons whom a person linked.
fn items(record: &[u8], namespace: Uuid) -> Vec<(Uuid, String)> {
    let document = document::parse(record).unwrap();
    let options = Options { namespace: Some(namespace), ..Options::default() };
    let mapped = to_fhir(&document.plan, &options).resources.into_iter();
    mapped
        .map(|mapped| (mapped.item, mapped.resource.resource_type().to_owned()))
        .filter(|(_, resource_type)| !matches!(resource_type.as_str(), "Patient" | "Practitioner"))
        .collect()
}
