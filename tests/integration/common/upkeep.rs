//! What every graph store must do for checks, for the collection of tombstones and for the sweep of entities.

use std::collections::BTreeMap;

use izzie_memory::model::{NodeVersion, Projection, RelationshipType, Version};
use izzie_memory::store::graph::{Applied, Beat, BucketDigest, Outcome};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::conformance::{Subject, counts, names};
use super::sample::{detached, memory, relationship, tombstone, user};

/// The beat is one for the whole server: tests that change it take turns.
pub static BEAT: Mutex<()> = Mutex::const_new(());

const ALL_BUCKETS: std::ops::Range<i32> = 0..1024;

fn recount<'a>(live: impl IntoIterator<Item = &'a Projection>) -> Vec<BucketDigest> {
    let mut digests = BTreeMap::new();
    for Projection { bucket, h1, h2, version, .. } in live {
        let digest = digests.entry(*bucket).or_insert(BucketDigest {
            bucket: *bucket,
            count: 0,
            h1: 0,
            h2: 0,
            epochs: 0,
            revisions: 0,
        });
        digest.count += 1;
        digest.h1 += h1;
        digest.h2 += h2;
        digest.epochs += version.epoch % (1 << 32);
        digest.revisions += version.revision % (1 << 32);
    }
    digests.into_values().collect()
}

async fn digests(subject: &Subject, user_id: Option<&str>) -> Vec<BucketDigest> {
    let mut digests = subject.graph.digests(user_id).await.expect("digests");
    digests.sort_by_key(|digest| digest.bucket);
    digests
}

fn ids(mut nodes: Vec<NodeVersion>) -> Vec<Uuid> {
    nodes.sort_by_key(|node| node.memory_id);
    nodes.into_iter().map(|node| node.memory_id).collect()
}

pub async fn digests_equal_a_recount_after_every_kind_of_change(subject: Subject) {
    let user = user("digest");
    let mut live: Vec<_> = (1..=300).map(|n| memory(&user, Uuid::new_v4(), n, &["Ann"])).collect();
    // The largest halves, and a revision and an epoch beyond 32 bits.
    live[0].version = Version { epoch: (1 << 40) + 3, revision: (1 << 53) + 5 };
    (live[0].h1, live[0].h2) = (u32::MAX.into(), u32::MAX.into());
    subject.project(&live).await;
    let mut before = digests(&subject, Some(&user)).await;
    assert_eq!(before, recount(&live));

    let (updated, gone, kept) = (live[1].memory_id, live[2].clone(), live[3].clone());
    live[1] = memory(&user, updated, 1000, &["Bob"]);
    let same_version = Projection { h2: 1, ..live[4].clone() };
    live[4] = same_version.clone();
    let changes = [live[1].clone(), same_version, tombstone(&gone, 1001), detached(&kept, 1002)];
    for change in changes {
        subject.apply(&change).await;
        let after = digests(&subject, Some(&user)).await;
        assert_ne!(after, before, "{change:?}");
        before = after;
    }
    live.retain(|one| one.memory_id != gone.memory_id && one.memory_id != kept.memory_id);
    assert_eq!(before, recount(&live));
    assert_eq!(digests(&subject, Some("nobody")).await, []);
    let all = digests(&subject, None).await;
    for digest in &before {
        let of_all = all.iter().find(|one| one.bucket == digest.bucket).expect("the bucket");
        assert!(of_all.count >= digest.count && of_all.h1 >= digest.h1 && of_all.epochs >= digest.epochs);
    }
    subject.forget(&[&user]).await;
}

pub async fn buckets_list_their_live_nodes(subject: Subject) {
    let (mine, other) = (user("bucket"), user("neighbour"));
    let live: Vec<_> = (0..200).map(|_| memory(&mine, Uuid::new_v4(), 3, &[])).collect();
    let theirs = memory(&other, live[0].memory_id, 1, &[]);
    let theirs = Projection { memory_id: Uuid::new_v4(), ..theirs };
    let (gone, kept) = (memory(&mine, Uuid::new_v4(), 1, &[]), memory(&mine, Uuid::new_v4(), 1, &[]));
    subject.project(&live).await;
    subject.project(&[theirs.clone(), gone.clone(), kept.clone()]).await;
    subject.project(&[tombstone(&gone, 2), detached(&kept, 2)]).await;

    let all: Vec<i32> = ALL_BUCKETS.collect();
    let nodes = subject.graph.list_buckets(Some(&mine), &all).await.expect("listed");
    let node = nodes.iter().find(|node| node.memory_id == live[7].memory_id).expect("listed");
    assert_eq!(node, &subject.node(live[7].memory_id).await);
    let mut expected: Vec<_> = live.iter().map(|one| one.memory_id).collect();
    expected.sort();
    assert_eq!(ids(nodes), expected);

    let some: Vec<i32> = live.iter().take(20).map(|one| one.bucket).collect();
    expected.retain(|id| some.contains(&izzie_memory::model::bucket(*id)));
    assert_eq!(ids(subject.graph.list_buckets(Some(&mine), &some).await.expect("listed")), expected);
    let of_all = ids(subject.graph.list_buckets(None, &some).await.expect("listed"));
    assert!(expected.iter().all(|id| of_all.contains(id)));
    let bucket = [theirs.bucket];
    assert!(
        ids(subject.graph.list_buckets(None, &bucket).await.expect("listed")).contains(&theirs.memory_id)
    );
    assert_eq!(subject.graph.list_buckets(None, &[]).await.expect("listed"), []);
    subject.forget(&[&mine, &other]).await;
}

/// Versions of an epoch below that of all other tests, beyond the horizon that an earlier run may have left.
struct BelowAll {
    floor: i64,
}

impl BelowAll {
    async fn of(subject: &Subject) -> Self {
        let beat = subject.graph.read_beat().await.expect("read");
        if beat.is_none() && !subject.graph.shares_database() {
            let horizon = Version { epoch: 0, revision: 0 };
            let beat =
                Beat { store_id: Uuid::new_v4(), epoch: 1, high_water: 1, nonce: Uuid::new_v4(), horizon };
            assert!(subject.graph.swap_beat(None, &beat).await.expect("swapped"));
        }
        Self { floor: beat.map_or(0, |beat| beat.horizon.revision) }
    }

    fn version(&self, revision: i64) -> Version {
        Version { epoch: 0, revision: self.floor + revision }
    }

    fn at(&self, revision: i64, projection: Projection) -> Projection {
        Projection { version: self.version(revision), ..projection }
    }
}

pub async fn nothing_is_created_at_or_below_the_horizon(subject: Subject) {
    let _alone = BEAT.lock().await;
    let below_all = BelowAll::of(&subject).await;
    let (user, held, gone, young) = (user("horizon"), Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let live = |id, revision, people: &[&str]| below_all.at(revision, memory(&user, id, 0, people));
    let dead = |id, revision| below_all.at(revision, tombstone(&memory(&user, id, 0, &[]), 0));
    subject.project(&[live(held, 3, &["Ann"]), live(gone, 4, &["Ann"])]).await;
    subject.project(&[dead(gone, 5), dead(young, 9)]).await;

    let horizon = below_all.version(5);
    subject.graph.collect_tombstones(&[young, gone, held], horizon).await.expect("collected");
    let mut left = vec![held, young];
    left.sort();
    assert_eq!(ids(subject.graph.get_nodes(&[held, gone, young]).await.expect("read")), left);

    let late = [live(gone, 4, &["Late"]), live(held, 4, &["Bob"]), live(Uuid::new_v4(), 6, &["Cid"])];
    let answers = subject.project(&late).await;
    assert_eq!(answers[0], Applied { memory_id: gone, version: horizon, outcome: Outcome::BelowHorizon });
    assert!(answers[1].applied() && answers[2].applied(), "what is there, and what is above: {answers:?}");
    assert_eq!(subject.graph.get_nodes(&[gone]).await.expect("read"), []);
    let mut frequencies = subject.frequencies(&user).await;
    assert_eq!(frequencies.remove("late"), None, "nothing half is left");
    frequencies.retain(|_, frequency| *frequency > 0);
    assert_eq!(frequencies, counts(&[("bob", 1), ("cid", 1)]));
    assert!(subject.apply(&dead(gone, 5)).await.applied(), "the horizon says the same");
    assert_eq!(subject.graph.get_nodes(&[gone]).await.expect("read"), []);

    subject.graph.collect_tombstones(&[young], below_all.version(1)).await.expect("collected");
    assert_eq!(
        subject.apply(&live(gone, 5, &[])).await.outcome,
        Outcome::BelowHorizon,
        "it is never lowered"
    );
    if let Some(beat) = subject.graph.read_beat().await.expect("read") {
        assert_eq!(beat.horizon, horizon);
        let next = Beat { nonce: Uuid::new_v4(), horizon: below_all.version(2), ..beat };
        assert!(subject.graph.swap_beat(Some(beat.nonce), &next).await.expect("swapped"));
        assert_eq!(subject.graph.read_beat().await.expect("read").map(|beat| beat.horizon), Some(horizon));
    }
    assert!(subject.apply(&live(gone, 6, &["Ann"])).await.applied());
    assert_eq!(subject.mentioned(gone).await, names(&["ann"]));
    subject.forget(&[&user]).await;
}

/// A late upsert meets the tombstone or the horizon, whatever happens first.
pub async fn a_late_writer_never_slips_past_a_collection(subject: Subject) {
    let _alone = BEAT.lock().await;
    let below_all = BelowAll::of(&subject).await;
    let user = user("collected");
    for round in 0..60 {
        let id = Uuid::new_v4();
        let at = |revision: i64| round * 10 + revision;
        let live = below_all.at(at(1), memory(&user, id, 0, &["Ann"]));
        subject.apply(&below_all.at(at(2), tombstone(&live, 0))).await;
        let ids = [id];
        let collecting = subject.graph.collect_tombstones(&ids, below_all.version(at(2)));
        let (collected, late) = tokio::join!(collecting, subject.apply(&live));
        collected.expect("collected");
        assert!(!late.applied(), "round {round}: {late:?}");
        assert_eq!(subject.graph.get_nodes(&[id]).await.expect("read"), [], "round {round}");
    }
    assert_eq!(subject.count(&user).await, 0);
    subject.forget(&[&user]).await;
}

pub async fn entities_that_nothing_mentions_are_swept(subject: Subject) {
    let (user, id) = (user("sweep"), Uuid::new_v4());
    let mut first = memory(&user, id, 1, &["Ann", "Bob", "Cid"]);
    first.relationships = vec![relationship("Ann", RelationshipType::WorksWith, "Bob")];
    subject.apply(&first).await;
    subject.apply(&memory(&user, Uuid::new_v4(), 1, &["Bob"])).await;
    subject.apply(&memory(&user, id, 2, &["Cid"])).await;
    assert_eq!(subject.frequencies(&user).await.get("ann").copied().unwrap_or(0), 0);
    subject.graph.sweep_entities(10_000).await.expect("swept");
    assert_eq!(subject.frequencies(&user).await, counts(&[("bob", 1), ("cid", 1)]));
    assert_eq!(subject.edges(&user).await, []);

    subject.apply(&memory(&user, id, 3, &["Ann"])).await;
    subject.graph.sweep_entities(10_000).await.expect("swept");
    assert_eq!(subject.frequencies(&user).await, counts(&[("ann", 1), ("bob", 1)]), "created again");
    subject.forget(&[&user]).await;
}

pub async fn a_sweep_beside_a_new_mention_leaves_the_entity(subject: Subject) {
    let user = user("swept");
    for round in 0..60 {
        let id = Uuid::new_v4();
        subject.apply(&memory(&user, id, 1, &["Ann", "Bob"])).await;
        subject.apply(&memory(&user, id, 2, &[])).await;
        let again = memory(&user, id, 3, &["Ann", "Bob"]);
        let (swept, applied) = tokio::join!(subject.graph.sweep_entities(100), subject.apply(&again));
        swept.expect("swept");
        assert!(applied.applied(), "round {round}");
        assert_eq!(subject.mentioned(id).await, names(&["ann", "bob"]), "round {round}");
        assert_eq!(subject.frequencies(&user).await, counts(&[("ann", 1), ("bob", 1)]), "round {round}");
        subject.apply(&memory(&user, id, 4, &[])).await;
    }
    subject.forget(&[&user]).await;
}
