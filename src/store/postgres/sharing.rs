//! Whether connections take turns with one session of the server.

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, raw_sql};

use super::error::from_sqlx;
use crate::error::Result;

/// A pooler that is in use hands the session just given back to somebody else now and then.
const ROUNDS: usize = 3;

/// Two connections that are open at the same time and answer from one backend share it by turns: no server does that by
/// itself, and a pooler in session mode does not either.
pub(super) async fn shares_sessions(options: &PgConnectOptions) -> Result<bool> {
    let shared = async {
        let mut first = PgConnection::connect_with(options).await?;
        let mut second = PgConnection::connect_with(options).await?;
        let mut shared = false;
        for _ in 0..ROUNDS {
            shared = shared || backend(&mut first).await? == backend(&mut second).await?;
        }
        first.close().await?;
        second.close().await?;
        Ok(shared)
    };
    shared.await.map_err(|error: sqlx::Error| from_sqlx(&error))
}

/// In the simple protocol, which every pooler passes on.
async fn backend(connection: &mut PgConnection) -> sqlx::Result<String> {
    use sqlx::Row;
    let row = raw_sql("select pg_backend_pid()::text").fetch_one(connection).await?;
    row.try_get(0)
}
