//! A value of a header, query, cookie or form with params in it.

use reqwest::header::HeaderValue;
use serde_json::Value;

use super::{cookie, header};
use crate::action::{Arguments, Builder, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::Str;
use crate::template::Template;
use crate::uri::encode_segment;

/// A value that is rendered at each call.
#[derive(Debug)]
pub struct Field<N> {
    /// The name that it goes by.
    pub name: N,
    template: Template,
}

impl<N> Field<N> {
    /// Compiles a value; mistakes are reported.
    pub fn compile(name: N, text: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        Some(Field { name, template: builder.template(text, scope)? })
    }

    /// The text, if no param is in it.
    pub fn literal(&self) -> Option<&str> {
        self.template.is_literal()
    }

    /// The value of one that is nothing but `{{name}}`: null counts as none.
    fn exact<'a>(&self, arguments: &'a Arguments) -> Option<Option<&'a Value>> {
        Some(arguments.get(self.template.exact()?).filter(|value| !value.is_null()))
    }

    fn render(&self, arguments: &Arguments, max_bytes: usize) -> Result<String, ActionError> {
        self.template.render(arguments, max_bytes).map_err(|fault| render_fault(&fault))
    }

    /// As a header's value; `None` if it is nothing but a param that was not given.
    ///
    /// # Errors
    /// If it holds what no header can: line breaks, NUL and other control characters.
    pub fn header(&self, arguments: &Arguments, max_bytes: usize) -> Result<Option<HeaderValue>, ActionError> {
        if let Some(None) = self.exact(arguments) {
            return Ok(None);
        }
        let text = self.render(arguments, max_bytes)?;
        header::value(&text).map(Some).ok_or_else(|| {
            let holds = |value: &Value| value.as_str().is_some_and(|v| header::value(v).is_none());
            let words = "can't hold a line break or another control character in a header";
            ActionError::invalid(format!("{} {words}", self.guilty(arguments, holds)))
        })
    }

    /// The param that is at fault, for messages: the one whose value is so, or the first.
    fn guilty(&self, arguments: &Arguments, so: impl Fn(&Value) -> bool) -> String {
        let guilty = self.names().find(|name| arguments.get(*name).is_some_and(&so));
        guilty.or_else(|| self.names().next()).map_or_else(|| "a value".to_owned(), |name| format!("`{name}`"))
    }

    /// The params in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.template.names().iter().map(|name| name.name.as_str())
    }
}

impl Field<String> {
    /// The texts that it comes to: one for each item of a list, none for a param that was not given.
    ///
    /// # Errors
    /// If the template can't take a value.
    pub fn texts(&self, arguments: &Arguments, max_bytes: usize) -> Result<Vec<String>, ActionError> {
        Ok(match self.exact(arguments) {
            Some(None) => Vec::new(),
            Some(Some(Value::Array(items))) => items.iter().filter(|item| !item.is_null()).map(scalar).collect(),
            _ => vec![self.render(arguments, max_bytes)?],
        })
    }

    /// Appends `name=value`, encoded, after a `&` or the `?` that is missing yet.
    ///
    /// # Errors
    /// If the template can't take a value.
    pub fn append(&self, arguments: &Arguments, max_bytes: usize, target: &mut String) -> Result<(), ActionError> {
        for text in self.texts(arguments, max_bytes)? {
            append(target, &format!("{}={}", encode_segment(&self.name), encode_segment(&text)));
        }
        Ok(())
    }

    /// Appends `name=value` after a `; `.
    ///
    /// # Errors
    /// If it holds what no cookie can.
    pub fn cookie(&self, arguments: &Arguments, max_bytes: usize, cookies: &mut String) -> Result<(), ActionError> {
        for text in self.texts(arguments, max_bytes)? {
            if !cookie::is_value(&text) {
                let holds = |value: &Value| !cookie::is_value(&scalar(value));
                return Err(ActionError::invalid(format!("{}: {}", self.guilty(arguments, holds), cookie::VALUE)));
            }
            if !cookies.is_empty() {
                cookies.push_str("; ");
            }
            cookies.extend([&self.name, "=", &text]);
        }
        Ok(())
    }
}

/// Appends encoded pairs to a path and query.
pub fn append(target: &mut String, pairs: &str) {
    let separator = match target.find('?') {
        None => "?",
        Some(_) if target.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    target.extend([separator, pairs]);
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
