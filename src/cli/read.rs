//! `read`: a resource, through the same path as a client's request.

use base64::Engine;
use rmcp::model::ResourceContents;
use serde_json::Value;

use super::spec::SpecArguments;
use super::{Exit, complain, paint, print, print_bytes};
use crate::action::Call;
use crate::action::source::Mode;
use crate::catalog::{Catalog, Listed, Resource};
use crate::spec::nearest;
use crate::spec::read::list_names;

/// Arguments of `read`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mcp-declare read bookshop.yaml shop://books/1")]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// The resource's URI.
    uri: String,
}

/// Reads the resource and prints its contents: text as text, anything else as the bytes that it is.
pub async fn run(arguments: Arguments) -> Exit {
    let catalog = match arguments.spec.load(Mode::Serve).await {
        Ok(catalog) => catalog,
        Err(exit) => return exit,
    };
    let contents = match catalog.read(&arguments.uri, &Call::default()).await {
        Ok(contents) => contents,
        Err(error) => {
            let known = catalog.resource(&arguments.uri).is_some();
            let near = if known { String::new() } else { near(&catalog, &arguments.uri) };
            complain(&format!("{}: {}{}", arguments.uri, error.message, near));
            return Exit::AtFault;
        }
    };
    for part in contents.all {
        match part {
            ResourceContents::TextResourceContents { uri, mime_type, text, .. } => {
                show(&uri, mime_type.as_deref(), &text);
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(blob).unwrap_or_default();
                match paint::is_seen() {
                    true => {
                        head(&uri, mime_type.as_deref(), bytes.len());
                        print(&paint::aside("no text: lead it into a file to have it, as in `… > file`\n"));
                    }
                    false => print_bytes(&bytes),
                }
            }
            _ => {}
        }
    }
    Exit::Done
}

/// What could be meant by a URI that is none: the resource of the nearest URI or name, or else any.
fn near(catalog: &Catalog, uri: &str) -> String {
    let uris: Vec<&str> = catalog.resources().map(Resource::uri).collect();
    let named = || {
        let names: Vec<&str> = catalog.resources().map(name).collect();
        let name = nearest(uri, names.iter().copied())?;
        names.iter().zip(&uris).find(|(known, _)| **known == name).map(|(_, uri)| *uri)
    };
    match nearest(uri, uris.iter().copied()).or_else(named) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if uris.is_empty() => "; this spec has none".to_owned(),
        None => format!("; there are {}", list_names(&uris)),
    }
}

fn name(resource: &Resource) -> &str {
    match &resource.listed {
        Listed::Resource(resource) => &resource.name,
        Listed::Template(template) => &template.name,
    }
}

/// On a terminal a text with a line that says what it is, and JSON laid out; elsewhere the text.
fn show(uri: &str, mime_type: Option<&str>, text: &str) {
    if paint::is_seen() {
        head(uri, mime_type, text.len());
    }
    let laid_out = json(mime_type, text).filter(|_| paint::is_coloured()).map(|value| paint::json(&value));
    match laid_out {
        Some(json) => print(&format!("{json}\n")),
        None => paint::data(&format!("{}\n", text.trim_end_matches('\n'))),
    }
}

fn head(uri: &str, mime_type: Option<&str>, bytes: usize) {
    let kind = mime_type.map_or_else(String::new, |kind| format!("  {kind}"));
    print(&paint::aside(&paint::visible(&format!("{uri}{kind}  {bytes} bytes\n"))));
}

/// The value of a text that says it is JSON.
fn json(mime_type: Option<&str>, text: &str) -> Option<Value> {
    let kind = mime_type?.split(';').next().unwrap_or_default().trim();
    (kind == "application/json" || kind.ends_with("+json")).then(|| serde_json::from_str(text).ok())?
}
