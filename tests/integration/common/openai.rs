//! A loopback `/embeddings` server whose every byte the test decides, so that its faults are exact.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The length of the vectors that [`Reply::vectors`] sends.
pub const DIMENSIONS: usize = 4;

/// A request as it came over the wire. Header names are in lower case.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

impl Request {
    pub fn texts(&self) -> Vec<String> {
        let texts = self.body["input"].as_array().expect("input is a list");
        texts.iter().map(|text| text.as_str().expect("input holds texts").to_owned()).collect()
    }
}

/// The bytes sent for one request, and what happens to the connection afterwards.
pub struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    NextRequest,
    Close,
    /// Stays open and silent until the client goes.
    Hang,
}

impl Reply {
    /// The right answer: one vector per text, see [`vector_of`].
    pub fn vectors(request: &Request) -> Self {
        Self::data(
            request.texts().iter().enumerate().map(|(index, text)| item(index, json!(vector_of(text)))),
        )
    }

    pub fn data(items: impl IntoIterator<Item = Value>) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        Self::ok(&json!({ "object": "list", "model": "m", "data": items }).to_string())
    }

    pub fn ok(body: &str) -> Self {
        Self::status(200, &[], body)
    }

    pub fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self { bytes: message(status, headers, body, body.len()).into_bytes(), then: Then::NextRequest }
    }

    /// Announces `announced` bytes, sends only `body`, then closes.
    pub fn cut(body: &str, announced: usize) -> Self {
        Self { bytes: message(200, &[], body, announced).into_bytes(), then: Then::Close }
    }

    /// Sends bytes without any length, the end of the connection is the end of the body.
    pub fn until_close(body: &str) -> Self {
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        Self { bytes: format!("{head}{body}").into_bytes(), then: Then::Close }
    }

    /// Closes without a word.
    pub fn nothing() -> Self {
        Self { bytes: Vec::new(), then: Then::Close }
    }

    pub fn hang() -> Self {
        Self { bytes: Vec::new(), then: Then::Hang }
    }
}

/// One element of `data`.
pub fn item(index: usize, embedding: Value) -> Value {
    json!({ "object": "embedding", "index": index, "embedding": embedding })
}

/// A vector that tells which text it belongs to.
pub fn vector_of(text: &str) -> Vec<f32> {
    let sum = text.bytes().fold(1_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)));
    let length = u8::try_from(text.len() % 256).expect("below 256");
    vec![f32::from(sum), f32::from(length), 0.5, -1.0]
}

fn message(status: u16, headers: &[(&str, &str)], body: &str, length: usize) -> String {
    let extra: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\n{extra}content-length: {length}\r\n\r\n{body}"
    )
}

/// The running server. Dropping it closes the port and every connection.
pub struct OpenAi {
    address: SocketAddr,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    arrived: Notify,
    hung_up: Notify,
}

impl OpenAi {
    /// `answer` gets the request and its number, counted from 1.
    pub async fn start(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new(Seen::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&seen), Arc::new(answer)));
        Self { address, seen, accepting }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().expect("not poisoned").clone()
    }

    pub async fn arrived(&self) {
        self.seen.arrived.notified().await;
    }

    /// Waits until a client has left a connection on which the server hangs.
    pub async fn hung_up(&self) {
        self.seen.hung_up.notified().await;
    }
}

impl Drop for OpenAi {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

type Answer = dyn Fn(usize, &Request) -> Reply + Send + Sync;

async fn accept(listener: TcpListener, seen: Arc<Seen>, answer: Arc<Answer>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
        // A client that goes away in the middle is what some tests do on purpose.
        connections.spawn(async move { drop(serve(stream, &seen, &*answer).await) });
    }
}

async fn serve(mut stream: TcpStream, seen: &Seen, answer: &Answer) -> io::Result<()> {
    let mut received = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut received).await? {
        let number = {
            let mut requests = seen.requests.lock().expect("not poisoned");
            requests.push(request.clone());
            requests.len()
        };
        seen.arrived.notify_one();
        let reply = answer(number, &request);
        stream.write_all(&reply.bytes).await?;
        match reply.then {
            Then::NextRequest => {}
            Then::Close => return stream.shutdown().await,
            Then::Hang => {
                // Ends with the client's FIN or with its reset.
                let gone = stream.read_u8().await;
                assert!(gone.is_err(), "a client must not talk while it waits");
                seen.hung_up.notify_one();
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The next request, none at the end of the connection. `received` keeps what came too early.
async fn read_request(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let body_at = loop {
        if let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&received[..body_at]).into_owned();
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().expect("a length");
    while received.len() < body_at + length {
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
    let body = serde_json::from_slice(&received[body_at..body_at + length]).expect("the client sends JSON");
    received.drain(..body_at + length);
    Ok(Some(Request { path, headers, body }))
}
