//! What an API answers, read up to a bound and told apart by its media type.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};

use super::fault;
use super::source::HttpSource;
use crate::outcome::{ActionError, Content, ErrorKind, Outcome};

/// Bytes of a failure's body that are read, and characters of it that are told.
const FAILURE_BYTES: usize = 16 * 1024;
const FAILURE_CHARS: usize = 500;

/// Reads an answer; `what` is the request, for messages.
///
/// # Errors
/// If its status is not 2xx, or it breaks off.
pub async fn read(
    response: Response,
    what: &str,
    source: &HttpSource,
    max_bytes: usize,
) -> Result<Outcome, ActionError> {
    let status = response.status();
    let media = response.headers().get(CONTENT_TYPE).map(|v| Media::parse(&String::from_utf8_lossy(v.as_bytes())));
    if !status.is_success() {
        return Err(failure(response, media.as_ref(), what, source).await);
    }
    let host = &source.base().host;
    let (bytes, cut) = bytes(response, max_bytes).await.map_err(|error| fault::transport(error, host))?;
    Ok(Outcome {
        content: content(bytes, cut, media.as_ref()),
        mime_type: media.map(|m| m.essence),
        truncated: cut.then(|| format!("cut after {max_bytes} bytes (maxBytes)")),
    })
}

async fn failure(response: Response, media: Option<&Media>, what: &str, source: &HttpSource) -> ActionError {
    let status = response.status();
    let mut words = format!("{what} answered {}", status.as_u16());
    if let Some(reason) = status.canonical_reason() {
        words.extend([" ", reason]);
    }
    // a body that breaks off says no more than none
    let (bytes, cut) = bytes(response, FAILURE_BYTES).await.unwrap_or_default();
    let text = match content(bytes, cut, media) {
        Content::Json(value) => value.to_string(),
        Content::Text(text) => text,
        Content::Bytes(_) | Content::Blocks(_) => String::new(),
    };
    let folded = source.mask(text.split_whitespace().collect::<Vec<_>>().join(" "));
    if !folded.is_empty() {
        words.push_str(": ");
        words.extend(folded.chars().take(FAILURE_CHARS));
        if folded.chars().nth(FAILURE_CHARS).is_some() {
            words.push('…');
        }
    }
    let kind = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => ErrorKind::NotFound,
        _ => ErrorKind::Failed,
    };
    ActionError::new(kind, words)
}

/// The first `max` bytes, after decompression, and whether there are more.
async fn bytes(mut response: Response, max: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let expected = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(expected.min(max).min(64 * 1024));
    while let Some(chunk) = response.chunk().await? {
        let room = max - bytes.len();
        match chunk.get(..room) {
            Some(fits) if fits.len() < chunk.len() => {
                bytes.extend_from_slice(fits);
                return Ok((bytes, true));
            }
            _ => bytes.extend_from_slice(&chunk),
        }
    }
    Ok((bytes, false))
}

/// JSON that was cut no longer parses, and then is text; so is what claims to be JSON and is not.
fn content(bytes: Vec<u8>, cut: bool, media: Option<&Media>) -> Content {
    if bytes.is_empty() {
        return Content::Text(String::new());
    }
    match media {
        Some(media) if media.is_json() => match serde_json::from_slice(without_mark(&bytes)) {
            Ok(value) if !cut => Content::Json(value),
            _ => Content::Text(utf8(bytes, cut)),
        },
        Some(media) if media.is_text() => Content::Text(match media.charset.as_deref() {
            Some("iso-8859-1" | "latin1" | "windows-1252" | "cp1252" | "us-ascii") => windows_1252(&bytes),
            _ => utf8(bytes, cut),
        }),
        Some(_) => Content::Bytes(bytes),
        None => match String::from_utf8(bytes) {
            Ok(text) => Content::Text(text),
            Err(error) => Content::Bytes(error.into_bytes()),
        },
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Bytes as UTF-8; a character that was cut in two is left out.
fn utf8(bytes: Vec<u8>, cut: bool) -> String {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if cut && error.utf8_error().error_len().is_none() => {
            let whole = error.utf8_error().valid_up_to();
            String::from_utf8_lossy(error.as_bytes().get(..whole).unwrap_or(&[])).into_owned()
        }
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// The web reads Latin-1 and ASCII as this too (WHATWG Encoding, section 4.2).
fn windows_1252(bytes: &[u8]) -> String {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let char_of = |byte: u8| match byte {
        0x80..=0x9f => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    };
    bytes.iter().map(|b| char_of(*b)).collect()
}

/// A `Content-Type` (RFC 9110 section 8.3), lowercase.
#[derive(Debug, PartialEq, Eq)]
struct Media {
    essence: String,
    charset: Option<String>,
}

impl Media {
    fn parse(header: &str) -> Media {
        let mut parts = header.split(';');
        let essence = parts.next().unwrap_or("").trim().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        Media { essence, charset }
    }

    fn is_json(&self) -> bool {
        matches!(self.essence.as_str(), "application/json" | "text/json") || self.essence.ends_with("+json")
    }

    fn is_text(&self) -> bool {
        const TEXTS: [&str; 10] = [
            "xml",
            "yaml",
            "x-yaml",
            "toml",
            "javascript",
            "ecmascript",
            "x-www-form-urlencoded",
            "x-ndjson",
            "jsonl",
            "graphql",
        ];
        match self.essence.split_once('/') {
            Some(("text", _)) => true,
            Some(("application", kind)) => TEXTS.contains(&kind) || kind.ends_with("+xml") || kind.ends_with("+yaml"),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(bytes: &[u8], cut: bool, media: &str) -> Content {
        content(bytes.to_vec(), cut, Some(&Media::parse(media)))
    }

    #[test]
    fn tells_answers_apart() {
        for media in ["application/json", "Application/Problem+JSON; charset=utf-8", "text/json"] {
            assert_eq!(read(b"{\"a\":1}", false, media), Content::Json(json!({"a": 1})), "{media}");
        }
        assert_eq!(read(b"\xef\xbb\xbf[1]", false, "application/json"), Content::Json(json!([1])));
        assert_eq!(read(b"oops", false, "application/json"), Content::Text("oops".to_owned()));
        assert_eq!(read(b"12", true, "application/json"), Content::Text("12".to_owned()));
        for media in
            ["text/plain", "text/html; charset=UTF-8", "application/xml", "application/atom+xml", "application/yaml"]
        {
            assert_eq!(read("ü".as_bytes(), false, media), Content::Text("ü".to_owned()), "{media}");
        }
        for media in ["image/png", "image/svg+xml", "application/octet-stream", "nonsense", ""] {
            assert_eq!(read(b"x", false, media), Content::Bytes(b"x".to_vec()), "{media}");
        }
        assert_eq!(read(b"", false, "image/png"), Content::Text(String::new()));
        assert_eq!(content(b"x".to_vec(), false, None), Content::Text("x".to_owned()));
        assert_eq!(content(b"\xff".to_vec(), false, None), Content::Bytes(b"\xff".to_vec()));
    }

    #[test]
    fn json_too_deep_is_text() {
        let deep = "[".repeat(100_000);
        assert_eq!(read(deep.as_bytes(), false, "application/json"), Content::Text(deep));
    }

    #[test]
    fn reads_charsets() {
        assert_eq!(
            read(b"caf\xe9 \x80", false, "text/plain; charset=\"ISO-8859-1\""),
            Content::Text("café €".to_owned())
        );
        assert_eq!(read(b"caf\xe9", false, "text/plain; charset=utf-8"), Content::Text("caf\u{fffd}".to_owned()));
        assert_eq!(read(b"\xef\xbb\xbfa", false, "text/plain"), Content::Text("a".to_owned()));
        assert_eq!(read(b"caf\xc3", true, "text/plain"), Content::Text("caf".to_owned()));
    }
}
