//! What the collector did when: a bar for each step, the chain of waiting that made it last so long first.

use super::domain::Domain;
use super::markup::Markup;
use super::words;
use crate::snapshot::{Snapshot, Step};

/// How many steps are drawn and listed.
const MAX_STEPS: usize = 200;
/// The drawing in user units: its width, the column of names, a row, the scale above, a group's heading.
const WIDTH: u64 = 960;
const NAMES: u64 = 330;
const ROW: u64 = 22;
const SCALE: u64 = 26;
const GROUP: u64 = 30;
/// How many characters of a name fit into its column.
const MAX_NAME: usize = 42;

/// Fills the part; nothing where no steps were noted.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let snapshot = domain.snapshot();
    let mut steps: Vec<&Step> = snapshot.timeline.iter().flatten().collect();
    steps.sort_by_key(|step| (step.start_ms, step.end_ms, &step.name));
    let Some(length) = steps.iter().map(|step| step.end_ms).max() else { return };
    let critical = critical_path(snapshot, &steps);
    let left_out = steps.len().saturating_sub(MAX_STEPS);
    let beside: Vec<&Step> = steps.iter().filter(|step| !critical.contains(step)).copied().collect();
    let beside: Vec<&Step> = beside.into_iter().take(MAX_STEPS.saturating_sub(critical.len())).collect();
    let sentence = format!(
        "The collection took {length} ms. Its critical path is what made it last so long: each step there waited for \
         the one before it, and everything else ran beside."
    );
    html.leaf("p", &[], &sentence);
    let label = format!("Timeline of the collection: {}", domain.name());
    let region = [("class", "scroll"), ("role", "region"), ("aria-label", label.as_str()), ("tabindex", "0")];
    html.element("div", &region, |html| drawing(html, domain, &critical, &beside, length));
    html.element("details", &[], |html| {
        html.leaf("summary", &[], "The same as a table");
        let columns = ["Step", "From", "To", "Took", "Waited for"];
        domain.table(html, "Steps of the collection", &columns, |html| {
            for step in critical.iter().chain(&beside) {
                html.element("tr", &[], |html| row(html, step, waited_for(snapshot, &steps, step)));
            }
        });
    });
    words::and_more(html, left_out, "step");
}

fn row(html: &mut Markup, step: &Step, before: Option<&Step>) {
    html.leaf("th", &[("scope", "row")], &step.name);
    for time in [step.start_ms, step.end_ms, step.end_ms.saturating_sub(step.start_ms)] {
        html.leaf("td", &[("class", "number")], &format!("{time} ms"));
    }
    html.leaf("td", &[], before.map_or("nothing", |before| &before.name));
}

/// The chain of steps that ended last, the first one first.
fn critical_path<'a>(snapshot: &Snapshot, steps: &[&'a Step]) -> Vec<&'a Step> {
    let mut path = Vec::new();
    let mut next = steps.iter().max_by_key(|step| step.end_ms).copied();
    while let Some(step) = next.filter(|step| path.len() < MAX_STEPS && !path.contains(step)) {
        path.push(step);
        next = waited_for(snapshot, steps, step);
    }
    path.reverse();
    path
}

/// The last of the steps that this one needed: a fetch and a probe their addresses, an address the name it represents.
fn waited_for<'a>(snapshot: &Snapshot, steps: &[&'a Step], step: &Step) -> Option<&'a Step> {
    let (kind, name) = split(step);
    let is_mx = || snapshot.mx_hosts.iter().flatten().any(|host| host.exchange.eq_ignore_ascii_case(name));
    let is_report = || snapshot.report_hosts.iter().flatten().any(|host| host.name.eq_ignore_ascii_case(name));
    let needs = |other: &Step| {
        let (other_kind, other_name) = split(other);
        match kind {
            "HTTPS" | "SMTP" => matches!(other_kind, "A" | "AAAA") && other_name == name,
            "A" | "AAAA" | "TLSA" if is_mx() => other_kind == "MX" && Some(other_name) == snapshot.domain.as_deref(),
            "A" | "AAAA" | "MX" if is_report() => other_kind == "TXT" && other_name.starts_with("_smtp._tls."),
            "DNSSEC" => other_kind != "DNSSEC",
            _ => false,
        }
    };
    let before = steps.iter().filter(|other| other.end_ms <= step.start_ms && needs(other));
    before.max_by_key(|other| other.end_ms).copied()
}

/// The kind of a step and the name that it is about: `SMTP` and `mx.example.com` of `SMTP mx.example.com at 192.0.2.1`.
fn split(step: &Step) -> (&str, &str) {
    let mut words = step.name.split(' ');
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

fn drawing(html: &mut Markup, domain: &Domain<'_>, critical: &[&Step], beside: &[&Step], length: u64) {
    let rows = u64::try_from(critical.len().saturating_add(beside.len())).unwrap_or_default();
    let groups = if beside.is_empty() { 1 } else { 2 };
    let height = SCALE.saturating_add(rows.saturating_mul(ROW)).saturating_add(GROUP.saturating_mul(groups));
    let (title, view) = (domain.id("timeline-title"), format!("0 0 {WIDTH} {}", height.saturating_add(4)));
    let svg = [("class", "drawing"), ("role", "img"), ("aria-labelledby", title.as_str()), ("viewBox", view.as_str())];
    html.element("svg", &svg, |html| {
        let text = format!("Bars for {rows} steps over {length} ms; the table below says the same.");
        html.plain_in("title", &[("id", &title)], &text);
        scale(html, length, height);
        let top = group(html, "Critical path", critical, SCALE, length, "critical");
        if !beside.is_empty() {
            group(html, "Beside it", beside, top, length, "beside");
        }
    });
}

/// Lines at round times, with their times above them.
fn scale(html: &mut Markup, length: u64, height: u64) {
    let step = round_step(length);
    for time in (0..=length).step_by(usize::try_from(step).unwrap_or(1)) {
        let x = place(time, length).to_string();
        let line = [("class", "tick"), ("x1", x.as_str()), ("x2", &x), ("y1", "18"), ("y2", &height.to_string())];
        html.leaf("line", &line, "");
        let anchor = if time == 0 { "start" } else { "middle" };
        html.plain_in(
            "text",
            &[("class", "time"), ("x", &x), ("y", "12"), ("text-anchor", anchor)],
            &format!("{time} ms"),
        );
    }
}

/// A round number of milliseconds of which at most seven fit into the length: 1, 2 or 5 with zeroes.
fn round_step(length: u64) -> u64 {
    let sizes =
        (0..18).flat_map(|zeroes| [1, 2, 5].map(|digit: u64| digit.saturating_mul(10_u64.saturating_pow(zeroes))));
    sizes.into_iter().find(|step| length / step < 7).unwrap_or(u64::MAX).max(1)
}

/// Where a time lies on the drawing.
fn place(time: u64, length: u64) -> u64 {
    let room = u128::from(WIDTH - NAMES - 30);
    let along = u128::from(time).saturating_mul(room).checked_div(u128::from(length)).unwrap_or_default();
    NAMES.saturating_add(u64::try_from(along).unwrap_or_default())
}

/// A group of bars below its heading; where the next one can begin.
fn group(html: &mut Markup, heading: &str, steps: &[&Step], top: u64, length: u64, class: &'static str) -> u64 {
    html.plain_in("text", &[("class", "group"), ("x", "0"), ("y", &top.saturating_add(19).to_string())], heading);
    let mut top = top.saturating_add(GROUP);
    for step in steps {
        bar(html, step, top, length, class);
        top = top.saturating_add(ROW);
    }
    top
}

fn bar(html: &mut Markup, step: &Step, top: u64, length: u64, class: &str) {
    let (kind, _) = split(step);
    let kind = match kind {
        "HTTPS" => "https",
        "SMTP" => "smtp",
        _ => "dns",
    };
    let from = place(step.start_ms.min(length), length);
    let width = place(step.end_ms.min(length), length).saturating_sub(from).max(3);
    let class = format!("bar {kind} {class}");
    html.element("g", &[("class", &class)], |html| {
        html.plain_in("text", &[("x", "0"), ("y", &top.saturating_add(15).to_string())], &shortened(&step.name));
        let [x, y, width] = [from, top.saturating_add(4), width].map(|number| number.to_string());
        html.leaf("rect", &[("x", &x), ("y", &y), ("width", &width), ("height", "14"), ("rx", "3")], "");
    });
}

/// A name that fits: its middle is left out where it is long, for both ends tell it apart.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= MAX_NAME {
        return name.to_owned();
    }
    let half = MAX_NAME / 2;
    let begin: String = name.chars().take(half).collect();
    let end: String = name.chars().skip(count.saturating_sub(half)).collect();
    format!("{begin}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::MxHost;

    fn step(name: &str, start_ms: u64, end_ms: u64) -> Step {
        Step { name: name.to_owned(), start_ms, end_ms }
    }

    #[test]
    fn the_critical_path_goes_back_from_what_ended_last() {
        let exchange = "mx.a.example".to_owned();
        let hosts = Some(vec![MxHost { exchange, ..MxHost::default() }]);
        let snapshot = Snapshot { mx_hosts: hosts, ..Snapshot::of(Some("a.example")) };
        let steps = [
            step("MX a.example", 0, 6),
            step("TXT _mta-sts.a.example", 0, 3),
            step("A mx.a.example", 6, 9),
            step("AAAA mx.a.example", 6, 8),
            step("HTTPS mta-sts.a.example at 192.0.2.1", 7, 17),
            step("SMTP mx.a.example at 192.0.2.2", 9, 25),
        ];
        let steps: Vec<&Step> = steps.iter().collect();
        let path = critical_path(&snapshot, &steps);
        let names: Vec<&str> = path.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["MX a.example", "A mx.a.example", "SMTP mx.a.example at 192.0.2.2"]);
    }

    #[test]
    fn the_scale_is_round_and_never_crowded() {
        for (length, step) in [(0, 1), (6, 1), (25, 5), (70, 20), (1_000, 200), (123_456, 20_000)] {
            assert_eq!(round_step(length), step, "{length}");
        }
        assert!(u64::MAX / round_step(u64::MAX) < 7);
    }

    #[test]
    fn times_lie_within_the_drawing() {
        assert_eq!(place(0, 10), NAMES);
        assert_eq!(place(10, 10), WIDTH - 30);
        assert_eq!(place(5, 0), NAMES);
        assert_eq!(place(u64::MAX, u64::MAX), WIDTH - 30);
    }

    #[test]
    fn long_names_keep_both_ends() {
        let name = format!("SMTP {}.example at 192.0.2.1", "x".repeat(100));
        let short = shortened(&name);
        assert!(short.chars().count() <= MAX_NAME + 1 && short.starts_with("SMTP ") && short.ends_with("192.0.2.1"));
    }
}
