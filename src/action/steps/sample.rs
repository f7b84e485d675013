//! `sample`: the client's language model is asked to go on with a conversation (MCP's `sampling/createMessage`).

use serde_json::{Map, Value, json};

use crate::action::{Arguments, Builder, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::Role;
use crate::spec::model::steps::{Context, SampleStep};
use crate::spec::read::refuse;
use crate::spec::{Code, Diagnostic, Kind};
use crate::template::Template;

/// Tokens of an answer where the spec names no bound.
const MAX_TOKENS: u64 = 1000;

/// A compiled `sample`.
#[derive(Debug)]
pub(super) struct Sample {
    messages: Vec<(&'static str, Template)>,
    system_prompt: Option<Template>,
    /// The params that are the same in every call.
    fixed: Map<String, Value>,
    max_bytes: usize,
}

impl Sample {
    pub(super) fn compile(written: &SampleStep, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let messages = messages(written, scope, builder);
        let system_prompt = written.system_prompt.as_ref().map(|text| builder.template(text, scope));
        let fixed = fixed(written, builder);
        Some(Sample {
            messages: messages?,
            system_prompt: match system_prompt {
                Some(text) => Some(text?),
                None => None,
            },
            fixed: fixed?,
            max_bytes: builder.limits.max_bytes,
        })
    }

    /// MCP's params of `sampling/createMessage`.
    pub(super) fn params(&self, names: &Arguments) -> Result<Value, ActionError> {
        let render = |text: &Template| text.render(names, self.max_bytes).map_err(|fault| render_fault(&fault));
        let messages = self
            .messages
            .iter()
            .map(|(role, text)| Ok(json!({ "role": role, "content": { "type": "text", "text": render(text)? } })));
        let mut params = Map::new();
        params.insert("messages".to_owned(), messages.collect::<Result<_, ActionError>>()?);
        if let Some(text) = &self.system_prompt {
            params.insert("systemPrompt".to_owned(), Value::String(render(text)?));
        }
        params.extend(self.fixed.clone());
        Ok(Value::Object(params))
    }
}

/// What the model said: a text, or MCP's content if it is something else.
pub(super) fn read(answer: &Value) -> Result<Value, String> {
    let content = answer.get("content").ok_or("it has no `content`")?;
    let text = |block: &Value| match block.get("type").and_then(Value::as_str) {
        Some("text") => block.get("text").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    match content {
        Value::Object(_) => Ok(text(content).map_or_else(|| content.clone(), Value::String)),
        Value::Array(blocks) => {
            let texts: Option<Vec<String>> = blocks.iter().map(text).collect();
            Ok(texts.map_or_else(|| content.clone(), |texts| Value::String(texts.join("\n"))))
        }
        _ => Err("its `content` is no content".to_owned()),
    }
}

fn messages(
    written: &SampleStep,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<Vec<(&'static str, Template)>> {
    match (&written.prompt, &written.messages) {
        (Some(prompt), None) => Some(vec![("user", builder.template(prompt, scope)?)]),
        (None, Some(messages)) if !messages.is_empty() => {
            let compiled: Vec<_> = messages
                .iter()
                .map(|message| {
                    let text = message.text.get().and_then(|text| builder.template(text, scope));
                    let role = match message.role.get()?.value {
                        Role::User => "user",
                        Role::Assistant => "assistant",
                    };
                    Some((role, text?))
                })
                .collect();
            compiled.into_iter().collect()
        }
        (Some(prompt), Some(_)) => {
            let words = "a sample has a `prompt` or `messages`, this one has both";
            builder.sink.error(Code::NameClash, prompt.span, words);
            None
        }
        _ => {
            let found = Diagnostic::error(Code::MissingKey, written.at, "this sample says nothing");
            builder.sink.push(found.label("give it a `prompt` or `messages`"));
            None
        }
    }
}

fn fixed(written: &SampleStep, builder: &mut Builder<'_>) -> Option<Map<String, Value>> {
    let before = builder.sink.errors();
    let mut fixed = Map::new();
    let max_tokens = written.max_tokens.as_ref().map_or(MAX_TOKENS, |n| n.value);
    if max_tokens == 0 || u32::try_from(max_tokens).is_err() {
        let at = written.max_tokens.as_ref().map_or(written.at, |n| n.span);
        builder.sink.error(Code::BadValue, at, format!("`maxTokens` is a number from 1 to {}", u32::MAX));
    }
    fixed.insert("maxTokens".to_owned(), json!(max_tokens));
    if let Some(node) = &written.temperature {
        if !matches!(node.kind, Kind::Number(_)) {
            refuse(node, "a number", builder.sink, |found| found);
        }
        fixed.insert("temperature".to_owned(), node.to_json());
    }
    for (key, node) in [("modelPreferences", &written.model_preferences), ("metadata", &written.metadata)] {
        let Some(node) = node else { continue };
        if !matches!(node.kind, Kind::Map(_)) {
            refuse(node, "a map", builder.sink, |found| found);
        }
        fixed.insert(key.to_owned(), node.to_json());
    }
    if let Some(stops) = &written.stop_sequences {
        fixed.insert("stopSequences".to_owned(), stops.iter().map(|s| Value::String(s.value.clone())).collect());
    }
    if let Some(context) = &written.include_context {
        let word = match context.value {
            Context::None => "none",
            Context::ThisServer => "thisServer",
            Context::AllServers => "allServers",
        };
        fixed.insert("includeContext".to_owned(), json!(word));
    }
    (builder.sink.errors() == before).then_some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_and_all_else_stays_content() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let image = json!({ "type": "image", "data": "AA==", "mimeType": "image/png" });
        for (content, read_as) in [
            (text("hello"), Ok(json!("hello"))),
            (json!([text("a"), text("b")]), Ok(json!("a\nb"))),
            (image.clone(), Ok(image.clone())),
            (json!([text("a"), image]), Ok(json!([text("a"), image]))),
            (json!("hello"), Err("its `content` is no content".to_owned())),
        ] {
            assert_eq!(read(&json!({ "role": "assistant", "model": "m", "content": content })), read_as);
        }
        assert!(read(&json!(5)).is_err());
        assert!(read(&json!({ "role": "assistant" })).is_err());
    }
}
