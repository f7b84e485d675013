//! Outcomes as MCP content.

use rmcp::model::{Annotations, ContentBlock, Icon, JsonObject, MetaObject, PromptMessage, ResourceContents};
use serde_json::{Value, json};

use crate::action::content as describe;
use crate::outcome::shape::Shaped;
use crate::outcome::{ActionError, Content, Outcome, base64};
use crate::spec::model;
use crate::spec::{Diagnostics, Node};

/// A tool's answer as content blocks, and as JSON if it is JSON.
pub fn blocks(shaped: Shaped, name: &str) -> (Vec<ContentBlock>, Option<Value>) {
    let Shaped { outcome: Outcome { content, mime_type, truncated, .. }, text } = shaped;
    let mut structured = None;
    let mut all = match (content, text) {
        (Content::Structured { blocks, value }, None) => {
            structured = Some(value);
            written_out(blocks)
        }
        (Content::Json(value) | Content::Structured { value, .. }, words) => {
            let words = words.unwrap_or_else(|| json_text(&value));
            structured = Some(value);
            vec![ContentBlock::text(words)]
        }
        (_, Some(words)) | (Content::Text(words), None) => vec![ContentBlock::text(words)],
        (Content::Bytes(bytes), None) => vec![of_bytes(&bytes, mime_type, name)],
        (Content::Blocks(blocks), None) => written_out(blocks),
    };
    all.extend(truncated.as_deref().map(cut).map(ContentBlock::text));
    (all, structured)
}

/// JSON as text: what `to_string` gives, in half of its time.
fn json_text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// How a text says that it was cut, and by which bound.
pub fn cut(words: &str) -> String {
    format!("[{words}]")
}

fn of_bytes(bytes: &[u8], mime_type: Option<String>, name: &str) -> ContentBlock {
    let mime_type = mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    let data = base64(bytes);
    if mime_type.starts_with("image/") {
        ContentBlock::image(data, mime_type)
    } else if mime_type.starts_with("audio/") {
        ContentBlock::audio(data, mime_type)
    } else {
        let contents = ResourceContents::blob(data, format!("answer://{name}")).with_mime_type(mime_type);
        ContentBlock::resource(contents)
    }
}

/// Content blocks of a spec as MCP's.
pub fn written_out(blocks: Vec<Value>) -> Vec<ContentBlock> {
    blocks.into_iter().filter_map(|block| serde_json::from_value(block).ok()).collect()
}

/// Messages of another server's prompt.
///
/// # Errors
/// If one is none that MCP knows, such as one of another role than the two that there are.
pub fn messages(all: Vec<Value>) -> Result<Vec<PromptMessage>, ActionError> {
    let known = |(number, message): (usize, Value)| {
        let words = || format!("message {} of the other server's prompt is none that MCP knows", number + 1);
        serde_json::from_value(message).map_err(|_| ActionError::failed(words()))
    };
    all.into_iter().enumerate().map(known).collect()
}

/// The key of a resource's `_meta` that says which bound cut its contents.
const TRUNCATED: &str = "mcp-declare/truncated";

/// An outcome as the contents of a resource.
pub fn resource(shaped: Shaped, uri: &str, mime_type: Option<&str>) -> Vec<ResourceContents> {
    let Shaped { outcome, text } = shaped;
    let own = outcome.mime_type.clone();
    let meta = outcome.truncated.map(|words| MetaObject(JsonObject::from_iter([(TRUNCATED.to_owned(), json!(words))])));
    let contents = match (outcome.content, text) {
        (_, Some(words)) => ResourceContents::text(words, uri),
        (Content::Json(value) | Content::Structured { value, .. }, None) => {
            ResourceContents::text(json_text(&value), uri)
        }
        (Content::Text(words), None) => ResourceContents::text(words, uri),
        (Content::Bytes(bytes), None) => ResourceContents::blob(base64(&bytes), uri),
        (Content::Blocks(blocks), None) => {
            return written_out(blocks).into_iter().filter_map(|block| of_block(block, uri, mime_type)).collect();
        }
    };
    let contents = match mime_type.map(str::to_owned).or(own) {
        Some(mime_type) => contents.with_mime_type(mime_type),
        None => contents,
    };
    vec![with_meta(contents, meta)]
}

fn with_meta(contents: ResourceContents, meta: Option<MetaObject>) -> ResourceContents {
    match meta {
        Some(meta) => contents.with_meta(meta),
        None => contents,
    }
}

/// A block as contents; a link has none.
fn of_block(block: ContentBlock, uri: &str, mime_type: Option<&str>) -> Option<ResourceContents> {
    let (contents, meta) = match block {
        ContentBlock::Text(text) => {
            let mime_type = mime_type.unwrap_or("text/plain");
            (ResourceContents::text(text.text, uri).with_mime_type(mime_type), text.meta)
        }
        ContentBlock::Image(image) => {
            (ResourceContents::blob(image.data, uri).with_mime_type(image.mime_type), image.meta)
        }
        ContentBlock::Audio(audio) => {
            (ResourceContents::blob(audio.data, uri).with_mime_type(audio.mime_type), audio.meta)
        }
        ContentBlock::Resource(resource) => (resource.resource, resource.meta),
        _ => return None,
    };
    Some(with_meta(contents, meta))
}

/// Icons as MCP has them.
pub fn icons(written: Option<&[model::Icon]>) -> Option<Vec<Icon>> {
    serde_json::from_value(describe::icons(written?)).ok()
}

/// Annotations as MCP has them.
pub fn annotations(written: Option<&model::ContentAnnotations>, sink: &mut Diagnostics) -> Option<Annotations> {
    serde_json::from_value(Value::Object(describe::annotations(written?, sink))).ok()
}

/// `_meta` as MCP has it.
pub fn meta(written: Option<&Node>, sink: &mut Diagnostics) -> Option<MetaObject> {
    describe::meta(written, sink).map(MetaObject)
}
