//! Texts that visitors edit: in place of what was observed, or alone.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::{Html, Response};

use super::answers::{judged, known, snapshot_of};
use super::pages::what_if::{self, Edited};
use super::state::App;
use crate::snapshot::{MxRecord, Snapshot};
use crate::what_if::{Texts, unobserved};

type Shared = State<Arc<App>>;

/// `GET /r/ID/what-if`.
pub async fn what_if_form(State(app): Shared, Path(id): Path<String>) -> Result<Html<String>, Response> {
    let observation = known(&app, &id).await?;
    let edited = published(&snapshot_of(&observation)?);
    Ok(Html(what_if::what_if(Some(&id), Some(&observation.domain), &edited, None)))
}

/// `POST /r/ID/what-if`.
pub async fn what_if_judged(
    State(app): Shared,
    Path(id): Path<String>,
    Form(edited): Form<Edited>,
) -> Result<Html<String>, Response> {
    let observation = known(&app, &id).await?;
    let snapshot = snapshot_of(&observation)?;
    // What was left as it is stays an observation, with its TTL and its proofs.
    let texts = changed(&edited, &published(&snapshot));
    let linted = judged(&app, snapshot, texts, None).await?;
    Ok(Html(what_if::what_if(Some(&id), Some(&observation.domain), &edited, Some(&linted))))
}

/// `GET /lint`.
pub async fn lint_form() -> Html<String> {
    Html(what_if::what_if(None, None, &Edited::default(), None))
}

/// `POST /lint`.
pub async fn lint_judged(State(app): Shared, Form(edited): Form<Edited>) -> Result<Html<String>, Response> {
    let snapshot = unobserved(None, "only the texts of the form were looked at");
    let texts = changed(&edited, &Edited::default());
    let linted = judged(&app, snapshot, texts, None).await?;
    Ok(Html(what_if::what_if(None, None, &edited, Some(&linted))))
}

/// What was published, as the form shows it.
pub fn published(snapshot: &Snapshot) -> Edited {
    let txt = |lookup: &Option<crate::snapshot::Lookup<crate::snapshot::TxtRecord>>| {
        let records = lookup.iter().filter_map(|lookup| lookup.known()).flatten();
        records.map(|record| String::from_utf8_lossy(&record.joined()).into_owned()).collect::<Vec<_>>().join("\n")
    };
    let policy = snapshot.policy.as_ref().and_then(Option::as_ref);
    let mx = snapshot.mx.iter().filter_map(|lookup| lookup.known()).flatten();
    let mut mx: Vec<&MxRecord> = mx.collect();
    mx.sort_by_key(|record| record.preference);
    let exchange =
        |record: &&MxRecord| if record.exchange.is_empty() { ".".to_owned() } else { record.exchange.clone() };
    Edited {
        record: txt(&snapshot.record),
        policy: policy.map(|policy| shown(&String::from_utf8_lossy(&policy.body.0))).unwrap_or_default(),
        tlsrpt: txt(&snapshot.tlsrpt),
        mx: mx.iter().map(exchange).collect::<Vec<_>>().join("\n"),
    }
}

/// A text as a form can show it: with line endings that browsers keep, and escapes for what cannot be seen. What comes back
/// the same is then known to be unchanged.
fn shown(text: &str) -> String {
    text.replace("\r\n", "\n").split('\n').map(crate::source_text::escape).collect::<Vec<_>>().join("\n")
}

/// The texts that differ from what is there; line endings alone, which browsers change, are no difference.
pub fn changed(edited: &Edited, before: &Edited) -> Texts {
    let same = |one: &str, other: &str| one.lines().eq(other.lines());
    let lines = |text: &str, before: &str| -> Vec<String> {
        if same(text, before) {
            return Vec::new();
        }
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).take(100).map(str::to_owned).collect()
    };
    let policy = (!same(&edited.policy, &before.policy) && !edited.policy.is_empty()).then(|| {
        // A form gives CRLF, whatever was typed: line endings are then no finding.
        edited.policy.clone().into_bytes()
    });
    Texts {
        policy,
        record: lines(&edited.record, &before.record),
        tlsrpt: lines(&edited.tlsrpt, &before.tlsrpt),
        mx: lines(&edited.mx, &before.mx),
    }
}
