//! What a command reads.

use crate::action::{Arguments, Builder, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::Stdin;
use crate::template::Template;

/// Bytes that a command's standard input may have.
const MAX_STDIN: usize = 64 * 1024 * 1024;

/// `stdin`.
#[derive(Debug)]
pub enum Input {
    /// Nothing: `/dev/null`.
    Nothing,
    /// A text with values in it.
    Text(Template),
    /// The arguments of the call, as a JSON object.
    Arguments,
}

impl Input {
    /// Checks and compiles it.
    pub fn compile(written: Option<&Stdin>, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        match written {
            None => Some(Input::Nothing),
            Some(Stdin::Text(text)) => builder.template(text, scope).map(Input::Text),
            Some(Stdin::Arguments) => Some(Input::Arguments),
        }
    }

    /// The bytes of a call.
    ///
    /// # Errors
    /// If the text can't be rendered, or there are too many.
    pub fn bytes(&self, arguments: &Arguments) -> Result<Option<Vec<u8>>, ActionError> {
        let bytes = match self {
            Input::Nothing => return Ok(None),
            Input::Text(text) => text.render(arguments, MAX_STDIN).map_err(|fault| render_fault(&fault))?.into_bytes(),
            Input::Arguments => serde_json::to_vec(arguments).unwrap_or_default(),
        };
        if bytes.len() > MAX_STDIN {
            return Err(ActionError::invalid(format!("the arguments are longer than {MAX_STDIN} bytes")));
        }
        Ok(Some(bytes))
    }
}
