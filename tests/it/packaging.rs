//! What packages and CI take from the project: completions, manual pages, and the files that run stslint elsewhere.

use std::path::Path;
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
    let output = Command::new(shell).arg("-n").arg(file.path()).output().ok()?;
    Some(output.status.success())
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

/// Rules, groups and profiles are words that a shell completes, and the command line still takes others.
#[test]
fn completions_know_rules_groups_profiles_and_result_types() {
    for shell in ["bash", "fish", "zsh"] {
        let script = printed(&["completions", shell]);
        for word in ["policy-max-age-short", "uk-gov", "sts-webpki-invalid", "tlsrpt"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let output = stslint(&["explain", "no-such-rule"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("possible values"));
}

#[test]
fn the_version_says_what_is_trusted() {
    let long = printed(&["--version"]);
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], format!("stslint {}", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("commit: "), "{long}");
    assert!(lines[2].starts_with("roots (--roots mozilla): 1") && lines[2].contains("webpki-roots 1."), "{long}");
    assert!(lines[3].contains("20326, 38696"), "{long}");
    assert_eq!(printed(&["-V"]), format!("{}\n", lines[0]));
}

#[test]
fn every_command_says_its_exit_codes_in_its_help_and_its_manual() {
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", folder.path().to_str().unwrap()]);
    for name in commands(&[]) {
        let help = printed(&[&name, "--help"]);
        assert!(help.contains("\nExit codes:\n  0") && help.contains("\nExamples:\n"), "{name}: {help}");
        let page = std::fs::read_to_string(folder.path().join(format!("stslint-{name}.1"))).unwrap();
        for section in [".SH EXAMPLES\n", ".SH \"EXIT STATUS\"\n"] {
            assert!(page.contains(section), "{name}: {section}");
        }
    }
    assert!(printed(&["check", "--help"]).contains("3       with --require-complete only"));
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

const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 1209600\r\n";
const WRONG: &str = "version: STSv1\r\nmode: enforcd\r\nmx: mx1.example.com\r\nmax_age: 1209600\r\n";

/// A site with policies for these domains.
fn site(policies: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (domain, body) in policies {
        let place = folder.path().join(domain).join(".well-known");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("mta-sts.txt"), body).unwrap();
    }
    folder
}

fn code_and_text(args: &[&str], folder: &Path) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(args)
        .env("NO_COLOR", "1")
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn hooks_take_several_files() {
    let hooks: serde_json::Value =
        serde_yaml::from_str(&std::fs::read_to_string(".pre-commit-hooks.yaml").unwrap()).unwrap();
    let folder = site(&[("a.example", GOOD), ("b.example", WRONG), ("c.example", GOOD)]);
    let [a, b, c] = ["a.example", "b.example", "c.example"].map(|domain| format!("{domain}/.well-known/mta-sts.txt"));
    for hook in hooks.as_array().unwrap() {
        let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').skip(1).collect();
        let with = |files: &[&str]| code_and_text(&[&words[..], files].concat(), folder.path());
        let (code, text) = with(&[&a, &b, &c]);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(&format!("{b}\n1 error")), "{text}");
        assert!(text.contains("`enforcd` is not a valid mode"), "{text}");
        assert_eq!(with(&[&a, &c]).0, 0);
        assert_eq!(with(&[&b]).0, 1);
    }
}

#[test]
fn files_are_named_where_they_are_several() {
    let folder = site(&[("a.example", GOOD), ("b.example", WRONG)]);
    let files = ["a.example/.well-known/mta-sts.txt", "b.example/.well-known/mta-sts.txt"];
    let (code, text) = code_and_text(&["check", "--format", "concise", files[0], files[1]], folder.path());
    assert_eq!(code, 1);
    assert!(text.starts_with("b.example/.well-known/mta-sts.txt:2:7: error[policy-mode]"), "{text}");
    let (_, text) = code_and_text(&["check", "--format", "github", files[0], files[1]], folder.path());
    assert!(text.contains("file=b.example/.well-known/mta-sts.txt,line=2"), "{text}");
}

#[test]
fn a_file_beside_policy_is_refused_and_one_that_is_missing_is_told() {
    let folder = site(&[("a.example", GOOD)]);
    let file = "a.example/.well-known/mta-sts.txt";
    assert_eq!(code_and_text(&["check", file, "--policy", file], folder.path()).0, 2);
    assert_eq!(code_and_text(&["check", file, "b.example/mta-sts.txt"], folder.path()).0, 1);
    let (code, text) = code_and_text(&["check", "b.example/mta-sts.txt"], folder.path());
    assert_eq!(code, 2);
    assert!(text.contains("cannot read b.example/mta-sts.txt"), "{text}");
}

#[test]
fn no_other_file_is_taken_for_a_policy() {
    let folder = site(&[]);
    std::fs::write(folder.path().join("secret.txt"), "very secret").unwrap();
    for word in ["./secret.txt", "a/../secret.txt", "mta-sts.txt/../secret.txt"] {
        let (code, text) = code_and_text(&["check", "--offline", word], folder.path());
        assert_eq!(code, 2, "{text}");
        assert!(!text.contains("very secret"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn names_of_files_cannot_write_to_the_terminal() {
    let folder = site(&[("a\u{1b}[2Jb", WRONG)]);
    for format in ["human", "concise", "github"] {
        let file = "a\u{1b}[2Jb/.well-known/mta-sts.txt";
        let (code, text) = code_and_text(&["check", "--format", format, file], folder.path());
        assert_eq!(code, 1);
        assert!(!text.contains('\u{1b}'), "{format}: {text:?}");
    }
}

/// The action's check with these inputs: its exit code, what it printed, and its outputs.
#[cfg(unix)]
fn action(inputs: &[(&str, &str)], folder: &Path) -> (i32, String, String) {
    let outputs = folder.join("outputs");
    let binary = assert_cmd::cargo::cargo_bin("stslint");
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    std::fs::write(&outputs, "").unwrap();
    let ran = Command::new("bash")
        .arg(std::fs::canonicalize("contrib/github/check.sh").unwrap())
        .current_dir(folder)
        .env("PATH", path)
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .envs(inputs.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
    (ran.status.code().unwrap(), text, std::fs::read_to_string(&outputs).unwrap())
}

#[cfg(unix)]
#[test]
fn the_action_checks_and_says_where_the_reports_are() {
    let folder = site(&[("a.example", GOOD), ("b.example", WRONG)]);
    let policy = "a.example/.well-known/mta-sts.txt\nb.example/.well-known/mta-sts.txt\n";
    let (code, text, outputs) =
        action(&[("STSLINT_POLICY", policy), ("STSLINT_SARIF_FILE", "stslint.sarif")], folder.path());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("::error file=b.example/.well-known/mta-sts.txt,line=2"), "{text}");
    assert_eq!(outputs, "sarif-file=stslint.sarif\nmarkdown-file=\nexit-code=1\n");
    let sarif: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("stslint.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(std::fs::read_to_string(folder.path().join("summary.md")).unwrap().starts_with("## stslint"));
    let (code, text, outputs) =
        action(&[("STSLINT_POLICY", "b.example/.well-known/mta-sts.txt"), ("STSLINT_FAIL_ON", "never")], folder.path());
    assert_eq!((code, outputs.ends_with("exit-code=0\n")), (0, true), "{text}");
}

#[cfg(unix)]
#[test]
fn inputs_of_the_action_are_never_commands() {
    let folder = site(&[]);
    let attack = "$(touch broken) `touch broken`; touch broken";
    for name in ["DOMAINS", "POLICY", "RECORD", "TLSRPT", "MX", "SNAPSHOT", "CONFIG", "RULES", "SELECT", "FAIL_ON"] {
        action(&[(&format!("STSLINT_{name}"), attack)], folder.path());
        assert!(!folder.path().join("broken").exists(), "{name}");
    }
    let (code, text, _) = action(&[("STSLINT_DOMAINS", "--output=json=broken a.example")], folder.path());
    assert_eq!(code, 2, "{text}");
    assert!(!folder.path().join("broken").exists());
    let (code, _, outputs) =
        action(&[("STSLINT_RECORD", "v=STSv1; id=1;"), ("STSLINT_SARIF_FILE", "a\nexit-code=0")], folder.path());
    assert_eq!((code, outputs.as_str()), (2, ""));
}

#[test]
fn every_input_of_the_action_reaches_its_script() {
    let action = std::fs::read_to_string("action.yml").unwrap();
    let action: serde_json::Value = serde_yaml::from_str(&action).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let env: Vec<(&str, &str)> = steps
        .iter()
        .flat_map(|step| step["env"].as_object().unwrap())
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    for input in action["inputs"].as_object().unwrap().keys() {
        let variable = env.iter().find(|(_, value)| *value == format!("${{{{ inputs.{input} }}}}"));
        let (name, _) = variable.unwrap_or_else(|| panic!("{input}"));
        let scripts =
            ["check.sh", "install.sh"].map(|name| std::fs::read_to_string(format!("contrib/github/{name}")).unwrap());
        assert!(scripts.iter().any(|script| script.contains(&format!("${{{name}"))), "{name}");
    }
    for step in steps {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "inputs go through the environment alone");
    }
}

/// Runs a tool over files; nothing where it is not installed.
fn tool(words: &[&str]) {
    if let Ok(output) = Command::new(words[0]).args(&words[1..]).output() {
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{words:?}: {text}");
    }
}

#[test]
fn alerts_and_scripts_are_sound() {
    tool(&["promtool", "check", "rules", "contrib/prometheus/alerts.yml"]);
    tool(&["promtool", "test", "rules", "contrib/prometheus/alerts_test.yml"]);
    tool(&["shellcheck", "contrib/github/check.sh", "contrib/github/install.sh", "contrib/release/archive"]);
}

/// A release holds what it should, each job may do what it does and no more, and no step runs what an event says.
#[test]
fn a_release_is_attested_with_its_notices_and_the_digest_of_its_image() {
    // It is not in the archive of the crate.
    let Ok(text) = std::fs::read_to_string(".github/workflows/release.yml") else { return };
    let workflow: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    for (job, subject) in [("archive", "subject-path"), ("image", "subject-digest")] {
        let job = &workflow["jobs"][job];
        for permission in ["attestations", "id-token"] {
            assert_eq!(job["permissions"][permission], "write", "{permission}");
        }
        let steps = job["steps"].as_array().unwrap();
        let attests = |step: &&serde_json::Value| {
            step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/attest-build-provenance@"))
        };
        assert!(steps.iter().find(attests).unwrap()["with"][subject].is_string());
        for run in steps.iter().filter_map(|step| step["run"].as_str()) {
            assert!(!run.contains("${{"), "{run}");
        }
    }
    assert!(text.contains("contrib/release/archive ") && text.contains("BUILD_IMAGE=${{ steps.base.outputs.image }}"));
    let dockerfile = std::fs::read_to_string("Dockerfile").unwrap();
    assert!(dockerfile.contains("FROM ${BUILD_IMAGE} AS build") && dockerfile.contains("/image/THIRD-PARTY-NOTICES"));
}

#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let metrics = printed(&["check", "--snapshot", "fixtures/good/snapshot.yaml", "--format", "prometheus"]);
    let alerts = std::fs::read_to_string("contrib/prometheus/alerts.yml").unwrap();
    let names: Vec<&str> = alerts
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("stslint_"))
        .collect();
    assert!(names.len() > 7);
    for name in names {
        assert!(metrics.contains(&format!("\n{name}")) || metrics.starts_with(name), "{name}");
    }
}

/// The options that a file of `contrib/` hands to stslint are ones that it takes.
#[test]
fn options_in_contrib_are_real() {
    let help = printed(&["check", "--help"]);
    for file in [
        "contrib/cron/stslint",
        "contrib/gitlab-ci.yml",
        "contrib/icinga2/stslint.conf",
        "contrib/nagios/stslint.cfg",
        "contrib/systemd/stslint.service",
    ] {
        let text = std::fs::read_to_string(file).unwrap();
        let other = ["apt-get", "cargo install", "--collector."];
        let lines = text.lines().filter(|line| other.iter().all(|words| !line.contains(words)));
        // What runs stslint as another user has options of its own.
        let lines = lines
            .map(|line| line.split_once("setpriv ").map_or(line, |(_, rest)| rest.split_once(" stslint ").unwrap().1));
        let mut options = lines.flat_map(|line| line.split([' ', '"', '=', ']'])).filter(|word| word.starts_with("--"));
        assert!(options.clone().count() > 0, "{file}");
        let unknown = options.find(|option| *option != "--" && *option != "--version" && !help.contains(*option));
        assert_eq!(unknown, None, "{file}");
    }
}

/// The line of cron, with folders of the test and without the change of the user: its metrics are whole or not there.
#[cfg(unix)]
#[test]
fn the_line_of_cron_writes_metrics() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("domains"), "dead.example\n").unwrap();
    std::fs::write(folder.path().join("stslint.yaml"), "options: { resolver: \"127.0.0.1:9\", timeout: 1 }\n").unwrap();
    let text = std::fs::read_to_string("contrib/cron/stslint").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("17 * * * * root ")).unwrap();
    assert!(!line.contains('%'), "cron takes a percent sign for the end of the line");
    let as_nobody = "setpriv --reuid=nobody --regid=nogroup --clear-groups ";
    assert!(line.contains(as_nobody));
    let here = folder.path().display().to_string();
    let line = line.replace(as_nobody, "").replace("/etc/stslint", &here);
    let binary = assert_cmd::cargo::cargo_bin("stslint");
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let run =
        |line: &str| Command::new("sh").args(["-c", line]).env("PATH", &path).env("TEXTFILES", &here).output().unwrap();
    run(&line);
    let metrics = std::fs::read_to_string(folder.path().join("stslint.prom")).unwrap();
    assert!(metrics.contains("stslint_unreadable_inputs 1"), "{metrics}");
    assert!(!folder.path().join("stslint.prom.new").exists());
    // A run that writes nothing leaves the metrics of the last one.
    run(&line.replace("--fail-on never", "--no-such-option"));
    assert_eq!(std::fs::read_to_string(folder.path().join("stslint.prom")).unwrap(), metrics);
}

/// The action's installation, with these programs instead of `curl` and `cargo`.
#[cfg(target_os = "linux")]
fn installation(version: &str, curl: &str, cargo: &str) -> (tempfile::TempDir, i32, String) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    for (name, text) in [("curl", curl), ("cargo", cargo), ("uname", "[ $1 = -s ] && echo Linux || echo x86_64")] {
        let path = programs.join(name);
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let ran = Command::new("bash")
        .arg("contrib/github/install.sh")
        .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()))
        .env("ACTION_PATH", std::env::current_dir().unwrap())
        .env("STSLINT_VERSION", version)
        .env("RUNNER_TEMP", folder.path())
        .env("GITHUB_PATH", folder.path().join("path"))
        .output()
        .unwrap();
    let text = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
    (folder, ran.status.code().unwrap(), text)
}

/// A are-in for curl: it makes an archive with a program in it, and the checksum of the archive or another one.
#[cfg(target_os = "linux")]
fn release(checksum: &str) -> String {
    format!(
        "while [ \"$1\" != --output ]; do shift; done; cd \"$(dirname \"$2\")\"; name=$(basename \"$2\")\n\
         case $name in *.sha256) {checksum} ;; *) echo echo it runs > stslint; tar czf \"$name\" stslint; rm stslint ;; esac"
    )
}

#[cfg(target_os = "linux")]
#[test]
fn the_action_takes_a_release_only_with_the_right_checksum() {
    let no_cargo = "echo built; exit 9";
    let (folder, code, text) = installation("9.8.7", &release("sha256sum \"${name%.sha256}\" > \"$name\""), no_cargo);
    assert_eq!(code, 0, "{text}");
    let program = folder.path().join("stslint-9.8.7/stslint");
    assert_eq!(std::fs::read_to_string(program).unwrap(), "echo it runs\n");
    assert!(std::fs::read_to_string(folder.path().join("path")).unwrap().ends_with("/stslint-9.8.7\n"));
    let wrong = "echo \"$(printf %064d 0)  ${name%.sha256}\" > \"$name\"";
    let (folder, code, text) = installation("9.8.7", &release(wrong), no_cargo);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the checksum of stslint-9.8.7-x86_64-unknown-linux-musl.tar.gz is wrong"), "{text}");
    assert!(!folder.path().join("stslint-9.8.7/stslint").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn the_action_builds_where_there_is_no_release() {
    let cargo = "root=$4; mkdir -p \"$root/bin\"; echo \"$@\" > \"$root/bin/stslint\"";
    let words = |version: &str| {
        let (folder, code, text) = installation(version, "exit 22", cargo);
        assert_eq!(code, 0, "{text}");
        let version = if version.is_empty() { env!("CARGO_PKG_VERSION") } else { version };
        std::fs::read_to_string(folder.path().join(format!("stslint-{version}/stslint"))).unwrap()
    };
    assert!(words("").contains(&format!("--path {}", std::env::current_dir().unwrap().display())));
    assert!(words("9.8.7").contains("--locked"));
    assert!(words("9.8.7").trim_end().ends_with("--tag v9.8.7 stslint"));
    let (_, code, text) = installation("1.0.0; touch broken", "exit 22", cargo);
    assert_eq!(code, 2, "{text}");
}
