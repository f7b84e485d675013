//! What runs on this machine: the actions `exec` and `shell`, and what bounds them.

use serde_json::Value;
use std::time::Duration;

use super::{Around, Str};
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, Choice, Foreign, FromNode, Required, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// A program with arguments.
    pub struct ExecAction as "exec action" {
        /// The argv; each element is one argument.
        /// Example: `[wc, -w, --, '{{file}}']`
        "command" => command: Required<Vec<Str>>,
        /// Whether what can't do without the program is left out where the program is not there.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
        /// What the command reads: handlebars, or all the arguments as JSON.
        /// Example: `'{{text}}'`
        "stdin" => stdin: Option<Stdin>,
        /// Environment variables; the command sees these and a small safe set.
        /// Example: `{ LANG: C }`
        "env" => env: Foreign<Spanned<Text>>,
        ..run: CommandRun,
        ..around: Box<Around>,
    }
}

impl ExecAction {
    /// A command of which an element is at fault is none: without that element it would be another one.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let mut read = ExecAction::from_node(node, at, sink)?;
        if let Some(Kind::List(written)) = node.get("command").map(|e| &e.value.kind) {
            read.command.0 = read.command.0.filter(|elements| elements.len() == written.len());
        }
        Some(read)
    }
}

record! {
    /// A shell script; params are environment variables. Its other keys are those of `exec`.
    pub struct ShellAction as "shell action" {
        /// The script; params are environment variables, so no value is ever read as code.
        /// Example: `'grep -c "$word" notes.txt'`
        "script" => script: Required<Str>,
        /// `sh` or `bash`.
        /// Example: `bash`
        "shell" => shell: Option<Spanned<ShellName>>,
        /// The programs that it runs, which have to be there.
        /// Example: `[grep, jq]`
        "programs" => programs: Option<Vec<Str>>,
        /// Whether what can't do without the programs is left out where one is not there.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
        /// What the script reads: handlebars, or all the arguments as JSON.
        /// Example: `'{{text}}'`
        "stdin" => stdin: Option<Stdin>,
        /// Environment variables; the script sees these, its params and a small safe set.
        /// Example: `{ LANG: C }`
        "env" => env: Foreign<Spanned<Text>>,
        ..run: CommandRun,
        ..around: Box<Around>,
    }
}

impl ShellAction {
    /// Whether this name stands anywhere that a value may be asked for.
    pub fn says(&self, name: &str) -> bool {
        let stdin = match &self.stdin {
            Some(Stdin::Arguments) => return true,
            Some(Stdin::Text(text)) => Some(text),
            None => None,
        };
        let texts = self.script.get().into_iter().chain(stdin).chain(self.run.errors.iter().map(|(_, words)| words));
        let cwd = self.run.cwd.as_ref().map(|cwd| cwd.written());
        texts.map(|text| text.value.as_str()).chain(cwd).any(|text| text.contains(name))
    }
}

record! {
    /// Where a command runs, what its end means and what bounds it.
    pub struct CommandRun {
        /// The folder that it runs in: handlebars below its literal beginning, which it can't leave.
        /// Example: `./manuscripts`
        "cwd" => cwd: Option<Spanned<Text>>,
        /// Exit statuses that are no failure; 0 alone by default.
        /// Example: `[0, 1]`
        "okExit" => ok_exit: Option<Vec<Spanned<u64>>>,
        /// Exit status → handlebars: the words of the error.
        /// Example: `{ '2': 'There is no file {{file}}.' }`
        "errors" => errors: Foreign<Str>,
        /// A pattern for lines of stderr: its first group is how much is done, its second out of how much.
        /// Example: `'(\d+)%'`
        "progress" => progress: Option<Str>,
        /// What the command can't do.
        /// Example: `{ read: [./data], network: false, memory: 512MiB }`
        "sandbox" => sandbox: Option<Sandbox>,
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

/// Which shell runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellName {
    /// POSIX `sh`.
    Sh,
    /// GNU Bash.
    Bash,
}

impl Choice for ShellName {
    const WORDS: &'static [(&'static str, Self)] = &[("sh", ShellName::Sh), ("bash", ShellName::Bash)];
}

/// What a command reads.
#[derive(Debug, Clone)]
pub enum Stdin {
    /// Handlebars.
    Text(Str),
    /// `{ arguments: json }`: all the arguments of the call, as one JSON object.
    Arguments,
}

record! {
    /// `{ arguments: json }`
    pub struct StdinForm as "stdin" {
        /// How the arguments are written.
        /// Example: `json`
        "arguments" => arguments: Required<Spanned<ArgumentsAs>>,
    }
}

/// How the arguments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentsAs {
    /// As a JSON object.
    Json,
}

impl Choice for ArgumentsAs {
    const WORDS: &'static [(&'static str, Self)] = &[("json", ArgumentsAs::Json)];
}

impl FromNode for Stdin {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => StdinForm::from_node(node, at, sink)?.arguments.0.map(|_| Stdin::Arguments),
            _ => Str::from_node(node, at, sink).map(Stdin::Text),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), StdinForm::schema(book)])
    }
}

record! {
    /// What a command can't do. A key left out does not restrict.
    pub struct Sandbox as "sandbox" {
        /// Files and folders that may be read and run.
        /// Example: `[./docs]`
        "read" => read: Option<Vec<Spanned<Text>>>,
        /// Files and folders that may be changed as well.
        /// Example: `[./out]`
        "write" => write: Option<Vec<Spanned<Text>>>,
        /// Whether it may open connections.
        /// Example: `false`
        "network" => network: Option<Spanned<bool>>,
        /// Address space of each process.
        /// Example: `512MiB`
        "memory" => memory: Option<Spanned<Bytes>>,
        /// Processor time of each process, in whole seconds.
        /// Example: `10s`
        "cpu" => cpu: Option<Spanned<Duration>>,
        /// Processes and threads at the same time.
        /// Example: `16`
        "processes" => processes: Option<Spanned<u64>>,
        /// Size of each file that is written.
        /// Example: `10MiB`
        "fileSize" => file_size: Option<Spanned<Bytes>>,
        /// Whether the spec is served also where the kernel can't keep a promise.
        /// Example: `true`
        "bestEffort" => best_effort: Option<Spanned<bool>>,
    }
}
