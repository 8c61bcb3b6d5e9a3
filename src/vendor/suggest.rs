//! Which pack may fit a server. The operator decides; a statement is only what a server says of itself.

use url::Url;

use super::pack::{Match, Pack};
use crate::fhir::Capability;

/// A pack that may fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The pack.
    pub pack: &'static Pack,
    /// By what, for a person: which element, not what it says.
    pub reason: &'static str,
}

/// Suggests a pack by the host of `implementation.url`, else by the host of the base that was configured, else by
/// `publisher`, else by `software.name` together with something else; never by `software.name` alone.
pub fn suggest(statement: &Capability, base_host: &str) -> Option<Suggestion> {
    let url = statement.implementation_url.as_deref().and_then(|url| Url::parse(url).ok());
    let (host, path) = (url.as_ref().and_then(Url::host_str), url.as_ref().map(Url::path));
    let others_hold = |matched: &Match| {
        let is_said = |wanted: &Option<String>, said: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == said)
        };
        let is_in_path = matched.path.as_deref().is_none_or(|part| {
            path.is_some_and(|path| path.to_ascii_lowercase().contains(&part.to_ascii_lowercase()))
        });
        is_said(&matched.publisher, statement.publisher.as_deref())
            && is_said(&matched.software, statement.software.as_deref())
            && is_in_path
            && matched.declares.as_deref().is_none_or(|code| statement.allows_system(code))
    };
    let at_host = |matched: &Match, host: Option<&str>| {
        let (Some(pattern), Some(host)) = (&matched.host, host) else { return false };
        is_host(host, pattern) && others_hold(matched)
    };
    let find = |reason, holds: &dyn Fn(&Match) -> bool| {
        let pack = Pack::all().iter().find(|pack| pack.matches.iter().any(holds));
        pack.map(|pack| Suggestion { pack, reason })
    };
    find("the host of the statement's implementation.url", &|matched| at_host(matched, host))
        .or_else(|| find("the host of the base URL", &|matched| at_host(matched, Some(base_host))))
        .or_else(|| {
            find("the statement's publisher", &|matched| {
                matched.host.is_none() && matched.publisher.is_some() && others_hold(matched)
            })
        })
        .or_else(|| {
            find("the statement's software.name, and what else it says", &|matched| {
                matched.host.is_none() && matched.publisher.is_none() && others_hold(matched)
            })
        })
}

/// Whether a host ends in the labels of a pattern.
fn is_host(host: &str, pattern: &str) -> bool {
    let mut labels = host.trim_end_matches('.').rsplit('.');
    pattern.rsplit('.').all(|wanted| {
        labels.next().is_some_and(|label| {
            wanted == "*" && !label.is_empty() || wanted.eq_ignore_ascii_case(label)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn hosts_end_in_the_labels_of_a_pattern() {
        assert!(is_host("fhir.epic.com", "epic.com") && is_host("EPIC.com.", "epic.com"));
        assert!(is_host("healthlake.us-east-1.amazonaws.com", "healthlake.*.amazonaws.com"));
        for host in ["notepic.com", "epic.com.evil.example", "com", ""] {
            assert!(!is_host(host, "epic.com"), "{host}");
        }
        assert!(!is_host("s3.us-east-1.amazonaws.com", "healthlake.*.amazonaws.com"));
        assert!(!is_host("healthlake.amazonaws.com", "healthlake.*.amazonaws.com"));
    }
}
