//! Data flows one way: no module uses one that comes after it, and every source file says what it is for.

use std::path::{Path, PathBuf};

/// The modules in the order of the flow; each may use those before it.
const ORDER: [&str; 29] = [
    "lab",
    "vocabulary",
    "format",
    "source_text",
    "files",
    "grammar",
    "tls_reports",
    "snapshot",
    "senders",
    "facts",
    "sender",
    "outcome",
    "what_if",
    "fix",
    "diff",
    "runs",
    "proposal",
    "tls_match",
    "rules",
    "symptoms",
    "config",
    "report",
    "collect",
    "library",
    "scan",
    "store",
    "serve",
    "audit",
    "cli",
];

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn no_module_uses_one_after_it() {
    for path in sources(Path::new("src")) {
        let relative = path.strip_prefix("src").unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let Some((_, used)) = line.split_once("crate::") else { continue };
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let position = |name: &str| ORDER.iter().position(|module| *module == name);
            let fine = match (position(&module), position(&used)) {
                (Some(own), Some(other)) => other <= own,
                _ => matches!(module.as_str(), "cli" | "lib" | "main") || module == used,
            };
            assert!(fine, "{}:{}: {module} uses {used}", path.display(), number + 1);
        }
    }
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    for folder in ["src", "tests", "benches"] {
        for path in
            sources(Path::new(folder)).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! "), "{}", path.display());
        }
    }
}

#[test]
fn every_test_file_is_part_of_the_test_program() {
    let main = std::fs::read_to_string("tests/it/main.rs").unwrap();
    for entry in std::fs::read_dir("tests/it").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_module = path.extension().is_some_and(|ending| ending == "rs") || path.join("mod.rs").exists();
        let declared = main.lines().any(|line| line == format!("mod {name};"));
        assert!(!is_module || name == "main" || declared, "{}", path.display());
    }
}
