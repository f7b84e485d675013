//! `docs/cli.md` has every command, with every option that its help has, and no other.

use std::collections::BTreeSet;
use std::process::Command;

/// What a command says of itself.
fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-declare")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that the program's help lists.
fn commands(help: &str) -> Vec<&str> {
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

/// The long options that the lines of a help begin with.
fn offered(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines.filter_map(|line| line.split_whitespace().find_map(|word| word.strip_prefix("--"))).map(bare).collect()
}

/// The long options in the first column of a section's tables.
fn told(section: &str) -> BTreeSet<String> {
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let words = cells.flat_map(|cell| cell.split(['`', ' ', ',']).filter_map(|word| word.strip_prefix("--")));
    words.map(bare).collect()
}

/// An option without the value that it may have: `project` of `project[=FOLDER]`.
fn bare(option: &str) -> String {
    option.split('[').next().unwrap_or(option).to_owned()
}

#[test]
fn the_page_of_the_command_line_has_every_option() {
    let page = std::fs::read_to_string(super::root().join("docs/cli.md")).unwrap();
    let section = |name: &str| page.split("\n## ").find(|section| section.starts_with(name));
    let everywhere = told(section("Every command").unwrap());
    for command in commands(&help(&[])) {
        let offered = offered(&help(&[command]));
        let section = section(&format!("`{command}")).unwrap_or_else(|| panic!("there is no section of {command}"));
        let told = told(section);
        // Some are told in a sentence, or in the command's own line.
        let named: Vec<&str> = section.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        let known = |option: &str| everywhere.contains(option) || named.contains(&format!("--{option}").as_str());
        let missing: Vec<&String> = offered.iter().filter(|option| !known(option)).collect();
        assert!(missing.is_empty(), "{command} has {missing:?}, and the page does not");
        let gone: Vec<&String> = told.iter().filter(|option| !offered.contains(*option)).collect();
        assert!(gone.is_empty(), "the page gives {command} {gone:?}, and it has none");
    }
}
