//! Whether blocks match: every `{{#x}}` needs its `{{/x}}`, every `{{else}}` a block.

use super::{Kind, MAX_DEPTH, Tag, first_word};
use crate::spec::Fault;

/// A block that is not closed yet.
struct Open<'a> {
    tag: &'a Tag,
    name: &'a str,
    /// Whether its plain `{{else}}`, behind which there is no other, has been met.
    ends: bool,
}

/// All faults of the blocks that `tags` of `text` make.
pub(super) fn check<'a>(text: &'a str, tags: impl Iterator<Item = &'a Tag>) -> Vec<Fault> {
    let mut open: Vec<Open<'a>> = Vec::new();
    let mut faults = Vec::new();
    for tag in tags {
        let name = first_word(text.get(tag.inner.clone()).unwrap_or(""));
        let message = match tag.kind {
            Kind::Open => {
                open.push(Open { tag, name, ends: false });
                (open.len() == MAX_DEPTH + 1).then(|| format!("blocks nest deeper than {MAX_DEPTH} here"))
            }
            Kind::Close => close(&mut open, name),
            Kind::Else { chained } => continue_block(open.last_mut(), chained),
            Kind::Value | Kind::Partial | Kind::Comment => None,
        };
        faults.extend(message.map(|message| Fault::new(tag.range.clone(), message)));
    }
    faults.extend(open.into_iter().map(|Open { tag, name, .. }| {
        let fault = Fault::new(tag.range.clone(), format!("this `{{{{#{name}}}}}` is not closed"));
        fault.help(format!("add `{{{{/{name}}}}}`"))
    }));
    faults
}

/// Closes the innermost block; one with another name closes as many as it takes to reach its own, if that is open.
fn close(open: &mut Vec<Open<'_>>, name: &str) -> Option<String> {
    let Some(innermost) = open.last().map(|o| o.name) else {
        return Some(format!("`{{{{/{name}}}}}` closes nothing"));
    };
    if let Some(at) = open.iter().rposition(|o| o.name == name) {
        open.truncate(at);
    }
    (innermost != name).then(|| format!("`{{{{/{name}}}}}` stands where `{{{{#{innermost}}}}}` has to be closed"))
}

fn continue_block(block: Option<&mut Open<'_>>, chained: bool) -> Option<String> {
    match block {
        Some(block) if block.ends => Some(format!("`{{{{#{}}}}}` has had its last `{{{{else}}}}` already", block.name)),
        Some(block) => {
            block.ends = !chained;
            None
        }
        None => Some("this `{{else}}` stands in no block".to_owned()),
    }
}
