//! What code hosts know a line again by when it has moved: `primaryLocationLineHash`, as GitHub's upload computes it
//! where a log has none ("SARIF support for code scanning").

use std::collections::HashMap;

/// UTF-16 code units that a line's hash covers: those of the line and what follows it, without spaces and tabs.
const WINDOW: usize = 100;
/// The base of the polynomial, modulo 2^64.
const BASE: u64 = 37;
/// What stands behind the last character.
const END: u16 = u16::MAX;
const LINE_FEED: u16 = 0x0a;

/// The fingerprint of each line of a text: the hash in hexadecimal, and which of the lines with that hash it is.
pub fn of_lines(text: &str) -> Vec<String> {
    let (units, starts) = units(text);
    let mut met: HashMap<u64, usize> = HashMap::new();
    let lines = starts.into_iter().map(|start| {
        let window = units.iter().skip(start).copied().chain(std::iter::repeat(0)).take(WINDOW);
        let hash = window.fold(0_u64, |hash, unit| hash.wrapping_mul(BASE).wrapping_add(u64::from(unit)));
        let count = met.entry(hash).or_default();
        *count += 1;
        format!("{hash:x}:{count}")
    });
    lines.collect()
}

/// What is hashed, and where in it each line begins.
fn units(text: &str) -> (Vec<u16>, Vec<usize>) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut units, mut starts, mut begins) = (Vec::with_capacity(text.len()), Vec::new(), true);
    for unit in text.encode_utf16().filter(|unit| ![0x20, 0x09].contains(unit)).chain([END]) {
        if begins {
            starts.push(units.len());
        }
        begins = unit == LINE_FEED;
        units.push(unit);
    }
    (units, starts)
}

#[cfg(test)]
mod tests {
    use super::of_lines;

    #[test]
    fn they_are_those_that_an_upload_computes() {
        assert_eq!(of_lines(""), ["c129715d7a2bc9a3:1"]);
        let known = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        for text in [" a\nb\n  \t\tc\n d", " a\r\nb\r\n  \t\tc\r\n d", " a\rb\r  \t\tc\r d"] {
            assert_eq!(of_lines(text), known, "{text:?}");
        }
    }

    #[test]
    fn equal_lines_are_counted_and_moved_ones_keep_theirs() {
        let far = "x".repeat(200);
        let lines = of_lines(&format!("{far}\n{far}\nnew\n{far}\n"));
        assert!(lines[0].ends_with(":1") && lines[1].ends_with(":2") && lines[3].ends_with(":3"), "{lines:?}");
        assert_eq!(of_lines(&format!("{far}\n{far}\n{far}\n"))[2], lines[3]);
    }
}
