//! Codes by themselves: a Coding's system, code and display, whatever the binding; and the unit of a Quantity.

use std::sync::Arc;

use super::{CodeRules, Look, system_not_checked};
use crate::issue::Severity;
use crate::validate::finding::{Finding, Findings};
use crate::validate::primitive::scheme;
use crate::validate::program::{Binding, Strength};
use crate::validate::rule::terminology as rule;
use crate::validate::terminology::code_system::{CodeSystem, Content, Standing};
use crate::validate::terminology::display::{self, Likeness};
use crate::validate::terminology::grammar::{self, Grammar};
use crate::validate::terminology::{About, Answer, CodeQuestion, Membership, Names};
use crate::validate::tree::{NodeId, Tree};

/// The parts of a Coding or of a Quantity, each with its element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parts<'t> {
    pub(super) system: Option<(NodeId, &'t str)>,
    pub(super) version: Option<(NodeId, &'t str)>,
    pub(super) code: Option<(NodeId, &'t str)>,
    pub(super) display: Option<(NodeId, &'t str)>,
}

impl<'t> Parts<'t> {
    pub(super) fn of(tree: &'t Tree<'_>, node: NodeId) -> Self {
        let mut parts = Self::default();
        for child in tree.children(node) {
            let slot = match tree.name(child) {
                "system" => &mut parts.system,
                "version" => &mut parts.version,
                "code" => &mut parts.code,
                "display" => &mut parts.display,
                _ => continue,
            };
            *slot = tree.text(child).filter(|text| !text.is_empty()).map(|text| (child, text));
        }
        parts
    }
}

/// Longer names of a code are not shown.
const LONGEST_SHOWN: usize = 200;

/// The URLs of code systems to which nothing may be added.
const WHOLE: [&str; 3] = [
    "http://loinc.org",
    "http://unitsofmeasure.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
];

/// Where a coding stands: it decides which element a finding about its system is at, and how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a CodeableConcept.
    Concept,
    /// A Coding of its own, bound to a set.
    Bound,
    /// A Coding of its own, free.
    Free,
    /// A Quantity.
    Quantity,
}

impl CodeRules {
    pub(super) fn concept(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        for coding in look.tree.children_named(node, "coding") {
            self.parts(look, coding, Place::Concept, binding, findings);
        }
        if let Some(binding) = binding {
            self.bound_concept(look, node, binding, findings);
        }
    }

    pub(super) fn coding(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let is_bound = binding.is_some_and(|binding| binding.strength > Strength::Example);
        let place = if is_bound { Place::Bound } else { Place::Free };
        self.parts(look, node, place, binding, findings);
        if let Some(binding) = binding {
            self.bound_coding(look, node, binding, findings);
        }
    }

    pub(super) fn quantity(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let parts = Parts::of(look.tree, node);
        if parts.system.is_some() && parts.code.is_some() {
            self.parts(look, node, Place::Quantity, None, findings);
        }
        if let Some(binding) = binding {
            self.bound_quantity(look, node, binding, findings);
        }
    }

    fn parts(
        &self,
        look: Look<'_>,
        node: NodeId,
        place: Place,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let parts = Parts::of(look.tree, node);
        let Some((system_node, url)) = parts.system else {
            let rule = match place {
                Place::Concept => &rule::CONCEPT_WITHOUT_SYSTEM,
                _ if parts.code.is_some() => &rule::CODING_WITHOUT_SYSTEM,
                _ => return,
            };
            findings.add(rule, node, "the coding has no system, so its code means nothing");
            return;
        };
        // What follows the scheme is the primitive's own matter.
        if scheme(url).is_none() {
            relative(node, system_node, place, findings);
            return;
        }
        if let Some(grammar) = Grammar::of(url) {
            // A Coding of its own, whose value set is not at hand, the HL7 engine does not look at; so it is no error there.
            let is_looked_at = match place {
                Place::Concept => true,
                Place::Bound => binding.is_some_and(|binding| self.set(binding).is_some()),
                Place::Free | Place::Quantity => false,
            };
            let severity = if is_looked_at { Severity::Error } else { Severity::Warning };
            self.form(grammar, &parts, severity, findings);
            return;
        }
        let Some(system) = self.terminology.code_system(url) else {
            self.without_system(look, node, &parts, place, binding, findings);
            return;
        };
        match system.content() {
            Content::Supplement => {
                findings
                    .add(
                        &rule::SYSTEM_SUPPLEMENT,
                        system_node,
                        "a supplement is no code system of its own",
                    )
                    .with_value();
            }
            Content::Complete | Content::Fragment => {
                if let Some(system) = self.in_version(&system, &parts, place, binding, findings) {
                    self.known(look, &system, node, &parts, place, binding, findings);
                }
            }
            Content::Example | Content::NotPresent => {
                self.open(look, Some(&system), &parts, place, binding, findings);
            }
        }
    }

    /// The CodeSystem in the version that the coding names. If that is not at hand, its codes can't be told.
    fn in_version(
        &self,
        system: &Arc<CodeSystem>,
        parts: &Parts<'_>,
        place: Place,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) -> Option<Arc<CodeSystem>> {
        let (Some((system_node, url)), Some((_, version))) = (parts.system, parts.version) else {
            return Some(Arc::clone(system));
        };
        if system.version() == Some(version) {
            return Some(Arc::clone(system));
        }
        let exact = self.terminology.code_system(&[url, version].join("|"));
        if exact.is_none() && matches!(place, Place::Concept) {
            let is_required = binding.is_some_and(|binding| binding.strength == Strength::Required);
            let known = system.version().unwrap_or("without version");
            findings
                .add(
                    &rule::SYSTEM_VERSION,
                    system_node,
                    "the code system is not at hand in this version, so the code is not checked",
                )
                .severity(if is_required { Severity::Error } else { Severity::Warning })
                .allowed(known.to_owned());
        }
        exact
    }

    /// A code of a system that is at hand with all or some of its codes.
    #[expect(clippy::too_many_arguments, reason = "an element, its parts, and what it stands in")]
    fn known(
        &self,
        look: Look<'_>,
        system: &CodeSystem,
        node: NodeId,
        parts: &Parts<'_>,
        place: Place,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let Some((code_node, code)) = parts.code else {
            if matches!(place, Place::Concept | Place::Bound) {
                let text = "the coding has a system and no code";
                findings.add(&rule::WITHOUT_CODE, node, text).member("code");
            }
            return;
        };
        let Some(id) = system.find(code) else {
            let (rule, text) = if system.content() == Content::Fragment {
                (
                    &rule::UNKNOWN_IN_FRAGMENT,
                    "the code is not among those of its system that are at hand",
                )
            } else {
                (&rule::UNKNOWN, "the code system has no such code")
            };
            findings.add(rule, code_node, text).with_value().key(canonical(system));
            return;
        };
        let right = system.code(id);
        if right != code {
            findings
                .add(
                    &rule::CASE,
                    code_node,
                    "the code is written in another case than its system has it",
                )
                .with_value()
                .allowed(right.to_owned());
        }
        if let (Some((display_node, given)), false) =
            (parts.display, place == Place::Quantity || look.options.ignore_displays)
        {
            let names = system.display(id).into_iter().chain(system.designations(id));
            let mut best = Likeness::Other;
            let mut any = false;
            for name in names {
                any = true;
                match display::compare(given, name) {
                    Likeness::Same => best = Likeness::Same,
                    Likeness::Spaced if best == Likeness::Other => best = Likeness::Spaced,
                    _ => {}
                }
                if best == Likeness::Same {
                    break;
                }
            }
            if any && best != Likeness::Same && !self.is_called_so(parts, binding) {
                let right = system.display(id).or_else(|| system.designations(id).next());
                wrong_display(look, display_node, right, best == Likeness::Spaced, findings);
            }
        }
        if system.is_inactive(id) {
            findings
                .add(&rule::INACTIVE, node, "the code is no longer in use in its system")
                .with_value();
        }
        if system.is_deprecated(id) {
            findings
                .add(&rule::DEPRECATED, node, "the code's use is discouraged by its system")
                .with_value();
        }
        let standing = match system.standing() {
            // The reference says nothing of it within a CodeableConcept, whose user chose the system with the binding.
            _ if place == Place::Concept => return,
            Standing::Active => return,
            Standing::Draft => (&rule::SYSTEM_DRAFT, "the code system is a draft"),
            Standing::Retired => (&rule::SYSTEM_RETIRED, "the code system is retired"),
        };
        if findings.is_first(standing.0, system.url()) {
            findings.add(standing.0, node, standing.1).key(canonical(system));
        }
    }

    /// Whether the bound value set has this name for the code; before R5 it may give names of its own.
    fn is_called_so(&self, parts: &Parts<'_>, binding: Option<&Binding>) -> bool {
        let (Some((_, system)), Some((_, code)), Some((_, given))) =
            (parts.system, parts.code, parts.display)
        else {
            return false;
        };
        let set = binding.filter(|_| self.is_before_r5()).and_then(|binding| self.set(binding));
        set.is_some_and(|set| {
            set.any_name(system, code, &mut |name| display::compare(given, name) == Likeness::Same)
        })
    }

    /// A system whose codes are told by their form; `severity` is that of a URI that is none.
    fn form(
        &self,
        grammar: Grammar,
        parts: &Parts<'_>,
        severity: Severity,
        findings: &mut Findings,
    ) {
        let Some((code_node, code)) = parts.code else { return };
        let is_unit = self.terminology.is_unit();
        match grammar {
            Grammar::Uri if grammar.holds(code, is_unit) == Membership::Out => {
                findings
                    .add(&rule::UNKNOWN, code_node, "the code is no URI")
                    .severity(severity)
                    .with_value();
            }
            Grammar::Unit if is_unit(code) == Some(false) => {
                findings.add(&rule::UNIT, code_node, "the code is no UCUM unit").with_value();
            }
            Grammar::MediaType if !grammar::is_media_type(code) => {
                findings
                    .add(&rule::MEDIA_TYPE, code_node, "the code has not the form type/subtype")
                    .with_value();
            }
            _ => {}
        }
    }

    /// A system of which nothing is at hand.
    fn without_system(
        &self,
        look: Look<'_>,
        node: NodeId,
        parts: &Parts<'_>,
        place: Place,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let Some((system_node, url)) = parts.system else { return };
        let is_free = matches!(place, Place::Free | Place::Quantity);
        if self.terminology.is_value_set(url) {
            let (rule, at) = if is_free {
                (&rule::CODING_SYSTEM_VALUE_SET, node)
            } else {
                (&rule::SYSTEM_VALUE_SET, system_node)
            };
            findings.add(rule, at, "the system is a value set, no code system").with_value();
            return;
        }
        if is_hl7(url) {
            if is_free {
                findings
                    .add(&rule::SYSTEM_UNKNOWN, node, "HL7 has no such code system")
                    .with_value();
            } else {
                let text = "HL7 has no such code system, so the code is not checked";
                findings.add(&rule::SYSTEM_DOUBTFUL, system_node, text).with_value();
            }
            return;
        }
        if is_free && self.is_misspelt(url) {
            findings
                .add(&rule::SYSTEM_MISSPELT, node, "the URL of the code system is misspelt")
                .with_value();
            return;
        }
        self.open(look, None, parts, place, binding, findings);
    }

    /// A system that would be known if its URL began with `http:`, or did not go on after its end.
    fn is_misspelt(&self, url: &str) -> bool {
        let secure = url
            .strip_prefix("https:")
            .is_some_and(|rest| self.terminology.code_system(&["http:", rest].concat()).is_some());
        secure
            || WHOLE
                .iter()
                .any(|whole| url.strip_prefix(whole).is_some_and(|rest| !rest.is_empty()))
    }

    /// A code that only a server can tell.
    fn open(
        &self,
        look: Look<'_>,
        known: Option<&CodeSystem>,
        parts: &Parts<'_>,
        place: Place,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let (Some((system_node, url)), Some((code_node, code))) = (parts.system, parts.code) else {
            return;
        };
        let question = |about| CodeQuestion {
            about,
            system: Some(url.into()),
            version: parts.version.map(|(_, version)| version.into()),
            code: code.into(),
        };
        match self.ask(findings, || question(About::System)) {
            Answer::Valid(name) => {
                if let Some((display_node, given)) = parts.display
                    && place != Place::Quantity
                    && !look.options.ignore_displays
                    && name.is_none_or(|name| display::compare(given, &name) != Likeness::Same)
                    && !self.is_called_so(parts, binding)
                {
                    // It may be another of the code's names.
                    if let Answer::Called(names) = self.ask(findings, || question(About::Names)) {
                        by_names(look, display_node, given, &names, findings);
                    }
                }
            }
            Answer::Invalid => {
                findings
                    .add(&rule::UNKNOWN, code_node, "the code system has no such code")
                    .with_value();
            }
            Answer::Open | Answer::Called(_) => {
                system_not_checked(known, url, system_node, findings);
            }
        }
    }
}

/// A display against the names that a server gives. In a language of which it has none, nothing can be told; and a
/// server that gives only one name may keep others back, so that is no error.
fn by_names(look: Look<'_>, node: NodeId, given: &str, names: &Names, findings: &mut Findings) {
    let all = || names.names.iter().map(|(_, name)| name.as_ref());
    let likeness = |wanted| all().any(|name| display::compare(given, name) == wanted);
    if likeness(Likeness::Same) {
        return;
    }
    let is_spaced = likeness(Likeness::Spaced);
    let is_english = |language: &str| language.starts_with("en");
    if !is_spaced
        && language_at(look.tree, node)
            .is_some_and(|language| !is_english(language) && !names.has_language(language))
    {
        return;
    }
    let right = all().next().filter(|name| name.len() <= LONGEST_SHOWN);
    let finding = wrong_display(look, node, right, is_spaced, findings);
    if !is_spaced && !names.is_list {
        finding.severity(Severity::Warning);
    }
}

/// The language of the nearest resource around an element that names one.
fn language_at<'t>(tree: &'t Tree<'_>, node: NodeId) -> Option<&'t str> {
    let around = std::iter::successors(Some(node), |node| tree.parent(*node));
    around
        .filter(|node| tree.resource_type(*node).is_some())
        .find_map(|resource| tree.child_text(resource, "language"))
}

fn wrong_display<'f>(
    look: Look<'_>,
    node: NodeId,
    right: Option<&str>,
    is_spaced: bool,
    findings: &'f mut Findings,
) -> &'f mut Finding {
    let (rule, text) = if is_spaced {
        (&rule::DISPLAY_SPACE, "the display differs from the code's by white space")
    } else {
        (&rule::DISPLAY, "the display is not that of the code")
    };
    let is_warning = look.options.wrong_displays_are_warnings;
    let severity = if is_warning { Severity::Warning } else { Severity::Error };
    let finding = findings.add(rule, node, text).severity(severity).with_value();
    if let Some(right) = right {
        finding.allowed(right.to_owned());
    }
    finding
}

/// The URL and version of a code system, for a finding.
fn canonical(system: &CodeSystem) -> String {
    match system.version() {
        Some(version) => [system.url(), version].join("|"),
        None => system.url().to_owned(),
    }
}

fn relative(node: NodeId, system_node: NodeId, place: Place, findings: &mut Findings) {
    let text = "the system of a code is an absolute URI, not a relative one";
    match place {
        Place::Concept | Place::Bound => findings.add(&rule::SYSTEM_RELATIVE, system_node, text),
        Place::Free | Place::Quantity => findings.add(&rule::CODING_SYSTEM_RELATIVE, node, text),
    }
    .with_value();
}

/// Whether a URL is one that only HL7 gives out, and of which all are known: not those of other people's codes (`sid`).
fn is_hl7(url: &str) -> bool {
    let rest =
        url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    rest.strip_prefix("hl7.org/fhir").is_some_and(|path| {
        !path.starts_with("/sid/") && !path.starts_with("/test") && !path.contains("example")
    })
}
