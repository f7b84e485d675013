//! A description, from a file or a URL.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::action::http::tape;
use crate::action::source::Mode;
use crate::openapi;
use crate::spec::model::Str;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, load};

/// How long a URL may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects that are followed, all on one origin.
const MAX_REDIRECTS: usize = 5;

/// What reading needs and reports to.
pub struct Fetch<'f> {
    /// Whether URLs are asked.
    pub mode: Mode,
    /// The texts: a changed one is another edition of the spec.
    pub files: &'f mut Files,
    /// Takes mistakes.
    pub sink: &'f mut Diagnostics,
    /// Takes the path.
    pub inputs: &'f mut Vec<PathBuf>,
}

impl Fetch<'_> {
    /// The description, and the URL that it was read from; `None` after a mistake, which is reported.
    pub async fn description(self, location: &Str) -> Option<(Value, Option<Url>)> {
        let refuse = |sink: &mut Diagnostics, code: Code, why: String| {
            sink.push(Diagnostic::error(code, location.span, format!("can't read `{}`: {why}", location.value)));
        };
        let (text, path, read_from) = if is_url(&location.value) {
            if self.mode == Mode::Offline {
                let words = format!("`{}` is not fetched (--offline), so nothing of it is here", location.value);
                self.sink.push(Diagnostic::warning(Code::BadImport, location.span, words));
                return None;
            }
            let asked = match tape::current() {
                Some(tape) => tape.document(&location.value, get(&location.value)).await,
                None => get(&location.value).await,
            };
            match asked {
                Ok((text, url)) => (text, PathBuf::from(url.path()), Some(url)),
                Err(why) => {
                    refuse(self.sink, Code::Unreachable, why);
                    return None;
                }
            }
        } else {
            let path = self.files.folder(location.span.file).join(&location.value);
            self.inputs.push(path.clone());
            match load::read_text_up_to(&path, openapi::MAX_BYTES) {
                Ok(text) => (text, path, None),
                Err(why) => {
                    refuse(self.sink, Code::MissingFile, why);
                    return None;
                }
            }
        };
        let file = self.files.add(location.value.as_str(), path, text);
        match openapi::parse(self.files, file, self.sink) {
            Ok(Some(root)) => Some((root, read_from)),
            Ok(None) => None,
            Err(why) => {
                refuse(self.sink, Code::BadImport, why);
                None
            }
        }
    }
}

/// Whether a location is a URL rather than a path.
pub fn is_url(location: &str) -> bool {
    location.starts_with("http://") || location.starts_with("https://")
}

/// Asks a URL, and tells which one answered in the end. Redirects stay on its origin.
///
/// # Errors
/// In words, without the URL.
pub async fn get(location: &str) -> Result<(String, Url), String> {
    let url = Url::parse(location).map_err(|error| format!("it is no URL: {error}"))?;
    let policy = reqwest::redirect::Policy::custom(|attempt| {
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        match same && attempt.previous().len() <= MAX_REDIRECTS {
            true => attempt.follow(),
            false => attempt.stop(),
        }
    });
    let client = reqwest::Client::builder().redirect(policy).timeout(TIMEOUT).no_proxy().gzip(true);
    let client = client.user_agent(concat!("mcp-declare/", env!("CARGO_PKG_VERSION"))).build();
    let client = client.map_err(|_| "this machine has no certificates for TLS".to_owned())?;
    let sent = client.get(url).header("accept", "application/json, application/yaml, */*;q=0.5").send().await;
    let mut response = sent.map_err(|error| reason(&error))?;
    if response.status().is_redirection() {
        return Err("it redirects to another origin, or too often; name the URL that it leads to".to_owned());
    }
    if !response.status().is_success() {
        return Err(format!("the answer is {}", response.status()));
    }
    let url = response.url().clone();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > openapi::MAX_BYTES {
            return Err(format!("it is larger than {} MiB", openapi::MAX_BYTES >> 20));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok((text, url))
}

fn reason(error: &reqwest::Error) -> String {
    match error {
        error if error.is_timeout() => format!("it took longer than {} s", TIMEOUT.as_secs()),
        error if error.is_connect() => "connecting failed".to_owned(),
        _ => "the connection broke off".to_owned(),
    }
}
