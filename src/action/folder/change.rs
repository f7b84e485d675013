//! `write` and `edit`: files that are changed.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Place, fault, place, render};
use crate::action::{Arguments, Builder, Scope};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::{EditAction, WriteAction, WriteMode};
use crate::template::Template;

/// Places of a text that are counted.
const MOST_COUNTED: usize = 1000;

/// A compiled write.
#[derive(Debug)]
pub struct Write {
    place: Place,
    text: Template,
    mode: WriteMode,
    max_bytes: usize,
}

impl Write {
    /// Compiles it.
    pub fn compile(written: &WriteAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let place = Place::compile(place!(written, written.path.get()), scope, builder);
        let text = written.text.get().and_then(|text| builder.template(text, scope));
        let mode = written.mode.as_ref().map_or(WriteMode::Create, |mode| mode.value);
        let max_bytes = builder.limits.with(None, None, written.max_bytes.as_ref()).max_bytes;
        written.path.get()?;
        Some(Write { place: place?, text: text?, mode, max_bytes })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If it can't be written there.
    pub async fn run(&self, arguments: &Arguments) -> Result<Outcome, ActionError> {
        let path = self.place.file(arguments)?;
        let text = render(&self.text, arguments, self.max_bytes)?;
        let (mode, at, bytes) = (self.mode, path.clone(), text.len());
        let created = self.place.root.blocking(&path, move |root| root.write(&at, text.as_bytes(), mode)).await;
        let created = created.map_err(|found| fault(&found))?;
        Ok(Outcome::json(json!({ "path": path, "bytes": bytes, "created": created })))
    }

    /// The file that a call would write.
    ///
    /// # Errors
    /// As [`Write::run`], before anything is written.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let path = self.place.folder.join(self.place.file(arguments)?);
        let text = render(&self.text, arguments, self.max_bytes)?;
        let verb = match self.mode {
            WriteMode::Create => "create",
            WriteMode::Replace => "replace",
            WriteMode::Append => "append to",
        };
        Ok(format!("{verb} {}, {} bytes", path.display(), text.len()))
    }

    /// The JSON Schema of its answer.
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "path": { "type": "string" },
                "bytes": { "type": "integer" },
                "created": { "type": "boolean" },
            },
            "required": ["path", "bytes", "created"],
        })
    }
}

/// Held from the reading to the writing: of two edits of one file none must be lost. It is one for all files, as different
/// paths can mean the same.
static EDITS: Mutex<()> = Mutex::new(());

/// A compiled edit.
#[derive(Debug)]
pub struct Edit {
    place: Place,
    find: Template,
    replace: Template,
    max_bytes: usize,
}

impl Edit {
    /// Compiles it.
    pub fn compile(written: &EditAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let place = Place::compile(place!(written, written.path.get()), scope, builder);
        let find = written.find.get().and_then(|text| builder.template(text, scope));
        let replace = written.replace.get().and_then(|text| builder.template(text, scope));
        let max_bytes = builder.limits.with(None, None, written.max_bytes.as_ref()).max_bytes;
        written.path.get()?;
        Some(Edit { place: place?, find: find?, replace: replace?, max_bytes })
    }

    /// Changes the file.
    ///
    /// # Errors
    /// If the text is not there just once, or the file can't be written.
    pub async fn run(&self, arguments: &Arguments) -> Result<Outcome, ActionError> {
        let path = self.place.file(arguments)?;
        let find = render(&self.find, arguments, self.max_bytes)?;
        let replace = render(&self.replace, arguments, self.max_bytes)?;
        let (at, max_bytes) = (path.clone(), self.max_bytes);
        let line = self.place.root.blocking(&path, move |root| {
            let _alone = EDITS.lock().unwrap_or_else(PoisonError::into_inner);
            let content = root.read(&at, max_bytes)?;
            if content.truncated {
                return Err(ActionError::invalid(format!("`{at}` is longer than {max_bytes} bytes (maxBytes)")));
            }
            let text = String::from_utf8(content.bytes)
                .map_err(|_| ActionError::invalid(format!("`{at}` is not text in UTF-8")))?;
            let (edited, line) = once(&text, &find, &replace, &at)?;
            root.write(&at, edited.as_bytes(), WriteMode::Replace)?;
            Ok(line)
        });
        Ok(Outcome::json(json!({ "path": path, "line": line.await? })))
    }

    /// The file that a call would change.
    ///
    /// # Errors
    /// If a value can't stand in the path.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        Ok(format!("edit {}", self.place.folder.join(self.place.file(arguments)?).display()))
    }

    /// The JSON Schema of its answer.
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "properties": { "path": { "type": "string" }, "line": { "type": "integer" } },
            "required": ["path", "line"],
        })
    }
}

/// The text with the one `find` replaced, and the line where it was.
fn once(text: &str, find: &str, replace: &str, path: &str) -> Result<(String, usize), ActionError> {
    if find.is_empty() {
        return Err(ActionError::invalid("there is nothing to replace: `find` is empty"));
    }
    let mut places = places(text, find);
    match (places.next(), places.next()) {
        (None, _) => Err(ActionError::invalid(format!("`{path}` does not hold the text that is to be replaced"))),
        (Some(start), None) => {
            let (before, rest) = text.split_at(start);
            let after = rest.strip_prefix(find).unwrap_or(rest);
            let line = before.matches('\n').count().saturating_add(1);
            Ok((format!("{before}{replace}{after}"), line))
        }
        (Some(_), Some(_)) => {
            let count = match places.take(MOST_COUNTED - 2).count().saturating_add(2) {
                MOST_COUNTED => format!("{MOST_COUNTED} times or more"),
                count => format!("{count} times"),
            };
            Err(ActionError::invalid(format!(
                "`{path}` holds the text that is to be replaced {count}: give more of what is around it"
            )))
        }
    }
}

/// Where a text is, also where it overlaps with itself: `aa` is twice in `aaa`.
fn places<'t>(text: &'t str, find: &'t str) -> impl Iterator<Item = usize> + 't {
    let step = find.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find(find)?;
        from = at + step;
        Some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_also_where_it_overlaps_with_itself() {
        let all = |text: &str, find: &str| places(text, find).collect::<Vec<_>>();
        assert_eq!(all("aaa", "aa"), [0, 1]);
        assert_eq!(all("ääaä", "ä"), [0, 2, 5]);
        assert_eq!(all("abab", "ab"), [0, 2]);
        assert!(all("", "a").is_empty() && all("a", "ab").is_empty());
    }
}
