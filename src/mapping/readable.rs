//! A record as a clinician reads it: the whole plan, and each session, as documents.
//!
//! What a plan says is written here once. The CarePlan's narrative, the page that is attached to it and the notes for
//! servers that take no plan are renderings of the same [`Document`]. It is written from the record after the policy
//! was applied, so that no rendering can tell what is withheld.
//!
//! It refuses to interpret: no score is judged, no risk computed, no text shortened. Numbers of insurers and ways to
//! reach the client are left out: the chart that a note is filed in has its own.

mod goal;
mod person;
mod phase;
mod session;
mod words;

use crate::date::PartialDate;
use crate::document::{Block, Document, Item, Level};
use crate::ipt::{Plan, SessionStatus, Technique};

pub(super) use words::{amount, judged};

/// How much a readable plan tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What stands beside resources that hold the rest: the inventory, consents and sessions have their own.
    Narrative,
    /// All of it: the note is all that the reader has.
    Note,
}

/// The whole plan.
pub(super) fn plan(plan: &Plan, extent: Extent) -> Document {
    let mut page = Page::new(plan, &plan.title);
    page.is_note = extent == Extent::Note;
    page.people();
    page.reasons();
    page.focus();
    page.goals();
    page.structure();
    page.phases();
    page.methods();
    page.afterwards();
    if page.is_note {
        page.inventory();
    }
    page.sessions();
    if page.is_note {
        page.sessions_without_note();
        page.consents();
    }
    page.document
}

/// One session.
pub(super) fn session(plan: &Plan, session: &crate::ipt::Session) -> Document {
    let name = crate::mapping::code::session_name(plan.variant);
    let mut page = Page::new(plan, &format!("{name}{}", session.number));
    page.is_note = true;
    page.level = Level::Section;
    page.session_people(session);
    page.session_frame(session);
    page.session_content(session);
    page.document
}

/// Whether a session has a note of its own: it took place, the client did not come, or it was recorded by mistake
/// and a note of it may have to be taken back.
pub(super) const fn has_note(status: SessionStatus) -> bool {
    matches!(
        status,
        SessionStatus::Completed | SessionStatus::NoShow | SessionStatus::EnteredInError
    )
}

/// A document that is being written.
struct Page<'a> {
    plan: &'a Plan,
    is_note: bool,
    /// How deep the headings of a session stand.
    level: Level,
    document: Document,
}

impl<'a> Page<'a> {
    fn new(plan: &'a Plan, title: &str) -> Self {
        let client = &plan.client;
        let born = client.birth_date.as_ref().map(|date| format!(", born {}", date.as_str()));
        let document = Document {
            title: title.to_owned(),
            running_head: format!("{}{} · {title}", client.name.text, born.unwrap_or_default()),
            language: plan.language.clone(),
            ..Document::default()
        };
        Self { plan, is_note: false, level: Level::Part, document }
    }

    /// A heading in what is told of a session.
    fn heading(&mut self, text: &str) {
        self.document.blocks.push(Block::Heading(self.level, text.to_owned()));
    }

    fn field(&mut self, label: &str, text: &str) {
        self.document.field(label, text);
    }

    fn field_if(&mut self, label: &str, text: Option<&String>) {
        self.document.field(label, text.map_or("", String::as_str));
    }

    fn date(&mut self, label: &str, date: Option<&PartialDate>) {
        self.document.field(label, date.map_or("", PartialDate::as_str));
    }

    fn paragraph_if(&mut self, text: Option<&String>) {
        self.document.paragraph(text.map_or("", String::as_str));
    }

    /// A part of a section: its heading and a list, if there is anything in it.
    fn part_list<'b>(&mut self, heading: &str, items: impl IntoIterator<Item = &'b String>) {
        let mut items = items.into_iter().map(|text| Item::plain(text)).peekable();
        if items.peek().is_some() {
            self.document.part(heading);
            self.document.list(false, items);
        }
    }

    fn reasons(&mut self) {
        let plan = self.plan;
        for diagnosis in &plan.diagnoses {
            let codes = diagnosis.codings.iter().map(|coding| match &coding.display {
                Some(display) if self.is_note && *display != diagnosis.text => {
                    format!("{} {display}", coding.code)
                }
                _ => coding.code.clone(),
            });
            let notes: Vec<String> = diagnosis.as_written.iter().cloned().chain(codes).collect();
            let notes =
                if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
            let mut text = format!("{}{notes}", judged(diagnosis));
            let since = [("since", &diagnosis.onset), ("recorded", &diagnosis.recorded)];
            for (word, date) in since.into_iter().filter(|_| self.is_note) {
                if let Some(date) = date {
                    text.extend(["; ", word, " ", date.as_str()]);
                }
            }
            self.field("Diagnosis", &text);
        }
        if let Some(problem) = &plan.presenting_problem {
            self.document.section("Presenting problem");
            self.document.paragraph(&problem.text);
            self.part_list("Symptoms", &problem.symptoms);
        }
        if let Some(assessment) = &plan.assessment {
            self.document.section("Assessment");
            self.document.paragraph(&assessment.text);
        }
        if let Some(screening) = &plan.screening {
            self.document.section("Suitability");
            self.field("Result", screening.result.map_or("", |result| result.display()));
            for exclusion in &screening.exclusions {
                let found = if exclusion.present { "present" } else { "not present" };
                let note = exclusion.note.as_ref().map(|note| format!("; {note}"));
                self.field(&exclusion.code, &format!("{found}{}", note.unwrap_or_default()));
            }
            self.paragraph_if(screening.text.as_ref());
        }
    }

    fn focus(&mut self) {
        let plan = self.plan;
        if !plan.focus_areas.is_empty() {
            self.document.section("Focus of the therapy");
            for focus in &plan.focus_areas {
                let rank = focus.rank.map_or("Problem area", |rank| rank.display());
                self.field(rank, &format!("{} ({})", focus.label, focus.code.display()));
                if self.is_note {
                    let people = self.names(&focus.relationship_ids);
                    self.field("Concerns", &people.join(", "));
                    let codes = focus.codings.iter().map(words::coding);
                    self.field("Coded as", &codes.collect::<Vec<_>>().join("; "));
                }
                self.paragraph_if(focus.description.as_ref());
            }
        }
        if let Some(ipaf) = &plan.ipaf {
            self.document.section("Interpersonal affective focus");
            self.document.paragraph(&ipaf.statement);
            self.field_if("Experience", ipaf.experience.as_ref());
            self.field_if("Expectation", ipaf.expectation.as_ref());
            self.field_if("Response", ipaf.response.as_ref());
        }
    }

    fn methods(&mut self) {
        let plan = self.plan;
        if !plan.interventions.is_empty() {
            self.document.section("Interventions and techniques");
            let items = plan.interventions.iter().map(|intervention| {
                let technique = intervention.code.map(Technique::display);
                let technique = technique
                    .filter(|name| self.is_note && !name.eq_ignore_ascii_case(&intervention.label));
                let technique = technique.map(|name| format!(" ({name})")).unwrap_or_default();
                let description = intervention.description.as_ref();
                let description = description.map(|words| format!(": {words}")).unwrap_or_default();
                Item::plain(&format!("{}{technique}{description}", intervention.label))
            });
            let items: Vec<Item> = items.collect();
            self.document.list(true, items);
        }
        if !plan.monitoring.is_empty() || !plan.measures.is_empty() {
            self.document.section("Evaluation and progress monitoring");
            self.document.list(false, plan.monitoring.iter().map(|text| Item::plain(text)));
            let names = plan.measures.iter().map(|measure| {
                let often = measure.frequency.as_ref().filter(|_| self.is_note);
                let often = often.map(|often| format!(" ({})", words::often(often)));
                format!("{}{}", measure.instrument.display(), often.unwrap_or_default())
            });
            let names: Vec<String> = names.collect();
            self.field("Instruments", &names.join(", "));
        }
    }

    fn afterwards(&mut self) {
        let plan = self.plan;
        if let Some(relapse) = &plan.relapse_prevention {
            self.document.section("Relapse prevention");
            self.part_list("Early warning signs", &relapse.warning_signs);
            self.part_list("Support network", &relapse.support_network);
            self.part_list("Strategies", &relapse.strategies);
            self.part_list("Skills", &relapse.skills);
            self.paragraph_if(relapse.text.as_ref());
            if let Some(maintenance) = &relapse.maintenance {
                let offered = if maintenance.offered { "offered" } else { "not offered" };
                let more = maintenance.frequency.iter().chain(&maintenance.text);
                let words: Vec<&str> =
                    std::iter::once(offered).chain(more.map(String::as_str)).collect();
                self.field("Maintenance sessions", &words.join("; "));
            }
        }
        if let Some(prognosis) = &plan.prognosis {
            self.document.section("Prognosis");
            self.field("Prognosis", prognosis.code.map_or("", |code| code.display()));
            self.paragraph_if(prognosis.text.as_ref());
        }
        if let Some(outcome) = &plan.outcome {
            self.document.section("Outcome");
            self.document.paragraph(&outcome.text);
            if self.is_note {
                self.date("As of", outcome.date.as_ref());
            }
        }
        if let Some(review) = &plan.review {
            self.field("Next review", review.next.as_str());
        }
    }
}
