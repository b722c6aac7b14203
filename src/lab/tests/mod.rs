//! The lab seen from outside, through sockets, as its users see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod denial;
mod dns;
mod dnssec;
mod https;
mod mail;
mod smtp;
mod start;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::{Resolver, ResolverBuilder, TokioResolver};
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::net::{DnsError, NetError};
use hickory_server::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, Error as TlsError, ProtocolVersion, RootCertStore, crypto::ring, version,
};

use super::listen::WEB_ADDRESS;
use super::scenario::{BACKUP_MX, BACKUP_MX_PATTERN, policy};
use super::web::POLICY_PATH;
use super::*;

async fn lab(scenarios: impl IntoIterator<Item = Scenario>) -> Lab {
    let options = LabOptions { scenarios: scenarios.into_iter().collect(), ..LabOptions::empty(SystemTime::now()) };
    Lab::start(options).await.unwrap()
}

/// A built-in domain by the first label of its name.
fn built_in(label: &str) -> Scenario {
    let name = format!("{label}.example");
    let domain = Lab::domains().iter().find(|domain| domain.name == name);
    domain.unwrap().scenario()
}

/// A client that trusts the lab's root and nothing else.
fn client_config(lab: &Lab) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(lab.roots_pem().as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn handshake(lab: &Lab, stream: TcpStream, name: &str) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(client_config(lab))).connect(name, stream).await
}

/// The reason why a client refuses a certificate.
fn refusal(outcome: io::Result<TlsStream<TcpStream>>) -> CertificateError {
    let error = outcome.map(|_| ()).unwrap_err();
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(TlsError::InvalidCertificate(reason)) => reason.clone(),
        _ => panic!("{error:?}"),
    }
}
