//! How a sender reads the body of a policy. Called by `senders::explain`.

use std::collections::BTreeSet;

use super::dialect::{
    Above, BlankPart, Case, Decoding, Delimiters, LineEnds, Missing, OtherFields, OtherValues, Pattern, PolicyDialect,
    PolicyReader, Refusal, Repeated, Unreadable,
};
use super::verdict::{Reading, Stop, Verdict, known};
use super::{addresses, plain};

/// What a sender makes of a policy; `charset` is that of Content-Type, in lower case: `Some(None)` where it names none,
/// `None` where it was not observed.
pub fn read(dialect: &PolicyDialect, body: &[u8], charset: Option<Option<&str>>) -> Verdict {
    // A text in which every reader sees the same needs no property.
    if dialect.reader.is_none() {
        return plain::policy(body);
    }
    read_known(dialect, body, charset).unwrap_or_else(Verdict::from)
}

fn read_known(dialect: &PolicyDialect, body: &[u8], charset: Option<Option<&str>>) -> Result<Verdict, Stop> {
    let text = decoded(dialect, body, charset)?;
    let fields = match known(&dialect.reader, "how it takes the policy apart")? {
        PolicyReader::Lines => lines(dialect, &text)?,
        PolicyReader::Stream => stream(dialect, &text)?,
    };
    let mut fields = fields;
    if fields.iter().any(|(_, value)| value.is_empty())
        && known(&dialect.drops_empty_values, "what it does with a field without a value")?
    {
        fields.retain(|(_, value)| !value.is_empty());
    }
    other_fields(dialect, &fields)?;
    version(dialect, &fields)?;
    let mode = mode(dialect, &fields)?;
    let max_age = max_age(dialect, &fields)?;
    let mx = patterns(dialect, &fields)?;
    if mx.is_empty() {
        let none = mode == "none";
        let property = if none { &dialect.no_mx_in_none } else { &dialect.no_mx };
        if known(property, "what it does with a policy without `mx`")? == Missing::Refused {
            return Err(Stop::no("the policy has no `mx`"));
        }
    }
    if mode == "none" && !known(&dialect.takes_none, "whether it takes a policy in mode none")? {
        return Err(Stop::no("it treats mode none as no policy"));
    }
    let reading = Reading { mode: Some(mode), max_age, mx, ..Reading::default() };
    Ok(Verdict::yes("it is valid for this sender", reading))
}

fn decoded(dialect: &PolicyDialect, body: &[u8], charset: Option<Option<&str>>) -> Result<String, Stop> {
    let strict = || String::from_utf8(body.to_vec()).map_err(|_| Stop::no("it has octets that are not UTF-8"));
    if body.is_ascii() {
        return strict();
    }
    match (known(&dialect.decoding, "how it takes octets beyond ASCII")?, charset) {
        (Decoding::Replaced, _) => Ok(String::from_utf8_lossy(body).into_owned()),
        (Decoding::Utf8, _) | (Decoding::Charset, Some(Some("utf-8" | "utf8"))) => strict(),
        (Decoding::Charset, None) => Err(Stop::Unknown("not known: the charset of Content-Type".to_owned())),
        (Decoding::Charset, Some(None | Some("us-ascii" | "ascii"))) => Err(Stop::no(
            "Content-Type names no charset, so that the sender takes ASCII alone, and there are other octets",
        )),
        (Decoding::Charset, Some(Some("iso-8859-1" | "latin1"))) => Ok(body.iter().copied().map(char::from).collect()),
        (Decoding::Charset, Some(Some(_))) => {
            Err(Stop::Unknown("not known: whether it has the charset of Content-Type".to_owned()))
        }
    }
}

/// The greatest `max_age` of the standard (RFC 8461 §3.2).
const GREATEST_MAX_AGE: i64 = 31_557_600;

type Fields = Vec<(String, String)>;

fn lines(dialect: &PolicyDialect, text: &str) -> Result<Fields, Stop> {
    let mut fields = Vec::new();
    for line in split(dialect, text)? {
        if line.len() > 8192 && dialect.longest_line.is_some_and(|longest| line.len() > longest) {
            return Err(Stop::no("a line is longer than the sender reads"));
        }
        let trims = known(&dialect.trims_names, "what it trims from lines")?;
        if line.trim().is_empty() {
            match known(&dialect.blank_line, "what it does with a blank line")? {
                BlankPart::SkippedIfEmpty if line.is_empty() => continue,
                BlankPart::Skipped => continue,
                _ => return Err(Stop::no("there is a blank line")),
            }
        }
        let Some((name, value)) = line.split_once(':') else {
            match known(&dialect.no_colon, "what it does with a line without `:`")? {
                Delimiters::Refused => return Err(Stop::no(format!("the line `{}` has no `:`", shown(line)))),
                Delimiters::First | Delimiters::Ignored => continue,
            }
        };
        let trims_values = known(&dialect.trims_values, "what it trims from values")?;
        let value = trims_values.trim(value);
        let value = match value.contains(':') {
            false => value,
            true => match known(&dialect.several_colons, "what it does with a line with two `:`")? {
                Delimiters::First => value,
                Delimiters::Refused => return Err(Stop::no(format!("the line `{}` has two `:`", shown(line)))),
                // A `:` at the very end of a line does not count.
                Delimiters::Ignored => match value.trim_end_matches(':') {
                    cut if cut.contains(':') => continue,
                    cut => trims_values.trim(cut),
                },
            },
        };
        fields.push((named(dialect, trims.trim(name))?, value.to_owned()));
    }
    Ok(fields)
}

fn named(dialect: &PolicyDialect, name: &str) -> Result<String, Stop> {
    if !name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        return Ok(name.to_owned());
    }
    Ok(match known(&dialect.names, "whether the case of field names matters")? {
        Case::Any => name.to_lowercase(),
        Case::Exact => name.to_owned(),
    })
}

fn split<'a>(dialect: &PolicyDialect, text: &'a str) -> Result<Vec<&'a str>, Stop> {
    // LF and CRLF are line ends for every sender; what else is one needs the property.
    let unusual = |c: char| matches!(c, '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let lone_cr = text.replace("\r\n", "\n").contains('\r');
    let ends = match lone_cr || text.contains(unusual) {
        true => known(&dialect.line_ends, "where its lines end")?,
        false => LineEnds::Lf,
    };
    let mut lines: Vec<&str> = match ends {
        LineEnds::Lf => text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect(),
        LineEnds::CrOrLf => text.split(['\r', '\n']).collect(),
        LineEnds::Python => text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .flat_map(|line| line.split(move |c| c == '\r' || unusual(c)))
            .collect(),
    };
    if lines.last() == Some(&"") {
        lines.pop();
    }
    Ok(lines)
}

/// From one `:` to the next line end: a line without `:` becomes a part of the next name.
fn stream(dialect: &PolicyDialect, text: &str) -> Result<Fields, Stop> {
    let trims = known(&dialect.trims_names, "what it trims from names")?;
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once(':') {
        let (value, next) = after.split_once('\n').unwrap_or((after, ""));
        fields.push((named(dialect, trims.trim(name))?, trims.trim(value).to_owned()));
        rest = next;
    }
    Ok(fields)
}

fn shown(line: &str) -> String {
    let cut: String = line.chars().take(40).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

fn is_own(name: &str) -> bool {
    matches!(name, "version" | "mode" | "max_age" | "mx")
}

fn other_fields(dialect: &PolicyDialect, fields: &Fields) -> Result<(), Stop> {
    let others: Vec<&(String, String)> = fields.iter().filter(|(name, _)| !is_own(name)).collect();
    let Some((first, _)) = others.first() else { return Ok(()) };
    match known(&dialect.other_fields, "what it does with fields that it does not know")? {
        OtherFields::Ignored => Ok(()),
        OtherFields::Refused => Err(Stop::no(format!("it does not know the field `{}`", shown(first)))),
        grammar @ (OtherFields::Grammar | OtherFields::LooseGrammar) => {
            let controls = known(&dialect.other_values, "which characters it refuses in a value")?;
            let refused = |c: char| match controls {
                OtherValues::AllControls => c.is_control(),
                OtherValues::AsciiControls => c.is_ascii_control(),
            };
            let mut earlier = BTreeSet::new();
            for (name, value) in others {
                if !plain::is_field_name(name, grammar == OtherFields::LooseGrammar) {
                    return Err(Stop::no(format!("`{}` is not a field name by the grammar", shown(name))));
                }
                let repeats = !earlier.insert(name);
                let skipped = repeats && dialect.every_value == Some(false);
                if !skipped && (value.is_empty() || value.contains(refused)) {
                    return Err(Stop::no(format!("the value of `{name}` does not follow the grammar")));
                }
            }
            Ok(())
        }
    }
}

/// The value that counts of the fields of one name, after those that must be valid too.
fn value_of<'a>(
    dialect: &PolicyDialect,
    fields: &'a Fields,
    name: &str,
    repeated: Option<Repeated>,
    valid: &dyn Fn(&str) -> bool,
) -> Result<Option<&'a str>, Stop> {
    let values: Vec<&str> = fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect();
    if values.len() < 2 {
        return Ok(values.first().copied());
    }
    let counting = match known(&repeated, "which of two fields of one name it takes")? {
        Repeated::First => values.first(),
        Repeated::Last => values.last(),
        Repeated::Refused => return Err(Stop::no(format!("the field `{name}` is there twice"))),
    };
    if known(&dialect.every_value, "whether it checks the field that does not count")?
        && let Some(spoilt) = values.iter().find(|value| !valid(value))
    {
        return Err(Stop::no(format!(
            "one of two fields `{name}` has the value `{}`, which is not valid",
            shown(spoilt)
        )));
    }
    Ok(counting.copied())
}

fn version(dialect: &PolicyDialect, fields: &Fields) -> Result<(), Stop> {
    if !known(&dialect.reads_version, "whether it reads the version")? {
        return Ok(());
    }
    let case = dialect.version;
    let fits = |value: &str| match case {
        Some(Case::Any) => value.eq_ignore_ascii_case("STSv1"),
        _ => value == "STSv1",
    };
    match value_of(dialect, fields, "version", dialect.repeated, &fits)? {
        Some("STSv1") => Ok(()),
        Some(value) if value.eq_ignore_ascii_case("STSv1") => {
            match known(&case, "whether the version must be in its case")? {
                Case::Any => Ok(()),
                Case::Exact => Err(Stop::no(format!("the version `{value}` is in the wrong case"))),
            }
        }
        Some(value) => Err(Stop::no(format!("the version `{}` is not `STSv1`", shown(value)))),
        None => match known(&dialect.no_version, "what it does with a policy without a version")? {
            Missing::Refused => Err(Stop::no("the policy has no `version`")),
            _ => Ok(()),
        },
    }
}

fn mode(dialect: &PolicyDialect, fields: &Fields) -> Result<String, Stop> {
    let modes = ["enforce", "testing", "none"];
    let lowered = |value: &str| modes.into_iter().find(|mode| value.eq_ignore_ascii_case(mode));
    let fits = |value: &str| match dialect.mode {
        Some(Case::Any) => lowered(value).is_some(),
        _ => modes.contains(&value),
    };
    let repeated = dialect.repeated_mode.or(dialect.repeated);
    match value_of(dialect, fields, "mode", repeated, &fits)? {
        Some(value) if modes.contains(&value) => Ok(value.to_owned()),
        Some(value) => {
            if let Some(mode) = lowered(value)
                && known(&dialect.mode, "whether the mode must be in its case")? == Case::Any
            {
                return Ok(mode.to_owned());
            }
            match known(&dialect.other_mode, "what it does with a mode that it does not know")? {
                Unreadable::None => Ok("none".to_owned()),
                Unreadable::Ignored | Unreadable::Refused => {
                    Err(Stop::no(format!("the mode `{}` is not valid", shown(value))))
                }
            }
        }
        None => match known(&dialect.no_mode, "what it does with a policy without a mode")? {
            Missing::Enforce => Ok("enforce".to_owned()),
            Missing::Fine | Missing::None => Ok("none".to_owned()),
            Missing::Refused => Err(Stop::no("the policy has no `mode`")),
        },
    }
}

fn max_age(dialect: &PolicyDialect, fields: &Fields) -> Result<Option<i64>, Stop> {
    let numbers = dialect.max_age;
    let fits = |value: &str| numbers.is_some_and(|numbers| numbers.read(value).is_some());
    let Some(value) = value_of(dialect, fields, "max_age", dialect.repeated, &fits)? else {
        return match known(&dialect.no_max_age, "what it does with a policy without `max_age`")? {
            Missing::Refused => Err(Stop::no("the policy has no `max_age`")),
            _ => Ok(None),
        };
    };
    let plain_number = super::numbers::Numbers::Digits.read(value).filter(|value| (1.0..=31_557_600.0).contains(value));
    let number = match plain_number {
        Some(number) => Some(number),
        None => known(&numbers, "which numbers it takes")?.read(value),
    };
    let Some(number) = number else {
        return match known(&dialect.other_max_age, "what it does with a `max_age` that it cannot read")? {
            Unreadable::Ignored | Unreadable::None => Ok(None),
            Unreadable::Refused => {
                Err(Stop::no(format!("`max_age` is `{}`, which it does not read as a number", shown(value))))
            }
        };
    };
    if plain_number.is_some() {
        return Ok(Some(seconds(number)));
    }
    let taken = match number {
        number if number < 0.0 => known(&dialect.negative_max_age, "what it does with a negative `max_age`")?,
        number if number < 1.0 => known(&dialect.zero_max_age, "what it does with a `max_age` of 0")?,
        _ => Refusal::Ignored,
    };
    if taken == Refusal::Refused {
        return Err(Stop::no(format!("`max_age` is `{value}`, which it does not take")));
    }
    let greatest = dialect.greatest_max_age.unwrap_or(GREATEST_MAX_AGE);
    if number <= approximate(greatest) {
        return Ok(Some(seconds(number)));
    }
    match known(&dialect.above, "what it does with so great a `max_age`")? {
        Above::Capped => Ok(Some(greatest)),
        Above::Refused => Err(Stop::no(format!("`max_age` {value} is above the limit of {greatest} seconds"))),
        Above::Taken => Ok(Some(seconds(number))),
    }
}

#[allow(clippy::cast_possible_truncation)]
fn seconds(number: f64) -> i64 {
    // A cast from a float keeps to the range of the type.
    number as i64
}

#[allow(clippy::cast_precision_loss)]
fn approximate(number: i64) -> f64 {
    number as f64
}

fn patterns(dialect: &PolicyDialect, fields: &Fields) -> Result<Vec<String>, Stop> {
    let mut found = Vec::new();
    for (_, value) in fields.iter().filter(|(name, _)| name == "mx") {
        let fits =
            addresses::is_plain_pattern(value) || fits(known(&dialect.pattern, "which patterns it takes")?, value);
        if fits {
            found.push(value.clone());
        } else if known(&dialect.other_pattern, "what it does with a pattern that it does not take")?
            == Refusal::Refused
        {
            return Err(Stop::no(format!("`mx` is `{}`, which is not a valid pattern", shown(value))));
        }
    }
    Ok(found)
}

/// The patterns that the sender keeps, or why it refuses the policy that has them.
pub fn kept_patterns(dialect: &PolicyDialect, patterns: &[String]) -> Result<Vec<String>, Stop> {
    let fields: Fields = patterns.iter().map(|pattern| ("mx".to_owned(), pattern.clone())).collect();
    self::patterns(dialect, &fields)
}

fn fits(pattern: Pattern, value: &str) -> bool {
    let bare = value.strip_prefix("*.").unwrap_or(value);
    match pattern {
        Pattern::Any => true,
        Pattern::DnsName => addresses::is_dns_name(bare.strip_suffix('.').unwrap_or(bare)) && value.len() <= 255,
        Pattern::Grammar => addresses::is_domain(bare),
        Pattern::HostName => addresses::is_host_name(bare),
        Pattern::NotEmpty => !bare.is_empty(),
        Pattern::StarFirst => !value.is_empty() && (!value.contains('*') || value.starts_with('*')),
    }
}
