//! Functions of the schema are replaced when their text changes, and never by older code.

use std::collections::BTreeMap;

use crate::common::postgres::{Database, Sql};
use izzie_memory::context::CallContext;
use izzie_memory::error::Reason;
use izzie_memory::store::postgres::LOCK_PATIENCE;
use sqlx::Row;

/// Everything that `migrations/functions/` makes, as the server prints it.
const DEFINITIONS: &str = "select p.oid::regprocedure::text, pg_get_functiondef(p.oid) from pg_proc p \
    where p.pronamespace = 'izzie_memory'::regnamespace \
    union all select viewname, definition from pg_views where schemaname = 'izzie_memory' \
    union all select tgname, pg_get_triggerdef(oid) from pg_trigger where tgname like 'izzie_memory_%'";

async fn definitions(sql: &mut Sql) -> BTreeMap<String, String> {
    sql.rows(DEFINITIONS).await.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// As an earlier version of the package left it: another body, a trigger with another condition, another text on record.
const EARLIER: &str = "create or replace function izzie_memory.bucket(memory_id uuid) returns integer \
      language sql immutable parallel safe as 'select 7'; \
    create or replace function izzie_memory.as_uuid(value text) returns uuid language sql as 'select null::uuid'; \
    create or replace trigger izzie_memory_inserted after insert on public.memory_entries \
      for each row when (new.is_deleted) execute function izzie_memory.memory_inserted(); \
    update izzie_memory.functions set version = 0, checksum = 'another' where file in ('projection', 'operations', 'triggers')";

#[tokio::test]
async fn functions_with_another_text_are_replaced_once_by_two_migrations_at_the_same_time() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let current = definitions(&mut sql).await;
    sql.run(EARLIER).await;
    sql.run(
        "insert into public.memory_entries (user_id, content) values ('ada', 'a row of an earlier version')",
    )
    .await;
    assert_ne!(definitions(&mut sql).await, current);
    let postgres = database.open();
    let outdated = postgres.check_schema().await.expect_err("behind");
    assert_eq!(outdated.reason, Reason::SchemaOutdated);

    let context = CallContext::default();
    let (one, two) =
        tokio::join!(postgres.migrate(&context, LOCK_PATIENCE), postgres.migrate(&context, LOCK_PATIENCE));
    let mut applied = [one.expect("migrated").applied, two.expect("migrated").applied].concat();
    applied.sort();
    assert_eq!(applied, ["functions operations", "functions projection", "functions triggers"]);
    assert_eq!(definitions(&mut sql).await, current);
    postgres.check_schema().await.expect("current");
    assert_eq!(
        sql.one::<i64>("select count(*) from izzie_memory.memory_state").await,
        1,
        "the row is adopted"
    );
}

#[tokio::test]
async fn functions_of_newer_code_are_left_alone() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.run("create or replace function izzie_memory.bucket(memory_id uuid) returns integer language sql immutable as 'select 9'").await;
    sql.run(
        "update izzie_memory.functions set version = 1000000, checksum = 'newer' where file = 'projection'",
    )
    .await;
    let before = definitions(&mut sql).await;
    let postgres = database.open();
    for error in [
        postgres.migrate(&CallContext::default(), LOCK_PATIENCE).await.expect_err("refused"),
        postgres.check_schema().await.expect_err("refused"),
    ] {
        assert_eq!(error.reason, Reason::SchemaOutdated);
        assert!(error.to_string().contains("newer"), "{error}");
    }
    assert_eq!(definitions(&mut sql).await, before);
}
