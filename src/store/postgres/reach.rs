//! Why the server cannot be reached, in words that name it.

use std::io::ErrorKind;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::from_sqlx;
use crate::error::{Error, Reason};

/// How long an answer is believed: one question for all who wait.
const BELIEVED: Duration = Duration::from_millis(300);
/// How long a server has to answer when it is asked whether it is there at all.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long a failure to connect explains that nothing was answered.
const RECENT: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(super) struct Reach {
    options: PgConnectOptions,
    /// When it was last asked whether anybody listens, and the answer.
    listening: Mutex<Option<(Instant, bool)>>,
    /// The same of a whole connection.
    asked: Mutex<Option<(Instant, Option<Error>)>>,
    last: std::sync::Mutex<Option<(Instant, Error)>>,
}

impl Reach {
    pub fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            listening: Mutex::default(),
            asked: Mutex::default(),
            last: std::sync::Mutex::default(),
        }
    }

    /// Whether anything accepts connections where the server should be. A question that hangs counts as yes: the
    /// acquire timeout decides then.
    pub async fn listens(&self) -> bool {
        // A Unix socket answers at once or not at all; sqlx's own attempt tells.
        if self.options.get_socket().is_some() {
            return true;
        }
        let mut listening = self.listening.lock().await;
        if let Some((since, answer)) = *listening
            && since.elapsed() < BELIEVED
        {
            return answer;
        }
        let address = (self.options.get_host(), self.options.get_port());
        let attempt = timeout(PATIENCE, TcpStream::connect(address)).await;
        let answer = !matches!(attempt, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused);
        *listening = Some((Instant::now(), answer));
        answer
    }

    pub fn refused(&self) -> Error {
        self.note(self.unreachable("connection refused"))
    }

    /// Why no connection can be made; `None`: one can.
    pub async fn problem(&self) -> Option<Error> {
        let mut asked = self.asked.lock().await;
        if let Some((since, problem)) = &*asked
            && since.elapsed() < PATIENCE
        {
            return problem.clone();
        }
        let problem = match timeout(PATIENCE, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => {
                // Whether it hears that we leave does not matter.
                drop(timeout(PATIENCE, connection.close()).await);
                None
            }
            Ok(Err(error)) => Some(self.explain(&error)),
            Err(_) => Some(self.note(self.unreachable("no answer"))),
        };
        *asked = Some((Instant::now(), problem.clone()));
        problem
    }

    /// An error of connecting. Host and port are told; nothing else of a URL is.
    pub fn explain(&self, error: &sqlx::Error) -> Error {
        let explained = match error {
            sqlx::Error::Io(io) if io.get_ref().is_some_and(|cause| cause.is::<rustls::Error>()) => {
                from_sqlx(error)
            }
            sqlx::Error::Io(io)
                if self.options.get_socket().is_some() || io.kind() == ErrorKind::NotFound =>
            {
                from_sqlx(error)
            }
            sqlx::Error::Io(io) if io.to_string().contains("lookup") => {
                self.unreachable("no such host is known; correct it in the URL")
            }
            sqlx::Error::Io(io) => self.unreachable(&io.kind().to_string()),
            _ => from_sqlx(error),
        };
        self.note(explained)
    }

    pub fn last_problem(&self) -> Option<Error> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        last.filter(|(since, _)| since.elapsed() < RECENT).map(|(_, error)| error)
    }

    fn unreachable(&self, why: &str) -> Error {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Error::vector(Reason::Unavailable, format!("Postgres cannot be reached at {address}: {why}"))
            .with("host", host)
            .with("port", port)
    }

    fn note(&self, error: Error) -> Error {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
        error
    }
}
