//! What if I published this? Texts in place of what was observed, judged against the observation; and the same without
//! any domain.

use super::{Field, Frame, field, page};
use crate::report::Linted;
use crate::report::html::content;
use crate::report::html::markup::Markup;

/// The texts of the form, one per line where there can be several.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub struct Edited {
    /// `_mta-sts` TXT records.
    #[serde(default)]
    pub record: String,
    /// The policy.
    #[serde(default)]
    pub policy: String,
    /// `_smtp._tls` TXT records.
    #[serde(default)]
    pub tlsrpt: String,
    /// MX hosts, in order of preference.
    #[serde(default)]
    pub mx: String,
}

/// The page: the form, and where something was judged the report below it. `id` is that of the observation; without one
/// the texts are judged alone.
pub fn what_if(id: Option<&str>, domain: Option<&str>, edited: &Edited, judged: Option<&Linted>) -> String {
    let title = match domain {
        Some(domain) => format!("What if {domain} published this?"),
        None => "Texts without a domain".to_owned(),
    };
    page(Frame { title: &title, ..Frame::default() }, |html| {
        html.element("section", &[("class", "narrow"), ("aria-label", "Texts")], |html| {
            html.leaf("h1", &[], &title);
            let lead = match domain {
                Some(_) => "Edit what is published and see what senders would make of it. Everything else stays as it was observed; nothing is fetched.",
                None => "Paste a policy, records or MX hosts that are not published yet. An empty field is not checked.",
            };
            html.leaf("p", &[("class", "lead")], lead);
            form(html, id, edited);
        });
        match judged {
            Some(linted) => content(html, &[linted], &[]),
            None => html.element("main", &[("id", "content"), ("tabindex", "-1")], |_| {}),
        }
    })
}

fn form(html: &mut Markup, id: Option<&str>, edited: &Edited) {
    let action = id.map_or_else(|| "/lint".to_owned(), |id| format!("/r/{id}/what-if"));
    html.element("form", &[("method", "post"), ("action", &action), ("class", "texts")], |html| {
        let fields = [
            Field {
                name: "record",
                label: "_mta-sts TXT record",
                about: "One record per line, without quotes, such as `v=STSv1; id=20261126T1`.",
                value: &edited.record,
                rows: 2,
            },
            Field {
                name: "policy",
                label: "Policy",
                about: "The file `mta-sts.txt`.",
                value: &edited.policy,
                rows: 8,
            },
            Field {
                name: "tlsrpt",
                label: "_smtp._tls TXT record",
                about: "One record per line, such as `v=TLSRPTv1; rua=mailto:tlsrpt@example.com`.",
                value: &edited.tlsrpt,
                rows: 2,
            },
            Field {
                name: "mx",
                label: "MX hosts",
                about: "One per line, in order of preference. Hosts that were not observed are not checked beyond their names.",
                value: &edited.mx,
                rows: 3,
            },
        ];
        fields.iter().for_each(|one| field(html, one));
        html.leaf("button", &[("type", "submit")], "Judge");
    });
}
