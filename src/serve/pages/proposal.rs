//! A policy and records to begin with, as `stslint init` proposes them.

use super::{Frame, main, page};
use crate::proposal::{NoProposal, Proposal};
use crate::report::html::markup::Markup;

/// The page.
pub fn proposal(domain: &str, proposed: &Result<Proposal, NoProposal>) -> String {
    let title = format!("What {domain} could publish");
    page(Frame { title: &title, ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], &title);
            match proposed {
                Ok(proposal) => proposed_texts(html, proposal),
                Err(reason) => html.prose_in("p", &[("class", "lead")], &format!("Nothing can be proposed: {reason}.")),
            }
        });
    })
}

fn proposed_texts(html: &mut Markup, proposal: &Proposal) {
    html.leaf(
        "p",
        &[("class", "lead")],
        "A policy in mode testing and two records, made from the MX hosts that were observed.",
    );
    html.prose_in("h2", &[], &format!("Served at `https://mta-sts.{}/.well-known/mta-sts.txt`", proposal.domain));
    html.element("pre", &[("class", "copy")], |html| html.leaf("code", &[], &proposal.policy.replace("\r\n", "\n")));
    html.leaf("h2", &[], "In the zone");
    html.element("pre", &[("class", "copy")], |html| html.leaf("code", &[], &proposal.records.join("\n")));
    if !proposal.remarks.is_empty() {
        html.leaf("h2", &[], "To know before");
        html.element("ul", &[], |html| {
            for remark in &proposal.remarks {
                html.prose_in("li", &[], remark);
            }
        });
    }
}
