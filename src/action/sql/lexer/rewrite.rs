//! Puts something else where a statement has `:name`, and finds the way back.

use std::ops::Range;

use super::Parsed;

/// A rewritten statement, with the way back to the text that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The new text.
    pub text: String,
    original_len: usize,
    /// Each replaced part: where it stands now, and where it stood.
    replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Rewritten {
    /// The byte of the original text that `offset` of the new text came from. Inside a replacement that is the
    /// colon of the parameter, and beyond the end it is the end.
    pub fn original(&self, offset: usize) -> usize {
        let before = self.replaced.partition_point(|(now, _)| now.start <= offset);
        let last = before.checked_sub(1).and_then(|index| self.replaced.get(index));
        let original = match last {
            None => offset,
            Some((now, then)) if now.contains(&offset) => then.start,
            Some((now, then)) => then.end + (offset - now.end),
        };
        original.min(self.original_len)
    }
}

/// Replaces every `:name` by what `replacement` gives for its name and its index in [`Parsed::params`].
/// `parsed` must be of this very text.
pub fn rewrite(sql: &str, parsed: &Parsed, mut replacement: impl FnMut(&str, usize) -> String) -> Rewritten {
    let mut text = String::with_capacity(sql.len());
    let mut replaced = Vec::with_capacity(parsed.params.len());
    let mut copied = 0;
    for (index, param) in parsed.params.iter().enumerate() {
        text.push_str(sql.get(copied..param.range.start).unwrap_or_default());
        let start = text.len();
        text.push_str(&replacement(&param.name, index));
        replaced.push((start..text.len(), param.range.clone()));
        copied = param.range.end;
    }
    text.push_str(sql.get(copied..).unwrap_or_default());
    Rewritten { text, original_len: sql.len(), replaced }
}
