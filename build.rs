//! What `stslint --version` says of the build: the commit with its date, and the version of the built-in roots. A build
//! for development names no commit, so that a new one compiles nothing again.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-env-changed=STSLINT_COMMIT");
    println!("cargo::rerun-if-env-changed=STSLINT_COMMIT_DATE");
    let (commit, date) = given().or_else(packaged).or_else(checked_out).unwrap_or_default();
    let commit: String = commit.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    println!("cargo::rustc-env=STSLINT_BUILT_FROM={commit}");
    println!("cargo::rustc-env=STSLINT_BUILT_FROM_DATE={date}");
    println!("cargo::rustc-env=STSLINT_ROOTS_VERSION={}", roots_version().unwrap_or_default());
}

/// The commit of whoever builds without a repository, as an image is built.
fn given() -> Option<(String, String)> {
    let commit = std::env::var("STSLINT_COMMIT").ok().filter(|commit| !commit.is_empty())?;
    Some((commit, std::env::var("STSLINT_COMMIT_DATE").unwrap_or_default()))
}

/// The commit that Cargo wrote into the archive of the crate.
fn packaged() -> Option<(String, String)> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    Some((after.split('"').nth(1)?.to_owned(), String::new()))
}

/// The commit of the repository, for a build that is to be used.
fn checked_out() -> Option<(String, String)> {
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return None;
    }
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    let shown = git(&["show", "--no-patch", "--format=%H %cs", "HEAD"])?;
    let (commit, date) = shown.split_once(' ')?;
    Some((commit.to_owned(), date.to_owned()))
}

fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn roots_version() -> Option<String> {
    let lock = std::fs::read_to_string("Cargo.lock").ok()?;
    let (_, after) = lock.split_once("name = \"webpki-roots\"\nversion = \"")?;
    Some(after.split('"').next()?.to_owned())
}
