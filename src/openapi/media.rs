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

/// Whether it is a text that is no JSON.
pub fn is_text(media: &str) -> bool {
    let media = essence(media);
    let other = ["application/xml", "application/yaml", "application/x-yaml", "application/graphql", "application/sql"];
    media.starts_with("text/") || media.ends_with("+xml") || media.ends_with("+yaml") || other.contains(&media.as_str())
}
