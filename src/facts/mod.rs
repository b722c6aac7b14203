//! The facts: a snapshot, parsed, as the tree that rules see, with the texts that findings point into.
//!
//! Called by `rules::evaluate` and whoever shows facts. Pure: the same snapshot gives the same facts.

mod address;
mod addresses;
mod baseline;
mod builder;
mod chain;
mod dane;
mod domains;
mod fact;
mod fault;
mod first_try;
mod held;
mod host;
mod legacy;
mod location;
mod misplaced;
mod mx;
mod mx_exhibits;
mod name_servers;
mod near_miss;
mod octets_of_certificate;
mod over;
mod own_view;
mod path;
mod policy;
mod provider_names;
mod providers;
mod questions;
mod reach;
mod record;
mod schema;
mod senders;
mod set_up;
mod smtp;
mod texts;
mod tls;
mod tls_report;
mod tls_reports;
mod tlsa_match;
mod tlsa_miss;
mod tlsrpt;
pub mod tree;
mod txt;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::builder::Builder;
pub use self::domains::{Domains, ELEMENT, Needed, Wanted};
pub use self::fact::Fact;
pub use self::held::{Before, HeldPolicy};
pub use self::host::gives_policy;
pub use self::location::{Location, Locations};
pub use self::over::Over;
pub use self::path::Path;
pub use self::providers::of as mail_provider;
pub use self::schema::{FIRST_VERSION, FactPath, Field, Type, fact_paths, is_name, root};
pub use self::texts::{Form, Texts};
pub use self::tls_report::json_pointer;
use self::tree::{FactTree, ParentFacts, Tree};
use crate::senders::{Outcome, Profile};
use crate::snapshot::Snapshot;

/// Everything that rules can ask about what they are over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The Policy Domain, where one was given.
    pub domain: Option<String>,
    /// When the facts were observed.
    pub collected_at: Option<String>,
    /// The tree, which is of what the facts are about.
    pub tree: Tree,
    /// The facts as a sender has them whose resolver validates DNSSEC; `None` where they are these.
    pub validated: Option<Box<Facts>>,
    /// What each sender that is known makes of what the domain publishes.
    pub senders: Vec<Outcome>,
    /// Where each fact was read.
    pub locations: Locations,
    /// The names of the domains, where the facts are over many.
    names: Vec<String>,
    /// Why paths were not observed.
    unobserved: BTreeMap<String, String>,
}

impl Facts {
    /// The facts of a snapshot, and of an older one of the same domain where there is one.
    pub fn of(snapshot: &Snapshot, baseline: Option<&Snapshot>) -> Self {
        Facts::beside(snapshot, baseline.map(Before::Baseline))
    }

    /// The facts of a snapshot beside what was published before.
    pub fn beside(snapshot: &Snapshot, before: Option<Before<'_>>) -> Self {
        let validated = snapshot.as_validated().map(|validated| Facts::seen(&validated, before)).map(Box::new);
        Facts { validated, ..Facts::seen(snapshot, before) }
    }

    fn seen(snapshot: &Snapshot, before: Option<Before<'_>>) -> Self {
        let mut builder = Builder::new(snapshot);
        let mut tree = tree_of(&mut builder, before);
        let senders = senders::of(snapshot, &tree, &[]);
        tree.senders = Fact::Known(senders::as_facts(&senders));
        Facts {
            senders,
            domain: snapshot.domain.clone(),
            collected_at: snapshot.collected_at.clone(),
            tree: Tree::Domain(Box::new(tree)),
            validated: None,
            locations: builder.locations,
            names: Vec::new(),
            unobserved: builder.unobserved,
        }
    }

    /// The same with these senders of the configuration beside the built-in ones.
    pub fn with_senders(mut self, snapshot: &Snapshot, own: &[Arc<Profile>]) -> Self {
        if let (Tree::Domain(tree), false) = (&mut self.tree, own.is_empty()) {
            self.senders = senders::of(snapshot, tree, own);
            tree.senders = Fact::Known(senders::as_facts(&self.senders));
        }
        self
    }

    /// The same for a domain with these tags, and in these groups of the configuration.
    pub fn with_membership(mut self, tags: &BTreeSet<String>, groups: &BTreeSet<String>) -> Self {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
        if let Tree::Domain(tree) = &mut self.tree {
            tree.tags = Fact::Known(list(tags));
            tree.groups = Fact::Known(list(groups));
        }
        self
    }

    /// What the facts are about.
    pub fn over(&self) -> Over {
        self.tree.over()
    }

    /// The facts of a domain; none is known where they are about something else.
    pub fn of_domain(&self) -> &FactTree {
        self.tree.of_domain()
    }

    /// The facts of a domain, as `of_domain`, without all else.
    pub fn into_domain(self) -> FactTree {
        match self.tree {
            Tree::Domain(tree) => *tree,
            Tree::Domains(_) | Tree::Report(_) | Tree::Reports(_) => FactTree::default(),
        }
    }

    /// Why a fact is not known: the reason noted for it or for what is around it.
    pub fn reason_not_known(&self, path: impl Into<Path>) -> String {
        self.reason_unobserved(path.into().as_str())
    }

    /// The same for a path of a rule: the reason noted for it or for what is around it.
    pub fn reason_unobserved(&self, path: &str) -> String {
        let mut around = path;
        loop {
            if let Some(reason) = self.unobserved.get(around) {
                return reason.clone();
            }
            match around.rfind(['.', '[']).and_then(|at| around.get(..at)) {
                Some(parent) => around = parent,
                None => return format!("`{path}` was not observed"),
            }
        }
    }

    /// The same for the last word of a path, inside of what is at another path; empty for all facts.
    pub fn reason_key_unobserved(&self, inside: &str, key: &str) -> String {
        let ends = |path: &&String| path.rsplit('.').next() == Some(key);
        let paths = self.unobserved.range(inside.to_owned()..).map(|(path, _)| path);
        match paths.take_while(|path| path.as_str().starts_with(inside)).find(ends) {
            Some(path) => self.reason_unobserved(path),
            None => format!("`{key}` was not observed"),
        }
    }
}

fn tree_of(builder: &mut Builder<'_>, before: Option<Before<'_>>) -> FactTree {
    let snapshot = builder.snapshot;
    builder.note_unobserved("collected_at", "the snapshot does not say when it was made (`collected_at`)");
    let parsed = policy::parsed(builder);
    if parsed.is_unobserved() {
        builder.note_missing_part("policy", "policy", "the policy");
    }
    let mut mx = mx::mx_facts(builder, &parsed);
    let hosts = mx.hosts.clone();
    let mut policy = policy::policy_facts(builder, &parsed, &mx.hosts);
    near_miss::of_policy(builder, &mut mx, &mut policy);
    let mut record = record::record_facts(builder);
    let tlsrpt = tlsrpt::tlsrpt_facts(builder);
    let policy_host = host::policy_host_facts(builder);
    let exchanges =
        hosts.clone().map(|hosts| hosts.into_iter().filter_map(|host| host.name.known().cloned()).collect());
    let held = before.map(Before::snapshot).is_some_and(|older| {
        let record = older.record.as_ref().and_then(|lookup| lookup.known());
        record.is_some_and(|records| !records.is_empty()) || older.policy.as_ref().is_some_and(Option::is_some)
    });
    record.set_up = set_up::is_set_up(builder, &record, held);
    let questions = questions::question_facts(builder, &exchanges);
    FactTree {
        domain: Fact::Known(snapshot.domain.clone()),
        parent: parent(builder),
        collected_at: snapshot.collected_at.clone().into(),
        mx: Fact::Known(mx),
        record: Fact::Known(record),
        policy_host: Fact::Known(policy_host),
        policy: Fact::Known(policy),
        tlsrpt: Fact::Known(tlsrpt),
        baseline: Fact::Known(before.map(|before| {
            let then = tree_of(&mut Builder::new(before.snapshot()), None);
            baseline::baseline_facts(builder, before, &then, &parsed, &hosts)
        })),
        senders: Fact::Known(Vec::new()),
        name_servers: Fact::Known(name_servers::name_server_facts(builder)),
        questions: Fact::Known(questions),
        tags: Fact::Known(Vec::new()),
        groups: Fact::Known(Vec::new()),
        smtp_blocked: smtp::looks_blocked(snapshot).into(),
        standard_ports: standard_ports(snapshot),
    }
}

/// The parent's own record; a registrable domain has no parent that matters.
fn parent(builder: &mut Builder<'_>) -> Fact<Option<ParentFacts>> {
    let Some(domain) = builder.domain() else {
        builder.note_unobserved("parent", "no domain was given");
        return Fact::Unobserved;
    };
    let registrable = psl::domain_str(domain).is_none_or(|registrable| registrable == domain);
    if registrable {
        return Fact::Known(None);
    }
    let lookup = builder.snapshot.parent.as_ref();
    let Some(records) = lookup.and_then(|lookup| lookup.known()) else {
        builder.note_missing_part("parent", "parent", "the parent domain's record");
        return Fact::Unobserved;
    };
    let parent = domain.split_once('.').map_or(domain, |(_, parent)| parent);
    let published = records.iter().any(|record| record.joined().starts_with(b"v=STSv1;"));
    Fact::Known(Some(ParentFacts { domain: Fact::Known(parent.to_owned()), published: Fact::Known(published) }))
}

/// Whether the hosts were asked where senders ask them; a snapshot that does not say so was.
fn standard_ports(snapshot: &Snapshot) -> Fact<bool> {
    let collection = snapshot.collection.as_ref();
    let https = collection.and_then(|collection| collection.https_port).is_none_or(|port| port == 443);
    let smtp = collection.and_then(|collection| collection.smtp_port).is_none_or(|port| port == 25);
    Fact::Known(https && smtp)
}

/// Whether an `mx` pattern matches an MX host (RFC 8461 §4.1); a pattern that is none matches nothing.
pub fn matches_mx(pattern: &str, host: &str) -> bool {
    crate::grammar::mx_pattern::MxPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(host))
}
