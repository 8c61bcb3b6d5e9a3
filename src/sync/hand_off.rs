//! A package into its directory, each content once and whole or not at all.
//!
//! The files are written under a name that begins with a dot, brought to the disk, and then the directory gets its name
//! in one step; only then the store says that the package waits. A run that is killed between the two leaves a package
//! that the store does not know: the next run finds it under the name that it is going to use, and takes it as its own
//! if it holds the same. A package that somebody took away is not made again, unless it is rejected as lost. Nothing is ever written over a package that has its name: somebody may have it open.

use std::fs::{self, DirBuilder, File as OpenFile, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use uuid::Uuid;

use crate::json::{self, Value};
use crate::mapping::hand_off::{self, Contents, File, MANIFEST, Made};
use crate::store::{
    self, HandOff, HandOffState, RejectReason, Store, Writer, digest, digest_of_bytes,
};

/// What came of delivering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The first package of its slot was made.
    Made(HandOff),
    /// There is one that holds the same, whatever became of it.
    AlreadyThere(HandOff),
    /// A package was made; there was an edition before it.
    Superseding(HandOff),
}

/// Why nothing was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The directory can't be written.
    #[error("the directory for packages can't be written: {0}")]
    Directory(io::ErrorKind),
    /// A readable document can't be part of a package.
    #[error(transparent)]
    Package(#[from] hand_off::Error),
    /// A readable document can't be made of the record.
    #[error("a readable document can't be made of the record")]
    Document,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Directory(error.kind())
    }
}

/// The name of an edition's package for an EHR.
pub fn name(ehr: &str, slot: Uuid, number: u32) -> String {
    format!("{}-v{number}", Uuid::new_v5(&slot, ehr.as_bytes()))
}

/// The last package of what is to be handed off.
pub(super) enum Last {
    /// It holds the same.
    Stands(HandOff),
    /// It holds something else, or there is none.
    Outdated(Option<HandOff>),
}

/// The last package of a slot, and whether it is what is to be handed off now.
pub(super) async fn last(
    store: &Store,
    ehr: &str,
    plan: &str,
    contents: &Contents,
) -> Result<Last, Error> {
    let (slot, content) = (contents.slot(), digest(&contents.canonical_text()));
    let known = store.hand_offs(Some(ehr)).await?.into_iter();
    let of_slot = known.filter(|known| known.plan == plan && known.slot == slot);
    let last = of_slot.max_by_key(|known| known.number);
    Ok(match last {
        Some(last)
            if last.digest == content
                && last.state != HandOffState::Superseded
                && last.reason != Some(RejectReason::Lost) =>
        {
            Last::Stands(last)
        }
        last => Last::Outdated(last),
    })
}

/// Makes the package of what is to be handed off of a record, unless the last edition holds the same.
///
/// `plan` is the digest of the record's plan id, as in its link. `documents` gives the readable documents of an edition.
///
/// # Errors
/// [`Error`]; the store and the directory are then as they were, or the directory holds a package that the next run
/// takes as its own.
pub async fn deliver(
    writer: &Writer<'_>,
    directory: &Path,
    plan: &str,
    contents: &Contents,
    at: jiff::Timestamp,
    documents: &mut (dyn FnMut(&Made) -> Result<Vec<File>, Error> + Send),
) -> Result<Delivered, Error> {
    let slot = contents.slot();
    let content = digest(&contents.canonical_text());
    let last = match last(writer.store(), writer.ehr(), plan, contents).await? {
        Last::Stands(last) => return Ok(Delivered::AlreadyThere(last)),
        Last::Outdated(last) => last,
    };
    let is_first = last.is_none();
    let mut made = Made { number: last.map_or(1, |last| last.number.saturating_add(1)), at };
    let hand_off = |made: &Made, digest: &str, state: HandOffState| HandOff {
        ehr: writer.ehr().to_owned(),
        plan: plan.to_owned(),
        slot,
        number: made.number,
        name: name(writer.ehr(), slot, made.number),
        digest: digest.to_owned(),
        state,
        made_at: made.at,
        decided_at: (state == HandOffState::Superseded).then_some(at),
        reason: None,
    };
    loop {
        let path = directory.join(name(writer.ehr(), slot, made.number));
        let is_there = path.exists();
        if !is_there {
            let files = contents.package(&made, documents(&made)?, digest_of_bytes)?;
            write(directory, &path, &files)?;
        }
        // A run that was killed may have made what stands there.
        let there = if is_there { content_of(&path) } else { Some(content.clone()) };
        if there.as_deref() == Some(content.as_str()) {
            let waiting = hand_off(&made, &content, HandOffState::Waiting);
            writer.record_hand_off(&waiting).await?;
            return Ok(if is_first && made.number == 1 {
                Delivered::Made(waiting)
            } else {
                Delivered::Superseding(waiting)
            });
        }
        // Of other content: somebody may have carried it over, so it is listed and left.
        let orphan = hand_off(&made, &there.unwrap_or_default(), HandOffState::Superseded);
        writer.record_hand_off(&orphan).await?;
        made.number = made.number.saturating_add(1);
    }
}

/// What the manifest of a package says that it holds; nothing if there is none to be read.
fn content_of(package: &Path) -> Option<String> {
    let manifest = json::parse(&fs::read(package.join(MANIFEST)).ok()?).ok()?;
    manifest.text("content").map(str::to_owned)
}

/// A file of a package, as its manifest lists it, and how it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest when the package was made.
    pub sha256: String,
    /// Whether it is there and still the same.
    pub is_whole: bool,
}

/// The files of a package, each held against its digest; nothing if there is no manifest to be read.
pub fn files(directory: &Path, name: &str) -> Option<Vec<Listed>> {
    let package = directory.join(name);
    let manifest = json::parse(&fs::read(package.join(MANIFEST)).ok()?).ok()?;
    let listed = manifest.items("files").map(|file| {
        let name = file.text("name")?;
        let sha256 = file.text("sha256")?;
        // A manifest that was tampered with must not lead elsewhere.
        let is_inside = !name.contains(['/', '\\']) && name != "..";
        let bytes = fs::read(package.join(name)).ok().filter(|_| is_inside);
        Some(Listed {
            name: name.to_owned(),
            media_type: file.text("mediaType")?.to_owned(),
            size: file.get("size").and_then(Value::as_u64)?,
            sha256: sha256.to_owned(),
            is_whole: bytes.is_some_and(|bytes| digest_of_bytes(&bytes) == sha256),
        })
    });
    listed.collect()
}

/// Writes a package whole, or leaves nothing under its name.
fn write(directory: &Path, package: &Path, files: &[File]) -> io::Result<()> {
    make_directory(directory, true)?;
    let name = package.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    let partial = directory.join(hidden);
    // What a run that was killed left: nobody else writes for this EHR.
    match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    make_directory(&partial, false)?;
    for file in files {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut open = options.open(partial.join(&file.name))?;
        open.write_all(&file.bytes)?;
        open.sync_all()?;
    }
    sync_directory(&partial)?;
    fs::rename(&partial, package)?;
    sync_directory(directory)
}

/// Makes a directory that only its owner can open; one that is there keeps its mode, for what is put into it is private.
fn make_directory(path: &Path, recursive: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Brings the names in a directory to the disk.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    OpenFile::open(path)?.sync_all()
}

/// Other systems bring them there with the files.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
