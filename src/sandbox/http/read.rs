//! Reading a request: its path, parameters, conditions and body, and whether the client takes JSON.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, Uri, header};

use crate::fhir::Resource;
use crate::json::{self, ErrorKind, Limits};
use crate::sandbox::answer::Refusal;
use crate::sandbox::interaction::{Method, Request, Returning};
use crate::sandbox::personality::Personality;
use crate::sandbox::running::Shared;

use super::{below_base, check_host, query_of};

/// Reads what is asked.
pub(super) async fn read(
    shared: &Shared,
    uri: &Uri,
    method: &axum::http::Method,
    headers: &HeaderMap,
    body: Body,
) -> Result<Request, Refusal> {
    check_host(shared, headers)?;
    let no_such = Refusal::new(404, "not-found", "the path is not below the base of this server");
    let path = below_base(shared, uri).ok_or(no_such)?.to_owned();
    let method = Method::parse(method.as_str()).ok_or(Refusal::new(
        405,
        "not-supported",
        "the method is not one of FHIR's",
    ))?;
    let mut query: Vec<(String, String)> = query_of(uri).collect();
    check_acceptable(&query, all(headers, header::ACCEPT)?)?;

    let bytes = to_bytes(body, Limits::BUNDLE.bytes).await.map_err(|_| {
        Refusal::new(413, "too-long", "the body is too large, or did not come whole")
    })?;
    let content_type = all(headers, header::CONTENT_TYPE)?.unwrap_or_default();
    let mut resource = None;
    let mut patch = None;
    if method == Method::Patch {
        patch = json::parse_with(&bytes, Limits::RESOURCE).ok();
    } else if method == Method::Post && path.ends_with("/_search") {
        query.extend(form(&bytes, &content_type)?);
    } else if matches!(method, Method::Post | Method::Put) {
        resource = Some(parse(&bytes, &content_type, path.is_empty())?);
    }
    let if_none_exist = HeaderName::from_static("if-none-exist");
    if headers.get_all(&if_none_exist).iter().count() > 1 {
        return Err(Refusal::invalid("If-None-Exist can be sent only once"));
    }
    let prefer = all(headers, HeaderName::from_static("prefer"))?.unwrap_or_default();
    let idempotency = shared.behaviour().personality.and_then(Personality::pack);
    let idempotency = idempotency.and_then(|pack| pack.writes.idempotency_header.as_ref());
    let key = idempotency.and_then(|header| headers.get(&header.value)?.to_str().ok());
    let prefers = |wanted: &str| {
        prefer.split([',', ';']).any(|one| one.trim().replace('"', "").eq_ignore_ascii_case(wanted))
    };
    let returning = match () {
        () if prefers("return=minimal") => Returning::Minimal,
        () if prefers("return=representation") => Returning::Representation,
        () if prefers("return=OperationOutcome") => Returning::OperationOutcome,
        () => Returning::Unsaid,
    };
    Ok(Request {
        method,
        path,
        query,
        if_match: all(headers, header::IF_MATCH)?,
        if_none_match: all(headers, header::IF_NONE_MATCH)?,
        if_none_exist: all(headers, if_none_exist)?,
        returning,
        strict: prefers("handling=strict"),
        lenient: prefers("handling=lenient"),
        idempotency_key: key.map(str::to_owned),
        no_cache: all(headers, header::CACHE_CONTROL)?
            .is_some_and(|said| said.contains("no-cache")),
        body: resource,
        patch,
    })
}

/// All values of a header, joined by commas. A condition that can't be read must never count as absent.
fn all(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Refusal> {
    let values = headers.get_all(name).iter().map(|value| value.to_str());
    let values = values
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Refusal::invalid("a header that is not ASCII text"))?;
    Ok((!values.is_empty()).then(|| values.join(", ")))
}

/// Refuses a client that does not take JSON (R4 2.6, 3.1.0.1.10); `_format` goes before `Accept`.
fn check_acceptable(query: &[(String, String)], accept: Option<String>) -> Result<(), Refusal> {
    let format = query.iter().find(|(name, _)| name == "_format");
    // A `+` that a client did not escape came as a space.
    let format = format.map(|(_, value)| value.replace(' ', "+"));
    let takes_json = match format.or(accept) {
        None => true,
        Some(wanted) => wanted.split(',').any(|one| {
            let (media_type, parameters) = media_type(one);
            let is_json = matches!(
                media_type.as_str(),
                "*/*"
                    | "application/*"
                    | "application/fhir+json"
                    | "application/json"
                    | "text/json"
                    | "json"
            );
            is_json
                && parameters.iter().all(|(name, value)| match name.as_str() {
                    "q" => value.chars().any(|digit| digit.is_ascii_digit() && digit != '0'),
                    "fhirversion" => value.starts_with("4.0"),
                    _ => true,
                })
        }),
    };
    if takes_json {
        Ok(())
    } else {
        Err(Refusal::new(406, "not-supported", "this server writes FHIR R4 as JSON only"))
    }
}

/// A media type in lower case, with its parameters.
fn media_type(text: &str) -> (String, Vec<(String, String)>) {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let parameters = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    });
    (name, parameters.collect())
}

/// The resource in a body.
fn parse(bytes: &Bytes, content_type: &str, is_bundle: bool) -> Result<Resource, Refusal> {
    let (name, parameters) = media_type(content_type);
    let is_json =
        matches!(name.as_str(), "application/fhir+json" | "application/json" | "text/json");
    let in_utf8 = |(name, value): &(String, String)| match name.as_str() {
        "charset" => value == "utf-8",
        "fhirversion" => value.starts_with("4.0"),
        _ => true,
    };
    if !is_json || !parameters.iter().all(in_utf8) {
        return Err(Refusal::new(
            415,
            "not-supported",
            "this server reads FHIR R4 as JSON in UTF-8 only",
        ));
    }
    let limits = if is_bundle { Limits::BUNDLE } else { Limits::RESOURCE };
    let value = json::parse_with(bytes, limits).map_err(|error| match error.kind {
        ErrorKind::TooLarge => Refusal::new(413, "too-long", "the body is too large"),
        _ => Refusal {
            text: format!(
                "the body is not JSON that can be read: {error}, at line {} and column {}",
                error.position.line, error.position.column
            )
            .into(),
            ..Refusal::new(400, "structure", "")
        },
    })?;
    Resource::from_value(value)
        .map_err(|_| Refusal::new(400, "structure", "the body is no object with a resourceType"))
}

/// The parameters in the body of a search by POST.
fn form(bytes: &Bytes, content_type: &str) -> Result<Vec<(String, String)>, Refusal> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    if media_type(content_type).0 != "application/x-www-form-urlencoded" {
        return Err(Refusal::new(415, "not-supported", "a search by POST is a form"));
    }
    Ok(url::form_urlencoded::parse(bytes).into_owned().collect())
}
