//! What sends: pools of connections, and the one that stays off private networks.

use std::fmt;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Proxy, redirect};
use url::Host;

use super::address;
use super::tls::Tls;

/// How long connecting may take that does not say otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without requests is kept that does not say otherwise.
const IDLE: Duration = Duration::from_secs(60);
/// What we call ourselves.
const USER_AGENT: &str = concat!("mcp-declare/", env!("CARGO_PKG_VERSION"));

/// How a source's connections are made; the same for all of its clients.
#[derive(Clone, Default, PartialEq)]
pub struct Connections {
    /// How long making one may take.
    pub connect_timeout: Option<Duration>,
    /// Nothing but HTTP/2, or nothing but HTTP/1.1.
    pub http2: Option<bool>,
    /// Connections without a request that are kept to one host.
    pub max_idle: Option<usize>,
    /// For how long.
    pub idle_timeout: Option<Duration>,
    /// The URL of a proxy.
    pub proxy: Option<String>,
    /// Whom to trust, and what to show.
    pub tls: Tls,
}

/// Whom a client talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Whether it speaks TLS: the machine's certificates are loaded then, and have to be there.
    pub tls: bool,
    /// Whether that is the source itself: it alone sees the source's certificate, and for it the source's authorities
    /// stand in place of the machine's.
    pub home: bool,
    /// Whether it connects to addresses that are not on the internet.
    pub private: bool,
}

/// A client. It follows no redirects, keeps no cookies and uses no proxy of the environment.
///
/// # Errors
/// If this machine has no certificates, in words for the spec's author.
pub fn build(connections: &Connections, reach: Reach) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .gzip(true)
        .tcp_nodelay(true)
        .connect_timeout(connections.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
        .pool_idle_timeout(connections.idle_timeout.unwrap_or(IDLE));
    if let Some(idle) = connections.max_idle {
        builder = builder.pool_max_idle_per_host(idle);
    }
    builder = match connections.http2 {
        Some(true) => builder.http2_prior_knowledge(),
        Some(false) => builder.http1_only(),
        None => builder,
    };
    if let Some(proxy) = &connections.proxy {
        builder = builder.proxy(Proxy::all(proxy).map_err(super::fault::chain)?);
    }
    let authorities = connections.tls.authorities().map_err(super::fault::chain)?;
    builder = match (reach, authorities.is_empty()) {
        (Reach { tls: false, .. }, _) => builder.tls_certs_only([]),
        (Reach { home: true, .. }, false) => builder.tls_certs_only(authorities),
        (_, _) => builder.tls_certs_merge(authorities),
    };
    if let (true, Some(identity)) = (reach.home, connections.tls.identity().map_err(super::fault::chain)?) {
        builder = builder.identity(identity);
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
    type Shared = LazyLock<Result<Client, String>>;
    fn any(tls: bool) -> Result<Client, String> {
        build(&Connections::default(), Reach { tls, home: true, private: true })
    }
    static SECURE: Shared = LazyLock::new(|| any(true));
    static PLAIN: Shared = LazyLock::new(|| any(false));
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
