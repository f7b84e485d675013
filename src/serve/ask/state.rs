//! `requestState`: what a call has done so far, in the client's hands but signed by us (MCP 2026-07-28, multi
//! round-trip requests). It can be read by the client; it can't be changed, used for another request, or kept long.

use rmcp::model::{RequestStateCodec, SealOptions};
use serde_json::{Map, Value};

use crate::action::call::LIFETIME;
use crate::serve::random;

/// Bytes of what was done so far.
pub(super) const MAX_STATE: usize = 256 * 1024;

/// The key of this process, under which states are signed.
#[derive(Debug)]
pub(in crate::serve) struct Seal(Option<RequestStateCodec>);

impl Seal {
    /// A new random key. Where the system gives none, no state can be made.
    pub(in crate::serve) fn random() -> Self {
        let key = random::bytes::<{ RequestStateCodec::MIN_KEY_LENGTH }>();
        if let Err(fault) = &key {
            tracing::error!(%fault, "can't read /dev/urandom: clients of 2026-07-28 can't be asked anything");
        }
        Seal(key.ok().and_then(|key| RequestStateCodec::try_new(key.to_vec()).ok()))
    }

    /// Signs what was done so far, for this request alone.
    ///
    /// # Errors
    /// If it is too large, or there is no key.
    pub(super) fn close(&self, done: &Map<String, Value>, request: &[u8]) -> Result<String, String> {
        let codec = self.0.as_ref().ok_or("this server can't ask anything now")?;
        let done = serde_json::to_vec(done).map_err(|_| "what was done so far can't be kept")?;
        if done.len() > MAX_STATE {
            let size = done.len();
            return Err(format!("what was done so far is too large to be kept ({size} bytes, at most {MAX_STATE})"));
        }
        Ok(codec.seal_with(&done, &SealOptions::new().associated_data(request).ttl(LIFETIME)))
    }

    /// What was done so far; `None` if the state is not ours, of another request, or too old.
    pub(super) fn open(&self, state: &str, request: &[u8]) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.0.as_ref()?.open_with(state, request).ok()?).ok()
    }
}

/// The bytes that tell one request from another: its method, what it names, its arguments in any order, and the
/// spec that it was made to. Not who made it: the HTTP door asks nobody who he is, so a state is good for whoever has
/// it and makes that request, within [`LIFETIME`]; a call that stays open for it goes on once.
pub(super) fn identity(method: &str, name: &str, arguments: &Map<String, Value>, edition: u64) -> Vec<u8> {
    let arguments = sorted(&Value::Object(arguments.clone()));
    serde_json::to_vec(&(method, name, edition, arguments)).unwrap_or_default()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<(String, Value)> =
                map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_state_opens_for_its_own_request_only() {
        let seal = Seal::random();
        let done = object(json!({ "a": 1 }));
        let request = identity("tools/call", "x", &object(json!({ "p": { "b": 1, "a": [2] }, "q": 3 })), 1);
        let state = seal.close(&done, &request).unwrap();
        assert_eq!(seal.open(&state, &request), Some(done));
        let same = identity("tools/call", "x", &object(json!({ "q": 3, "p": { "a": [2], "b": 1 } })), 1);
        assert!(seal.open(&state, &same).is_some());
        for other in [
            identity("prompts/get", "x", &object(json!({ "p": { "b": 1, "a": [2] }, "q": 3 })), 1),
            identity("tools/call", "y", &object(json!({ "p": { "b": 1, "a": [2] }, "q": 3 })), 1),
            identity("tools/call", "x", &object(json!({ "p": { "b": 1, "a": [2] }, "q": 4 })), 1),
            identity("tools/call", "x", &object(json!({ "p": { "b": 1, "a": [2] }, "q": 3 })), 2),
        ] {
            assert_eq!(seal.open(&state, &other), None);
        }
        assert_eq!(Seal::random().open(&state, &request), None, "another process's key");
        for wrong in ["", "rs1", "rs1.x.y", &format!("{state}-TAMPERED"), &state[..state.len() - 1], &state[1..]] {
            assert_eq!(seal.open(wrong, &request), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_has_a_bound() {
        let done = |length: usize| object(json!({ "a": "x".repeat(length) }));
        assert!(Seal::random().close(&done(MAX_STATE - 100), b"").is_ok());
        let fault = Seal::random().close(&done(MAX_STATE), b"").unwrap_err();
        assert!(fault.contains("too large"), "{fault}");
    }
}
