//! `result`: how an action's outcome becomes the answer.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::formats::{self, Format, Read};
use super::jq::{Jq, JqFault, JqLimits};
use super::media::sniff;
use super::{ActionError, Content, ErrorKind, Outcome};
use crate::template::Template;

/// A compiled `result`.
#[derive(Debug, Default)]
pub struct Shape {
    /// What the answer's bytes are, where that does not go by what the action knows of them.
    pub form: Option<Form>,
    /// A program over the JSON.
    pub jq: Option<Jq>,
    /// The words that the reader sees.
    pub text: Option<Template>,
}

/// What bytes are read as.
#[derive(Debug)]
pub enum Form {
    /// Text in a format.
    Format(Format),
    /// An `image` or a sound (`audio`).
    Media(&'static str),
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

/// What a shape wants of an action that gets bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wants {
    /// What they mean by their media type.
    #[default]
    Meaning,
    /// Their text.
    Text,
    /// The bytes themselves.
    Bytes,
}

impl From<ShapeLimits> for JqLimits {
    fn from(limits: ShapeLimits) -> Self {
        JqLimits { time: limits.time, max_bytes: limits.max_bytes }
    }
}

impl Shape {
    /// What it wants of its action.
    pub fn wants(&self) -> Wants {
        match self.form {
            None => Wants::Meaning,
            Some(Form::Format(_)) => Wants::Text,
            Some(Form::Media(_)) => Wants::Bytes,
        }
    }

    /// Whether the answer's JSON is no longer what the action gave.
    pub fn reshapes(&self) -> bool {
        self.form.is_some() || self.jq.is_some()
    }

    /// Shapes an answer. Names of `text` are the keys of a JSON object; any other JSON is `value`.
    ///
    /// # Errors
    /// If the bytes are not what `as` says, jq fails, or a bound is met.
    pub async fn apply(&self, mut outcome: Outcome, limits: ShapeLimits) -> Result<Shaped, ActionError> {
        match &self.form {
            None => {}
            Some(Form::Media(kind)) => outcome = media(outcome, kind)?,
            Some(Form::Format(format)) => outcome = read_as(format, outcome, limits.max_bytes)?,
        }
        if let Some(jq) = &self.jq {
            let (truncated, whole) = (outcome.truncated.take(), outcome.whole.take());
            let given = outcome.into_value();
            let shaped = jq.run(given, Vec::new(), limits.into()).await.map_err(|fault| jq_fault(&fault))?;
            outcome = Outcome { truncated, whole, ..Outcome::json(shaped) };
        }
        let Some(template) = &self.text else { return Ok(Shaped { outcome, text: None }) };
        let names = match &outcome.content {
            Content::Json(Value::Object(object)) | Content::Structured { value: Value::Object(object), .. } => {
                Cow::Borrowed(object)
            }
            _ => Cow::Owned(Map::from_iter([("value".to_owned(), outcome.clone().into_value())])),
        };
        let text = template.render(&names, limits.max_bytes).map_err(|fault| {
            ActionError::failed("the answer can't be put into words").detail(format!("result.text: {fault}"))
        })?;
        Ok(Shaped { outcome, text: Some(text) })
    }
}

fn read_as(format: &Format, outcome: Outcome, max_bytes: usize) -> Result<Outcome, ActionError> {
    let Outcome { content, mime_type, truncated, whole } = outcome;
    let text = match content {
        Content::Text(text) => text,
        Content::Json(value) | Content::Structured { value, .. } if matches!(format, Format::Json) => {
            return Ok(Outcome { content: Content::Json(value), mime_type, truncated, whole });
        }
        Content::Json(value) | Content::Structured { value, .. } => value.to_string(),
        Content::Blocks(blocks) => Value::Array(blocks).to_string(),
        Content::Bytes(_) => return Err(ActionError::failed("the answer is not text")),
    };
    let Read { value, whole: all } = formats::read(format, &text, truncated.is_some(), max_bytes)
        .map_err(|fault| ActionError::failed(format!("the answer {fault}")))?;
    let truncated = truncated.or_else(|| (!all).then(|| format!("cut after {max_bytes} bytes (maxBytes)")));
    Ok(match (format, value) {
        (Format::Markdown, Value::String(text)) => {
            Outcome { content: Content::Text(text), mime_type: Some("text/markdown".to_owned()), truncated, whole }
        }
        (_, Value::String(text)) if !matches!(format, Format::Json) => {
            Outcome { content: Content::Text(text), mime_type, truncated, whole }
        }
        (_, value) => Outcome { truncated, whole, ..Outcome::json(value) },
    })
}

/// An outcome as the bytes of an image (`kind` `image`) or a sound (`audio`), with its media type.
///
/// # Errors
/// If it is none, or was cut.
pub fn media(outcome: Outcome, kind: &str) -> Result<Outcome, ActionError> {
    let Outcome { content, mime_type, truncated, .. } = outcome;
    if let Some(words) = truncated {
        return Err(ActionError::failed(format!("the {kind} is incomplete: {words}")));
    }
    let bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::Text(text) => text.into_bytes(),
        Content::Json(_) | Content::Blocks(_) | Content::Structured { .. } => Vec::new(),
    };
    let of_kind = |media: &str| media.split_once('/').is_some_and(|(main, _)| main == kind);
    let known = mime_type.filter(|m| of_kind(m));
    let mime_type = known.or_else(|| sniff(&bytes).filter(|m| of_kind(m)).map(str::to_owned));
    match mime_type {
        Some(mime_type) => Ok(Outcome::new(Content::Bytes(bytes), Some(mime_type))),
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
