//! Reads that are tried again: whatever became of a read, reading once more does no harm.

use std::time::Duration;

use crate::client::{Error, Unsent};

use super::report::Stop;

/// How often a read is tried.
const TRIES: u32 = 4;
/// A server that asks for a longer time than this is not waited for.
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

/// What was read, or nothing if the server does not give it; only what may still come is an error.
pub(super) fn or_unavailable<T>(answer: Result<T, Error>) -> Result<Option<T>, Stop> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(
            Error::NotFound { .. }
            | Error::Refused { .. }
            | Error::Explained { .. }
            | Error::Forbidden
            | Error::Incorrect(_)
            | Error::TooLarge,
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How long to wait before asking again after the n-th try; nothing if that would not help.
pub(super) fn pause(error: &Error, tried: u32) -> Option<Duration> {
    let longer_each_time = Duration::from_millis(50 << (2 * (tried.clamp(1, 5) - 1)));
    match error {
        // A request that can't be formed will not be formed by asking again, nor one that may not go there.
        Error::NotSent(Unsent::Request | Unsent::PrivateAddress) => None,
        Error::NotSent(Unsent::NoToken(why)) if !why.may_pass() => None,
        Error::NotSent(_) | Error::Ambiguous(_) => Some(longer_each_time),
        // Asked before the time that it names, a server says the same again: the next run is soon enough.
        Error::Busy { retry_after } => {
            Some(retry_after.unwrap_or(longer_each_time)).filter(|wait| *wait <= LONGEST_WAIT)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_waited_for_as_long_as_it_asks_or_not_at_all() {
        let busy = |seconds| Error::Busy { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(pause(&busy(60), 1), Some(Duration::from_mins(1)));
        assert_eq!(pause(&busy(61), 1), None);
        assert!(busy(600).to_string().contains("600 s"), "{}", busy(600));
    }

    #[test]
    fn a_token_is_waited_for_only_if_it_may_still_come() {
        use crate::client::smart::{NoToken, OAuthCode};
        let wait = |why| pause(&Error::NotSent(Unsent::NoToken(why)), 1);
        assert!(wait(NoToken::Unreachable).is_some() && wait(NoToken::Status(502)).is_some());
        assert_eq!(wait(NoToken::Refused(OAuthCode::InvalidClient)), None);
        assert_eq!(wait(NoToken::KeySource), None);
    }
}
