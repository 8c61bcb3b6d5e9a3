//! Scores as answers to a form that others publish, for EHRs that take nothing else of them (ehrs-and-sync 1.6, `form`).
//!
//! The form is the LOINC panel of the instrument, and the total is one of its questions: so a score of which only the
//! total is known can go, too. An instrument without a panel has no form, and none is made up.

use uuid::Uuid;

use crate::fhir::Resource;
use crate::json::{Object, Value};
use crate::mapping::code::{instrument, instrument_of_total, system};
use crate::mapping::identity::ITEM_SYSTEM;
use crate::object;

/// Where LOINC's panels are published as Questionnaires.
const PANELS: &str = "http://loinc.org/q/";

/// A score as answers to its form: the Observation of its total, and the single answers with their item where they are
/// known. The item is that of the answers, or one that follows from the total's. Nothing for an instrument without a
/// form, or a total without a number.
pub fn of_score(
    item: Uuid,
    total: &Resource,
    answers: Option<(Uuid, &Resource)>,
) -> Option<(Uuid, Resource)> {
    let codings = total.get("code")?.items("coding");
    let mut loinc = codings.filter(|coding| coding.text("system") == Some(system::LOINC));
    let code = loinc.find_map(|coding| coding.text("code"))?;
    let (panel, _) = instrument(instrument_of_total(code)?).panel?;
    let score = total.get("valueQuantity")?.get("value")?.as_number()?;
    let kind = if score.as_u64().is_some() { "valueInteger" } else { "valueDecimal" };
    let value = object! { kind => score.clone() };
    let question = object! { "linkId" => format!("/{code}"), "answer" => vec![value] };
    let (item, mut form) = if let Some((item, answers)) = answers {
        (item, answers.clone())
    } else {
        let item = Uuid::new_v5(&item, b"#form");
        (item, without_answers(item, total))
    };
    let questionnaire = Value::String(format!("{PANELS}{panel}"));
    form.object_mut().insert("questionnaire", questionnaire);
    form.object_mut().push("item", question);
    Some((item, form))
}

/// The frame of a response, told by the total.
fn without_answers(item: Uuid, total: &Resource) -> Resource {
    let status = match total.text("status") {
        Some("entered-in-error") => "entered-in-error",
        _ => "completed",
    };
    let mut form = Resource::new("QuestionnaireResponse");
    if let Some(meta) = total.get("meta") {
        form.object_mut().insert("meta", meta.clone());
    }
    let when =
        total.text("effectiveDateTime").or_else(|| total.get("effectivePeriod")?.text("start"));
    let identifier: Object = object! { "system" => ITEM_SYSTEM, "value" => item.to_string() };
    form = form.with(object! { "identifier" => identifier, "status" => status });
    for name in ["subject", "encounter"] {
        if let Some(value) = total.get(name) {
            form.object_mut().insert(name, value.clone());
        }
    }
    form = form.with(object! { "authored" => when });
    if let Some(subject) = total.get("subject") {
        form.object_mut().insert("source", subject.clone());
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Resource {
        Resource::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_total_alone_is_an_answer_to_the_form_of_its_instrument() {
        let total = parse(
            r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"44261-6"}]},
            "subject":{"reference":"Patient/1"},"effectiveDateTime":"2026-03-02T10:00:00Z","valueQuantity":{"value":14}}"#,
        );
        let (item, form) = of_score(Uuid::NAMESPACE_DNS, &total, None).unwrap();
        assert_ne!(item, Uuid::NAMESPACE_DNS);
        let expected = format!(
            r#"{{"resourceType":"QuestionnaireResponse","identifier":{{"system":"{ITEM_SYSTEM}","value":"{item}"}},"status":"completed","subject":{{"reference":"Patient/1"}},"authored":"2026-03-02T10:00:00Z","source":{{"reference":"Patient/1"}},"questionnaire":"http://loinc.org/q/44249-1","item":[{{"linkId":"/44261-6","answer":[{{"valueInteger":14}}]}}]}}"#
        );
        assert_eq!(form.to_text(), expected);
        let answers = parse(
            r#"{"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"/44250-9"}]}"#,
        );
        let own = Uuid::NAMESPACE_URL;
        let (item, form) = of_score(Uuid::nil(), &total, Some((own, &answers))).unwrap();
        assert_eq!((item, form.items("item").count()), (own, 2));
    }

    #[test]
    fn an_instrument_without_a_panel_has_no_form() {
        let total = parse(
            r#"{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"89209-1"}]},"valueQuantity":{"value":14}}"#,
        );
        assert_eq!(of_score(Uuid::nil(), &total, None), None);
    }
}
