//! What the documents say is so: every command in them runs, and what they show of its output is what it prints.
//!
//! A block `console` holds commands after `$ ` and their output; `…` on a line of its own means any lines.
//! A block after `<!-- file: NAME -->` is written to that file first; `<!-- copy: FILE as NAME -->` copies one of the
//! project's. The lines of `sh` blocks that begin with
//! `stslint` run too, except where they need the internet or a file of the reader's: then their options must exist.
//! `cargo bless` writes the outputs in the documents again, and keeps each `…` where it was.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::totals::without_totals;

fn documents() -> Vec<PathBuf> {
    let pages = |folder: &str| -> Vec<PathBuf> {
        let Ok(entries) = Path::new(folder).read_dir() else { return Vec::new() };
        let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        pages.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
        pages.sort();
        pages
    };
    let mut all = vec![PathBuf::from("README.md")];
    all.extend(pages("docs"));
    all.extend(pages("docs/questions"));
    all.extend(pages("examples/acme"));
    all.extend(pages("examples/bank"));
    all
}

/// A fenced block: its language, the file named before it, and its lines.
struct Block {
    language: String,
    file: Option<String>,
    first: usize,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut file = None;
    for (number, line) in text.lines().enumerate() {
        match (open, line.strip_prefix("```")) {
            (false, Some(language)) => {
                let language = language.trim().to_owned();
                blocks.push(Block { language, file: file.take(), first: number + 1, lines: Vec::new() });
                open = true;
            }
            (true, Some(_)) => open = false,
            (true, None) => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            (false, None) => {
                if let Some(name) = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) {
                    file = Some(name.to_owned());
                }
            }
        }
    }
    blocks
}

/// A folder to run a document's commands in, with the fixtures and examples of the project in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["fixtures", "examples"] {
        if Path::new(name).exists() {
            let from = std::fs::canonicalize(name).unwrap();
            assert!(Command::new("cp").arg("-r").arg(from).arg(folder.path()).status().unwrap().success());
        }
    }
    folder
}

/// Copies the files that a document asks for.
fn copies(text: &str, folder: &Path) {
    for line in text.lines().filter_map(|line| line.strip_prefix("<!-- copy: ")) {
        let (from, name) = line.strip_suffix(" -->").and_then(|line| line.split_once(" as ")).unwrap();
        std::fs::copy(from, folder.join(name)).unwrap();
    }
}

fn run(command: &str, folder: &Path) -> (i32, String) {
    let binary = assert_cmd::cargo::cargo_bin("stslint");
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("STSLINT_BLESS")
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Whether the output is as the document shows it; the numbers that each new rule changes may be older.
fn agrees(shown: &[String], printed: &str) -> bool {
    let (shown, printed) = (without_totals(&shown.join("\n")), without_totals(printed));
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    fits(&shown, &printed)
}

fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|skip| fits(rest, &printed[skip..])),
        Some((line, rest)) => printed.split_first().is_some_and(|(first, later)| first == line && fits(rest, later)),
    }
}

/// What is printed, shortened where a document shortens it: a `…` keeps its place between the lines around it.
fn renewed(shown: &[String], printed: &str) -> Vec<String> {
    let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).collect();
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let mut fresh: Vec<&str> = Vec::new();
    for change in similar::capture_diff_slices(similar::Algorithm::Myers, &shown, &printed) {
        let (old, new) = (&shown[change.old_range()], &printed[change.new_range()]);
        let Some(first) = old.iter().position(|line| *line == "…") else {
            fresh.extend(new);
            continue;
        };
        let after = old.iter().rev().position(|line| *line == "…").unwrap();
        let before = first.min(new.len());
        fresh.extend(&new[..before]);
        fresh.push("…");
        fresh.extend(&new[new.len() - after.min(new.len() - before)..]);
    }
    fresh.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_renewed_output_is_shortened_where_it_was() {
    let case = |shown: &str, printed: &str, expected: &str| {
        let shown: Vec<String> = shown.split(' ').map(str::to_owned).collect();
        let fresh = renewed(&shown, &printed.replace(' ', "\n"));
        assert_eq!(fresh.join(" "), expected);
        assert!(agrees(&fresh, &printed.replace(' ', "\n")));
    };
    case("a … z", "a b c z", "a … z");
    case("1 … z", "2 b c z", "2 … z");
    case("a … 1", "a b c 2", "a … 2");
    case("a … m 1 … z", "a b m 2 c d z", "a … m 2 … z");
    case("… z", "a b y", "… y");
    case("a …", "b c d", "b …");
    case("a b c", "a d", "a d");
    case("a … z", "q", "q …");
}

#[test]
fn the_output_in_the_documents_is_real() {
    let bless = std::env::var_os("STSLINT_BLESS").is_some();
    let mut commands = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let folder = folder();
        copies(&text, folder.path());
        let mut changes: Vec<(usize, usize, Vec<String>)> = Vec::new();
        for block in blocks(&text) {
            if let Some(name) = &block.file {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, block.lines.join("\n") + "\n").unwrap();
            }
            if block.language != "console" {
                continue;
            }
            let starts: Vec<usize> =
                (0..block.lines.len()).filter(|index| block.lines[*index].starts_with("$ ")).collect();
            for (index, start) in starts.iter().enumerate() {
                let end = starts.get(index + 1).copied().unwrap_or(block.lines.len());
                let command = block.lines[*start].strip_prefix("$ ").unwrap();
                let shown = &block.lines[start + 1..end];
                let (_, printed) = run(command, folder.path());
                commands += 1;
                if !agrees(shown, &printed) {
                    let at = format!("{}:{}", document.display(), block.first + start + 1);
                    assert!(bless, "{at}: `{command}` prints\n{printed}\ninstead of\n{}", shown.join("\n"));
                    let fresh = renewed(shown, &printed);
                    changes.push((block.first + start + 1, block.first + end, fresh));
                }
            }
        }
        for (start, end, fresh) in changes.into_iter().rev() {
            lines.splice(start..end, fresh);
        }
        if bless {
            std::fs::write(&document, lines.join("\n") + "\n").unwrap();
        }
    }
    assert!(commands > 0 || documents().len() == 1, "no command was run");
}

#[test]
fn every_command_in_the_documents_runs() {
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        let folder = folder();
        for block in blocks(&text).iter().filter(|block| block.language == "sh") {
            for line in block.lines.iter().filter(|line| line.starts_with("stslint ")) {
                let needs_more = |word: &str| {
                    word.starts_with("example.")
                        || word.starts_with("/")
                        || (word.contains('.')
                            && !word.starts_with("fixtures/")
                            && !word.starts_with("--")
                            && Path::new(word).extension().is_some()
                            && !folder.path().join(word).exists())
                        || word == "-"
                };
                let words = line.split('#').next().unwrap();
                let line = match words.split_whitespace().any(needs_more) && !words.contains("--record") {
                    true => format!("{} --help", words.split(['|', '>', '<']).next().unwrap().trim()),
                    false => words.trim().to_owned(),
                };
                let (code, printed) = run(&line, folder.path());
                assert_ne!(code, 2, "{}: {line}\n{printed}", document.display());
            }
        }
    }
}
