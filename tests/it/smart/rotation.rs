//! Changing keys while the token server keeps an old JWKS: no request is refused, and one that hurries is.

use std::time::Duration;

use ipt_fhir::client::smart::{Algorithm, NoToken, OAuthCode};
use jiff::{SignedDuration, Timestamp};

use super::{Practice, why};

const CACHE: i64 = 60;

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now + SignedDuration::from_secs(seconds)
}

async fn practice() -> Practice {
    let cache = Duration::from_secs(CACHE.cast_unsigned());
    let practice = Practice::open_with(Algorithm::Rs384, "system/*.cruds", cache).await;
    // The token server has read the JWKS just before anything changes.
    practice.client().login().await.unwrap();
    practice
}

#[tokio::test]
async fn keys_are_changed_without_a_refused_request() {
    let practice = practice().await;
    let client = practice.client();
    // Each request with a login of its own, by whatever key signs then.
    let kid = async || {
        practice.tokens().revoke_all();
        client.search("Patient", &[]).await.unwrap();
        client.login().await.unwrap().unwrap().kid
    };
    let old = kid().await;
    practice.hands.forward(30);
    let now = practice.hands.now();
    practice.change_keys(|file| file.rotate(Algorithm::Es384, now, later(now, CACHE)).unwrap());
    for _ in 0..CACHE {
        assert_eq!(kid().await, old);
        practice.hands.forward(1);
    }
    let new = kid().await;
    assert_ne!(new, old, "from its time on the new key signs");
    practice.hands.forward(240);
    let now = practice.hands.now();
    practice.change_keys(|file| assert_eq!(file.retire(now, None), Ok(1)));
    for _ in 0..CACHE / 4 {
        assert_eq!(kid().await, new);
        practice.hands.forward(5);
    }
    let statuses: Vec<_> = practice.running.log().iter().map(|logged| logged.status).collect();
    let refused = statuses.windows(2).filter(|pair| pair == &[Some(401), Some(401)]).count();
    assert_eq!(refused, 0, "no request was refused but for the revoked token");
    assert!(statuses.iter().filter(|status| **status == Some(200)).count() > 70);
}

#[tokio::test]
async fn a_new_key_that_signs_before_it_is_known_is_refused() {
    let practice = practice().await;
    let now = practice.hands.now();
    practice.change_keys(|file| file.rotate(Algorithm::Rs384, now, now).unwrap());
    let client = practice.client();
    let refused = NoToken::Refused(OAuthCode::InvalidClient);
    assert_eq!(why(client.login().await), refused);
    practice.hands.forward(CACHE - 1);
    assert_eq!(why(client.login().await), refused);
    practice.hands.forward(1);
    client.login().await.unwrap();
}
