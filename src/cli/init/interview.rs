//! What `init` asks on a terminal when its options don't say what to begin from.

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use super::super::note;
use super::{Arguments, Template};

/// Bytes of one answer.
const MAX_ANSWER: u64 = 64 * 1024;
/// Times that a question is asked.
const TRIES: usize = 5;

/// Asks what the options leave open, and gives the options as if they had said it; `None` if the input ends, or
/// nobody gives an answer that fits.
pub fn ask(given: Arguments, lines: &mut impl BufRead) -> Option<Arguments> {
    let mut said = given;
    note(
        "What shall your tools do?\n  1  ask a database\n  2  call an API\n  3  run commands\n  4  what another MCP server does\n",
    );
    match choice("1, 2, 3 or 4", &["1", "2", "3", "4"], lines)? {
        "1" => match line(
            "The database's URL, such as postgres://localhost/shop, or a SQLite file; empty for an example",
            lines,
        )? {
            url if url.is_empty() => said.template = Some(Template::Sql),
            url => said.from_db = Some(url),
        },
        "2" => match line("The file or URL of its OpenAPI description, or a curl line; empty for an example", lines)? {
            text if text.is_empty() => said.template = Some(Template::Http),
            text if text.starts_with("curl ") => said.from_curl = Some(text),
            text => said.from_openapi = Some(text),
        },
        "3" => said.template = Some(Template::Exec),
        _ => said.template = Some(Template::Gateway),
    }
    if said.template.is_some() && said.name.is_none() {
        let usual = super::folder_name();
        let name = line(&format!("The server's name [{usual}]"), lines)?;
        said.name = Some(if name.is_empty() { usual } else { name });
    }
    said.file = file(&said.file, said.force, lines)?;
    Some(said)
}

/// The file to write, once it is one that may be written.
fn file(usual: &Path, force: bool, lines: &mut impl BufRead) -> Option<PathBuf> {
    for _ in 0..TRIES {
        let given = line(&format!("The file to write [{}]", usual.display()), lines)?;
        let file = if given.is_empty() { usual.to_owned() } else { PathBuf::from(given) };
        match super::check(&file, force) {
            Ok(()) => return Some(file),
            Err(words) => note(&format!("{words}\n")),
        }
    }
    None
}

fn choice<'c>(question: &str, choices: &[&'c str], lines: &mut impl BufRead) -> Option<&'c str> {
    for _ in 0..TRIES {
        let given = line(question, lines)?;
        if let Some(choice) = choices.iter().find(|choice| **choice == given) {
            return Some(choice);
        }
    }
    None
}

/// What is typed behind a question, without the spaces around it.
fn line(question: &str, lines: &mut impl BufRead) -> Option<String> {
    note(&format!("{question}: "));
    let mut text = String::new();
    let read = lines.by_ref().take(MAX_ANSWER).read_line(&mut text).ok()?;
    (read > 0).then(|| text.trim().to_owned())
}
