//! How often is too often: the rates of a personality's pack, kept as its vendor counts them.

use jiff::Timestamp;

use super::personality::Personality;
use crate::vendor::Rate;

/// What was counted so far, one count for each rate of the pack.
#[derive(Debug, Default)]
pub(super) struct Counts(Vec<Count>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// The second at which the count began.
    began: i64,
    requests: u32,
}

impl Counts {
    /// Counts a request; says whether it is one too many. What is refused does not count.
    pub(super) fn is_too_many(
        &mut self,
        personality: Option<Personality>,
        is_bundle: bool,
        now: Timestamp,
    ) -> bool {
        let pack = personality.and_then(Personality::pack);
        let rates = pack.map(|pack| pack.rate.as_slice()).unwrap_or_default();
        self.0.resize(rates.len(), Count::default());
        let now = now.as_second();
        let counts = |rate: &Rate| is_bundle || !rate.per.ends_with("Bundles only");
        let mut is_full = false;
        let mut counted: Vec<_> =
            rates.iter().zip(&mut self.0).filter(|(rate, _)| counts(rate)).collect();
        for (rate, count) in &mut counted {
            let seconds = i64::from(rate.seconds);
            if now >= count.began + seconds || now < count.began {
                // Aligned: the count begins with the clock's minute, not with the first request.
                count.began = if rate.aligned { now - now.rem_euclid(seconds) } else { now };
                count.requests = 0;
            }
            is_full |= count.requests >= rate.requests;
        }
        for (_, count) in counted.into_iter().filter(|_| !is_full) {
            count.requests += 1;
        }
        is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_count_begins_anew_with_the_minute_of_the_clock() {
        let (mut counts, ecw) = (Counts::default(), Some(Personality::Ecw));
        let start = 1_770_000_000; // a whole minute
        for _ in 0..250 {
            assert!(!counts.is_too_many(ecw, false, at(start + 50)));
        }
        assert!(counts.is_too_many(ecw, false, at(start + 59)));
        assert!(!counts.is_too_many(ecw, false, at(start + 60)));
        assert!((0..1_000).all(|_| !Counts::default().is_too_many(None, true, at(start))));
    }

    #[test]
    fn a_rate_of_bundles_counts_bundles_alone() {
        let (mut counts, healthlake) = (Counts::default(), Some(Personality::Healthlake));
        assert!((0..100).all(|_| !counts.is_too_many(healthlake, false, at(5))));
        assert!((0..10).all(|_| !counts.is_too_many(healthlake, true, at(5))));
        assert!(counts.is_too_many(healthlake, true, at(5)));
        assert!(!counts.is_too_many(healthlake, true, at(6)));
    }
}
