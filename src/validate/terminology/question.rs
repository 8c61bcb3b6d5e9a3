//! What could not be decided here, as data: questions for a terminology server, and the answers to them.
//!
//! The core asks nobody. It collects what it would have to ask; whoever may reach a server fetches the answers and lets
//! the document be checked once more with them. An answer that a server does not have is none: the question stays open
//! and is no error.
//!
//! A question holds codes and names from the document. That is what a server must be told; it belongs in no log.

use std::collections::BTreeMap;
use std::fmt;

/// A question to a terminology server (`$validate-code`). `Debug` does not show it: codes tell of a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeQuestion {
    /// The code system; none for a `code`, whose value set implies it.
    pub system: Option<Box<str>>,
    /// The version of the code system, where the coding names one.
    pub version: Option<Box<str>>,
    /// The code.
    pub code: Box<str>,
    /// What the coding calls it; only where names are asked about.
    pub display: Option<Box<str>>,
    /// The canonical URL of the value set; none asks about the code system alone.
    pub value_set: Option<Box<str>>,
}

impl fmt::Debug for CodeQuestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.value_set.is_some() {
            "a code in a value set"
        } else {
            "a code of a system"
        })
    }
}

/// What a server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The code is one of the system, or in the value set, and so called.
    Valid,
    /// The code is none of the system, or not in the value set.
    Invalid,
    /// The code is right, its display is not.
    WrongDisplay,
    /// The server does not know either.
    Open,
}

/// Answers that were fetched, by their questions.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    answers: BTreeMap<CodeQuestion, Answer>,
}

impl Answers {
    /// None yet.
    pub const fn new() -> Self {
        Self { answers: BTreeMap::new() }
    }

    /// Keeps an answer.
    pub fn insert(&mut self, question: CodeQuestion, answer: Answer) {
        self.answers.insert(question, answer);
    }

    /// The answer to a question.
    pub fn get(&self, question: &CodeQuestion) -> Option<Answer> {
        self.answers.get(question).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}
