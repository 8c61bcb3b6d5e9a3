//! Dates and moments by chance, in the orders that a record asks for.

use ipt_fhir::ipt::SessionStatus;

use super::Choices;

impl Choices<'_> {
    fn date_in(&mut self, year: usize) -> String {
        let month = self.below(12) + 1;
        let day = self.below(28) + 1;
        match self.below(3) {
            0 => format!("{year}-{month:02}-{day:02}"),
            1 => format!("{year}-{month:02}"),
            _ => format!("{year}"),
        }
    }

    /// A year, a month or a day.
    pub(super) fn date(&mut self) -> String {
        let year = self.below(12) + 2_018;
        self.date_in(year)
    }

    /// A beginning and an end that does not lie before it; either may be open.
    pub(super) fn dates(&mut self) -> (Option<String>, Option<String>) {
        let year = self.below(12) + 2_018;
        let start = self.maybe(|choices| choices.date_in(year));
        let end = self.maybe(|choices| match &start {
            Some(same) if choices.yes() => same.clone(),
            _ => choices.date_in(year + 1),
        });
        (start, end)
    }

    fn day(&mut self) -> String {
        let (year, month, day) = (self.below(12) + 2_018, self.below(12) + 1, self.below(28) + 1);
        format!("{year}-{month:02}-{day:02}")
    }

    /// Fraction and offset of a moment.
    fn tail(&mut self) -> String {
        let fraction = self.one(&["", ".5", ".250", ".001"]);
        let offset = self.one(&["Z", "+00:00", "-05:00", "+05:45", "+14:00", "-03:30"]);
        format!("{fraction}{offset}")
    }

    /// A moment with seconds and offset.
    pub(super) fn moment(&mut self) -> String {
        let (day, tail) = (self.day(), self.tail());
        format!("{day}T{:02}:{:02}:{:02}{tail}", self.below(24), self.below(60), self.below(60))
    }

    /// Start and end as a session of this status has them, and the minutes between them.
    pub(super) fn session_times(
        &mut self,
        status: SessionStatus,
    ) -> (Option<String>, Option<String>, Option<u32>) {
        let (day, tail, hour) = (self.day(), self.tail(), self.below(12) + 6);
        let minutes = self.one(&[50_usize, 1, 45, 90, 200]);
        let start = format!("{day}T{hour:02}:05:00{tail}");
        let (end_hour, end_minute) = (hour + (5 + minutes) / 60, (5 + minutes) % 60);
        let end = format!("{day}T{end_hour:02}:{end_minute:02}:00{tail}");
        let minutes = u32::try_from(minutes).ok();
        let (has_start, has_end) = match status {
            SessionStatus::Booked | SessionStatus::NoShow => (true, true),
            SessionStatus::Planned | SessionStatus::Cancelled => {
                let timed = self.yes();
                (timed, timed)
            }
            _ => (self.yes(), self.yes()),
        };
        let minutes = minutes.filter(|_| has_start && has_end);
        (has_start.then_some(start), has_end.then_some(end), minutes)
    }
}
