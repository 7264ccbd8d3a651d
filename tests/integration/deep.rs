//! The deep check: whatever somebody edits in a graph is found, named and mended.

use std::sync::{Arc, Mutex};

use crate::common::layers::{Client, empty_neo4j};
use crate::common::neo4j::Driver;
use crate::common::postgres::Database;
use izzie_memory::context::{CallContext, Listener, Progress};
use izzie_memory::error::Reason;
use neo4rs::query;
use serde_json::{Value, json};

/// An edit by hand, and the fields that it makes differ.
type Edit = (&'static str, &'static [&'static str]);

/// Memories of two users that share all names. The first is the one to edit: it alone mentions Uma, and states that Uma
/// works with Ann.
async fn memories(layer: &Client) -> Vec<String> {
    let mut ids = vec![edited_memory(layer).await];
    for (user, content) in [("ann", "lunch"), ("ann", "dinner"), ("ben", "lunch"), ("ben", "dinner")] {
        ids.push(layer.store(user, content, &["Ann", "Ben"]).await);
    }
    // The first projection may take longer than a write waits for it.
    layer.call("fullSync", json!({})).await;
    ids
}

async fn edited_memory(layer: &Client) -> String {
    let entities = json!([
        { "type": "person", "value": "Ann", "confidence": 0.75, "source": "metadata", "context": "with Ann" },
        { "type": "person", "value": "Uma", "confidence": 0.5 },
    ]);
    let relationships = json!([{
        "fromType": "person", "fromValue": "Uma", "toType": "person", "toValue": "Ann",
        "relationshipType": "WORKS_WITH", "confidence": 0.5, "evidence": "they said so",
    }]);
    let memory = json!({
        "userId": "ann", "content": "Uma works with Ann", "summary": "work", "importance": 7,
        "entities": entities, "relationships": relationships,
    });
    layer.call("store", memory).await["memory"]["id"].as_str().expect("an id").to_owned()
}

async fn deep_check(layer: &Client) -> Value {
    layer.call("checkConsistency", json!({ "deep": true })).await
}

async fn verdict(layer: &Client) -> Value {
    layer.call("verify", json!({ "deep": true })).await["state"].clone()
}

/// Exactly this memory in exactly these fields is found, mended, and not found again.
async fn expect_found_and_mended(layer: &Client, edit: &Edit, id: &str) {
    let (edit, fields) = edit;
    let found = deep_check(layer).await;
    let named: Vec<(&str, &Value)> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| (item["memoryId"].as_str().expect("an id"), &item["fields"]))
        .collect();
    assert_eq!(named, [(id, &json!(fields))], "{edit}: {found}");
    assert_eq!(verdict(layer).await, "divergent", "{edit}");
    let repaired = layer.call("repairInconsistencies", json!({ "inconsistencies": found })).await;
    assert_eq!((&repaired["repaired"], &repaired["failed"]), (&json!(1), &json!(0)), "{edit}: {repaired}");
    assert_eq!(deep_check(layer).await, json!([]), "{edit}");
}

/// Of everything that a node, a mention, an entity or a relationship holds: other values, wrong types, none at all.
const NEO4J_EDITS: &[Edit] = &[
    ("SET m.content = 'edited'", &["content"]),
    ("SET m.content = 5", &["content"]),
    ("REMOVE m.content", &["content"]),
    ("SET m.summary = 'edited'", &["summary"]),
    ("REMOVE m.summary", &["summary"]),
    ("SET m.importance = 9", &["importance"]),
    ("SET m.importance = 'high'", &["importance"]),
    ("SET m.createdAt = datetime('2020-01-01T00:00:00Z')", &["createdAt"]),
    ("SET m.createdAt = 'yesterday'", &["createdAt"]),
    ("SET m.userId = 'ben'", &["userId"]),
    ("SET m.userId = 5", &["userId"]),
    ("SET m.h1 = m.h1 + 1", &["digest"]),
    ("SET m.h2 = 'x'", &["digest"]),
    ("SET m.bucket = (m.bucket + 1) % 1024", &["bucket"]),
    ("REMOVE m.bucket", &["bucket"]),
    ("SET m.revision = m.revision - 1", &[]),
    ("SET m.revision = m.revision + 1000000", &[]),
    ("SET m.revision = 'newest'", &[]),
    ("SET m.revision = toFloat(m.revision)", &["version"]),
    ("SET m.deleted = true", &[]),
    ("SET m.deleted = 'no'", &[]),
    ("REMOVE m.detached", &[]),
    ("SET m:Memory", &["labels"]),
    ("SET m.relationships = 0", &["relationships"]),
    ("DETACH DELETE m", &[]),
    ("SET m.content = 'edited', m.importance = 1, m.h1 = 5", &["content", "importance", "digest"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-({normalized: 'ann'}) SET r.confidence = 0.25", &["mentions"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-({normalized: 'ann'}) SET r.confidence = 'high'", &["mentions"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-({normalized: 'ann'}) SET r.source = 'dream'", &["mentions"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-({normalized: 'ann'}) SET r.context = ['edited']", &["mentions"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-({normalized: 'ann'}) REMOVE r.context", &["mentions"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-({normalized: 'ann'}) DELETE r", &["mentions"]),
    ("WITH m MATCH (m)<-[r:MENTIONED_IN]-() DELETE r", &["mentions", "relationships"]),
    (
        "WITH m MATCH (e:IzzieEntity {normalized: 'ben', userId: 'ann'}) CREATE (e)-[:MENTIONED_IN]->(m)",
        &["mentions"],
    ),
    (
        "WITH m MATCH (m)<-[r:MENTIONED_IN]-(e {normalized: 'uma'}) CREATE (e)-[x:MENTIONED_IN]->(m) SET x = r",
        &["mentions", "frequency"],
    ),
    ("CREATE (:IzzieEntity)-[:MENTIONED_IN]->(m)", &["mentions"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.userId = 'ben'", &["entities"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.normalized = 'una'", &["entities"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) REMOVE e.normalized", &["entities"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) REMOVE e:IzziePerson SET e:IzzieCompany", &["labels"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e:Company", &["labels"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e:IzzieCompany", &["labels"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) REMOVE e:IzziePerson", &["labels"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.type = 'company'", &["labels"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.type = 'dragon'", &["labels"]),
    ("SET m.mentions = 7", &["mentions"]),
    ("REMOVE m.mentions", &["mentions"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.foreign = 3, e.frequency = -2", &["frequency"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.frequency = 7", &["frequency"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.frequency = 'often'", &["frequency"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) SET e.key = 'edited'", &["mentions", "relationships"]),
    ("WITH m MATCH (m)<--(e {normalized: 'uma'}) DETACH DELETE e", &["mentions", "relationships"]),
    ("WITH m MATCH ()-[r:WORKS_WITH {memoryId: m.key}]->() DELETE r", &["relationships"]),
    ("WITH m MATCH ()-[r:WORKS_WITH {memoryId: m.key}]->() SET r.confidence = 1", &["relationships"]),
    ("WITH m MATCH ()-[r:WORKS_WITH {memoryId: m.key}]->() SET r.evidence = 5", &["relationships"]),
    ("WITH m MATCH ()-[r:WORKS_WITH {memoryId: m.key}]->() SET r.memoryId = 'edited'", &["relationships"]),
    (
        "WITH m MATCH (a)-[r:WORKS_WITH {memoryId: m.key}]->(b) WITH a, b, r, properties(r) AS old \
         DELETE r CREATE (b)-[x:WORKS_WITH]->(a) SET x = old",
        &["relationships"],
    ),
    (
        "WITH m MATCH (a)-[r:WORKS_WITH {memoryId: m.key}]->(b) CREATE (a)-[x:WORKS_WITH]->(b) SET x = r",
        &["relationships"],
    ),
    (
        "WITH m MATCH (a)-[r:WORKS_WITH {memoryId: m.key}]->(b) CREATE (a)-[x:LEADS]->(b) SET x = r",
        &["relationships"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_property_edited_by_hand_on_neo4j() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    let ids = memories(&layer).await;
    assert_eq!(verdict(&layer).await, "consistent");
    let driver = Driver::connect();
    let before = relations(&driver).await;
    for edit in NEO4J_EDITS {
        let cypher = format!("MATCH (m:IzzieMemory {{key: $key}}) {}", edit.0);
        driver.rows(query(&cypher).param("key", ids[0].as_str())).await;
        expect_found_and_mended(&layer, edit, &ids[0]).await;
    }
    assert_eq!(verdict(&layer).await, "consistent");
    assert_eq!(relations(&driver).await, before, "nothing that the edits left is still there");
}

/// Every relationship between entities that somebody mentions.
async fn relations(driver: &Driver) -> Vec<String> {
    let rows = driver
        .rows(query(
            "MATCH (:IzzieMemory)<--(a:IzzieEntity)-[r]->(b:IzzieEntity)-->(:IzzieMemory) \
             WITH DISTINCT a, r, b \
             RETURN a.normalized + ' ' + type(r) + ' ' + b.normalized + ' ' + r.memoryId AS line ORDER BY line",
        ))
        .await;
    rows.iter().map(|row| row.get("line").expect("text")).collect()
}

const MENTION: &str = "where memory_id = '{id}' and entity_key = \
    (select key from izzie_memory.graph_entities where user_id = 'ann' and normalized = 'ann')";

const POSTGRES_EDITS: &[Edit] = &[
    ("update izzie_memory.graph_memories set user_id = 'ben' where memory_id = '{id}'", &["userId"]),
    ("update izzie_memory.graph_memories set h1 = h1 + 1 where memory_id = '{id}'", &["digest"]),
    (
        "update izzie_memory.graph_memories set bucket = (bucket + 1) % 1024 where memory_id = '{id}'",
        &["bucket"],
    ),
    ("update izzie_memory.graph_memories set revision = revision - 1 where memory_id = '{id}'", &[]),
    ("update izzie_memory.graph_memories set revision = revision + 1000000 where memory_id = '{id}'", &[]),
    ("update izzie_memory.graph_memories set deleted = true where memory_id = '{id}'", &[]),
    ("update izzie_memory.graph_memories set detached = true where memory_id = '{id}'", &[]),
    ("delete from izzie_memory.graph_memories where memory_id = '{id}'", &[]),
    ("update izzie_memory.graph_mentions set confidence = 0.25 {mention}", &["mentions"]),
    ("update izzie_memory.graph_mentions set confidence = 'NaN' {mention}", &["mentions"]),
    ("update izzie_memory.graph_mentions set source = 'dream' {mention}", &["mentions"]),
    ("update izzie_memory.graph_mentions set context = null {mention}", &["mentions"]),
    ("delete from izzie_memory.graph_mentions {mention}", &["mentions"]),
    ("delete from izzie_memory.graph_mentions where memory_id = '{id}'", &["mentions"]),
    (
        "insert into izzie_memory.graph_mentions select '{id}', key, 'ann', 1, 'body', null, 0 \
         from izzie_memory.graph_entities where user_id = 'ann' and normalized = 'ben'",
        &["mentions"],
    ),
    ("update izzie_memory.graph_entities set user_id = 'ben' where normalized = 'uma'", &["entities"]),
    ("update izzie_memory.graph_entities set normalized = 'una' where normalized = 'uma'", &["entities"]),
    ("update izzie_memory.graph_entities set label = 'Company' where normalized = 'uma'", &["labels"]),
    ("update izzie_memory.graph_entities set frequency = 7 where normalized = 'uma'", &["frequency"]),
    (
        "delete from izzie_memory.graph_entities where normalized = 'uma'",
        &["entities", "labels", "frequency"],
    ),
    (
        "update izzie_memory.graph_entities set key = 'edited' where normalized = 'uma'",
        &["entities", "labels", "frequency"],
    ),
    ("delete from izzie_memory.graph_relations where memory_id = '{id}'", &["relationships"]),
    (
        "update izzie_memory.graph_relations set confidence = 'Infinity' where memory_id = '{id}'",
        &["relationships"],
    ),
    ("update izzie_memory.graph_relations set evidence = '' where memory_id = '{id}'", &["relationships"]),
    ("update izzie_memory.graph_relations set type = 'EDITED' where memory_id = '{id}'", &["relationships"]),
    (
        "update izzie_memory.graph_relations set from_key = to_key, to_key = from_key where memory_id = '{id}'",
        &["relationships"],
    ),
    (
        "insert into izzie_memory.graph_relations select memory_id, 'LEADS', from_key, to_key, user_id, 1, '' \
         from izzie_memory.graph_relations where memory_id = '{id}'",
        &["relationships"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_property_edited_by_hand_on_postgres() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let ids = memories(&layer).await;
    assert_eq!(verdict(&layer).await, "consistent");
    let mut sql = database.connect().await;
    for edit in POSTGRES_EDITS {
        sql.run(&edit.0.replace("{mention}", MENTION).replace("{id}", &ids[0])).await;
        expect_found_and_mended(&layer, edit, &ids[0]).await;
    }
    assert_eq!(verdict(&layer).await, "consistent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_speaks_for_its_depth_only() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    let ids = memories(&layer).await;
    let edit = "MATCH (m:IzzieMemory {key: $key}) SET m.content = 'edited'";
    Driver::connect().rows(query(edit).param("key", ids[0].as_str())).await;
    let digest = layer.call("verify", json!({})).await;
    assert_eq!((&digest["state"], &digest["depth"]), (&json!("consistent"), &json!("digest")));
    let deep = layer.call("verify", json!({ "deep": true })).await;
    assert_eq!((&deep["state"], &deep["depth"]), (&json!("divergent"), &json!("deep")));
    assert_eq!((&deep["checked"], &deep["differences"], &deep["pending"]), (&json!(5), &json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_makes_a_verdict_inconclusive_and_what_was_given_up_divergent() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    memories(&layer).await;
    let mut sql = database.connect().await;
    sql.run("insert into public.memory_entries (user_id, content) values ('ann', 'from other code')").await;
    for deep in [false, true] {
        let owed = layer.call("verify", json!({ "deep": deep })).await;
        assert_eq!((&owed["state"], &owed["pending"]), (&json!("inconclusive"), &json!(1)));
        let others = layer.call("verify", json!({ "deep": deep, "userId": "ben" })).await;
        assert_eq!((&others["state"], &others["pending"]), (&json!("consistent"), &json!(0)));
    }
    sql.run(
        "update izzie_memory.memory_sync set state = 'dead' where target not in ('embedding', 'extraction')",
    )
    .await;
    for deep in [false, true] {
        let given_up = layer.call("verify", json!({ "deep": deep })).await;
        assert_eq!((&given_up["state"], &given_up["differences"]), (&json!("divergent"), &json!(1)));
    }
}

/// A node that says to be another user's still belongs to the owner of its memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_one_user_tells_nothing_of_another() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    let ids = memories(&layer).await;
    let edit = "MATCH (m:IzzieMemory {key: $key}) SET m.userId = 'ben', m.content = 'edited'";
    Driver::connect().rows(query(edit).param("key", ids[0].as_str())).await;
    for deep in [false, true] {
        let of =
            async |user: &str| layer.call("checkConsistency", json!({ "userId": user, "deep": deep })).await;
        assert_eq!(of("ben").await, json!([]));
        let found = of("ann").await;
        assert_eq!(found.as_array().expect("a list").len(), 1);
        assert_eq!(
            (&found[0]["memoryId"], &found[0]["fields"]),
            (&json!(ids[0]), &json!(["userId", "content"]))
        );
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<Progress>>);

impl Listener for Heard {
    fn progress(&self, progress: Progress) {
        self.0.lock().expect("not poisoned").push(progress);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_check_tells_how_far_it_is_and_stops_when_it_is_aborted() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    memories(&layer).await;
    let heard = Arc::new(Heard::default());
    let context = CallContext { listener: Some(heard.clone()), ..CallContext::default() };
    let request = json!({ "op": "verify", "args": { "deep": true } }).to_string();
    layer.0.call(&request, None, &context).await.expect("verified");
    let last = *heard.0.lock().expect("not poisoned").last().expect("a word");
    assert_eq!((last.done, last.total), (5, 5));
    context.cancel.cancel();
    let aborted = layer.0.call(&request, None, &context).await.expect_err("aborted");
    assert_eq!(aborted.reason, Reason::Aborted);
}
