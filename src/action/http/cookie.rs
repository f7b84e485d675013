//! Cookies: which names a spec may give them, and what a value may hold. None that an API sets is kept.

use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

/// Checks a cookie's name; reported otherwise.
pub fn name(written: &Spanned<String>, sink: &mut Diagnostics) -> Option<String> {
    // RFC 6265 section 4.1.1: a token, as a header's name is one
    if reqwest::header::HeaderName::try_from(written.value.as_str()).is_err() {
        let words = format!("`{}` is no name of a cookie", written.value);
        let found = Diagnostic::error(Code::BadRequest, written.span, words);
        sink.push(found.label("letters, digits, `-` and `_`"));
        return None;
    }
    Some(written.value.clone())
}

/// Whether a cookie's value can be this (RFC 6265 section 4.1.1): nothing that ends it and begins another.
pub fn is_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\'))
}

/// What [`is_value`] asks for, in words.
pub const VALUE: &str = "a cookie can hold ASCII without spaces, `\"`, `,`, `;` and `\\`";

#[cfg(test)]
mod tests {
    use super::is_value;

    #[test]
    fn a_value_can_not_begin_another_cookie() {
        for text in ["a; admin=1", "a b", "a,b", "\"a\"", "a\\b", "a\r\nx: y", "ü", "\u{7f}"] {
            assert!(!is_value(text), "{text:?}");
        }
        for text in ["", "abc", "a=b", "%3B", "a+b/c=="] {
            assert!(is_value(text), "{text:?}");
        }
    }
}
