//! curl's options, as far as they say what is asked.

use serde_json::Value;
use url::Url;

/// What a line asks.
#[derive(Debug)]
pub struct Line {
    /// In capitals.
    pub method: String,
    /// With the data of `-G` in its query.
    pub url: Url,
    /// Names and values in order.
    pub headers: Vec<(String, String)>,
    /// Whether it has a user and password.
    pub user: bool,
    /// The body.
    pub data: Data,
    /// Options that are not in the tool, and why.
    pub left: Vec<String>,
}

/// A body.
#[derive(Debug, PartialEq)]
pub enum Data {
    /// None.
    None,
    /// JSON.
    Json(Value),
    /// Names and values as web forms send them.
    Form(Vec<(String, String)>),
    /// Parts.
    Multipart(Vec<(String, String)>),
    /// Anything else.
    Text(String),
}

/// Options with a value, which do not matter to a server.
const WITH_VALUE: [&str; 19] = [
    "-o",
    "--output",
    "-w",
    "--write-out",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "--retry-delay",
    "-x",
    "--proxy",
    "--cacert",
    "--cert",
    "-E",
    "--key",
    "--resolve",
    "-D",
    "--dump-header",
    "--max-redirs",
];
/// Those of them that change where or how it is asked.
const TOLD: [&str; 7] = ["-x", "--proxy", "--cacert", "--cert", "-E", "--key", "--resolve"];

#[derive(Default)]
struct Reader {
    method: Option<String>,
    url: Option<String>,
    headers: Vec<(String, String)>,
    user: bool,
    data: Vec<String>,
    parts: Vec<(String, String)>,
    json: bool,
    get: bool,
    left: Vec<String>,
}

impl Line {
    /// Reads a line's words.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn read(words: &[String]) -> Result<Line, String> {
        let mut words = words.iter().skip_while(|word| word.as_str() == "$");
        if words.next().is_none_or(|first| first.rsplit('/').next() != Some("curl")) {
            return Err("it does not begin with `curl`".to_owned());
        }
        let mut reader = Reader::default();
        while let Some(word) = words.next() {
            let (option, attached) = parts(word);
            let mut value = || {
                let own = attached.map(str::to_owned);
                own.or_else(|| words.next().cloned()).ok_or_else(|| format!("`{option}` has no value"))
            };
            if !reader.option(option, &mut value)? {
                reader.flag(option, word)?;
            }
        }
        reader.finish()
    }
}

/// `-XPOST` as `-X` and `POST`, `--request=POST` likewise.
fn parts(word: &str) -> (&str, Option<&str>) {
    if let Some(long) = word.strip_prefix("--") {
        return match long.split_once('=') {
            Some((name, value)) => (word.get(..name.len() + 2).unwrap_or(word), Some(value)),
            None => (word, None),
        };
    }
    let takes = ["-X", "-H", "-d", "-F", "-u", "-b", "-A", "-e", "-o", "-m", "-w", "-x", "-E", "-D"];
    match word.split_at_checked(2) {
        Some((short, rest)) if takes.contains(&short) && !rest.is_empty() => (short, Some(rest)),
        _ => (word, None),
    }
}

impl Reader {
    /// Takes an option with a value; false for one without.
    fn option(&mut self, option: &str, value: &mut impl FnMut() -> Result<String, String>) -> Result<bool, String> {
        match option {
            "-X" | "--request" => self.method = Some(value()?.to_ascii_uppercase()),
            "--url" => self.url = Some(value()?),
            "-H" | "--header" => self.header(&value()?)?,
            "-A" | "--user-agent" => self.headers.push(("User-Agent".to_owned(), value()?)),
            "-e" | "--referer" => self.headers.push(("Referer".to_owned(), value()?)),
            "-b" | "--cookie" => self.headers.push(("Cookie".to_owned(), value()?)),
            "-u" | "--user" => self.user = !value()?.is_empty(),
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                let data = value()?;
                if data.starts_with('@') {
                    return Err(format!("`{option} {data}` sends a file; write what is in it"));
                }
                self.data.push(data);
            }
            "--data-raw" => self.data.push(value()?),
            "--data-urlencode" => {
                let data = value()?;
                let (name, text) = data.split_once('=').unwrap_or(("", &data));
                let text = crate::uri::encode_segment(text);
                self.data.push(if name.is_empty() { text } else { format!("{name}={text}") });
            }
            "--json" => {
                self.json = true;
                self.data.push(value()?);
            }
            "-F" | "--form" | "--form-string" => {
                let part = value()?;
                let (name, text) = part.split_once('=').ok_or_else(|| format!("`{option} {part}` has no `=`"))?;
                if text.starts_with(['@', '<']) && option != "--form-string" {
                    self.left.push(format!("`{option} {name}`: it sends a file, and the param is its text"));
                    self.parts.push((name.to_owned(), String::new()));
                } else {
                    self.parts.push((name.to_owned(), text.to_owned()));
                }
            }
            other if WITH_VALUE.contains(&other) => {
                value()?;
                if TOLD.contains(&other) {
                    self.left.push(format!("`{other}`: see `tls` and `proxy` of a source"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn flag(&mut self, option: &str, word: &str) -> Result<(), String> {
        match option {
            "-G" | "--get" => self.get = true,
            "-I" | "--head" => self.method = self.method.take().or_else(|| Some("HEAD".to_owned())),
            "-k" | "--insecure" => {
                self.left.push("`-k`: certificates are always checked; `tls.ca` names one to trust".to_owned())
            }
            "-L" | "--location" => {
                self.left.push("`-L`: redirects stay on the same origin; `redirects` lists others".to_owned())
            }
            "-s" | "-S" | "-sS" | "-Ss" | "-i" | "-v" | "-f" | "-#" | "-N" | "-n" | "-O" | "-0" | "-4" | "-6" => {}
            "--silent" | "--show-error" | "--include" | "--verbose" | "--fail" | "--compressed" | "--no-buffer" => {}
            "--http1.1" | "--http2" | "--globoff" | "-g" | "--fail-with-body" | "--tlsv1.2" | "--progress-bar" => {}
            option if option.starts_with('-') && option.len() > 1 => {
                return Err(format!("`{option}` is not known here; take it out if the request does without"));
            }
            _ if self.url.is_none() => self.url = Some(word.to_owned()),
            _ => return Err("it asks two URLs".to_owned()),
        }
        Ok(())
    }

    fn header(&mut self, text: &str) -> Result<(), String> {
        match text.split_once(':') {
            Some((name, value)) if !value.trim().is_empty() => {
                self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
                Ok(())
            }
            _ if text.ends_with([':', ';']) => Ok(()),
            _ => Err("a header has no `:`".to_owned()),
        }
    }

    fn finish(self) -> Result<Line, String> {
        let url = self.url.as_deref().ok_or("it asks no URL")?;
        let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let mut url = Url::parse(&whole).map_err(|error| format!("its URL is none: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("it speaks {}, not HTTP", url.scheme()));
        }
        let mut user = self.user;
        if !url.username().is_empty() {
            user = true;
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        let joined = self.data.join("&");
        let mut data = self.body(&joined);
        if self.get && !self.data.is_empty() {
            let query = url.query().map(|query| format!("{query}&")).unwrap_or_default();
            url.set_query(Some(&format!("{query}{joined}")));
            data = Data::None;
        }
        let default = if data == Data::None { "GET" } else { "POST" };
        let method = self.method.unwrap_or_else(|| default.to_owned());
        Ok(Line { method, url, headers: self.headers, user, data, left: self.left })
    }

    fn body(&self, joined: &str) -> Data {
        if !self.parts.is_empty() {
            return Data::Multipart(self.parts.clone());
        }
        if self.data.is_empty() {
            return Data::None;
        }
        let kind = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let says_json = self.json || kind.is_some_and(|(_, value)| value.contains("json"));
        let says_form = kind.is_none_or(|(_, value)| value.contains("form-urlencoded"));
        let looks_like_json = joined.trim_start().starts_with(['{', '[']);
        if (says_json || (looks_like_json && kind.is_none()))
            && let Ok(value) = serde_json::from_str(joined)
        {
            return Data::Json(value);
        }
        match says_form && joined.contains('=') {
            true => Data::Form(url::form_urlencoded::parse(joined.as_bytes()).into_owned().collect()),
            false => Data::Text(joined.to_owned()),
        }
    }
}
