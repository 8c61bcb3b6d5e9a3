//! A terminology server: what it is asked about codes, and what it says.
//!
//! The validator only notes what it can't tell ([`CodeQuestion`]); here it is asked, each thing once, many things in one
//! request where the server takes that, and the answers are kept for all documents ([`Answers`]).
//!
//! - Nothing but codes, systems, versions and URLs of value sets leaves: that is all that a question holds, and one of
//!   another form is refused ([`CodeQuestion::may_leave`]). They stand in bodies; no URL holds a code.
//! - A server is not believed more than it says. Where its answers may have been mixed up, each is asked for alone; a
//!   "no" without a reason counts only if the server has the whole code system.
//! - A server that is down, slow or out of its mind costs answers and never makes an error of a document: after a few
//!   requests it is left alone ([`Stopped`]), and what is open stays open.
//!
//! Those who ask at the same time queue at one door, and the first takes the questions of all along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::{Cause, Client, EntryAnswer, Error, Level, Unsent};
use crate::fhir::Resource;
use crate::phi::Phi;
use crate::validate::terminology::batch::{self, Told};
use crate::validate::terminology::{About, Answer, Answers, CodeQuestion};

/// How many questions are under way at once where each goes alone.
const AT_ONCE: usize = 4;
/// How often a request is sent, at most.
const ATTEMPTS: u32 = 3;
/// After so many requests in a row that failed, the server is left alone.
const STRIKES: u32 = 3;
/// A server that wants to be left alone for longer is.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many answers are kept; more is no export, but an attack on the server or on our memory.
const MOST: usize = 200_000;

/// A terminology server, and what it has said so far.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use ipt_fhir::client::{Client, Config, Terminology};
/// # use ipt_fhir::validate::check::{Checks, View};
/// # use ipt_fhir::validate::options::Options;
/// # async fn validate(document: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let base = "https://tx.example.org/r4".parse()?;
/// let server = Terminology::new(Client::new(&Config::anonymous(base, Config::TIMEOUT))?);
/// let checks = Checks::new(None, vec![], Options::default(), View::default());
/// let checks = checks.with_answers(Arc::clone(server.answers()));
/// let mut checked = checks.check(document, 1);
/// while server.ask(&checked.questions).await {
///     checked = checks.check(document, 1);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Terminology {
    client: Client,
    answers: Arc<Answers>,
    /// What somebody at the door wants to ask.
    waiting: Lock<BTreeSet<CodeQuestion>>,
    door: Mutex<Door>,
    tally: Lock<Tally>,
}

/// What is known of the server, for whoever is through the door.
struct Door {
    /// Whether it takes batches, as far as is known.
    takes_batches: bool,
    /// Whether it gives names without the code that they belong to.
    is_silent: bool,
    /// How many requests in a row have failed.
    strikes: u32,
    /// Of which systems, and versions, it says to have all codes.
    whole: BTreeMap<(Box<str>, Option<Box<str>>), bool>,
    is_stopped: bool,
}

/// What came of asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many questions were asked.
    pub asked: usize,
    /// To how many of them there is an answer.
    pub answered: usize,
    /// How many the server refused to answer, and how it did so last.
    pub refused: Option<(usize, Error)>,
    /// How many got no answer that can be read, and what came of the last of them.
    pub failed: Option<(usize, Error)>,
    /// Why no more is asked.
    pub stopped: Option<Stopped>,
}

/// Why no more is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The server can't be reached, does not let us ask, or fails again and again.
    Failed(Error),
    /// So many questions were asked that it must be a mistake.
    TooMany,
}

impl Tally {
    /// How many questions the server has heard and said something to, if only that it does not know.
    pub fn heard(&self) -> usize {
        let of = |count: &Option<(usize, Error)>| count.as_ref().map_or(0, |(count, _)| *count);
        self.asked.saturating_sub(of(&self.refused) + of(&self.failed))
    }
}

impl fmt::Debug for Terminology {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "terminology server at {}", self.client.base)
    }
}

impl Terminology {
    /// The server that a client is for.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            answers: Arc::default(),
            waiting: Lock::default(),
            door: Mutex::new(Door {
                takes_batches: true,
                is_silent: false,
                strikes: 0,
                whole: BTreeMap::new(),
                is_stopped: false,
            }),
            tally: Lock::default(),
        }
    }

    /// What it has said so far, for validators
    /// ([`Checks::with_answers`](crate::validate::check::Checks::with_answers)).
    pub const fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// What came of asking so far.
    pub fn tally(&self) -> Tally {
        locked(&self.tally).clone()
    }

    /// Asks what has no answer yet, and keeps the answers; what the server does not know has one, too: that it is open.
    /// Tells whether any of the questions has an answer now; if not, there is no use in checking the document again.
    ///
    /// It may be asked from many tasks at once, and dropped at any time.
    pub async fn ask(&self, questions: &[CodeQuestion]) -> bool {
        if questions.is_empty() {
            return false;
        }
        let fit = || questions.iter().filter(|question| question.may_leave()).cloned();
        locked(&self.waiting).extend(fit());
        let mut door = self.door.lock().await;
        let mut waiting = std::mem::take(&mut *locked(&self.waiting));
        // Somebody may have taken them along and been dropped.
        waiting.extend(fit());
        let is_open = |question: &CodeQuestion| self.answers.get(question).is_none();
        let mut open: Vec<_> = waiting.into_iter().filter(is_open).collect();
        let room = MOST.saturating_sub(self.answers.len());
        let is_too_many = open.len() > room;
        open.truncate(room);
        self.ask_all(&mut door, &open).await;
        if is_too_many {
            self.stop(&mut door, Stopped::TooMany);
        }
        questions.iter().any(|question| self.answers.get(question).is_some())
    }

    async fn ask_all(&self, door: &mut Door, questions: &[CodeQuestion]) {
        for some in questions.chunks(batch::LENGTH) {
            if door.is_stopped {
                return;
            }
            // A server that does not repeat the code is asked for names alone, for they would be asked for again.
            let is_for_names = some.iter().all(|question| question.about == About::Names);
            let asked = if door.takes_batches && some.len() > 1 && !(door.is_silent && is_for_names)
            {
                self.ask_batch(door, some).await
            } else {
                self.ask_alone(door, some).await
            };
            let mut tally = locked(&self.tally);
            for (question, answer) in asked {
                tally.asked += 1;
                tally.answered += usize::from(answer != Answer::Open);
                self.answers.insert(question, answer);
            }
        }
    }

    /// Asks many questions in one request, and those alone about whose answers there is doubt.
    async fn ask_batch(
        &self,
        door: &mut Door,
        some: &[CodeQuestion],
    ) -> Vec<(CodeQuestion, Answer)> {
        let bundle = batch::request(some);
        let entries = match patiently(|| self.client.batch(&bundle)).await {
            Ok(entries) => entries,
            Err(error) if is_final(&error) => {
                self.stop(door, Stopped::Failed(error));
                return Vec::new();
            }
            Err(_) => {
                door.takes_batches = false;
                return self.ask_alone(door, some).await;
            }
        };
        let told: Vec<Option<Told>> =
            some.iter().zip(&entries).map(|(question, entry)| told_by(question, entry)).collect();
        let is_other =
            |told: &Option<Told>| told.as_ref().is_some_and(|told| told.is_of == Some(false));
        if entries.len() != some.len() || told.iter().any(is_other) {
            // Entries are left out, or stand in another order.
            door.takes_batches = false;
            return self.ask_alone(door, some).await;
        }
        if told.iter().all(Option::is_none) {
            // All refused: because of the questions, or because they came in a batch?
            let (first, rest) = some.split_at(1);
            let refused = self.tally().refused.map_or(0, |(refused, _)| refused);
            let mut asked = self.ask_alone(door, first).await;
            if self.tally().refused.is_some_and(|(now, _)| now > refused) {
                self.count_refused(rest.len());
                asked.extend(rest.iter().cloned().map(|question| (question, Answer::Open)));
            } else {
                door.takes_batches = false;
                asked.extend(self.ask_alone(door, rest).await);
            }
            return asked;
        }
        door.strikes = 0;
        let (mut sure, mut doubtful) = (Vec::new(), Vec::new());
        for (question, told) in some.iter().zip(told) {
            let Some(told) = told else {
                self.count_refused(1);
                sure.push((question.clone(), Answer::Open));
                continue;
            };
            let is_sure = told.is_of == Some(true);
            door.is_silent |= !is_sure && matches!(told.answer, Answer::Called(_));
            let answer = self.reasoned(door, question, told).await;
            // What may lead to an error, and only its place tells what it is about, is heard twice. A "yes" in another
            // place is one all the same; the name that comes with it is looked up before it counts.
            if is_sure || matches!(answer, Answer::Valid(_) | Answer::Open) {
                sure.push((question.clone(), answer));
            } else {
                doubtful.push((question.clone(), answer));
            }
        }
        let alone: Vec<_> = doubtful.iter().map(|(question, _)| question.clone()).collect();
        let again = self.ask_alone(door, &alone).await;
        let differs = |(question, answer): &(CodeQuestion, Answer)| {
            again.iter().any(|(other, second)| other == question && second != answer)
        };
        if doubtful.iter().any(differs) {
            door.takes_batches = false;
            let rest: Vec<_> = sure.into_iter().map(|(question, _)| question).collect();
            sure = self.ask_alone(door, &rest).await;
        }
        sure.extend(again);
        sure
    }

    /// Asks questions one by one, a few at a time.
    async fn ask_alone(
        &self,
        door: &mut Door,
        some: &[CodeQuestion],
    ) -> Vec<(CodeQuestion, Answer)> {
        let mut asked = Vec::with_capacity(some.len());
        for few in some.chunks(AT_ONCE) {
            if door.is_stopped {
                break;
            }
            let mut under_way = JoinSet::new();
            for question in few {
                let (client, question) = (self.client.clone(), question.clone());
                under_way.spawn(async move {
                    let told = alone(&client, &question).await;
                    (question, told)
                });
            }
            while let Some(joined) = under_way.join_next().await {
                let Ok((question, told)) = joined else { continue };
                let answer = self.heard(door, &question, told).await;
                asked.push((question, answer));
            }
        }
        asked
    }

    /// What came of a question that went alone.
    async fn heard(
        &self,
        door: &mut Door,
        question: &CodeQuestion,
        told: Result<Told, Error>,
    ) -> Answer {
        let error = match told {
            Ok(told) => {
                door.strikes = 0;
                return self.reasoned(door, question, told).await;
            }
            Err(error) => error,
        };
        if is_refusal(&error) {
            door.strikes = 0;
            let mut tally = locked(&self.tally);
            let refused = tally.refused.as_ref().map_or(0, |(refused, _)| *refused);
            tally.refused = Some((refused + 1, error));
            return Answer::Open;
        }
        let is_final = is_final(&error);
        door.strikes += 1;
        {
            let mut tally = locked(&self.tally);
            let failed = tally.failed.as_ref().map_or(0, |(failed, _)| *failed);
            tally.failed = Some((failed + 1, error.clone()));
        }
        if is_final || door.strikes >= STRIKES {
            self.stop(door, Stopped::Failed(error));
        }
        Answer::Open
    }

    /// The answer, and of a "no" without a reason: whether the server can know.
    async fn reasoned(&self, door: &mut Door, question: &CodeQuestion, told: Told) -> Answer {
        let system = match (&question.about, &question.system) {
            (About::System, Some(system)) if told.is_bare => system,
            _ => return told.answer,
        };
        let key = (system.clone(), question.version.clone());
        let known = door.whole.get(&key).copied();
        let is_whole = if let Some(known) = known {
            known
        } else {
            let is_whole = self.has_whole(system, question.version.as_deref()).await;
            door.whole.insert(key, is_whole);
            is_whole
        };
        if is_whole { Answer::Invalid } else { Answer::Open }
    }

    /// Whether the server says that it has all codes of a system.
    async fn has_whole(&self, system: &str, version: Option<&str>) -> bool {
        let parameters =
            [("url", Phi::new(system)), ("_elements", Phi::new("url,version,content"))];
        let found = patiently(|| self.client.search_by_post("CodeSystem", &parameters)).await;
        found.unwrap_or_default().iter().any(|found| {
            let text = |name| found.resource.text(name);
            text("url") == Some(system)
                && text("content") == Some("complete")
                && (version.is_none() || text("version") == version)
        })
    }

    fn count_refused(&self, more: usize) {
        let mut tally = locked(&self.tally);
        if let Some((refused, _)) = &mut tally.refused {
            *refused += more;
        }
    }

    fn stop(&self, door: &mut Door, why: Stopped) {
        door.is_stopped = true;
        locked(&self.tally).stopped.get_or_insert(why);
    }
}

/// What is held only to read or write a few values; what a panicking thread left is whole.
fn locked<T>(lock: &Lock<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an entry of a batch tells; nothing if the question was refused.
fn told_by(question: &CodeQuestion, entry: &EntryAnswer) -> Option<Told> {
    let is_success = entry.status.is_none_or(|status| (200..300).contains(&status));
    let resource = entry.resource.as_ref().filter(|_| is_success)?;
    is_parameters(resource).then(|| batch::read(question, resource))
}

fn is_parameters(resource: &Resource) -> bool {
    resource.resource_type() == "Parameters"
}

/// Asks one question in a request of its own.
async fn alone(client: &Client, question: &CodeQuestion) -> Result<Told, Error> {
    let (of, name) = batch::operation(question);
    let parameters = batch::parameters(question);
    let answer = patiently(|| client.operation(Level::Type(of), name, &parameters)).await?;
    Ok(batch::read(question, &answer))
}

/// Sends a request that changes nothing, and again after a while where that may help.
async fn patiently<T, F>(mut send: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempt = 1;
    loop {
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let pause = Duration::from_millis(250) * attempt * attempt;
        let wait = match &error {
            Error::Busy { retry_after } => retry_after.unwrap_or(pause),
            Error::NotSent(
                Unsent::Resolve | Unsent::ConnectionRefused | Unsent::Timeout | Unsent::Connect,
            )
            | Error::Ambiguous(Cause::Connection | Cause::Status(500..)) => pause,
            _ => return Err(error),
        };
        if attempt >= ATTEMPTS || wait > PATIENCE {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(wait).await;
    }
}

/// Whether it is of no use to ask anything else.
const fn is_final(error: &Error) -> bool {
    matches!(error, Error::NotSent(_) | Error::Busy { .. } | Error::Unauthorized | Error::Forbidden)
}

/// Whether the server has heard the question and does not answer it.
const fn is_refusal(error: &Error) -> bool {
    match error {
        Error::NotFound { .. } | Error::Conflict { .. } | Error::Explained { .. } => true,
        Error::Refused { status, .. } => *status >= 400,
        _ => false,
    }
}
