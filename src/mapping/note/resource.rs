//! An edition of a note as a DocumentReference: built as US Core 9 "Writing Clinical Notes" has it, and bent to what
//! an EHR takes.

use jiff::Timestamp;

use super::{Edition, Error, MediaType, Note, Subject, bytes};
use crate::fhir::Resource;
use crate::fhir::base64::{self, Alphabet};
use crate::json::Object;
use crate::mapping::code::{coding, concept, system};
use crate::mapping::identity::{ITEM_SYSTEM, urn};
use crate::mapping::narrative::Narrative;
use crate::object;

/// The category of US Core's clinical notes.
const CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";

/// Whether a note is to be signed in the EHR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocStatus {
    /// Somebody signs it in the EHR.
    Preliminary,
    /// It is signed.
    Final,
}

impl DocStatus {
    /// FHIR's code (R4 composition-status).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Preliminary => "preliminary",
            Self::Final => "final",
        }
    }
}

/// How an EHR wants its DocumentReferences. The default is US Core 9 "Writing Clinical Notes".
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an element that an EHR takes or not")]
pub struct Shape {
    /// What the attachment is.
    pub media_type: MediaType,
    /// What it is where the media type does not hold the note: too long for it, or a character that a PDF can't show.
    pub fallback: Option<MediaType>,
    /// Whether the content type of a text names its character set, which is UTF-8.
    pub names_charset: bool,
    /// `docStatus`; none leaves it out. The note of a draft is `preliminary` at most, one recorded by mistake
    /// `entered-in-error`.
    pub doc_status: Option<DocStatus>,
    /// Whether our identifier stands in it.
    pub identifier: bool,
    /// Whether `relatesTo` names the edition that it replaces.
    pub relates_to: bool,
    /// Whether `context.period` must have an end with a time.
    pub period_end: bool,
    /// Whether US Core's category `clinical-note` stands in it.
    pub category: bool,
    /// LOINC type of the plan's note.
    pub plan_type: String,
    /// LOINC type of a session's note.
    pub session_type: String,
    /// LOINC type of the note of a session in a group; that of any session where there is none.
    pub group_type: Option<String>,
    /// How many characters a text may have.
    pub characters: Option<u32>,
    /// How many bytes an attachment may have before it is written in base64.
    pub bytes: Option<u64>,
    /// Whether the note opens with which one it replaces, for an EHR that keeps both and links neither.
    pub announces_predecessor: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            media_type: MediaType::Text,
            fallback: None,
            names_charset: true,
            doc_status: Some(DocStatus::Final),
            identifier: true,
            relates_to: true,
            period_end: false,
            category: true,
            plan_type: "56447-6".to_owned(),
            session_type: "34904-3".to_owned(),
            group_type: Some("34787-2".to_owned()),
            characters: None,
            bytes: None,
            announces_predecessor: false,
        }
    }
}

/// LOINC's own words for the types that we know; another code goes without, for a display must be that of its code.
fn loinc(code: &str) -> Object {
    match code {
        "56447-6" => coding(system::LOINC, code, "Plan of care note"),
        "34904-3" => coding(system::LOINC, code, "Mental health Progress note"),
        "34787-2" => coding(system::LOINC, code, "Mental health Group counseling note"),
        "11506-3" => coding(system::LOINC, code, "Progress note"),
        _ => object! { "system" => system::LOINC, "code" => code },
    }
}

/// A moment without fractions of a second: FHIR's instant.
fn instant(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}

impl Note {
    /// An edition as a DocumentReference. References are `urn:uuid:` of our items; who sends it points them at what
    /// the EHR has.
    ///
    /// # Errors
    /// [`Error`] if neither the shape's media type nor its fallback holds the note; it is the first one's.
    pub fn resource(&self, edition: &Edition, shape: &Shape) -> Result<Resource, Error> {
        let first = self.attachment(edition, shape, shape.media_type);
        let attachment = match (first, shape.fallback) {
            (Ok(attachment), _) => attachment,
            (Err(error), None) => return Err(error),
            (Err(error), Some(other)) => {
                self.attachment(edition, shape, other).map_err(|_| error)?
            }
        };
        let frame = &self.frame;
        let item = edition.item.to_string();
        let identifier = object! { "system" => ITEM_SYSTEM, "value" => item };
        let category = object! {
            "system" => CATEGORY, "code" => "clinical-note", "display" => "Clinical Note",
        };
        let replaced = edition.replaces.filter(|_| shape.relates_to);
        let relates_to = replaced.map(|before| {
            let target = urn(before.item);
            vec![object! { "code" => "replaces", "target" => object! { "reference" => target } }]
        });
        let labels = &frame.labels;
        let of_document: Vec<Object> = labels.iter().cloned().map(concept).collect();
        let narrative = match self.subject {
            Subject::Plan => "The therapy plan as a note",
            Subject::Session { .. } => "The note of a session",
        };
        let told = Narrative::line(narrative).into_element(self.document.language.as_deref());
        Ok(Resource::new("DocumentReference").with(object! {
            "meta" => object! { "security" => labels.clone() },
            "language" => self.document.language.as_ref(),
            "text" => told,
            "identifier" => shape.identifier.then(|| vec![identifier]),
            "status" => if self.is_in_error { "entered-in-error" } else { "current" },
            "docStatus" => self.doc_status(shape),
            "type" => concept(loinc(self.loinc_type(shape))),
            "category" => shape.category.then(|| vec![concept(category)]),
            "subject" => object! { "reference" => urn(frame.client), "type" => "Patient" },
            "date" => instant(edition.date),
            "author" => vec![object! {
                "reference" => urn(frame.therapist),
                "type" => "Practitioner",
                "display" => &frame.therapist_name,
            }],
            "relatesTo" => relates_to,
            "securityLabel" => of_document,
            "content" => vec![object! { "attachment" => attachment }],
            "context" => object! {
                "encounter" => frame.encounter.map(|encounter| {
                    vec![object! { "reference" => urn(encounter), "type" => "Encounter" }]
                }),
                "period" => self.period(edition, shape),
            },
        }))
    }

    fn doc_status(&self, shape: &Shape) -> Option<&'static str> {
        let given = shape.doc_status?;
        Some(match given {
            _ if self.is_in_error => "entered-in-error",
            DocStatus::Final if self.frame.is_draft => DocStatus::Preliminary.code(),
            given => given.code(),
        })
    }

    fn loinc_type<'a>(&self, shape: &'a Shape) -> &'a str {
        match self.subject {
            Subject::Plan => &shape.plan_type,
            Subject::Session { .. } => {
                let group = shape.group_type.as_ref().filter(|_| self.frame.is_group);
                group.unwrap_or(&shape.session_type)
            }
        }
    }

    /// When what the note tells of took place. Where an end is required and the record has none, it is the begin of
    /// the session, or for the plan the moment in which the edition was made: none is made up.
    fn period(&self, edition: &Edition, shape: &Shape) -> Option<Object> {
        let frame = &self.frame;
        let required = || {
            let moment = match (self.subject, frame.moment) {
                (Subject::Session { .. }, Some(start)) => start,
                // A plan may be dated ahead, and no period ends before it begins (per-1).
                (_, start) => start.map_or(edition.date, |start| start.max(edition.date)),
            };
            shape.period_end.then(|| instant(moment))
        };
        let end = frame.end.clone().or_else(required);
        // A day is not known to begin before a moment in it (per-1), so beside an end a day alone is left to the words.
        let is_moment = |start: &&String| start.contains('T') || end.is_none();
        let start = frame.start.as_ref().filter(is_moment);
        if start.is_none() && end.is_none() {
            return None;
        }
        Some(object! { "start" => start, "end" => end.as_ref() })
    }

    /// The note in a media type, as far as the shape takes it.
    fn attachment(
        &self,
        edition: &Edition,
        shape: &Shape,
        media_type: MediaType,
    ) -> Result<Object, Error> {
        let document = self.edited(edition, shape.announces_predecessor);
        let bytes = bytes(&document, media_type)?;
        let has = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(most) = shape.bytes.filter(|most| has > *most) {
            return Err(Error::TooManyBytes { has, most });
        }
        let is_text = media_type != MediaType::Pdf;
        if let Some(most) = shape.characters.filter(|_| is_text) {
            // A byte that continues a character of UTF-8 begins with the bits 10.
            let characters = bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
            let has = u64::try_from(characters).unwrap_or(u64::MAX);
            if has > u64::from(most) {
                return Err(Error::TooManyCharacters { has, most });
            }
        }
        let name = media_type.name();
        let content_type = if is_text && shape.names_charset {
            format!("{name}; charset=utf-8")
        } else {
            name.to_owned()
        };
        Ok(object! {
            "contentType" => content_type,
            "language" => self.document.language.as_ref(),
            "data" => base64::encode(&bytes, Alphabet::Standard),
            "title" => &self.document.title,
            "creation" => instant(edition.date),
        })
    }
}
