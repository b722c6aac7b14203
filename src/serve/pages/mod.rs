//! The pages. Each works without script; `assets/app.js` makes some of them better.

pub mod about;
pub mod compare;
pub mod form;
pub mod message;
pub mod progress;
pub mod proposal;
pub mod received;
pub mod result;
pub mod rules;
pub mod texts;
pub mod what_if;

use self::texts::ENGLISH;
use crate::report::html;
use crate::report::html::markup::Markup;

/// The style of all pages: the report's, and the frame's.
pub fn style() -> String {
    format!("{}\n{}", html::style(), include_str!("assets/frame.css"))
}

/// The script of all pages.
pub const SCRIPT: &str = include_str!("assets/app.js");

/// The mark in the tab of a browser.
pub const ICON: &str = include_str!("assets/icon.svg");

/// How a page is framed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// The title in the tab, before the name of the program.
    pub title: &'a str,
    /// So many seconds after which the page is fetched again where there is no script.
    pub refresh: Option<u32>,
    /// An address from which the script learns how a check goes on.
    pub events: Option<&'a str>,
}

/// A page with what `inside` writes between its head and its foot.
pub fn page(frame: Frame<'_>, inside: impl FnOnce(&mut Markup)) -> String {
    let mut page = Markup::default();
    page.embed("<!DOCTYPE html>\n");
    page.element("html", &[("lang", ENGLISH.lang)], |html| {
        html.element("head", &[], |html| head(html, frame));
        let events = frame.events.map(|events| ("data-events", events));
        let attributes: Vec<(&'static str, &str)> = events.into_iter().collect();
        html.element("body", &attributes, |html| body(html, inside));
    });
    page.into_html() + "\n"
}

fn head(html: &mut Markup, frame: Frame<'_>) {
    html.open("meta", &[("charset", "utf-8")]);
    html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.open("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.plain_in("title", &[], &format!("{} – stslint", frame.title));
    html.open("link", &[("rel", "stylesheet"), ("href", "/style.css")]);
    html.open("link", &[("rel", "icon"), ("type", "image/svg+xml"), ("href", "/icon.svg")]);
    html.element("script", &[("src", "/app.js"), ("defer", "")], |_| {});
    if let Some(seconds) = frame.refresh {
        html.element("noscript", &[], |html| {
            html.open("meta", &[("http-equiv", "refresh"), ("content", &seconds.to_string())]);
        });
    }
}

fn body(html: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    html.embed(html::icons());
    html.leaf("a", &[("class", "skip"), ("href", "#content")], ENGLISH.skip);
    html.element("header", &[("class", "masthead")], |html| {
        html.element("svg", &[("class", "mark"), ("aria-hidden", "true"), ("viewBox", "0 0 32 32")], |html| {
            html.leaf("use", &[("href", "#icon-mark")], "");
        });
        html.element("p", &[], |html| {
            html.leaf("a", &[("class", "home"), ("href", "/")], "stslint");
            html.leaf("span", &[], ENGLISH.subtitle);
        });
        html.element("nav", &[("class", "site"), ("aria-label", ENGLISH.site)], |html| {
            for (address, name) in [
                ("/", ENGLISH.validate),
                ("/lint", ENGLISH.paste),
                ("/rules", ENGLISH.rules),
                ("/about", ENGLISH.about),
            ] {
                html.leaf("a", &[("href", address)], name);
            }
        });
    });
    inside(html);
    html.element("footer", &[], |html| {
        html.leaf("p", &[], &format!("stslint {}. {}", env!("CARGO_PKG_VERSION"), ENGLISH.footer));
    });
}

/// A main part of text width.
pub fn main(html: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    html.element("main", &[("id", "content"), ("class", "narrow"), ("tabindex", "-1")], inside);
}

/// A field of a form with its label and what it is for.
pub struct Field<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: &'a str,
    /// An explanation below the label.
    pub about: &'a str,
    /// What is in it.
    pub value: &'a str,
    /// The lines of a text area; one line is a field.
    pub rows: u32,
}

/// A field of a form.
pub fn field(html: &mut Markup, field: &Field<'_>) {
    let id = format!("field-{}", field.name);
    let about = format!("{id}-about");
    html.element("div", &[("class", "field")], |html| {
        html.leaf("label", &[("for", &id)], field.label);
        html.prose_in("p", &[("id", &about), ("class", "muted small")], field.about);
        let common = [("id", id.as_str()), ("name", field.name), ("aria-describedby", about.as_str())];
        if field.rows > 1 {
            let rows = field.rows.to_string();
            let [id, name, about] = common;
            let attributes = [id, name, about, ("rows", rows.as_str()), ("spellcheck", "false")];
            // A browser drops one line ending at the start of a text area, and sends CRLF for each.
            html.plain_in("textarea", &attributes, &format!("\n{}", field.value.replace("\r\n", "\n")));
        } else {
            let [id, name, about] = common;
            html.open("input", &[id, name, about, ("value", field.value), ("spellcheck", "false")]);
        }
    });
}
