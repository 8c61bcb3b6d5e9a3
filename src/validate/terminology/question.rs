//! What could not be decided here, as data: questions for a terminology server, and the answers to them.
//!
//! The core asks nobody. It collects what it would have to ask; whoever may reach a server fetches the answers and lets
//! the document be checked once more with them. An answer that a server does not have is none: the question stays open
//! and is no error.
//!
//! **What a question may hold.** A code, its system and version, and the URL of a value set: what a server must be told,
//! and nothing else of the document. Never a display: it is free text, written by whoever filled in the record, and may
//! hold a name. Whether a display is right is judged here, by the names that the server gives ([`About::Names`]). And
//! since a member named `code` holds whatever somebody put there, only what has the form of a code, a system and a
//! version is asked about ([`CodeQuestion::may_leave`]); all else stays open.
//!
//! A code tells of a person once it is known whose it is. It belongs in no log, and in no URL of a request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::grammar::is_absolute_uri;

/// What is asked about a code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Whether it is one of its system's (`CodeSystem/$validate-code`).
    System,
    /// Whether it is in the value set of this canonical URL (`ValueSet/$validate-code`).
    ValueSet(Box<str>),
    /// What its system calls it, in all languages (`CodeSystem/$lookup`).
    Names,
}

/// A question to a terminology server. `Debug` does not show it: codes tell of a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeQuestion {
    /// What is asked.
    pub about: About,
    /// The code system; none for a `code`, whose value set implies it.
    pub system: Option<Box<str>>,
    /// The version of the code system, where the coding names one.
    pub version: Option<Box<str>>,
    /// The code.
    pub code: Box<str>,
}

/// Codes, and versions of systems, are no longer in any terminology that is in use, but for written-out expressions.
const LONGEST_CODE: usize = 64;
/// The same of URLs.
const LONGEST_URL: usize = 1024;

impl CodeQuestion {
    /// Whether it has the form of what it says to be: a code and a version without white space, a system that is an
    /// absolute URI without a query, all in printable ASCII and no longer than such are. A name of a person, a sentence
    /// or an address with parameters has another, and is kept here.
    pub fn may_leave(&self) -> bool {
        let is_word = |text: &str| {
            (1..=LONGEST_CODE).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
                && !text.contains('@')
        };
        let set = match &self.about {
            About::ValueSet(url) => Some(url.as_ref()),
            About::System | About::Names => None,
        };
        is_word(&self.code)
            && self.version.as_deref().is_none_or(is_word)
            && self.system.as_deref().is_none_or(|system| is_uri(system) && !system.contains('?'))
            && set.is_none_or(is_uri)
            && (self.system.is_some() || set.is_some())
    }
}

/// Whether a text has the form of an absolute URI, without user information.
fn is_uri(text: &str) -> bool {
    text.len() <= LONGEST_URL
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains('@')
        && is_absolute_uri(text)
}

impl fmt::Debug for CodeQuestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.about {
            About::System => "a code of a system",
            About::ValueSet(_) => "a code in a value set",
            About::Names => "the names of a code",
        })
    }
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The code is one of the system, or in the value set; and what the server calls it, if it says so.
    Valid(Option<Arc<str>>),
    /// The code is none of the system, or not in the value set.
    Invalid,
    /// What the code is called.
    Called(Arc<Names>),
    /// The server does not know either, or does not say.
    Open,
}

/// What a code system calls a code, as a server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The names, each with its language if that is told; the preferred one first.
    pub names: Vec<(Option<Box<str>>, Box<str>)>,
    /// Whether there are others than the preferred one: then the server lists them, and what is not there is no name.
    pub is_list: bool,
}

impl Names {
    /// Whether any name is in a language (`de` of `de-CH`).
    pub fn has_language(&self, language: &str) -> bool {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_owned();
        let wanted = primary(language);
        let of_names = self.names.iter().filter_map(|(language, _)| language.as_deref());
        of_names.map(primary).any(|known| known.eq_ignore_ascii_case(&wanted))
    }
}

/// Answers that were fetched, by their questions. They may be added to while documents are validated.
#[derive(Default)]
pub struct Answers {
    answers: RwLock<BTreeMap<CodeQuestion, Answer>>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} answers", self.len())
    }
}

impl Answers {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    // What a panicking thread left behind is whole: one answer is put in at a time.
    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<CodeQuestion, Answer>> {
        self.answers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an answer, instead of one that was there.
    pub fn insert(&self, question: CodeQuestion, answer: Answer) {
        self.answers.write().unwrap_or_else(PoisonError::into_inner).insert(question, answer);
    }

    /// The answer to a question.
    pub fn get(&self, question: &CodeQuestion) -> Option<Answer> {
        self.read().get(question).cloned()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }
}
