//! What concerns the whole Neo4j database. Its tests have the server for themselves.

use crate::common::neo4j::{Driver, alone, options, store};
use crate::common::sample::{memory, user};
use izzie_memory::error::Reason;
use izzie_memory::model::Version;
use izzie_memory::store::graph::{Beat, GraphStore};
use neo4rs::query;
use uuid::Uuid;

#[tokio::test]
async fn clearing_everything_spares_other_peoples_nodes_and_the_beat() {
    let _alone = alone().await;
    let (graph, driver, mark) = (store(&options()), Driver::connect(), user("foreign"));
    graph.prepare().await.expect("prepared");
    let held = graph.read_beat().await.expect("read");
    let horizon = held.as_ref().map_or(Version { epoch: 0, revision: 0 }, |beat| beat.horizon);
    let beat = Beat { store_id: Uuid::new_v4(), epoch: 1, high_water: 1, nonce: Uuid::new_v4(), horizon };
    assert!(graph.swap_beat(held.map(|beat| beat.nonce), &beat).await.expect("swapped"));
    let foreign = query(
        "CREATE (a:Person {mark: $mark, userId: $mark, key: 'x'})-[:WORKS_WITH {memoryId: 'x'}]->(:Memory {mark: $mark, key: 'y'})",
    );
    driver.rows(foreign.param("mark", mark.as_str())).await;
    for owner in [user("one"), user("two")] {
        graph.project(&[memory(&owner, Uuid::new_v4(), 1, &["Ann"])]).await.expect("projected");
    }

    assert!(graph.clear(None).await.expect("cleared").nodes >= 2);
    assert_eq!(graph.count(None).await.expect("counted"), 0);
    assert_eq!(graph.read_beat().await.expect("read"), Some(beat));
    let left = driver.rows(query("MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity RETURN n.key AS key")).await;
    assert!(left.is_empty());
    let foreign = query(
        "MATCH (a:Person {mark: $mark})-[r:WORKS_WITH]->(b:Memory {mark: $mark}) DETACH DELETE a, b RETURN 1",
    );
    assert_eq!(driver.rows(foreign.param("mark", mark.as_str())).await.len(), 1);
}

#[tokio::test]
async fn a_dropped_constraint_is_noticed_and_made_again() {
    let _alone = alone().await;
    let (graph, driver) = (store(&options()), Driver::connect());
    graph.prepare().await.expect("prepared");
    driver.rows(query("DROP CONSTRAINT izzie_beat_key")).await;
    graph.prepare().await.expect("prepared again");
    let found =
        driver.rows(query("SHOW CONSTRAINTS YIELD name WHERE name = 'izzie_beat_key' RETURN name")).await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_constraint_that_cannot_be_made_is_an_error() {
    let _alone = alone().await;
    let (graph, driver) = (store(&options()), Driver::connect());
    graph.prepare().await.expect("prepared");
    driver.rows(query("DROP CONSTRAINT izzie_beat_key")).await;
    driver.rows(query("UNWIND [1, 2] AS n CREATE (:IzzieBeat {key: 'double'})")).await;
    let error = graph.prepare().await.expect_err("two nodes of one key");
    driver.rows(query("MATCH (n:IzzieBeat {key: 'double'}) DETACH DELETE n")).await;
    assert_eq!(error.reason, Reason::GraphRejected);
    assert!(error.details["code"].as_str().expect("a code").contains("Constraint"), "{error:?}");

    // The name is taken by something else.
    driver.rows(query("CREATE CONSTRAINT izzie_beat_key FOR (n:IzzieForeign) REQUIRE n.key IS UNIQUE")).await;
    let error = graph.prepare().await.expect_err("the name is taken");
    driver.rows(query("DROP CONSTRAINT izzie_beat_key")).await;
    assert_eq!(
        (error.reason, error.details["name"].as_str()),
        (Reason::GraphRejected, Some("izzie_beat_key"))
    );
    graph.prepare().await.expect("prepared");
}

/// Neo4j killed while it makes a constraint leaves its index behind, without an owner; so does another version of ours.
#[tokio::test]
async fn an_index_that_stands_in_the_way_is_replaced() {
    let _alone = alone().await;
    let (graph, driver) = (store(&options()), Driver::connect());
    graph.prepare().await.expect("prepared");
    driver.rows(query("DROP CONSTRAINT izzie_beat_key")).await;
    driver.rows(query("CREATE INDEX izzie_beat_key FOR (n:IzzieBeat) ON (n.key)")).await;
    graph.prepare().await.expect("the constraint takes its place");
    let constraints = driver.rows(query("SHOW CONSTRAINTS YIELD name WHERE name = 'izzie_beat_key'")).await;
    assert_eq!(constraints.len(), 1);
}

/// The properties of the model, on nodes with labels of ours only.
#[tokio::test]
async fn nodes_look_as_the_model_says() {
    let _alone = alone().await;
    let (graph, driver, owner) = (store(&options()), Driver::connect(), user("model"));
    graph.prepare().await.expect("prepared");
    let mut live = memory(&owner, Uuid::new_v4(), 3, &["Ann"]);
    live.summary = Some("short".into());
    graph.project(std::slice::from_ref(&live)).await.expect("projected");
    let read = || async {
        let read = query(
            "MATCH (m:IzzieMemory {key: $key}) OPTIONAL MATCH (e)-[r:MENTIONED_IN]->(m) \
             RETURN labels(m) AS labels, keys(m) AS properties, m.content AS content, m.summary AS summary, \
               m.importance AS importance, toString(m.createdAt) AS createdAt, toString(r.extractedAt) AS extractedAt",
        );
        driver.rows(read.param("key", live.memory_id.to_string())).await.remove(0)
    };
    let row = read().await;
    let text = |column: &str| row.get::<String>(column).expect("text");
    assert_eq!(row.get::<Vec<String>>("labels").expect("labels"), ["IzzieMemory"]);
    assert_eq!((text("content"), text("summary")), ("revision 3".into(), "short".into()));
    assert_eq!(row.get::<i64>("importance").expect("a number"), 5);
    assert_eq!(
        (text("createdAt"), text("extractedAt")),
        ("2023-11-14T22:13:20.123456Z".into(), text("createdAt"))
    );

    graph.project(&[crate::common::sample::tombstone(&live, 4)]).await.expect("projected");
    let row = read().await;
    assert_eq!(row.get::<Vec<String>>("labels").expect("labels"), ["IzzieMemory"]);
    let mut properties = row.get::<Vec<String>>("properties").expect("names");
    properties.sort();
    assert_eq!(
        properties,
        ["bucket", "deleted", "detached", "epoch", "h1", "h2", "key", "revision", "userId"]
    );
    graph.clear(Some(&owner)).await.expect("cleared");
}
