//! What every graph must tell of a user's entities. `graph_query_tests!` makes one test of each function for a graph.

use serde_json::{Value, json};
use tokio::sync::RwLockWriteGuard;

use super::layers::{Client, empty_neo4j};
use super::postgres::Database;

/// A layer on a graph of its own.
pub struct World {
    pub client: Client,
    pub database: Database,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

pub async fn on_neo4j() -> World {
    let alone = empty_neo4j().await;
    let database = Database::migrated().await;
    World { client: Client::on(&database, true), database, _alone: Some(alone) }
}

pub async fn on_postgres() -> World {
    let database = Database::migrated().await;
    World { client: Client::on(&database, false), database, _alone: None }
}

impl World {
    /// Stores a memory of a day in 2026; answers its id.
    async fn remember(&self, user: &str, day: u32, entities: &[Value], relationships: &[Value]) -> String {
        let memory = json!({
            "userId": user,
            "content": format!("of day {day}"),
            "createdAt": moment(day),
            "entities": entities,
            "relationships": relationships,
        });
        let patient = json!({ "graphWaitMs": 20_000 });
        let answer = self.client.try_call_with("store", memory, patient).await.expect("stored");
        assert_eq!(answer["write"]["graphWriteSuccess"], true, "{answer}");
        answer["memory"]["id"].as_str().expect("an id").to_owned()
    }

    async fn delete(&self, id: &str, cascade_graph: bool) {
        let args = json!({ "id": id, "cascadeGraph": cascade_graph });
        let patient = json!({ "graphWaitMs": 20_000 });
        let answer = self.client.try_call_with("delete", args, patient).await.expect("deleted");
        assert_eq!(answer["write"]["graphWriteSuccess"], true, "{answer}");
    }

    async fn entity(&self, user: &str, kind: &str, value: &str) -> Value {
        self.client.call("getEntity", json!({ "userId": user, "entity": named(kind, value) })).await
    }

    async fn found(&self, user: &str, text: &str) -> Vec<String> {
        names(&self.client.call("searchEntities", json!({ "userId": user, "text": text })).await)
    }

    async fn top(&self, user: &str, more: Value) -> Vec<String> {
        names(&self.client.call("getTopEntities", with(json!({ "userId": user }), more)).await)
    }

    /// Each as "DIRECTION RELATIONSHIP name weight".
    async fn related(&self, user: &str, entity: Value, more: Value) -> Vec<String> {
        let args = with(json!({ "userId": user, "entity": entity }), more);
        let line = |one: &Value| {
            let name = &one["entity"]["normalized"];
            format!(
                "{} {} {} {}",
                text(&one["direction"]),
                text(&one["relationship"]),
                text(name),
                one["weight"]
            )
        };
        list(&self.client.call("getRelatedEntities", args).await).iter().map(line).collect()
    }

    async fn page(&self, user: &str, entity: &Value, more: Value) -> (Vec<String>, Value) {
        let args = with(json!({ "userId": user, "entity": entity }), more);
        let page = self.client.call("getMemoriesForEntity", args).await;
        let ids = list(&page["items"]).iter().map(|item| text(&item["id"])).collect();
        (ids, page["nextCursor"].clone())
    }

    /// "a -RELATIONSHIP-> b", or with the arrow the other way, or without one.
    async fn path(&self, user: &str, from: &str, to: &str, depth: u32) -> Option<String> {
        let args = json!({ "userId": user, "from": person(from), "to": person(to), "maxDepth": depth });
        let path = self.client.call("findPath", args).await;
        (!path.is_null()).then(|| described(&path))
    }
}

fn described(path: &Value) -> String {
    let names = names(&path["entities"]);
    let mut line = names[0].clone();
    for (place, step) in list(&path["steps"]).iter().enumerate() {
        assert_eq!((&step["from"], &step["to"]), (&json!(place), &json!(place + 1)));
        let relationship = text(&step["relationship"]);
        line += &match text(&step["direction"]).as_str() {
            "out" => format!(" -{relationship}-> "),
            "in" => format!(" <-{relationship}- "),
            _ => " - ".to_owned(),
        };
        line += &names[place + 1];
    }
    line
}

fn with(mut args: Value, more: Value) -> Value {
    let more = if let Value::Object(more) = more { more } else { panic!("an object") };
    args.as_object_mut().expect("an object").extend(more);
    args
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn names(entities: &Value) -> Vec<String> {
    list(entities).iter().map(|entity| text(&entity["normalized"])).collect()
}

fn moment(day: u32) -> String {
    format!("2026-{:02}-{:02}T08:30:00.123Z", 1 + day / 28, 1 + day % 28)
}

fn named(kind: &str, value: &str) -> Value {
    json!({ "type": kind, "value": value })
}

fn person(name: &str) -> Value {
    named("person", name)
}

fn people(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| person(name)).collect()
}

fn states(from: &str, kind: &str, to: &str) -> Value {
    json!({ "fromType": "person", "fromValue": from, "toType": "person", "toValue": to, "relationshipType": kind })
}

pub async fn an_entity_is_known_by_all_its_memories_and_spellings(world: World) {
    let sure =
        |value: &str, confidence: f64| json!({ "type": "person", "value": value, "confidence": confidence });
    world.remember("ada", 9, &[sure("Dr. José García", 0.5)], &[]).await;
    world.remember("ada", 3, &[sure("jose garcia", 0.9)], &[]).await;
    world.remember("ada", 20, &[sure("JOSÉ GARCÍA", 0.25)], &[]).await;
    let expected = json!({
        "type": "person", "name": "Dr. José García", "normalized": "jose garcia", "frequency": 3, "confidence": 0.9,
        "firstSeen": moment(3), "lastSeen": moment(20),
    });
    for spelling in ["José García", "  DR.  jose garcía", "jose garcia"] {
        assert_eq!(world.entity("ada", "person", spelling).await, expected, "{spelling}");
    }
    for (kind, name) in [("person", "Jose"), ("company", "jose garcia"), ("person", "garcia")] {
        assert!(world.entity("ada", kind, name).await.is_null(), "{kind} {name}");
    }
}

/// A normal form that a caller gave is a spelling like any other, perhaps of a fuller name; what is shown is the value.
pub async fn a_given_normal_form_is_a_spelling_and_the_value_is_shown(world: World) {
    let company = |value: &str, normalized: &str| json!({ "type": "company", "value": value, "normalized": normalized });
    world.remember("ada", 1, &[company("Acme Inc", "acme inc"), named("company", "Acme")], &[]).await;
    world.remember("ada", 2, &[company("Café Müller", "cafe_muller")], &[]).await;
    world.remember("ada", 3, &[company("Ñandú", "ÑANDÚ y Cía"), company("acme", "acme_inc")], &[]).await;
    for (value, name, normalized, frequency) in [
        ("ACME Inc", "Acme Inc", "acme", 2),
        ("Acme, Inc.", "Acme Inc", "acme", 2),
        ("café müller", "Café Müller", "cafe muller", 1),
        ("CAFE MULLER", "Café Müller", "cafe muller", 1),
        ("nandu y cia", "Ñandú", "nandu y cia", 1),
        ("ñandú", "Ñandú", "nandu y cia", 1),
    ] {
        let entity = world.entity("ada", "company", value).await;
        assert_eq!(
            (&entity["name"], &entity["normalized"], &entity["frequency"]),
            (&json!(name), &json!(normalized), &json!(frequency)),
            "{value}"
        );
    }
}

/// A tool and a project of one name are one entity, of the type that came first.
pub async fn types_that_share_a_label_share_an_entity(world: World) {
    world.remember("ada", 1, &[named("tool", "Atlas")], &[]).await;
    world.remember("ada", 2, &[named("project", "Atlas")], &[]).await;
    for kind in ["tool", "project"] {
        let entity = world.entity("ada", kind, "atlas").await;
        assert_eq!((&entity["type"], &entity["frequency"]), (&json!("tool"), &json!(2)));
    }
    assert_eq!(world.top("ada", json!({ "types": ["tool"] })).await, ["atlas"]);
    assert_eq!(world.top("ada", json!({ "types": ["project"] })).await, [] as [&str; 0]);
}

/// A name means the entity of its own type before one of the same label that is called exactly so.
pub async fn a_name_means_its_own_type_first(world: World) {
    world.remember("ada", 1, &[named("tool", "Project Apollo")], &[]).await;
    let of = async |kind: &str| world.entity("ada", kind, "Project Apollo").await["normalized"].clone();
    assert_eq!((of("tool").await, of("project").await), (json!("project apollo"), json!("project apollo")));
    world.remember("ada", 2, &[named("project", "Project Apollo")], &[]).await;
    assert_eq!((of("tool").await, of("project").await), (json!("project apollo"), json!("apollo")));
}

pub async fn a_search_ranks_equal_prefix_word_and_part(world: World) {
    let all = people(&["Ann", "Anna", "Mary-Ann", "Peter Ann", "Joanna", "Bob", "Hannah"]);
    world.remember("ada", 1, &all, &[]).await;
    world.remember("ada", 2, &people(&["Hannah", "Peter Ann"]), &[]).await;
    let expected = ["ann", "anna", "peter ann", "mary ann", "hannah", "joanna"];
    for spelling in ["ann", "ANN", " Änn "] {
        assert_eq!(world.found("ada", spelling).await, expected, "{spelling}");
    }
    let few = json!({ "userId": "ada", "text": "ann", "limit": 3 });
    assert_eq!(names(&world.client.call("searchEntities", few).await), expected[..3]);
    assert_eq!(world.found("ada", "nobody").await, [] as [&str; 0]);
}

/// What is found is shown as it was written, whatever it is found by.
pub async fn a_search_overlooks_case_and_diacritics_on_both_sides(world: World) {
    let given = json!({ "type": "person", "value": "José Ñandú", "normalized": "jose_nandu" });
    let decomposed = json!({ "type": "person", "value": "Jose\u{301} X", "normalized": "JOSÉ X" });
    let others = ["Łukasz Straße", "Иван Май", "서울", "हिन्दी", "თბილისი"].map(person);
    world.remember("ada", 1, &[others.as_slice(), &[given, decomposed]].concat(), &[]).await;
    let shown = async |looked_for: &str| -> Vec<String> {
        let args = json!({ "userId": "ada", "text": looked_for });
        let found = world.client.call("searchEntities", args).await;
        list(&found).iter().map(|entity| text(&entity["name"])).collect()
    };
    for (looked_for, expected) in [
        ("jose nandu", "José Ñandú"),
        ("JOSÉ Ñ", "José Ñandú"),
        ("jose x", "Jose\u{301} X"),
        ("lukasz strasse", "Łukasz Straße"),
        ("ŁUKASZ", "Łukasz Straße"),
        ("иван", "Иван Май"),
        ("МАЙ", "Иван Май"),
        ("서", "서울"),
        ("हिन्", "हिन्दी"),
        ("თბი", "თბილისი"),
    ] {
        assert_eq!(shown(looked_for).await, [expected], "{looked_for}");
    }
    assert_eq!(shown("jose").await, ["José Ñandú", "Jose\u{301} X"]);
    assert_eq!(shown("ñandu").await, ["José Ñandú"]);
    assert_eq!(world.found("ada", "jose").await, ["jose nandu", "jose x"]);
}

/// Names of which nothing is left when they are folded are known by what they are.
pub async fn names_without_a_letter_are_found(world: World) {
    let names = ["_", "***", "🙂", "--", "?!", "\u{301}"];
    for kind in ["person", "company", "project", "topic"] {
        let entities: Vec<Value> = names.iter().map(|name| named(kind, name)).collect();
        world.remember(kind, 1, &entities, &[]).await;
        for name in names {
            assert_eq!(world.entity(kind, kind, name).await["name"], name, "{kind} {name}");
            let args = json!({ "userId": kind, "text": name });
            let found = world.client.call("searchEntities", args).await;
            assert_eq!(list(&found).len(), 1, "{kind} {name}: {found}");
            assert_eq!(found[0]["name"], name, "{kind} {name}");
        }
    }
}

pub async fn wildcards_and_hostile_text_are_literal(world: World) {
    let hostile = [
        "50% off",
        "_",
        "a_b@c.de",
        "x.*y",
        "back\\slash",
        "it's \"quoted\"",
        "tick`s",
        "}) DETACH DELETE n //",
        "$name [a-z]",
    ];
    let topics: Vec<Value> = hostile.iter().map(|name| named("topic", name)).collect();
    world.remember("ada", 1, &topics, &[]).await;
    for part in ["%", "_", ".*", "\\", "t's", "`", "})", "[a-z]", "$name"] {
        let expected = hostile.iter().filter(|name| name.contains(part)).count();
        let found = world.found("ada", part).await;
        assert_eq!(found.len(), expected, "{part}: {found:?}");
    }
    for name in hostile {
        assert_eq!(world.entity("ada", "topic", name).await["name"], name, "{name}");
        let entity = named("topic", name);
        assert_eq!(world.related("ada", entity.clone(), json!({})).await.len(), hostile.len() - 1, "{name}");
        assert_eq!(world.page("ada", &entity, json!({})).await.0.len(), 1, "{name}");
    }
    let path = json!({ "userId": "ada", "from": topics[0], "to": topics[7] });
    assert_eq!(list(&world.client.call("findPath", path).await["steps"]).len(), 1);
    let refused = json!({ "userId": "ada", "text": "a\u{0}b" });
    assert_eq!(world.client.fails("searchEntities", refused).await.details["field"], "text");
}

pub async fn the_most_mentioned_come_first_and_ties_go_by_name(world: World) {
    let mut first = people(&["Ann", "Bob", "Cid"]);
    first.extend([named("company", "Acme"), named("topic", "bob"), named("location", "Bergen")]);
    world.remember("ada", 1, &first, &[]).await;
    world.remember("ada", 2, &[person("Cid"), named("company", "Acme")], &[]).await;
    world.remember("ada", 3, &people(&["Cid", "Zoe"]), &[]).await;
    let expected = ["cid", "acme", "ann", "bergen", "bob", "bob", "zoe"];
    assert_eq!(world.top("ada", json!({})).await, expected);
    let all = world.client.call("getTopEntities", json!({ "userId": "ada" })).await;
    let types: Vec<_> = list(&all).iter().map(|entity| text(&entity["type"])).collect();
    assert_eq!(types[4..6], ["person", "topic"]);
    for limit in 1..7 {
        assert_eq!(world.top("ada", json!({ "limit": limit })).await, expected[..limit], "{limit}");
    }
    let some = json!({ "types": ["location", "person", "person"], "limit": 4 });
    assert_eq!(world.top("ada", some).await, ["cid", "ann", "bergen", "bob"]);
    assert_eq!(world.top("ada", json!({ "types": [] })).await, [] as [&str; 0]);
}

pub async fn relations_have_direction_weight_and_confidence(world: World) {
    let stated = |confidence: f64, from: &str, kind: &str, to: &str| {
        with(states(from, kind, to), json!({ "confidence": confidence }))
    };
    let acme = json!({ "fromType": "person", "fromValue": "Ann", "toType": "company", "toValue": "Acme",
        "relationshipType": "WORKS_FOR", "confidence": 0.5 });
    let first = [stated(0.25, "Ann", "WORKS_WITH", "Bob"), stated(0.5, "Cid", "REPORTS_TO", "Ann"), acme];
    world.remember("ada", 1, &people(&["Ann", "Dan"]), &first).await;
    let second = [stated(0.75, "Ann", "WORKS_WITH", "Bob"), stated(1.0, "Bob", "WORKS_WITH", "Ann")];
    world.remember("ada", 2, &people(&["Ann", "Bob"]), &second).await;
    world.remember("ada", 3, &people(&["Ann", "Dan"]), &[]).await;
    let expected = [
        "out WORKS_WITH bob 2",
        "out WORKS_FOR acme 1",
        "in WORKS_WITH bob 1",
        "in REPORTS_TO cid 1",
        "none CO_OCCURS bob 2",
        "none CO_OCCURS dan 2",
        "none CO_OCCURS acme 1",
        "none CO_OCCURS cid 1",
    ];
    let ann = || person("ann");
    assert_eq!(world.related("ada", ann(), json!({})).await, expected);
    for limit in 1..8 {
        assert_eq!(
            world.related("ada", ann(), json!({ "limit": limit })).await,
            expected[..limit],
            "{limit}"
        );
    }
    let only = |types: &[&str]| json!({ "relationshipTypes": types });
    assert_eq!(world.related("ada", ann(), only(&["REPORTS_TO", "OWNS"])).await, expected[3..4]);
    assert_eq!(world.related("ada", ann(), only(&["CO_OCCURS"])).await, expected[4..]);
    assert_eq!(world.related("ada", ann(), only(&[])).await, [] as [&str; 0]);
    let companies = world.related("ada", ann(), json!({ "types": ["company"] })).await;
    assert_eq!(companies, ["out WORKS_FOR acme 1", "none CO_OCCURS acme 1"]);
    assert_eq!(world.related("ada", person("cid"), only(&["REPORTS_TO"])).await, ["out REPORTS_TO ann 1"]);
    assert_eq!(world.related("ada", person("nobody"), json!({})).await, [] as [&str; 0]);
    let args = json!({ "userId": "ada", "entity": ann(), "limit": 5 });
    let all = world.client.call("getRelatedEntities", args).await;
    assert_eq!((&all[0]["confidence"], &all[4].get("confidence")), (&json!(0.75), &None));
    assert_eq!((&all[0]["entity"]["frequency"], &all[0]["entity"]["name"]), (&json!(2), &json!("Bob")));
}

pub async fn memories_come_newest_first_page_by_page(world: World) {
    let mut ids = Vec::new();
    // Two of each day: those of one moment go by id.
    for day in [4, 2, 9, 7, 4, 2, 9, 7] {
        ids.push((day, world.remember("ada", day, &people(&["Ann"]), &[]).await));
    }
    world.remember("ada", 5, &people(&["Bob"]), &[]).await;
    ids.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.cmp(other)));
    let expected: Vec<String> = ids.into_iter().map(|(_, id)| id).collect();
    let ann = person("Ann");
    assert_eq!(world.page("ada", &ann, json!({})).await, (expected.clone(), Value::Null));
    for limit in [1, 3, 4, 8] {
        let (mut read, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let more = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
            let (page, next) = world.page("ada", &ann, with(json!({ "limit": limit }), more)).await;
            assert!(page.len() <= limit);
            read.extend(page);
            cursor = next;
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(read, expected, "{limit}");
    }
    // What comes and goes meanwhile shifts nothing.
    let (first, cursor) = world.page("ada", &ann, json!({ "limit": 3 })).await;
    assert_eq!(first, expected[..3]);
    world.remember("ada", 20, &people(&["Ann"]), &[]).await;
    world.delete(&expected[0], true).await;
    world.delete(&expected[4], true).await;
    let (rest, end) = world.page("ada", &ann, json!({ "limit": 20, "cursor": cursor })).await;
    assert_eq!((rest, end), ([&expected[3..4], &expected[5..]].concat(), Value::Null));
    for cursor in ["", "x", "5/x", "x/00000000-0000-0000-0000-000000000000"] {
        let args = json!({ "userId": "ada", "entity": ann, "cursor": cursor });
        let error = world.client.fails("getMemoriesForEntity", args).await;
        assert_eq!(error.details["field"], "cursor", "{cursor}");
    }
}

/// What Postgres has deleted is left out though the graph does not know it yet, and the page is filled up.
pub async fn memories_that_are_gone_are_left_out_of_full_pages(world: World) {
    let mut ids = Vec::new();
    for day in 1..=6 {
        ids.insert(0, world.remember("ada", day, &people(&["Ann"]), &[]).await);
    }
    let mut sql = world.database.connect().await;
    for id in [&ids[0], &ids[2], &ids[3]] {
        // The triggers would owe it, or project it.
        sql.run(&format!(
            "set session_replication_role = replica; update memory_entries set is_deleted = true where id = '{id}'"
        ))
        .await;
    }
    let (page, next) = world.page("ada", &person("Ann"), json!({ "limit": 2 })).await;
    assert_eq!(page, [ids[1].clone(), ids[4].clone()]);
    let (page, next) = world.page("ada", &person("Ann"), json!({ "limit": 2, "cursor": next })).await;
    assert_eq!((page, next), (vec![ids[5].clone()], Value::Null));
}

pub async fn paths_are_as_short_as_can_be(world: World) {
    // A chain of seven, each of whom one memory mentions with the next.
    let chain = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"];
    for (day, pair) in chain.windows(2).enumerate() {
        let stated = states(pair[1], "REPORTS_TO", pair[0]);
        let stated = if day % 2 == 0 { vec![stated] } else { Vec::new() };
        world.remember("ada", u32::try_from(day).expect("small"), &people(pair), &stated).await;
    }
    world.remember("ada", 1, &people(&["alone"]), &[]).await;
    let ways = [
        "p0 <-REPORTS_TO- p1",
        "p0 <-REPORTS_TO- p1 - p2",
        "p0 <-REPORTS_TO- p1 - p2 <-REPORTS_TO- p3",
        "p0 <-REPORTS_TO- p1 - p2 <-REPORTS_TO- p3 - p4",
        "p0 <-REPORTS_TO- p1 - p2 <-REPORTS_TO- p3 - p4 <-REPORTS_TO- p5",
        "p0 <-REPORTS_TO- p1 - p2 <-REPORTS_TO- p3 - p4 <-REPORTS_TO- p5 - p6",
    ];
    for (length, expected) in (1..).zip(ways) {
        assert_eq!(world.path("ada", "p0", chain[length as usize], length).await.as_deref(), Some(expected));
        if length > 1 {
            assert_eq!(world.path("ada", "p0", chain[length as usize], length - 1).await, None, "{length}");
        }
    }
    assert_eq!(world.path("ada", "p0", "p7", 6).await, None);
    assert_eq!(world.path("ada", "p2", "p0", 6).await.as_deref(), Some("p2 - p1 -REPORTS_TO-> p0"));
    assert_eq!(world.path("ada", "p3", "p3", 1).await.as_deref(), Some("p3"));
    for (from, to) in [("p0", "alone"), ("alone", "p0"), ("p0", "nobody"), ("nobody", "p0")] {
        assert_eq!(world.path("ada", from, to, 6).await, None, "{from} {to}");
    }
    // A memory that mentions both ends makes it one step.
    world.remember("ada", 9, &people(&["p0", "p7"]), &[]).await;
    assert_eq!(world.path("ada", "p0", "p7", 6).await.as_deref(), Some("p0 - p7"));
    assert_eq!(world.path("ada", "p0", "p5", 6).await.as_deref(), Some("p0 - p7 -REPORTS_TO-> p6 - p5"));
    for depth in [0, 7, -1] {
        let args = json!({ "userId": "ada", "from": person("p0"), "to": person("p1"), "maxDepth": depth });
        assert_eq!(world.client.fails("findPath", args).await.details["field"], "maxDepth");
    }
}

/// Of equally short ways the same is always taken: stated relationships first, then by name.
pub async fn of_equal_paths_the_stated_one_is_taken_then_the_first_by_name(world: World) {
    for middle in ["Cid", "Bob", "Dan"] {
        world.remember("ada", 1, &people(&["Ann", middle]), &[]).await;
        world.remember("ada", 2, &people(&[middle, "Eve"]), &[]).await;
    }
    assert_eq!(world.path("ada", "Ann", "Eve", 4).await.as_deref(), Some("ann - bob - eve"));
    world.remember("ada", 3, &people(&["Ann"]), &[states("Dan", "LEADS", "Ann")]).await;
    assert_eq!(world.path("ada", "Ann", "Eve", 4).await.as_deref(), Some("ann <-LEADS- dan - eve"));
    let stronger = states("Ann", "WORKS_WITH", "Dan");
    for day in [4, 5] {
        world.remember("ada", day, &people(&["Ann"]), std::slice::from_ref(&stronger)).await;
    }
    assert_eq!(world.path("ada", "Ann", "Eve", 4).await.as_deref(), Some("ann -WORKS_WITH-> dan - eve"));
    // The first step decides.
    world.remember("ada", 6, &people(&["Cid"]), &[states("Cid", "LEADS", "Eve")]).await;
    assert_eq!(world.path("ada", "Eve", "Ann", 4).await.as_deref(), Some("eve <-LEADS- cid - ann"));
    // Three layers between, of which only some entities are on a shortest way.
    for pair in
        [["Eve", "Fay"], ["Eve", "Gus"], ["Fay", "Hal"], ["Gus", "Hal"], ["Bob", "Ida"], ["Ida", "Joy"]]
    {
        world.remember("ada", 7, &people(&pair), &[]).await;
    }
    let far = "ann -WORKS_WITH-> dan - eve - fay - hal";
    assert_eq!(world.path("ada", "Ann", "Hal", 6).await.as_deref(), Some(far));
    world.remember("ada", 8, &people(&["Eve"]), &[states("Gus", "FRIEND_OF", "Eve")]).await;
    let far = "ann -WORKS_WITH-> dan - eve <-FRIEND_OF- gus - hal";
    assert_eq!(world.path("ada", "Ann", "Hal", 6).await.as_deref(), Some(far));
}

/// Of each step the newest of the memories that support just that.
pub async fn a_step_names_the_memories_behind_it(world: World) {
    let mut stating = Vec::new();
    for day in 1..=12 {
        let stated = [states("Bob", "LEADS", "Ann")];
        stating.insert(0, world.remember("ada", day, &people(&["Ann", "Bob"]), &stated).await);
    }
    let mut shared = Vec::new();
    for day in 13..=15 {
        let opposite = [states("Ann", "LEADS", "Bob")];
        let stated = if day == 13 { opposite.as_slice() } else { &[] };
        shared.insert(0, world.remember("ada", day, &people(&["Bob", "Ann", "Cid"]), stated).await);
    }
    let args = json!({ "userId": "ada", "from": person("Ann"), "to": person("Bob") });
    let path = world.client.call("findPath", args).await;
    assert_eq!(described(&path), "ann <-LEADS- bob");
    assert_eq!(path["steps"][0]["memoryIds"], json!(stating[..10]));
    let args = json!({ "userId": "ada", "from": person("Cid"), "to": person("Ann") });
    assert_eq!(world.client.call("findPath", args).await["steps"][0]["memoryIds"], json!(shared));
}

pub async fn another_users_entities_are_never_met(world: World) {
    for user in ["ada", "alan"] {
        let stated = [states("Ann", "WORKS_WITH", "Bob")];
        world.remember(user, 1, &people(&["Ann", "Bob"]), &stated).await;
    }
    // Alone they lead nowhere; together they would.
    world.remember("alan", 2, &people(&["Bob", "Cid", "Zoe"]), &[]).await;
    world.remember("ada", 3, &people(&["Cid", "Dan"]), &[]).await;
    assert_eq!(world.path("ada", "Ann", "Dan", 6).await, None);
    assert_eq!(world.path("ada", "Bob", "Cid", 6).await, None);
    assert_eq!(world.path("alan", "Ann", "Cid", 6).await.as_deref(), Some("ann -WORKS_WITH-> bob - cid"));
    assert_eq!(world.entity("ada", "person", "Bob").await["frequency"], 1);
    assert!(world.entity("ada", "person", "Zoe").await.is_null());
    assert_eq!(world.found("ada", "zoe").await, [] as [&str; 0]);
    assert_eq!(world.top("ada", json!({})).await, ["ann", "bob", "cid", "dan"]);
    let bobs = world.related("ada", person("Bob"), json!({})).await;
    assert_eq!(bobs, ["in WORKS_WITH ann 1", "none CO_OCCURS ann 1"]);
    assert_eq!(world.page("ada", &person("Bob"), json!({})).await.0.len(), 1);
    // A cursor of one user is a place in time, and no key to anything of theirs.
    let (_, cursor) = world.page("alan", &person("Bob"), json!({ "limit": 1 })).await;
    assert_eq!(world.page("ada", &person("Bob"), json!({ "cursor": cursor })).await.0.len(), 1);
    assert_eq!(world.client.call("getEntityStats", json!({ "userId": "ada" })).await["total"], 4);
    let nobody = world.client.call("getEntityStats", json!({ "userId": "nobody" })).await;
    assert_eq!(
        (&nobody["total"], &nobody["byType"]["person"], &nobody["relationships"]["OWNS"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(world.top("nobody", json!({})).await, [] as [&str; 0]);
}

/// Memories that were deleted count no more, whether the graph keeps their nodes or not.
pub async fn deleted_and_detached_memories_do_not_count(world: World) {
    for cascade in [true, false] {
        let user = format!("ada-{cascade}");
        let user = user.as_str();
        let stated = [states("Ann", "LEADS", "Bob")];
        world.remember(user, 1, &people(&["Ann", "Cid"]), &[]).await;
        let gone = [
            world.remember(user, 2, &people(&["Ann", "Bob", "Zoe"]), &stated).await,
            world.remember(user, 3, &people(&["Bob", "Zoe", "Cid"]), &stated).await,
            world.remember(user, 4, &people(&["Bob", "Zoe"]), &[]).await,
        ];
        let kept = world.remember(user, 5, &people(&["Bob", "Dan"]), &[]).await;
        assert_eq!(world.top(user, json!({ "limit": 2 })).await, ["bob", "ann"]);
        assert_eq!(world.path(user, "Ann", "Dan", 4).await.as_deref(), Some("ann -LEADS-> bob - dan"));
        for id in &gone {
            world.delete(id, cascade).await;
        }
        assert!(world.entity(user, "person", "Zoe").await.is_null(), "{user}");
        assert_eq!(world.entity(user, "person", "Bob").await["frequency"], 1, "{user}");
        // Each had fewer mentions than those that are gone.
        assert_eq!(world.top(user, json!({})).await, ["ann", "bob", "cid", "dan"], "{user}");
        assert_eq!(world.top(user, json!({ "limit": 1 })).await, ["ann"], "{user}");
        assert_eq!(world.found(user, "o").await, ["bob"], "{user}");
        assert_eq!(world.related(user, person("Bob"), json!({})).await, ["none CO_OCCURS dan 1"], "{user}");
        assert_eq!(world.related(user, person("Zoe"), json!({})).await, [] as [&str; 0], "{user}");
        assert_eq!(world.page(user, &person("Bob"), json!({})).await.0, [kept], "{user}");
        assert_eq!(world.path(user, "Ann", "Dan", 6).await, None, "{user}");
        assert_eq!(world.path(user, "Ann", "Zoe", 6).await, None, "{user}");
        let stats = world.client.call("getEntityStats", json!({ "userId": user })).await;
        let seen = (
            &stats["total"],
            &stats["byType"]["person"],
            &stats["mentions"],
            &stats["relationships"]["LEADS"],
        );
        assert_eq!(seen, (&json!(4), &json!(4), &json!(4), &json!(0)), "{user}");
    }
}

pub async fn stats_count_entities_mentions_and_different_relationships(world: World) {
    let stated =
        [states("Ann", "LEADS", "Bob"), states("Bob", "LEADS", "Ann"), states("Ann", "FRIEND_OF", "Bob")];
    world.remember("ada", 1, &[person("Ann"), named("company", "Acme")], &stated).await;
    world.remember("ada", 2, &[person("Ann"), named("action_item", "Call Bob")], &stated[..1]).await;
    let stats = world.client.call("getEntityStats", json!({ "userId": "ada" })).await;
    assert_eq!((&stats["total"], &stats["mentions"]), (&json!(4), &json!(6)));
    let by_type = json!({ "person": 2, "company": 1, "project": 0, "date": 0, "topic": 0, "location": 0, "tool": 0, "action_item": 1 });
    assert_eq!(stats["byType"], by_type);
    let relationships = stats["relationships"].as_object().expect("an object");
    let some: Vec<_> = relationships.iter().filter(|(_, count)| **count != 0).collect();
    assert_eq!(relationships.len(), 20);
    assert_eq!(some, [(&"FRIEND_OF".to_owned(), &json!(1)), (&"LEADS".to_owned(), &json!(2))]);
}

pub async fn bad_arguments_are_named(world: World) {
    let person = person("Ann");
    for (op, args, field) in [
        ("getEntity", json!({ "userId": "ada" }), "entity"),
        ("getEntity", json!({ "userId": " ", "entity": person }), "userId"),
        (
            "getEntity",
            json!({ "userId": "ada", "entity": { "type": "dragon", "value": "x" } }),
            "entity.type",
        ),
        (
            "getEntity",
            json!({ "userId": "ada", "entity": { "type": "person", "value": "" } }),
            "entity.value",
        ),
        (
            "getEntity",
            json!({ "userId": "ada", "entity": { "type": "person", "value": "x", "id": 1 } }),
            "entity.id",
        ),
        ("searchEntities", json!({ "userId": "ada", "text": " " }), "text"),
        ("searchEntities", json!({ "userId": "ada", "text": "x".repeat(501) }), "text"),
        ("searchEntities", json!({ "userId": "ada", "text": "x", "types": ["dragon"] }), "types[0]"),
        ("getTopEntities", json!({ "userId": "ada", "limit": 0 }), "limit"),
        ("getTopEntities", json!({ "userId": "ada", "limit": 1001 }), "limit"),
        (
            "getRelatedEntities",
            json!({ "userId": "ada", "entity": person, "relationshipTypes": ["EATS"] }),
            "relationshipTypes[0]",
        ),
        (
            "findPath",
            json!({ "userId": "ada", "from": person, "to": { "type": "person", "value": "" } }),
            "to.value",
        ),
        ("getEntityStats", json!({}), "userId"),
    ] {
        let error = world.client.fails(op, args.clone()).await;
        assert_eq!(
            (error.reason.name(), error.details["field"].as_str()),
            ("INVALID_ARGUMENT", Some(field)),
            "{op} {args}"
        );
    }
}

/// One test of each expectation, on the graph that the function makes.
#[macro_export]
macro_rules! graph_query_tests {
    ($world:path) => {
        $crate::graph_query_tests! { $world:
            an_entity_is_known_by_all_its_memories_and_spellings
            a_given_normal_form_is_a_spelling_and_the_value_is_shown
            names_without_a_letter_are_found
            types_that_share_a_label_share_an_entity
            a_name_means_its_own_type_first
            a_search_ranks_equal_prefix_word_and_part
            a_search_overlooks_case_and_diacritics_on_both_sides
            wildcards_and_hostile_text_are_literal
            the_most_mentioned_come_first_and_ties_go_by_name
            relations_have_direction_weight_and_confidence
            memories_come_newest_first_page_by_page
            memories_that_are_gone_are_left_out_of_full_pages
            paths_are_as_short_as_can_be
            of_equal_paths_the_stated_one_is_taken_then_the_first_by_name
            a_step_names_the_memories_behind_it
            another_users_entities_are_never_met
            deleted_and_detached_memories_do_not_count
            stats_count_entities_mentions_and_different_relationships
            bad_arguments_are_named
        }
    };
    ($world:path: $($name:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $crate::common::graph_queries::$name($world().await).await;
        })+
    };
}
