//! Calls of helpers: known, with as many values as they take, and with settings that they have.

use std::ops::Range;

use handlebars::template::{HelperTemplate, Parameter};
use serde_json::Value;

use super::Lower;
use crate::spec::Fault;
use crate::template::helper::{self, Helper, Signature};
use crate::template::node::Expr;

impl Lower<'_> {
    pub(super) fn call(&mut self, name: &str, call: &HelperTemplate) -> Option<Expr> {
        let range = self.find(name);
        let signature = helper::named(name);
        let fault = match &signature {
            Some(signature) => wrong_count(name, signature, call.params.len(), range.clone()),
            None => Some(unknown_helper(name, range.clone())),
        };
        let known = fault.is_none();
        fault.into_iter().for_each(|fault| self.report(fault));
        let helper = signature.map(|s| s.helper);
        let mut args = Vec::with_capacity(call.params.len());
        for (position, param) in call.params.iter().enumerate() {
            if let (Some(helper), Parameter::Literal(value)) = (helper, param)
                && let Err(message) = helper.check_literal(position, value)
            {
                self.fault(range.clone(), message);
            }
            args.push(self.expr(param));
        }
        let helper = self.settings(name, helper, call)?;
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        known.then_some(Expr::Call(helper, args))
    }

    /// The one setting that there is: `{{json x pretty=true}}`.
    fn settings(&mut self, name: &str, helper: Option<Helper>, call: &HelperTemplate) -> Option<Helper> {
        let mut helper = helper;
        for (key, value) in &call.hash {
            let range = self.setting(key);
            match (&mut helper, key.as_str(), value) {
                (Some(Helper::Json { pretty }), "pretty", Parameter::Literal(Value::Bool(b))) => *pretty = *b,
                (Some(Helper::Json { .. }), "pretty", _) => self.fault(range, "`pretty` is written `true` or `false`"),
                (Some(_), ..) => self.fault(range, format!("`{name}` has no setting `{key}`")),
                (None, ..) => drop(self.expr(value)),
            }
        }
        helper
    }

    /// Goes behind `key=` in the tag.
    pub(super) fn setting(&mut self, key: &str) -> Range<usize> {
        self.source.words.as_mut().map_or(0..0, |words| words.setting(key))
    }
}

fn wrong_count(name: &str, signature: &Signature, given: usize, range: Range<usize>) -> Option<Fault> {
    let takes = match (signature.takes.start(), signature.takes.end()) {
        _ if signature.takes.contains(&given) => return None,
        (1, 1) => "1 value".to_owned(),
        (from, to) if from == to => format!("{from} values"),
        (from, to) => format!("{from} to {to} values"),
    };
    let fault = Fault::new(range, format!("`{name}` takes {takes}, not {given}"));
    Some(fault.help(format!("for example `{}`", signature.example)))
}

fn unknown_helper(name: &str, range: Range<usize>) -> Fault {
    if helper::BLOCKS.contains(&name) {
        let help = format!("write `{{{{#{name} …}}}} … {{{{/{name}}}}}`");
        return Fault::new(range, format!("`{name}` is a block, not a helper")).help(help);
    }
    let help = match helper::nearest(name) {
        _ if name == "role" => "in a prompt's file it stands on a line of its own, outside of blocks".to_owned(),
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", helper::list()),
    };
    Fault::new(range, format!("unknown helper `{name}`")).help(help)
}
