//! `search`: the lines of a folder's files that hold a text.

use std::ops::ControlFlow;
use std::time::Instant;

use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};

use super::{MAX_VALUE, Place, fault, place, render, rows, schema, truth};
use crate::action::files::{MAX_DEPTH, Root, Walk};
use crate::action::{Arguments, Builder, Call, Limits, Scope};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::SearchAction;
use crate::template::{Template, ValueTemplate};

/// Bytes of a compiled pattern.
const MAX_PATTERN: usize = 1 << 20;
/// Bytes of all files that one search reads.
const MAX_READ: u64 = 1 << 30;
/// Characters of a line that are shown.
const MAX_LINE: usize = 400;
/// Bytes of a file in which a NUL tells that it is no text.
const LOOKED_AT: usize = 8 * 1024;

/// A compiled search.
#[derive(Debug)]
pub struct Search {
    place: Place,
    query: Template,
    regex: Option<ValueTemplate>,
    ignore_case: Option<ValueTemplate>,
    limits: Limits,
}

impl Search {
    /// Compiles it.
    pub fn compile(written: &SearchAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let place = Place::compile(place!(written, written.path.as_ref()), scope, builder);
        let query = written.query.get().and_then(|text| builder.template(text, scope));
        let mut flag = |node: &Option<crate::spec::Node>| match node {
            Some(node) => builder.json(node, scope).map(Some),
            None => Some(None),
        };
        let (regex, ignore_case) = (flag(&written.regex), flag(&written.ignore_case));
        let limits =
            builder.limits.with(written.timeout.as_ref(), written.max_rows.as_ref(), written.max_bytes.as_ref());
        Some(Search { place: place?, query: query?, regex: regex?, ignore_case: ignore_case?, limits })
    }

    /// Searches.
    ///
    /// # Errors
    /// If the folder can't be read, the query is empty, or it is no regular expression.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let pattern = self.pattern(arguments)?;
        let from = self.place.relative(arguments)?;
        let (filter, cancel, limits) = (self.place.filter(), call.cancel.clone(), self.limits);
        let until = Instant::now() + limits.timeout;
        let at = from.clone();
        let found = self.place.root.blocking(&at, move |root| {
            let walk = Walk { from: &from, filter: &filter, folders: false, depth: MAX_DEPTH, until, cancel: &cancel };
            let mut found = Found { pattern, limits, rows: Vec::new(), read: 0, cut: None };
            let ended = root.walk(&walk, |entry| found.file(root, &entry.path, entry.size));
            let cut = ended.map_err(|found| fault(&found))?.cut();
            Ok::<_, ActionError>(rows(found.rows, found.cut.or(cut)))
        });
        let found = found.await?;
        call.go_on()?;
        Ok(found)
    }

    /// What a call would search for, and where.
    ///
    /// # Errors
    /// As [`Search::run`], before anything is read.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let folder = self.place.folder.join(self.place.relative(arguments)?);
        Ok(format!("search {} for {}", folder.display(), self.pattern(arguments)?))
    }

    /// The JSON Schema of its answer.
    pub fn schema() -> Value {
        let properties = json!({
            "path": { "type": "string" },
            "line": { "type": "integer" },
            "text": { "type": "string" },
        });
        schema(&properties, &["path", "line", "text"])
    }

    fn pattern(&self, arguments: &Arguments) -> Result<Regex, ActionError> {
        let query = render(&self.query, arguments, MAX_VALUE)?;
        if query.is_empty() {
            return Err(ActionError::invalid("there is nothing to search for: the query is empty"));
        }
        let written = match truth(self.regex.as_ref(), "regex", arguments)? {
            true => query,
            false => regex::escape(&query),
        };
        let ignore_case = truth(self.ignore_case.as_ref(), "ignoreCase", arguments)?;
        let mut builder = RegexBuilder::new(&written);
        builder.case_insensitive(ignore_case).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).crlf(true);
        builder.build().map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => ActionError::invalid("the regular expression is too large"),
            error => ActionError::invalid(format!("not a regular expression: {}", last_line(&error.to_string()))),
        })
    }
}

/// The parser shows the expression with a mark below it, and its word in the last line.
fn last_line(words: &str) -> &str {
    let last = words.lines().last().unwrap_or(words);
    last.strip_prefix("error: ").unwrap_or(last)
}

struct Found {
    pattern: Regex,
    limits: Limits,
    rows: Vec<Value>,
    read: u64,
    cut: Option<String>,
}

impl Found {
    fn file(&mut self, root: &Root, path: &str, size: u64) -> ControlFlow<()> {
        self.read = self.read.saturating_add(size.min(u64::try_from(self.limits.max_bytes).unwrap_or(u64::MAX)));
        if self.read > MAX_READ {
            self.cut = Some(format!("cut after {MAX_READ} bytes were read"));
            return ControlFlow::Break(());
        }
        // A file that is gone, or that may not be read, has no lines.
        let Ok(content) = root.read(path, self.limits.max_bytes) else { return ControlFlow::Continue(()) };
        if content.bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0) {
            return ControlFlow::Continue(());
        }
        if content.truncated {
            self.cut = Some(format!("`{path}` was searched up to byte {} (maxBytes)", self.limits.max_bytes));
        }
        let text = String::from_utf8_lossy(&content.bytes);
        for (at, line) in text.lines().enumerate() {
            if !self.pattern.is_match(line) {
                continue;
            }
            if self.rows.len() == self.limits.max_rows {
                self.cut = Some(format!("cut after {} rows (maxRows)", self.limits.max_rows));
                return ControlFlow::Break(());
            }
            self.rows.push(json!({ "path": path, "line": at.saturating_add(1), "text": shown(line) }));
        }
        ControlFlow::Continue(())
    }
}

/// A line as it is shown.
fn shown(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}
