//! Which hosts and web origins may be named in a request.
//!
//! A page that a browser has loaded from anywhere can send requests to this machine, and by rebinding its own
//! name's address it can read the answers. `Host` then holds that name and `Origin` the page's origin.

use std::net::{IpAddr, Ipv6Addr};

use super::{HttpFault, Listen};

/// The names that always mean this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The hosts and origins that may be named.
#[derive(Debug)]
pub(super) struct Allowed {
    hosts: Vec<Host>,
    origins: Vec<Origin>,
    reach: Reach,
}

/// How clients get to the server.
#[derive(Debug, PartialEq)]
enum Reach {
    /// From this machine.
    Loopback,
    /// By its address too, which no name can be rebound to.
    Address,
    /// Through a socket that no browser can connect to, so whatever it may have been tricked into.
    Socket,
}

#[derive(Debug)]
struct Host {
    name: String,
    port: Port,
}

#[derive(Debug)]
struct Origin {
    scheme: String,
    host: Host,
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Any,
    /// None where the scheme has no default port.
    Only(Option<u16>),
}

impl Allowed {
    /// Loopback names, `hosts` and `origins`; addresses too where `listen` is not a loopback one. Any host on a
    /// socket, unless `hosts` names those that a proxy hands on.
    pub(super) fn new(listen: &Listen, hosts: &[String], origins: &[String]) -> Result<Self, HttpFault> {
        Ok(Allowed {
            hosts: hosts
                .iter()
                .map(|text| Host::read(text).ok_or_else(|| HttpFault::Host(text.clone())))
                .collect::<Result<_, _>>()?,
            origins: origins
                .iter()
                .map(|text| Origin::read(text).ok_or_else(|| HttpFault::Origin(text.clone())))
                .collect::<Result<_, _>>()?,
            reach: match listen {
                Listen::Tcp(address) if address.ip().is_loopback() => Reach::Loopback,
                Listen::Tcp(_) => Reach::Address,
                Listen::Unix(_) => Reach::Socket,
            },
        })
    }

    /// Whether a request for `host`, the text of a `Host` header, is meant for this server.
    pub(super) fn host(&self, host: &str) -> bool {
        let Some((name, port)) = split(host) else { return false };
        LOOPBACK.contains(&name.as_str())
            || match self.reach {
                Reach::Loopback => false,
                Reach::Address => name.parse::<IpAddr>().is_ok(),
                Reach::Socket => self.hosts.is_empty(),
            }
            || self.hosts.iter().any(|known| known.name == name && known.port.admits(port))
    }

    /// Whether a page of `origin`, the text of an `Origin` header, may ask.
    pub(super) fn origin(&self, origin: &str) -> bool {
        let Some((scheme, name, port)) = split_origin(origin) else { return false };
        let port = port.or_else(|| default_port(&scheme));
        let loopback = ["http", "https"].contains(&scheme.as_str()) && LOOPBACK.contains(&name.as_str());
        loopback
            || self
                .origins
                .iter()
                .any(|known| known.scheme == scheme && known.host.name == name && known.host.port.admits(port))
    }
}

impl Host {
    fn read(text: &str) -> Option<Host> {
        // An IPv6 address may stand without its brackets here.
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Host { name: address.to_string(), port: Port::Any });
        }
        let (name, port) = split(text)?;
        Some(Host { name, port: port.map_or(Port::Any, |port| Port::Only(Some(port))) })
    }
}

impl Origin {
    fn read(text: &str) -> Option<Origin> {
        let (base, any) = text.strip_suffix(":*").map_or((text, false), |base| (base, true));
        let (scheme, name, port) = split_origin(base)?;
        let port = match (any, port) {
            (true, Some(_)) => return None,
            (true, None) => Port::Any,
            (false, port) => Port::Only(port.or_else(|| default_port(&scheme))),
        };
        Some(Origin { scheme, host: Host { name, port } })
    }
}

impl Port {
    fn admits(self, port: Option<u16>) -> bool {
        match self {
            Port::Any => true,
            Port::Only(only) => only == port,
        }
    }
}

/// The name, in lower case and without brackets, and the port of a host. Strict, as a lenient reading of a trick
/// is what the trick hopes for.
fn split(text: &str) -> Option<(String, Option<u16>)> {
    let (name, rest) = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        (address.parse::<Ipv6Addr>().ok()?.to_string(), rest)
    } else {
        let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (!name.is_empty() && name.bytes().all(sound)).then(|| (name.to_ascii_lowercase(), rest))?
    };
    match rest.strip_prefix(':') {
        Some(port) => Some((name, Some(port.parse().ok()?))),
        None => rest.is_empty().then_some((name, None)),
    }
}

/// The scheme, name and port of an origin (RFC 6454, section 6.2). `null` is none.
fn split_origin(text: &str) -> Option<(String, String, Option<u16>)> {
    let (scheme, host) = text.split_once("://")?;
    let (name, port) = split(host)?;
    Some((scheme.to_ascii_lowercase(), name, port))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    fn at(ip: impl Into<IpAddr>) -> Listen {
        Listen::Tcp(SocketAddr::new(ip.into(), 8000))
    }

    fn allowed(listen: impl Into<IpAddr>, hosts: &[&str], origins: &[&str]) -> Allowed {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        Allowed::new(&at(listen), &owned(hosts), &owned(origins)).unwrap()
    }

    #[test]
    fn loopback_names_are_allowed_with_any_port() {
        let allowed = allowed(Ipv4Addr::LOCALHOST, &[], &[]);
        for host in ["localhost", "LocalHost:1", "127.0.0.1:8000", "[::1]", "[::1]:65535"] {
            assert!(allowed.host(host), "{host}");
            assert!(allowed.origin(&format!("http://{host}")), "{host}");
            assert!(allowed.origin(&format!("https://{host}")), "{host}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        let allowed = allowed(Ipv4Addr::LOCALHOST, &[], &[]);
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:localhost",
            "localhost@evil.example",
            "evil.example@localhost",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "2130706433",
            "0x7f.1",
            "[::ffff:127.0.0.1]",
            "localhost:",
            "localhost:99999",
            "localhost:80:80",
            "localhost/",
            "localhost evil",
            "lоcalhost",
            "192.168.0.1",
            "[::1",
        ] {
            assert!(!allowed.host(host), "{host}");
            assert!(!allowed.origin(&format!("http://{host}")), "{host}");
        }
        for origin in ["", "null", "NULL", "localhost", "//localhost", "file://", "ftp://localhost", "http:localhost"] {
            assert!(!allowed.origin(origin), "{origin}");
        }
        for origin in ["http://localhost/path", "http://localhost?x", "http://evil.example#http://localhost", "http://"]
        {
            assert!(!allowed.origin(origin), "{origin}");
        }
    }

    #[test]
    fn named_hosts_count_with_their_port() {
        let allowed = allowed(Ipv4Addr::LOCALHOST, &["Example.com", "ported.example:8443", "fd00::1"], &[]);
        assert!(allowed.host("example.com") && allowed.host("example.com:99"));
        assert!(allowed.host("ported.example:8443") && !allowed.host("ported.example"));
        assert!(!allowed.host("ported.example:8444") && !allowed.host("sub.example.com"));
        assert!(allowed.host("[fd00::1]:8000"));
        assert!(!allowed.origin("http://example.com"), "a host is no origin");
    }

    #[test]
    fn named_origins_count_with_scheme_and_port() {
        let origins = ["https://app.example", "http://any.example:*", "https://p.example:444", "vscode-webview://abc"];
        let allowed = allowed(Ipv4Addr::LOCALHOST, &[], &origins);
        for origin in ["https://app.example", "https://APP.example:443", "http://any.example:1", "http://any.example"] {
            assert!(allowed.origin(origin), "{origin}");
        }
        assert!(allowed.origin("https://p.example:444") && allowed.origin("vscode-webview://abc"));
        for origin in ["http://app.example", "https://app.example:8443", "https://any.example", "https://p.example"] {
            assert!(!allowed.origin(origin), "{origin}");
        }
    }

    #[test]
    fn addresses_count_where_the_server_listens_beyond_this_machine() {
        for listen in
            [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::new(10, 0, 0, 1).into()]
        {
            let allowed = allowed(listen, &[], &[]);
            assert!(allowed.host("10.0.0.1:8000") && allowed.host("[fd00::2]"));
            assert!(!allowed.host("evil.example") && !allowed.origin("http://10.0.0.1:8000"));
        }
    }

    #[test]
    fn a_socket_takes_any_host_until_some_are_named() {
        let socket = Listen::Unix("/run/x.sock".into());
        let allowed = Allowed::new(&socket, &[], &[]).unwrap();
        assert!(allowed.host("anything.example") && allowed.host("localhost") && !allowed.host("no host"));
        assert!(!allowed.origin("https://anything.example"));
        let named = Allowed::new(&socket, &["app.example".to_owned()], &[]).unwrap();
        assert!(named.host("app.example") && named.host("localhost") && !named.host("anything.example"));
    }

    #[test]
    fn mistakes_in_the_lists_are_told() {
        let host =
            |text: &str| Allowed::new(&at(Ipv4Addr::LOCALHOST), &[text.to_owned()], &[]).unwrap_err().to_string();
        for text in ["", "*", "https://example.com", "a b", "example.com:x", "u@example.com"] {
            assert!(host(text).starts_with(&format!("`{text}` is not a host")), "{text}");
        }
        let origin =
            |text: &str| Allowed::new(&at(Ipv4Addr::LOCALHOST), &[], &[text.to_owned()]).unwrap_err().to_string();
        for text in ["", "*", "null", "example.com", "https://example.com/", "https://example.com:443:*", "https://*"] {
            assert!(origin(text).starts_with(&format!("`{text}` is not an origin")), "{text}");
        }
    }
}
