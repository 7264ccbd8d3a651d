//! Row 54: the checks of other rows fail once the bug that they are there for is planted.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::common::conformance::{self, Subject};
use crate::common::postgres;
use crate::worker;
use crate::world::World;

/// Runs a check that must fail now.
async fn fails(check: impl Future<Output = ()>) {
    let outcome = AssertUnwindSafe(check).catch_unwind().await;
    assert!(outcome.is_err(), "the check did not notice the bug");
}

/// Replaces a part of an SQL function in the test's database.
async fn plant(database: &postgres::Database, function: &str, honest: &str, bug: &str) {
    let mut sql = database.connect().await;
    let definition: String =
        sql.one(&format!("select pg_get_functiondef('izzie_memory.{function}'::regproc)")).await;
    assert!(definition.contains(honest), "{function} has changed: {definition}");
    sql.run(&definition.replace(honest, bug)).await;
}

/// A subject whose database a test has changed.
async fn planted_subject(function: &str, honest: &str, bug: &str) -> Subject {
    let database = postgres::Database::migrated().await;
    plant(&database, function, honest, bug).await;
    postgres::subject_on(database).await
}

const LOCK_OF_MEMORIES: &str = "order by g.memory_id for update;";

#[tokio::test(flavor = "multi_thread")]
async fn row_54_no_lock_before_the_fence_is_noticed_on_postgres() {
    let subject = planted_subject("project", LOCK_OF_MEMORIES, "order by g.memory_id;").await;
    fails(conformance::row_17_eight_workers_and_the_highest_revision_wins_every_time(subject)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_54_acknowledgement_by_lease_is_noticed_on_neo4j() {
    acknowledgement_by_lease(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_54_acknowledgement_by_lease_is_noticed_on_postgres() {
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
async fn row_54_a_hard_delete_without_a_tombstone_is_noticed_on_neo4j() {
    hard_delete_without_a_tombstone(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_54_a_hard_delete_without_a_tombstone_is_noticed_on_postgres() {
    hard_delete_without_a_tombstone(&World::on_postgres().await).await;
}

async fn hard_delete_without_a_tombstone(world: &World) {
    let honest = "return given;";
    let bug = "delete from izzie_memory.memory_state s where s.memory_id = id; return given;";
    plant(&world.database, "record_tombstone", honest, bug).await;
    fails(worker::late_upsert_after_a_delete(world)).await;
}
