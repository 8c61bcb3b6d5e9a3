//! A proxy before an EHR that makes it another one: what the sandbox would not do, and what no right server does.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;

/// One request, and the answer that the EHR gave.
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What happens to a request on its way there.
pub(crate) enum Before {
    Pass,
    Answer(u16, String),
}

type There = Box<dyn FnMut(&str, &str) -> Before + Send>;
type Back = Box<dyn FnMut(&mut Exchange<'_>) + Send>;

struct Rules {
    upstream: String,
    http: reqwest::Client,
    there: Mutex<There>,
    back: Mutex<Back>,
}

/// Starts a proxy before the server at this base URL; its own base URL.
pub(crate) async fn proxy(
    upstream: &str,
    there: impl FnMut(&str, &str) -> Before + Send + 'static,
    back: impl FnMut(&mut Exchange<'_>) + Send + 'static,
) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (origin, path) = upstream.split_at(upstream.find("/fhir").unwrap());
    let base_url = format!("http://{}{path}", listener.local_addr().unwrap());
    let rules = Arc::new(Rules {
        upstream: origin.to_owned(),
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        there: Mutex::new(Box::new(there)),
        back: Mutex::new(Box::new(back)),
    });
    let router = Router::new().fallback(pass).with_state(rules);
    tokio::spawn(async move { axum::serve(listener, router).await });
    base_url
}

async fn pass(State(rules): State<Arc<Rules>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let (method, uri) = (parts.method.clone(), parts.uri.to_string());
    let path = parts.uri.path().trim_start_matches("/fhir").trim_start_matches('/').to_owned();
    if let Before::Answer(status, body) = rules.there.lock().unwrap()(method.as_str(), &path) {
        return answer(status, &HeaderMap::new(), body);
    }
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
    headers.remove("host");
    headers.remove("accept-encoding");
    let url = format!("{}{uri}", rules.upstream);
    let sent = rules.http.request(method.clone(), url).headers(headers).body(body).send().await;
    let sent = sent.unwrap();
    let (status, headers) = (sent.status().as_u16(), sent.headers().clone());
    let body = sent.text().await.unwrap();
    let mut exchange = Exchange { method: method.as_str(), path: &path, status, headers, body };
    rules.back.lock().unwrap()(&mut exchange);
    answer(exchange.status, &exchange.headers, exchange.body)
}

fn answer(status: u16, headers: &HeaderMap, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for name in ["content-type", "etag", "location", "last-modified"] {
        if let Some(value) = headers.get(name) {
            let name: axum::http::HeaderName = name.parse().unwrap();
            response.headers_mut().insert(name, value.clone());
        }
    }
    if response.headers().get("content-type").is_none() {
        let json = "application/fhir+json".parse().unwrap();
        response.headers_mut().insert("content-type", json);
    }
    response
}
