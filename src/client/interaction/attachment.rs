//! The bytes behind an `Attachment.url` (R4 2.24.0.6): a Binary, or whatever else the server keeps there.
//!
//! The URL is the server's word, so it passes the gate: below the base, or not at all. A note that lies elsewhere is
//! for a person to open.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, HeaderValue};

use super::super::address::OutboundUrl;
use super::super::error::Flaw;
use super::super::http::{Interaction, Request};
use super::super::{Client, Error};
use crate::fhir::{Resource, ResourceId};

/// What an attachment holds. `Debug` prints its type and size: the bytes are a patient's.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What the server calls it: `text/plain; charset=utf-8`.
    pub content_type: Option<String>,
    /// Its bytes, at most 16 MiB.
    pub bytes: Vec<u8>,
}

impl Client {
    /// Fetches what an `Attachment.url` names, as the server keeps it.
    ///
    /// # Errors
    /// [`Flaw::ForeignLink`] if it lies on another server or outside of the base: then nothing was asked;
    /// [`Error::TooLarge`]; those of a read.
    pub async fn fetch_attachment(&self, url: &str) -> Result<Attachment, Error> {
        let url = self.base.link(url).ok_or(Error::Incorrect(Flaw::ForeignLink))?;
        self.fetch(url).await
    }

    /// Fetches a Binary as what it is, not as a resource with its bytes in base64.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn read_binary(&self, id: &ResourceId) -> Result<Attachment, Error> {
        self.fetch(self.base.resource(id, &[])).await
    }

    async fn fetch(&self, url: OutboundUrl) -> Result<Attachment, Error> {
        let request = Request::get(Interaction::Attachment, "Binary", url)
            .header(ACCEPT, HeaderValue::from_static("*/*"));
        let answer = self.http.send(request).await?;
        let content_type = answer.content_type().map(str::to_owned);
        Ok(unwrapped(&answer.body).unwrap_or(Attachment { content_type, bytes: answer.body }))
    }
}

/// What a Binary holds, for servers that give the resource whatever is asked for (R4 2.43.2 lets them choose).
fn unwrapped(body: &[u8]) -> Option<Attachment> {
    let binary = body.starts_with(b"{").then(|| Resource::parse(body).ok())??;
    if binary.resource_type() != "Binary" {
        return None;
    }
    let bytes = STANDARD.decode(binary.text("data")?).ok()?;
    Some(Attachment { content_type: binary.text("contentType").map(str::to_owned), bytes })
}

impl fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.content_type.as_deref().unwrap_or("-");
        write!(formatter, "Attachment({kind}, {} bytes)", self.bytes.len())
    }
}
