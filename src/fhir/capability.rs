//! What a CapabilityStatement says that a server can do, parsed and asked.
//!
//! A statement is a claim, not a fact (HAPI lists no `batch` and answers batches; eClinicalWorks hides what it takes by
//! contract): it decides what we try first, never what we believe happened. `vendor::Effective` corrects it.
//!
//! Statements are read as they are found. Repeated interactions and types are laid together (athenahealth), a search
//! parameter that is listed with a modifier is no parameter of its own (MEDITECH: `patient:exact`), names of parameters
//! keep their letters (Epic writes `_lastupdated`), `kind`, `url`, `software` and `publisher` may be missing. What does
//! not have the form of a code is passed over: nothing of a statement's free text gets any further.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{Limits, Value};

use super::resource::is_resource_type;
use super::{Release, Resource};

/// The extension with the addresses of a SMART server (SMART App Launch 1, "Conformance").
const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";

/// The elements that may differ between two fetches of the same statement.
const VOLATILE: [&str; 4] = ["date", "id", "meta", "text"];

/// How large a statement may be: 16 MiB as any resource, but with more values (HAPI's for R5 has 3.4 MB).
pub const LIMITS: Limits = Limits { bytes: Limits::RESOURCE.bytes, ..Limits::BUNDLE };

/// The part of a CapabilityStatement that decides how we talk to the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capability {
    /// The release of `fhirVersion`, where we write it.
    pub release: Option<Release>,
    /// The name of the release of `fhirVersion`, also of one that we do not write: `STU3`.
    pub release_name: Option<&'static str>,
    /// System interactions: `transaction`, `batch`, …
    pub interactions: BTreeSet<String>,
    /// What each type allows.
    pub resources: BTreeMap<String, ResourceCapability>,
    /// How the server wants to be logged in to.
    pub security: Security,
    /// `software.name`: says little (NextGen Office calls itself HAPI) and is never enough to know a vendor by.
    pub software: Option<String>,
    /// `publisher`.
    pub publisher: Option<String>,
    /// `implementation.url`: to suggest a vendor by, never to send anything to.
    pub implementation_url: Option<String>,
}

/// What a server says of one resource type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of the element")]
pub struct ResourceCapability {
    /// `read`, `create`, `update`, `search-type`, …
    pub interactions: BTreeSet<String>,
    /// Search parameters by name.
    pub search_parameters: BTreeSet<String>,
    /// Search parameters that were listed with a modifier: `patient:exact`.
    pub search_modifiers: BTreeSet<String>,
    /// `searchInclude`: what `_include` takes.
    pub search_includes: BTreeSet<String>,
    /// `conditionalCreate`.
    pub conditional_create: bool,
    /// `conditionalUpdate`.
    pub conditional_update: bool,
    /// `conditionalPatch` (R5).
    pub conditional_patch: bool,
    /// Whether `conditionalDelete` is `single` or `multiple`.
    pub conditional_delete: bool,
    /// Whether `conditionalRead` is anything but `not-supported`.
    pub conditional_read: bool,
    /// `updateCreate`.
    pub update_create: bool,
    /// `versioning`; the best, where a type is listed twice.
    pub versioning: Versioning,
    /// `readHistory`: past versions can be read.
    pub read_history: bool,
}

/// Whether a server keeps versions of a type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Versioning {
    /// The statement does not say.
    #[default]
    NotSaid,
    /// `no-version`.
    None,
    /// `versioned`.
    Versioned,
    /// `versioned-update`: an update must name the version that it replaces.
    VersionedUpdate,
}

/// What a statement says about logging in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Codes of `security.service`: `SMART-on-FHIR`, `Basic`, …
    pub services: BTreeSet<String>,
    /// The addresses of the extension `oauth-uris` by name: `token`, `authorize`, … They are what a server says, and no
    /// reason to send anything there.
    pub oauth_uris: BTreeMap<String, String>,
}

/// A resource is no statement of a server's capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAStatement {
    /// It is of another type.
    #[error("not a CapabilityStatement")]
    OtherType,
    /// It has no `rest` of a server: it describes a client, or documents or messages only.
    #[error("the CapabilityStatement describes no server's REST interface")]
    NoServer,
}

/// A server's refusal of an interaction with a type, learned from its answer (ehrs-and-sync.md 3.7); it is believed for
/// a while, and then tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The type, or [`Refusal::SYSTEM`].
    pub resource_type: String,
    /// The interaction, as `CapabilityStatement.rest.resource.interaction` names it.
    pub interaction: String,
    /// The HTTP status of the refusal.
    pub status: u16,
    /// When.
    pub learned_at: jiff::Timestamp,
    /// Until when it is believed.
    pub until: jiff::Timestamp,
}

impl Versioning {
    /// FHIR's code for it; none where nothing is said.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::NotSaid => None,
            Self::None => Some("no-version"),
            Self::Versioned => Some("versioned"),
            Self::VersionedUpdate => Some("versioned-update"),
        }
    }
}

impl Refusal {
    /// Stands for the type where a system interaction was refused: `transaction`, `batch`.
    pub const SYSTEM: &'static str = "system";
    /// How long a refusal is believed.
    pub const HOURS: i64 = 24;

    /// A refusal that is believed for the usual time.
    pub fn new(
        resource_type: &str,
        interaction: &str,
        status: u16,
        learned_at: jiff::Timestamp,
    ) -> Self {
        let until = learned_at.checked_add(jiff::Span::new().hours(Self::HOURS));
        Self {
            resource_type: resource_type.to_owned(),
            interaction: interaction.to_owned(),
            status,
            learned_at,
            until: until.unwrap_or(jiff::Timestamp::MAX),
        }
    }
}

impl Capability {
    /// Reads a statement, and refuses what is none.
    ///
    /// # Errors
    /// [`NotAStatement`]. DSTU2 called the resource Conformance; it is read as well as the shapes agree.
    pub fn parse(statement: &Resource) -> Result<Self, NotAStatement> {
        if !matches!(statement.resource_type(), "CapabilityStatement" | "Conformance") {
            return Err(NotAStatement::OtherType);
        }
        if servers(statement).next().is_none() {
            return Err(NotAStatement::NoServer);
        }
        Ok(Self::from_statement(statement))
    }

    /// Reads a CapabilityStatement; elements that are absent mean "not said", and so "no".
    pub fn from_statement(statement: &Resource) -> Self {
        let version = statement.text("fhirVersion");
        let within = |name: &str, element: &str| {
            statement.get(name).and_then(|value| value.text(element)).map(str::to_owned)
        };
        let mut capability = Self {
            release: version.and_then(Release::from_fhir_version),
            release_name: version.and_then(release_name),
            software: within("software", "name"),
            publisher: statement.text("publisher").map(str::to_owned),
            implementation_url: within("implementation", "url"),
            ..Self::default()
        };
        for rest in servers(statement) {
            capability.interactions.extend(interactions(rest));
            if let Some(security) = rest.get("security") {
                capability.security.add(security);
            }
            for resource in rest.items("resource") {
                let name = resource.text("type").filter(|name| is_resource_type(name));
                let Some(name) = name else { continue };
                capability.resources.entry(name.to_owned()).or_default().add(resource);
            }
        }
        capability
    }

    /// The statement as a text of which a digest can be taken: without what may differ between two fetches (`date`,
    /// `id`, `meta`, `text`), members and items sorted, numbers in one spelling. The order of a statement's lists says
    /// nothing.
    pub fn canonical_text(statement: &Resource) -> String {
        let members = statement.object().iter().filter(|(name, _)| !VOLATILE.contains(name));
        canonical_object(members)
    }

    /// Whether the server lists a system interaction.
    pub fn allows_system(&self, interaction: &str) -> bool {
        self.interactions.contains(interaction)
    }

    /// Whether the server lists an interaction for a type.
    pub fn allows(&self, resource_type: &str, interaction: &str) -> bool {
        self.resources
            .get(resource_type)
            .is_some_and(|known| known.interactions.contains(interaction))
    }

    /// Whether a type can be searched by a parameter, as far as the server says. The letters count: a server that lists
    /// `_lastupdated` is not one that lists `_lastUpdated`.
    pub fn searches(&self, resource_type: &str, parameter: &str) -> bool {
        self.resources
            .get(resource_type)
            .is_some_and(|known| known.search_parameters.contains(parameter))
    }
}

impl ResourceCapability {
    fn add(&mut self, resource: &Value) {
        let flag = |name: &str| resource.get(name).and_then(Value::as_bool) == Some(true);
        self.interactions.extend(interactions(resource));
        let parameters = resource.items("searchParam").filter_map(|parameter| {
            let name = parameter.text("name")?;
            name.split(':').all(is_code).then(|| name.to_owned())
        });
        for name in parameters {
            let names = if name.contains(':') {
                &mut self.search_modifiers
            } else {
                &mut self.search_parameters
            };
            names.insert(name);
        }
        let includes = resource.items("searchInclude").filter_map(Value::as_str);
        let includes =
            includes.filter(|include| *include == "*" || include.split(':').all(is_code));
        self.search_includes.extend(includes.map(str::to_owned));
        self.conditional_create |= flag("conditionalCreate");
        self.conditional_update |= flag("conditionalUpdate");
        self.conditional_patch |= flag("conditionalPatch");
        self.conditional_delete |=
            matches!(resource.text("conditionalDelete"), Some("single" | "multiple"));
        self.conditional_read |=
            resource.text("conditionalRead").is_some_and(|code| code != "not-supported");
        self.update_create |= flag("updateCreate");
        self.read_history |= flag("readHistory");
        let versioning = match resource.text("versioning") {
            Some("no-version") => Versioning::None,
            Some("versioned") => Versioning::Versioned,
            Some("versioned-update") => Versioning::VersionedUpdate,
            _ => Versioning::NotSaid,
        };
        self.versioning = self.versioning.max(versioning);
    }
}

impl Security {
    fn add(&mut self, security: &Value) {
        let codings = security.items("service").flat_map(|service| service.items("coding"));
        let codes = codings.filter_map(|coding| coding.text("code")).filter(|code| is_code(code));
        self.services.extend(codes.map(str::to_owned));
        let smart = security.items("extension").filter(|one| one.text("url") == Some(OAUTH_URIS));
        for address in smart.flat_map(|extension| extension.items("extension")) {
            if let (Some(name), Some(uri)) = (address.text("url"), address.text("valueUri"))
                && is_code(name)
            {
                self.oauth_uris.insert(name.to_owned(), uri.to_owned());
            }
        }
    }
}

/// The `rest` parts of a statement that describe a server.
fn servers(statement: &Resource) -> impl Iterator<Item = &Value> {
    statement.items("rest").filter(|rest| rest.text("mode") != Some("client"))
}

fn interactions(value: &Value) -> impl Iterator<Item = String> {
    let codes = value.items("interaction").filter_map(|item| item.text("code"));
    codes.filter(|code| is_code(code)).map(str::to_owned)
}

/// Whether a text has the form of a code or of a parameter's name.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The name of a release by its `fhirVersion`, also of releases that we do not write.
fn release_name(version: &str) -> Option<&'static str> {
    let mut parts = version.split(['.', '-']);
    match (parts.next()?, parts.next()?) {
        ("1", "0") => Some("DSTU2"),
        ("3", "0") => Some("STU3"),
        ("4", "0") => Some("R4"),
        ("4", "1" | "3") => Some("R4B"),
        ("5", "0") => Some("R5"),
        ("6", "0") => Some("R6"),
        _ => None,
    }
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => number.canonical().as_text().to_owned(),
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(canonical).collect();
            items.sort_unstable();
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => canonical_object(object.iter()),
        other => other.to_text(),
    }
}

fn canonical_object<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let mut members: Vec<String> = members
        .map(|(name, value)| {
            format!("{}:{}", Value::String(name.to_owned()).to_text(), canonical(value))
        })
        .collect();
    members.sort_unstable();
    format!("{{{}}}", members.join(","))
}
