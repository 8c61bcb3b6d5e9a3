//! Mutants of documents through the readers and writers: none makes them panic, and what is read can be walked.
//!
//! `IPT_FHIR_FUZZ_SEED` and `IPT_FHIR_FUZZ_COUNT` choose the run; a failure tells both.

use ipt_fhir::fhir::Release;
use ipt_fhir::json::Limits;
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::detect;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::tree::write::{self, Style};
use ipt_fhir::validate::tree::{Tree, json, xml};

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

    fn mutant(&mut self) -> Vec<u8> {
        let mut bytes = SEEDS[self.roll(SEEDS.len())].as_bytes().to_vec();
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
                    let other = SEEDS[self.roll(SEEDS.len())].as_bytes();
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

#[test]
fn mutants_are_read_or_refused() {
    let seed = setting("IPT_FHIR_FUZZ_SEED", 1);
    let count = setting("IPT_FHIR_FUZZ_COUNT", 6_000);
    let validator = Validator::new(Definitions::core(Release::R4), Options::default());
    let (mut read, mut refused, mut carried) = (0, 0, 0);
    for number in 0..count {
        let mut dice = Dice(seed.wrapping_mul(1 << 32).wrapping_add(number));
        let bytes = dice.mutant();
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = detect::input(&bytes);
            let Ok(text) = detect::text(&bytes) else { return (0, 0) };
            let mut counts = (0, 0);
            for tree in
                [json::read(text, Limits::RESOURCE).ok(), xml::read(text, Limits::RESOURCE).ok()]
            {
                let Some(tree) = tree else { continue };
                counts.0 += 1;
                counts.1 += convert(&validator, tree);
            }
            counts
        }));
        let (trees, converted) =
            tried.unwrap_or_else(|_| panic!("IPT_FHIR_FUZZ_SEED={seed}, mutant {number}"));
        read += trees;
        carried += converted;
        refused += u64::from(trees == 0);
    }
    assert!(read > count / 20 && refused > count / 20 && carried > 0, "{read} {refused} {carried}");
}

/// Walks a tree in all ways and writes it; what is written can be read again.
fn convert(validator: &Validator, mut tree: Tree<'_>) -> u64 {
    validator.annotate(&mut tree);
    let types = validator.programs().types();
    for node in tree.all() {
        let _ = (tree.expression(node, types), tree.pointer(node), tree.resource_of(node));
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
