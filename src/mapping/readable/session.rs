//! Sessions: the table of all, and each with what was done, found and given as homework.

use super::words::{Wall, moment};
use super::{Page, has_note};
use crate::document::{Block, Item};
use crate::ipt::measure::Score;
use crate::ipt::session::{Homework, Session};

impl Page<'_> {
    pub(super) fn sessions(&mut self) {
        let plan = self.plan;
        if plan.sessions.is_empty() {
            return;
        }
        self.document.section("Sessions");
        let rows = plan.sessions.iter().map(|session| {
            let scores = session.scores.iter().map(score_in_short);
            let homework = session.homework.iter().map(|homework| {
                format!("{} ({})", homework.text, homework.status.display().to_lowercase())
            });
            vec![
                session.number.to_string(),
                session.status.display().to_owned(),
                session.start.as_ref().map(moment).unwrap_or_default(),
                scores.collect::<Vec<_>>().join(", "),
                homework.collect::<Vec<_>>().join("\n"),
            ]
        });
        let headings = ["Session", "Status", "Time", "Scores", "Homework"];
        let headings = headings.map(str::to_owned).to_vec();
        self.document.blocks.push(Block::Table { headings, rows: rows.collect() });
    }

    /// Sessions that are planned, booked, under way or called off: nobody writes a note of them, so the plan tells
    /// what is known of each.
    pub(super) fn sessions_without_note(&mut self) {
        let plan = self.plan;
        for session in plan.sessions.iter().filter(|session| !has_note(session.status)) {
            let status = session.status.display().to_lowercase();
            self.document.section(format!("Session {} ({status})", session.number));
            self.session_frame(session);
            self.session_content(session);
        }
    }

    /// Whom a note of a session is about, and by whom.
    pub(super) fn session_people(&mut self, session: &Session) {
        self.client();
        self.field("Therapist", &self.plan.therapist.name.text);
        self.therapist_details();
        self.field("Session", &session.number.to_string());
    }

    /// When, how long, and how it was held.
    pub(super) fn session_frame(&mut self, session: &Session) {
        if let Some(start) = &session.start {
            let wall = Wall::of(start);
            self.field("Date", wall.day);
            let end = session.end.as_ref().map(|end| {
                let other = Wall::of(end);
                let same = other.day == wall.day && other.offset == wall.offset;
                match (same, other.offset == wall.offset) {
                    (true, _) => format!("–{}", other.clock),
                    (false, true) => format!(" to {} {}", other.day, other.clock),
                    (false, false) => {
                        format!(" to {} {} ({})", other.day, other.clock, other.zone())
                    }
                }
            });
            let end = end.unwrap_or_default();
            self.field("Time", &format!("{}{end} ({})", wall.clock, wall.zone()));
        }
        let computed = || session.start.as_ref()?.minutes_until(session.end.as_ref()?);
        let minutes = session.length_minutes.or_else(computed).filter(|minutes| *minutes > 0);
        self.field(
            "Length",
            &minutes.map(|minutes| format!("{minutes} minutes")).unwrap_or_default(),
        );
        self.field("Status", session.status.display());
        self.field_if("Reason", session.status_reason.as_ref());
        let plan = self.plan;
        let phase = plan.phases.iter().find(|phase| Some(&phase.id) == session.phase_id.as_ref());
        self.field("Phase", phase.map_or("", |phase| phase.title.as_str()));
        let format = session.format.or(plan.structure.format);
        self.field("Format", format.map_or("", |format| format.display()));
        let delivery = session.delivery.or(plan.structure.delivery);
        self.field("Delivery", delivery.map_or("", |delivery| delivery.display()));
        let present = self.names(&session.attendees);
        self.field("Present", &present.join(", "));
        let focus: Vec<&str> =
            session.focus_area_ids.iter().filter_map(|id| self.addressed(id)).collect();
        let focus = focus.join("; ");
        self.field("Focus", &focus);
    }

    /// What was done, found and agreed.
    pub(super) fn session_content(&mut self, session: &Session) {
        let plan = self.plan;
        if let Some(summary) = &session.summary {
            self.heading("Summary");
            self.document.paragraph(summary);
        }
        if let Some(risk) = &session.risk {
            self.heading("Risk");
            self.field("Level", risk.level.display());
            self.paragraph_if(risk.text.as_ref());
        }
        let activities = session.activity_ids.iter().filter_map(|id| {
            plan.activities.iter().find(|activity| activity.id == *id).map(|found| &found.title)
        });
        let activities: Vec<Item> = activities.map(|title| Item::plain(title)).collect();
        if !activities.is_empty() {
            self.heading("Activities");
            self.document.list(false, activities);
        }
        if !session.techniques.is_empty() {
            self.heading("Techniques");
            let names = session.techniques.iter().map(|technique| technique.display());
            self.document.list(false, names.map(Item::plain));
        }
        let goals = session.goal_progress.iter().filter_map(|progress| {
            let note = progress.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
            let stands = progress.achievement.display().to_lowercase();
            // A goal that is no goal of the plan is a fault of the record that its own rules find.
            let goal = self.goal_text(&progress.goal_id)?;
            Some(Item {
                strong: goal.to_owned(),
                text: format!(": {stands}{note}"),
                ..Item::default()
            })
        });
        let goals: Vec<Item> = goals.collect();
        if !goals.is_empty() {
            self.heading("Progress of goals");
            self.document.list(false, goals);
        }
        if !session.scores.is_empty() {
            self.heading("Scores");
            for score in &session.scores {
                let date = score.date.as_ref().map(|date| format!(", {}", date.as_str()));
                let items: Vec<String> = score.items.iter().map(u32::to_string).collect();
                let items = if items.is_empty() {
                    String::new()
                } else {
                    format!(" (items {})", items.join(", "))
                };
                let total = score.total.as_text();
                let text = format!("{total}{items}{}", date.unwrap_or_default());
                self.field(score.instrument.display(), &text);
            }
        }
        if !session.homework.is_empty() {
            self.heading("Homework");
            self.document.list(false, session.homework.iter().map(homework));
        }
    }
}

fn score_in_short(score: &Score) -> String {
    format!("{} {}", score.instrument.display(), score.total.as_text())
}

fn homework(homework: &Homework) -> Item {
    let mut notes = vec![homework.status.display().to_lowercase()];
    notes.extend(homework.due.as_ref().map(|due| format!("due {}", due.as_str())));
    notes.extend(homework.review.clone());
    Item::plain(&format!("{} ({})", homework.text, notes.join("; ")))
}
