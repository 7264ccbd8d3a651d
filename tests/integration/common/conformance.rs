//! What every graph store must do. `conformance_tests!` makes one test of each function for a given store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::{join_all, try_join_all};
use izzie_memory::model::{
    Entity, EntitySource, EntityType, Label, NodeVersion, Projection, RelationshipType, Version,
};
use izzie_memory::store::graph::{Applied, Beat, GraphStore, Outcome};
use tokio::sync::RwLockReadGuard;
use uuid::Uuid;

use super::sample::{detached, entity, memory, relationship, tombstone, user};
pub use super::upkeep::*;

/// An entity as a store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityNode {
    pub label: String,
    pub kind: String,
    pub name: String,
    pub normalized: String,
    pub frequency: i64,
    pub confidence: f64,
    /// Microseconds since the Unix epoch.
    pub first_seen: i64,
    pub last_seen: i64,
    /// The mentions there really are.
    pub mentions: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    pub normalized: String,
    pub confidence: f64,
    pub source: String,
    pub context: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: String,
    pub kind: String,
    pub to: String,
    pub memory_id: Uuid,
    pub evidence: String,
}

/// How a test looks into a store past its trait.
#[async_trait]
pub trait ReadBack: Send + Sync {
    /// Every entity of the user, by label and normalized name, those without mentions too.
    async fn entities(&self, user_id: &str) -> Vec<EntityNode>;
    /// The mentions of a memory by normalized name.
    async fn mentions(&self, memory_id: Uuid) -> Vec<Mention>;
    /// Every explicit relationship of the user, sorted.
    async fn edges(&self, user_id: &str) -> Vec<Edge>;
}

/// A store under test.
pub struct Subject {
    pub graph: Box<dyn GraphStore>,
    pub read: Box<dyn ReadBack>,
    /// A server that others use too.
    pub _server: Option<RwLockReadGuard<'static, ()>>,
}

impl Subject {
    pub async fn project(&self, batch: &[Projection]) -> Vec<Applied> {
        self.graph.project(batch).await.expect("projected")
    }

    pub async fn apply(&self, projection: &Projection) -> Applied {
        let mut answers = self.project(std::slice::from_ref(projection)).await;
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub async fn node(&self, id: Uuid) -> NodeVersion {
        let mut nodes = self.graph.get_nodes(&[id]).await.expect("read");
        assert_eq!(nodes.len(), 1, "one node of {id}");
        nodes.remove(0)
    }

    pub async fn count(&self, user_id: &str) -> u64 {
        self.graph.count(Some(user_id)).await.expect("counted")
    }

    pub async fn frequencies(&self, user_id: &str) -> BTreeMap<String, i64> {
        let entities = self.read.entities(user_id).await;
        for entity in &entities {
            assert_eq!(entity.frequency, entity.mentions, "{entity:?}");
        }
        entities.into_iter().map(|entity| (entity.normalized, entity.frequency)).collect()
    }

    pub async fn edges(&self, user_id: &str) -> Vec<(String, String, String)> {
        self.read.edges(user_id).await.into_iter().map(|edge| (edge.from, edge.kind, edge.to)).collect()
    }

    pub async fn mentioned(&self, id: Uuid) -> Vec<String> {
        self.read.mentions(id).await.into_iter().map(|mention| mention.normalized).collect()
    }

    /// Takes away what a test wrote.
    pub async fn forget(&self, users: &[&str]) {
        for user_id in users {
            self.graph.clear(Some(user_id)).await.expect("cleared");
        }
    }
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

pub fn counts(entries: &[(&str, i64)]) -> BTreeMap<String, i64> {
    entries.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
}

fn edge(from: &str, kind: &str, to: &str) -> (String, String, String) {
    (from.to_owned(), kind.to_owned(), to.to_owned())
}

pub async fn applies_upgrades_and_refuses_lower(subject: Subject) {
    let (user, id) = (user("fence"), Uuid::new_v4());
    let second = memory(&user, id, 2, &["Ann"]);
    let answer = subject.apply(&second).await;
    assert_eq!(answer, Applied { memory_id: id, version: second.version, outcome: Outcome::Applied });

    let third = memory(&user, id, 3, &["Ann"]);
    assert!(subject.apply(&third).await.applied());
    let late = subject.apply(&second).await;
    assert_eq!(late, Applied { memory_id: id, version: third.version, outcome: Outcome::Refused });

    let node = subject.node(id).await;
    assert_eq!((node.version, node.h1, node.h2), (third.version, third.h1, third.h2));
    assert_eq!((node.user_id.as_str(), node.deleted, node.detached), (user.as_str(), false, false));
    subject.forget(&[&user]).await;
}

/// Repair sends the version again that the graph already claims to hold.
pub async fn applies_equal_versions_again(subject: Subject) {
    let (user, id) = (user("equal"), Uuid::new_v4());
    subject.apply(&memory(&user, id, 1, &["Ann", "Bob"])).await;
    let other = memory(&user, id, 1, &["Bob", "Cid"]);
    assert!(subject.apply(&other).await.applied());
    assert!(subject.apply(&other).await.applied());
    assert_eq!(subject.mentioned(id).await, names(&["bob", "cid"]));
    let frequencies = subject.frequencies(&user).await;
    assert_eq!((frequencies.get("ann").copied().unwrap_or(0), frequencies["bob"]), (0, 1));
    subject.forget(&[&user]).await;
}

pub async fn a_higher_epoch_wins_over_a_higher_revision(subject: Subject) {
    let (user, id) = (user("epoch"), Uuid::new_v4());
    subject.apply(&memory(&user, id, 900, &["Ann"])).await;
    let mut restored = memory(&user, id, 5, &["Bob"]);
    restored.version = Version { epoch: 2, revision: 5 };
    assert!(subject.apply(&restored).await.applied());
    assert!(!subject.apply(&memory(&user, id, 901, &["Ann"])).await.applied());
    assert_eq!(subject.node(id).await.version, restored.version);
    subject.forget(&[&user]).await;
}

pub async fn a_deleted_memory_stays_deleted_until_created_above(subject: Subject) {
    let (user, id) = (user("tombstone"), Uuid::new_v4());
    let mut live = memory(&user, id, 5, &["Ann", "Bob"]);
    live.relationships = vec![relationship("Ann", RelationshipType::WorksWith, "Bob")];
    subject.apply(&memory(&user, Uuid::new_v4(), 1, &["Ann"])).await;
    subject.apply(&live).await;

    assert!(subject.apply(&tombstone(&live, 6)).await.applied());
    assert!(!subject.apply(&live).await.applied(), "the late upsert");
    let node = subject.node(id).await;
    assert_eq!((node.version.revision, node.deleted, node.detached), (6, true, false));
    assert_eq!(subject.mentioned(id).await, names(&[]));
    assert_eq!(subject.edges(&user).await, []);
    assert_eq!((subject.frequencies(&user).await["ann"], subject.count(&user).await), (1, 1));

    assert!(subject.apply(&memory(&user, id, 7, &["Bob"])).await.applied(), "created again");
    assert_eq!((subject.mentioned(id).await, subject.count(&user).await), (names(&["bob"]), 2));
    subject.forget(&[&user]).await;
}

pub async fn a_delete_that_comes_first_leaves_a_tombstone(subject: Subject) {
    let (user, id) = (user("early"), Uuid::new_v4());
    let live = memory(&user, id, 5, &["Ann"]);
    assert!(subject.apply(&tombstone(&live, 6)).await.applied());
    assert!(!subject.apply(&live).await.applied());
    assert!(subject.node(id).await.deleted);
    assert_eq!((subject.count(&user).await, subject.mentioned(id).await), (0, names(&[])));
    subject.forget(&[&user]).await;
}

pub async fn detached_memories_keep_their_mentions(subject: Subject) {
    let (user, id, never) = (user("detached"), Uuid::new_v4(), Uuid::new_v4());
    let live = memory(&user, id, 1, &["Ann", "Bob"]);
    subject.apply(&live).await;
    assert!(subject.apply(&detached(&live, 2)).await.applied());
    let node = subject.node(id).await;
    assert_eq!((node.version.revision, node.deleted, node.detached), (2, false, true));
    assert_eq!(subject.mentioned(id).await, names(&["ann", "bob"]));
    assert_eq!(subject.frequencies(&user).await, counts(&[("ann", 1), ("bob", 1)]));
    assert_eq!(subject.count(&user).await, 0, "detached memories are not live");

    assert!(!subject.apply(&live).await.applied());
    assert!(subject.apply(&detached(&memory(&user, never, 1, &[]), 2)).await.applied());
    let node = subject.node(never).await;
    assert_eq!((node.deleted, node.detached), (true, false), "what the graph never had is a plain tombstone");

    subject.apply(&tombstone(&live, 3)).await;
    assert_eq!((subject.mentioned(id).await, subject.node(id).await.detached), (names(&[]), false));
    subject.forget(&[&user]).await;
}

/// Each revision names people of its own, or nobody: the lock of an entity that one revision named and the next has to
/// release would order the workers even without the memory's.
pub async fn eight_workers_and_the_highest_revision_wins_every_time(subject: Subject) {
    let user = user("race");
    for round in 0..250 {
        let id = Uuid::new_v4();
        if round % 2 == 0 {
            // A node that is there already: creating one orders the workers by itself.
            subject.apply(&memory(&user, id, 0, &[])).await;
        }
        let people = if round % 4 < 2 { vec!["Ann"] } else { Vec::new() };
        let revisions: Vec<_> = (1..=8)
            .map(|revision| {
                let people: Vec<_> = people.iter().map(|name| format!("{name} {revision}")).collect();
                memory(&user, id, revision, &people.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect();
        let answers =
            try_join_all(revisions.iter().map(|one| subject.graph.project(std::slice::from_ref(one))));
        let answers = answers.await.expect("projected");
        assert!(answers[7][0].applied(), "round {round}");
        assert_eq!(subject.node(id).await.version.revision, 8, "round {round}");
        let mentioned: Vec<_> = people.iter().map(|_| "ann 8").collect();
        assert_eq!(subject.mentioned(id).await, names(&mentioned), "round {round}");
    }
    let mut frequencies = subject.frequencies(&user).await;
    frequencies.retain(|_, frequency| *frequency > 0);
    assert_eq!(frequencies, counts(&[("ann 8", 126)]));
    subject.forget(&[&user]).await;
}

pub async fn hot_entities_are_counted_exactly(subject: Subject) {
    const HOT: [&str; 4] = ["Ann", "Bob", "Cid", "Dan"];
    let user = user("hot");
    let subject = &subject;
    let user = user.as_str();
    let writers = (0..8).map(|writer| async move {
        for n in 0..250 {
            // Each writer names them in another order.
            let mut people = HOT;
            people.rotate_left((writer + n) % HOT.len());
            let mut projection = memory(user, Uuid::new_v4(), 1, &people);
            if n % 50 == 0 {
                projection.relationships = vec![relationship("Ann", RelationshipType::WorksWith, "Bob")];
            }
            assert!(subject.apply(&projection).await.applied());
        }
    });
    join_all(writers).await;
    let expected = counts(&[("ann", 2000), ("bob", 2000), ("cid", 2000), ("dan", 2000)]);
    assert_eq!(subject.frequencies(user).await, expected);
    assert_eq!(subject.read.entities(user).await.len(), HOT.len(), "one node each");
    assert_eq!((subject.count(user).await, subject.edges(user).await.len()), (2000, 40));
    subject.forget(&[user]).await;
}

pub async fn batches_in_opposite_order_meet_without_error(subject: Subject) {
    let user = user("opposite");
    let ids: Vec<_> = (0..20).map(|_| Uuid::new_v4()).collect();
    let people: Vec<_> = (0..20).map(|n| format!("Person {n}")).collect();
    let batch = |revision: i64, backwards: bool| {
        let mut batch: Vec<_> = (0..20)
            .map(|n| {
                memory(&user, ids[n], revision, &[&people[n], &people[(n + 7) % 20], &people[(n + 13) % 20]])
            })
            .collect();
        if backwards {
            batch.reverse();
        }
        batch
    };
    for round in 0..10 {
        let batches: Vec<_> = (0..4).map(|n| batch(round * 4 + n + 1, n % 2 == 1)).collect();
        try_join_all(batches.iter().map(|batch| subject.graph.project(batch))).await.expect("projected");
    }
    // Memories of their own, so that nothing but the entities orders them.
    let disjoint = |backwards: bool| {
        let mut names: Vec<&str> = people.iter().map(String::as_str).collect();
        if backwards {
            names.reverse();
        }
        names.into_iter().map(|name| memory(&user, Uuid::new_v4(), 1, &[name])).collect::<Vec<_>>()
    };
    for _ in 0..10 {
        let batches: Vec<_> = (0..4).map(|n| disjoint(n % 2 == 1)).collect();
        try_join_all(batches.iter().map(|batch| subject.graph.project(batch))).await.expect("projected");
    }
    let nodes = subject.graph.get_nodes(&ids).await.expect("read");
    assert!(nodes.iter().all(|node| node.version.revision == 40) && nodes.len() == 20);
    assert!(subject.frequencies(&user).await.values().all(|&frequency| frequency == 3 + 40));
    subject.forget(&[&user]).await;
}

pub async fn users_with_the_same_names_share_nothing(subject: Subject) {
    let (ann, bob) = (user("left"), user("right"));
    let (anns, bobs) = (Uuid::new_v4(), Uuid::new_v4());
    for (user, id) in [(&ann, anns), (&bob, bobs)] {
        let mut projection = memory(user, id, 1, &["Eve", "Mallory"]);
        projection.relationships = vec![relationship("Eve", RelationshipType::FriendOf, "Mallory")];
        subject.apply(&projection).await;
    }
    for user in [&ann, &bob] {
        assert_eq!(subject.frequencies(user).await, counts(&[("eve", 1), ("mallory", 1)]));
        assert_eq!(subject.edges(user).await, [edge("eve", "FRIEND_OF", "mallory")]);
        assert_eq!(subject.graph.strongest_relations(user, 10).await.expect("read").len(), 1);
        let all: Vec<i32> = (0..1024).collect();
        assert_eq!(subject.graph.list_buckets(Some(user), &all).await.expect("listed").len(), 1);
    }

    assert_eq!(subject.graph.clear(Some(&ann)).await.expect("cleared").nodes, 1);
    assert_eq!((subject.count(&ann).await, subject.count(&bob).await), (0, 1));
    assert_eq!(subject.read.entities(&ann).await, []);
    assert_eq!(subject.mentioned(bobs).await, names(&["eve", "mallory"]));
    assert_eq!(subject.edges(&bob).await.len(), 1);
    subject.forget(&[&bob]).await;
}

pub async fn a_memory_can_change_its_user(subject: Subject) {
    let (from, to, id) = (user("from"), user("to"), Uuid::new_v4());
    subject.apply(&memory(&from, id, 1, &["Eve"])).await;
    subject.apply(&memory(&to, id, 2, &["Eve"])).await;
    assert_eq!((subject.count(&from).await, subject.count(&to).await), (0, 1));
    assert_eq!(subject.frequencies(&from).await.get("eve").copied().unwrap_or(0), 0);
    assert_eq!(subject.frequencies(&to).await, counts(&[("eve", 1)]));
    subject.forget(&[&from, &to]).await;
}

pub async fn an_update_replaces_the_mentions(subject: Subject) {
    let (user, id) = (user("update"), Uuid::new_v4());
    subject.apply(&memory(&user, Uuid::new_v4(), 1, &["Ann"])).await;
    subject.apply(&memory(&user, id, 1, &["Ann", "Bob"])).await;
    let mut second = memory(&user, id, 2, &["Bob", "Cid"]);
    second.entities[0].context = Some("with `Bob`".into());
    second.entities[0].confidence = 0.25;
    second.entities[0].source = EntitySource::Subject;
    subject.apply(&second).await;

    let mentions = subject.read.mentions(id).await;
    assert_eq!(
        mentions[0],
        Mention {
            normalized: "bob".into(),
            confidence: 0.25,
            source: "subject".into(),
            context: Some("with `Bob`".into()),
        }
    );
    assert_eq!((mentions.len(), mentions[1].normalized.as_str()), (2, "cid"));
    let mut frequencies = subject.frequencies(&user).await;
    frequencies.retain(|_, frequency| *frequency > 0);
    assert_eq!(frequencies, counts(&[("ann", 1), ("bob", 1), ("cid", 1)]));
    subject.forget(&[&user]).await;
}

pub async fn relationships_follow_the_memories_that_state_them(subject: Subject) {
    let user = user("relations");
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let stating = |id, revision, relationships: &[(&str, RelationshipType, &str)]| {
        let mut projection = memory(&user, id, revision, &["Ann", "Bob", "Cid"]);
        projection.relationships =
            relationships.iter().map(|&(from, kind, to)| relationship(from, kind, to)).collect();
        projection
    };
    use RelationshipType::{Leads, ReportsTo, WorksWith};
    let both = [("Ann", WorksWith, "Bob"), ("Bob", ReportsTo, "Cid"), ("Ann", WorksWith, "Bob")];
    subject.apply(&stating(first, 1, &both)).await;
    subject.apply(&stating(second, 1, &[("Ann", WorksWith, "Bob")])).await;
    let edges = subject.read.edges(&user).await;
    assert_eq!(edges.len(), 3, "one per memory and statement: {edges:?}");
    assert!(edges.iter().any(|edge| edge.memory_id == second && edge.evidence == "Ann and Bob"));

    subject.apply(&stating(first, 2, &[("Cid", Leads, "Bob")])).await;
    let expected = [edge("ann", "WORKS_WITH", "bob"), edge("cid", "LEADS", "bob")];
    assert_eq!(subject.edges(&user).await, expected);

    subject.apply(&stating(first, 3, &[])).await;
    assert_eq!(subject.edges(&user).await, expected[..1]);
    subject.apply(&tombstone(&stating(second, 1, &[]), 2)).await;
    assert_eq!(subject.edges(&user).await, []);
    subject.forget(&[&user]).await;
}

pub async fn every_relationship_type_and_label_is_kept(subject: Subject) {
    let (user, id) = (user("types"), Uuid::new_v4());
    let mut projection = memory(&user, id, 1, &["Ann", "Bob"]);
    projection.entities.extend(EntityType::ALL.map(|kind| entity(kind, kind.name())));
    projection.relationships =
        RelationshipType::ALL.iter().map(|&kind| relationship("Ann", kind, "Bob")).collect();
    subject.apply(&projection).await;

    let mut expected: Vec<_> =
        RelationshipType::ALL.iter().map(|kind| edge("ann", kind.name(), "bob")).collect();
    expected.sort();
    assert_eq!(subject.edges(&user).await, expected);
    let nodes = subject.read.entities(&user).await;
    for kind in EntityType::ALL {
        let node = nodes.iter().find(|node| node.normalized == kind.name()).expect("a node");
        assert_eq!((node.kind.as_str(), node.label.as_str()), (kind.name(), kind.label().name()));
    }
    subject.forget(&[&user]).await;
}

/// A tool and a project of one name are one node, mentioned once.
pub async fn types_that_share_a_label_share_a_node(subject: Subject) {
    let (user, id) = (user("shared"), Uuid::new_v4());
    let mut projection = memory(&user, id, 1, &[]);
    let surer = Entity { confidence: 0.75, ..entity(EntityType::Tool, "Atlas") };
    projection.entities =
        vec![entity(EntityType::Project, "Atlas"), surer, entity(EntityType::Topic, "Atlas")];
    subject.apply(&projection).await;
    let mut nodes = subject.read.entities(&user).await;
    nodes.sort_by(|a, b| a.label.cmp(&b.label));
    let seen: Vec<_> =
        nodes.iter().map(|node| (node.label.as_str(), node.frequency, node.confidence)).collect();
    assert_eq!(seen, [(Label::Project.name(), 1, 0.75), (Label::Topic.name(), 1, 0.5)]);
    assert_eq!(subject.mentioned(id).await.len(), 2);
    subject.forget(&[&user]).await;
}

/// Highest confidence, earliest and latest memory; the first spelling stays.
pub async fn an_entity_remembers_when_it_was_seen(subject: Subject) {
    let user = user("seen");
    for (created_at, name, confidence) in
        [(2_000_000_000_000_001, "ACME", 0.5), (-5, "Acme", 0.875), (2_000_000_000_000_003, "acme", 0.25)]
    {
        let mut projection = memory(&user, Uuid::new_v4(), 1, &[]);
        projection.created_at = created_at;
        projection.entities = vec![Entity { confidence, ..entity(EntityType::Company, name) }];
        subject.apply(&projection).await;
    }
    let entities = subject.read.entities(&user).await;
    let expected = EntityNode {
        label: "Company".into(),
        kind: "company".into(),
        name: "ACME".into(),
        normalized: "acme".into(),
        frequency: 3,
        confidence: 0.875,
        first_seen: -5,
        last_seen: 2_000_000_000_000_003,
        mentions: 3,
    };
    assert_eq!(entities, [expected]);
    subject.forget(&[&user]).await;
}

pub async fn hostile_text_is_data(subject: Subject) {
    const HOSTILE: [&str; 8] = [
        "`) DETACH DELETE n //",
        "'; drop table x; --",
        "\"quoted\" \\ back\\slash",
        "two\nlines\ttab\r",
        "$rows {key} \u{202e}rtl",
        "👩‍👩‍👧 Ünïcödé 東京",
        "}]) RETURN 1 UNION MATCH (n) RETURN n",
        "null",
    ];
    let (user, id) = (user("hostile '\"`\\"), Uuid::new_v4());
    let mut projection = memory(&user, id, 1, &HOSTILE);
    projection.content = HOSTILE.join("\n");
    projection.summary = Some(HOSTILE[0].into());
    for entity in &mut projection.entities {
        entity.context = Some(entity.value.clone());
    }
    projection.relationships = vec![relationship(HOSTILE[0], RelationshipType::Owns, HOSTILE[1])];
    assert!(subject.apply(&projection).await.applied());

    let mut found: Vec<_> = subject.read.entities(&user).await.into_iter().map(|node| node.name).collect();
    found.sort();
    let mut expected = names(&HOSTILE);
    expected.sort();
    assert_eq!(found, expected);
    let contexts = subject.read.mentions(id).await.into_iter().filter_map(|mention| mention.context);
    let mut contexts: Vec<_> = contexts.collect();
    contexts.sort();
    assert_eq!(contexts, expected);
    assert_eq!(subject.edges(&user).await.len(), 1);
    subject.forget(&[&user]).await;
}

pub async fn a_batch_is_applied_as_one(subject: Subject) {
    let user = user("batch");
    let people: Vec<_> = (0..10).map(|n| format!("Person {n}")).collect();
    let mut batch: Vec<_> = (0..100)
        .map(|n| memory(&user, Uuid::new_v4(), 2, &["Everybody", &people[n % 10], &people[n / 10]]))
        .collect();
    // Named twice in one memory, in a memory refused, and in a memory sent twice.
    batch[0].entities.push(entity(EntityType::Person, "everybody"));
    let newer = memory(&user, batch[7].memory_id, 9, &["Newcomer"]);
    subject.apply(&newer).await;
    batch.push(memory(&user, batch[8].memory_id, 3, &["Successor"]));

    let answers = subject.project(&batch).await;
    assert_eq!(answers.len(), batch.len());
    for (sent, answer) in batch.iter().zip(&answers) {
        assert_eq!(sent.memory_id, answer.memory_id);
    }
    let refused: Vec<_> = (0..answers.len()).filter(|&n| !answers[n].applied()).collect();
    assert_eq!(refused, [7, 8]);
    assert_eq!((answers[7].version.revision, answers[8].version.revision), (9, 3));
    let frequencies = subject.frequencies(&user).await;
    assert_eq!((frequencies["everybody"], frequencies["newcomer"], frequencies["successor"]), (98, 1, 1));
    assert_eq!(subject.count(&user).await, 100);
    assert_eq!(subject.project(&[]).await, []);
    subject.forget(&[&user]).await;
}

/// As many entities lose a mention as the refused memory names: what the batch touches is not what the batch holds.
pub async fn a_refused_memory_of_a_batch_touches_no_entity(subject: Subject) {
    let (user, held, stale) = (user("touch"), Uuid::new_v4(), Uuid::new_v4());
    subject.project(&[memory(&user, held, 1, &["Leaver"]), memory(&user, stale, 5, &["Stayer"])]).await;
    let answers = subject.project(&[memory(&user, held, 2, &[]), memory(&user, stale, 2, &["Ghost"])]).await;
    assert_eq!(answers.iter().map(Applied::applied).collect::<Vec<_>>(), [true, false]);
    let frequencies = subject.frequencies(&user).await;
    assert_eq!(frequencies.get("ghost"), None);
    assert_eq!((frequencies.get("leaver").copied().unwrap_or(0), frequencies["stayer"]), (0, 1));
    subject.forget(&[&user]).await;
}

pub async fn nodes_are_found_by_id(subject: Subject) {
    let (mine, other) = (user("list"), user("other"));
    let mut ids: Vec<_> = (0..7).map(|_| Uuid::new_v4()).collect();
    ids.sort();
    for &id in &ids {
        subject.apply(&memory(&mine, id, 1, &[])).await;
    }
    subject.apply(&tombstone(&memory(&mine, ids[3], 1, &[]), 2)).await;
    let between = Uuid::from_u128(ids[2].as_u128() + 1);
    subject.apply(&memory(&other, between, 1, &[])).await;

    let found = subject.graph.get_nodes(&[ids[3], Uuid::new_v4(), ids[0]]).await.expect("read");
    let mut found: Vec<_> = found.into_iter().map(|node| (node.memory_id, node.deleted)).collect();
    found.sort();
    assert_eq!(found, [(ids[0], false), (ids[3], true)]);
    assert_eq!(subject.graph.get_nodes(&[]).await.expect("read"), []);
    assert_eq!(subject.count(&mine).await, 6);
    assert!(subject.graph.count(None).await.expect("counted") >= 7);
    subject.forget(&[&mine, &other]).await;
}

pub async fn clearing_takes_everything_of_one_user(subject: Subject) {
    let (user, id) = (user("clear"), Uuid::new_v4());
    let batch: Vec<_> =
        (0..1200).map(|n| memory(&user, Uuid::new_v4(), 1, &[["Ann", "Bob", "Cid"][n % 3]])).collect();
    for chunk in batch.chunks(50) {
        subject.project(chunk).await;
    }
    subject.apply(&tombstone(&memory(&user, id, 1, &[]), 2)).await;
    assert_eq!(subject.graph.clear(Some(&user)).await.expect("cleared").nodes, 1201);
    assert_eq!((subject.count(&user).await, subject.read.entities(&user).await), (0, Vec::new()));
    assert_eq!(subject.graph.clear(Some(&user)).await.expect("cleared").nodes, 0);
    // The tombstone is gone too: the memory can be rebuilt at any version.
    assert!(subject.apply(&memory(&user, id, 1, &["Ann"])).await.applied());
    subject.forget(&[&user]).await;
}

/// Memories written while a user is cleared are there whole or not at all, and applying them again makes it right.
pub async fn clearing_and_writing_at_once_can_be_repaired(subject: Subject) {
    let user = user("rebuild");
    let batch: Vec<_> = (0..200)
        .map(|n| {
            let mut projection =
                memory(&user, Uuid::from_u128(Uuid::new_v4().as_u128()), 1, &["Ann", "Bob", "Cid"]);
            if n % 4 == 0 {
                projection.relationships = vec![relationship("Ann", RelationshipType::WorksWith, "Bob")];
            }
            projection
        })
        .collect();
    let writing = try_join_all(batch.chunks(10).map(|chunk| subject.graph.project(chunk)));
    let (written, cleared) = futures::join!(writing, subject.graph.clear(Some(&user)));
    written.expect("projected");
    cleared.expect("cleared");
    subject.frequencies(&user).await;

    subject.project(&batch).await;
    assert_eq!(subject.frequencies(&user).await, counts(&[("ann", 200), ("bob", 200), ("cid", 200)]));
    assert_eq!(subject.edges(&user).await.len(), 50);
    subject.forget(&[&user]).await;
}

pub async fn the_strongest_relations_come_first(subject: Subject) {
    let user = user("strong");
    use RelationshipType::{FriendOf, WorksWith};
    let state = |people: &[&str], relations: &[(&str, RelationshipType, &str)]| {
        let mut projection = memory(&user, Uuid::new_v4(), 1, people);
        projection.relationships =
            relations.iter().map(|&(from, kind, to)| relationship(from, kind, to)).collect();
        projection
    };
    let gone = state(&["Ann", "Dan"], &[("Ann", WorksWith, "Dan")]);
    let kept = state(&["Ann", "Dan"], &[("Ann", WorksWith, "Dan")]);
    let batch = [
        state(&["Ann", "Bob", "Cid"], &[("Bob", WorksWith, "Ann"), ("Ann", FriendOf, "Cid")]),
        state(&["Ann", "Bob"], &[("Bob", WorksWith, "Ann")]),
        state(&["Ann", "Bob"], &[]),
        state(&["Bob", "Cid"], &[]),
        gone.clone(),
        kept.clone(),
    ];
    subject.project(&batch).await;
    subject.project(&[tombstone(&gone, 2), detached(&kept, 2)]).await;

    let relations = subject.graph.strongest_relations(&user, 10).await.expect("read");
    let seen: Vec<_> = relations
        .iter()
        .map(|relation| {
            let mut pair = [relation.from_name.as_str(), relation.to_name.as_str()];
            if relation.kind == "CO_OCCURS" {
                pair.sort_unstable();
            }
            (pair[0], relation.kind.as_str(), pair[1], relation.weight)
        })
        .collect();
    let expected = [
        ("Bob", "WORKS_WITH", "Ann", 2),
        ("Ann", "FRIEND_OF", "Cid", 1),
        ("Ann", "CO_OCCURS", "Bob", 3),
        ("Bob", "CO_OCCURS", "Cid", 2),
    ];
    assert_eq!(seen, expected);
    assert!(relations.iter().all(|relation| relation.from_type == "person"));
    let first = subject.graph.strongest_relations(&user, 3).await.expect("read");
    assert_eq!(first, relations[..3]);
    subject.forget(&[&user]).await;
}

pub async fn the_beat_changes_hands_by_compare_and_set(subject: Subject) {
    let _alone = BEAT.lock().await;
    let graph = &subject.graph;
    let before = graph.read_beat().await.expect("read");
    // Other tests may have raised it, and a swap never lowers it.
    let horizon = before.as_ref().map_or(Version { epoch: 0, revision: 0 }, |beat| beat.horizon);
    let beat =
        |high_water| Beat { store_id: Uuid::new_v4(), epoch: 3, high_water, nonce: Uuid::new_v4(), horizon };
    if graph.shares_database() {
        assert_eq!(before, None);
        assert!(!graph.swap_beat(None, &beat(1)).await.expect("swapped"));
        return;
    }
    let mut held = before.map(|beat| beat.nonce);
    for round in 0..20 {
        let racers: Vec<_> = (0..4).map(|n| beat(round * 4 + n)).collect();
        let swaps =
            try_join_all(racers.iter().map(|racer| graph.swap_beat(held, racer))).await.expect("swapped");
        let winners: Vec<_> = (0..4).filter(|&n| swaps[n]).collect();
        assert_eq!(winners.len(), 1, "round {round}: {swaps:?}");
        let winner = &racers[winners[0]];
        assert_eq!(graph.read_beat().await.expect("read").as_ref(), Some(winner));
        // Its answer was lost and it asks again.
        assert!(graph.swap_beat(held, winner).await.expect("swapped"));
        held = Some(winner.nonce);
    }
    assert!(!graph.swap_beat(None, &beat(0)).await.expect("swapped"), "there is one");
    assert!(!graph.swap_beat(Some(Uuid::new_v4()), &beat(0)).await.expect("swapped"), "it is another's");
}

pub async fn preparing_twice_at_once_is_harmless(subject: Subject) {
    let prepared = join_all((0..4).map(|_| subject.graph.prepare())).await;
    assert!(prepared.iter().all(Result::is_ok), "{prepared:?}");
    subject.graph.ping().await.expect("reached");
}

/// One test per function above, each with a fresh subject from `$subject().await`.
#[macro_export]
macro_rules! conformance_tests {
    ($subject:path) => {
        $crate::conformance_tests! { $subject:
            applies_upgrades_and_refuses_lower
            applies_equal_versions_again
            a_higher_epoch_wins_over_a_higher_revision
            a_deleted_memory_stays_deleted_until_created_above
            a_delete_that_comes_first_leaves_a_tombstone
            detached_memories_keep_their_mentions
            eight_workers_and_the_highest_revision_wins_every_time
            hot_entities_are_counted_exactly
            batches_in_opposite_order_meet_without_error
            users_with_the_same_names_share_nothing
            a_memory_can_change_its_user
            an_update_replaces_the_mentions
            relationships_follow_the_memories_that_state_them
            every_relationship_type_and_label_is_kept
            types_that_share_a_label_share_a_node
            an_entity_remembers_when_it_was_seen
            hostile_text_is_data
            a_batch_is_applied_as_one
            a_refused_memory_of_a_batch_touches_no_entity
            nodes_are_found_by_id
            clearing_takes_everything_of_one_user
            clearing_and_writing_at_once_can_be_repaired
            the_strongest_relations_come_first
            the_beat_changes_hands_by_compare_and_set
            digests_equal_a_recount_after_every_kind_of_change
            buckets_list_their_live_nodes
            nothing_is_created_at_or_below_the_horizon
            a_late_writer_never_slips_past_a_collection
            entities_that_nothing_mentions_are_swept
            a_sweep_beside_a_new_mention_leaves_the_entity
            preparing_twice_at_once_is_harmless
        }
    };
    ($subject:path: $($name:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $crate::common::conformance::$name($subject().await).await;
        })+
    };
}
