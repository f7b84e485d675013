//! What sends: a pool of connections, and the one that stays off private networks.

use std::fmt;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};
use url::Host;

use super::address;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without requests is kept.
const IDLE: Duration = Duration::from_secs(60);
/// What we call ourselves.
const USER_AGENT: &str = concat!("mcp-declare/", env!("CARGO_PKG_VERSION"));

/// What a client may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Whether it speaks TLS: the machine's certificates are loaded then, and have to be there.
    pub tls: bool,
    /// Whether it connects to addresses that are not on the internet.
    pub private: bool,
}

/// A client. It follows no redirects and uses no proxy.
///
/// # Errors
/// If this machine has no certificates, in words for the spec's author.
pub fn build(reach: Reach) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .gzip(true)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE);
    if !reach.tls {
        builder = builder.tls_certs_only([]);
    }
    if !reach.private {
        builder = builder.dns_resolver(PublicOnly);
    }
    builder.build().map_err(super::fault::chain)
}

/// The client of all actions that have no source, with TLS or without.
///
/// # Errors
/// Those of [`build`].
pub fn shared(tls: bool) -> Result<Client, String> {
    static SECURE: LazyLock<Result<Client, String>> = LazyLock::new(|| build(Reach { tls: true, private: true }));
    static PLAIN: LazyLock<Result<Client, String>> = LazyLock::new(|| build(Reach { tls: false, private: true }));
    if tls { SECURE.clone() } else { PLAIN.clone() }
}

/// Whether the host is written as an address that is not on the internet. The decimal, octal and hexadecimal forms
/// have become plain addresses by then: a [`url::Url`] holds no others. Names are for [`PublicOnly`].
pub fn is_private_literal(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(v4) => !address::is_public((*v4).into()),
        Host::Ipv6(v6) => !address::is_public((*v6).into()),
        Host::Domain(_) => false,
    }
}

/// Finds the addresses of a name and keeps those on the internet. The client connects to just what this gives, so no
/// second look-up can give another address.
#[derive(Debug)]
struct PublicOnly;

/// A name stands for nothing but addresses that are not on the internet.
#[derive(Debug)]
pub struct PrivateAddress;

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name stands for a private address")
    }
}

impl std::error::Error for PrivateAddress {}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|a| address::is_public(a.ip())).collect();
            match public.is_empty() {
                true => Err(PrivateAddress.into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}
