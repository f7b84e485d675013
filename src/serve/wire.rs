//! Texts that came over the wire and may be no JSON-RPC message: what can be read of them, and the answer
//! that they get.

use rmcp::model::{
    CallToolRequest, ClientJsonRpcMessage, ClientRequest, ErrorCode, ErrorData, JsonRpcMessage, JsonRpcVersion2_0,
    RequestId,
};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::{Value, error::Category};

/// What kind of message a text is, read without its params.
#[derive(Debug, Clone, PartialEq)]
pub enum Heading {
    /// Wants an answer.
    Request {
        /// The id that the answer must carry.
        id: RequestId,
        /// What is asked for.
        method: String,
    },
    /// Wants none.
    Notification,
    /// A result or an error, for a request of ours.
    Answer,
}

/// The error that a text gets in place of being handled (JSON-RPC 2.0, section 5.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The id of the request, where one could be read.
    pub id: Option<RequestId>,
    /// What kind of error it is.
    pub code: ErrorCode,
    /// The reason, for people.
    pub message: String,
}

impl Refusal {
    /// A refusal of a text that is no JSON (-32700).
    pub fn unparsable(message: impl Into<String>) -> Self {
        Refusal { id: None, code: ErrorCode::PARSE_ERROR, message: message.into() }
    }

    /// A refusal of JSON that is no message (-32600).
    pub fn invalid(id: Option<RequestId>, message: impl Into<String>) -> Self {
        Refusal { id, code: ErrorCode::INVALID_REQUEST, message: message.into() }
    }

    /// The refusal of request `id` with `error`, which carries no data.
    pub fn of(id: RequestId, error: ErrorData) -> Self {
        Refusal { id: Some(id), code: error.code, message: error.message.into_owned() }
    }

    /// The message to send, without a line end. `id` is null where none could be read (JSON-RPC 2.0, section 5).
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Answer<'a> {
            jsonrpc: &'static str,
            id: Option<&'a RequestId>,
            error: ErrorData,
        }
        let error = ErrorData::new(self.code, self.message.clone(), None);
        serde_json::to_vec(&Answer { jsonrpc: "2.0", id: self.id.as_ref(), error }).unwrap_or_default()
    }
}

impl Heading {
    /// Reads the heading of `text`. Cheap: params are skipped, not kept.
    ///
    /// # Errors
    ///
    /// The refusal to send when `text` is no single JSON-RPC 2.0 message.
    pub fn read(text: &[u8]) -> Result<Heading, Refusal> {
        // Skipped strings are not looked into, so this is the only place that sees bad UTF-8 in them.
        let text = std::str::from_utf8(text)
            .map_err(|fault| Refusal::unparsable(format!("not valid UTF-8 from byte {}", fault.valid_up_to())))?;
        match text.trim_start_matches([' ', '\t', '\r', '\n']).chars().next() {
            None => Err(Refusal::unparsable("nothing was sent, expected a JSON-RPC message")),
            Some('{') => serde_json::from_str::<Members>(text).map_err(refusal_of)?.heading(),
            Some(first) => {
                serde_json::from_str::<IgnoredAny>(text).map_err(refusal_of)?;
                Err(Refusal::invalid(
                    None,
                    match first {
                        '[' => "batches are not supported: send each message by itself",
                        _ => "not a JSON-RPC message, expected an object",
                    },
                ))
            }
        }
    }

    /// The answer to a message with this heading whose rest can't be read. None where nobody waits for one.
    pub fn unreadable(self) -> Option<Refusal> {
        let Heading::Request { id, method } = self else { return None };
        let reason = format!("the params of {method} can't be read, expected an object with a valid `_meta` or none");
        Some(Refusal::of(id, ErrorData::invalid_params(reason, None)))
    }
}

/// A sound request for `tools/call`, the message that comes most often, read without a try at every other kind of
/// message. `None` for all else, sound or not.
pub fn tool_call(text: &[u8]) -> Option<ClientJsonRpcMessage> {
    #[derive(Deserialize)]
    struct Frame {
        #[serde(rename = "jsonrpc")]
        _version: JsonRpcVersion2_0,
        id: RequestId,
        #[serde(default, deserialize_with = "present")]
        result: Option<IgnoredAny>,
        #[serde(default, deserialize_with = "present")]
        error: Option<IgnoredAny>,
    }
    let text = std::str::from_utf8(text).ok().filter(|text| text.contains("\"tools/call\""))?;
    let Frame { id, result: None, error: None, .. } = serde_json::from_str(text).ok()? else { return None };
    let request: CallToolRequest = serde_json::from_str(text).ok()?;
    Some(JsonRpcMessage::request(ClientRequest::CallToolRequest(request), id))
}

/// The most messages of a batch.
const MAX_BATCH: usize = 100;

/// The messages of a batch, each for itself (JSON-RPC 2.0, section 6).
///
/// # Errors
///
/// The one refusal to send when `text` is no array, empty or too long.
pub fn split_batch(text: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let messages: Vec<Value> = serde_json::from_slice(text).map_err(refusal_of)?;
    match messages.len() {
        0 => Err(Refusal::invalid(None, "the batch is empty")),
        1..=MAX_BATCH => Ok(messages.iter().map(|message| message.to_string().into_bytes()).collect()),
        _ => Err(Refusal::invalid(None, format!("the batch has more than {MAX_BATCH} messages"))),
    }
}

/// The answers to a batch as one text, without a line end.
pub fn join_batch(answers: &[Vec<u8>]) -> Vec<u8> {
    let mut text = vec![b'['];
    text.extend(answers.join(&b','));
    text.push(b']');
    text
}

fn refusal_of(fault: serde_json::Error) -> Refusal {
    match fault.classify() {
        Category::Data => Refusal::invalid(None, format!("not a JSON-RPC message: {fault}")),
        Category::Syntax | Category::Eof | Category::Io => Refusal::unparsable(format!("not valid JSON: {fault}")),
    }
}

/// The members of a message, of whatever type they are.
#[derive(Deserialize)]
struct Members {
    jsonrpc: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    method: Option<Value>,
    #[serde(rename = "params")]
    _params: Option<IgnoredAny>,
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// Keeps a null apart from a missing member.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Members {
    fn heading(self) -> Result<Heading, Refusal> {
        let id = self.id.map(serde_json::from_value::<RequestId>);
        let readable = id.as_ref().and_then(|id| id.as_ref().ok()).cloned();
        let invalid = |reason: &str| Err(Refusal::invalid(readable.clone(), reason));
        if self.jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
            return invalid("`jsonrpc` must be \"2.0\"");
        }
        match (self.method, self.result.is_some() || self.error.is_some()) {
            (Some(_), true) => invalid("a message has either a `method` or a `result` or `error`, not both"),
            (Some(Value::String(method)), false) => match id {
                None => Ok(Heading::Notification),
                Some(Ok(id)) => Ok(Heading::Request { id, method }),
                Some(Err(_)) => invalid("`id` must be a string or an integer"),
            },
            (Some(_), false) => invalid("`method` must be a string"),
            (None, true) => Ok(Heading::Answer),
            (None, false) => invalid("`method` is missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(text: &str) -> (i32, Value) {
        let refusal = Heading::read(text.as_bytes()).unwrap_err();
        let answer: Value = serde_json::from_slice(&refusal.to_json()).unwrap();
        assert_eq!(answer["jsonrpc"], "2.0");
        assert!(answer.as_object().unwrap().contains_key("id"));
        (answer["error"]["code"].as_i64().unwrap().try_into().unwrap(), answer["id"].clone())
    }

    #[test]
    fn a_tool_call_is_read_as_any_other_message() {
        for text in [
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"a":[1,1.5,null]}}}"#,
            r#"{"params":{"_meta":{"progressToken":"p","x":1},"name":"t"},"method":"tools/call","id":"a","jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","task":{"ttl":5},"more":true},"more":1}"#,
        ] {
            let whole: ClientJsonRpcMessage = serde_json::from_str(text).unwrap();
            let short = tool_call(text.as_bytes()).unwrap();
            assert_eq!(format!("{short:?}"), format!("{whole:?}"));
        }
        for text in [
            r#"{"jsonrpc":"1.0","id":7,"method":"tools/call","params":{"name":"t"}}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"t"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"t"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":5}}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"},"result":null}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"tools/call"}}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}]"#,
        ] {
            assert!(tool_call(text.as_bytes()).is_none(), "{text}");
        }
        assert!(tool_call(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"x\":\"\xff\"}").is_none());
    }

    #[test]
    fn reads_each_kind() {
        let read = |text: &str| Heading::read(text.as_bytes()).unwrap();
        assert_eq!(
            read(r#" {"jsonrpc":"2.0","id":"a","method":"ping","params":{"deep":[[1]]}}"#),
            Heading::Request { id: RequestId::String("a".into()), method: "ping".into() }
        );
        assert_eq!(read(r#"{"jsonrpc":"2.0","method":"x"}"#), Heading::Notification);
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Heading::Answer);
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#), Heading::Answer);
    }

    #[test]
    fn no_json_is_a_parse_error() {
        for text in ["", " \r\n", "hello", "{", "{\"jsonrpc\":\"2.0\",}", "[1,", "nul", "{} {}", "\u{feff}x"] {
            assert_eq!(refusal(text), (-32700, Value::Null), "{text:?}");
        }
        let bad_utf8 =
            Heading::read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":\"\xff\"}").unwrap_err();
        assert_eq!(bad_utf8.code.0, -32700);
    }

    #[test]
    fn json_that_is_no_message_is_invalid() {
        for (text, id) in [
            ("5", Value::Null),
            ("null", Value::Null),
            ("\"text\"", Value::Null),
            ("[]", Value::Null),
            (r#"["2.0",1,"ping",{}]"#, Value::Null),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Value::Null),
            ("{}", Value::Null),
            (r#"{"jsonrpc":"2.0","id":7}"#, json!(7)),
            (r#"{"jsonrpc":"1.0","id":"x","method":"ping"}"#, json!("x")),
            (r#"{"id":3,"method":"ping"}"#, json!(3)),
            (r#"{"jsonrpc":"2.0","id":3,"method":5}"#, json!(3)),
            (r#"{"jsonrpc":"2.0","id":3,"method":"ping","result":{}}"#, json!(3)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Value::Null),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Value::Null),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Value::Null),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, Value::Null),
        ] {
            assert_eq!(refusal(text), (-32600, id), "{text}");
        }
    }

    #[test]
    fn batches_are_split_and_joined() {
        let split = |text: &str| split_batch(text.as_bytes());
        let messages = split(r#" [ {"id":1}, 7, [] ] "#).unwrap();
        assert_eq!(join_batch(&messages), br#"[{"id":1},7,[]]"#);
        assert_eq!(split("[]").unwrap_err().code.0, -32600);
        assert_eq!(split("[1,").unwrap_err().code.0, -32700);
        assert_eq!(split("{}").unwrap_err().code.0, -32600);
        assert_eq!(split(&format!("[{}0]", "0,".repeat(99))).unwrap().len(), 100);
        assert_eq!(split(&format!("[{}0]", "0,".repeat(100))).unwrap_err().code.0, -32600);
        assert_eq!(split(&"[".repeat(2_000_000)).unwrap_err().code.0, -32700);
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}"#, "[".repeat(2_000_000));
        assert_eq!(refusal(&deep), (-32700, Value::Null));
        assert_eq!(refusal(&"[".repeat(2_000_000)), (-32700, Value::Null));
        assert_eq!(refusal(&format!(r#"{{"id":{}"#, "[".repeat(2_000_000))), (-32700, Value::Null));
    }

    #[test]
    fn only_requests_are_told_that_they_are_unreadable() {
        let request = Heading::Request { id: RequestId::Number(4), method: "ping".into() };
        let refusal = request.unreadable().unwrap();
        assert_eq!((refusal.id, refusal.code.0), (Some(RequestId::Number(4)), -32602));
        assert_eq!(Heading::Notification.unreadable(), None);
        assert_eq!(Heading::Answer.unreadable(), None);
    }
}
