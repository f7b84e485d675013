//! JSON with templates in its strings: `json:` bodies, `with:` arguments.

use serde_json::{Map, Value};

use super::{RenderFault, Template, render};

/// JSON in which strings may be templates. Built from parts that are compiled already: a string of the spec becomes
/// `ValueTemplate::from(template)`.
#[derive(Debug, Clone)]
pub enum ValueTemplate {
    /// As it stands.
    Literal(Value),
    /// A template; its value is a text, except that nothing but a path (`{{step.id}}`) keeps the type of what is there.
    Text(Template),
    /// Exactly `{{name}}`: the value of that name with its type, or nothing at all if it is absent or null.
    Exact(String),
    /// A list, in which what comes to nothing is left out.
    List(Vec<ValueTemplate>),
    /// An object, in which what comes to nothing is left out.
    Object(Vec<(String, ValueTemplate)>),
}

impl From<Template> for ValueTemplate {
    fn from(template: Template) -> Self {
        match (template.is_literal(), template.exact()) {
            (Some(text), _) => ValueTemplate::Literal(Value::from(text)),
            (None, Some(name)) => ValueTemplate::Exact(name.to_owned()),
            (None, None) => ValueTemplate::Text(template),
        }
    }
}

impl ValueTemplate {
    /// The value over `data`; `None` when it is nothing but the name of something absent or null. All rendered texts
    /// together may have `max_bytes`.
    ///
    /// # Errors
    /// Those of [`Template::render`].
    pub fn render(&self, data: &Map<String, Value>, max_bytes: usize) -> Result<Option<Value>, RenderFault> {
        let mut left = max_bytes;
        self.value(data, &mut left).map_err(|fault| match fault {
            RenderFault::TooLong { .. } => RenderFault::TooLong { max: max_bytes },
            other => other,
        })
    }

    /// The root names that are read, sorted, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect(&mut names);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn value(&self, data: &Map<String, Value>, left: &mut usize) -> Result<Option<Value>, RenderFault> {
        match self {
            ValueTemplate::Literal(value) => Ok(Some(value.clone())),
            ValueTemplate::Exact(name) => Ok(given(data.get(name))),
            ValueTemplate::Text(template) => match template.path() {
                Some(path) => render::find(data, path).map(|value| given(Some(value))),
                None => {
                    let text = template.render(data, *left)?;
                    *left = left.saturating_sub(text.len());
                    Ok(Some(Value::String(text)))
                }
            },
            ValueTemplate::List(items) => {
                let values = items.iter().map(|item| item.value(data, left));
                values.filter_map(Result::transpose).collect::<Result<_, _>>().map(|list| Some(Value::Array(list)))
            }
            ValueTemplate::Object(fields) => {
                let mut object = Map::with_capacity(fields.len());
                for (key, field) in fields {
                    if let Some(value) = field.value(data, left)? {
                        object.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(object)))
            }
        }
    }

    fn collect<'s>(&'s self, names: &mut Vec<&'s str>) {
        match self {
            ValueTemplate::Literal(_) => {}
            ValueTemplate::Text(template) => names.extend(template.names().iter().map(|n| n.name.as_str())),
            ValueTemplate::Exact(name) => names.push(name),
            ValueTemplate::List(items) => items.iter().for_each(|item| item.collect(names)),
            ValueTemplate::Object(fields) => fields.iter().for_each(|(_, field)| field.collect(names)),
        }
    }
}

fn given(value: Option<&Value>) -> Option<Value> {
    value.filter(|value| !value.is_null()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Partials;
    use serde_json::json;

    /// A value template from JSON, as the callers build it.
    fn compile(value: &Value) -> ValueTemplate {
        match value {
            Value::String(text) => Template::compile(text, &Partials::default()).unwrap().into(),
            Value::Array(items) => ValueTemplate::List(items.iter().map(compile).collect()),
            Value::Object(map) => ValueTemplate::Object(map.iter().map(|(k, v)| (k.clone(), compile(v))).collect()),
            other => ValueTemplate::Literal(other.clone()),
        }
    }

    fn render(value: Value, data: Value) -> Result<Option<Value>, RenderFault> {
        let Value::Object(data) = data else { panic!("not an object") };
        compile(&value).render(&data, 100)
    }

    #[test]
    fn an_exact_name_keeps_its_type() {
        for value in
            [json!(1), json!(1.5), json!(true), json!("a"), json!([1, [2]]), json!({ "a": null }), json!("{{x}}")]
        {
            assert_eq!(render(json!("{{ x }}"), json!({ "x": value })), Ok(Some(value.clone())));
            assert_eq!(render(json!("{{s.rows.0.x}}"), json!({ "s": { "rows": [{ "x": value }] } })), Ok(Some(value)));
        }
    }

    #[test]
    fn what_is_absent_is_left_out() {
        let value = json!({ "a": "{{x}}", "b": ["{{x}}", "{{y}}", "{{z.q}}"], "c": { "d": "{{x}}" }, "e": "{{x}}!", "f": null });
        assert_eq!(
            render(value, json!({ "x": null, "y": 0 })),
            Ok(Some(json!({ "b": [0], "c": {}, "e": "!", "f": null })))
        );
        assert_eq!(render(json!("{{x}}"), json!({})), Ok(None));
        assert_eq!(render(json!("{{x.y}}"), json!({ "x": 1 })), Ok(None));
        assert_eq!(render(json!("{{x}}"), json!({ "x": "" })), Ok(Some(json!(""))));
    }

    #[test]
    fn other_strings_are_texts() {
        let data = json!({ "x": 5, "l": [1] });
        assert_eq!(
            render(json!(["n{{x}}", " {{x}}", "{{json l}}", r"\{{x}}", 7]), data),
            Ok(Some(json!(["n5", " 5", "[1]", "{{x}}", 7])))
        );
    }

    #[test]
    fn faults_and_the_cap_are_of_the_whole() {
        let forty = "a".repeat(40);
        assert_eq!(render(json!(["{{x}}!", "{{x}}!"]), json!({ "x": forty })).map(|v| v.is_some()), Ok(true));
        assert_eq!(
            render(json!({ "a": ["{{x}}!", "{{x}}!"], "b": "{{x}}!" }), json!({ "x": forty })),
            Err(RenderFault::TooLong { max: 100 })
        );
        assert!(matches!(render(json!("{{x.y}}"), json!({ "x": [] })), Err(RenderFault::Failed(_))));
    }

    #[test]
    fn names_are_told_once() {
        let value = compile(&json!({ "a": "{{x}}", "b": ["{{y}} {{x}}", "{{w.v}}", "plain", 1] }));
        assert_eq!(value.names(), ["w", "x", "y"]);
        assert!(matches!(compile(&json!("{{x}}")), ValueTemplate::Exact(name) if name == "x"));
        assert!(matches!(compile(&json!("x")), ValueTemplate::Literal(_)));
    }
}
