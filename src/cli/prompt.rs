//! `prompt`: a prompt's messages, through the same path as a client's request.

use rmcp::model::{ContentBlock, ResourceContents, Role};
use serde_json::{Map, Value};

use super::spec::{self, SpecArguments};
use super::{Exit, complain, paint, print};
use crate::action::Call;
use crate::action::source::Mode;

/// Arguments of `prompt`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mcp-declare prompt bookshop.yaml recommend taste='sea stories'")]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// The prompt's name.
    name: String,
    /// Its arguments.
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
}

/// Gets the prompt and prints its messages.
pub async fn run(arguments: Arguments) -> Exit {
    let catalog = match arguments.spec.load(Mode::Serve).await {
        Ok(catalog) => catalog,
        Err(exit) => return exit,
    };
    let Some(prompt) = catalog.prompt(&arguments.name) else {
        complain(&spec::unknown("prompt", &arguments.name, catalog.prompts().map(|p| p.listed.name.as_str())));
        return Exit::AtFault;
    };
    let mut given = Map::new();
    for pair in &arguments.arguments {
        let Some((name, value)) = pair.split_once('=') else {
            complain(&format!("`{pair}` is not NAME=VALUE"));
            return Exit::Usage;
        };
        given.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    let messages = match prompt.get(given, &catalog, &Call::default()).await {
        Ok(messages) => messages,
        Err(error) => {
            complain(&error.message);
            return Exit::AtFault;
        }
    };
    if let (true, Some(what)) = (paint::is_seen(), prompt.listed.description.as_deref()) {
        print(&format!("{}\n\n", paint::aside(&paint::visible(what.trim_end()))));
    }
    for message in messages {
        let who = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        print(&format!("\x1b[1m{who}:\x1b[0m\n"));
        paint::data(&format!("{}\n\n", words(&message.content).trim_end()));
    }
    Exit::Done
}

fn words(content: &ContentBlock) -> String {
    match content {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => format!("[{}, {} bytes of base64]", image.mime_type, image.data.len()),
        ContentBlock::Audio(audio) => format!("[{}, {} bytes of base64]", audio.mime_type, audio.data.len()),
        ContentBlock::ResourceLink(link) => format!("[{}]", link.uri),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("[{uri}]\n{text}"),
            ResourceContents::BlobResourceContents { uri, blob, .. } => {
                format!("[{uri}, {} bytes of base64]", blob.len())
            }
            _ => String::new(),
        },
        _ => String::new(),
    }
}
