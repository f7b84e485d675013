//! Secrets written out in a spec. They are covered in the texts that diagnostics show before anything is printed.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::walk::{Found, strings};
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Node, Span};

/// A secret that stands in a file.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Where, as far as it has to be covered.
    pub at: Span,
    /// What it seems to be.
    what: &'static str,
    /// Where it belongs.
    remedy: &'static str,
}

/// Shapes by which tokens are known, whatever key they stand at.
const SHAPES: [(&str, &str); 8] = [
    (r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{22,}", "a GitHub token"),
    (r"\bglpat-[A-Za-z0-9_-]{20,}", "a GitLab token"),
    (r"\b(sk|rk)[-_][A-Za-z0-9_-]{24,}", "an API key"),
    (r"\b(AKIA|ASIA)[0-9A-Z]{16}\b", "an AWS access key"),
    (r"\bAIza[0-9A-Za-z_-]{35}", "a Google API key"),
    (r"\bxox[abeprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    (r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}", "a JSON Web Token"),
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*", "a private key"),
];

/// The shapes, all looked for at once.
static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(SHAPES.map(|(shape, _)| shape)).ok());

/// The secrets of a tree, each at its place in `files`.
pub fn find(root: &Node, files: &Files) -> Vec<Secret> {
    let mut all: Vec<Secret> = Vec::new();
    for found in strings(root) {
        let Some((range, what)) = secret_in(&found) else { continue };
        let place = found.written().at(range);
        let at = Span::new(place.span.file, files.locate(&place));
        // What an alias repeats is one secret.
        if !all.iter().any(|known| known.at == at) {
            all.push(Secret { at, what, remedy: remedy(&found) });
        }
    }
    all
}

/// Puts stars in the place of secrets, in the texts that are shown.
pub fn cover(secrets: &[Secret], files: &mut Files) {
    secrets.iter().for_each(|secret| files.cover(secret.at));
}

/// Reports them.
pub fn lint(secrets: &[Secret], sink: &mut Diagnostics) {
    for secret in secrets {
        let words = format!("{} in plain text: who reads the spec has it", secret.what);
        let found = Diagnostic::warning(Code::PlainSecret, secret.at, words);
        sink.push_once(found.label(secret.remedy));
    }
}

/// `${…}` may stand in sources and in what a command gets, and not in what is made of values.
fn remedy(found: &Found<'_>) -> &'static str {
    match found.keys.first() == Some(&"sources") || found.below("env") {
        true => "take it from the environment, as in `${NAME}`, or from `${file:PATH}`",
        false => "give it to the source, in its `auth` or `headers`, as `${NAME}`",
    }
}

/// The part of a string that is a secret, and what it seems to be.
fn secret_in(found: &Found<'_>) -> Option<(Range<usize>, &'static str)> {
    let text = found.text.written();
    token(text).or_else(|| Some((password(text)?, "a password"))).or_else(|| {
        let what = by_key(found)?;
        let literal = !text.trim().is_empty() && !text.contains("${") && !text.contains("{{");
        literal.then_some((0..text.len(), what))
    })
}

/// The part of a text that has the shape of a token.
fn token(text: &str) -> Option<(Range<usize>, &'static str)> {
    let (shape, what) = SHAPES.get(ANY.as_ref()?.matches(text).iter().next()?)?;
    Some((Regex::new(shape).ok()?.find(text)?.range(), what))
}

/// The password in a URL's user info (RFC 3986, section 3.2.1), unless it comes from outside.
fn password(text: &str) -> Option<Range<usize>> {
    let authority = text.find("://")? + 3;
    if text.get(..authority)?.contains(|c: char| c.is_whitespace() || c == '{') {
        return None;
    }
    let rest = text.get(authority..)?;
    let end = rest.find(['/', '?', '#', ' ', '\n']).unwrap_or(rest.len());
    let user_info = rest.get(..rest.get(..end)?.rfind('@')?)?;
    let start = user_info.find(':')? + 1;
    let word = user_info.get(start..)?;
    let literal = !word.is_empty() && !word.contains(['{', '}']) && !user_info.contains("${");
    literal.then_some(authority + start..authority + user_info.len())
}

/// What a string has to be because of the keys that lead to it.
fn by_key(found: &Found<'_>) -> Option<&'static str> {
    let key = found.key();
    let lower = key.to_lowercase().replace('_', "-");
    let inside = |map: &str| found.keys.iter().rev().nth(1) == Some(&map);
    if found.keys.first() == Some(&"sources") && found.below("auth") {
        return match key {
            "bearer" => Some("a token"),
            "password" => Some("a password"),
            "value" => Some("an API key"),
            "clientSecret" => Some("a client's secret"),
            "refreshToken" => Some("a token"),
            _ => None,
        };
    }
    let key_like = ["api-key", "apikey", "access-token", "auth-token", "private-token"];
    let named = lower == "authorization" || key_like.iter().any(|name| lower.ends_with(name));
    match () {
        () if inside("headers") && (named || lower == "cookie" || lower == "proxy-authorization") => {
            Some("a credential")
        }
        () if (inside("query") || inside("cookies")) && named => Some("a credential"),
        () if inside("env") && ["token", "password", "secret", "api-key"].iter().any(|end| lower.ends_with(end)) => {
            Some("a credential")
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::{ANY, SHAPES, password, token};

    #[test]
    fn a_password_in_a_url_is_found_and_nothing_else() {
        let found = |text: &str| password(text).map(|range| text[range].to_owned());
        assert_eq!(found("postgres://shop:s3cret@db/shop").as_deref(), Some("s3cret"));
        assert_eq!(found("http://u:p%40ss@proxy:8080").as_deref(), Some("p%40ss"));
        for fine in [
            "sqlite:./shop.db",
            "https://example.com/a:b@c",
            "postgres://shop@db:5432/shop",
            "postgres://shop:${PASSWORD}@db/shop",
            "see https://a:b@c",
            "${URL:-postgres://u:p@h/d}",
        ] {
            assert_eq!(found(fine), None, "{fine}");
        }
    }

    #[test]
    fn every_shape_compiles_and_words_have_none() {
        assert!(SHAPES.iter().all(|(shape, _)| Regex::new(shape).is_ok()));
        assert!(ANY.is_some());
        let (range, what) = token(&format!("use glpat-{}, please", "a".repeat(20))).unwrap();
        assert_eq!((range, what), (4..30, "a GitLab token"));
        for fine in
            ["sk-learn", "task-force-of-the-whole-department", "ghp_short", "AKIA", "disk_usage_of_the_whole_machine"]
        {
            assert_eq!(token(fine), None, "{fine}");
        }
    }
}
