//! Writes of many memories and the end of memories, on real stores.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::conformance::ReadBack;
use common::layers::{Client, Letters, config, empty_neo4j, neo4j_uri};
use common::neo4j::{self, Driver};
use common::postgres::{self, Database, Sql};
use common::proxy::{Proxy, bolt};
use izzie_memory::context::CallContext;
use izzie_memory::error::{Reason, Result};
use serde_json::{Value, json};
use uuid::Uuid;

fn item(memory: Value) -> Value {
    json!({ "memory": memory })
}

fn memory(user: &str, content: &str, people: &[&str]) -> Value {
    let entities: Vec<Value> = people.iter().map(|name| json!({ "type": "person", "value": name })).collect();
    json!({ "userId": user, "content": content, "entities": entities })
}

fn numbered(user: &str, count: usize) -> Value {
    let items: Vec<Value> =
        (0..count).map(|n| item(memory(user, &format!("memory {n}"), &["Ann", "Ben"]))).collect();
    json!({ "items": items })
}

fn patient() -> Value {
    json!({ "graphWaitMs": 30_000 })
}

async fn store_many(layer: &Client, args: Value) -> Value {
    layer.try_call_with("storeMany", args, patient()).await.unwrap_or_else(|e| panic!("{}", e.envelope()))
}

/// One embedding in the numbers of a call.
async fn call_with(layer: &Client, op: &str, args: Value, numbers: Vec<f32>) -> Result<Value> {
    let request = json!({ "op": op, "args": args, "persistence": patient() }).to_string();
    let answer = layer.0.call(&request, Some(numbers), &CallContext::default()).await?;
    Ok(serde_json::from_str(&answer).expect("JSON"))
}

async fn consistent(layer: &Client) {
    layer.call("syncStats", json!({})).await;
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
}

async fn live(sql: &mut Sql, user: &str) -> i64 {
    sql.one(&format!(
        "select count(*) from public.memory_entries where user_id = '{user}' and not is_deleted"
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_one_statement_to_postgres_and_one_to_neo4j() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let to_postgres = Proxy::to(postgres::address()).await;
    let to_neo4j = Proxy::to(neo4j::address()).await;
    let mut settings =
        config(&database.url_through(to_postgres.address), Some(&format!("bolt://{}", to_neo4j.address)));
    settings["pool"] = json!({ "max": 1 });
    let layer = Client::with_embedder(&settings, Some(Letters::embedder()));
    for _ in 0..3 {
        store_many(&layer, numbered("u", 50)).await;
    }
    layer.call("syncStats", json!({})).await;
    to_postgres.forget();
    layer.call("getAll", json!({ "userId": "u" })).await;
    let users = to_postgres.traffic().iter().position(|traffic| traffic.round_trips > 0).expect("one");
    to_postgres.forget();
    to_neo4j.forget();
    let answer = store_many(&layer, numbered("u", 50)).await;
    let results = answer["results"].as_array().expect("results");
    assert!(results.iter().all(|r| r["write"]["graphWriteSuccess"] == true), "{answer}");
    let sent = to_postgres.traffic()[users].postgres_messages();
    assert_eq!(sent.trim_matches('S'), "BEC", "messages to Postgres: {sent}");
    let messages: Vec<u8> = to_neo4j.traffic().iter().flat_map(|traffic| traffic.bolt_messages()).collect();
    assert_eq!(messages.iter().filter(|m| **m == bolt::RUN).count(), 1, "statements to Neo4j");
    consistent(&layer).await;
    assert_eq!(Driver::connect().entities("u").await[0].frequency, 200);
}

/// Bad items of every kind among good ones, with the application's foreign keys.
async fn each_item_stands_alone(on_neo4j: bool) {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.run(
        "create table public.users (id text primary key); insert into public.users values ('ann'), ('ben'); \
             alter table public.memory_entries add foreign key (user_id) references public.users (id)",
    )
    .await;
    let settings = config(&database.url(), on_neo4j.then(neo4j_uri).as_deref());
    let layer = Client::with_embedder(&settings, Some(Letters::embedder()));
    let bens = layer.store("ben", "mine", &[]).await;
    let (first, second) = (Uuid::from_u128(9).to_string(), Uuid::from_u128(3).to_string());
    let with = |id: &str, content: &str| json!({ "userId": "ann", "content": content, "id": id });
    let args = json!({ "items": [
        item(with(&first, "the first")),
        item(json!({ "userId": "ann", "content": "" })),
        item(json!({ "userId": "ann", "content": "x", "importnce": 3 })),
        item(json!({ "userId": "nobody", "content": "of a user that is not there" })),
        item(with(&bens, "taken")),
        json!({ "memory": { "userId": "ann", "content": "too short" }, "embeddingLength": 2 }),
        item(with(&second, "the second")),
        item(with(&first, "the first")),
        item(with(&first, "other content under the same id")),
        json!({ "memory": { "userId": "ann", "content": "brings its own" }, "embeddingLength": 26 }),
        item(json!({ "userId": "ann", "content": "x", "importance": 11 })),
    ] });
    let numbers: Vec<f32> = vec![0.5; 28];
    let answer = call_with(&layer, "storeMany", args, numbers).await.expect("stored");
    let told: Vec<Value> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|r| {
            if r["error"].is_null() {
                r["write"]["created"].clone()
            } else {
                json!([r["error"]["reason"], r["error"]["details"]["field"]])
            }
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            true,
            ["INVALID_ARGUMENT", "content"],
            ["INVALID_ARGUMENT", "importnce"],
            ["INVALID_ARGUMENT", "userId"],
            ["ID_CONFLICT", null],
            ["DIMENSION_MISMATCH", "embedding"],
            true,
            false,
            ["ID_CONFLICT", null],
            true,
            ["INVALID_ARGUMENT", "importance"],
        ])
    );
    assert!(!answer.to_string().contains("mine"), "nothing of another user's: {answer}");
    assert_eq!((live(&mut sql, "ann").await, live(&mut sql, "ben").await), (3, 1));
    let vectors: i64 =
        sql.one("select count(*) from izzie_memory.memory_vectors where user_id = 'ann'").await;
    assert_eq!(vectors, 3);
    consistent(&layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_stands_alone_on_postgres() {
    each_item_stands_alone(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_stands_alone_on_neo4j() {
    let _alone = empty_neo4j().await;
    each_item_stands_alone(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_10_a_stale_expected_revision_changes_nothing() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let id = layer.store("ann", "one", &["Ann"]).await;
    let seen = layer.call("getById", json!({ "id": id, "userId": "ann" })).await["revision"].clone();
    let update = |content: &str, expected: &Value| json!({ "id": id, "userId": "ann", "content": content, "expectedRevision": expected });
    let updated = layer.call("update", update("two", &seen)).await;
    let now = updated["memory"]["revision"].clone();
    assert!(now.as_i64() > seen.as_i64());

    for (op, args) in [
        ("update", update("three", &seen)),
        ("delete", json!({ "id": id, "userId": "ann", "expectedRevision": seen, "hard": true })),
    ] {
        let error = layer.fails(op, args).await;
        assert_eq!((error.reason, error.reason.retryable()), (Reason::RevisionConflict, false));
        let envelope = error.envelope();
        assert_eq!(
            (&envelope["class"], &envelope["code"]),
            (&json!("PersistenceError"), &json!("REVISION_CONFLICT"))
        );
        let details = &envelope["details"];
        assert_eq!((&details["id"], &details["expected"], &details["actual"]), (&json!(id), &seen, &now));
        assert_eq!(details["current"]["content"], "two");
        assert_eq!(details["current"]["revision"], now);
        let current = layer.call("getById", json!({ "id": id })).await;
        assert_eq!((&current["content"], &current["revision"]), (&json!("two"), &now), "nothing was written");
    }
    let stranger = json!({ "id": id, "userId": "ben", "content": "x", "expectedRevision": seen });
    assert_eq!(layer.call("update", stranger).await["memory"], Value::Null, "another user's is not found");
    layer.call("delete", json!({ "id": id, "userId": "ann", "expectedRevision": now })).await;
    assert_eq!(layer.call("getById", json!({ "id": id })).await, Value::Null);
    consistent(&layer).await;
}

/// Of writers that have all seen the same revision one gets through.
#[tokio::test(flavor = "multi_thread")]
async fn row_10_one_of_many_with_the_same_revision_wins() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let id = layer.store("u", "start", &[]).await;
    for round in 0..10 {
        let seen = layer.call("getById", json!({ "id": id })).await["revision"].clone();
        let writers = (0..5).map(|n| {
            let content = format!("round {round} writer {n}");
            layer.try_call("update", json!({ "id": id, "content": content, "expectedRevision": seen }))
        });
        let outcomes = futures::future::join_all(writers).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost =
            outcomes.iter().filter(|o| matches!(o, Err(e) if e.reason == Reason::RevisionConflict)).count();
        assert_eq!((won, lost), (1, 4), "{outcomes:?}");
    }
}
