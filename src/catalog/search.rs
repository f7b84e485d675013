//! `toolMode: search`: three tools through which clients find, read about and call all the others.

mod index;

use std::sync::Arc;

use rmcp::model::{self as mcp, ContentBlock};
use serde_json::{Value, json};

use super::params::Params;
use super::{Answer, Catalog, Tool};
use crate::action::{Arguments, Param};
use crate::spec::{Code, Diagnostic, Diagnostics, FileId, Span, Spanned, nearest};
use index::{Field, Index};

/// Finds tools by words.
const SEARCH: &str = "search_tools";
/// Tells all of one tool.
const DESCRIBE: &str = "describe_tool";
/// Calls one.
const CALL: &str = "call_tool";

/// Tools that a search gives where the caller says no number, and at most.
const LIMITS: (usize, usize) = (10, 50);
/// Characters of a description that a search gives.
const SHOWN: usize = 240;

/// The three tools, and the index that they search.
#[derive(Debug)]
pub struct Search {
    search: Own,
    describe: Own,
    call: Own,
    index: Index,
}

/// A tool of the server's own.
#[derive(Debug)]
struct Own {
    listed: mcp::Tool,
    params: Params,
}

/// What a call of a name comes to.
pub enum Resolved<'c> {
    /// A call of this tool, with these arguments.
    Tool(&'c Tool, Arguments),
    /// An answer that needs no tool.
    Answer(Answer),
}

impl Search {
    /// The three tools over `tools`. Those that have one of their names are reported.
    pub fn new<'t>(
        names: impl Iterator<Item = &'t Spanned<String>>,
        tools: impl Iterator<Item = &'t Tool>,
        sink: &mut Diagnostics,
    ) -> Option<Self> {
        for name in names.filter(|name| [SEARCH, DESCRIBE, CALL].contains(&name.value.as_str())) {
            let words = format!("`{}` is a tool that `toolMode: search` brings along", name.value);
            sink.push(Diagnostic::error(Code::NameClash, name.span, words).label("give this tool another name"));
        }
        let mut index = Index::default();
        tools.for_each(|tool| add(&mut index, tool));
        Some(Search { search: search(sink)?, describe: describe(sink)?, call: call(sink)?, index })
    }

    /// What clients see in place of the tools.
    pub fn listed(&self) -> impl Iterator<Item = &mcp::Tool> {
        self.all().into_iter().map(|own| &own.listed)
    }

    /// The params of one of the three.
    pub fn parameters(&self, name: &str) -> Option<&Params> {
        self.own(name).map(|own| &own.params)
    }

    fn all(&self) -> [&Own; 3] {
        [&self.search, &self.describe, &self.call]
    }

    fn own(&self, name: &str) -> Option<&Own> {
        self.all().into_iter().find(|own| own.listed.name == name)
    }

    /// Answers a call of one of the three, or says which tool it calls; `None` for any other name.
    fn resolve<'c>(&self, name: &str, given: Arguments, catalog: &'c Catalog) -> Option<Resolved<'c>> {
        let own = self.own(name)?;
        let mut given = match own.params.check(given) {
            Ok(given) => given,
            Err(faults) => return Some(Resolved::Answer(Answer::error(faults.join("\n")))),
        };
        let text = |key: &str| given.get(key).and_then(Value::as_str).unwrap_or("");
        if name == SEARCH {
            let limit = given.get("limit").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            return Some(Resolved::Answer(self.find(text("query"), limit.unwrap_or(LIMITS.0), catalog)));
        }
        let Some(tool) = catalog.tool(text("name")) else {
            return Some(Resolved::Answer(unknown(text("name"), catalog)));
        };
        Some(match (name, given.remove("arguments")) {
            (CALL, Some(Value::Object(arguments))) => Resolved::Tool(tool, arguments),
            (CALL, _) => Resolved::Tool(tool, Arguments::new()),
            _ => Resolved::Answer(structured(description(tool))),
        })
    }

    fn find(&self, query: &str, limit: usize, catalog: &Catalog) -> Answer {
        let found = self.index.find(query);
        let all: Vec<&Tool> = catalog.tools().collect();
        let tools = found.iter().filter_map(|at| all.get(*at)).take(limit).map(|tool| summary(tool));
        let tools: Vec<Value> = tools.collect();
        structured(json!({ "tools": tools, "found": found.len(), "of": all.len() }))
    }
}

impl Catalog {
    /// The tools as clients see them: all, or with `toolMode: search` the three that lead to them.
    pub fn listed_tools(&self) -> Vec<&mcp::Tool> {
        match &self.search {
            Some(search) => search.listed().collect(),
            None => self.tools().map(|tool| &tool.listed).collect(),
        }
    }

    /// What a call of a name comes to; `None` if there is no tool of that name. A tool behind a search can be called
    /// by its own name too: a search saves room, it keeps nobody out.
    pub fn resolve(&self, name: &str, given: Arguments) -> Option<Resolved<'_>> {
        match (self.tool(name), &self.search) {
            (Some(tool), _) => Some(Resolved::Tool(tool, given)),
            (None, Some(search)) => search.resolve(name, given, self),
            (None, None) => None,
        }
    }
}

fn add(index: &mut Index, tool: &Tool) {
    let listed = &tool.listed;
    let params = tool.parameters().all.iter();
    let params: Vec<&str> = params.map(|param| param.name.value.as_str()).collect();
    index.add(&[
        Field { text: &listed.name, weight: 4.0 },
        Field { text: listed.title.as_deref().unwrap_or(""), weight: 3.0 },
        Field { text: listed.description.as_deref().unwrap_or(""), weight: 1.0 },
        Field { text: &params.join(" "), weight: 1.0 },
    ]);
}

/// A tool as a search gives it.
fn summary(tool: &Tool) -> Value {
    let mut summary = Arguments::new();
    let description = tool.listed.description.as_deref().map(|text| match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    });
    let name = Some(tool.listed.name.to_string());
    for (key, text) in [("name", name), ("title", tool.listed.title.clone()), ("description", description)] {
        summary.extend(text.map(|text| (key.to_owned(), text.into())));
    }
    Value::Object(summary)
}

/// All that a client needs to call a tool.
fn description(tool: &Tool) -> Value {
    let mut all = json!(tool.listed);
    if let Value::Object(all) = &mut all {
        all.retain(|key, _| {
            ["name", "title", "description", "inputSchema", "outputSchema", "annotations"].contains(&key.as_str())
        });
    }
    all
}

fn unknown(name: &str, catalog: &Catalog) -> Answer {
    let known = catalog.tools().map(|tool| tool.listed.name.as_ref());
    Answer::error(match nearest(name, known) {
        Some(near) => format!("there is no tool `{name}`; did you mean `{near}`?"),
        None => format!("there is no tool `{name}`; {SEARCH} finds the tools that there are"),
    })
}

fn structured(value: Value) -> Answer {
    let content = vec![ContentBlock::text(value.to_string())];
    Answer { content, structured: Some(value), is_error: false, whole: None }
}

fn search(sink: &mut Diagnostics) -> Option<Own> {
    let query = json!({ "type": "string", "minLength": 1, "maxLength": 1000, "description": "What the tool should do, in a few words." });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIMITS.1, "default": LIMITS.0, "description": "How many tools to give." });
    let mut own = Own::new(
        SEARCH,
        "Finds tools by what they do: the best first, each with its name and what it is for. Read about one with describe_tool, call it with call_tool.",
        vec![("query", query, false), ("limit", limit, false)],
        sink,
    )?;
    let text = json!({ "type": "string" });
    let tool = json!({ "type": "object", "properties": { "name": text, "title": text, "description": text }, "required": ["name"] });
    let output = json!({
        "type": "object",
        "properties": {
            "tools": { "type": "array", "items": tool },
            "found": { "type": "integer", "description": "Tools that have any of the words." },
            "of": { "type": "integer", "description": "Tools that there are." },
        },
        "required": ["tools", "found", "of"],
    });
    own.listed.output_schema = output.as_object().cloned().map(Arc::new);
    Some(own.reading())
}

fn describe(sink: &mut Diagnostics) -> Option<Own> {
    let name = json!({ "type": "string", "description": "The tool's name, as search_tools gives it." });
    let words = "Tells all of one tool: what it does, its arguments (inputSchema), its answer and what it may change.";
    Some(Own::new(DESCRIBE, words, vec![("name", name, false)], sink)?.reading())
}

/// What it calls may do anything, so it says so.
fn call(sink: &mut Diagnostics) -> Option<Own> {
    let name = json!({ "type": "string", "description": "The tool's name, as search_tools gives it." });
    let arguments =
        json!({ "type": "object", "description": "Its arguments, as the inputSchema of describe_tool says." });
    let words = "Calls a tool that search_tools found, and gives its answer.";
    let mut own = Own::new(CALL, words, vec![("name", name, false), ("arguments", arguments, true)], sink)?;
    own.listed.annotations =
        Some(mcp::ToolAnnotations::new().read_only(false).destructive(true).idempotent(false).open_world(true));
    Some(own)
}

impl Own {
    fn new(name: &str, words: &str, params: Vec<(&str, Value, bool)>, sink: &mut Diagnostics) -> Option<Self> {
        let nowhere = Span::new(FileId::default(), 0..0);
        let param = |(name, schema, optional): (&str, Value, bool)| Param {
            name: Spanned::new(name.to_owned(), nowhere),
            schema: Arc::new(schema),
            optional,
            secret: false,
        };
        let params = Params::assemble(params.into_iter().map(param).collect(), |_| nowhere, sink)?;
        let mut listed = mcp::Tool::default();
        listed.name = name.to_owned().into();
        listed.description = Some(words.to_owned().into());
        listed.input_schema = params.schema.json().clone();
        Some(Own { listed, params })
    }

    /// The same, which changes nothing and knows nothing but this server.
    fn reading(mut self) -> Self {
        self.listed.annotations = Some(mcp::ToolAnnotations::new().read_only(true).open_world(false));
        self
    }
}
