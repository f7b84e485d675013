//! `result`: how an action's outcome becomes the answer.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::jq::{Jq, JqFault, JqLimits};
use super::media::sniff;
use super::{ActionError, Content, ErrorKind, Outcome};
use crate::spec::model::Form;
use crate::template::Template;

/// A compiled `result`.
#[derive(Debug, Default)]
pub struct Shape {
    /// What a command's or a file's bytes are.
    pub form: Option<Form>,
    /// A program over the JSON.
    pub jq: Option<Jq>,
    /// The words that the reader sees.
    pub text: Option<Template>,
}

/// A shaped answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaped {
    /// The answer.
    pub outcome: Outcome,
    /// The words for it, in place of its JSON.
    pub text: Option<String>,
}

/// The bounds of shaping.
#[derive(Debug, Clone, Copy)]
pub struct ShapeLimits {
    /// How long jq may run.
    pub time: Duration,
    /// Bytes of the result.
    pub max_bytes: usize,
}

impl Shape {
    /// Whether the answer's JSON is no longer what the action gave.
    pub fn reshapes(&self) -> bool {
        self.form.is_some() || self.jq.is_some()
    }

    /// Shapes an answer. Names of `text` are the keys of a JSON object; any other JSON is `value`.
    ///
    /// # Errors
    /// If the bytes are not what `as` says, jq fails, or a bound is met.
    pub async fn apply(&self, mut outcome: Outcome, limits: ShapeLimits) -> Result<Shaped, ActionError> {
        match self.form {
            None => {}
            Some(Form::Image) => outcome = media(outcome, "image")?,
            Some(Form::Audio) => outcome = media(outcome, "audio")?,
            Some(form) => outcome.content = read_as(form, outcome.content)?,
        }
        if let Some(jq) = &self.jq {
            let truncated = outcome.truncated.take();
            let given = outcome.into_value();
            let limits = JqLimits { time: limits.time, max_bytes: limits.max_bytes };
            let shaped = jq.run(given, Vec::new(), limits).await.map_err(|fault| jq_fault(&fault))?;
            outcome = Outcome { truncated, ..Outcome::json(shaped) };
        }
        let Some(template) = &self.text else { return Ok(Shaped { outcome, text: None }) };
        let names = match &outcome.content {
            Content::Json(Value::Object(object)) => Cow::Borrowed(object),
            _ => Cow::Owned(Map::from_iter([("value".to_owned(), outcome.clone().into_value())])),
        };
        let text = template.render(&names, limits.max_bytes).map_err(|fault| {
            ActionError::failed("the answer can't be put into words").detail(format!("result.text: {fault}"))
        })?;
        Ok(Shaped { outcome, text: Some(text) })
    }
}

fn read_as(form: Form, content: Content) -> Result<Content, ActionError> {
    let text = match content {
        Content::Text(text) => text,
        Content::Json(value) if form == Form::Json => return Ok(Content::Json(value)),
        Content::Json(value) => value.to_string(),
        Content::Blocks(blocks) => Value::Array(blocks).to_string(),
        Content::Bytes(_) => return Err(ActionError::failed("the answer is not text")),
    };
    match form {
        Form::Text | Form::Image | Form::Audio => Ok(Content::Text(text)),
        Form::Lines => Ok(Content::Json(text.lines().collect())),
        Form::Json => serde_json::from_str(&text)
            .map(Content::Json)
            .map_err(|error| ActionError::failed("the answer is not JSON").detail(error.to_string())),
    }
}

/// An outcome as the bytes of an image (`kind` `image`) or a sound (`audio`), with its media type.
///
/// # Errors
/// If it is none, or was cut.
pub fn media(outcome: Outcome, kind: &str) -> Result<Outcome, ActionError> {
    let Outcome { content, mime_type, truncated } = outcome;
    if let Some(words) = truncated {
        return Err(ActionError::failed(format!("the {kind} is incomplete: {words}")));
    }
    let bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::Text(text) => text.into_bytes(),
        Content::Json(_) | Content::Blocks(_) => Vec::new(),
    };
    let of_kind = |media: &str| media.split_once('/').is_some_and(|(main, _)| main == kind);
    let known = mime_type.filter(|m| of_kind(m));
    let mime_type = known.or_else(|| sniff(&bytes).filter(|m| of_kind(m)).map(str::to_owned));
    match mime_type {
        Some(mime_type) => Ok(Outcome { content: Content::Bytes(bytes), mime_type: Some(mime_type), truncated: None }),
        None => Err(ActionError::failed(format!("the answer is no {kind} of a known kind"))),
    }
}

fn jq_fault(fault: &JqFault) -> ActionError {
    match fault {
        JqFault::TimedOut => ActionError::new(ErrorKind::TimedOut, "shaping the answer took too long"),
        JqFault::Busy => ActionError::new(ErrorKind::TimedOut, "too many answers are being shaped; try again"),
        JqFault::TooLong => ActionError::failed("the shaped answer is too large"),
        JqFault::Failed(why) => ActionError::failed(format!("the answer is not of the expected shape: {why}")),
    }
}
