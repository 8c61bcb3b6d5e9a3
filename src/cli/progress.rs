//! Progress of long work, on stderr: a bar on a terminal, lines in a log, JSON for a program.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args;
use super::output::stderr;
use super::settings::Settings;
use crate::json::Value;
use crate::object;
use crate::sync;

/// Shorter work shows no lines unless they were asked for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The progress of one piece of work.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: Shown,
    label: &'static str,
    done: u64,
    total: u64,
}

#[derive(Debug)]
enum Shown {
    Not,
    Bar(ProgressBar),
    Lines { since: Instant, patience: Duration, tenths: u64 },
    Json,
}

impl Progress {
    /// Starts showing the progress of work that has this many steps.
    pub(crate) fn start(settings: &Settings, label: &'static str, total: u64) -> Self {
        let shown = match settings.progress {
            args::Progress::Never => Shown::Not,
            args::Progress::Json => Shown::Json,
            args::Progress::Auto if settings.quiet => Shown::Not,
            args::Progress::Auto | args::Progress::Always => {
                let target = ProgressDrawTarget::stderr();
                if target.is_hidden() {
                    let now = settings.progress == args::Progress::Always;
                    let patience = if now { Duration::ZERO } else { PATIENCE };
                    Shown::Lines { since: Instant::now(), patience, tenths: 0 }
                } else {
                    let bar = ProgressBar::with_draw_target(Some(total), target);
                    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")
                    {
                        bar.set_style(style);
                    }
                    bar.set_message(label);
                    Shown::Bar(bar)
                }
            }
        };
        Self { shown, label, done: 0, total }
    }

    /// Tells of a step of a sync run: each record is one, and what goes on in it shows beside the bar.
    pub(crate) fn sync(&mut self, step: &sync::Progress) {
        let going_on = match step {
            sync::Progress::Record { number, .. } => {
                return self.set(u64::try_from(number.saturating_sub(1)).unwrap_or_default());
            }
            sync::Progress::LookingUp { resource_type } => format!("looking up {resource_type}"),
            sync::Progress::Settling(wait) => format!(
                "waiting {} s until an earlier request can't be executing any more",
                wait.as_secs()
            ),
            sync::Progress::Writing { resources } => format!("writing {resources} resources"),
        };
        match &self.shown {
            Shown::Bar(bar) => bar.set_message(going_on),
            Shown::Lines { since, patience, .. } if since.elapsed() >= *patience => {
                stderr(&format!("{}: {going_on}\n", self.label));
            }
            Shown::Not | Shown::Json | Shown::Lines { .. } => {}
        }
    }

    /// What shows beside the steps, from any thread.
    pub(crate) fn beside(&self) -> Beside {
        let shown = match &self.shown {
            Shown::Not => Shown::Not,
            Shown::Bar(bar) => Shown::Bar(bar.clone()),
            Shown::Lines { since, patience, .. } => {
                Shown::Lines { since: *since, patience: *patience, tenths: 0 }
            }
            Shown::Json => Shown::Json,
        };
        Beside { shown, label: self.label }
    }

    /// Tells how many steps are done. In lines, every tenth of the work is worth one.
    pub(crate) fn set(&mut self, done: u64) {
        self.done = done;
        let (label, total) = (self.label, self.total);
        match &mut self.shown {
            Shown::Not => {}
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Json => {
                let step = object! { "progress" => label, "done" => done, "total" => total };
                stderr(&format!("{}\n", Value::Object(step).to_text()));
            }
            Shown::Lines { since, patience, tenths } => {
                let now = done.saturating_mul(10).checked_div(total).unwrap_or(10);
                if now > *tenths && since.elapsed() >= *patience {
                    *tenths = now;
                    stderr(&format!("{label}: {done}/{total}\n"));
                }
            }
        }
    }
}

/// What goes on beside the steps of a piece of work. What it says is seen by all threads.
#[derive(Debug)]
pub(crate) struct Beside {
    shown: Shown,
    label: &'static str,
}

impl Beside {
    /// Tells that something goes on that has this many steps, so many of which are done.
    pub(crate) fn say(&self, what: &str, done: usize, total: usize) {
        match &self.shown {
            Shown::Bar(bar) => bar.set_message(format!("{} ({what}: {done}/{total})", self.label)),
            Shown::Lines { since, patience, .. } if since.elapsed() >= *patience => {
                stderr(&format!("{what}: {done}/{total}\n"));
            }
            Shown::Json => {
                let number = |number| u64::try_from(number).unwrap_or(u64::MAX);
                let (done, total) = (number(done), number(total));
                let step = object! { "progress" => what, "done" => done, "total" => total };
                stderr(&format!("{}\n", Value::Object(step).to_text()));
            }
            Shown::Not | Shown::Lines { .. } => {}
        }
    }

    /// Tells that it is over.
    pub(crate) fn over(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_message(self.label);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.set(self.total);
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
