//! How the connection to a database server is kept from others.

use super::choice;
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{At, FromNode, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// TLS to a database server. Files are PEM.
    pub struct DatabaseTls as "tls" {
        "mode" => mode: Option<Spanned<TlsMode>>,
        /// The certificates that may vouch for the server's, in place of the well-known ones.
        "ca" => ca: Option<Spanned<Text>>,
        /// Our own certificate.
        "cert" => cert: Option<Spanned<Text>>,
        /// The key of our own certificate.
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

impl FromNode for Spanned<TlsMode> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [
            ("disable", TlsMode::Disable),
            ("prefer", TlsMode::Prefer),
            ("require", TlsMode::Require),
            ("verify-ca", TlsMode::VerifyCa),
            ("verify-full", TlsMode::VerifyFull),
        ];
        choice(node, at, &words, sink)
    }
}
