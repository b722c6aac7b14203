//! The corners of the policy grammar, and what holds for any octets.

use proptest::prelude::*;

use super::*;
use crate::grammar::mx_pattern::MxPattern;

/// What is wrong with a policy, as short words.
fn faults(body: &[u8]) -> Vec<&'static str> {
    let policy = parse(body);
    if policy.markup.is_some() {
        return vec!["markup"];
    }
    let mut faults = Vec::new();
    let mut add = |word, offences: &[Offence]| faults.extend(offences.iter().map(|_| word));
    add("syntax", &policy.syntax);
    add("encoding", &policy.encoding);
    add("case", &policy.case);
    add("blank", &policy.blank);
    add("trailing", &policy.trailing);
    if policy.endings.cr > 0 {
        faults.push("cr");
    }
    if policy.version.as_ref().is_none_or(|version| version.text != "STSv1") {
        faults.push("version");
    }
    if policy.valid_mode().is_none() {
        faults.push("mode");
    }
    match policy.valid_max_age() {
        None => faults.push("max_age"),
        Some(max_age) if max_age > 31_557_600 => faults.push("maximum"),
        Some(_) => {}
    }
    if policy.mx.is_empty() && policy.valid_mode() != Some(Mode::None) {
        faults.push("no mx");
    }
    faults.extend(policy.mx.iter().filter(|mx| MxPattern::parse(&mx.pattern.text).is_err()).map(|_| "mx"));
    faults
}

const GOOD: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n";

#[test]
fn a_wrong_max_age_is_understood_where_it_can_be() {
    for (text, seconds) in [
        ("7d", Some(604_800)),
        ("\"604800\"", Some(604_800)),
        ("604,800", Some(604_800)),
        ("604800.0", Some(604_800)),
        ("2 weeks", Some(1_209_600)),
        ("604800s", Some(604_800)),
        ("00000604800", Some(604_800)),
        ("-1", None),
        ("", None),
        ("1y", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(max_age_meant(text), seconds, "{text}");
    }
}

#[test]
fn the_corners_of_the_grammar() {
    let change = |from: &str, to: &str| GOOD.replace(from, to);
    let long_name = format!("{}: x\n{GOOD}", "x".repeat(33));
    for (body, expected) in [
        (GOOD.to_owned(), &[][..]),
        (change("\n", "\r\n"), &[]),
        (GOOD.trim_end().to_owned(), &[]),
        (change("mode: enforce\n", "mode: enforce\r\n"), &[]),
        (change("\n", "\r"), &["cr", "cr"][..1]),
        (format!("{GOOD}\n"), &["blank"]),
        (format!("{GOOD}\n\n\n"), &["blank"]),
        (format!("\n{GOOD}"), &["blank"]),
        (change("mode", "\nmode"), &["blank"]),
        (format!("{GOOD}  \n"), &["blank"]),
        (format!("\u{feff}{GOOD}"), &["encoding"]),
        (change("mode", " mode"), &["syntax"]),
        (change("enforce\n", "enforce \t\n"), &["trailing"]),
        (change("mode: ", "mode : "), &["syntax"]),
        (change("mode: ", "mode:"), &[]),
        (change("mode: ", "mode:\t"), &[]),
        (change("mode: ", "Mode: "), &["case", "mode"]),
        (change("enforce", "Enforce"), &["mode"]),
        (change("STSv1", "stsv1"), &["version"]),
        ("mode: enforce\nmx: a.example\nmax_age: 1\nversion: STSv1\n".to_owned(), &[]),
        (change("version: STSv1\n", ""), &["version"]),
        ("version: STSv1\nmode: none\nmax_age: 60\n".to_owned(), &[]),
        ("version: STSv1\nmode: testing\nmax_age: 60\n".to_owned(), &["no mx"]),
        (change("enforce", "report"), &["mode"]),
        (format!("{GOOD}mode: none\n"), &[]),
        (change("mode: enforce", "mode: x\nmode: enforce"), &["mode"]),
        (change("604800", "0"), &[]),
        (change("604800", "0000604800"), &[]),
        (change("604800", "31557600"), &[]),
        (change("604800", "31557601"), &["maximum"]),
        (change("604800", "9999999999"), &["maximum"]),
        (change("604800", "00000604800"), &["max_age"]),
        (change("604800", "-1"), &["max_age"]),
        (change("604800", "+1"), &["max_age"]),
        (change("604800", "1.5"), &["max_age"]),
        (change("604800", "7d"), &["max_age"]),
        (change("604800", "604,800"), &["max_age"]),
        (change("604800", ""), &["max_age"]),
        (change("mail.example.com", "MAIL.Example.COM"), &[]),
        (change("mail.example.com", "mail.example.com."), &["mx"]),
        (change("mail.example.com", ".example.com"), &["mx"]),
        (change("mail.example.com", "*"), &["mx"]),
        (change("mail.example.com", "a.example, b.example"), &["mx"]),
        (change("mx: mail.example.com", "mx:"), &["mx"]),
        (format!("# comment\n{GOOD}"), &["syntax"]),
        (format!("# c: x\n{GOOD}"), &["syntax"]),
        (format!("{GOOD}x-foo: bar baz\n"), &[]),
        (format!("{GOOD}x-foo: é\n"), &[]),
        (format!("{GOOD}x-foo:\n"), &["syntax"]),
        (format!("{GOOD}x-foo: a\tb\n"), &["syntax"]),
        (long_name, &["syntax"]),
        (format!("{GOOD}_x: a\n"), &["syntax"]),
        (format!("{GOOD}x-foo: a\u{85}mode: none\n"), &[]),
        (format!("{GOOD}x-foo: a\u{2028}mode: none\n"), &[]),
        (change(": ", "="), &["syntax", "version", "mode", "max_age", "no mx"]),
        (change("mode: ", "mode="), &["syntax", "mode"]),
        (format!("  {}", change("\n", "\n  ").trim_end()), &["syntax"]),
        (change("\nm", "\n\tm"), &["syntax"]),
        (change(": ", " : "), &["syntax"]),
        (GOOD.to_ascii_uppercase().replace("STSV1", "STSv1"), &["case", "version", "mode", "max_age", "no mx"]),
        (change("\n", ";\n"), &["syntax"]),
        (change("\n", " ;\r\n"), &["syntax"]),
        (change("\n", "\"\n").replace("\nm", "\n\"m").replace("version", "\"version"), &["syntax"]),
        (change("enforce\n", "enforce;\n"), &["mode"]),
        (format!("# a\n# b\n{GOOD}// c\n"), &["syntax", "syntax"]),
        (format!("---\nlayout: null\n---\n\n{GOOD}"), &["syntax"]),
        (format!("---\n{GOOD}---\n"), &["syntax", "syntax"]),
        (change("mx: ", "mx:\n  - "), &["syntax", "no mx"]),
        (change("mode: ", "\u{200b}mode: "), &["encoding"]),
        (change("mode: enforce", "mode: enforce\u{85}"), &["encoding"]),
        (change("mode: enforce", "mode: enf\u{1}orce"), &["encoding"]),
        (change("mode: enforce", "mode: enf\u{9f}orce"), &["encoding"]),
        (change("mode: enforce", "mo\u{1}de: enforce"), &["encoding"]),
        (change("max_age:", "max_age\u{9f}:"), &["encoding"]),
        (format!("{GOOD}mode:\n"), &["syntax"]),
        (format!("{GOOD}mode: report\n"), &[]),
        (format!("{GOOD}mode:\u{85}\n"), &[]),
        (format!("{GOOD}mode:\u{1}\n"), &["encoding"]),
        (change("mode: ", "mode:\u{a0}"), &["encoding"]),
        (change("enforce\n", "enforce\0\n"), &["encoding"]),
        (change("enforce\n", "enforce\r"), &["cr"]),
        ("<!DOCTYPE html><html>".to_owned(), &["markup"]),
        ("{\"version\": \"STSv1\"}".to_owned(), &["markup"]),
        ("version: STSv1\\nmode: enforce\\n".to_owned(), &["version", "mode", "max_age", "no mx"]),
        (String::new(), &["syntax", "version", "mode", "max_age", "no mx"]),
        ("\n\n".to_owned(), &["syntax", "version", "mode", "max_age", "no mx"]),
        (format!("{GOOD}x: a\u{0}b\n"), &["encoding"]),
    ] {
        assert_eq!(faults(body.as_bytes()), expected, "{body:?}");
    }
    assert_eq!(faults(b"version: STSv1\nmode: none\nmax_age: 1\nx: \xe9\n"), ["encoding"]);
    assert_eq!(faults(b"\xff\xfev\0:\0\n\0"), ["encoding", "version", "mode", "max_age", "no mx"]);
}

#[test]
fn the_first_field_counts_and_places_are_known() {
    let body = "version: STSv1\nmode: enforce\nmode: none\nmax-age: 1\nmax_age:  86400 \n";
    let policy = parse(body.as_bytes());
    assert_eq!(policy.mode.as_ref().unwrap().text, "enforce");
    let max_age = policy.max_age.unwrap();
    assert_eq!(max_age.span.of(body.as_bytes()), b"86400");
    assert!(policy.lines[2].field.as_ref().unwrap().duplicate);
    assert_eq!(policy.lines[3].field.as_ref().unwrap().meant, Some("max_age"));
}

#[test]
fn modes_that_people_write() {
    for (text, meant) in
        [("enforced", "enforce"), ("report", "testing"), ("off", "none"), ("Enforce", "enforce"), ("tesing", "testing")]
    {
        assert_eq!(mode_meant(text).map(Mode::word), Some(meant));
    }
    assert_eq!(mode_meant("banana"), None);
}

#[test]
fn large_bodies_take_linear_time() {
    let body = "mx: mail.example.com\n".repeat(10_000);
    assert!(parse(body.as_bytes()).mx.len() > 3_000);
    assert_eq!(parse(&vec![b':'; 1 << 20]).lines.len(), 1);
}

fn spans_lie_inside(body: &[u8]) {
    let policy = parse(body);
    let offences = [&policy.syntax, &policy.encoding, &policy.case, &policy.blank, &policy.trailing];
    let spans =
        offences.into_iter().flatten().map(|offence| offence.span).chain(policy.lines.iter().map(|line| line.span));
    let fields = policy
        .lines
        .iter()
        .filter_map(|line| line.field.as_ref())
        .flat_map(|field| [field.name.span, field.value.span]);
    assert!(spans.chain(fields).chain(policy.endings.odd).all(|span| span.end() <= body.len()), "{body:?}");
    assert!(policy.lines.windows(2).all(|pair| pair[0].span.end() <= pair[1].span.offset), "{body:?}");
}

proptest! {
    #[test]
    fn no_octets_panic_or_leave_the_text(body: Vec<u8>) {
        spans_lie_inside(&body);
    }

    #[test]
    fn nothing_near_the_grammar_does_either(body in "((version|Mode|mx|max_age| x|\u{feff})?[ \t:]{0,3}[STv1a-z0-9.*é\u{85}\u{0}-]{0,9}[ \t]?(\n|\r\n|\r)?){0,8}") {
        spans_lie_inside(body.as_bytes());
    }

    #[test]
    fn what_the_grammar_makes_is_valid(
        name in "[a-z0-9][A-Za-z0-9._-]{0,31}", value in "[!-~é]([ !-~é]{0,20}[!-~é])?", age in 1_u32..31_557_600, crlf: bool,
    ) {
        prop_assume!(!FIELDS.contains(&name.to_ascii_lowercase().as_str()));
        let body = format!("mx: *.example.com\nversion:STSv1\n{name}: {value}\nmax_age:\t{age}\nmode: testing");
        let body = if crlf { body.replace('\n', "\r\n") } else { body };
        prop_assert!(faults(body.as_bytes()).is_empty(), "{:?}", body);
    }
}

#[test]
fn policies_are_the_same_where_senders_read_the_same() {
    let one = b"version: STSv1\nmode: enforce\nmx: a.example\nmx: b.example\nmax_age: 604800\n";
    for (other, same) in [
        ("version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmx: b.example\r\nmax_age: 604800\r\n", true),
        ("version:STSv1\nmx: b.example\nmx: a.example\nmode:  enforce\nmax_age: 604800", true),
        ("version: STSv1\nmode: testing\nmx: a.example\nmx: b.example\nmax_age: 604800\n", false),
        ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 604800\n", false),
        ("version: STSv1\rmode: enforce\rmx: a.example\rmx: b.example\rmax_age: 604800\r", false),
        ("Version: STSv1\nmode: enforce\nmx: a.example\nmx: b.example\nmax_age: 604800\n", false),
        ("", false),
    ] {
        assert_eq!(are_the_same(one, other.as_bytes()), same, "{other:?}");
    }
    assert!(are_the_same(b"no policy", b"no policy") && !are_the_same(b"no policy", b"no policy\n"));
}

/// The grammar of RFC 8461 §3.2 as expressions, with `mx` and the first of each other field judged as what they are named.
fn follows_the_abnf(body: &str) -> bool {
    let matches = |expression: &str, text: &str| regex::Regex::new(expression).unwrap().is_match(text);
    let lines: Vec<&str> = body
        .strip_suffix('\n')
        .map(|body| body.strip_suffix('\r').unwrap_or(body))
        .unwrap_or(body)
        .split('\n')
        .collect();
    let last = lines.len() - 1;
    let mut seen: Vec<&str> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let line = if index < last { line.strip_suffix('\r').unwrap_or(line) } else { line };
        let Some((name, value)) = line.split_once(':') else { return false };
        let value = value.trim_matches([' ', '\t']);
        let first = !seen.contains(&name);
        seen.push(name);
        let domain = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*";
        let fits = match name {
            "version" if first => value == "STSv1",
            "mode" if first => ["enforce", "testing", "none"].contains(&value),
            "max_age" if first => matches(r"\A[0-9]{1,10}\z", value),
            "mx" => matches(&format!(r"\A(\*\.)?{domain}\z"), value),
            _ => {
                matches(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\z", name)
                    && matches(
                        r"\A[\x21-\x7e\u{80}-\u{10ffff}]([\x20-\x7e\u{80}-\u{10ffff}]*[\x21-\x7e\u{80}-\u{10ffff}])?\z",
                        value,
                    )
            }
        };
        if !fits {
            return false;
        }
    }
    let mode = body.lines().find_map(|line| line.strip_prefix("mode:")).map(|mode| mode.trim_matches([' ', '\t']));
    ["version", "mode", "max_age"].iter().all(|name| seen.contains(name))
        && (seen.contains(&"mx") || mode == Some("none"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn parser_and_abnf_agree(
        lines in proptest::collection::vec("(version:[ \t]?STSv1|mode: (enforce|none|testing|report|None)|max_age:[ \t]{0,2}[0-9]{0,11}|mx: ?([*]\\.)?[a-z-]{1,3}(\\.[a-z]{1,3})?|(mode|version|max_age|mx|x|x_y|_x|-x)[ \u{85}]?:[ \t]{0,2}[a-z é\u{1}\u{85}\u{9f}\t:;=-]{0,4}|[a-z# ]{0,2})[ \t]{0,2}", 0..4),
        good: bool, end in "(\n|\r\n|\r)", terminated: bool,
    ) {
        let mut all = lines;
        if good {
            all.extend(["version: STSv1", "mode: none", "max_age: 86400"].map(str::to_owned));
        }
        let mut body = all.join(&end);
        if terminated {
            body.push_str(&end);
        }
        // White space at the ends of lines is in the grammar, and a size is none of its business.
        let found: Vec<_> = faults(body.as_bytes()).into_iter().filter(|it| !["trailing", "maximum"].contains(it)).collect();
        prop_assert_eq!(found.is_empty(), follows_the_abnf(&body), "{:?}: {:?}", body, found);
    }
}
