//! What must survive a crash: links, the agreed base of each resource, the outbox, and what was handed off; and what
//! EHRs can do.
//!
//! One SQLite file in a directory that only its owner can open (0700, every file 0600, from the first byte and for
//! the write-ahead log too), because all of it is PHI. A commit is on the disk when it returns
//! (`synchronous=FULL`), and deleted rows are overwritten (`secure_delete`).
//!
//! Writing to an EHR's ledger takes a [`Writer`], and there is one of them for each EHR at a time: a lock that the
//! operating system holds, so it ends with its process and never by the clock. A process that was paused for an
//! hour still has it; one that was killed has not. (Locks of this kind need a local file system.) Taking it turns
//! every operation that was in flight into an ambiguous one: whoever sent it can't tell any more.
//!
//! It refuses wider modes, a schema that is newer than the program, and bodies whose digest does not match: an
//! unreadable base would let an edit made in the EHR pass for ours. It knows neither HTTP nor mapping.

mod capability;
mod digest;
mod hand_off;
mod lock;
mod private;
mod reference;
mod row;
mod sqlite;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::sync::Mutex;
use uuid::Uuid;

use crate::fhir::{Resource, ResourceId};
use crate::phi::Phi;

pub use capability::{KeptCapability, StatementChange};
pub use digest::{digest, digest_of_bytes};
pub use hand_off::{HandOff, HandOffState, RejectReason};
pub use reference::ReferenceLink;

/// A store, opened.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    connection: Mutex<sqlx::SqliteConnection>,
}

/// The one writer of an EHR's ledger, as long as it lives.
#[derive(Debug)]
pub struct Writer<'a> {
    store: &'a Store,
    ehr: String,
    _lock: lock::Lock,
}

/// A person's word that a record is about a Patient of an EHR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The EHR's name in the configuration.
    pub ehr: String,
    /// Its base URL when the link was made: the record goes nowhere else, whatever the name stands for later.
    pub base_url: String,
    /// The [`digest()`] of the record's plan id: another record in the same file is not this one.
    pub plan: String,
    /// Where the record is.
    pub record: Phi<PathBuf>,
    /// The digest of who the record's client was then: a record that was made over into another client's keeps its
    /// file and its plan id.
    pub client: String,
    /// The Patient.
    pub patient: ResourceId,
    /// The therapist, if the EHR knows them.
    pub practitioner: Option<ResourceId>,
    /// Digests of what identified the Patient then; all of them must still be there before each write.
    pub patient_marks: Vec<String>,
    /// When.
    pub linked_at: jiff::Timestamp,
}

/// The last version of a resource on which record and EHR agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The item of the record.
    pub item: Uuid,
    /// Type and id in the EHR.
    pub id: ResourceId,
    /// The version that our write made, where the server has versions.
    pub base_version: Option<String>,
    /// That version, whole.
    pub base: Resource,
    /// What the record said then; nothing if the base was found and not written.
    pub local: Option<Resource>,
    /// Why a person has to look before anything is written here again.
    pub held: Option<Hold>,
}

/// Why nothing is written to a resource until a person has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// An update was answered with 201: the server made a resource anew where ours had been.
    CreatedByUpdate,
    /// After an update of unknown outcome the EHR holds what was sent, and not by our write.
    Unexplained,
}

/// A write that was sent, or is about to be, and whose outcome is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The item of the record.
    pub item: Uuid,
    /// What is asked for.
    pub verb: Verb,
    /// The body as it is sent; a create may name other items as `urn:uuid:`.
    pub body: Resource,
    /// What the record said, for the shadow.
    pub local: Resource,
    /// Whether its sender still waits for the answer.
    pub state: State,
    /// How often it was sent, this time included.
    pub attempt: u32,
    /// Until when its sender waited for the answer: at first the end of its time limit, so that a sender that is killed
    /// counts as having waited to the end; then the moment when it gave up. The settling time begins here.
    pub waited_until: jiff::Timestamp,
    /// Whether a search after that found nothing.
    pub searched: bool,
    /// The ids of its type that the chart had before it was sent, where the server keeps no identifier by which the
    /// resource would be known again.
    pub seen: Option<BTreeSet<String>>,
}

/// What an operation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Create a resource.
    Create,
    /// Replace a version of a resource.
    Update {
        /// The resource.
        id: ResourceId,
        /// The version that it replaces.
        base_version: String,
    },
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sent, or about to be; its sender waits.
    InFlight,
    /// Nobody waits for its answer any more.
    Ambiguous,
    /// The server took it in (202), and a person or a queue at the other end decides; or it stored it without our
    /// identifier. It is never sent again by itself: nothing is to be found, and a second copy would stand beside the first.
    Mediated,
}

/// What is known of a plan in an EHR.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What was agreed.
    pub shadows: Vec<Shadow>,
    /// What is on its way.
    pub operations: Vec<Operation>,
}

/// What can go wrong with the store. No text holds a value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory or a file in it can't be made or opened.
    #[error("the store can't be opened: {0}")]
    Open(std::io::ErrorKind),
    /// Others may look into it.
    #[error("others can open the {0} of the store; set its mode to {mode}", mode = if *.0 == "directory" { "0700" } else { "0600" })]
    Exposed(&'static str),
    /// A newer program made it.
    #[error("the store has schema {found}, this program knows {known}: use the newer program")]
    Newer {
        /// The schema that was found.
        found: i64,
        /// The newest one that this program knows.
        known: i64,
    },
    /// Another process writes to the same EHR.
    #[error("another process is writing to this EHR from the same store")]
    Locked,
    /// The record is linked to another Patient, and its resources are there or a package was made for there; or a link to
    /// another resource was made beside one to the Patient that is no more.
    #[error(
        "the record is linked to another Patient or server, or its resources or a package are there"
    )]
    LinkedOtherwise,
    /// Another file is linked with the same plan id, and the two are not about the same client and Patient.
    #[error("another record with the same plan id is linked, about another client or Patient")]
    PlanOfAnother,
    /// A row does not say what it should.
    #[error("a row of the table {0} is damaged")]
    Damaged(&'static str),
    /// SQLite refused.
    #[error("the store can't be read or written (SQLite: {0})")]
    Database(String),
}

impl Store {
    /// Opens the store in a directory, making both where they are not there yet.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Exposed`], [`Error::Newer`] and [`Error::Database`].
    pub async fn open(directory: &Path) -> Result<Self, Error> {
        let file = private::prepare(directory)?;
        let connection = sqlite::connect(&file).await?;
        private::check(directory)?;
        Ok(Self { directory: directory.to_owned(), connection: Mutex::new(connection) })
    }

    /// Closes the store and folds the write-ahead log into the database file. A store that is only dropped, or
    /// whose process is killed, loses nothing; its log stays until the next opening.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn close(self) -> Result<(), Error> {
        sqlx::Connection::close(self.connection.into_inner()).await?;
        Ok(())
    }

    /// The links to one EHR, or to all, in the order of EHR and plan.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn links(&self, ehr: Option<&str>) -> Result<Vec<Link>, Error> {
        sqlite::links(&mut *self.connection.lock().await, ehr).await
    }

    /// The link of a plan to an EHR, if there is one.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn link_of(&self, ehr: &str, plan: &str) -> Result<Option<Link>, Error> {
        sqlite::link(&mut *self.connection.lock().await, ehr, plan).await
    }

    /// Keeps a link; one of the same EHR and plan is replaced as long as nothing of the plan went elsewhere, and it is
    /// of the same file or about the same client and Patient. If it leads to another Patient or server, what was linked
    /// besides ([`ReferenceLink`]) ends.
    ///
    /// # Errors
    /// [`Error::Locked`] while a sync of this EHR is running, [`Error::LinkedOtherwise`], [`Error::PlanOfAnother`] and [`Error::Database`].
    pub async fn link(&self, link: &Link) -> Result<(), Error> {
        let _lock = lock::Lock::take(&self.directory, &link.ehr).await?;
        sqlite::put_link(&mut *self.connection.lock().await, link).await
    }

    /// What is known of a plan in an EHR.
    ///
    /// # Errors
    /// [`Error::Database`] and [`Error::Damaged`].
    pub async fn ledger(&self, ehr: &str, plan: &str) -> Result<Ledger, Error> {
        sqlite::ledger(&mut *self.connection.lock().await, ehr, plan).await
    }

    /// Becomes the one writer of an EHR's ledger.
    ///
    /// # Errors
    /// [`Error::Locked`] if there is one already, in this process or another.
    pub async fn writer(&self, ehr: &str) -> Result<Writer<'_>, Error> {
        let lock = lock::Lock::take(&self.directory, ehr).await?;
        sqlite::in_flight_becomes_ambiguous(&mut *self.connection.lock().await, ehr).await?;
        Ok(Writer { store: self, ehr: ehr.to_owned(), _lock: lock })
    }
}

impl Writer<'_> {
    /// The store, to read from.
    pub const fn store(&self) -> &Store {
        self.store
    }

    /// The EHR's name.
    pub fn ehr(&self) -> &str {
        &self.ehr
    }

    /// Writes operations into the outbox, on the disk when this returns: only then may they be sent.
    ///
    /// # Errors
    /// [`Error::Database`], also if the disk is full: then nothing may be sent.
    pub async fn begin(&self, plan: &str, operations: &[Operation]) -> Result<(), Error> {
        let connection = &mut *self.store.connection.lock().await;
        sqlite::put_operations(connection, &self.ehr, plan, operations).await
    }

    /// Takes operations out of the outbox that had no effect and will have none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn withdraw(&self, items: &[Uuid]) -> Result<(), Error> {
        let connection = &mut *self.store.connection.lock().await;
        sqlite::remove_operations(connection, &self.ehr, items).await
    }

    /// Keeps what was agreed and takes its operations out of the outbox, both or neither.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn acknowledge(&self, plan: &str, shadows: &[Shadow]) -> Result<(), Error> {
        let connection = &mut *self.store.connection.lock().await;
        sqlite::put_shadows(connection, &self.ehr, plan, shadows).await
    }
}
