//! Sending, and following redirects by hand: each step is looked at before it is taken.

use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Client, Method, Request, Response, StatusCode};
use url::Url;

use super::base;
use super::client::is_private_literal;
use super::fault::{self, Failed};
use super::source::HttpSource;
use crate::outcome::ActionError;

/// Redirects that one call may follow.
const MAX_REDIRECTS: usize = 5;

/// Sends a request of the source's and gives the answer, that of the last redirect if there were any.
///
/// Credentials go to the source's own place: its origin, at or below its path. Once a redirect has led elsewhere they are gone for good: who sends
/// us on from there must not choose what is done in the source's name.
///
/// # Errors
/// If nothing answers, or a redirect leads where the source does not allow it.
pub async fn send(source: &HttpSource, request: Request) -> Result<Response, Failed> {
    let mut next = request;
    for _ in 0..=MAX_REDIRECTS {
        let url = next.url().clone();
        let Some(client) = client(source, &url) else { return Err(Failed::Refused(not_allowed(source, &url))) };
        let again = next.try_clone();
        let sent = client.execute(next).await;
        let response = sent.map_err(|error| Failed::Unreachable(fault::transport(error, &host(source, &url))))?;
        let (Some(location), Some(again)) = (location(&response), again) else { return Ok(response) };
        next = follow(source, again, response.status(), &location).map_err(Failed::Refused)?;
    }
    Err(Failed::Refused(ActionError::failed(format!("it was redirected more than {MAX_REDIRECTS} times"))))
}

/// What connects to where this URL leads; `None` if the source does not allow that.
fn client<'s>(source: &'s HttpSource, url: &Url) -> Option<&'s Client> {
    match source.base().holds(url) {
        true => Some(source.home()),
        // the origin is the source's own, the path is not: listed, it is like any other
        false if url.origin() == source.base().origin => source.elsewhere(&url.origin()).map(|_| source.home()),
        false => source.elsewhere(&url.origin()),
    }
}

/// The request that a redirect asks for (RFC 9110 section 15.4).
fn follow(
    source: &HttpSource,
    mut request: Request,
    status: StatusCode,
    location: &str,
) -> Result<Request, ActionError> {
    let url = destination(request.url(), location)?;
    let home = url.origin() == source.base().origin;
    if client(source, &url).is_none() {
        return Err(not_allowed(source, &url));
    }
    if !home {
        let private = url.host().is_some_and(|host| is_private_literal(&host));
        if private && !source.allows_private() {
            let words = format!("it was redirected to {}, which is on a private network", origin(&url));
            return Err(ActionError::failed(words));
        }
    }
    // an API that hands its query on would hand its key on
    if !source.base().holds(&url) && source.mask(url.as_str().to_owned()) != url.as_str() {
        let words = "it was redirected elsewhere with a secret of the source in the URL";
        return Err(ActionError::failed(words));
    }
    if becomes_get(status, request.method()) {
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            request.headers_mut().remove(name);
        }
    }
    if !source.base().holds(&url) || url.origin() != request.url().origin() {
        *request.headers_mut() = without_credentials(request.headers());
    }
    *request.url_mut() = url;
    Ok(request)
}

/// The absolute URL that `Location` means, without a user and fragment.
fn destination(from: &Url, location: &str) -> Result<Url, ActionError> {
    let mut url =
        from.join(location).map_err(|_| ActionError::failed("it was redirected to something that is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ActionError::failed(format!("it was redirected to a `{}:` URL", url.scheme())));
    }
    // these fail for URLs without a host, which http and https ones always have
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(url)
}

/// What is no secret of the source's, nor of the caller's.
fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let kept = [ACCEPT, CONTENT_TYPE].into_iter();
    kept.filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect()
}

fn location(response: &Response) -> Option<String> {
    match response.status() {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => {
            let location = response.headers().get(LOCATION)?;
            std::str::from_utf8(location.as_bytes()).ok().map(str::to_owned)
        }
        _ => None,
    }
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => *method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

fn not_allowed(source: &HttpSource, url: &Url) -> ActionError {
    ActionError::failed(match url.origin() == source.base().origin {
        true => {
            "it was redirected out of the source's own path, and its `redirects` does not list its origin".to_owned()
        }
        false => {
            let to = origin(url);
            format!("it was redirected to {to}, which the source's `redirects` does not list")
        }
    })
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn host(source: &HttpSource, url: &Url) -> String {
    match url.origin() == source.base().origin {
        true => source.base().host.clone(),
        false => base::authority(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_change_as_the_rfc_says() {
        for (status, method, becomes) in [
            (301, Method::POST, true),
            (302, Method::POST, true),
            (303, Method::POST, true),
            (303, Method::DELETE, true),
            (303, Method::HEAD, false),
            (301, Method::PUT, false),
            (302, Method::GET, false),
            (307, Method::POST, false),
            (308, Method::POST, false),
        ] {
            assert_eq!(becomes_get(StatusCode::from_u16(status).unwrap(), &method), becomes, "{status} {method}");
        }
    }

    #[test]
    fn a_destination_brings_no_user_along() {
        let from = Url::parse("https://example.org/a/b").unwrap();
        for (location, to) in [
            ("c", "https://example.org/a/c"),
            ("/c?d#e", "https://example.org/c?d"),
            ("//u:p@other.org/x", "https://other.org/x"),
            ("http://2852039166/", "http://169.254.169.254/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(destination(&from, location).unwrap().as_str(), to);
        }
        for location in ["ftp://example.org/", "file:///etc/passwd", "javascript:x", "http://", "https://[::"] {
            assert!(destination(&from, location).is_err(), "{location}");
        }
    }
}
