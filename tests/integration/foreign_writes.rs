//! Rows that other code writes: the triggers see all of them, never fail, and ask for no rights.

use std::time::Duration;

use crate::common::postgres::{Database, Sql};
use izzie_memory::context::CallContext;
use izzie_memory::error::Reason;
use izzie_memory::store::postgres::{LOCK_PATIENCE, Migrated, Postgres};
use sqlx::Row;
use uuid::Uuid;

async fn database() -> (Database, Sql) {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.register_graph("neo4j").await;
    (database, sql)
}

async fn insert(sql: &mut Sql, user: &str, content: &str) -> Uuid {
    sql.one(&format!(
        "insert into public.memory_entries (user_id, content) values ('{user}', '{content}') returning id"
    ))
    .await
}

async fn revision(sql: &mut Sql, id: Uuid) -> i64 {
    sql.one(&format!("select revision from izzie_memory.memory_state where memory_id = '{id}'")).await
}

async fn owed(sql: &mut Sql) -> i64 {
    sql.one("select count(*) from izzie_memory.memory_sync where target = 'neo4j:t'").await
}

async fn pay_all(sql: &mut Sql) {
    sql.run("delete from izzie_memory.memory_sync").await;
}

#[tokio::test]
async fn every_kind_of_write_gets_a_revision_and_a_debt() {
    let (_database, mut sql) = database().await;
    let id = insert(&mut sql, "u", "one").await;
    let first = revision(&mut sql, id).await;
    assert_eq!(owed(&mut sql).await, 1);
    pay_all(&mut sql).await;

    for (column, value) in [
        ("content", "'two'"),
        ("summary", "'s'"),
        ("importance", "9"),
        ("user_id", "'v'"),
        ("is_deleted", "true"),
        ("is_deleted", "false"),
        ("created_at", "'2020-01-01'"),
        ("metadata", r#"'{"entities": [{"type": "person", "value": "Ann"}]}'"#),
    ] {
        let before = revision(&mut sql, id).await;
        sql.run(&format!("update public.memory_entries set {column} = {value} where id = '{id}'")).await;
        assert!(revision(&mut sql, id).await > before, "{column}");
        assert_eq!(owed(&mut sql).await, 1, "{column}");
        pay_all(&mut sql).await;
    }

    let before = revision(&mut sql, id).await;
    sql.run(&format!("delete from public.memory_entries where id = '{id}'")).await;
    assert!(revision(&mut sql, id).await > before && before > first);
    assert_eq!(owed(&mut sql).await, 1);
    let deleted: bool = sql.one("select deleted from izzie_memory.memory_state").await;
    assert!(deleted, "the tombstone stays");
}

#[tokio::test]
async fn what_the_graph_does_not_hold_owes_nothing() {
    let (_database, mut sql) = database().await;
    let id = insert(&mut sql, "u", "one").await;
    let before = revision(&mut sql, id).await;
    pay_all(&mut sql).await;
    for set in [
        "access_count = 7, last_accessed_at = now()",
        "updated_at = now()",
        "embedding = ('[' || repeat('0.5,', 1535) || '1]')::vector",
        r#"metadata = '{"other": 1}'"#,
        "conversation_id = gen_random_uuid()",
    ] {
        sql.run(&format!("update public.memory_entries set {set} where id = '{id}'")).await;
    }
    assert_eq!(revision(&mut sql, id).await, before);
    assert_eq!(owed(&mut sql).await, 0);
}

#[tokio::test]
async fn truncate_leaves_tombstones_for_all() {
    let (_database, mut sql) = database().await;
    for number in 0..5 {
        insert(&mut sql, "u", &format!("m{number}")).await;
    }
    pay_all(&mut sql).await;
    sql.run("truncate public.memory_entries").await;
    let live: i64 = sql.one("select count(*) from izzie_memory.memory_state where not deleted").await;
    assert_eq!((live, owed(&mut sql).await), (0, 5));
}

#[tokio::test]
async fn a_rolled_back_write_leaves_no_trace() {
    let (_database, mut sql) = database().await;
    sql.run("begin; insert into public.memory_entries (user_id, content) values ('u', 'x'); rollback").await;
    let states: i64 = sql.one("select count(*) from izzie_memory.memory_state").await;
    assert_eq!((states, owed(&mut sql).await), (0, 0));
}

/// Nothing that can stand in the application's columns makes its own write fail.
#[tokio::test]
async fn garbage_never_makes_a_write_fail() {
    let (_database, mut sql) = database().await;
    for metadata in [
        "null",
        "5",
        "\"text\"",
        "[1, {\"entities\": 1}]",
        "{\"entities\": null}",
        "{\"entities\": {\"type\": \"person\"}}",
        "{\"entities\": [null, 1, \"x\", [], {}]}",
        r#"{"entities": [{"type": 5, "value": "x"}, {"type": "person", "value": {}}, {"type": "person", "value": "  "}]}"#,
        r#"{"entities": [{"type": "person", "value": "x", "confidence": "high", "source": 3, "context": []}]}"#,
        r#"{"entities": [{"type": "person", "value": "y", "confidence": 1e400, "priority": "soon"}]}"#,
        r#"{"entities": [{"type": "person", "value": "z", "confidence": -0.0000001}]}"#,
    ] {
        let json = metadata.replace('\'', "''");
        sql.run(&format!(
            "insert into public.memory_entries (user_id, content, metadata, importance, created_at) \
             values ('', '', '{json}', null, 'infinity')"
        ))
        .await;
    }
    let long = "select repeat('wörter zählen ', 200000)";
    sql.run(&format!("insert into public.memory_entries (user_id, content) values ('u', ({long}))")).await;
    let words = "select string_agg(md5(n::text), ' ') from generate_series(1, 60000) n";
    sql.run(&format!("insert into public.memory_entries (user_id, content) values ('u', ({words}))")).await;
    sql.run("set izzie_memory.write_context to 'no json'; insert into public.memory_entries (user_id, content) values ('u', 'x')").await;
    let states: i64 = sql.one("select count(*) from izzie_memory.memory_state").await;
    assert_eq!(states, 14);
}

#[tokio::test]
async fn a_role_without_rights_on_the_schema_can_still_write_its_table() {
    let (database, mut sql) = database().await;
    let role = format!("izzie_app_{}", Uuid::new_v4().simple());
    sql.run(&format!("create role {role}; grant select, insert, update, delete, truncate on public.memory_entries to {role}")).await;
    let mut app = database.connect().await;
    app.run(&format!("set role {role}")).await;
    let refused = app.fails("select * from izzie_memory.memory_state").await;
    assert!(refused.contains("permission denied"), "{refused}");
    let id = insert(&mut app, "u", "mine").await;
    app.run(&format!("update public.memory_entries set content = 'changed' where id = '{id}'")).await;
    app.run(&format!("delete from public.memory_entries where id = '{id}'")).await;
    app.run("truncate public.memory_entries").await;
    assert_eq!(owed(&mut sql).await, 1);
    app.run("reset role").await;
    sql.run(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn foreign_content_owes_embedding_and_extraction_once_it_changes() {
    let (_database, mut sql) = database().await;
    let models = "select count(*) from izzie_memory.memory_sync where target in ('embedding', 'extraction')";
    let id = insert(&mut sql, "u", "one").await;
    assert_eq!(sql.one::<i64>(models).await, 2);
    pay_all(&mut sql).await;
    sql.run(&format!("update public.memory_entries set importance = 3 where id = '{id}'")).await;
    assert_eq!(sql.one::<i64>(models).await, 0, "the same content");
    sql.run(&format!("update public.memory_entries set content = 'two' where id = '{id}'")).await;
    assert_eq!(sql.one::<i64>(models).await, 2);
}

/// A draws its revisions and keeps the id locked; B's insert waits on it. Whoever wrote last has the highest number.
#[tokio::test]
async fn an_insert_that_waited_for_update_and_delete_ends_above_the_tombstone() {
    let (database, mut a) = database().await;
    for _ in 0..20 {
        let id = insert(&mut a, "u", "one").await;
        a.run(&format!("begin; update public.memory_entries set content = 'two' where id = '{id}'")).await;
        let mut b = database.connect().await;
        let waiting = tokio::spawn(async move {
            b.run(&format!(
                "insert into public.memory_entries (id, user_id, content) values ('{id}', 'u', 'three')"
            ))
            .await;
        });
        while a.one::<i64>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        a.run(&format!("delete from public.memory_entries where id = '{id}'; commit")).await;
        waiting.await.expect("inserted");
        let row = a.rows(&format!("select deleted, revision, (select last_value from izzie_memory.revision_seq) as newest from izzie_memory.memory_state where memory_id = '{id}'")).await.remove(0);
        assert!(!row.get::<bool, _>("deleted"));
        assert_eq!(
            row.get::<i64, _>("revision"),
            row.get::<i64, _>("newest"),
            "the live row has the last number"
        );
    }
}

const APP_TABLE: &str = "create extension vector; \
    create table public.memory_entries ( \
    id uuid primary key default gen_random_uuid(), conversation_id uuid, user_id text not null, content text not null, summary text, \
    metadata jsonb, embedding vector(1536), importance integer default 5, access_count integer default 0, last_accessed_at timestamp, \
    is_deleted boolean default false, created_at timestamp not null default now(), updated_at timestamp not null default now())";

async fn migrate(postgres: &Postgres) -> Migrated {
    postgres.migrate(&CallContext::default(), LOCK_PATIENCE).await.expect("migrated")
}

#[tokio::test]
async fn rows_from_before_are_adopted_by_migrate() {
    let database = Database::empty().await;
    let mut sql = database.connect().await;
    sql.run(APP_TABLE).await;
    sql.run("insert into public.memory_entries (user_id, content) select 'u' || n % 7, 'memory ' || n from generate_series(1, 2500) n").await;
    let columns = "select count(*) from information_schema.columns where table_schema = 'public'";
    let before: i64 = sql.one(columns).await;
    let postgres = database.open();
    let (one, two) = tokio::join!(migrate(&postgres), migrate(&postgres));
    let applied = one.applied.len() + two.applied.len();
    assert_eq!(applied, izzie_memory::store::postgres::migration_names().len(), "each migration once");
    assert_eq!(sql.one::<i64>(columns).await, before, "no column of the application's changed");
    let adopted: i64 = sql.one("select count(*) from izzie_memory.memory_state where not deleted").await;
    assert_eq!(adopted, 2500);
    assert_eq!(
        sql.one::<i64>(
            "select count(*) from izzie_memory.memory_sync where target not in ('embedding', 'extraction')"
        )
        .await,
        0
    );
    postgres.close().await;
}

#[tokio::test]
async fn a_lock_that_never_comes_free_ends_the_migration_with_nothing_done() {
    let database = Database::empty().await;
    let mut app = database.connect().await;
    app.run(APP_TABLE).await;
    app.run("begin; insert into public.memory_entries (user_id, content) values ('u', 'not committed')")
        .await;
    let postgres = database.open();
    let error =
        postgres.migrate(&CallContext::default(), Duration::from_millis(800)).await.expect_err("locked out");
    assert_eq!((error.reason, &error.details["sqlstate"]), (Reason::Timeout, &"55P03".into()));
    assert!(app.one::<bool>("select to_regnamespace('izzie_memory') is null").await);
    app.run("commit").await;
    assert_eq!(migrate(&postgres).await.adopted.rows, 1);
    postgres.close().await;
}

#[tokio::test]
async fn what_is_kept_beside_a_row_goes_with_it_to_another_user() {
    let (_database, mut sql) = database().await;
    let id = insert(&mut sql, "u", "one").await;
    sql.run(&format!(
        "insert into izzie_memory.embedding_spaces (model, dimensions) values ('m', 3); \
         insert into izzie_memory.memory_vectors select '{id}', space_id, 'u', '[1,2,3]' from izzie_memory.embedding_spaces where model = 'm'; \
         insert into izzie_memory.conflicts (memory_id, user_id, strategy, outcome, fields) values ('{id}', 'u', 'manual', 'open', '{{}}')"
    ))
    .await;
    sql.run(&format!("update public.memory_entries set user_id = 'v' where id = '{id}'")).await;
    for table in ["memory_state", "memory_vectors", "memory_sync", "conflicts"] {
        let owners: Vec<String> = sql
            .rows(&format!("select distinct user_id from izzie_memory.{table} where memory_id = '{id}'"))
            .await
            .iter()
            .map(|row| row.get(0))
            .collect();
        assert_eq!(owners, ["v"], "{table}");
    }
}
