//! The part of a URL that no value ever touches: scheme, host, port, and a source's path.

use url::{Origin, Url};

use crate::spec::Text;

/// What all requests of a source begin with.
#[derive(Clone, PartialEq)]
pub struct Base {
    /// The URL without a slash at its end; as written where it holds a secret.
    pub prefix: Text,
    /// Scheme, host and port.
    pub origin: Origin,
    /// Whether it is https.
    pub tls: bool,
    /// Who answers there, for messages: the host, or the source's name where the host is a secret.
    pub host: String,
    /// The path without a slash at its end.
    path: String,
}

/// What is wrong with a base URL, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// A lowercase sentence fragment; nothing of the URL is in it.
    pub message: &'static str,
    /// The remedy.
    pub label: &'static str,
}

impl Base {
    /// Reads a base URL; `name` is the source's.
    ///
    /// # Errors
    /// If it is not `http://host…` or `https://host…`, or has more than a path after that.
    pub fn parse(text: &Text, name: Option<&str>) -> Result<Base, Wrong> {
        let url = parse(text.expose())?;
        let real = url.as_str().trim_end_matches('/').to_owned();
        let host = match name {
            Some(name) if text.is_secret() => format!("the source `{name}`"),
            _ => authority(&url),
        };
        let prefix = match text.is_secret() {
            true => Text::new(text.written().trim_end_matches('/')).with_value(real),
            false => Text::new(real),
        };
        Ok(Base {
            prefix,
            origin: url.origin(),
            tls: url.scheme() == "https",
            host,
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Whether the URL has this origin, no user, and a path at or below this one.
    pub fn holds(&self, url: &Url) -> bool {
        let below = url.path().strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below && url.origin() == self.origin && url.username().is_empty() && url.password().is_none()
    }
}

/// An origin that has nothing after it, as `redirects` lists them.
pub fn origin(text: &str) -> Result<Origin, Wrong> {
    let url = parse(text)?;
    match url.path() {
        "/" => Ok(url.origin()),
        _ => Err(Wrong { message: "an origin has no path", label: "scheme, host and port: `https://cdn.example.org`" }),
    }
}

/// Host and port of a URL, without a port that goes without saying.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or("");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn parse(text: &str) -> Result<Url, Wrong> {
    let wrong = |message, label| Err(Wrong { message, label });
    let example = "such as `https://api.example.org/v1`";
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return wrong("expected a URL that begins with `http://` or `https://`", example);
    }
    if text.contains(['{', '}']) {
        return wrong("no values can stand in a base URL", "put them into the `request` of an action");
    }
    if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
        return wrong("a URL has no backslashes, spaces or control characters", example);
    }
    // a URL's parser is lenient: it would find `example.org` in `https:///example.org`
    let authority = text.split(['/', '?', '#']).nth(2).unwrap_or("");
    let Some(url) = Url::parse(text).ok().filter(|_| !authority.is_empty()) else {
        return wrong("expected a URL with a host", example);
    };
    if authority.contains('@') {
        return wrong("no user and password can stand in a URL", "give the source `auth: { basic: … }`");
    }
    if url.query().is_some() {
        return wrong("a base URL has no query", "put it into the source's `query`");
    }
    if url.fragment().is_some() {
        return wrong("a request has no fragment (`#…`)", "leave it out");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::parse(&Text::new(text), Some("api")).ok().unwrap()
    }

    #[test]
    fn reads_base_urls() {
        for (text, prefix, host) in [
            ("https://openlibrary.org", "https://openlibrary.org", "openlibrary.org"),
            ("https://openlibrary.org/", "https://openlibrary.org", "openlibrary.org"),
            ("HTTP://Example.ORG:80/v1/", "http://example.org/v1", "example.org"),
            ("http://[::1]:8080/a/../b", "http://[::1]:8080/b", "[::1]:8080"),
            ("http://0x7f.1/", "http://127.0.0.1", "127.0.0.1"),
        ] {
            let base = base(text);
            assert_eq!((base.prefix.expose(), base.host.as_str()), (prefix, host), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_base() {
        for text in [
            "",
            "openlibrary.org",
            "ftp://example.org",
            "file:///etc/passwd",
            "https:example.org",
            "https://",
            "https:///path",
            "https://user@example.org",
            "https://:pw@example.org",
            "https://@example.org",
            "https://example.org?x=1",
            "https://example.org#x",
            "https://{host}.org",
            "https://exa mple.org",
            "https://a\\@b",
            "https://example.org:99999",
            "https://a\nb",
        ] {
            assert!(Base::parse(&Text::new(text), None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_base_is_shown_as_written() {
        let text = Text::new("${API}/v1/").with_value("https://tenant-secret.example.org/v1/".to_owned());
        let base = Base::parse(&text, Some("api")).ok().unwrap();
        assert_eq!(base.prefix.written(), "${API}/v1");
        assert_eq!(base.prefix.expose(), "https://tenant-secret.example.org/v1");
        assert_eq!(base.host, "the source `api`");
    }

    #[test]
    fn holds_what_is_below_it() {
        let base = base("https://example.org/v1");
        for url in ["https://example.org/v1", "https://example.org/v1/x", "https://example.org:443/v1?x"] {
            assert!(base.holds(&Url::parse(url).unwrap()), "{url}");
        }
        for url in [
            "http://example.org/v1",
            "https://example.org:8443/v1",
            "https://evil.org/v1",
            "https://example.org/v1x",
            "https://example.org/v1/../v2",
            "https://example.org/v1/%2e%2e/v2",
            "https://u@example.org/v1",
            "https://example.org.evil.org/v1",
        ] {
            assert!(!base.holds(&Url::parse(url).unwrap()), "{url}");
        }
    }

    #[test]
    fn an_origin_is_bare() {
        assert_eq!(origin("https://cdn.example.org:443/").unwrap().ascii_serialization(), "https://cdn.example.org");
        for text in ["https://cdn.example.org/x", "cdn.example.org", "*", "https://*?x"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
