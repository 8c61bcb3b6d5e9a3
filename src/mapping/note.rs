//! Notes: a plan and its sessions as documents for EHRs that take no structure (ehrs-and-sync 1.5, 1.6).
//!
//! A [`Note`] is a place in a chart, its slot, with what is to stand there now. Each time that what it says changes,
//! an [`Edition`] of it is written: a text, a page or a PDF in a DocumentReference, which names the slot, the number
//! and the digest of its text in its footer, for most EHRs find no document by its identifier. How an EHR wants its
//! DocumentReferences is a [`Shape`].
//!
//! The policy is applied here, before a word is written. It refuses to cut: a note that is too long, or that a PDF
//! can't show, is an error with a code, and never less than the record says.

mod footer;
mod resource;

use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::date::{Instant, PartialDate};
use crate::document::{self, Block, Document, Field};
use crate::ipt::{Format, Plan, PlanStatus, Session, SessionStatus};
use crate::json::Object;
use crate::mapping::identity::{Identity, derived};
use crate::mapping::readable::{self, Extent};
use crate::mapping::{Options, label, policy};

pub use footer::{FooterReference, edition_item, footer_reference};
pub use resource::{DocStatus, Shape};

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The plan.
    Plan,
    /// A session.
    Session {
        /// The item of the session's Encounter, whether the mapping writes one or not: what a link to the EHR's own
        /// Encounter is kept under.
        encounter: Uuid,
    },
}

/// A form in which a note is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// Plain text in UTF-8.
    Text,
    /// An HTML page in UTF-8.
    Html,
    /// A tagged PDF.
    Pdf,
}

impl MediaType {
    /// Its name, without parameters (RFC 6838).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text/plain",
            Self::Html => "text/html",
            Self::Pdf => "application/pdf",
        }
    }
}

/// A version of a note in a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// Its item: [`edition_item`] of its number, or that of the edition which it replaces in place.
    pub item: Uuid,
    /// Counts up from 1.
    pub number: u32,
    /// When it was made.
    pub date: Timestamp,
    /// The edition beside which it stands and whose place it takes; none for the first, and for one that is written over
    /// the one before.
    pub replaces: Option<Predecessor>,
}

/// An edition that another one replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predecessor {
    /// Its item.
    pub item: Uuid,
    /// When it was made.
    pub date: Timestamp,
}

impl Edition {
    /// The first edition of a note in a slot.
    pub const fn first(slot: Uuid, date: Timestamp) -> Self {
        Self { item: slot, number: 1, date, replaces: None }
    }
}

/// A note that belongs into a chart.
#[derive(Clone)]
pub struct Note {
    /// Its place: the same for all editions, on every machine.
    pub slot: Uuid,
    /// What it is about.
    pub subject: Subject,
    /// Whether plan or session was recorded by mistake: such a note is never filed anew. It is here so that one that
    /// is in a chart can be taken back (`status` is `entered-in-error`).
    pub is_in_error: bool,
    document: Document,
    frame: Frame,
}

/// What the DocumentReference tells beside the document.
#[derive(Clone)]
struct Frame {
    labels: Vec<Object>,
    client: Uuid,
    therapist: Uuid,
    therapist_name: String,
    encounter: Option<Uuid>,
    is_draft: bool,
    is_group: bool,
    /// When what it tells of began, as the record says it.
    start: Option<String>,
    /// The same as a moment; a day begins at midnight UTC. A plan without a date has that of its latest session.
    moment: Option<Timestamp>,
    end: Option<String>,
}

/// Why a note can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The PDF can't be made.
    #[error(transparent)]
    Document(#[from] document::Error),
    /// The text has more characters than the EHR takes.
    #[error("the note has {has} characters, and the EHR takes {most}")]
    TooManyCharacters {
        /// How many it has.
        has: u64,
        /// How many the EHR takes.
        most: u32,
    },
    /// The attachment has more bytes than the EHR takes.
    #[error("the note has {has} bytes, and the EHR takes {most}")]
    TooManyBytes {
        /// How many it has.
        has: u64,
        /// How many the EHR takes.
        most: u64,
    },
}

impl Error {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Document(document::Error::Character(_)) => "ipt-note-character",
            Self::Document(document::Error::NoPdf) => "ipt-note-no-pdf",
            Self::Document(document::Error::Pdf(_)) => "ipt-note-pdf",
            Self::TooManyCharacters { .. } | Self::TooManyBytes { .. } => "ipt-note-too-long",
        }
    }
}

/// The notes of a plan, as the policy leaves it: of the plan itself, then of each session that took place or that the
/// client missed, and of each that was recorded by mistake.
pub fn notes(plan: &Plan, options: &Options) -> Vec<Note> {
    let (plan, _) = policy::filter(plan, &options.policy);
    let identity = Identity::new(&plan.id, options.namespace);
    let held = |session: &&Session| {
        matches!(session.status, SessionStatus::Completed | SessionStatus::InProgress)
    };
    let order =
        |session: &&Session| (session.start.as_ref().and_then(Instant::timestamp), session.number);
    let first = plan.sessions.iter().filter(held).min_by_key(order);
    let date = plan.date.as_ref();
    let made = date
        .and_then(PartialDate::first_day)
        .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp()));
    let latest =
        plan.sessions.iter().filter_map(|session| session.start.as_ref()?.timestamp()).max();
    let of_plan = Note {
        slot: identity.item(derived::NOTE),
        subject: Subject::Plan,
        is_in_error: plan.status == PlanStatus::EnteredInError,
        document: readable::plan(&plan, Extent::Note),
        frame: Frame {
            encounter: first.map(|session| identity.item(&session.id)),
            start: date.map(|date| date.as_str().to_owned()),
            moment: made.or(latest),
            ..frame(&plan, options, &identity, derived::NOTE)
        },
    };
    let sessions = plan.sessions.iter().filter(|session| readable::has_note(session.status));
    let of_sessions = sessions.map(|session| of_session(&plan, session, options, &identity));
    std::iter::once(of_plan).chain(of_sessions).collect()
}

/// What the frames of all notes of a plan share.
fn frame(plan: &Plan, options: &Options, identity: &Identity, local: &str) -> Frame {
    Frame {
        labels: label::labels(plan, options, "DocumentReference", local),
        client: identity.item(&plan.client.id),
        therapist: identity.item(&plan.therapist.id),
        therapist_name: plan.therapist.name.text.clone(),
        encounter: None,
        is_draft: plan.status == PlanStatus::Draft,
        is_group: false,
        start: None,
        moment: None,
        end: None,
    }
}

fn of_session(plan: &Plan, session: &Session, options: &Options, identity: &Identity) -> Note {
    let encounter = identity.item(&session.id);
    let local = format!("{}/{}", session.id, derived::NOTE);
    let moment = session.start.as_ref().and_then(Instant::timestamp);
    let minutes = session.length_minutes.map(i64::from);
    let computed = || {
        let length = jiff::SignedDuration::from_mins(minutes?);
        moment?.checked_add(length).ok().map(|end| end.to_string())
    };
    let end = session.end.as_ref().map(|end| end.as_str().to_owned()).or_else(computed);
    let in_error = session.status == SessionStatus::EnteredInError;
    Note {
        slot: identity.item(&local),
        subject: Subject::Session { encounter },
        is_in_error: in_error || plan.status == PlanStatus::EnteredInError,
        document: readable::session(plan, session),
        frame: Frame {
            encounter: Some(encounter),
            // What happened in a session is no draft because the plan is one.
            is_draft: false,
            is_group: session.format.or(plan.structure.format) == Some(Format::Group),
            start: session.start.as_ref().map(|start| start.as_str().to_owned()),
            moment,
            end,
            ..frame(plan, options, identity, &local)
        },
    }
}

impl Note {
    /// The item of the Encounter that the note belongs to: the session's own, the first held session's for the plan.
    pub const fn encounter(&self) -> Option<Uuid> {
        self.frame.encounter
    }

    /// How sensitive it is: its security labels.
    pub fn labels(&self) -> &[Object] {
        &self.frame.labels
    }

    /// The moment that the record gives it: a session's begin, a plan's date or else its latest session's begin.
    pub const fn date(&self) -> Option<Timestamp> {
        self.frame.moment
    }

    /// What an edition says, as 12 hexadecimal digits: the begin of the SHA-256 of its text/plain rendering without
    /// its footer and without the sentence on what it replaces, which is about the chart and not about the record.
    pub fn digest(&self, edition: &Edition) -> String {
        let text = self.versioned(edition).to_text();
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(6).fold(String::with_capacity(12), |mut hex, byte| {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// An edition as bytes of a media type; it opens with what it replaces, if anything.
    ///
    /// # Errors
    /// [`Error::Document`] if a PDF can't be made of it.
    pub fn render(&self, edition: &Edition, media_type: MediaType) -> Result<Vec<u8>, Error> {
        bytes(&self.edited(edition, true), media_type)
    }

    /// The document with its version.
    fn versioned(&self, edition: &Edition) -> Document {
        let mut document = self.document.clone();
        let text = format!("{} ({})", edition.number, day(edition.date));
        let field = Field { label: "Version".to_owned(), text };
        match document.blocks.first_mut() {
            Some(Block::Fields(fields)) => fields.push(field),
            _ => document.blocks.insert(0, Block::Fields(vec![field])),
        }
        document
    }

    /// The document as it is filed: with its version, its footer, and what it replaces.
    fn edited(&self, edition: &Edition, announces_predecessor: bool) -> Document {
        let reference = FooterReference {
            slot: self.slot,
            number: edition.number,
            digest: self.digest(edition),
        };
        let replaces = edition.replaces.map(|before| before.date).filter(|_| announces_predecessor);
        Document {
            opening: replaces.map(|date| format!("Replaces the note of {}.", day(date))),
            footer: Some(reference.to_string()),
            date: Some(edition.date),
            ..self.versioned(edition)
        }
    }
}

/// The day of a moment, in UTC.
fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

fn bytes(document: &Document, media_type: MediaType) -> Result<Vec<u8>, Error> {
    Ok(match media_type {
        MediaType::Text => document.to_text().into_bytes(),
        MediaType::Html => document.to_html().into_bytes(),
        MediaType::Pdf => document.to_pdf()?,
    })
}

/// A note is a person's; its `Debug` says nothing of it.
impl std::fmt::Debug for Note {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Note {} [phi]", self.slot)
    }
}
