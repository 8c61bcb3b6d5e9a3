//! TLS beyond what the machine brings: an authority of the clinic's own, and a certificate of ours (mTLS).
//!
//! TLS 1.2 is the oldest version there is here (rustls has no other), and there is no switch that accepts a
//! certificate unseen: whoever has one of their own authority names that authority ([`Tls::with_authorities`]). What the
//! machine trusts already stays trusted, because a token server often has a public certificate.

use std::fmt;

use reqwest::{Certificate, Identity};
use rustls::{AlertDescription, CertificateError};
use secrecy::{ExposeSecret, SecretString};

/// Whom to trust beyond the authorities of this machine, and as whom to come.
#[derive(Clone, Default)]
pub struct Tls {
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
}

/// A text is not what TLS needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPem {
    /// There is no certificate in it.
    #[error("no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    Certificate,
    /// There is no key in it, or no certificate beside it.
    #[error(
        "no private key in PEM form (-----BEGIN PRIVATE KEY-----, not encrypted), or no certificate to it"
    )]
    Key,
}

/// Why no TLS connection was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// Its time is over.
    #[error("the server's certificate has expired")]
    Expired,
    /// Its time has not begun, or our clock is behind.
    #[error("the server's certificate is not valid yet; is the clock of this machine right?")]
    NotYetValid,
    /// Nobody whom we trust vouches for it; a certificate that vouches for itself is among these.
    #[error(
        "the issuer of the server's certificate is not trusted here; name its authority under tls.ca"
    )]
    UnknownIssuer,
    /// It is another host's.
    #[error("the server's certificate is for another name than the one in the URL")]
    WrongName,
    /// It is wrong in another way: revoked, for another purpose, badly signed.
    #[error("the server's certificate was not accepted")]
    Certificate,
    /// The server asks who we are, and got no certificate or one that it does not take.
    #[error("the server did not accept our certificate: look at tls.certificate and tls.key")]
    OurCertificate,
    /// No version or cipher in common: a server older than TLS 1.2. Some servers say the same where they miss a
    /// certificate of ours.
    #[error(
        "no TLS version or cipher in common: the server needs TLS 1.2 or newer, or it wants tls.certificate"
    )]
    Version,
    /// What answers at the port speaks something else.
    #[error("the server does not speak TLS at this port")]
    NotTls,
    /// Our own authorities, certificate or key can't be used.
    #[error("the certificates or the key of this machine can't be used: look at tls")]
    OurFiles,
    /// Something else.
    #[error("the handshake failed")]
    Other,
}

impl Tls {
    /// What the machine trusts, and no certificate of ours.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities of a PEM text as well: one certificate or several.
    ///
    /// # Errors
    /// [`NotPem::Certificate`].
    pub fn with_authorities(mut self, pem: &[u8]) -> Result<Self, NotPem> {
        let found = Certificate::from_pem_bundle(pem).map_err(|_| NotPem::Certificate)?;
        if found.is_empty() {
            return Err(NotPem::Certificate);
        }
        self.authorities.extend(found);
        Ok(self)
    }

    /// Comes with a certificate: its PEM text, those between it and its authority after it, and its key (PKCS #8, PKCS
    /// #1 or SEC1, without a passphrase).
    ///
    /// # Errors
    /// [`NotPem`].
    pub fn with_identity(mut self, certificate: &str, key: &SecretString) -> Result<Self, NotPem> {
        if !certificate.contains("-----BEGIN CERTIFICATE-----") {
            return Err(NotPem::Certificate);
        }
        let both = SecretString::from(format!("{}\n{certificate}", key.expose_secret()));
        let identity = Identity::from_pem(both.expose_secret().as_bytes());
        self.identity = Some(identity.map_err(|_| NotPem::Key)?);
        Ok(self)
    }

    /// The same for the HTTP client.
    pub(super) fn apply(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        let builder = builder
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .tls_certs_merge(self.authorities.iter().cloned());
        match &self.identity {
            Some(identity) => builder.identity(identity.clone()),
            None => builder,
        }
    }

    /// Whether there is anything in it that could be wrong.
    pub(super) const fn is_plain(&self) -> bool {
        self.authorities.is_empty() && self.identity.is_none()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("authorities", &self.authorities.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl TlsFault {
    /// What a failed handshake means.
    pub(super) fn of(error: &rustls::Error) -> Self {
        use rustls::Error;
        match error {
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::NoCertificatesPresented => Self::Certificate,
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::HandshakeFailure,
            ) => Self::Version,
            Error::InvalidMessage(_) => Self::NotTls,
            other => Self::of_our_certificate(other).unwrap_or(Self::Other),
        }
    }

    /// Whether the other side ended the handshake because of our certificate, or because there was none.
    pub(super) fn of_our_certificate(error: &rustls::Error) -> Option<Self> {
        let rustls::Error::AlertReceived(alert) = error else { return None };
        matches!(
            alert,
            AlertDescription::CertificateRequired
                | AlertDescription::NoCertificate
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
        )
        .then_some(Self::OurCertificate)
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            // A bad signature is that of an authority with the right name and another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            // A certificate that an authority would have, which is what `openssl req -x509` makes.
            CertificateError::Other(error)
                if format!("{error:?}").contains("CaUsedAsEndEntity") =>
            {
                Self::UnknownIssuer
            }
            _ => Self::Certificate,
        }
    }
}
