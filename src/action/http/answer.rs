//! What an API answers, read up to a bound and told apart by its media type.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;

use super::failure::Errors;
use super::fault;
use super::room::Held;
use super::source::HttpSource;
use crate::action::Arguments;
use crate::outcome::formats::media_type::Kind;
use crate::outcome::formats::{self, Format, MediaType, text};
use crate::outcome::shape::Wants;
use crate::outcome::{ActionError, Content, Data, Outcome, Whole};

/// Bytes of an answer that are read to keep the whole of it where `maxBytes` cuts it.
const WHOLE_BYTES: usize = 16 * 1024 * 1024;
/// How long that may take.
const WHOLE_TIME: Duration = Duration::from_secs(5);

/// How the answers of a call are read.
pub struct Reader<'r> {
    /// Who answers.
    pub source: &'r HttpSource,
    /// The request, for messages.
    pub what: &'r str,
    /// Bytes that an answer may have.
    pub max_bytes: usize,
    /// What is made of its bytes.
    pub wants: Wants,
    /// What failures are told in.
    pub errors: &'r Errors,
    /// The call's arguments, which these words may name.
    pub arguments: &'r Arguments,
}

impl Reader<'_> {
    /// Reads an answer.
    ///
    /// # Errors
    /// If its status is not 2xx, or it breaks off.
    pub async fn read(&self, mut response: Response) -> Result<Outcome, ActionError> {
        let media = media_type(&response);
        if !response.status().is_success() {
            return Err(self.errors.failure(response, media.as_ref(), self).await);
        }
        let mut body = Vec::with_capacity(expected(&response, self.max_bytes));
        let mut held = Held::nothing();
        let ended = fill(&mut response, &mut body, self.max_bytes, &mut held).await;
        let ended = ended.map_err(|broken| broken.told(&self.source.base().host))?;
        let complete = ended || rest(&mut response, &mut body, &mut held).await;
        if !complete {
            body.truncate(self.max_bytes);
        }
        Ok(self.outcome(body, complete, media))
    }

    fn outcome(&self, body: Vec<u8>, complete: bool, media: Option<MediaType>) -> Outcome {
        let mime_type = media.as_ref().map(|media| media.essence.clone());
        if body.is_empty() {
            return Outcome::new(Content::Text(String::new()), mime_type);
        }
        let charset = media.as_ref().and_then(|media| media.charset.as_deref());
        let kind = match (self.wants, &media) {
            (Wants::Bytes, _) => Kind::Bytes,
            (Wants::Text, _) => Kind::Text(Format::Text),
            (Wants::Meaning, Some(media)) => media.kind(),
            (Wants::Meaning, None) if std::str::from_utf8(&body).is_ok() => Kind::Text(Format::Text),
            (Wants::Meaning, None) => Kind::Bytes,
        };
        match kind {
            Kind::Text(format) => self.text(&format, text::decode(body, charset, !complete), complete, mime_type),
            Kind::Bytes => self.bytes(body, complete, mime_type),
        }
    }

    /// Text in its format; what is not what it claims to be stays text.
    fn text(&self, format: &Format, text: String, complete: bool, mime_type: Option<String>) -> Outcome {
        let read = formats::read(format, &text, !complete, self.max_bytes);
        let (content, all) = match read {
            Ok(read) if !matches!(format, Format::Text) => (Content::Json(read.value), read.whole),
            _ => {
                let kept = text::prefix(&text, self.max_bytes);
                (Content::Text(kept.to_owned()), complete && kept.len() == text.len())
            }
        };
        let outcome = Outcome::new(content, mime_type.clone());
        match all {
            true => outcome,
            false => {
                let truncated = Some(self.cut(complete.then_some(text.len())));
                let whole = complete.then_some(Whole { data: Data::Text(text), mime_type });
                Outcome { truncated, whole, ..outcome }
            }
        }
    }

    /// Bytes that are not all there are none: half an image can't be shown.
    fn bytes(&self, body: Vec<u8>, complete: bool, mime_type: Option<String>) -> Outcome {
        if complete && body.len() <= self.max_bytes {
            return Outcome::new(Content::Bytes(body), mime_type);
        }
        let kind = mime_type.as_deref().unwrap_or("application/octet-stream");
        let words = match complete {
            true => format!("{} bytes of {kind}, more than {} (maxBytes)", body.len(), self.max_bytes),
            false => format!("bytes of {kind}, more than {} (maxBytes)", self.max_bytes),
        };
        let whole = complete.then(|| Whole { data: Data::Bytes(body), mime_type: mime_type.clone() });
        Outcome { truncated: Some(words), whole, ..Outcome::new(Content::Blocks(Vec::new()), mime_type) }
    }

    fn cut(&self, of: Option<usize>) -> String {
        match of {
            Some(size) => format!("cut to {} of {size} bytes (maxBytes)", self.max_bytes),
            None => format!("cut after {} bytes (maxBytes)", self.max_bytes),
        }
    }
}

fn media_type(response: &Response) -> Option<MediaType> {
    let header = response.headers().get(CONTENT_TYPE)?;
    Some(MediaType::parse(&String::from_utf8_lossy(header.as_bytes())))
}

fn expected(response: &Response, max: usize) -> usize {
    let expected = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    expected.min(max).min(64 * 1024)
}

/// Reads on until there is nothing more (`true`), or more than `max` bytes are there.
async fn fill(response: &mut Response, body: &mut Vec<u8>, max: usize, held: &mut Held) -> Result<bool, Broken> {
    while body.len() <= max {
        match response.chunk().await.map_err(Broken::Off)? {
            Some(chunk) => {
                held.grow(body.len().saturating_add(chunk.len())).await.map_err(Broken::NoRoom)?;
                body.extend_from_slice(&chunk);
            }
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// Why an answer is not read to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// It ends too early, or can't be decoded.
    Off(reqwest::Error),
    /// Others take all the memory that there is for answers.
    NoRoom(ActionError),
}

impl Broken {
    /// In words; `to` is the host, as the caller may see it.
    pub(super) fn told(self, to: &str) -> ActionError {
        match self {
            Broken::Off(error) => fault::transport(error, to),
            Broken::NoRoom(error) => error,
        }
    }
}

/// Whether the rest of an answer that is too long could be had, within bounds of its own.
async fn rest(response: &mut Response, body: &mut Vec<u8>, held: &mut Held) -> bool {
    let all = fill(response, body, WHOLE_BYTES, held);
    matches!(tokio::time::timeout(WHOLE_TIME, all).await, Ok(Ok(true)))
}

/// The first `max` bytes, after decompression, and whether there are more.
pub(super) async fn bytes(mut response: Response, max: usize) -> Result<(Vec<u8>, bool), Broken> {
    let mut body = Vec::with_capacity(expected(&response, max));
    let ended = fill(&mut response, &mut body, max, &mut Held::nothing()).await?;
    let cut = !ended || body.len() > max;
    body.truncate(max);
    Ok((body, cut))
}
