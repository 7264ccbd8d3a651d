//! Who answers when a connection starts.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(2);
const LONGEST_ANSWER: u64 = 4096;
/// A startup message of protocol 3.0 (length, version, no parameters) that names no user.
const NAMELESS: [u8; 9] = [0, 0, 0, 9, 0, 3, 0, 0, 0];

/// Whether Postgres itself starts the sessions there, so that each is ours as long as its connection. It refuses a
/// startup without a user before any TLS and sign-in, and names the function of its source that does so; poolers and
/// proxies have no such field. The server logs one line. False if in doubt.
pub(super) async fn is_postgres(options: &PgConnectOptions) -> bool {
    matches!(timeout(LIMIT, refusal(options)).await, Ok(Ok(answer)) if names_routine(&answer))
}

async fn refusal(options: &PgConnectOptions) -> io::Result<Vec<u8>> {
    #[cfg(unix)]
    if let Some(folder) = options.get_socket() {
        let path = folder.join(format!(".s.PGSQL.{}", options.get_port()));
        return ask(tokio::net::UnixStream::connect(path).await?).await;
    }
    ask(TcpStream::connect((options.get_host(), options.get_port())).await?).await
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<Vec<u8>> {
    stream.write_all(&NAMELESS).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Whether an ErrorResponse has the field R: its type, its length, then fields of a letter and a text, each ended by 0.
fn names_routine(answer: &[u8]) -> bool {
    answer.first() == Some(&b'E')
        && answer
            .get(5..)
            .is_some_and(|fields| fields.split(|byte| *byte == 0).any(|field| field.first() == Some(&b'R')))
}

#[cfg(test)]
mod tests {
    use super::names_routine;

    #[test]
    fn tells_postgres_from_a_pooler() {
        let postgres = b"E\0\0\0\x7dSFATAL\0VFATAL\0C28000\0Mno PostgreSQL user name specified in startup packet\0Fbackend_startup.c\0L847\0RProcessStartupPacket\0\0";
        let pgbouncer = b"E\0\0\0\x29SFATAL\0C08P01\0MRequired: username\0\0";
        assert!(names_routine(postgres));
        assert!(!names_routine(pgbouncer));
        assert!(!names_routine(b""));
        assert!(!names_routine(b"R\0\0\0\x08\0\0\0\0"));
    }
}
