//! Answers of APIs that were recorded once, for tests that need no network.
//!
//! A tape belongs to the process: what has no source of its own is on it too, and only `mcp-declare test` has one.

mod secrets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderName, HeaderValue, LOCATION};
use reqwest::{Request, Response};
use serde::{Deserialize, Serialize};
use url::Url;

use super::source::HttpSource;
use crate::outcome::ActionError;
use crate::spec::read::list_names;
use secrets::Secrets;

/// Bytes of an answer that are recorded.
const MAX_BODY: usize = 8 << 20;
/// Requests that are named where the recording of one is missing.
const SHOWN: usize = 3;

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
    /// It was recorded in this run, and goes through what it has.
    again: bool,
    /// Which of its tracks were played.
    played: Vec<bool>,
    /// While it records: the tracks that the test had before.
    before: Vec<Track>,
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
        // To read from a pipe waits for its other end.
        if self.path.exists() && !self.path.is_file() {
            return Err(format!("{} is not a file", self.path.display()));
        }
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
        reel.again = false;
        if self.records {
            reel.before = reel.tracks.remove(test).unwrap_or_default();
        }
    }

    /// A test that has begun before starts over: what it asked then is answered as it was, while it records, too.
    pub fn again(&self, test: &str) {
        let mut reel = self.reel();
        test.clone_into(&mut reel.test);
        reel.played.clear();
        reel.again = true;
    }

    /// The test is over. One that failed without any answer, as the API is away, keeps the recording that it had.
    pub fn end(&self, passed: bool) {
        let mut reel = self.reel();
        let (test, before) = (reel.test.clone(), std::mem::take(&mut reel.before));
        if self.records && !passed && !before.is_empty() && !reel.tracks.contains_key(&test) {
            reel.tracks.insert(test, before);
        }
    }

    /// Whether requests are answered from it, so that nothing may be asked of the network.
    pub fn plays(&self) -> bool {
        !self.records
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

    /// Has what was recorded written, and drops what was recorded for tests that are no longer among `tests`. Gives
    /// the number of answers. Nothing is written where nothing was.
    ///
    /// # Errors
    /// If the file can't be written, in words.
    pub fn save<'t>(
        &self,
        tests: impl Iterator<Item = &'t str>,
        write: impl FnOnce(&Path, &str) -> Result<(), String>,
    ) -> Result<usize, String> {
        let tests: Vec<&str> = tests.collect();
        let mut reel = self.reel();
        reel.tracks.retain(|test, _| tests.contains(&test.as_str()));
        let text = serde_json::to_string_pretty(&reel.tracks).map_err(|error| error.to_string())? + "\n";
        let before = std::fs::read_to_string(&self.path).ok();
        let nothing = reel.tracks.is_empty() && before.is_none();
        if !nothing && before.is_none_or(|before| before != text) {
            write(&self.path, &text).map_err(|why| format!("can't write {}: {why}", self.path.display()))?;
        }
        Ok(std::mem::take(&mut reel.recorded))
    }

    /// The text of a document that the spec names by URL, as it was recorded; while it records, as it is.
    ///
    /// # Errors
    /// Those of asking for it, or if there is none on the tape, in words.
    pub async fn document(
        &self,
        url: &str,
        live: impl Future<Output = Result<(String, Url), String>>,
    ) -> Result<(String, Url), String> {
        let request = format!("GET {url}");
        if !self.records {
            let track = self.reel().find(&request, None).ok_or("there is no recording of it: `--record` makes one")?;
            let from = track.headers.iter().find(|(name, _)| name == LOCATION.as_str());
            let from =
                from.and_then(|(_, from)| Url::parse(from).ok()).ok_or("its recording does not say where it was")?;
            return Ok((track.text.unwrap_or_default(), from));
        }
        let (text, from) = live.await?;
        if text.len() > MAX_BODY {
            return Err(format!("it has more than {MAX_BODY} bytes: it can't be recorded"));
        }
        let headers = vec![(LOCATION.to_string(), from.to_string())];
        self.reel().add(Track { request, sent: None, status: 200, headers, text: Some(text.clone()), base64: None });
        Ok((text, from))
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
        {
            let mut reel = self.reel();
            let known = if self.plays() || reel.again { reel.find(&said, sent.as_deref()) } else { None };
            if let Some(track) = known {
                return Ok(track.moved(|text| secrets.placed(text)).response());
            }
            if self.plays() {
                let words = format!("there is no recording of {said}: make one with `mcp-declare test --record`");
                return Err(ActionError::failed(words + &reel.instead(&said)));
            }
        }
        let response = live(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let read = super::answer::bytes(response, MAX_BODY).await;
        let (body, cut) = read.map_err(|_| ActionError::failed("the answer broke off"))?;
        // Only now: a token may have been fetched for this request.
        let secrets = secrets.with_tokens();
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
            base64: text.is_none().then(|| STANDARD.encode(secrets.masked_bytes(&body))),
            text: text.map(|text| secrets.masked_body(&text)),
        };
        let response = track.response();
        self.reel().add(track.moved(|text| secrets.unplaced(text)));
        Ok(response)
    }
}

impl Reel {
    fn add(&mut self, track: Track) {
        self.tracks.entry(self.test.clone()).or_default().push(track);
        self.recorded += 1;
    }

    /// What the test has recordings of in place of this request.
    fn instead(&self, said: &str) -> String {
        let tracks = self.tracks.get(&self.test).map(Vec::as_slice).unwrap_or_default();
        if tracks.iter().any(|track| track.request == said) {
            return "; the one that there is was sent with another body".to_owned();
        }
        let mut known: Vec<&str> = tracks.iter().map(|track| track.request.as_str()).collect();
        known.dedup();
        known.truncate(SHOWN);
        if known.is_empty() { String::new() } else { format!("; this test has {}", list_names(&known)) }
    }

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
pub fn current() -> Option<&'static Tape> {
    TAPE.get()
}

#[cfg(test)]
mod tests {
    use super::*;

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
