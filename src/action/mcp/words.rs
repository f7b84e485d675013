//! Between rmcp's words and ours.

use reqwest::Error as HttpError;
use rmcp::ServiceError;
use rmcp::model::{ErrorCode, ErrorData};
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

use super::config::Config;
use crate::action::call::Capabilities;
use crate::outcome::{ActionError, ErrorKind};

/// Characters of a server's error that are passed on.
const MAX_WORDS: usize = 2000;

/// A text of somebody else's, bounded, without control characters, and with the source's secrets masked.
pub fn plain(text: &str, config: &Config) -> String {
    let sound = |c: &char| !c.is_control() || *c == '\n' || *c == '\t';
    let mut words: String = text.trim().chars().filter(sound).take(MAX_WORDS).collect();
    if text.chars().nth(MAX_WORDS).is_some() {
        words.push_str("… (cut)");
    }
    config.mask(words)
}

/// What a server's error is for our caller.
pub fn refused(name: &str, error: &ErrorData, config: &Config) -> ActionError {
    let about_uri = error.data.as_ref().is_some_and(|data| data.get("uri").is_some());
    let kind = match error.code {
        ErrorCode::RESOURCE_NOT_FOUND => ErrorKind::NotFound,
        ErrorCode::INVALID_PARAMS if about_uri => ErrorKind::NotFound,
        ErrorCode::INVALID_PARAMS => ErrorKind::Invalid,
        _ => ErrorKind::Failed,
    };
    ActionError::new(kind, format!("the server `{name}` refused: {}", plain(&error.message, config)))
        .detail(format!("the server `{name}` answered with the error {}", error.code.0))
}

/// What the client of a call has to be able to do, where the server says that this is why it refuses.
pub fn required(error: &ErrorData) -> Capabilities {
    let data = error.data.as_ref().filter(|_| error.code == ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY);
    let required = data.and_then(|data| data.get("requiredCapabilities"));
    let needs = |path: &str| required.is_some_and(|required| required.pointer(path).is_some());
    let (forms, urls) = (needs("/elicitation/form"), needs("/elicitation/url"));
    Capabilities {
        elicitation: forms || (needs("/elicitation") && !urls),
        urls,
        sampling: needs("/sampling"),
        roots: needs("/roots"),
        tasks: false,
    }
}

/// Why a request came to nothing, and whether the connection is at fault.
pub fn lost(name: &str, fault: &ServiceError, config: &Config) -> (ActionError, bool) {
    let (words, broken) = match fault {
        ServiceError::McpError(error) => return (refused(name, error, config), false),
        ServiceError::TransportSend(error) => sending(error),
        ServiceError::UnexpectedResponse => ("gave an answer that is none".to_owned(), false),
        _ => return (gone(name), true),
    };
    let error = ActionError::failed(format!("the server `{name}` {words}"));
    (error.detail(plain(&format!("the server `{name}`: {fault}"), config)), broken)
}

/// The error of a call whose server ended before it answered.
pub fn gone(name: &str) -> ActionError {
    ActionError::failed(format!("the server `{name}` ended before it answered; it is being started again"))
}

/// The error of a call while the server is not there.
pub fn away(name: &str, why: &str) -> ActionError {
    ActionError::failed(format!("the server `{name}` can't be reached right now")).detail(why.to_owned())
}

fn sending(error: &DynamicTransportError) -> (String, bool) {
    match error.error.downcast_ref::<StreamableHttpError<HttpError>>() {
        Some(fault) => (http(fault), matches!(fault, StreamableHttpError::Client(error) if error.is_connect())),
        None => ("can't be reached".to_owned(), true),
    }
}

fn http(fault: &StreamableHttpError<HttpError>) -> String {
    match fault {
        StreamableHttpError::AuthRequired(_) | StreamableHttpError::InsufficientScope(_) => {
            "does not take our credentials: give the source `auth` that it takes".to_owned()
        }
        StreamableHttpError::HttpStatus(status) => format!("answered with HTTP status {}", status.status),
        StreamableHttpError::Client(error) if error.is_connect() => "can't be reached".to_owned(),
        StreamableHttpError::Client(error) => match error.status() {
            Some(status) => format!("answered with HTTP status {}", status.as_u16()),
            None => "broke the connection off".to_owned(),
        },
        StreamableHttpError::ResponseBodyTooLarge { .. } => "gave an answer that is too large".to_owned(),
        StreamableHttpError::UnexpectedContentType(_) | StreamableHttpError::Deserialize(_) => {
            "gave an answer that is no MCP".to_owned()
        }
        StreamableHttpError::UnexpectedServerResponse(words) => {
            let status = words.strip_prefix("HTTP ").and_then(|rest| rest.get(..3));
            match status.filter(|status| status.bytes().all(|digit| digit.is_ascii_digit())) {
                Some(status) => format!("answered with HTTP status {status}"),
                None => "gave an answer that is no MCP".to_owned(),
            }
        }
        _ => "broke the connection off".to_owned(),
    }
}

/// Why no connection came about: in words for the spec's author, and whether another handshake may do better.
pub fn not_begun(error: &ClientInitializeError, config: &Config) -> (String, bool) {
    match error {
        ClientInitializeError::JsonRpcError(error) => {
            (format!("it refused the handshake: {}", plain(&error.message, config)), false)
        }
        ClientInitializeError::ConnectionClosed(_) => ("it ended before it was ready".to_owned(), true),
        ClientInitializeError::TransportError { error, .. } => (format!("it {}", sending(error).0), true),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => not_begun(fallback, config),
        other => (plain(&format!("its handshake is not MCP's: {other}"), config), true),
    }
}
