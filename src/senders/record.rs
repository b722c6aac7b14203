//! How a sender reads the TXT records at `_mta-sts`. Called by `senders::explain`.

use super::blanks::Blanks;
use super::dialect::{Candidate, Case, Id, NonAscii, OtherFields, RecordDialect, RecordReader, Records, Repeated};
use super::verdict::{Reading, Stop, Verdict, known};
use super::{letters, plain, tag_list};

/// The version of the record.
const VERSION: &str = "v=STSv1";

/// What a sender makes of the TXT records, each with its character-strings joined.
pub fn read(dialect: &RecordDialect, texts: &[String]) -> Verdict {
    if texts.is_empty() {
        return Verdict::no("there is no TXT record");
    }
    // A text in which every reader sees the same needs no property.
    if dialect.reader.is_none() || dialect.records.is_none() {
        return plain::record(texts);
    }
    chosen(dialect, texts).unwrap_or_else(Verdict::from)
}

/// Chooses among the records as the sender does.
fn chosen(dialect: &RecordDialect, texts: &[String]) -> Result<Verdict, Stop> {
    let texts: Vec<&String> = match known(&dialect.non_ascii, "how it takes characters beyond ASCII")? {
        NonAscii::RecordIgnored => texts.iter().filter(|text| text.is_ascii()).collect(),
        NonAscii::Kept | NonAscii::Refused => texts.iter().collect(),
    };
    match known(&dialect.records, "what it does with several TXT records")? {
        Records::Any | Records::FirstAccepted => Ok(first_accepted(dialect, &texts)),
        Records::Joined => {
            let joined: String = texts.iter().map(|text| text.as_str()).collect();
            one(dialect, &joined).map_err(|stop| match stop {
                Stop::No(why) if texts.len() > 1 => {
                    Stop::No(format!("it joins the {} TXT records into one, and {why}", texts.len()))
                }
                stop => stop,
            })
        }
        Records::OneCandidate => {
            let mut candidates = Vec::new();
            for text in texts {
                if is_candidate(dialect, text)? {
                    candidates.push(text);
                }
            }
            match candidates.as_slice() {
                [] => Err(Stop::no("no TXT record begins as one of MTA-STS")),
                [text] => one(dialect, text),
                several => Err(Stop::no(format!("there are {} records, and it takes exactly one", several.len()))),
            }
        }
        Records::OneRecord => match texts.as_slice() {
            [text] => one(dialect, text),
            [] => Err(Stop::no("it leaves aside records with characters beyond ASCII")),
            several => Err(Stop::no(format!("there are {} TXT records, and it takes exactly one", several.len()))),
        },
    }
}

/// The first record that it accepts; else why it does not accept the last.
fn first_accepted(dialect: &RecordDialect, texts: &[&String]) -> Verdict {
    let mut last = Verdict::no("there is no TXT record that it can read");
    for text in texts {
        match one(dialect, text) {
            Ok(verdict) => return verdict,
            Err(Stop::Unknown(why)) => return Verdict::unknown(why),
            Err(stop) => last = stop.into(),
        }
    }
    last
}

fn is_candidate(dialect: &RecordDialect, text: &str) -> Result<bool, Stop> {
    let trimmed = known(&dialect.trims_text, "what it trims from the record")?.trim(text);
    let rest = trimmed.strip_prefix(VERSION);
    Ok(match known(&dialect.candidate, "which TXT records it takes for those of MTA-STS")? {
        Candidate::Delimited => rest.is_some_and(|rest| Blanks::SpaceAndTab.trim_start(rest).starts_with(';')),
        Candidate::Prefix => rest.is_some(),
        Candidate::PrefixAndDelimiter => rest.is_some_and(|rest| rest.starts_with(';')),
        Candidate::VersionField => {
            tag_list::fields(dialect, text)?.iter().any(|(name, value)| name == "v" && matches_version(dialect, value))
        }
        Candidate::Word => {
            let begins = trimmed.get(..VERSION.len()).is_some_and(|start| start.eq_ignore_ascii_case(VERSION));
            let next = trimmed.get(VERSION.len()..).and_then(|rest| rest.chars().next());
            begins && !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        }
    })
}

fn matches_version(dialect: &RecordDialect, value: &str) -> bool {
    match dialect.version {
        Some(Case::Any) => value.eq_ignore_ascii_case("STSv1"),
        _ => value == "STSv1",
    }
}

/// One record, taken apart as the sender does.
fn one(dialect: &RecordDialect, text: &str) -> Result<Verdict, Stop> {
    if dialect.non_ascii == Some(NonAscii::Refused)
        && let Some(c) = text.chars().find(|c| !c.is_ascii())
    {
        return Err(Stop::no(format!("U+{:04X} is beyond ASCII", u32::from(c))));
    }
    match known(&dialect.reader, "how it takes the record apart")? {
        RecordReader::Prefix => match is_candidate(dialect, text)? {
            true => Ok(Verdict::yes("it looks at the beginning alone", Reading::default())),
            false => Err(Stop::no("the record does not begin with `v=STSv1;`")),
        },
        RecordReader::Letters => letters::sts(text).map(|id| accepted(Some(id))),
        RecordReader::Header => field_values(dialect, &tag_list::header(text)),
        RecordReader::Split => field_values(dialect, &tag_list::fields(dialect, text)?),
    }
}

fn accepted(id: Option<String>) -> Verdict {
    Verdict::yes("it is valid for this sender", Reading { id, ..Reading::default() })
}

/// What the fields say.
fn field_values(dialect: &RecordDialect, fields: &[(String, String)]) -> Result<Verdict, Stop> {
    let of = |wanted: &'static str| fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value);
    let versions: Vec<&String> = of("v").collect();
    let every = versions.len() > 1 && known(&dialect.every_version, "what it does with a second `v`")?;
    let repeated = |count: usize| match count {
        0 | 1 => Ok(Repeated::First),
        _ => known(&dialect.repeated, "which of two fields of one name it takes"),
    };
    // Whoever refuses a second id takes a second `v` for a field that it does not know.
    let version = match repeated(versions.len())? {
        Repeated::First | Repeated::Refused => versions.first(),
        Repeated::Last => versions.last(),
    };
    match version {
        None => return Err(Stop::no("there is no field `v`")),
        Some(value) if !matches_version(dialect, value) => {
            return Err(Stop::no(format!("`v={value}` is not the version `STSv1`")));
        }
        Some(_) if every && !versions.iter().all(|value| matches_version(dialect, value)) => {
            return Err(Stop::no("a second field `v` is not the version"));
        }
        Some(_) => {}
    }
    if fields.iter().any(|(name, _)| name != "v" && name != "id") {
        other_fields(dialect, fields)?;
    }
    let ids: Vec<&String> = of("id").collect();
    let id = match repeated(ids.len())? {
        Repeated::First => ids.first(),
        Repeated::Last => ids.last(),
        Repeated::Refused => return Err(Stop::no("a second field `id` spoils the record")),
    };
    let Some(id) = id else { return Err(Stop::no("there is no field `id`")) };
    let fits = match known(&dialect.id, "which ids it takes")? {
        Id::Grammar => (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric()),
        Id::NotEmpty => !id.is_empty(),
        Id::Present => true,
    };
    match fits {
        true => Ok(accepted(Some((*id).clone()))),
        false if id.is_empty() => Err(Stop::no("the id is empty")),
        false => Err(Stop::no(format!("the id `{id}` is not 1 to 32 letters and digits"))),
    }
}

fn other_fields(dialect: &RecordDialect, fields: &[(String, String)]) -> Result<(), Stop> {
    match known(&dialect.other_fields, "what it does with fields that it does not know")? {
        OtherFields::Ignored => Ok(()),
        OtherFields::Refused => Err(Stop::no("it takes no field beside `v` and `id`")),
        grammar @ (OtherFields::Grammar | OtherFields::LooseGrammar) => {
            let fits = |(name, value): &(String, String)| {
                let value = value.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'=' && octet != b';');
                plain::is_field_name(name, grammar == OtherFields::LooseGrammar) && value
            };
            let spoilt = fields.iter().find(|field| field.0 != "id" && (!fits(field) || field.1.is_empty()));
            match spoilt {
                Some((name, value)) => Err(Stop::no(format!("the field `{name}={value}` does not follow the grammar"))),
                None => Ok(()),
            }
        }
    }
}
