//! Names between the DNS and the texts of snapshots (RFC 1035 §5.1). Used wherever something is asked or answered.
//!
//! A name in the DNS may hold any octet. What no host name has is written `\X` or `\DDD`, and read back so.

use hickory_resolver::proto::rr::Name;

/// A name as people write it, without the root's dot, the root itself as `.`.
pub fn shown(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let label = |octets: &[u8]| octets.iter().map(|octet| written(*octet)).collect::<String>();
    name.iter().map(label).collect::<Vec<_>>().join(".")
}

fn written(octet: u8) -> String {
    match octet {
        b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => format!("\\{}", char::from(octet)),
        octet if octet.is_ascii_graphic() => char::from(octet).to_string(),
        octet => format!("\\{octet:03}"),
    }
}

/// A name as a question has it, `None` where it cannot exist: a label has 63 octets at most, a name 255.
pub fn owner(name: &str) -> Option<Name> {
    if matches!(name, "" | ".") {
        return Some(Name::root());
    }
    let mut labels: Vec<Vec<u8>> = vec![Vec::new()];
    let mut octets = name.bytes();
    while let Some(octet) = octets.next() {
        let label = labels.last_mut()?;
        match octet {
            b'.' => labels.push(Vec::new()),
            b'\\' => match octets.next()? {
                first if first.is_ascii_digit() => {
                    let digits = [first, octets.next()?, octets.next()?];
                    label.push(std::str::from_utf8(&digits).ok()?.parse().ok()?);
                }
                escaped => label.push(escaped),
            },
            octet => label.push(octet),
        }
    }
    // The last dot is that of the root.
    if labels.last().is_some_and(Vec::is_empty) {
        labels.pop();
    }
    let mut owner = Name::from_labels(labels.iter().map(Vec::as_slice)).ok()?;
    owner.set_fqdn(true);
    Some(owner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_it_was() {
        for (text, labels) in [
            ("example.com", vec![&b"example"[..], b"com"]),
            ("-lead.ins.lab", vec![b"-lead", b"ins", b"lab"]),
            ("_mta-sts.example.com", vec![b"_mta-sts", b"example", b"com"]),
            ("sp\\032ace.lab", vec![b"sp ace", b"lab"]),
            ("a\\.b.lab", vec![b"a.b", b"lab"]),
            ("\\027[31m.lab", vec![b"\x1b[31m", b"lab"]),
            ("\\255\\000.lab", vec![b"\xff\0", b"lab"]),
        ] {
            let name = owner(text).unwrap();
            assert_eq!(name.iter().collect::<Vec<_>>(), labels, "{text}");
            assert_eq!(shown(&name), text);
        }
        assert!(owner(".").unwrap().is_root() && shown(&Name::root()) == ".");
        assert_eq!(owner("example.com."), owner("example.com"));
        assert!(owner(&format!("{}.lab", "a".repeat(64))).is_none() && owner(&"a.".repeat(130)).is_none());
        assert!(owner("a..b").is_none() && owner("a\\").is_none() && owner("\\999.lab").is_none());
    }
}
