//! No two source files use each other, directly or by way of others: what each takes is read from its `use` lines and
//! from the paths in its text. Re-exports are followed, and are no use themselves; a file and those of its own folder,
//! which it is the face of, are taken for one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

/// The files of the project by their module path.
struct House {
    files: BTreeMap<Vec<String>, PathBuf>,
    /// What module files pass on: for each, the name and the path it comes from.
    passed_on: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
}

fn words(path: &str) -> Vec<String> {
    path.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// The paths of a `use` tree: `a::{b, c::{d, self}}` is `a::b`, `a::c::d` and `a::c`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((front, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![words(path)];
    };
    let inside = &rest[..rest.rfind('}').unwrap()];
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[from..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty()).flat_map(expanded);
    parts.map(|part| [words(front), part.into_iter().filter(|word| word != "self").collect()].concat()).collect()
}

impl House {
    fn read() -> Self {
        let mut house = House { files: BTreeMap::new(), passed_on: BTreeMap::new() };
        for path in crate::layers::sources(Path::new("src")) {
            let relative = path.strip_prefix("src").unwrap().with_extension("");
            let mut module: Vec<String> =
                relative.iter().map(|part| part.to_str().unwrap().to_owned()).filter(|part| part != "mod").collect();
            if module == ["lib"] || path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            // What a module's tests use is no matter of the house.
            if module.iter().any(|part| part == "tests" || part.ends_with("_tests") || part == "testing") {
                continue;
            }
            module.shrink_to_fit();
            house.files.insert(module, path);
        }
        for (module, path) in &house.files {
            let text = std::fs::read_to_string(path).unwrap();
            let names = statements(&text, true).into_iter().filter_map(|path| {
                let path = house.absolute(module, &path)?;
                Some((path.last()?.clone(), path))
            });
            house.passed_on.insert(module.clone(), names.collect());
        }
        house
    }

    /// A path from the root of the crate; `None` for what is not of this crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut base: Vec<String> = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().saturating_sub(1)].to_vec(),
            child => {
                let inside = [module, &[child.to_owned()]].concat();
                return self.files.contains_key(&inside).then(|| [module, path].concat());
            }
        };
        let mut rest = &path[1..];
        while rest.first().is_some_and(|word| word == "super") {
            base.pop();
            rest = &rest[1..];
        }
        Some([&base, rest].concat())
    }

    /// The module whose file declares what a path names.
    fn home(&self, path: &[String], depth: usize) -> Option<Vec<String>> {
        let module =
            (1..=path.len()).rev().map(|length| &path[..length]).find(|part| self.files.contains_key(*part))?;
        let name = path.get(module.len());
        let passed_on = name.and_then(|name| self.passed_on.get(module)?.get(name));
        match passed_on {
            Some(from) if depth < 8 && from != path => self.home(from, depth + 1),
            _ => Some(module.to_vec()),
        }
    }

    /// The modules that the file of a module uses.
    fn used_by(&self, module: &[String]) -> BTreeSet<Vec<String>> {
        let text = std::fs::read_to_string(&self.files[module]).unwrap();
        let inline = Regex::new(r"\b(?:crate|super)(?:::[A-Za-z_][A-Za-z0-9_]*)+").unwrap();
        let code = without_tests(&text);
        let paths = inline.find_iter(&code).map(|found| words(found.as_str()));
        let used = statements(&text, false).into_iter().chain(paths).filter_map(|path| {
            let path = self.absolute(module, &path)?;
            self.home(&path, 0)
        });
        // A file and the folder that it is the face of are one.
        let related = |other: &Vec<String>| other.starts_with(module) || module.starts_with(other);
        used.filter(|other| !related(other)).collect()
    }
}

/// The text before its tests, without comments.
fn without_tests(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The paths of the `use` statements outside tests: those that pass names on, or the others.
fn statements(text: &str, passing_on: bool) -> Vec<Vec<String>> {
    let statement = Regex::new(r"(?m)^(pub(?:\([a-z]+\))? )?use ([^;]+);").unwrap();
    let code = without_tests(text);
    let found = statement.captures_iter(&code).filter(|found| found.get(1).is_some() == passing_on);
    found.flat_map(|found| expanded(&found[2])).collect()
}

/// A way from a module back to itself, the shortest; empty where there is none.
fn circle(start: &[String], uses: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> Vec<Vec<String>> {
    let mut before: BTreeMap<&Vec<String>, &Vec<String>> = BTreeMap::new();
    let mut front: Vec<&Vec<String>> = uses.keys().filter(|module| module.as_slice() == start).collect();
    while !front.is_empty() {
        let mut next = Vec::new();
        for module in front {
            for used in &uses[module] {
                if used.as_slice() == start {
                    let mut way = vec![used.clone(), module.clone()];
                    while let Some(earlier) = before.get(way.last().unwrap()) {
                        way.push((*earlier).clone());
                    }
                    return way;
                }
                if !before.contains_key(used) {
                    before.insert(used, module);
                    next.push(used);
                }
            }
        }
        front = next;
    }
    Vec::new()
}

#[test]
fn no_two_files_use_each_other() {
    let house = House::read();
    let uses: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> =
        house.files.keys().map(|module| (module.clone(), house.used_by(module))).collect();
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 500, "the uses are not read: {uses:?}");
    let circles: BTreeSet<String> = uses
        .keys()
        .map(|module| circle(module, &uses))
        .filter(|way| !way.is_empty())
        .map(|way| way.iter().rev().map(|module| module.join("::")).collect::<Vec<_>>().join(" uses "))
        .collect();
    assert!(circles.is_empty(), "circles:\n{}", circles.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_circle_is_found_whatever_is_in_between() {
    let modules = |names: &[&str]| names.iter().map(|name| words(name)).collect::<BTreeSet<_>>();
    let mut uses: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    uses.insert(words("a"), modules(&["b", "d"]));
    uses.insert(words("b"), modules(&["c"]));
    uses.insert(words("c"), modules(&["a"]));
    uses.insert(words("d"), modules(&["c"]));
    assert_eq!(circle(&words("b"), &uses).len(), 4);
    uses.insert(words("c"), BTreeSet::new());
    assert!(uses.keys().all(|module| circle(module, &uses).is_empty()));
    assert_eq!(expanded("super::{a::{self, B}, c as d, e}").len(), 4);
}
