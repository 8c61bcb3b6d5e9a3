//! Published invariants that are wrong, and what the reference engine puts in their place.
//!
//! One table, each row with its reason. A row is recognised by the key and the text as it is published, so a later
//! publication that has it right is left alone.

use crate::fhir::Release;

/// A published invariant that is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Correction {
    /// The key; empty if it is known by its text only.
    pub key: &'static str,
    /// The releases for which it counts.
    pub releases: &'static [Release],
    /// How the published text begins (the whole of it, where it is short).
    pub published: &'static str,
    /// What is evaluated.
    pub corrected: &'static str,
    /// Why.
    pub reason: &'static str,
}

const R4: &[Release] = &[Release::R4];
const R4_R4B: &[Release] = &[Release::R4, Release::R4B];
const R5: &[Release] = &[Release::R5];
const ALL: &[Release] = &[Release::R4, Release::R4B, Release::R5];

/// All of them.
pub const CORRECTIONS: &[Correction] = &[
    Correction {
        key: "ref-1",
        releases: R4_R4B,
        published: "reference.startsWith('#').not() or (reference.substring(1)",
        corrected: "reference.exists() implies (reference.startsWith('#').not() or \
                    (reference.substring(1) in %rootResource.contained.id) or reference = '#')",
        reason: "a reference without `reference` is none that could be wrong, and `#` refers to the container",
    },
    Correction {
        key: "bdl-8",
        releases: R4,
        published: "fullUrl.contains('/_history/').not()",
        corrected: "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
        reason: "an entry without fullUrl would fail (corrected in R4B)",
    },
    Correction {
        key: "",
        releases: R4,
        published: "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
        corrected: "name.exists() implies name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')",
        reason: "the name is optional, and `matches` looks for a part: 29 invariants xxx-0",
    },
    Correction {
        key: "con-3",
        releases: R4,
        published: "clinicalStatus.exists() or verificationStatus.coding.where(",
        corrected: "(category.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-category' \
                    and code='problem-list-item').exists() and verificationStatus.coding.where(\
                    system='http://terminology.hl7.org/CodeSystem/condition-ver-status' and \
                    code='entered-in-error').exists().not()) implies clinicalStatus.exists()",
        reason: "`category.select($this='problem-list-item')` compares a CodeableConcept with a text: never empty",
    },
    Correction {
        key: "tim-9",
        releases: R4_R4B,
        published: "offset.empty() or (when.exists() and ((when in (",
        corrected: "offset.empty() or (when.exists() and \
                    when.select($this in ('C' | 'CM' | 'CD' | 'CV')).allFalse())",
        reason: "`when` may repeat, `in` takes one item (corrected in R5)",
    },
    Correction {
        key: "ras-2",
        releases: R4,
        published: "probability is decimal implies (probability as decimal) <= 100",
        corrected: "(probability.exists() and (probability is decimal)) implies \
                    (probability as decimal) <= 100",
        reason: "without a probability the result is empty, which fails (corrected in R4B)",
    },
    Correction {
        key: "que-12",
        releases: R4,
        published: "enableWhen.count() > 2 implies enableBehavior.exists()",
        corrected: "enableWhen.count() >= 2 implies enableBehavior.exists()",
        reason: "the words say more than one (corrected in R4B)",
    },
    Correction {
        key: "que-7",
        releases: ALL,
        published: "operator = 'exists' implies (answer is Boolean)",
        corrected: "operator = 'exists' implies (answer is boolean)",
        reason: "an element is a FHIR boolean, not a System.Boolean (corrected in R4B)",
    },
    Correction {
        key: "opd-3",
        releases: R4_R4B,
        published: "targetProfile.exists() implies (type = 'Reference' or type = 'canonical'",
        corrected: "targetProfile.exists() implies (type = 'Reference' or type = 'canonical' or \
                    type.memberOf('http://hl7.org/fhir/ValueSet/resource-types'))",
        reason: "a parameter that is a resource may have a profile, too",
    },
    Correction {
        key: "opd-3",
        releases: R5,
        published: "targetProfile.exists() implies (type = 'Reference' or type = 'canonical'",
        corrected: "targetProfile.exists() implies (type = 'Reference' or type = 'canonical' or \
                    type.memberOf('http://hl7.org/fhir/ValueSet/all-resource-types'))",
        reason: "R5's resource-types lacks the abstract types and those of older releases",
    },
    Correction {
        key: "eld-19",
        releases: R4_R4B,
        published: "path.matches('[",
        corrected: r#"path.matches('^[^\\s\\.,:;\\\'"\\/|?!@#$%&*()\\[\\]{}]{1,64}(\\.[^\\s\\.,:;\\\'"\\/|?!@#$%&*()\\[\\]{}]{1,64}(\\[x\\])?(\\:[^\\s\\.]+)?)*$')"#,
        reason: "`matches` looks for a part (corrected in R4B)",
    },
    Correction {
        key: "eld-20",
        releases: R4_R4B,
        published: "path.matches('[",
        corrected: r"path.matches('^[A-Za-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*(\\[x])?)*$')",
        reason: "`matches` looks for a part (corrected in R4B)",
    },
    Correction {
        key: "eld-11",
        releases: R5,
        published: "binding.empty() or type.code.empty() or type.code.contains(\":\") or ",
        corrected: "binding.empty() or type.code.empty() or type.code.contains(':') or type.select(\
                    (code = 'code') or (code = 'Coding') or (code='CodeableConcept') or \
                    (code = 'Quantity') or (code = 'string') or (code = 'uri') or \
                    (code = 'Duration')).exists()",
        reason: "texts stand in single quotes",
    },
    Correction {
        key: "pd-1",
        releases: ALL,
        published: "telecom or endpoint",
        corrected: "telecom.exists() or endpoint.exists()",
        reason: "`or` takes one item on each side (US Core 3.1.1 and 6.1; corrected in 7)",
    },
    Correction {
        key: "txt-2",
        releases: ALL,
        published: "htmlChecks()",
        corrected: "htmlChecks2()",
        reason: "it says that there must be content, and has the expression of txt-1",
    },
];

/// The expression to evaluate: the published one, unless that is known to be wrong.
pub fn corrected<'e>(release: Release, key: &str, published: &'e str) -> &'e str {
    let row = CORRECTIONS.iter().find(|row| {
        (row.key.is_empty() || row.key == key)
            && row.releases.contains(&release)
            && published.starts_with(row.published)
            && (!row.key.is_empty() || published == row.published)
    });
    row.map_or(published, |row| row.corrected)
}
