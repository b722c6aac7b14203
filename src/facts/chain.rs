//! What a server's chain is made of: the certificates that lead from the host's own to the last that was sent, and those
//! that are out of place. Used by the facts of a TLS session.

use std::collections::BTreeSet;

use crate::snapshot::Certificate;
use crate::source_text::escape;

/// What is to be said of the certificates that a server sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentChain {
    /// Whether one comes before the certificate that it vouches for, or apart from it.
    pub misordered: bool,
    /// Those that were sent more than once, by subject.
    pub duplicates: Vec<String>,
    /// Those that vouch for no other, by subject.
    pub foreign: Vec<String>,
    /// The first that is out of place: its place in the chain.
    pub out_of_place: Option<usize>,
    /// Who issued the last certificate on the way from the host's own, where that was not sent and it is not its own.
    pub unsent_issuer: Option<String>,
}

/// Looks at a chain; the first certificate is the host's own.
pub fn look_at(chain: &[Certificate]) -> SentChain {
    let mut sent = SentChain::default();
    let mut met = BTreeSet::new();
    let mut distinct: Vec<&Certificate> = Vec::new();
    for certificate in chain {
        if met.insert(identity(certificate)) {
            distinct.push(certificate)
        } else {
            sent.duplicates.push(escape(&certificate.subject))
        }
    }
    sent.duplicates.sort();
    sent.duplicates.dedup();
    let way = way(&distinct);
    sent.misordered = way.windows(2).any(|pair| matches!(pair, [before, after] if after < before));
    let on_the_way: BTreeSet<&str> =
        way.iter().filter_map(|index| distinct.get(*index)).map(|certificate| certificate.subject.as_str()).collect();
    // Another certificate of an authority on the way, signed by another, is one more way to a root.
    let foreign = distinct.iter().filter(|certificate| !on_the_way.contains(certificate.subject.as_str()));
    sent.foreign = foreign.map(|certificate| escape(&certificate.subject)).collect();
    sent.out_of_place = out_of_place(chain, &distinct, &way, &on_the_way);
    let last = way.last().and_then(|index| distinct.get(*index));
    sent.unsent_issuer =
        last.filter(|last| last.subject != last.issuer).map(|last| escape(&last.issuer)).filter(|it| !it.is_empty());
    sent
}

/// The first certificate that was sent again, that vouches for no other, or that comes before the one it vouches for.
fn out_of_place(
    chain: &[Certificate],
    distinct: &[&Certificate],
    way: &[usize],
    on_the_way: &BTreeSet<&str>,
) -> Option<usize> {
    let mut met = BTreeSet::new();
    let stray = chain.iter().position(|certificate| {
        !met.insert(identity(certificate)) || !on_the_way.contains(certificate.subject.as_str())
    });
    let misordered = way.windows(2).find_map(|pair| match pair {
        [before, after] if after < before => distinct.get(*after),
        _ => None,
    });
    let misordered = misordered.and_then(|wrong| chain.iter().position(|other| identity(other) == identity(wrong)));
    [stray, misordered].into_iter().flatten().min()
}

/// What tells a certificate from another: its octets' digest where it is known.
fn identity(certificate: &Certificate) -> (&str, &str, Option<&str>, Option<&str>) {
    let octets = certificate.sha256.as_deref().or(certificate.pem.as_deref());
    (&certificate.subject, &certificate.issuer, certificate.serial.as_deref(), octets)
}

/// From the host's own certificate from issuer to issuer, as long as the issuer was sent: places in the chain.
fn way(chain: &[&Certificate]) -> Vec<usize> {
    let mut way = Vec::new();
    let mut next = (!chain.is_empty()).then_some(0);
    while let Some(index) = next {
        way.push(index);
        next =
            chain.get(index).filter(|certificate| certificate.subject != certificate.issuer).and_then(|certificate| {
                let is_issuer = |at: &usize| chain.get(*at).is_some_and(|other| other.subject == certificate.issuer);
                // What comes next in the order that was sent is preferred.
                let behind = index.saturating_add(1)..chain.len();
                behind.chain(0..index).filter(is_issuer).find(|at| !way.contains(at))
            });
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(certificates: &[(&str, &str)]) -> Vec<Certificate> {
        let certificate = |(subject, issuer): &(&str, &str)| Certificate {
            subject: (*subject).to_owned(),
            issuer: (*issuer).to_owned(),
            ..Certificate::default()
        };
        certificates.iter().map(certificate).collect()
    }

    fn looked_at(certificates: &[(&str, &str)]) -> (bool, Vec<String>, Vec<String>, Option<String>) {
        let sent = look_at(&chain(certificates));
        (sent.misordered, sent.duplicates, sent.foreign, sent.unsent_issuer)
    }

    #[test]
    fn four_faults_are_told_apart() {
        let (host, a, b, root) = (("host", "A"), ("A", "B"), ("B", "root"), ("root", "root"));
        let none = Vec::new;
        let text = |text: &str| Some(text.to_owned());
        let list = |text: &str| vec![text.to_owned()];
        assert_eq!(looked_at(&[]), (false, none(), none(), None));
        assert_eq!(looked_at(&[host]), (false, none(), none(), text("A")));
        assert_eq!(looked_at(&[host, a, b]), (false, none(), none(), text("root")));
        assert_eq!(looked_at(&[host, a, b, root]), (false, none(), none(), None));
        assert_eq!(looked_at(&[host, b, a]), (true, none(), none(), text("root")), "out of order");
        assert_eq!(looked_at(&[host, host, a, b]), (false, list("host"), none(), text("root")), "sent twice");
        assert_eq!(looked_at(&[host, a, ("x", "y"), b]), (false, none(), list("x"), text("root")), "foreign");
        assert_eq!(looked_at(&[host, b, root]), (false, none(), vec!["B".into(), "root".into()], text("A")), "gap");
        assert_eq!(looked_at(&[host, a, ("A", "C"), b]), (false, none(), none(), text("root")), "a second way");
        assert_eq!(looked_at(&[("s", "s")]), (false, none(), none(), None));
    }

    #[test]
    fn certificates_that_vouch_for_each_other_end() {
        assert_eq!(looked_at(&[("a", "b"), ("b", "a")]), (false, vec![], vec![], Some("a".to_owned())));
    }
}
