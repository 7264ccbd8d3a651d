//! Conflicts: somebody edited the graph, and a strategy says who wins.

use std::sync::Arc;

use crate::common::layers::{Client, empty_neo4j};
use crate::common::neo4j::Driver;
use crate::common::postgres::Database;
use async_trait::async_trait;
use izzie_memory::context::{CallContext, Resolver};
use izzie_memory::error::{Error, Reason, Result};
use neo4rs::query;
use serde_json::{Value, json};
use tokio::sync::RwLockWriteGuard;
use uuid::Uuid;

/// A layer on a graph that a test edits.
struct Scene {
    layer: Arc<Client>,
    database: Database,
    neo4j: Option<(Driver, RwLockWriteGuard<'static, ()>)>,
}

impl Scene {
    async fn on_neo4j() -> Self {
        let guard = empty_neo4j().await;
        let database = Database::migrated().await;
        let layer = Arc::new(Client::on(&database, true));
        Self { layer, database, neo4j: Some((Driver::connect(), guard)) }
    }

    async fn on_postgres() -> Self {
        let database = Database::migrated().await;
        let layer = Arc::new(Client::on(&database, false));
        Self { layer, database, neo4j: None }
    }

    /// A memory of Ann's that mentions Ann, in the graph too.
    async fn memory(&self) -> String {
        let id = self.layer.store("ann", "lunch", &["Ann"]).await;
        self.layer.call("fullSync", json!({})).await;
        id
    }

    /// Edits the memory's node; on Neo4j only.
    async fn edit(&self, id: &str, set: &str) {
        let (driver, _) = self.neo4j.as_ref().expect("Neo4j");
        driver.rows(query(&format!("MATCH (m:IzzieMemory {{key: $key}}) {set}")).param("key", id)).await;
    }

    async fn sql(&self, sql: &str) {
        self.database.connect().await.run(sql).await;
    }

    /// Somebody notes in the graph that the memory mentions Zoe, too.
    async fn mention_zoe(&self, id: &str) {
        match &self.neo4j {
            Some(_) => {
                self.edit(
                    id,
                    "CREATE (:IzzieEntity:Person {key: 'zoe', userId: 'ann', name: 'Zoe', type: 'person', \
                       normalized: 'zoe', frequency: 1})-[:MENTIONED_IN {confidence: 0.5, source: 'body'}]->(m)",
                )
                .await;
            }
            None => {
                let key = "izzie_memory.entity_key('ann', 'Person', 'zoe')";
                self.sql(&format!(
                    "insert into izzie_memory.graph_entities values \
                       ({key}, 'ann', 'Person', 'zoe', 'Zoe', 'person', 1, 0.5, 0, 0); \
                     insert into izzie_memory.graph_mentions values ('{id}', {key}, 'ann', 0.5, 'body', null, 0)"
                ))
                .await;
            }
        }
    }

    async fn sync(&self, strategy: &str) -> Value {
        self.layer.call("fullSync", json!({ "deep": true, "conflictStrategy": strategy })).await
    }

    async fn row(&self, id: &str) -> Value {
        self.layer.call("getById", json!({ "id": id, "userId": "ann" })).await
    }

    async fn people(&self, id: &str) -> Vec<String> {
        let row = self.row(id).await;
        let entities = row["entities"].as_array().expect("a list");
        entities.iter().map(|entity| entity["value"].as_str().expect("a name").to_owned()).collect()
    }

    async fn log(&self) -> Vec<Value> {
        let page = self.layer.call("getConflicts", json!({})).await;
        page["items"].as_array().expect("a list").clone()
    }

    async fn expect_consistent(&self) {
        assert_eq!(self.layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    }

    /// A live node that no memory ever had.
    async fn orphan(&self, user: &str, properties: &str) -> String {
        let id = Uuid::new_v4().to_string();
        let (driver, _) = self.neo4j.as_ref().expect("Neo4j");
        let cypher = format!(
            "CREATE (m:IzzieMemory {{key: $key, userId: $user, epoch: 1, revision: 5000000, h1: 1, h2: 2, \
               bucket: 3, deleted: false, detached: false}}) SET m += {{{properties}}} \
             CREATE (:IzzieEntity:Person {{key: $key, userId: $user, name: 'Zoe', type: 'person', \
               normalized: 'zoe', frequency: 1}})-[:MENTIONED_IN {{confidence: 0.5, source: 'body'}}]->(m)"
        );
        driver.rows(query(&cypher).param("key", id.as_str()).param("user", user)).await;
        id
    }

    async fn live_nodes(&self) -> u64 {
        self.layer.call("syncStats", json!({})).await["graphStoreCount"].as_u64().expect("a number")
    }

    async fn with_resolver(&self, resolver: impl Resolver + 'static) -> Value {
        let context = CallContext { resolver: Some(Arc::new(resolver)), ..CallContext::default() };
        let args = json!({ "deep": true, "conflictStrategy": "callback" });
        let request = json!({ "op": "fullSync", "args": args }).to_string();
        let answer = self.layer.0.call(&request, None, &context).await.expect("synced");
        serde_json::from_str(&answer).expect("an answer is JSON")
    }
}

fn figures(result: &Value) -> [&Value; 3] {
    [&result["repaired"], &result["failed"], &result["conflicts"]]
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_wins_by_default_and_the_edit_is_kept_in_the_log() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.edit(&id, "SET m.content = 'dinner', m.importance = 9").await;
    scene.mention_zoe(&id).await;
    let result = scene.layer.call("fullSync", json!({ "deep": true })).await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    assert_eq!(scene.row(&id).await["content"], "lunch");
    let log = scene.log().await;
    let entry = &log[0];
    assert_eq!(
        (log.len(), &entry["strategy"], &entry["outcome"]),
        (1, &json!("vector_wins"), &json!("vector"))
    );
    assert_eq!(entry["fields"], json!(["content", "importance", "mentions"]));
    assert_eq!(
        (&entry["vector"]["content"], &entry["graph"]["content"]),
        (&json!("lunch"), &json!("dinner"))
    );
    assert!(entry["graph"]["entities"].as_array().expect("a list").iter().any(|e| e["value"] == "Zoe"));
    assert!(entry["resolvedAt"].is_string() && entry["detectedAt"].is_string());
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_wins_with_a_new_revision_on_neo4j() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    let before = scene.row(&id).await;
    scene.edit(&id, "SET m.content = 'dinner', m.summary = 'food', m.importance = 9").await;
    scene.mention_zoe(&id).await;
    let zoe = "WITH m MATCH (m)<--(z {name: 'Zoe'}), (m)<--(a {name: 'Ann'}) \
               CREATE (z)-[:FRIEND_OF {memoryId: m.key, userId: 'ann', confidence: 0.75, evidence: 'seen'}]->(a)";
    scene.edit(&id, zoe).await;
    let result = scene.sync("graph_wins").await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    let row = scene.row(&id).await;
    assert_eq!(
        (&row["content"], &row["summary"], &row["importance"]),
        (&json!("dinner"), &json!("food"), &json!(9))
    );
    assert!(row["revision"].as_i64() > before["revision"].as_i64());
    assert_eq!(scene.people(&id).await, ["Ann", "Zoe"]);
    let stated = &row["relationships"][0];
    assert_eq!((&stated["fromValue"], &stated["relationshipType"]), (&json!("Zoe"), &json!("FRIEND_OF")));
    let log = scene.log().await;
    assert_eq!((&log[0]["outcome"], &log[0]["vector"]["content"]), (&json!("graph"), &json!("lunch")));
    scene.expect_consistent().await;
    let found = scene.layer.call("retrieve", json!({ "userId": "ann", "query": "dinner" })).await;
    assert_eq!(found[0]["id"], json!(id), "the new content is found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_wins_with_a_new_revision_on_postgres() {
    let scene = Scene::on_postgres().await;
    let id = scene.memory().await;
    scene.mention_zoe(&id).await;
    let result = scene.sync("graph_wins").await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    assert_eq!(scene.people(&id).await, ["Ann", "Zoe"]);
    assert_eq!(scene.row(&id).await["content"], "lunch", "that graph holds no content");
    assert_eq!(scene.log().await[0]["outcome"], "graph");
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merge_takes_the_entities_of_both_on_neo4j() {
    merged(Scene::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merge_takes_the_entities_of_both_on_postgres() {
    merged(Scene::on_postgres().await).await;
}

async fn merged(scene: Scene) {
    let id = scene.memory().await;
    scene.mention_zoe(&id).await;
    if scene.neo4j.is_some() {
        scene.edit(&id, "SET m.content = 'dinner' WITH m MATCH (m)<-[r]-({name: 'Ann'}) DELETE r").await;
    } else {
        let ann = "select key from izzie_memory.graph_entities where normalized = 'ann'";
        scene.sql(&format!("delete from izzie_memory.graph_mentions where entity_key = ({ann})")).await;
    }
    let result = scene.sync("merge").await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    assert_eq!(scene.people(&id).await, ["Ann", "Zoe"]);
    assert_eq!(scene.row(&id).await["content"], "lunch", "columns are the row's");
    assert_eq!(scene.log().await[0]["outcome"], "merged");
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_edit_wins_where_it_says_when_it_was_made() {
    let scene = Scene::on_neo4j().await;
    for (edited_at, content) in [
        ("datetime() + duration('PT1H')", "dinner"),
        ("timestamp() + 3600000", "dinner"),
        ("'2099-01-01T00:00:00Z'", "dinner"),
        ("datetime('2001-01-01T00:00:00Z')", "lunch"),
        ("'soon'", "lunch"),
        ("null", "lunch"),
    ] {
        let id = scene.memory().await;
        scene.edit(&id, &format!("SET m.content = 'dinner', m.updatedAt = {edited_at}")).await;
        let result = scene.sync("latest_wins").await;
        assert_eq!(figures(&result), [1, 0, 0], "{edited_at}: {result}");
        assert_eq!(scene.row(&id).await["content"], content, "{edited_at}");
        scene.expect_consistent().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_conflict_waits_and_is_listed_once() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.edit(&id, "SET m.content = 'dinner'").await;
    for _ in 0..2 {
        let result = scene.sync("manual").await;
        assert_eq!(figures(&result), [0, 0, 1], "{result}");
    }
    assert_eq!(scene.layer.call("syncStats", json!({})).await["conflicts"], 1);
    let log = scene.log().await;
    assert_eq!((log.len(), &log[0]["outcome"], &log[0]["resolvedAt"]), (1, &json!("open"), &Value::Null));
    assert_eq!(scene.row(&id).await["content"], "lunch");

    let found = scene.layer.call("checkConsistency", json!({ "deep": true })).await;
    let decision = json!({ "inconsistencies": found, "conflictStrategy": "graph_wins" });
    assert_eq!(figures(&scene.layer.call("repairInconsistencies", decision).await), [1, 0, 0]);
    let log = scene.log().await;
    assert_eq!((log.len(), &log[0]["outcome"]), (1, &json!("graph")), "the entry itself is closed");
    assert_eq!(scene.row(&id).await["content"], "dinner");
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_goes_over_the_node_closes_its_conflict() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.edit(&id, "SET m.content = 'dinner'").await;
    scene.sync("manual").await;
    scene.layer.call("update", json!({ "id": id, "content": "breakfast" })).await;
    scene.sync("manual").await;
    assert_eq!(scene.log().await[0]["outcome"], "vector");
    assert_eq!(scene.layer.call("syncStats", json!({})).await["conflicts"], 0);
    scene.expect_consistent().await;
}

/// Answers, after doing what the test wants to happen meanwhile.
struct Answering(std::result::Result<&'static str, &'static str>);

#[async_trait]
impl Resolver for Answering {
    async fn resolve(&self, conflict: Value) -> Result<String> {
        assert_eq!(
            (&conflict["vector"]["content"], &conflict["graph"]["content"]),
            (&json!("lunch"), &json!("dinner"))
        );
        assert_eq!((&conflict["userId"], &conflict["fields"]), (&json!("ann"), &json!(["content"])));
        self.0.map(str::to_owned).map_err(|problem| Error::persistence(Reason::Internal, problem))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_decides_and_one_that_fails_changes_nothing() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.edit(&id, "SET m.content = 'dinner'").await;
    for answer in [Err("it failed"), Ok("callback"), Ok("whoever")] {
        let result = scene.with_resolver(Answering(answer)).await;
        assert_eq!(figures(&result), [0, 1, 0], "{answer:?}: {result}");
        assert_eq!(scene.row(&id).await["content"], "lunch");
    }
    let result = scene.with_resolver(Answering(Ok("graph_wins"))).await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    assert_eq!(scene.row(&id).await["content"], "dinner");
    assert_eq!(scene.log().await[0]["strategy"], "graph_wins");
}

/// The memory is written while the conflict is being decided.
struct Overtaken(Arc<Client>, String);

#[async_trait]
impl Resolver for Overtaken {
    async fn resolve(&self, _conflict: Value) -> Result<String> {
        // On a stack of its own, as a caller's function is.
        let (layer, update) = (Arc::clone(&self.0), json!({ "id": self.1, "content": "breakfast" }));
        tokio::spawn(async move { layer.call("update", update).await }).await.expect("updated");
        Ok("graph_wins".to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_a_newer_write_overtakes_is_not_carried_out() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.edit(&id, "SET m.content = 'dinner'").await;
    let result = scene.with_resolver(Overtaken(Arc::clone(&scene.layer), id.clone())).await;
    assert_eq!(figures(&result), [0, 0, 0], "{result}");
    assert_eq!(scene.row(&id).await["content"], "breakfast");
    assert_eq!(scene.log().await, [Value::Null; 0]);
    scene.sync("graph_wins").await;
    assert_eq!(scene.row(&id).await["content"], "breakfast");
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_memory_becomes_one_or_goes() {
    let scene = Scene::on_neo4j().await;
    let kept = scene.memory().await;
    for (strategy, outcome) in [("graph_wins", "graph"), ("merge", "merged")] {
        let id = scene.orphan("ann", "content: 'from the graph', importance: 3").await;
        let result = scene.sync(strategy).await;
        assert_eq!(figures(&result), [1, 0, 0], "{strategy}: {result}");
        let row = scene.row(&id).await;
        assert_eq!((&row["content"], &row["importance"]), (&json!("from the graph"), &json!(3)));
        assert_eq!(scene.people(&id).await, ["Zoe"]);
        let log = scene.log().await;
        let entry = log.last().expect("an entry");
        assert_eq!((&entry["outcome"], &entry["vector"]), (&json!(outcome), &Value::Null));
        scene.expect_consistent().await;
    }
    let id = scene.orphan("ann", "content: 'from the graph'").await;
    let result = scene.sync("vector_wins").await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    assert_eq!((scene.row(&id).await, scene.live_nodes().await), (Value::Null, 3));
    assert_eq!(scene.log().await.last().expect("an entry")["graph"]["content"], "from the graph");
    assert_eq!(scene.row(&kept).await["content"], "lunch");
    scene.expect_consistent().await;
}

/// As after a restore of the graph from a dump in which a deleted memory was alive.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_tombstone_was_collected_goes_whatever_the_strategy() {
    let scene = Scene::on_neo4j().await;
    scene.memory().await;
    scene
        .sql("update izzie_memory.graph_targets set horizon_epoch = 1, horizon_revision = 9000000 where current")
        .await;
    for strategy in ["graph_wins", "merge", "latest_wins", "manual"] {
        let id = scene.orphan("ann", "content: 'deleted long ago'").await;
        let result = scene.sync(strategy).await;
        assert_eq!(figures(&result), [1, 0, 0], "{strategy}: {result}");
        assert_eq!((scene.row(&id).await, scene.live_nodes().await), (Value::Null, 1));
        assert_eq!(scene.log().await, [Value::Null; 0], "{strategy}: nothing was to be decided");
        // The next one lies below the horizon of the epoch that this one has begun.
        scene
            .sql(
                "update izzie_memory.graph_targets set horizon_epoch = (select epoch from izzie_memory.settings) \
                 where current",
            )
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_become_a_memory_is_left_and_told() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene
        .sql(
            "create table public.users (id text primary key); insert into public.users values ('ann'); \
         alter table public.memory_entries add foreign key (user_id) references public.users (id)",
        )
        .await;
    let long = format!("content: '{}'", "x".repeat(100_001));
    for (user, properties, problem) in [
        ("ghost", "content: 'from the graph'", "foreign key"),
        ("ann", "summary: 'no content'", "content"),
        ("ann", "content: 5", "content"),
        ("ann", long.as_str(), "content"),
        ("ann", "content: 'x', importance: 77", "importance"),
    ] {
        scene.orphan(user, properties).await;
        let result = scene.sync("graph_wins").await;
        assert_eq!(figures(&result), [0, 1, 0], "{problem}: {result}");
        let details = result["inconsistencies"][0]["details"].as_str().expect("text");
        assert!(details.contains(problem), "{details}");
        let log = scene.log().await;
        let entry = log.last().expect("an entry");
        assert_eq!((&entry["outcome"], &entry["userId"]), (&json!("open"), &json!(user)));
        assert_eq!(scene.live_nodes().await, 2, "the node stays");
        assert_eq!(figures(&scene.sync("vector_wins").await), [1, 0, 0]);
    }
    assert_eq!(scene.row(&id).await["content"], "lunch");
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_are_no_valid_input_are_left_and_told() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.layer.store("ben", "secret", &["Mallory"]).await;
    scene.layer.call("fullSync", json!({})).await;
    for edit in [
        "SET m.content = ' '",
        "SET m.importance = 11",
        "SET m.importance = 4294967296",
        "WITH m MATCH (m)<-[r:MENTIONED_IN]-() SET r.confidence = 2",
        "CREATE (:IzzieEntity {key: 'x', userId: 'ann', type: 'person', normalized: 'x'})-[:MENTIONED_IN]->(m)",
        "CREATE (:IzzieEntity {key: 'y', userId: 'ann', name: 'X', type: 'dragon'})-[:MENTIONED_IN]->(m)",
        "WITH m MATCH (e:IzzieEntity {name: 'Mallory', userId: 'ben'}) CREATE (e)-[:MENTIONED_IN {source: 'body'}]->(m)",
    ] {
        scene.edit(&id, edit).await;
        let result = scene.sync("graph_wins").await;
        assert_eq!(figures(&result), [0, 1, 0], "{edit}: {result}");
        let row = scene.row(&id).await;
        assert_eq!(
            (&row["content"], scene.people(&id).await),
            (&json!("lunch"), vec!["Ann".to_owned()]),
            "{edit}"
        );
        scene.sync("vector_wins").await;
        scene.expect_consistent().await;
    }
}

/// A source of other code's own is kept as text, as in a call.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_known_wins_as_it_stands() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    scene.edit(&id, "WITH m MATCH (m)<-[r:MENTIONED_IN]-() SET r.source = 'dream'").await;
    let result = scene.sync("graph_wins").await;
    assert_eq!(figures(&result), [1, 0, 0], "{result}");
    assert_eq!(scene.row(&id).await["entities"][0]["source"], "dream");
    scene.expect_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_does_not_come_back() {
    let scene = Scene::on_neo4j().await;
    let (soft, hard) = (scene.memory().await, scene.memory().await);
    scene.layer.call("delete", json!({ "id": soft })).await;
    scene.layer.call("delete", json!({ "id": hard, "hard": true })).await;
    scene.layer.call("fullSync", json!({})).await;
    for id in [&soft, &hard] {
        for edit in ["SET m.deleted = false", "SET m.deleted = false, m.revision = m.revision + 1000000"] {
            scene.edit(id, &format!("{edit}, m.content = 'back'")).await;
            let result = scene.sync("graph_wins").await;
            assert_eq!(figures(&result), [1, 0, 0], "{edit}: {result}");
            assert_eq!(result["inconsistencies"][0]["conflict"], false);
            assert_eq!((scene.row(id).await, scene.live_nodes().await), (Value::Null, 0), "{edit}");
        }
    }
    assert_eq!(scene.log().await, [Value::Null; 0]);
}

/// What a row does not hold itself, nobody can win.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_the_row_is_mended_whatever_the_strategy() {
    let scene = Scene::on_neo4j().await;
    let id = scene.memory().await;
    for strategy in ["graph_wins", "manual"] {
        scene.edit(&id, "SET m.h1 = 0, m.bucket = 5").await;
        assert_eq!(figures(&scene.sync(strategy).await), [1, 0, 0]);
        scene.expect_consistent().await;
    }
    assert_eq!(scene.log().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_listed_in_pages_by_user_and_state_and_can_be_purged() {
    let scene = Scene::on_postgres().await;
    for n in 0..5 {
        let user = if n == 4 { "ben" } else { "ann" };
        let outcome = if n < 3 { "vector" } else { "open" };
        let resolved = if n < 3 { "clock_timestamp()" } else { "null" };
        scene
            .sql(&format!(
                "insert into izzie_memory.conflicts (memory_id, user_id, strategy, outcome, fields, resolved_at) \
                 values (gen_random_uuid(), '{user}', 'manual', '{outcome}', '{{content}}', {resolved})"
            ))
            .await;
    }
    let list = async |args: Value| scene.layer.call("getConflicts", args).await;
    let first = list(json!({ "limit": 3 })).await;
    let second = list(json!({ "limit": 3, "cursor": first["nextCursor"] })).await;
    assert_eq!(first["items"].as_array().expect("a list").len(), 3);
    assert_eq!((second["items"].as_array().expect("a list").len(), &second["nextCursor"]), (2, &Value::Null));
    let count = async |args: Value| list(args).await["items"].as_array().expect("a list").len();
    assert_eq!(count(json!({ "state": "open" })).await, 2);
    assert_eq!(count(json!({ "state": "resolved", "userId": "ann" })).await, 3);
    assert_eq!(count(json!({ "userId": "ben" })).await, 1);
    let refused = scene.layer.fails("getConflicts", json!({ "cursor": "first" })).await;
    assert_eq!((refused.reason, &refused.details["field"]), (Reason::InvalidArgument, &json!("cursor")));

    let purge = async |args: Value| scene.layer.call("purgeConflicts", args).await["purged"].clone();
    assert_eq!(purge(json!({ "olderThan": "2001-01-01T00:00:00Z" })).await, 0);
    assert_eq!(purge(json!({ "userId": "ben" })).await, 0, "open ones stay");
    assert_eq!(purge(json!({})).await, 3);
    assert_eq!(count(json!({})).await, 2);
}
