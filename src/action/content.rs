//! `content`: MCP content blocks written out.

mod block;
mod describe;

use serde_json::Value;

use super::{Arguments, Builder, Call, Capabilities, Scope};
use crate::outcome::{ActionError, Content, Outcome};
use crate::spec::model::ContentAction;
pub use block::Block;
pub use describe::{annotations, icons, meta};

/// Compiled content blocks.
#[derive(Debug)]
pub struct Blocks {
    blocks: Vec<Block>,
    is_error: bool,
}

impl Blocks {
    /// Compiles them.
    pub async fn compile(written: &ContentAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let mut blocks = Vec::with_capacity(written.blocks.len());
        for block in &written.blocks {
            blocks.push(Block::compile(block, scope, builder).await);
        }
        let blocks = blocks.into_iter().collect::<Option<_>>()?;
        Some(Blocks { blocks, is_error: written.is_error.as_ref().is_some_and(|e| e.value) })
    }

    /// Makes the blocks.
    ///
    /// # Errors
    /// If what a block shows can't be had; with `isError`, the blocks themselves.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (at, block) in self.blocks.iter().enumerate() {
            let here = call.within(&format!("block-{}", at.saturating_add(1)));
            blocks.push(block.json(arguments, &here).await?);
        }
        match self.is_error {
            true => Err(ActionError { blocks: blocks.clone(), ..ActionError::failed(words(&blocks)) }),
            false => Ok(Outcome::new(Content::Blocks(blocks), None)),
        }
    }

    /// What each block is and where what it shows comes from, a line each.
    ///
    /// # Errors
    /// As those of the blocks' actions.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let lines: Vec<String> = self.blocks.iter().map(|b| b.explain(arguments)).collect::<Result<_, _>>()?;
        Ok(lines.join("\n"))
    }

    /// Whether all of its actions change nothing.
    pub fn read_only(&self) -> Option<bool> {
        let known: Vec<Option<bool>> = self.blocks.iter().filter_map(|b| b.action()).map(|a| a.read_only()).collect();
        match () {
            () if known.contains(&Some(false)) => Some(false),
            () if known.contains(&None) => None,
            () => Some(true),
        }
    }

    /// What the client has to be able to do for them.
    pub fn requires(&self) -> Capabilities {
        let actions = self.blocks.iter().filter_map(|b| b.action());
        actions.fold(Capabilities::default(), |all, action| all.and(action.requires()))
    }

    /// Whether all that it shows is the spec's own, files below it included.
    pub fn is_closed(&self) -> bool {
        let closed =
            |a: &super::Action| matches!(a, super::Action::Text(_) | super::Action::File(_) | super::Action::Sql(_));
        self.blocks.iter().filter_map(|b| b.action()).all(closed)
    }

    /// Whether the blocks can be the contents of a resource: links can't, and an error is none.
    ///
    /// # Errors
    /// Words saying what can't.
    pub fn as_contents(&self) -> Result<(), &'static str> {
        match () {
            () if self.is_error => Err("a resource's contents can't be an error"),
            () if self.blocks.is_empty() => Err("a resource has contents"),
            () if self.blocks.iter().any(Block::is_link) => Err("a link can't be the contents of a resource"),
            () => Ok(()),
        }
    }

    /// The media type of a single block, where it is known before a call.
    pub fn mime_type(&self) -> Option<String> {
        match self.blocks.as_slice() {
            [only] => only.mime_type(),
            _ => None,
        }
    }
}

/// What blocks say in words.
fn words(blocks: &[Value]) -> String {
    let texts: Vec<&str> = blocks.iter().filter_map(|b| b.get("text")?.as_str()).collect();
    if texts.is_empty() { "the tool answered with an error".to_owned() } else { texts.join("\n") }
}
