//! What happens at the EHR, to whom, and when.

use ipt_fhir::sandbox::Fault;

use super::ward::Server;
use super::{Dice, STEPS};

/// What people and proxies do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing: the control.
    Nothing,
    /// The Patient is merged into the other one.
    Merge,
    /// The Patient is not active any more.
    Inactive,
    /// The Patient dies.
    Deceased,
    /// The Patient gets the other's number.
    Renumbered,
    /// One of the record's resources becomes the other Patient's.
    Reassigned,
    /// The visits become the other Patient's.
    VisitsReassigned,
    /// The server is restored; our ids are the other Patient's resources now.
    Restored,
    /// The server is restored; our Patient's id is somebody else's.
    RestoredPatients,
    /// A person links the record with the other Patient while a run has the old link.
    LinkChanged,
    /// Searches pass over whose the resources are.
    IgnoredPatient,
    /// Requests with this method get something wrong, several in a row.
    Broken(&'static str, Fault),
}

impl Event {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Merge => "merge",
            Self::Inactive => "inactive",
            Self::Deceased => "deceased",
            Self::Renumbered => "renumbered",
            Self::Reassigned => "reassigned",
            Self::VisitsReassigned => "visits",
            Self::Restored => "restored",
            Self::RestoredPatients => "strangers",
            Self::LinkChanged => "link-changed",
            Self::IgnoredPatient => "no-patient",
            Self::Broken(_, fault) => fault.name(),
        }
    }

    /// Whether all is well again when it is over.
    pub(super) const fn passes(self) -> bool {
        matches!(self, Self::Nothing | Self::IgnoredPatient | Self::Broken(..))
    }

    /// Whether from then on nothing at all may be written for the record.
    pub(super) const fn ends_the_record(self) -> bool {
        matches!(
            self,
            Self::Merge
                | Self::Inactive
                | Self::Deceased
                | Self::Renumbered
                | Self::Restored
                | Self::RestoredPatients
        )
    }
}

/// When in a step it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before the run.
    Before,
    /// When the run looks for the n-th time.
    Looking(usize),
    /// When the run has looked and is about to write for the n-th time: that request can't be called back.
    Writing(usize),
}

/// An event with whom and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) event: Event,
    /// Whose record it is about.
    pub(super) victim: usize,
    pub(super) step: usize,
    pub(super) moment: Moment,
    /// A number for what is left to choose.
    pub(super) choice: usize,
}

pub(super) fn draw(dice: &mut Dice, server: Server, is_parallel: bool) -> Planned {
    let broken = |dice: &mut Dice| {
        let method = dice.one_of(&["GET", "POST", "PUT"]);
        let faults = match method {
            "GET" => &[Fault::OtherBody, Fault::OtherId, Fault::OtherType][..],
            _ => &[Fault::OtherId, Fault::OtherType, Fault::LoseAnswerAfterApply][..],
        };
        Event::Broken(method, dice.one_of(faults))
    };
    let event = match dice.below(13) {
        0 => Event::Nothing,
        1 => Event::Merge,
        2 => dice.one_of(&[Event::Inactive, Event::Deceased]),
        3 => Event::Renumbered,
        4 | 5 => Event::Reassigned,
        6 => Event::VisitsReassigned,
        7 if !is_parallel => dice.one_of(&[Event::Restored, Event::RestoredPatients]),
        8 if !is_parallel => Event::LinkChanged,
        9 if server.lists() => Event::IgnoredPatient,
        _ if is_parallel => Event::Broken(dice.one_of(&["POST", "PUT", "GET"]), Fault::SwapAnswer),
        _ => broken(dice),
    };
    // A restored server and a changed link are seen at the beginning; of a visit only what was read before can be known.
    let moment = match event {
        _ if is_parallel => Moment::Before,
        Event::Restored | Event::RestoredPatients | Event::LinkChanged => Moment::Before,
        Event::Reassigned | Event::VisitsReassigned => match dice.below(2) {
            0 => Moment::Before,
            _ => Moment::Looking(1 + dice.below(30)),
        },
        _ => match dice.below(3) {
            0 => Moment::Before,
            1 => Moment::Looking(1 + dice.below(30)),
            _ => Moment::Writing(1 + dice.below(12)),
        },
    };
    Planned {
        event,
        victim: dice.below(2),
        // Later more often: a schedule that ends at once shows little.
        step: dice.below(STEPS).max(dice.below(STEPS)),
        moment,
        choice: dice.below(1_000),
    }
}
