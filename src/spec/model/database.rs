//! How the connection to a database server is kept from others.

use crate::spec::read::{Choice, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// TLS to a database server. Files are PEM.
    pub struct DatabaseTls as "tls" {
        /// How sure one wants to be of the server, in PostgreSQL's words.
        /// Example: `verify-full`
        "mode" => mode: Option<Spanned<TlsMode>>,
        /// The certificates that may vouch for the server's, in place of the well-known ones.
        /// Example: `./ca.pem`
        "ca" => ca: Option<Spanned<Text>>,
        /// Our own certificate.
        /// Example: `./client.pem`
        "cert" => cert: Option<Spanned<Text>>,
        /// The key of our own certificate.
        /// Example: `./client.key`
        "key" => key: Option<Spanned<Text>>,
    }
}

/// How sure one wants to be of the server, in PostgreSQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS if the server has it.
    Prefer,
    /// TLS, with whomever.
    Require,
    /// TLS with a server that is vouched for.
    VerifyCa,
    /// TLS with a server that is vouched for by its name.
    VerifyFull,
}

impl Choice for TlsMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("disable", TlsMode::Disable),
        ("prefer", TlsMode::Prefer),
        ("require", TlsMode::Require),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify-full", TlsMode::VerifyFull),
    ];
}
