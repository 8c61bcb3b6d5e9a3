//! Text that is more than its grammar: HTML in strings and markdown, identifiers, URLs of examples.

use super::super::finding::Findings;
use super::super::options::Options;
use super::super::primitive::{Primitive, is_uuid};
use super::super::rule::primitive as rule;
use super::super::tree::{NodeId, Tree};
use crate::issue::Severity;

/// Whether a text holds what looks like a tag of HTML: `<b>` that is followed by another one.
pub fn looks_like_html(text: &str) -> bool {
    let mut pieces = text.split('<').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return false;
        }
        let Some((tag, _)) = piece.split_once('>') else { continue };
        let name = tag.trim_start_matches(|each: char| each.is_ascii_alphanumeric() || each == '_');
        let starts_right = tag.starts_with(|first: char| first.is_ascii_alphabetic());
        if starts_right
            && (name.is_empty() || name.starts_with(|next: char| next.is_ascii_whitespace()))
        {
            return true;
        }
    }
    false
}

/// Whether markdown holds HTML that is not escaped: a tag, a comment, a declaration or an instruction.
pub fn html_in_markdown(text: &str) -> bool {
    let mut before = '\0';
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (head, tail) = rest.split_at(at);
        let escaped = head.chars().next_back().unwrap_or(before) == '\\';
        let after = tail.get(1..).unwrap_or_default();
        if after.starts_with(['!', '?']) {
            return true;
        }
        let name = after.strip_prefix('/').unwrap_or(after);
        let end = name.trim_start_matches(|each: char| each.is_ascii_alphanumeric() || each == '-');
        let is_tag = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && end.starts_with(|next: char| next == '>' || next.is_ascii_whitespace());
        if is_tag && !escaped {
            return true;
        }
        before = '<';
        rest = after;
    }
    false
}

pub(super) fn check(
    node: NodeId,
    primitive: Primitive,
    value: &str,
    options: &Options,
    findings: &mut Findings,
) {
    if memchr::memchr(b'<', value.as_bytes()).is_none() {
        return;
    }
    if options.security_checks {
        if looks_like_html(value) {
            findings.add(&rule::HTML, node, rule::HTML.title);
        }
    } else if primitive != Primitive::Markdown && looks_like_html(value) {
        findings.add(&rule::HTML, node, rule::HTML.title).severity(Severity::Information);
    }
    if primitive == Primitive::Markdown && html_in_markdown(value) {
        let severity =
            if options.forbid_html_in_markdown { Severity::Error } else { Severity::Warning };
        findings
            .add(&rule::HTML_IN_MARKDOWN, node, rule::HTML_IN_MARKDOWN.title)
            .severity(severity);
    }
}

/// Whether a URL is on a domain that is kept for examples.
pub(super) fn is_example_url(url: &str) -> bool {
    ["example.org", "acme.com", "acme.org", "example.com", "example.net"].iter().any(|domain| {
        url.ends_with(domain)
            || url.match_indices(domain).any(|(at, _)| {
                url.get(at + domain.len()..).is_some_and(|rest| rest.starts_with('/'))
            })
    }) || url.starts_with("urn:oid:1.3.6.1.4.1.32473.")
        || url.starts_with("urn:oid:2.999.")
}

/// Whether a text begins with a scheme, in whatever case.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !rest.is_empty()
    })
}

/// Identifier: its system is absolute, and what says it is a URI is one (R4 2.24.0.10).
pub(super) fn identifier(tree: &Tree<'_>, node: NodeId, findings: &mut Findings) {
    let Some(system) = tree.child_text(node, "system") else { return };
    if !["http:", "https:", "urn:", "ldap:"].iter().any(|scheme| system.starts_with(scheme)) {
        findings.add(&rule::IDENTIFIER_SYSTEM, node, rule::IDENTIFIER_SYSTEM.title);
    }
    let Some(value) = tree.child_text(node, "value") else { return };
    if system == "urn:ietf:rfc:3986" && !has_scheme(value) {
        findings.add(&rule::IDENTIFIER_URI, node, rule::IDENTIFIER_URI.title);
    }
    if system == "https://tools.ietf.org/html/rfc4122" {
        let is_uuid = value.strip_prefix("urn:uuid:").is_some() || is_uuid(value);
        let severity = if is_uuid { Severity::Warning } else { Severity::Error };
        findings.add(&rule::IDENTIFIER_UUID, node, rule::IDENTIFIER_UUID.title).severity(severity);
    }
}
