//! Shaping by a jq program, compiled once and run under limits.
//!
//! A program is text of the spec and therefore trusted; the data it runs over is not. It reaches nothing but its
//! input and its variables (see [`natives`]), and it runs on a thread of its own, a few at once, so that a
//! runaway neither stops the server nor keeps it from exiting. At its time limit it is abandoned: every `def`
//! and `range` notices and ends the thread. Only a single operation that is itself endless (a huge regular
//! expression match, `"x" * 1e9`) lingers, and keeps its slot until it is done.

mod compile;
mod convert;
mod fields;
mod natives;

use crate::spec::Fault;
use convert::Room;
pub use fields::fields;
use jaq_core::{Ctx, Exn, Vars};
use jaq_json::Val;
use natives::{Guard, Kind};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

/// Programs that run at the same time.
const SLOTS: usize = 4;
static FREE: Semaphore = Semaphore::const_new(SLOTS);

/// Stack of a jq thread in bytes. Only what is used is ever committed.
const STACK: usize = 64 << 20;

/// Outputs that one run may give.
const MAX_OUTPUTS: usize = 100_000;

/// Longest error text in bytes.
const MAX_ERROR: usize = 500;

/// A compiled jq program. Cloning shares it.
#[derive(Clone)]
pub struct Jq {
    filter: Arc<jaq_core::Filter<Kind>>,
    vars: usize,
}

/// What one run may use.
#[derive(Debug, Clone, Copy)]
pub struct JqLimits {
    /// Time from the call to the answer, with the wait for a free thread.
    pub time: Duration,
    /// Size of the result as compact JSON.
    pub max_bytes: usize,
}

/// Why a run gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JqFault {
    /// It did not end within its time.
    TimedOut,
    /// No thread came free for it within its time.
    Busy,
    /// The result is larger than allowed.
    TooLong,
    /// The program raised an error, which this text tells.
    Failed(String),
}

impl fmt::Display for JqFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JqFault::TimedOut => f.write_str("the jq program ran out of time"),
            JqFault::Busy => write!(f, "the jq program was not started: {SLOTS} others were running all the time"),
            JqFault::TooLong => f.write_str("the result of the jq program is too long"),
            JqFault::Failed(text) => write!(f, "the jq program failed: {text}"),
        }
    }
}

impl std::error::Error for JqFault {}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jq").field("vars", &self.vars).finish_non_exhaustive()
    }
}

impl Jq {
    /// Compiles `program`, in which `vars` (each with its `$`) are known.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the program, with the range of its text: what does not parse, unknown
    /// filters and variables, and whatever would reach outside.
    pub fn compile(program: &str, vars: &[&str]) -> Result<Jq, Vec<Fault>> {
        let filter = compile::compile(program, vars)?;
        Ok(Jq { filter: Arc::new(filter), vars: vars.len() })
    }

    /// Runs the program on `input`; `vars` stand in the order that `compile` was given. No output gives null, one
    /// gives itself, several give an array. Integers are exact to 64 bits, larger ones become the nearest float;
    /// NaN and the infinities become null.
    ///
    /// Dropping the future abandons the run.
    ///
    /// # Errors
    ///
    /// See [`JqFault`].
    pub async fn run(&self, input: Value, vars: Vec<Value>, limits: JqLimits) -> Result<Value, JqFault> {
        if vars.len() != self.vars {
            return Err(JqFault::Failed(format!("it takes {} variables, got {}", self.vars, vars.len())));
        }
        let now = Instant::now();
        let deadline = now.checked_add(limits.time).unwrap_or(now + Duration::from_secs(86_400));
        let Ok(Ok(slot)) = timeout_at(deadline, FREE.acquire()).await else {
            return Err(JqFault::Busy);
        };
        let abandon = Abandon(Arc::default());
        let job = Job { jq: self.clone(), input, vars, max_bytes: limits.max_bytes, abandoned: abandon.0.clone() };
        let (send, receive) = oneshot::channel();
        std::thread::Builder::new()
            .name("jq".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let _slot = slot;
                // nobody listens any more when the run was abandoned
                let _ = send.send(job.run());
            })
            .map_err(|e| JqFault::Failed(format!("cannot start a thread: {e}")))?;
        match timeout_at(deadline, receive).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(JqFault::Failed("the interpreter gave up".to_owned())),
            Err(_) => Err(JqFault::TimedOut),
        }
    }
}

/// Tells the thread that nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One run, on its thread.
struct Job {
    jq: Jq,
    input: Value,
    vars: Vec<Value>,
    max_bytes: usize,
    abandoned: Arc<AtomicBool>,
}

impl Job {
    fn run(self) -> Result<Value, JqFault> {
        let input = value(self.input)?;
        let vars = self.vars.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let guard = Guard::new(&self.jq.filter.lut, &self.abandoned, STACK);
        let ctx = Ctx::<Kind>::new(guard, Vars::new(vars));
        let mut room = Room::new(self.max_bytes);
        let mut outputs = Vec::new();
        for output in self.jq.filter.id.run((ctx, input)) {
            if outputs.len() >= MAX_OUTPUTS {
                return Err(JqFault::TooLong);
            }
            if !outputs.is_empty() {
                // a comma, and at first the brackets
                room.take(if outputs.len() == 1 { 3 } else { 1 })?;
            }
            guard.check().map_err(failure)?;
            outputs.push(room.json(&output.map_err(failure)?)?);
        }
        Ok(match outputs.len() {
            0 | 1 => outputs.pop().unwrap_or(Value::Null),
            _ => Value::Array(outputs),
        })
    }
}

fn value(json: Value) -> Result<Val, JqFault> {
    Val::deserialize(json).map_err(|e| JqFault::Failed(e.to_string()))
}

/// `unwrap_valr` must never be used here: it ends the process on `halt`.
fn failure(exn: Exn<'_, Val>) -> JqFault {
    match exn.get_err() {
        Ok(error) => {
            let mut text = Capped(String::new());
            // stops at the cap, which is no failure
            let _ = write!(text, "{error}");
            JqFault::Failed(serde_json::from_str(&text.0).unwrap_or(text.0))
        }
        Err(_) => JqFault::TimedOut,
    }
}

/// Takes at most [`MAX_ERROR`] bytes of what is written to it, however large the value in it.
struct Capped(String);

impl Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_ERROR.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.extend(text.chars().scan(room, |room, c| {
            *room = room.checked_sub(c.len_utf8())?;
            Some(c)
        }));
        self.0.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests;
