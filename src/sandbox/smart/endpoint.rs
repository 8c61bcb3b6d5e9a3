//! The two documents of the login: `.well-known/smart-configuration`, and the token URL (RFC 6749 4.4, 5).
//!
//! Both are outside of the FHIR interactions: they are neither counted nor broken with those, and need no token.

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::assertion::check;
use super::scope::{Scope, intersection};
use super::{Granted, TokenServer};
use crate::json::{Object, Value};
use crate::object;
use crate::sandbox::behaviour::random;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const LONGEST: usize = 64 << 10;

/// Whether a path is one of the login's.
pub(in crate::sandbox) fn is_own(server: &TokenServer, path: &str) -> bool {
    let origin = server.url.trim_end_matches("/token");
    let below = path.strip_suffix("/.well-known/smart-configuration");
    path == "/token" || below.is_some() && server.base.strip_prefix(origin) == below
}

/// Answers a request to a path of the login.
pub(in crate::sandbox) async fn answer(
    server: &TokenServer,
    parts: &Parts,
    body: Body,
    now: Timestamp,
) -> Response {
    let (status, document) = if parts.uri.path() != "/token" {
        (200, configuration(server))
    } else if parts.method != axum::http::Method::POST {
        (405, error("invalid_request", "the token URL takes POST"))
    } else {
        server.state().requests += 1;
        if server.state().is_down {
            (503, error("temporarily_unavailable", "taken down on purpose"))
        } else {
            match token(server, parts, body, now).await {
                Ok(document) => (200, document),
                Err((status, code, why)) => (status, error(code, why)),
            }
        }
    };
    let mut response = Response::new(Body::from(Value::Object(document).to_text()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok();
    for (name, value) in [
        (header::CONTENT_TYPE, Some("application/json".to_owned())),
        (header::CACHE_CONTROL, Some("no-store".to_owned())),
        // By this server's own clock, from which clients learn how far theirs is off.
        (header::DATE, date),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn configuration(server: &TokenServer) -> Object {
    let scopes = server.clients.values().flat_map(|client| &client.scopes).map(Scope::text);
    object! {
        "issuer" => &server.base,
        "token_endpoint" => &server.url,
        "grant_types_supported" => vec!["client_credentials"],
        "token_endpoint_auth_methods_supported" => vec!["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported" => vec!["RS384", "ES384"],
        "scopes_supported" => scopes.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        "capabilities" => vec!["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }
}

fn error(code: &'static str, why: &'static str) -> Object {
    object! { "error" => code, "error_description" => why }
}

/// Status, code of RFC 6749 5.2, and what is wrong.
type Refused = (u16, &'static str, &'static str);

async fn token(
    server: &TokenServer,
    parts: &Parts,
    body: Body,
    now: Timestamp,
) -> Result<Object, Refused> {
    let invalid = |why| (400, "invalid_request", why);
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(invalid("a token request is a form"));
    }
    if parts.uri.query().is_some() || parts.headers.contains_key(header::AUTHORIZATION) {
        return Err(invalid("a token request says all in its form"));
    }
    let bytes = to_bytes(body, LONGEST).await.map_err(|_| invalid("the form is too large"))?;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).into_owned().collect();
    let mut names: Vec<&String> = form.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(invalid("a parameter is there twice"));
    }
    let field = |wanted: &str| {
        form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    if field("grant_type") != Some("client_credentials") {
        return Err((400, "unsupported_grant_type", "grant_type is client_credentials"));
    }
    if field("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(invalid("client_assertion_type is that of RFC 7523"));
    }
    let jwt = field("client_assertion").ok_or(invalid("client_assertion is missing"))?;
    let refused = |why| (401, "invalid_client", why);
    let assertion =
        check(jwt, &server.url, now, |client| server.jwks(client, now)).map_err(refused)?;
    if field("client_id").is_some_and(|id| id != assertion.client) {
        return Err(refused("client_id is not iss"));
    }
    let allowed = server.clients.get(&assertion.client).map(|client| client.scopes.clone());
    let mut allowed = allowed.unwrap_or_default();
    let mut state = server.state();
    state.seen.retain(|_, until| *until > now.as_second());
    if state.seen.insert((assertion.client, assertion.jti), assertion.exp).is_some() {
        return Err(refused("jti was used before"));
    }
    if let Some(narrowed) = &state.narrowed {
        allowed = intersection(&allowed, narrowed);
    }
    let granted = match field("scope").filter(|_| !state.grants_registered) {
        // As Epic does it: all that is registered.
        None => allowed,
        Some(asked) => {
            let asked: Vec<Scope> =
                asked.split_ascii_whitespace().filter_map(Scope::parse).collect();
            intersection(&asked, &allowed)
        }
    };
    if granted.is_empty() {
        return Err((400, "invalid_scope", "none of the scopes is granted"));
    }
    state.tokens.retain(|_, token| token.until > now);
    let token = format!("{}{}", random(), random());
    let until = now.checked_add(state.lifetime).unwrap_or(Timestamp::MAX);
    let spelt = |scope: &Scope| {
        if state.grants_registered { scope.in_v1() } else { scope.text().to_owned() }
    };
    let scope: Vec<String> = granted.iter().map(spelt).collect();
    let scope = state.says_scope.then(|| scope.join(" "));
    let document = object! {
        "access_token" => &token,
        "token_type" => "bearer",
        "expires_in" => state.lifetime.as_secs(),
        "scope" => scope,
    };
    state.tokens.insert(token, Granted { scopes: granted, until });
    Ok(document)
}
