//! Pages about very many domains, from outside: an index with a row for each, short sections, a folder of pages.

use std::path::Path;
use std::process::Command;

use scraper::{Html, Selector};
use serde_json::Value;

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(["check", "--no-config", "--select", "policy", "--select", "mx", "--snapshot", "many.jsonl"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// So many domains: the first has a mode that is not valid, the last a policy that names none of its MX hosts.
fn many(folder: &Path, count: usize) {
    let text = std::fs::read_to_string(GOOD).unwrap();
    let lines = (0..count).map(|number| {
        let mut text = text.replace("example.com", &format!("d{number}.example"));
        if number == 0 {
            text = text.replace("mode: enforce", "mode: enfroce");
        }
        if number + 1 == count {
            text = text.replace("*.mail.d", "*.nowhere.d").replace("mx: mx1.", "mx: mx9.");
        }
        let snapshot: Value = serde_yaml::from_str(&text).unwrap();
        format!("{snapshot}\n")
    });
    std::fs::write(folder.join("many.jsonl"), lines.collect::<String>()).unwrap();
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).map(|found| found.text().collect::<String>().trim().to_owned()).collect()
}

#[test]
fn a_page_about_very_many_is_short_and_begins_with_mail_that_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 40);
    let text = run(folder.path(), &["--format", "html"]);
    assert!(text.len() < 150_000, "{}", text.len());
    let page = Html::parse_document(&text);
    let names = texts(&page, "#overview tbody th");
    assert_eq!((names.len(), names[0].as_str(), names[1].as_str()), (40, "d39.example", "d0.example"));
    let columns = texts(&page, "#overview thead th");
    for column in ["Record", "Policy", "MX", "DANE", "TLSRPT", "First"] {
        assert!(columns.contains(&column.to_owned()), "{columns:?}");
    }
    assert_eq!(texts(&page, "details.brief > summary strong"), ["d39.example", "d0.example"]);
    assert_eq!(texts(&page, "#overview tbody th a"), ["d39.example", "d0.example"]);
    assert!(texts(&page, "#d2 .finding h3, #d2 .finding h4").concat().contains("enfroce"), "{text}");
    let sums = texts(&page, "#sums p").concat();
    assert!(sums.contains("Policy in force: 39 enforce, 1 absent."), "{sums}");
    assert!(!text.contains("<script"));
}

#[test]
fn a_folder_has_an_index_and_a_page_for_each_domain() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 3);
    let lines = std::fs::read_to_string(folder.path().join("many.jsonl")).unwrap();
    let hostile = lines.lines().next().unwrap().replace("\"domain\":\"d0.example\"", "\"domain\":\"../../index\"");
    std::fs::write(folder.path().join("many.jsonl"), format!("{lines}{hostile}\n{hostile}\n")).unwrap();
    run(folder.path(), &["--format", "concise", "--output", "html=pages/"]);
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected =
        ["_.._index.html", "_.._index_2.html", "d0.example.html", "d1.example.html", "d2.example.html", "index.html"];
    assert_eq!(names, expected, "no name leaves the folder or takes the place of another");
    let index = std::fs::read_to_string(folder.path().join("pages/index.html")).unwrap();
    let index = Html::parse_document(&index);
    let links = Selector::parse("#overview tbody th a").unwrap();
    let links: Vec<&str> = index.select(&links).filter_map(|link| link.attr("href")).collect();
    assert_eq!(links.len(), 5);
    assert!(links.iter().all(|link| names.contains(&(*link).to_owned())), "{links:?}");
    let page = std::fs::read_to_string(folder.path().join("pages/d0.example.html")).unwrap();
    assert!(page.contains("Checks performed") && page.contains("enfroce"), "the page of a domain is whole");
}

#[test]
fn markdown_of_very_many_has_sums_and_the_fifty_most_urgent() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 60);
    let text = run(folder.path(), &["--format", "markdown"]);
    assert!(text.contains("**60 domains**, policy in force: 59 enforce, 1 absent; mail: "), "{text}");
    assert!(text.contains("| policy-mode | error | 1 |"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains(".example | ")).collect();
    assert_eq!(rows.len(), 50);
    assert!(rows[0].starts_with("| ❌ d59.example | enforce | refused |"), "{}", rows[0]);
    assert!(text.contains("\nand 10 more\n"), "{text}");
}
