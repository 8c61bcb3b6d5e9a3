//! What can be done about an error: the classes of ehrs-and-sync.md 3.7, and how an answer comes into one.
//!
//! A status alone says little: 400 is a wrong value, a Bundle too long, or a reference that is not there yet; `not-supported`
//! may refuse a type or one element of it. So the OperationOutcome is read, too, and a vendor's own codes where the
//! caller has named them ([`Codes`]). What a server *writes* is matched here and dropped: only a code that stands in
//! the caller's own table gets out, so that no text of a server does.

use std::collections::BTreeMap;

use super::http::Interaction;
use crate::fhir::Resource;
use crate::json::Value;

/// What came of a request, by what to do next. Packs may say more of single codes ([`Codes`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// Nothing left this machine: send it again, later and later.
    NotSent,
    /// It may have happened. A read is repeated; of a write the server is asked first (3.2).
    Ambiguous,
    /// It was turned away before it was looked at: send it again after the time that the server names.
    NotProcessed,
    /// The credentials: fetch new ones once, then stop.
    Auth,
    /// Not for these credentials or this patient: never repeat it.
    Denied,
    /// The server does not do this at all, or not for this type: take another way.
    Capability,
    /// The resource is not there, or no more.
    Gone,
    /// It is at another version: read, compare, decide.
    VersionConflict,
    /// More than one resource meets the condition of a conditional create: a person decides.
    Duplicates,
    /// The request, or a text in it, is too long: divide it.
    TooBig,
    /// Refused as it is, and again if sent again: explain it.
    Permanent,
    /// Something that it refers to is not there: wait for that.
    Dependency,
    /// The server can't just now: a few more times, later.
    Transient,
    /// The same thing is there already: look, then take that one.
    AlreadyThere,
    /// Accepted, but a person or a queue decides at the other end (202).
    Mediated,
    /// The search may have found less than there is.
    Incomplete,
    /// An answer that can't be used: not FHIR, another resource, larger than we take.
    Answer,
}

/// A vendor's own codes and what they mean: `4130` is a policy denial at Epic, whatever the status.
///
/// A code is looked for in `issue.details.coding.code`, and as the word with which `details.text` or `diagnostics`
/// begins (`HAPI-1094: …`). Only a code of this table is ever kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes(BTreeMap<String, Class>);

impl Codes {
    /// A table.
    pub fn new(codes: impl IntoIterator<Item = (String, Class)>) -> Self {
        Self(codes.into_iter().collect())
    }

    /// The first code of an OperationOutcome that stands in the table, and its meaning.
    pub(super) fn find(&self, outcome: &Resource) -> Option<(&str, Class)> {
        if self.0.is_empty() || outcome.resource_type() != OUTCOME {
            return None;
        }
        let known = |word: &str| self.0.get_key_value(word);
        outcome
            .items("issue")
            .flat_map(|issue| {
                let details = issue.get("details");
                let codings = details.into_iter().flat_map(|details| details.items("coding"));
                let coded = codings.filter_map(|coding| coding.text("code"));
                let texts = [details.and_then(|it| it.text("text")), issue.text("diagnostics")];
                coded.chain(texts.into_iter().flatten().map(first_word))
            })
            .find_map(known)
            .map(|(code, class)| (code.as_str(), *class))
    }
}

const OUTCOME: &str = "OperationOutcome";

/// The word with which a text begins: letters, digits, `-` and `_`.
fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let is_of_word =
        |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    text.split(|character| !is_of_word(character)).next().unwrap_or_default()
}

/// What a refusal (4xx, 501, a redirect) means: by its status, by what was asked, by what the OperationOutcome says.
pub(super) fn of_refusal(
    status: u16,
    interaction: Interaction,
    resource: Option<&Resource>,
) -> Class {
    let outcome = resource.filter(|found| found.resource_type() == OUTCOME);
    let points_inside = || outcome.is_some_and(|found| found.items("issue").any(points_inside));
    match status {
        300..=399 => Class::Permanent,
        404 if points_inside() => Class::Dependency,
        404 | 405 | 501 => Class::Capability,
        413 => Class::TooBig,
        423 | 424 => Class::Transient,
        _ => outcome
            .and_then(|found| of_text(interaction, found).or_else(|| of_issues(found)))
            .unwrap_or(Class::Permanent),
    }
}

/// What a conflict (409, 412) means.
pub(super) fn of_conflict(
    status: u16,
    interaction: Interaction,
    resource: Option<&Resource>,
) -> Class {
    let told = resource.and_then(of_issues);
    match (told, status, interaction) {
        (Some(class @ (Class::AlreadyThere | Class::Duplicates)), ..) => class,
        (_, 412, Interaction::Create) => Class::Duplicates,
        // Its twin is running or has just been made: not even HAPI can say (ehr-servers.md 7).
        (_, 409, Interaction::Create | Interaction::Transaction | Interaction::Batch) => {
            Class::Ambiguous
        }
        _ => Class::VersionConflict,
    }
}

/// What became of one entry of a batch or a transaction; nothing if it succeeded.
pub(super) fn of_entry(
    status: Option<u16>,
    outcome: Option<&Resource>,
    codes: &Codes,
) -> Option<Class> {
    let known = || outcome.and_then(|outcome| codes.find(outcome)).map(|(_, class)| class);
    let told = || known().or_else(|| outcome.and_then(of_issues));
    Some(match status? {
        202 => Class::Mediated,
        200..=299 => return None,
        401 => Class::Auth,
        403 => known().unwrap_or(Class::Denied),
        404 | 410 => known().unwrap_or(Class::Gone),
        405 | 501 => Class::Capability,
        409 | 412 => told().unwrap_or(Class::VersionConflict),
        413 => Class::TooBig,
        423 | 424 => Class::Transient,
        429 => Class::NotProcessed,
        400..=499 => told().unwrap_or(Class::Permanent),
        _ => Class::Ambiguous,
    })
}

/// Whether an OperationOutcome says that a transaction met another version: helios answers 400 to the whole and
/// names the 412 in its text only.
pub(super) fn tells_of_conflict(interaction: Interaction, resource: Option<&Resource>) -> bool {
    let outcome = resource.filter(|found| found.resource_type() == OUTCOME);
    interaction == Interaction::Transaction
        && outcome.is_some_and(|outcome| {
            texts(outcome).any(|text| text.contains("status 412") || text.contains("status 409"))
        })
}

/// The first issue that has a meaning of its own.
fn of_issues(outcome: &Resource) -> Option<Class> {
    let mut issues = outcome.items("issue").filter(|_| outcome.resource_type() == OUTCOME);
    issues.find_map(|issue| of_issue(issue.text("code")?, points_inside(issue)))
}

/// What an issue type (R4 `issue-type`) means; nothing where it leaves that to the status.
fn of_issue(code: &str, points_inside: bool) -> Option<Class> {
    Some(match code {
        "login" => Class::Auth,
        "forbidden" | "security" | "suppressed" => Class::Denied,
        "not-supported" if !points_inside => Class::Capability,
        "not-found" => Class::Dependency,
        "deleted" => Class::Gone,
        "conflict" => Class::VersionConflict,
        "multiple-matches" => Class::Duplicates,
        "duplicate" => Class::AlreadyThere,
        "too-costly" | "too-long" => Class::TooBig,
        "lock-error" | "transient" | "timeout" | "throttled" | "no-store" | "exception" => {
            Class::Transient
        }
        _ => return None,
    })
}

/// What servers write where FHIR has no code for it. The texts are read here and go nowhere.
fn of_text(interaction: Interaction, outcome: &Resource) -> Option<Class> {
    let is_bundle = matches!(interaction, Interaction::Transaction | Interaction::Batch);
    texts(outcome).find_map(|text| {
        let is_too_many = text.contains("too many entries")
            || (text.contains("entries") && text.contains("exceed"));
        if is_bundle && is_too_many {
            return Some(Class::TooBig);
        }
        // HAPI-1094, with the issue type `processing`.
        text.contains("not found, specified in path").then_some(Class::Dependency)
    })
}

/// The texts of an OperationOutcome in small letters.
fn texts(outcome: &Resource) -> impl Iterator<Item = String> {
    outcome.items("issue").flat_map(|issue| {
        let details = issue.get("details").and_then(|details| details.text("text"));
        let both = [details, issue.text("diagnostics")];
        both.into_iter().flatten().map(str::to_ascii_lowercase)
    })
}

/// Whether an issue points at an element of what was sent, not at the whole of it: then one field is refused.
fn points_inside(issue: &Value) -> bool {
    let places = issue.items("expression").chain(issue.items("location"));
    places.filter_map(Value::as_str).any(is_inside)
}

/// `CarePlan.activity`, `Bundle.entry[2].resource.status`, `/f:Goal/f:target`; not `CarePlan`, `Bundle.entry[2]`,
/// `http.If-Match`, `Line[1] Column[7]`.
fn is_inside(place: &str) -> bool {
    if place.starts_with("http.") {
        return false;
    }
    let in_entry = place.strip_prefix("Bundle.entry[").and_then(|rest| rest.split_once(']'));
    match in_entry {
        Some((_, rest)) => {
            let rest = rest.strip_prefix(".resource").unwrap_or(rest);
            let kind = rest.strip_prefix(".ofType(").and_then(|rest| rest.split_once(')'));
            !kind.map_or(rest, |(_, rest)| rest).is_empty()
        }
        None if place.starts_with('/') => place.matches('/').count() > 1,
        None => place.starts_with(|first: char| first.is_ascii_uppercase()) && place.contains('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(issue: &str) -> Resource {
        let text = format!(r#"{{"resourceType":"OperationOutcome","issue":[{issue}]}}"#);
        Resource::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_place_is_inside_if_it_names_an_element() {
        for place in [
            "CarePlan.activity",
            "Bundle.entry[2].resource.status",
            "Bundle.entry[2].resource.ofType(Goal).target[0]",
            "/f:Goal/f:target",
        ] {
            assert!(is_inside(place), "{place}");
        }
        for place in [
            "CarePlan",
            "Bundle.entry[2]",
            "Bundle.entry[2].resource",
            "Bundle.entry[2].resource.ofType(Goal)",
            "/f:Goal",
            "http.If-Match",
            "Line[1] Column[7]",
            "",
        ] {
            assert!(!is_inside(place), "{place}");
        }
    }

    #[test]
    fn a_refusal_is_classed_by_status_then_text_then_code() {
        let class = |status, interaction, issue: &str| {
            of_refusal(status, interaction, Some(&outcome(issue)))
        };
        let (create, transaction) = (Interaction::Create, Interaction::Transaction);
        for (status, interaction, issue, expected) in [
            (405, create, "", Class::Capability),
            (501, create, r#"{"code":"exception"}"#, Class::Capability),
            (404, create, r#"{"code":"not-found"}"#, Class::Capability),
            (404, create, r#"{"code":"x","expression":["Goal.subject"]}"#, Class::Dependency),
            (413, create, r#"{"code":"invalid"}"#, Class::TooBig),
            (424, transaction, "", Class::Transient),
            (422, create, r#"{"code":"not-supported"}"#, Class::Capability),
            (422, create, r#"{"code":"not-supported","expression":["Goal"]}"#, Class::Capability),
            (
                422,
                create,
                r#"{"code":"not-supported","location":["/f:Goal/f:note"]}"#,
                Class::Permanent,
            ),
            (400, create, r#"{"code":"invariant"},{"code":"too-long"}"#, Class::TooBig),
            (400, create, r#"{"code":"required"}"#, Class::Permanent),
            (422, create, r#"{"code":"duplicate"}"#, Class::AlreadyThere),
            (400, create, r#"{"code":"lock-error"}"#, Class::Transient),
            (400, create, r#"{"code":"suppressed"}"#, Class::Denied),
            (422, create, r#"{"code":"not-found"}"#, Class::Dependency),
            (
                400,
                create,
                r#"{"code":"processing","diagnostics":"HAPI-1094: Resource Goal/1 not found, specified in path: X"}"#,
                Class::Dependency,
            ),
            (
                400,
                transaction,
                r#"{"code":"invalid","details":{"text":"Too many entries"}}"#,
                Class::TooBig,
            ),
            (
                400,
                create,
                r#"{"code":"invalid","details":{"text":"Too many entries"}}"#,
                Class::Permanent,
            ),
            (308, create, "", Class::Permanent),
        ] {
            assert_eq!(class(status, interaction, issue), expected, "{status} {issue}");
        }
        assert_eq!(of_refusal(400, create, None), Class::Permanent);
        let no_outcome = Resource::new("Goal").with(crate::object! {
            "issue" => vec![crate::object! { "code" => "duplicate" }],
        });
        assert_eq!(of_refusal(400, create, Some(&no_outcome)), Class::Permanent);
    }

    #[test]
    fn a_code_is_known_only_if_the_table_holds_it() {
        let codes = Codes::new([
            ("4130".to_owned(), Class::Denied),
            ("HAPI-1094".to_owned(), Class::Dependency),
        ]);
        let find =
            |issue: &str| codes.find(&outcome(issue)).map(|(code, class)| (code.to_owned(), class));
        let denied = Some(("4130".to_owned(), Class::Denied));
        assert_eq!(find(r#"{"details":{"coding":[{"code":"9"},{"code":"4130"}]}}"#), denied);
        assert_eq!(find(r#"{"details":{"text":" 4130 - break the glass"}}"#), denied);
        let hapi = find(r#"{"diagnostics":"HAPI-1094: Ann Lee"}"#);
        assert_eq!(hapi, Some(("HAPI-1094".to_owned(), Class::Dependency)));
        for issue in [
            r#"{"details":{"text":"41300"}}"#,
            r#"{"details":{"text":"about 4130"}}"#,
            r#"{"details":{"coding":[{"code":4130}]}}"#,
            r#"{"details":[],"diagnostics":{}}"#,
            r#"{"code":"4130"}"#,
        ] {
            assert_eq!(find(issue), None, "{issue}");
        }
        assert_eq!(codes.find(&Resource::new("Goal")), None);
    }
}
