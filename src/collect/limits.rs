//! What a peer may cost at most: every bound of the collector, and the clock that ends each step.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::{self, Failure, FailureKind};

/// How many octets of a policy body are read: the limit that RFC 8461 §3.3 suggests to senders.
pub const MAX_BODY_OCTETS: usize = 65_536;
/// How many octets are read up to the end of the header fields, interim responses among them.
pub const MAX_HEADER_OCTETS: usize = 65_536;
/// How many octets are read of a body as it is transferred: chunks have sizes and line endings between them.
pub const MAX_TRANSFER_OCTETS: usize = 8 * MAX_BODY_OCTETS;
/// How many header fields a response may have.
pub const MAX_HEADERS: usize = 100;
/// How long a policy fetch may take in all: the limit that RFC 8461 §3.3 suggests to senders.
pub const MAX_FETCH: Duration = Duration::from_secs(60);
/// How many certificates of a chain are recorded.
pub const MAX_CHAIN: usize = 16;
/// How many MX hosts of a domain are spoken to, the most preferred first.
pub const MAX_MX_HOSTS: usize = 32;
/// How many hosts of `rua` destinations are looked up.
pub const MAX_REPORT_HOSTS: usize = 8;
/// How many CNAMEs are followed.
pub const MAX_ALIASES: usize = 12;
/// How many records of one answer are recorded: as many as a snapshot may hold.
pub const MAX_RECORDS: usize = snapshot::MAX_RECORDS;
/// How many queries are on their way to the resolver at the same time at first: its buffers hold about 200.
pub const FIRST_QUESTIONS: usize = 96;
/// How many at most, where none is lost.
pub const MAX_QUESTIONS: usize = 1_024;
/// How many at least, whatever is lost.
pub const LEAST_QUESTIONS: usize = 16;
/// How many answers are validated at the same time.
pub const MAX_VALIDATIONS: usize = 2_048;
/// How many steps' time a validation may take: it asks for the keys of one zone after the other.
pub const VALIDATION_STEPS: u32 = 3;
/// How many conversations with one host of a domain go on at the same time.
pub const MAX_PER_HOST: usize = 2;
/// How many conversations with one address of a mail server go on at the same time where nothing else is asked for: many
/// refuse more.
pub const PER_ADDRESS: usize = 4;
/// How many conversations with one address of a web server: many policy hosts share the address of one.
pub const WEB_PER_ADDRESS: usize = 96;
/// How many times as many with all addresses of a network, /24 or /64.
pub const NETWORK_TIMES: usize = 4;
/// How many times as many hosts are connected to as are spoken to: those that keep silent cost a socket each.
pub const CONNECTING: usize = 8;
/// Into how many shares the places of a run are divided: a domain gets one, whatever its hosts do.
pub const SHARES: usize = 16;
/// How many addresses of hosts one domain has connected to.
pub const MAX_CONNECTIONS: usize = 256;
/// How many octets of a snapshot's file the conversations with a domain's hosts take at most.
pub const MAX_KEPT_OCTETS: usize = 8 << 20;
/// How many of these each host has for itself.
pub const KEPT_FOR_EACH_HOST: usize = 128 << 10;
/// How many hosts of a domain are spoken to: its MX hosts and its policy host.
pub const MAX_HOSTS: usize = MAX_MX_HOSTS + 1;
/// How many octets a host must have left for another conversation to begin.
pub const LEAST_FOR_CONVERSATION: usize = 16 << 10;
/// How many octets of a snapshot's file a conversation takes at most that is kept for the other domains of a run.
pub const MAX_REMEMBERED_OCTETS: usize = 64 << 10;
/// How many octets of a snapshot's file the answers about a domain take at most.
pub const MAX_ANSWERS_OCTETS: usize = 5 << 20;
/// How many of these each answer has for itself.
pub const KEPT_FOR_EACH_ANSWER: usize = 8 << 10;
/// How many answers have so: more are not asked for, about the largest of domains.
pub const MAX_ANSWERS: usize = 256;
/// How many octets of a snapshot's file the timeline takes at most.
pub const MAX_TIMELINE_OCTETS: usize = 1 << 20;
/// How many octets of a snapshot's file the remarks on what was left out take at most.
pub const MAX_LEFT_OUT_OCTETS: usize = 512 << 10;
/// How many octets of a snapshot's file names and the frame around all of these take at most.
const FRAME_OCTETS: usize = 1536 << 10;
/// How much processor time the hosts of a domain may take. What is built without optimisation takes ten times as long.
pub const MAX_WORK: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
/// How much processor time the proof of one answer may take.
pub const MAX_PROOF_WORK: Duration = Duration::from_millis(MAX_WORK.as_millis() as u64 / 8);
/// How much processor time the proofs of all answers about a domain may take.
pub const MAX_PROOFS_WORK: Duration = Duration::from_millis(MAX_WORK.as_millis() as u64 / 4);
/// How many signatures of one answer are tried.
pub const MAX_SIGNATURES: usize = 24;
/// How many keys of one zone are tried, and how many of what its parent says of them.
pub const MAX_KEYS: usize = 16;
/// With how many iterations a name is hashed for a proof of absence (RFC 5155 §10.3 allows 2,500, and no key needs any).
pub const MAX_ITERATIONS: u16 = 500;
/// How many octets an SMTP reply may have in all (a line has 512 at most, RFC 5321 §4.5.3.1.5).
pub const MAX_REPLY_OCTETS: usize = 32_768;
/// How many lines an SMTP reply may have.
pub const MAX_REPLY_LINES: usize = 128;
/// How many character-strings of the TXT records of one answer are recorded.
pub const MAX_STRINGS: usize = 4_096;
/// How many octets of one line are recorded.
pub const MAX_LINE_OCTETS: usize = 1_024;
/// How many octets after the 220 to STARTTLS are recorded.
pub const MAX_AFTER_STARTTLS: usize = 512;
/// How many steps' time a greeting may take: servers delay it on purpose, against spam.
pub const GREETING_STEPS: u32 = 3;
/// How many extended errors of one answer are recorded.
pub const MAX_EXTENDED_ERRORS: usize = 8;
/// The pause before a second try, where a step may take twice as long.
pub const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// The longest time that a Retry-After field is obeyed.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long a server gets to answer QUIT.
pub const PARTING: Duration = Duration::from_secs(2);
/// How many addresses of a zone's own name servers are asked.
pub const MAX_NAME_SERVERS: usize = 16;
/// After how long a greeting is slow, so that a second connection waits for its own beside the first.
pub const SLOW_GREETING: Duration = Duration::from_millis(300);
/// How much longer a look at old versions of TLS may take than what it runs beside.
pub const LOOK_GRACE: Duration = Duration::from_secs(1);
/// How long a server gets to show that it sent something after its 220 to STARTTLS.
pub const AFTER_STARTTLS: Duration = Duration::from_millis(1);

// What is recorded can be read again.
const _: () = assert!(
    MAX_ALIASES <= snapshot::MAX_ALIASES
        && MAX_HEADERS <= MAX_RECORDS
        && MAX_CHAIN <= MAX_RECORDS
        && MAX_REPLY_LINES <= MAX_RECORDS
        && MAX_CONNECTIONS <= MAX_RECORDS
        && MAX_HOSTS * KEPT_FOR_EACH_HOST <= MAX_KEPT_OCTETS
        && MAX_ANSWERS * KEPT_FOR_EACH_ANSWER <= MAX_ANSWERS_OCTETS
        && MAX_KEPT_OCTETS + MAX_ANSWERS_OCTETS + MAX_TIMELINE_OCTETS + MAX_LEFT_OUT_OCTETS + FRAME_OCTETS
            <= snapshot::MAX_SNAPSHOT_OCTETS as usize
);

/// The time that is left: for one step, and until the deadline.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    step: Duration,
    began: Instant,
    deadline: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start(step: Duration, deadline: Duration) -> Self {
        let began = Instant::now();
        Clock { step, began, deadline: began.checked_add(deadline).unwrap_or(began) }
    }

    /// The same clock, ending after `limit` at the latest.
    pub fn at_most(self, limit: Duration) -> Self {
        let end = Instant::now().checked_add(limit).unwrap_or(self.deadline);
        Clock { deadline: self.deadline.min(end), ..self }
    }

    /// The same clock with steps that take `times` as long.
    pub fn steps(self, times: u32) -> Self {
        Clock { step: self.step.saturating_mul(times), ..self }
    }

    /// How long one step may take.
    pub fn step(self) -> Duration {
        self.step
    }

    /// How long it is until the deadline.
    pub fn left(self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The pause before a second try: no longer than leaves it the time of a step. `None` where that is not left.
    pub fn retry_pause(self) -> Option<Duration> {
        retry_pause(self.step, self.left())
    }

    /// Milliseconds since the clock started.
    pub fn elapsed_ms(self) -> u64 {
        millis(self.began.elapsed())
    }

    /// Whether there is no time left at all.
    pub fn is_over(self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Runs one step; `what` names what was waited for, as in "no `what` within 10 s".
    pub async fn within<F: Future>(self, what: &str, step: F) -> Result<F::Output, Failure> {
        let end = Instant::now().checked_add(self.step).unwrap_or(self.deadline);
        match timeout_at(end.min(self.deadline), step).await {
            Ok(output) => Ok(output),
            Err(_) if end < self.deadline => Err(timeout(format!("no {what} within {}", seconds(self.step)))),
            Err(_) => Err(timeout(format!("no {what} before the time for the whole collection was over"))),
        }
    }

    /// Runs something that may take all the time that is left.
    pub async fn until_deadline<F: Future>(self, what: &str, work: F) -> Result<F::Output, Failure> {
        timeout_at(self.deadline, work).await.map_err(|_| timeout(format!("no {what} before the time for it was over")))
    }
}

fn retry_pause(step: Duration, left: Duration) -> Option<Duration> {
    let spare = left.checked_sub(step)?;
    Some(RETRY_PAUSE.min(step / 2).min(spare))
}

/// A duration in whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn seconds(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}

fn timeout(detail: String) -> Failure {
    Failure { kind: FailureKind::Timeout, step: None, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_leaves_the_time_of_a_step() {
        let seconds = Duration::from_secs;
        assert_eq!(retry_pause(seconds(10), seconds(60)), Some(RETRY_PAUSE));
        assert_eq!(retry_pause(seconds(2), seconds(60)), Some(seconds(1)));
        assert_eq!(retry_pause(seconds(10), seconds(11)), Some(seconds(1)));
        assert_eq!(retry_pause(seconds(10), seconds(9)), None);
    }

    #[test]
    fn the_limits_are_documented() {
        let document = include_str!("../../docs/limits.md");
        for (what, limit) in [
            ("octets of a policy (RFC 8461 §3.3)", MAX_BODY_OCTETS as u64),
            ("seconds for fetching it (RFC 8461 §3.3)", MAX_FETCH.as_secs()),
            ("header fields", MAX_HEADERS as u64),
            ("octets of all header fields, with those of interim responses", MAX_HEADER_OCTETS as u64),
            ("octets of a policy with what frames its chunks", MAX_TRANSFER_OCTETS as u64),
            ("certificates of a chain that are recorded", MAX_CHAIN as u64),
            ("MX hosts that are spoken to, the most preferred first", MAX_MX_HOSTS as u64),
            ("hosts of `rua` that are looked up", MAX_REPORT_HOSTS as u64),
            ("CNAMEs that are followed", MAX_ALIASES as u64),
            ("records of an answer", MAX_RECORDS as u64),
            ("addresses of the zone's own name servers", MAX_NAME_SERVERS as u64),
            ("queries on their way to the resolver at first", FIRST_QUESTIONS as u64),
            ("… and at most, where none is lost", MAX_QUESTIONS as u64),
            ("conversations with one host of a domain at the same time", MAX_PER_HOST as u64),
            ("conversations with one address of a mail server at the same time", PER_ADDRESS as u64),
            ("conversations with one address of a web server at the same time", WEB_PER_ADDRESS as u64),
            ("… and times as many with a whole network, /24 or /64", NETWORK_TIMES as u64),
            ("… and times as many that are connected to as are spoken to", CONNECTING as u64),
            ("shares of the conversations of a run, one for each domain", SHARES as u64),
            ("addresses of hosts that one domain has connected to", MAX_CONNECTIONS as u64),
            ("character-strings of the TXT records of an answer", MAX_STRINGS as u64),
            ("octets of a snapshot for what a domain's hosts say", MAX_KEPT_OCTETS as u64),
            ("… of which each host has for itself", KEPT_FOR_EACH_HOST as u64),
            ("octets of a conversation that is kept for other domains of the run", MAX_REMEMBERED_OCTETS as u64),
            ("octets of a snapshot for the answers about a domain", MAX_ANSWERS_OCTETS as u64),
            ("… of which each answer has for itself", KEPT_FOR_EACH_ANSWER as u64),
            ("signatures of an answer that are tried", MAX_SIGNATURES as u64),
            ("keys of a zone that are tried", MAX_KEYS as u64),
            ("iterations of a proof of absence (NSEC3)", u64::from(MAX_ITERATIONS)),
            ("lines of an SMTP reply", MAX_REPLY_LINES as u64),
            ("octets of an SMTP reply", MAX_REPLY_OCTETS as u64),
            ("octets of a line that are recorded", MAX_LINE_OCTETS as u64),
            ("octets after the 220 to STARTTLS that are recorded", MAX_AFTER_STARTTLS as u64),
            ("steps' time for a greeting", u64::from(GREETING_STEPS)),
            ("seconds before a second try, or half a step", RETRY_PAUSE.as_secs()),
            ("seconds that `Retry-After` is waited for", LONGEST_RETRY_AFTER.as_secs()),
        ] {
            assert!(document.contains(&format!("\n| {what} | {limit} |\n")), "{what}: {limit}");
        }
    }
}
