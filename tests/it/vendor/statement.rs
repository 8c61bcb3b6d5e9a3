//! Statements as they are found: repeated, odd, old, hostile.

use ipt_fhir::fhir::capability::{NotAStatement, Versioning};
use ipt_fhir::fhir::{Capability, Release, Resource};
use ipt_fhir::json;
use proptest::prelude::*;

use super::{all_captured, captured};

fn parse(text: &str) -> Resource {
    Resource::parse(text.as_bytes()).unwrap()
}

/// A statement with one `rest`.
fn statement(rest: &str) -> Capability {
    let text = format!(
        r#"{{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{{"mode":"server",{rest}}}]}}"#
    );
    Capability::parse(&parse(&text)).unwrap()
}

#[test]
fn repeated_interactions_and_types_are_laid_together() {
    let capability = statement(
        r#""resource":[
            {"type":"ServiceRequest","interaction":[{"code":"read"},{"code":"read"}],"versioning":"versioned"},
            {"type":"Goal","interaction":[{"code":"read"}],"versioning":"no-version"},
            {"type":"Goal","interaction":[{"code":"create"},{"code":"read"}],"conditionalCreate":true}]"#,
    );
    assert_eq!(capability.resources["ServiceRequest"].interactions.len(), 1);
    assert!(capability.allows("Goal", "read") && capability.allows("Goal", "create"));
    assert!(capability.resources["Goal"].conditional_create);
    assert_eq!(capability.resources["Goal"].versioning, Versioning::None);
    let Some(athena) = captured("athena") else { return };
    let athena = Capability::parse(&athena).unwrap();
    let read = ["read", "search-type"].map(str::to_owned);
    assert_eq!(athena.resources["ServiceRequest"].interactions, read.into());
}

#[test]
fn a_parameter_with_a_modifier_is_no_parameter() {
    let capability = statement(
        r#""resource":[{"type":"Communication","searchParam":[
            {"name":"patient:exact"},{"name":"sender"},{"name":"sender:missing"}]}]"#,
    );
    let known = &capability.resources["Communication"];
    assert!(capability.searches("Communication", "sender"));
    assert!(!capability.searches("Communication", "patient"));
    assert!(!capability.searches("Communication", "patient:exact"));
    assert_eq!(known.search_modifiers.len(), 2);
    let Some(meditech) = captured("meditech") else { return };
    assert_eq!(meditech.text("kind"), Some("capability"));
    let meditech = Capability::parse(&meditech).unwrap();
    assert_eq!(meditech.implementation_url, None);
    let known = &meditech.resources["Communication"];
    assert!(known.search_modifiers.contains("in-response-to:below"));
    assert!(known.search_parameters.iter().all(|name| !name.contains(':')));
}

#[test]
fn letters_of_a_parameter_count() {
    let capability = statement(
        r#""resource":[{"type":"MeasureReport","searchParam":[{"name":"_lastupdated"}]}]"#,
    );
    assert!(capability.searches("MeasureReport", "_lastupdated"));
    assert!(!capability.searches("MeasureReport", "_lastUpdated"));
}

#[test]
fn names_of_software_may_mislead_or_be_missing() {
    let captured: Vec<_> = all_captured();
    let of = |wanted: &str| captured.iter().find(|(name, ..)| *name == wanted).map(|(.., c)| c);
    let Some(office) = of("nextgen-office") else { return };
    assert_eq!(office.software.as_deref(), Some("HAPI FHIR Server"));
    assert_eq!(of("cerner").unwrap().software, None);
    assert_eq!(of("epic").unwrap().publisher, None);
    assert_eq!(of("ecw").unwrap().publisher.as_deref(), Some("eClinicalWorks"));
}

#[test]
fn flags_security_and_includes_are_read() {
    let capability = statement(
        r#""security":{"service":[{"coding":[{"code":"SMART-on-FHIR"}]}],"extension":[
              {"url":"http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris","extension":[
                {"url":"token","valueUri":"https://ehr.example.org/token"}]},
              {"url":"http://other.example.org","extension":[{"url":"token","valueUri":"https://evil.example"}]}]},
           "interaction":[{"code":"transaction"}],
           "resource":[{"type":"Goal","versioning":"versioned-update","readHistory":true,"updateCreate":true,
              "conditionalRead":"full-support","conditionalUpdate":true,"conditionalPatch":true,
              "conditionalDelete":"multiple","searchInclude":["Goal:patient","*","<b>"]}]"#,
    );
    let goal = &capability.resources["Goal"];
    assert_eq!(goal.versioning, Versioning::VersionedUpdate);
    assert!(goal.read_history && goal.update_create && goal.conditional_read);
    assert!(goal.conditional_update && goal.conditional_patch && goal.conditional_delete);
    assert!(!goal.conditional_create);
    assert_eq!(goal.search_includes, ["*", "Goal:patient"].map(str::to_owned).into());
    assert!(capability.security.services.contains("SMART-on-FHIR"));
    assert_eq!(capability.security.oauth_uris["token"], "https://ehr.example.org/token");
    assert_eq!(capability.security.oauth_uris.len(), 1);
    for (name, _, capability) in all_captured() {
        assert!(capability.security.oauth_uris.contains_key("token"), "{name}");
        assert_eq!(capability.release, Some(Release::R4), "{name}");
    }
}

#[test]
fn every_release_is_named() {
    for (version, name, release) in [
        ("1.0.2", Some("DSTU2"), None),
        ("3.0.2", Some("STU3"), None),
        ("4.0.1", Some("R4"), Some(Release::R4)),
        ("4.3.0", Some("R4B"), Some(Release::R4B)),
        ("5.0.0", Some("R5"), Some(Release::R5)),
        ("5.0.0-ballot", Some("R5"), Some(Release::R5)),
        ("6.0.0-ballot3", Some("R6"), None),
        ("4", None, None),
        ("<script>", None, None),
    ] {
        let text = format!(
            r#"{{"resourceType":"Conformance","fhirVersion":"{version}","rest":[{{"resource":[
                {{"type":"Patient","interaction":[{{"code":"read"}}]}}]}}]}}"#
        );
        let capability = Capability::parse(&parse(&text)).unwrap();
        assert_eq!(capability.release_name, name, "{version}");
        assert_eq!(capability.release, release, "{version}");
        assert!(capability.allows("Patient", "read"));
    }
}

#[test]
fn what_describes_no_server_is_refused() {
    let refused = |text: &str| Capability::parse(&parse(text)).unwrap_err();
    assert_eq!(refused(r#"{"resourceType":"Patient"}"#), NotAStatement::OtherType);
    for text in [
        r#"{"resourceType":"CapabilityStatement"}"#,
        r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"client","resource":[]}]}"#,
        r#"{"resourceType":"CapabilityStatement","rest":{}}"#,
    ] {
        assert_eq!(refused(text), NotAStatement::NoServer, "{text}");
    }
}

#[test]
fn what_has_no_form_of_a_code_gets_no_further() {
    let capability = statement(
        r#""interaction":[{"code":"batch"},{"code":"see https://x.example"},{"code":7}],
           "resource":[{"type":"Ann Lee","interaction":[{"code":"read"}]},
             {"type":"Goal","interaction":[{"code":"Call Ann Lee"}],"searchParam":[{"name":"a b"},{"name":""}]},
             {"interaction":[{"code":"read"}]}, 7, null]"#,
    );
    assert_eq!(capability.interactions, ["batch".to_owned()].into());
    assert_eq!(capability.resources.keys().collect::<Vec<_>>(), ["Goal"]);
    let goal = &capability.resources["Goal"];
    assert!(goal.interactions.is_empty() && goal.search_parameters.is_empty());
}

#[test]
fn what_differs_at_each_fetch_does_not_change_the_canonical_text() {
    let first = parse(
        r#"{"resourceType":"CapabilityStatement","id":"1","date":"2026-01-01","meta":{"versionId":"1"},
            "text":{"status":"generated","div":"<div>1</div>"},"fhirVersion":"4.0.1","rest":[{"mode":"server",
            "resource":[{"type":"Goal","interaction":[{"code":"read"},{"code":"create"}]},{"type":"Task"}]}]}"#,
    );
    let second = parse(
        r#"{"rest":[{"resource":[{"type":"Task"},{"interaction":[{"code":"create"},{"code":"read"}],
            "type":"Goal"}],"mode":"server"}],"fhirVersion":"4.0.1","date":"2026-02-02","id":"2",
            "resourceType":"CapabilityStatement"}"#,
    );
    let text = Capability::canonical_text(&first);
    assert_eq!(text, Capability::canonical_text(&second));
    let fewer = parse(&first.to_text().replace(r#"{"code":"create"}"#, r#"{"code":"update"}"#));
    assert_ne!(text, Capability::canonical_text(&fewer));
    // An id further down is no volatile element of the statement.
    let nested = parse(&first.to_text().replace(r#""mode":"#, r#""id":"a","mode":"#));
    assert_ne!(text, Capability::canonical_text(&nested));
    for (name, ..) in all_captured() {
        let statement = captured(name).unwrap();
        let canonical = Capability::canonical_text(&statement);
        let mut later = statement.clone();
        later.object_mut().put("date", "2027-01-01");
        assert_eq!(canonical, Capability::canonical_text(&later), "{name}");
        // It is JSON itself, so that it is told apart from every other statement.
        json::parse_with(canonical.as_bytes(), ipt_fhir::fhir::capability::LIMITS).unwrap();
    }
}

proptest! {
    #[test]
    fn any_tree_in_the_place_of_any_element_is_survived(
        place in prop::sample::select(vec![
            "/fhirVersion", "/rest", "/rest/0", "/rest/0/mode", "/rest/0/resource", "/rest/0/resource/0",
            "/rest/0/resource/0/type", "/rest/0/resource/0/interaction", "/rest/0/resource/0/searchParam/0",
            "/rest/0/resource/0/searchParam/0/name", "/rest/0/security", "/rest/0/security/extension",
            "/rest/0/interaction/0/code", "/implementation", "/software", "/publisher",
        ]),
        other in prop::sample::select(vec![
            "null", "7", "true", "\"\"", "\"x\"", "[]", "{}", "[[[]]]", "[{\"code\":{}}]", "{\"url\":[]}", "[null,7]",
        ]),
    ) {
        let text = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","publisher":"x",
            "software":{"name":"x"},"implementation":{"url":"x"},"rest":[{"mode":"server",
            "interaction":[{"code":"batch"}],"security":{"extension":[{"url":"x"}]},"resource":[{"type":"Goal",
            "interaction":[{"code":"read"}],"searchParam":[{"name":"identifier"}]}]}]}"#;
        let mut value = json::parse(text.as_bytes()).unwrap();
        *value.pointer_mut(place).unwrap() = json::parse(other.as_bytes()).unwrap();
        let resource = Resource::from_value(value).unwrap();
        let capability = Capability::from_statement(&resource);
        prop_assert!(capability.resources.len() <= 1);
        let canonical = Capability::canonical_text(&resource);
        prop_assert!(json::parse(canonical.as_bytes()).is_ok());
    }
}
