//! What runs on this machine: the actions `exec` and `shell`, and what bounds them.

use std::time::Duration;

use super::{Str, choice};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, Foreign, FromNode, Required, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// A program with arguments.
    pub struct ExecAction as "exec action" {
        /// The argv; each element is one argument.
        "command" => command: Required<Vec<Str>>,
        /// Whether what can't do without the program is left out where the program is not there.
        "optional" => optional: Option<Spanned<bool>>,
        "stdin" => stdin: Option<Stdin>,
        "env" => env: Foreign<Spanned<Text>>,
        /// Handlebars below its literal beginning, which it can't leave.
        "cwd" => cwd: Option<Spanned<Text>>,
        /// Exit statuses that are no failure; 0 alone by default.
        "okExit" => ok_exit: Option<Vec<Spanned<u64>>>,
        /// Exit status → handlebars: the words of the error.
        "errors" => errors: Foreign<Str>,
        /// A pattern for lines of stderr: its first group is how much is done, its second out of how much.
        "progress" => progress: Option<Str>,
        "sandbox" => sandbox: Option<Sandbox>,
        /// Calls that run at the same time; the others wait.
        "concurrency" => concurrency: Option<Spanned<u64>>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
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
        "script" => script: Required<Str>,
        /// `sh` or `bash`.
        "shell" => shell: Option<Spanned<ShellName>>,
        /// The programs that it runs, which have to be there.
        "programs" => programs: Option<Vec<Str>>,
        "optional" => optional: Option<Spanned<bool>>,
        "stdin" => stdin: Option<Stdin>,
        "env" => env: Foreign<Spanned<Text>>,
        "cwd" => cwd: Option<Spanned<Text>>,
        "okExit" => ok_exit: Option<Vec<Spanned<u64>>>,
        "errors" => errors: Foreign<Str>,
        "progress" => progress: Option<Str>,
        "sandbox" => sandbox: Option<Sandbox>,
        "concurrency" => concurrency: Option<Spanned<u64>>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
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
        let texts = self.script.get().into_iter().chain(stdin).chain(self.errors.iter().map(|(_, words)| words));
        let cwd = self.cwd.as_ref().map(|cwd| cwd.written());
        texts.map(|text| text.value.as_str()).chain(cwd).any(|text| text.contains(name))
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

impl FromNode for Spanned<ShellName> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("sh", ShellName::Sh), ("bash", ShellName::Bash)], sink)
    }
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
        "arguments" => arguments: Required<Spanned<ArgumentsAs>>,
    }
}

/// How the arguments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentsAs {
    /// As a JSON object.
    Json,
}

impl FromNode for Spanned<ArgumentsAs> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("json", ArgumentsAs::Json)], sink)
    }
}

impl FromNode for Stdin {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => StdinForm::from_node(node, at, sink)?.arguments.0.map(|_| Stdin::Arguments),
            _ => Str::from_node(node, at, sink).map(Stdin::Text),
        }
    }
}

record! {
    /// What a command can't do. A key left out does not restrict.
    pub struct Sandbox as "sandbox" {
        /// Files and folders that may be read and run.
        "read" => read: Option<Vec<Spanned<Text>>>,
        /// Files and folders that may be changed as well.
        "write" => write: Option<Vec<Spanned<Text>>>,
        "network" => network: Option<Spanned<bool>>,
        /// Address space of each process.
        "memory" => memory: Option<Spanned<Bytes>>,
        /// Processor time of each process, in whole seconds.
        "cpu" => cpu: Option<Spanned<Duration>>,
        /// Processes and threads at the same time.
        "processes" => processes: Option<Spanned<u64>>,
        /// Size of each file that is written.
        "fileSize" => file_size: Option<Spanned<Bytes>>,
        /// Whether the spec is served also where the kernel can't keep a promise.
        "bestEffort" => best_effort: Option<Spanned<bool>>,
    }
}
