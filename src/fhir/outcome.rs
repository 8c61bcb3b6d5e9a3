//! OperationOutcome: a server's and our own diagnostics as a resource.

use crate::issue::Issue;
use crate::json::Object;
use crate::object;

use super::Resource;

/// An OperationOutcome with one issue.
///
/// `code` is one of FHIR's `issue-type` codes; the text must quote nothing that may identify a person.
pub fn operation_outcome(severity: &str, code: &str, text: &str) -> Resource {
    let issue = object! { "severity" => severity, "code" => code, "diagnostics" => text };
    Resource::new("OperationOutcome").with(object! { "issue" => vec![issue] })
}

/// Our issues as an OperationOutcome; each with its code, place and help.
pub fn from_issues(issues: &[Issue]) -> Resource {
    let issues: Vec<Object> = issues
        .iter()
        .map(|issue| {
            object! {
                "severity" => issue.severity.code(),
                "code" => "invalid",
                "details" => object! { "text" => issue.text.as_ref(), "coding" => vec![object! {
                    "system" => "https://ipt-fhir.org/fhir/CodeSystem/ipt-issue",
                    "code" => issue.code,
                }] },
                "diagnostics" => issue.help.as_deref(),
                "expression" => vec![issue.location.pointer.as_str()],
            }
        })
        .collect();
    Resource::new("OperationOutcome").with(object! { "issue" => issues })
}

/// The codes of an OperationOutcome's issues as (severity, code) pairs: what is safe to log of it.
///
/// Its texts are the server's and may quote the resource; they are never part of an error.
pub fn codes(outcome: &Resource) -> Vec<(String, String)> {
    outcome
        .items("issue")
        .filter_map(|issue| {
            Some((issue.text("severity")?.to_owned(), issue.text("code")?.to_owned()))
        })
        .collect()
}
