//! Operations (R4 3.2): `$everything`, `$validate`, `$match` and what else a server has.
//!
//! A GET is asked only of operations that change nothing (R4 3.2.0.1), so its outcome is never in doubt; a POST may have
//! changed something, and an answer that tells nothing leaves that open.

use reqwest::Method;

use super::super::address::OutboundUrl;
use super::super::http::{Interaction, Request};
use super::super::{Client, Error, Unsent};
use crate::fhir::resource::is_resource_type;
use crate::fhir::{Resource, ResourceId};

/// What an operation is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level<'a> {
    /// The whole server.
    System,
    /// A resource type.
    Type(&'a str),
    /// One resource.
    Instance(&'a ResourceId),
}

impl<'a> Level<'a> {
    fn resource_type(self) -> &'a str {
        match self {
            Self::System => "-",
            Self::Type(name) => name,
            Self::Instance(id) => id.resource_type(),
        }
    }
}

impl Client {
    /// Asks for an operation by POST, with a Parameters resource or whatever resource it takes. The name comes with
    /// or without its `$`.
    ///
    /// What comes back is judged by the caller: an OperationOutcome with errors is what `$validate` is for.
    ///
    /// # Errors
    /// [`Error::NotSent`] if the name is none; [`Error::Ambiguous`] also for an answer that is no resource.
    pub async fn operation(
        &self,
        level: Level<'_>,
        name: &str,
        parameters: &Resource,
    ) -> Result<Resource, Error> {
        let interaction = Interaction::Operation;
        let url = self.operation_url(level, name)?;
        let (kind, body) = (level.resource_type(), parameters.to_text());
        let request = Request::with_body(interaction, Method::POST, kind, url, body);
        self.http.send(request).await?.into_any_resource(interaction)
    }

    /// Asks for an operation by GET: one that changes nothing and takes simple parameters, which stand in the URL and
    /// so must not identify a person.
    ///
    /// # Errors
    /// [`Error::NotSent`] if the name is none; those of a read.
    pub async fn operation_by_get(
        &self,
        level: Level<'_>,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Resource, Error> {
        let interaction = Interaction::OperationByGet;
        let url = self.operation_url(level, name)?.with_query(parameters);
        let request = Request::get(interaction, level.resource_type(), url);
        self.http.send(request).await?.into_any_resource(interaction)
    }

    fn operation_url(&self, level: Level<'_>, name: &str) -> Result<OutboundUrl, Error> {
        let name = name.strip_prefix('$').unwrap_or(name);
        if !is_operation_name(name) {
            return Err(Error::NotSent(Unsent::Request));
        }
        let name = format!("${name}");
        match level {
            Level::System => Ok(self.base.below(&[&name])),
            Level::Type(kind) if is_resource_type(kind) => Ok(self.base.below(&[kind, &name])),
            Level::Type(_) => Err(Error::NotSent(Unsent::Request)),
            Level::Instance(id) => Ok(self.base.resource(id, &[&name])),
        }
    }
}

/// Whether a text has the form of an operation's code: small letter first, then letters, digits, `-`.
fn is_operation_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
