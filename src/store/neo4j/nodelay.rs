//! TCP_NODELAY for the driver's sockets.
//!
//! The driver writes a message of more than 8 KB in several pieces and never sets the option, so the kernel holds the
//! last piece back until the server acknowledges the first, which it delays: some 42 ms per message. The driver
//! gives no access to its sockets, so they are found among the process's descriptors by their peer.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::lookup_host;
use tokio::time::timeout;
use url::Host;

/// Below the driver's buffer by what the estimate of the length may miss.
const ONE_PIECE: usize = 7 * 1024;

/// The pause after the first look; it doubles. Setting the option also sends what is being held back.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// How long a resolved name is believed.
const FRESH: Duration = Duration::from_secs(60);

/// The server, as the sockets to it can be recognised.
pub(super) struct Peer {
    host: Host<String>,
    port: u16,
    resolved: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Peer {
    pub fn new(host: Host<String>, port: u16) -> Self {
        Self { host, port, resolved: Mutex::new(None) }
    }

    /// Waits for the answer to a message of about `bytes` and sees to it that its sending does not stall. A connection
    /// can be made for this very message, therefore the look is repeated while waiting, ever more rarely.
    pub async fn unstalled<T>(&self, bytes: usize, answer: impl Future<Output = T>) -> T {
        if bytes <= ONE_PIECE || !descriptors::SUPPORTED {
            return answer.await;
        }
        let mut answer = pin!(answer);
        let mut pause = FIRST_PAUSE;
        loop {
            descriptors::set_nodelay(&self.addresses().await);
            if let Ok(answer) = timeout(pause, &mut answer).await {
                return answer;
            }
            pause *= 2;
        }
    }

    async fn addresses(&self) -> Vec<SocketAddr> {
        let name = match &self.host {
            Host::Ipv4(ip) => return vec![(IpAddr::V4(*ip), self.port).into()],
            Host::Ipv6(ip) => return vec![(IpAddr::V6(*ip), self.port).into()],
            Host::Domain(name) => name,
        };
        if let Some((at, addresses)) = &*self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < FRESH
        {
            return addresses.clone();
        }
        // A name that does not resolve now will be reported by the driver; here it only means no socket to look for.
        let addresses: Vec<_> =
            lookup_host((name.as_str(), self.port)).await.map(Iterator::collect).unwrap_or_default();
        *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), addresses.clone()));
        addresses
    }
}

#[cfg(unix)]
mod descriptors {
    use std::net::SocketAddr;
    use std::os::fd::{BorrowedFd, RawFd};

    use socket2::SockRef;

    pub const SUPPORTED: bool = true;

    /// Every process's own descriptors: Linux has the first, macOS and the BSDs the second.
    const DIRECTORIES: [&str; 2] = ["/proc/self/fd", "/dev/fd"];

    /// Sets the option on each of the process's TCP sockets to one of these addresses.
    pub fn set_nodelay(peers: &[SocketAddr]) {
        let Some(entries) = DIRECTORIES.iter().find_map(|directory| std::fs::read_dir(directory).ok()) else {
            return;
        };
        for entry in entries.flatten() {
            if let Some(descriptor) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                set_on(descriptor, peers);
            }
        }
    }

    #[allow(unsafe_code, reason = "the driver owns the sockets and lends them to nobody")]
    fn set_on(descriptor: RawFd, peers: &[SocketAddr]) {
        // SAFETY: the descriptor was open a moment ago and is not -1. It is borrowed for two system calls that neither
        // close nor read it; should its owner close it in between, they fail with EBADF or, if the number was given
        // away again, set the same harmless option on another socket to a peer they checked or did not find one.
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let socket = SockRef::from(&borrowed);
        let Some(peer) = socket.peer_addr().ok().and_then(|address| address.as_socket()) else { return };
        if peers.contains(&SocketAddr::new(peer.ip().to_canonical(), peer.port())) {
            // Fails only if the connection just closed.
            let _ = socket.set_tcp_nodelay(true);
        }
    }
}

/// Windows has no list of a process's own sockets; there long messages go with the stall.
#[cfg(not(unix))]
mod descriptors {
    pub const SUPPORTED: bool = false;

    pub fn set_nodelay(_: &[std::net::SocketAddr]) {}
}
