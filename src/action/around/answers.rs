//! Answers of one action that are kept for a while, each under what went in. They go with the catalog: an edit of the
//! spec, or of what it reads, may change what the action means.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::action::Arguments;
use crate::action::store::{Keep, Room, Store};
use crate::outcome::{Content, Data, Outcome};

/// Bytes that a JSON value takes beside its texts.
const VALUE: usize = 64;

/// The answers.
#[derive(Debug)]
pub struct Answers {
    ttl: Duration,
    store: Store<Answer>,
}

#[derive(Debug)]
struct Answer {
    outcome: Outcome,
    /// When it stops to be fresh.
    stale: Instant,
}

impl Answers {
    /// None yet.
    pub fn new(ttl: Duration) -> Self {
        Answers { ttl, store: Store::new(Room::default()) }
    }

    /// The one that is kept for this, if it is fresh.
    pub fn find(&self, name: &str, now: Instant) -> Option<Outcome> {
        let kept = self.store.find(name, |_| true)?;
        if kept.stale <= now {
            self.store.forget(name);
            return None;
        }
        Some(kept.outcome.clone())
    }

    /// Keeps one, unless it is too large.
    pub fn put(&self, name: &str, outcome: &Outcome, now: Instant) {
        let Some(stale) = now.checked_add(self.ttl) else { return };
        if weight(outcome) <= self.store.largest() {
            self.store.put(name, Answer { outcome: outcome.clone(), stale });
        }
    }
}

impl Keep for Answer {
    fn size(&self) -> usize {
        weight(&self.outcome)
    }

    /// A name is all that goes into an action.
    fn is_like(&self, _: &Self) -> bool {
        true
    }
}

/// What goes into an action: the arguments, in whatever order they came.
pub fn name(arguments: &Arguments) -> String {
    let mut arguments = Value::Object(arguments.clone());
    arguments.sort_all_objects();
    arguments.to_string()
}

fn weight(outcome: &Outcome) -> usize {
    let whole = outcome.whole.as_ref().map_or(0, |whole| match &whole.data {
        Data::Text(text) => text.len(),
        Data::Bytes(bytes) => bytes.len(),
    });
    let content = match &outcome.content {
        Content::Json(value) => of_value(value),
        Content::Text(text) => text.len(),
        Content::Bytes(bytes) => bytes.len(),
        Content::Blocks(blocks) => blocks.iter().map(of_value).sum(),
        Content::Structured { blocks, value } => blocks.iter().map(of_value).sum::<usize>() + of_value(value),
    };
    whole.saturating_add(content)
}

fn of_value(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(of_value).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + of_value(value)).sum(),
    };
    inside + VALUE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Arguments {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_went_in_tells_answers_apart_and_its_order_does_not() {
        let name = |value: Value| name(&arguments(value));
        assert_eq!(
            name(json!({ "a": 1, "b": { "c": 1, "d": [1, 2] } })),
            name(json!({ "b": { "d": [1, 2], "c": 1 }, "a": 1 }))
        );
        let all = [
            json!({}),
            json!({ "a": 1 }),
            json!({ "a": "1" }),
            json!({ "a": null }),
            json!({ "b": [2, 1] }),
            json!({ "b": [1, 2] }),
        ];
        let names: std::collections::HashSet<_> = all.iter().cloned().map(name).collect();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn an_answer_is_fresh_for_its_time_and_bounded() {
        let (answers, start) = (Answers::new(Duration::from_secs(60)), Instant::now());
        answers.put("a", &Outcome::text("x"), start);
        answers.put("b", &Outcome::text("x".repeat(5 << 20)), start);
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(answers.find("a", at(59)), Some(Outcome::text("x")));
        assert_eq!(answers.find("b", at(59)), None);
        assert_eq!(answers.find("a", at(60)), None);
    }
}
