//! Drives the real binary through its real doors: a [`Spec`] in a folder of its own, a [`Process`] that serves it,
//! and rmcp's own client over either transport and in either era.
//!
//! ```no_run
//! let spec = Spec::tools("hello: { params: { name: string }, text: 'Hello {{name}}' }");
//! let mut client = spec.stdio(Era::Legacy).await;
//! assert_eq!(client.text("hello", json!({ "name": "you" })).await, "Hello you");
//! ```
//!
//! Every wait is bounded by [`PATIENCE`]; what is waited for is always a fact, never a time.

pub mod client;
pub mod database;
pub mod message;
pub mod optional;
pub mod process;
pub mod site;
pub mod spec;
pub mod terminal;
pub mod upstream;

use std::time::Duration;

pub use client::{Client, Era};
pub use database::Database;
pub use message::{initialize, modern, request};
pub use process::Process;
pub use site::Site;
pub use spec::{Output, Spec};
pub use terminal::Terminal;
pub use upstream::{Asked, Authority, Reply, Upstream};

/// The longest that anything may take, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The outcome of `future`, which must not take longer than [`PATIENCE`].
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// Waits until `condition` holds.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(what, holds).await;
}

/// Runs the same check with every client that there is: over stdio and over one HTTP server, in both eras.
pub async fn everywhere(spec: &Spec, check: impl AsyncFn(&mut Client)) {
    for era in [Era::Legacy, Era::Modern] {
        eprintln!("stdio, {era:?}");
        check(&mut spec.stdio(era).await).await;
    }
    let site = spec.http().await;
    for era in [Era::Legacy, Era::Modern] {
        eprintln!("HTTP, {era:?}");
        check(&mut site.client(era).await).await;
    }
}

/// The text without the indentation that all its lines share, so that specs can stand in code as code does.
pub fn dedent(text: &str) -> String {
    let lines = || text.lines().skip_while(|line| line.trim().is_empty());
    let indent = lines().filter(|l| !l.trim().is_empty()).map(|l| l.len() - l.trim_start().len()).min().unwrap_or(0);
    lines().map(|line| format!("{}\n", line.get(indent..).unwrap_or("").trim_end())).collect()
}
