//! Where the API is.

use serde_json::Value;
use url::Url;

use super::document::{Document, Version, shown};

/// The base URL of a list of `servers`: that of the first.
///
/// # Errors
/// In words, if it is none that requests can be sent to.
pub fn of_list(servers: &Value, read_from: Option<&Url>) -> Result<Url, String> {
    let first = servers.as_array().and_then(|all| all.first()).ok_or("it names no server")?;
    let written = first.get("url").and_then(Value::as_str).ok_or("its first server has no URL")?;
    let mut url = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("its server's URL has a `{` without a `}`")?;
        let default = first.get("variables").and_then(|all| all.get(name)?.get("default"));
        let default = default.map(|d| d.as_str().map_or_else(|| d.to_string(), str::to_owned));
        let default = default.ok_or_else(|| format!("`{}` of its server's URL has no default", shown(name)))?;
        url.extend([before, &default]);
        rest = after;
    }
    url.push_str(rest);
    base(&url, read_from)
}

/// The base URL of a description.
///
/// # Errors
/// In words, if it names none that requests can be sent to.
pub fn of_document(document: &Document<'_>, read_from: Option<&Url>) -> Result<Url, String> {
    if document.version != Version::V2 {
        return match document.get("servers").filter(|all| all.as_array().is_some_and(|all| !all.is_empty())) {
            Some(servers) => of_list(servers, read_from),
            None => base("/", read_from),
        };
    }
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let path = text("basePath").unwrap_or("/");
    let Some(host) = text("host") else { return base(path, read_from) };
    let schemes = document.get("schemes").and_then(Value::as_array).into_iter().flatten();
    let schemes: Vec<&str> = schemes.filter_map(Value::as_str).collect();
    let scheme = match read_from {
        _ if schemes.contains(&"https") => "https",
        _ if schemes.contains(&"http") => "http",
        Some(url) => url.scheme(),
        None => "https",
    };
    base(&format!("{scheme}://{host}/{}", path.trim_start_matches('/')), read_from)
}

fn base(written: &str, read_from: Option<&Url>) -> Result<Url, String> {
    let parsed = match (Url::parse(written), read_from) {
        (Ok(url), _) => url,
        (Err(_), Some(from)) => {
            from.join(written).map_err(|_| format!("its server's URL `{}` is none", shown(written)))?
        }
        (Err(_), None) => {
            let words = "name an http source with the right URL as `source`";
            return Err(format!("its server `{}` has no host; {words}", shown(written)));
        }
    };
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(format!("its server `{}` is not spoken to over HTTP", shown(written)));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("its server's URL holds a password".to_owned());
    }
    let mut url = parsed;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// A base URL as a source has it: without the slash at its end.
pub fn written(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// What an operation's own servers put between the base and its path.
///
/// # Errors
/// In words, if they are elsewhere: credentials go to the source's own origin only.
pub fn below(own: Option<&Value>, base: Option<&Url>, read_from: Option<&Url>) -> Result<String, String> {
    let (Some(own), Some(base)) = (own.filter(|own| own.as_array().is_some_and(|all| !all.is_empty())), base) else {
        return Ok(String::new());
    };
    let (url, base) = (written(&of_list(own, read_from)?), written(base));
    match url.strip_prefix(&base) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(rest.to_owned()),
        _ => Err(format!("its server is `{}`, not the source's `{}`", shown(&url), shown(&base))),
    }
}
