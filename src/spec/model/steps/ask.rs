//! What a workflow asks the client: the user, the language model, the roots.

use serde_json::Value;

use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::{Code, Diagnostics};
use crate::spec::model::{Role, Str};
use crate::spec::node::Node;
use crate::spec::read::{At, Choice, FromNode, Named, Required, record};
use crate::spec::source::Spanned;

/// Questions to the client, all at once.
#[derive(Debug, Clone)]
pub enum AskStep {
    /// One form.
    One(FormAsk),
    /// The key `inputs`: several questions by name.
    Round(Named<Input>),
}

/// One of several questions.
#[derive(Debug, Clone)]
pub enum Input {
    /// A form for the user.
    Form(FormAsk),
    /// `{ sample: … }`
    Sample(Box<SampleStep>),
    /// `{ roots: … }`
    Roots(RootsStep),
}

record! {
    /// MCP's `elicitation/create`.
    pub struct FormAsk as "ask" {
        /// What the user reads; handlebars.
        /// Example: `'Which of the {{len found}} books?'`
        "message" => message: Required<Str>,
        /// MCP's `requestedSchema`, sent as it is.
        /// Example: `{ type: object, properties: { id: { type: integer } } }`
        "schema" => schema: Required<Node>,
        /// Left out when the client can't show forms.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
        /// What follows when the user declines.
        /// Example: `continue`
        "onDecline" => on_decline: Option<Spanned<OnDecline>>,
    }
}

record! {
    /// `ask: { inputs: … }`
    pub struct RoundAsk as "ask" {
        /// Several questions at once, by name.
        /// Example: `{ size: { message: 'Which size?', schema: { type: object, properties: { size: { type: string } } } } }`
        "inputs" => inputs: Named<Input>,
    }
}

record! {
    /// `{ sample: … }` among the inputs of an `ask`.
    pub struct SampleInput as "input" {
        /// A question to the client's language model.
        /// Example: `{ prompt: 'Sum up: {{text}}', maxTokens: 200 }`
        "sample" => sample: Required<SampleStep>,
    }
}

record! {
    /// `{ roots: … }` among the inputs of an `ask`.
    pub struct RootsInput as "input" {
        /// A question for the client's roots.
        /// Example: `{}`
        "roots" => roots: Required<RootsStep>,
    }
}

impl FromNode for AskStep {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        if node.get("inputs").is_none() {
            return FormAsk::from_node(node, at, sink).map(AskStep::One);
        }
        let round = RoundAsk::from_node(node, at, sink)?;
        if round.inputs.is_empty() {
            sink.error(Code::BadValue, at.span, "this asks nothing");
        }
        Some(AskStep::Round(round.inputs))
    }

    fn schema(book: &mut Book) -> Value {
        any_of([FormAsk::schema(book), RoundAsk::schema(book)])
    }
}

impl FromNode for Input {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        if node.get("sample").is_some() {
            SampleInput::from_node(node, at, sink)?.sample.0.map(Box::new).map(Input::Sample)
        } else if node.get("roots").is_some() {
            RootsInput::from_node(node, at, sink)?.roots.0.map(Input::Roots)
        } else {
            FormAsk::from_node(node, at, sink).map(Input::Form)
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([FormAsk::schema(book), SampleInput::schema(book), RootsInput::schema(book)])
    }
}

/// What follows when the user declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDecline {
    /// The call ends with an error.
    End,
    /// The next step.
    Continue,
}

impl Choice for OnDecline {
    const WORDS: &'static [(&'static str, Self)] = &[("end", OnDecline::End), ("continue", OnDecline::Continue)];
}

record! {
    /// MCP's `sampling/createMessage`.
    pub struct SampleStep as "sample" {
        /// Handlebars: the text of one message of the user.
        /// Example: `'Sum up: {{text}}'`
        "prompt" => prompt: Option<Str>,
        /// In place of `prompt`.
        /// Example: `[{ role: user, text: 'Sum up: {{text}}' }]`
        "messages" => messages: Option<Vec<SampleMessage>>,
        /// Tokens that the answer has at most.
        /// Example: `200`
        "maxTokens" => max_tokens: Option<Spanned<u64>>,
        /// What the model is told of its part; handlebars.
        /// Example: `You are a librarian.`
        "systemPrompt" => system_prompt: Option<Str>,
        /// How freely the model answers: MCP's `temperature`.
        /// Example: `0.2`
        "temperature" => temperature: Option<Node>,
        /// Texts at which the model stops.
        /// Example: `['END']`
        "stopSequences" => stop_sequences: Option<Vec<Str>>,
        /// MCP's `modelPreferences`.
        /// Example: `{ hints: [{ name: small }] }`
        "modelPreferences" => model_preferences: Option<Node>,
        /// What the client adds of what is going on.
        /// Example: `thisServer`
        "includeContext" => include_context: Option<Spanned<Context>>,
        /// MCP's `metadata`, passed on as it is.
        /// Example: `{ purpose: summary }`
        "metadata" => metadata: Option<Node>,
        /// Left out when the client has no language model to offer.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
    }
}

record! {
    /// A message of the conversation that a sample goes on with.
    pub struct SampleMessage as "message" {
        /// Who says it.
        /// Example: `user`
        "role" => role: Required<Spanned<Role>>,
        /// What is said; handlebars.
        /// Example: `'Sum up: {{text}}'`
        "text" => text: Required<Str>,
    }
}

/// MCP's `includeContext`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "MCP's words")]
pub enum Context {
    None,
    ThisServer,
    AllServers,
}

impl Choice for Context {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Context::None), ("thisServer", Context::ThisServer), ("allServers", Context::AllServers)];
}

record! {
    /// MCP's `roots/list`.
    pub struct RootsStep as "roots" {
        /// Left out when the client has no roots.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
    }
}
