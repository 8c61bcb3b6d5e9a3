//! Narrative: the plan as a clinician reads it, and one line for every other resource (R4 2.4).
//!
//! It is written from the record after the policy was applied, and everything in it is escaped: a record's text is
//! never markup.

use std::fmt::Write;

use crate::date::{Instant, PartialDate};
use crate::ipt::goal::{Comparator, Goal, Target};
use crate::ipt::phase::{Activity, Phase, Structure, TimeUnit};
use crate::ipt::plan::{ClinicalStatus, Diagnosis};
use crate::ipt::session::Session;
use crate::ipt::{GoalMeasure, Instrument, Plan, SessionRange};
use crate::json::{Number, Object};
use crate::mapping::code::total_measure;
use crate::object;

/// Narrative in XHTML, without the `div` around it.
pub(super) struct Narrative {
    status: &'static str,
    body: String,
}

impl Narrative {
    /// One line.
    pub(super) fn line(text: &str) -> Self {
        let mut body = String::new();
        element(&mut body, "p", text);
        Self { status: "generated", body }
    }

    /// What narratives say, one after another; it is XHTML already.
    pub(super) const fn of_body(body: String) -> Self {
        Self { status: "generated", body }
    }

    /// The whole plan. It tells more than the CarePlan's elements do, so its status is `additional`.
    pub(super) fn plan(plan: &Plan) -> Self {
        let mut page = Page { body: String::with_capacity(8 << 10) };
        page.plan(plan);
        Self { status: "additional", body: page.body }
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

    /// A page that stands alone.
    pub(super) fn into_page(self, title: &str, language: Option<&str>) -> String {
        let language = escape(language.unwrap_or("en"));
        format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"/><title>{}</title>\
             <style>body{{font-family:sans-serif;max-width:48em;margin:2em auto;line-height:1.4}}\
             table{{border-collapse:collapse}}td,th{{border:1px solid #999;padding:.2em .5em;text-align:left;\
             vertical-align:top}}</style></head><body>{}</body></html>\n",
            escape(&title.replace(['\n', '\r'], " ")),
            self.body
        )
    }
}

/// Text as XHTML: markup escaped, line feeds as breaks, characters that XML can't hold replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // CR LF is one break, CR alone is one as well.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => escaped.push_str("<br/>"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() && control != '\t' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

fn element(body: &mut String, name: &str, text: &str) {
    body.push('<');
    body.push_str(name);
    body.push('>');
    body.push_str(&escape(text));
    body.push_str("</");
    body.push_str(name);
    body.push('>');
}

struct Page {
    body: String,
}

impl Page {
    fn heading(&mut self, text: &str) {
        element(&mut self.body, "h3", text);
    }

    fn line(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            self.body.push_str("<p><b>");
            self.body.push_str(&escape(label));
            self.body.push_str(":</b> ");
            self.body.push_str(&escape(text));
            self.body.push_str("</p>");
        }
    }

    fn paragraph(&mut self, text: &str) {
        element(&mut self.body, "p", text);
    }

    fn list<'a>(&mut self, heading: &str, items: impl IntoIterator<Item = &'a String>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_some() {
            if !heading.is_empty() {
                self.paragraph(heading);
            }
            self.body.push_str("<ul>");
            for item in items {
                element(&mut self.body, "li", item);
            }
            self.body.push_str("</ul>");
        }
    }

    fn plan(&mut self, plan: &Plan) {
        element(&mut self.body, "h2", &plan.title);
        self.people(plan);
        self.reasons(plan);
        self.focus(plan);
        self.goals(plan);
        self.structure(&plan.structure);
        for phase in &plan.phases {
            self.phase(plan, phase);
        }
        let loose = plan.activities.iter().filter(|activity| activity.phase_id.is_none());
        self.activities(loose);
        self.methods(plan);
        self.afterwards(plan);
        if !plan.sessions.is_empty() {
            self.sessions(plan);
        }
    }

    fn people(&mut self, plan: &Plan) {
        self.line("Client", &plan.client.name.text);
        if let Some(age) = &plan.client.age {
            self.line("Age", &amount(&age.value, age.unit));
        }
        self.line("Therapist", &plan.therapist.name.text);
        self.line("Therapy", plan.variant.display());
        self.line("Status", plan.status.display());
        self.line("Date", plan.date.as_ref().map_or("", PartialDate::as_str));
        for member in &plan.care_team {
            let name = member.name.as_ref().or(member.organization.as_ref());
            self.line(&member.role.text, name.map_or("", String::as_str));
        }
        if let Some(referral) = &plan.referral {
            self.line("Referred by", referral.by.as_deref().unwrap_or_default());
            self.line("Reason for referral", referral.reason.as_deref().unwrap_or_default());
        }
    }

    fn reasons(&mut self, plan: &Plan) {
        for diagnosis in &plan.diagnoses {
            let codes = diagnosis.codings.iter().map(|coding| coding.code.as_str());
            let notes: Vec<&str> =
                diagnosis.as_written.iter().map(String::as_str).chain(codes).collect();
            let notes =
                if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
            self.line("Diagnosis", &format!("{}{notes}", judged(diagnosis)));
        }
        if let Some(problem) = &plan.presenting_problem {
            self.heading("Presenting problem");
            self.paragraph(&problem.text);
            self.list("Symptoms", &problem.symptoms);
        }
        if let Some(assessment) = &plan.assessment {
            self.heading("Assessment");
            self.paragraph(&assessment.text);
        }
        if let Some(screening) = &plan.screening {
            self.heading("Suitability");
            self.line("Result", screening.result.map_or("", |result| result.display()));
            for exclusion in &screening.exclusions {
                let found = if exclusion.present { "present" } else { "not present" };
                let note = exclusion.note.as_ref().map(|note| format!("; {note}"));
                self.line(&exclusion.code, &format!("{found}{}", note.unwrap_or_default()));
            }
            self.paragraph_if(screening.text.as_ref());
        }
    }

    fn paragraph_if(&mut self, text: Option<&String>) {
        if let Some(text) = text {
            self.paragraph(text);
        }
    }

    fn focus(&mut self, plan: &Plan) {
        if !plan.focus_areas.is_empty() {
            self.heading("Focus of the therapy");
            for focus in &plan.focus_areas {
                let rank = focus.rank.map_or("Problem area", |rank| rank.display());
                self.line(rank, &format!("{} ({})", focus.label, focus.code.display()));
                self.paragraph_if(focus.description.as_ref());
            }
        }
        if let Some(ipaf) = &plan.ipaf {
            self.heading("Interpersonal affective focus");
            self.paragraph(&ipaf.statement);
            self.line("Experience", ipaf.experience.as_deref().unwrap_or_default());
            self.line("Expectation", ipaf.expectation.as_deref().unwrap_or_default());
            self.line("Response", ipaf.response.as_deref().unwrap_or_default());
        }
    }

    fn goals(&mut self, plan: &Plan) {
        if plan.goals.is_empty() {
            return;
        }
        self.heading("Goals");
        self.body.push_str("<ol>");
        for goal in &plan.goals {
            self.body.push_str("<li>");
            self.goal(goal);
            if !goal.objectives.is_empty() {
                self.body.push_str("<ul>");
                for objective in &goal.objectives {
                    self.body.push_str("<li>");
                    self.goal(objective);
                    self.body.push_str("</li>");
                }
                self.body.push_str("</ul>");
            }
            self.body.push_str("</li>");
        }
        self.body.push_str("</ol>");
    }

    fn goal(&mut self, goal: &Goal) {
        let mut notes = vec![goal.status.display().to_lowercase()];
        notes.extend(goal.achievement.map(|achievement| achievement.display().to_lowercase()));
        notes.extend(goal.priority.map(|priority| priority.display().to_lowercase()));
        notes.extend(goal.due.as_ref().map(|due| format!("due {}", due.as_str())));
        notes.extend(goal.targets.iter().map(target));
        notes.extend(goal.note.clone());
        self.body.push_str(&escape(&format!("{} ({})", goal.text, notes.join("; "))));
    }

    fn structure(&mut self, structure: &Structure) {
        self.heading("Therapy structure");
        if let Some(frequency) = &structure.frequency {
            let unit = frequency.unit.display();
            let words = match (frequency.count, frequency.period.as_text()) {
                (1, "1") => format!("once a {unit}"),
                (count, "1") => format!("{count} times a {unit}"),
                (1, period) => format!("once in {period} {unit}s"),
                (count, period) => format!("{count} times in {period} {unit}s"),
            };
            self.line("Frequency", &words);
        }
        if let Some(length) = &structure.session_length {
            self.line("Session length", &amount(&length.value, length.unit));
        }
        if let Some(sessions) = &structure.sessions {
            let words = if sessions.min == sessions.max {
                format!("{} sessions", sessions.min)
            } else {
                format!("{}–{} sessions", sessions.min, sessions.max)
            };
            self.line("Duration", &words);
        }
        if let Some(weeks) = &structure.weeks {
            let sides: Vec<&str> = [&weeks.min, &weeks.max]
                .into_iter()
                .flatten()
                .map(crate::json::Number::as_text)
                .collect();
            self.line("Weeks", &sides.join("–"));
        }
        self.line("Format", structure.format.map_or("", |format| format.display()));
        self.line("Delivery", structure.delivery.map_or("", |delivery| delivery.display()));
        self.line("Note", structure.note.as_deref().unwrap_or_default());
    }

    fn phase(&mut self, plan: &Plan, phase: &Phase) {
        let range = phase.sessions.map(|range| format!(" ({})", range.in_words()));
        self.heading(&format!("{}{}", phase.title, range.unwrap_or_default()));
        self.line("Goal", phase.goal.as_deref().unwrap_or_default());
        let own = plan
            .activities
            .iter()
            .filter(|activity| activity.phase_id.as_deref() == Some(phase.id.as_str()));
        self.activities(own);
    }

    fn activities<'a>(&mut self, activities: impl Iterator<Item = &'a Activity>) {
        let mut activities = activities.peekable();
        if activities.peek().is_none() {
            return;
        }
        self.body.push_str("<ul>");
        for activity in activities {
            let range = activity.sessions.map(SessionRange::in_words);
            let range = range.map(|words| format!("{words} · ")).unwrap_or_default();
            self.body.push_str("<li><b>");
            self.body.push_str(&escape(&format!("{range}{}", activity.title)));
            self.body.push_str("</b>");
            let when = activity.conditional.as_ref().map(|condition| format!(" ({condition})"));
            self.body.push_str(&escape(&when.unwrap_or_default()));
            if let Some(description) = &activity.description {
                self.body.push_str(": ");
                self.body.push_str(&escape(description));
            }
            self.body.push_str("</li>");
        }
        self.body.push_str("</ul>");
    }

    fn methods(&mut self, plan: &Plan) {
        if !plan.interventions.is_empty() {
            self.heading("Interventions and techniques");
            self.body.push_str("<ol>");
            for intervention in &plan.interventions {
                let words = match &intervention.description {
                    Some(description) => format!("{}: {description}", intervention.label),
                    None => intervention.label.clone(),
                };
                element(&mut self.body, "li", &words);
            }
            self.body.push_str("</ol>");
        }
        if !plan.monitoring.is_empty() || !plan.measures.is_empty() {
            self.heading("Evaluation and progress monitoring");
            self.list("", &plan.monitoring);
            let names: Vec<&str> =
                plan.measures.iter().map(|measure| measure.instrument.display()).collect();
            self.line("Instruments", &names.join(", "));
        }
    }

    fn afterwards(&mut self, plan: &Plan) {
        if let Some(relapse) = &plan.relapse_prevention {
            self.heading("Relapse prevention");
            self.list("Early warning signs", &relapse.warning_signs);
            self.list("Support network", &relapse.support_network);
            self.list("Strategies", &relapse.strategies);
            self.list("Skills", &relapse.skills);
            self.paragraph_if(relapse.text.as_ref());
            if let Some(maintenance) = &relapse.maintenance {
                let offered = if maintenance.offered { "offered" } else { "not offered" };
                let more = maintenance.frequency.iter().chain(&maintenance.text);
                let words: Vec<&str> =
                    std::iter::once(offered).chain(more.map(String::as_str)).collect();
                self.line("Maintenance sessions", &words.join("; "));
            }
        }
        if let Some(prognosis) = &plan.prognosis {
            self.heading("Prognosis");
            self.line("Prognosis", prognosis.code.map_or("", |code| code.display()));
            self.paragraph_if(prognosis.text.as_ref());
        }
        if let Some(outcome) = &plan.outcome {
            self.heading("Outcome");
            self.paragraph(&outcome.text);
        }
        if let Some(review) = &plan.review {
            self.line("Next review", review.next.as_str());
        }
    }

    fn sessions(&mut self, plan: &Plan) {
        self.heading("Sessions");
        self.body.push_str("<table><thead><tr>");
        for title in ["Session", "Status", "Time", "Scores", "Homework"] {
            element(&mut self.body, "th", title);
        }
        self.body.push_str("</tr></thead><tbody>");
        for session in &plan.sessions {
            self.session(session);
        }
        self.body.push_str("</tbody></table>");
    }

    fn session(&mut self, session: &Session) {
        let scores: Vec<String> = session
            .scores
            .iter()
            .map(|score| format!("{} {}", score.instrument.display(), score.total.as_text()))
            .collect();
        let homework: Vec<String> = session
            .homework
            .iter()
            .map(|homework| {
                format!("{} ({})", homework.text, homework.status.display().to_lowercase())
            })
            .collect();
        self.body.push_str("<tr>");
        let mut number = String::new();
        // Writing into a String can't fail.
        let _ = write!(number, "{}", session.number);
        for cell in [
            number.as_str(),
            session.status.display(),
            session.start.as_ref().map_or("", Instant::as_str),
            &scores.join(", "),
            &homework.join("\n"),
        ] {
            element(&mut self.body, "td", cell);
        }
        self.body.push_str("</tr>");
    }
}

/// A diagnosis with how sure it is, and how it stands unless it is active: one that was ruled out must not read like
/// one that the client has.
pub(super) fn judged(diagnosis: &Diagnosis) -> String {
    let clinical = diagnosis.clinical_status.filter(|status| *status != ClinicalStatus::Active);
    let clinical = clinical.map(|status| format!(", {}", status.display().to_lowercase()));
    let sure = diagnosis.verification_status.display().to_lowercase();
    format!("{}: {sure}{}", diagnosis.text, clinical.unwrap_or_default())
}

/// A number of units in words: `1 year`, `33 years`.
pub(super) fn amount(value: &Number, unit: TimeUnit) -> String {
    let (value, unit) = (value.as_text(), unit.display());
    if value == "1" { format!("1 {unit}") } else { format!("{value} {unit}s") }
}

/// A target in words: `PHQ-9 total at most 4`.
fn target(target: &Target) -> String {
    let measure = target.measure.as_deref().map(|measure| {
        let total = |of: &&Instrument| total_measure(**of).as_deref() == Some(measure);
        match (Instrument::ALL.iter().find(total), GoalMeasure::from_code(measure)) {
            (Some(of), _) => format!("{} total", of.display()),
            (None, Some(known)) => known.display().to_owned(),
            (None, None) => measure.to_owned(),
        }
    });
    let words: Vec<&str> = [
        measure.as_deref(),
        target.comparator.map(Comparator::display),
        target.value.as_ref().map(crate::json::Number::as_text),
        target.unit.as_deref(),
        target.text.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let due = target.due.as_ref().map(|due| format!(" by {}", due.as_str()));
    format!("target: {}{}", words.join(" "), due.unwrap_or_default())
}
