//! `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `${file:PATH}` and `$$`, replaced in the scalars of a
//! parsed tree, so that a value can never add a key.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::outside::Outside;
use super::source::{Files, Span, Spanned};
use super::text::Text;

/// Bytes that `${file:…}` may bring in.
const MAX_FILE: u64 = 64 * 1024;

/// Values from outside the spec: environment variables, those of `--env-file` behind them.
#[derive(Debug, Clone, Default, Hash)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own environment. Variables that are not Unicode are left out.
    pub fn of_process() -> Self {
        Environment(
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect(),
        )
    }

    /// Adds a value where the environment has none.
    pub fn add(&mut self, name: String, value: String) {
        self.0.entry(name).or_insert(value);
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Environment(pairs.into_iter().collect())
    }
}

/// Top-level sections in whose strings `${…}` is replaced.
const OPEN_SECTIONS: [&str; 7] = ["server", "sources", "include", "promptFiles", "defaults", "access", "files"];

/// Keys of maps whose names are somebody else's, so that `x-…` is a name like any other.
const FOREIGN: [&str; 6] = ["headers", "query", "cookies", "form", "multipart", "env"];

/// Replaces `${…}` in a spec's tree where the language allows it and reports it elsewhere. What it names is added to
/// `outside`.
pub fn interpolate(root: &mut Node, env: &Environment, files: &Files, sink: &mut Diagnostics, outside: &mut Outside) {
    let mut walk = Walk { env, files, sink, outside };
    if let Kind::Map(sections) = &mut root.kind {
        for section in sections {
            let rule = if OPEN_SECTIONS.contains(&section.key.value.as_str()) { Rule::Replace } else { Rule::Refuse };
            walk.entry(section, rule, None);
        }
    }
}

/// The same for a part of a section in which nothing but what commands and folders are given is replaced.
pub fn interpolate_part(
    part: &mut Node,
    env: &Environment,
    files: &Files,
    sink: &mut Diagnostics,
    outside: &mut Outside,
) {
    Walk { env, files, sink, outside }.node(part, Rule::Refuse, None);
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Replace,
    Refuse,
    Leave,
}

struct Walk<'a> {
    env: &'a Environment,
    files: &'a Files,
    sink: &'a mut Diagnostics,
    outside: &'a mut Outside,
}

impl Walk<'_> {
    fn entry(&mut self, entry: &mut Entry, rule: Rule, parent: Option<&str>) {
        let key = entry.key.value.as_str();
        let foreign = parent.is_some_and(|parent| FOREIGN.contains(&parent));
        let rule = match (parent, key) {
            _ if rule == Rule::Leave || (key.starts_with("x-") && !foreign) => Rule::Leave,
            (Some("exec" | "shell"), "env" | "cwd") => Rule::Replace,
            (Some("file" | "files" | "search" | "write" | "edit"), "root") => Rule::Replace,
            (Some("shell"), "script") => Rule::Leave,
            _ => rule,
        };
        self.node(&mut entry.value, rule, Some(key));
    }

    fn node(&mut self, node: &mut Node, rule: Rule, key: Option<&str>) {
        match &mut node.kind {
            Kind::String(text) => {
                let text = Spanned::new(text.written().to_owned(), node.span);
                if let Some(kind) = self.string(&text, rule) {
                    node.kind = kind;
                }
            }
            Kind::List(items) => items.iter_mut().for_each(|item| self.node(item, rule, key)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| self.entry(entry, rule, key)),
            _ => {}
        }
    }

    /// What becomes of a string; `None` if it stays as it is.
    fn string(&mut self, text: &Spanned<String>, rule: Rule) -> Option<Kind> {
        match rule {
            Rule::Replace if is_bare(text) => {
                let name = text.get(1..).unwrap_or("");
                let words = format!("`${name}` is not replaced");
                let found = Diagnostic::error(Code::BadValue, text.span, words);
                self.sink.push(found.label(format!("write `${{{name}}}`, or `$${name}` for this text itself")));
                Some(Kind::Fault)
            }
            Rule::Replace if text.contains('$') => Some(match self.replace(text) {
                Some(Replaced { value, from_outside: true }) => {
                    Kind::String(Text::new(text.value.clone()).with_value(value))
                }
                Some(Replaced { value, from_outside: false }) => Kind::String(Text::new(value)),
                None => Kind::Fault,
            }),
            Rule::Refuse => {
                let at = text.find("${")?;
                let end = text.get(at..).and_then(|t| t.find('}')).map_or(at + 2, |end| at + end + 1);
                let found = Diagnostic::error(Code::MisplacedVariable, text.at(at..end), "`${…}` can't stand here");
                self.sink.push(found.help(
                    "values from outside belong into `server`, `sources`, `include`, `defaults`, `files`, the `env` and `cwd` of a command, and the `root` of a file",
                ));
                None
            }
            Rule::Replace | Rule::Leave => None,
        }
    }

    /// The text with its values; `None` after a mistake.
    fn replace(&mut self, text: &Spanned<String>) -> Option<Replaced> {
        let mut out = Replaced { value: String::new(), from_outside: false };
        let (mut rest, mut at, mut whole) = (text.value.as_str(), 0, true);
        while let Some(dollar) = rest.find('$') {
            let (before, from) = rest.split_at(dollar);
            out.value.push_str(before);
            at += dollar;
            let length = if from.starts_with("$$") {
                out.value.push('$');
                2
            } else if let Some(inner) = from.strip_prefix("${") {
                let Some(end) = inner.find('}') else {
                    let found = Diagnostic::error(Code::BadValue, text.at(at..at + 2), "`${` without a `}`");
                    self.sink.push(found.label("a dollar sign itself is written `$$`"));
                    return None;
                };
                let length = end + 3;
                match self.value(inner.get(..end).unwrap_or(""), text, at..at + length) {
                    Some((value, from_outside)) => {
                        out.value.push_str(&value);
                        out.from_outside |= from_outside;
                    }
                    None => whole = false,
                }
                length
            } else {
                out.value.push('$');
                1
            };
            at += length;
            rest = from.get(length..).unwrap_or("");
        }
        out.value.push_str(rest);
        whole.then_some(out)
    }

    /// What stands between the braces, as its value and whether that is a secret (a default that stands in
    /// the spec itself is none).
    fn value(&mut self, inner: &str, text: &Spanned<String>, range: std::ops::Range<usize>) -> Option<(String, bool)> {
        let place = || text.at(range.clone());
        if let Some(path) = inner.strip_prefix("file:") {
            return match self.file(path, text.span) {
                Ok(value) => Some((value, true)),
                Err(why) => {
                    let found = Diagnostic::error(Code::MissingFile, place(), format!("can't read `{path}`"));
                    self.sink.push(found.label(why));
                    None
                }
            };
        }
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, rule) = inner.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            let found = Diagnostic::error(Code::BadValue, place(), "no variable's name in `${…}`");
            self.sink.push(found.label("expected `${NAME}`, `${NAME:-default}`, `${NAME:?message}` or `${file:PATH}`"));
            return None;
        }
        self.outside.variable(name, rule);
        let set = self.env.get(name);
        let given = set.filter(|v| !v.is_empty());
        match rule {
            "" if let Some(value) = set => Some((value.to_owned(), true)),
            _ if let Some(default) = rule.strip_prefix(":-") => {
                Some(given.map_or_else(|| (default.to_owned(), false), |v| (v.to_owned(), true)))
            }
            _ if rule.starts_with(":?") && given.is_some() => given.map(|v| (v.to_owned(), true)),
            _ if !rule.is_empty() && !rule.starts_with(":?") => {
                let found = Diagnostic::error(Code::BadValue, place(), format!("can't read `${{{inner}}}`"));
                self.sink.push(found.label("expected `${NAME}`, `${NAME:-default}` or `${NAME:?message}`"));
                None
            }
            _ => {
                let words = format!("the environment variable `{name}` is not set");
                // Whoever sets it has set it for all its places.
                if !self.sink.says(Code::MissingVariable, &words) {
                    let found = Diagnostic::error(Code::MissingVariable, place(), words);
                    let message = rule.strip_prefix(":?").filter(|m| !m.is_empty());
                    self.sink.push(found.label(message.map_or_else(|| remedy(name), str::to_owned)));
                }
                None
            }
        }
    }

    fn file(&mut self, path: &str, span: Span) -> Result<String, String> {
        let path = self.files.folder(span.file).join(Path::new(path));
        self.outside.files.push(path.clone());
        let words = |e: std::io::Error| super::load::reason(&e).to_owned();
        let mut value = String::new();
        super::load::open(&path)?.take(MAX_FILE + 1).read_to_string(&mut value).map_err(words)?;
        if value.len() as u64 > MAX_FILE {
            return Err(format!("it is larger than {MAX_FILE} bytes"));
        }
        value.truncate(value.trim_end_matches(['\r', '\n']).len());
        Ok(value)
    }
}

/// Whether a string is `$NAME` and no more, as shells write a variable: a password of this look is unlikely, a
/// variable without its braces is not.
fn is_bare(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or("");
    let upper = |c: char| c.is_ascii_uppercase() || c == '_';
    name.starts_with(upper) && name.len() > 1 && name.chars().all(|c| upper(c) || c.is_ascii_digit())
}

/// How a variable gets a value; a secret gets no default, which would stand in the spec.
fn remedy(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    if ["TOKEN", "KEY", "PASSWORD", "SECRET"].iter().any(|secret| upper.contains(secret)) {
        return "set it, or put it into a file for `--env-file`".to_owned();
    }
    format!("set it, put it into a file for `--env-file`, or give a default: `${{{name}:-default}}`")
}

struct Replaced {
    value: String,
    from_outside: bool,
}

#[cfg(test)]
mod tests;
