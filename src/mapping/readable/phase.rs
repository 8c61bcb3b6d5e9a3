//! How the course is laid out: its structure, its phases, and what is planned in each.

use super::{Page, words};
use crate::document::Item;
use crate::ipt::phase::Activity;
use crate::ipt::{Phase, SessionRange};

impl Page<'_> {
    pub(super) fn structure(&mut self) {
        let structure = &self.plan.structure;
        self.document.section("Therapy structure");
        if let Some(frequency) = &structure.frequency {
            self.field("Frequency", &words::often(frequency));
        }
        if let Some(length) = &structure.session_length {
            self.field("Session length", &words::amount(&length.value, length.unit));
        }
        if let Some(sessions) = &structure.sessions {
            let words = if sessions.min == sessions.max {
                format!("{} sessions", sessions.min)
            } else {
                format!("{}–{} sessions", sessions.min, sessions.max)
            };
            self.field("Duration", &words);
        }
        if let Some(weeks) = &structure.weeks {
            self.field("Weeks", &words::weeks(weeks));
        }
        self.field("Format", structure.format.map_or("", |format| format.display()));
        self.field("Delivery", structure.delivery.map_or("", |delivery| delivery.display()));
        self.field_if("Note", structure.note.as_ref());
    }

    pub(super) fn phases(&mut self) {
        let plan = self.plan;
        for phase in &plan.phases {
            self.phase(phase);
        }
        self.activities(|activity| activity.phase_id.is_none());
    }

    fn phase(&mut self, phase: &Phase) {
        let range = phase.sessions.map(|range| format!(" ({})", range.in_words()));
        self.document.section(format!("{}{}", phase.title, range.unwrap_or_default()));
        if let Some(weeks) = phase.weeks.as_ref().filter(|_| self.is_note) {
            self.field("Weeks", &words::weeks(weeks));
        }
        self.field_if("Goal", phase.goal.as_ref());
        self.activities(|activity| activity.phase_id.as_deref() == Some(phase.id.as_str()));
    }

    fn activities(&mut self, belongs: impl Fn(&Activity) -> bool) {
        let plan = self.plan;
        let items = plan.activities.iter().filter(|activity| belongs(activity));
        let items: Vec<Item> = items.map(|activity| self.activity(activity)).collect();
        self.document.list(false, items);
    }

    fn activity(&self, activity: &Activity) -> Item {
        let range = activity.sessions.map(SessionRange::in_words);
        let range = range.map(|words| format!("{words} · ")).unwrap_or_default();
        let condition = activity.conditional.as_ref().map(|condition| format!(" ({condition})"));
        let description = activity.description.as_ref().map(|words| format!(": {words}"));
        let mut children = Vec::new();
        if self.is_note {
            let techniques: Vec<&str> =
                activity.techniques.iter().map(|technique| technique.display()).collect();
            let goals: Vec<&str> =
                activity.goal_ids.iter().filter_map(|id| self.goal_text(id)).collect();
            for (label, names) in
                [("Techniques", techniques.join(", ")), ("Goals", goals.join("; "))]
            {
                if !names.is_empty() {
                    children.push(Item::plain(&format!("{label}: {names}")));
                }
            }
        }
        Item {
            strong: format!("{range}{}", activity.title),
            text: format!("{}{}", condition.unwrap_or_default(), description.unwrap_or_default()),
            children,
        }
    }
}
