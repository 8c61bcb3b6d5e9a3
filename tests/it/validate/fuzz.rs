//! Mutants of documents, exports, expressions and definitions: none makes anything panic, what is read can be walked and
//! written, and no report tells what a document says.
//!
//! How many there are is fixed, so that a run of the tests takes its time and no more, and finds the same each time.
//! `IPT_FHIR_FUZZ_SEED` and `IPT_FHIR_FUZZ_COUNT` choose another run; a failure tells both.

use std::cell::Cell;
use std::io::{Read, Write};

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{Limits, Value};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::bulk::{self, Inflate, Settings, Unpacking};
use ipt_fhir::validate::check::{Checks, View};
use ipt_fhir::validate::definitions::{Definitions, Package};
use ipt_fhir::validate::detect;
use ipt_fhir::validate::fhirpath::{self, Context, Expression, Model};
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::report::text::Paint;
use ipt_fhir::validate::report::{json as as_json, outcome, text};
use ipt_fhir::validate::tree::write::{self, Style};
use ipt_fhir::validate::tree::{Naming, NodeId, Tree, json, xml};

/// Documents; each text of theirs that tells of somebody begins with `Zq`.
const SEEDS: [&str; 5] = [
    r#"{"resourceType":"Patient","id":"p","name":[{"given":["A","B"],"_given":[null,{"id":"x"}]}],"active":true}"#,
    r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:0","resource":{"resourceType":"Observation","status":"final","code":{"text":"c\u00e9\n"},"valueQuantity":{"value":1.50e-3}}}]}"#,
    r#"{"_birthDate":{"extension":[{"url":"u","valueString":"\ud83d\ude00"}]},"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}}"#,
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- c --><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"p\"/><text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\"><p a='b'>&lt;&#65;<br/></p></div></text><contained><Goal><id value=\"g\"/></Goal></contained><name id=\"n\"><given value=\"A&amp;\"/></name></Patient>",
    "<f:Bundle xmlns:f=\"http://hl7.org/fhir\"><f:type value=\"collection\"/><f:entry><f:resource><f:Patient><f:active value=\"true\"/></f:Patient></f:resource></f:entry></f:Bundle>",
];

/// Pieces that mean something to a reader.
const PIECES: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"null",
    b"\"_",
    b"\\ud800",
    b"1e",
    b"<",
    b"/>",
    b">",
    b"&",
    b"&#x",
    b";",
    b"<!--",
    b"<![CDATA[",
    b"<?",
    b"xmlns:a=\"\"",
    b"\xef\xbb\xbf",
    b"\xc3",
];

struct Dice(u64);

impl Dice {
    /// A number below `count` (SplitMix64).
    fn roll(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % count.max(1) as u64).unwrap()
    }

    fn mutant(&mut self, seeds: &[&str]) -> Vec<u8> {
        let mut bytes = seeds[self.roll(seeds.len())].as_bytes().to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(6) {
                0 if at < bytes.len() => bytes[at] = u8::try_from(self.roll(256)).unwrap(),
                1 => bytes.truncate(at),
                2 => {
                    let end = (at + self.roll(30)).min(bytes.len());
                    bytes.drain(at..end);
                }
                3 => {
                    let end = (at + self.roll(60)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    let to = self.roll(bytes.len() + 1);
                    bytes.splice(to..to, copy);
                }
                4 => {
                    let other = seeds[self.roll(seeds.len())].as_bytes();
                    let from = self.roll(other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
                _ => {
                    let piece = PIECES[self.roll(PIECES.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        bytes
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs it may want more")]
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Runs something for each of `usual` mutants of seeds, or for as many as somebody wants; gives what it yields, summed up.
fn each_mutant(usual: u64, seeds: &[&str], run: impl Fn(&mut Dice, &[u8]) -> u64) -> (u64, u64) {
    let seed = setting("IPT_FHIR_FUZZ_SEED", 1);
    let count = setting("IPT_FHIR_FUZZ_COUNT", usual);
    let mut sum = 0;
    for number in 0..count {
        let mut dice = Dice(seed.wrapping_mul(1 << 32).wrapping_add(number));
        let bytes = dice.mutant(seeds);
        let tried =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&mut dice, &bytes)));
        sum += tried.unwrap_or_else(|_| {
            panic!(
                "IPT_FHIR_FUZZ_SEED={seed}, mutant {number}: {}",
                String::from_utf8_lossy(&bytes)
            )
        });
    }
    (count, sum)
}

#[test]
fn mutants_are_read_or_refused() {
    let validator = Validator::new(Definitions::core(Release::R4), Options::default());
    let (read, refused, carried) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let add = |cell: &Cell<u64>, more: u64| cell.set(cell.get() + more);
    let (count, _) = each_mutant(6_000, &SEEDS, |_, bytes| {
        let _ = detect::input(bytes);
        let Ok(text) = detect::text(bytes) else {
            add(&refused, 1);
            return 0;
        };
        let trees =
            [json::read(text, Limits::RESOURCE).ok(), xml::read(text, Limits::RESOURCE).ok()];
        add(&refused, u64::from(trees.iter().all(Option::is_none)));
        for tree in trees.into_iter().flatten() {
            add(&read, 1);
            add(&carried, convert(&validator, tree));
        }
        0
    });
    let (read, refused, carried) = (read.get(), refused.get(), carried.get());
    assert!(read > count / 20 && refused > count / 20 && carried > 0, "{read} {refused} {carried}");
}

/// Walks a tree in all ways and writes it; what is written can be read again.
fn convert(validator: &Validator, mut tree: Tree<'_>) -> u64 {
    validator.annotate(&mut tree);
    let types = validator.programs().types();
    for node in tree.all() {
        let _ = (
            tree.expression(node, types, Naming::AsWritten),
            tree.pointer(node),
            tree.resource_of(node),
        );
        let _ = tree.position(tree.start(node));
    }
    let mut carried = 0;
    if let Ok(text) = write::json(&tree, types, Style::Pretty) {
        let again = json::read(&text, Limits::RESOURCE);
        assert!(again.is_ok_and(|tree| !tree.is_empty()));
        carried += 1;
    }
    if let Ok(text) = write::xml(&tree, types, Style::Compact) {
        assert!(xml::read(&text, Limits::RESOURCE).is_ok());
        carried += 1;
    }
    carried
}

/// Documents in which every text is somebody's: `Zq`. Beside them stand the readers' seeds, whose texts are too short to tell.
const TELLING: [&str; 4] = [
    r#"{"resourceType":"Patient","id":"Zqid","name":[{"family":"Zqname","given":["Zqgiven"],"use":"Zquse"}],"gender":"Zqgender","birthDate":"Zqday","Zqmember":{"Zqinner":1},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class='Zqclass'>Zqtext<Zqtag/></p></div>"},"contained":[{"resourceType":"Zqtype","id":"Zqid"}]}"#,
    r#"{"resourceType":"Bundle","type":"document","entry":[{"fullUrl":"http://Zqhost/Patient/Zqid","resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"Zqcode","display":"Zqdisplay"}]},"subject":{"reference":"Patient/Zqid"},"valueString":"Zqvalue","extension":[{"url":"http://Zqhost/e","valueUri":"Zquri"}]}}]}"#,
    "<Patient xmlns=\"http://hl7.org/fhir\">\n<id value=\"Zqid\"/><text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\">Zqtext<p id=\"Zqid\">Zq</p></div></text><!-- Zqcomment --><Zqunknown value=\"Zqvalue\"/><gender value=\"Zqgender\"/></Patient>",
    "<f:Goal xmlns:f=\"http://hl7.org/fhir\" xmlns:Zq=\"http://Zqhost\"><f:extension url=\"http://Zqhost/e\"/>\n<f:description><f:text value='Zqtext'/></f:description><Zq:note f:value=\"Zqnote\"/></f:Goal>",
];

#[test]
fn mutants_are_validated_and_reported_without_a_word_of_theirs() {
    let checks = |show_values| {
        let view = View { show_values, excerpts: true };
        Checks::new(None, Vec::new(), Options::default(), view)
    };
    let (hidden, shown) = (checks(false), checks(true));
    let all = |checks: &Checks, bytes: &[u8]| {
        let checked = checks.check(bytes, 7);
        let mut report = String::new();
        text::write(&mut report, "f", &checked.reported, &Paint::default());
        let name = checked.resource_type.as_deref();
        let object = as_json::resource("f", 7, name, checked.is_readable, &checked.reported);
        report.push_str(&Value::Object(object).to_text());
        report.push_str(&outcome::of("f", &checked.reported).into_value().to_text());
        report
    };
    let (count, told) = each_mutant(3_000, &TELLING, |dice, bytes| {
        let report = all(&hidden, bytes);
        assert!(!report.contains("Zq"), "{report}");
        // The same with values, which cuts texts of any form at a width.
        u64::from(dice.roll(4) == 0 && all(&shown, bytes).contains("Zq"))
    });
    assert!(told > count / 200, "{told}");
}

#[test]
fn mutants_of_exports_are_cut_into_lines() {
    let lines = [SEEDS[0], "", SEEDS[1], "  ", SEEDS[2]].join("\n");
    let windows = lines.replace('\n', "\r\n");
    let (count, seen) = each_mutant(3_000, &[&lines, &windows, "\n\n", "{}"], |dice, bytes| {
        let settings = Settings {
            line: 1 + dice.roll(400),
            chunk: 1 + dice.roll(300),
            workers: 1 + dice.roll(3),
        };
        let mut numbers = Vec::new();
        let totals = bulk::lines(
            bytes,
            settings,
            |line| line.number,
            |number| {
                numbers.push(number);
                true
            },
            |_| {},
        );
        assert_eq!(totals.unwrap().bytes, bytes.len() as u64);
        let filled = bytes.split(|byte| *byte == b'\n').enumerate();
        let filled = filled.filter(|(_, line)| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            line.len() > settings.line || !line.trim_ascii().is_empty()
        });
        let expected: Vec<u64> = filled.map(|(number, _)| number as u64 + 1).collect();
        if !bytes.starts_with(b"\xef\xbb\xbf") {
            assert_eq!(numbers, expected, "{settings:?}");
        }
        numbers.len() as u64
    });
    assert!(seen > count, "{seen}");
    // Packed, and then changed.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(lines.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let (_, read) = each_mutant(2_000, &["."], |dice, _| {
        let mut bytes = packed.clone();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(bytes.len());
            bytes[at] = u8::try_from(dice.roll(256)).unwrap();
        }
        bytes.truncate(bytes.len() - dice.roll(3) * dice.roll(40));
        let mut unpacked = Vec::new();
        let limits = Unpacking { total: 1 << 20, ..Unpacking::NETWORK };
        let outcome = Inflate::new(&bytes[..], limits).read_to_end(&mut unpacked);
        u64::from(outcome.is_ok_and(|length| length == lines.len()))
    });
    assert!(read > 0);
}

#[test]
fn mutants_of_expressions_are_evaluated_or_refused() {
    const EXPRESSIONS: [&str; 8] = [
        "name.given.where($this.startsWith('A') and length() > 1.50).select($this & 'é\\n').distinct().count() <= 3",
        "Patient.name[0].given.aggregate($total + $this.length(), 0) div 2 mod 3 is Integer",
        "iif(birthDate >= @2014-01-01T10:30:00.000+01:00, 4.5 'mg' * 2, {} | (1 'wk')).toQuantity('g')",
        "descendants().ofType(string).repeat(%resource.id).exists() implies name.all(given.exists() xor family.empty())",
        "(1 | 2.0 | '3' | @T12:30 | true).intersect(4 | 2).toString().replaceMatches('(?<a>[0-9])+', '$1').encode('base64')",
        "%`vs-x`.children().trace('a').first() ~ %context.`given` // comment\n and /* more */ true",
        "name.given.join(',').split(',').substring(1, 2).indexOf('b').power(-2).round(3).lowBoundary(8)",
        "contact.name.as(HumanName).given.combine(name.given).sort().last().matches('^[^\\\\s]+(\\\\s[^\\\\s]+)*$')",
    ];
    let validator = Validator::new(Definitions::core(Release::R4), Options::default());
    let mut tree = json::read(SEEDS[0], Limits::RESOURCE).unwrap();
    validator.annotate(&mut tree);
    let model = Model::new(std::sync::Arc::clone(validator.programs().types()));
    let limits = fhirpath::Limits { steps: 20_000, ..fhirpath::Limits::default() };
    let context = Context::new(&tree, &model).with_limits(limits).at_time("2024-01-02T03:04:05Z");
    for text in EXPRESSIONS {
        Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let (count, evaluated) = each_mutant(4_000, &EXPRESSIONS, |_, bytes| {
        let Ok(expression) = Expression::parse(&String::from_utf8_lossy(bytes)) else { return 0 };
        let _ = context.evaluate(&expression, NodeId::ROOT);
        1
    });
    assert!(evaluated > count / 50 && evaluated < count, "{evaluated}");
}

#[test]
fn mutants_of_definitions_are_compiled_or_left_out() {
    const DEFINITIONS: [&str; 4] = [
        r#"{"resourceType":"StructureDefinition","url":"http://a.example/p","version":"1","kind":"resource","abstract":false,"type":"Patient","derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","snapshot":{"element":[{"id":"Patient","path":"Patient","min":0,"max":"*","constraint":[{"key":"a-1","severity":"error","human":"h","expression":"name.exists()"}]},{"id":"Patient.name","path":"Patient.name","min":1,"max":"2","type":[{"code":"HumanName"}],"patternHumanName":{"use":"official"}},{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","min":0,"max":"1","type":[{"code":"boolean"},{"code":"dateTime"}],"fixedBoolean":true},{"id":"Patient.gender","path":"Patient.gender","min":0,"max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"http://a.example/v|1"}}]}}"#,
        r#"{"resourceType":"ValueSet","url":"http://a.example/v","version":"1","compose":{"include":[{"system":"http://a.example/c","filter":[{"property":"concept","op":"is-a","value":"a"},{"property":"p","op":"regex","value":"[a-z]+"}]},{"valueSet":["http://a.example/w"]}],"exclude":[{"system":"http://a.example/c","concept":[{"code":"b","display":"B"}]}]},"expansion":{"total":1,"contains":[{"system":"http://a.example/c","code":"a"}]}}"#,
        r#"{"resourceType":"CodeSystem","url":"http://a.example/c","content":"complete","caseSensitive":true,"hierarchyMeaning":"is-a","property":[{"code":"p","type":"code"}],"concept":[{"code":"a","display":"A","concept":[{"code":"b","property":[{"code":"p","valueCode":"x"},{"code":"parent","valueCode":"a"},{"code":"inactive","valueBoolean":true}]}]}]}"#,
        r#"{"resourceType":"StructureDefinition","url":"http://a.example/e","kind":"complex-type","type":"Extension","derivation":"constraint","context":[{"type":"element","expression":"Patient"},{"type":"fhirpath","expression":"Patient.name"}],"contextInvariant":["name.exists()"],"snapshot":{"element":[{"path":"Extension"},{"path":"Extension.extension","max":"0","sliceName":"x"},{"path":"Extension.url","fixedUri":"http://a.example/e"},{"path":"Extension.value[x]","type":[{"code":"string"}],"maxLength":3}]}}"#,
    ];
    let document = r#"{"resourceType":"Patient","meta":{"profile":["http://a.example/p"]},"name":[{"family":"a"}],"gender":"male","deceasedBoolean":true,"extension":[{"url":"http://a.example/e","valueString":"long"}],"maritalStatus":{"coding":[{"system":"http://a.example/c","code":"b"}]}}"#;
    let (count, read) = each_mutant(100, &DEFINITIONS, |dice, bytes| {
        let changed = dice.roll(DEFINITIONS.len());
        let files = DEFINITIONS.iter().enumerate().map(|(number, text)| {
            let bytes = if number == changed { bytes.to_vec() } else { text.as_bytes().to_vec() };
            (format!("package/{number}.json"), bytes)
        });
        let package = Package::from_files(files.chain([(
            "package/package.json".to_owned(),
            b"{\"name\":\"a\",\"fhirVersions\":[\"4.0.1\"]}".to_vec(),
        )]));
        let checks =
            Checks::new(Some(Release::R4), vec![package], Options::default(), View::default());
        let checked = checks.check(document.as_bytes(), 1);
        u64::from(checked.is_readable)
    });
    assert_eq!(read, count);
}
