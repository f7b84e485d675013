//! JSON Schema (2020-12): compiled once, faults of the schema named with their place, faults of arguments named
//! so that a language model can mend its call, defaults filled in, text converted.

mod checks;
mod coerce;
mod defaults;
mod keywords;
mod lint;
mod phrases;
mod pointer;
mod refs;
mod sentence;
mod tight;
mod values;

pub use coerce::coerce;
pub use tight::{object, tight};

use defaults::Defaults;
use jsonschema::{PatternOptions, ValidationOptions, Validator};
use sentence::Sentences;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// Faults that one value is told; the last says how many more there are.
const MAX_FAULTS: usize = 20;

/// A JSON Schema that is compiled when it is used first: what it compiles to is several times as large as itself, and of
/// a large spec most schemas are never used.
#[derive(Debug)]
pub struct Schema {
    json: Arc<Map<String, Value>>,
    /// `None` inside where it can't be compiled.
    validator: OnceLock<Option<Box<Validator>>>,
    defaults: Defaults,
    secrets: HashSet<String>,
}

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// JSON Pointer (RFC 6901) to the part of the schema; for a keyword, to its value.
    pub pointer: String,
    /// What is wrong: a lowercase sentence fragment without a full stop.
    pub message: String,
    /// What to do about it, if that is known.
    pub help: Option<String>,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentFault {
    /// Where in the value, as `address.city` or `tags[2]`; empty for the whole.
    pub path: String,
    /// A sentence without a full stop, which names the path.
    pub message: String,
}

impl Schema {
    /// Compiles `schema`. Formats are checked, patterns run in linear time, and nothing outside the schema is
    /// ever fetched. A property with `secret: true` is taken as in [`Schema::with_secrets`].
    ///
    /// # Errors
    ///
    /// Every fault: what JSON Schema forbids, and what it lets pass although it cannot be meant, such as a
    /// misspelt keyword or a default that does not fit.
    pub fn compile(schema: Value) -> Result<Schema, Vec<SchemaFault>> {
        let found = lint::lint(&schema)?;
        build(&schema)?;
        let json = object(schema).ok_or_else(|| vec![SchemaFault::new("", "a schema must be an object")])?;
        Ok(Schema { secrets: found.secrets, ..Schema::known(json) })
    }

    /// Fails as [`Schema::compile`] does.
    ///
    /// # Errors
    ///
    /// Every fault.
    pub fn check(schema: &Value) -> Result<(), Vec<SchemaFault>> {
        lint::lint(schema)?;
        build(schema).map(drop)
    }

    /// A schema that [`Schema::check`] finds nothing against.
    pub fn known(schema: impl Into<Arc<Map<String, Value>>>) -> Schema {
        let json = schema.into();
        let defaults = Defaults::of(&json);
        Schema { json, validator: OnceLock::new(), defaults, secrets: HashSet::new() }
    }

    fn validator(&self) -> Option<&Validator> {
        let build = || build(&Value::Object(self.json.as_ref().clone())).ok().map(Box::new);
        self.validator.get_or_init(build).as_deref()
    }

    /// The same schema, in which the values of the properties called `names`, at any depth, are never quoted.
    pub fn with_secrets(mut self, names: impl IntoIterator<Item = String>) -> Schema {
        self.secrets.extend(names);
        self
    }

    /// The schema as it was written.
    pub fn json(&self) -> &Arc<Map<String, Value>> {
        &self.json
    }

    /// Whether `value` fits.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator().is_some_and(|validator| validator.is_valid(value))
    }

    /// Everything that does not fit, or nothing. Numbers such as 5.0 are integers, as JSON Schema has it.
    pub fn faults(&self, value: &Value) -> Vec<ArgumentFault> {
        let Some(validator) = self.validator() else {
            let message = "this schema can't be compiled, so nothing fits it".to_owned();
            return vec![ArgumentFault { path: String::new(), message }];
        };
        if validator.is_valid(value) {
            return Vec::new();
        }
        let sentences = Sentences { schema: &self.json, secrets: &self.secrets };
        let mut all = validator.iter_errors(value).flat_map(|e| sentences.of(&e));
        let mut faults: Vec<_> = all.by_ref().take(MAX_FAULTS).collect();
        let more = all.count();
        if more > 0 {
            let last = ArgumentFault { path: String::new(), message: format!("and {} more faults", more + 1) };
            faults.pop();
            faults.push(last);
        }
        faults
    }

    /// Gives every property that is missing its `default`, also inside objects that are there. Properties behind a
    /// `$ref` or a combination such as `anyOf` are left alone.
    pub fn fill_defaults(&self, args: &mut Map<String, Value>) {
        self.defaults.fill(args);
    }
}

impl SchemaFault {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        SchemaFault { pointer: pointer.into(), message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Compiles what was found without fault.
fn build(schema: &Value) -> Result<Validator, Vec<SchemaFault>> {
    options().build(schema).map_err(|e| vec![lint::build_fault(&e)])
}

/// How every schema is compiled.
fn options() -> ValidationOptions<'static> {
    jsonschema::options().should_validate_formats(true).with_pattern_options(PatternOptions::regex()).offline()
}

#[cfg(test)]
mod tests;
