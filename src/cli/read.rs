//! `read`: a resource, through the same path as a client's request.

use base64::Engine;
use rmcp::model::ResourceContents;

use super::spec::SpecArguments;
use super::{Exit, complain, print, print_bytes};
use crate::action::Call;
use crate::action::source::Mode;

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
            complain(&format!("{}: {}", arguments.uri, error.message));
            return Exit::AtFault;
        }
    };
    for part in contents.all {
        match part {
            ResourceContents::TextResourceContents { text, .. } => print(&format!("{}\n", text.trim_end_matches('\n'))),
            ResourceContents::BlobResourceContents { blob, .. } => {
                print_bytes(&base64::engine::general_purpose::STANDARD.decode(blob).unwrap_or_default());
            }
            _ => {}
        }
    }
    Exit::Done
}
