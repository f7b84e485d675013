//! `forEach`: a step that is done for every item of a list.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use serde_json::{Map, Value, json};

use super::names::{self, follow, is_path, taken};
use super::report::Did;
use super::step::Step;
use super::together::together;
use crate::action::call::MOST_STEPS;
use crate::action::{Arguments, Builder, Call, Param, Scope};
use crate::outcome::ActionError;
use crate::spec::model::Str;
use crate::spec::model::steps::Flow;
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template;

/// Items of a list where the spec says no number.
const MAX_ITEMS: usize = 1000;
/// Items at the same time.
pub(super) const MOST_AT_ONCE: usize = 64;

/// A compiled `forEach`.
#[derive(Debug)]
pub(super) struct ForEach {
    /// The list: a name, or a path below one.
    list: String,
    /// The JSON Schema of an item, as far as it is known.
    item: Arc<Value>,
    /// Whether its items are kept out of logs.
    secret: bool,
    max_items: usize,
    concurrency: usize,
    max_bytes: usize,
}

impl ForEach {
    /// Checks and compiles it.
    pub(super) fn compile(list: &Str, flow: &Flow, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let item = item(list, scope, builder);
        let bound = |written: &Option<Spanned<u64>>, key, default, most, builder: &mut Builder<'_>| match written {
            Some(number) => bound(number, key, most, builder),
            None => Some(default),
        };
        let max_items = bound(&flow.max_items, "maxItems", MAX_ITEMS, MOST_STEPS, builder);
        let concurrency = bound(&flow.concurrency, "concurrency", 1, MOST_AT_ONCE, builder);
        Some(ForEach {
            list: list.value.clone(),
            item: item?,
            secret: scope.get(root(list)).is_some_and(|param| param.secret),
            max_items: max_items?,
            concurrency: concurrency?,
            max_bytes: builder.limits.max_bytes,
        })
    }

    /// The names that the step has for an item.
    pub(super) fn names(
        list: &Str,
        compiled: Option<&Self>,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Vec<Param> {
        let schema = compiled.map_or_else(|| Arc::new(json!({})), |each| each.item.clone());
        let secret = compiled.is_some_and(|each| each.secret);
        let position = Arc::new(json!({ "type": "integer", "minimum": 0 }));
        let mut new = Vec::new();
        for (name, schema, secret) in [("item", schema, secret), ("index", position, false)] {
            match scope.get(name) {
                Some(clash) => {
                    let remedy = "`forEach` gives this name too: rename the other, or put one into a tool of its own";
                    taken(name, list.span, clash, scope.owner, remedy, builder);
                }
                None => new.push(Param { secret, ..names::made(name, list.span, schema, false) }),
            }
        }
        new
    }

    /// Does the step for every item. Gives what it gave, in the order of the items.
    pub(super) async fn run(&self, step: &Step, names: &Arguments, here: &Call) -> Result<Did, ActionError> {
        let items = match self.items(names) {
            Ok(items) => items,
            // There is nothing to undo.
            Err(error) if step.is_forgiven() => return Ok(Did::failed(&error)),
            Err(error) => return Err(error),
        };
        let turns = Turns { step, names, spare: Mutex::default(), size: AtomicUsize::new(0) };
        let work = |at, item, branch: Call| {
            let turns = &turns;
            async move { self.keep(turns, turns.once(at, item, &branch).await?) }.boxed()
        };
        let ended = together(items, self.concurrency, here, work).await;
        let (mut values, mut failed) = (Vec::new(), Map::new());
        for (at, did) in ended.all(|at| Some(at.to_string()))?.into_iter().enumerate() {
            let (value, fault) = did.parts();
            values.push(value);
            failed.extend(fault.map(|fault| (at.to_string(), fault)));
        }
        let value = if step.name.is_some() { Value::Array(values) } else { Value::Null };
        Ok(Did::Done { value, failed: (!failed.is_empty()).then_some(Value::Object(failed)) })
    }

    /// What is kept of what the step did for an item, if it is not too much.
    fn keep(&self, turns: &Turns<'_>, did: Did) -> Result<Did, ActionError> {
        let Did::Done { value, failed } = did else { return Ok(did) };
        if turns.step.name.is_none() {
            return Ok(Did::Done { value: Value::Null, failed });
        }
        let length = value.to_string().len();
        if turns.size.fetch_add(length, Ordering::Relaxed).saturating_add(length) > self.max_bytes {
            let words = format!("the outcomes are together longer than {} bytes (maxBytes)", self.max_bytes);
            return Err(ActionError::failed(words));
        }
        Ok(Did::Done { value, failed })
    }

    /// The items. What was left out has none.
    fn items<'n>(&self, names: &'n Arguments) -> Result<&'n [Value], ActionError> {
        let items = match follow(&self.list, names) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items.as_slice(),
            Some(other) => {
                let words = format!("`forEach` takes a list, `{}` is {}", self.list, template::kind(other));
                return Err(ActionError::failed(words));
            }
        };
        if items.len() > self.max_items {
            let (count, most) = (items.len(), self.max_items);
            let words = format!("`{}` has {count} items, at most {most} are taken (maxItems)", self.list);
            return Err(ActionError::failed(words));
        }
        Ok(items)
    }

    pub(super) fn explain(&self) -> String {
        let at_once = match self.concurrency {
            1 => "one after the other".to_owned(),
            most => format!("{most} at a time"),
        };
        format!("for each of `{}`, at most {}, {at_once}", self.list, self.max_items)
    }
}

/// One run of the step for the items of a list.
struct Turns<'s> {
    step: &'s Step,
    names: &'s Arguments,
    /// Copies of the names that no item uses now: there are never more than items at the same time.
    spare: Mutex<Vec<Arguments>>,
    /// Bytes of what is kept.
    size: AtomicUsize,
}

impl Turns<'_> {
    /// Does the step for an item, unless that was done before this call.
    async fn once(&self, at: usize, item: &Value, branch: &Call) -> Result<Did, ActionError> {
        let here = branch.within(&at.to_string());
        if let Some(did) = self.step.recall(&here) {
            return Ok(did);
        }
        let free = self.spare().pop();
        let mut names = free.unwrap_or_else(|| self.names.clone());
        names.insert("item".to_owned(), item.clone());
        names.insert("index".to_owned(), json!(at));
        let did = self.step.one(&names, &here).await.map_err(|error| error.within(&at.to_string()))?;
        self.spare().push(names);
        self.step.record(&did, &here);
        Ok(did)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Arguments>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that is at least 1 and at most `most`; another one is reported.
pub(super) fn bound(written: &Spanned<u64>, key: &str, most: usize, builder: &mut Builder<'_>) -> Option<usize> {
    let number = usize::try_from(written.value).ok().filter(|number| (1..=most).contains(number));
    if number.is_none() {
        builder.sink.error(Code::BadValue, written.span, format!("`{key}` is a number from 1 to {most}"));
    }
    number
}

/// The name that a path begins with.
fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

/// The JSON Schema of the list's items; reports what is no list.
fn item(list: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Arc<Value>> {
    if !is_path(&list.value, true) {
        let bare = list.value.trim_matches(['{', '}', ' ']);
        let remedy = match is_path(bare, true) {
            true => format!("write it bare: `{bare}`"),
            false => "a param's, a step's, or a path below one: `found.rows`".to_owned(),
        };
        builder.sink.push(Diagnostic::error(Code::BadValue, list.span, "`forEach` takes a name").label(remedy));
        return None;
    }
    let root = root(list);
    let Some(param) = scope.get(root) else {
        builder.sink.push(scope.unknown(root, list.at(0..root.len())));
        return None;
    };
    let is_root = root == list.value;
    match param.kind() {
        Some(kind) if is_root && kind != "array" => {
            let words = format!("`{root}` is no list: its type is `{kind}`");
            let found = Diagnostic::error(Code::BadValue, list.span, words).label("`forEach` takes a list");
            builder.sink.push(found.related(param.name.span, "defined here"));
            None
        }
        _ => Some(Arc::new(param.schema.get("items").filter(|_| is_root).cloned().unwrap_or_else(|| json!({})))),
    }
}
