//! What other code puts on the application's table, what the server is set to, and changes past the triggers: every call ends
//! in bounded time, says what the database did, and no backend of ours goes on.

use std::time::{Duration, Instant};

use crate::common::conformance::ReadBack;
use crate::common::layers::{Client, Letters, config, empty_neo4j};
use crate::common::neo4j::Driver;
use crate::common::postgres::{Database, Sql};
use izzie_memory::error::{Error, Reason};
use serde_json::{Value, json};
use tokio::time::sleep;

/// A trigger of the application's.
async fn trigger(sql: &mut Sql, when: &str, body: &str) {
    sql.run(&format!(
        "create or replace function public.meddle() returns trigger language plpgsql as $$ begin {body} end $$; \
         create or replace trigger meddle {when} on public.memory_entries for each row execute function public.meddle()"
    ))
    .await;
}

async fn no_trigger(sql: &mut Sql) {
    sql.run("drop trigger meddle on public.memory_entries").await;
}

fn memory(content: &str) -> Value {
    json!({ "userId": "u", "content": content })
}

fn names_it(error: &Error, name: &str) {
    assert_eq!(error.reason, Reason::StatementRejected, "{}", error.envelope());
    assert!(error.message.starts_with("memory_entries: "), "{}", error.message);
    assert!(error.message.contains(name), "{}", error.message);
}

/// The contents of the results of a batch, and the errors of the others.
fn outcomes(answer: &Value) -> (Vec<&str>, Vec<&str>) {
    let results = answer["results"].as_array().expect("results");
    let stored = results.iter().filter_map(|result| result["memory"]["content"].as_str()).collect();
    let failed = results.iter().filter_map(|result| result["error"]["message"].as_str()).collect();
    (stored, failed)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_is_swallowed_is_told_at_once_and_its_neighbours_are_stored() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = Client::on(&database, false);
    for body in [
        "if new.content like 'bad%' then return null; end if; return new;",
        "if new.content like 'bad%' then new.id := gen_random_uuid(); end if; return new;",
        "if new.content like 'bad%' then new.user_id := 'somebody'; end if; return new;",
        "if new.content like 'bad%' then raise exception 'meddle says no' using errcode = 'ZZ123'; end if; return new;",
        "if new.content like 'bad%' then perform 1 from public.no_such_table; end if; return new;",
    ] {
        trigger(&mut sql, "before insert", body).await;
        let begun = Instant::now();
        let error = layer.fails("store", memory("bad one")).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{body}: {:?}", begun.elapsed());
        assert_eq!(error.reason, Reason::StatementRejected, "{}", error.envelope());
        assert!(error.message.contains("meddle"), "{}", error.message);
        let items: Vec<Value> =
            ["good a", "bad", "good b"].map(|text| json!({ "memory": memory(text) })).into();
        let answer = layer.call("storeMany", json!({ "items": items })).await;
        let (stored, failed) = outcomes(&answer);
        assert_eq!(stored, ["good a", "good b"], "{body}");
        assert_eq!(failed.len(), 1);
        assert!(failed[0].contains("meddle"), "{}", failed[0]);
        database.nothing_runs_on().await;
        no_trigger(&mut sql).await;
        let left: i64 = sql.one("select count(*) from memory_entries where content like 'bad%'").await;
        assert_eq!(left, 0, "{body}");
    }
    // After the insert.
    trigger(&mut sql, "after insert", "delete from public.memory_entries where id = new.id; return null;")
        .await;
    let error = layer.fails("store", memory("gone at once")).await;
    names_it(&error, "on the table stands trigger meddle");
    database.nothing_runs_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_changes_a_content_is_heard_and_the_vector_is_made_anew() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = Client::with_embedder(&config(&database.url(), None), Some(Letters::embedder()));
    trigger(
        &mut sql,
        "before insert or update",
        "new.content := replace(new.content, 'secret', '***'); return new;",
    )
    .await;
    let stored = layer.call("store", memory("the secret word")).await;
    assert_eq!(stored["memory"]["content"], "the *** word");
    let id = stored["memory"]["id"].as_str().unwrap().to_owned();
    let vectors = "select count(*) from izzie_memory.memory_vectors";
    assert_eq!(sql.one::<i64>(vectors).await, 0, "the vector was made of the other text");
    let updated = layer.call("update", json!({ "id": id, "content": "one more secret" })).await;
    assert_eq!(updated["memory"]["content"], "one more ***");
    assert_eq!(sql.one::<i64>(vectors).await, 0);
    layer.call("drain", json!({})).await;
    assert_eq!(sql.one::<i64>(vectors).await, 1);
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_and_deletes_that_are_swallowed_are_told() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = Client::on(&database, false);
    let id = layer.store("u", "one", &["Ann"]).await;
    let gone = layer.store("u", "two", &["Ben"]).await;
    layer.call("delete", json!({ "id": gone })).await;
    for (when, body) in [
        ("before update or delete", "return null;"),
        ("before update or delete", "if tg_op = 'UPDATE' then return old; end if; return null;"),
    ] {
        trigger(&mut sql, when, body).await;
        for (op, args) in [
            ("update", json!({ "id": id, "content": "other" })),
            ("update", json!({ "id": id, "importance": 9 })),
            ("delete", json!({ "id": id })),
            ("delete", json!({ "id": id, "hard": true })),
            ("restore", json!({ "id": gone })),
            ("deleteAll", json!({ "userId": "u", "hard": true })),
            ("deleteAll", json!({ "userId": "u", "hard": false })),
            ("purgeDeleted", json!({ "olderThan": "9999-01-01T00:00:00Z" })),
        ] {
            let error = layer.fails(op, args).await;
            assert_eq!(error.reason, Reason::StatementRejected, "{op}: {}", error.envelope());
            assert!(error.message.starts_with("memory_entries: "), "{op}: {}", error.message);
        }
        // Reading counts an access, which is nothing to fail for.
        assert_eq!(layer.call("getById", json!({ "id": id })).await["content"], "one");
        let answer = layer.call("deleteMany", json!({ "ids": [id] })).await;
        assert_eq!((answer["deleted"].clone(), answer["failed"][0]["id"].clone()), (json!([]), json!(id)));
        database.nothing_runs_on().await;
        no_trigger(&mut sql).await;
    }
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    // Back again as soon as they are gone.
    trigger(&mut sql, "after delete", "insert into public.memory_entries values (old.*); return null;").await;
    names_it(&layer.fails("delete", json!({ "id": id, "hard": true })).await, "trigger meddle");
    let answer = layer.call("deleteMany", json!({ "ids": [id], "hard": true })).await;
    assert_eq!((&answer["deleted"], &answer["failed"][0]["id"]), (&json!([]), &json!(id)));
    let error = layer.fails("deleteAll", json!({ "userId": "u", "hard": true })).await;
    assert_eq!(
        (&error.details["kept"], &error.details["deleted"]),
        (&json!(2), &json!(0)),
        "{}",
        error.envelope()
    );
    no_trigger(&mut sql).await;
    assert_eq!(layer.call("getById", json!({ "id": id })).await["content"], "one");
    // One row withstands, the others go.
    trigger(&mut sql, "before delete", "if old.content = 'one' then return null; end if; return old;").await;
    layer.store("u", "three", &[]).await;
    let error = layer.fails("deleteAll", json!({ "userId": "u", "hard": true })).await;
    assert_eq!(
        (&error.details["kept"], &error.details["deleted"]),
        (&json!(1), &json!(2)),
        "{}",
        error.envelope()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedding_that_the_table_does_not_take_is_not_paid_for_for_ever() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let config = config(&database.url(), None);
    let layer = Client::bare(&config);
    let id = layer.call("store", memory("no vector")).await["memory"]["id"].as_str().unwrap().to_owned();
    sql.run("select izzie_memory.owe('embedding', s.memory_id, s.user_id, s.revision, now()) from izzie_memory.memory_state s").await;
    trigger(&mut sql, "before update", "return null;").await;
    let hash: String = sql.one("select encode(content_hash, 'hex') from izzie_memory.memory_state").await;
    let written: i32 = sql
        .one(&format!(
            "select cardinality(izzie_memory.put_vectors(1, array['{id}'::uuid], array['{hash}'], \
             array[array_fill(0.5::real, array[1536])::vector]))"
        ))
        .await;
    assert_eq!(written, 0);
    let (state, why): (String, String) =
        sqlx::query_as("select state, last_error from izzie_memory.memory_sync where target = 'embedding'")
            .fetch_one(&mut sql.0)
            .await
            .unwrap();
    assert_eq!(state, "dead");
    assert!(why.contains("meddle"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_named() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = Client::on(&database, false);
    let id = layer.store("u", "one", &[]).await;
    sql.run("create rule swallow as on insert to public.memory_entries do instead nothing").await;
    let error = layer.fails("store", memory("two")).await;
    assert_eq!(error.reason, Reason::StatementRejected);
    assert!(
        error.message.starts_with("memory_entries: ") && error.message.contains("rule"),
        "{}",
        error.message
    );
    let health = layer.call("health", json!({})).await;
    assert_eq!(health["status"], "degraded", "{health}");
    assert!(health["reasons"].to_string().contains("RULES"), "{health}");
    assert!(health["reasons"].to_string().contains("swallow"));
    assert_eq!(layer.call("inspect", json!({})).await["table"]["found"]["rules"], json!(["swallow"]));
    database.nothing_runs_on().await;
    sql.run("drop rule swallow on public.memory_entries").await;
    sql.run("create rule keep as on delete to public.memory_entries do instead nothing").await;
    names_it(&layer.fails("delete", json!({ "id": id, "hard": true })).await, "rule keep");
    let error = layer.fails("deleteAll", json!({ "userId": "u", "hard": true })).await;
    assert_eq!(error.reason, Reason::StatementRejected, "{}", error.envelope());
    database.nothing_runs_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_ours_hold_while_our_triggers_are_disabled_and_health_tells() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let layer = Client::on(&database, false);
    let kept = layer.store("u", "before", &["Ann"]).await;
    sql.run("alter table public.memory_entries disable trigger user").await;
    let id = layer.store("u", "the lighthouse keeper", &["Ben"]).await;
    layer.call("update", json!({ "id": kept, "content": "changed" })).await;
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    let found = layer.call("retrieve", json!({ "userId": "u", "query": "lighthouse" })).await;
    assert_eq!(found[0]["id"], id);
    layer.call("delete", json!({ "id": id, "hard": true })).await;
    layer.call("delete", json!({ "id": kept })).await;
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    let live: i64 = sql.one("select count(*) from izzie_memory.memory_state where not deleted").await;
    assert_eq!(live, 0);
    let health = layer.call("health", json!({})).await;
    assert_eq!(health["status"], "degraded", "{health}");
    assert!(health["reasons"].to_string().contains("TRIGGERS_DISABLED"), "{health}");
    layer.call("migrate", json!({})).await;
    assert_eq!(layer.call("health", json!({})).await["status"], "healthy");
}

const PAST: &str = "set session_replication_role = replica";

/// Inserts, updates, soft and hard deletes, other users: all while the triggers were off.
async fn change_past_the_triggers(sql: &mut Sql, ids: &[String]) {
    let change = |set: &str, id: &str| format!("update public.memory_entries set {set} where id = '{id}'");
    sql.run(PAST).await;
    for (set, id) in [
        ("content = 'about the lighthouse'", &ids[0]),
        ("summary = 'other'", &ids[1]),
        ("importance = 9", &ids[2]),
        ("is_deleted = true", &ids[3]),
        ("user_id = 'v'", &ids[4]),
        ("created_at = '2001-01-01'", &ids[5]),
        (r#"metadata = '{"entities": [{"type": "person", "value": "Zoe"}]}'"#, &ids[6]),
    ] {
        sql.run(&change(set, id)).await;
    }
    sql.run(&format!("delete from public.memory_entries where id = '{}'", ids[7])).await;
    sql.run("insert into public.memory_entries (user_id, content) values ('u', 'the windmill')").await;
    sql.run("reset session_replication_role").await;
}

async fn eight(layer: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["Ann", "Ben", "Cleo", "Dora", "Eve", "Fay", "Gus", "Hugo"] {
        ids.push(layer.store("u", &format!("a walk with {name}"), &[name]).await);
    }
    ids
}

async fn people(layer: &Client, user: &str) -> Vec<String> {
    let top = layer.call("getTopEntities", json!({ "userId": user, "limit": 50 })).await;
    let mut names: Vec<String> =
        top.as_array().unwrap().iter().map(|entity| entity["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

async fn are_found_and_repaired(layer: &Client, sql: &mut Sql) {
    let ids = eight(layer).await;
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    change_past_the_triggers(sql, &ids).await;

    let verdict = layer.call("verify", json!({})).await;
    assert_eq!((&verdict["state"], &verdict["differences"]), (&json!("divergent"), &json!(9)), "{verdict}");
    let found = layer.call("checkConsistency", json!({})).await;
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 9, "{found:?}");
    assert!(found.iter().all(|one| one["details"].as_str().unwrap().contains("past the triggers")));
    assert_eq!(layer.call("checkConsistency", json!({ "userId": "v" })).await.as_array().unwrap().len(), 1);

    let mended = layer.call("fullSync", json!({})).await;
    assert_eq!((&mended["failed"], &mended["pending"]), (&json!(0), &json!(0)), "{mended}");
    assert_eq!(layer.call("checkConsistency", json!({ "deep": true })).await, json!([]));
    assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent");
    let found = layer.call("retrieve", json!({ "userId": "u", "query": "lighthouse", "mode": "text" })).await;
    assert_eq!(found[0]["id"], ids[0]);
    let found = layer.call("retrieve", json!({ "userId": "u", "query": "windmill", "mode": "text" })).await;
    assert_eq!(found[0]["content"], "the windmill");
    assert_eq!(
        layer.call("retrieve", json!({ "userId": "v", "query": "walk", "mode": "text" })).await[0]["id"],
        ids[4]
    );
    assert_eq!(people(layer, "u").await, ["Ann", "Ben", "Cleo", "Fay", "Zoe"]);
    assert_eq!(people(layer, "v").await, ["Eve"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_past_the_triggers_are_found_and_mended_in_postgres() {
    let database = Database::migrated().await;
    are_found_and_repaired(&Client::on(&database, false), &mut database.connect().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_past_the_triggers_are_found_and_mended_in_neo4j() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    are_found_and_repaired(&Client::on(&database, true), &mut database.connect().await).await;
    let names: Vec<String> = Driver::connect()
        .entities("u")
        .await
        .into_iter()
        .filter(|e| e.frequency > 0)
        .map(|e| e.name)
        .collect();
    assert!(!names.contains(&"Hugo".to_owned()) && !names.contains(&"Dora".to_owned()), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deleted_goes_with_rows_that_were_deleted_past_the_triggers() {
    let database = Database::migrated().await;
    let (layer, mut sql) = (Client::on(&database, false), database.connect().await);
    let ids = eight(&layer).await;
    change_past_the_triggers(&mut sql, &ids).await;
    layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await;
    let rows: i64 = sql.one("select count(*) from public.memory_entries where user_id = 'u'").await;
    let states: i64 =
        sql.one("select count(*) from izzie_memory.memory_state where user_id = 'u' and not deleted").await;
    let entities: i64 = sql.one("select count(*) from izzie_memory.graph_entities where user_id = 'u'").await;
    assert_eq!((rows, states, entities), (0, 0, 0));
    assert_eq!(people(&layer, "v").await, ["Eve"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn repair_rebuild_and_the_background_mend_too() {
    for how in ["repairInconsistencies", "rebuildGraph", "auto"] {
        let database = Database::migrated().await;
        let (layer, mut sql) = (Client::on(&database, false), database.connect().await);
        let ids = eight(&layer).await;
        change_past_the_triggers(&mut sql, &ids).await;
        match how {
            "repairInconsistencies" => {
                let list = layer.call("checkConsistency", json!({})).await;
                layer.call(how, json!({ "inconsistencies": list })).await;
            }
            "rebuildGraph" => drop(layer.call(how, json!({})).await),
            _ => {
                let often = json!({ "syncIntervalMs": 1000 });
                layer.try_call_with("startAutoSync", json!({}), often).await.unwrap();
                let begun = Instant::now();
                while layer.call("verify", json!({})).await["state"] != "consistent" {
                    assert!(begun.elapsed() < Duration::from_secs(30), "the background did not mend it");
                    sleep(Duration::from_millis(300)).await;
                }
                layer.call("stopAutoSync", json!({})).await;
            }
        }
        assert_eq!(layer.call("verify", json!({ "deep": true })).await["state"], "consistent", "{how}");
        assert_eq!(people(&layer, "u").await, ["Ann", "Ben", "Cleo", "Fay", "Zoe"], "{how}");
    }
}

/// A stale vector goes with the content it was made of, one that came with a new row stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_vector_does_not_outlive_its_content() {
    let database = Database::migrated().await;
    let (layer, mut sql) = (Client::on(&database, false), database.connect().await);
    let id = layer.store("u", "old", &[]).await;
    let vector = "('[' || repeat('0.5,', 1535) || '1]')::vector";
    sql.run(&format!("update public.memory_entries set embedding = {vector}")).await;
    sql.run(PAST).await;
    sql.run(&format!("update public.memory_entries set content = 'new' where id = '{id}'")).await;
    sql.run(&format!(
        "insert into public.memory_entries (user_id, content, embedding) values ('u', 'with', {vector})"
    ))
    .await;
    sql.run("reset session_replication_role").await;
    layer.call("fullSync", json!({})).await;
    let left: Vec<String> =
        sqlx::query_scalar("select content from public.memory_entries where embedding is not null")
            .fetch_all(&mut sql.0)
            .await
            .unwrap();
    assert_eq!(left, ["with"]);
    let owed: i64 = sql
        .one(&format!(
            "select count(*) from izzie_memory.memory_sync where target = 'embedding' and memory_id = '{id}'"
        ))
        .await;
    assert_eq!(owed, 1);
}
