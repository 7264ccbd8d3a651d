//! A Neo4j that we share with another program: by name the application's own graph writer, which knows no users, writes
//! the same labels and normalized names, has constraints of its own, and routes that delete by label or by hand.

use crate::common::layers::{Client, empty_neo4j};
use crate::common::neo4j::Driver;
use crate::common::postgres::Database;
use izzie_memory::error::Reason;
use neo4rs::query;
use serde_json::{Value, json};

/// What the application's `initializeGraph` makes, and one constraint more that people add.
const CONSTRAINTS: [&str; 4] = [
    "CREATE CONSTRAINT app_person IF NOT EXISTS FOR (n:Person) REQUIRE n.normalized IS UNIQUE",
    "CREATE CONSTRAINT app_company IF NOT EXISTS FOR (n:Company) REQUIRE n.normalized IS UNIQUE",
    "CREATE CONSTRAINT app_name IF NOT EXISTS FOR (n:Person) REQUIRE n.name IS UNIQUE",
    "CREATE INDEX app_person_name IF NOT EXISTS FOR (n:Person) ON (n.name)",
];
const DROP_CONSTRAINTS: [&str; 4] = [
    "DROP CONSTRAINT app_person IF EXISTS",
    "DROP CONSTRAINT app_company IF EXISTS",
    "DROP CONSTRAINT app_name IF EXISTS",
    "DROP INDEX app_person_name IF EXISTS",
];

/// The application's statements, one mail after the other.
const WRITER: [&str; 4] = [
    "MERGE (e:Email {id: $mail}) SET e.subject = 'about Sarah Chen'",
    "UNWIND [['Sarah Chen', 'sarah chen'], ['Sarah Chen (work)', 'sarah_chen']] AS x
     MERGE (n:Person {normalized: x[1]})
     SET n.name = x[0], n.frequency = coalesce(n.frequency, 0) + 1, n.confidence = 0.9,
       n.firstSeen = coalesce(n.firstSeen, '2026-01-01'), n.lastSeen = '2026-01-28'
     MERGE (c:Company {normalized: 'acme'}) SET c.name = 'Acme', c.frequency = coalesce(c.frequency, 0) + 1",
    "MATCH (entity:Person {normalized: 'sarah chen'}) MATCH (email:Email {id: $mail})
     MERGE (entity)-[r:MENTIONED_IN]->(email) SET r.confidence = 0.9
     WITH email MATCH (c:Company {normalized: 'acme'}) MERGE (c)-[:MENTIONED_IN]->(email)",
    "MATCH (e1:Person {normalized: 'sarah chen'}) MATCH (e2:Company {normalized: 'acme'})
     MERGE (e1)-[r:WORKS_FOR]-(e2) SET r.weight = coalesce(r.weight, 0) + 1",
];

/// What a person types into Neo4j Browser: by name, whatever the label, so that it meets our nodes too.
const BY_HAND: [&str; 3] = [
    "MATCH (n {normalized: 'sarah chen'}) MATCH (email:Email) MERGE (n)-[:MENTIONED_IN]->(email)",
    "MATCH (a {normalized: 'sarah chen'}) MATCH (b {normalized: 'acme'}) WHERE NOT (a)-[:LEADS]-(b)
     CREATE (a)-[:LEADS {weight: 1}]->(b)",
    "MATCH (m:IzzieMemory) MATCH (email:Email {id: 'mail 0'}) CREATE (m)-[:SEEN_IN]->(email)",
];

const OURS: &str = "(n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat)";

struct Scene {
    layer: Client,
    driver: Driver,
    database: Database,
}

impl Scene {
    async fn new() -> Self {
        let driver = Driver::connect();
        run(&driver, "MATCH (n) WHERE n:Email OR n:Person OR n:Company OR n:Memory DETACH DELETE n").await;
        for constraint in DROP_CONSTRAINTS {
            run(&driver, constraint).await;
        }
        let database = Database::migrated().await;
        Self { layer: Client::on(&database, true), driver, database }
    }

    /// Bob's two memories and Alice's three, which name the same people.
    async fn remember(&self) -> Vec<String> {
        let mut ids = self.remember_of("bob", 2).await;
        ids.extend(self.remember_of("alice", 3).await);
        self.layer.call("fullSync", json!({})).await;
        ids
    }

    async fn remember_of(&self, user: &str, contents: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..contents {
            let memory = json!({
                "userId": user, "content": format!("memory {number} of {user}"),
                "entities": [{ "type": "person", "value": "Sarah Chen" }, { "type": "company", "value": "Acme" },
                    { "type": "tool", "value": "Atlas" }, { "type": "action_item", "value": "call" }],
                "relationships": [{ "fromType": "person", "fromValue": "Sarah Chen", "toType": "company",
                    "toValue": "Acme", "relationshipType": "WORKS_FOR" }],
            });
            let stored = self.layer.try_call_with("store", memory, json!({ "graphWaitMs": 20_000 })).await;
            ids.push(stored.expect("stored")["memory"]["id"].as_str().expect("an id").to_owned());
        }
        ids
    }

    async fn others_write(&self) {
        for mail in ["mail 0", "mail 1", "mail 2", "mail 3"] {
            for statement in WRITER {
                self.driver.rows(query(statement).param("mail", mail)).await;
            }
        }
    }

    /// Everything of the other program's, as it stands.
    async fn theirs(&self) -> Vec<String> {
        let nodes = format!(
            "MATCH (n) WHERE NOT {OURS} AND (n:Email OR n:Person OR n:Company) \
             RETURN reduce(all = '', l IN labels(n) | all + l) + coalesce(n.normalized, n.id) \
               + toString(coalesce(n.frequency, 0)) AS line ORDER BY line"
        );
        let theirs = |n: &str| format!("({n}:Email OR {n}:Person OR {n}:Company)");
        let edges = format!(
            "MATCH (a)-[r]->(b) WHERE {} AND {} RETURN coalesce(a.normalized, a.id) + type(r) \
             + coalesce(b.normalized, b.id) + toString(coalesce(r.weight, 0)) AS line ORDER BY line",
            theirs("a"),
            theirs("b")
        );
        let mut all = lines(&self.driver, &nodes).await;
        all.extend(lines(&self.driver, &edges).await);
        all
    }

    async fn expect_exact(&self, expected: &[(&str, i64)]) {
        for (user, count) in expected {
            for (kind, value) in [("person", "Sarah Chen"), ("company", "Acme"), ("tool", "Atlas")] {
                let entity = self.entity(user, kind, value).await;
                assert_eq!(entity["frequency"], json!(count), "{user} {value}: {entity}");
            }
            let stats = self.layer.call("getEntityStats", json!({ "userId": user })).await;
            assert_eq!(
                (&stats["total"], &stats["mentions"], &stats["relationships"]["WORKS_FOR"]),
                (&json!(4), &json!(count * 4), &json!(1)),
                "{stats}"
            );
            assert_eq!(stats["relationships"]["LEADS"], json!(0), "{stats}");
            let strongest = self.layer.call("strongestRelations", json!({ "userId": user })).await;
            let weights: Vec<_> =
                strongest.as_array().expect("a list").iter().map(|r| &r["weight"]).collect();
            assert!(weights.iter().all(|weight| **weight == json!(count)), "{strongest}");
        }
        for deep in [false, true] {
            let verdict = self.layer.call("verify", json!({ "deep": deep })).await;
            assert_eq!(
                (&verdict["state"], &verdict["differences"]),
                (&json!("consistent"), &json!(0)),
                "{verdict}"
            );
            let listed = self.layer.call("checkConsistency", json!({ "deep": deep })).await;
            assert_eq!(listed, json!([]));
        }
    }

    async fn entity(&self, user: &str, kind: &str, value: &str) -> Value {
        let args = json!({ "userId": user, "entity": { "type": kind, "value": value } });
        self.layer.call("getEntity", args).await
    }

    async fn deep(&self) -> Value {
        self.layer.call("verify", json!({ "deep": true })).await
    }
}

async fn run(driver: &Driver, cypher: &str) {
    driver.rows(query(cypher)).await;
}

async fn lines(driver: &Driver, cypher: &str) -> Vec<String> {
    driver.rows(query(cypher)).await.iter().map(|row| row.get("line").expect("text")).collect()
}

async fn number(driver: &Driver, cypher: &str) -> i64 {
    driver.rows(query(cypher)).await[0].get("n").expect("a number")
}

async fn ours_of(driver: &Driver, user: &str) -> i64 {
    number(
        driver,
        &format!("MATCH (n {{userId: '{user}'}}) WHERE n:IzzieEntity OR n:IzzieMemory AND NOT n.deleted RETURN count(n) AS n"),
    )
    .await
}

/// A4: two users and the foreign writer share nothing, whoever comes first; counts are exact, deletion is complete.
#[tokio::test(flavor = "multi_thread")]
async fn two_users_and_another_writer_share_nothing() {
    let _alone = empty_neo4j().await;
    for they_come_first in [true, false] {
        crate::common::layers::wipe_neo4j().await;
        let scene = Scene::new().await;
        for constraint in CONSTRAINTS {
            run(&scene.driver, constraint).await;
        }
        if they_come_first {
            scene.others_write().await;
        }
        scene.remember().await;
        if !they_come_first {
            scene.others_write().await;
        }
        assert_eq!(number(&scene.driver, "MATCH (n:Person) RETURN count(n) AS n").await, 2, "theirs alone");
        let shared = format!(
            "MATCH (n)--(m) WHERE {OURS} AND NOT (m:IzzieMemory OR m:IzzieEntity) RETURN count(*) AS n"
        );
        assert_eq!(number(&scene.driver, &shared).await, 0, "nothing joins the two");
        scene.expect_exact(&[("bob", 2), ("alice", 3)]).await;
        assert_eq!(scene.deep().await.get("foreignEdges"), None);

        // By hand, edges of the same types reach our nodes: they do not count, and are told by the deep check.
        for statement in BY_HAND {
            run(&scene.driver, statement).await;
        }
        // Their own people got some by these statements too.
        let theirs = scene.theirs().await;
        scene.expect_exact(&[("bob", 2), ("alice", 3)]).await;
        let hung = number(&scene.driver, HUNG).await;
        assert!(hung > 10);
        assert_eq!(scene.deep().await["foreignEdges"], json!(hung));
        let synced = scene.layer.call("fullSync", json!({ "deep": true })).await;
        assert_eq!((&synced["foreignEdges"], &synced["repaired"]), (&json!(hung), &json!(0)), "{synced}");
        // Nor do they when our entities are written and counted again.
        scene.remember().await;
        scene.expect_exact(&[("bob", 4), ("alice", 6)]).await;

        // Their routes that delete by label do not reach us.
        run(&scene.driver, "MATCH (n:Topic) DETACH DELETE n").await;
        scene.expect_exact(&[("bob", 4), ("alice", 6)]).await;

        let of_bobs_entities = number(
            &scene.driver,
            "MATCH (e:IzzieEntity {userId: 'bob'})-[r]-(x) WHERE r.memoryId IS NULL AND NOT x:IzzieMemory RETURN count(DISTINCT r) AS n",
        )
        .await;
        assert!(of_bobs_entities > 0);
        let deleted = scene.layer.call("deleteAll", json!({ "userId": "bob", "hard": true })).await;
        assert_eq!((&deleted["deleted"], &deleted["pending"]), (&json!(4), &json!(0)));
        assert_eq!(deleted["foreignEdges"], json!(of_bobs_entities), "told, and gone with bob's entities");
        assert_eq!(ours_of(&scene.driver, "bob").await, 0, "no edge of theirs keeps a node of ours alive");
        assert_eq!(scene.entity("bob", "person", "Sarah Chen").await, Value::Null);
        scene.expect_exact(&[("alice", 6)]).await;

        let before = number(&scene.driver, HUNG).await;
        let rebuilt = scene.layer.call("rebuildGraph", json!({ "clearExisting": true })).await;
        assert_eq!((&rebuilt["failed"], &rebuilt["pending"]), (&json!(0), &json!(0)), "{rebuilt}");
        assert_eq!(rebuilt["foreignEdges"], json!(before), "each told once");
        scene.expect_exact(&[("alice", 6)]).await;
        assert_eq!(scene.deep().await.get("foreignEdges"), None);
        assert_eq!(
            number(&scene.driver, "MATCH (n:IzzieEntity) WHERE n.foreign IS NOT NULL RETURN count(n) AS n")
                .await,
            0
        );
        assert_eq!(scene.theirs().await, theirs, "nothing of theirs was touched");
        for constraint in DROP_CONSTRAINTS {
            run(&scene.driver, constraint).await;
        }
        run(&scene.driver, "MATCH (n) WHERE n:Email OR n:Person OR n:Company DETACH DELETE n").await;
    }
}

/// Edges that are not ours at nodes that are.
const HUNG: &str = "MATCH (n)-[r]-() WHERE (n:IzzieMemory OR n:IzzieEntity) \
    AND NOT (startNode(r):IzzieEntity AND (endNode(r):IzzieMemory AND type(r) = 'MENTIONED_IN' \
      OR endNode(r):IzzieEntity AND r.memoryId IS NOT NULL)) RETURN count(DISTINCT r) AS n";

/// The labels of every node, and one per type for people.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_carries_labels_of_ours_only() {
    let _alone = empty_neo4j().await;
    let scene = Scene::new().await;
    scene.remember().await;
    let labels = lines(
        &scene.driver,
        "MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity UNWIND labels(n) AS line RETURN DISTINCT line ORDER BY line",
    )
    .await;
    assert_eq!(
        labels,
        ["IzzieActionItem", "IzzieCompany", "IzzieEntity", "IzzieMemory", "IzziePerson", "IzzieTool"]
    );
    let mismatched = "MATCH (n:IzzieEntity) WHERE size(labels(n)) <> 2 RETURN count(n) AS n";
    assert_eq!(number(&scene.driver, mismatched).await, 0);
}

/// The graph as the code before this one left it: the application's labels, its edges at our entities, counts with
/// theirs in them, an entity that nobody mentions any more but that their edge kept alive.
const OLD_SHAPE: [&str; 7] = [
    "MATCH (m:IzzieMemory) SET m:Memory REMOVE m.mentions",
    "MATCH ()-[r]->() WHERE r.memoryId IS NOT NULL REMOVE r.bucket",
    "MATCH (e:IzziePerson) SET e:Person REMOVE e:IzziePerson",
    "MATCH (e:IzzieCompany) SET e:Company REMOVE e:IzzieCompany",
    "MATCH (e:IzzieEntity) WHERE e:IzzieTool OR e:IzzieActionItem SET e:Project REMOVE e:IzzieTool:IzzieActionItem",
    "CREATE (e:IzzieEntity:Person {key: 'left over', userId: 'bob', name: 'Old Joe', normalized: 'old joe', type: 'person',
       frequency: 1, confidence: 1.0, firstSeen: datetime(), lastSeen: datetime()})-[:MENTIONED_IN]->(:Email {id: 'old'})",
    "MATCH (e:IzzieEntity:Person {normalized: 'sarah chen'}) MATCH (m:Email {id: 'old'})
       CREATE (e)-[:MENTIONED_IN]->(m) SET e.frequency = e.frequency + 1",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_of_the_old_shape_moves_over_and_theirs_stays() {
    let _alone = empty_neo4j().await;
    let scene = Scene::new().await;
    let ids = scene.remember().await;
    // One that stays in the graph though it is deleted.
    let detached = json!({ "id": ids[0], "userId": "bob", "cascadeGraph": false });
    scene.layer.call("delete", detached).await;
    scene.layer.call("drain", json!({})).await;
    for statement in OLD_SHAPE {
        run(&scene.driver, statement).await;
    }
    run(
        &scene.driver,
        "CREATE (:Person {normalized: 'sarah chen', name: 'Theirs'})<-[:KNOWS]-(:Memory {key: 'theirs'})",
    )
    .await;
    let mut sql = scene.database.connect().await;
    sql.run("update izzie_memory.graph_targets set projection_version = 1").await;

    let layer = Client::on(&scene.database, true);
    let synced = layer.call("fullSync", json!({})).await;
    assert_eq!((&synced["pending"], &synced["failed"]), (&json!(0), &json!(0)), "{synced}");
    let old = "MATCH (n) WHERE (n:IzzieMemory OR n:IzzieEntity) AND (n:Memory OR n:Person OR n:Company OR n:Project \
        OR n:Topic OR n:Location) RETURN count(n) AS n";
    assert_eq!(number(&scene.driver, old).await, 0, "no label of theirs is left on a node of ours");
    let unlabelled = "MATCH (n:IzzieEntity) WHERE size(labels(n)) <> 2 RETURN count(n) AS n";
    assert_eq!(number(&scene.driver, unlabelled).await, 0);
    let theirs = "MATCH (:Person {name: 'Theirs'})<-[:KNOWS]-(:Memory {key: 'theirs'}) RETURN count(*) AS n";
    assert_eq!(number(&scene.driver, theirs).await, 1);
    assert_eq!(layer.call("verify", json!({})).await["state"], "consistent");
    let deep = layer.call("verify", json!({ "deep": true })).await;
    assert_eq!((&deep["state"], &deep["foreignEdges"]), (&json!("consistent"), &json!(2)), "{deep}");
    let of = async |user: &str, name: &str| {
        let args = json!({ "userId": user, "entity": { "type": "person", "value": name } });
        layer.call("getEntity", args).await["frequency"].clone()
    };
    assert_eq!((of("bob", "Sarah Chen").await, of("alice", "Sarah Chen").await), (json!(1), json!(3)));
    assert_eq!(of("bob", "Old Joe").await, Value::Null, "nobody mentions it");
    // What only their edge held was swept; their mail stays.
    assert_eq!(
        number(&scene.driver, "MATCH (n:IzzieEntity {normalized: 'old joe'}) RETURN count(n) AS n").await,
        0
    );
    layer.call("deleteAll", json!({ "userId": "alice", "hard": true })).await;
    assert_eq!(number(&scene.driver, "MATCH (n:Email {id: 'old'}) RETURN count(n) AS n").await, 1);
    let jobs: i64 = sql.one("select count(*) from izzie_memory.jobs").await;
    assert_eq!(jobs, 0);
    run(&scene.driver, "MATCH (n) WHERE n:Email OR n:Person OR n:Memory DETACH DELETE n").await;
}

/// What other code removes of ours, and what an ordinary check finds of it: memories of bob.
const REMOVALS: [(&str, &[usize]); 7] = [
    ("MATCH (e:IzzieEntity {userId: 'bob', normalized: 'sarah chen'}) DETACH DELETE e", &[0, 1]),
    ("MATCH (e:IzzieEntity {userId: 'bob'}) DETACH DELETE e", &[0, 1]),
    ("MATCH (e:IzziePerson) WHERE e.userId = 'bob' DETACH DELETE e", &[0, 1]),
    ("MATCH (m:IzzieMemory {key: $id})<-[r]-() DELETE r", &[0]),
    ("MATCH (m:IzzieMemory {key: $id})<-[r:MENTIONED_IN]-({normalized: 'acme'}) DELETE r", &[0]),
    ("MATCH ()-[r:WORKS_FOR {memoryId: $id}]->() DELETE r", &[0]),
    ("MATCH ({userId: 'bob'})-[r:WORKS_FOR]->() DELETE r", &[0, 1]),
];

/// Row 60: the ordinary check sees what is gone, of a user and of all, and repair brings it back.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_remove_shows_in_the_ordinary_check_on_neo4j() {
    let _alone = empty_neo4j().await;
    let scene = Scene::new().await;
    let ids = scene.remember().await;
    for (removal, torn) in REMOVALS {
        scene.driver.rows(query(removal).param("id", ids[0].as_str())).await;
        expect_found(&scene.layer, removal, torn.iter().map(|at| ids[*at].as_str()).collect()).await;
        scene.expect_exact(&[("bob", 2), ("alice", 3)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_remove_shows_in_the_ordinary_check_on_postgres() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let mut sql = database.connect().await;
    let mut ids = Vec::new();
    for user in ["bob", "bob", "alice"] {
        let memory = json!({ "userId": user, "content": "x",
            "entities": [{ "type": "person", "value": "Ann" }, { "type": "person", "value": "Bo" }],
            "relationships": [{ "fromType": "person", "fromValue": "Ann", "toType": "person", "toValue": "Bo",
                "relationshipType": "LEADS" }] });
        ids.push(layer.call("store", memory).await["memory"]["id"].as_str().expect("an id").to_owned());
    }
    let removals: [(String, &[usize]); 5] = [
        (
            "delete from izzie_memory.graph_entities where user_id = 'bob' and normalized = 'ann'".into(),
            &[0, 1],
        ),
        ("delete from izzie_memory.graph_entities where user_id = 'bob'".into(), &[0, 1]),
        (format!("delete from izzie_memory.graph_mentions where memory_id = '{}'", ids[0]), &[0]),
        (format!("delete from izzie_memory.graph_relations where memory_id = '{}'", ids[0]), &[0]),
        ("delete from izzie_memory.graph_relations where user_id = 'bob'".into(), &[0, 1]),
    ];
    for (removal, torn) in removals {
        sql.run(&removal).await;
        expect_found(&layer, &removal, torn.iter().map(|at| ids[*at].as_str()).collect()).await;
    }
}

async fn expect_found(layer: &Client, removal: &str, mut torn: Vec<&str>) {
    torn.sort_unstable();
    for user in [Some("bob"), None] {
        let verdict = layer.call("verify", json!({ "userId": user })).await;
        assert_eq!(
            (&verdict["state"], &verdict["differences"]),
            (&json!("divergent"), &json!(torn.len())),
            "{removal}"
        );
        let found = layer.call("checkConsistency", json!({ "userId": user })).await;
        let named: Vec<&str> = found
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["memoryId"].as_str().expect("an id"))
            .collect();
        assert_eq!(named, torn, "{removal}");
    }
    assert_eq!(layer.call("verify", json!({ "userId": "alice" })).await["state"], "consistent", "{removal}");
    let synced = layer.call("fullSync", json!({})).await;
    assert_eq!(
        (&synced["repaired"], &synced["failed"]),
        (&json!(torn.len()), &json!(0)),
        "{removal}: {synced}"
    );
    for deep in [false, true] {
        assert_eq!(layer.call("verify", json!({ "deep": deep })).await["state"], "consistent", "{removal}");
    }
}

/// A constraint of others on a label of ours can refuse our writes: it is told by name.
#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_of_others_on_a_label_of_ours_is_told() {
    let _alone = empty_neo4j().await;
    let scene = Scene::new().await;
    // Of one user, so that the names are different and the constraints can be made.
    scene.remember_of("bob", 1).await;
    let facts = async || scene.layer.call("inspect", json!({})).await["graph"]["foreignConstraints"].clone();
    for constraint in CONSTRAINTS {
        run(&scene.driver, constraint).await;
    }
    assert_eq!(facts().await, json!({ "found": [] }), "theirs on labels of theirs");
    for constraint in DROP_CONSTRAINTS {
        run(&scene.driver, constraint).await;
    }
    for (on, told) in [
        ("FOR (n:IzzieTool) REQUIRE n.name IS UNIQUE", "others on IzzieTool (name)"),
        (
            "FOR (n:IzzieMemory) REQUIRE (n.summary, n.userId) IS UNIQUE",
            "others on IzzieMemory (summary, userId)",
        ),
    ] {
        run(&scene.driver, &format!("CREATE CONSTRAINT others {on}")).await;
        assert_eq!(facts().await, json!({ "found": [told] }));
        run(&scene.driver, "DROP CONSTRAINT others").await;
    }
}

/// Nothing of another user's is told or counted, whatever was asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_sees_nothing_of_theirs() {
    let _alone = empty_neo4j().await;
    let scene = Scene::new().await;
    scene.others_write().await;
    scene.remember().await;
    let top = scene.layer.call("getTopEntities", json!({ "userId": "carol" })).await;
    assert_eq!(top, json!([]));
    let error = scene
        .layer
        .fails("getEntity", json!({ "userId": "", "entity": { "type": "person", "value": "x" } }))
        .await;
    assert_eq!(error.reason, Reason::InvalidArgument);
    run(&scene.driver, "MATCH (n) WHERE n:Email OR n:Person OR n:Company DETACH DELETE n").await;
}
