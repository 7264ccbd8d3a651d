//! Row 54: the checks of other rows fail once the bug that they are there for is planted.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::concurrency;
use super::worker;
use crate::common::layers::empty_neo4j;
use crate::common::neo4j;
use crate::common::postgres::Database;
use crate::common::proxy::Proxy;
use crate::common::world::World;

/// Runs a check that must fail now; answers what it says.
async fn fails(check: impl Future<Output = ()>) -> String {
    let outcome = AssertUnwindSafe(check).catch_unwind().await;
    let panic = outcome.expect_err("the check did not notice the bug");
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// The same, for this reason alone: not because the planted statement is refused.
async fn fails_because(check: impl Future<Output = ()>, reason: &str) {
    let said = fails(check).await;
    assert!(said.contains(reason), "{said}");
}

/// Replaces a part of an SQL function in the test's database.
async fn plant(database: &Database, function: &str, honest: &str, bug: &str) {
    let mut sql = database.connect().await;
    let definition: String =
        sql.one(&format!("select pg_get_functiondef('izzie_memory.{function}'::regproc)")).await;
    assert!(definition.contains(honest), "{function} has changed: {definition}");
    sql.run(&definition.replace(honest, bug)).await;
}

/// What the check of the fence says of a version that was overwritten.
const LOST: &str = "the higher version stays";

#[tokio::test(flavor = "multi_thread")]
async fn no_lock_before_the_fence_is_noticed_on_neo4j() {
    let _alone = empty_neo4j().await;
    // A statement that writes locks the index entries of its nodes, so the bug must not look them up there either.
    let locked =
        "MERGE (m:IzzieMemory {key: row.key}) ON CREATE SET m._new = true\nSET m._lock = true REMOVE m._lock";
    let seek = "MATCH (m:IzzieMemory {key: row.key})";
    let scan = "MATCH (m) WHERE m.key + '' = row.key";
    let proxy = Proxy::replacing(neo4j::address(), &[(locked, scan), (seek, scan)]).await;
    fails_because(concurrency::version_under_lock_in_neo4j(&proxy), LOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lock_before_the_fence_is_noticed_on_postgres() {
    let database = Database::migrated().await;
    plant(&database, "project", "order by g.memory_id for update;", "order by g.memory_id;").await;
    fails_because(concurrency::version_under_lock_in_postgres(database), LOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgement_by_lease_is_noticed_on_neo4j() {
    acknowledgement_by_lease(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgement_by_lease_is_noticed_on_postgres() {
    acknowledgement_by_lease(&World::on_postgres().await).await;
}

/// A lease that is given back without an attempt takes its debt with it, whatever revision was paid.
async fn acknowledgement_by_lease(world: &World) {
    let bug = "create function public.strike() returns trigger language plpgsql as $$ begin \
          delete from izzie_memory.memory_sync q where q.target = old.target and q.memory_id = old.memory_id; \
          return null; end $$; \
        create trigger strike before update on izzie_memory.memory_sync for each row \
          when (old.lease_token is not null and new.lease_token is null and new.last_error is null) \
          execute function public.strike()";
    world.sql().await.run(bug).await;
    fails(worker::new_write_before_the_acknowledgement(world)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_delete_without_a_tombstone_is_noticed_on_neo4j() {
    hard_delete_without_a_tombstone(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_delete_without_a_tombstone_is_noticed_on_postgres() {
    hard_delete_without_a_tombstone(&World::on_postgres().await).await;
}

async fn hard_delete_without_a_tombstone(world: &World) {
    let honest = "return given;";
    let bug = "delete from izzie_memory.memory_state s where s.memory_id = id; return given;";
    plant(&world.database, "record_tombstone", honest, bug).await;
    fails(worker::late_upsert_after_a_delete(world)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsorted_batches_are_noticed_on_neo4j() {
    let _alone = empty_neo4j().await;
    // The batch's own entities come sorted: they too go the other way.
    let sorted = "ORDER BY key\nWITH collect(key) AS keys\nWITH CASE keys[0] WHEN '' THEN keys[1..] ELSE keys END AS keys,\n  \
        size(keys) = size($batch.entities) AND NOT '' IN keys[..1] AS own";
    let bug = "ORDER BY rand() WITH collect(key) AS keys WITH keys, false AS own";
    let proxy = Proxy::replacing(neo4j::address(), &[(sorted, bug)]).await;
    fails(concurrency::one_order_in_neo4j(&proxy)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsorted_batches_are_noticed_on_postgres() {
    let database = Database::migrated().await;
    plant(&database, "project", "order by e.key for update;", "order by random() for update;").await;
    fails(concurrency::one_order_in_postgres(database)).await;
}
