//! Renders compiled templates. Reads the caller's data in place; nothing is copied but what goes out.
//!
//! handlebars' own renderer wants to own the data, prints an object as `[object]`, knows no bound for loops and
//! overflows the stack on partials that include each other. So only its parser is used.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write};

use serde_json::{Map, Value};

use super::RenderFault;
use super::helper;
use super::node::{Expr, From, Local, Node};

/// Turns of loops, and KiB that helpers read and make between, that one rendering may take. Rendering waits for
/// nothing, so only this ends it.
const MAX_STEPS: usize = 1_000_000;

static NULL: Value = Value::Null;

/// Renders `nodes` over `data` into at most `max` bytes; `expected` bytes are reserved.
pub(super) fn render(
    nodes: &[Node],
    data: &Map<String, Value>,
    max: usize,
    expected: usize,
) -> Result<String, RenderFault> {
    let run = Run { data, max, steps: Cell::new(MAX_STEPS) };
    let mut out = Output { text: String::with_capacity(expected.min(max)), max };
    run.nodes(nodes, &Frame::default(), &mut out)?;
    Ok(out.text)
}

/// Walks `steps` from the root of `data`; what is absent is null. Fails where a list is asked for a field.
pub(super) fn find<'d>(data: &'d Map<String, Value>, steps: &[String]) -> Result<&'d Value, RenderFault> {
    match steps.split_first() {
        Some((name, steps)) => descend(data.get(name).unwrap_or(&NULL), steps),
        None => Ok(&NULL),
    }
}

/// Text that refuses to grow beyond `max` bytes.
pub(super) struct Output {
    text: String,
    max: usize,
}

impl Output {
    pub(super) fn new(max: usize) -> Self {
        Output { text: String::new(), max }
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), RenderFault> {
        self.write_str(text).map_err(|_| RenderFault::TooLong { max: self.max })
    }

    /// A value as text: null is nothing, a text stands as it is, lists and objects are compact JSON.
    pub(super) fn show(&mut self, value: &Value) -> Result<(), RenderFault> {
        match value {
            Value::Null => Ok(()),
            Value::String(text) => self.push(text),
            Value::Number(n) => write!(self, "{n}").map_err(|_| RenderFault::TooLong { max: self.max }),
            other => self.json(other, false),
        }
    }

    pub(super) fn json(&mut self, value: &Value, pretty: bool) -> Result<(), RenderFault> {
        let written = if pretty { write!(self, "{value:#}") } else { write!(self, "{value}") };
        written.map_err(|_| RenderFault::TooLong { max: self.max })
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > self.max.saturating_sub(self.text.len()) {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// What a block is about while its body is rendered. Frames are linked outwards on the stack.
#[derive(Default, Clone, Copy)]
struct Frame<'f> {
    outer: Option<&'f Frame<'f>>,
    /// `this`; `None` is the data as a whole.
    this: Option<&'f Value>,
    turn: Option<Turn<'f>>,
    params: &'f [Cow<'f, Value>],
}

/// The current turn of the nearest loop.
#[derive(Clone, Copy)]
struct Turn<'f> {
    index: usize,
    last: bool,
    /// `None` in a loop over a list.
    key: Option<&'f str>,
}

impl<'f> Frame<'f> {
    fn outwards(&'f self, up: usize) -> Option<&'f Frame<'f>> {
        (0..up).try_fold(self, |frame, _| frame.outer)
    }
}

struct Run<'d> {
    data: &'d Map<String, Value>,
    max: usize,
    steps: Cell<usize>,
}

impl Run<'_> {
    fn nodes(&self, nodes: &[Node], frame: &Frame<'_>, out: &mut Output) -> Result<(), RenderFault> {
        nodes.iter().try_for_each(|node| self.node(node, frame, out))
    }

    fn node(&self, node: &Node, frame: &Frame<'_>, out: &mut Output) -> Result<(), RenderFault> {
        match node {
            Node::Text(text) => out.push(text),
            Node::Show(Expr::Call(helper::Helper::Json { pretty }, args)) => match args.first() {
                Some(arg) => out.json(&*self.eval(arg, frame)?, *pretty),
                None => Ok(()),
            },
            Node::Show(expr) => out.show(&*self.eval(expr, frame)?),
            Node::If { condition, zero_is_true, then, otherwise } => {
                let value = self.eval(condition, frame)?;
                let holds = helper::is_true(&value) || (*zero_is_true && value.is_number());
                self.nodes(if holds { then } else { otherwise }, frame, out)
            }
            Node::Each { over, body, otherwise } => {
                let over = self.eval(over, frame)?;
                match &*over {
                    Value::Array(list) if !list.is_empty() => self.list(list, body, frame, out),
                    Value::Object(map) if !map.is_empty() => self.entries(map, body, frame, out),
                    _ => self.nodes(otherwise, frame, out),
                }
            }
            Node::With { this, body, otherwise } => {
                let this = self.eval(this, frame)?;
                if !helper::is_true(&this) {
                    return self.nodes(otherwise, frame, out);
                }
                let params = [Cow::Borrowed(&*this)];
                self.nodes(body, &Frame { outer: Some(frame), this: Some(&this), params: &params, ..*frame }, out)
            }
            Node::Partial { this, params, body } => {
                let given = this.as_ref().map(|this| self.eval(this, frame)).transpose()?;
                let params = params.iter().map(|p| self.eval(p, frame)).collect::<Result<Vec<_>, _>>()?;
                let this = given.as_deref().or(frame.this);
                self.nodes(body, &Frame { outer: Some(frame), this, params: &params, ..*frame }, out)
            }
        }
    }

    fn list(&self, list: &[Value], body: &[Node], frame: &Frame<'_>, out: &mut Output) -> Result<(), RenderFault> {
        for (index, item) in list.iter().enumerate() {
            self.spend(1)?;
            let params = [Cow::Borrowed(item), Cow::Owned(Value::from(index))];
            let turn = Turn { index, last: index + 1 == list.len(), key: None };
            let inner = Frame { outer: Some(frame), this: Some(item), turn: Some(turn), params: &params };
            self.nodes(body, &inner, out)?;
        }
        Ok(())
    }

    fn entries(
        &self,
        map: &Map<String, Value>,
        body: &[Node],
        frame: &Frame<'_>,
        out: &mut Output,
    ) -> Result<(), RenderFault> {
        for (index, (key, value)) in map.iter().enumerate() {
            self.spend(1)?;
            let params = [Cow::Borrowed(value), Cow::Owned(Value::from(key.as_str()))];
            let turn = Turn { index, last: index + 1 == map.len(), key: Some(key) };
            let inner = Frame { outer: Some(frame), this: Some(value), turn: Some(turn), params: &params };
            self.nodes(body, &inner, out)?;
        }
        Ok(())
    }

    fn eval<'v>(&'v self, expr: &'v Expr, frame: &'v Frame<'_>) -> Result<Cow<'v, Value>, RenderFault> {
        match expr {
            Expr::Literal(value) => Ok(Cow::Borrowed(value)),
            Expr::Path { from, steps, written } => self.path(*from, steps, frame).map_err(|fault| fault.about(written)),
            Expr::Local { up, local } => Ok(frame.outwards(*up).map_or(Cow::Borrowed(&NULL), |f| turn(f, *local))),
            Expr::Call(helper, args) => {
                let args = args.iter().map(|arg| self.eval(arg, frame)).collect::<Result<Vec<_>, _>>()?;
                self.spend(helper.reads(&args) / 1024)?;
                let value = helper.call(args, self.max)?;
                if let Cow::Owned(Value::String(text)) = &value {
                    self.spend(text.len() / 1024)?;
                }
                Ok(value)
            }
        }
    }

    fn path<'v>(&'v self, from: From, steps: &[String], frame: &'v Frame<'_>) -> Result<Cow<'v, Value>, RenderFault> {
        let start = match from {
            From::Root if steps.is_empty() => {
                self.spend(self.data.values().map(helper::bytes).sum::<usize>() / 1024)?;
                return Ok(Cow::Owned(Value::Object(self.data.clone())));
            }
            From::Root => return find(self.data, steps).map(Cow::Borrowed),
            From::Item { up } => frame.outwards(up).and_then(|f| f.this),
            From::Param { up, slot } => frame.outwards(up).and_then(|f| f.params.get(slot)).map(|p| &**p),
        };
        descend(start.unwrap_or(&NULL), steps).map(Cow::Borrowed)
    }

    /// Loops without output, or that read or make text only to compare it, end here.
    fn spend(&self, steps: usize) -> Result<(), RenderFault> {
        let left = self.steps.get().checked_sub(steps);
        self.steps.set(left.unwrap_or(0));
        left.map(drop).ok_or_else(|| RenderFault::Failed(format!("the loops took more than {MAX_STEPS} turns")))
    }
}

fn turn<'v>(frame: &Frame<'v>, local: Local) -> Cow<'v, Value> {
    let Some(turn) = frame.turn else { return Cow::Borrowed(&NULL) };
    Cow::Owned(match local {
        Local::Index => Value::from(turn.index),
        Local::First => Value::from(turn.index == 0),
        Local::Last => Value::from(turn.last),
        Local::Key => turn.key.map_or(Value::Null, Value::from),
    })
}

/// A field of an object, an item of a list by its number; null of anything else. A list asked for a field is a mistake
/// that would pass silently (`books.title`, `books.length`), so it fails.
fn descend<'v>(value: &'v Value, steps: &[String]) -> Result<&'v Value, RenderFault> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Object(map) => Ok(map.get(step).unwrap_or(&NULL)),
        Value::Array(list) => match step.parse::<usize>() {
            Ok(index) => Ok(list.get(index).unwrap_or(&NULL)),
            Err(_) => Err(RenderFault::Failed(format!("a list has no field `{step}`, only items by number"))),
        },
        _ => Ok(&NULL),
    })
}
