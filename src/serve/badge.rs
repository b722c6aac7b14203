//! `/badge/DOMAIN.svg`: the state of a domain as a small picture, from fresh results only; it never starts a check.

use crate::report::html::markup::Markup;

/// What a badge says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Badge {
    /// Errors or warnings.
    Faulty,
    /// Nothing wrong.
    Right,
    /// No fresh result, or a part that could not be checked.
    Unknown,
}

/// The badge as SVG.
pub fn svg(badge: Badge, said: &str) -> String {
    let colour = match badge {
        Badge::Faulty => "#a8201a",
        Badge::Right => "#17633a",
        Badge::Unknown => "#526071",
    };
    let label = "MTA-STS";
    let width = |text: &str| text.chars().count().saturating_mul(7).saturating_add(12);
    let (left, right) = (width(label), width(said));
    let whole = left.saturating_add(right);
    let number = |number: usize| number.to_string();
    let mut svg = Markup::default();
    let view = format!("0 0 {whole} 20");
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("viewBox", view.as_str()),
        ("width", &number(whole)),
        ("height", "20"),
        ("role", "img"),
    ];
    svg.element("svg", &attributes, |svg| {
        svg.plain_in("title", &[], &format!("{label}: {said}"));
        svg.leaf("rect", &[("width", &number(whole)), ("height", "20"), ("rx", "4"), ("fill", "#33414f")], "");
        let (x, wide) = (number(left), number(right));
        svg.leaf("rect", &[("x", &x), ("width", &wide), ("height", "20"), ("rx", "4"), ("fill", colour)], "");
        let style = [("fill", "#fff"), ("font-family", "Verdana,DejaVu Sans,sans-serif"), ("font-size", "11")];
        let mut text = |x: usize, text: &str| {
            let x = number(x);
            let [fill, family, size] = style;
            svg.plain_in("text", &[("x", &x), ("y", "14"), fill, family, size], text);
        };
        text(6, label);
        text(left.saturating_add(6), said);
    });
    svg.into_html()
}
