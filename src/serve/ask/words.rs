//! Between our own words for what a call says to its client and MCP's.
#![expect(deprecated, reason = "MCP has sampling, roots and logging until 2027-07-28 at least")]

use rmcp::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageRequestParams, ElicitRequest, ElicitRequestParams,
    ElicitationCapability, ElicitationSchema, ErrorData, InputRequest, ListRootsRequest, RootsCapabilities,
    SamplingCapability, ServerRequest,
};

use crate::action::call::{Capabilities, Request};

/// What a client said that it can do. One that takes only URLs in place of forms can't show forms.
pub(super) fn capabilities(declared: Option<&ClientCapabilities>) -> Capabilities {
    let Some(declared) = declared else { return Capabilities::default() };
    let forms = |elicitation: &ElicitationCapability| elicitation.form.is_some() || elicitation.url.is_none();
    Capabilities {
        elicitation: declared.elicitation.as_ref().is_some_and(forms),
        urls: declared.elicitation.as_ref().is_some_and(|elicitation| elicitation.url.is_some()),
        sampling: declared.sampling.is_some(),
        roots: declared.roots.is_some(),
        tasks: declared.supports_tasks(),
    }
}

/// The error for a client that lacks what a call can't do without.
pub(in crate::serve) fn lacking(missing: Capabilities) -> ErrorData {
    let mut required = ClientCapabilities::default();
    required.elicitation = (missing.elicitation || missing.urls).then(|| {
        let mut elicitation = ElicitationCapability::default();
        elicitation.url = missing.urls.then(Default::default);
        elicitation.form = (missing.urls && missing.elicitation).then(Default::default);
        elicitation
    });
    required.sampling = missing.sampling.then(SamplingCapability::default);
    required.roots = missing.roots.then(RootsCapabilities::default);
    if missing.tasks {
        required.extensions = ClientCapabilities::builder().enable_tasks().build().extensions;
    }
    ErrorData::missing_required_client_capability(required)
}

/// A question as MCP has it; `None` if it is none that MCP knows.
pub(in crate::serve) fn question(request: Request) -> Option<InputRequest> {
    Some(match request {
        Request::Elicit { message, schema } => {
            let requested_schema: ElicitationSchema = serde_json::from_value(schema).ok()?;
            let params = ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema };
            InputRequest::Elicitation(ElicitRequest::new(params))
        }
        Request::Visit { message, url, id } => {
            let elicitation_id = id.unwrap_or_default();
            let params = ElicitRequestParams::UrlElicitationParams { meta: None, message, url, elicitation_id };
            InputRequest::Elicitation(ElicitRequest::new(params))
        }
        Request::Sample(params) => {
            let params: CreateMessageRequestParams = serde_json::from_value(params).ok()?;
            InputRequest::CreateMessage(CreateMessageRequest::new(params))
        }
        Request::Roots => {
            InputRequest::ListRoots(ListRootsRequest { method: Default::default(), extensions: Default::default() })
        }
    })
}

/// A question as a request of its own.
pub(super) fn request(request: Request) -> Option<ServerRequest> {
    Some(match question(request)? {
        InputRequest::Elicitation(request) => ServerRequest::ElicitRequest(request),
        InputRequest::CreateMessage(request) => ServerRequest::CreateMessageRequest(request),
        InputRequest::ListRoots(request) => ServerRequest::ListRootsRequest(request),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn forms_are_sent_as_they_are_written() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "title": "You",
            "description": "Who you are",
            "properties": {
                "zip": { "type": "string", "title": "Zip", "description": "d", "minLength": 2, "maxLength": 9, "default": "12" },
                "mail": { "type": "string", "format": "email" },
                "when": { "type": "string", "format": "date-time" },
                "age": { "type": "integer", "minimum": 0, "maximum": 150, "default": 30 },
                "score": { "type": "number", "minimum": 0.5, "maximum": 99.5, "default": 95.5 },
                "ok": { "type": "boolean", "title": "OK", "default": true },
                "plain": { "type": "string", "enum": ["a", "b"], "default": "a" },
                "named": { "type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"] },
                "one": { "type": "string", "oneOf": [{ "const": "a", "title": "A" }], "default": "a" },
                "some": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "string", "enum": ["a"] }, "default": ["a"] },
                "many": { "type": "array", "items": { "anyOf": [{ "const": "a", "title": "A" }] } },
            },
            "required": ["zip"],
        });
        let request = Request::Elicit { message: "Who?".into(), schema: schema.clone() };
        let sent = serde_json::to_value(question(request).unwrap()).unwrap();
        assert_eq!(sent["method"], "elicitation/create");
        assert_eq!(sent["params"]["requestedSchema"], schema);
        let order =
            |schema: &Value| -> Vec<String> { schema["properties"].as_object().unwrap().keys().cloned().collect() };
        assert_eq!(order(&sent["params"]["requestedSchema"]), order(&schema));
    }

    #[test]
    fn samples_and_roots_are_mcp() {
        let params = json!({
            "messages": [{ "role": "user", "content": { "type": "text", "text": "hi" } }],
            "systemPrompt": "be kind",
            "maxTokens": 5,
            "temperature": 0.5,
            "stopSequences": ["x"],
            "includeContext": "thisServer",
            "modelPreferences": { "hints": [{ "name": "small" }], "costPriority": 0.5 },
            "metadata": { "a": 1 },
        });
        let sent = serde_json::to_value(question(Request::Sample(params.clone())).unwrap()).unwrap();
        assert_eq!((&sent["method"], &sent["params"]), (&json!("sampling/createMessage"), &params));
        let sent = serde_json::to_value(question(Request::Roots).unwrap()).unwrap();
        assert_eq!(sent["method"], "roots/list");
    }

    #[test]
    fn url_only_clients_show_no_forms() {
        let read = |declared: Value| capabilities(Some(&serde_json::from_value(declared).unwrap()));
        assert!(read(json!({ "elicitation": {} })).elicitation);
        assert!(read(json!({ "elicitation": { "form": {}, "url": {} } })).elicitation);
        assert!(!read(json!({ "elicitation": { "url": {} } })).elicitation);
        assert_eq!(read(json!({})), Capabilities::default());
        assert_eq!(capabilities(None), Capabilities::default());
    }
}
