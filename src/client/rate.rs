//! How fast one endpoint is asked: a bucket of tokens, and the moment before which nothing is sent.
//!
//! Servers publish limits and answer 429 beyond them; some name the time to wait, eClinicalWorks counts 250 requests
//! for each minute of its clock and names none (ehrs-and-sync.md 1.4). One [`Pacer`] stands behind all clones of a
//! client, so that what one of them was told holds for all. The minutes are the server's: they are learned from the
//! `Date` of its answers, and the clock of this machine is not asked.
//!
//! A request waits here at most as long as [`Rate::longest_wait`]; where more is asked it is not sent, and the caller
//! learns how long ([`Error::Busy`]). [`Bucket`] computes only: time is its argument.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Error;

const MINUTE: Duration = Duration::from_mins(1);
/// However long a server asks to wait, after this time it is asked again.
pub(super) const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// How fast an endpoint may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    requests: NonZeroU32,
    period: Duration,
    burst: NonZeroU32,
    aligned: bool,
    longest_wait: Duration,
}

impl Rate {
    /// So many requests in each second, evenly spread.
    pub const fn per_second(requests: NonZeroU32) -> Self {
        Self::new(requests, Duration::from_secs(1))
    }

    /// So many requests in each minute, evenly spread.
    pub const fn per_minute(requests: NonZeroU32) -> Self {
        Self::new(requests, MINUTE)
    }

    const fn new(requests: NonZeroU32, period: Duration) -> Self {
        let (burst, longest_wait) = (NonZeroU32::MIN, MINUTE);
        Self { requests, period, burst, aligned: false, longest_wait }
    }

    /// So many requests may go at once after a pause, where none are saved otherwise.
    #[must_use]
    pub const fn with_burst(mut self, burst: NonZeroU32) -> Self {
        self.burst = burst;
        self
    }

    /// The server counts anew with each minute of its clock, and so do we: as fast as may be until the minute's
    /// requests are spent, then not before the next. A 429 says that they are spent.
    ///
    /// A rate per second becomes sixty times as much per minute.
    #[must_use]
    pub const fn aligned_to_minute(mut self) -> Self {
        if self.period.as_secs() < MINUTE.as_secs() {
            self.requests = self.requests.saturating_mul(SIXTY);
        }
        self.period = MINUTE;
        self.aligned = true;
        self
    }

    /// How long a request may be held back here; a minute where nothing is said.
    #[must_use]
    pub const fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// How long a request may be held back here.
    pub const fn longest_wait(&self) -> Duration {
        self.longest_wait
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match (self.period < MINUTE, self.aligned) {
            (true, _) => "second",
            (false, false) => "minute",
            (false, true) => "minute of the server's clock",
        };
        write!(formatter, "{} per {period}", self.requests)
    }
}

const SIXTY: NonZeroU32 = match NonZeroU32::new(60) {
    Some(sixty) => sixty,
    None => NonZeroU32::MIN,
};

/// What is known of one endpoint's patience. All moments are counted from the same beginning.
#[derive(Debug)]
struct Bucket {
    rate: Option<Rate>,
    /// Nothing is sent before.
    held_until: Duration,
    /// Evenly spread: when the next request would be due if none came early (the generic cell rate algorithm).
    due: Duration,
    /// By the minute: when the present one ends at the latest, and what was sent in it.
    minute_ends: Duration,
    sent: u32,
    /// When some minute of the server ended.
    phase: Option<Duration>,
}

impl Bucket {
    const fn new(rate: Option<Rate>) -> Self {
        let zero = Duration::ZERO;
        Self { rate, held_until: zero, due: zero, minute_ends: zero, sent: 0, phase: None }
    }

    /// Takes leave to send one request now, or tells how long to wait before asking again.
    fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if let Some(wait) = later(self.held_until, now) {
            return Err(wait);
        }
        match self.rate {
            None => Ok(()),
            Some(rate) if rate.aligned => {
                if now >= self.minute_ends {
                    (self.minute_ends, self.sent) = (self.next_minute(now), 0);
                }
                if self.sent >= rate.requests.get() {
                    return Err(self.minute_ends.saturating_sub(now));
                }
                self.sent += 1;
                Ok(())
            }
            Some(rate) => {
                let apart = rate.period / rate.requests.get();
                let early = apart * (rate.burst.get() - 1);
                if let Some(wait) = later(self.due.saturating_sub(early), now) {
                    return Err(wait);
                }
                self.due = self.due.max(now) + apart;
                Ok(())
            }
        }
    }

    /// Learns from the `Date` of an answer that came now where the server's minutes end: never before they do, for
    /// the date was written before now.
    fn learn(&mut self, now: Duration, second_of_minute: u64) {
        let is_new = self.phase.is_none();
        self.phase = Some(now + MINUTE.saturating_sub(Duration::from_secs(second_of_minute)));
        if is_new {
            // Until now a minute of our own was counted, and the server's ends within it.
            self.minute_ends = self.minute_ends.min(self.next_minute(now));
        }
    }

    /// Takes note that the server did not process a request.
    fn refused(&mut self, now: Duration, retry_after: Option<Duration>) {
        let by_minute = self.rate.filter(|rate| rate.aligned).map(|_| self.next_minute(now));
        let until = retry_after.map(|wait| now + wait.min(LONGEST_HOLD)).or(by_minute);
        self.held_until = self.held_until.max(until.unwrap_or_default());
    }

    /// The end of the server's minute; where nothing is known of it, a whole one from now.
    fn next_minute(&self, now: Duration) -> Duration {
        let Some(phase) = self.phase else { return now + MINUTE };
        let minute = MINUTE.as_nanos();
        let past = now.saturating_sub(phase).as_nanos() % minute;
        let ahead = phase.saturating_sub(now);
        let rest = if ahead.is_zero() { minute - past } else { ahead.as_nanos() };
        now + Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX))
    }
}

/// How long it is until a moment that lies ahead.
fn later(moment: Duration, now: Duration) -> Option<Duration> {
    moment.checked_sub(now).filter(|wait| !wait.is_zero())
}

/// The bucket of one endpoint, behind all clones of its client.
#[derive(Debug)]
pub(super) struct Pacer {
    bucket: Mutex<Bucket>,
    began: Instant,
    longest_wait: Duration,
}

impl Pacer {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        let longest_wait = rate.map_or(Duration::ZERO, |rate| rate.longest_wait);
        Self { bucket: Mutex::new(Bucket::new(rate)), began: Instant::now(), longest_wait }
    }

    /// How long a request may be held back.
    pub(super) const fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// Waits until a request may be sent, and no longer than until `latest`, whatever the pace would allow.
    ///
    /// # Errors
    /// [`Error::Busy`] if that would take longer than it may.
    pub(super) async fn turn(&self, latest: Instant) -> Result<(), Error> {
        let asked = self.began.elapsed();
        let longest = self.longest_wait.min(latest.saturating_duration_since(Instant::now()));
        loop {
            let now = self.began.elapsed();
            let Err(wait) = self.with(|bucket| bucket.take(now)) else { return Ok(()) };
            if (now + wait).saturating_sub(asked) > longest {
                // Up to the next whole second, as servers name it: who waits that long waits long enough.
                let begun = u64::from(wait.subsec_nanos() > 0);
                let seconds = Duration::from_secs(wait.as_secs().saturating_add(begun));
                return Err(Error::Busy { retry_after: Some(seconds) });
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes note of the second on the server's clock when it answered.
    pub(super) fn dated(&self, second_of_minute: u64) {
        let now = self.began.elapsed();
        self.with(|bucket| bucket.learn(now, second_of_minute));
    }

    /// Takes note that the server turned a request away, and for how long if it says so.
    pub(super) fn turned_away(&self, retry_after: Option<Duration>) {
        let now = self.began.elapsed();
        self.with(|bucket| bucket.refused(now, retry_after));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Bucket) -> T) -> T {
        work(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn requests_are_spread_and_a_burst_is_saved_up() {
        let mut bucket = Bucket::new(Some(Rate::per_minute(number(6)).with_burst(number(3))));
        for _ in 0..3 {
            assert_eq!(bucket.take(at(100)), Ok(()));
        }
        assert_eq!(bucket.take(at(100)), Err(at(10)));
        assert_eq!(bucket.take(at(109)), Err(at(1)));
        assert_eq!(bucket.take(at(110)), Ok(()));
        assert_eq!(bucket.take(at(110)), Err(at(10)));
        let mut free = Bucket::new(None);
        assert!((0..1_000).all(|_| free.take(at(0)).is_ok()));
    }

    #[test]
    fn a_minute_is_the_servers() {
        let mut bucket = Bucket::new(Some(Rate::per_minute(number(2)).aligned_to_minute()));
        // Unknown at first: a whole one.
        assert_eq!(bucket.take(at(5)), Ok(()));
        assert_eq!(bucket.take(at(6)), Ok(()));
        assert_eq!(bucket.take(at(7)), Err(at(58)));
        bucket.learn(at(7), 40);
        // What is spent by our count stays spent; the next minute is the server's: it ends 20 s after 7.
        assert_eq!(bucket.take(at(65)), Ok(()));
        assert_eq!(bucket.take(at(66)), Ok(()));
        assert_eq!(bucket.take(at(66)), Err(at(21)));
        assert_eq!(bucket.take(at(87)), Ok(()));
        bucket.refused(at(88), None);
        assert_eq!(bucket.take(at(90)), Err(at(57)));
        assert_eq!(bucket.take(at(147)), Ok(()));
    }

    #[test]
    fn what_a_server_asks_for_holds_up_to_an_hour() {
        let mut bucket = Bucket::new(None);
        bucket.refused(at(10), Some(at(30)));
        bucket.refused(at(11), Some(at(5)));
        bucket.refused(at(12), None);
        assert_eq!(bucket.take(at(12)), Err(at(28)));
        assert_eq!(bucket.take(at(40)), Ok(()));
        bucket.refused(at(40), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(bucket.take(at(40)), Err(LONGEST_HOLD));
        assert_eq!(Rate::per_second(number(4)).aligned_to_minute().requests, number(240));
    }

    proptest! {
        /// However requests come, no window of the period holds more than the rate and its burst allow.
        #[test]
        fn no_window_holds_too_many(
            requests in 1_u32..50,
            burst in 1_u32..20,
            steps in prop::collection::vec(0_u64..2_000, 1..400),
        ) {
            let mut bucket =
                Bucket::new(Some(Rate::per_second(number(requests)).with_burst(number(burst))));
            let (mut now, mut sent) = (Duration::ZERO, Vec::new());
            for step in steps {
                now += Duration::from_millis(step / 10);
                if bucket.take(now).is_ok() {
                    sent.push(now);
                }
            }
            for (place, first) in sent.iter().enumerate() {
                let end = *first + Duration::from_secs(1);
                let inside = sent[place..].iter().filter(|moment| **moment < end).count();
                // The spacing is cut to whole nanoseconds, which may let one more in.
                prop_assert!(inside <= (requests + burst) as usize);
            }
        }

        /// Whatever is learned and refused on the way, no minute of the server's clock holds more than it allows.
        #[test]
        fn no_minute_of_the_server_holds_too_many(
            requests in 1_u32..20,
            offset in 0_u64..60_000,
            steps in prop::collection::vec((0_u64..20_000, any::<bool>()), 1..300),
        ) {
            let mut bucket = Bucket::new(Some(Rate::per_minute(number(requests)).aligned_to_minute()));
            let mut minutes = std::collections::BTreeMap::<u64, u32>::new();
            let mut now = Duration::ZERO;
            for (step, learns) in steps {
                now += Duration::from_millis(step);
                let server = u64::try_from(now.as_millis()).unwrap() + offset;
                if learns {
                    bucket.learn(now, server / 1_000 % 60);
                }
                if bucket.take(now).is_ok() {
                    *minutes.entry(server / 60_000).or_default() += 1;
                }
            }
            // Before anything is learned, a minute of ours may lie across two of the server's, and one of its
            // minutes across two of ours; and a date is cut to whole seconds.
            let most = minutes.values().max().copied().unwrap_or_default();
            prop_assert!(most <= 2 * requests);
        }

        /// A wait that was kept is enough.
        #[test]
        fn after_the_wait_there_is_leave(
            requests in 1_u32..50,
            aligned in any::<bool>(),
            second in 0_u64..60,
            start in 0_u64..200,
        ) {
            let rate = Rate::per_minute(number(requests));
            let rate = if aligned { rate.aligned_to_minute() } else { rate };
            let mut bucket = Bucket::new(Some(rate));
            bucket.learn(at(start), second);
            let mut now = at(start);
            for _ in 0..200 {
                if let Err(wait) = bucket.take(now) {
                    prop_assert!(!wait.is_zero() && wait <= MINUTE);
                    now += wait;
                    prop_assert_eq!(bucket.take(now), Ok(()));
                }
            }
        }
    }
}
