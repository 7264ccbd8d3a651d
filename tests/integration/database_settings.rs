//! Rows 56, 62, 63 and 64: what the server, the database or the role is set to, sessions that end, and servers that take no
//! writes.

use std::time::{Duration, Instant};

use crate::common::child::run_apart;
use crate::common::layers::{Client, Letters, config, empty_neo4j, neo4j_uri};
use crate::common::postgres::{Database, Sql};
use izzie_memory::error::{Error, Reason};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

/// All new sessions of a database.
async fn set(database: &Database, setting: &str) {
    let mut sql = database.connect().await;
    let name: String = sql.one("select current_database()::text").await;
    sql.run(&format!("alter database {name} set {setting}")).await;
}

async fn cut(sql: &mut Sql) {
    sql.run(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and application_name = 'izzie-memory'",
    )
    .await;
}

fn with_vectors(database: &Database) -> Client {
    Client::with_embedder(&config(&database.url(), None), Some(Letters::embedder()))
}

/// Everything that depends on what a session is set to.
async fn works(database: &Database, layer: &Client) {
    let id = layer.store("u", "Zoë Krüger: shall we meet Ann Lee (1.5%)\\?", &["Ann \t Lee"]).await;
    let mut sql = database.connect().await;
    sql.run(
        r#"insert into public.memory_entries (user_id, content, metadata, created_at) values ('u', 'of other code',
           '{"entities": [{"type": "person", "value": "Dr.  José   ÁLVAREZ", "confidence": 0.123456}]}', '2020-02-29 23:59:59.999999')"#,
    )
    .await;
    let names: Vec<String> =
        sqlx::query_scalar("select distinct unnest(names) from izzie_memory.memory_state order by 1")
            .fetch_all(&mut sql.0)
            .await
            .unwrap();
    assert_eq!(names, ["ann lee", "jose alvarez"]);
    let asks: bool =
        sql.one(&format!("select asks from izzie_memory.memory_state where memory_id = '{id}'")).await;
    assert!(asks);
    let items: Vec<Value> =
        (0..3).map(|n| json!({ "memory": { "userId": "u", "content": format!("lunch {n}") } })).collect();
    let answer = layer.call("storeMany", json!({ "items": items })).await;
    assert!(answer["results"][2]["memory"]["id"].is_string(), "{answer}");
    layer.call("update", json!({ "id": id, "content": "dinner with Ann\\Lee" })).await;
    layer.call("drain", json!({})).await;
    for mode in ["text", "vector", "hybrid"] {
        let found = layer.call("retrieve", json!({ "userId": "u", "query": "dinner", "mode": mode })).await;
        assert_eq!(found[0]["id"], id, "{mode}");
    }
    let all = layer.call("getAll", json!({ "userId": "u" })).await;
    let moment =
        all.as_array().unwrap().iter().find(|m| m["content"] == "of other code").unwrap()["createdAt"]
            .clone();
    assert_eq!(moment, "2020-02-29T23:59:59.999999Z");
    layer.call("fullSync", json!({ "deep": true })).await;
    let verdict = layer.call("verify", json!({ "deep": true })).await;
    let found = layer.call("checkConsistency", json!({ "deep": true })).await;
    assert_eq!(verdict["state"], "consistent", "{verdict} {found}");
    assert_eq!(layer.call("health", json!({})).await["status"], "healthy");
    assert_eq!(layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await["deleted"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_settings_change_nothing() {
    for setting in [
        "standard_conforming_strings = off",
        "quote_all_identifiers = on",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_isolation = 'repeatable read'",
        "search_path = ''",
        "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "extra_float_digits = -10",
        "timezone = 'Asia/Kathmandu'",
        "lock_timeout = '2s'",
        "statement_timeout = '20s'",
        "idle_in_transaction_session_timeout = '500ms'",
        "default_transaction_deferrable = on",
        "lc_messages = 'C'",
        "transform_null_equals = on",
        "array_nulls = off",
        "default_text_search_config = 'simple'",
    ] {
        let database = Database::empty().await;
        set(&database, setting).await;
        println!("{setting}");
        let layer = with_vectors(&database);
        if let Err(error) = layer.try_call("migrate", json!({})).await {
            panic!("{setting}: {}", error.envelope());
        }
        works(&database, &layer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pgvector_may_lie_anywhere() {
    for (before, after) in [
        (
            "create schema \"Odd Schema\"; create extension vector schema \"Odd Schema\"",
            "search_path = 'public'",
        ),
        ("create schema extensions; create extension vector schema extensions", "search_path = ''"),
    ] {
        let database = Database::empty().await;
        database.connect().await.run(before).await;
        set(&database, after).await;
        let layer = with_vectors(&database);
        layer.call("migrate", json!({})).await;
        works(&database, &layer).await;
        // The application's own column, too.
        let request =
            json!({ "op": "store", "args": { "userId": "u", "content": "with a vector" } }).to_string();
        let context = izzie_memory::context::CallContext::default();
        layer.0.call(&request, Some(vec![0.25; 1536]), &context).await.expect("stored");
        let mut sql = database.connect().await;
        let kept: i64 =
            sql.one("select count(*) from public.memory_entries where embedding is not null").await;
        assert_eq!(kept, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_encoding_is_refused_by_name() {
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let database = Database::with(&format!(
            "encoding '{encoding}' locale_provider libc lc_collate 'C' lc_ctype 'C' template template0"
        ))
        .await;
        let error = Client::on(&database, false).fails("migrate", json!({})).await;
        assert_eq!(error.reason, Reason::StatementRejected, "{}", error.envelope());
        assert!(error.message.contains(encoding) && error.message.contains("UTF8"), "{}", error.message);
        database.nothing_runs_on().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_server_ended_are_not_noticed() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    set(&database, "idle_session_timeout = '400ms'").await;
    let layer = Client::on(&database, false);
    let id = layer.store("u", "one", &["Ann"]).await;
    for (number, pause) in [(1, 700), (2, 600), (3, 1500)] {
        sleep(Duration::from_millis(pause)).await;
        layer.call("update", json!({ "id": id, "content": format!("content {number}") })).await;
        sleep(Duration::from_millis(pause)).await;
        assert_eq!(layer.call("getById", json!({ "id": id })).await["content"], format!("content {number}"));
    }
    for number in 0..5 {
        let kept = layer.store("u", &format!("to be deleted {number}"), &[]).await;
        cut(&mut sql).await;
        layer.call("update", json!({ "id": id, "content": format!("cut {number}") })).await;
        cut(&mut sql).await;
        sleep(Duration::from_millis(20)).await;
        layer.call("delete", json!({ "id": kept, "hard": true })).await;
        cut(&mut sql).await;
        assert_eq!(layer.call("deleteMany", json!({ "ids": [kept] })).await["failed"], json!([]));
    }
    let revisions: i64 = sql.one("select count(*) from public.memory_entries").await;
    assert_eq!(revisions, 1);
    database.nothing_runs_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_transactions_or_lets_nobody_in_may_be_asked_again() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let version: i32 = sql.one("select current_setting('server_version_num')::integer").await;
    if version >= 170_000 {
        sql.run(
            "create function public.linger() returns trigger language plpgsql as \
             $$ begin perform pg_sleep(30); return new; end $$; \
             create trigger linger before insert on public.memory_entries for each row execute function public.linger()",
        )
        .await;
        set(&database, "transaction_timeout = '300ms'").await;
        let error =
            Client::on(&database, false).fails("store", json!({ "userId": "u", "content": "slow" })).await;
        assert_eq!((error.reason, error.reason.retryable()), (Reason::Timeout, true), "{}", error.envelope());
        assert_eq!(error.details["sqlstate"], "25P04");
        database.nothing_runs_on().await;
        assert_eq!(sql.one::<i64>("select count(*) from public.memory_entries").await, 0);
    }
    let name: String = sql.one("select current_database()::text").await;
    let other = Database::empty().await;
    let mut elsewhere = other.connect().await;
    elsewhere.run(&format!("alter database {name} allow_connections false")).await;
    let mut apart = config(&database.url(), None);
    apart["pool"] = json!({ "max": 3 });
    let layer = Client::bare(&apart);
    let error = layer.fails("getAll", json!({ "userId": "u" })).await;
    assert_eq!(error.reason, Reason::Unavailable, "{}", error.envelope());
    assert!(error.message.contains("not ready for connections"), "{}", error.message);
    elsewhere.run(&format!("alter database {name} allow_connections true")).await;
}

fn takes_no_writes(error: &Error) {
    assert_eq!((error.reason, error.reason.retryable()), (Reason::Unavailable, true), "{}", error.envelope());
    assert!(error.message.contains("takes no writes"), "{}", error.message);
    assert_eq!(error.details["sqlstate"], "25006");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_read_from_and_let_go_of() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = with_vectors(&database);
    let id = layer.store("u", "the harvest festival", &["Ann"]).await;
    set(&database, "default_transaction_read_only = on").await;
    cut(&mut sql).await;
    // One that was there before, and one that comes now.
    let mut other = config(&database.url(), None);
    other["pool"] = json!({ "max": 3 });
    for layer in [&layer, &Client::with_embedder(&other, Some(Letters::embedder()))] {
        assert_eq!(layer.call("getById", json!({ "id": id })).await["id"], id);
        assert_eq!(layer.call("getAll", json!({ "userId": "u" })).await[0]["id"], id);
        assert_eq!(layer.call("retrieve", json!({ "userId": "u", "query": "festival" })).await[0]["id"], id);
        for (op, args) in [
            ("store", json!({ "userId": "u", "content": "new" })),
            ("storeMany", json!({ "items": [{ "memory": { "userId": "u", "content": "new" } }] })),
            ("update", json!({ "id": id, "content": "changed" })),
            ("delete", json!({ "id": id })),
            ("deleteAll", json!({ "userId": "u", "hard": true })),
        ] {
            takes_no_writes(&layer.fails(op, args).await);
        }
        let health = layer.call("health", json!({})).await;
        assert_eq!(health["status"], "degraded", "{health}");
        assert!(health["reasons"].to_string().contains("READ_ONLY"), "{health}");
        assert_eq!(layer.call("inspect", json!({})).await["table"]["found"]["readOnly"], true);
    }
    database.nothing_runs_on().await;
    // A new session leads to a server that takes writes; the old ones do not.
    let name: String = sql.one("select current_database()::text").await;
    sql.run(&format!(
        "set default_transaction_read_only = off; alter database {name} reset default_transaction_read_only"
    ))
    .await;
    layer.store("u", "after the failover", &[]).await;
    assert_eq!(layer.call("getById", json!({ "id": id })).await["accessCount"], 1);
    assert_eq!(layer.call("health", json!({})).await["status"], "healthy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_free_connection_says_so() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let role = format!("izzie_role_{}", Uuid::new_v4().simple());
    sql.run(&format!("create role {role} login password 'pw' connection limit 0")).await;
    let mut config = config(&database.url_of(&role), None);
    config["pool"] = json!({ "acquireTimeoutMs": 1500 });
    let layer = Client::bare(&config);
    let error = layer.fails("getAll", json!({ "userId": "u" })).await;
    assert_eq!(error.reason, Reason::Overloaded, "{}", error.envelope());
    assert!(error.message.contains("no connection left"), "{}", error.message);
    let health = layer.call("health", json!({})).await;
    assert_eq!(health["status"], "unhealthy");
    assert!(health["reasons"][0]["message"].as_str().unwrap().contains("no connection left"), "{health}");
    sql.run(&format!("drop role {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_address_is_told_without_the_password() {
    let database = Database::migrated().await;
    let url = database.url();
    let nowhere = Client::bare(&json!({ "databaseUrl": "postgres://u:canary@no-such-host.invalid:5433/db" }));
    let wrong = {
        let options = database.options().password("canary");
        Client::bare(&json!({ "databaseUrl": sqlx::ConnectOptions::to_url_lossy(&options).to_string() }))
    };
    for _ in 0..3 {
        for (layer, said) in [(&nowhere, "no-such-host.invalid"), (&wrong, "user or password")] {
            let error = layer.fails("getAll", json!({ "userId": "u" })).await;
            assert_eq!(error.reason, Reason::Unavailable);
            assert!(error.message.contains(said), "{}", error.message);
            assert!(!error.envelope().to_string().contains("canary"), "{}", error.envelope());
            let health = layer.call("health", json!({})).await;
            assert!(health["reasons"].to_string().contains(said), "{health}");
            let inspected = layer.call("inspect", json!({})).await;
            assert!(inspected["server"].to_string().contains(said), "{inspected}");
        }
    }
    drop(url);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_circuit_says_what_opened_it() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let mut config = config(&database.url(), Some(&neo4j_uri()));
    config["neo4j"]["password"] = json!("canary");
    let layer = Client::new(&config);
    for _ in 0..4 {
        let health = layer.call("health", json!({})).await;
        let error = health["stores"]["graphStore"]["error"].as_str().expect("an error");
        assert!(error.contains("refused the sign-in"), "{error}");
        let stored = layer.call("store", json!({ "userId": "u", "content": "x", "entities": [] })).await;
        assert_eq!(stored["write"]["graphWriteSuccess"], false);
        let error = layer.fails("fullSync", json!({})).await;
        assert!(error.message.contains("refused the sign-in"), "{}", error.message);
        assert!(!error.envelope().to_string().contains("canary"), "{}", error.envelope());
    }
}

/// A statement of ours ends by its own limit, whatever holds it up.
#[tokio::test]
async fn every_statement_ends_by_its_own_limit() {
    run_apart("database_settings::under_a_short_limit").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another test, as a process of its own: the fail point is the whole process's"]
async fn under_a_short_limit() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = with_vectors(&database);
    let id = layer.store("u", "one", &["Ann"]).await;
    fail::cfg("statement_timeout_ms", "return(2500)").expect("configured");
    let limited = |max: u32| {
        let mut config = config(&database.url(), None);
        config["pool"] = json!({ "max": max });
        Client::with_embedder(&config, Some(Letters::embedder()))
    };
    let ends = async |layer: &Client, op: &str, args: Value| {
        let begun = Instant::now();
        let error = layer.fails(op, args).await;
        assert!(begun.elapsed() < Duration::from_secs(60), "{op}: {:?}", begun.elapsed());
        assert_eq!(
            (error.reason, &error.details["sqlstate"]),
            (Reason::Timeout, &json!("57014")),
            "{op}: {}",
            error.envelope()
        );
        database.nothing_runs_on().await;
    };
    for (number, body) in [(2, "perform pg_sleep(600); return new;"), (3, "loop null; end loop; return new;")]
    {
        let layer = limited(number);
        sql.run(&format!(
            "create or replace function public.slow() returns trigger language plpgsql as $$ begin {body} end $$; \
             create or replace trigger slow before insert or update or delete on public.memory_entries \
               for each row execute function public.slow()"
        ))
        .await;
        ends(&layer, "store", json!({ "userId": "u", "content": "slow" })).await;
        ends(&layer, "storeMany", json!({ "items": [{ "memory": { "userId": "u", "content": "slow" } }] }))
            .await;
        ends(&layer, "update", json!({ "id": id, "content": "slow" })).await;
        ends(&layer, "delete", json!({ "id": id, "hard": true })).await;
        sql.run("drop trigger slow on public.memory_entries").await;
    }
    // Somebody holds a lock on the whole table.
    let layer = limited(4);
    layer.call("getAll", json!({ "userId": "u" })).await;
    let mut locker = database.connect().await;
    locker.run("begin; lock table public.memory_entries in access exclusive mode").await;
    for (op, args) in [
        ("getAll", json!({ "userId": "u" })),
        ("retrieve", json!({ "userId": "u", "query": "one" })),
        ("store", json!({ "userId": "u", "content": "waits" })),
    ] {
        let begun = Instant::now();
        let error = layer.fails(op, args).await;
        assert!(begun.elapsed() < Duration::from_secs(60), "{op}: {:?}", begun.elapsed());
        assert_eq!(error.reason, Reason::Timeout, "{op}: {}", error.envelope());
        database.nothing_runs_on().await;
    }
    locker.run("rollback").await;
    let rows: i64 = sql.one("select count(*) from public.memory_entries").await;
    assert_eq!(rows, 1);
}
