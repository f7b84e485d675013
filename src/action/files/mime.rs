//! What kind of content a file has.

use std::path::Path;

/// The MIME type of a file called `name` that starts with `bytes`; `cut` where the file goes on.
pub(super) fn of(name: &str, bytes: &[u8], cut: bool) -> String {
    let guess = mime_guess::from_path(Path::new(name)).first_raw();
    match guess {
        // The list takes TypeScript for an MPEG transport stream, which is never text.
        Some("video/vnd.dlna.mpeg-tts") if is_text(bytes, cut) => "text/plain",
        Some(known) => known,
        None if is_text(bytes, cut) => "text/plain",
        None => "application/octet-stream",
    }
    .to_owned()
}

/// The MIME type by the name alone, where that says one.
pub fn of_name(name: &str) -> Option<&'static str> {
    mime_guess::from_path(Path::new(name)).first_raw()
}

/// UTF-8 without NUL; where it is `cut`, the last character may be incomplete.
fn is_text(bytes: &[u8], cut: bool) -> bool {
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => cut && error.error_len().is_none(),
    };
    utf8 && !bytes.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_by_the_name() {
        for (name, mime) in [
            ("a.md", "text/markdown"),
            ("b/README.MD", "text/markdown"),
            ("a.json", "application/json"),
            ("a.html", "text/html"),
            ("a.txt", "text/plain"),
            ("a.csv", "text/csv"),
            ("a.png", "image/png"),
            ("a.svg", "image/svg+xml"),
            ("a.tar.gz", "application/gzip"),
            ("a.ts", "text/plain"),
        ] {
            assert_eq!(of(name, b"x", false), mime, "{name}");
        }
        assert_eq!(of("a.ts", b"G\0\xff", false), "video/vnd.dlna.mpeg-tts");
    }

    #[test]
    fn looks_into_what_has_no_known_name() {
        let (text, binary) = ("text/plain", "application/octet-stream");
        let e = "é".as_bytes();
        for (bytes, cut, mime) in [
            (b"".as_slice(), false, text),
            (b"plain", false, text),
            (e, false, text),
            (&e[..1], true, text),
            (&e[..1], false, binary),
            (b"a\0b", false, binary),
            (b"\xff\xfe", true, binary),
        ] {
            assert_eq!(of("LICENCE", bytes, cut), mime, "{bytes:?}");
        }
    }
}
