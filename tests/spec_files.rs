//! One spec in several files and in every notation: `include`, folders, JSON, anchors, `x-…` keys, partials.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Files in a folder of their own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, content)| folder.write(name, content));
        folder
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `mcp-declare` in the folder.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mcp-declare")).args(arguments).current_dir(&self.0).output().unwrap()
    }

    /// What `check` prints, and whether all is well.
    fn check(&self, spec: &str) -> (bool, String) {
        let output = self.run(&["check", spec]);
        (output.status.success(), text(&output.stdout))
    }

    /// The names of a list, as clients see it.
    fn names(&self, spec: &str, list: &str) -> Vec<String> {
        let output = self.run(&["list", spec, "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let name = |entry: &Value| entry["name"].as_str().unwrap().to_owned();
        listed[list].as_array().unwrap().iter().map(name).collect()
    }

    /// A tool's answer.
    fn call(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["call"], arguments].concat());
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const SERVER: &str = "server: { name: parts }\n";

#[test]
fn several_files_are_one_spec() {
    let folder = Folder::new(&[
        (
            "main.yaml",
            "server: { name: parts }\n\
             include: [tools/a.yaml, tools/b.toml, tools/c.json]\n\
             partials: { greeting: 'Hello {{name}}' }\n\
             tools:\n  main: { text: From main }\n",
        ),
        ("tools/a.yaml", "tools:\n  a: { params: { name: string }, text: '{{> greeting}} from a' }\n"),
        ("tools/b.toml", "[tools.b]\nfile = './b.txt'\n\n[prompts.hello]\ntemplate = 'Hello'\n"),
        ("tools/b.txt", "The file beside b.toml\n"),
        ("tools/c.json", r#"{ "tools": { "c": { "text": "From c" } }, "include": "more/d.yaml" }"#),
        ("tools/more/d.yaml", "resources:\n  parts://d: { name: d, text: From d }\n"),
    ]);
    assert_eq!(folder.names("main.yaml", "tools"), ["main", "a", "b", "c"]);
    assert_eq!(folder.names("main.yaml", "prompts"), ["hello"]);
    assert_eq!(folder.names("main.yaml", "resources"), ["d"]);
    assert_eq!(folder.call(&["main.yaml", "a", "name=Ada"]), "Hello Ada from a");
    assert_eq!(folder.call(&["main.yaml", "b"]), "The file beside b.toml");
    let (sound, words) = folder.check("main.yaml");
    assert!(sound && words.contains("\nmain.yaml: ok, parts 0.0.0 (4 tools, 1 resource, 1 prompt)"), "{words}");
}

#[test]
fn a_pattern_includes_its_files_in_order_and_never_itself() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: ['./*.yaml', 'sub/**/*.toml']\n"),
        ("b.yaml", "tools: { b: { text: b } }\n"),
        ("a.yaml", "tools: { a: { text: a } }\n"),
        (".hidden.yaml", "tools: { hidden: { text: no } }\n"),
        ("notes.txt", "no spec\n"),
        ("sub/deep/d.toml", "tools.d.text = 'd'\n"),
        ("sub/c.toml", "tools.c.text = 'c'\n"),
    ]);
    assert_eq!(folder.names("main.yaml", "tools"), ["a", "b", "c", "d"]);
}

#[test]
fn the_folders_own_name_is_no_pattern() {
    let folder = Folder::new(&[
        ("[odd] *name?/main.yaml", "server: { name: parts }\ninclude: [a.yaml, 'more/*.yaml']\n"),
        ("[odd] *name?/a.yaml", "tools: { a: { text: a } }\n"),
        ("[odd] *name?/more/b.yaml", "tools: { b: { text: b } }\n"),
    ]);
    assert_eq!(folder.names("[odd] *name?/main.yaml", "tools"), ["a", "b"]);
}

#[test]
fn a_pattern_without_files_is_a_warning() {
    let folder = Folder::new(&[("main.yaml", "server: { name: parts }\ninclude: 'tools/*.yaml'\n")]);
    let (sound, words) = folder.check("main.yaml");
    assert!(sound && words.contains("warning[missing-file]: this pattern matches no file"), "{words}");
    assert!(words.contains("1 warning"), "{words}");
    assert!(!folder.run(&["check", "--deny-warnings", "main.yaml"]).status.success());
}

#[test]
fn the_path_of_an_include_may_come_from_outside() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: '${PART:-a}.yaml'\n"),
        ("a.yaml", "tools: { a: { text: a } }\n"),
        ("b.yaml", "tools: { b: { text: b } }\n"),
        (".env", "PART=b\n"),
    ]);
    assert_eq!(folder.names("main.yaml", "tools"), ["a"]);
    let output = folder.run(&["list", "main.yaml", "--json", "--env-file", ".env"]);
    assert!(text(&output.stdout).contains(r#""b""#), "{output:?}");
}

#[test]
fn the_same_file_by_two_ways_is_read_once() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: [a.yaml, b.yaml, ./a.yaml]\n"),
        ("a.yaml", "include: common.yaml\ntools: { a: { text: a } }\n"),
        ("b.yaml", "include: ./common.yaml\ntools: { b: { text: b } }\n"),
        ("common.yaml", "tools: { common: { text: c } }\n"),
    ]);
    assert_eq!(folder.names("main.yaml", "tools"), ["a", "common", "b"]);
}

#[test]
fn a_cycle_is_an_error_that_shows_the_way() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: a.yaml\n"),
        ("a.yaml", "include: b.yaml\n"),
        ("b.yaml", "tools: { b: { text: b } }\ninclude: a.yaml\n"),
        ("self.yaml", "server: { name: parts }\ninclude: self.yaml\n"),
    ]);
    let (sound, words) = folder.check("main.yaml");
    assert!(!sound, "{words}");
    assert_eq!(
        words,
        "error[bad-value]: a.yaml includes itself\n --> b.yaml:2:10\n  |\n2 | include: a.yaml\n  |          \
         ^^^^^^ a.yaml → b.yaml → a.yaml\n\nmain.yaml: 1 error\n"
    );
    let (sound, words) = folder.check("self.yaml");
    assert!(!sound && words.contains("self.yaml includes itself\n --> self.yaml:2:10\n"), "{words}");
}

#[test]
fn a_name_in_two_files_shows_both_places() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: [a.yaml, b.toml]\n"),
        ("a.yaml", "tools:\n  hello: { text: a }\n"),
        ("b.toml", "[tools.hello]\ntext = 'b'\n"),
    ]);
    let (sound, words) = folder.check("main.yaml");
    assert!(!sound, "{words}");
    for part in ["the key `hello` stands twice", "--> b.toml:1:8\n", "::: a.yaml:2:3\n", "first defined here"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn mistakes_in_a_part_stand_in_that_part() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: [a.yaml, b.yaml, c.yaml, d.yaml]\n"),
        ("a.yaml", "tools:\n  a:\n    text: '{{nobody}}'\n"),
        ("b.yaml", "- a list\n"),
        ("c.yaml", "tools: [a, b]\nprompts:\n"),
        ("d.yaml", "tools: { d: { text: '{{nowhere}}' } }\nversion: 1\n"),
    ]);
    let (sound, words) = folder.check("main.yaml");
    assert!(!sound, "{words}");
    for part in ["a.yaml:3:14\n", "b.yaml:1:1\n", "c.yaml:1:8\n", "d.yaml:1:24\n", "d.yaml:2:1\n", "5 errors"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn a_part_may_be_empty_and_sections_too() {
    let folder = Folder::new(&[
        ("main.yaml", "mcpDeclare: 1\nserver: { name: parts }\ntools:\ninclude: [a.yaml, b.yaml]\n"),
        ("a.yaml", "# nothing yet\n"),
        ("b.yaml", "mcpDeclare: 1\nresources:\ntools: { b: { text: b } }\n"),
    ]);
    assert_eq!(folder.names("main.yaml", "tools"), ["b"]);
}

#[test]
fn a_folder_is_one_spec() {
    let folder = Folder::new(&[
        ("spec/0-comment.yaml", "# only a comment\n"),
        ("spec/a.yaml", "tools: { a: { sql: { source: memory, query: SELECT 1 AS one, returns: value } } }\n"),
        ("spec/b.toml", "[server]\nname = 'folder'\nversion = '1.2.3'\n"),
        ("spec/c.json", r#"{ "sources": { "memory": { "sql": "sqlite::memory:" } } }"#),
        ("spec/d.yml", "tools: { d: { text: d } }\n"),
        ("spec/notes.md", "no spec\n"),
        ("spec/sub/e.yaml", "tools: { e: { text: not of this folder } }\n"),
    ]);
    assert_eq!(folder.names("spec", "tools"), ["a", "d"]);
    assert_eq!(folder.call(&["spec", "a"]), "1");
    let (sound, words) = folder.check("spec");
    assert!(sound && words.contains("\nspec: ok, folder 1.2.3 (2 tools, 0 resources, 0 prompts)"), "{words}");
    folder.write("spec/z.yaml", "tools: { a: { text: again } }\n");
    let (sound, words) = folder.check("spec");
    assert!(!sound && words.contains("--> spec/z.yaml:1:10\n") && words.contains("::: spec/a.yaml:1:10\n"), "{words}");
}

#[test]
fn two_whole_specs_in_a_folder_are_said_once() {
    let tools = "tools: { a: { text: a }, b: { text: b } }\n";
    let folder = Folder::new(&[
        ("spec/one.yaml", &format!("server: {{ name: one }}\n{tools}")),
        ("spec/parts.yaml", tools),
        ("spec/three.json", r#"{ "server": { "name": "three" } }"#),
        ("spec/two.toml", "[server]\nname = 'two'\n[tools.a]\ntext = 'a'\n"),
    ]);
    let (sound, words) = folder.check("spec");
    assert!(!sound && words.ends_with("\nspec: 1 error\n"), "{words}");
    let places = ["--> spec/three.json:1:3\n", "::: spec/one.yaml:1:1\n", "::: spec/two.toml:1:2\n"];
    assert!(places.iter().all(|place| words.contains(place)), "{words}");
    assert!(words.contains("name one of them in place of the folder"), "{words}");
}

#[test]
fn json_is_a_spec() {
    let json = r#"{
	"server": { "name": "json", "title": "caf\u00e9 \ud83d\ude00" },
	"tools": { "hello": { "params": { "name": { "type": "string" } }, "text": "Hello \"{{name}}\"\n\u00fc" } }
}"#;
    let folder = Folder::new(&[("spec.json", json), ("tabs.yaml", json)]);
    for spec in ["spec.json", "tabs.yaml"] {
        assert_eq!(folder.call(&[spec, "hello", "name=Ada"]), "Hello \"Ada\"\nü");
    }
}

#[test]
fn keys_with_an_x_are_ignored_everywhere() {
    let folder = Folder::new(&[(
        "spec.yaml",
        "x-top: ${NOT_SET}\n\
         server: { name: x, x-owner: us }\n\
         sources: { x-old: 1, memory: { sql: 'sqlite::memory:', x-note: [1, 2] } }\n\
         tools:\n  x-draft: 5\n  a: { text: a, x-reviewed: yes, params: { x-hidden: 1 } }\n\
         resources: { 'x://a': { text: a, x-tag: { y: 1 } } }\n\
         prompts: { p: { template: p, x-a: 1, arguments: { a: { x-b: 1 } } } }\n",
    )]);
    let (sound, words) = folder.check("spec.yaml");
    assert!(sound, "{words}");
    assert_eq!(folder.names("spec.yaml", "tools"), ["a"]);
    assert_eq!(folder.names("spec.yaml", "resources"), ["x://a"]);
}

#[test]
fn anchors_and_merge_keys() {
    let folder = Folder::new(&[(
        "spec.yaml",
        "x-limit: &limit { type: integer, minimum: 1, maximum: 100, default: 20 }\n\
         x-query: &query { source: memory, returns: value }\n\
         x-more: &more { source: nowhere, maxRows: 5 }\n\
         server: &server { name: &name anchors, title: *name }\n\
         sources: { memory: { sql: 'sqlite::memory:' } }\n\
         tools:\n\
         \x20 a: { params: { limit: *limit }, sql: { <<: *query, query: 'SELECT :limit' } }\n\
         \x20 b: { params: { limit: { <<: *limit, default: 7 } }, sql: { <<: [*query, *more], query: 'SELECT :limit' } }\n\
         \x20 c: { params: { words: { type: string, default: \"<<\" } }, text: '{{words}}' }\n",
    )]);
    assert_eq!(folder.call(&["spec.yaml", "a"]), "20");
    assert_eq!(folder.call(&["spec.yaml", "b"]), "7");
    assert_eq!(folder.call(&["spec.yaml", "b", "limit=9"]), "9");
    assert_eq!(folder.call(&["spec.yaml", "c"]), "<<");
    assert!(folder.check("spec.yaml").1.contains("ok, anchors 0.0.0"));
}

#[test]
fn partials_are_written_out_or_in_files() {
    let folder = Folder::new(&[
        (
            "spec.yaml",
            "server: { name: parts }\n\
             partials:\n  line: '- {{title}}'\n  whole: { file: ./whole.hbs }\n\
             tools:\n  list:\n    params: { books: { type: array, items: { type: object } } }\n    text: '{{> whole}}'\n",
        ),
        ("whole.hbs", "Books:\n{{#each books}}{{> line}}\n{{/each}}"),
    ]);
    let books = r#"{ "books": [{ "title": "Dune" }, { "title": "Emma" }] }"#;
    assert_eq!(folder.call(&["spec.yaml", "list", "--json", books]), "Books:\n- Dune\n- Emma");
}

#[test]
fn values_mean_the_same_in_yaml_and_toml() {
    let folder = Folder::new(&[
        (
            "spec.yaml",
            "server: { name: same, version: '1.0' }\n\
             defaults: { timeout: 5s, maxRows: 10, maxBytes: 64KiB }\n\
             tools:\n  t:\n    description: |\n      Two\n      lines\n    annotations: { readOnlyHint: true }\n    params:\n      \
             n: { type: integer, default: 0x10, maximum: 1e3 }\n      f: { type: number, default: .5 }\n      \
             l: { enum: [a, 1, true, null] }\n      s: string\n    text: '{{n}} {{f}} {{l}} {{s}}'\n",
        ),
        (
            "spec.toml",
            "[server]\nname = 'same'\nversion = '1.0'\n[defaults]\ntimeout = '5s'\nmaxRows = 10\nmaxBytes = '64KiB'\n\
             [tools.t]\ndescription = \"\"\"\nTwo\nlines\n\"\"\"\nannotations.readOnlyHint = true\n\
             text = '{{n}} {{f}} {{l}} {{s}}'\n[tools.t.params]\nn = { type = 'integer', default = 0x10, maximum = 1e3 }\n\
             f = { type = 'number', default = 0.5 }\nl = { enum = ['a', 1, true, 'null'] }\ns = 'string'\n",
        ),
    ]);
    let listed = |spec: &str| text(&folder.run(&["list", spec, "--json"]).stdout);
    assert_eq!(listed("spec.yaml").replace("null", "\"null\""), listed("spec.toml"));
    for spec in ["spec.yaml", "spec.toml"] {
        assert_eq!(folder.call(&[spec, "t", "l=a", "s=x"]), "16 0.5 a x");
    }
}

#[test]
fn relative_paths_start_at_the_file_that_they_stand_in() {
    let folder = Folder::new(&[
        ("main.yaml", "server: { name: parts }\ninclude: sub/part.yaml\n"),
        (
            "sub/part.yaml",
            "sources: { shop: { sql: 'sqlite:./none.db', init: ./shop.sql } }\n\
             tools:\n  count: { sql: { source: shop, query: SELECT count(*) FROM books, returns: value } }\n\
             \x20 note: { file: note.txt }\n  where: { exec: { command: [pwd] } }\n",
        ),
        ("sub/shop.sql", "CREATE TABLE books (id INTEGER); INSERT INTO books VALUES (1), (2);"),
        ("sub/note.txt", "A note"),
    ]);
    assert_eq!(folder.call(&["main.yaml", "count", "--trust-permissions"]), "2");
    assert_eq!(folder.call(&["main.yaml", "note", "--trust-permissions"]), "A note");
    let sub = folder.path("sub").canonicalize().unwrap();
    assert_eq!(folder.call(&["main.yaml", "where", "--trust-permissions"]), sub.display().to_string());
    assert!(Path::new(&folder.path("sub/none.db")).exists());
}

#[test]
fn a_spec_by_a_link_keeps_the_folder_that_it_was_given_in() {
    let folder = Folder::new(&[
        ("real/spec.yaml", &format!("{SERVER}tools: {{ note: {{ file: ./note.txt }} }}\n")),
        ("given/note.txt", "beside the link"),
        ("real/note.txt", "beside the file"),
    ]);
    std::os::unix::fs::symlink("../real/spec.yaml", folder.path("given/spec.yaml")).unwrap();
    assert_eq!(folder.call(&["given/spec.yaml", "note"]), "beside the link");
    assert_eq!(folder.call(&["real/spec.yaml", "note"]), "beside the file");
}
