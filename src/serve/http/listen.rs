//! Where to listen: an address, or a socket in the file system.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::{HttpFault, socket::Socket};

/// How long to wait before connections are accepted again, when the system has no room for one more.
const RESPITE: Duration = Duration::from_secs(1);

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address; port 0 picks a free one.
    Tcp(SocketAddr),
    /// A Unix socket, which only this user may connect to. It is removed at the end.
    Unix(PathBuf),
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Listen::Tcp(address)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) => address.fmt(out),
            Listen::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

/// What listens, and where it really does.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, Socket),
}

/// An accepted connection.
pub(super) enum Stream {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Listener {
    pub(super) async fn bind(listen: &Listen) -> Result<Listener, HttpFault> {
        match listen {
            Listen::Tcp(address) => {
                let fault = |fault| HttpFault::listen(*address, fault);
                let listener = TcpListener::bind(address).await.map_err(fault)?;
                let address = listener.local_addr().map_err(fault)?;
                Ok(Listener::Tcp(listener, address))
            }
            Listen::Unix(path) => {
                let (listener, socket) = Socket::bind(path).await?;
                Ok(Listener::Unix(listener, socket))
            }
        }
    }

    /// The next connection. Faults of a single one are passed over.
    pub(super) async fn accept(&self) -> Stream {
        loop {
            let accepted = match self {
                Listener::Tcp(listener, _) => listener.accept().await.map(|(stream, peer)| {
                    send_at_once(&stream);
                    Stream::Tcp(stream, peer)
                }),
                Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
            };
            match accepted {
                Ok(stream) => return stream,
                Err(fault) if is_of_the_client(&fault) => {}
                Err(fault) => {
                    tracing::warn!(%fault, "a connection can't be accepted");
                    tokio::time::sleep(RESPITE).await;
                }
            }
        }
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(_, address) => Some(*address),
            Listener::Unix(..) => None,
        }
    }

    /// The URL of `path` as seen from this machine, and where it is found if it does not say so itself.
    pub(super) fn url(&self, scheme: &str, path: &str) -> String {
        match self {
            Listener::Tcp(_, address) => {
                let ip = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                    ip => ip,
                };
                format!("{scheme}://{}{path}", SocketAddr::new(ip, address.port()))
            }
            Listener::Unix(_, socket) => format!("{scheme}://localhost{path} at unix:{}", socket.path().display()),
        }
    }
}

/// Sends each write at once instead of waiting for the acknowledgement of the one before (RFC 896): every event of
/// a stream would wait 40 ms.
fn send_at_once(stream: &TcpStream) {
    if let Err(fault) = stream.set_nodelay(true) {
        tracing::debug!(%fault, "TCP_NODELAY can't be set");
    }
}

fn is_of_the_client(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
