//! A header or query value with params in it.

use reqwest::header::HeaderValue;
use serde_json::Value;

use super::header;
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
            let at_fault =
                |name: &str| arguments.get(name).and_then(Value::as_str).is_some_and(|v| header::value(v).is_none());
            let names = || self.template.names().iter().map(|n| n.name.as_str());
            let words = "can't hold a line break or another control character in a header";
            ActionError::invalid(match names().find(|name| at_fault(name)).or_else(|| names().next()) {
                Some(name) => format!("`{name}` {words}"),
                None => format!("a value {words}"),
            })
        })
    }
}

impl Field<String> {
    /// Appends `name=value`, encoded, after a `&` or the `?` that is missing yet. A list is a pair for each item, and
    /// a param that was not given is none.
    ///
    /// # Errors
    /// If the template can't take a value.
    pub fn append(&self, arguments: &Arguments, max_bytes: usize, target: &mut String) -> Result<(), ActionError> {
        match self.exact(arguments) {
            Some(None) => {}
            Some(Some(Value::Array(items))) => {
                items.iter().filter(|item| !item.is_null()).for_each(|item| self.pair(&scalar(item), target));
            }
            _ => self.pair(&self.render(arguments, max_bytes)?, target),
        }
        Ok(())
    }

    fn pair(&self, value: &str, target: &mut String) {
        append(target, &format!("{}={}", encode_segment(&self.name), encode_segment(value)));
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
