//! Blotting secrets out of what a program prints.

/// Secrets shorter than this are too likely to be ordinary words to be masked.
const SHORTEST_SECRET: usize = 4;
const MASK: &[u8] = b"***";

/// An end of an output that was cut off, in the middle of a secret perhaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What came first is gone.
    First,
    /// What came last is gone.
    Last,
}

/// The bytes without the secrets, and without what is left of one at an end that was cut off. Bytes, not text: one
/// byte that is no UTF-8 must not let a secret through.
pub fn blot(bytes: Vec<u8>, secrets: &[&[u8]], cut: Option<End>) -> Vec<u8> {
    let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET);
    long.fold(bytes, |bytes, secret| within_ends(replaced(bytes, secret), secret, cut))
}

fn replaced(bytes: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    let Some(first) = find(&bytes, secret) else { return bytes };
    let (mut out, mut rest, mut found) = (Vec::with_capacity(bytes.len()), bytes.as_slice(), Some(first));
    while let Some(at) = found {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(MASK);
        rest = from.get(secret.len()..).unwrap_or(&[]);
        found = find(rest, secret);
    }
    out.extend_from_slice(rest);
    out
}

fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    let first = secret.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| byte == first)?;
        if bytes.get(at..)?.starts_with(secret) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Takes the longest part of a secret off the end that was cut.
fn within_ends(mut bytes: Vec<u8>, secret: &[u8], cut: Option<End>) -> Vec<u8> {
    let lengths = (SHORTEST_SECRET..secret.len()).rev();
    match cut {
        None => {}
        Some(End::Last) => {
            let part = |length: &usize| secret.get(..*length).is_some_and(|part| bytes.ends_with(part));
            if let Some(length) = lengths.into_iter().find(part) {
                bytes.truncate(bytes.len() - length);
                bytes.extend_from_slice(MASK);
            }
        }
        Some(End::First) => {
            let part = |length: &usize| secret.get(secret.len() - length..).is_some_and(|part| bytes.starts_with(part));
            if let Some(length) = lengths.into_iter().find(part) {
                bytes.splice(..length, MASK.iter().copied());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blotted(bytes: &[u8], cut: Option<End>) -> String {
        String::from_utf8_lossy(&blot(bytes.to_vec(), &[b"s3cr3t!", b"abc"], cut)).into_owned()
    }

    #[test]
    fn secrets_are_blotted_out_of_text_and_bytes() {
        assert_eq!(blotted(b"s3cr3t!a s3s3cr3t!", None), "***a s3***");
        assert_eq!(blotted(b"\xffs3cr3t!\xff", None), "\u{fffd}***\u{fffd}");
        assert_eq!(blotted(b"abc s3cr3t s3cr3t", None), "abc s3cr3t s3cr3t", "too short, and not whole");
        assert_eq!(blotted(b"", Some(End::Last)), "");
    }

    #[test]
    fn parts_at_a_cut_end_are_blotted_out() {
        assert_eq!(blotted(b"x s3cr3t", Some(End::Last)), "x ***");
        assert_eq!(blotted(b"x s3cr", Some(End::Last)), "x ***");
        assert_eq!(blotted(b"x s3c", Some(End::Last)), "x s3c");
        assert_eq!(blotted(b"cr3t! x", Some(End::First)), "*** x");
        assert_eq!(blotted(b"cr3t! x s3cr3t", None), "cr3t! x s3cr3t");
    }
}
