//! Texts and ids by chance, among them those that mappings stumble over.

use super::Choices;

/// Texts that look like something else: markup, codes, references, what the mapping itself writes.
const ODD: [&str; 30] = [
    "plain words",
    "x",
    "<script>alert(\"1\")</script>",
    "a ]]> b <![CDATA[ c ]]>",
    "fish & chips &amp; &nope; &#0;",
    "“quotes” – 'single' \"double\" `tick`",
    "one line\nand another",
    "a\ttab and a\r\nline of DOS",
    "a lone\rreturn",
    "Zoë Ünal 😀 \u{1f468}\u{200d}\u{1f469} ﷽",
    "שלום \u{202e}abc",
    "nonchar\u{fffe}acters\u{ffff}\u{1fffe} here",
    "\u{200b}",
    "null",
    "true",
    "0",
    "Rank 1",
    "IPT session 3",
    "Sessions 5–7",
    "Session 2",
    "Progress monitoring",
    "Review of the plan",
    "reported with its date",
    "@care-plan",
    "p/goal-1",
    "urn:uuid:c30c06c5-dc9a-5a23-8fa4-b7ab16faa382",
    "Patient/1",
    "{score}",
    "\\u0000 \\n {{x}} ${y} %s",
    "2026-02-30",
];

/// Ids that look like the objective of another goal, like a number, like nothing.
const ODD_IDS: [&str; 22] = [
    "goal-1",
    "goal-1.1",
    "goal-2.1",
    "goal-2",
    "1",
    "0",
    "-",
    ".",
    "..",
    "A",
    "a",
    "goal-1.",
    ".1",
    "session-1",
    "session-1.1",
    "score-1",
    "care-plan",
    "item-1",
    "007",
    "x-own",
    "goal-1.1.1",
    "Id-of-64-letters-digits-hyphens-and-dots-which-is-all-it-may-be.",
];

impl Choices<'_> {
    /// A text that the record takes.
    pub(super) fn text(&mut self) -> String {
        match self.below(4) {
            0 => self.numbered(),
            1 => self.one(&ODD).to_owned(),
            2 => format!("{} {}", self.one(&ODD), self.numbered()),
            _ => self.any_letters(),
        }
    }

    /// A text that no other field of the record has.
    fn numbered(&mut self) -> String {
        self.serial += 1;
        format!("some words No. {:04}", self.serial)
    }

    /// Letters of any script.
    fn any_letters(&mut self) -> String {
        let letters = self.list(6, |choices| char::from_u32(u32::from(choices.draw())));
        let inside: String =
            letters.into_iter().flatten().filter(|letter| !letter.is_control()).collect();
        format!("‹{inside}›")
    }

    /// An id that nothing else in the record has.
    pub(super) fn id(&mut self, kind: &str) -> String {
        let wanted = if self.below(3) == 2 { Some(self.one(&ODD_IDS)) } else { None };
        if let Some(odd) = wanted.filter(|odd| self.ids.insert((*odd).to_owned())) {
            return odd.to_owned();
        }
        (1..1_000)
            .map(|number| format!("{kind}-{number}"))
            .find(|id| self.ids.insert(id.clone()))
            .unwrap_or_default()
    }
}
