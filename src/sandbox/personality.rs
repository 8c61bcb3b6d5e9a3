//! Vendors' servers to be played: what each declares is data, how each behaves is a [`Behaviour`] and, where content
//! matters, rules of its own.
//!
//! A personality is a default, as its vendor pack is: each hospital configures its own. What it declares stands in
//! `profiles/personalities/`, the numbers that it keeps (codes, limits, rates, MIME types) in the pack, so that nothing is
//! told twice; the rest is here and in `rules`. It never claims a vendor's host: on a loopback address it can't have one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::behaviour::{Behaviour, Ids};
use super::quirk::{Quirks, RetryAfter, Transactions, Unknown, Versions};
use super::surface::Surface;
use crate::vendor::Pack;

/// A server that the sandbox can play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Personality {
    /// Epic.
    Epic,
    /// Oracle Health (Cerner Millennium).
    Oracle,
    /// athenahealth.
    Athena,
    /// eClinicalWorks.
    Ecw,
    /// NextGen Enterprise.
    Nextgen,
    /// NextGen Office.
    NextgenOffice,
    /// Veradigm (Allscripts).
    Veradigm,
    /// MEDITECH.
    Meditech,
    /// HAPI FHIR JPA server.
    Hapi,
    /// Azure Health Data Services.
    Azure,
    /// Google Cloud Healthcare API.
    Google,
    /// AWS HealthLake.
    Healthlake,
    /// Medplum.
    Medplum,
    /// No vendor's: a server that takes documents and nothing else.
    Poor,
}

/// What a personality declares, as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    pack: Option<String>,
    /// The system interactions that its statement lists.
    pub(super) system: Option<BTreeSet<String>>,
    /// What its statement says of itself.
    pub(super) statement: Head,
    types: Option<Surface>,
}

/// What a statement says of its server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) publisher: Option<String>,
    pub(super) software: Option<String>,
    pub(super) version: Option<String>,
    /// The path of the base.
    pub(super) path: Option<String>,
}

macro_rules! declared {
    ($($name:literal),+ $(,)?) => {
        [$(include_str!(concat!("../../profiles/personalities/", $name, ".toml"))),+]
    };
}

/// The files, in the order of [`Personality::ALL`].
const TEXTS: [&str; 14] = declared![
    "epic",
    "oracle",
    "athena",
    "ecw",
    "nextgen",
    "nextgen-office",
    "veradigm",
    "meditech",
    "hapi",
    "azure",
    "google",
    "healthlake",
    "medplum",
    "poor",
];

// A file that can't be read would leave a gap; that none is, a test shows.
static DECLARED: LazyLock<Vec<Option<Declared>>> =
    LazyLock::new(|| TEXTS.iter().map(|text| toml::from_str(text).ok()).collect());

impl Personality {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Epic,
        Self::Oracle,
        Self::Athena,
        Self::Ecw,
        Self::Nextgen,
        Self::NextgenOffice,
        Self::Veradigm,
        Self::Meditech,
        Self::Hapi,
        Self::Azure,
        Self::Google,
        Self::Healthlake,
        Self::Medplum,
        Self::Poor,
    ];

    /// A personality by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Its name: `epic`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Epic => "epic",
            Self::Oracle => "oracle",
            Self::Athena => "athena",
            Self::Ecw => "ecw",
            Self::Nextgen => "nextgen",
            Self::NextgenOffice => "nextgen-office",
            Self::Veradigm => "veradigm",
            Self::Meditech => "meditech",
            Self::Hapi => "hapi",
            Self::Azure => "azure",
            Self::Google => "google",
            Self::Healthlake => "healthlake",
            Self::Medplum => "medplum",
            Self::Poor => "poor",
        }
    }

    /// The vendor pack that fits it; none for [`Personality::Poor`].
    pub fn pack(self) -> Option<&'static Pack> {
        Pack::named(self.declared()?.pack.as_deref()?)
    }

    pub(super) fn declared(self) -> Option<&'static Declared> {
        DECLARED.get(self as usize)?.as_ref()
    }

    /// The path of the base URL, where the vendor is known by it.
    pub(super) fn path(self) -> Option<&'static str> {
        self.declared()?.statement.path.as_deref()
    }
}

impl Behaviour {
    /// The behaviour of a personality. A test may go on from it: a server that learns a type is
    /// `behaviour.surface.as_mut()` and [`Surface::learn`].
    pub fn of(personality: Personality) -> Self {
        let declared = personality.declared();
        let system = declared.and_then(|declared| declared.system.as_ref());
        let surface = declared.and_then(|declared| declared.types.clone());
        let is_hospital = surface.is_some();
        let own = quirks(personality);
        let without_versions = is_hospital && personality != Personality::Oracle;
        Self {
            personality: Some(personality),
            transactions: system.is_none_or(|listed| listed.contains("transaction")),
            batches: !is_hospital || system.is_some_and(|listed| listed.contains("batch")),
            conditional_create: !is_hospital,
            // A client that may not create what a reference leads to can't be asked for it; the rules check what matters.
            referential_integrity: !is_hospital,
            update_create: !is_hospital && personality != Personality::Google,
            ids: if personality == Personality::Hapi { Ids::Counting } else { Ids::Random },
            surface,
            quirks: Quirks {
                versions: if without_versions { Versions::Untold } else { own.versions },
                ignores_if_match: without_versions,
                ..own
            },
            ..Self::default()
        }
    }
}

/// Where a personality leaves the specification.
fn quirks(personality: Personality) -> Quirks {
    let page_size = || {
        let limits = &personality.pack()?.limits;
        usize::try_from(limits.page_size.as_ref()?.value).ok()
    };
    let none = Quirks::default();
    match personality {
        Personality::Epic => Quirks { relative_place: true, writes_answer_empty: true, ..none },
        Personality::Oracle => {
            Quirks { writes_answer_empty: true, refuses_accept_empty: true, ..none }
        }
        // Pages are short, so that a handful of resources has several.
        Personality::Athena => {
            Quirks { page_parameter: Some("cursor"), longest_page: Some(10), ..none }
        }
        Personality::Meditech => {
            Quirks { page_parameter: Some("continue"), longest_page: Some(10), ..none }
        }
        Personality::Ecw => Quirks { retry_after: RetryAfter::Nothing, ..none },
        Personality::Hapi => Quirks {
            conflict: 409,
            ignores_if_match_without_id: true,
            update_tells_no_place: true,
            bare_entry_tags: true,
            unknown_parameters: Unknown::Refused,
            caches_searches: true,
            longest_page: page_size(),
            ..none
        },
        Personality::Azure => Quirks { retry_after: RetryAfter::Milliseconds, ..none },
        Personality::Medplum => Quirks {
            versions: Versions::Uuids,
            transactions: Transactions::Partial,
            max_conditional_entries: personality
                .pack()
                .and_then(|pack| Some(pack.limits.max_conditional_entries.as_ref()?.value)),
            forgets_deletions: true,
            gives_no_links: true,
            bare_entry_tags: true,
            update_creates_with_200: true,
            unknown_parameters: Unknown::Empty,
            ..none
        },
        _ => none,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_personality_can_be_read_and_has_its_name() {
        for (index, personality) in Personality::ALL.into_iter().enumerate() {
            assert_eq!(personality as usize, index);
            let read: Result<Declared, _> = toml::from_str(TEXTS[index]);
            assert!(read.is_ok(), "{}: {read:?}", personality.name());
            assert_eq!(Personality::named(personality.name()), Some(personality));
            assert_eq!(personality.pack().is_none(), personality == Personality::Poor);
        }
    }
}
