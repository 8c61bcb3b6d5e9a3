//! What a run found and did, as data: types, items, paths and lengths; never a value of a record.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use crate::fhir::{Refusal, ResourceId};
use crate::mapping::{Section, note};
use crate::merge::Change;
use crate::store::{HandOff, HandOffState};
use crate::vendor::{Kind, Rung, Source};
use crate::{client, store};

use super::hand_off;
use super::patient::PatientFault;
use super::reference::ReferenceFault;

/// What a run found and did at one EHR.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The EHR's name.
    pub ehr: String,
    /// The records, in the order in which they were given.
    pub records: Vec<RecordReport>,
    /// What the server refused as a whole, whatever its statement says: worth remembering for a while.
    pub refusals: Vec<Refusal>,
}

/// What a run found and did for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReport {
    /// The digest of the record's plan id.
    pub plan: String,
    /// The linked Patient.
    pub patient: ResourceId,
    /// How each kind of content goes.
    pub placements: Vec<Placed>,
    /// What the policy withheld: in each section, at how many places of the record.
    pub withheld: BTreeMap<Section, usize>,
    /// The package that a person carries over, where a kind goes so.
    pub package: Option<Package>,
    /// Its resources: those of the record in its order, then those that only the EHR has.
    pub items: Vec<ItemReport>,
    /// Why nothing more was done for it.
    pub stopped: Option<Stop>,
}

/// How a kind of content goes into an EHR, and why no better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The kind.
    pub kind: Kind,
    /// The highest rung that the server could take.
    pub possible: Rung,
    /// The rung that is used; [`Rung::Withheld`] where none is allowed.
    pub rung: Rung,
    /// Whether those of its types that are taken go as themselves all the same.
    pub is_partial: bool,
    /// What keeps it from higher rungs, from the top.
    pub narrowings: Vec<Narrowed>,
    /// How many resources of which type go as text, or not at all.
    pub lost: BTreeMap<String, usize>,
}

/// A rung that a kind does not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The rung that is not used.
    pub from: Rung,
    /// The next one below it.
    pub to: Rung,
    /// The type that can't be created, where that is why.
    pub lacks: Option<&'static str>,
    /// Who says so.
    pub by: Denial,
}

/// What became of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Package {
    /// It would be made.
    ToMake,
    /// It was made by this run.
    Made(HandOff),
    /// It was made before, and holds the same.
    Stands(HandOff),
    /// It could not be made.
    Failed(hand_off::Error),
}

/// What a run found and did for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemReport {
    /// The item.
    pub item: Uuid,
    /// Its resource type.
    pub resource_type: String,
    /// Its id in the EHR, where it has one.
    pub id: Option<ResourceId>,
    /// What this run did.
    pub done: Option<Done>,
    /// How it stands at the end of the run.
    pub state: ItemState,
    /// Where what was agreed says something else than the record did: the EHR added, dropped or reworded it.
    pub stored_otherwise: Vec<Change>,
    /// Items to which it refers in the record and not in the EHR, because the EHR does not take their kind.
    pub left_out: Vec<Uuid>,
    /// The elements in which it says other than the record, because the EHR takes it only so.
    pub bent: Vec<String>,
    /// What it tells of, where it is a note: the plan or a session.
    pub note: Option<Kind>,
}

/// What a run did with one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Created.
    Created,
    /// Updated.
    Updated,
    /// Found in the EHR, though the ledger did not know it, and taken into the ledger.
    Adopted,
}

/// How a resource stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemState {
    /// Record and EHR agree.
    InSync,
    /// It would be created.
    ToCreate,
    /// It would be updated, at these places.
    ToUpdate(Vec<Change>),
    /// Somebody changed it in the EHR, at these places. It is left as it is.
    RemoteChanged(Vec<Change>),
    /// A person has to decide. It is left as it is.
    Conflict(Conflict),
    /// The record does not hold it any more. It stays in the EHR until a person removes it.
    NotInRecord,
    /// It was sent, and whether it arrived is not known yet: the next run looks again before it sends.
    Unconfirmed,
    /// The EHR took it in, and a person or a queue there decides. It is not sent again.
    Mediated,
    /// It could not be written.
    Failed(Failure),
    /// It waits for another item that it refers to.
    BlockedBy(Uuid),
    /// The EHR demands a reference to something of its own that nobody has linked yet.
    Needs(Needed),
}

/// A reference that the EHR demands, and that a person links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// In which element: `context.encounter`.
    pub element: String,
    /// To which types; one of them.
    pub targets: Vec<String>,
}

/// Why a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// Record and EHR both changed it.
    BothChanged {
        /// What the record changed.
        ours: Vec<Change>,
        /// What the EHR changed.
        theirs: Vec<Change>,
    },
    /// It is gone from the EHR; it is not created again by itself.
    Gone,
    /// The EHR has it more than once.
    Duplicates(Vec<ResourceId>),
    /// An update made it anew where it had been.
    CreatedByUpdate,
    /// What the EHR holds can't be traced back to a write of ours.
    Unexplained,
}

/// Why a resource could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server refused it.
    #[error(transparent)]
    Server(client::Error),
    /// What it takes to write this type is not to be had here.
    #[error("no {what} of this resource type: {by}")]
    Unsupported {
        /// What it takes: an interaction, or a way of searching.
        what: &'static str,
        /// Who says so.
        by: Denial,
    },
    /// The server has no versions, so an update could overwrite an edit.
    #[error("the server has no versions, so an update could overwrite an edit")]
    NoVersions,
    /// It was sent several times and the outcome never became clear.
    #[error("it was tried {0} times and the outcome never became clear")]
    GaveUp(u32),
    /// The run ended before its turn.
    #[error("the run ended before its turn")]
    NotTried,
    /// It can't be written down as the EHR takes it.
    #[error(transparent)]
    Note(note::Error),
}

/// Who says that something is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The server's statement does not list it.
    #[error("the server does not offer it")]
    Statement,
    /// The scopes of the token do not grant it.
    #[error("the scopes of the token do not grant it")]
    Scope,
    /// The vendor pack rules it out.
    #[error("the vendor pack {0} rules it out")]
    Pack(String),
    /// The operator rules it out.
    #[error("override in the configuration rules it out")]
    Override,
    /// A key of the configuration would have to allow it.
    #[error("`{0}` in the configuration does not ask for it")]
    Configuration(&'static str),
    /// The server refused it lately.
    #[error(
        "the server refused it lately; it is tried again after {0}, once its statement changes, or after `ehr capabilities --forget-refusals`"
    )]
    Refusal(jiff::Timestamp),
}

impl Denial {
    /// The denial of a fact that is not allowed.
    pub(super) fn of(source: &Source<'_>) -> Self {
        match source {
            Source::Statement | Source::NotSaid => Self::Statement,
            Source::Scope => Self::Scope,
            Source::Pack { pack, .. } => Self::Pack((*pack).to_owned()),
            Source::Override => Self::Override,
            Source::Configuration { key } => Self::Configuration(key),
            Source::Refusal { until } => Self::Refusal(*until),
        }
    }
}

/// Why nothing more is done for a record, and for some also nothing more at the EHR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The EHR's name stands for another server than when the record was linked.
    #[error("the EHR's address is not the one at which the record was linked")]
    OtherServer,
    /// The file holds another record than the one that was linked.
    #[error("the file holds another plan than the one that was linked")]
    OtherRecord,
    /// The record tells of another client than when it was linked.
    #[error("the record's client is not the one of the time of the link")]
    OtherClient,
    /// The link was changed after this run had read it.
    #[error("the link was changed meanwhile")]
    LinkChanged,
    /// The record has a second Patient.
    #[error("the record has more than one Patient")]
    SecondPatient,
    /// A resource has no item identifier, so it could not be found again.
    #[error("a {resource_type} has no item identifier")]
    NoIdentifier {
        /// Its type.
        resource_type: String,
    },
    /// A resource is not about the linked Patient, or refers to something that is not of this record.
    #[error("a {resource_type} refers to something outside of this record and Patient")]
    ForeignReference {
        /// Its type.
        resource_type: String,
    },
    /// Not one item is known that was sent before: the namespace of identifiers was changed.
    #[error(
        "none of the resources sent before has its identifier any more; was the namespace changed?"
    )]
    IdentityChanged,
    /// The Patient can't be written to.
    #[error(transparent)]
    Patient(PatientFault),
    /// Everything that was sent is gone from the EHR.
    #[error("everything that was sent is gone from the EHR; was it restored from a backup?")]
    AllGone,
    /// A resource that we sent is another one now. Nothing more is written to this EHR.
    #[error("{0} is not the resource that was sent; was the EHR restored from a backup?")]
    Restored(ResourceId),
    /// A resource with our identifier is about another Patient. Nothing more is written to this EHR.
    #[error("{0} bears an identifier of this record and is about another Patient")]
    WrongSubject(ResourceId),
    /// The answer to a write tells of another Patient's resource. Nothing more is written to this EHR.
    #[error("the answer to a write tells of {0}, which is another Patient's")]
    WrongAnswer(ResourceId),
    /// The answer to a write names another resource, or one of another type: it may be the answer to somebody else's
    /// write. Nothing more is written to this EHR.
    #[error("the answer to a write of a {resource_type} names something else")]
    StrayAnswer {
        /// The type that was written; `Bundle` of several.
        resource_type: String,
    },
    /// A search for this Patient's resources found another's: the server passes over whose they are. Nothing more is
    /// written to this EHR.
    #[error("a search for this Patient's resources found {0}, which is another Patient's")]
    ForeignMatch(ResourceId),
    /// What a person linked is not what it was.
    #[error("{0} can't be referred to: {1}")]
    Reference(ResourceId, ReferenceFault),
    /// The EHR can't be reached, or what it answers can't be used. Nothing more is tried.
    #[error(transparent)]
    Server(client::Error),
    /// The ledger can't be read or written. Nothing more is sent.
    #[error(transparent)]
    Store(store::Error),
    /// The run ended at this EHR before the record's turn.
    #[error("not tried, because of what happened before")]
    NotTried,
}

impl Stop {
    /// Whether the other records of the EHR are left alone as well.
    pub const fn ends_run(&self) -> bool {
        matches!(
            self,
            Self::Restored(_)
                | Self::WrongSubject(_)
                | Self::ForeignMatch(_)
                | Self::WrongAnswer(_)
                | Self::StrayAnswer { .. }
                | Self::Server(_)
                | Self::Store(_)
                | Self::NotTried
        )
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<client::Error> for Stop {
    fn from(error: client::Error) -> Self {
        Self::Server(error)
    }
}

/// What happens during a run, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A record has its turn.
    Record {
        /// Which one, from 1.
        number: usize,
        /// Of how many.
        of: usize,
    },
    /// The resources of a type are looked up.
    LookingUp {
        /// The type.
        resource_type: String,
    },
    /// Nothing is sent until an earlier request can't be executing any more.
    Settling(Duration),
    /// Resources are written.
    Writing {
        /// How many with this request.
        resources: usize,
    },
}

/// How a run ended, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All is in sync, or was shown.
    Done,
    /// A person has to decide on something.
    Conflicts,
    /// Some resources were not written, or not confirmed.
    Partial,
    /// A safety brake held a record.
    Refused,
    /// Nothing came of it: network, server or store.
    Failed,
    /// The server refused the credentials.
    Unauthorized,
}

impl Outcome {
    /// The exit code (interface.md 2.3).
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Conflicts => 5,
            Self::Unauthorized => 6,
            Self::Partial => 7,
            Self::Refused => 8,
        }
    }
}

impl Report {
    /// How the run ended: the gravest of what happened.
    pub fn outcome(&self) -> Outcome {
        self.records.iter().map(RecordReport::outcome).max().unwrap_or(Outcome::Done)
    }

    /// All resources of all records.
    pub fn items(&self) -> impl Iterator<Item = &ItemReport> {
        self.records.iter().flat_map(|record| &record.items)
    }
}

impl RecordReport {
    /// How the run ended for this record.
    pub fn outcome(&self) -> Outcome {
        let stopped = self.stopped.as_ref().map_or(Outcome::Done, Stop::outcome);
        let items = self.items.iter().map(|item| self.outcome_of(&item.state)).max();
        let placed = self.placements.iter().map(Placed::outcome).max();
        let package = match &self.package {
            Some(Package::Failed(_)) => Outcome::Partial,
            Some(Package::Stands(package)) if package.state == HandOffState::Rejected => {
                Outcome::Conflicts
            }
            _ => Outcome::Done,
        };
        items.max(placed).unwrap_or(Outcome::Done).max(package).max(stopped)
    }

    /// How a resource stands; what waits is as grave as what it waits for.
    fn outcome_of(&self, state: &ItemState) -> Outcome {
        let mut cause = state;
        // As many steps as there are items: nothing waits for itself.
        for _ in &self.items {
            let ItemState::BlockedBy(other) = cause else { break };
            let Some(other) = self.items.iter().find(|item| item.item == *other) else { break };
            cause = &other.state;
        }
        match (state, cause.outcome()) {
            (ItemState::BlockedBy(_), Outcome::Done) => Outcome::Partial,
            (_, outcome) => outcome,
        }
    }
}

impl Placed {
    /// What nobody allowed to go lower was not sent.
    fn outcome(&self) -> Outcome {
        let is_lost = self.rung == Rung::Withheld && !self.lost.is_empty();
        if is_lost { Outcome::Partial } else { Outcome::Done }
    }
}

impl Stop {
    const fn outcome(&self) -> Outcome {
        match self {
            Self::Server(client::Error::Unauthorized | client::Error::Forbidden) => {
                Outcome::Unauthorized
            }
            Self::Server(client::Error::NotSent(client::Unsent::NoToken(why)))
                if why.is_refusal() =>
            {
                Outcome::Unauthorized
            }
            Self::Server(_) | Self::Store(_) => Outcome::Failed,
            Self::NotTried => Outcome::Partial,
            _ => Outcome::Refused,
        }
    }
}

impl ItemState {
    const fn outcome(&self) -> Outcome {
        match self {
            Self::InSync
            | Self::ToCreate
            | Self::ToUpdate(_)
            | Self::RemoteChanged(_)
            | Self::NotInRecord => Outcome::Done,
            Self::Conflict(_) | Self::Needs(_) => Outcome::Conflicts,
            Self::Failed(Failure::Server(client::Error::Forbidden)) => Outcome::Unauthorized,
            Self::Unconfirmed | Self::Mediated | Self::Failed(_) | Self::BlockedBy(_) => {
                Outcome::Partial
            }
        }
    }
}
