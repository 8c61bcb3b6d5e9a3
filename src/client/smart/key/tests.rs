//! Keys in every form that they come in, what is refused of them, and which one signs when.

use super::*;
use crate::client::smart::{KeyFile, Rotation};

const PUBLISHED: &str = include_str!("../../../../fixtures/jwk/published.json");

fn published(name: &str) -> Value {
    json::parse(PUBLISHED.as_bytes()).unwrap().get(name).unwrap().clone()
}

fn parse(text: &str) -> Result<Keys, KeyFault> {
    Keys::parse(&SecretString::from(text))
}

fn parse_jwk(jwk: &Value) -> Result<Keys, KeyFault> {
    parse(&jwk.to_text())
}

/// A JWK with another member.
fn with(jwk: &Value, name: &str, value: impl crate::json::IntoMember) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().put(name.to_owned(), value);
    jwk
}

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn only(keys: &Keys) -> &Key {
    assert_eq!(keys.iter().len(), 1);
    keys.iter().next().unwrap()
}

/// What a signature with the key and its public part say of each other.
fn signs(key: &Key) {
    let algorithm = key.algorithm.jose();
    let public: Jwk = serde_json::from_str(&Value::Object(key.to_public()).to_text()).unwrap();
    let signature = jsonwebtoken::crypto::sign(b"words", &key.signing, algorithm).unwrap();
    let verifying = jsonwebtoken::DecodingKey::from_jwk(&public).unwrap();
    let holds = |words: &[u8]| {
        jsonwebtoken::crypto::verify(&signature, words, &verifying, algorithm).unwrap()
    };
    assert!(holds(b"words") && !holds(b"other words"));
}

#[test]
fn published_private_keys_are_read() {
    for (name, algorithm) in [("rsa-2048", Algorithm::Rs384), ("ec-p384", Algorithm::Es384)] {
        let jwk = published(name);
        let keys = parse_jwk(&jwk).unwrap();
        let key = only(&keys);
        assert_eq!((Some(key.kid()), key.algorithm()), (jwk.text("kid"), algorithm));
        let public = Value::Object(key.to_public());
        for member in ["n", "e", "x", "y", "crv", "kty"] {
            assert_eq!(public.text(member), jwk.text(member), "{name} {member}");
        }
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(public.get(member).is_none(), "{name} {member}");
        }
        signs(key);
    }
    assert_eq!(parse_jwk(&published("ec-p256")).unwrap_err(), KeyFault::Unsupported);
}

#[test]
fn a_key_without_kid_is_named_by_its_thumbprint() {
    let keys = parse_jwk(&without(&published("rsa-2048"), "kid")).unwrap();
    // RFC 7638 3.1, of the very same key.
    assert_eq!(only(&keys).kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn pem_is_read_in_all_its_forms_and_is_the_same_key() {
    let rsa = parse_jwk(&without(&published("rsa-2048"), "kid")).unwrap();
    let pkcs1 = only(&rsa).signing.as_bytes();
    let pkcs8 = RsaKeyPair::from_der(pkcs1).unwrap().as_der().unwrap();
    let ec = parse_jwk(&without(&published("ec-p384"), "kid")).unwrap();
    let ec_pkcs8 = only(&ec).signing.as_bytes();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, ec_pkcs8).unwrap();
    let sec1 = pair.private_key().as_der().unwrap();
    for (label, der, same) in [
        ("RSA PRIVATE KEY", pkcs1, only(&rsa)),
        ("PRIVATE KEY", pkcs8.as_ref(), only(&rsa)),
        ("PRIVATE KEY", ec_pkcs8, only(&ec)),
        ("EC PRIVATE KEY", sec1.as_ref(), only(&ec)),
    ] {
        let keys = parse(&pem(label, der)).unwrap();
        let key = only(&keys);
        assert_eq!((key.kid(), key.algorithm()), (same.kid(), same.algorithm()), "{label}");
        signs(key);
        let before = format!("words before\n{}", pem(label, der));
        assert_eq!(only(&parse(&before).unwrap()).kid(), same.kid());
    }
    for (label, der) in
        [("ENCRYPTED PRIVATE KEY", pkcs1), ("PUBLIC KEY", pkcs1), ("CERTIFICATE", pkcs1)]
    {
        assert_eq!(parse(&pem(label, der)).unwrap_err(), KeyFault::NotAKey, "{label}");
    }
    for (label, der) in
        [("PRIVATE KEY", pkcs1), ("RSA PRIVATE KEY", ec_pkcs8), ("EC PRIVATE KEY", pkcs1)]
    {
        assert_eq!(parse(&pem(label, der)).unwrap_err(), KeyFault::Unsupported, "{label}");
    }
    assert_eq!(parse(WEAK).unwrap_err(), KeyFault::Weak);
}

#[test]
fn what_smart_does_not_take_is_refused() {
    let (rsa, ec) = (published("rsa-2048"), published("ec-p384"));
    for (jwk, fault) in [
        (without(&rsa, "d"), KeyFault::Public),
        (without(&ec, "d"), KeyFault::Public),
        (without(&rsa, "qi"), KeyFault::Incomplete),
        (without(&rsa, "p"), KeyFault::Incomplete),
        (without(&ec, "y"), KeyFault::Incomplete),
        (without(&rsa, "kty"), KeyFault::Unsupported),
        (with(&rsa, "kty", "oct"), KeyFault::Unsupported),
        (with(&rsa, "oth", true), KeyFault::Unsupported),
        (with(&ec, "crv", "P-521"), KeyFault::Unsupported),
        (with(&rsa, "n", rsa.text("p").unwrap()), KeyFault::Weak),
        (with(&rsa, "d", rsa.text("p").unwrap()), KeyFault::Inconsistent),
        (with(&ec, "x", ec.text("y").unwrap()), KeyFault::Inconsistent),
        (with(&ec, "d", ec.text("x").unwrap()), KeyFault::Inconsistent),
        (with(&ec, "d", "AQAB"), KeyFault::Incomplete),
        (with(&ec, "d", "+/=="), KeyFault::Incomplete),
        (with(&ec, "d", 7_u64), KeyFault::Incomplete),
        (with(&rsa, "alg", "RS256"), KeyFault::Facts),
        (with(&rsa, "alg", "ES384"), KeyFault::Facts),
        (with(&rsa, "use", "enc"), KeyFault::Facts),
        (with(&rsa, "kid", " "), KeyFault::Facts),
        (with(&rsa, "kid", "two words"), KeyFault::Facts),
        (with(&rsa, "kid", "k".repeat(257)), KeyFault::Facts),
        (with(&rsa, "kid", 7_u64), KeyFault::Facts),
        (with(&rsa, SIGNS_FROM, "tomorrow"), KeyFault::SignsFrom),
        (with(&rsa, SIGNS_FROM, 7_u64), KeyFault::SignsFrom),
    ] {
        assert_eq!(parse_jwk(&jwk).unwrap_err(), fault, "{:?}", jwk.text("kid"));
    }
    for (text, fault) in [
        ("", KeyFault::NotAKey),
        ("words", KeyFault::NotAKey),
        ("{\"keys\":[]}", KeyFault::Empty),
        ("{\"keys\":7}", KeyFault::NotAKey),
        ("{\"keys\":[7]}", KeyFault::Public),
        ("{", KeyFault::NotAKey),
    ] {
        assert_eq!(parse(text).unwrap_err(), fault, "{text}");
    }
    // One bad key spoils the set, and no two keys share a name.
    let set = |keys: &[&Value]| {
        let keys: Vec<Value> = keys.iter().map(|key| (*key).clone()).collect();
        parse_jwk(&Value::Object(object! { "keys" => keys }))
    };
    assert_eq!(set(&[&rsa, &ec]).unwrap().iter().len(), 2);
    assert_eq!(set(&[&rsa, &rsa]).unwrap_err(), KeyFault::Facts);
    assert_eq!(set(&[&rsa, &without(&ec, "d")]).unwrap_err(), KeyFault::Public);
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn which_key_signs_is_decided_by_file_and_time() {
    let (rsa, ec) = (published("rsa-2048"), published("ec-p384"));
    let at = |jwk: &Value, kid: &str, from: Option<&str>| {
        let jwk = with(jwk, "kid", kid);
        match from {
            Some(from) => with(&jwk, SIGNS_FROM, format!("2026-03-{from}T00:00:00Z")),
            None => jwk,
        }
    };
    let keys = vec![
        at(&ec, "third", Some("20")),
        at(&rsa, "first", None),
        at(&rsa, "second", Some("10")),
        at(&rsa, "fourth", Some("30")),
    ];
    let keys = parse_jwk(&Value::Object(object! { "keys" => keys })).unwrap();
    let kid = |now: &str, algorithm| keys.signing(moment(now), algorithm).unwrap().kid();
    for (now, any, rsa) in [
        ("2000-01-01T00:00:00Z", "first", "first"),
        ("2026-03-09T23:59:59Z", "first", "first"),
        ("2026-03-10T00:00:00Z", "second", "second"),
        ("2026-03-20T00:00:00Z", "third", "second"),
        ("2026-03-30T00:00:00Z", "fourth", "fourth"),
        ("2036-01-01T00:00:00Z", "fourth", "fourth"),
    ] {
        assert_eq!(kid(now, None), any, "{now}");
        assert_eq!(kid(now, Some(Algorithm::Rs384)), rsa, "{now}");
        // Before its time, if there is no other.
        assert_eq!(kid(now, Some(Algorithm::Es384)), "third", "{now}");
    }
    let only_rsa = parse_jwk(&rsa).unwrap();
    let other = only_rsa.signing(moment("2026-03-10T00:00:00Z"), Some(Algorithm::Es384));
    assert_eq!(other.unwrap_err(), KeyFault::OtherAlgorithm);
    let later = parse_jwk(&Value::Object(
        object! { "keys" => vec![at(&rsa, "b", Some("20")), at(&rsa, "a", Some("10"))] },
    ));
    assert_eq!(later.unwrap().signing(moment("2026-01-01T00:00:00Z"), None).unwrap().kid(), "a");
}

#[test]
fn a_rotation_goes_by_publishing_waiting_signing_retiring() {
    let (start, switch) = (moment("2026-03-10T00:00:00Z"), moment("2026-03-11T00:00:00Z"));
    let mut file = KeyFile::generate(Algorithm::Es384).unwrap();
    let old = only(&file.keys().unwrap()).kid().to_owned();
    assert_eq!(file.retire(start, None).unwrap_err(), Rotation::NothingOld);
    file.rotate(Algorithm::Rs384, start, switch).unwrap();
    // It goes through the file's text.
    let mut file = KeyFile::parse(&file.to_text()).unwrap();
    let keys = file.keys().unwrap();
    let new = keys.iter().last().unwrap().kid().to_owned();
    assert_eq!(keys.public_jwks().items("keys").len(), 2, "both are public at once");
    let public = keys.public_jwks().to_text();
    assert!(!public.contains(SIGNS_FROM) && !public.contains("\"d\""), "{public}");
    let kid = |now: &str| keys.signing(moment(now), None).unwrap().kid().to_owned();
    assert_eq!(kid("2026-03-10T23:59:59Z"), old);
    assert_eq!(kid("2026-03-11T00:00:00Z"), new);
    let pending = Rotation::Pending { from: switch };
    assert_eq!(file.rotate(Algorithm::Rs384, start, switch).unwrap_err(), pending);
    assert_eq!(file.retire(start, None).unwrap_err(), pending);
    let in_use = Rotation::InUse { until: moment("2026-03-11T00:04:00Z") };
    assert_eq!(file.retire(switch, None).unwrap_err(), in_use);
    let after = moment("2026-03-11T00:04:00Z");
    assert_eq!(file.rotate(Algorithm::Rs384, after, after).unwrap_err(), Rotation::OldKeyThere);
    assert_eq!(file.retire(after, None), Ok(1));
    assert_eq!(only(&file.keys().unwrap()).kid(), new);
    file.rotate(Algorithm::Es384, after, moment("2026-03-12T00:04:00Z")).unwrap();
    assert_eq!(file.keys().unwrap().iter().len(), 2);
}

#[test]
fn what_is_no_jwks_is_not_rotated() {
    let jwk = published("ec-p384");
    let file = KeyFile::parse(&SecretString::from(jwk.to_text()));
    assert_eq!(file.err(), Some(Rotation::NotAJwks));
    let rsa = parse_jwk(&published("rsa-2048")).unwrap();
    let text = pem("RSA PRIVATE KEY", only(&rsa).signing.as_bytes());
    assert_eq!(KeyFile::parse(&SecretString::from(text)).err(), Some(Rotation::NotAJwks));
    let broken = KeyFile::parse(&SecretString::from("{\"keys\":[]}"));
    assert_eq!(broken.err(), Some(Rotation::Key(KeyFault::Empty)));
    // Members of others stay.
    let keys = vec![with(&with(&jwk, "ext", true), "key_ops", vec!["sign"])];
    let set = Value::Object(object! { "keys" => keys, "of" => "somebody" });
    let mut file = KeyFile::parse(&SecretString::from(set.to_text())).unwrap();
    let now = moment("2026-03-10T00:00:00Z");
    file.rotate(Algorithm::Es384, now, now).unwrap();
    let text = file.to_text();
    let kept = json::parse(text.expose_secret().as_bytes()).unwrap();
    assert_eq!(kept.text("of"), Some("somebody"));
    assert_eq!(kept.items("keys").next().and_then(|key| key.get("ext")?.as_bool()), Some(true));
}

#[test]
fn no_debug_and_no_error_holds_a_part_of_a_key() {
    for name in ["rsa-2048", "ec-p384"] {
        let jwk = published(name);
        let keys = parse_jwk(&jwk).unwrap();
        let broken = parse_jwk(&with(&jwk, "alg", "none")).unwrap_err();
        let text = format!("{keys:?} {broken} {broken:?}");
        for member in ["d", "p", "q", "dp", "dq", "qi", "n", "x", "y"] {
            let Some(secret) = jwk.text(member) else { continue };
            assert!(!text.contains(secret.get(..16).unwrap()), "{member} in {text}");
        }
    }
}

/// An RSA key of 1024 bits, made to be refused.
const WEAK: &str = "-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDCvsNcgZpXAuHu30cH7Sza6LoGw+t74CpLI5qivKg7Y0AoH+xu
kKoS9COV3IoExoY7fIA/Bw5XKjgWaDKhV5KOa7gQwjycz75YxXAqhWAahaNTM4Vx
2vSeqQ97WvpyZXFd6aJVdiGaMq7eYCuKLhFQvgsGbsH8osxVq2wr6O75NwIDAQAB
AoGAU6kT0Be1MBAC81Vj9FnFXT2BPQrJjOvd/22KLsMRGoImu5YLQexPw9ixuN2H
RUnrvH5dsbXcSUHP2oBkz78JK/nUL0yyIPnsOeJ99zAWU8/IRh6rifhpU7/pq+rL
1TwQFIITdODFx24FqZfWRCzVHwHBZPRH73hl1zR4TCVL4QECQQDmyq7dMQZeQtQn
c8AGkimJcx70+y3MHOYtBPgIsG9ckt2oUVdFvWMo8thNhJ9skyZFO2JON8+x6DoS
n0Ycl+PBAkEA2AQoqATvR6mjghKDt+l1DHIOLE2OYiO3mbBi37i1OBE3OFCVi+VZ
icB2621ABL/7PFcLm02jPGLY9jA9kOi69wJBANr+ml0DBwLssPlaqWzSxp1JYqed
rEBRb8xqOZ2tJY6XQcNUo9ZmNjCF9t/fp5NUMe1hww9rgCZVsL0460N4kUECQGR9
yswfP5F/AWnJYy1zldgsVxuVGN/e7dK5k8WwD939ZEr2chuanoTO3IO5V0beaOox
NF0TSRUWhwhAeOOo4RECQB87E5NO1zEt8R96HySezKzG8AYhLtNKwz+gnhrB0890
NLEMm2cMXMml0qfiC83oSNrzDYbE0QPInazYWotgcR8=
-----END RSA PRIVATE KEY-----
";
