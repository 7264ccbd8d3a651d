//! A TCP proxy with faults that listens to what passes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Closes what is open and whatever comes.
    Refuse,
    /// Neither answers nor closes; what was sent arrives once the mode changes.
    BlackHole,
    /// Requests arrive, answers do not until the mode changes: from the first request of at least so many bytes on.
    HoldAnswersTo(usize),
    /// Both directions are late by this much.
    Latency(Duration),
}

/// The length of a Bolt handshake: what stays when traffic is forgotten, so that messages begin at the same place.
const KEPT: usize = 20;

/// What went over one connection.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// The client's bytes.
    pub sent: Vec<u8>,
    /// How often the client spoke after the server had.
    pub round_trips: usize,
    server_spoke: bool,
    /// A request came whose answer is to be held back.
    answer_held: bool,
}

impl Traffic {
    /// The types of the client's Postgres messages since the traffic was last forgotten.
    pub fn postgres_messages(&self) -> String {
        let mut rest = self.sent.get(KEPT..).unwrap_or_default();
        let mut messages = String::new();
        while let [kind, a, b, c, d, ..] = rest {
            messages.push(char::from(*kind));
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            rest = rest.get(1 + length..).unwrap_or_default();
        }
        messages
    }

    /// How often the client said so.
    pub fn count(&self, text: &str) -> usize {
        self.sent.windows(text.len()).filter(|&window| window == text.as_bytes()).count()
    }

    /// The signatures of the client's Bolt messages, after its handshake.
    pub fn bolt_messages(&self) -> Vec<u8> {
        let mut rest = self.sent.get(KEPT..).unwrap_or_default();
        let mut messages = Vec::new();
        let mut at_start = true;
        while let [high, low, tail @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length > 0 && at_start {
                messages.extend(tail.get(1));
            }
            at_start = length == 0;
            rest = tail.get(length..).unwrap_or_default();
        }
        messages
    }
}

pub mod bolt {
    pub const RESET: u8 = 0x0F;
    pub const RUN: u8 = 0x10;
    pub const PULL: u8 = 0x3F;
}

pub struct Proxy {
    pub address: SocketAddr,
    mode: watch::Sender<Mode>,
    connections: Arc<Mutex<Vec<Traffic>>>,
    listening: JoinHandle<()>,
}

/// Texts in the client's messages and what the server gets instead, of the same length.
type Edits = Arc<Vec<(Vec<u8>, Vec<u8>)>>;

impl Proxy {
    pub async fn to(target: impl Into<String>) -> Self {
        Self::editing(target, Arc::default()).await
    }

    /// The server gets the second text of a pair wherever the client says the first, filled up with spaces.
    pub async fn replacing(target: impl Into<String>, pairs: &[(&str, &str)]) -> Self {
        let edit = |&(text, other): &(&str, &str)| {
            assert!(other.len() <= text.len(), "a longer text would not fit into the message");
            let mut other = other.as_bytes().to_vec();
            other.resize(text.len(), b' ');
            (text.as_bytes().to_vec(), other)
        };
        Self::editing(target, Arc::new(pairs.iter().map(edit).collect())).await
    }

    async fn editing(target: impl Into<String>, edits: Edits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (mode, watching) = watch::channel(Mode::Pass);
        let connections = Arc::default();
        let listening =
            tokio::spawn(listen(listener, target.into(), watching, Arc::clone(&connections), edits));
        Self { address, mode, connections, listening }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// What went over each connection so far, refused ones included.
    pub fn traffic(&self) -> Vec<Traffic> {
        self.connections.lock().unwrap().clone()
    }

    /// Forgets the traffic so far; connections stay open.
    pub fn forget(&self) {
        for traffic in self.connections.lock().unwrap().iter_mut() {
            traffic.sent.truncate(KEPT);
            traffic.round_trips = 0;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

type Connections = Arc<Mutex<Vec<Traffic>>>;

async fn listen(
    listener: TcpListener,
    target: String,
    mode: watch::Receiver<Mode>,
    connections: Connections,
    edits: Edits,
) {
    while let Ok((client, _)) = listener.accept().await {
        let number = {
            let mut connections = connections.lock().unwrap();
            connections.push(Traffic::default());
            connections.len() - 1
        };
        let (mode, connections, edits) = (mode.clone(), Arc::clone(&connections), Arc::clone(&edits));
        tokio::spawn(connect(client, target.clone(), mode, connections, edits, number));
    }
}

async fn connect(
    client: TcpStream,
    target: String,
    mut mode: watch::Receiver<Mode>,
    connections: Connections,
    edits: Edits,
    number: usize,
) {
    if *mode.borrow() == Mode::Refuse {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    client.set_nodelay(true).expect("set");
    server.set_nodelay(true).expect("set");
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = pump(
        from_client,
        to_server,
        mode.clone(),
        |mode| mode == Mode::BlackHole,
        |bytes, mode| {
            for (text, other) in edits.iter() {
                replace(bytes, text, other);
            }
            let traffic = &mut connections.lock().unwrap()[number];
            traffic.answer_held = matches!(mode, Mode::HoldAnswersTo(least)
                if traffic.answer_held || bytes.len() >= least);
            traffic.round_trips += usize::from(std::mem::take(&mut traffic.server_spoke));
            traffic.sent.extend_from_slice(bytes);
        },
    );
    let held = |mode| match mode {
        Mode::BlackHole => true,
        Mode::HoldAnswersTo(_) => connections.lock().unwrap()[number].answer_held,
        _ => false,
    };
    let answers = pump(from_server, to_client, mode.clone(), held, |_, _| {
        connections.lock().unwrap()[number].server_spoke = true;
    });
    tokio::select! {
        () = requests => {}
        () = answers => {}
        _ = mode.wait_for(|mode| *mode == Mode::Refuse) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    held: impl Fn(Mode) -> bool,
    mut passed: impl FnMut(&mut [u8], Mode),
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let Ok(mode) = mode.wait_for(|mode| !held(*mode)).await.map(|mode| *mode) else { return };
        // What was held back when the connection is cut is lost.
        if mode == Mode::Refuse {
            return;
        }
        if let Mode::Latency(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        passed(&mut buffer[..length], mode);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

fn replace(bytes: &mut [u8], text: &[u8], other: &[u8]) {
    for at in 0..(bytes.len() + 1).saturating_sub(text.len()) {
        if &bytes[at..at + text.len()] == text {
            bytes[at..at + text.len()].copy_from_slice(other);
        }
    }
}
