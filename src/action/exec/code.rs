//! Which elements of a command a program reads as code. No value may stand there.

use std::path::Path;

/// How much a value could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Anything.
    General,
    /// Anything too, but not if it is a number or one of a list: `sed -n {{line}}p`.
    Editor,
}

/// An element with a value in it that is read as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which element of the command, from 0.
    pub index: usize,
    /// What reads it.
    pub language: Language,
}

/// Where a program finds code on its command line.
#[derive(Debug, Clone, Copy)]
enum Reads {
    /// In its first operand, if a group of options has a `c` in it (POSIX, `sh`).
    Shell,
    /// In what follows an option: a group that ends with one of these letters, or one of these words.
    Option(&'static str, &'static [&'static str]),
    /// In its first operand or after `-e`; `-f` names a file instead. These options have a value.
    Editor(&'static [&'static str]),
    /// In every operand but the first, on another machine. The options of these letters have a value.
    Remote(&'static str),
}

/// Programs by their names, without a version at the end.
const PROGRAMS: [(&[&str], Reads); 12] = [
    (&["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"], Reads::Shell),
    (&["python", "pypy", "expect"], Reads::Option("c", &[])),
    (&["su", "runuser", "script", "flock"], Reads::Option("c", &["--command", "--session-command"])),
    (&["perl"], Reads::Option("eE", &[])),
    (&["ruby", "lua", "luajit", "osascript", "R", "Rscript"], Reads::Option("e", &[])),
    (&["julia", "groovy", "elixir"], Reads::Option("eE", &["--eval", "--print"])),
    (&["node", "nodejs", "bun"], Reads::Option("ep", &["--eval", "--print"])),
    (&["php"], Reads::Option("rBRE", &["--run", "--process-begin", "--process-code", "--process-end"])),
    (&["pwsh", "powershell"], Reads::Option("c", &["-Command", "-command", "-EncodedCommand"])),
    (&["awk", "gawk", "mawk", "nawk"], Reads::Editor(&["-F", "-v"])),
    (&["sed", "gsed"], Reads::Editor(&["-l"])),
    (&["ssh"], Reads::Remote("BbcDEeFIiJLlmOopQRSWw")),
];

/// Programs that run the one that is named after them. Behind any other, `sed` may be just a word.
const WRAPPERS: [&str; 13] = [
    "busybox", "chroot", "doas", "env", "ionice", "nice", "nohup", "setsid", "stdbuf", "sudo", "time", "timeout",
    "xargs",
];

/// The elements of a command, templates as they are written, that are read as code and have a value in them.
pub fn places(command: &[&str]) -> Vec<Place> {
    let mut all: Vec<Place> = Vec::new();
    for (program, element) in command.iter().enumerate() {
        let Some(reads) = reads(element) else { continue };
        let needs_option = matches!(reads, Reads::Shell | Reads::Option(..));
        if !needs_option && program > 0 && !wraps(command) {
            continue;
        }
        let arguments = command.get(program + 1..).unwrap_or(&[]);
        let (found, language) = match reads {
            Reads::Shell => (shell(arguments), Language::General),
            Reads::Option(letters, words) => (option(arguments, letters, words), Language::General),
            Reads::Editor(valued) => (editor(arguments, valued), Language::Editor),
            Reads::Remote(valued) => (remote(arguments, valued), Language::General),
        };
        let found = found.into_iter().filter(|i| arguments.get(*i).is_some_and(|a| a.contains("{{")));
        for index in found.map(|i| program + 1 + i) {
            if all.iter().all(|place| place.index != index) {
                all.push(Place { index, language });
            }
        }
    }
    all
}

/// How the program that an element names reads code: `/usr/bin/python3.12` is `python`.
fn reads(element: &str) -> Option<Reads> {
    let name = Path::new(element).file_name()?.to_str()?;
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let known = |names: &[&str]| names.contains(&plain) || names.contains(&name);
    PROGRAMS.iter().find(|(names, _)| known(names)).map(|(_, reads)| *reads)
}

fn wraps(command: &[&str]) -> bool {
    let name = command.first().and_then(|program| Path::new(program).file_name()?.to_str());
    name.is_some_and(|name| WRAPPERS.contains(&name))
}

/// The letters of a group of short options before any value, if it is one.
fn group(argument: &str) -> Option<&str> {
    let group = argument.strip_prefix(['-', '+']).filter(|group| !group.starts_with('-') && !group.is_empty())?;
    Some(group.split("{{").next().unwrap_or(group))
}

/// A value in an option itself could bring the `c`.
fn shell(arguments: &[&str]) -> Vec<usize> {
    let (mut found, mut from_operand, mut index) = (Vec::new(), false, 0);
    while let Some(argument) = arguments.get(index) {
        match group(argument) {
            Some(letters) => {
                from_operand |= letters.contains('c');
                found.extend(argument.contains("{{").then_some(index));
                index += if letters.ends_with(['o', 'O']) { 2 } else { 1 };
            }
            None if matches!(*argument, "-" | "--") => {
                index += 1;
                break;
            }
            None if matches!(*argument, "--rcfile" | "--init-file") => index += 2,
            None if *argument == "--command" => {
                found.push(index + 1);
                index += 2;
            }
            None if argument.starts_with("--") => index += 1,
            None => break,
        }
    }
    found.extend(from_operand.then_some(index));
    found
}

/// Options end at the first argument that is none and can't be an option's value.
fn option(arguments: &[&str], letters: &str, words: &[&str]) -> Vec<usize> {
    let (mut found, mut after_option) = (Vec::new(), false);
    for (index, argument) in arguments.iter().enumerate() {
        let is_option = argument.starts_with('-');
        if *argument == "--" || !is_option && !after_option {
            break;
        }
        let glued = |word: &&&str| argument.strip_prefix(**word).is_some_and(|rest| rest.starts_with(['=', ':', '{']));
        if words.contains(argument) {
            found.push(index + 1);
        } else if words.iter().any(|word| glued(&word)) {
            found.push(index);
        } else if let Some(group) = group(argument) {
            if argument.contains("{{") && (group.is_empty() || group.contains(|c| letters.contains(c))) {
                found.push(index);
            } else if group.ends_with(|c| letters.contains(c)) {
                found.push(index + 1);
            }
        }
        after_option = is_option;
    }
    found
}

fn editor(arguments: &[&str], valued: &[&str]) -> Vec<usize> {
    let (mut found, mut named, mut index) = (Vec::new(), false, 0);
    while let Some(argument) = arguments.get(index) {
        if *argument == "--" {
            index += 1;
            break;
        }
        if !argument.starts_with('-') || *argument == "-" {
            break;
        }
        let word = ["--expression", "--source"].into_iter().find(|word| argument.starts_with(word));
        let letters = group(argument);
        let code = letters.is_some_and(|l| l.ends_with('e')) || word.is_some_and(|word| word == *argument);
        let inside = word.is_some() || letters.is_some_and(|l| l.starts_with('e'));
        let file = letters.is_some_and(|l| l.ends_with('f') || l.starts_with('f')) || argument.starts_with("--file");
        let whole = !argument.contains("{{");
        if code && whole {
            found.push(index + 1);
        } else if inside {
            found.push(index);
        }
        named |= code || inside || file;
        let has_value = whole && (code || letters.is_some_and(|l| l.ends_with('f')) || *argument == "--file");
        index += if has_value || valued.contains(argument) { 2 } else { 1 };
    }
    found.extend((!named).then_some(index));
    found
}

fn remote(arguments: &[&str], valued: &str) -> Vec<usize> {
    let mut index = 0;
    while let Some(argument) = arguments.get(index) {
        match group(argument) {
            Some(letters) => {
                let value_next = letters.ends_with(|c| valued.contains(c)) && !argument.contains("{{");
                index += if value_next { 2 } else { 1 };
            }
            None if *argument == "--" => {
                index += 1;
                break;
            }
            None => break,
        }
    }
    (index + 1..arguments.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(command: &[&str]) -> Vec<usize> {
        places(command).into_iter().map(|place| place.index).collect()
    }

    #[test]
    fn code_is_found_however_it_is_given() {
        for command in [
            &["sh", "-c", "{{x}}"][..],
            &["/bin/sh", "-ce", "ls {{x}}"],
            &["sh", "-c", "-x", "{{x}}"],
            &["sh", "-c", "--", "{{x}}"],
            &["bash", "-euo", "pipefail", "-c", "{{x}}"],
            &["bash", "--norc", "-lc", "{{x}}"],
            &["sh", "-c{{x}}"],
            &["sh", "-{{x}}", "{{y}}"],
            &["env", "-i", "sh", "-c", "{{x}}"],
            &["busybox", "sh", "-c", "{{x}}"],
            &["python3.12", "-c", "{{x}}"],
            &["python3", "-u", "-W", "ignore", "-c", "{{x}}"],
            &["python", "-c{{x}}"],
            &["perl", "-pe", "s/{{x}}/y/"],
            &["perl5.36.0", "-lane", "print {{x}}"],
            &["perl", "-e{{x}}"],
            &["ruby", "-e", "puts 1", "-e", "{{x}}"],
            &["nodejs", "-p", "{{x}}"],
            &["node", "--eval={{x}}"],
            &["node", "--print", "{{x}}"],
            &["php8.2", "-r", "{{x}}"],
            &["pwsh", "-NoProfile", "-Command", "{{x}}"],
            &["su", "nobody", "-s", "/bin/sh", "-c", "{{x}}"],
            &["awk", "/{{x}}/"],
            &["sudo", "-n", "sed", "s/{{x}}/y/"],
            &["gawk", "-F", ",", "-v", "a=1", "{{x}}", "file"],
            &["gawk", "-e", "{{x}}"],
            &["sed", "s/{{x}}/y/", "file"],
            &["sed", "-n", "-e", "p", "-e", "{{x}}"],
            &["sed", "-ne", "{{x}}"],
            &["sed", "-e{{x}}"],
            &["sed", "--expression={{x}}"],
            &["ssh", "-p", "22", "host", "ls {{x}}"],
            &["ssh", "host", "ls", "{{x}}"],
        ] {
            assert!(!found(command).is_empty(), "{command:?}");
        }
    }

    #[test]
    fn arguments_of_code_are_none() {
        for command in [
            &["sh", "-c", "echo \"$1\"", "sh", "{{x}}"][..],
            &["sh", "-eu", "script.sh", "{{x}}"],
            &["bash", "script.sh", "-c", "{{x}}"],
            &["python3", "tool.py", "-c", "{{x}}"],
            &["python3", "-c", "import sys", "{{x}}"],
            &["python3", "-m", "tool", "{{x}}"],
            &["node", "tool.js", "-name", "{{x}}"],
            &["node", "tool.js", "--eval-all={{x}}"],
            &["perl", "-I{{x}}", "tool.pl"],
            &["perl", "-ne", "print", "{{x}}"],
            &["awk", "{ print $1 }", "{{x}}"],
            &["awk", "-v", "name={{x}}", "{ print name }"],
            &["awk", "-f", "tool.awk", "{{x}}"],
            &["sed", "-f", "tool.sed", "{{x}}"],
            &["sed", "-n", "1p", "{{x}}"],
            &["sed", "-e", "p", "{{x}}"],
            &["ssh", "-l", "{{x}}", "host", "ls"],
            &["ssh", "{{x}}"],
            &["grep", "-e", "{{x}}"],
            &["wc", "-c", "{{x}}"],
            &["git", "log", "--author={{x}}"],
            &["grep", "sed", "{{x}}"],
        ] {
            assert!(found(command).is_empty(), "{command:?}");
        }
    }
}
