//! One address of an MX host, spoken to as a sender would, up to the EHLO after STARTTLS (RFC 5321, RFC 3207).
//!
//! No mail is ever begun: after the second EHLO comes QUIT, and nothing waits for its reply.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::acknowledges::Acknowledges;
use super::connect::{NotConnected, connect};
use super::failure::{failure, for_want_of_certificate};
use super::guard::Admitted;
use super::limits::{AFTER_STARTTLS, Clock, GREETING_STEPS, MAX_AFTER_STARTTLS, SLOW_GREETING, millis};
use super::log_lines;
use super::options::Proxy;
use super::second_look::{self, server_name};
use super::server_flight::Spoken;
use super::shares::Talks;
use super::smtp_wire::{Farewells, Transcript, Wire, escaped};
use super::tls::{Recorder, TlsProber, handshake};
use crate::snapshot::{
    Failure, FailureKind, FailureStep, Octets, Party, SecondLook, SmtpProbe, SmtpReply, TlsFacts, TlsVersion,
    WithoutSni,
};

/// How MX hosts are spoken to.
#[derive(Clone, Debug)]
pub struct SmtpClientConfig {
    /// The port.
    pub port: u16,
    /// The name that EHLO gives, if not the address.
    pub helo: Option<String>,
    /// A proxy to go through.
    pub proxy: Option<Proxy>,
    /// Where the ends of the conversations are waited for.
    pub farewells: Farewells,
    /// Whether what one conversation shows is tried again where it may mislead.
    pub retry: bool,
    /// The pause before a second connection to the same address; without one it runs beside the first.
    pub pause: Option<std::time::Duration>,
    /// The places to talk in.
    pub talks: Talks,
}

/// Speaks to one address of `exchange`. Each step that went well is a fact, and the first that did not is the
/// failure.
pub async fn probe(
    exchange: &str,
    admitted: Admitted,
    smtp_client: &SmtpClientConfig,
    prober: &TlsProber,
    clock: Clock,
) -> SmtpProbe {
    let address = admitted.address();
    let began = Instant::now();
    let mut conversation = Conversation {
        exchange,
        address: SocketAddr::new(address, smtp_client.port),
        smtp_client,
        hello: String::new(),
        clock,
        transcript: Transcript::default(),
        probe: not_attempted(address),
        welcome: None,
    };
    let (welcome, welcomed) = oneshot::channel();
    conversation.welcome = Some(welcome);
    let to = conversation.address;
    let look = Box::pin(async {
        is_welcome(welcomed).await?;
        older_version(exchange, to, smtp_client, clock).await
    });
    let speaking = Box::pin(async {
        let ended = conversation.run(prober).await;
        // Nobody is to wait for a welcome any more.
        conversation.welcome = None;
        ended
    });
    let (ended, older_version) = match smtp_client.pause {
        None => second_look::beside(speaking, look).await,
        Some(_) => (speaking.await, look.await),
    };
    if let Some(tls) = &mut conversation.probe.tls {
        second_look::note_older_version(tls, older_version);
    }
    if let Err(failure) = ended {
        conversation.fail(failure);
    }
    let Conversation { probe, transcript, .. } = conversation;
    let elapsed = began.elapsed();
    let transcript = transcript.into_lines();
    log_lines::mx_host(exchange, &probe, &transcript, elapsed);
    SmtpProbe { transcript, elapsed_ms: Some(millis(elapsed)), ..probe }
}

/// A probe of which nothing is known yet.
pub fn not_attempted(address: IpAddr) -> SmtpProbe {
    SmtpProbe {
        address,
        connected: None,
        greeting: None,
        ehlo: None,
        starttls: None,
        after_starttls: None,
        tls: None,
        ehlo_after_tls: None,
        without_sni: None,
        failure: None,
        first_try: None,
        transcript: Vec::new(),
        elapsed_ms: None,
    }
}

struct Conversation<'a> {
    exchange: &'a str,
    address: SocketAddr,
    smtp_client: &'a SmtpClientConfig,
    hello: String,
    clock: Clock,
    transcript: Transcript,
    probe: SmtpProbe,
    /// Whoever waits for the server to say that it needs to speak.
    welcome: Option<oneshot::Sender<()>>,
}

impl Conversation<'_> {
    async fn run(&mut self, prober: &TlsProber) -> Result<(), Failure> {
        let stream = self.connect().await?;
        let _place = self.smtp_client.talks.place(self.clock).await?;
        self.hello = hello(self.smtp_client, &stream);
        let (exchange, address, smtp_client, clock) = (self.exchange, self.address, self.smtp_client, self.clock);
        let second = without_sni(exchange, address, smtp_client, prober, clock);
        let (spoken, without_sni) = match smtp_client.pause {
            // The second connection goes as far as the first in the same time, however slow the greeting is: it begins one
            // round trip later, and needs no EHLO inside TLS. Where a server keeps it waiting all the same, nobody waits long.
            None => match select(Box::pin(self.speak(stream, prober)), Box::pin(second)).await {
                Either::Left((spoken, second)) => (spoken, timeout(clock.step() / 2, second).await.ok().flatten()),
                Either::Right((without_sni, speaking)) => (speaking.await, without_sni),
            },
            Some(pause) => {
                let spoken = self.speak(stream, prober).await;
                let worth_it = self.probe.tls.is_some();
                let paused = clock.until_deadline("pause", tokio::time::sleep(pause)).await;
                (spoken, if paused.is_ok() && worth_it { second.await } else { None })
            }
        };
        let first = without_sni.filter(|_| self.probe.tls.is_some());
        self.probe.without_sni = match first {
            // Where the conversation failed, all of it is tried again.
            Some(first) if spoken.is_ok() => Some(self.again_without_sni(first, prober).await),
            first => first,
        };
        spoken
    }

    /// A handshake without SNI that was reset is tried once more, after a pause, as whole conversations are.
    async fn again_without_sni(&self, first: WithoutSni, prober: &TlsProber) -> WithoutSni {
        let Conversation { exchange, address, smtp_client, clock, .. } = *self;
        let was_reset = first.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Reset);
        let pause = clock.retry_pause().filter(|_| smtp_client.retry && was_reset && first.second_look.is_none());
        let Some(pause) = pause else { return first };
        let pause = pause.max(smtp_client.pause.unwrap_or_default());
        log_lines::second_try("MX host without SNI", exchange, address.ip(), pause);
        tokio::time::sleep(pause).await;
        match Box::pin(without_sni(exchange, address, smtp_client, prober, clock)).await {
            Some(second) => WithoutSni { first_failure: first.failure, ..second },
            None => first,
        }
    }

    /// The conversation on a connection, as far as the server goes along.
    async fn speak(&mut self, stream: TcpStream, prober: &TlsProber) -> Result<(), Failure> {
        let acknowledges = Acknowledges::of(&stream);
        let mut wire = Wire::new(stream);
        let offered = self.greet(&mut wire).await;
        if !matches!(offered, Ok(true)) {
            self.quit(wire).await;
            return offered.map(|_| ());
        }
        self.secure(wire, acknowledges, prober).await
    }

    /// Notes how the conversation ended before its time.
    fn fail(&mut self, failure: Failure) {
        let step = self.step();
        // In TLS 1.3 a server refuses what the client showed only after the client's last message (RFC 8446 §4.4.4).
        let demanded = self.probe.tls.as_ref().is_some_and(|tls| tls.client_certificate);
        let failure = match step {
            FailureStep::EhloAfterTls => for_want_of_certificate(failure.at(step), demanded),
            _ => failure.at(step),
        };
        self.transcript.add(Party::Note, failure.detail.as_str());
        if let Some(tls) = &mut self.probe.tls {
            if failure.kind == FailureKind::ClientCertificate {
                (tls.handshake, tls.failure) = (false, Some(failure.clone()));
            }
            if let Some(look) = &tls.second_look {
                let cipher = look.cipher.as_deref().unwrap_or("an unknown cipher suite");
                let note = format!("offered all that OpenSSL has, the server chooses {} with {cipher}", look.version);
                self.transcript.add(Party::Note, note);
            }
        }
        self.probe.failure = Some(failure);
    }

    /// The step that comes after what is known.
    fn step(&self) -> FailureStep {
        let probe = &self.probe;
        if probe.connected != Some(true) {
            FailureStep::Connection
        } else if probe.greeting.as_ref().is_none_or(|greeting| greeting.code != 220) {
            FailureStep::Greeting
        } else if probe.ehlo.is_none() {
            FailureStep::Ehlo
        } else if probe.starttls.is_none() {
            FailureStep::Starttls
        } else if probe.tls.as_ref().is_none_or(|tls| !tls.handshake) {
            FailureStep::TlsHandshake
        } else {
            FailureStep::EhloAfterTls
        }
    }

    async fn connect(&mut self) -> Result<TcpStream, Failure> {
        match connect(self.address, "MX host", self.smtp_client.proxy.as_ref(), self.clock).await {
            Ok(stream) => {
                self.probe.connected = Some(true);
                Ok(stream)
            }
            Err(NotConnected { failure, is_peers }) => {
                self.probe.connected = is_peers.then_some(false);
                Err(failure)
            }
        }
    }

    /// Greeting and EHLO; whether STARTTLS is offered.
    async fn greet(&mut self, wire: &mut Wire<TcpStream>) -> Result<bool, Failure> {
        let clock = self.clock;
        let greeting = wire.reply("greeting", clock.steps(GREETING_STEPS), &mut self.transcript).await?;
        let welcome = greeting.code == 220;
        let refusal = format!("the server refuses to talk: it greets with {}", greeting.code);
        self.probe.greeting = Some(greeting);
        if !welcome {
            return Err(failure(FailureKind::Protocol, refusal));
        }
        self.welcome.take().map(|waiting| waiting.send(()));
        wire.send(&self.hello, clock, &mut self.transcript).await?;
        let ehlo = wire.reply("reply to EHLO", clock, &mut self.transcript).await?;
        let offers = ehlo.code == 250 && offers_starttls(&ehlo);
        self.probe.ehlo = Some(ehlo);
        Ok(offers)
    }

    /// STARTTLS, the handshake, and EHLO again (RFC 3207 §4.2).
    async fn secure(
        &mut self,
        mut wire: Wire<TcpStream>,
        acknowledges: Acknowledges,
        prober: &TlsProber,
    ) -> Result<(), Failure> {
        wire.send("STARTTLS", self.clock, &mut self.transcript).await?;
        let starttls = wire.reply("reply to STARTTLS", self.clock, &mut self.transcript).await;
        if !starttls.as_ref().is_ok_and(|reply| reply.code == 220) {
            self.quit(wire).await;
            self.probe.starttls = Some(starttls?);
            return Ok(());
        }
        self.probe.starttls = starttls.ok();
        self.note_surplus(wire.surplus(AFTER_STARTTLS).await);
        let stream = self.handshake(wire.into_stream(), prober).await?;
        // A server that waits for the acknowledgement of its session tickets before it answers gets it at once.
        acknowledges.at_once();
        let mut wire = Wire::new(stream);
        wire.send(&self.hello, self.clock, &mut self.transcript).await?;
        let reply = wire.reply("reply to EHLO after TLS", self.clock, &mut self.transcript).await;
        self.quit(wire).await;
        self.probe.ehlo_after_tls = Some(reply?);
        Ok(())
    }

    /// Notes what came after the 220. It is not taken into the TLS session: a sender that did would obey
    /// commands that anybody can inject (RFC 3207 §6).
    fn note_surplus(&mut self, surplus: Vec<u8>) {
        if !surplus.is_empty() {
            self.transcript.add(Party::Server, escaped(&surplus));
        }
        let kept = surplus.get(..MAX_AFTER_STARTTLS).unwrap_or(&surplus);
        self.probe.after_starttls = Some(Octets(kept.to_vec()));
    }

    async fn handshake(&mut self, stream: TcpStream, prober: &TlsProber) -> Result<TlsStream<TcpStream>, Failure> {
        let recorder = prober.recorder();
        let secured = handshake(stream, self.exchange, true, &[], &recorder, self.clock).await;
        let stream = match secured {
            Ok(stream) => stream,
            Err(failure) => {
                self.probe.tls = Some(Box::pin(self.look_again(&recorder, &failure)).await);
                return Err(failure);
            }
        };
        let facts = recorder.facts(Some(self.exchange));
        let version = facts.version.map_or("TLS", TlsVersion::word);
        let cipher = facts.cipher.as_deref().unwrap_or("TLS");
        let note = format!("TLS handshake finished: {version} with {cipher}");
        self.transcript.add(Party::Note, note);
        self.probe.tls = Some(TlsFacts { handshake: true, ..facts });
        Ok(stream)
    }

    /// What is known of a handshake that failed: where the two sides had nothing in common, what the server speaks.
    async fn look_again(&self, recorder: &Recorder, failure: &Failure) -> TlsFacts {
        let mut spoken = None;
        if !recorder.saw_certificate() && second_look::is_worth_it(failure) {
            spoken = look(self.exchange, true, self.address, self.smtp_client, self.clock).await;
        }
        recorder.facts_of_failure(self.exchange, failure, spoken)
    }

    /// Says good-bye. Nothing in the collection waits for the reply.
    async fn quit<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&mut self, wire: Wire<S>) {
        wire.quit(self.clock, &mut self.transcript, &self.smtp_client.farewells).await;
    }
}

/// A second connection, and a handshake that names no host (RFC 8461 §7.1). `None` where the server did not get
/// as far as TLS this time, which says nothing about SNI.
async fn without_sni(
    exchange: &str,
    address: SocketAddr,
    smtp_client: &SmtpClientConfig,
    prober: &TlsProber,
    clock: Clock,
) -> Option<WithoutSni> {
    let stream = ready_for_tls(address, smtp_client, clock).await?;
    let recorder = prober.recorder();
    match handshake(stream, exchange, false, &[], &recorder, clock).await {
        Ok(stream) => {
            Wire::new(stream).quit(clock, &mut Transcript::default(), &smtp_client.farewells).await;
            Some(WithoutSni { handshake: true, ..WithoutSni::default() })
        }
        Err(failure) => {
            let mut spoken = None;
            if !recorder.saw_certificate() && second_look::is_worth_it(&failure) {
                spoken = Box::pin(look(exchange, false, address, smtp_client, clock)).await;
            }
            let second_look = spoken.map(SecondLook::from);
            Some(WithoutSni { failure: Some(failure), second_look, ..WithoutSni::default() })
        }
    }
}

/// What the server chooses from all that OpenSSL-based senders offer, each offer on a connection of its own.
async fn look(
    exchange: &str,
    sni: bool,
    address: SocketAddr,
    smtp_client: &SmtpClientConfig,
    clock: Clock,
) -> Option<Spoken> {
    let name = server_name(exchange)?;
    for offer in second_look::OFFERS {
        pause(smtp_client, clock).await?;
        let stream = ready_for_tls(address, smtp_client, clock).await?;
        if let Ok(spoken) = second_look::ask(stream, Some(&name).filter(|_| sni), offer, clock).await {
            return Some(spoken);
        }
    }
    None
}

/// Waits until the first conversation was welcomed; `None` where it ended without. Where the greeting is slow it is
/// waited for on both connections at once.
async fn is_welcome(welcomed: oneshot::Receiver<()>) -> Option<()> {
    tokio::time::timeout(SLOW_GREETING, welcomed).await.map_or(Some(()), Result::ok)
}

/// The newest version below TLS 1.2 that the server accepts; `None` where that was not seen.
async fn older_version(
    exchange: &str,
    address: SocketAddr,
    smtp_client: &SmtpClientConfig,
    clock: Clock,
) -> Option<Option<TlsVersion>> {
    let name = server_name(exchange)?;
    pause(smtp_client, clock).await?;
    let stream = ready_for_tls(address, smtp_client, clock).await?;
    second_look::older_version(stream, &name, clock).await
}

/// Waits, where conversations with an address are to be rare; `None` where there is no time for that.
async fn pause(smtp_client: &SmtpClientConfig, clock: Clock) -> Option<()> {
    match smtp_client.pause {
        Some(pause) => clock.until_deadline("pause", tokio::time::sleep(pause)).await.ok(),
        None => Some(()),
    }
}

async fn ready_for_tls(address: SocketAddr, smtp_client: &SmtpClientConfig, clock: Clock) -> Option<TcpStream> {
    let mut transcript = Transcript::default();
    let stream = connect(address, "MX host", smtp_client.proxy.as_ref(), clock).await.ok()?;
    let hello = hello(smtp_client, &stream);
    let mut wire = Wire::new(stream);
    let ready = async {
        let greeting = wire.reply("greeting", clock.steps(GREETING_STEPS), &mut transcript).await.ok()?;
        (greeting.code == 220).then_some(())?;
        wire.send(&hello, clock, &mut transcript).await.ok()?;
        let ehlo = wire.reply("reply to EHLO", clock, &mut transcript).await.ok()?;
        (ehlo.code == 250 && offers_starttls(&ehlo)).then_some(())?;
        wire.send("STARTTLS", clock, &mut transcript).await.ok()?;
        let reply = wire.reply("reply to STARTTLS", clock, &mut transcript).await.ok()?;
        (reply.code == 220).then_some(())
    };
    let ready = ready.await;
    let stream = match ready {
        Some(()) => Some(wire.into_stream()),
        None => {
            wire.quit(clock, &mut transcript, &smtp_client.farewells).await;
            None
        }
    };
    log_lines::dialogue(&format!("another connection to {}", address.ip()), &transcript.into_lines());
    stream
}

/// The command that says who we are (RFC 5321 §4.1.1.1): by name, else by address (§4.1.3).
fn hello(smtp_client: &SmtpClientConfig, stream: &TcpStream) -> String {
    if let Some(name) = &smtp_client.helo {
        return format!("EHLO {name}");
    }
    match stream.local_addr().map(|address| address.ip().to_canonical()) {
        Ok(IpAddr::V6(address)) => format!("EHLO [IPv6:{address}]"),
        Ok(address) => format!("EHLO [{address}]"),
        Err(_) => "EHLO localhost".to_owned(),
    }
}

/// Whether a reply to EHLO has the keyword (RFC 3207 §4.1), in any case (RFC 5321 §2.4).
fn offers_starttls(ehlo: &SmtpReply) -> bool {
    ehlo.lines.iter().skip(1).any(|line| {
        line.split_ascii_whitespace().next().is_some_and(|keyword| keyword.eq_ignore_ascii_case("STARTTLS"))
    })
}
