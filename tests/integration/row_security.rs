//! Which roles may serve a table with row security, and that nobody takes a hidden row for an empty or deleted one.

use crate::common::conformance::ReadBack;
use crate::common::layers::{Client, config, empty_neo4j, neo4j_uri};
use crate::common::neo4j::Driver;
use crate::common::postgres::{Database, Sql};
use izzie_memory::error::Reason;
use serde_json::{Value, json};
use uuid::Uuid;

/// A role that is dropped with this value's database.
struct Role {
    name: String,
    database: Database,
}

impl Role {
    /// The owner of everything in a database of its own.
    async fn owner() -> Self {
        let database = Database::empty().await;
        let name = format!("izzie_role_{}", Uuid::new_v4().simple());
        let mut sql = database.connect().await;
        sql.run(&format!("create role {name} login password 'pw'")).await;
        sql.run("create extension vector").await;
        let current: String = sql.one("select current_database()::text").await;
        sql.run(&format!("alter database {current} owner to {name}; grant all on schema public to {name}"))
            .await;
        let role = Self { name, database };
        Client::new(&role.config(None)).call("migrate", json!({})).await;
        role
    }

    /// Another one, that may do what calls need.
    async fn other(database: Database, options: &str) -> Self {
        let name = format!("izzie_role_{}", Uuid::new_v4().simple());
        let mut sql = database.connect().await;
        sql.run(&format!(
            "create role {name} login password 'pw' {options}; grant usage on schema izzie_memory to {name}; \
             grant select, insert, update, delete on all tables in schema izzie_memory to {name}; \
             grant usage, select on all sequences in schema izzie_memory to {name}; \
             grant execute on all functions in schema izzie_memory to {name}; \
             grant select, insert, update, delete on public.memory_entries to {name}"
        ))
        .await;
        Self { name, database }
    }

    fn config(&self, neo4j: Option<&str>) -> Value {
        config(&self.database.url_of(&self.name), neo4j)
    }

    async fn done(self) {
        let mut sql = self.database.connect().await;
        let Sql(_) = &sql;
        sql.run(&format!(
            "reassign owned by {0} to current_user; drop owned by {0}; drop role {0}",
            self.name
        ))
        .await;
    }
}

const PER_USER: &str = "create policy mine on public.memory_entries \
    using (user_id = current_setting('app.user_id', true))";

async fn works(layer: &Client) {
    let id = layer.store("u", "a walk with Ann", &["Ann"]).await;
    assert_eq!(layer.call("getById", json!({ "id": id })).await["id"], id);
    assert_eq!(layer.call("retrieve", json!({ "userId": "u", "query": "walk" })).await[0]["id"], id);
    layer.call("fullSync", json!({ "deep": true })).await;
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    assert_eq!(layer.call("health", json!({})).await["status"], "healthy");
    layer.call("delete", json!({ "id": id, "hard": true })).await;
}

async fn is_refused(layer: &Client) {
    for (op, args) in [
        ("store", json!({ "userId": "u", "content": "x" })),
        ("getAll", json!({ "userId": "u" })),
        ("retrieve", json!({ "userId": "u", "query": "walk" })),
        ("fullSync", json!({ "deep": true })),
        ("rebuildGraph", json!({})),
        ("verify", json!({})),
        ("deleteAll", json!({ "userId": "u", "hard": true })),
    ] {
        let error = layer.fails(op, args).await;
        assert_eq!(error.reason, Reason::StatementRejected, "{op}: {}", error.envelope());
        assert!(error.message.contains("row security"), "{op}: {}", error.message);
        assert!(error.message.contains("BYPASSRLS"), "{op}: {}", error.message);
    }
    let health = layer.call("health", json!({})).await;
    assert_eq!(health["status"], "unhealthy", "{health}");
    assert!(health["reasons"][0]["message"].as_str().unwrap().contains("row security"), "{health}");
    assert_eq!(layer.call("inspect", json!({})).await["table"]["found"]["hidesRows"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_works_until_row_security_is_forced_and_then_nothing_is_overwritten() {
    let _alone = empty_neo4j().await;
    let owner = Role::owner().await;
    let layer = Client::new(&owner.config(Some(&neo4j_uri())));
    let mut sql = owner.database.connect().await;
    sql.run("alter table public.memory_entries enable row level security").await;
    sql.run(PER_USER).await;
    works(&layer).await;
    let id = layer.store("u", "the secret garden", &["Ann"]).await;
    let owed = layer.store("u", "the open gate", &["Ben"]).await;

    sql.run("alter table public.memory_entries force row level security").await;
    sql.run("select izzie_memory.owe_many(t.target, array(select memory_id from izzie_memory.memory_state where not deleted)) from izzie_memory.graph_targets t").await;
    // The graph was proven to be ours a moment ago: this layer goes on with what it knows.
    for (op, args) in [
        ("fullSync", json!({ "deep": true })),
        ("rebuildGraph", json!({})),
        ("deltaSync", json!({})),
        ("verify", json!({ "deep": true })),
        ("checkConsistency", json!({})),
        ("deleteAll", json!({ "userId": "u", "hard": true })),
    ] {
        let error = layer.fails(op, args).await;
        assert!(error.message.contains("row security"), "{op}: {}", error.message);
    }
    assert_eq!(layer.call("getAll", json!({ "userId": "u" })).await, json!([]));
    assert_eq!(layer.call("retrieve", json!({ "userId": "u", "query": "garden" })).await, json!([]));
    assert_eq!(layer.call("getById", json!({ "id": id })).await, Value::Null);
    let refused = layer.fails("store", json!({ "userId": "u", "content": "new" })).await;
    assert!(refused.message.contains("row-level security"), "{}", refused.message);
    let health = layer.call("health", json!({})).await;
    assert_eq!(health["status"], "unhealthy", "{health}");
    is_refused(&Client::new(
        &json!({ "databaseUrl": owner.config(None)["databaseUrl"], "pool": { "max": 3 } }),
    ))
    .await;
    owner.database.nothing_runs_on().await;

    // Nothing was made empty, and nothing of it deleted.
    let live: i64 = sql.one("select count(*) from izzie_memory.memory_state where not deleted").await;
    assert_eq!(live, 2);
    let entities = Driver::connect().entities("u").await;
    assert!(entities.iter().any(|entity| entity.name == "Ann" && entity.frequency == 1), "{entities:?}");
    sql.run("alter table public.memory_entries no force row level security").await;
    layer.call("fullSync", json!({ "deep": true })).await;
    assert_eq!(layer.call("checkConsistency", json!({ "deep": true })).await, json!([]));
    assert_eq!(layer.call("getById", json!({ "id": owed })).await["content"], "the open gate");
    owner.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_roles_must_see_every_row() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.run("alter table public.memory_entries enable row level security").await;
    let role = Role::other(database, "").await;
    let fresh = |max: u32| {
        let mut config = role.config(None);
        config["pool"] = json!({ "max": max });
        Client::new(&config)
    };
    // No policy at all: nothing is seen.
    is_refused(&fresh(2)).await;
    sql.run(PER_USER).await;
    is_refused(&fresh(3)).await;
    sql.run(&format!(
        "create policy all_rows on public.memory_entries to {} using (true) with check (true)",
        role.name
    ))
    .await;
    works(&fresh(4)).await;
    sql.run("create policy narrow on public.memory_entries as restrictive using (user_id <> 'u')").await;
    is_refused(&fresh(5)).await;
    sql.run("drop policy narrow on public.memory_entries; drop policy all_rows on public.memory_entries")
        .await;
    sql.run(&format!("alter role {} bypassrls", role.name)).await;
    works(&fresh(6)).await;
    sql.run(&format!("revoke insert, delete on public.memory_entries from {}", role.name)).await;
    let health = fresh(7).call("health", json!({})).await;
    assert_eq!(health["status"], "degraded", "{health}");
    let reasons = health["reasons"].to_string();
    assert!(reasons.contains("MISSING_PRIVILEGES") && reasons.contains("INSERT, DELETE"), "{health}");
    role.done().await;
}
