//! JSON Pointers (RFC 6901).

/// `pointer` with one more step.
pub fn join(pointer: &str, step: impl std::fmt::Display) -> String {
    let step = step.to_string();
    if step.contains(['~', '/']) {
        return format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"));
    }
    format!("{pointer}/{step}")
}

/// The pointer in a URI's fragment (RFC 6901 section 6); `None` where the percent-encoding is broken.
pub fn from_fragment(fragment: &str) -> Option<String> {
    let mut bytes = fragment.bytes();
    let mut decoded = Vec::with_capacity(fragment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                high * 16 + low
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_escaped() {
        assert_eq!(join("", "a"), "/a");
        assert_eq!(join("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(join("/a", ""), "/a/");
        assert_eq!(join("/a", 3), "/a/3");
    }

    #[test]
    fn fragments_are_decoded() {
        assert_eq!(from_fragment("/a%20b/%C3%BC").as_deref(), Some("/a b/ü"));
        for broken in ["%2", "%", "%zz", "%+1", "%ff"] {
            assert_eq!(from_fragment(broken), None, "{broken}");
        }
    }
}
