//! `text`: a handlebars text.

use super::{Arguments, Builder, Scope, render_fault};
use crate::outcome::{ActionError, Outcome};
use crate::spec::Spanned;
use crate::template::Template;

/// A compiled text.
#[derive(Debug)]
pub struct Text {
    template: Template,
    max_bytes: usize,
}

impl Text {
    /// Compiles it.
    pub fn compile(written: &Spanned<String>, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let template = builder.template(written, scope)?;
        Some(Text { template, max_bytes: builder.limits.max_bytes })
    }

    /// Renders it.
    ///
    /// # Errors
    /// If the text grows beyond `maxBytes`, or a helper can't use a value.
    pub fn run(&self, arguments: &Arguments) -> Result<Outcome, ActionError> {
        let text = self.template.render(arguments, self.max_bytes).map_err(|f| render_fault(&f))?;
        Ok(Outcome::text(text))
    }

    /// Says that it is a text; the text itself is what a call gives.
    ///
    /// # Errors
    /// As in [`Text::run`].
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let text = self.template.render(arguments, self.max_bytes).map_err(|f| render_fault(&f))?;
        Ok(format!("text of {} bytes", text.len()))
    }
}
