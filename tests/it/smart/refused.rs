//! Wrong assertions and wrong token requests: the sandbox refuses each, and takes the right one beside it.

use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ipt_fhir::sandbox::{Config, Error, Running, Sandbox, Smart, SmartClient};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::Hands;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const RFC_7523: &str = "invalid_client";

pub(super) fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A sandbox that knows one client with an RSA and an EC key, and what it takes to log in there.
struct Desk {
    running: Running,
    http: reqwest::Client,
    hands: Hands,
    rsa: EncodingKey,
    ec: EncodingKey,
    _directory: tempfile::TempDir,
}

/// An assertion in parts, to be spoilt.
struct Parts {
    header: Value,
    claims: Value,
}

fn rsa_key() -> EncodingKey {
    let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let pkcs8 = pair.as_der().unwrap();
    // Version, algorithm and the head of the OCTET STRING stand before the PKCS#1 key.
    EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..])
}

fn ec_key() -> EncodingKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
}

fn public(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

impl Desk {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (rsa, ec) = (rsa_key(), ec_key());
        let mut encrypting = public(&rsa, Algorithm::RS384, "encrypting");
        encrypting["use"] = json!("enc");
        let keys = [
            public(&rsa, Algorithm::RS384, "rsa"),
            public(&ec, Algorithm::ES384, "ec"),
            encrypting,
            public(&rsa, Algorithm::RS384, "twice"),
            public(&ec, Algorithm::ES384, "twice"),
        ];
        let jwks = directory.path().join("jwks.json");
        std::fs::write(&jwks, json!({ "keys": keys }).to_string()).unwrap();
        let client = |id: &str| SmartClient {
            id: id.to_owned(),
            jwks: jwks.clone(),
            scope: "system/*.cruds".to_owned(),
        };
        let smart = Smart {
            clients: vec![client("ipt"), client("other")],
            token_lifetime: Duration::from_mins(5),
            jwks_cache: Duration::ZERO,
        };
        let hands = Hands::at("2026-03-02T10:00:00Z");
        let config = Config { smart: Some(smart), clock: hands.clock(0), ..Config::default() };
        let running = Sandbox::start(config).await.unwrap();
        Self { running, http: http(), hands, rsa, ec, _directory: directory }
    }

    fn url(&self) -> &str {
        self.running.token_server().unwrap().url()
    }

    /// A right assertion.
    fn parts(&self, algorithm: &str) -> Parts {
        let now = self.hands.now().as_second();
        let kid = if algorithm == "ES384" { "ec" } else { "rsa" };
        Parts {
            header: json!({ "alg": algorithm, "typ": "JWT", "kid": kid }),
            claims: json!({
                "iss": "ipt", "sub": "ipt", "aud": self.url(), "iat": now, "exp": now + 240,
                "jti": uuid::Uuid::new_v4().to_string(),
            }),
        }
    }

    fn sign(parts: &Parts, key: &EncodingKey, algorithm: Algorithm) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&parts.header), part(&parts.claims));
        let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    fn rs384(&self, parts: &Parts) -> String {
        Self::sign(parts, &self.rsa, Algorithm::RS384)
    }

    /// A right assertion, spoilt and then signed as if nothing were wrong.
    fn spoilt(&self, spoil: impl FnOnce(&mut Parts)) -> String {
        let mut parts = self.parts("RS384");
        spoil(&mut parts);
        self.rs384(&parts)
    }

    /// Status and `error` of the answer to a form.
    async fn post(&self, form: &[(&str, &str)]) -> (u16, String) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.url()).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, String) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let text = answer.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body.get("access_token").is_some(), status == 200, "{text}");
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    }

    async fn ask(&self, assertion: &str) -> (u16, String) {
        self.post(&form(assertion)).await
    }
}

fn form(assertion: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("scope", "system/Patient.rs"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ]
}

#[tokio::test]
async fn right_assertions_get_a_token() {
    let desk = Desk::open().await;
    let right = (200, String::new());
    assert_eq!(desk.ask(&desk.rs384(&desk.parts("RS384"))).await, right);
    let es384 = Desk::sign(&desk.parts("ES384"), &desk.ec, Algorithm::ES384);
    assert_eq!(desk.ask(&es384).await, right);
    for spoil in [
        |parts: &mut Parts| parts.claims["aud"] = json!([parts.claims["aud"]]),
        |parts: &mut Parts| drop(parts.claims.as_object_mut().unwrap().remove("iat")),
        |parts: &mut Parts| {
            parts.claims["exp"] = json!(parts.claims["iat"].as_i64().unwrap() + 300);
        },
        |parts: &mut Parts| parts.claims["jti"] = json!("j".repeat(151)),
    ] {
        assert_eq!(desk.ask(&desk.spoilt(spoil)).await, right);
    }
    let jwt = desk.rs384(&desk.parts("RS384"));
    let without_scope: Vec<_> =
        form(&jwt).into_iter().filter(|(name, _)| *name != "scope").collect();
    assert_eq!(desk.post(&without_scope).await, right);
}

#[tokio::test]
async fn wrong_algorithms_and_headers_are_refused() {
    let desk = Desk::open().await;
    let mut wrong: Vec<(&str, String)> = Vec::new();
    // none, unsigned and with a signature left over.
    let mut none = desk.parts("RS384");
    none.header["alg"] = json!("none");
    let signed = desk.rs384(&none);
    wrong.push(("none, unsigned", format!("{}.", signed.rsplit_once('.').unwrap().0)));
    wrong.push(("none, signed", signed));
    wrong.push(("None", desk.spoilt(|parts| parts.header["alg"] = json!("None"))));
    // HMAC with the public key as the secret: what the server knows, everybody knows.
    for (name, algorithm) in
        [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
    {
        let public = public(&desk.rsa, Algorithm::RS384, "rsa");
        let modulus = URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
        for secret in [modulus, public["n"].as_str().unwrap().as_bytes().to_vec(), vec![]] {
            let mut parts = desk.parts("RS384");
            parts.header["alg"] = json!(name);
            wrong.push((name, Desk::sign(&parts, &EncodingKey::from_secret(&secret), algorithm)));
        }
    }
    for (name, algorithm) in
        [("RS256", Algorithm::RS256), ("RS512", Algorithm::RS512), ("PS384", Algorithm::PS384)]
    {
        let mut parts = desk.parts("RS384");
        parts.header["alg"] = json!(name);
        wrong.push((name, Desk::sign(&parts, &desk.rsa, algorithm)));
    }
    // Said one thing, done another.
    wrong.push(("RS384 by RS256", Desk::sign(&desk.parts("RS384"), &desk.rsa, Algorithm::RS256)));
    let mut mixed = desk.parts("ES384");
    mixed.header["kid"] = json!("rsa");
    wrong.push(("ES384 with an RSA kid", Desk::sign(&mixed, &desk.ec, Algorithm::ES384)));
    for (name, value) in [
        ("alg", Value::Null),
        ("alg", json!(["RS384"])),
        ("typ", Value::Null),
        ("typ", json!("jwt")),
        ("typ", json!("at+jwt")),
        ("typ", json!("JOSE")),
        ("kid", Value::Null),
        ("kid", json!("")),
        ("kid", json!("unknown")),
        ("kid", json!("../rsa")),
        ("kid", json!(7)),
        ("kid", json!("encrypting")),
        ("kid", json!("twice")),
        ("kid", json!("ec")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("x5u", json!("http://127.0.0.1:9/cert.pem")),
        ("x5c", json!(["MII"])),
        ("jwk", public(&desk.rsa, Algorithm::RS384, "rsa")),
        ("zip", json!("DEF")),
    ] {
        let jwt = desk.spoilt(|parts| {
            if value.is_null() {
                parts.header.as_object_mut().unwrap().remove(name);
            } else {
                parts.header[name] = value.clone();
            }
        });
        wrong.push((name, jwt));
    }
    // A key that the assertion brings itself, and one that nobody registered.
    let own = rsa_key();
    let mut brought = desk.parts("RS384");
    brought.header["jwk"] = public(&own, Algorithm::RS384, "own");
    brought.header["kid"] = json!("own");
    wrong.push(("jwk of its own", Desk::sign(&brought, &own, Algorithm::RS384)));
    wrong.push(("another RSA key", Desk::sign(&desk.parts("RS384"), &own, Algorithm::RS384)));
    wrong.push(("another EC key", Desk::sign(&desk.parts("ES384"), &ec_key(), Algorithm::ES384)));
    for (what, jwt) in wrong {
        assert_eq!(desk.ask(&jwt).await, (401, RFC_7523.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn wrong_claims_are_refused() {
    let desk = Desk::open().await;
    let now = desk.hands.now().as_second();
    let url = desk.url().to_owned();
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("other")),
        ("iss", json!("nobody")),
        ("sub", Value::Null),
        ("sub", json!("other")),
        ("aud", Value::Null),
        ("aud", json!("https://elsewhere.example/token")),
        ("aud", json!(format!("{url}/"))),
        ("aud", json!(url.to_uppercase())),
        ("aud", json!(url.replace("127.0.0.1", "localhost"))),
        ("aud", json!(desk.running.base_url())),
        ("aud", json!([])),
        ("aud", json!([url, "https://elsewhere.example/token"])),
        ("exp", Value::Null),
        ("exp", json!(now)),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 301)),
        ("exp", json!(now + 600)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(-1)),
        ("exp", json!(format!("{}", now + 240))),
        ("exp", serde_json::from_str(&format!("{}.5", now + 240)).unwrap()),
        ("iat", json!(now + 120)),
        ("nbf", json!(now + 120)),
        ("nbf", json!("soon")),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!("j".repeat(152))),
    ] {
        let jwt = desk.spoilt(|parts| {
            if value.is_null() {
                parts.claims.as_object_mut().unwrap().remove(name);
            } else {
                parts.claims[name] = value.clone();
            }
        });
        assert_eq!(desk.ask(&jwt).await, (401, RFC_7523.to_owned()), "{name} {value}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let desk = Desk::open().await;
    let jwt = desk.rs384(&desk.parts("RS384"));
    assert_eq!(desk.ask(&jwt).await.0, 200);
    assert_eq!(desk.ask(&jwt).await, (401, RFC_7523.to_owned()));
    // The same jti under another signature is the same; another client's is another.
    let again = |iss: &'static str| {
        desk.spoilt(|parts| {
            parts.claims["jti"] = json!("the-same");
            parts.claims["iss"] = json!(iss);
            parts.claims["sub"] = json!(iss);
        })
    };
    assert_eq!(desk.ask(&again("ipt")).await.0, 200);
    desk.hands.forward(1);
    assert_eq!(desk.ask(&again("ipt")).await, (401, RFC_7523.to_owned()));
    assert_eq!(desk.ask(&again("other")).await.0, 200);
    desk.hands.forward(120);
    assert_eq!(desk.ask(&again("ipt")).await, (401, RFC_7523.to_owned()), "as long as it is valid");
}

#[tokio::test]
async fn broken_assertions_are_refused() {
    let desk = Desk::open().await;
    let right = desk.rs384(&desk.parts("RS384"));
    let parts: Vec<&str> = right.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { panic!() };
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"RS384","typ":"JWT","kid":"rsa"}"#);
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[10] ^= 1;
    for jwt in [
        String::new(),
        "..".to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}. {signature}"),
        format!("{header}.{claims}.{}", URL_SAFE.encode(flipped)),
        format!("{header}.{claims}.{}", signature.get(..20).unwrap()),
        format!("{header}.{header}.{signature}"),
        format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode("words")),
        format!("{twice}.{claims}.{signature}"),
        // Another client's words under a right signature of ours.
        format!("{header}.{}.{signature}", claims.replace('a', "b")),
    ] {
        assert_eq!(desk.ask(&jwt).await, (401, RFC_7523.to_owned()), "{jwt}");
    }
    assert_eq!(desk.ask(&right).await.0, 200, "nothing of that used it up");
}

#[tokio::test]
async fn wrong_forms_are_refused() {
    let desk = Desk::open().await;
    let jwt = || desk.rs384(&desk.parts("RS384"));
    for (name, value, error) in [
        ("grant_type", "authorization_code", "unsupported_grant_type"),
        ("grant_type", "Client_Credentials", "unsupported_grant_type"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
            "invalid_request",
        ),
        ("client_assertion_type", "", "invalid_request"),
        ("scope", "user/Patient.rs", "invalid_scope"),
        ("scope", "", "invalid_scope"),
        ("scope", "system/Patient.rs?_id=1", "invalid_scope"),
    ] {
        let jwt = jwt();
        let changed = form(&jwt).map(|pair| if pair.0 == name { (name, value) } else { pair });
        assert_eq!(desk.post(&changed).await, (400, error.to_owned()), "{name}={value}");
    }
    for name in ["grant_type", "client_assertion_type", "client_assertion"] {
        let jwt = jwt();
        let without: Vec<_> = form(&jwt).into_iter().filter(|pair| pair.0 != name).collect();
        assert_eq!(desk.post(&without).await.0, 400, "{name}");
        let twice: Vec<_> = form(&jwt).into_iter().chain(form(&jwt)).collect();
        assert_eq!(desk.post(&twice).await, (400, "invalid_request".to_owned()));
    }
    for (id, expected) in [("other", (401, RFC_7523.to_owned())), ("ipt", (200, String::new()))] {
        let jwt = jwt();
        let form: Vec<_> = form(&jwt).into_iter().chain([("client_id", id)]).collect();
        assert_eq!(desk.post(&form).await, expected, "{id}");
    }
    let body =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form(&jwt())).finish();
    let kind = "application/x-www-form-urlencoded";
    let post = |url: &str| desk.http.post(url).body(body.clone());
    assert_eq!(desk.send(post(desk.url()).header("content-type", "text/plain")).await.0, 400);
    assert_eq!(desk.send(post(desk.url())).await.0, 400);
    let queried = format!("{}?{body}", desk.url());
    assert_eq!(desk.send(post(&queried).header("content-type", kind)).await.0, 400);
    let basic = post(desk.url()).header("content-type", kind).header("authorization", "Basic eDp5");
    assert_eq!(desk.send(basic).await.0, 400);
    let large = "x".repeat(70 << 10);
    let large = desk.http.post(desk.url()).header("content-type", kind).body(large);
    assert_eq!(desk.send(large).await.0, 400);
    assert_eq!(desk.send(desk.http.get(desk.url())).await.0, 405);
    let rebound = post(desk.url()).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status().as_u16(), 421);
}

#[tokio::test]
async fn private_or_unreadable_keys_are_not_registered() {
    let directory = tempfile::tempdir().unwrap();
    let start = async |text: &str, scope: &str| {
        let jwks = directory.path().join("jwks.json");
        std::fs::write(&jwks, text).unwrap();
        let client = SmartClient { id: "ipt".to_owned(), jwks, scope: scope.to_owned() };
        let smart = Smart {
            clients: vec![client],
            token_lifetime: Duration::from_mins(5),
            jwks_cache: Duration::ZERO,
        };
        Sandbox::start(Config { smart: Some(smart), ..Config::default() }).await
    };
    let good = json!({ "keys": [public(&ec_key(), Algorithm::ES384, "ec")] });
    let mut private = good.clone();
    private["keys"][0]["d"] = json!("AQAB");
    for text in ["", "{}", "{\"keys\":[]}", "words", &private.to_string()] {
        let refused = start(text, "system/*.cruds").await;
        assert!(matches!(refused, Err(Error::Jwks)), "{text}");
    }
    for scope in ["", "openid", "system/*.cruds user/*.rs"] {
        let refused = start(&good.to_string(), scope).await;
        assert!(matches!(refused, Err(Error::Scope)), "{scope}");
    }
    start(&good.to_string(), "system/*.cruds").await.unwrap().stop().await.unwrap();
}
