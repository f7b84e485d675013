//! Every example works: its spec is sound in both languages, and all that it offers has been tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::readme::copy;

/// What is tried: the example, the command's words after the spec's path, and a part of what it prints.
const SAMPLES: [(&str, &[&str], &str); 11] = [
    ("bookshop", &["call", "find_books", "words=dune"], "Dune Messiah"),
    ("bookshop", &["call", "bestsellers", "genre=crime", "limit=1"], "\"rowCount\": 1"),
    ("bookshop", &["call", "book_orders", "book=57", "status=open,shipped"], "\"rowCount\": 3"),
    ("bookshop", &["call", "lookup_isbn", "isbn=9780441172719", "--explain"], "/isbn/9780441172719.json"),
    ("bookshop", &["call", "count_words", "manuscript=winter-ferry"], "winter-ferry.md"),
    ("bookshop", &["call", "search_manuscripts", "words=lamp"], "lamplighter.md:"),
    ("bookshop", &["read", "shop://books/1"], "Sense and Sensibility"),
    ("bookshop", &["read", "shop://manuscripts/small-rivers"], "A Map of Small Rivers"),
    ("bookshop", &["read", "shop://terms"], "Terms of sale"),
    ("bookshop", &["prompt", "recommend", "taste=sea stories", "genre=adventure"], "sea stories"),
    ("bookshop", &["prompt", "review_manuscript", "manuscript=orchard-clock"], "assistant:"),
];

/// An example in a folder of its own.
struct Example {
    name: String,
    folder: TempDir,
}

impl Example {
    fn all() -> Vec<Example> {
        let listed = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap();
        let example = |path: PathBuf| {
            let folder = tempfile::tempdir().unwrap();
            copy(&path, folder.path());
            Example { name: path.file_name().unwrap().to_string_lossy().into_owned(), folder }
        };
        listed.map(|entry| example(entry.unwrap().path())).collect()
    }

    /// The files at its top that end so.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let paths = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|e| e == ending)).collect()
    }

    /// The one spec of this language.
    fn spec(&self, ending: &str) -> PathBuf {
        let [spec] = self.files(ending).try_into().unwrap_or_else(|all| panic!("{}: {all:?}", self.name));
        spec
    }
}

/// What a command that has to succeed prints.
fn run(command: &str, spec: &Path, rest: &[&str]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    let output = run.arg(command).arg(spec).args(rest).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command} {} {rest:?}: {said}", spec.display());
    String::from_utf8(output.stdout).unwrap()
}

fn lists(spec: &Path) -> Value {
    serde_json::from_str(&run("list", spec, &["--json"])).unwrap()
}

#[test]
fn every_spec_is_sound_and_its_twin_says_the_same() {
    let examples = Example::all();
    assert!(!examples.is_empty());
    for example in examples {
        let (yaml, toml) = (example.spec("yaml"), example.spec("toml"));
        for spec in [&yaml, &toml] {
            assert!(run("check", spec, &["--deny-warnings"]).contains(": ok, "), "{}", spec.display());
        }
        assert!(example.files("db").is_empty(), "`check` makes nothing");
        assert_eq!(lists(&yaml), lists(&toml), "{}", example.name);
    }
}

#[test]
fn everything_that_is_offered_gives_an_answer() {
    for example in Example::all() {
        for spec in [example.spec("yaml"), example.spec("toml")] {
            for (_, words, expected) in SAMPLES.iter().filter(|(name, ..)| *name == example.name) {
                let answer = run(words[0], &spec, &words[1..]);
                assert!(answer.contains(expected), "{words:?} of {}:\n{answer}", spec.display());
            }
        }
    }
}

#[test]
fn no_tool_resource_or_prompt_goes_untried() {
    for example in Example::all() {
        let lists = lists(&example.spec("yaml"));
        let names = |list: &str, key: &str| -> BTreeSet<String> {
            lists[list].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
        };
        let samples = SAMPLES.iter().filter(|(name, ..)| *name == example.name);
        let tried = |command: &str| -> BTreeSet<String> {
            samples
                .clone()
                .filter(|(_, words, _)| words[0] == command)
                .map(|(_, words, _)| words[1].to_owned())
                .collect()
        };
        assert_eq!(names("tools", "name"), tried("call"), "{}", example.name);
        assert_eq!(names("prompts", "name"), tried("prompt"), "{}", example.name);
        let mut resources = names("resources", "uri");
        resources.extend(names("resourceTemplates", "uriTemplate"));
        let read = tried("read");
        assert_eq!(resources.len(), read.len(), "{resources:?} and {read:?}");
        for uri in resources {
            let fixed = uri.split('{').next().unwrap();
            assert!(read.iter().any(|r| r.starts_with(fixed)), "{uri}");
        }
    }
}
