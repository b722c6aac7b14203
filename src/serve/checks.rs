//! Checks under way: one for a domain however many ask for it, a queue with its length shown, and what waits for what.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tracing::warn;

use super::check::{Check, Stage, What};
use super::client::Network;
use super::id;
use super::limits::Reached;
use super::state::App;
use crate::snapshot::{self, Snapshot};
use crate::store::{Observation, Pending};

/// A check that an earlier process did not end is taken up where it was asked for within so many seconds.
const RESUMED_WITHIN: i64 = 3_600;

/// Why there is no new check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Too many checks wait already.
    Busy(Duration),
    /// The client's limit is reached.
    Client(Duration),
    /// The limit of the service is reached.
    All(Duration),
    /// The domain is not to be looked at.
    OptedOut,
    /// Something here is broken, in words for its operator.
    Broken(String),
}

/// A check of this, a fresh one where there is one; `true` where it is new.
pub async fn check(
    app: &Arc<App>,
    what: What,
    client: Network,
    max_age: Option<Duration>,
) -> Result<(Arc<Check>, bool), Refusal> {
    if app.is_opted_out(&what.domain) {
        return Err(Refusal::OptedOut);
    }
    if let (Some(max_age), Some(known)) = (max_age, app.fresh.get(&what).await) {
        let age = Timestamp::now().duration_since(known.asked_at);
        // A domain is never looked at again within a minute, whoever asks.
        let wanted = max_age.max(Duration::from_secs(60));
        if matches!(known.stage(), Stage::Done) && age.unsigned_abs() > wanted {
            app.fresh.invalidate(&what).await;
        }
    }
    let begin = begin(app, what.clone(), client);
    let entry = app.fresh.entry(what).or_try_insert_with(begin).await;
    let entry = entry.map_err(|refusal: Arc<Refusal>| Refusal::clone(&refusal))?;
    let new = entry.is_fresh();
    if !new {
        app.metrics.from_cache.inc();
    }
    Ok((entry.into_value(), new))
}

/// Begins a check, within the limits.
async fn begin(app: &Arc<App>, what: What, client: Network) -> Result<Arc<Check>, Refusal> {
    if app.queue.length() >= app.settings.queue {
        app.metrics.refused.inc();
        return Err(Refusal::Busy(Duration::from_secs(30)));
    }
    app.limits.take(client).map_err(|reached| {
        app.metrics.refused.inc();
        match reached {
            Reached::Client(wait) => Refusal::Client(wait),
            Reached::All(wait) => Refusal::All(wait),
        }
    })?;
    let (Some(id), Some(removal)) = (id::random(), id::random()) else {
        return Err(Refusal::Broken("the system gives no random numbers".to_owned()));
    };
    let asked_at = now();
    let pending = Pending {
        id: id.clone(),
        removal: removal.clone(),
        domain: what.domain.clone(),
        smtp: what.smtp,
        authoritative: what.authoritative,
        asked_at: asked_at.as_second(),
    };
    app.ask(move |store| store.begin(&pending)).await.map_err(|error| Refusal::Broken(error.to_string()))?;
    Ok(start(app, id, removal, what, asked_at).await)
}

/// Goes on with the checks that an earlier process was asked for and did not end: whoever asked still has their address.
pub async fn resume(app: &Arc<App>) {
    let pending = match app.ask(|store| store.take_pending()).await {
        Ok(pending) => pending,
        Err(error) => return warn!("checks of an earlier run could not be taken up: {error}"),
    };
    let latest = now().as_second().saturating_sub(RESUMED_WITHIN);
    let queue = app.settings.queue;
    for Pending { id, removal, domain, smtp, authoritative, asked_at } in
        pending.into_iter().filter(|pending| pending.asked_at >= latest).take(queue)
    {
        let what = What { domain, smtp, authoritative };
        if !app.is_opted_out(&what.domain) {
            let asked_at = Timestamp::from_second(asked_at).unwrap_or_default();
            let check = start(app, id, removal, what.clone(), asked_at).await;
            app.fresh.insert(what, check).await;
        }
    }
}

async fn start(app: &Arc<App>, id: String, removal: String, what: What, asked_at: Timestamp) -> Arc<Check> {
    let (stage, watched) = watch::channel(Stage::Queued);
    let number = app.queue.asked.fetch_add(1, Ordering::Relaxed);
    let check = Arc::new(Check { id, removal, what, asked_at, stage: watched, number, queue: app.queue.clone() });
    app.known.insert(check.id.clone(), check.clone()).await;
    app.metrics.begun.inc();
    let (app, of) = (app.clone(), check.clone());
    app.under_way.clone().spawn(async move {
        let place = app.places.clone().acquire_owned().await;
        app.queue.begun.fetch_add(1, Ordering::Relaxed);
        stage.send_replace(Stage::Running);
        let ended = run(&app, &of).await;
        drop(place);
        if let Stage::Failed(reason) = &ended {
            warn!("a check failed: {reason}");
            // The next who asks gets another try.
            app.fresh.invalidate(&of.what).await;
        }
        if ended != Stage::Done {
            let id = of.id.clone();
            let _ = app.ask(move |store| store.give_up(&id)).await;
        }
        stage.send_replace(ended);
    });
    check
}

async fn run(app: &Arc<App>, check: &Check) -> Stage {
    let collector = match app.collector(&check.what) {
        Ok(collector) => collector,
        Err(error) => return Stage::Failed(error.to_string()),
    };
    let asks_not_to = collector.txt(&format!("_stslint.{}", check.what.domain)).await;
    if asks_not_to.iter().any(|text| opts_out(text)) {
        return Stage::OptedOut;
    }
    let at = now();
    let snapshot = collector.collect(&check.what.domain, at).await;
    let Ok(text) = to_json(&snapshot) else { return Stage::Failed("the snapshot cannot be written".to_owned()) };
    let observation = Observation {
        id: check.id.clone(),
        domain: check.what.domain.clone(),
        collected_at: at.as_second(),
        snapshot: text,
        removal: check.removal.clone(),
    };
    match app.ask(move |store| store.put(&observation)).await {
        Ok(()) => Stage::Done,
        Err(error) => Stage::Failed(error.to_string()),
    }
}

/// Whether a TXT record at `_stslint` asks not to be looked at: `v=stslint1; checks=off`.
fn opts_out(text: &str) -> bool {
    let mut fields = text.split(';').map(|field| field.trim().to_ascii_lowercase());
    fields.next().as_deref() == Some("v=stslint1") && fields.any(|field| field == "checks=off")
}

fn to_json(snapshot: &Snapshot) -> Result<String, snapshot::WriteError> {
    snapshot::to_text(snapshot, snapshot::Format::Json)
}

/// This second: snapshots tell no smaller ones.
fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default()
}
