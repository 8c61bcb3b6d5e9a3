//! How fast FHIR is validated: resources with all rules, beside `serde_json` only reading the same bytes.
//!
//! `cargo bench --no-default-features --bench validate` (`-- --quick`: fewer passes; `--lines`: without the Bundles). The export is Synthea's (1,000 resources
//! of `../shared`, or of `IPT_FHIR_TEST_DATA`), and where that is not at hand the Bundle of a fixture, again and again. A
//! Bundle of references among its own entries is validated at three sizes, to show that it grows with its length. All on
//! one core and in processor time, where the system tells it; the passes of the tasks take turns and the table shows medians.
//! What a machine under load does to one, it does to all, so that ratios are to be believed rather than figures.
//!
//! Where `IPT_FHIR_TEST_VALIDATOR` names the command of the HL7 reference engine (`tests/peers/README.md`), it validates the same
//! resources in the same run: once, and several times over, so that what it needs to warm up is told apart.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a bench prints, stops where its input is not there, and divides"
)]

use std::ffi::OsStr;
use std::fmt::Write;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ipt_fhir::fhir::Release;
use ipt_fhir::ipt::document;
use ipt_fhir::json::Limits;
use ipt_fhir::mapping::{self, Options as MapOptions, Policy};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::shared::Shared;
use ipt_fhir::validate::tree::json;

/// The lines of the export.
fn export() -> (String, Vec<String>) {
    let folder = option_env!("IPT_FHIR_TEST_DATA").unwrap_or("../shared");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Ok(file) = std::fs::File::open(root.join(folder).join("data/synthea-1000.ndjson.gz")) {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
        return ("Synthea".to_owned(), text.lines().map(str::to_owned).collect());
    }
    let source = std::fs::read(root.join("fixtures/ipt/john-lee-in-treatment.json")).unwrap();
    let plan = document::parse(&source).unwrap().plan;
    let options = MapOptions { policy: Policy::full(), ..MapOptions::default() };
    let resources = mapping::to_fhir(&plan, &options).resources;
    let lines: Vec<String> = resources.iter().map(|one| one.resource.to_text()).collect();
    ("a plan, repeated".to_owned(), lines.iter().cycle().take(1000).cloned().collect())
}

/// A Bundle in which each Observation is about a Patient of the same Bundle.
fn bundle(entries: usize) -> String {
    let mut text = r#"{"resourceType":"Bundle","type":"collection","entry":["#.to_owned();
    for number in 0..entries {
        let url = format!("http://a.org/fhir/Patient/p{}", number / 2);
        let comma = if number == 0 { "" } else { "," };
        if number % 2 == 0 {
            let _ = write!(
                text,
                r#"{comma}{{"fullUrl":"{url}","resource":{{"resourceType":"Patient","id":"p{}","active":true}}}}"#,
                number / 2
            );
        } else {
            let _ = write!(
                text,
                r#",{{"fullUrl":"http://a.org/fhir/Observation/o{number}","resource":{{"resourceType":"Observation","id":"o{number}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/p{}"}}}}}}"#,
                number / 2
            );
        }
    }
    text.push_str("]}");
    text
}

fn validate(validator: &Validator, text: &str) -> usize {
    validator
        .validate(
            json::read(text, Limits { bytes: 1 << 30, depth: 64, nodes: 100_000_000 }).unwrap(),
        )
        .findings
        .len()
}

/// Something done with each line.
type Task = fn(&Validator, &[String]);

const TASKS: [(&str, Task); 3] = [
    ("all rules", |validator, lines| {
        for line in lines {
            black_box(validate(validator, line));
        }
    }),
    ("our tree alone", |_, lines| {
        for line in lines {
            black_box(json::read(line, Limits::BUNDLE).unwrap());
        }
    }),
    ("serde_json::Value alone", |_, lines| {
        for line in lines {
            black_box(serde_json::from_str::<serde_json::Value>(line).unwrap());
        }
    }),
];

/// The time that this thread has had a processor, so that a busy machine does not count; where that is not told, any time.
fn processor_time(since: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    told.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

fn time(work: &mut dyn FnMut()) -> Duration {
    let started = Instant::now();
    let before = processor_time(started);
    work();
    processor_time(started).saturating_sub(before)
}

/// The processor time that the reference engine takes for so many passes over these resources, its start included.
fn reference_time(command: &OsStr, lines: &[String], passes: usize) -> Duration {
    let folder = std::env::temp_dir().join(format!("ipt-fhir-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files: Vec<PathBuf> =
        (0..lines.len()).map(|at| folder.join(format!("{at}.json"))).collect();
    for (file, line) in files.iter().zip(lines) {
        std::fs::write(file, line).unwrap();
    }
    let output = Command::new("bash")
        .args(["-c", "TIMEFORMAT='%U %S'; time \"$@\" > /dev/null 2>&1", "bash"])
        .arg(command)
        .args(["r4", "files"])
        .args(std::iter::repeat_n(&files, passes).flatten())
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "the reference engine ends well");
    let told = String::from_utf8(output.stderr).unwrap();
    let seconds = told.split_ascii_whitespace().map(|part| part.parse::<f64>().unwrap()).sum();
    Duration::from_secs_f64(seconds)
}

/// The reference engine over the same resources; `ours` is our speed in MB/s.
fn reference(command: &OsStr, lines: &[String], quick: bool, ours: f64) {
    let lines = lines.get(..if quick { 200 } else { lines.len() }).unwrap_or(lines);
    let more = if quick { 2 } else { 4 };
    let megabytes = lines.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    let [one, first, all] = [(&lines[..1], 1), (lines, 1), (lines, more)]
        .map(|(lines, passes)| reference_time(command, lines, passes).as_secs_f64());
    let (cold, warm) = (megabytes / (first - one), megabytes * (more - 1) as f64 / (all - first));
    println!("the HL7 reference engine, {} resources, processor time:", lines.len());
    println!("{one:>10.1} s to its start and one verdict");
    println!(
        "{cold:>10.3} MB/s the first time, {warm:.3} MB/s after that: ours are {:.0} times that",
        ours / warm
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let passes = if quick { 5 } else { 21 };
    let (name, lines) = export();
    let bytes: usize = lines.iter().map(String::len).sum();
    let plan = r#"{"resourceType":"CarePlan","status":"active","intent":"plan","subject":{"reference":"Patient/p"}}"#;
    let first = time(&mut || {
        let validator = Shared::core(Release::R4).validator(Options::default());
        black_box(validate(&validator, plan));
    });
    println!("from nothing to the verdict on one CarePlan: {:.1} ms", first.as_secs_f64() * 1e3);
    let validator = Shared::core(Release::R4).validator(Options::default());
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); TASKS.len()];
    for pass in 0..=passes {
        for ((_, task), times) in TASKS.iter().zip(&mut times) {
            let took = time(&mut || task(&validator, &lines));
            if pass > 0 {
                times.push(took);
            }
        }
    }
    println!(
        "{name}: {} resources, {:.2} MB, one core, medians of {passes} passes",
        lines.len(),
        bytes as f64 / 1e6
    );
    let mut ours = None;
    for ((task, _), times) in TASKS.iter().zip(times) {
        let seconds = median(times).as_secs_f64();
        ours.get_or_insert(bytes as f64 / 1e6 / seconds);
        println!(
            "{task:<26}{:>10.1} MB/s{:>12.0} resources/s",
            bytes as f64 / 1e6 / seconds,
            lines.len() as f64 / seconds
        );
    }
    if std::env::args().any(|argument| argument == "--lines") {
        return;
    }
    match (std::env::var_os("IPT_FHIR_TEST_VALIDATOR"), ours) {
        (Some(command), Some(ours)) => reference(&command, &lines, quick, ours),
        _ => println!(
            "left out: the HL7 reference engine (IPT_FHIR_TEST_VALIDATOR names its command)"
        ),
    }
    println!("a Bundle with a reference in every second entry");
    for entries in [1_000, 10_000, 100_000] {
        let text = bundle(entries);
        let took = median(
            (0..if quick { 1 } else { 3 })
                .map(|_| {
                    time(&mut || {
                        black_box(validate(&validator, &text));
                    })
                })
                .collect(),
        );
        println!(
            "{entries:>8} entries {:>8.1} ms {:>8.2} us an entry",
            took.as_secs_f64() * 1e3,
            took.as_secs_f64() * 1e6 / entries as f64
        );
    }
}
