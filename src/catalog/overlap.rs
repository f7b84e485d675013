//! Resources that a URI could mean equally well.

use std::cmp::Ordering;

use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};
use crate::uri::{Matcher, UriTemplate};

/// Reports resources of which neither comes before the other, but which have a URI in common: both are as literal, and
/// neither is a narrower form of the other.
pub fn refuse<'a>(uris: impl Iterator<Item = &'a Spanned<String>>, sink: &mut Diagnostics) {
    let mut seen: Vec<(&Spanned<String>, Matcher)> = Vec::new();
    for uri in uris {
        let Some(matcher) = UriTemplate::parse(uri).ok().and_then(|template| template.matcher().ok()) else { continue };
        let clash = seen.iter().find_map(|(other, theirs)| Some((*other, clash(theirs, &matcher)?)));
        if let Some((other, clash)) = clash {
            let (words, label) = match clash {
                Clash::Whole => (
                    format!("the URIs of this resource are those of `{}` too", other.value),
                    "the names of variables don't tell them apart",
                ),
                Clash::At(both) => (
                    format!("the URI `{both}` is one of this resource and one of `{}`", other.value),
                    "both have as much literal text: give one of them more, such as another first segment",
                ),
            };
            let found = Diagnostic::error(Code::NameClash, uri.span, words).label(label);
            sink.push(found.related(other.span, "first defined here"));
        }
        seen.push((uri, matcher));
    }
}

/// What two resources have in common.
enum Clash {
    /// All of their URIs.
    Whole,
    /// This URI, for one.
    At(String),
}

fn clash(one: &Matcher, other: &Matcher) -> Option<Clash> {
    if one.literal_len().cmp(&other.literal_len()) != Ordering::Equal {
        return None;
    }
    match (one.is_within(other), other.is_within(one)) {
        (true, true) => Some(Clash::Whole),
        (true, false) | (false, true) => None,
        (false, false) => one.common(other).map(Clash::At),
    }
}
