//! What a rule reports: which rule, at which element, with which facts; all else is worked out for the report.
//!
//! A finding never holds what the document says: that may identify a person. It names the element, and a report that
//! may show values fetches them from the tree.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::rule::{Rule, structure};
use super::terminology::CodeQuestion;
use super::tree::{Naming, NodeId, Tree};
use super::types::Types;
use crate::issue::Severity;

/// Something that a rule found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here; mostly as bad as the rule says.
    pub severity: Severity,
    /// The element at which it is.
    pub node: NodeId,
    /// Where in the source, in bytes, if that is not where the element begins.
    pub offset: Option<usize>,
    /// A member that is missing or unknown and so has no element of its own: a name that FHIR's definition has.
    pub member: Option<Cow<'static, str>>,
    /// What is wrong, in one sentence that quotes nothing of the document.
    pub text: Cow<'static, str>,
    /// What would have been allowed, in words of the definition.
    pub allowed: Option<Cow<'static, str>>,
    /// Whether the element's value shows what is wrong.
    pub has_value: bool,
    /// The profile or definition that demands it, by its canonical URL.
    pub profile: Option<Cow<'static, str>>,
    /// The key of an invariant, or the canonical URL of a value set, that is broken.
    pub key: Option<Cow<'static, str>>,
}

impl Finding {
    /// With another severity than the rule's.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Says what would have been allowed.
    pub fn allowed(&mut self, allowed: impl Into<Cow<'static, str>>) -> &mut Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// Says that the element's value shows what is wrong.
    pub fn with_value(&mut self) -> &mut Self {
        self.has_value = true;
        self
    }

    /// Points to a byte of the source.
    pub fn offset(&mut self, offset: usize) -> &mut Self {
        self.offset = Some(offset);
        self
    }

    /// Names the member that is missing, or unknown.
    pub fn member(&mut self, member: impl Into<Cow<'static, str>>) -> &mut Self {
        self.member = Some(member.into());
        self
    }

    /// Names the profile that demands it.
    pub fn profile(&mut self, profile: impl Into<Cow<'static, str>>) -> &mut Self {
        self.profile = Some(profile.into());
        self
    }

    /// Names the invariant or value set.
    pub fn key(&mut self, key: impl Into<Cow<'static, str>>) -> &mut Self {
        self.key = Some(key.into());
        self
    }
}

impl Finding {
    /// Where it is, as the HL7 engine writes it: what can't be read it writes otherwise than what breaks a rule.
    pub fn expression(&self, tree: &Tree<'_>, types: &Types) -> String {
        self.expression_of(self.node, tree, types, Naming::AsWritten)
    }

    /// The same of an element above it, if the element itself is not to be told.
    pub fn expression_of(
        &self,
        node: NodeId,
        tree: &Tree<'_>,
        types: &Types,
        naming: Naming,
    ) -> String {
        if structure::is_of_reading(self.rule) {
            tree.expression_as_read(node, types, naming)
        } else {
            tree.expression(node, types, naming)
        }
    }
}

/// Where rules put what they find.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    /// What is said once in a document: rule, and what it is about.
    said: BTreeMap<&'static str, BTreeSet<Box<str>>>,
    /// What a terminology server would have to be asked.
    questions: BTreeSet<CodeQuestion>,
    /// The places in `found` by their elements, as far as [`Findings::forget_repeated`] has come.
    by_node: BTreeMap<NodeId, Vec<usize>>,
    indexed: usize,
}

impl Findings {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            found: Vec::new(),
            said: BTreeMap::new(),
            questions: BTreeSet::new(),
            by_node: BTreeMap::new(),
            indexed: 0,
        }
    }

    /// Adds what a rule found at an element, and gives it back for its facts.
    pub fn add(
        &mut self,
        rule: &'static Rule,
        node: NodeId,
        text: impl Into<Cow<'static, str>>,
    ) -> &mut Finding {
        self.found.push(Finding {
            rule,
            severity: rule.severity,
            node,
            offset: None,
            member: None,
            text: text.into(),
            allowed: None,
            has_value: false,
            profile: None,
            key: None,
        });
        let last = self.found.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was pushed a line above")]
        &mut self.found[last]
    }

    /// Whether a rule that says things once in a document has not yet said this. Asking again allocates nothing.
    pub fn is_first(&mut self, rule: &'static Rule, about: &str) -> bool {
        let said = self.said.entry(rule.code).or_default();
        !said.contains(about) && said.insert(about.into())
    }

    /// Notes what a terminology server would have to be asked, each thing once.
    pub fn ask(&mut self, question: CodeQuestion) {
        self.questions.insert(question);
    }

    /// What would have to be asked: taken out, in order.
    pub fn take_questions(&mut self) -> Vec<CodeQuestion> {
        std::mem::take(&mut self.questions).into_iter().collect()
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity >= Severity::Error)
    }

    /// How many there are: a mark to which [`Self::forget_repeated`] goes back.
    pub const fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Forgets of those found since the mark what was found before: the same rule, element, member and key, unless `keep` says that
    /// the rule's findings count for each profile.
    pub fn forget_repeated(&mut self, mark: usize, keep: impl Fn(&Rule) -> bool) {
        let later = self.found.split_off(mark.min(self.found.len()));
        for finding in later {
            self.index();
            let is_same = |earlier: &Finding| {
                std::ptr::eq(earlier.rule, finding.rule)
                    && earlier.member == finding.member
                    && earlier.key == finding.key
            };
            let earlier = self.by_node.get(&finding.node).into_iter().flatten();
            let mut earlier = earlier.filter_map(|place| self.found.get(*place));
            if keep(finding.rule) || !earlier.any(is_same) {
                self.found.push(finding);
            }
        }
    }

    /// Takes what was found since the last time into the index.
    fn index(&mut self) {
        for (place, finding) in self.found.iter().enumerate().skip(self.indexed) {
            self.by_node.entry(finding.node).or_default().push(place);
        }
        self.indexed = self.found.len();
    }

    /// All, in the order in which they were found.
    pub fn as_slice(&self) -> &[Finding] {
        &self.found
    }

    /// All, taken out.
    pub fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}
