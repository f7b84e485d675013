//! Media types (RFC 9110 section 8.3.1), as far as it matters how a body is written.

/// A media type without its parameters, in small letters.
pub fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or(media).trim().to_ascii_lowercase()
}

/// Whether it is JSON.
pub fn is_json(media: &str) -> bool {
    let media = essence(media);
    media == "application/json" || media == "text/json" || media.ends_with("+json")
}

/// Whether it names one kind of content, which can be sent as it is whatever it means; `multipart` has parts that only
/// its own kind tells.
pub fn is_bytes(media: &str) -> bool {
    let media = essence(media);
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    let part = |part: &str| !part.is_empty() && part.bytes().all(is_token);
    media.split_once('/').is_some_and(|(kind, rest)| part(kind) && part(rest) && kind != "multipart")
}

/// Whether it is a text that is no JSON.
pub fn is_text(media: &str) -> bool {
    let media = essence(media);
    let other = ["application/xml", "application/yaml", "application/x-yaml", "application/graphql", "application/sql"];
    media.starts_with("text/") || media.ends_with("+xml") || media.ends_with("+yaml") || other.contains(&media.as_str())
}
