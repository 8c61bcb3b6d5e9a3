//! How this server behaves: what real servers differ in.
//!
//! Every request passes one [`Behaviour`] value; what it allows is what the CapabilityStatement says. A
//! [`Personality`] is another value of it, and so is a server that learned something since.

use super::personality::Personality;
use super::quirk::Quirks;
use super::surface::Surface;

/// What real servers differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a server")]
pub struct Behaviour {
    /// Where the ids of created resources come from.
    pub ids: Ids,
    /// Whether a reference to a resource that is not here refuses the write (400), and a resource that others
    /// refer to can't be deleted (409). R4 leaves it to the server; HAPI does the same.
    pub referential_integrity: bool,
    /// Whether a transaction Bundle is taken; without it 501.
    pub transactions: bool,
    /// Whether `If-None-Exist` is taken; without it 400.
    pub conditional_create: bool,
    /// Whether `identifier` is a search parameter.
    pub search_by_identifier: bool,
    /// Types that this server does not take: it does not list them and answers 404.
    pub without: Vec<&'static str>,
    /// All that this server takes; without it, all that the sandbox can do.
    pub surface: Option<Surface>,
    /// Whether a batch Bundle is taken; without it 501.
    pub batches: bool,
    /// Whether an update to an id that is not here creates it; without it 404.
    pub update_create: bool,
    /// Whose rules on content are kept, and what the statement says of the server itself. Set by [`Behaviour::of`].
    pub personality: Option<Personality>,
    /// Where it leaves the specification.
    pub quirks: Quirks,
}

impl Default for Behaviour {
    /// A server that can all of it and gives random ids.
    fn default() -> Self {
        Self {
            ids: Ids::Random,
            referential_integrity: true,
            transactions: true,
            conditional_create: true,
            search_by_identifier: true,
            without: Vec::new(),
            surface: None,
            batches: true,
            update_create: true,
            personality: None,
            quirks: Quirks::default(),
        }
    }
}

/// Where the ids of created resources come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ids {
    /// 16 letters and digits with 80 random bits: an id is never given twice, whatever the server forgets.
    #[default]
    Random,
    /// `1`, `2`, `3`, … for all types together. A server restored empty gives the same ids to other resources:
    /// a danger that a client must survive, so tests need a server that does it.
    Counting,
}

impl Ids {
    /// The next id; `counter` is the last number given.
    pub(super) fn next(self, counter: &mut u64) -> String {
        match self {
            Self::Random => random(),
            Self::Counting => {
                *counter += 1;
                counter.to_string()
            }
        }
    }
}

/// 16 letters and digits (base 32) of 80 random bits.
pub(super) fn random() -> String {
    let bits = uuid::Uuid::new_v4().as_u128();
    // Of a UUID's bits those that its version and variant do not fix: the first 48 and the last 32.
    let (high, low) = (bits >> 80, bits & 0xffff_ffff);
    let bits = (high << 32) | low;
    let digit = |place: u32| char::from_digit((bits >> (place * 5) & 31) as u32, 32);
    (0..16).filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_ids_and_differ() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(|_| random()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 16 && crate::fhir::resource::is_id(id)));
    }
}
