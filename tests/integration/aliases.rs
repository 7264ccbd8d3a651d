//! Several names of one entity: when they become one node, when they must not, and that both graphs follow.

#[allow(dead_code, reason = "the rows use the rest")]
use std::collections::BTreeSet;
use std::time::Instant;

use crate::common::layers::Client;
use crate::common::neo4j::Driver;
use crate::common::world::{Graph, PATIENCE, World, patient};
use neo4rs::query;
use serde_json::{Value, json};
use sqlx::Row;

/// A test on each of the two graphs.
macro_rules! on_both {
    ($($name:ident: $neo4j:ident, $postgres:ident;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $neo4j() {
            $name(&World::on_neo4j().await).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $postgres() {
            $name(&World::on_postgres().await).await;
        }
    )+};
}

on_both! {
    spellings: three_spellings_are_one_node_on_neo4j, three_spellings_are_one_node_on_postgres;
    later_evidence: evidence_joins_and_its_end_parts_on_neo4j, evidence_joins_and_its_end_parts_on_postgres;
    strangers: strangers_stay_apart_on_neo4j, strangers_stay_apart_on_postgres;
    any_order: chains_and_cycles_have_one_name_in_any_order_on_neo4j, chains_and_cycles_have_one_name_in_any_order_on_postgres;
    at_once: many_learn_at_once_on_neo4j, many_learn_at_once_on_postgres;
    as_the_app: names_as_the_application_stores_them_on_neo4j, names_as_the_application_stores_them_on_postgres;
    by_value: an_entity_is_found_by_the_value_that_people_see_on_neo4j, an_entity_is_found_by_the_value_that_people_see_on_postgres;
    renewed: names_of_before_are_made_anew_on_neo4j, names_of_before_are_made_anew_on_postgres;
    shown: people_are_shown_by_their_name_on_neo4j, people_are_shown_by_their_name_on_postgres;
    relationships: relationships_follow_the_names_on_neo4j, relationships_follow_the_names_on_postgres;
}

fn person(name: &str) -> Value {
    json!({ "type": "person", "value": name })
}

/// A SAME_AS between two people; without a confidence the caller is certain.
fn same(a: &str, b: &str, confidence: Option<f64>) -> Value {
    json!({ "fromType": "person", "fromValue": a, "toType": "person", "toValue": b,
            "relationshipType": "SAME_AS", "confidence": confidence })
}

async fn store(layer: &Client, user: &str, entities: Value, relationships: Value) -> String {
    let content = format!("{entities} and {relationships}");
    let memory =
        json!({ "userId": user, "content": content, "entities": entities, "relationships": relationships });
    let answer = layer.try_call_with("store", memory, patient()).await.expect("stored");
    answer["memory"]["id"].as_str().expect("an id").to_owned()
}

/// The user's nodes that are mentioned: "label name frequency".
async fn nodes(world: &World, user: &str) -> Vec<String> {
    let mut nodes: Vec<String> = match world.graph {
        Graph::Postgres => {
            let select = format!(
                "select label || ' ' || normalized || ' ' || frequency from izzie_memory.graph_entities \
                 where user_id = '{user}' and frequency > 0"
            );
            world.sql().await.rows(&select).await.iter().map(|row| row.get(0)).collect()
        }
        Graph::Neo4j => {
            let read = "MATCH (e:IzzieEntity {userId: $user}) WHERE e.frequency > 0 RETURN \
                CASE e.type WHEN 'tool' THEN 'Project' WHEN 'action_item' THEN 'Topic' WHEN 'date' THEN 'Topic' ELSE substring([l IN labels(e) WHERE l <> 'IzzieEntity'][0], 5) END + ' ' + e.normalized + ' ' + e.frequency AS node";
            let rows = Driver::connect().rows(query(read).param("user", user)).await;
            rows.iter().map(|row| row.get("node").expect("text")).collect()
        }
    };
    nodes.sort();
    nodes
}

/// Everything owed is paid; then the graph is what Postgres says, and every state has the names known now. Names settle
/// when no writer of the whole server is under way, which other tests keep busy.
async fn settle(world: &World, layer: &Client) {
    let begun = Instant::now();
    while world.sql().await.one::<i64>("select count(*) from izzie_memory.alias_changes").await > 0 {
        assert!(begun.elapsed() < PATIENCE, "names do not settle");
        world.insist(layer, "drain", json!({})).await;
    }
    world.settle(layer).await;
    let verdict = world.insist(layer, "verify", json!({ "deep": true })).await;
    assert_eq!(verdict["state"], "consistent", "{verdict}");
    let stale: i64 = world
        .sql()
        .await
        .one(
            "select count(*) from izzie_memory.memory_state s, lateral (select \
               coalesce(s.given_entities, s.entities) as e, coalesce(s.given_relationships, s.relationships) as r) g \
             where not s.deleted and s.entities <> \
               coalesce(izzie_memory.under_known_names(s.user_id, g.e, g.r) -> 'entities', g.e)",
        )
        .await;
    assert_eq!(stale, 0, "memories under names that are no longer known");
}

async fn spellings(world: &World) {
    let layer = world.layer();
    let spelled = ["Bob Smith", "bob  SMITH", "bob.smith@acme.com"];
    for (number, order) in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]].into_iter().enumerate() {
        let user = format!("user {number}");
        for at in order {
            store(&layer, &user, json!([person(spelled[at])]), json!([])).await;
        }
        settle(world, &layer).await;
        assert_eq!(nodes(world, &user).await, ["Person bob smith 3"], "{order:?}");
    }
    let all = ["user 0", "user 1", "user 2", "user 3"];
    layer.call("rebuildGraph", json!({ "clearExisting": true })).await;
    settle(world, &layer).await;
    for user in all {
        assert_eq!(nodes(world, user).await, ["Person bob smith 3"], "after a rebuild");
        for spelling in spelled {
            let entity = json!({ "type": "person", "value": spelling });
            let found = layer.call("getEntity", json!({ "userId": user, "entity": entity })).await;
            assert_eq!((&found["normalized"], &found["frequency"]), (&json!("bob smith"), &json!(3)));
            let text = json!({ "userId": user, "text": spelling });
            let listed = layer.call("searchEntities", text).await;
            assert_eq!(
                (listed[0]["normalized"].as_str(), listed.as_array().map(Vec::len)),
                (Some("bob smith"), Some(1))
            );
            assert_eq!(filtered(&layer, user, "person", spelling).await, 3, "{spelling}");
        }
    }
    let given: Value = world
        .sql()
        .await
        .one("select jsonb_agg(distinct given_entities -> 0 ->> 'normalized') from izzie_memory.memory_state")
        .await;
    assert_eq!(given, json!(["bob.smith@acme.com", null]), "what was given is kept");
}

/// An address is what people see of somebody only until a name is known, in the memory and in the graph.
async fn shown(world: &World) {
    let layer = world.layer();
    for name in ["Zoe Hart", "王小明"] {
        shown_as(world, &layer, name).await;
    }
}

async fn shown_as(world: &World, layer: &Client, name: &str) {
    let address = "zh@y.example";
    let [both_at_once, before, after] = ["both", "before", "after"].map(|when| format!("{when} {name}"));
    let sure =
        |value: &str, confidence: f64| json!({ "type": "person", "value": value, "confidence": confidence });
    let both = json!([sure(address, 0.95), sure(name, 0.9)]);
    let same = json!([same(name, address, Some(0.9))]);
    let said = store(layer, &both_at_once, both.clone(), same.clone()).await;
    store(layer, &before, json!([sure(address, 0.95)]), json!([])).await;
    store(layer, &before, both.clone(), same.clone()).await;
    store(layer, &after, both, same).await;
    store(layer, &after, json!([sure(address, 0.95)]), json!([])).await;
    settle(world, layer).await;
    let memory = layer.call("getById", json!({ "id": said, "userId": both_at_once })).await;
    let entities = memory["entities"].as_array().expect("entities");
    let seen: Vec<_> = entities.iter().map(|it| (it["value"].as_str(), it["normalized"].as_str())).collect();
    assert_eq!(seen, [(Some(name), Some(&*name.to_lowercase()))]);
    let shown = async |when: &str| {
        for user in [&both_at_once, &before, &after] {
            for spelling in [name, address] {
                let entity = json!({ "type": "person", "value": spelling });
                let found = layer.call("getEntity", json!({ "userId": user, "entity": entity })).await;
                assert_eq!(found["name"], name, "{when}: {user} by {spelling}");
            }
        }
    };
    shown("written one by one").await;
    layer.call("rebuildGraph", json!({ "clearExisting": true })).await;
    settle(world, layer).await;
    shown("rebuilt").await;
}

async fn later_evidence(world: &World) {
    let layer = Client::new(&world.config());
    let foreign = "insert into public.memory_entries (user_id, content, metadata) values ('u', 'by other code', \
        '{\"entities\": [{\"type\": \"person\", \"value\": \"Sarah Chen\"}]}')";
    world.sql().await.run(foreign).await;
    store(&layer, "u", json!([person("schen@acme.com")]), json!([])).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "u").await, ["Person sarah chen 1", "Person schen@acme.com 1"]);

    // What rules read, in a batch.
    let text = "Sarah Chen <schen@acme.com> sent the numbers.";
    let memory = |content: &str| json!({ "memory": { "userId": "u", "content": content } });
    let batch = json!({ "items": [memory(text), memory("Sarah Chen called.")] });
    let stored = layer.try_call_with("storeMany", batch, patient()).await.expect("stored");
    let evidence = stored["results"][0]["memory"]["id"].as_str().expect("an id").to_owned();
    settle(world, &layer).await;
    assert_eq!(nodes(world, "u").await, ["Person sarah chen 4"]);

    layer.call("delete", json!({ "id": evidence, "userId": "u" })).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "u").await, ["Person sarah chen 2", "Person schen@acme.com 1"]);

    layer.call("restore", json!({ "id": evidence, "userId": "u" })).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "u").await, ["Person sarah chen 4"]);

    layer.call("update", json!({ "id": evidence, "userId": "u", "content": "No names." })).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "u").await, ["Person sarah chen 2", "Person schen@acme.com 1"]);
}

async fn strangers(world: &World) {
    let layer = world.layer();
    let companies = json!([
        person("Bob"), person("Bob Smith"),
        { "type": "company", "value": "Acme" }, { "type": "company", "value": "Acme Labs" },
        { "type": "location", "value": "Bob Smith" },
    ]);
    store(&layer, "u", companies, json!([])).await;
    // Of a given name nobody knows whose it is, however sure somebody was.
    store(&layer, "u", json!([]), json!([same("Bob", "Bob Smith", Some(0.95))])).await;
    let other_type = json!([{ "fromType": "person", "fromValue": "Bob Smith", "toType": "company",
        "toValue": "Acme", "relationshipType": "SAME_AS" }]);
    store(&layer, "u", json!([]), other_type).await;
    settle(world, &layer).await;
    let apart = [
        "Company acme 2",
        "Company acme labs 1",
        "Location bob smith 1",
        "Person bob 2",
        "Person bob smith 3",
    ];
    assert_eq!(nodes(world, "u").await, apart);

    // One name, two addresses: perhaps two people.
    store(&layer, "v", json!([person("bob.smith@acme.com")]), json!([])).await;
    store(&layer, "v", json!([person("Bob Smith")]), json!([])).await;
    store(&layer, "v", json!([person("bob.smith@other.com")]), json!([])).await;
    settle(world, &layer).await;
    let unknown = ["Person bob smith 1", "Person bob.smith@acme.com 1", "Person bob.smith@other.com 1"];
    assert_eq!(nodes(world, "v").await, unknown);
    // What somebody wrote beside a name is better than what an address looks like; what somebody states, best.
    store(&layer, "v", json!([]), json!([same("Bob Smith", "bob.smith@acme.com", Some(0.9))])).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "v").await, ["Person bob smith 3", "Person bob.smith@other.com 1"]);
    store(&layer, "v", json!([]), json!([same("Bob Smith", "bob.smith@other.com", None)])).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "v").await, ["Person bob smith 5"]);

    // Nobody's names are another user's.
    store(&layer, "w", json!([person("schen@acme.com"), person("Sarah Chen")]), json!([])).await;
    store(&layer, "x", json!([]), json!([same("schen@acme.com", "Sarah Chen", None)])).await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "w").await, ["Person sarah chen 1", "Person schen@acme.com 1"]);
    assert_eq!(nodes(world, "x").await, ["Person sarah chen 1"]);
}

async fn any_order(world: &World) {
    let layer = world.layer();
    let links = [
        ("Ann Lee", "A. Lee"),
        ("A. Lee", "Ann M. Lee"),
        ("Ann M. Lee", "Ann Lee"),
        ("Ann M. Lee", "ann@x.org"),
    ];
    for (number, order) in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]].into_iter().enumerate() {
        let user = format!("user {number}");
        for at in order {
            let (a, b) = links[at];
            store(&layer, &user, json!([]), json!([same(a, b, None)])).await;
        }
        settle(world, &layer).await;
        assert_eq!(nodes(world, &user).await, ["Person ann m lee 4"], "{order:?}");
    }
    // Names of any length and kind are names.
    let long = format!("{}\u{1F642} 'quoted' `ticked`", "x".repeat(470));
    store(
        &layer,
        "long",
        json!([]),
        json!([same("Ann Lee", &long, None), same("a\"b {c}", "Ann Lee", None)]),
    )
    .await;
    settle(world, &layer).await;
    assert_eq!(nodes(world, "long").await.len(), 1);
}

/// Writers of several users learn the same names and others, one by one and in batches in opposite order.
async fn at_once(world: &World) {
    let tasks: Vec<_> = (0..8_u64)
        .map(|number| {
            let instance = world.instance(number % 4);
            tokio::spawn(async move {
                for round in 0..6_u64 {
                    let mut entries: Vec<Value> = (0..4_u64)
                        .map(|user| {
                            let name = format!("Name {}", (round + user) % 5);
                            let address = format!("n{}@x.org", (round + number) % 5);
                            let said = same(&name, &address, (round % 2 == 0).then_some(0.9));
                            json!({ "memory": { "userId": format!("user {user}"),
                                "content": format!("{number} {round} {user}"), "relationships": [said] } })
                        })
                        .collect();
                    if number % 2 == 0 {
                        entries.reverse();
                    }
                    let stored = instance.call("storeMany", json!({ "items": entries })).await;
                    let results = stored["results"].as_array().expect("results");
                    assert!(results.iter().all(|result| result.get("memory").is_some()), "{stored}");
                    // It runs beside the writers, all on one graph: the one that is late goes on where it was.
                    if number == 7
                        && let Err(error) = instance.try_call("drain", json!({})).await
                    {
                        assert!(error.reason.retryable(), "{}", error.envelope());
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no deadlock reaches a caller");
    }
    settle(world, &world.layer()).await;
}

async fn relationships(world: &World) {
    let layer = world.layer();
    let leads = json!({ "fromType": "person", "fromValue": "bsmith@acme.com", "toType": "project",
        "toValue": "Atlas", "relationshipType": "LEADS" });
    let knows = json!({ "fromType": "person", "fromValue": "Bob Smith", "toType": "person",
        "toValue": "bsmith@acme.com", "relationshipType": "WORKS_WITH" });
    let id = store(&layer, "u", json!([]), json!([leads, knows])).await;
    store(&layer, "u", json!([]), json!([same("Bob Smith", "bsmith@acme.com", None)])).await;
    settle(world, &layer).await;
    let memory = layer.call("getById", json!({ "id": id, "userId": "u" })).await;
    let stated: Vec<_> = memory["relationships"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|r| format!("{} {} {}", r["fromNormalized"], r["relationshipType"], r["toNormalized"]))
        .collect();
    assert_eq!(stated, [r#""bob smith" "LEADS" "atlas""#], "nobody works with himself");
    assert_eq!(nodes(world, "u").await, ["Person bob smith 2", "Project atlas 1"]);
}

fn named(kind: &str, value: &str, normalized: &str) -> Value {
    json!({ "type": kind, "value": value, "normalized": normalized })
}

/// The normalized name of what a spelling finds, and how many memories mention it.
async fn found(layer: &Client, user: &str, kind: &str, value: &str) -> Option<(String, i64)> {
    let entity = json!({ "type": kind, "value": value });
    let found = layer.call("getEntity", json!({ "userId": user, "entity": entity })).await;
    Some((found["normalized"].as_str()?.to_owned(), found["frequency"].as_i64()?))
}

/// How many memories an entity filter lets through.
async fn filtered(layer: &Client, user: &str, kind: &str, value: &str) -> usize {
    let wanted = json!({ "userId": user, "query": "value fromValue name", "mode": "text", "limit": 50,
        "entities": [{ "type": kind, "value": value }] });
    layer.call("retrieve", wanted).await.as_array().expect("a list").len()
}

/// Spellings of one entity that must meet, each by a type of its own.
const MEETING: [(&str, &[&str]); 6] = [
    ("person", &["John Doe", "john_doe", "john-doe", "JOHN  DOE", "Dr. John Doe", "john\u{a0}doe"]),
    ("person", &["Jean-Luc Picard", "jean_luc_picard", "Jean Luc Picard"]),
    ("company", &["T-Mobile", "t_mobile", "t mobile", "T-Mobile Inc."]),
    ("project", &["izzie-memory", "izzie_memory", "Project Izzie Memory"]),
    ("location", &["ΕΛΛΆΣ", "Ελλάς", "ελλασ"]),
    ("date", &["2026-05-08", "2026_05_08"]),
];

async fn as_the_app(world: &World) {
    let layer = world.layer();
    for (number, (kind, spellings)) in MEETING.iter().enumerate() {
        let user = format!("user {number}");
        let mut stored = 0;
        for value in *spellings {
            for normalized in *spellings {
                store(&layer, &user, json!([named(kind, value, normalized)]), json!([])).await;
                stored += 1;
            }
            let bare = json!([{ "type": kind, "value": value, "context": "name" }]);
            store(&layer, &user, bare, json!([])).await;
            stored += 1;
        }
        settle(world, &layer).await;
        let all = nodes(world, &user).await;
        assert_eq!(all.len(), 1, "{all:?}");
        for spelling in *spellings {
            let (_, mentions) = found(&layer, &user, kind, spelling).await.expect(spelling);
            assert_eq!(mentions, stored, "{spelling}");
            let let_through = filtered(&layer, &user, kind, spelling).await;
            assert_eq!(let_through, usize::try_from(stored.min(50)).expect("few"), "{spelling}");
        }
    }
    // Other code's rows, and the fuller name of a short one.
    let foreign = "insert into public.memory_entries (user_id, content, metadata) values ('f', 'by other code', \
        '{\"entities\": [{\"type\": \"person\", \"value\": \"John Doe\", \"normalized\": \"john_doe\"}, \
        {\"type\": \"person\", \"value\": \"Bob\", \"normalized\": \"robert_smith\"}, \
        {\"type\": \"company\", \"value\": \"IBM\", \"normalized\": \"international_business_machines\"}]}')";
    world.sql().await.run(foreign).await;
    store(&layer, "f", json!([person("Bob"), { "type": "company", "value": "I.B.M" }]), json!([])).await;
    let ends = json!([{ "fromType": "person", "fromValue": "Bob", "toType": "company", "toValue": "IBM",
        "relationshipType": "WORKS_FOR" }]);
    store(
        &layer,
        "f",
        json!([named("person", "Bob", "robert_smith"), { "type": "company", "value": "ibm" }]),
        ends,
    )
    .await;
    settle(world, &layer).await;
    let of_all = [
        "Company i.b.m 1",
        "Company international business machines 2",
        "Person bob 1",
        "Person john doe 1",
        "Person robert smith 2",
    ];
    assert_eq!(nodes(world, "f").await, of_all);
    assert_eq!(found(&layer, "f", "company", "IBM").await.expect("known").1, 2);
    let name: Value = layer
        .call("getEntity", json!({ "userId": "f", "entity": { "type": "person", "value": "Robert Smith" } }))
        .await;
    assert_eq!(name["name"], "Bob", "people see what was written");
}

/// Whatever its normalized name is: one that is no evidence of another name, of any type, in any writing of the value.
async fn by_value(world: &World) {
    let layer = world.layer();
    let cases = [
        ("date", "May 8", "2025-05-08", "2025 05 08"),
        ("topic", "Machine Learning", "ml", "ml"),
        ("action_item", "Call Anna back", "call_anna", "call anna"),
        ("person", "Bob", "robert_smith", "robert smith"),
        ("company", "Big Blue", "international_business_machines", "international business machines"),
        ("person", "José", "j_garcia", "j garcia"),
    ];
    for (kind, value, given, normalized) in cases {
        store(&layer, "u", json!([named(kind, value, given)]), json!([])).await;
        store(&layer, "other", json!([{ "type": "tool", "value": "hammer" }]), json!([])).await;
        settle(world, &layer).await;
        let once = Some((normalized.to_owned(), 1));
        for spelling in [value, given, normalized, &value.to_uppercase(), &value.replace(' ', "_")] {
            assert_eq!(found(&layer, "u", kind, spelling).await, once, "{spelling}");
            assert_eq!(filtered(&layer, "u", kind, spelling).await, 1, "{spelling}");
            assert_eq!(found(&layer, "other", kind, spelling).await, None, "{spelling}");
            let text = json!({ "userId": "u", "text": spelling, "limit": 1 });
            let first = layer.call("searchEntities", text).await[0].clone();
            assert_eq!(
                (&first["normalized"], &first["name"]),
                (&json!(normalized), &json!(value)),
                "{spelling}"
            );
        }
        let of = json!({ "userId": "u", "entity": { "type": kind, "value": value } });
        assert_eq!(layer.call("getMemoriesForEntity", of).await["items"].as_array().map(Vec::len), Some(1));
    }
    // It is no other name: who has it as their own comes first, and both stay.
    store(&layer, "u", json!([person("Bob")]), json!([])).await;
    settle(world, &layer).await;
    assert_eq!(found(&layer, "u", "person", "Bob").await, Some(("bob".to_owned(), 1)));
    assert_eq!(found(&layer, "u", "person", "robert smith").await, Some(("robert smith".to_owned(), 1)));
    assert_eq!(filtered(&layer, "u", "person", "Bob").await, 2);
    // One spelling of two entities, of which nobody knows which is meant: both are found by it.
    for normalized in ["ibm_deutschland", "ibm_france"] {
        store(&layer, "u", json!([named("company", "Blue", normalized)]), json!([])).await;
    }
    settle(world, &layer).await;
    assert!(found(&layer, "u", "company", "Blue").await.is_some());
    assert_eq!(filtered(&layer, "u", "company", "Blue").await, 2);
    let listed = layer.call("searchEntities", json!({ "userId": "u", "text": "Blue", "limit": 2 })).await;
    let listed: BTreeSet<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entity| entity["normalized"].as_str())
        .collect();
    assert_eq!(listed, BTreeSet::from(["ibm deutschland", "ibm france"]));
    // It ends with the memory that said it.
    layer.call("deleteAll", json!({ "userId": "u", "hard": true })).await;
    settle(world, &layer).await;
    assert_eq!(found(&layer, "u", "date", "May 8").await, None);
    let left: i64 =
        world.sql().await.one("select count(*) from izzie_memory.entity_aliases where user_id = 'u'").await;
    assert_eq!(left, 0);
}

/// A database whose states and graph have names as they were once taken: literally, and without dates.
async fn renewed(world: &World) {
    let layer = world.layer();
    let foreign = |id: u8, user: &str, metadata: &str| {
        format!(
            "insert into public.memory_entries (id, user_id, content, metadata) values \
             ('{id:02x}111111-1111-4111-8111-111111111111', '{user}', 'name', '{metadata}')"
        )
    };
    let mut sql = world.sql().await;
    let john = r#"{"type": "person", "value": "John Doe", "normalized": "john_doe"}"#;
    let dated = format!(r#"{{"entities": [{john}, {{"type": "date", "value": "May 5"}}]}}"#);
    sql.run(&foreign(1, "u", &dated)).await;
    sql.run(&foreign(2, "u", r#"{"entities": [{"type": "company", "value": "IBM", "normalized": "international_business_machines"}]}"#)).await;
    // One's own: what stands in its metadata is only data.
    let own = json!({ "userId": "u", "content": "own", "entities": [person("Jean Luc")],
        "metadata": { "entities": [{ "type": "person", "value": "Ann" }, { "type": "date", "value": "May 6" }] } });
    layer.try_call_with("store", own, patient()).await.expect("stored");
    let stated = json!([{ "fromType": "person", "fromValue": "John Doe", "toType": "company", "toValue": "IBM",
        "relationshipType": "WORKS_FOR" }]);
    store(&layer, "u", json!([]), stated).await;
    settle(world, &layer).await;
    let as_once = "update izzie_memory.memory_state s set given_entities = null, given_relationships = null, \
        entities = (select coalesce(jsonb_agg(case e ->> 'normalized' when 'john doe' then e || '{\"normalized\": \"john_doe\"}' \
            when 'jean luc' then e || '{\"normalized\": \"jean-luc\"}' \
            when 'ibm' then e when 'international business machines' then e || '{\"normalized\": \"international_business_machines\"}' \
            else e end), '[]') from jsonb_array_elements(coalesce(s.given_entities, s.entities)) e where e ->> 'type' <> 'date'), \
        relationships = (select coalesce(jsonb_agg(r || '{\"fromNormalized\": \"john_doe\"}'), '[]') \
            from jsonb_array_elements(coalesce(s.given_relationships, s.relationships)) r)";
    sql.run(as_once).await;
    sql.run("delete from izzie_memory.entity_aliases").await;
    sql.run("update izzie_memory.memory_state s set revision = nextval('izzie_memory.revision_seq'), \
        h1 = izzie_memory.half(d.hash, 0), h2 = izzie_memory.half(d.hash, 1) from (select e.id, izzie_memory.digest(e.id, e.user_id, \
        e.content, e.summary, e.importance, e.created_at, o.entities, o.relationships) as hash from memory_entries e \
        join izzie_memory.memory_state o on o.memory_id = e.id) d where d.id = s.memory_id").await;
    sql.run(
        "select izzie_memory.owe_many((select target from izzie_memory.graph_targets where current), \
        array(select memory_id from izzie_memory.memory_state))",
    )
    .await;
    settle(world, &layer).await;
    assert!(nodes(world, "u").await.contains(&"Person john_doe 2".to_owned()), "as it was once");
    assert_eq!(found(&layer, "u", "person", "John Doe").await, None);

    // What a newer form of projection begins.
    sql.run("select izzie_memory.restart_job('renew', 'early')").await;
    layer.call("fullSync", json!({})).await;
    settle(world, &layer).await;
    let names = [
        "Company international business machines 2",
        "Person jean luc 1",
        "Person john doe 2",
        "Topic may 5 1",
    ];
    assert_eq!(nodes(world, "u").await, names);
    for spelling in ["John Doe", "john_doe", "JOHN-DOE"] {
        assert_eq!(found(&layer, "u", "person", spelling).await, Some(("john doe".to_owned(), 2)));
    }
    assert_eq!(found(&layer, "u", "date", "May 5").await, Some(("may 5".to_owned(), 1)));
    assert_eq!(filtered(&layer, "u", "person", "john doe").await, 2);
    let names: i64 = sql
        .one("select count(*) from izzie_memory.memory_state where names && array['john_doe', 'jean-luc']")
        .await;
    assert_eq!(names, 0, "the search knows the names of today");
}
