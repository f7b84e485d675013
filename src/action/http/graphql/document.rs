//! A document: which operation of it is meant, its variables, and what it answers.

use apollo_compiler::ast::{
    Definition, InputValueDefinition, OperationDefinition, OperationType, Type, Value as Literal,
};
use apollo_compiler::executable::{ExecutableDocument, Operation};
use apollo_compiler::parser::Parser;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Node, Schema, ast};
use serde_json::Value;

use super::faults::{Names, faults};
use super::{input, output};
use crate::spec::{Code, Diagnostic, Diagnostics, Fault, Spanned};

/// Words and signs that a document may have.
const MAX_TOKENS: usize = 20_000;
/// How deep its selections and values may be nested.
const MAX_DEPTH: usize = 64;

/// A document that is sound, as far as the schema is known.
pub struct Document {
    /// The operation's name, if it has one.
    pub name: Option<String>,
    /// Whether it only reads.
    pub is_query: bool,
    /// What it has to be given.
    pub variables: Vec<Variable>,
    /// The JSON Schema of its `data`; `None` where the schema is not known, or it would be too large.
    pub output: Option<Value>,
}

/// A variable of an operation.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name, and where in the document it stands.
    pub name: Spanned<String>,
    /// Bytes of the document.
    pub range: std::ops::Range<usize>,
    /// Its type.
    pub kind: Type,
    /// What it is where nothing is given.
    pub default: Option<Value>,
    /// Whether it can't be left out.
    pub required: bool,
    /// What the schema says of the place where it is used.
    pub description: Option<Node<str>>,
}

/// Reads a document and checks it against the schema, where that is known. Mistakes are reported.
pub fn read(
    text: &Spanned<String>,
    wanted: Option<&Spanned<String>>,
    schema: Option<&Valid<Schema>>,
    sink: &mut Diagnostics,
) -> Option<Document> {
    if let Some(at) = text.find("{{") {
        let found = Diagnostic::error(Code::Graphql, text.at(at..at + 2), "a value can't stand in a GraphQL document");
        sink.push(found.label("make it a variable: `query ($name: String!) { … }`"));
        return None;
    }
    let report = |faults: Vec<Fault>, sink: &mut Diagnostics| {
        faults.into_iter().for_each(|fault| sink.push(Diagnostic::fault(Code::Graphql, text, fault)));
    };
    let parsed = Parser::new().token_limit(MAX_TOKENS).recursion_limit(MAX_DEPTH).parse_ast(text.value.as_str(), "");
    let document = match parsed {
        Ok(document) => document,
        Err(found) => {
            report(faults(text, &found.errors, Names::default()), sink);
            return None;
        }
    };
    let (variables, fragments) = names(&document);
    let names = Names { schema: schema.map(|schema| &**schema), variables: &variables, fragments: &fragments };
    let executable = match checked(&document, schema) {
        Ok(executable) => executable,
        Err(found) => {
            report(faults(text, &found, names), sink);
            return None;
        }
    };
    let operation = choose(text, &document, wanted, sink)?;
    let known = schema.zip(executable.as_ref());
    Some(describe(text, operation, known))
}

/// The document with the schema's types, if there is a schema.
fn checked(
    document: &ast::Document,
    schema: Option<&Valid<Schema>>,
) -> Result<Option<Valid<ExecutableDocument>>, apollo_compiler::validation::DiagnosticList> {
    let Some(schema) = schema else { return document.validate_standalone_executable().map(|()| None) };
    // What is not known is reported alone: what follows from leaving it out is no mistake.
    let executable = document.to_executable(schema).map_err(|found| found.errors)?;
    executable.validate(schema).map(Some).map_err(|found| found.errors)
}

/// The names of all variables and fragments.
fn names(document: &ast::Document) -> (Vec<String>, Vec<String>) {
    let (mut variables, mut fragments) = (Vec::new(), Vec::new());
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                variables.extend(operation.variables.iter().map(|variable| variable.name.to_string()));
            }
            Definition::FragmentDefinition(fragment) => fragments.push(fragment.name.to_string()),
            _ => {}
        }
    }
    (variables, fragments)
}

/// The operation that is meant; reported if there is none, or it is of a kind that has no single answer.
fn choose<'d>(
    text: &Spanned<String>,
    document: &'d ast::Document,
    wanted: Option<&Spanned<String>>,
    sink: &mut Diagnostics,
) -> Option<&'d Node<OperationDefinition>> {
    let mut all = document.definitions.iter().filter_map(Definition::as_operation_definition);
    let name = |operation: &'d Node<OperationDefinition>| operation.name.as_ref().map_or("", |name| name.as_str());
    let chosen = match wanted {
        Some(wanted) => {
            let chosen = all.clone().find(|operation| name(operation) == wanted.value);
            if chosen.is_none() {
                let words = format!("the document has no operation `{}`", wanted.value);
                let known = all.map(name).filter(|name| !name.is_empty());
                sink.push(Diagnostic::error(Code::Graphql, wanted.span, words).nearest(&wanted.value, known));
            }
            chosen?
        }
        None => {
            let Some(first) = all.next() else {
                let whole = text.at(0..text.trim_end().len());
                let found = Diagnostic::error(Code::Graphql, whole, "there is no operation in this document");
                sink.push(found.label("such as `query { … }`"));
                return None;
            };
            if let Some(second) = all.next() {
                let place = text.at(range(second, text));
                let found = Diagnostic::error(Code::Graphql, place, "the document has several operations");
                sink.push(found.label("say which one is meant: `operationName: …`"));
                return None;
            }
            first
        }
    };
    if chosen.operation_type == OperationType::Subscription {
        let found = Diagnostic::error(Code::Graphql, text.at(range(chosen, text)), "a subscription has no end");
        sink.push(found.label("a tool gives one answer: make it a query"));
        return None;
    }
    Some(chosen)
}

/// Where an operation begins, in bytes: its first line.
fn range(operation: &Node<OperationDefinition>, text: &str) -> std::ops::Range<usize> {
    let Some(at) = operation.location() else { return 0..text.trim_end().len() };
    let whole = text.get(at.offset()..at.end_offset()).unwrap_or("");
    at.offset()..at.offset() + whole.lines().next().unwrap_or("").trim_end().len()
}

fn describe(
    text: &Spanned<String>,
    operation: &Node<OperationDefinition>,
    known: Option<(&Valid<Schema>, &Valid<ExecutableDocument>)>,
) -> Document {
    let name = operation.name.as_ref().map(ToString::to_string);
    let executable = known.and_then(|(schema, document)| {
        let chosen = document.operations.get(name.as_deref()).ok()?;
        Some((schema, document, chosen))
    });
    let variable = |written: &Node<ast::VariableDefinition>| Variable {
        name: Spanned::new(written.name.to_string(), text.span),
        range: written.location().map_or(0..0, |at| at.offset()..at.end_offset()),
        kind: (*written.ty).clone(),
        default: written.default_value.as_ref().and_then(|literal| input::to_json(literal)),
        required: written.ty.is_non_null() && written.default_value.is_none(),
        description: executable.and_then(|(schema, document, chosen)| use_of(&written.name, schema, document, chosen)),
    };
    Document {
        variables: operation.variables.iter().map(variable).collect(),
        is_query: operation.operation_type == OperationType::Query,
        output: executable.and_then(|(schema, document, chosen)| output::json_schema(schema, document, chosen)),
        name,
    }
}

/// What the schema says of the argument, or field of an input object, that a variable is used for.
fn use_of(variable: &str, schema: &Schema, document: &ExecutableDocument, operation: &Operation) -> Option<Node<str>> {
    operation.all_fields(document).find_map(|field| {
        field.arguments.iter().find_map(|argument| {
            let definition = field.definition.argument_by_name(&argument.name)?;
            described(variable, &argument.value, definition, schema)
        })
    })
}

fn described(variable: &str, value: &Literal, definition: &InputValueDefinition, schema: &Schema) -> Option<Node<str>> {
    match value {
        Literal::Variable(name) if name == variable => definition.description.clone(),
        Literal::List(items) => items.iter().find_map(|item| described(variable, item, definition, schema)),
        Literal::Object(fields) => match schema.types.get(definition.ty.inner_named_type())? {
            ExtendedType::InputObject(input) => {
                fields.iter().find_map(|(name, value)| described(variable, value, input.fields.get(name)?, schema))
            }
            _ => None,
        },
        _ => None,
    }
}
