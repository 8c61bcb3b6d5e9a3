//! Reads that are tried again: whatever became of a read, reading once more does no harm.

use std::time::Duration;

use crate::client::Error;

/// How often a read is tried.
const TRIES: u32 = 4;
/// No server is waited for longer than this in one go.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Asks until there is an answer, or an error that asking again does not change.
pub(super) async fn repeated<T, F: Future<Output = Result<T, Error>>>(
    mut request: impl FnMut() -> F,
) -> Result<T, Error> {
    let mut tried = 1;
    loop {
        match request().await {
            Err(error) if tried < TRIES => match pause(&error, tried) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            },
            answer => return answer,
        }
        tried += 1;
    }
}

/// How long to wait before asking again after the n-th try; nothing if that would not help.
pub(super) fn pause(error: &Error, tried: u32) -> Option<Duration> {
    let longer_each_time = Duration::from_millis(50 << (2 * (tried.clamp(1, 5) - 1)));
    match error {
        Error::NotSent(_) | Error::Ambiguous(_) => Some(longer_each_time),
        Error::Busy { retry_after } => {
            Some(retry_after.unwrap_or(longer_each_time).min(LONGEST_WAIT))
        }
        _ => None,
    }
}
