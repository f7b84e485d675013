//! Headers: which names a spec may set, and what a value may hold.

use reqwest::header::{COOKIE, HeaderName, HeaderValue};

use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

/// Headers that belong to the connection (RFC 9110 section 7.6.1) or frame the message (RFC 9112 section 6).
const OWN: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header's name, if a spec may set it; reported otherwise.
pub fn name(written: &Spanned<String>, sink: &mut Diagnostics) -> Option<HeaderName> {
    let Ok(name) = HeaderName::try_from(written.value.as_str()) else {
        let words = format!("`{}` is no name of a header", written.value);
        let found = Diagnostic::error(Code::BadRequest, written.span, words);
        sink.push(found.label("letters, digits and `-`, such as `X-Request-Id`"));
        return None;
    };
    if OWN.contains(&name.as_str()) {
        let words = format!("`{}` can't be set", written.value);
        let found = Diagnostic::error(Code::BadRequest, written.span, words);
        sink.push(found.label("the connection sets it"));
        return None;
    }
    if name == COOKIE {
        let found = Diagnostic::error(Code::BadRequest, written.span, "`Cookie` can't be set as a header");
        sink.push(found.label("write `cookies: { name: value }`: a value can't begin another cookie there"));
        return None;
    }
    Some(name)
}

/// A header's value: text without line breaks and other control characters (RFC 9110 section 5.5), in UTF-8.
pub fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

/// Names that stand twice, whatever their case, are reported; the tree's own keys differ already.
pub fn refuse_twice<'n>(names: impl Iterator<Item = &'n Spanned<String>>, sink: &mut Diagnostics) {
    let mut seen: Vec<&Spanned<String>> = Vec::new();
    for name in names {
        match seen.iter().find(|s| s.value.eq_ignore_ascii_case(&name.value)) {
            Some(first) => {
                let words = format!("the header `{}` is set twice", name.value);
                let found = Diagnostic::error(Code::DuplicateKey, name.span, words).label("case does not count");
                sink.push(found.related(first.span, "first set here"));
            }
            None => seen.push(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn a_value_can_not_end_its_line() {
        for text in ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "\u{7f}"] {
            assert!(value(text).is_none(), "{text:?}");
        }
        for text in ["", "a b", "a\tb", "Grüße"] {
            assert!(value(text).is_some(), "{text:?}");
        }
    }
}
