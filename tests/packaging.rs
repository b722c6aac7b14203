//! What packages and CI take from the project: completions, manual pages, and the files that run stslint elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::process::{Command, Output};

fn stslint(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin("stslint")).args(args).env("NO_COLOR", "1").output().unwrap()
}

fn printed(args: &[&str]) -> String {
    let output = stslint(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the shell takes the script; `None` where there is no such shell.
fn parses(shell: &str, script: &str) -> Option<bool> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let status = Command::new(shell).arg("-n").arg(file.path()).status().ok()?;
    Some(status.success())
}

#[test]
fn every_shell_gets_a_script_that_knows_the_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for word in ["min-severity", "snapshot", "explain"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    for shell in ["bash", "fish", "zsh"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("sarif"), "{shell} knows the values of --format");
        assert_ne!(parses(shell, &script), Some(false), "{shell}");
    }
    assert_eq!(parses("bash", "case x in"), Some(false), "bash is there, and tells a script from none");
}

#[test]
fn bash_completes() {
    let script = printed(&["completions", "bash"]);
    let ask = "COMP_WORDS=(stslint check --min-severity ''); COMP_CWORD=3; _stslint stslint '' --min-severity; echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "error warning note");
}

/// The names of the commands that `--help` lists.
fn commands(of: &[&str]) -> Vec<String> {
    let help = printed(&[of, &["--help"]].concat());
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("share/man1");
    assert_eq!(printed(&["man", target.to_str().unwrap()]), "");
    let page = |name: &str| std::fs::read_to_string(target.join(format!("{name}.1"))).unwrap();
    let names = commands(&[]);
    assert!(names.contains(&"check".to_owned()) && names.len() > 10, "{names:?}");
    for name in &names {
        let text = page(&format!("stslint-{name}"));
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"SEE ALSO\""] {
            assert!(text.contains(&format!(".SH {section}\n")), "{name}: {section}");
        }
    }
    for name in commands(&["rules"]) {
        page(&format!("stslint-rules-{name}"));
    }
    assert!(page("stslint-check").contains("\\-\\-min\\-severity"));
    assert_eq!(page("stslint"), printed(&["man"]));
}

#[test]
fn the_main_page_says_what_no_command_line_can() {
    let page = printed(&["man"]);
    for section in ["\"EXIT STATUS\"", "FILES", "ENVIRONMENT", "EXAMPLES", "\"SEE ALSO\""] {
        assert!(page.contains(&format!(".SH {section}\n")), "{section}");
    }
    assert!(page.contains("\\fBstslint\\-explain\\fR(1)"));
    assert_eq!(page.matches(".TH ").count(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = stslint(&["man", file.join("man1").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot make the folder"));
}

#[test]
fn help_says_where_the_files_go() {
    assert!(printed(&["completions", "--help"]).contains("bash-completion/completions/stslint"));
    assert!(printed(&["man", "--help"]).contains("share/man/man1"));
}
