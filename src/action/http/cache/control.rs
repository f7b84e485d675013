//! What an answer says of how long it may be kept (RFC 9111 sections 3, 4.2 and 5.2).

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, LAST_MODIFIED, VARY};

use super::Keep;

/// How long an answer is fresh; nothing for one that has to be asked for again each time, `None` for one that is not
/// kept.
pub fn lifetime(status: StatusCode, headers: &HeaderMap, keep: Keep) -> Option<Duration> {
    let said = Said::of(headers);
    let any = |name: HeaderName, what: &str| texts(headers, name).any(|text| text.split(',').any(|t| t.trim() == what));
    let may_be = matches!(status.as_u16(), 200 | 203 | 204) && !said.no_store && !said.private && !any(VARY, "*");
    if !may_be {
        return None;
    }
    let life = keep.ttl.unwrap_or_else(|| said.lifetime(headers));
    let can_ask = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    (can_ask || !life.is_zero()).then_some(life)
}

/// The directives of `Cache-Control` that matter here.
#[derive(Debug, Default)]
struct Said {
    no_store: bool,
    no_cache: bool,
    private: bool,
    max_age: Option<Duration>,
    s_maxage: Option<Duration>,
}

impl Said {
    fn of(headers: &HeaderMap) -> Said {
        let mut said = Said::default();
        for directive in texts(headers, CACHE_CONTROL).flat_map(|text| text.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            // what can't be read counts as stale (section 4.2.1)
            let seconds = || Some(Duration::from_secs(value.trim().trim_matches('"').parse().unwrap_or(0)));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => said.no_store = true,
                "no-cache" => said.no_cache = true,
                "private" => said.private = true,
                "max-age" => said.max_age = said.max_age.min(seconds()).or(seconds()),
                "s-maxage" => said.s_maxage = seconds(),
                _ => {}
            }
        }
        said
    }

    fn lifetime(&self, headers: &HeaderMap) -> Duration {
        if self.no_cache {
            return Duration::ZERO;
        }
        let date = |name| texts(headers, name).next().and_then(|text| httpdate::parse_http_date(text).ok());
        let expires = || {
            let from = date(DATE).unwrap_or_else(SystemTime::now);
            date(EXPIRES)?.duration_since(from).ok()
        };
        let life = self.s_maxage.or(self.max_age).or_else(expires).unwrap_or_default();
        let age = texts(headers, AGE).next().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        life.saturating_sub(Duration::from_secs(age))
    }
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(headers: &[(&'static str, &'static str)], keep: Keep) -> Option<u64> {
        let pairs = headers.iter().map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap()));
        lifetime(StatusCode::OK, &pairs.collect(), keep).map(|life| life.as_secs())
    }

    #[test]
    fn answers_say_how_long_they_are_fresh() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (headers, life) in [
            (&[][..], None),
            (&[("cache-control", "max-age=60")], Some(60)),
            (&[("cache-control", "public, Max-Age=\"60\"")], Some(60)),
            (&[("cache-control", "max-age=60"), ("age", "20")], Some(40)),
            (&[("cache-control", "max-age=60, s-maxage=5")], Some(5)),
            (&[("cache-control", "max-age=60, max-age=5")], Some(5)),
            (&[("cache-control", "max-age=soon")], None),
            (&[("cache-control", "max-age=0"), ("etag", "\"a\"")], Some(0)),
            (&[("cache-control", "no-cache, max-age=60"), ("etag", "\"a\"")], Some(0)),
            (&[("cache-control", "no-store, max-age=60")], None),
            (&[("cache-control", "private, max-age=60")], None),
            (&[("cache-control", "private=\"x-user\", max-age=60")], None),
            (&[("cache-control", "max-age=60"), ("vary", "*")], None),
            (&[("cache-control", "max-age=60"), ("vary", "accept, *")], None),
            (&[("cache-control", "max-age=60"), ("vary", "accept")], Some(60)),
            (&[date, ("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60)),
            (&[date, ("expires", "0")], None),
            (&[date, ("expires", "Sun, 06 Nov 1994 08:50:37 GMT"), ("cache-control", "max-age=5")], Some(5)),
            (&[("last-modified", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(0)),
        ] {
            assert_eq!(seconds(headers, Keep { ttl: None }), life, "{headers:?}");
        }
    }

    #[test]
    fn a_ttl_counts_unless_the_answer_must_not_be_kept() {
        let keep = Keep { ttl: Some(Duration::from_secs(9)) };
        assert_eq!(seconds(&[], keep), Some(9));
        assert_eq!(seconds(&[("cache-control", "no-cache, max-age=60")], keep), Some(9));
        for words in ["no-store", "private"] {
            assert_eq!(seconds(&[("cache-control", words)], keep), None);
        }
        for status in [201, 206, 301, 304, 404, 500] {
            assert_eq!(lifetime(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), keep), None, "{status}");
        }
    }
}
