//! jq's values as JSON, counted while they are made.

use super::JqFault;
use jaq_json::{Num, Val};
use serde_json::{Map, Number, Value};

/// Deepest result; what readers of JSON commonly accept.
const MAX_DEPTH: usize = 128;

/// The bytes of compact JSON that may still be made. Values are shared in jq, so a small program can hold one
/// that would fill the memory when it is written out.
pub struct Room(usize);

impl Room {
    pub fn new(bytes: usize) -> Self {
        Room(bytes)
    }

    /// Uses `bytes` of it.
    pub fn take(&mut self, bytes: usize) -> Result<(), JqFault> {
        self.0 = self.0.checked_sub(bytes).ok_or(JqFault::TooLong)?;
        Ok(())
    }

    /// `value` as JSON.
    pub fn json(&mut self, value: &Val) -> Result<Value, JqFault> {
        self.at_depth(value, 0)
    }

    fn at_depth(&mut self, value: &Val, depth: usize) -> Result<Value, JqFault> {
        if depth > MAX_DEPTH {
            return Err(JqFault::Failed(format!("the result is nested deeper than {MAX_DEPTH}")));
        }
        Ok(match value {
            Val::Null => self.sized(Value::Null, 4)?,
            Val::Bool(b) => self.sized(Value::Bool(*b), if *b { 4 } else { 5 })?,
            Val::Num(n) => {
                let number = number(n);
                let bytes = number.to_string().len();
                self.sized(number, bytes)?
            }
            Val::TStr(bytes) => Value::String(self.text(bytes)?),
            Val::BStr(_) => return Err(JqFault::Failed("the result holds bytes, which JSON cannot".to_owned())),
            Val::Arr(items) => {
                self.take(2 + items.len().saturating_sub(1))?;
                Value::Array(items.iter().map(|v| self.at_depth(v, depth + 1)).collect::<Result<_, _>>()?)
            }
            Val::Obj(entries) => {
                self.take(2 + (2 * entries.len()).saturating_sub(1))?;
                let mut object = Map::with_capacity(entries.len());
                for (key, value) in entries.iter() {
                    let Val::TStr(key) = key else {
                        let text = "the result has an object key that is not a string".to_owned();
                        return Err(JqFault::Failed(text));
                    };
                    object.insert(self.text(key)?, self.at_depth(value, depth + 1)?);
                }
                Value::Object(object)
            }
        })
    }

    fn sized(&mut self, value: Value, bytes: usize) -> Result<Value, JqFault> {
        self.take(bytes)?;
        Ok(value)
    }

    fn text(&mut self, bytes: &[u8]) -> Result<String, JqFault> {
        let escapes = bytes.iter().map(|b| match b {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
            0x00..=0x1f => 5,
            _ => 0,
        });
        self.take(2 + bytes.len() + escapes.sum::<usize>())?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

fn number(n: &Num) -> Value {
    let number = match n {
        Num::Int(i) => i64::try_from(*i).ok().map(Number::from),
        Num::Float(f) => Number::from_f64(*f),
        Num::BigInt(_) | Num::Dec(_) => written_number(&n.to_string()),
    };
    number.map_or(Value::Null, Value::Number)
}

fn written_number(text: &str) -> Option<Number> {
    let integer = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    integer.ok().or_else(|| text.parse().ok().and_then(Number::from_f64))
}
