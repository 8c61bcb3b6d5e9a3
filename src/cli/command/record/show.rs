//! `record show FILE`: the record as a clinician reads it. It prints names and narrative: that is what it is for.

use std::fmt::Write;
use std::path::Path;

use super::super::super::failure::Failure;
use super::super::super::input;
use super::super::super::output::Done;
use crate::cli::Exit;
use crate::ipt::{Goal, Phase, Plan, Session, document};

pub(crate) fn run(path: &Path) -> Result<Done, Failure> {
    let record = input::record(path)?;
    let plan = &record.document.plan;
    let warnings = record.warnings();
    Ok(Done::new(view(plan), document::plan_value(plan)).but(Exit::Done, warnings))
}

fn view(plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    line(plan.title.clone());
    line(format!("{} · {}", plan.variant.display(), plan.status.display()));
    line(format!("client     {}", plan.client.name.text));
    line(format!("therapist  {}", plan.therapist.name.text));
    for diagnosis in &plan.diagnoses {
        line(format!(
            "diagnosis  {} ({})",
            diagnosis.text,
            diagnosis.verification_status.display()
        ));
    }
    if let Some(problem) = &plan.presenting_problem {
        line(format!("\npresenting problem\n  {}", problem.text));
    }
    if !plan.focus_areas.is_empty() || plan.ipaf.is_some() {
        line("\nfocus".to_owned());
    }
    for focus in &plan.focus_areas {
        line(format!("  {} · {}", focus.code.display(), focus.label));
    }
    if let Some(focus) = &plan.ipaf {
        line(format!("  {}", focus.statement));
    }
    line("\nphases".to_owned());
    for phase in &plan.phases {
        line(format!("  {}", phase_line(phase)));
        for activity in plan
            .activities
            .iter()
            .filter(|activity| activity.phase_id.as_deref() == Some(&phase.id))
        {
            let sessions = activity.sessions.map(|range| format!("{}: ", range.in_words()));
            line(format!("    {}{}", sessions.unwrap_or_default(), activity.title));
        }
    }
    if !plan.goals.is_empty() {
        line("\ngoals".to_owned());
    }
    for goal in &plan.goals {
        line(format!("  {}", goal_line(goal)));
        for objective in &goal.objectives {
            line(format!("    {}", goal_line(objective)));
        }
    }
    if !plan.sessions.is_empty() {
        line("\nsessions".to_owned());
    }
    for session in &plan.sessions {
        line(format!("  {}", session_line(session)));
    }
    text
}

fn phase_line(phase: &Phase) -> String {
    let sessions = phase.sessions.map(|range| format!(" · {}", range.in_words()));
    format!("{}{}", phase.title, sessions.unwrap_or_default())
}

fn goal_line(goal: &Goal) -> String {
    let achievement = goal.achievement.map(|achievement| format!(", {}", achievement.display()));
    format!("[{}{}] {}", goal.status.display(), achievement.unwrap_or_default(), goal.text)
}

fn session_line(session: &Session) -> String {
    let mut text = format!("{:>2}  {}", session.number, session.status.display());
    if let Some(day) = session.start.as_ref().and_then(crate::date::Instant::day) {
        let _ = write!(text, "  {}", day.as_str());
    }
    for score in &session.scores {
        let _ = write!(text, "  {} {}", score.instrument.display(), score.total.as_text());
    }
    text
}
