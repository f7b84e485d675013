//! Every example works: its spec is sound in both languages, and all that it offers has been tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::readme::copy;

/// What is tried: the example, the command's words after the spec's path, and a part of what it prints.
const SAMPLES: &[(&str, &[&str], &str)] = &[
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
    ("devops", &["call", "releases"], "Tide tables"),
    ("devops", &["call", "status"], "\"staging\": \"none\""),
    ("devops", &["call", "deploy", "version=1.1.0", "environment=staging", "--explain"], "scripts/switch.sh"),
    ("devops", &["call", "deploy_all", "version=1.1.0", "--explain"], "deployed (for each of `environments`"),
    ("devops", &["call", "rollback", "environment=staging", "--explain"], "calls the tool restore"),
    ("devops", &["call", "restore", "environment=staging", "reason=why", "--explain"], "scripts/restore.sh"),
    ("research-assistant", &["call", "find_documents", "word=cooler"], "green-roofs"),
    ("research-assistant", &["call", "read_document", "name=night-buses"], "Two thirds of the passengers"),
    ("research-assistant", &["call", "summarize", "name=green-roofs", "question=cost", "--explain"], "(sampling)"),
    ("research-assistant", &["call", "research", "word=cool", "question=cost", "--explain"], "summaries (for each of"),
    ("gateway", &["call", "shop_find_books", "words=dune"], "Dune Messiah"),
    ("gateway", &["call", "shop_bestsellers", "genre=crime", "limit=1"], "\"rowCount\": 1"),
    ("gateway", &["call", "shop_orders", "book=57", "status=open,shipped"], "\"rowCount\": 3"),
    ("gateway", &["call", "first_match", "words=two towers"], "\"title\": \"The Two Towers\""),
    ("gateway", &["read", "shop://books/1"], "Sense and Sensibility"),
    ("gateway", &["read", "shop://terms"], "Terms of sale"),
    ("gateway", &["prompt", "shop_recommend", "taste=sea stories", "genre=adventure"], "sea stories"),
    ("sales-analytics", &["call", "fetch_sales_data", "region=EMEA"], "98500.75"),
    ("sales-analytics", &["call", "calculate_metrics", "revenue=150000", "expenses=95000"], "\"profit\": 55000"),
    ("sales-analytics", &["call", "forecast_trend", "region=APAC", "monthsAhead=2"], "\"month\": 2"),
    ("sales-analytics", &["read", "resource://company/config"], "Northwind"),
    ("sales-analytics", &["read", "report://quarterly"], "Q4 2024 review"),
    ("sales-analytics", &["read", "report://annual"], "2024 in one page"),
    ("sales-analytics", &["read", "database://sales"], "AMERICAS"),
    ("sales-analytics", &["read", "database://regions"], "AMERICAS"),
    ("sales-analytics", &["prompt", "sales_analysis_prompt", "region=APAC"], "125000.5"),
    ("sales-analytics", &["prompt", "budget_planning_prompt", "budget=90000"], "90000"),
    ("sales-analytics", &["prompt", "technical_analysis_prompt", "table_name=sales"], "`growth_percent`"),
    ("tasks", &["call", "create_task", "title=Buy stamps"], "Buy stamps"),
    ("tasks", &["call", "search_tasks", "words=talk"], "talk for Thursday"),
    ("tasks", &["call", "complete_task", "id=2", "--yes"], "is done"),
    ("tasks", &["read", "tasks://today"], "invoice"),
    ("tasks", &["read", "tasks://1"], "2024-118"),
    ("tasks", &["prompt", "weekly_review"], "Renew the library card"),
];

/// An example in a copy of all of them: one may use another.
struct Example {
    name: String,
    all: TempDir,
}

impl Example {
    fn all() -> Vec<Example> {
        let listed = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap();
        let example = |path: PathBuf| {
            let all = tempfile::tempdir().unwrap();
            copy(path.parent().unwrap(), all.path());
            Example { name: path.file_name().unwrap().to_string_lossy().into_owned(), all }
        };
        listed.map(|entry| example(entry.unwrap().path())).collect()
    }

    /// The files at its top that end so.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let paths = fs::read_dir(self.all.path().join(&self.name)).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|e| e == ending)).collect()
    }

    /// Its one YAML spec.
    fn spec(&self) -> PathBuf {
        let [spec] = self.files("yaml").try_into().unwrap_or_else(|all| panic!("{}: {all:?}", self.name));
        spec
    }

    /// That, and the same in TOML where it is written so too.
    fn specs(&self) -> Vec<PathBuf> {
        [self.spec()].into_iter().chain(self.files("toml")).collect()
    }
}

/// What a command that has to succeed prints.
fn run(command: &str, spec: &Path, rest: &[&str]) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_mcp-declare"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut run = Command::new(binary);
    let output = run.env("PATH", path).arg(command).arg(spec).args(rest).output().unwrap();
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
        for spec in example.specs() {
            assert!(run("check", &spec, &["--deny-warnings"]).contains(": ok, "), "{}", spec.display());
        }
        assert!(example.files("db").is_empty(), "`check` makes nothing");
        for spec in example.specs() {
            assert_eq!(lists(&example.spec()), lists(&spec), "{}", spec.display());
        }
    }
}

#[test]
fn everything_that_is_offered_gives_an_answer() {
    for example in Example::all() {
        for spec in example.specs() {
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
        let lists = lists(&example.spec());
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
        let fixed = |uri: &String| uri.split('{').next().unwrap().to_owned();
        let templates: Vec<String> = names("resourceTemplates", "uriTemplate").iter().map(fixed).collect();
        let mut resources = names("resources", "uri");
        resources.retain(|uri| !templates.iter().any(|template| uri.starts_with(template)));
        let read = tried("read");
        for uri in resources.iter().chain(&templates) {
            assert!(read.iter().any(|r| r.starts_with(uri)), "{uri}");
        }
    }
}
