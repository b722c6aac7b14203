//! A hoster's nightly check: reads customers' domains, one per line, and prints what each of them has to do.
//!
//! `cargo run --example customers < domains.txt`

use futures_util::{StreamExt, stream};
use stslint::{Collector, CollectorOptions, DomainName, Linter, Severity};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (linter, collector) = (Linter::new()?, Collector::new(CollectorOptions::default())?);
    let domains = std::io::read_to_string(std::io::stdin())?;
    check(&domains, &collector, &linter, |answer| print!("{answer}")).await;
    collector.finish().await;
    Ok(())
}

/// Checks sixteen domains at a time, and hands over one answer per line, in the order of the lines.
pub async fn check(domains: &str, collector: &Collector, linter: &Linter, mut print: impl FnMut(String)) {
    let lines = domains.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut answers = stream::iter(lines).map(|line| answer(line, collector, linter)).buffered(16);
    while let Some(answer) = answers.next().await {
        print(answer);
    }
}

async fn answer(line: &str, collector: &Collector, linter: &Linter) -> String {
    let domain = match DomainName::parse(line) {
        Ok(domain) => domain,
        Err(error) => return format!("not checked: {error}\n"),
    };
    let report = linter.lint(&collector.collect(&domain).await);
    if let Some(reason) = report.nothing_checked() {
        return format!("{domain}: could not be checked: {reason}\n");
    }
    let serious = report.findings().into_iter().filter(|finding| finding.severity >= Severity::Warning);
    let to_do: String = serious
        .map(|finding| {
            let help = finding.help.map(|help| format!("  To do: {help}\n")).unwrap_or_default();
            format!("{domain}: {}: {}\n{help}", finding.severity, finding.message)
        })
        .collect();
    match (to_do.is_empty(), report.not_checked().len()) {
        (false, _) => to_do,
        (true, 0) => format!("{domain}: nothing to do\n"),
        (true, unseen) => format!("{domain}: nothing to do as far as was seen; {unseen} checks could not be made\n"),
    }
}
