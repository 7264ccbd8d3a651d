//! The names of entities leave the graph with the last memory that mentions them.

use crate::common::conformance::ReadBack;
use crate::common::layers::Client;
use crate::common::neo4j::{self, Driver};
use crate::common::proxy::{Mode, Proxy};
use crate::common::world::{Graph, World, patient};
use serde_json::{Value, json};

/// Everything the graph knows of by name, mentioned or not.
async fn names(world: &World) -> Vec<String> {
    match world.graph {
        Graph::Neo4j => Driver::connect().entities("u").await.into_iter().map(|entity| entity.name).collect(),
        Graph::Postgres => {
            world
                .sql()
                .await
                .one(
                    "select coalesce(array_agg(name order by name), '{}') \
                     from izzie_memory.graph_entities where user_id = 'u'",
                )
                .await
        }
    }
}

async fn delete(layer: &Client, op: &str, args: Value) {
    layer.try_call_with(op, args, patient()).await.expect("deleted");
}

async fn a_deletion_takes_names_along(world: &World) {
    let layer = world.layer();
    let secret = layer.store("u", "a secret", &["Secret Sue", "Ann"]).await;
    let others =
        [layer.store("u", "one", &["Ben", "Ann"]).await, layer.store("u", "two", &["Carl", "Ann"]).await];
    let soft = layer.store("u", "kept in the bin", &["Dora", "Ann"]).await;
    layer.store("u", "what stays", &["Ann"]).await;
    world.insist(&layer, "drain", json!({})).await;
    delete(&layer, "delete", json!({ "id": secret, "hard": true })).await;
    assert_eq!(names(world).await, ["Ann", "Ben", "Carl", "Dora"]);
    delete(&layer, "deleteMany", json!({ "ids": others, "hard": true })).await;
    assert_eq!(names(world).await, ["Ann", "Dora"]);
    // A drain and a sync take what was left: by a memory that was only marked, or that names somebody else now.
    delete(&layer, "delete", json!({ "id": soft })).await;
    world.insist(&layer, "drain", json!({})).await;
    assert_eq!(names(world).await, ["Ann"]);
    let named = layer.store("u", "somebody", &["Eve"]).await;
    let entities = json!([{ "type": "person", "value": "Fay" }]);
    layer.call("update", json!({ "id": named, "entities": entities })).await;
    world.settle(&layer).await;
    assert_eq!(names(world).await, ["Ann", "Fay"]);
    // Brought back, it has its names again.
    layer.call("restore", json!({ "id": soft })).await;
    world.settle(&layer).await;
    assert_eq!(names(world).await, ["Ann", "Dora", "Fay"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_takes_names_along_on_postgres() {
    a_deletion_takes_names_along(&World::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_takes_names_along_on_neo4j() {
    a_deletion_takes_names_along(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_deleted_while_neo4j_was_away_leave_with_the_next_sync() {
    let world = World::on_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    for sync in ["drain", "deltaSync", "fullSync", "rebuildGraph"] {
        let one = layer.store("u", "a secret", &["Secret Sue"]).await;
        layer.store("u", "another", &["Ben"]).await;
        world.settle(&layer).await;
        assert_eq!(names(&world).await, ["Ben", "Secret Sue"]);
        proxy.set(Mode::Refuse);
        layer.call("delete", json!({ "id": one, "hard": true })).await;
        layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await;
        proxy.set(Mode::Pass);
        world.insist(&layer, sync, json!({})).await;
        assert_eq!(names(&world).await, Vec::<String>::new(), "{sync}");
    }
}
