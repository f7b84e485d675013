//! MCP over streamable HTTP, for clients of both eras on one endpoint: with sessions up to 2025-11-25, without
//! from 2026-07-28 on.
//!
//! A request passes [`guard`] (who may ask), then [`mend`] (what rmcp would refuse or misname), then rmcp; [`routes`]
//! is its way.

mod accept;
mod batch;
mod connections;
mod direct;
mod fault;
mod guard;
mod listen;
mod mend;
mod origins;
mod routes;
mod sessions;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use connections::Connections;
pub use direct::Direct;
pub use fault::HttpFault;
use guard::Guard;
pub use listen::Listen;
use listen::Listener;
use mend::Mend;
use origins::Allowed;
use routes::Routes;
use sessions::Sessions;
use tls::Tls;
pub use tls::{TlsFault, TlsFiles};

/// How long answers may take to leave when everything else has ended.
const FLUSH: Duration = Duration::from_secs(2);

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The address or socket to listen on.
    pub listen: Listen,
    /// The certificate and key to serve TLS with.
    pub tls: Option<TlsFiles>,
    /// The path of the MCP endpoint, from its first `/`.
    pub path: String,
    /// Names that `Host` may have besides the loopback ones: `example.com` (any port) or `example.com:8443`.
    /// Where `listen` is not a loopback address, `Host` may also be an IP address. On a Unix socket, it may be
    /// anything as long as none is named here.
    pub allowed_hosts: Vec<String>,
    /// Web origins that may call besides the loopback ones: `https://example.com` (its default port),
    /// `https://example.com:8443` or `https://example.com:*`.
    pub allowed_origins: Vec<String>,
    /// The longest request body, in bytes.
    pub max_body_bytes: usize,
    /// The most connections at a time; more wait to be accepted.
    pub max_connections: usize,
    /// How long the head of a request may take to arrive, counted from the connection's beginning or the last answer.
    pub head_timeout: Duration,
    /// The most sessions of clients up to 2025-11-25. A new one takes the place of the longest unused; 503 if all
    /// are in use.
    pub max_sessions: usize,
    /// How long a session may go unused.
    pub session_idle: Duration,
    /// How long calls in flight may go on after `closing`.
    pub grace: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            listen: Listen::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000)),
            tls: None,
            path: "/mcp".into(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            max_body_bytes: 4 * 1024 * 1024,
            max_connections: 4096,
            head_timeout: Duration::from_secs(60),
            max_sessions: 1024,
            session_idle: Duration::from_secs(4 * 60 * 60),
            grace: Duration::from_secs(10),
        }
    }
}

/// A server that is bound to its address and does not serve yet.
#[derive(Debug)]
pub struct HttpServer {
    config: HttpConfig,
    allowed: Allowed,
    tls: Option<Tls>,
    listener: Listener,
}

impl HttpServer {
    /// Checks `config` and takes the address.
    ///
    /// # Errors
    ///
    /// When the address can't be listened on, a path, host or origin of `config` is none, or its files hold no
    /// certificate and key.
    pub async fn bind(config: HttpConfig) -> Result<HttpServer, HttpFault> {
        if !is_plain_path(&config.path) {
            return Err(HttpFault::Path(config.path));
        }
        let allowed = Allowed::new(&config.listen, &config.allowed_hosts, &config.allowed_origins)?;
        let tls = match config.tls.clone() {
            Some(files) => Some(Tls::new(files).await.map_err(HttpFault::Tls)?),
            None => None,
        };
        let listener = Listener::bind(&config.listen).await?;
        Ok(HttpServer { config, allowed, tls, listener })
    }

    /// The address with the port that was taken; None on a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr()
    }

    /// The endpoint's URL as seen from this machine; on a Unix socket followed by where that is.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.listener.url(scheme, &self.config.path)
    }

    /// Serves until `closing` is cancelled, then ends in order: `listen` handlers return (they watch `closing`
    /// too), calls in flight finish within the grace period, sessions and their streams end.
    ///
    /// `make` gives the handler of each session and of each stateless request, and one that answers plain calls. `extra` are further routes, under
    /// the same Host and Origin checks; it must not hold the endpoint's own path. Handlers find the client's
    /// address as `axum::extract::ConnectInfo<SocketAddr>` in the request's extensions, except over a Unix socket.
    pub async fn run<H: Direct>(
        self,
        make: impl Fn() -> H + Send + Sync + 'static,
        extra: Router,
        closing: CancellationToken,
    ) {
        let stop = CancellationToken::new();
        let _stopped_at_the_end = stop.clone().drop_guard();
        let calls = TaskTracker::new();
        let sessions = Arc::new(Sessions::new(self.config.max_sessions, self.config.session_idle));
        let handler = make();
        let service =
            StreamableHttpService::new(move || Ok(make()), sessions.clone(), rmcp_config(&self.config, &stop));
        let endpoint = Mend {
            endpoint: service,
            handler,
            max_body_bytes: self.config.max_body_bytes,
            sessions: sessions.clone(),
            calls: calls.clone(),
            stop: stop.clone(),
        };
        let routes = Routes { guard: Guard::new(self.allowed), path: self.config.path, endpoint, extra };

        let tls = self.tls.clone();
        let following = async {
            match tls {
                Some(tls) => tls.follow(tls::LOOK).await,
                None => std::future::pending().await,
            }
        };
        let serving = Connections::new(routes, self.tls, self.config.head_timeout, closing.clone())
            .serve(self.listener, self.config.max_connections);
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            () = &mut serving => return,
            () = wind_down(&closing, &calls, self.config.grace) => stop.cancel(),
            () = following => {}
            () = sessions.expire() => {}
        }
        // A client that does not read its answer is left behind.
        let _ = timeout(FLUSH, serving).await;
    }
}

/// Waits for `closing`, then for the calls in flight. Only then may rmcp be stopped: it would answer them with
/// status 500 and cut off streams without their result.
async fn wind_down(closing: &CancellationToken, calls: &TaskTracker, grace: Duration) {
    closing.cancelled().await;
    calls.close();
    if timeout(grace, calls.wait()).await.is_err() {
        tracing::warn!(calls = calls.len(), "calls in flight did not finish in time and are cut off");
    }
}

fn rmcp_config(config: &HttpConfig, stop: &CancellationToken) -> StreamableHttpServerConfig {
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(true)
        .with_json_response(true)
        .with_max_request_body_bytes(config.max_body_bytes)
        .with_cancellation_token(stop.clone())
        // The guard checks Host and Origin, for all routes.
        .disable_allowed_hosts()
        .disable_allowed_origins()
}

/// Whether `path` can stand in a URL as it is, and means nothing but itself to the router.
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte))
}
