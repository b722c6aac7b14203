//! What is worth knowing of what is published, and is no finding: beside what is published, as web validators show it.

use super::domain::Domain;
use super::markup::Markup;
use super::{findings, words};

/// The most remarks that are shown.
const MAX_REMARKS: usize = 50;

/// The list; nothing where there is no remark.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let remarks: Vec<_> = domain.report().remarks().collect();
    if remarks.is_empty() {
        return;
    }
    html.leaf("p", &[], "Nothing to do about these.");
    html.element("ul", &[("class", "plain reasons")], |html| {
        for check in remarks.iter().take(MAX_REMARKS) {
            html.element("li", &[], |html| {
                findings::message(html, check);
                html.text(" ");
                html.leaf("code", &[("class", "rule")], &check.rule);
                html.text(" ");
                html.element("span", &[], |html| words::cites(html, &check.cites));
            });
        }
    });
    words::and_more(html, remarks.len().saturating_sub(MAX_REMARKS), "remark");
}
