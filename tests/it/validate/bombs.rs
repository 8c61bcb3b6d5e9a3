//! Hostile documents, expressions and definitions (reliability-and-security.md C1, C7, C8): each ends in a second, with a named
//! error or within limits, and with less than 64 MiB more memory at its peak.
//!
//! Archives of packages have theirs beside their reader (`src/cli/package/tests.rs`).

mod definition;
mod document;
mod expression;

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use ipt_fhir::json::{ErrorKind, Limits};
use ipt_fhir::validate::detect;
use ipt_fhir::validate::tree::{FaultKind, json, xml};

/// A figure of this process's memory, in bytes: `VmRSS`, `VmHWM`.
fn memory(name: &str) -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<i64>().unwrap() * 1024
}

/// The memory of this process that is in use, in bytes.
pub(crate) fn resident() -> i64 {
    memory("VmRSS:")
}

/// Whether this process runs one test only, so that its memory is that test's; if not, runs the test so.
///
/// Tests beside it would count as its memory.
#[expect(clippy::print_stderr, reason = "figures for whoever asks for them")]
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var_os("IPT_FHIR_ALONE").is_some() {
        return true;
    }
    let here = module_path!().split_once("::").map_or("", |(_, here)| here);
    let name = match here.rsplit_once("::") {
        Some((outer, _)) => format!("{outer}::{test}"),
        None => test.to_owned(),
    };
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--test-threads=1", "--nocapture"])
        .env("IPT_FHIR_ALONE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if std::env::var_os("IPT_FHIR_BOMBS").is_some() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(said.contains("1 passed"), "{name}: {said}");
    false
}

/// The processor time of this thread.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

#[expect(clippy::print_stderr, reason = "figures for whoever asks for them")]
fn bounded<T>(name: &str, work: impl FnOnce() -> T) -> T {
    // The peak counts, so it begins anew here.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (time, before) = (processor(), resident());
    let outcome = work();
    let time = processor().saturating_sub(time);
    let memory = memory("VmHWM:").saturating_sub(before);
    if std::env::var_os("IPT_FHIR_BOMBS").is_some() {
        // For whoever wants the figures: `IPT_FHIR_BOMBS=1 cargo test --release -- validate::bombs --nocapture`.
        eprintln!("{name}: {time:.1?}, {} KiB", memory >> 10);
    }
    assert!(
        time < Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 }),
        "{name}: {time:?}"
    );
    assert!(memory < 64 << 20, "{name}: {memory} bytes");
    outcome
}

#[test]
fn json_bombs_end_with_a_named_error() {
    if !alone("bombs::json_bombs_end_with_a_named_error") {
        return;
    }
    let open = |text: &str, count: usize| text.repeat(count);
    let long = open("x", 17 << 20);
    let cases: Vec<(&str, String, ErrorKind)> = vec![
        ("a million arrays", open("[", 1_000_000), ErrorKind::TooDeep),
        ("a million objects", open("{\"a\":", 1_000_000), ErrorKind::TooDeep),
        ("both in turn", open("{\"a\":[", 500_000), ErrorKind::TooDeep),
        ("underscores", open("{\"_a\":", 100_000), ErrorKind::TooDeep),
        ("nodes", format!("[{}1]", open("1,", 2_000_000)), ErrorKind::TooLarge),
        (
            "empty objects",
            format!("{{\"a\":[{}{{}}]}}", open("{},", 1_000_000)),
            ErrorKind::TooLarge,
        ),
        ("a long string", format!("\"{long}\""), ErrorKind::TooLarge),
        ("white space", open(" ", 17 << 20), ErrorKind::TooLarge),
        ("an endless string", format!("\"{}", open("a", 15 << 20)), ErrorKind::Truncated),
        ("endless digits", format!("{}x", open("1", 15 << 20)), ErrorKind::Number),
        ("escapes", format!("\"{}", open("\\u0041", 2_000_000)), ErrorKind::Truncated),
        ("half a pair", "\"\\ud800\"".to_owned(), ErrorKind::Escape),
        ("only space", open("\n", 15 << 20), ErrorKind::Empty),
    ];
    for (name, source, kind) in cases {
        let error = bounded(name, || json::read(&source, Limits::RESOURCE).unwrap_err());
        assert_eq!(error.kind, kind, "{name}");
    }
}

#[test]
fn objects_with_many_members_are_read_in_linear_time() {
    if !alone("bombs::objects_with_many_members_are_read_in_linear_time") {
        return;
    }
    let members = |name: &dyn Fn(usize) -> String| {
        let mut text = "{\"resourceType\":\"Patient\"".to_owned();
        for number in 0..90_000 {
            let _ = write!(text, ",\"{}\":1", name(number));
        }
        text.push('}');
        text
    };
    let distinct = members(&|number| format!("member{number}"));
    let tree = bounded("distinct", || json::read(&distinct, Limits::RESOURCE).unwrap());
    assert!(tree.faults().is_empty());
    let same = members(&|_| "a".to_owned());
    let tree = bounded("same", || json::read(&same, Limits::RESOURCE).unwrap());
    assert_eq!(tree.faults().len(), 89_999);
    let mut text = "{\"a\":1".to_owned();
    for number in 0..40_000 {
        let _ = write!(text, ",\"m{number}\":1,\"_m{number}\":{{}}");
    }
    text.push('}');
    let tree = bounded("companions", || json::read(&text, Limits::RESOURCE).unwrap());
    assert!(tree.faults().is_empty());
    let nested = format!("{{\"a\":[{}[]]}}", "[{\"resourceType\":\"X\"}],".repeat(30_000));
    bounded("nested arrays", || json::read(&nested, Limits::RESOURCE).unwrap());
}

#[test]
fn one_name_written_in_two_ways_is_one_name() {
    let tree = json::read(r#"{"a":1,"\u0061":2}"#, Limits::RESOURCE).unwrap();
    assert_eq!(tree.faults().first().map(|fault| fault.kind), Some(FaultKind::DuplicateMember));
    let mut text = "{".to_owned();
    for number in 0..40 {
        let _ = write!(text, "\"m{number}\":1,");
    }
    text.push_str("\"\\u006d7\":2}");
    let tree = json::read(&text, Limits::RESOURCE).unwrap();
    assert_eq!(tree.faults().len(), 1);
}

#[test]
fn xml_bombs_end_with_a_named_error() {
    use xml::ErrorKind as Kind;

    if !alone("bombs::xml_bombs_end_with_a_named_error") {
        return;
    }
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]>";
    let external = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
    let parameter = "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1/x\"> %p;]>";
    let root = "<Patient xmlns=\"http://hl7.org/fhir\">";
    let div = "<text><div xmlns=\"http://www.w3.org/1999/xhtml\">";
    let mut flood = String::new();
    for number in 0..200_000 {
        let _ = write!(flood, " a{number}=\"\"");
    }
    let mut spaces = String::new();
    for number in 0..200_000 {
        let _ = write!(spaces, " xmlns:a{number}=\"u\"");
    }
    let cases: Vec<(&str, String, Kind)> = vec![
        ("billion laughs", format!("{laughs}{root}&lol2;</Patient>"), Kind::DocumentType),
        (
            "external entity",
            format!("{external}{root}<a value=\"&e;\"/></Patient>"),
            Kind::DocumentType,
        ),
        ("parameter entity", format!("{parameter}{root}</Patient>"), Kind::DocumentType),
        (
            "external subset",
            format!("<!DOCTYPE Patient SYSTEM \"http://127.0.0.1/\">{root}"),
            Kind::DocumentType,
        ),
        (
            "an open definition",
            format!("<!DOCTYPE x [{}", "<!ENTITY a \"b\">".repeat(500_000)),
            Kind::DocumentType,
        ),
        (
            "a definition within",
            format!("{root}{div}{external}</div></text></Patient>"),
            Kind::DocumentType,
        ),
        ("an undeclared entity", format!("{root}<a value=\"&lol9;\"/></Patient>"), Kind::Entity),
        ("depth", format!("{root}{}", "<a>".repeat(1_000_000)), Kind::TooDeep),
        ("depth of markup", format!("{root}{div}{}", "<b>".repeat(1_000_000)), Kind::TooDeep),
        ("elements", format!("{root}{}", "<a/>".repeat(1_000_000)), Kind::TooLarge),
        ("attributes", format!("{root}<a{flood}/></Patient>"), Kind::TooLarge),
        ("attributes of markup", format!("{root}{div}<p{flood}/>"), Kind::TooLarge),
        ("prefixes", format!("{root}<a{spaces}/></Patient>"), Kind::TooLarge),
        ("an endless comment", format!("<!--{}", "x".repeat(15 << 20)), Kind::Truncated),
        (
            "an endless attribute",
            format!("{root}<a value=\"{}", "x".repeat(15 << 20)),
            Kind::Truncated,
        ),
        ("an endless name", format!("<{}", "x".repeat(15 << 20)), Kind::Truncated),
        ("endless data", format!("{root}<![CDATA[{}", "x".repeat(15 << 20)), Kind::Truncated),
        ("an endless instruction", format!("<?x {}", "x".repeat(15 << 20)), Kind::Truncated),
        ("size", format!("{root}{}", " ".repeat(17 << 20)), Kind::TooLarge),
        (
            "a huge reference",
            format!("{root}<a value=\"&#{};\"/>", "9".repeat(1 << 20)),
            Kind::Character,
        ),
    ];
    for (name, source, kind) in cases {
        let error = bounded(name, || xml::read(&source, Limits::RESOURCE).unwrap_err());
        assert_eq!(error.kind, kind, "{name}");
    }
}

/// Each file of the JSON test suite (`y_` must be read, `n_` must be refused), if it is at hand.
#[test]
fn the_json_test_suite_is_read_as_it_says() {
    if !alone("bombs::the_json_test_suite_is_read_as_it_says") {
        return;
    }
    let shared = option_env!("IPT_FHIR_TEST_DATA").unwrap_or("../shared");
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(shared).join("data/hostile/JSONTestSuite");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let mut counts = (0, 0);
    for file in files.map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = std::fs::read(&file).unwrap();
        if crate::support::is_of_kind(&name, "gz") {
            let mut unpacked = Vec::new();
            std::io::Read::read_to_end(
                &mut flate2::read::GzDecoder::new(&bytes[..]),
                &mut unpacked,
            )
            .unwrap();
            bytes = unpacked;
        }
        let read = bounded(&name, || {
            detect::text(&bytes).is_ok_and(|text| json::read(text, Limits::RESOURCE).is_ok())
        });
        match name.as_bytes().first() {
            Some(b'y') => {
                assert!(read, "{name}");
                counts.0 += 1;
            }
            Some(b'n') => {
                assert!(!read, "{name}");
                counts.1 += 1;
            }
            _ => {}
        }
    }
    assert!(counts.0 > 40 && counts.1 > 80, "{counts:?}");
}
