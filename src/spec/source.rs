//! The files of a spec and places in them.

mod align;

use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use align::align;

/// One file of a spec, by its number in [`Files`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// Bytes `start..end` of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file`; offsets beyond 4 GiB (which no spec has) are clamped.
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { file, start: clamp(range.start), end: clamp(range.end) }
    }

    /// The span as a range of the file's bytes.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, which stands at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Spanned { value, span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl Spanned<String> {
    /// The place of `range` (bytes of the value) in the file, whatever quotes or indentation stand there.
    pub fn at(&self, range: Range<usize>) -> Place {
        Place { span: self.span, within: Some((Arc::from(self.value.as_str()), range)) }
    }
}

/// Where a diagnostic points: a span, or a part of the scalar that stands there.
#[derive(Debug, Clone)]
pub struct Place {
    /// The whole node.
    pub span: Span,
    /// The scalar's value and the range of it that is meant.
    pub within: Option<(Arc<str>, Range<usize>)>,
}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Place { span, within: None }
    }
}

/// A file's name as it was given, its path, and its text.
#[derive(Debug, Clone, Hash)]
struct File {
    name: String,
    path: PathBuf,
    text: String,
    /// Where each line after the first begins.
    lines: Vec<usize>,
    /// Whether it is a part of the spec, not a file that the spec names.
    spec: bool,
}

/// The spec's files, and those that it names.
#[derive(Debug, Clone, Default, Hash)]
pub struct Files(Vec<File>);

impl Files {
    /// Adds a file; `name` is what diagnostics call it.
    pub fn add(&mut self, name: impl Into<String>, path: impl Into<PathBuf>, text: String) -> FileId {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        self.0.push(File { name: name.into(), path: path.into(), text, lines, spec: false });
        FileId(u32::try_from(self.0.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// Adds a file of the spec itself.
    pub fn add_spec(&mut self, name: impl Into<String>, path: impl Into<PathBuf>, text: String) -> FileId {
        let id = self.add(name, path, text);
        if let Some(file) = self.0.last_mut() {
            file.spec = true;
        }
        id
    }

    /// The files of the spec itself.
    pub fn specs(&self) -> impl Iterator<Item = FileId> {
        let all = self.0.iter().zip(0..);
        all.filter(|(file, _)| file.spec).map(|(_, number)| FileId(number))
    }

    /// The texts of files that the spec names.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|file| !file.spec).map(|file| file.text.as_str())
    }

    /// Puts a star in the place of each byte of a secret, from here on; what is blank stays, and so do all places.
    pub fn cover(&mut self, secret: Span) {
        let Some(file) = self.0.get_mut(secret.file.0 as usize) else { return };
        let covered = file.text.get(secret.range()).map(|text| {
            let star = |c: char| if c.is_whitespace() { c.to_string() } else { "*".repeat(c.len_utf8()) };
            text.chars().map(star).collect::<String>()
        });
        if let Some(covered) = covered {
            file.text.replace_range(secret.range(), &covered);
        }
    }

    /// Reads a text file that the spec names, and adds it.
    ///
    /// # Errors
    /// Why it can't be read, in words.
    pub fn read(&mut self, name: &str, path: PathBuf) -> Result<Spanned<String>, String> {
        let text = super::load::read_text(&path)?;
        let file = self.add(name, path, text.clone());
        Ok(Spanned::new(text.clone(), Span::new(file, 0..text.len())))
    }

    fn get(&self, id: FileId) -> Option<&File> {
        self.0.get(id.0 as usize)
    }

    /// The file's name as the user gave it.
    pub fn name(&self, id: FileId) -> &str {
        self.get(id).map_or("", |f| &f.name)
    }

    /// The file's whole text.
    pub fn text(&self, id: FileId) -> &str {
        self.get(id).map_or("", |f| &f.text)
    }

    /// The file's path; `None` for text that is in no file.
    pub fn path(&self, id: FileId) -> Option<&Path> {
        self.get(id).map(|f| f.path.as_path())
    }

    /// The folder that the file's relative paths start from.
    pub fn folder(&self, id: FileId) -> &Path {
        self.get(id).and_then(|f| f.path.parent()).unwrap_or(Path::new(""))
    }

    /// The bytes of the file that `place` means.
    pub fn locate(&self, place: &Place) -> Range<usize> {
        let whole = place.span.range();
        let Some((value, range)) = &place.within else { return whole };
        let Some(written) = self.text(place.span.file).get(whole.clone()) else { return whole };
        // The text of a file of its own may begin with what opens a scalar of YAML elsewhere.
        let found = if *written == **value { Some(range.clone()) } else { align(written, value, range) };
        match found {
            Some(found) => whole.start + found.start..whole.start + found.end,
            None => whole,
        }
    }

    /// Line and column (characters), both from 1, of a byte of the file.
    pub fn line_column(&self, file: FileId, offset: usize) -> (usize, usize) {
        let Some(File { text, lines, .. }) = self.get(file) else { return (1, 1) };
        let mut at = offset.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = lines.partition_point(|start| *start <= at);
        let start = before.checked_sub(1).and_then(|n| lines.get(n)).copied().unwrap_or(0);
        let column = text.get(start..at).unwrap_or("").chars().count() + 1;
        (before + 1, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters_from_one() {
        let mut files = Files::default();
        let file = files.add("x", "x", "a\nüb\n".to_owned());
        for (offset, place) in
            [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (3, (2, 1)), (4, (2, 2)), (6, (3, 1)), (99, (3, 1))]
        {
            assert_eq!(files.line_column(file, offset), place, "{offset}");
        }
        assert_eq!(files.line_column(FileId(7), 3), (1, 1));
    }
}
