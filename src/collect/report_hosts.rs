//! The hosts that the `rua` of a TLSRPT record names (RFC 8460 §3): can a report get there?

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::limits::MAX_REPORT_HOSTS;
use super::pass::Pass;
use crate::grammar::tlsrpt_record;
use crate::snapshot::{Lookup, ReportHost, TxtRecord};

impl Pass<'_> {
    /// Looks up the hosts of all destinations of a TLSRPT RRset; `None` where that is not known.
    pub(super) async fn report_hosts(&self, record: &Lookup<TxtRecord>) -> Option<Vec<ReportHost>> {
        let destinations = report_destinations(record.known()?);
        if destinations.len() > MAX_REPORT_HOSTS {
            let reason =
                format!("only {MAX_REPORT_HOSTS} of the {} hosts that rua names were looked up", destinations.len());
            self.leave_out("report_hosts", reason);
        }
        let hosts = destinations.into_iter().take(MAX_REPORT_HOSTS);
        Some(join_all(hosts.map(|(name, mail)| self.report_host(name, mail))).await)
    }

    async fn report_host(&self, name: String, mail: bool) -> ReportHost {
        let mx = async { if mail { Some(self.mx(&name).await) } else { None } };
        let (mx, ipv4, ipv6) = tokio::join!(mx, self.ipv4(&name), self.ipv6(&name));
        ReportHost { name, mx, ipv4: Some(ipv4), ipv6: Some(ipv6) }
    }
}

/// The hosts of a record's destinations, and whether mail goes there.
fn report_destinations(records: &[TxtRecord]) -> BTreeMap<String, bool> {
    let mut hosts = BTreeMap::new();
    let records = records.iter().map(TxtRecord::joined).filter(|text| text.starts_with(b"v=TLSRPTv1"));
    for destination in records.flat_map(|text| tlsrpt_record::parse(&text).destinations) {
        let Some(host) = destination.host.filter(|host| is_name(host)) else { continue };
        let mail = destination.scheme.as_deref() == Some("mailto");
        *hosts.entry(host).or_insert(false) |= mail;
    }
    hosts
}

/// Whether a host is a name that can be looked up, and no address.
fn is_name(host: &str) -> bool {
    !host.is_empty() && host.len() <= 253 && !host.starts_with('[') && host.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_of_all_destinations_are_found_once() {
        let text = "v=TLSRPTv1; rua=mailto:a@Reports.example,https://in.example:8443/x,mailto:b@reports.example,\
                    https://192.0.2.1/x,https://[2001:db8::1]/x,nonsense";
        let hosts = report_destinations(&[TxtRecord::of(text), TxtRecord::of("v=spf1 -all")]);
        let hosts: Vec<_> = hosts.into_iter().collect();
        assert_eq!(hosts, [("in.example".to_owned(), false), ("reports.example".to_owned(), true)]);
    }
}
