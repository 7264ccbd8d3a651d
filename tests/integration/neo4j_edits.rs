//! Nodes that somebody edited by hand: values of other types look different, and no statement breaks on them.

use crate::common::neo4j::{Driver, subject};
use crate::common::sample::{memory, user};
use izzie_memory::model::{NodeVersion, Projection};
use izzie_memory::store::graph::{BucketDigest, GraphStore};
use neo4rs::query;
use uuid::Uuid;

/// What other than a whole number or a text a property can come to hold.
const GARBAGE: [&str; 9] =
    ["null", "'text'", "'7'", "true", "7.5", "[1, 2]", "datetime()", "point({x: 1, y: 2})", "1e12"];
const NUMBERS: [&str; 5] = ["epoch", "revision", "h1", "h2", "bucket"];

async fn digests(graph: &dyn GraphStore, user_id: &str) -> Vec<BucketDigest> {
    let mut digests = graph.digests(Some(user_id)).await.expect("digests");
    digests.sort_by_key(|digest| digest.bucket);
    digests
}

async fn node(graph: &dyn GraphStore, id: Uuid) -> NodeVersion {
    graph.get_nodes(&[id]).await.expect("read").pop().expect("a node")
}

/// Sets a property, reads everything that a check reads, and applies the memory again.
async fn edit(graph: &dyn GraphStore, driver: &Driver, property: &str, value: &str) {
    let user = user("edited");
    // Revision 7, so that a float of the same value is among the edits.
    let batch: Vec<Projection> = (0..3).map(|_| memory(&user, Uuid::new_v4(), 7, &["Ann"])).collect();
    graph.project(&batch).await.expect("projected");
    let (before, id) = (digests(graph, &user).await, batch[0].memory_id);
    let sound = node(graph, id).await;

    let edit = format!("MATCH (n:IzzieMemory {{key: $key}}) SET n.{property} = {value} RETURN 1");
    driver.rows(query(&edit).param("key", id.to_string())).await;
    let what = format!("{property} = {value}");
    assert_ne!(digests(graph, &user).await, before, "{what}");
    let edited = node(graph, id).await;
    assert_ne!(edited, sound, "{what}");
    graph.digests(None).await.expect("digests of all");
    let buckets: Vec<i32> = (0..1024).collect();
    for user_id in [Some(user.as_str()), None] {
        graph.list_buckets(user_id, &buckets).await.expect("listed");
    }
    graph.count(Some(&user)).await.expect("counted");

    let mut repair = batch[0].clone();
    repair.version.epoch = repair.version.epoch.max(edited.version.epoch);
    repair.version.revision = repair.version.revision.max(edited.version.revision).saturating_add(1);
    assert!(graph.project(&[repair.clone()]).await.expect("projected")[0].applied(), "{what}");
    let repaired = node(graph, id).await;
    assert_eq!((repaired.version, repaired.h1, repaired.user_id), (repair.version, repair.h1, user.clone()));
    graph.clear(Some(&user)).await.expect("cleared");
}

#[tokio::test]
async fn numbers_of_another_type_are_a_difference() {
    let (subject, driver) = (subject().await, Driver::connect());
    for property in NUMBERS {
        for value in GARBAGE {
            edit(subject.graph.as_ref(), &driver, property, value).await;
        }
    }
}

#[tokio::test]
async fn a_float_of_the_same_value_is_a_difference() {
    let (subject, driver) = (subject().await, Driver::connect());
    for property in NUMBERS {
        edit(subject.graph.as_ref(), &driver, property, &format!("toFloat(n.{property})")).await;
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_the_memorys_is_a_difference() {
    let (subject, driver) = (subject().await, Driver::connect());
    for value in ["(n.bucket + 1) % 1024", "5000", "-3", "9007199254740993"] {
        edit(subject.graph.as_ref(), &driver, "bucket", value).await;
    }
}

#[tokio::test]
async fn flags_and_owners_of_another_type_are_a_difference() {
    let (subject, driver) = (subject().await, Driver::connect());
    for property in ["deleted", "detached", "userId"] {
        for value in ["null", "'yes'", "0", "[false]", "datetime()"] {
            edit(subject.graph.as_ref(), &driver, property, value).await;
        }
    }
}

/// A node of ours whose key was edited is reported as missing under the key it had.
#[tokio::test]
async fn a_key_that_is_no_id_breaks_nothing() {
    let (subject, driver, user) = (subject().await, Driver::connect(), user("rekeyed"));
    let one = memory(&user, Uuid::new_v4(), 1, &["Ann"]);
    for value in ["'no id'", "5", "toUpper(n.key)", "null"] {
        subject.graph.project(std::slice::from_ref(&one)).await.expect("projected");
        let edit = format!("MATCH (n:IzzieMemory {{key: $key}}) SET n.key = {value} RETURN 1");
        driver.rows(query(&edit).param("key", one.memory_id.to_string())).await;
        let listed = subject.graph.list_buckets(Some(&user), &[one.bucket]).await.expect("listed");
        assert_eq!(listed, [], "{value}");
        assert_eq!(subject.graph.get_nodes(&[one.memory_id]).await.expect("read"), [], "{value}");
        driver
            .rows(
                query("MATCH (n:IzzieMemory {userId: $user}) DETACH DELETE n RETURN 1")
                    .param("user", user.as_str()),
            )
            .await;
    }
    subject.graph.clear(Some(&user)).await.expect("cleared");
}

/// Counts that somebody edited do not hold up the sweep, and are set right by it.
#[tokio::test]
async fn a_sweep_recounts_what_only_claims_to_be_unmentioned() {
    let (subject, driver, user) = (subject().await, Driver::connect(), user("claimed"));
    subject.graph.project(&[memory(&user, Uuid::new_v4(), 1, &["Ann"])]).await.expect("projected");
    let edit = "MATCH (e:IzzieEntity {userId: $user}) SET e.unmentioned = true, e.frequency = 0 RETURN 1";
    driver.rows(query(edit).param("user", user.as_str())).await;
    subject.graph.sweep_entities(10_000).await.expect("swept");
    let ann = &subject.read.entities(&user).await[0];
    assert_eq!((ann.frequency, ann.mentions), (1, 1));
    let marked = "MATCH (e:IzzieEntity {userId: $user}) WHERE e.unmentioned IS NOT NULL RETURN 1";
    assert!(driver.rows(query(marked).param("user", user.as_str())).await.is_empty());
    subject.graph.clear(Some(&user)).await.expect("cleared");
}
