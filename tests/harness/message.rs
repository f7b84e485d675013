//! Messages as they are on the wire.

use serde_json::{Value, json};

/// The version that has no sessions.
pub const MODERN: &str = "2026-07-28";

/// A request as sessions send it.
pub fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// A request of 2026-07-28, which brings along all that is to be known of its client.
pub fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
    });
    request(id, method, params)
}

/// The request that begins a session.
pub fn initialize(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    request("first", "initialize", json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client }))
}
