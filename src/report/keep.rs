//! What a run keeps of each domain until its documents are written: no more than their formats print. Used by `cli`, which
//! holds the reports.

use super::Linted;
use crate::facts::Fact;
use crate::facts::tree::{
    CertificateFacts, FactTree, HttpsFacts, MxFacts, MxHostFacts, PolicyFacts, PolicyHostFacts, SmtpFacts,
    TlsSessionFacts,
};
use crate::format::Format;
use crate::outcome::Outcome;
use crate::rules::BROKEN_RULE;
use crate::snapshot::Snapshot;

/// What a format needs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Needs {
    /// Everything: what was observed and what is known of it.
    all: bool,
    /// Every check, with the texts that findings point into.
    checks: bool,
    /// The findings in short, when certificates expire, and what the policy says.
    measures: bool,
}

impl Needs {
    fn of(format: Format) -> Self {
        match format {
            Format::Html => Needs { all: true, ..Needs::default() },
            Format::Github | Format::Gitlab | Format::Junit | Format::Markdown | Format::Sarif => {
                Needs { checks: true, ..Needs::default() }
            }
            Format::Nagios | Format::Prometheus => Needs { measures: true, ..Needs::default() },
            // Written as they come.
            Format::Concise | Format::Csv | Format::Human | Format::Json | Format::Jsonl => Needs::default(),
        }
    }
}

impl Linted {
    /// The report with no more than these formats print.
    pub fn kept_for(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        let needs = formats.into_iter().map(Needs::of).fold(Needs::default(), |a, b| Needs {
            all: a.all || b.all,
            checks: a.checks || b.checks,
            measures: a.measures || b.measures,
        });
        if needs.all {
            return self;
        }
        self.facts = if needs.measures { measured(&self.facts) } else { FactTree::default() };
        self.report.sender = Vec::new();
        if needs.checks {
            let (policy, timeline) = (self.snapshot.policy.take(), self.snapshot.timeline.take());
            self.snapshot = Snapshot { policy, timeline, ..Snapshot::default() };
            return self;
        }
        self.snapshot = Snapshot::default();
        self.report.exhibits.clear();
        self.report.configured.clear();
        let told = |check: &crate::outcome::Check| check.outcome == Outcome::Fail || check.rule == BROKEN_RULE;
        self.report.checks.retain(told);
        for check in &mut self.report.checks {
            (check.help, check.location, check.fix, check.related) = (None, None, None, Vec::new());
            (check.cites, check.reason, check.at) = (Vec::new(), None, None);
        }
        self.report.checks.shrink_to_fit();
        self
    }
}

/// The facts that measures are made of: what the policy says, and when certificates expire.
fn measured(facts: &FactTree) -> FactTree {
    let policy = facts.policy.known().map(|policy| PolicyFacts {
        body: policy.body.clone().map(|body| body.map(|_| String::new())),
        mode: policy.mode.clone(),
        max_age: policy.max_age.clone(),
        ..PolicyFacts::default()
    });
    let policy_host = facts.policy_host.known().map(|host| PolicyHostFacts {
        name: host.name.clone(),
        probes: each(&host.probes, |probe| HttpsFacts {
            address: probe.address.clone(),
            tls: session(&probe.tls),
            ..HttpsFacts::default()
        }),
        ..PolicyHostFacts::default()
    });
    let host = |host: &MxHostFacts| MxHostFacts {
        name: host.name.clone(),
        probes: each(&host.probes, |probe| SmtpFacts {
            address: probe.address.clone(),
            tls: session(&probe.tls),
            ..SmtpFacts::default()
        }),
        ..MxHostFacts::default()
    };
    let mx = facts.mx.known().map(|mx| MxFacts { hosts: each(&mx.hosts, host), ..MxFacts::default() });
    FactTree {
        policy: policy.map_or(Fact::Unobserved, Fact::Known),
        policy_host: policy_host.map_or(Fact::Unobserved, Fact::Known),
        mx: mx.map_or(Fact::Unobserved, Fact::Known),
        ..FactTree::default()
    }
}

fn each<T>(list: &Fact<Vec<T>>, short: impl Fn(&T) -> T) -> Fact<Vec<T>> {
    list.known().map_or(Fact::Unobserved, |list| Fact::Known(list.iter().map(short).collect()))
}

fn session(tls: &Fact<TlsSessionFacts>) -> Fact<TlsSessionFacts> {
    let Some(tls) = tls.known() else { return Fact::Unobserved };
    let certificate = tls.certificate.known().map(|certificate| {
        certificate.as_ref().map(|certificate| CertificateFacts {
            not_after: certificate.not_after.clone(),
            days_left: certificate.days_left.clone(),
            ..CertificateFacts::default()
        })
    });
    Fact::Known(TlsSessionFacts {
        certificate: certificate.map_or(Fact::Unobserved, Fact::Known),
        ..TlsSessionFacts::default()
    })
}
