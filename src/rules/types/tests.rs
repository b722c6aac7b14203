//! Mistakes underline the very characters, and sound expressions have none.

use super::*;
use crate::facts;
use crate::rules::expr::Expr;

fn scope() -> Scope {
    let variable = |(name, field): (&String, &Field)| {
        (
            name.clone(),
            Variable { shape: field.shape.clone(), nullable: field.nullable, holds_null: false, path: name.clone() },
        )
    };
    facts::root(facts::Over::Domain).iter().map(variable).collect()
}

fn mistakes(source: &str) -> Vec<(String, String)> {
    let expr = Expr::new(source);
    let (_, mistakes) = check(expr.compiled().unwrap(), &scope(), &BTreeSet::new());
    let text = |m: &Mistake| source.get(m.offset..m.offset + m.length).unwrap_or("?").to_owned();
    mistakes.iter().map(|m| (text(m), format!("{} / {}", m.message, m.help.clone().unwrap_or_default()))).collect()
}

#[test]
fn sound_expressions_have_no_mistake() {
    for source in [
        "policy.mode in ['enforce', 'testing']",
        "policy.max_age != null && policy.max_age >= 604800",
        "policy.max_age == null || policy.max_age >= 604800",
        "policy.mx.all(p, p.problem == null)",
        "policy.mx.exists(p, p.suggestion != null && p.suggestion.startsWith('*.'))",
        "policy.mx.filter(p, p.wildcard).size() > 0",
        "policy.mx.map(p, p.text) == ['a']",
        "size(mx.hosts) > 1 ? record.id == 'x' : true",
        "mx.hosts[0].name.endsWith('.example.com')",
        "join(policy.mx.map(p, p.text), ', ') != ''",
        "has(record.id) && !record.usable",
        "size(tlsrpt.rua) > 0 && tlsrpt.rua[0].host != null && in_zone(tlsrpt.rua[0].host, 'example.net')",
        "policy_host.probes.filter(p, p.failure != null).map(q, q.failure.size()) == [1]",
        "policy_host.probes.map(p, p.failure).filter(f, f != null).all(g, g.size() > 1)",
        "(policy.mode == null ? 'absent' : policy.mode) == 'absent'",
        "mx.hosts.all(h, h.tlsa_dnssec != 'bogus')",
        "policy.mode != null && policy.mode.startsWith('enf') || policy.mode_text == 'enforcing'",
        "!(policy.mode == null) && policy.mode.size() > 3",
        "mx.hosts.map(h, h.name.substring(1)).distinct() == mx.hosts.map(h, h.name.substring(1, 9)).sort()",
        "mx.hosts.all(h, h.addresses.all(a, in_network(a.address, '192.0.2.0/24')))",
        "record.id != null && is_date(record.id, '%Y%m%d') && days(date(record.id, '%Y%m%d'), collected_at) < 9",
    ] {
        assert_eq!(mistakes(source), [], "{source}");
    }
}

#[test]
fn mistakes_underline_the_very_characters() {
    for (source, underlined, said) in [
        ("policy.max_agee >= 1", "max_agee", "did you mean `policy.max_age`?"),
        ("polcy.mode == 'x'", "polcy", "did you mean `policy`?"),
        ("policy.max_age >= 604800", "policy.max_age", "`policy.max_age` is `null` where it is known to be absent"),
        ("policy.max_age != null && policy.max_age > '1d'", "policy.max_age > '1d'", "they have no order"),
        ("size(policy.mx) == 'x'", "size(policy.mx) == 'x'", "never equal"),
        ("policy.mx.text == 'x'", "text", "go through the elements"),
        ("policy.mx.all(p, p.wildcrd)", "wildcrd", "did you mean `p.wildcard`?"),
        ("in_zone('a')", "in_zone", "takes 2 arguments, not 1"),
        ("in_zon('a', 'b')", "in_zon", "did you mean `in_zone`?"),
        ("duration('1d') == 'x'", "'1d'", "needs an integer here"),
        ("record.usable + 1 == 2", "record.usable + 1", "cannot join"),
        ("policy.mode && true", "policy.mode", "needs a boolean"),
        ("mx.hosts[0].nme == 'x'", "nme", "there is no `mx.hosts[…].nme`"),
        ("mx.hosts.all(h)", "all", "takes a name and an expression"),
        ("mx.hosts.any(h, h.resolves)", "any", "`mx.hosts.exists(x, …)`"),
        ("mx.hosts.length > 1", "length", "`size(mx.hosts)`"),
        ("len(mx.hosts) > 1", "len", "`size(x)`"),
        ("record.usable == 'true'", "record.usable == 'true'", "without quotes"),
        ("record.outcome.matches('(a')", "'(a'", "not a valid regular expression: unclosed group"),
        ("record.outcome == enforced", "enforced", "in quotes: \"enforced\""),
        ("days(now(), collected_at) > 1", "now", "no clock"),
        ("'a'.substring(1, 2, 3) == 'a'", "substring", "takes 2 arguments, not 3"),
        ("in_network('192.0.2.1', '192.0.2.0')", "'192.0.2.0'", "is not a network"),
        ("in_network('192.0.2.1', '192.0.2.0/40')", "'192.0.2.0/40'", "is not a network"),
        (
            "in_network('192.0.2.1', '192.0.2.7/24')",
            "'192.0.2.7/24'",
            "\"192.0.2.7/24\" / the network is \"192.0.2.0/24\"",
        ),
        ("['192.0.2.7/24'].exists(n, in_network('192.0.2.1', n))", "'192.0.2.7/24'", "beyond its number"),
        ("network('192.0.2.1', 129) == ''", "129", "no network has 129 bits"),
        ("date('1', '%!') == ''", "'%!'", "format cannot be read"),
        ("'a-b'.split('-') == 'a'", "'a-b'.split('-') == 'a'", "never equal"),
        ("[1, 2].sort(2) == []", "sort", "takes 0 arguments, not 1"),
        ("tlsrpt.rua[0].host != null && in_zone(tlsrpt.rua[1].host, 'a.b')", "tlsrpt.rua[1].host", "is `null`"),
        ("policy_host.probes.filter(p, p.status != null).all(q, q.failure.size() > 1)", "q.failure", "is `null`"),
        ("'x' in policy_host.probes.filter(p, p.failure_kind != null).map(p, p.failure_kind)", "'x'", "never holds"),
        ("mx.hosts.map(h, h.dnssec).distinct() == ['Secure']", "'Secure'", "did you mean \"secure\"?"),
        ("mx.hosts.sort().size() == 1", "mx.hosts", "holds an object each, which has no order"),
        ("policy.mode == 'enforcing'", "'enforcing'", "did you mean \"enforce\"?"),
        ("'Enforce' != policy.mode", "'Enforce'", "`policy.mode` is never \"Enforce\" / did you mean \"enforce\"?"),
        ("policy.mode in ['enforce', 'test']", "'test'", "did you mean \"testing\"?"),
        ("record.outcome == 'SERVFAIL'", "'SERVFAIL'", "did you mean \"servfail\"?"),
        ("'ipv5' in mx.hosts[0].addresses.map(a, a.family)", "'ipv5'", "never holds \"ipv5\""),
        ("policy_host.probes.exists(p, p.tls.older_version == 'TLSv1.2')", "'TLSv1.2'", "is never \"TLSv1.2\""),
        ("policy_host.probes.exists(p, p.tls.version == 'TLSv1_2')", "'TLSv1_2'", "did you mean \"TLSv1.2\"?"),
        ("['enforcing'].exists(m, m == policy.mode)", "'enforcing'", "did you mean \"enforce\"?"),
        ("!['none', 'test'].all(m, policy.mode != m)", "'test'", "did you mean \"testing\"?"),
        ("['none', 'tests'].filter(m, m != 'none').exists(m, m == policy.mode)", "'tests'", "\"testing\"?"),
        ("['Secure'].exists(s, s in mx.hosts.map(h, h.dnssec))", "'Secure'", "did you mean \"secure\"?"),
        ("policy.mode in ['none'] + ['enforcing']", "'enforcing'", "did you mean \"enforce\"?"),
        ("policy.mode == (mx.hosts.size() > 1 ? 'enforcing' : 'none')", "'enforcing'", "\"enforce\"?"),
        ("policy.mode in { 'enforcing': 1 }", "{", "several values are a list"),
        ("['a'].exists(x, [x].exists(x, [x].exists(x, x == policy.mode)))", "'a'", "is never \"a\""),
        ("record.outcome.matches('^SERVFAIL$')", "'^SERVFAIL$'", "never matches"),
        ("mx.dnssec == 'zzz'", "'zzz'", "available: \"bogus\", \"insecure\", \"secure\""),
        ("'a' in record.outcome", "record.outcome", "text.contains(part)"),
        ("record.outcome.matches('a', 'b')", "matches", "takes 1 argument, not 2"),
    ] {
        let found = mistakes(source);
        assert!(
            found.iter().any(|(text, message)| text == underlined && message.contains(said)),
            "{source}: {found:?}"
        );
    }
}
