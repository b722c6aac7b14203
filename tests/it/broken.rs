//! Broken rule files and configurations, each with one mistake: that is one diagnostic, at its place, with its cure.
//!
//! `tests/broken` holds sound files, and tables of what breaks them. Each row is tried as it is written, with the line endings of Windows, or with a byte order mark: the place is the same.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// A broken file: the sound one, what is replaced in it and by what, the place, and pieces of message and help.
#[derive(Clone, Debug, Deserialize)]
pub struct Row(pub String, pub String, pub String, pub String, pub String, pub String);

pub const FOLDER: &str = "tests/broken";

pub fn rows(table: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{table}.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

fn text_of(row: &Row, number: usize) -> String {
    let broken = match row.0.as_str() {
        "none" => row.2.clone(),
        sound => {
            let sound = std::fs::read_to_string(format!("{FOLDER}/{sound}.yaml")).unwrap();
            assert!(sound.contains(&row.1), "{row:?}");
            sound.replacen(&row.1, &row.2, 1)
        }
    };
    match number % 3 {
        0 => broken,
        1 => broken.replace('\n', "\r\n"),
        _ => format!("\u{feff}{broken}"),
    }
}

/// What is wrong with what is said of a broken file.
fn wrong(row: &Row, number: usize, arguments: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{}.yaml", row.0);
    std::fs::copy(format!("{FOLDER}/block.yaml"), folder.path().join("block.yaml")).unwrap();
    std::fs::write(folder.path().join(&name), text_of(row, number)).unwrap();
    let (code, said) = said(folder.path(), arguments, &name);
    let flat = said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let places = flat.matches(&format!("[{name}:")).count();
    let expected = [&format!("[{name}:{}]", row.3), &row.4, &row.5];
    let missing: Vec<_> = expected.into_iter().filter(|part| !flat.contains(part.as_str())).collect();
    let sound = code == 2 && places == 1 && missing.is_empty();
    (!sound)
        .then(|| format!("row {}, {row:?}\nexit code {code}, {places} places, without {missing:?}\n{said}", number + 1))
}

pub fn said(folder: &Path, arguments: &[&str], name: &str) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments.iter().map(|word| if *word == "FILE" { name } else { word }))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn judge(table: &str, arguments: &[&str]) {
    let rows = rows(table);
    assert!(rows.len() > 50);
    let numbered: Vec<(usize, &Row)> = rows.iter().enumerate().collect();
    let judged = |part: &[(usize, &Row)]| -> Vec<String> {
        part.iter().filter_map(|(number, row)| wrong(row, *number, arguments)).collect()
    };
    let (first, second) = numbered.split_at(numbered.len() / 2);
    let found = std::thread::scope(|scope| {
        let first = scope.spawn(|| judged(first));
        let second = judged(second);
        [first.join().unwrap(), second].concat()
    });
    assert!(found.is_empty(), "{} of {}\n{}", found.len(), rows.len(), found.join("\n\n"));
}

#[test]
fn one_mistake_in_a_rule_file_is_one_diagnostic_with_its_place_and_cure() {
    judge("rules", &["--no-config", "rules", "test", "--allow-untested", "FILE"]);
}

#[test]
fn one_mistake_in_a_configuration_is_one_diagnostic_with_its_place_and_cure() {
    judge("configurations", &["config", "show"]);
}

#[test]
fn what_is_broken_here_is_sound_before() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["block", "domains", "flow", "report", "stslint"] {
        let name = format!("{name}.yaml");
        std::fs::copy(format!("{FOLDER}/{name}"), folder.path().join(&name)).unwrap();
    }
    for name in ["block", "domains", "flow", "report"] {
        let (code, said) = said(folder.path(), &["--no-config", "rules", "test", "FILE"], &format!("{name}.yaml"));
        assert_eq!(code, 0, "{name}: {said}");
    }
    let (code, said) = said(folder.path(), &["config", "show"], "");
    assert_eq!(code, 0, "{said}");
}
