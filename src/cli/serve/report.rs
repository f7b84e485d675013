//! What is said of an edit: on stderr, in the log and at `/health` in the same words.

use std::time::SystemTime;

use axum::Json;
use serde_json::{Value, json};
use tracing::Level;

use super::super::spec;
use super::LogFormat;
use super::voice::Said;
use crate::catalog::{Catalog, ChangedLists, Changes, Loaded};
use crate::reload::{Cells, Refusal, Report, Why};
use crate::spec::{Severity, render};

/// Changes that are named one by one; `diff` names all.
const NAMED: usize = 100;

/// What `/health` says.
pub fn health(cells: &Cells) -> Json<Value> {
    let (catalog, refusal) = (cells.catalog.borrow().clone(), cells.refusal.borrow().clone());
    let mut health = json!({
        "status": "serving",
        "server": catalog.server.name,
        "version": catalog.server.version,
        "generation": catalog.generation,
    });
    if let (Value::Object(health), Some(refusal)) = (&mut health, refusal) {
        health.insert("message".to_owned(), json!(refused(&catalog, &refusal)));
    }
    Json(health)
}

/// What to say of an edit.
pub fn said(report: &Report<'_>, format: LogFormat) -> Said {
    match report {
        Report::Swapped { catalog, changes, lists, loaded } => {
            let mut said = diagnostics(loaded, format);
            said.push((Level::INFO, ours(&reloaded(catalog, *lists))));
            said.extend(lines(changes).map(|line| (Level::INFO, line)));
            said
        }
        Report::Refused { catalog, refusal, loaded } => {
            let mut said = diagnostics(loaded, format);
            said.push((Level::WARN, ours(&refused(catalog, refusal))));
            said
        }
        Report::Drifted { catalog, refusal, changes, loaded } => {
            let mut said = diagnostics(loaded, format);
            said.extend(lines(changes).map(|line| (Level::WARN, line)));
            said.push((Level::WARN, ours(&refused(catalog, refusal))));
            said
        }
        Report::NotRead { catalog, refusal, why } => {
            vec![(Level::ERROR, format!("error: {why}")), (Level::WARN, ours(&refused(catalog, refusal)))]
        }
    }
}

/// A line that tells whose it is, where programs share a stderr.
fn ours(words: &str) -> String {
    format!("mcp-declare: {words}")
}

fn diagnostics(loaded: &Loaded, format: LogFormat) -> Said {
    let all = loaded.diagnostics.sorted(&loaded.files).into_iter();
    let styled = format == LogFormat::Text;
    let level = |severity| if severity == Severity::Error { Level::ERROR } else { Level::WARN };
    all.map(|d| (level(d.severity), render::text(d, &loaded.files, styled))).collect()
}

fn reloaded(catalog: &Catalog, lists: ChangedLists) -> String {
    let lists = [(lists.tools, "tools"), (lists.resources, "resources"), (lists.prompts, "prompts")];
    let changed: Vec<&str> = lists.iter().filter(|(changed, _)| *changed).map(|(_, name)| *name).collect();
    let what = match changed.is_empty() {
        true => "no list changed".to_owned(),
        false => format!("changed: {}", changed.join(", ")),
    };
    format!("reloaded {}, generation {}, {what}", spec::summary(catalog), catalog.generation)
}

/// The lines of `diff`, as far as they are few.
pub fn lines(changes: &Changes) -> impl Iterator<Item = String> {
    let more = changes.iter().len().saturating_sub(NAMED);
    let rest = (more > 0).then(|| format!("and {more} more"));
    changes.iter().take(NAMED).map(ToString::to_string).chain(rest)
}

fn refused(catalog: &Catalog, refusal: &Refusal) -> String {
    let seconds = refusal.at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs()) % 86_400;
    let time = format!("{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let why = match refusal.why {
        Why::Errors(count) => spec::plural(count, "error"),
        Why::Drift(count) => format!("{} not locked; run `mcp-declare lock`", spec::plural(count, "change")),
    };
    format!("serving generation {}, edit of {time} refused: {why}", catalog.generation)
}
