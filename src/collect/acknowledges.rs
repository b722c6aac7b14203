//! Acknowledgements that do not wait: a server with Nagle's algorithm on (RFC 9293 §3.7.4) sends the reply to the second EHLO
//! only when its session tickets (RFC 8446 §4.6.1) are acknowledged, and a delayed acknowledgement (RFC 9293 §3.8.6.3) is
//! 40 ms late. Used by `smtp`, on Linux; elsewhere nothing is changed.

#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, OwnedFd};

use tokio::net::TcpStream;

/// A handle on a connection whose acknowledgements can be hurried, also when TLS has taken the connection over.
pub struct Acknowledges {
    #[cfg(target_os = "linux")]
    socket: Option<OwnedFd>,
}

impl Acknowledges {
    /// A handle on a connection.
    #[cfg(target_os = "linux")]
    pub fn of(stream: &TcpStream) -> Self {
        Acknowledges { socket: stream.as_fd().try_clone_to_owned().ok() }
    }

    /// A handle that hurries nothing.
    #[cfg(not(target_os = "linux"))]
    pub fn of(_stream: &TcpStream) -> Self {
        Acknowledges {}
    }

    /// Acknowledges what comes next as it comes, and lets go of the connection.
    pub fn at_once(self) {
        #[cfg(target_os = "linux")]
        if let Some(socket) = &self.socket {
            // Where the system does not do it, the reply comes later, and that is all.
            let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
        }
    }
}
