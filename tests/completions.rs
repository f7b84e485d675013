//! What shells and `man` are told of the command line.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcp-declare")).args(arguments).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_shell_gets_its_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let script = text(output.stdout);
        for word in ["mcp-declare", "serve", "locked", "install"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completions", "cmd"]).status.code(), Some(2));
}

#[test]
fn bash_takes_its_script() {
    let script = text(run(&["completions", "bash"]).stdout);
    for (words, offered) in [
        (vec!["ser"], "serve"),
        (vec!["serve", "--lock"], "--locked"),
        (vec!["install", "shop.yaml", "--client", "cl"], "claude-desktop claude-code"),
    ] {
        let (all, at, last) = (words.join(" "), words.len(), words[words.len() - 1]);
        let before = ["mcp-declare", &all].join(" ").split(' ').nth(at - 1).unwrap().to_owned();
        let asked = format!(
            "COMP_WORDS=(mcp-declare {all}); COMP_CWORD={at}; \
             f=$(complete -p mcp-declare | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f mcp-declare {last} {before}; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &format!("{script}\n{asked}")]).output().unwrap();
        assert_eq!(text(output.stdout).trim(), offered, "{}", text(output.stderr));
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let page = text(run(&["man"]).stdout);
    assert!(page.contains(".TH mcp-declare 1") && page.contains("mcp\\-declare\\-serve(1)"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert!(run(&["man", path]).status.success());
    for page in ["mcp-declare.1", "mcp-declare-serve.1", "mcp-declare-install.1"] {
        assert!(folder.path().join(page).is_file(), "{page}");
    }
    let nowhere = run(&["man", &format!("{path}/no/such")]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(nowhere.stderr).contains("there is no such folder"));
}
