//! Bundles: building transactions, batches and collections, and reading what comes back.

use crate::json::{Object, Value};
use crate::object;

use super::Resource;
use super::resource::Error;

/// A Bundle, read: its type, links and entries. The tree it came from is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// `Bundle.type`: `searchset`, `transaction-response`, …
    pub kind: String,
    /// `Bundle.total`, where the server gave it.
    pub total: Option<u64>,
    /// `Bundle.link` as (relation, url) pairs.
    pub links: Vec<(String, String)>,
    /// The entries in order.
    pub entries: Vec<Entry>,
}

/// One entry of a Bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// `fullUrl`.
    pub full_url: Option<String>,
    /// `resource`.
    pub resource: Option<Resource>,
    /// `request`, in a transaction, batch or history.
    pub request: Option<Request>,
    /// `response`, in an answer to one.
    pub response: Option<Response>,
    /// `search.mode`, in a searchset.
    pub search_mode: Option<String>,
}

/// `Bundle.entry.request`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `method`: GET, POST, PUT, DELETE, …
    pub method: String,
    /// `url`, relative to the base.
    pub url: String,
    /// `ifNoneExist`: the search of a conditional create.
    pub if_none_exist: Option<String>,
    /// `ifMatch`.
    pub if_match: Option<String>,
}

/// `Bundle.entry.response`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// `status`: the number, and maybe a phrase that means nothing.
    pub status: String,
    /// `location`.
    pub location: Option<String>,
    /// `etag`, quoted or bare.
    pub etag: Option<String>,
    /// `lastModified`.
    pub last_modified: Option<String>,
    /// `outcome`.
    pub outcome: Option<Resource>,
}

impl Response {
    /// The number of the status, whatever phrase follows it.
    pub fn code(&self) -> Option<u16> {
        self.status.split_whitespace().next()?.parse().ok()
    }
}

impl Bundle {
    /// A Bundle of a type with entries.
    pub fn new(kind: &str, entries: Vec<Entry>) -> Self {
        Self { kind: kind.to_owned(), total: None, links: Vec::new(), entries }
    }

    /// Reads a Bundle.
    ///
    /// # Errors
    /// [`Error::NotAResource`] if it is none, an entry holds something else than a resource, or a next link can't be
    /// read: a page that is passed over in silence would be absence that nobody proved.
    pub fn from_resource(resource: Resource) -> Result<Self, Error> {
        if resource.resource_type() != "Bundle" {
            return Err(Error::NotAResource);
        }
        let kind = resource.text("type").unwrap_or_default().to_owned();
        let total = resource.get("total").and_then(Value::as_u64);
        if resource.get("link").is_some_and(|link| link.as_array().is_none()) {
            return Err(Error::NotAResource);
        }
        let mut links = Vec::new();
        for link in resource.items("link") {
            match (link.text("relation"), link.text("url")) {
                (Some(relation), Some(url)) => links.push((relation.to_owned(), url.to_owned())),
                (Some("next"), None) | (None, _) => return Err(Error::NotAResource),
                (Some(_), None) => {}
            }
        }
        let mut object = resource.into_value();
        let entries = match object.as_object_mut().and_then(|object| object.remove("entry")) {
            Some(Value::Array(items)) => {
                items.into_iter().map(Entry::from_value).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(Error::NotAResource),
            None => Vec::new(),
        };
        Ok(Self { kind, total, links, entries })
    }

    /// The link of a relation; `prev` and `previous` are the same (R5 and R4 servers write either).
    pub fn link(&self, relation: &str) -> Option<&str> {
        self.links.iter().find(|(name, _)| name == relation).map(|(_, url)| url.as_str())
    }

    /// The Bundle as a resource.
    pub fn into_resource(self) -> Resource {
        let links: Vec<Object> = self
            .links
            .into_iter()
            .map(|(relation, url)| object! { "relation" => relation, "url" => url })
            .collect();
        let entries: Vec<Object> = self.entries.into_iter().map(Entry::into_object).collect();
        Resource::new("Bundle").with(object! {
            "type" => self.kind,
            "total" => self.total,
            "link" => links,
            "entry" => entries,
        })
    }
}

impl Entry {
    fn from_value(value: Value) -> Result<Self, Error> {
        let Value::Object(mut object) = value else { return Err(Error::NotAResource) };
        let text = |value: &Value, name: &str| value.text(name).map(str::to_owned);
        let resource = object.remove("resource").map(Resource::from_value).transpose()?;
        let request = object.get("request").map(|request| Request {
            method: text(request, "method").unwrap_or_default(),
            url: text(request, "url").unwrap_or_default(),
            if_none_exist: text(request, "ifNoneExist"),
            if_match: text(request, "ifMatch"),
        });
        let response = object.get("response").map(|response| Response {
            status: text(response, "status").unwrap_or_default(),
            location: text(response, "location"),
            etag: text(response, "etag"),
            last_modified: text(response, "lastModified"),
            outcome: response
                .get("outcome")
                .cloned()
                .and_then(|value| Resource::from_value(value).ok()),
        });
        Ok(Self {
            full_url: object.get("fullUrl").and_then(Value::as_str).map(str::to_owned),
            resource,
            request,
            response,
            search_mode: object.get("search").and_then(|search| text(search, "mode")),
        })
    }

    fn into_object(self) -> Object {
        let request = self.request.map(|request| {
            object! {
                "method" => request.method,
                "url" => request.url,
                "ifMatch" => request.if_match,
                "ifNoneExist" => request.if_none_exist,
            }
        });
        let response = self.response.map(|response| {
            object! {
                "status" => response.status,
                "location" => response.location,
                "etag" => response.etag,
                "lastModified" => response.last_modified,
                "outcome" => response.outcome.map(Resource::into_value),
            }
        });
        object! {
            "fullUrl" => self.full_url,
            "resource" => self.resource.map(Resource::into_value),
            "search" => self.search_mode.map(|mode| object! { "mode" => mode }),
            "request" => request,
            "response" => response,
        }
    }
}
