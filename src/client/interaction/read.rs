//! capabilities, read and vread.

use super::super::answer::version as valid_version;
use super::super::http::{Interaction, Request};
use super::super::{Client, Error, Unsent, Versioned};
use crate::fhir::{Capability, Resource, ResourceId};

impl Client {
    /// What the server says that it can do, and its whole statement.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn capabilities(&self) -> Result<(Capability, Resource), Error> {
        self.statement(|request| request).await
    }

    /// The same without telling who asks: most servers show their statement to everybody, and a login that fails hides
    /// nothing of it.
    ///
    /// # Errors
    /// Those of a read; [`Error::Unauthorized`] where only known clients may see it.
    pub async fn capabilities_openly(&self) -> Result<(Capability, Resource), Error> {
        self.statement(Request::openly).await
    }

    /// The statement that everybody may see, or else the one that is shown to us.
    ///
    /// # Errors
    /// Those of [`Client::capabilities`].
    pub async fn visible_capabilities(&self) -> Result<(Capability, Resource), Error> {
        match self.capabilities_openly().await {
            Err(Error::Unauthorized | Error::Forbidden) => self.capabilities().await,
            other => other,
        }
    }

    async fn statement(
        &self,
        asked: impl FnOnce(Request<'static>) -> Request<'static>,
    ) -> Result<(Capability, Resource), Error> {
        let interaction = Interaction::Capabilities;
        let url = self.base.below(&["metadata"]);
        let request = asked(Request::get(interaction, "CapabilityStatement", url));
        let answer = self.http.send(request).await?;
        let statement = answer.into_resource(interaction, "CapabilityStatement")?;
        Ok((Capability::from_statement(&statement), statement))
    }

    /// A resource as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; [`Error::Incorrect`] if the answer is another resource.
    pub async fn read(&self, id: &ResourceId) -> Result<Versioned, Error> {
        let request =
            Request::get(Interaction::Read, id.resource_type(), self.base.resource(id, &[]));
        self.http.send(request).await?.into_versioned(Interaction::Read, id)
    }

    /// A resource as it was at a version.
    ///
    /// # Errors
    /// Those of [`Client::read`]; [`Error::NotSent`] if the version is none that FHIR allows.
    pub async fn vread(&self, id: &ResourceId, version: &str) -> Result<Versioned, Error> {
        let version = valid_version(version).ok_or(Error::NotSent(Unsent::Request))?;
        let url = self.base.resource(id, &["_history", &version]);
        let request = Request::get(Interaction::Vread, id.resource_type(), url);
        let versioned = self.http.send(request).await?.into_versioned(Interaction::Vread, id)?;
        Ok(Versioned { version: Some(version), ..versioned })
    }
}
