//! The packs that the program carries.

use std::sync::LazyLock;

use super::pack::Pack;

macro_rules! packs {
    ($($name:literal),+ $(,)?) => {
        [$(include_str!(concat!("../../profiles/vendors/", $name, ".toml"))),+]
    };
}

/// The texts, by name of pack.
const TEXTS: [&str; 13] = packs![
    "athenahealth",
    "azure",
    "eclinicalworks",
    "epic",
    "google",
    "hapi",
    "healthlake",
    "medplum",
    "meditech",
    "nextgen-enterprise",
    "nextgen-office",
    "oracle-health",
    "veradigm",
];

// A pack that can't be read is left out; that none is, a test shows.
static PACKS: LazyLock<Vec<Pack>> =
    LazyLock::new(|| TEXTS.iter().filter_map(|text| Pack::parse(text).ok()).collect());

impl Pack {
    /// All packs, by name.
    pub fn all() -> &'static [Self] {
        &PACKS
    }

    /// A pack by its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|pack| pack.name == name)
    }

    /// The names of all packs, for a list of what can be chosen.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::all().iter().map(|pack| pack.name.as_str())
    }

    /// The texts as the program carries them.
    pub const fn texts() -> &'static [&'static str] {
        &TEXTS
    }
}
