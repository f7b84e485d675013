//! Where the next page is.

use reqwest::Request;
use reqwest::header::{HeaderMap, LINK};
use serde_json::Value;
use url::Url;

use super::jq;
use crate::action::Builder;
use crate::action::http::source::HttpSource;
use crate::action::http::target;
use crate::outcome::ActionError;
use crate::outcome::jq::{Jq, JqLimits};
use crate::spec::model::Paginate;
use crate::spec::{Code, Diagnostic};

/// Bytes of a cursor or link.
const MAX_CURSOR: usize = 8 * 1024;

/// How pages follow each other.
#[derive(Debug)]
pub enum Next {
    /// `rel="next"` in the header `Link`.
    Link,
    /// A URL in the page.
    Url(Jq),
    /// A value in the page, and the parameter that sends it back.
    Cursor(Jq, String),
    /// A number that grows by one.
    Page { param: String, start: u64 },
    /// The number of items before, which grows by the items of a page or by a step.
    Offset { param: String, step: Option<u64> },
}

/// What makes the next request of the last one.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Another URL, which may be relative.
    Url(String),
    /// Another value of a parameter.
    Param(String, String),
    /// A parameter that is a number, and how much it grows.
    More(String, u64),
}

impl Next {
    /// The one way that is written; none and two are reported.
    pub fn compile(written: &Paginate, builder: &mut Builder<'_>) -> Option<Next> {
        let ways = [
            written.link.as_ref().map(|link| ("link", link.span)),
            written.next.as_ref().map(|next| ("next", next.span)),
            written.cursor.as_ref().map(|cursor| ("cursor", cursor.at)),
            written.page.as_ref().map(|page| ("page", page.at)),
            written.offset.as_ref().map(|offset| ("offset", offset.at)),
        ];
        let mut ways = ways.into_iter().flatten();
        let Some((first, first_at)) = ways.next() else {
            if written.faulty {
                return None;
            }
            let found =
                Diagnostic::error(Code::MissingKey, written.at, "this `paginate` does not say how pages follow");
            builder.sink.push(found.label("give it one of `link`, `next`, `cursor`, `page`, `offset`"));
            return None;
        };
        if let Some((second, at)) = ways.next() {
            let words = format!("pages follow in one way, these in two: `{first}` and `{second}`");
            let found = Diagnostic::error(Code::NameClash, at, words).label("keep one of them");
            builder.sink.push(found.related(first_at, "first defined here"));
            return None;
        }
        if let Some(link) = &written.link {
            if !link.value {
                let found = Diagnostic::error(Code::BadValue, link.span, "`link` is `true` or left out");
                builder.sink.push(found.label("leave `paginate` out for one page"));
                return None;
            }
            return Some(Next::Link);
        }
        if let Some(next) = &written.next {
            return jq(next, builder).map(Next::Url);
        }
        if let Some(cursor) = &written.cursor {
            let from = cursor.from.get().and_then(|from| jq(from, builder));
            return Some(Next::Cursor(from?, cursor.param.get()?.value.clone()));
        }
        if let Some(page) = &written.page {
            let start = page.start.as_ref().map_or(1, |start| start.value);
            return Some(Next::Page { param: page.param.get()?.value.clone(), start });
        }
        let offset = written.offset.as_ref()?;
        let step = offset.step.as_ref();
        if let Some(step) = step.filter(|step| step.value == 0) {
            builder.sink.error(Code::BadValue, step.span, "expected a number above 0");
        }
        Some(Next::Offset { param: offset.param.get()?.value.clone(), step: step.map(|step| step.value) })
    }

    /// Whether we number the pages, not the API.
    pub fn is_counted(&self) -> bool {
        matches!(self, Next::Page { .. } | Next::Offset { .. })
    }

    /// What the first request has beside the others' part of it. What the spec puts there itself stays.
    pub fn begin(&self, url: &mut Url) {
        let (param, value) = match self {
            Next::Page { param, start } => (param, *start),
            Next::Offset { param, .. } => (param, 0),
            Next::Link | Next::Url(_) | Next::Cursor(..) => return,
        };
        if !url.query_pairs().any(|(name, _)| name == param.as_str()) {
            url.query_pairs_mut().append_pair(param, &value.to_string());
        }
    }

    /// How the request after a page differs; `None` after the last. `count` items are on the page.
    pub async fn after(
        &self,
        page: &Value,
        link: Option<String>,
        count: u64,
        limits: JqLimits,
    ) -> Result<Option<Step>, ActionError> {
        Ok(match self {
            Next::Link => link.map(Step::Url),
            Next::Url(from) => cursor(from, page, limits).await?.map(Step::Url),
            Next::Cursor(from, param) => {
                cursor(from, page, limits).await?.map(|value| Step::Param(param.clone(), value))
            }
            Next::Page { param, .. } => (count > 0).then(|| Step::More(param.clone(), 1)),
            Next::Offset { param, step: None } => (count > 0).then(|| Step::More(param.clone(), count)),
            Next::Offset { param, step: Some(step) } => (count >= *step).then(|| Step::More(param.clone(), *step)),
        })
    }
}

/// What a jq program gives as the next cursor or URL; nothing at the end.
async fn cursor(from: &Jq, page: &Value, limits: JqLimits) -> Result<Option<String>, ActionError> {
    let failed = |words: &str| ActionError::failed(format!("the next page can't be found: {words}"));
    let found = from.run(page.clone(), Vec::new(), limits).await.map_err(|fault| failed(&fault.to_string()))?;
    let text = match found {
        Value::Null | Value::Bool(false) => return Ok(None),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err(failed("what leads to it is no text or number")),
    };
    match text.len() {
        0 => Ok(None),
        1..=MAX_CURSOR => Ok(Some(text)),
        _ => Err(failed("what leads to it is too long")),
    }
}

impl Step {
    /// Turns the last request into the next one.
    ///
    /// # Errors
    /// If that would not lie where the source's requests do.
    pub fn apply(self, request: &mut Request, source: &HttpSource) -> Result<(), ActionError> {
        let url = match self {
            Step::Url(text) => absolute(request.url(), &text, source)?,
            Step::Param(name, value) => with_param(request.url(), &name, |_| value),
            Step::More(name, more) => with_param(request.url(), &name, |before| {
                before.and_then(|before| before.parse::<u64>().ok()).unwrap_or(0).saturating_add(more).to_string()
            }),
        };
        *request.url_mut() = url;
        Ok(())
    }
}

/// The URL with one parameter of another value.
fn with_param(url: &Url, name: &str, value: impl FnOnce(Option<&str>) -> String) -> Url {
    let before = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let value = value(before.as_deref());
    // what stays is copied as it is written, not decoded and encoded again
    let is_named = |pair: &str| url::form_urlencoded::parse(pair.as_bytes()).any(|(key, _)| key == name);
    let others = url.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty() && !is_named(pair));
    let mut query = others.collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish());
    let mut next = url.clone();
    next.set_query(Some(&query));
    next
}

/// The URL that an API names for the next page: at or below the source's own base, with what every request of the
/// source has in its query.
fn absolute(from: &Url, text: &str, source: &HttpSource) -> Result<Url, ActionError> {
    let refused = |words: &str| ActionError::failed(format!("the next page {words}"));
    let mut url = from.join(text.trim()).map_err(|_| refused("has an address that is no URL"))?;
    url.set_fragment(None);
    if !source.base().holds(&url) {
        return Err(refused("is said to be outside of the API's own address"));
    }
    if target::leads_out(url.path()) {
        return Err(refused("has an address that leads out of its path"));
    }
    if let Some(own) = source.query() {
        for pair in own.expose().split('&') {
            let name = |pair: &str| pair.split('=').next().unwrap_or("").to_owned();
            let there = url.query().is_some_and(|query| query.split('&').any(|other| name(other) == name(pair)));
            if !there {
                let query = url.query().filter(|query| !query.is_empty());
                let query = query.map_or_else(|| pair.to_owned(), |query| format!("{query}&{pair}"));
                url.set_query(Some(&query));
            }
        }
    }
    Ok(url)
}

/// The target of `rel="next"` in a `Link` header (RFC 8288 section 3).
pub fn link(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    texts.filter(|text| text.len() <= MAX_CURSOR).flat_map(links).find(|(_, next)| *next).map(|(target, _)| target)
}

/// The targets of a header's links, each with whether it is the next page.
fn links(header: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, after)| after.split_once('>')) {
        // parameters end at the next link's `<`; a quoted one may hold anything but that does not matter for `rel`
        let end = after.find('<').unwrap_or(after.len());
        let (params, following) = after.split_at(end);
        let is_next = params.split(';').any(|param| {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value.split_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        found.push((target.to_owned(), is_next));
        rest = following;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_headers() {
        let next = |header: &str| links(header).into_iter().find(|(_, next)| *next).map(|(target, _)| target);
        for (header, target) in [
            (
                "<https://api.example.org/a?page=2>; rel=\"next\", <https://api.example.org/a?page=9>; rel=\"last\"",
                Some("https://api.example.org/a?page=2"),
            ),
            ("</a?page=1>; rel=prev, </a?page=3>; rel=next", Some("/a?page=3")),
            ("</a>; title=\"x; y\"; REL=\"last Next\"", Some("/a")),
            ("</a>; rel=\"nextish\"", None),
            ("nothing", None),
            ("<a", None),
            ("", None),
        ] {
            assert_eq!(next(header).as_deref(), target, "{header}");
        }
    }

    #[test]
    fn one_parameter_changes() {
        let url = Url::parse("https://example.org/a?q=a%2Bb&page=2&page=3&z=%zz").unwrap();
        let next = with_param(&url, "page", |before| format!("{}0", before.unwrap()));
        assert_eq!(next.as_str(), "https://example.org/a?q=a%2Bb&z=%zz&page=20");
        let first = with_param(&Url::parse("https://example.org/a").unwrap(), "a b", |before| format!("{before:?}&"));
        assert_eq!(first.as_str(), "https://example.org/a?a+b=None%26");
    }
}
