//! Outcomes as MCP content.

use rmcp::model::{ContentBlock, Icon, JsonObject, MetaObject, ResourceContents};
use serde_json::{Value, json};

use crate::outcome::shape::Shaped;
use crate::outcome::{Content, Outcome, base64};
use crate::spec::model;

/// A tool's answer as content blocks, and as JSON if it is JSON.
pub fn blocks(shaped: Shaped, name: &str) -> (Vec<ContentBlock>, Option<Value>) {
    let Shaped { outcome: Outcome { content, mime_type, truncated }, text } = shaped;
    let mut structured = None;
    let block = match (content, text) {
        (Content::Json(value), words) => {
            let words = words.unwrap_or_else(|| value.to_string());
            structured = Some(value);
            ContentBlock::text(words)
        }
        (_, Some(words)) | (Content::Text(words), None) => ContentBlock::text(words),
        (Content::Bytes(bytes), None) => of_bytes(&bytes, mime_type, name),
    };
    let mut all = vec![block];
    all.extend(truncated.as_deref().map(cut).map(ContentBlock::text));
    (all, structured)
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

/// The key of a resource's `_meta` that says which bound cut its contents.
const TRUNCATED: &str = "mcp-declare/truncated";

/// An outcome as the contents of a resource.
pub fn resource(shaped: Shaped, uri: &str, mime_type: Option<&str>) -> ResourceContents {
    let Shaped { outcome, text } = shaped;
    let own = outcome.mime_type.clone();
    let meta = outcome.truncated.map(|words| MetaObject(JsonObject::from_iter([(TRUNCATED.to_owned(), json!(words))])));
    let contents = match (outcome.content, text) {
        (_, Some(words)) => ResourceContents::text(words, uri),
        (Content::Json(value), None) => ResourceContents::text(value.to_string(), uri),
        (Content::Text(words), None) => ResourceContents::text(words, uri),
        (Content::Bytes(bytes), None) => ResourceContents::blob(base64(&bytes), uri),
    };
    let contents = match mime_type.map(str::to_owned).or(own) {
        Some(mime_type) => contents.with_mime_type(mime_type),
        None => contents,
    };
    match meta {
        Some(meta) => contents.with_meta(meta),
        None => contents,
    }
}

/// Icons as MCP has them.
pub fn icons(written: Option<&[model::Icon]>) -> Option<Vec<Icon>> {
    let icon = |icon: &model::Icon| {
        let mut listed = Icon::new(icon.src.get()?.value.clone());
        listed.mime_type = icon.mime_type.as_ref().map(|m| m.value.clone());
        listed.sizes = icon.sizes.as_ref().map(|sizes| sizes.iter().map(|s| s.value.clone()).collect());
        Some(listed)
    };
    written.map(|icons| icons.iter().filter_map(icon).collect())
}
