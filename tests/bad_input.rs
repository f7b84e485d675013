//! Input that is no spec at all, too much of one, or one cut short: a clear error, in bounded time and memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mcp_declare::spec::load::{Input, load};
use mcp_declare::spec::{Environment, render};
use proptest::prelude::*;

use crate::harness::PATIENCE;

/// Bytes that a process may need at any time, its code included.
const MAX_MEMORY: u64 = 300 << 20;

/// How `mcp-declare check` ended.
#[derive(Debug)]
struct Checked {
    status: Option<i32>,
    stdout: String,
    stderr: String,
    memory: u64,
}

/// Runs `mcp-declare check SPEC`, and ends it if it takes too long.
fn check(spec: &Path) -> Checked {
    let output = tempfile::tempdir().unwrap();
    let file = |name: &str| std::fs::File::create(output.path().join(name)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-declare"))
        .args(["check", "--trust-permissions"])
        .arg(spec)
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .unwrap();
    let (status, memory) = wait(&mut child);
    let read = |name: &str| std::fs::read_to_string(output.path().join(name)).unwrap();
    Checked { status, stdout: read("stdout"), stderr: read("stderr"), memory }
}

/// Waits for the end of a child; its exit code, and the most memory that it was seen to have.
fn wait(child: &mut Child) -> (Option<i32>, u64) {
    let started = Instant::now();
    let mut most = 0;
    loop {
        most = most.max(peak_memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), most);
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("no end after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The kernel's own record of the most memory that a process had in RAM so far; 0 when it has ended.
pub fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<u64> = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// A text refused as it has to be: exit 1, words with `wanted` in them, little output, and nobody panics.
fn refused(name: &str, content: &[u8], wanted: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    refused_path(&path, wanted);
}

fn refused_path(path: &Path, wanted: &str) {
    let checked = check(path);
    let shown: String = checked.stdout.chars().take(4000).collect();
    assert_eq!(checked.status, Some(1), "{}: {shown}{}", path.display(), checked.stderr);
    assert!(checked.stdout.contains(wanted), "{}: {shown}", path.display());
    assert!(checked.stdout.contains("error"), "{}: {shown}", path.display());
    assert!(checked.stderr.is_empty(), "{}: {}", path.display(), checked.stderr);
    assert!(checked.stdout.len() < 200_000, "{}: {} bytes", path.display(), checked.stdout.len());
    assert!(checked.memory < MAX_MEMORY, "{}: {} MiB", path.display(), checked.memory >> 20);
}

#[test]
fn nothing_at_all() {
    refused("empty.yaml", b"", "the spec is empty");
    refused("empty.json", b"", "the spec is empty");
    refused("blank.yaml", b"\n\n   \n", "the spec is empty");
    refused("comment.yaml", b"# a comment\n---\n", "the spec is empty");
    refused("empty.toml", b"", "`server` is missing");
    refused("null.json", b"null", "the spec is empty");
}

#[test]
fn something_else() {
    refused("image.yaml", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is not UTF-8 text (byte 1 is not)");
    refused("program.yaml", b"\x7fELF\x02\x01\x01\0\0\0", "it is not text (byte 8 is NUL)");
    refused("latin1.yaml", b"server: { name: caf\xe9 }\n", "it is not UTF-8 text (byte 20 is not)");
    refused("nul.toml", b"[server]\nname = \"a\0b\"\n", "it is not text (byte 19 is NUL)");
    refused("utf16.yaml", b"\xff\xfes\0e\0r\0", "it is not UTF-8 text (byte 1 is not)");
    refused("page.yaml", b"<!DOCTYPE html>\n<html></html>\n", "expected a map with the keys of a spec");
    refused("text.yaml", b"Hello, world\n", "expected a map with the keys of a spec, found a string");
    refused("number.json", b"42", "expected a map with the keys of a spec, found an integer");
    refused("list.json", b"[1, 2]", "expected a map with the keys of a spec, found a list");
    refused("text.toml", b"Hello, world\n", "not valid TOML");
}

#[test]
fn a_file_that_is_too_large() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["large.yaml", "large.toml", "large.json"] {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().set_len(100 << 20).unwrap();
        refused_path(&path, "it is larger than 16 MiB");
    }
}

#[test]
fn no_file() {
    let folder = tempfile::tempdir().unwrap();
    refused_path(&folder.path().join("missing.yaml"), "there is no such file");
    refused_path(folder.path(), "no .yaml, .yml, .toml or .json file in this folder");
    std::fs::write(folder.path().join("file"), "").unwrap();
    refused_path(&folder.path().join("file/spec.yaml"), "a part of its path is no folder");
}

#[test]
fn a_link_to_itself_and_a_file_that_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.yaml");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    refused_path(&path, "can't read");
    refused_path(Path::new("/dev/null"), "the spec is empty");
}

#[test]
fn aliases_that_stand_for_too_much() {
    let mut bomb = "server: { name: bomb }\nx-a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for n in 1..30 {
        let before = n - 1;
        let aliases = vec![format!("*a{before}"); 9].join(", ");
        bomb.push_str(&format!("x-a{n}: &a{n} [{aliases}]\n"));
    }
    refused("bomb.yaml", bomb.as_bytes(), "too-large");
    let mut nested = "server: { name: bomb }\nx-a: &a0 [lol]\n".to_owned();
    nested.push_str(&format!("x-b: {}{}{}\n", "&a [".repeat(60), "1, ".repeat(100_000), "]".repeat(60)));
    refused("anchors.yaml", nested.as_bytes(), "too-large");
    let merge = "x-a: &a {b: 1}\n".to_owned() + &"x-b: { <<: [*a, *a, *a, *a, *a, *a, *a, *a] }\n".repeat(30_000);
    refused("merge.yaml", merge.as_bytes(), "error");
    refused("itself.yaml", b"server: &a { name: *a }\n", "error[syntax]");
}

#[test]
fn ten_thousand_deep() {
    const DEEP: usize = 10_000;
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(DEEP), close.repeat(DEEP));
    let block: String = (0..DEEP).map(|n| format!("{}a:\n", " ".repeat(n.min(2000)))).collect();
    for (name, text) in [
        ("flow-list.yaml", format!("tools: {}", nested("[", "]"))),
        ("flow-map.yaml", format!("tools: {}", nested("{a: ", "}"))),
        ("open.yaml", format!("tools: {}", "[".repeat(DEEP))),
        ("block-map.yaml", block),
        ("block-list.yaml", format!("tools:\n  {}x\n", "- ".repeat(DEEP))),
        ("lists.json", nested("[", "]")),
        ("maps.json", format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP))),
        ("arrays.toml", format!("a = {}", nested("[", "]"))),
        ("inline.toml", format!("a = {}1{}", "{ a = ".repeat(DEEP), " }".repeat(DEEP))),
        ("dotted.toml", format!("{}a = 1", "a.".repeat(DEEP))),
        ("header.toml", format!("[{}a]", "a.".repeat(DEEP))),
        ("headers.toml", format!("[[{}a]]", "a.".repeat(DEEP))),
        ("mixed.toml", format!("[{0}a]\n{0}a = {{ {0}a = 1 }}", "a.".repeat(70))),
    ] {
        refused(name, text.as_bytes(), "error");
    }
}

#[test]
fn a_line_of_a_megabyte() {
    let long = "x".repeat(1 << 20);
    refused("text.yaml", format!("server: {{ name: x, {long}: y, tools: z }}\n").as_bytes(), "error");
    refused(
        "scalar.yaml",
        format!("server: {{ name: x }}\ntools: {{ a: {{ text: \"{long} {{{{b}}}}\" }} }}\n").as_bytes(),
        "1 MiB",
    );
    let text = format!("server: {{ name: x }}\ntools: {{ a: {{ description: \"{long}\", text: \"{{{{b}}}}\" }} }}\n");
    refused("far.yaml", text.as_bytes(), "far.yaml:2:1048617\n");
    refused("value.json", format!("{{\"server\": \"{long}\"}}").as_bytes(), "expected a map");
    refused("line.toml", format!("server = \"{long}\"\n").as_bytes(), "expected a map");
    refused("garbage.yaml", "[{\"".repeat(350_000).as_bytes(), "error");
    refused("garbage.toml", "[{\"".repeat(350_000).as_bytes(), "error");
}

#[test]
fn a_great_number_of_mistakes() {
    let keys: String = (0..20_000).map(|n| format!("key{n}: 1\n")).collect();
    refused("keys.yaml", keys.as_bytes(), "there are more than 200 mistakes; the others are not shown");
    let keys: String = (0..20_000).map(|n| format!("key{n} = 1\n")).collect();
    refused("keys.toml", keys.as_bytes(), "there are more than 200 mistakes; the others are not shown");
    refused("same.yaml", "a: 1\n".repeat(20_000).as_bytes(), "there are more than 200 mistakes");
    refused("same.toml", "a = 1\n".repeat(20_000).as_bytes(), "there are more than 200 mistakes");
    refused("values.yaml", format!("tools: [{}]", "1,".repeat(600_000)).as_bytes(), "too-large");
    refused("values.toml", format!("tools = [{}]", "1,".repeat(600_000)).as_bytes(), "too-large");
    let one_line = format!("{{{}}}", "\"a\":1,".repeat(50_000));
    refused("line.json", one_line.as_bytes(), "there are more than 200 mistakes");
}

/// The bookshop beside what it names, with its text replaced.
struct Bookshop(tempfile::TempDir);

impl Bookshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bookshop");
        for name in ["bookshop.sql", "terms.md"] {
            std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
        }
        std::fs::create_dir(folder.path().join("manuscripts")).unwrap();
        Bookshop(folder)
    }

    fn text(name: &str) -> String {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bookshop").join(name)).unwrap()
    }

    fn check(&self, name: &str, text: &[u8]) -> Checked {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        check(&path)
    }
}

#[test]
fn the_first_part_of_a_spec() {
    let shop = Bookshop::new();
    for name in ["bookshop.yaml", "bookshop.toml"] {
        let text = Bookshop::text(name);
        for n in 0..60 {
            let cut = text.len() * n / 60;
            let checked = shop.check(name, &text.as_bytes()[..cut]);
            let clear = match checked.status {
                Some(0) => checked.stdout.contains(": ok, "),
                Some(1) => checked.stdout.contains("error") && checked.stderr.is_empty(),
                _ => false,
            };
            assert!(clear, "{name} cut at {cut}: {checked:?}");
            assert!(checked.memory < MAX_MEMORY, "{name} cut at {cut}: {checked:?}");
        }
    }
}

#[test]
fn ways_to_write_the_same_spec() {
    let shop = Bookshop::new();
    for name in ["bookshop.yaml", "bookshop.toml"] {
        let text = Bookshop::text(name);
        let wanted = shop.check(name, text.as_bytes());
        assert_eq!(wanted.status, Some(0), "{wanted:?}");
        let windows = text.replace('\n', "\r\n");
        for other in [format!("\u{feff}{text}"), windows.clone(), format!("\u{feff}{windows}")] {
            let found = shop.check(name, other.as_bytes());
            assert_eq!((found.status, found.stdout), (Some(0), wanted.stdout.clone()), "{name}");
        }
    }
}

#[test]
fn lines_that_end_as_on_windows_have_the_same_places() {
    let text = "server: { name: x }\ntools:\n  a:\n    text: |\n      One\n      {{two}}\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let (words, _) = loaded_and_checked(&text);
        assert!(words.contains("spec.yaml:6:9\n"), "{words}");
    }
}

/// What `check` says of a spec.
fn loaded_and_checked(text: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    let checked = check(&path);
    (checked.stdout, checked.status)
}

#[test]
fn tabs() {
    let (words, status) = loaded_and_checked("server:\n\tname: x\n");
    assert_eq!(status, Some(1));
    assert!(words.contains("YAML is indented with spaces, not tabs"), "{words}");
    let (words, status) = loaded_and_checked("server: {\tname: x\t}\t# a comment\ntools: { a: { text: \"a\tb\" } }\n");
    assert_eq!(status, Some(0), "{words}");
}

/// Reads a text in this process and renders all that is said of it.
fn read(text: &str) {
    let loaded = load(&Input::Text(text.to_owned()), &Environment::default());
    for diagnostic in loaded.diagnostics.sorted(&loaded.files) {
        let words = render::text(diagnostic, &loaded.files, false);
        assert!(!words.trim().is_empty());
        let json = render::json(diagnostic, &loaded.files);
        assert!(json["message"].as_str().is_some_and(|m| !m.is_empty()));
    }
    assert!(loaded.document.is_some() || !loaded.diagnostics.is_empty(), "nothing, and no word why: {text:?}");
}

/// The same as TOML, which goes by a file's name.
fn read_toml(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    std::fs::write(&path, text).unwrap();
    let loaded = load(&Input::Path(path), &Environment::default());
    for diagnostic in loaded.diagnostics.sorted(&loaded.files) {
        render::text(diagnostic, &loaded.files, false);
    }
    assert!(loaded.document.is_some() || !loaded.diagnostics.is_empty(), "nothing, and no word why: {text:?}");
}

/// A text with some of its parts cut out, doubled, or replaced by what often is at fault.
fn mutated(text: &str, changes: &[(usize, usize, usize)]) -> String {
    const PARTS: [&str; 24] = [
        "",
        "\n",
        " ",
        "\t",
        "\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        ",",
        "#",
        "&a ",
        "*a",
        "<<: ",
        "!x ",
        "|\n",
        "{{",
        "}}",
        "${X}",
        "\u{feff}é😀",
    ];
    let mut text: Vec<char> = text.chars().collect();
    for (at, length, part) in changes {
        let at = at % (text.len() + 1);
        let end = (at + length % 12).min(text.len());
        let with: Vec<char> = match part % (PARTS.len() + 1) {
            n if n < PARTS.len() => PARTS[n].chars().collect(),
            _ => text[at..end].repeat(2),
        };
        text.splice(at..end, with);
    }
    text.into_iter().collect()
}

fn changes() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    proptest::collection::vec((any::<usize>(), any::<usize>(), any::<usize>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        read(&text);
        read_toml(&text);
    }

    #[test]
    fn random_syntax_never_panics(text in "[a-c{}\\[\\]:,\"'|>&*!%@#?\\-<. \\n\\t$=~0-9é]{0,120}") {
        read(&text);
        read_toml(&text);
    }

    #[test]
    fn a_mutated_spec_never_panics(changes in changes()) {
        read(&mutated(&Bookshop::text("bookshop.yaml"), &changes));
    }

    #[test]
    fn a_mutated_toml_spec_never_panics(changes in changes()) {
        read_toml(&mutated(&Bookshop::text("bookshop.toml"), &changes));
    }
}
