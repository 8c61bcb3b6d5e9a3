//! One writer for each EHR: a lock of the operating system on an empty file.
//!
//! The lock is of the open file, and a child process that is being started (a secret's command, say) shares our open
//! files until its program begins. So a lock that was just given up may seem taken for a moment, and a taken one is
//! looked at again for half a second before it is called so.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::{Error, digest, private};

/// The lock, held until it is dropped or its process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// How often and how far apart a taken lock is looked at.
const LOOKS: u32 = 50;
const APART: Duration = Duration::from_millis(10);

impl Lock {
    /// Takes the lock of an EHR, or says that another has it.
    pub(super) async fn take(directory: &Path, ehr: &str) -> Result<Self, Error> {
        // The digest, because a name may hold what a file name may not.
        let name: String = digest(ehr).chars().take(16).collect();
        let file = private::file(&directory.join(format!("{name}.lock")))?;
        for look in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if look < LOOKS => tokio::time::sleep(APART).await,
                Err(TryLockError::WouldBlock) => return Err(Error::Locked),
                Err(TryLockError::Error(error)) => return Err(Error::Open(error.kind())),
            }
        }
        Ok(Self(file))
    }
}
