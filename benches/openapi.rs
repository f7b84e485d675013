//! What an import costs: GitHub's published description, read, mapped and checked. Run with
//! `MCP_OPENAPI=…/node_modules cargo bench --bench openapi`, where that folder has `@octokit/openapi`; it prints a
//! figure and fails where the goal is missed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const GOAL: Duration = Duration::from_secs(2);
const GITHUB: &str = "@octokit/openapi/generated/api.github.com.json";

fn main() {
    let Some(modules) = std::env::var_os("MCP_OPENAPI").map(PathBuf::from) else {
        println!("the import is NOT measured: MCP_OPENAPI names no folder with the description");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let text = format!("server: {{ name: github }}\nimport: [{{ openapi: '{}' }}]\n", modules.join(GITHUB).display());
    std::fs::write(&spec, text).unwrap();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let mut check = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
            let done = check.arg("check").arg(&spec).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert!(done.success(), "the import fails");
            start.elapsed()
        })
        .collect();
    times.sort();
    let best = times.first().copied().unwrap();
    println!("| figure | goal | measured |\n|---|---|---|");
    println!("| importing GitHub's description, whole process, best of {ROUNDS} | < {GOAL:?} | {best:.2?} |");
    assert!(best < GOAL, "it takes {best:?}");
}
