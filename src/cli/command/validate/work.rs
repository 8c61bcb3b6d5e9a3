//! The work: documents are read one after the other, checked on every core, and reported in their order.
//!
//! What a terminology server has to be asked is gathered piece by piece, asked together, and the documents that it was
//! about are checked once more; so an export of any size takes the memory of a few pieces and of the answers.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::super::failure::Failure;
use super::asking::Asking;
use super::pieces::{Content, Piece, Pieces};
use crate::validate::bulk::in_order;
use crate::validate::check::{Checked, Checks};

/// No answer leads to questions that lead to questions beyond this.
const ROUNDS: usize = 4;

/// What came of a piece.
#[derive(Debug)]
pub(super) struct Done {
    /// The place of its file among all.
    pub(super) file: usize,
    /// Its resources, each with the number of its first line.
    pub(super) checked: Vec<(usize, Checked)>,
    /// Why the file could not be read (on).
    pub(super) failure: Option<Failure>,
}

/// Checks all files, and tells of each piece in order. `tell` may end the work early by `false`.
pub(super) fn run(
    files: &[PathBuf],
    checks: &Checks,
    asking: Option<&Asking>,
    threads: usize,
    tell: impl FnMut(Done) -> bool,
) {
    in_order(threads, &mut Pieces::of(files), |piece| work(piece, checks, asking), tell);
}

fn work(piece: Piece, checks: &Checks, asking: Option<&Asking>) -> Done {
    let Piece { file, content } = piece;
    let (checked, failure) = match content {
        Content::Unread(failure) => (Vec::new(), Some(failure)),
        Content::Document(bytes) => {
            (settled(asking, &[bytes], |bytes| (1, checks.check(bytes, 1))), None)
        }
        Content::Lines(chunk) => {
            let lines: Vec<_> = chunk.lines().collect();
            let check = |line: &_| {
                let checked = checks.check_line(line);
                (usize::try_from(line.number).unwrap_or(usize::MAX), checked)
            };
            (settled(asking, &lines, check), None)
        }
    };
    Done { file, checked, failure }
}

/// Checks documents, asks what only a server can tell, and checks those once more that it was about: an answer may lead
/// to a further question (what is this code called?), which is asked in its turn.
fn settled<D>(
    asking: Option<&Asking>,
    documents: &[D],
    check: impl Fn(&D) -> (usize, Checked),
) -> Vec<(usize, Checked)> {
    let mut all: Vec<_> = documents.iter().map(&check).collect();
    let Some(asking) = asking else { return all };
    for _ in 0..ROUNDS {
        let mut open = Vec::new();
        let mut questions = BTreeSet::new();
        for (place, (_, checked)) in all.iter_mut().enumerate() {
            let asked = std::mem::take(&mut checked.questions);
            if !asked.is_empty() {
                open.push(place);
                questions.extend(asked);
            }
        }
        let questions: Vec<_> = questions.into_iter().collect();
        if !asking.ask(&questions) {
            break;
        }
        for place in open {
            if let (Some(document), Some(checked)) = (documents.get(place), all.get_mut(place)) {
                *checked = check(document);
            }
        }
    }
    all
}
