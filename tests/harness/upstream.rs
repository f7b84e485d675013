//! An HTTP API of a test's own, which remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use futures_util::future::BoxFuture;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query; the whole URL where it was asked as a proxy.
    pub target: String,
    pub headers: http::HeaderMap,
    pub body: Bytes,
    pub version: http::Version,
}

impl Asked {
    /// A header's value; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The value of a query parameter, decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.target.split_once('?')?.1.as_bytes());
        pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

type Answer = Arc<dyn Fn(Asked) -> BoxFuture<'static, Response> + Send + Sync>;

/// A running API; it ends with the test's runtime.
pub struct Upstream {
    pub port: u16,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Upstream {
    /// Answers each request by a function.
    pub async fn start<R: IntoResponse>(answer: impl Fn(&Asked) -> R + Send + Sync + 'static) -> Upstream {
        let answer = Arc::new(answer);
        Upstream::waiting(move |asked| {
            let answer = answer.clone();
            Box::pin(async move { answer(&asked).into_response() })
        })
        .await
    }

    /// Answers each request by a future.
    pub async fn waiting(answer: impl Fn(Asked) -> BoxFuture<'static, Response> + Send + Sync + 'static) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Upstream::on(listener, port, "http", Arc::new(answer))
    }

    /// One that says yes to everything.
    pub async fn ok() -> Upstream {
        Upstream::start(|_| json("{\"ok\":true}")).await
    }

    /// The same over TLS, as `localhost`; where clients are known by an authority, they have to show its certificate.
    pub async fn tls(authority: &Authority, clients: Option<&Authority>) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cert, key) = authority.issue("localhost");
        let chain: Vec<_> = CertificateDer::pem_slice_iter(cert.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let builder = ServerConfig::builder();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(clients.pem().as_bytes()).unwrap()).unwrap();
                builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
            }
        };
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let answer: Answer = Arc::new(|_| Box::pin(async { json("{\"ok\":true}") }));
        Upstream::on(Secure { listener, acceptor }, port, "https", answer)
    }

    fn on<L: Listener<Addr: std::fmt::Debug>>(
        listener: L,
        port: u16,
        scheme: &'static str,
        answer: Answer,
    ) -> Upstream {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new().fallback(handle).with_state((answer, asked.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Upstream { port, scheme, asked }
    }

    /// A URL of it; over TLS by its name.
    pub fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}{path}", self.scheme, self.port)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The last request; there has to be one.
    pub fn last(&self) -> Asked {
        self.asked().pop().expect("nothing was asked")
    }

    /// The targets of all requests so far.
    pub fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }

    /// Methods and targets of all requests so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|asked| format!("{} {}", asked.method, asked.target)).collect()
    }
}

async fn handle(State((answer, all)): State<(Answer, Arc<Mutex<Vec<Asked>>>)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
    let (method, target) = (parts.method.to_string(), parts.uri.to_string());
    let asked = Asked { method, target, headers: parts.headers, body, version: parts.version };
    all.lock().unwrap().push(asked.clone());
    answer(asked).await
}

/// Connections that begin with a TLS handshake; those that don't come through it are passed over.
struct Secure {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Who issues certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    pub fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let response = Response::builder().status(status);
    let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
    response.body(body.into()).unwrap()
}

pub fn json(body: impl Into<Body>) -> Response {
    answer(200, &[("content-type", "application/json")], body)
}

/// An answer that is put together.
#[derive(Debug)]
pub struct Reply(Response);

impl Reply {
    pub fn new(status: u16, media: &str, body: impl Into<Body>) -> Reply {
        Reply(answer(status, &[("content-type", media)], body))
    }

    /// 200 and JSON.
    pub fn json(value: &Value) -> Reply {
        Reply(json(value.to_string()))
    }

    /// 404 and nothing.
    pub fn nothing() -> Reply {
        Reply::new(404, "text/plain", "")
    }

    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Reply {
        self.0.headers_mut().insert(name, value.as_ref().parse().unwrap());
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.0
    }
}
