//! What bytes are, where nobody says: by how images and sounds begin.

/// The media type of an image or a sound; `None` for anything else.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, mark: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(mark));
    let riff = |mark: &[u8]| at(0, b"RIFF") && at(8, mark);
    Some(match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if at(0, b"\xff\xd8\xff") => "image/jpeg",
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        () if riff(b"WEBP") => "image/webp",
        () if at(0, b"BM") && bytes.len() > 26 => "image/bmp",
        () if at(0, b"II*\0") || at(0, b"MM\0*") => "image/tiff",
        () if at(4, b"ftypavif") => "image/avif",
        () if is_svg(bytes) => "image/svg+xml",
        () if riff(b"WAVE") => "audio/wav",
        () if at(0, b"ID3") || is_mp3(bytes) => "audio/mpeg",
        () if at(0, b"OggS") => "audio/ogg",
        () if at(0, b"fLaC") => "audio/flac",
        () if at(4, b"ftypM4A") => "audio/mp4",
        () => return None,
    })
}

/// The first frame's header: a sync word, MPEG 1 or 2, layer III, a bit rate and sampling rate that exist.
fn is_mp3(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, third, ..] if matches!(second, 0xfa | 0xfb | 0xf2 | 0xf3) && third >> 4 != 0xf && third >> 2 & 3 != 3)
}

/// An SVG image begins with its element, after an XML declaration, comments or a document type at most.
fn is_svg(bytes: &[u8]) -> bool {
    let start = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<svg") || (text.starts_with("<?xml") || text.starts_with("<!")) && text.contains("<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_images_and_sounds_by_their_beginning() {
        for (bytes, media) in [
            (b"\x89PNG\r\n\x1a\n....".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a...", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"RIFF\0\0\0\0AVI ", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Some("image/svg+xml")),
            (b"<?xml version='1.0'?>\n<svg/>", Some("image/svg+xml")),
            (b"<!DOCTYPE html><p>no drawing</p>", None),
            (b"ID3\x04", Some("audio/mpeg")),
            (b"\xff\xfb\x90\x64", Some("audio/mpeg")),
            (b"\xff\xfb\xff\xff", None),
            (b"OggS", Some("audio/ogg")),
            (b"fLaC", Some("audio/flac")),
            (b"BM", None),
            (b"%PDF-1.7", None),
            (b"", None),
            (b"\xff", None),
        ] {
            assert_eq!(sniff(bytes), media, "{bytes:?}");
        }
    }
}
