//! The request of an operation, and the params that go into it.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::body;
use super::document::{Document, shown};
use super::left::Left;
use super::name;
use super::operation::Operation;
use super::param::{Param, Place, Style, Taken};
use super::schema;

/// Params that one tool may have.
const MAX_PARAMS: usize = 128;

/// A param of the tool, before its schema is converted.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name in the tool.
    pub name: String,
    /// Its schema in the description.
    pub schema: Value,
    /// Whether it has to be given.
    pub required: bool,
    /// What it means, where its schema does not say.
    pub description: Option<String>,
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Request<'o, 'd> {
    /// The operation that it is made of.
    pub operation: &'o Operation<'d>,
    /// The params so far.
    pub inputs: Vec<Input>,
    /// `headers`, `query`, `cookies`, and the body.
    pub http: Map<String, Value>,
    /// Where what can't be mapped goes.
    pub left: &'o mut Vec<Left>,
    names: HashSet<String>,
    path: String,
    query: Vec<String>,
}

impl<'o, 'd> Request<'o, 'd> {
    /// Everything of an operation that is sent; `base` is what its path comes below.
    ///
    /// # Errors
    /// In words, why it can't be sent.
    pub fn of(
        document: &Document<'d>,
        operation: &'o Operation<'d>,
        taken: &Taken<'d>,
        base: &str,
        left: &'o mut Vec<Left>,
    ) -> Result<Self, String> {
        if operation.method == "TRACE" {
            return Err("a TRACE is never sent".to_owned());
        }
        if operation.path.contains('#') {
            return Err("its path has a `#`, and what comes after that is never sent".to_owned());
        }
        let mut request = Request {
            operation,
            inputs: Vec::new(),
            http: Map::new(),
            left,
            names: HashSet::new(),
            path: String::new(),
            query: Vec::new(),
        };
        request.path(&format!("{base}{}", operation.path), taken)?;
        for param in taken.params.iter().filter(|param| param.place != Place::Path) {
            request.param(document, param)?;
        }
        body::add(document, taken, &mut request)?;
        if request.inputs.len() > MAX_PARAMS {
            return Err(format!("it has {} params, and a tool has at most {MAX_PARAMS}", request.inputs.len()));
        }
        Ok(request)
    }

    /// `METHOD target`.
    pub fn line(&self) -> String {
        let asked = self.path.contains('?');
        let query = self.query.join(",");
        let query = match (query.is_empty(), asked) {
            (true, _) => String::new(),
            (false, false) => format!("{{?{query}}}"),
            (false, true) => format!("{{&{query}}}"),
        };
        format!("{} {}{query}", self.operation.method, self.path)
    }

    /// Adds a param by its name on the wire, and gives the name that it has in the tool.
    pub fn input(&mut self, wire: &str, place: &str, input: Input) -> String {
        let wanted = match name::param(wire) {
            made if self.names.contains(&made) => name::param(&format!("{made}_{place}")),
            made => made,
        };
        let made = name::unique(wanted, &mut self.names);
        self.inputs.push(Input { name: made.clone(), ..input });
        made
    }

    /// Notes a part that is not in the tool.
    pub fn leave(&mut self, part: impl Into<String>, why: impl Into<String>) {
        self.left.push(Left::part(&self.operation.line(), part, why));
    }

    /// Puts a template into `headers`, `query` or `cookies`.
    fn put(&mut self, section: &str, name: &str, template: String) {
        let section = self.http.entry(section).or_insert_with(|| json!({}));
        if let Value::Object(section) = section {
            section.insert(name.to_owned(), Value::String(template));
        }
    }

    /// The path, with its params as RFC 6570 has them.
    fn path(&mut self, written: &str, taken: &Taken<'d>) -> Result<(), String> {
        let mut rest = written;
        let mut used = Vec::new();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((wire, after)) = after.split_once('}') else {
                return Err("its path has a `{` without a `}`".to_owned());
            };
            self.literal(before)?;
            let declared = taken.params.iter().find(|param| param.place == Place::Path && param.name == wire);
            let expression = match declared {
                Some(param) => self.segment(param)?,
                None => {
                    let part = format!("parameter `{}`", shown(wire));
                    self.leave(part, "it is in the path but not declared, so it is taken for any string");
                    let input = input(json!({ "type": "string", "minLength": 1 }), true, None);
                    let name = self.known(wire).unwrap_or_else(|| self.input(wire, "path", input));
                    format!("{{{name}}}")
                }
            };
            self.path.push_str(&expression);
            used.push(wire);
            rest = after;
        }
        self.literal(rest)?;
        for param in taken.params.iter().filter(|param| param.place == Place::Path && !used.contains(&param.name)) {
            self.leave(format!("parameter `{}`", shown(param.name)), "its path has no such part");
        }
        if !self.path.starts_with('/') {
            return Err("its path does not begin with `/`".to_owned());
        }
        Ok(())
    }

    /// The name of a param that is there already: a path may hold one twice.
    fn known(&self, wire: &str) -> Option<String> {
        let made = name::param(wire);
        self.inputs.iter().find(|input| input.name == made).map(|input| input.name.clone())
    }

    fn literal(&mut self, text: &str) -> Result<(), String> {
        if text.contains('}') {
            return Err("its path has a `}` without a `{`".to_owned());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(c);
        let mut buffer = [0; 4];
        for c in text.chars() {
            match plain(c) {
                true => self.path.push(c),
                false => self.path.push_str(&crate::uri::encode_segment(c.encode_utf8(&mut buffer))),
            }
        }
        Ok(())
    }

    /// A param of the path as an expression.
    fn segment(&mut self, param: &Param<'d>) -> Result<String, String> {
        let described = param.description.map(str::to_owned);
        let name = match self.known(param.name) {
            Some(name) => name,
            None => self.input(param.name, "path", input(param.schema.clone().into_owned(), true, described)),
        };
        let star = if param.explode { "*" } else { "" };
        Ok(match param.style {
            _ if param.many_segments => format!("{{+{name}}}"),
            Style::Label => format!("{{.{name}{star}}}"),
            Style::Matrix if name == param.name => format!("{{;{name}{star}}}"),
            Style::Matrix => return Err(format!("`{}` can't be a name in a URL", shown(param.name))),
            Style::Simple | Style::Form => format!("{{{name}{star}}}"),
            Style::Joined(_) | Style::Deep | Style::Json => {
                return Err(format!("its parameter `{}` is written as no path can be", shown(param.name)));
            }
        })
    }

    /// A param of the query, a header or a cookie.
    fn param(&mut self, document: &Document<'d>, param: &Param<'d>) -> Result<(), String> {
        let kind = schema::kind(document, &param.schema);
        let section = match param.place {
            Place::Header => "headers",
            Place::Cookie => "cookies",
            Place::Path | Place::Query => "query",
        };
        let many = matches!(kind, Some("array" | "object"));
        match param.style {
            Style::Form if param.place == Place::Query => return self.form_query(param, kind),
            Style::Deep => return self.deep(document, param, kind),
            Style::Json => return self.as_text(param, section, "json", ""),
            Style::Joined(between) if many => return self.as_text(param, section, "join", between),
            _ if many && kind == Some("object") => {
                return self.refuse(param, "is an object, which can't be written there");
            }
            _ if many && param.place == Place::Cookie && param.explode => {
                return self.refuse(param, "is a cookie for each of its values");
            }
            _ if many => return self.as_text(param, section, "join", ","),
            _ => {}
        }
        let name = self.input(param.name, param.place.name(), param.input());
        self.put(section, param.name, format!("{{{{{name}}}}}"));
        Ok(())
    }

    /// `style: form` in a query: RFC 6570's own, or `query` for a name that it can't hold.
    fn form_query(&mut self, param: &Param<'d>, kind: Option<&str>) -> Result<(), String> {
        let plain = name::param(param.name) == param.name && !self.names.contains(param.name);
        match (plain, kind) {
            (false, Some("object")) if !param.explode => {
                return self.refuse(param, "is an object whose name a URI template can't hold");
            }
            (false, Some("array")) if !param.explode => return self.as_text(param, "query", "join", ","),
            (false, Some("object")) => {
                let name = self.input(param.name, "query", param.input());
                self.query.push(format!("{name}*"));
            }
            (false, _) => {
                let name = self.input(param.name, "query", param.input());
                self.put("query", param.name, format!("{{{{{name}}}}}"));
            }
            (true, kind) => {
                let name = self.input(param.name, "query", param.input());
                let scalar = matches!(kind, Some("string" | "integer" | "number" | "boolean"));
                let star = if param.explode && !scalar { "*" } else { "" };
                self.query.push(format!("{name}{star}"));
            }
        }
        Ok(())
    }

    /// `style: deepObject`: a param for each property; of an array, `name[]` as often as there are values.
    fn deep(&mut self, document: &Document<'d>, param: &Param<'d>, kind: Option<&str>) -> Result<(), String> {
        if kind == Some("array") {
            let name = self.input(param.name, "query", param.input());
            self.put("query", &format!("{}[]", param.name), format!("{{{{{name}}}}}"));
            return Ok(());
        }
        let mut pairs = Vec::new();
        let part = format!("parameter `{}`", shown(param.name));
        body::flatten(document, &param.schema, param.name, param.required, 0, &mut pairs, &mut |name, why| {
            self.left.push(Left::part(&self.operation.line(), format!("`{}` of {part}", shown(name)), why));
        });
        if pairs.is_empty() {
            return self.refuse(param, "is a `deepObject` whose properties are not told");
        }
        for (wire, input) in pairs {
            let name = self.input(&wire, "query", input);
            self.put("query", &wire, format!("{{{{{name}}}}}"));
        }
        Ok(())
    }

    /// A value that a helper makes a text of. One that may be left out can't go through a helper, which would send an
    /// empty text then: it is a string that the caller writes.
    fn as_text(&mut self, param: &Param<'d>, section: &str, helper: &str, between: &str) -> Result<(), String> {
        let mut input = param.input();
        if param.required {
            let name = self.input(param.name, param.place.name(), input);
            let template = match helper {
                "json" => format!("{{{{json {name}}}}}"),
                _ => format!("{{{{join {name} \"{between}\"}}}}"),
            };
            self.put(section, param.name, template);
            return Ok(());
        }
        let how = match (helper, between) {
            ("json", _) => "A text of JSON.".to_owned(),
            (_, " ") => "Several values have a space between them.".to_owned(),
            (_, "\t") => "Several values have a tab between them.".to_owned(),
            (_, other) => format!("Several values have `{other}` between them."),
        };
        self.leave(format!("the constraints of `{}`", shown(param.name)), "it is given as one text of its values");
        input.schema = json!({ "type": "string" });
        input.description = Some(match input.description {
            Some(words) => format!("{words} {how}"),
            None => how,
        });
        let name = self.input(param.name, param.place.name(), input);
        self.put(section, param.name, format!("{{{{{name}}}}}"));
        Ok(())
    }

    /// Leaves a param, or the operation where it can't do without.
    fn refuse(&mut self, param: &Param<'d>, why: &str) -> Result<(), String> {
        if param.required {
            return Err(format!("its parameter `{}` {why}", shown(param.name)));
        }
        self.leave(format!("parameter `{}`", shown(param.name)), why);
        Ok(())
    }
}

/// A param without a name yet.
pub fn input(schema: Value, required: bool, description: Option<String>) -> Input {
    Input { name: String::new(), schema, required, description }
}

impl<'d> Param<'d> {
    fn input(&self) -> Input {
        input(self.schema.clone().into_owned(), self.required, self.description.map(str::to_owned))
    }
}
