//! Why HTTP can't be served, in words for whoever starts the server.

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::TlsFault;

/// Why HTTP can't be served.
#[derive(Debug)]
pub enum HttpFault {
    /// Another program listens there.
    InUse(SocketAddr),
    /// The system does not let this user listen there.
    Denied(SocketAddr),
    /// The address is none of this machine's.
    NotHere(SocketAddr),
    /// Listening failed for another reason.
    Listen(SocketAddr, io::Error),
    /// The endpoint's path is none.
    Path(String),
    /// An allowed host is none.
    Host(String),
    /// An allowed origin is none.
    Origin(String),
    /// Another program listens on the socket.
    SocketInUse(PathBuf),
    /// A file that is no socket stands where the socket should be.
    NoSocket(PathBuf),
    /// The socket can't be listened on for another reason.
    Socket(PathBuf, io::Error),
    /// The certificate or its key is of no use.
    Tls(TlsFault),
}

impl HttpFault {
    pub(super) fn listen(address: SocketAddr, fault: io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::AddrInUse => HttpFault::InUse(address),
            io::ErrorKind::PermissionDenied => HttpFault::Denied(address),
            io::ErrorKind::AddrNotAvailable => HttpFault::NotHere(address),
            _ => HttpFault::Listen(address, fault),
        }
    }

    pub(super) fn socket(path: &Path, fault: io::Error) -> Self {
        HttpFault::Socket(path.to_owned(), fault)
    }
}

impl HttpFault {
    /// Whether what was asked for is wrong, rather than impossible at the moment.
    pub fn is_of_usage(&self) -> bool {
        matches!(
            self,
            HttpFault::Path(_) | HttpFault::Host(_) | HttpFault::Origin(_) | HttpFault::NoSocket(_) | HttpFault::Tls(_)
        )
    }
}

impl fmt::Display for HttpFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpFault::InUse(at) => write!(out, "port {} of {} is in use", at.port(), at.ip()),
            HttpFault::Denied(at) => write!(out, "this user may not listen on port {} of {}", at.port(), at.ip()),
            HttpFault::NotHere(at) => write!(out, "{} is not an address of this machine", at.ip()),
            HttpFault::Listen(at, fault) => write!(out, "can't listen on port {} of {}: {fault}", at.port(), at.ip()),
            HttpFault::Path(path) => {
                write!(out, "`{path}` is not a path, expected `/` and then letters, digits, `-`, `.`, `_`, `~` or `/`")
            }
            HttpFault::Host(host) => {
                write!(out, "`{host}` is not a host, expected a name like `example.com` or `example.com:8443`")
            }
            HttpFault::Origin(origin) => write!(
                out,
                "`{origin}` is not an origin, expected a scheme and a host like `https://example.com` or \
                 `https://example.com:*`"
            ),
            HttpFault::SocketInUse(path) => write!(out, "another program listens on {}", path.display()),
            HttpFault::NoSocket(path) => {
                write!(out, "{} is a file and no socket, expected one or nothing there", path.display())
            }
            HttpFault::Socket(path, fault) => write!(out, "can't listen on {}: {fault}", path.display()),
            HttpFault::Tls(fault) => fault.fmt(out),
        }
    }
}

impl std::error::Error for HttpFault {}
