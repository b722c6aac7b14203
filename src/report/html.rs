//! The report as one HTML page for people: a file that needs nothing else, runs no script and loads nothing.
//!
//! `cli` prints it for `--format html`. Its Content-Security-Policy allows the style within and no more, so that
//! even a mistake in escaping could not make a browser act for a peer.

mod about;
mod chart;
mod checks;
mod domain;
mod exhibit;
mod findings;
mod fleet;
mod hosts;
pub mod markup;
mod overview;
mod policy;
mod records;
mod remarks;
mod section;
mod sender;
mod session;
mod status;
mod timeline;
mod tls_reports;
mod tlsrpt;
mod verdict;
pub mod words;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use self::domain::Domain;
use self::markup::Markup;
use self::section::Part;
pub use self::tls_reports::{sums, tls_reports as html_tls_reports};
use super::fleet::Row;
use super::{Linted, Results, Unreadable};

/// Up to so many domains each have a whole section of their own.
const MAX_WHOLE: usize = 20;
/// Of more domains, so many have a short section, if they have an error or a warning.
const MAX_DETAILED: usize = 1_000;
/// How many domains the contents name.
const MAX_CONTENTS: usize = 40;

const STYLE: &str = include_str!("html/style.css");
const ICONS: &str = include_str!("html/icons.svg");
/// The mark in the tab of a browser; without one, browsers ask the server of the page for it.
const TAB_ICON: &str = "data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20viewBox=%220%200%2032%2032%22%3E\
    %3Crect%20x=%221%22%20y=%225%22%20width=%2230%22%20height=%2222%22%20rx=%225%22%20fill=%22%230b5c7a%22/%3E\
    %3Cpath%20d=%22M5.5%2010.5%2016%2018.5%2026.5%2010.5%22%20fill=%22none%22%20stroke=%22white%22%20stroke-width=%222.6%22/%3E\
    %3C/svg%3E";

/// The page about one or more domains; of several, those whose mail fares worst come first.
pub fn html(results: &Results<'_>) -> String {
    let sorted = sorted(results);
    page_of(&title(&sorted), SUBTITLE, |html| content_of(html, &sorted, results.unreadable, None))
}

/// An index and a page for each domain, for a folder: hands over the name of each file and its text.
pub fn html_folder<E>(results: &Results<'_>, write: &mut dyn FnMut(&str, &str) -> Result<(), E>) -> Result<(), E> {
    let sorted = sorted(results);
    let names = fleet::file_names(&sorted);
    for (linted, name) in sorted.iter().zip(&names) {
        let page = page_of(&title(&[linted]), SUBTITLE, |html| content_of(html, &[linted], &[], None));
        write(name, &page)?;
    }
    let index = page_of(&title(&sorted), SUBTITLE, |html| content_of(html, &sorted, results.unreadable, Some(&names)));
    write("index.html", &index)
}

const SUBTITLE: &str = "Report on MTA-STS and TLSRPT";

fn sorted<'a>(results: &Results<'a>) -> Vec<&'a Linted> {
    let mut sorted: Vec<&Linted> = results.linted.iter().collect();
    sorted.sort_by_cached_key(|linted| Row::of(linted).urgency());
    sorted
}

/// A whole page with its frame: the title, what it is, and what is between masthead and footer.
pub fn page_of(title: &str, subtitle: &str, inside: impl FnOnce(&mut Markup)) -> String {
    let mut page = Markup::default();
    page.embed("<!DOCTYPE html>\n");
    page.element("html", &[("lang", "en-GB")], |html| {
        html.element("head", &[], |html| head(html, title));
        html.element("body", &[], |html| body(html, subtitle, inside));
    });
    page.into_html() + "\n"
}

fn head(html: &mut Markup, title: &str) {
    html.open("meta", &[("charset", "utf-8")]);
    html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &content_security_policy())]);
    html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.open("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.open("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    html.open("meta", &[("name", "robots"), ("content", "noindex")]);
    html.open("meta", &[("name", "generator"), ("content", concat!("stslint ", env!("CARGO_PKG_VERSION")))]);
    html.plain_in("title", &[], &format!("{title} – stslint"));
    html.open("link", &[("rel", "icon"), ("type", "image/svg+xml"), ("href", TAB_ICON)]);
    html.element("style", &[], |html| html.embed(STYLE));
}

/// What a browser may do with the page: apply the one style and show the icon in it (CSP level 3).
fn content_security_policy() -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes());
    let hash = STANDARD.encode(hash.as_ref());
    format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'")
}

fn title(linted: &[&Linted]) -> String {
    match linted {
        [] => "No domain".to_owned(),
        [alone] => domain::name(alone).chars().take(253).collect(),
        several => {
            let domains = several.iter().filter(|linted| linted.report.is_over_one_domain()).count();
            format!("MTA-STS and TLSRPT of {}", super::counted(domains, "domain"))
        }
    }
}

fn body(html: &mut Markup, subtitle: &str, inside: impl FnOnce(&mut Markup)) {
    html.embed(ICONS);
    html.leaf("a", &[("class", "skip"), ("href", "#content")], "Skip to the content");
    html.element("header", &[("class", "masthead")], |html| {
        html.element("svg", &[("class", "mark"), ("aria-hidden", "true"), ("viewBox", "0 0 32 32")], |html| {
            html.leaf("use", &[("href", "#icon-mark")], "");
        });
        html.element("p", &[], |html| {
            html.leaf("strong", &[], "stslint");
            html.leaf("span", &[], subtitle);
        });
    });
    inside(html);
    html.element("footer", &[], |html| {
        html.leaf("p", &[], concat!("Made by stslint ", env!("CARGO_PKG_VERSION"), "."));
        html.leaf(
            "p",
            &[],
            "This page is complete: it loads nothing, runs no script and tells nobody that it is read.",
        );
    });
}

/// What the page says of the domains, with its contents beside it: also a part of the pages of `serve`.
pub fn content(html: &mut Markup, linted: &[&Linted], unread: &[Unreadable]) {
    content_of(html, linted, unread, None);
}

/// The same; with `pages`, each domain has a page of that name and no section here.
fn content_of(html: &mut Markup, linted: &[&Linted], unread: &[Unreadable], pages: Option<&[String]>) {
    let alone = linted.len() == 1 && pages.is_none();
    let whole = pages.is_none() && linted.len() <= MAX_WHOLE;
    let domains: Vec<(Domain<'_>, Vec<Part>)> = linted
        .iter()
        .enumerate()
        .filter(|_| whole)
        .map(|(index, linted)| {
            let domain = Domain::new(linted, index.saturating_add(1), alone);
            let parts = section::parts(&domain);
            (domain, parts)
        })
        .collect();
    let link = |index: usize| match (pages, linted.get(index)) {
        (Some(pages), _) => pages.get(index).cloned(),
        (None, Some(linted)) if whole || fleet::has_section(linted, index) => {
            Some(format!("#d{}", index.saturating_add(1)))
        }
        _ => None,
    };
    html.element("div", &[("class", "page")], |html| {
        html.element("nav", &[("class", "contents"), ("aria-label", "Contents")], |html| {
            contents(html, &domains, alone)
        });
        html.element("main", &[("id", "content"), ("tabindex", "-1")], |html| {
            if !alone {
                html.leaf("h1", &[], &title(linted));
                overview::show(html, linted, &link);
                if !whole {
                    fleet::sums(html, linted);
                }
            }
            unreadable(html, unread);
            if !whole && pages.is_none() {
                for (index, linted) in linted.iter().enumerate() {
                    if fleet::has_section(linted, index) {
                        section::brief(&Domain::new(linted, index.saturating_add(1), false), html);
                    }
                }
            }
            domains.into_iter().for_each(|(domain, parts)| section::show(&domain, html, parts));
            if whole {
                references(html, linted);
            }
        });
    });
}

/// The style of the report, which its `content` needs.
pub fn style() -> &'static str {
    STYLE
}

/// The symbols that its `content` uses.
pub fn icons() -> &'static str {
    ICONS
}

fn contents(html: &mut Markup, domains: &[(Domain<'_>, Vec<Part>)], alone: bool) {
    if alone {
        return domains.iter().for_each(|(domain, parts)| section::contents(domain, html, parts));
    }
    html.element("ul", &[], |html| {
        html.element("li", &[], |html| html.leaf("a", &[("href", "#overview")], "Overview"));
        for (index, (domain, _)) in domains.iter().take(MAX_CONTENTS).enumerate() {
            let link = format!("#d{}", index.saturating_add(1));
            html.element("li", &[], |html| html.leaf("a", &[("href", &link)], domain.name()));
        }
    });
    words::and_more(html, domains.len().saturating_sub(MAX_CONTENTS), "domain");
}

/// What could not be read, so that nobody takes its absence for a good result.
fn unreadable(html: &mut Markup, inputs: &[Unreadable]) {
    if inputs.is_empty() {
        return;
    }
    let attributes = [("id", "unreadable"), ("class", "part"), ("aria-labelledby", "unreadable-heading")];
    html.element("section", &attributes, |html| {
        html.leaf("h2", &[("id", "unreadable-heading")], "Could not be read or checked");
        html.leaf("p", &[], "Nothing is known about these, and they appear nowhere else on this page.");
        html.element("ul", &[], |html| {
            for input in inputs.iter().take(MAX_DETAILED) {
                html.leaf("li", &[], &input.sentence());
            }
        });
        words::and_more(html, inputs.len().saturating_sub(MAX_DETAILED), "input");
    });
}

/// Every section of a standard that the page leans on, once, so that its address is on paper too.
fn references(html: &mut Markup, linted: &[&Linted]) {
    let cites: BTreeSet<&String> = linted
        .iter()
        .flat_map(|linted| &linted.report.checks)
        .flat_map(|check| &check.cites)
        .filter(|cite| super::citation_url(cite).is_some())
        .collect();
    if cites.is_empty() {
        return;
    }
    html.element(
        "section",
        &[("id", "standards"), ("class", "part"), ("aria-labelledby", "standards-heading")],
        |html| {
            html.leaf("h2", &[("id", "standards-heading")], "Standards");
            html.element("details", &[], |html| {
                html.leaf("summary", &[], "Every section of a standard that these checks lean on");
                html.element("ul", &[("class", "references")], |html| {
                    for cite in cites.into_iter().take(300) {
                        html.element("li", &[], |html| words::cites(html, std::slice::from_ref(cite)));
                    }
                });
            });
        },
    );
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::facts::Facts;
    use crate::outcome::{Check, Fix, Location, Outcome, Report, Severity, Summary};
    use crate::report::Run;
    use crate::rules::RuleSet;
    use crate::sender::{AppliedPolicy, SenderAction, SenderCache, SenderHost, SenderView};
    use crate::snapshot::{Lookup, MxRecord, Snapshot, Step};
    use crate::tls_reports::result_type::ResultType;

    fn linted(snapshot: Snapshot, report: Report) -> Linted {
        Linted { report, facts: Facts::of(&snapshot, None).into_domain(), snapshot, policy_file: None }
    }

    fn page(linted: &[Linted]) -> String {
        let rules = RuleSet::built_in().unwrap();
        html(&Results { linted, unreadable: &[], rules: &rules, ended_at: Timestamp::UNIX_EPOCH, run: Run::default() })
    }

    #[test]
    fn what_could_not_be_read_is_named() {
        let unreadable = [Unreadable { name: "old.yaml".to_owned(), message: "it is <empty>".to_owned() }];
        let rules = RuleSet::built_in().unwrap();
        let page = html(&Results {
            linted: &[],
            unreadable: &unreadable,
            rules: &rules,
            ended_at: Timestamp::UNIX_EPOCH,
            run: Run::default(),
        });
        assert!(page.contains("cannot read old.yaml: it is &lt;empty&gt;"), "{page}");
    }

    fn view(cache: SenderCache) -> SenderView {
        let actions = [
            SenderAction::Deliver,
            SenderAction::DeliverAndReport,
            SenderAction::DeliverUnverified,
            SenderAction::Refuse,
            SenderAction::Retry,
            SenderAction::Unknown,
        ];
        let hosts = actions.iter().enumerate().map(|(index, action)| SenderHost {
            exchange: format!("mx{index}.example.com"),
            preference: Some(10),
            action: *action,
            dane: None,
            explanation: "The policy names it, and its certificate does too.".to_owned(),
            reports: if index == 3 { vec![ResultType::ValidationFailure] } else { Vec::new() },
        });
        SenderView {
            holders: Vec::new(),
            resolver: crate::sender::SenderResolver::Any,
            cache,
            policy: AppliedPolicy::Enforce,
            explanation: "Record and policy are valid.".to_owned(),
            reports: vec![ResultType::StsWebpkiInvalid],
            hosts: hosts.collect(),
            mail: crate::sender::MailFate::Verified,
            outcome: "Mail goes to `mx0.example.com` over verified TLS.".to_owned(),
        }
    }

    #[test]
    fn what_senders_do_stands_in_words() {
        let sender = vec![view(SenderCache::Empty), view(SenderCache::Baseline)];
        let page = page(&[linted(Snapshot::of(Some("example.com")), Report { sender, ..Report::default() })]);
        for text in [
            "A sender that holds no policy yet",
            "A sender that still holds the older policy",
            "Mail goes to <code>mx0.example.com</code> over verified TLS.",
            "Delivers over verified TLS",
            "Delivers, and reports the failure",
            "Delivers without verifying",
            "Does not deliver here",
            "Cannot deliver now, tries again",
            "<code>sts-webpki-invalid</code>",
            "<code>validation-failure</code>",
        ] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn a_corrected_text_stands_beside_the_fault() {
        let location = Location { exhibit: "policy".to_owned(), line: 1, column: 7, offset: 6, length: 7 };
        let check = Check {
            rule: "policy-mode".to_owned(),
            group: "policy".to_owned(),
            title: "The mode is valid".to_owned(),
            outcome: Outcome::Fail,
            severity: Severity::Error,
            confidence: Default::default(),
            domain: None,
            subject: None,
            message: Some("the mode is not valid".to_owned()),
            help: None,
            cites: vec!["RFC 8461 §3.2".to_owned()],
            reported_as: None,
            senders: None,
            at: None,
            location: Some(location.clone()),
            related: Vec::new(),
            reason: None,
            fix: Some(Fix { location, with: "enforce".to_owned(), safe: false }),
        };
        let exhibits = [("policy".to_owned(), "mode: enfroce\n".to_owned())].into();
        let report = Report {
            summary: Summary::of(std::slice::from_ref(&check)),
            checks: vec![check],
            exhibits,
            ..Report::default()
        };
        let page = page(&[linted(Snapshot::of(None), report)]);
        assert!(page.contains("mode: <mark>enfroce</mark>"), "{page}");
        assert!(page.contains("<code>mode: enforce</code></ins>"), "{page}");
        assert!(page.contains("Proposed text"), "{page}");
    }

    #[test]
    fn a_very_large_observation_stays_readable() {
        let record = |index: u16| MxRecord { preference: index, exchange: format!("mx{index}.example.com") };
        let step = |index: u64| Step { name: format!("A mx{index}.example.com"), start_ms: index, end_ms: u64::MAX };
        let snapshot = Snapshot {
            mx: Some(Lookup::answer(None, (0..500).map(record).collect())),
            timeline: Some((0..5_000).map(step).collect()),
            ..Snapshot::of(Some("example.com"))
        };
        let exhibits = [("policy".to_owned(), "x".repeat(65_536)), ("mx".to_owned(), "y\n".repeat(30_000))].into();
        let page = page(&[linted(snapshot, Report { exhibits, ..Report::default() })]);
        assert!(page.contains("… and 450 more MX hosts"));
        assert!(page.contains("… and 4800 more steps"));
        assert!(page.contains("… and 29800 more lines"));
        assert!(page.len() < 400_000, "{}", page.len());
    }

    #[test]
    fn the_worst_of_many_domains_comes_first() {
        let domains = (0..300).map(|index| {
            let name = format!("d{index}.example");
            let summary = Summary { errors: usize::from(index == 299), passed: 1, ..Summary::default() };
            linted(Snapshot::of(Some(&name)), Report { domain: Some(name.clone()), summary, ..Report::default() })
        });
        let page = page(&domains.collect::<Vec<_>>());
        assert!(page.contains("1 of 300 domains needs repair"), "{page}");
        assert!(page.contains("<a href=\"#d1\">d299.example</a>"));
        assert!(page.contains("id=\"d1\"") && !page.contains("id=\"d2\""), "only what needs a look has a section");
        assert!(page.contains("d298.example"), "those without a section are in the table");
    }

    #[test]
    fn nothing_at_all_makes_a_page() {
        assert!(page(&[]).contains("<h1>No domain</h1>"));
        assert!(page(&[linted(Snapshot::default(), Report::default())]).contains("Nothing could be checked"));
    }
}
