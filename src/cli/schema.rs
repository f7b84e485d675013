//! `schema`: the language's JSON Schema, for editors.

use super::{Exit, print};
use crate::spec::describe;

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Editors read it from a spec's first line:\n  # yaml-language-server: $schema=./mcp-declare.schema.json\n  #:schema ./mcp-declare.schema.json                          (TOML)\n\nExample:\n  mcp-declare schema > mcp-declare.schema.json"
)]
pub struct Arguments {}

/// Prints the schema.
pub fn run(_: &Arguments) -> Exit {
    print(&format!("{:#}\n", describe::schema()));
    Exit::Done
}
