//! Ctrl-C, SIGTERM, SIGHUP, SIGQUIT and SIGXCPU: what ends a command, and what is put in order before it ends.

#[cfg(unix)]
use std::future::poll_fn;
#[cfg(unix)]
use std::task::Poll;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::SignalKind;

use crate::files::temporary;

/// How long a command that handles the signal itself has to end in its own way.
const GRACE: Duration = Duration::from_millis(500);

/// Ends the process when a signal asks for it, without leaving temporary files behind; from here on. Called once, by every
/// command that does not run until it is told to end.
pub fn end_in_order() {
    let (listening, listens) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        let signal = runtime.block_on(async {
            let mut signals = Signals::listen();
            let _ = listening.send(());
            signals.next().await
        });
        std::thread::sleep(GRACE);
        temporary::remove_all();
        std::process::exit(128_i32.saturating_add(signal));
    });
    // A thread that cannot listen goes away, and the wait ends as well.
    let _ = listens.recv();
}

/// Waits until a signal asks to end; its number.
pub async fn asked_to_end() -> i32 {
    Signals::listen().next().await
}

/// The signals that ask to end, each with its number. Those that whoever started the process had it ignore (nohup(1), a job
/// in the background of a script) stay ignored.
#[cfg(unix)]
pub struct Signals(Vec<(i32, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl Signals {
    /// Begins to listen.
    pub fn listen() -> Self {
        let listen = |kind: SignalKind| {
            let number = kind.as_raw_value();
            (!is_ignored(number)).then(|| tokio::signal::unix::signal(kind).ok())?.map(|signal| (number, signal))
        };
        Signals(kinds().into_iter().filter_map(listen).collect())
    }

    /// Waits for the next; its number.
    pub async fn next(&mut self) -> i32 {
        poll_fn(|cx| {
            let received = self.0.iter_mut().find_map(|(number, signal)| match signal.poll_recv(cx) {
                Poll::Ready(Some(())) => Some(*number),
                Poll::Ready(None) | Poll::Pending => None,
            });
            received.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[cfg(unix)]
fn kinds() -> Vec<SignalKind> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    // The processor time that the process may use is over (setrlimit(2)).
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    kinds.push(SignalKind::from_raw(24));
    kinds
}

/// Ctrl-C.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    pub fn listen() -> Self {
        Signals
    }

    /// Waits for the next; its number.
    pub async fn next(&mut self) -> i32 {
        let _ = tokio::signal::ctrl_c().await;
        2
    }
}

/// Whether a signal was ignored when this process began (proc_pid_status(5)); where nobody says so, it was not.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    let place = u32::try_from(signal.saturating_sub(1)).unwrap_or_default();
    mask.checked_shr(place).is_some_and(|mask| mask & 1 == 1)
}
