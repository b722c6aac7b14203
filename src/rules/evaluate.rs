//! Rules over facts: what passes, what fails, what does not apply, and what could not be checked.
//!
//! Three-valued logic comes from CEL itself: a fact that was not observed is a missing key, which is an
//! error that `false && …` and `true || …` absorb. What is left of it makes a rule *not checked*.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::objects::{Key, Value};
use cel::{Context, ExecutionError};

use super::checks::{broken, octets_of, summed_up, whole};
use super::compare::{COMPARED, compare};
use super::elements::{self, Binding, Element, Elements};
use super::expr::{Expr, environment, in_words};
use super::functions;
use super::load::RuleSet;
use super::meter::{self, Meter};
use super::missing::missing;
use super::rule::{Rule, RuleAlso};
use super::silence::{self, Before, Silencer};
use super::template::Template;
use super::values::{to_cel, tree_to_cel, variables};
use super::verdicts::{Scoped, Verdict, Verdicts};
use crate::facts::{self, Facts, Over};
use crate::outcome::{Check, Fix, Outcome, Related, Report, Severity, Summary};
use crate::sender;

/// What evaluation gave: the report, and the mistakes of rules that showed only now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated {
    /// The report.
    pub report: Report,
    /// Rules that could not be evaluated: id and CEL's reason. A mistake of the rule, not of the domain.
    pub mistakes: Vec<(String, String)>,
}

/// Evaluates every rule that is over what the facts are about.
pub fn evaluate(rules: &RuleSet, facts: &Facts) -> Evaluated {
    evaluate_only(rules, facts, &|_| true)
}

/// Evaluates the rules that are `wanted` over the facts; what they require must be among them.
pub fn evaluate_only(rules: &RuleSet, facts: &Facts, wanted: &dyn Fn(&Rule) -> bool) -> Evaluated {
    let wanted = |rule: &Rule| rule.over == facts.over() && wanted(rule);
    let root = tree_to_cel(&facts.tree);
    let elements = Elements::of(
        rules.in_order().map(|(_, rule)| rule).filter(|rule| wanted(rule)),
        facts,
        &root,
        facts.domain_count(),
    );
    let mut context = Context::with_env(environment().clone());
    let meter = Arc::new(Meter::over(facts.domain_count()));
    functions::add_to(&mut context, &meter);
    if facts.over() != Over::Domains || rules.asks_for_domains() {
        for (name, value) in variables(&root) {
            context.add_variable_from_value(name, value.clone());
        }
    }
    let mut run =
        Run { facts, meter, root: &root, elements: &elements, verdicts: BTreeMap::new(), mistakes: Vec::new() };
    let mut checks: BTreeMap<usize, Vec<Check>> = BTreeMap::new();
    for (index, rule) in rules.in_order().filter(|(_, rule)| wanted(rule)) {
        let made = run.rule(rule, &context);
        if !rule.off {
            checks.insert(index, made);
        }
    }
    run.mistakes.retain(|(id, _)| matters(rules, id));
    let broken = run.mistakes.iter().map(|(id, reason)| broken(id, reason));
    let checks: Vec<Check> = broken.chain(checks.into_values().flatten()).collect();
    let sender = if facts.over() == Over::Domain { sender::views(facts) } else { Vec::new() };
    let mut checks = as_reported(checks, &sender);
    let senders = sender::known_senders(facts, &sender);
    say_who_takes(&mut checks, &senders);
    let report = Report {
        over: facts.over(),
        domain: facts.domain.clone(),
        collected_at: facts.collected_at.clone(),
        summary: Summary::of(&checks),
        checks,
        ignored: Vec::new(),
        configured: BTreeMap::new(),
        against: Vec::new(),
        state: sender::DomainState::of(&sender),
        sender,
        senders,
        shows_senders: false,
        exhibits: facts.locations.texts(),
    };
    Evaluated { report, mistakes: run.mistakes }
}

/// The checks with a result type only where a sender does report it: none is reported where a policy is not applied, or
/// where nobody asked for reports.
fn as_reported(mut checks: Vec<Check>, sender: &[sender::SenderView]) -> Vec<Check> {
    if !sender.is_empty() {
        let known = sender::result_types(sender);
        for check in checks.iter_mut().filter(|check| check.is_told()) {
            check.reported_as = check.reported_as.filter(|kind| known.contains(kind));
        }
    }
    checks
}

/// Says beside the worst finding on each text which senders take it, where they differ.
fn say_who_takes(checks: &mut [Check], senders: &[sender::KnownSender]) {
    for text in [sender::Text::Policy, sender::Text::Record, sender::Text::Tlsrpt] {
        let about = |check: &Check| {
            let exhibit = check.location.as_ref().map(|location| location.exhibit.as_str());
            check.outcome == Outcome::Fail && exhibit.and_then(sender::Text::of_exhibit) == Some(text)
        };
        let worst = checks.iter().filter(|check| about(check)).map(|check| check.severity).max();
        let first = checks.iter_mut().find(|check| about(check) && Some(check.severity) == worst);
        if let Some(first) = first {
            first.senders = sender::who_takes(senders, text);
        }
    }
    // Of each MX host, beside the first finding on it.
    let mut said: Vec<String> = Vec::new();
    for check in checks.iter_mut().filter(|check| check.outcome == Outcome::Fail && check.senders.is_none()) {
        let Some(subject) = check.subject.clone().filter(|subject| !said.contains(subject)) else { continue };
        if ["mx", "smtp"].contains(&check.group.as_str()) {
            check.senders = sender::who_delivers(senders, &subject);
            said.extend(check.senders.is_some().then_some(subject));
        }
    }
}

/// Whether a rule is reported, or another that is reported requires it.
fn matters(rules: &RuleSet, id: &str) -> bool {
    rules.rules.iter().any(|rule| !rule.off && (rule.id == id || rule.requires.iter().any(|other| other == id)))
}

/// The variables of an element.
type Bindings<'a> = [Binding<'a>];

struct Run<'a> {
    facts: &'a Facts,
    meter: Arc<Meter>,
    root: &'a Value,
    elements: &'a Elements<'a>,
    verdicts: BTreeMap<String, Verdicts>,
    mistakes: Vec<(String, String)>,
}

impl<'a> Run<'a> {
    fn rule(&mut self, rule: &Rule, context: &Context<'_, 'a>) -> Vec<Check> {
        self.meter.next_rule();
        let mut context = context.new_inner_scope();
        let params = rule.params.iter().map(|(name, value)| (Key::from(name.as_str()), to_cel(value)));
        context
            .add_variable_from_value("params", Value::Map(params.collect::<std::collections::HashMap<_, _>>().into()));
        let (scoped, checks) = match self.before_elements(rule, &context) {
            Some(verdict) => (vec![Scoped::whole(verdict.clone())], vec![whole(rule, verdict)]),
            None => match self.elements.of_rule(rule) {
                Ok(elements) => self.each(rule, elements, &context),
                Err(reason) => {
                    let verdict = Verdict::NotChecked(reason);
                    (vec![Scoped::whole(verdict.clone())], vec![whole(rule, verdict)])
                }
            },
        };
        self.verdicts.insert(rule.id.clone(), Verdicts::of(scoped));
        checks
    }

    /// What is decided before any list is looked at: the file's condition, the requirements, and a condition
    /// that speaks of no element.
    fn before_elements(&mut self, rule: &Rule, context: &Context<'_, 'a>) -> Option<Verdict> {
        if let Some(reason) = self.meter.exhausted() {
            return Some(Verdict::NotChecked(reason));
        }
        if let Some(when) = &rule.group_when
            && let Some(verdict) = self.condition(rule, when, rule.group_otherwise.as_deref(), &[], context)
        {
            return Some(verdict);
        }
        if rule.scopes.is_empty() {
            return None;
        }
        match silence::before(rule, &[], &self.verdicts) {
            Before::Decided(verdict) => return Some(verdict),
            // It is weighed against each element.
            Before::Failed(_) => return None,
            Before::Nothing => {}
        }
        let when = rule.when.as_ref()?;
        let speaks_of_elements = when.compiled().is_ok_and(|compiled| {
            compiled.paths.iter().any(|path| rule.scopes.iter().any(|(name, _)| path.first() == Some(name)))
        });
        if speaks_of_elements { None } else { self.condition(rule, when, rule.otherwise.as_deref(), &[], context) }
    }

    fn each(
        &mut self,
        rule: &Rule,
        elements: &'a [Element<'a>],
        context: &Context<'_, 'a>,
    ) -> (Vec<Scoped>, Vec<Check>) {
        if elements.is_empty() {
            let verdict = if rule.forbids {
                Verdict::Pass
            } else {
                let list = rule.scopes.last().map(|(_, path)| path.join(".")).unwrap_or_default();
                Verdict::NotApplicable(format!("there is nothing in `{list}`"))
            };
            return (vec![Scoped::whole(verdict.clone())], vec![whole(rule, verdict)]);
        }
        let mut scoped = Vec::new();
        let mut checks = Vec::new();
        let compared = rule.compare.as_ref().map(|value| self.compared(rule, value, elements, context));
        for (index, element) in elements.iter().enumerate() {
            let mut context = context.new_inner_scope();
            context.set_variable_resolver(element);
            let bindings = &element.bindings;
            let compared = compared.as_ref().and_then(|compared| compared.get(index));
            if let Some(Ok(Some(compared))) = compared {
                context.add_variable_from_value(COMPARED, compared.clone());
            }
            let unobserved = element.unobserved.as_ref().or(compared.and_then(|compared| compared.as_ref().err()));
            let verdict = match unobserved {
                Some(reason) => self.judge_unobserved(rule, bindings, reason, &context),
                None => self.judge(rule, bindings, &context),
            };
            let check = self.check(rule, &verdict, bindings, &context);
            if check.is_told() {
                let _ = self.meter.spend_on_finding(octets_of(&check));
            }
            checks.push(check);
            scoped.push(Scoped { scope: bindings.iter().map(|binding| binding.path.clone()).collect(), verdict });
            if let Some(reason) = self.meter.exhausted() {
                // What is told is enough; of the rest, the rule says nothing.
                let verdict = Verdict::NotChecked(reason);
                checks.push(whole(rule, verdict.clone()));
                scoped.push(Scoped::whole(verdict));
                break;
            }
        }
        (scoped, summed_up(rule, checks))
    }

    /// How each element that the rule applies to compares with the others; the reason of one whose value is not known.
    fn compared(
        &mut self,
        rule: &Rule,
        value: &Expr,
        elements: &'a [Element<'a>],
        context: &Context<'_, 'a>,
    ) -> Vec<Result<Option<Value>, String>> {
        let mut reasons = BTreeMap::new();
        let mut values = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let mut context = context.new_inner_scope();
            context.set_variable_resolver(element);
            let bindings = &element.bindings;
            let scope: Vec<&str> = bindings.iter().map(|binding| binding.path.as_str()).collect();
            let applies = element.unobserved.is_none()
                && matches!(silence::before(rule, &scope, &self.verdicts), Before::Nothing)
                && rule.when.as_ref().is_none_or(|when| is_true(when, &context));
            if !applies || self.meter.exhausted().is_some() {
                values.push(None);
                continue;
            }
            match self.value(rule, value, bindings, &context) {
                Ok(value) => {
                    let path = bindings.first().map_or("", |first| first.path.as_str());
                    values.push(Some((self.facts.domain_at(path).unwrap_or(path).to_owned(), value)));
                }
                Err(reason) => {
                    reasons.insert(index, reason);
                    values.push(None);
                }
            }
        }
        let outcome = |(index, compared)| reasons.remove(&index).map_or(Ok(compared), Err);
        compare(&values).into_iter().enumerate().map(outcome).collect()
    }

    fn judge(&mut self, rule: &Rule, bindings: &Bindings<'_>, context: &Context<'_, '_>) -> Verdict {
        let scope: Vec<&str> = bindings.iter().map(|binding| binding.path.as_str()).collect();
        match silence::before(rule, &scope, &self.verdicts) {
            Before::Decided(verdict) => verdict,
            Before::Failed(silencer) => self.beside(silencer, rule, context),
            Before::Nothing => self.judge_alone(rule, bindings, context),
        }
    }

    /// The verdict beside another rule that failed: it speaks for this one, unless this one fails too and is worse. Where
    /// the facts cannot be read, the other has said why.
    fn beside(&self, silencer: Silencer, rule: &Rule, context: &Context<'_, '_>) -> Verdict {
        if silencer.hides(rule.worst_severity()) {
            return silencer.verdict();
        }
        let is = |expr: &Expr, truth: bool| {
            self.meter.spend(1).is_ok()
                && expr.compiled().is_ok_and(|compiled| compiled.execute(context) == Ok(Value::Bool(truth)))
        };
        if !rule.when.as_ref().is_none_or(|when| is(when, true)) {
            return silencer.verdict();
        }
        if rule.assert.as_ref().is_none_or(|assert| is(assert, false)) {
            let severity = severity_of(rule, context);
            return if silencer.hides(severity) { silencer.verdict() } else { Verdict::Fail(severity) };
        }
        // A rule that needs what the other promises passes for nothing.
        let passes = !silencer.required && rule.assert.as_ref().is_some_and(|assert| is(assert, true));
        if passes { Verdict::Pass } else { silencer.verdict() }
    }

    /// The verdict on an element that no other rule has spoken of.
    fn judge_alone(&mut self, rule: &Rule, bindings: &Bindings<'_>, context: &Context<'_, '_>) -> Verdict {
        if let Some(when) = &rule.when
            && let Some(verdict) = self.condition(rule, when, rule.otherwise.as_deref(), bindings, context)
        {
            return verdict;
        }
        match &rule.assert {
            None => Verdict::Fail(severity_of(rule, context)),
            Some(assert) => match self.truth(rule, assert, bindings, context) {
                Ok(true) => Verdict::Pass,
                Ok(false) => Verdict::Fail(severity_of(rule, context)),
                Err(reason) => Verdict::NotChecked(reason),
            },
        }
    }

    /// The verdict on an element whose inner list was not observed: not checked, unless what is known of the element
    /// says that the rule does not concern it.
    fn judge_unobserved(
        &mut self,
        rule: &Rule,
        bindings: &Bindings<'_>,
        reason: &str,
        context: &Context<'_, '_>,
    ) -> Verdict {
        let scope: Vec<&str> = bindings.iter().map(|binding| binding.path.as_str()).collect();
        match silence::before(rule, &scope, &self.verdicts) {
            Before::Decided(verdict) => return verdict,
            Before::Failed(silencer) if silencer.hides(rule.worst_severity()) => return silencer.verdict(),
            Before::Failed(_) | Before::Nothing => {}
        }
        let unbound = |word: &String| rule.scopes.iter().skip(bindings.len()).any(|(name, _)| name == word);
        let can_be_asked = |when: &&Expr| {
            when.compiled().is_ok_and(|compiled| !compiled.paths.iter().filter_map(|path| path.first()).any(unbound))
        };
        let condition = rule.when.as_ref().filter(can_be_asked);
        let verdict =
            condition.and_then(|when| self.condition(rule, when, rule.otherwise.as_deref(), bindings, context));
        verdict.unwrap_or_else(|| Verdict::NotChecked(reason.to_owned()))
    }

    /// `None` where the condition is true, else why the rule is not judged.
    fn condition(
        &mut self,
        rule: &Rule,
        when: &Expr,
        otherwise: Option<&str>,
        bindings: &Bindings<'_>,
        context: &Context<'_, '_>,
    ) -> Option<Verdict> {
        match self.truth(rule, when, bindings, context) {
            Ok(true) => None,
            Ok(false) => {
                let source = || when.source().split_whitespace().collect::<Vec<_>>().join(" ");
                let reason = otherwise.map_or_else(|| format!("applies only where {}", source()), str::to_owned);
                Some(Verdict::NotApplicable(reason))
            }
            Err(reason) => Some(Verdict::NotChecked(reason)),
        }
    }

    fn truth(
        &mut self,
        rule: &Rule,
        expr: &Expr,
        bindings: &Bindings<'_>,
        context: &Context<'_, '_>,
    ) -> Result<bool, String> {
        match self.value(rule, expr, bindings, context)? {
            Value::Bool(truth) => Ok(truth),
            other => {
                Err(self.mistaken(rule, format!("`{}` gives {} instead of a boolean", expr.source(), other.type_of())))
            }
        }
    }

    /// The value of an expression, or why there is none.
    fn value(
        &mut self,
        rule: &Rule,
        expr: &Expr,
        bindings: &Bindings<'_>,
        context: &Context<'_, '_>,
    ) -> Result<Value, String> {
        let compiled = match expr.compiled() {
            Ok(compiled) => compiled,
            Err(error) => return Err(self.mistaken(rule, error.message.clone())),
        };
        let value = self.meter.spend(1).and_then(|()| compiled.execute(context));
        match value {
            Ok(value) => Ok(value),
            Err(_) if self.meter.exhausted().is_some() => Err(self.meter.exhausted().unwrap_or_default()),
            // A root that was not observed is no variable at all.
            Err(ExecutionError::UndeclaredReference(name))
                if facts::root(self.facts.over()).contains_key(name.as_str()) =>
            {
                Err(self.facts.reason_unobserved(&name))
            }
            Err(ExecutionError::NoSuchKey(key)) if facts::is_name(&key) => {
                let start = |word: &str| elements::start(word, bindings, self.root);
                let inside = bindings.first().map_or("", |binding| &binding.path);
                Err(missing(self.facts, compiled, &start, inside, &key))
            }
            Err(ExecutionError::NoSuchKey(key)) => Err(self.mistaken(rule, format!("there is no `{key}`"))),
            Err(error) => Err(self.mistaken(rule, in_words(&error))),
        }
    }

    fn mistaken(&mut self, rule: &Rule, reason: String) -> String {
        let reason = crate::source_text::escape(&reason);
        if !self.mistakes.iter().any(|(id, _)| *id == rule.id) {
            self.mistakes.push((rule.id.clone(), reason.clone()));
        }
        format!("the rule itself cannot be evaluated: {reason}")
    }

    fn check(&mut self, rule: &Rule, verdict: &Verdict, bindings: &Bindings<'_>, context: &Context<'_, '_>) -> Check {
        let mut check = whole(rule, verdict.clone());
        check.domain = bindings.first().and_then(|first| self.facts.domain_at(&first.path)).map(str::to_owned);
        if matches!(verdict, Verdict::Pass | Verdict::NotApplicable(_) | Verdict::Silenced(..)) {
            return check;
        }
        let is_known = |subject: &&Template| subject.replacement(context).is_some();
        let subject = rule.subject.as_ref();
        if matches!(verdict, Verdict::NotChecked(_)) {
            let subject = subject.filter(is_known).map(|subject| subject.render(context));
            check.subject = with_domain(subject, check.domain.as_deref());
            return check;
        }
        check.subject = with_domain(subject.map(|subject| subject.render(context)), check.domain.as_deref());
        if let Some(reason) = rule.conditions_of_findings().find_map(|expr| problem(expr, context)) {
            self.mistaken(rule, reason);
        }
        let is_true = |expr: &Expr| is_true(expr, context);
        let labels = rule.also.iter().filter(|also| also.when.as_ref().is_none_or(is_true)).map(|also| &also.label);
        let mut texts = rule.texts().chain(labels);
        if let Some(reason) = texts.find_map(|text| text.inserts().find_map(|(expr, _)| problem(expr, context))) {
            self.mistaken(rule, reason);
        }
        check.severity = severity_of(rule, context);
        if check.severity == Severity::Remark {
            check.outcome = Outcome::Remark;
        }
        if let Some((_, others)) = rule.cites_if.iter().find(|(when, _)| is_true(when)) {
            check.cites.clone_from(others);
        }
        if let Some((_, other)) = rule.reported_as_if.iter().find(|(when, _)| is_true(when)) {
            check.reported_as = Some(*other);
        }
        check.message = Some(rule.message.render(context));
        check.help = rule.help.as_ref().map(|help| help.render(context));
        check.at = self.at(rule, bindings);
        check.location = check.at.as_deref().and_then(|at| self.facts.locations.of(at));
        check.related = self.related(rule, bindings, context);
        check.fix = rule.fix.as_ref().and_then(|fix| {
            if fix.when.as_ref().is_some_and(|when| !is_true(when)) {
                return None;
            }
            let location = self.facts.locations.of(&absolute(&fix.replace, bindings))?;
            let with = fix.with.replacement(context)?;
            Some(Fix { location, with, safe: fix.safe || fix.safe_when.as_ref().is_some_and(is_true) })
        });
        check
    }

    /// The further places that are known, each once.
    fn related(&self, rule: &Rule, bindings: &Bindings<'_>, context: &Context<'_, '_>) -> Vec<Related> {
        let shown = |also: &&RuleAlso| also.when.as_ref().is_none_or(|when| is_true(when, context));
        let place = |also: &RuleAlso| {
            let at = absolute(&also.at, bindings);
            let location = self.facts.locations.of(&at)?;
            Some(Related { at, location, label: also.label.render(context) })
        };
        rule.also.iter().filter(shown).filter_map(place).collect()
    }

    fn at(&self, rule: &Rule, bindings: &Bindings<'_>) -> Option<String> {
        let first_of_assert = || rule.assert.as_ref()?.compiled().ok()?.paths.first().cloned();
        let element = || bindings.last().map(|binding| vec![binding.name.to_owned()]);
        let path = rule.at.clone().or_else(|| if rule.forbids { element() } else { None }).or_else(first_of_assert)?;
        Some(absolute(&path, bindings))
    }
}

/// The subject of a finding, led by its domain where the facts are over many and it does not name it.
fn with_domain(subject: Option<String>, domain: Option<&str>) -> Option<String> {
    match (subject, domain.map(crate::source_text::escape)) {
        (Some(subject), Some(domain)) if !subject.contains(&domain) => Some(format!("{domain}: {subject}")),
        (None, Some(domain)) => Some(domain),
        (subject, _) => subject,
    }
}

/// How bad a finding of the rule is here.
fn severity_of(rule: &Rule, context: &Context<'_, '_>) -> Severity {
    rule.severity_if.iter().find(|(when, _)| is_true(when, context)).map_or(rule.severity, |(_, other)| *other)
}

fn is_true(expr: &Expr, context: &Context<'_, '_>) -> bool {
    expr.compiled().is_ok_and(|compiled| compiled.execute(context) == Ok(Value::Bool(true)))
}

/// What is wrong with an expression that asks for nothing that was not observed, and still gives no value.
fn problem(expr: &Expr, context: &Context<'_, '_>) -> Option<String> {
    match expr.compiled().ok()?.execute(context) {
        Ok(_) | Err(ExecutionError::NoSuchKey(_) | ExecutionError::UndeclaredReference(_)) => None,
        Err(error) if meter::is_exhaustion(&error) => None,
        Err(error) => Some(in_words(&error)),
    }
}

/// A path with the variable at its root replaced by the element that it represents.
fn absolute(path: &[String], bindings: &Bindings<'_>) -> String {
    let Some((root, rest)) = path.split_first() else { return String::new() };
    let bound = bindings.iter().find(|binding| binding.name == root).map_or(root.as_str(), |binding| &binding.path);
    rest.iter().fold(bound.to_owned(), |path, segment| format!("{path}.{segment}"))
}
