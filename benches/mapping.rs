//! How fast records become FHIR and come back, beside serde_json on the same bytes.
//!
//! `cargo bench --no-default-features` (`-- --quick`: three seconds). One pass of a task goes over all records of
//! `fixtures/ipt`, with everything granted. The tasks take turns, pass by pass, and the table shows medians: what
//! disturbs the machine disturbs all of them. Where valgrind is at hand, instructions are counted too, which no other
//! load can change; the quick run leaves them out.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a bench prints, stops where its input is not there, and divides"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ipt_fhir::fhir::{Bundle, Resource};
use ipt_fhir::ipt::{Plan, document};
use ipt_fhir::mapping::{self, Options, Policy};

/// The records in every form that a task begins with.
struct Input {
    options: Options,
    sources: Vec<Vec<u8>>,
    plans: Vec<Plan>,
    bundles: Vec<Resource>,
    texts: Vec<String>,
    values: Vec<serde_json::Value>,
}

impl Input {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ipt");
        let mut paths: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let options = Options { policy: Policy::full(), ..Options::default() };
        let sources: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        let plans: Vec<Plan> =
            sources.iter().map(|source| document::parse(source).unwrap().plan).collect();
        let bundles: Vec<Resource> =
            plans.iter().map(|plan| mapping::to_fhir(plan, &options).into_collection()).collect();
        let texts: Vec<String> = bundles.iter().map(|bundle| bundle.to_value().to_text()).collect();
        let values: Vec<serde_json::Value> =
            texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        for (value, text) in values.iter().zip(&texts) {
            assert!(&serde_json::to_string(value).unwrap() == text, "both write the same bytes");
        }
        Self { options, sources, plans, bundles, texts, values }
    }

    fn bundle_bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }

    fn record_bytes(&self) -> usize {
        self.sources.iter().map(Vec::len).sum()
    }
}

/// Something to measure: one pass over all records, and how many bytes of JSON it reads or writes.
struct Task {
    name: &'static str,
    bytes: fn(&Input) -> usize,
    pass: fn(&Input),
}

/// The first one is what the others are compared with.
const TASKS: [Task; 7] = [
    Task {
        name: "serde_json writes the Bundle from its Value",
        bytes: Input::bundle_bytes,
        pass: |input| {
            for value in &input.values {
                black_box(serde_json::to_string(black_box(value)).unwrap());
            }
        },
    },
    Task {
        name: "serde_json writes the typed record",
        bytes: Input::record_bytes,
        pass: |input| {
            for plan in &input.plans {
                black_box(serde_json::to_string(black_box(plan)).unwrap());
            }
        },
    },
    Task {
        name: "the Bundle is written from its tree",
        bytes: Input::bundle_bytes,
        pass: |input| {
            for bundle in &input.bundles {
                black_box(black_box(bundle).to_text());
            }
        },
    },
    Task {
        name: "a record is mapped and its Bundle written",
        bytes: Input::bundle_bytes,
        pass: |input| {
            for plan in &input.plans {
                let mapped = mapping::to_fhir(black_box(plan), &input.options);
                black_box(mapped.into_collection().to_text());
            }
        },
    },
    Task {
        name: "serde_json reads the Bundle as a Value",
        bytes: Input::bundle_bytes,
        pass: |input| {
            for text in &input.texts {
                let value: serde_json::Value = serde_json::from_str(black_box(text)).unwrap();
                black_box(value);
            }
        },
    },
    Task {
        name: "the Bundle is read and mapped back",
        bytes: Input::bundle_bytes,
        pass: |input| {
            for text in &input.texts {
                let resource = Resource::parse(black_box(text).as_bytes()).unwrap();
                let bundle = Bundle::from_resource(resource).unwrap();
                black_box(mapping::from_fhir(&bundle, None).unwrap());
            }
        },
    },
    Task {
        name: "the record's file is read and checked",
        bytes: Input::record_bytes,
        pass: |input| {
            for source in &input.sources {
                black_box(document::parse(black_box(source)).unwrap());
            }
        },
    },
];

/// The median time of a pass of each task.
fn medians(input: &Input, limit: Duration) -> Vec<Duration> {
    let mut times = vec![Vec::new(); TASKS.len()];
    let started = Instant::now();
    while started.elapsed() < limit || times.iter().any(|times| times.len() < 5) {
        for (task, times) in TASKS.iter().zip(&mut times) {
            let start = Instant::now();
            (task.pass)(input);
            times.push(start.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    times.iter_mut().map(median).collect()
}

/// The instructions of one pass of a task, or nothing where valgrind is missing: of runs with one and with four
/// passes, so that reading the input does not count.
fn instructions(task: usize) -> Option<u64> {
    let count = |passes: u64| {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().ok()?)
            .args(["--passes", &task.to_string(), &passes.to_string()])
            .output()
            .ok()?;
        let text = String::from_utf8(output.stderr).ok()?;
        text.split("Collected :").nth(1)?.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((count(4)? - count(1)?) / 3)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let input = Input::read();
    if let [_, flag, task, passes] = arguments.as_slice()
        && flag == "--passes"
    {
        let task: usize = task.parse().unwrap();
        for _ in 0..passes.parse::<usize>().unwrap() {
            TASKS.get(task).map(|task| (task.pass)(&input)).unwrap();
        }
        return;
    }
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let limit = Duration::from_secs(if is_quick { 3 } else { 20 });
    let records = input.plans.len() as f64;
    let size = |bytes: usize| bytes as f64 / 1000.0 / records;
    println!(
        "{records} records of {:.1} kB on average, their Bundles {:.1} kB",
        size(input.record_bytes()),
        size(input.bundle_bytes())
    );
    println!("{:<45}{:>10}{:>8}{:>8}{:>15}", "", "records/s", "MB/s", "times", "instructions");
    let medians = medians(&input, limit);
    let first = medians.first().unwrap().as_secs_f64();
    for (index, (task, median)) in TASKS.iter().zip(&medians).enumerate() {
        let seconds = median.as_secs_f64();
        let counted = if is_quick { None } else { instructions(index) };
        println!(
            "{:<45}{:>10.0}{:>8.1}{:>8.2}{:>15}",
            task.name,
            records / seconds,
            (task.bytes)(&input) as f64 / 1e6 / seconds,
            seconds / first,
            counted.map_or_else(|| "-".to_owned(), |count| count.to_string())
        );
    }
    println!(
        "times: of a pass, in passes of the first line; instructions: of a pass, by callgrind"
    );
}
