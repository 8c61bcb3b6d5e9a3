//! Narrative: the plan as a clinician reads it, and one line for every other resource (R4 2.4).
//!
//! It is written from the record after the policy was applied, and everything in it is escaped: a record's text is
//! never markup. What the plan says is written in [`readable`]; here it becomes `Resource.text`.

use crate::document::escape;
use crate::ipt::Plan;
use crate::json::Object;
use crate::mapping::readable::{self, Extent};
use crate::object;

/// Narrative in XHTML, without the `div` around it.
pub(super) struct Narrative {
    status: &'static str,
    body: String,
}

impl Narrative {
    /// One line.
    pub(super) fn line(text: &str) -> Self {
        Self { status: "generated", body: format!("<p>{}</p>", escape(text)) }
    }

    /// What narratives say, one after another; it is XHTML already.
    pub(super) const fn of_body(body: String) -> Self {
        Self { status: "generated", body }
    }

    /// The whole plan. It tells more than the CarePlan's elements do, so its status is `additional`.
    pub(super) fn plan(plan: &Plan) -> Self {
        Self { status: "additional", body: readable::plan(plan, Extent::Narrative).to_xhtml() }
    }

    /// `Resource.text`.
    pub(super) fn into_element(self, language: Option<&str>) -> Object {
        let language = language.map(escape).unwrap_or_default();
        let attributes = if language.is_empty() {
            String::new()
        } else {
            format!(" lang=\"{language}\" xml:lang=\"{language}\"")
        };
        let body = self.body;
        object! {
            "status" => self.status,
            "div" => format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"{attributes}>{body}</div>"),
        }
    }
}
