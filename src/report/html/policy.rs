//! The policy statement with its lines numbered and its faults marked, and the host that serves it.

use super::domain::Domain;
use super::exhibit::Extract;
use super::findings;
use super::markup::Markup;
use super::session::{self, not_observed};
use super::status::Status;
use super::words;
use crate::facts::tree::HttpsFacts;
use crate::outcome::Check;

/// How many addresses of the policy host are shown.
const MAX_ADDRESSES: usize = 16;
/// How many remarks are below the policy.
const MAX_REMARKS: usize = 50;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    statement(domain, html);
    let probes = domain.facts().policy_host.at(|host| &host.probes).entries();
    if !probes.is_empty() {
        host(domain, html, probes);
    }
}

fn statement(domain: &Domain<'_>, html: &mut Markup) {
    let text = domain.report().exhibits.get("policy");
    let policy = &domain.facts().policy;
    let known = !policy.at(|policy| &policy.body).is_absent();
    let Some(text) = text.filter(|_| known) else {
        let sentence = if known {
            "The policy was not observed."
        } else {
            "No policy is served: senders without one in their cache deliver as if MTA-STS did not exist."
        };
        return html.leaf("p", &[], sentence);
    };
    let name = domain.facts().policy_host.at(|host| &host.name);
    html.element("figure", &[], |html| {
        html.element("figcaption", &[], |html| match (domain.policy_file(), name.known()) {
            (Some(file), _) => {
                html.text("Read from ");
                html.leaf("code", &[], file);
            }
            (None, Some(host)) => {
                html.text("Served at ");
                html.leaf("code", &[], &format!("https://{host}/.well-known/mta-sts.txt"));
            }
            (None, None) => html.text("The policy"),
        });
        Extract::new(text, domain.faults("policy")).whole(html);
    });
    remarks(domain, html);
    if let Some(&seconds) = policy.at(|policy| &policy.max_age).present() {
        let life = crate::snapshot::duration(seconds);
        let sentence = format!("A sender that fetches this policy now may apply it for {life} (max_age {seconds}).");
        html.leaf("p", &[("class", "remark")], &sentence);
    }
}

/// What is wrong with which line, in the order of the lines.
fn remarks(domain: &Domain<'_>, html: &mut Markup) {
    let findings = domain.report().findings();
    let line = |check: &Check| check.location.as_ref().filter(|at| at.exhibit == "policy").map(|at| at.line);
    let numbered = findings.iter().enumerate();
    let mut remarks: Vec<_> =
        numbered.filter_map(|(index, check)| Some((line(check)?, index, *check))).take(MAX_REMARKS).collect();
    remarks.sort_by_key(|(line, index, _)| (*line, *index));
    if !remarks.is_empty() {
        html.element("ul", &[("class", "plain remarks")], |html| {
            for (line, index, check) in remarks {
                html.element("li", &[], |html| remark(domain, html, line, index, check));
            }
        });
    }
}

fn remark(domain: &Domain<'_>, html: &mut Markup, line: usize, index: usize, check: &Check) {
    let status = Status::of(check);
    status.show(html, &format!("Line {line}, {}: ", status.word().to_lowercase()));
    if check.subject.as_deref().is_some_and(|subject| subject.starts_with("line ")) {
        html.prose(check.message.as_deref().unwrap_or(&check.title))
    } else {
        findings::message(html, check)
    }
    html.text(". ");
    let Some(anchor) = findings::anchor(domain, index) else { return };
    html.element("a", &[("href", &format!("#{anchor}"))], |html| {
        html.text("What to do");
        html.leaf("span", &[("class", "visually-hidden")], &format!(" about {} in line {line}", check.rule));
    });
}

fn host(domain: &Domain<'_>, html: &mut Markup, probes: &[HttpsFacts]) {
    let columns = ["Address", "Status", "Media type", "Time", "TLS", "Certificate"];
    domain.table(html, "The policy host over HTTPS", &columns, |html| {
        probes.iter().take(MAX_ADDRESSES).for_each(|probe| html.element("tr", &[], |html| row(html, probe)));
    });
    words::and_more(html, probes.len().saturating_sub(MAX_ADDRESSES), "row");
}

fn row(html: &mut Markup, probe: &HttpsFacts) {
    html.element("th", &[("scope", "row")], |html| html.leaf("code", &[], probe.address.text()));
    html.element("td", &[], |html| match (probe.status.present(), probe.failure.present()) {
        (Some(200), _) => Status::Passed.show(html, "200"),
        (Some(status), _) => Status::Error.show(html, &status.to_string()),
        (None, Some(failure)) => Status::Error.show(html, failure),
        (None, None) => not_observed(html),
    });
    html.element("td", &[], |html| match probe.media_type.present() {
        Some(media_type) => html.leaf("code", &[], media_type),
        None => html.leaf("span", &[("class", "muted")], "none"),
    });
    html.element("td", &[], |html| match probe.milliseconds.known() {
        Some(milliseconds) => html.text(&format!("{milliseconds} ms")),
        None => not_observed(html),
    });
    html.element("td", &[], |html| session::version(html, &probe.tls));
    session::certificate(html, &probe.tls);
}
