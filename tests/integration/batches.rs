//! Writes of many memories and the end of memories, on real stores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::conformance::ReadBack;
use crate::common::layers::{Client, Letters, config, empty_neo4j, neo4j_uri};
use crate::common::neo4j::{self, Driver};
use crate::common::postgres::{self, Database, Sql};
use crate::common::proxy::{Mode, Proxy, bolt};
use async_trait::async_trait;
use izzie_memory::context::{CallContext, Listener, Progress};
use izzie_memory::embedding::{Embedder, Space, TextVector};
use izzie_memory::error::{Error, Reason, Result};
use neo4rs::query;
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
        (0..count).map(|n| item(memory(user, &format!("{user} {n}"), &["Ann", "Ben"]))).collect();
    json!({ "items": items })
}

fn ids(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().expect("results");
    results.iter().map(|r| r["memory"]["id"].as_str().expect("an id").to_owned()).collect()
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
    // Once a minute one of them looks whose graph it is: on a slow machine that may be the one that is counted.
    let mut counted = Vec::new();
    while counted.last() != Some(&("BEC".to_owned(), 1)) {
        assert!(counted.len() < 5, "messages to Postgres, statements to Neo4j: {counted:?}");
        to_postgres.forget();
        to_neo4j.forget();
        let answer = store_many(&layer, numbered("u", 50)).await;
        let results = answer["results"].as_array().expect("results");
        assert!(results.iter().all(|r| r["write"]["graphWriteSuccess"] == true), "{answer}");
        let sent = to_postgres.traffic()[users].postgres_messages().trim_matches('S').to_owned();
        let messages =
            to_neo4j.traffic().iter().flat_map(|traffic| traffic.bolt_messages()).collect::<Vec<_>>();
        counted.push((sent, messages.iter().filter(|message| **message == bolt::RUN).count()));
    }
    consistent(&layer).await;
    let mentions = 50 * (3 + i64::try_from(counted.len()).expect("a few"));
    assert_eq!(Driver::connect().entities("u").await[0].frequency, mentions);
}

/// Bad items of every kind among good ones, with the application's foreign keys.
async fn each_item_stands_alone(on_neo4j: bool, when_checked: &str) {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.run(&format!(
        "create table public.users (id text primary key); insert into public.users values ('ann'), ('ben'); \
             alter table public.memory_entries add foreign key (user_id) references public.users (id) {when_checked}",
    ))
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
    each_item_stands_alone(false, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_stands_alone_where_a_key_is_checked_at_the_commit() {
    each_item_stands_alone(false, "deferrable initially deferred").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_refuses_at_the_commit_refuses_one_item() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.run(
        "create function public.no() returns trigger language plpgsql as $$ begin \
           if new.content like 'bad%' then raise exception 'not this one'; end if; return null; end $$; \
         create constraint trigger no after insert or update on public.memory_entries deferrable initially deferred \
           for each row execute function public.no()",
    )
    .await;
    let layer = Client::on(&database, false);
    let named = |content: &str| item(json!({ "userId": "ann", "content": content }));
    let items =
        json!({ "items": [named("one"), named("bad"), named("two"), named("bad too"), named("three")] });
    let answer = call_with(&layer, "storeMany", items, Vec::new()).await.expect("stored");
    let refused = |place: usize| answer["results"][place]["error"]["details"]["sqlstate"] == "P0001";
    assert_eq!([0, 1, 2, 3, 4].map(refused), [false, true, false, true, false], "{answer}");
    let id = answer["results"][0]["memory"]["id"].clone();
    assert_eq!(live(&mut sql, "ann").await, 3);
    let store = json!({ "userId": "ann", "content": "bad" });
    let update = json!({ "id": id, "content": "bad now" });
    for (op, args) in [("store", store), ("update", update)] {
        let error = layer.fails(op, args).await;
        assert_eq!(error.reason, Reason::StatementRejected, "{op}: {}", error.envelope());
    }
    assert_eq!(live(&mut sql, "ann").await, 3);
    consistent(&layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_stands_alone_on_neo4j() {
    let _alone = empty_neo4j().await;
    each_item_stands_alone(true, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_expected_revision_changes_nothing() {
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
async fn one_of_many_with_the_same_revision_wins() {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_and_not_one_more() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let answer = store_many(&layer, numbered("u", 1000)).await;
    let results = answer["results"].as_array().expect("results");
    assert!(results.iter().all(|r| r["write"]["graphWriteSuccess"] == true));
    let contents: Vec<&str> =
        results.iter().map(|r| r["memory"]["content"].as_str().expect("text")).collect();
    assert_eq!((contents.len(), contents[0], contents[999]), (1000, "u 0", "u 999"), "in order");
    let mut sql = database.connect().await;
    assert_eq!(sql.one::<i64>("select min(frequency) from izzie_memory.graph_entities").await, 1000);
    consistent(&layer).await;
    let refused = layer.fails("storeMany", numbered("u", 1001)).await;
    assert_eq!((refused.reason, &refused.details["field"]), (Reason::InvalidArgument, &json!("items")));
    assert_eq!(layer.call("storeMany", json!({ "items": [] })).await, json!({ "results": [] }));
    assert_eq!(live(&mut sql, "u").await, 1000);
}

/// Counts its calls, and fails where it is told to.
struct Counting {
    space: Space,
    calls: AtomicUsize,
    broken: bool,
}

impl Counting {
    fn new(broken: bool) -> Arc<Self> {
        let space = Space { model: "counting".into(), dimensions: 3 };
        Arc::new(Self { space, calls: AtomicUsize::new(0), broken })
    }
}

#[async_trait]
impl Embedder for Counting {
    fn space(&self) -> &Space {
        &self.space
    }

    fn is_paid(&self) -> bool {
        false
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.broken {
            return Err(Error::persistence(Reason::EmbeddingFailed, "broken"));
        }
        Ok(texts.iter().map(|text| Some(vec![1.0, text.len() as f32, 0.5])).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_one_call_of_the_embedder() {
    let owed = "select count(*) from izzie_memory.memory_sync where target = 'embedding'";
    for broken in [false, true] {
        let database = Database::migrated().await;
        let embedder = Counting::new(broken);
        let embeds = Arc::clone(&embedder) as Arc<dyn Embedder>;
        let layer = Client::with_embedder(&config(&database.url(), None), Some(embeds));
        let mut args = numbered("u", 20);
        args["items"][3]["memory"]["defer"] = json!(true);
        args["items"][5]["embeddingLength"] = json!(3);
        call_with(&layer, "storeMany", args, vec![0.1, 0.2, 0.3]).await.expect("stored");
        assert_eq!(embedder.calls.load(Ordering::Relaxed), 1);
        let mut sql = database.connect().await;
        let vectors: i64 = sql.one("select count(*) from izzie_memory.memory_vectors").await;
        let expected = if broken { (1, 19) } else { (19, 1) };
        assert_eq!((vectors, sql.one::<i64>(owed).await), expected, "broken: {broken}");
        let own: i64 = sql.one("select count(*) from izzie_memory.memory_vectors v join public.memory_entries e on e.id = v.memory_id \
            where e.content = 'u 5' and v.embedding::text = '[0.1,0.2,0.3]'").await;
        assert_eq!(own, 1, "a given one stays with its item");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_before_the_statement_writes_nothing() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let context = CallContext::default();
    context.cancel.cancel();
    for (op, args) in [
        ("storeMany", numbered("u", 3)),
        ("deleteMany", json!({ "ids": [Uuid::nil()] })),
        ("deleteAll", json!({ "userId": "u", "hard": true })),
    ] {
        let request = json!({ "op": op, "args": args }).to_string();
        let error = layer.0.call(&request, None, &context).await.expect_err(op);
        assert_eq!(error.reason, Reason::Aborted, "{op}");
    }
    assert_eq!(live(&mut database.connect().await, "u").await, 0);
}

/// The statement is committed, its answer gets lost: it is repeated and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_answer_is_lost_is_repeated() {
    let database = Database::migrated().await;
    let proxy = Proxy::to(postgres::address()).await;
    let mut settings = config(&database.url_through(proxy.address), None);
    settings["pool"] = json!({ "max": 1 });
    let layer = Client::new(&settings);
    // So that the next one is a single message and its answer.
    store_many(&layer, numbered("warm", 1)).await;
    let mut sql = database.connect().await;
    proxy.set(Mode::HoldAnswersTo(0));
    let lose = async {
        while live(&mut sql, "u").await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.set(Mode::Refuse);
        tokio::time::sleep(Duration::from_millis(10)).await;
        proxy.set(Mode::Pass);
    };
    let (answer, ()) = tokio::join!(store_many(&layer, numbered("u", 10)), lose);
    let results = answer["results"].as_array().expect("results");
    assert!(results.iter().all(|r| r["write"]["created"] == true), "{answer}");
    assert_eq!(live(&mut sql, "u").await, 10);
}

/// Batches lock in id order whatever order they were sent in: two that share their ids wait for each other, once.
#[tokio::test(flavor = "multi_thread")]
async fn batches_of_the_same_ids_in_opposite_order_do_not_deadlock() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    store_many(&layer, numbered("warm", 1)).await;
    for _ in 0..8 {
        let mut items: Vec<Value> = (0..40)
            .map(|n| {
                let mut memory = memory("u", &format!("memory {n}"), &["Ann"]);
                memory["id"] = json!(Uuid::new_v4());
                item(memory)
            })
            .collect();
        let there = json!({ "items": items });
        items.reverse();
        let back = json!({ "items": items });
        let (there, back) = tokio::join!(store_many(&layer, there), store_many(&layer, back));
        let created = [there, back]
            .iter()
            .flat_map(|answer| answer["results"].as_array().unwrap().clone())
            .filter(|result| result["write"]["created"] == true)
            .count();
        assert_eq!(created, 40, "each once");
    }
    // A session tells the statistics what it met when it ends.
    layer.0.close().await;
    let mut sql = database.connect().await;
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(sql.one::<i64>(deadlocks).await, 0);
}

/// Makes Neo4j refuse the one memory whose content is `poison`.
async fn poison() -> Driver {
    let driver = Driver::connect();
    driver
        .rows(query(
            "CREATE CONSTRAINT test_once IF NOT EXISTS FOR (m:IzzieMemory) REQUIRE m.content IS UNIQUE",
        ))
        .await;
    driver.rows(query("CREATE (:IzzieMemory {content: 'poison', mark: 'test_once'})")).await;
    driver
}

async fn no_poison(driver: Driver) {
    driver.rows(query("MATCH (m:IzzieMemory {mark: 'test_once'}) DELETE m")).await;
    driver.rows(query("DROP CONSTRAINT test_once IF EXISTS")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_graph_refuses_is_undone_alone_if_asked_for() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    layer.call("health", json!({})).await;
    let chunk = |user: &str| {
        let mut args = numbered(user, 20);
        args["items"][7]["memory"]["content"] = json!("poison");
        args
    };
    let driver = poison().await;
    let undone = json!({ "graphWaitMs": 30_000, "rollbackOnPartialFailure": true });
    let kept = layer.try_call_with("storeMany", chunk("kept"), patient()).await;
    let taken = layer.try_call_with("storeMany", chunk("taken"), undone).await;
    no_poison(driver).await;

    let (kept, taken) = (kept.expect("stored"), taken.expect("stored"));
    for (place, (kept, taken)) in
        kept["results"].as_array().unwrap().iter().zip(taken["results"].as_array().unwrap()).enumerate()
    {
        let refused = place == 7;
        assert_eq!(kept["write"]["graphWriteSuccess"], !refused, "{place}: {kept}");
        assert_eq!(kept["write"]["graphError"]["reason"] == "GRAPH_REJECTED", refused, "{place}: {kept}");
        assert_eq!(taken["error"]["reason"] == "ROLLED_BACK", refused, "{place}: {taken}");
    }
    let mut sql = database.connect().await;
    assert_eq!((live(&mut sql, "kept").await, live(&mut sql, "taken").await), (20, 19));
    layer.call("fullSync", json!({})).await;
    consistent(&layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_neo4j_away_a_batch_is_owed_or_undone() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::new(&config(&database.url(), Some(&format!("bolt://{}", proxy.address))));
    let before = store_many(&layer, numbered("u", 5)).await;
    proxy.set(Mode::Refuse);
    let answer = layer.call("storeMany", numbered("u", 5)).await;
    for result in answer["results"].as_array().unwrap() {
        assert_eq!(
            (&result["write"]["vectorWriteSuccess"], &result["write"]["graphWriteSuccess"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(result["write"]["graphError"]["retryable"], true);
    }
    let undoing = json!({ "rollbackOnPartialFailure": true });
    let answer = layer.try_call_with("storeMany", numbered("u", 5), undoing.clone()).await.expect("told");
    assert!(
        answer["results"].as_array().unwrap().iter().all(|r| r["error"]["reason"] == "ROLLED_BACK"),
        "{answer}"
    );
    let delete = json!({ "ids": ids(&before), "hard": true });
    let answer = layer.try_call_with("deleteMany", delete, undoing).await.expect("told");
    assert_eq!((&answer["deleted"], answer["failed"].as_array().map(Vec::len)), (&json!([]), Some(5)));
    assert_eq!(answer["failed"][0]["error"]["reason"], "ROLLED_BACK");
    assert_eq!(live(&mut database.connect().await, "u").await, 10);
    proxy.set(Mode::Pass);
    synced(&layer).await;
    consistent(&layer).await;
    assert_eq!(Driver::connect().entities("u").await[0].frequency, 10);
}

/// A sync as soon as the breaker lets one through.
async fn synced(layer: &Client) {
    for _ in 0..600 {
        match layer.try_call("fullSync", json!({})).await {
            Ok(result) if result["pending"] == 0 => return,
            Ok(_) => {}
            Err(error) => assert!(error.reason.retryable(), "{}", error.envelope()),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the graph was not reached again");
}

async fn delete_many(on_neo4j: bool, when_checked: &str) {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let pins = format!(
        "create table public.pins (memory_id uuid references public.memory_entries (id) {when_checked})"
    );
    sql.run(&pins).await;
    let layer = Client::on(&database, on_neo4j);
    let mine = ids(&store_many(&layer, numbered("ann", 6)).await);
    let bens = ids(&store_many(&layer, numbered("ben", 1)).await);
    sql.run(&format!("insert into public.pins values ('{}')", mine[2])).await;
    let asked = json!([mine[0], mine[1], mine[0], bens[0], "no id", Uuid::nil(), mine[2]]);
    let args = json!({ "ids": asked, "userId": "ann", "hard": true });
    let answer = layer.try_call_with("deleteMany", args, patient()).await.expect("deleted");
    assert_eq!(answer["deleted"], json!([mine[0], mine[1]]), "no strangers, no missing ones, none twice");
    assert_eq!(
        (&answer["failed"][0]["id"], answer["failed"].as_array().map(Vec::len)),
        (&json!(mine[2]), Some(1))
    );
    assert_eq!(answer["failed"][0]["error"]["details"]["sqlstate"], "23503");
    let soft = json!({ "ids": [mine[3]], "userId": "ann" });
    assert_eq!(layer.call("deleteMany", soft).await, json!({ "deleted": [mine[3]], "failed": [] }));
    assert_eq!((live(&mut sql, "ann").await, live(&mut sql, "ben").await), (3, 1));
    assert_eq!(sql.one::<i64>("select count(*) from public.memory_entries").await, 5);
    synced(&layer).await;
    consistent(&layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_many_tells_each_on_postgres() {
    delete_many(false, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_many_tells_each_where_a_key_is_checked_at_the_commit() {
    delete_many(false, "deferrable initially deferred").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_many_tells_each_on_neo4j() {
    let _alone = empty_neo4j().await;
    delete_many(true, "").await;
}

/// Remembers what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<Progress>>);

impl Listener for Told {
    fn progress(&self, progress: Progress) {
        self.0.lock().unwrap().push(progress);
    }
}

/// Cancels the call at the first progress that is not its end.
struct Stop(CallContext);

impl Listener for Stop {
    fn progress(&self, _: Progress) {
        self.0.cancel.cancel();
        // The abort is handed on to the call by another task.
        std::thread::sleep(Duration::from_secs(1));
    }
}

async fn delete_all(on_neo4j: bool) {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let settings = config(&database.url(), on_neo4j.then(neo4j_uri).as_deref());
    let layer = Client::with_embedder(&settings, Some(Letters::embedder()));
    let mine = ids(&store_many(&layer, numbered("ann", 1000)).await);
    store_many(&layer, numbered("ann", 200)).await;
    store_many(&layer, numbered("ben", 3)).await;
    layer.call("delete", json!({ "id": mine[0] })).await;
    layer.call("delete", json!({ "id": mine[1], "hard": true, "cascadeGraph": false })).await;
    for user in ["ann", "ben"] {
        sql.run(&format!("insert into izzie_memory.conflicts (memory_id, user_id, strategy, outcome, fields) values (gen_random_uuid(), '{user}', 'manual', 'open', '{{}}')")).await;
    }
    synced(&layer).await;

    let told = Arc::new(Told::default());
    let context = CallContext { listener: Some(told.clone()), ..CallContext::default() };
    let request = json!({ "op": "deleteAll", "args": { "userId": "ann", "hard": true } }).to_string();
    let answer = layer.0.call(&request, None, &context).await.expect("deleted");
    assert_eq!(
        serde_json::from_str::<Value>(&answer).expect("JSON"),
        json!({ "deleted": 1199, "pending": 0 })
    );
    let last = *told.0.lock().unwrap().last().expect("progress was told");
    // The rows, for Neo4j their nodes, and the node that was kept.
    let done = if on_neo4j { 2 * 1199 + 1 } else { 1199 + 1 };
    assert_eq!((last.done, last.total), (done, done));

    let left = |table: &str, user: &str| format!("select count(*) from {table} where user_id = '{user}'");
    for table in [
        "public.memory_entries",
        "izzie_memory.memory_vectors",
        "izzie_memory.conflicts",
        "izzie_memory.memory_sync",
    ] {
        assert_eq!(sql.one::<i64>(&left(table, "ann")).await, 0, "{table}");
    }
    for (table, count) in
        [("public.memory_entries", 3), ("izzie_memory.memory_vectors", 3), ("izzie_memory.conflicts", 1)]
    {
        assert_eq!(sql.one::<i64>(&left(table, "ben")).await, count, "{table}");
    }
    assert_eq!(sql.one::<i64>("select count(*) from izzie_memory.memory_state where user_id = 'ann' and (not deleted or detached)").await, 0);
    if on_neo4j {
        let driver = Driver::connect();
        let nodes = "MATCH (m:IzzieMemory {userId: 'ann'}) WHERE NOT m.deleted RETURN m";
        assert!(driver.rows(query(nodes)).await.is_empty(), "the detached node is gone too");
        assert_eq!((driver.entities("ann").await.len(), driver.entities("ben").await.len()), (0, 2));
    } else {
        assert_eq!(sql.one::<i64>(&left("izzie_memory.graph_entities", "ann")).await, 0);
        assert_eq!(sql.one::<i64>(&left("izzie_memory.graph_entities", "ben")).await, 2);
        assert_eq!(sql.one::<i64>("select count(*) from izzie_memory.graph_memories where user_id = 'ann' and (not deleted or detached)").await, 0);
    }
    consistent(&layer).await;
    assert_eq!(
        layer.call("deleteAll", json!({ "userId": "ann", "hard": true })).await,
        json!({ "deleted": 0, "pending": 0 })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_all_leaves_nothing_of_a_user_on_postgres() {
    delete_all(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_all_leaves_nothing_of_a_user_on_neo4j() {
    let _alone = empty_neo4j().await;
    delete_all(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_delete_all_goes_on_when_it_is_called_again() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    store_many(&layer, numbered("u", 1000)).await;
    store_many(&layer, numbered("u", 200)).await;
    let mut context = CallContext::default();
    context.listener = Some(Arc::new(Stop(context.clone())));
    let request = json!({ "op": "deleteAll", "args": { "userId": "u", "hard": false } }).to_string();
    let error = layer.0.call(&request, None, &context).await.expect_err("aborted");
    assert_eq!(error.reason, Reason::Aborted);
    let mut sql = database.connect().await;
    let left = live(&mut sql, "u").await;
    assert!(left == 700 || left == 200, "it stopped between two pages: {left}");
    consistent(&layer).await;
    assert_eq!(layer.call("deleteAll", json!({ "userId": "u", "hard": false })).await["deleted"], left);
    assert_eq!(live(&mut sql, "u").await, 0);
    assert_eq!(
        sql.one::<i64>("select count(*) from public.memory_entries").await,
        1200,
        "soft-deleted rows stay"
    );
    consistent(&layer).await;
}

/// Whatever was acknowledged before the call began is gone after it, and both stores agree on what came meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn delete_all_while_others_store() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    for round in 0..3 {
        let before = ids(&store_many(&layer, numbered("u", 300)).await);
        let writers = async {
            for n in 0..10 {
                store_many(&layer, numbered("u", 10)).await;
                layer.store("ben", &format!("round {round} memory {n}"), &["Ann"]).await;
            }
        };
        let delete = layer.call("deleteAll", json!({ "userId": "u", "hard": true }));
        let ((), answer) = tokio::join!(writers, delete);
        assert!(answer["deleted"].as_u64() >= Some(300), "{answer}");
        assert_eq!(layer.call("getMany", json!({ "ids": before })).await, json!([]));
        consistent(&layer).await;
    }
    assert_eq!(live(&mut database.connect().await, "ben").await, 30);
    layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await;
    assert_eq!(live(&mut database.connect().await, "u").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_all_with_neo4j_away_is_owed() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::new(&config(&database.url(), Some(&format!("bolt://{}", proxy.address))));
    store_many(&layer, numbered("u", 20)).await;
    proxy.set(Mode::Refuse);
    let begun = Instant::now();
    let answer = layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await;
    assert_eq!(answer, json!({ "deleted": 20, "pending": 20 }));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    proxy.set(Mode::Pass);
    for _ in 0..600 {
        if layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await["pending"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let nodes = Driver::connect().rows(query("MATCH (m:IzzieMemory) WHERE NOT m.deleted RETURN m")).await;
    assert!(nodes.is_empty(), "calling it again finishes it");
    consistent(&layer).await;
}

async fn restore(on_neo4j: bool) {
    let database = Database::migrated().await;
    let settings = config(&database.url(), on_neo4j.then(neo4j_uri).as_deref());
    let layer = Client::with_embedder(&settings, Some(Letters::embedder()));
    let relation = json!({ "fromType": "person", "fromValue": "Ann", "toType": "person", "toValue": "Ben", "relationshipType": "WORKS_WITH" });
    let mut lunch = memory("ann", "lunch with Ben", &["Ann", "Ben"]);
    lunch["relationships"] = json!([relation]);
    lunch["conversationId"] = json!("conv-1");
    lunch["id"] = json!(Uuid::from_u128(77));
    let stored = layer.try_call_with("store", lunch.clone(), patient()).await.expect("stored");
    let id = stored["memory"]["id"].clone();
    let of = |user: &str| json!({ "id": id, "userId": user });
    assert_eq!(layer.call("restore", of("ann")).await["memory"], Value::Null, "it lives");
    layer.call("delete", of("ann")).await;

    // A retry of the store finds it deleted and leaves it so.
    let again = layer.call("store", lunch).await;
    assert_eq!((&again["write"]["created"], &again["memory"]["isDeleted"]), (&json!(false), &json!(true)));
    assert_eq!(layer.call("getById", of("ann")).await, Value::Null);
    assert_eq!(layer.call("restore", of("ben")).await["memory"], Value::Null, "another user's");
    assert_eq!(layer.call("getById", of("ann")).await, Value::Null);

    let restored = layer.try_call_with("restore", of("ann"), patient()).await.expect("restored");
    assert_eq!(restored["write"]["graphWriteSuccess"], true, "{restored}");
    let back = &restored["memory"];
    assert!(back["revision"].as_i64() > stored["memory"]["revision"].as_i64());
    for field in ["id", "content", "entities", "relationships", "conversationId", "metadata", "createdAt"] {
        assert_eq!(back[field], stored["memory"][field], "{field}");
    }
    let found =
        layer.call("retrieve", json!({ "userId": "ann", "query": "lunch with Ben", "mode": "vector" })).await;
    assert_eq!(found[0]["id"], id, "with its vector");
    let found = layer.call("retrieve", json!({ "userId": "ann", "query": "lunch", "mode": "text" })).await;
    assert_eq!(found[0]["id"], id, "with its words");
    assert_eq!(layer.call("strongestRelations", json!({ "userId": "ann" })).await[0]["kind"], "WORKS_WITH");
    synced(&layer).await;
    consistent(&layer).await;
    layer.call("delete", json!({ "id": id, "hard": true })).await;
    assert_eq!(layer.call("restore", of("ann")).await["memory"], Value::Null, "gone for good");
    assert_eq!(layer.call("restore", json!({ "id": "no id" })).await["memory"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_brings_everything_back_on_postgres() {
    restore(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_brings_everything_back_on_neo4j() {
    let _alone = empty_neo4j().await;
    restore(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_removes_what_was_soft_deleted_before_a_moment() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = Client::on(&database, false);
    let all = ids(&store_many(&layer, numbered("ann", 700)).await);
    let bens = ids(&store_many(&layer, numbered("ben", 2)).await);
    layer.call("deleteMany", json!({ "ids": all[..600] })).await;
    layer.call("deleteMany", json!({ "ids": all[600..610], "cascadeGraph": false })).await;
    layer.call("deleteMany", json!({ "ids": bens })).await;
    layer.call("deleteMany", json!({ "ids": all[610..615], "hard": true })).await;
    sql.run("update izzie_memory.memory_state set changed_at = now() - interval '31 days' where deleted")
        .await;
    layer.call("deleteMany", json!({ "ids": all[620..630] })).await;
    let month_ago: String = sql
        .one(
            "select to_char(now() at time zone 'UTC' - interval '30 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        )
        .await;

    let purge = |user: Value| json!({ "olderThan": month_ago, "userId": user });
    assert_eq!(layer.call("purgeDeleted", purge(json!("ann"))).await, json!({ "purged": 610 }));
    let rows = |user: &str| format!("select count(*) from public.memory_entries where user_id = '{user}'");
    assert_eq!(sql.one::<i64>(&rows("ann")).await, 85, "the living and what was deleted since");
    assert_eq!(sql.one::<i64>(&rows("ben")).await, 2);
    assert_eq!(layer.call("purgeDeleted", purge(Value::Null)).await, json!({ "purged": 2 }));
    assert_eq!(layer.call("purgeDeleted", purge(Value::Null)).await, json!({ "purged": 0 }));
    let detached: i64 = sql.one("select count(*) from izzie_memory.graph_memories where detached").await;
    assert_eq!(detached, 10, "nodes that were to be kept are");
    assert_eq!(layer.call("restore", json!({ "id": all[0] })).await["memory"], Value::Null);
    assert_eq!(live(&mut sql, "ann").await, 75);
    consistent(&layer).await;
}
