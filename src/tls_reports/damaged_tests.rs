//! Reports, their containers and their mails, damaged at random.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::container::unpack;
use super::duplicates::Distinct;
use super::read::read as read_report;
use super::sums::digest;

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, octets) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(octets).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn report() -> Vec<u8> {
    let report = serde_json::json!({
        "organization-name": "Sender",
        "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
        "contact-info": "tls@sender.example",
        "report-id": "1",
        "policies": [{
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: enforce", "mx: mx1.example.com", "max_age: 86400"],
                "policy-domain": "example.com",
                "mx-host": ["mx1.example.com"],
            },
            "summary": {"total-successful-session-count": 5, "total-failure-session-count": 2},
            "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 2}],
        }],
    });
    serde_json::to_vec(&report).unwrap()
}

/// A mail with a report in base64, as `media_type`.
fn mail(media_type: &str, packed: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(packed);
    format!(
        "From: noreply@sender.example\r\nTo: reports@example.com\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=tlsrpt; boundary=b\r\n\r\n\
        --b\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b--\r\n"
    )
    .into_bytes()
}

proptest! {
    /// Whatever is damaged in a report, its container or its mail: no panic, and no more reports than there are.
    #[test]
    fn damaged_reports_are_read_or_told(
        packed in 0..4usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let plain = report();
        let mut input = match packed {
            0 => plain,
            1 => gzip(&plain),
            2 => zip(&[("a.json", &plain)]),
            _ => mail("application/tlsrpt+gzip", &gzip(&plain)),
        };
        for (at, octet) in edits {
            let at = at.index(input.len());
            input[at] = octet;
        }
        if cuts {
            input.truncate(cut.index(input.len()));
        }
        let unpacked = unpack("input", &input);
        prop_assert!(unpacked.found.len() + unpacked.lost.len() >= 1);
        let reports: Vec<_> =
            unpacked.found.iter().filter_map(|found| read_report(&found.source, &found.octets).ok()).collect();
        prop_assert!(reports.len() <= 1);
        let digest = digest(&Distinct::of(reports));
        for domain in &digest.domains {
            prop_assert_eq!(domain.connections, domain.verified.saturating_add(domain.opportunistic).saturating_add(domain.failed));
            prop_assert!(domain.refused.saturating_add(domain.delivered) <= domain.failed);
        }
    }
}
