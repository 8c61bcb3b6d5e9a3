//! Hand-off: the record as a package that a person carries into an EHR which takes nothing by itself.
//!
//! A package is a FHIR document (R4 3.3: a Bundle whose first entry is a Composition), readable documents that the caller
//! gives, and a manifest by which whoever receives it can tell that it is whole. The manifest and the names of the files
//! say nothing of a person; all else does.
//!
//! What is left out is not referred to: a reference to a resource that is not in the document becomes our opaque
//! identifier of it, which leads nowhere and says nothing.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::fhir::{Bundle, Entry, Resource};
use crate::ipt::{Plan, PlanStatus};
use crate::json::{Object, Value};
use crate::mapping::chart::local_part;
use crate::mapping::code::{coding, concept, system};
use crate::mapping::identity::{ITEM_SYSTEM, Identity, urn};
use crate::mapping::narrative::Narrative;
use crate::mapping::note::{self, Edition, MediaType, Note, Subject, edition_item};
use crate::mapping::policy::Section;
use crate::mapping::writer::MappedResource;
use crate::mapping::{Options, high_water_mark, to_fhir};
use crate::object;

/// The local name of what is handed off of a plan.
pub const SLOT: &str = "@hand-off";
/// The name of the manifest in a package.
pub const MANIFEST: &str = "manifest.json";
/// What the manifest says that it is.
pub const SCHEMA: &str = "ipt-fhir-hand-off/1";

const DOCUMENT: &str = "bundle.json";

/// A file of a package.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Its name: small letters, digits, `-` and `.`; opaque.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = self.bytes.len();
        formatter
            .debug_struct("File")
            .field("name", &self.name)
            .field("length", &length)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Contents").field("slot", &self.slot).finish_non_exhaustive()
    }
}

/// A given file can't be part of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Its name has another form.
    #[error("the name of a file in a package is made of small letters, digits, `-` and `.`")]
    Name,
    /// Two files have one name, or it is one of the package's own.
    #[error("two files of a package have one name")]
    Twice,
}

/// What is to be handed off of a record, before it is known which edition it is. `Debug` tells its slot only.
#[derive(Clone)]
pub struct Contents {
    slot: Uuid,
    status: &'static str,
    title: String,
    language: Option<String>,
    resources: Vec<(Part, MappedResource)>,
    kinds: Vec<&'static str>,
    withheld: Vec<Section>,
}

/// Which edition of a slot a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// The edition, from 1.
    pub number: u32,
    /// When the package was made.
    pub at: jiff::Timestamp,
}

/// The sections of the document, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Person,
    Plan,
    Diagnoses,
    Goals,
    Sessions,
    Scores,
}

impl Part {
    const SECTIONS: [(Self, &'static str); 5] = [
        (Self::Plan, "Plan"),
        (Self::Diagnoses, "Diagnoses"),
        (Self::Goals, "Goals"),
        (Self::Sessions, "Sessions"),
        (Self::Scores, "Scores"),
    ];

    /// The section of a resource, by its type and whose it is in the record.
    fn of(plan: &Plan, resource: &Resource) -> Self {
        match resource.resource_type() {
            "Patient" | "Practitioner" => return Self::Person,
            "Condition" => return Self::Diagnoses,
            "Goal" => return Self::Goals,
            _ => {}
        }
        let local = local_part(resource, &plan.id).unwrap_or_default();
        let (first, rest) = local.split_once('/').unwrap_or((local, ""));
        let Some(session) = plan.sessions.iter().find(|session| session.id == first) else {
            return Self::Plan;
        };
        let second = rest.split('/').next().unwrap_or_default();
        if session.scores.iter().any(|score| score.id == second) {
            Self::Scores
        } else {
            Self::Sessions
        }
    }
}

impl Contents {
    /// What is handed off of a record: the resources that `includes` says yes to, as the policy left them, and the people
    /// whom they need. `kinds` are the names of what they are, for the manifest.
    pub fn of(
        plan: &Plan,
        options: &Options,
        kinds: &[&'static str],
        includes: impl Fn(&MappedResource) -> bool,
    ) -> Self {
        let mapped = to_fhir(plan, options);
        let mut resources: Vec<(Part, MappedResource)> = mapped
            .resources
            .into_iter()
            .map(|mapped| (Part::of(plan, &mapped.resource), mapped))
            .filter(|(part, mapped)| *part == Part::Person || includes(mapped))
            .collect();
        let here: BTreeSet<Uuid> = resources.iter().map(|(_, mapped)| mapped.item).collect();
        for (_, mapped) in &mut resources {
            let mut tree = mapped.resource.to_value();
            cut(&mut tree, &here);
            // A resource stays one when its references change.
            if let Ok(resource) = Resource::from_value(tree) {
                mapped.resource = resource;
            }
        }
        let withheld: BTreeSet<Section> = mapped.withheld.iter().map(|part| part.section).collect();
        Self {
            slot: Identity::new(&plan.id, options.namespace).item(SLOT),
            status: match plan.status {
                PlanStatus::Draft => "preliminary",
                PlanStatus::EnteredInError => "entered-in-error",
                _ => "final",
            },
            title: plan.title.clone(),
            language: plan.language.clone(),
            resources,
            kinds: kinds.to_vec(),
            withheld: withheld.into_iter().collect(),
        }
    }

    /// The item that stands for what is handed off of the record.
    pub const fn slot(&self) -> Uuid {
        self.slot
    }

    /// What it holds, in a text of which a digest can be taken: the same for every edition and moment.
    pub fn canonical_text(&self) -> String {
        let mut text =
            format!("{SCHEMA} {} {}\n{}\n", self.slot, self.status, self.kinds.join(" "));
        for (_, mapped) in &self.resources {
            text.push_str(&mapped.resource.to_text());
            text.push('\n');
        }
        text
    }

    /// The FHIR document.
    pub fn document(&self, made: &Made) -> Resource {
        let edition = edition_item(self.slot, made.number);
        let own = |item: Uuid| object! { "system" => ITEM_SYSTEM, "value" => item.to_string() };
        let person = |resource_type: &str| {
            let found = self.resources.iter().find(|(part, mapped)| {
                *part == Part::Person && mapped.resource.resource_type() == resource_type
            });
            found.map(|(_, mapped)| object! { "reference" => urn(mapped.item) })
        };
        let before = made.number.checked_sub(1).filter(|number| *number > 0);
        let replaces = before.map(|number| {
            vec![object! {
                "code" => "replaces",
                "targetIdentifier" => own(edition_item(self.slot, number)),
            }]
        });
        let composition = Resource::new("Composition").with(object! {
            "language" => self.language.as_ref(),
            "text" => Narrative::line(&self.title).into_element(self.language.as_deref()),
            "identifier" => own(edition),
            "status" => self.status,
            "type" => concept(coding(system::LOINC, "56447-6", "Plan of care note")),
            "subject" => person("Patient"),
            "date" => made.at.to_string(),
            "author" => vec![person("Practitioner")],
            "title" => &self.title,
            "relatesTo" => replaces,
            "section" => self.sections(),
        });
        let mapped = self.resources.iter().map(|(_, mapped)| mapped);
        let security = high_water_mark(mapped.clone());
        let entry = |item: Uuid, resource: Resource| Entry {
            full_url: Some(urn(item)),
            resource: Some(resource),
            ..Entry::default()
        };
        let entries = std::iter::once(entry(edition, composition))
            .chain(mapped.map(|mapped| entry(mapped.item, mapped.resource.clone())))
            .collect();
        let bundle = Bundle::new("document", entries).into_resource();
        Resource::new("Bundle")
            .with(object! {
                "meta" => object! { "security" => security },
                "identifier" => own(edition),
            })
            .with(bundle.object().clone())
            .with(object! { "timestamp" => made.at.to_string() })
    }

    fn sections(&self) -> Vec<Object> {
        let mut sections = Vec::new();
        for (part, title) in Part::SECTIONS {
            let members = || {
                self.resources.iter().filter(move |(of, _)| *of == part).map(|(_, mapped)| mapped)
            };
            let entries: Vec<Object> =
                members().map(|mapped| object! { "reference" => urn(mapped.item) }).collect();
            if entries.is_empty() {
                continue;
            }
            let bodies: String = members().filter_map(|mapped| body(&mapped.resource)).collect();
            let told = Narrative::of_body(bodies).into_element(self.language.as_deref());
            sections.push(object! { "title" => title, "text" => told, "entry" => entries });
        }
        sections
    }

    /// The files of the package: the document, those given, and the manifest last.
    ///
    /// # Errors
    /// [`Error`] if a given file has no name that can stand there.
    pub fn package(
        &self,
        made: &Made,
        documents: Vec<File>,
        sha256: impl Fn(&[u8]) -> String,
    ) -> Result<Vec<File>, Error> {
        let document = self.document(made).to_value().to_pretty().into_bytes();
        let media_type = "application/fhir+json".to_owned();
        let mut files = vec![File { name: DOCUMENT.to_owned(), media_type, bytes: document }];
        files.extend(documents);
        let mut names = BTreeSet::from([MANIFEST]);
        for file in &files {
            if !is_name(&file.name) {
                return Err(Error::Name);
            }
            if !names.insert(&file.name) {
                return Err(Error::Twice);
            }
        }
        let before = made.number.checked_sub(1).filter(|number| *number > 0);
        let listed: Vec<Object> = files
            .iter()
            .map(|file| {
                object! {
                    "name" => &file.name,
                    "mediaType" => &file.media_type,
                    "size" => u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
                    "sha256" => sha256(&file.bytes),
                }
            })
            .collect();
        let manifest = object! {
            "schema" => SCHEMA,
            "madeBy" => concat!("ipt-fhir ", env!("CARGO_PKG_VERSION")),
            "madeAt" => made.at.to_string(),
            "package" => edition_item(self.slot, made.number).to_string(),
            "edition" => made.number,
            "replaces" => before.map(|number| edition_item(self.slot, number).to_string()),
            "content" => sha256(self.canonical_text().as_bytes()),
            "kinds" => self.kinds.clone(),
            "withheld" => self.withheld.iter().map(|section| section.code()).collect::<Vec<_>>(),
            "files" => listed,
        };
        let bytes = Value::Object(manifest).to_pretty().into_bytes();
        let media_type = "application/json".to_owned();
        files.push(File { name: MANIFEST.to_owned(), media_type, bytes });
        Ok(files)
    }
}

/// The plan and each session as documents to be read and printed: a PDF each, or a page where a PDF can't show a
/// character of it.
pub fn documents(plan: &Plan, options: &Options, made: &Made) -> Vec<File> {
    let document = |note: &Note| {
        let edition =
            Edition { item: note.slot, number: made.number, date: made.at, replaces: None };
        let forms = [(MediaType::Pdf, "pdf"), (MediaType::Html, "html")];
        let (media_type, ending, bytes) = forms.into_iter().find_map(|(media_type, ending)| {
            Some((media_type, ending, note.render(&edition, media_type).ok()?))
        })?;
        let name = match note.subject {
            Subject::Plan => format!("plan.{ending}"),
            Subject::Session { .. } => format!("session-{}.{ending}", note.slot),
        };
        Some(File { name, media_type: media_type.name().to_owned(), bytes })
    };
    note::notes(plan, options)
        .iter()
        .filter(|note| !note.is_in_error)
        .filter_map(document)
        .collect()
}

/// Whether a text can be the name of a file anywhere and hides nothing.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
    };
    (1..=80).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(is_plain)
}

/// What stands in the `div` of a resource's narrative.
fn body(resource: &Resource) -> Option<&str> {
    let div = resource.get("text")?.text("div")?;
    div.strip_suffix("</div>")?.split_once('>').map(|(_, body)| body)
}

/// Turns references to what is not here into identifiers.
fn cut(value: &mut Value, here: &BTreeSet<Uuid>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, here)),
        Value::Object(object) => {
            let target = object.get("reference").and_then(Value::as_str);
            let target = target.and_then(|text| text.strip_prefix("urn:uuid:"));
            let target: Option<Uuid> = target.and_then(|text| text.parse().ok());
            if let Some(target) = target.filter(|target| !here.contains(target)) {
                object.remove("reference");
                let own = object! { "system" => ITEM_SYSTEM, "value" => target.to_string() };
                object.put("identifier", own);
            }
            object.iter_mut().for_each(|(_, value)| cut(value, here));
        }
        _ => {}
    }
}
