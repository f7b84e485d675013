//! Media types (RFC 9110 section 8.3), and which format each has.

use super::Format;

/// A `Content-Type`, lowercase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype`
    pub essence: String,
    /// The parameter `charset`.
    pub charset: Option<String>,
}

/// What is done with bytes of a media type.
#[derive(Debug)]
pub enum Kind {
    /// They are text in this format.
    Text(Format),
    /// They stay bytes.
    Bytes,
}

impl MediaType {
    /// Reads a header's value; whatever it is, it gives a type.
    pub fn parse(header: &str) -> MediaType {
        let mut parts = header.split(';');
        let essence = parts.next().unwrap_or("").trim().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        MediaType { essence, charset }
    }

    /// What bytes of this type are.
    pub fn kind(&self) -> Kind {
        let (main, sub) = self.essence.split_once('/').unwrap_or(("", ""));
        let suffix = sub.rsplit_once('+').map_or("", |(_, suffix)| suffix);
        let format = match (main, sub, suffix) {
            ("application" | "text", "x-ndjson" | "ndjson" | "jsonl" | "x-jsonl" | "jsonlines" | "x-jsonlines", _)
            | ("application", "stream+json", _) => Format::Ndjson,
            ("application" | "text", "json", _) | (_, _, "json") => Format::Json,
            ("text" | "application", "csv", _) => Format::Csv,
            ("text", "tab-separated-values", _) => Format::Tsv,
            ("application", "xhtml+xml", _) => Format::Text,
            ("application" | "text", "xml", _) | ("application", _, "xml") => Format::Xml,
            ("text", ..) | ("application", _, "yaml") => Format::Text,
            (
                "application",
                "yaml" | "x-yaml" | "toml" | "javascript" | "ecmascript" | "x-www-form-urlencoded" | "graphql",
                _,
            ) => Format::Text,
            _ => return Kind::Bytes,
        };
        Kind::Text(format)
    }
}
