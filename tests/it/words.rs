//! Words that read like a translation do not come back: `tests/words.yaml` lists them with the better ones.

use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

/// A pattern that is not to appear.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    word: String,
    better: String,
    #[serde(default)]
    except: Vec<String>,
}

fn words() -> Vec<(Word, Regex)> {
    let text = std::fs::read_to_string("tests/words.yaml").unwrap();
    let words: Vec<Word> = serde_yaml::from_str(&text).unwrap();
    words.into_iter().map(|word| (Regex::new(&word.word).unwrap(), word)).map(|(regex, word)| (word, regex)).collect()
}

/// The files below a folder with one of these endings.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, endings, found),
            false if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) => {
                found.push(path);
            }
            false => {}
        }
    }
}

/// Each place of a word in a text, as the failure shows it. Words are found across the ends of lines, and of comments.
fn places(name: &str, text: &str, words: &[(Word, Regex)]) -> Vec<String> {
    let joins = Regex::new(r"\n[ \t]*(?://[/!]?)?[ \t]?").unwrap();
    let joined = joins.replace_all(text, " ");
    let mut found = Vec::new();
    for (word, regex) in words.iter().filter(|(word, _)| !word.except.iter().any(|except| except == name)) {
        for place in regex.find_iter(&joined) {
            let around = joined[..place.start()].chars().rev().take(40).collect::<Vec<_>>();
            let before: String = around.into_iter().rev().collect();
            found.push(format!("{name}: `…{before}{}`: write {}", place.as_str(), word.better));
        }
    }
    found
}

#[test]
fn words_that_read_like_a_translation_do_not_come_back() {
    let mut all = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md"), PathBuf::from("SECURITY.md")];
    files(Path::new("src"), &["rs"], &mut all);
    files(Path::new("rules"), &["yaml"], &mut all);
    files(Path::new("docs"), &["md"], &mut all);
    let words = words();
    let found: Vec<String> = all
        .iter()
        .flat_map(|path| places(path.to_str().unwrap(), &std::fs::read_to_string(path).unwrap(), &words))
        .collect();
    assert!(found.is_empty(), "{} places (tests/words.yaml):\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_word_is_found_wherever_its_line_ends() {
    let words = words();
    for text in ["mend it", "/// the text is in the\n    /// place of a policy", "It belongs\ninto the DNS"] {
        assert_eq!(places("x", text, &words).len(), 1, "{text}");
    }
    assert_eq!(places("x", "recommended: amend it", &words), Vec::<String>::new());
}

#[test]
fn every_exception_is_a_file_with_the_word() {
    for (word, regex) in words() {
        for name in &word.except {
            let text = std::fs::read_to_string(name).unwrap();
            assert!(regex.is_match(&text), "{name} no longer contains {}", word.word);
        }
    }
}
