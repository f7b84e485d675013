//! The command line: one file for each command. Only here does anything print.

mod bundle;
mod call;
mod check;
mod completions;
mod diff;
mod hidden;
mod init;
mod install;
mod list;
mod lock;
mod man;
mod paint;
mod program;
mod prompt;
mod read;
mod replace;
mod schema;
mod serve;
mod spec;
mod table;
mod test;
mod user;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Turns a YAML or TOML file into an MCP server: its tools, resources and prompts are REST APIs, SQL databases and commands.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", display_order = 100)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a spec to MCP clients, over stdio or HTTP.
    Serve(serve::Arguments),
    /// Find every mistake of a spec, each with its place.
    Check(check::Arguments),
    /// Begin a spec from an API's description, a curl line, a database or a template.
    Init(init::Arguments),
    /// Show what clients would see.
    List(list::Arguments),
    /// Show what clients would see change from one spec to another.
    Diff(diff::Arguments),
    /// Run the tests that a spec has of itself.
    Test(test::Arguments),
    /// Call a tool and print its answer.
    Call(call::Arguments),
    /// Print a resource.
    Read(read::Arguments),
    /// Print a prompt's messages.
    Prompt(prompt::Arguments),
    /// Write down what clients see, for `serve --locked`.
    Lock(lock::Arguments),
    /// Write a client's configuration, so that it starts or finds the server.
    Install(install::Arguments),
    /// Pack a spec and this program into an MCPB bundle, which clients install.
    Bundle(bundle::Arguments),
    /// Print the spec's JSON Schema, for editors.
    Schema(schema::Arguments),
    /// Print a shell's script that completes this command line.
    Completions(completions::Arguments),
    /// Print this program's manual page.
    #[command(hide = true)]
    Man(man::Arguments),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The spec or the call is at fault.
    AtFault,
    /// The command line is wrong.
    Usage,
    /// What it needs (a database, a port) could not be reached, or its results could not be written.
    Unreachable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::AtFault => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
        })
    }
}

/// The first file descriptor after stdin, stdout and stderr.
const FIRST_LEFT_OPEN: i32 = 3;

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    // What whoever started us left open is not for the commands: they could write to it, whatever their sandbox says.
    close_fds::set_fds_cloexec(FIRST_LEFT_OPEN, &[]);
    if let Some(exit) = hidden::dispatch() {
        return exit;
    }
    crate::sandbox::announce(None);
    let arguments = Arguments::parse();
    match arguments.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("can't start: {error}"));
            return Exit::Unreachable.into();
        }
    };
    let exit = runtime.block_on(async {
        match arguments.command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Check(arguments) => check::run(arguments).await,
            Command::Init(arguments) => init::run(arguments).await,
            Command::List(arguments) => list::run(arguments).await,
            Command::Diff(arguments) => diff::run(arguments).await,
            Command::Test(arguments) => test::run(arguments).await,
            Command::Call(arguments) => call::run(arguments).await,
            Command::Read(arguments) => read::run(arguments).await,
            Command::Prompt(arguments) => prompt::run(arguments).await,
            Command::Lock(arguments) => lock::run(arguments).await,
            Command::Install(arguments) => install::run(arguments).await,
            Command::Bundle(arguments) => bundle::run(arguments).await,
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments),
            Command::Man(arguments) => man::run(&arguments),
        }
    });
    // Calls that are cut off end their processes here. A blocking read of a terminal can't be taken back and
    // must not keep the process alive, so the wait is short.
    runtime.shutdown_timeout(Duration::from_millis(200));
    match LOST.get() {
        Some(why) => {
            complain(&format!("can't write to stdout: {why}"));
            Exit::Unreachable.into()
        }
        None => exit.into(),
    }
}

/// Why a result could not be written, if one could not.
static LOST: OnceLock<String> = OnceLock::new();

/// Writes a result to stdout. A reader that is gone is no failure; any other makes the whole command fail.
fn print(text: &str) {
    deliver(text.as_bytes(), anstream::stdout().lock());
}

/// Writes bytes to stdout as they are.
fn print_bytes(bytes: &[u8]) {
    deliver(bytes, io::stdout().lock());
}

fn deliver(bytes: &[u8], mut out: impl Write) {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => _ = LOST.set(replace::reason(&error)),
        _ => {}
    }
}

/// Writes to stderr as it is.
fn note(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Says on stderr what went wrong. The words may be somebody else's, so nothing in them commands a terminal.
fn complain(words: &str) {
    let plain = anstream::adapter::strip_str(words).to_string();
    note(&format!("error: {}\n", paint::visible(&plain)));
}
