//! TLS: a certificate and its key from PEM files, read again when they change.

mod fault;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

pub use fault::TlsFault;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};

/// How often the files are looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// How long a client may take to agree on a key.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The two files of a server's identity, both PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its authority.
    pub cert: PathBuf,
    /// Its private key (PKCS #8, PKCS #1 or SEC 1), not encrypted.
    pub key: PathBuf,
}

/// Answers TLS handshakes with the certificate that the files held last.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    identity: Arc<Identity>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tls").field("files", &self.identity.files).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Identity {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// What tells one state of the files from another.
type State = [Option<(SystemTime, u64)>; 2];

impl Tls {
    pub(super) async fn new(files: TlsFiles) -> Result<Tls, TlsFault> {
        let current = load(&files).await?;
        let identity = Arc::new(Identity { files, current: RwLock::new(Arc::new(current)) });
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsFault::Versions)?
            .with_no_client_auth()
            .with_cert_resolver(identity.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), identity })
    }

    /// None for a client that does not agree, or not in time.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Option<TlsStream<S>> {
        match tokio::time::timeout(HANDSHAKE, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(fault)) => {
                tracing::debug!(%fault, "a TLS handshake failed");
                None
            }
            Err(_) => None,
        }
    }

    /// Looks at the files this often and reads them again when they change. A pair that does not fit is told, and
    /// the old one stays. Never returns.
    pub(super) async fn follow(self, look: Duration) {
        let mut known = state(&self.identity.files).await;
        loop {
            tokio::time::sleep(look).await;
            let new = state(&self.identity.files).await;
            if new == known {
                continue;
            }
            known = new;
            match load(&self.identity.files).await {
                Ok(current) => {
                    *self.identity.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(current);
                    tracing::info!("took up the new certificate");
                }
                Err(fault) => tracing::warn!("keeping the old certificate: {fault}"),
            }
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

async fn state(files: &TlsFiles) -> State {
    let one = async |path: &Path| {
        let file = tokio::fs::metadata(path).await.ok()?;
        Some((file.modified().ok()?, file.len()))
    };
    [one(&files.cert).await, one(&files.key).await]
}

async fn load(files: &TlsFiles) -> Result<CertifiedKey, TlsFault> {
    let (cert, key) = (read(&files.cert).await?, read(&files.key).await?);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert).collect();
    let chain = chain.map_err(|fault| TlsFault::pem(&files.cert, fault))?;
    if chain.is_empty() {
        return Err(TlsFault::NoCertificate(files.cert.clone()));
    }
    let secret = PrivateKeyDer::from_pem_slice(&key).map_err(|fault| TlsFault::key(&files.key, &key, fault))?;
    CertifiedKey::from_der(chain, secret, &provider()).map_err(|fault| TlsFault::pair(files, fault))
}

async fn read(path: &Path) -> Result<Vec<u8>, TlsFault> {
    let fault = |fault| TlsFault::Read(path.to_owned(), fault);
    if tokio::fs::metadata(path).await.map_err(fault)?.len() > MAX_FILE {
        return Err(TlsFault::TooLong(path.to_owned()));
    }
    tokio::fs::read(path).await.map_err(fault)
}
