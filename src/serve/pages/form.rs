//! The first page: one field, one button.

use super::texts::ENGLISH;
use super::{Frame, main, page};
use crate::report::html::markup::Markup;

/// What the form holds.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// The domain as it was typed.
    pub domain: &'a str,
    /// What is wrong with it.
    pub problem: Option<&'a str>,
    /// Domains to try.
    pub examples: &'a [String],
}

/// The page.
pub fn form(form: &Form<'_>) -> String {
    page(Frame { title: ENGLISH.validate, ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], ENGLISH.heading);
            html.leaf("p", &[("class", "lead")], ENGLISH.lead);
            fields(html, form);
            if !form.examples.is_empty() {
                html.element("p", &[("class", "examples")], |html| {
                    html.text(ENGLISH.examples);
                    for example in form.examples {
                        html.text(" ");
                        let address = format!("/?domain={example}");
                        html.leaf("a", &[("href", &address)], example);
                    }
                });
            }
        });
    })
}

fn fields(html: &mut Markup, form: &Form<'_>) {
    html.element("form", &[("method", "post"), ("action", "/check"), ("class", "validate")], |html| {
        html.leaf("label", &[("for", "domain")], ENGLISH.domain);
        html.prose_in("p", &[("id", "domain-about"), ("class", "muted small")], ENGLISH.domain_about);
        if let Some(problem) = form.problem {
            html.prose_in("p", &[("id", "domain-problem"), ("class", "problem"), ("role", "alert")], problem);
        }
        html.element("div", &[("class", "row")], |html| {
            let described = if form.problem.is_some() { "domain-problem domain-about" } else { "domain-about" };
            let mut attributes = vec![
                ("id", "domain"),
                ("name", "domain"),
                ("value", form.domain),
                ("placeholder", "example.com"),
                ("maxlength", "1000"),
                ("required", ""),
                ("autocapitalize", "none"),
                ("autocomplete", "off"),
                ("spellcheck", "false"),
                ("aria-describedby", described),
            ];
            if form.problem.is_some() {
                attributes.push(("aria-invalid", "true"));
            }
            html.open("input", &attributes);
            html.leaf("button", &[("type", "submit")], ENGLISH.validate);
        });
        html.element("fieldset", &[], |html| {
            html.leaf("legend", &[("class", "visually-hidden")], "Options");
            option(html, "smtp", true, ENGLISH.smtp);
            option(html, "authoritative", false, ENGLISH.authoritative);
        });
    });
}

fn option(html: &mut Markup, name: &'static str, checked: bool, label: &str) {
    html.element("label", &[("class", "option")], |html| {
        let mut attributes = vec![("type", "checkbox"), ("name", name), ("value", "on")];
        if checked {
            attributes.push(("checked", ""));
        }
        html.open("input", &attributes);
        html.leaf("span", &[], label);
    });
}
