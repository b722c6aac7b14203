//! Domains whose policy text is odd (RFC 8461 §3.2). None covers the MX host: whoever takes the policy for valid holds the
//! mail.

use crate::audit::case::{Case, Course, Reading, elsewhere};
use crate::lab::Scenario;

const fn valid(name: &'static str, about: &'static str, change: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Acceptance, standard: Some(Course::Held), change, then: None }
}

const fn invalid(name: &'static str, about: &'static str, change: fn(&mut Scenario)) -> Case {
    Case { name, about, reading: Reading::Acceptance, standard: Some(Course::Delivered), change, then: None }
}

/// Serves the policy that does not cover the MX host, with one part replaced.
fn with(it: &mut Scenario, part: &str, replacement: &str) {
    it.replace_policy(elsewhere(it).replace(part, replacement));
}

/// Serves the policy that does not cover the MX host, with something after it.
fn and(it: &mut Scenario, more: impl AsRef<[u8]>) {
    let mut body = elsewhere(it).into_bytes();
    body.extend_from_slice(more.as_ref());
    it.replace_policy(body);
}

pub(super) static CASES: &[Case] = &[
    valid("policy-lf", "lines end in LF alone", |it| with(it, "\r\n", "\n")),
    valid("policy-version-last", "`version` is the last field", |it| {
        let rest = elsewhere(it).replace("version: STSv1\r\n", "");
        it.replace_policy(format!("{rest}version: STSv1\r\n"));
    }),
    valid("policy-extension", "there is an extension field", |it| and(it, "x-note: hello\r\n")),
    valid("policy-extension-utf8", "an extension field has UTF-8 text", |it| and(it, "x-note: café\r\n")),
    valid("policy-no-last-line-end", "the last line has no end", |it| {
        let body = elsewhere(it);
        it.replace_policy(body.trim_end());
    }),
    valid("policy-max-age-twice", "there is a second `max_age`", |it| and(it, "max_age: 86400\r\n")),
    valid("policy-version-twice", "there is a second `version`", |it| and(it, "version: STSv1\r\n")),
    valid("policy-mode-enforce-testing", "there is a second `mode`: enforce, then testing", |it| {
        and(it, "mode: testing\r\n");
    }),
    invalid("policy-mode-testing-enforce", "there is a second `mode`: testing, then enforce", |it| {
        with(it, "mode: enforce", "mode: testing\r\nmode: enforce");
    }),
    valid("policy-mode-enforce-invalid", "there is a second `mode`, which is invalid", |it| and(it, "mode: bogus\r\n")),
    invalid("policy-mode-case", "the mode is `Enforce`", |it| with(it, "enforce", "Enforce")),
    invalid("policy-field-case", "the field is `Mode`", |it| with(it, "mode:", "Mode:")),
    invalid("policy-blank-line", "there is a blank line at the end", |it| and(it, "\r\n")),
    invalid("policy-blank-line-first", "there is a blank line at the start", |it| {
        it.replace_policy(format!("\r\n{}", elsewhere(it)));
    }),
    invalid("policy-bom", "there is a byte order mark at the start", |it| {
        it.replace_policy(format!("\u{feff}{}", elsewhere(it)));
    }),
    invalid("policy-indented", "the lines are indented", |it| {
        let body = elsewhere(it);
        it.replace_policy(body.lines().map(|line| format!("  {line}\r\n")).collect::<String>());
    }),
    invalid("policy-blank-before-colon", "there is a blank before a colon", |it| with(it, "mode:", "mode :")),
    invalid("policy-comment", "there is a comment line with a colon", |it| {
        it.replace_policy(format!("# policy: ours\r\n{}", elsewhere(it)));
    }),
    invalid("policy-latin1", "an extension field has Latin-1 text", |it| and(it, b"x-note: caf\xe9\r\n")),
    invalid("policy-no-mx", "there is no `mx`", |it| {
        it.replace_policy("version: STSv1\r\nmode: enforce\r\nmax_age: 604800\r\n");
    }),
    invalid("policy-no-version", "there is no `version`", |it| with(it, "version: STSv1\r\n", "")),
    invalid("policy-no-max-age", "there is no `max_age`", |it| with(it, "max_age: 604800\r\n", "")),
    invalid("policy-max-age-above", "`max_age` is above the maximum", |it| with(it, "604800", "31557601")),
    invalid("policy-mx-underscore", "one of two `mx` has an underscore", |it| and(it, "mx: my_mail.example\r\n")),
];
