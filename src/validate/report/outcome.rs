//! The report as a FHIR OperationOutcome (R4 2.46), as the reference engine writes it: line and column as extensions
//! of the issue, the element in `expression`; what can't be read of XML, in `location`, which is an XPath.

use super::Reported;
use crate::fhir::Resource;
use crate::json::Object;
use crate::object;

/// The extensions for place and code (extensions pack, OperationOutcome).
const LINE: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line";
const COLUMN: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col";
const FILE: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-file";

/// The system of our rules' codes.
const SYSTEM: &str = "https://ipt-fhir.org/fhir/CodeSystem/ipt-issue";

/// What was found in a resource. One in which nothing was found has one issue that says so: an OperationOutcome can't
/// be without any.
pub fn of(file: &str, reported: &[Reported]) -> Resource {
    let mut issues: Vec<Object> = reported.iter().map(|item| issue(file, item)).collect();
    if issues.is_empty() {
        issues.push(object! {
            "extension" => vec![object! { "url" => FILE, "valueString" => file }],
            "severity" => "information",
            "code" => "informational",
            "details" => object! { "text" => "No issues detected during validation" },
        });
    }
    Resource::new("OperationOutcome").with(object! { "issue" => issues })
}

fn issue(file: &str, item: &Reported) -> Object {
    let place = |url: &str, number: usize| {
        // The extensions' definitions have them as texts.
        object! { "url" => url, "valueString" => number.to_string() }
    };
    let mut help = String::new();
    let facts = [
        ("found", item.found.as_ref().map(super::Found::words)),
        ("allowed", item.allowed.as_deref().map(str::to_owned)),
        ("key", item.key.as_deref().map(str::to_owned)),
        ("profile", item.profile.as_deref().map(str::to_owned)),
        ("specification", Some(item.rule.specification.to_owned())),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            help.push_str(if help.is_empty() { "" } else { "; " });
            help.push_str(name);
            help.push_str(": ");
            help.push_str(&fact);
        }
    }
    let is_xpath = item.expression.starts_with('/');
    object! {
        "extension" => vec![
            place(LINE, item.position.line),
            place(COLUMN, item.position.column),
            object! { "url" => FILE, "valueString" => file },
        ],
        "severity" => item.severity.code(),
        "code" => item.rule.kind.code(),
        "details" => object! {
            "coding" => vec![object! { "system" => SYSTEM, "code" => item.rule.code }],
            "text" => item.text.as_ref(),
        },
        "diagnostics" => help,
        "location" => is_xpath.then(|| vec![&item.expression]),
        "expression" => (!is_xpath).then(|| vec![&item.expression]),
    }
}
