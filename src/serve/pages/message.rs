//! A page that says one thing: that something is not there, or not possible now, why, and what to do.

use super::{Frame, main, page};

/// The page.
pub fn message(title: &str, paragraphs: &[&str]) -> String {
    page(Frame { title, ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], title);
            for paragraph in paragraphs {
                html.prose_in("p", &[("class", "lead")], paragraph);
            }
            html.element("p", &[], |html| html.leaf("a", &[("href", "/")], "Back to the first page"));
        });
    })
}
