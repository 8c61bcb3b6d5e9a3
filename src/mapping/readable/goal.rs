//! Goals: each in words, with how it stands.

use super::{Page, words};
use crate::document::Item;
use crate::ipt::Goal;

impl Page<'_> {
    pub(super) fn goals(&mut self) {
        let plan = self.plan;
        if plan.goals.is_empty() {
            return;
        }
        self.document.section("Goals");
        let items = plan.goals.iter().map(|goal| Item {
            children: goal.objectives.iter().map(|objective| self.goal(objective)).collect(),
            ..self.goal(goal)
        });
        let items: Vec<Item> = items.collect();
        self.document.list(true, items);
    }

    fn goal(&self, goal: &Goal) -> Item {
        let mut notes = vec![goal.status.display().to_lowercase()];
        notes.extend(goal.achievement.map(|achievement| {
            let date = goal.achievement_date.as_ref().filter(|_| self.is_note);
            let date = date.map(|date| format!(" ({})", date.as_str())).unwrap_or_default();
            format!("{}{date}", achievement.display().to_lowercase())
        }));
        notes.extend(goal.priority.map(|priority| priority.display().to_lowercase()));
        if self.is_note {
            notes.extend(goal.start.as_ref().map(|start| format!("from {}", start.as_str())));
        }
        notes.extend(goal.due.as_ref().map(|due| format!("due {}", due.as_str())));
        notes.extend(goal.targets.iter().map(words::target));
        if self.is_note {
            let by = goal.expressed_by;
            notes.extend(by.map(|by| format!("put by the {}", by.display().to_lowercase())));
            let addressed: Vec<&str> =
                goal.addresses.iter().filter_map(|id| self.addressed(id)).collect();
            if !addressed.is_empty() {
                notes.push(format!("about: {}", addressed.join(", ")));
            }
        }
        notes.extend(goal.note.clone());
        Item::plain(&format!("{} ({})", goal.text, notes.join("; ")))
    }

    /// What a goal or a session is about: a problem area, a diagnosis, or the focus of DIT.
    pub(super) fn addressed(&self, id: &str) -> Option<&str> {
        let plan = self.plan;
        let focus = plan.focus_areas.iter().find(|focus| focus.id == id);
        let diagnosis = plan.diagnoses.iter().find(|diagnosis| diagnosis.id == id);
        let ipaf = plan.ipaf.as_ref().filter(|ipaf| ipaf.id == id);
        focus
            .map(|focus| focus.label.as_str())
            .or_else(|| diagnosis.map(|diagnosis| diagnosis.text.as_str()))
            .or_else(|| ipaf.map(|_| "interpersonal affective focus"))
    }

    /// The words of a goal or objective.
    pub(super) fn goal_text(&self, id: &str) -> Option<&str> {
        let mut goals = Goal::with_objectives(&self.plan.goals);
        goals.find(|goal| goal.id == id).map(|goal| goal.text.as_str())
    }
}
