//! One writer for each EHR: a lock of the operating system on an empty file.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{Error, digest, private};

/// The lock, held until it is dropped or its process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Takes the lock of an EHR, or says that another has it.
    pub(super) fn take(directory: &Path, ehr: &str) -> Result<Self, Error> {
        // The digest, because a name may hold what a file name may not.
        let name: String = digest(ehr).chars().take(16).collect();
        let file = private::file(&directory.join(format!("{name}.lock")))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Locked),
            Err(TryLockError::Error(error)) => Err(Error::Open(error.kind())),
        }
    }
}
