//! Where the values of an operation's variables come from, and what they may be.

use apollo_compiler::Schema as Types;
use serde_json::{Map, Value, json};

use super::document::Variable;
use super::input::{self, Misfit, Wording};
use crate::action::{Builder, Param, Scope};
use crate::schema::Schema;
use crate::spec::model::GraphqlAction;
use crate::spec::{Code, Diagnostic, Node, Place, Spanned, nearest};
use crate::template::ValueTemplate;

/// A variable, and where its value comes from.
#[derive(Debug)]
pub struct Bound {
    /// The variable's name.
    pub name: String,
    /// Its value.
    pub value: Origin,
}

/// Where a value comes from.
#[derive(Debug)]
pub enum Origin {
    /// The param of the same name; nothing is sent where that is not given.
    Param,
    /// What the spec says.
    Template(ValueTemplate),
}

/// An operation's variables, the document that they stand in, and the schema, where that is known.
#[derive(Clone, Copy)]
pub struct Operation<'o> {
    /// The variables.
    pub variables: &'o [Variable],
    /// The document.
    pub text: &'o Spanned<String>,
    /// The schema.
    pub schema: Option<&'o Types>,
}

impl Operation<'_> {
    /// Gives each variable its value: what the spec says, or the param of its name. Mistakes are reported.
    pub fn bind(self, written: &GraphqlAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Vec<Bound> {
        let mut bound = Vec::new();
        for (name, node) in written.variables.all() {
            let Some(variable) = self.variables.iter().find(|variable| *variable.name == name.value) else {
                let words = format!("the operation has no variable `${}`", name.value);
                let found = Diagnostic::error(Code::Graphql, name.span, words);
                builder.sink.push(found.nearest(&name.value, self.names()));
                continue;
            };
            let template = node.and_then(|node| self.template(variable, node, scope, builder));
            bound
                .extend(template.map(|template| Bound { name: name.value.clone(), value: Origin::Template(template) }));
        }
        let said = |variable: &&Variable| written.variables.names().any(|name| name.value == *variable.name);
        for variable in self.variables.iter().filter(|variable| !said(variable)) {
            match scope.get(&variable.name) {
                Some(param) => {
                    self.compare(variable, param, builder);
                    bound.push(Bound { name: variable.name.value.clone(), value: Origin::Param });
                }
                None => self.unbound(variable, scope, builder),
            }
        }
        bound
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }

    fn place(&self, variable: &Variable) -> Place {
        self.text.at(variable.range.clone())
    }

    /// What the spec says of a variable; a value without params is checked now.
    fn template(
        &self,
        variable: &Variable,
        node: &Node,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<ValueTemplate> {
        let template = builder.json(node, scope)?;
        if let ValueTemplate::Literal(value) = &template {
            let name = variable.name.as_str();
            let of = input::json_schema(self.schema, &variable.kind, Wording::Everything);
            let check = Schema::compile(json!({ "type": "object", "properties": { name: of } }));
            let faults = check.map(|check| check.faults(&json!({ name: value }))).unwrap_or_default();
            if let Some(fault) = faults.into_iter().next() {
                let found = Diagnostic::error(Code::Graphql, node.span, fault.message);
                builder.sink.push(found.related(self.place(variable), "what the variable takes"));
            }
        }
        Some(template)
    }

    /// Reports a param whose values its variable does not take.
    fn compare(&self, variable: &Variable, param: &Param, builder: &mut Builder<'_>) {
        let (name, place) = (param.name.value.as_str(), self.place(variable));
        if variable.required && param.optional && param.schema.get("default").is_none() {
            let words = format!("`{name}` may be left out, and `${name}` has to be given");
            let found = Diagnostic::error(Code::Graphql, param.name.span, words).related(place, "it is never null");
            builder.sink.push(found.label("take `optional` out, or give it a default"));
        } else if let Err(Misfit { wanted, given }) = input::fits(self.schema, &param.schema, &variable.kind) {
            let words = format!("`{name}` {given}, and `${name}` takes {wanted}");
            let found = Diagnostic::error(Code::Graphql, param.name.span, words);
            builder.sink.push(found.related(place, "the variable that it is the value of"));
        }
    }

    /// Reports a variable that nothing gives a value, where it needs one or seems to have been meant to get one.
    fn unbound(&self, variable: &Variable, scope: &Scope<'_>, builder: &mut Builder<'_>) {
        let free = |name: &&str| self.names().all(|known| known != *name);
        let near = nearest(&variable.name, scope.names().filter(free));
        let words = format!("nothing gives `${}` ({}) a value", *variable.name, variable.kind);
        let place = self.place(variable);
        builder.sink.push(match (variable.required, near) {
            (true, Some(near)) => Diagnostic::error(Code::Graphql, place, words)
                .label(format!("{} has `{near}`: give both the same name", scope.owner)),
            (true, None) => {
                Diagnostic::error(Code::Graphql, place, words).label(format!("{}, or to `variables`", scope.remedy))
            }
            (false, Some(near)) => Diagnostic::warning(Code::Graphql, place, words)
                .label(format!("{} has `{near}`: is that meant for it?", scope.owner)),
            (false, None) => return,
        });
    }

    /// What the variables of a call may be. `None` where a default of the API's own is none of its values: then the API
    /// alone checks them.
    pub fn check(self) -> Option<Schema> {
        let of = |variable: &Variable| {
            let of = input::json_schema(self.schema, &variable.kind, Wording::Everything);
            (variable.name.value.clone(), of)
        };
        let properties: Map<String, Value> = self.variables.iter().map(of).collect();
        let required = self.variables.iter().filter(|variable| variable.required);
        let required: Vec<&str> = required.map(|variable| variable.name.as_str()).collect();
        let mut object = json!({ "type": "object", "properties": properties });
        if let (Value::Object(object), false) = (&mut object, required.is_empty()) {
            object.insert("required".to_owned(), json!(required));
        }
        Schema::compile(object).ok()
    }
}
