//! Servers on loopback for tests: a name server, TLS, and scripts for everything else. Used by the tests of `src/collect`,
//! and by those from outside that set hostile peers on the program.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, NS, SOA, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_message_handshake};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub const DOMAIN: &str = "example.test";
pub const POLICY: &str = "version: STSv1\nmode: testing\nmx: mx.example.test\nmax_age: 604800\n";

/// What a name server says, by name and type.
#[derive(Clone, Default)]
pub struct Zone {
    records: BTreeMap<(Name, RecordType), Vec<Record>>,
    codes: BTreeMap<Name, ResponseCode>,
    silent: Vec<Name>,
    authoritative: bool,
}

impl Zone {
    /// The zone of a healthy domain with one MX host.
    pub fn healthy() -> Self {
        Zone::default()
            .txt("_mta-sts.example.test", &[b"v=STSv1; id=1;"])
            .txt("_smtp._tls.example.test", &[b"v=TLSRPTv1; rua=mailto:tls@reports.test"])
            .mx(DOMAIN, 10, "mx.example.test")
            .mx("reports.test", 10, "mx.reports.test")
            .a("mta-sts.example.test", Ipv4Addr::LOCALHOST)
            .a("mx.example.test", Ipv4Addr::LOCALHOST)
    }

    pub fn add(mut self, owner: &str, data: RData) -> Self {
        let owner = name(owner);
        let record = Record::from_rdata(owner.clone(), 300, data);
        self.records.entry((owner, record.record_type())).or_default().push(record);
        self
    }

    pub fn ns(self, owner: &str, server: &str) -> Self {
        self.add(owner, RData::NS(NS(name(server))))
    }

    pub fn a(self, owner: &str, address: Ipv4Addr) -> Self {
        self.add(owner, RData::A(A(address)))
    }

    pub fn mx(self, owner: &str, preference: u16, exchange: &str) -> Self {
        self.add(owner, RData::MX(MX::new(preference, name(exchange))))
    }

    pub fn txt(self, owner: &str, strings: &[&[u8]]) -> Self {
        self.add(owner, RData::TXT(TXT::from_bytes(strings.to_vec())))
    }

    pub fn cname(self, owner: &str, target: &str) -> Self {
        self.add(owner, RData::CNAME(CNAME(name(target))))
    }

    pub fn without(mut self, owner: &str) -> Self {
        self.records.retain(|(existing, _), _| *existing != name(owner));
        self
    }

    pub fn code(mut self, owner: &str, code: ResponseCode) -> Self {
        self.codes.insert(name(owner), code);
        self
    }

    pub fn silent(mut self, owner: &str) -> Self {
        self.silent.push(name(owner));
        self
    }

    /// The same zone with one TTL for all records.
    pub fn ttl(mut self, seconds: u32) -> Self {
        self.records.values_mut().flatten().for_each(|record| record.ttl = seconds);
        self
    }

    /// The same as a server of the zone says it, not a cache.
    pub fn authoritative(self) -> Self {
        Zone { authoritative: true, ..self }
    }

    /// The answer to a question, as a resolver gives it: aliases followed as far as they are known here.
    pub fn answer(&self, question: &Message) -> Option<Message> {
        let query = question.queries.first()?.clone();
        if self.silent.contains(query.name()) {
            return None;
        }
        let mut message = Message::response(question.id, question.op_code);
        message.metadata.recursion_desired = true;
        message.metadata.recursion_available = true;
        message.metadata.authoritative = self.authoritative;
        message.add_query(query.clone());
        if let Some(code) = self.codes.get(query.name()) {
            message.metadata.response_code = *code;
            return Some(message);
        }
        let mut owner = query.name().clone();
        for _ in 0..20 {
            if let Some(records) = self.records.get(&(owner.clone(), query.query_type())) {
                message.add_answers(records.iter().cloned());
                return Some(message);
            }
            let Some(alias) = self.records.get(&(owner.clone(), RecordType::CNAME)).and_then(|r| r.first()) else {
                break;
            };
            message.add_answer(alias.clone());
            let RData::CNAME(target) = &alias.data else { break };
            owner = target.0.clone();
        }
        let soa = SOA::new(name("ns.test"), name("root.test"), 1, 2, 3, 4, 5);
        message.add_authority(Record::from_rdata(name("test"), 60, RData::SOA(soa)));
        if !self.records.keys().any(|(existing, _)| owner.zone_of(existing)) {
            message.metadata.response_code = ResponseCode::NXDomain;
        }
        Some(message)
    }

    /// Serves the zone over UDP and TCP.
    pub async fn serve(self) -> SocketAddr {
        let (udp, tcp) = sockets().await;
        self.serve_on(udp, tcp)
    }

    /// The same at an address that is chosen.
    pub async fn serve_at(self, address: SocketAddr) {
        self.serve_on(UdpSocket::bind(address).await.unwrap(), TcpListener::bind(address).await.unwrap());
    }

    fn serve_on(self, udp: UdpSocket, tcp: TcpListener) -> SocketAddr {
        answer_on(udp, tcp, move |question| self.answer(question))
    }

    /// Serves the zone over TLS (RFC 7858).
    pub async fn serve_tls(self, acceptor: TlsAcceptor) -> SocketAddr {
        let zone = Arc::new(self);
        let port = listen(move |stream| {
            let (zone, acceptor) = (zone.clone(), acceptor.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer_stream(stream, &|question: &Message| zone.answer(question)).await;
                }
            }
        });
        SocketAddr::new(LOOPBACK, port.await)
    }
}

/// Serves what `answer` makes of each question, over UDP and TCP; nothing where it makes nothing of it.
pub async fn name_server(answer: impl Fn(&Message) -> Option<Message> + Send + Sync + 'static) -> SocketAddr {
    let (udp, tcp) = sockets().await;
    answer_on(udp, tcp, answer)
}

fn answer_on(
    udp: UdpSocket,
    tcp: TcpListener,
    answer: impl Fn(&Message) -> Option<Message> + Send + Sync + 'static,
) -> SocketAddr {
    let address = udp.local_addr().unwrap();
    let answer = Arc::new(answer);
    let answers = answer.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
            let Some(answer) = answers(&question) else { continue };
            let mut octets = answer.to_vec().unwrap();
            // Who says nothing of EDNS reads 512 octets (RFC 1035 §4.2.1).
            if octets.len() > usize::from(question.max_payload()).min(1232) {
                octets = answer.truncate().to_vec().unwrap();
            }
            let _ = udp.send_to(&octets, peer).await;
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = tcp.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move { answer_stream(stream, &*answer).await });
        }
    });
    address
}

pub async fn answer_stream<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: &(impl Fn(&Message) -> Option<Message> + ?Sized),
) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let Some(answer) = answer(&Message::from_vec(&question).unwrap()) else { continue };
        let octets = answer.to_vec().unwrap();
        let framed = [&u16::try_from(octets.len()).unwrap().to_be_bytes()[..], &octets].concat();
        if stream.write_all(&framed).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// The beginning of an answer.
pub fn answer_to(question: &Message) -> Message {
    let mut message = Message::response(question.id, question.op_code);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    message.add_queries(question.queries.clone());
    message
}

/// A UDP and a TCP socket with the same port.
pub async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

/// A name, of whatever octets (RFC 2181 §11).
pub fn name(text: &str) -> Name {
    Name::from_labels(text.split('.').filter(|label| !label.is_empty()).map(str::as_bytes)).unwrap()
}

/// Serves each connection with `serve`; its port.
pub async fn listen<F, S>(serve: S) -> u16
where
    F: Future<Output = ()> + Send,
    S: Fn(TcpStream) -> F + Send + Sync + 'static,
{
    listen_at(LOOPBACK, 0, serve).await
}

/// The same at an address and a port that are chosen; 0 for a port that is free.
pub async fn listen_at<F, S>(address: IpAddr, port: u16, serve: S) -> u16
where
    F: Future<Output = ()> + Send,
    S: Fn(TcpStream) -> F + Send + Sync + 'static,
{
    let listener = TcpListener::bind((address, port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve = serve.clone();
            tokio::spawn(async move { serve(stream).await });
        }
    });
    port
}

/// A port where nobody listens.
pub async fn closed_port() -> u16 {
    TcpListener::bind((LOOPBACK, 0)).await.unwrap().local_addr().unwrap().port()
}

/// An authority, and certificates that it issues.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Self {
        Self::named("Test Authority")
    }

    pub fn named(organisation: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, organisation);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    /// The file of its certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// An authority below this one.
    pub fn intermediate(&self, organisation: &str) -> CertifiedIssuer<'static, KeyPair> {
        self.intermediate_since(organisation, 1975)
    }

    /// An authority below this one, certified at the beginning of a year.
    pub fn intermediate_since(&self, organisation: &str, year: i32) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        params.distinguished_name.push(rcgen::DnType::OrganizationName, organisation);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Intermediate");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.issuer).unwrap()
    }

    /// A server's identity for some names.
    pub fn identity(&self, names: &[&str]) -> Identity {
        self.identity_of(
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap(),
        )
    }

    /// A server's identity below an authority that this one certifies for it.
    pub fn issue_below(&self, authority: CertificateParams, params: CertificateParams) -> Identity {
        let issuer = CertifiedIssuer::signed_by(authority, KeyPair::generate().unwrap(), &self.issuer).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Identity { chain: vec![certificate.der().clone(), issuer.der().clone()], key }
    }

    pub fn identity_of(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { chain: vec![certificate.der().clone()], key }
    }
}

/// A server's chain and key.
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: KeyPair,
}

impl Identity {
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_with(&[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    /// An acceptor of this version that demands a client's certificate, which no sender has.
    pub fn demanding(&self, authority: &Authority, version: &'static rustls::SupportedProtocolVersion) -> TlsAcceptor {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.intermediate("Clients").der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    pub fn acceptor_with(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> TlsAcceptor {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let resolver = rustls::sign::CertifiedKey::new(
            self.chain.clone(),
            ring::default_provider().key_provider.load_private_key(key).unwrap(),
        );
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Always(Arc::new(resolver))));
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Presents one chain to everybody, whatever it is worth: rustls itself would refuse some.
#[derive(Debug)]
struct Always(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Serves HTTPS: reads a request, sends `response` as it is, and closes.
pub async fn https(acceptor: TlsAcceptor, response: Vec<u8>) -> u16 {
    https_with(acceptor, move |mut stream| {
        let response = response.clone();
        async move {
            let _ = stream.write_all(&response).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// Serves HTTPS: reads a request, and hands the stream to `respond`.
pub async fn https_with<F, R>(acceptor: TlsAcceptor, respond: R) -> u16
where
    F: Future<Output = ()> + Send,
    R: Fn(TlsStream<TcpStream>) -> F + Send + Sync + 'static,
{
    https_at(LOOPBACK, 0, acceptor, respond).await
}

/// The same at an address and a port that are chosen.
pub async fn https_at<F, R>(address: IpAddr, port: u16, acceptor: TlsAcceptor, respond: R) -> u16
where
    F: Future<Output = ()> + Send,
    R: Fn(TlsStream<TcpStream>) -> F + Send + Sync + 'static,
{
    let respond = Arc::new(respond);
    listen_at(address, port, move |stream| {
        let (acceptor, respond) = (acceptor.clone(), respond.clone());
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(octet) => request.push(octet),
                    Err(_) => return,
                }
            }
            respond(stream).await;
        }
    })
    .await
}

/// A response with the policy in it.
pub fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Serves SMTP with STARTTLS as a good host does.
pub async fn smtp(acceptor: TlsAcceptor) -> u16 {
    smtp_at(LOOPBACK, 0, acceptor).await
}

/// The same at an address and a port that are chosen.
pub async fn smtp_at(address: IpAddr, port: u16, acceptor: TlsAcceptor) -> u16 {
    listen_at(address, port, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = stream;
            if stream.write_all(b"220 mx.example.test ESMTP\r\n").await.is_err() {
                return;
            }
            if converse(&mut stream, b"250-mx.example.test\r\n250-SIZE 1000\r\n250 starttls\r\n").await {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                converse(&mut stream, b"250-mx.example.test\r\n250 SIZE 1000\r\n").await;
                let _ = stream.shutdown().await;
            }
        }
    })
    .await
}

/// Answers commands until QUIT or STARTTLS; whether it was STARTTLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, ehlo: &[u8]) -> bool {
    loop {
        let command = read_command(stream).await;
        let reply: &[u8] = match command.as_deref().map(|command| command.get(..4).unwrap_or_default()) {
            None => return false,
            Some("EHLO") => ehlo,
            Some("STAR") => b"220 go ahead\r\n",
            Some("QUIT") => b"221 bye\r\n",
            Some(_) => b"502 no\r\n",
        };
        if stream.write_all(reply).await.is_err() || reply.starts_with(b"221") {
            return false;
        }
        if reply.starts_with(b"220") {
            return true;
        }
    }
}

/// The next line from a client.
pub async fn read_command<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await.ok()? {
            b'\n' => return Some(String::from_utf8_lossy(&line).trim_end().to_owned()),
            octet => line.push(octet),
        }
    }
}

/// A server's part of TLS 1.2 and before, as far as it comes in the clear: it agrees to RSA key exchange with CBC alone,
/// shows these certificates, and waits for the end. Versions from 1.0 up to `newest` are spoken, as the minor number says.
pub async fn rsa_key_exchange(mut stream: TcpStream, chain: &[CertificateDer<'static>], newest: u8) {
    let mut header = [0; 5];
    if stream.read_exact(&mut header).await.is_err() {
        return;
    }
    let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    if stream.read_exact(&mut hello).await.is_err() {
        return;
    }
    let Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)))) = parse_tls_message_handshake(&hello)
    else {
        return;
    };
    let version = hello.version.0.to_be_bytes()[1].min(newest);
    let answer = if hello.ciphers.iter().any(|suite| suite.0 == 0x002f) {
        let counted = |octets: &[u8]| [&u32::try_from(octets.len()).unwrap().to_be_bytes()[1..], octets].concat();
        let hello = [&[3, version][..], &[7; 32], &[0, 0x00, 0x2f, 0]].concat();
        let certificates: Vec<u8> = chain.iter().flat_map(|certificate| counted(certificate)).collect();
        let messages =
            [vec![2], counted(&hello), vec![11], counted(&counted(&certificates)), vec![14, 0, 0, 0]].concat();
        [&[22, 3, version][..], &u16::try_from(messages.len()).unwrap().to_be_bytes(), &messages].concat()
    } else {
        vec![21, 3, 3, 0, 2, 2, 40]
    };
    let _ = stream.write_all(&answer).await;
    let _ = stream.read(&mut [0; 64]).await;
    let _ = stream.shutdown().await;
}

/// An MX host that speaks SMTP up to STARTTLS, and then does with the connection what `secure` does.
pub async fn smtp_then<F, S>(address: IpAddr, port: u16, secure: S) -> u16
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
{
    listen_at(address, port, move |mut stream| {
        let secure = secure.clone();
        async move {
            if stream.write_all(b"220 mx.example.test ESMTP\r\n").await.is_ok()
                && converse(&mut stream, b"250-mx.example.test\r\n250 STARTTLS\r\n").await
            {
                secure(stream).await;
            }
        }
    })
    .await
}

/// The server's part of SOCKS5 with a password (RFC 1928, RFC 1929); the two ends to put together.
pub async fn socks5(mut client: TcpStream, user: &str, password: &str) -> Option<(TcpStream, TcpStream)> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await.ok()?;
    let mut methods = vec![0; usize::from(greeting[1])];
    client.read_exact(&mut methods).await.ok()?;
    client.write_all(&[5, 2]).await.ok()?;
    let mut login = Vec::new();
    for _ in 0..2 {
        // The version of RFC 1929 comes before the user name alone.
        if login.is_empty() {
            client.read_u8().await.ok()?;
        }
        let mut part = vec![0; usize::from(client.read_u8().await.ok()?)];
        client.read_exact(&mut part).await.ok()?;
        login.push(part);
    }
    let right = login == [user.as_bytes(), password.as_bytes()];
    client.write_all(&[1, u8::from(!right)]).await.ok()?;
    let mut request = [0; 10];
    client.read_exact(&mut request).await.ok()?;
    let address = Ipv4Addr::new(request[4], request[5], request[6], request[7]);
    let port = u16::from_be_bytes([request[8], request[9]]);
    let host = TcpStream::connect((address, port)).await;
    let code = if host.is_ok() { 0 } else { 5 };
    client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    Some((client, host.ok()?))
}
