//! How the sessions of the server are set that run our statements, whatever the role, the database or the server has.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, raw_sql};

/// No statement of ours takes longer on a store that works; the server ends it then.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn statement_timeout() -> Duration {
    fail::fail_point!("statement_timeout_ms", |value| value
        .and_then(|ms| ms.parse().ok())
        .map_or(STATEMENT_TIMEOUT, Duration::from_millis));
    STATEMENT_TIMEOUT
}

/// Sets a session that is ours as long as its connection.
pub(super) async fn prepare(connection: &mut PgConnection, limit: Duration) -> sqlx::Result<()> {
    raw_sql(AssertSqlSafe(settings(limit, false))).execute(connection).await.map(drop)
}

/// Begins a transaction of one statement, with the settings for it alone: the session is somebody else's afterwards.
pub(super) fn begin() -> String {
    format!("begin isolation level read committed; {}", settings(statement_timeout(), true))
}

/// The functions look again at what others have written meanwhile, which takes `read committed`; JSON holds numbers of the
/// graph, with all their digits. A shorter time limit than
/// ours stays.
fn settings(limit: Duration, local: bool) -> String {
    let limit = limit.as_millis();
    let isolation =
        if local { "" } else { "set_config('default_transaction_isolation', 'read committed', false), " };
    format!(
        "select {isolation}set_config('standard_conforming_strings', 'on', {local}), \
         set_config('quote_all_identifiers', 'off', {local}), set_config('extra_float_digits', '1', {local}), \
         set_config('statement_timeout', case when current_setting('statement_timeout')::interval > interval '0' \
           and current_setting('statement_timeout')::interval < {limit} * interval '1 millisecond' \
           then current_setting('statement_timeout') else '{limit}' end, {local})"
    )
}

/// Cancels statements with this text that have run past our limit, whose callers were told so: a pooler keeps the server
/// from hearing that the client has gone, and gives it no time limit of ours.
pub(super) fn cancelling(statement: &str) -> String {
    let limit = statement_timeout().as_millis();
    // The server shows a kilobyte of a statement.
    let shown: String = statement.chars().take(400).collect();
    format!(
        "select pg_cancel_backend(a.pid) from pg_stat_activity a \
         where a.datname = current_database() and a.usename = current_user and a.pid <> pg_backend_pid() \
           and a.state = 'active' and a.query_start < clock_timestamp() - {limit} * interval '1 millisecond' \
           and left(a.query, length($izzie${shown}$izzie$)) = $izzie${shown}$izzie$"
    )
}
