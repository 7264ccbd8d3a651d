//! Group commit: concurrent single writes share transactions of Neo4j, and stay what they are to their callers.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::layers::{Client, config, empty_neo4j};
use common::neo4j::{self, Driver};
use common::postgres::{Database, Sql};
use common::proxy::{Mode, Proxy, bolt};
use futures::future::join_all;
use neo4rs::query;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// A layer whose Neo4j can be made to wait, with its beat and plans behind it.
struct Setting {
    layer: Arc<Client>,
    neo4j: Proxy,
    postgres: Sql,
    _database: Database,
}

impl Setting {
    async fn new() -> Self {
        let database = Database::migrated().await;
        let neo4j = Proxy::to(neo4j::address()).await;
        let uri = format!("bolt://{}", neo4j.address);
        let layer = Arc::new(Client::new(&config(&database.url(), Some(&uri))));
        let postgres = database.connect().await;
        let setting = Self { layer, neo4j, postgres, _database: database };
        assert!(applied(&store(&setting.layer, "the first", 10_000).await.expect("joined")));
        setting.neo4j.forget();
        setting
    }

    /// Holds Neo4j's answers back until these stores are all in Postgres and wait for it.
    async fn store_together(&mut self, contents: &[String], wait: u64) -> Vec<JoinHandle<Value>> {
        self.neo4j.set(Mode::HoldAnswersTo(1000));
        let before = self.rows().await;
        let stores: Vec<_> = contents.iter().map(|content| store(&self.layer, content, wait)).collect();
        while self.rows().await < before + i64::try_from(contents.len()).expect("few") {
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_millis(300)).await;
        stores
    }

    async fn rows(&mut self) -> i64 {
        self.postgres.one("select count(*) from public.memory_entries").await
    }

    /// Debts are struck off away from the answer's path.
    async fn owed_in_the_end(&mut self, expected: i64) -> bool {
        for _ in 0..1200 {
            let owed = "select count(*) from izzie_memory.memory_sync where target like 'neo4j:%'";
            let owed: i64 = self.postgres.one(owed).await;
            if owed == expected {
                return true;
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    }

    fn transactions(&self) -> usize {
        let messages = self.neo4j.traffic().into_iter().flat_map(|traffic| traffic.bolt_messages());
        messages.filter(|message| *message == bolt::RUN).count()
    }
}

fn store(layer: &Arc<Client>, content: &str, wait: u64) -> JoinHandle<Value> {
    let layer = Arc::clone(layer);
    let person = json!({ "type": "person", "value": "Ann" });
    let arguments = json!({ "userId": "u", "content": content, "entities": [person] });
    tokio::spawn(async move {
        let settings = json!({ "graphWaitMs": wait });
        layer.try_call_with("store", arguments, settings).await.expect("stored")
    })
}

fn applied(answer: &Value) -> bool {
    answer["write"]["graphWriteSuccess"] == true
}

fn contents(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("memory {n}")).collect()
}

async fn mentions() -> i64 {
    let rows = Driver::connect().rows(query("MATCH (e:IzzieEntity) RETURN e.frequency AS n")).await;
    rows[0].get("n").expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_stores_share_transactions() {
    let _alone = empty_neo4j().await;
    let mut setting = Setting::new().await;
    let stores = setting.store_together(&contents(64), 20_000).await;
    while setting.transactions() < 2 {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(setting.transactions(), 2, "the first two went at once, each alone");
    setting.neo4j.set(Mode::Pass);
    for answer in join_all(stores).await {
        assert!(applied(&answer.expect("joined")));
    }
    // Then 50 and 12. Some more where one lost against another and was repeated.
    let transactions = setting.transactions();
    assert!((4..=8).contains(&transactions), "{transactions} transactions for 64 stores");
    assert_eq!(mentions().await, 65);
    assert!(setting.owed_in_the_end(0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_culprit_of_a_group_fails() {
    let _alone = empty_neo4j().await;
    let driver = Driver::connect();
    let mut setting = Setting::new().await;
    // The graph refuses a second memory that says the same as the first.
    driver
        .rows(query(
            "CREATE CONSTRAINT test_once IF NOT EXISTS FOR (n:IzzieMemory) REQUIRE n.content IS UNIQUE",
        ))
        .await;
    let mut contents = contents(20);
    contents[13] = "the first".to_owned();
    let stores = setting.store_together(&contents, 20_000).await;
    setting.neo4j.set(Mode::Pass);
    let answers = join_all(stores).await;
    driver.rows(query("DROP CONSTRAINT test_once")).await;
    for (answer, content) in answers.into_iter().zip(&contents) {
        let answer = answer.expect("joined");
        assert_eq!(applied(&answer), content != "the first", "{answer}");
        if !applied(&answer) {
            assert_eq!(answer["write"]["graphError"]["reason"], "GRAPH_REJECTED", "{answer}");
        }
    }
    assert_eq!(mentions().await, 20);
    assert!(setting.owed_in_the_end(1).await, "what was refused stays owed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_waiting_leaves_the_group_whole() {
    let _alone = empty_neo4j().await;
    let mut setting = Setting::new().await;
    let impatient = setting.store_together(&contents(10), 100).await;
    for answer in join_all(impatient).await {
        assert!(!applied(&answer.expect("joined")), "nobody answered in time");
    }
    let patient = store(&setting.layer, "the last", 20_000);
    sleep(Duration::from_millis(200)).await;
    setting.neo4j.set(Mode::Pass);
    assert!(applied(&patient.await.expect("joined")));
    let driver = Driver::connect();
    for _ in 0..1200 {
        if driver.rows(query("MATCH (n:IzzieMemory) RETURN n.key AS key")).await.len() == 12 {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(mentions().await, 12, "those nobody waited for were written too");
}
