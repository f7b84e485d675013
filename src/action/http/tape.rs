//! Answers of APIs that were recorded once, for tests that need no network.
//!
//! A tape belongs to the process: what has no source of its own is on it too, and only `mcp-declare test` has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, Response};
use serde::{Deserialize, Serialize};

use super::source::HttpSource;
use crate::action::mask::{self, MASK};
use crate::outcome::ActionError;

/// Bytes of an answer that are recorded.
const MAX_BODY: usize = 8 << 20;
/// Headers of an answer that are not recorded: they are of one connection, or of one caller.
const LEFT_OUT: [&str; 7] =
    ["set-cookie", "date", "connection", "transfer-encoding", "content-length", "content-encoding", "alt-svc"];

static TAPE: OnceLock<Tape> = OnceLock::new();

/// Requests and their answers, test by test: each is answered as it was when it was recorded, in the same order.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    records: bool,
    reel: Mutex<Reel>,
}

/// What is on a tape, and where it stands.
#[derive(Debug, Default)]
struct Reel {
    /// By the name of the test.
    tracks: BTreeMap<String, Vec<Track>>,
    /// The test that runs.
    test: String,
    /// Which of its tracks were played.
    played: Vec<bool>,
    /// Answers that were recorded.
    recorded: usize,
}

/// One request and its answer, as the file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Track {
    /// The method and the URL, secrets masked.
    request: String,
    /// The body of the request, secrets masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    status: u16,
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// In place of `text` for what is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Tape {
    /// The tape in a file; one that is not there yet is empty. One that `records` keeps what it has of other tests.
    ///
    /// # Errors
    /// If the file is no tape, in words.
    pub fn open(path: &Path, records: bool) -> Result<Tape, String> {
        let tape = Tape { path: path.to_owned(), records, reel: Mutex::default() };
        tape.rewind()?;
        Ok(tape)
    }

    /// Reads the file anew.
    ///
    /// # Errors
    /// If it is no tape, in words.
    pub fn rewind(&self) -> Result<(), String> {
        let tracks = match std::fs::read_to_string(&self.path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => return Err(format!("can't read {}: {error}", self.path.display())),
        };
        let tracks = match tracks {
            Err(_) if self.records => BTreeMap::new(),
            other => other.map_err(|error| {
                format!("{} is no recording: {error}; `--record` makes it anew", self.path.display())
            })?,
        };
        *self.reel() = Reel { tracks, ..Reel::default() };
        Ok(())
    }

    /// A test begins, from the first of its tracks on; while it records, without any.
    pub fn begin(&self, test: &str) {
        let mut reel = self.reel();
        test.clone_into(&mut reel.test);
        reel.played.clear();
        if self.records {
            reel.tracks.remove(test);
        }
    }

    /// Puts it in: from here on all requests of this process are recorded, or answered from it.
    ///
    /// # Errors
    /// If there is one already.
    pub fn insert(self) -> Result<&'static Tape, &'static str> {
        let path = self.path.clone();
        TAPE.set(self).map_err(|_| "there is a tape already")?;
        TAPE.get().filter(|tape| tape.path == path).ok_or("there is a tape already")
    }

    /// Writes what was recorded, and drops what was recorded for tests that are no longer among `tests`. Gives the
    /// number of answers. Nothing is written where nothing was.
    ///
    /// # Errors
    /// If the file can't be written, in words.
    pub fn save<'t>(&self, tests: impl Iterator<Item = &'t str>) -> Result<usize, String> {
        let tests: Vec<&str> = tests.collect();
        let mut reel = self.reel();
        reel.tracks.retain(|test, _| tests.contains(&test.as_str()));
        if !reel.tracks.is_empty() || self.path.exists() {
            let text = serde_json::to_string_pretty(&reel.tracks).map_err(|error| error.to_string())?;
            let written = std::fs::write(&self.path, text + "\n");
            written.map_err(|error| format!("can't write {}: {error}", self.path.display()))?;
        }
        Ok(std::mem::take(&mut reel.recorded))
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer on the tape to this request; while it records, that of the API.
    ///
    /// # Errors
    /// Those of the API, or if there is no answer on the tape.
    pub(super) async fn play(
        &self,
        source: &HttpSource,
        request: Request,
        live: impl AsyncFnOnce(Request) -> Result<Response, ActionError>,
    ) -> Result<Response, ActionError> {
        let secrets = Secrets::of(source, &request);
        let said = secrets.line(&request);
        let body = request.body().and_then(|body| body.as_bytes());
        let sent = body.map(|body| secrets.unplaced(&secrets.masked(&String::from_utf8_lossy(body))));
        if !self.records {
            return self
                .reel()
                .find(&said, sent.as_deref())
                .map(|track| track.moved(|text| secrets.placed(text)).response())
                .ok_or_else(|| {
                    ActionError::failed(format!(
                        "there is no recording of {said}: make one with `mcp-declare test --record`"
                    ))
                });
        }
        let response = live(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let read = super::answer::bytes(response, MAX_BODY).await;
        let (body, cut) = read.map_err(|_| ActionError::failed("the answer broke off"))?;
        if cut {
            return Err(ActionError::failed(format!(
                "the answer has more than {MAX_BODY} bytes: it can't be recorded"
            )));
        }
        let text = String::from_utf8(body.clone()).ok();
        let track = Track {
            request: said,
            sent,
            status: status.as_u16(),
            headers: secrets.kept(&headers),
            base64: text.is_none().then(|| STANDARD.encode(&body)),
            text: text.map(|text| secrets.masked(&text)),
        };
        let response = track.response();
        let track = track.moved(|text| secrets.unplaced(text));
        let mut reel = self.reel();
        let test = reel.test.clone();
        reel.tracks.entry(test).or_default().push(track);
        reel.recorded += 1;
        Ok(response)
    }
}

impl Reel {
    /// The first answer to this request that was not played yet; the last one where all were, for an API that is
    /// asked more often than it was.
    fn find(&mut self, said: &str, sent: Option<&str>) -> Option<Track> {
        let tracks = self.tracks.get(&self.test)?;
        self.played.resize(tracks.len(), false);
        let fits = |track: &Track| track.request == said && track.sent.as_deref() == sent;
        let of_this = || tracks.iter().zip(&self.played).enumerate().filter(|(_, (track, _))| fits(track));
        let (at, (track, _)) = of_this().find(|(_, (_, played))| !**played).or_else(|| of_this().next_back())?;
        let track = track.clone();
        if let Some(played) = self.played.get_mut(at) {
            *played = true;
        }
        Some(track)
    }
}

impl Track {
    /// With the addresses in its texts changed.
    fn moved(mut self, change: impl Fn(&str) -> String) -> Track {
        self.headers.iter_mut().map(|(_, value)| value).chain(&mut self.text).for_each(|text| *text = change(text));
        self
    }

    fn response(&self) -> Response {
        let body = match (&self.text, &self.base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(bytes)) => STANDARD.decode(bytes).unwrap_or_default(),
            (None, None) => Vec::new(),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = self
            .headers
            .iter()
            .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)));
        response.headers_mut().extend(headers);
        response.into()
    }
}

/// The process's tape, if it has one.
pub(super) fn current() -> Option<&'static Tape> {
    TAPE.get()
}

/// What of a request and its answer does not belong into a file.
struct Secrets<'s> {
    source: &'s HttpSource,
    /// The values of headers that are secret.
    headers: Vec<String>,
}

impl<'s> Secrets<'s> {
    fn of(source: &'s HttpSource, request: &Request) -> Self {
        let all = source.headers().values().chain(request.headers().values());
        let sensitive = all.filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let mut headers: Vec<String> = sensitive.flat_map(credentials).map(str::to_owned).collect();
        // A secret that is a part of another one is looked for after it.
        headers.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        headers.dedup();
        Secrets { source, headers }
    }

    /// The method and URL of a request, secrets masked.
    fn line(&self, request: &Request) -> String {
        let mut url = self.unplaced(request.url().as_str());
        if let Some(query) = self.source.query() {
            url = url.replace(query.expose(), query.written());
        }
        format!("{} {}", request.method(), self.masked(&url))
    }

    fn kept(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let kept = headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
        let text = |value: &HeaderValue| value.to_str().ok().map(|value| self.masked(value));
        kept.filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect()
    }

    /// A text without secrets.
    fn masked(&self, text: &str) -> String {
        let text = mask::text(text.to_owned(), [self.source.query(), self.source.cookies()].into_iter().flatten());
        let text = self.source.mask(text);
        self.headers.iter().fold(text, |text, secret| text.replace(secret.as_str(), MASK))
    }

    /// With the source's base URL as the spec has it: `${API:-https://api.example.com}` is its default, wherever it led
    /// when the answer was recorded, and `${API}` stands as it is.
    fn unplaced(&self, text: &str) -> String {
        text.replace(self.source.base().prefix.expose(), &self.address())
    }

    /// With the base URL as it is now, so that links in answers lead to where the API is.
    fn placed(&self, text: &str) -> String {
        text.replace(&self.address(), self.source.base().prefix.expose())
    }

    fn address(&self) -> String {
        without_variables(self.source.base().prefix.written())
    }
}

/// A text in which each `${NAME:-DEFAULT}` is its default.
fn without_variables(written: &str) -> String {
    let mut rest = written;
    let mut text = String::new();
    while let Some((before, (variable, after))) =
        rest.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text.push_str(before);
        match variable.split_once(":-") {
            Some((_, default)) => text.push_str(default),
            None => text.extend(["${", variable, "}"]),
        }
        rest = after;
    }
    text + rest
}

/// A sensitive header's value, and the credentials behind its scheme.
fn credentials(value: &str) -> Vec<&str> {
    let behind = value.split_once(' ').map(|(_, credentials)| credentials);
    [Some(value), behind].into_iter().flatten().filter(|secret| secret.len() >= 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_the_default() {
        for (written, address) in [
            ("https://a.example", "https://a.example"),
            ("${API:-https://a.example}/v1", "https://a.example/v1"),
            ("https://${HOST:?which one}/${V:-v1}", "https://${HOST:?which one}/v1"),
            ("${API", "${API"),
        ] {
            assert_eq!(without_variables(written), address);
        }
    }

    #[test]
    fn answers_come_in_the_order_of_the_recording() {
        let track = |request: &str, status| Track {
            request: request.to_owned(),
            sent: None,
            status,
            headers: Vec::new(),
            text: None,
            base64: None,
        };
        let tracks = vec![track("GET /a", 201), track("GET /b", 202), track("GET /a", 203)];
        let mut reel = Reel { tracks: [("t".to_owned(), tracks)].into(), test: "t".to_owned(), ..Reel::default() };
        let statuses = ["a", "a", "b", "a"].map(|name| reel.find(&format!("GET /{name}"), None).unwrap().status);
        assert_eq!(statuses, [201, 203, 202, 203]);
        assert!(reel.find("GET /a", Some("body")).is_none() && reel.find("GET /c", None).is_none());
        "other".clone_into(&mut reel.test);
        assert!(reel.find("GET /a", None).is_none());
    }
}
