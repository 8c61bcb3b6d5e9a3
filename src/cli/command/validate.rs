//! `validate`: FHIR documents against the definitions of their release and against profiles.
//!
//! What was found goes to stdout in the form that is asked for, file by file as it is found; why a file could not be
//! read goes to stderr, or into the envelope. The exit code is that of the worst file, and 1 if all are right and a
//! terminology server that was to be asked could not be. Values of the documents are shown only if somebody asks for
//! them.

mod asking;
mod inputs;
mod pieces;
mod work;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use asking::Asking;

use super::super::args::{Format, Level, ReportForm, Validate};
use super::super::exit::Exit;
use super::super::failure::{Failure, Problem};
use super::super::output::{Output, envelope};
use super::super::package;
use super::super::progress::Progress;
use super::super::settings::Settings;
use crate::config::nearest;
use crate::fhir::Release;
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::validate::check::{Checked, Checks, View};
use crate::validate::options::Options;
use crate::validate::report::text::Paint;
use crate::validate::report::{self, Count, Reported};

pub(crate) fn run(args: &Validate, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let files = files(args)?;
    let form = args.report.unwrap_or(match () {
        () if output.is(Format::Json) => ReportForm::Json,
        () if output.is(Format::Ndjson) => ReportForm::Ndjson,
        () => ReportForm::Text,
    });
    let checks = checks(args, form)?;
    let server = args.tx.as_deref().map(|to| asking::server(to, settings)).transpose()?;
    let threads = args
        .threads
        .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let total = u64::try_from(files.len()).unwrap_or(u64::MAX);
    let mut progress = Progress::start(settings, "validating files", total);
    let asking = server.map(|server| Asking::new(server, progress.beside())).transpose()?;
    let checks = match &asking {
        Some(asking) => checks.with_answers(asking.answers()),
        None => checks,
    };
    let mut writing = Writing::new(form, args.level, &files, output);
    work::run(&files, &checks, asking.as_ref(), threads, |done| {
        progress.set(u64::try_from(done.file).unwrap_or(u64::MAX));
        writing.add(done)
    });
    drop(progress);
    writing.end(asking.map(Asking::end));
    Ok(())
}

/// The files that are named; without any, stdin, unless that is a terminal.
fn files(args: &Validate) -> Result<Vec<PathBuf>, Failure> {
    if args.inputs.is_empty() {
        if std::io::stdin().is_terminal() {
            return Err(Failure::new(Exit::Usage, "validate-nothing", "nothing to validate")
                .help("name files, directories or patterns, or pipe a document in"));
        }
        return Ok(vec![PathBuf::from("-")]);
    }
    inputs::files(&args.inputs)
}

/// What documents are checked by. A profile that nothing defines is a mistake, not a rule that always holds.
fn checks(args: &Validate, form: ReportForm) -> Result<Checks, Failure> {
    let packages =
        args.package.iter().map(|source| package::load(source)).collect::<Result<Vec<_>, _>>()?;
    let options = Options {
        profiles: args.profile.clone(),
        references: args.references.into(),
        ..Options::default()
    };
    let view = View { show_values: args.show_values, excerpts: form == ReportForm::Text };
    let checks = Checks::new(args.release.said(), packages, options, view);
    let mut releases = vec![checks.usual_release()];
    if args.release.said().is_none() {
        releases.extend([Release::R4, Release::R4B, Release::R5]);
    }
    for url in &args.profile {
        let is_known = |release: &Release| checks.shared(*release).programs().find(url).is_some();
        if !releases.iter().any(is_known) {
            return Err(unknown_profile(&checks, url));
        }
    }
    Ok(checks)
}

fn unknown_profile(checks: &Checks, url: &str) -> Failure {
    let shared = checks.shared(checks.usual_release());
    let all: Vec<String> =
        shared.definitions().structures().map(|row| row.url.to_owned()).collect();
    let plain = url.split('|').next().unwrap_or(url);
    let help = match nearest(plain, all.iter().map(String::as_str)) {
        Some(near) if near == plain => format!("`{near}` is there in another version"),
        Some(near) => format!("did you mean `{near}`?"),
        None => "--package loads the package that defines it".to_owned(),
    };
    let text = format!("no definition at hand has the canonical URL {url}");
    Failure::new(Exit::Usage, "profile-unknown", text).help(help)
}

/// Writes reports while they come.
struct Writing<'w> {
    form: ReportForm,
    level: Severity,
    files: &'w [PathBuf],
    output: &'w Output,
    paint: Paint,
    count: Count,
    exit: Exit,
    /// Why files could not be read.
    problems: Vec<Problem>,
    /// For the JSON report: what was found in each resource.
    resources: Vec<Value>,
    /// For OperationOutcomes: the first one, which stands alone if no other comes.
    first: Option<Value>,
    seen: Option<usize>,
}

impl<'w> Writing<'w> {
    fn new(form: ReportForm, level: Level, files: &'w [PathBuf], output: &'w Output) -> Self {
        let pair = |style: Style| (style.render().to_string(), style.render_reset().to_string());
        let color = |color: AnsiColor| pair(color.on_default().bold());
        let paint = Paint {
            error: color(AnsiColor::Red),
            warning: color(AnsiColor::Yellow),
            note: pair(AnsiColor::Cyan.on_default()),
            strong: pair(Style::new().bold()),
        };
        Self {
            form,
            level: level.into(),
            files,
            output,
            paint,
            count: Count::default(),
            exit: Exit::Done,
            problems: Vec::new(),
            resources: Vec::new(),
            first: None,
            seen: None,
        }
    }

    /// The worse of two ends: a file that can't be read counts more than one that has errors.
    fn worse(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
    }

    fn name(&self, file: usize) -> String {
        match self.files.get(file) {
            Some(path) if path == Path::new("-") => "<stdin>".to_owned(),
            Some(path) => path.display().to_string(),
            None => String::new(),
        }
    }

    /// Takes what came of a piece; `false` if nobody reads any more.
    fn add(&mut self, done: work::Done) -> bool {
        let name = self.name(done.file);
        if self.seen != Some(done.file) {
            self.seen = Some(done.file);
            self.count.files += 1;
        }
        if let Some(failure) = done.failure {
            self.worse(failure.exit);
            self.problems.extend(failure.problems);
        }
        let mut goes_on = true;
        for (line, mut checked) in done.checked {
            self.count.add(&checked.reported);
            if !checked.is_readable {
                self.worse(Exit::Unreadable);
            } else if checked.reported.iter().any(is_error) {
                self.worse(Exit::Invalid);
            }
            checked.reported.retain(|item| item.severity >= self.level);
            goes_on &= self.resource(&name, line, &checked);
        }
        goes_on
    }

    fn resource(&mut self, name: &str, line: usize, checked: &Checked) -> bool {
        let one = |checked: &Checked| {
            let resource_type = checked.resource_type.as_deref();
            report::json::resource(
                name,
                line,
                resource_type,
                checked.is_readable,
                &checked.reported,
            )
        };
        match self.form {
            ReportForm::Text => {
                let mut text = String::new();
                report::text::write(&mut text, name, &checked.reported, &self.paint);
                text.is_empty() || self.output.part(&text)
            }
            ReportForm::Json => {
                self.resources.push(Value::Object(one(checked)));
                true
            }
            ReportForm::Ndjson => {
                self.output.part(&format!("{}\n", Value::Object(one(checked)).to_text()))
            }
            ReportForm::Operationoutcome => {
                let outcome = report::outcome::of(name, &checked.reported).into_value();
                if self.count.resources == 1 {
                    self.first = Some(outcome);
                    return true;
                }
                let first = self.first.take().map(|first| format!("{}\n", first.to_text()));
                let lines = format!("{}{}\n", first.unwrap_or_default(), outcome.to_text());
                self.output.part(&lines)
            }
        }
    }

    /// What is left to say, of the terminology server too. Where it could not be asked to the end, what was asked for is
    /// not done, and that counts where the documents are right.
    fn end(mut self, asked: Option<asking::Ended>) {
        if let Some((exit, problem)) = asked.as_ref().and_then(|asked| asked.problem.clone()) {
            self.worse(exit);
            self.problems.push(problem);
        }
        let text = match self.form {
            ReportForm::Text => format!("{}\n", self.count),
            ReportForm::Json => {
                let mut result = Object::new();
                result.insert("resources", Value::Array(self.resources));
                result.insert("count", Value::Object(report::json::count(&self.count)));
                if let Some(asked) = asked {
                    result.insert("terminology", Value::Object(asked.sums));
                }
                envelope(self.exit, Value::Object(result), &self.problems)
            }
            ReportForm::Ndjson => String::new(),
            ReportForm::Operationoutcome => {
                self.first.map(|first| first.to_pretty()).unwrap_or_default()
            }
        };
        self.output.part(&text);
        if self.form != ReportForm::Json {
            self.output.problems(&self.problems);
        }
        self.output.ends(self.exit);
    }
}

fn is_error(item: &Reported) -> bool {
    item.severity >= Severity::Error
}
