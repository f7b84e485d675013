//! What goes wrong on the way, in plain words.

use std::error::Error;
use std::io;

use super::client::PrivateAddress;
use crate::outcome::ActionError;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failed {
    /// Nobody answers, which may pass.
    Unreachable(ActionError),
    /// It was not sent, or not sent on: that stays so.
    Refused(ActionError),
}

impl From<Failed> for ActionError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unreachable(error) | Failed::Refused(error) => error,
        }
    }
}

/// A request or answer that broke off; `to` is the host, as the caller may see it.
pub fn transport(error: reqwest::Error, to: &str) -> ActionError {
    let words = match (reason(&error), error.is_body() || error.is_decode()) {
        (Some(why), false) => format!("can't reach {to}: {why}"),
        (None, false) => format!("can't reach {to}"),
        (Some(why), true) => format!("the answer of {to} broke off: {why}"),
        (None, true) => format!("the answer of {to} broke off or can't be decoded"),
    };
    ActionError::failed(words).detail(chain(error))
}

/// An error and all that led to it, for the log. The URL is left out: keys may stand in it.
pub fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    causes(&error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

fn reason(error: &reqwest::Error) -> Option<&'static str> {
    if causes(error).any(|cause| cause.is::<PrivateAddress>()) {
        return Some("it is on a private network");
    }
    if error.is_timeout() {
        return Some("timed out");
    }
    if error.is_dns() {
        return Some("name not known");
    }
    let errors = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(innermost);
    errors.map(io::Error::kind).find_map(|kind| match kind {
        io::ErrorKind::ConnectionRefused => Some("connection refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some("connection closed")
        }
        io::ErrorKind::UnexpectedEof => Some("connection closed too early"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("no route to it"),
        // of a body it is said by what takes it out of gzip
        io::ErrorKind::InvalidData if error.is_decode() || error.is_body() => None,
        // rustls says so of certificates that it does not trust and of what is no TLS at all
        io::ErrorKind::InvalidData => Some("no trusted TLS connection"),
        _ => None,
    })
}

/// An I/O error that was put into others, which `source()` steps over.
fn innermost(mut error: &io::Error) -> &io::Error {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        error = inner;
    }
    error
}
