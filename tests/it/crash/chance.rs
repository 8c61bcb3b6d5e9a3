//! Moments by chance that can be had again: a seed, and splitmix64.

use super::{environment, tell};

/// A source of numbers.
pub(super) struct Chance(u64);

impl Chance {
    /// A new one, by the seed that the environment asks for; tells the seed, which a failing test then shows.
    pub(super) fn new() -> Self {
        let (any, _) = uuid::Uuid::new_v4().as_u64_pair();
        let seed = environment("IPT_FHIR_TEST_SEED").map_or(any, |seed| seed.parse().unwrap());
        tell(&format!("IPT_FHIR_TEST_SEED={seed}"));
        Self(seed)
    }

    /// A number from 0 to 999.
    pub(super) const fn per_mille(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % 1000) as u32
    }
}
