//! Whole layers on real stores.

use std::sync::Arc;

use async_trait::async_trait;
use izzie_memory::config::LayerConfig;
use izzie_memory::context::CallContext;
use izzie_memory::embedding::{Embedder, Space, TextVector};
use izzie_memory::error::{Error, Result};
use izzie_memory::extraction::RulesExtractor;
use izzie_memory::service::Layer;
use neo4rs::query;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::neo4j::{self, Driver};
use super::postgres::Database;

static NEO4J: Mutex<()> = Mutex::const_new(());

/// The Neo4j server, empty of anything of ours and for this test alone.
pub async fn empty_neo4j() -> MutexGuard<'static, ()> {
    let guard = NEO4J.lock().await;
    neo4j::warm().await;
    wipe_neo4j().await;
    guard
}

pub async fn wipe_neo4j() {
    let ours = "MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat DETACH DELETE n";
    Driver::connect().rows(query(ours)).await;
}

/// The configuration of a layer: a database's URL and, if given, Neo4j's address.
pub fn config(database_url: &izzie_memory::config::Secret, neo4j_uri: Option<&str>) -> Value {
    let mut config = json!({ "databaseUrl": database_url.reveal() });
    if let Some(uri) = neo4j_uri {
        let options = neo4j::options();
        config["neo4j"] = json!({ "uri": uri, "user": options.user, "password": options.password.reveal() });
    }
    config
}

pub fn neo4j_uri() -> String {
    neo4j::options().uri.reveal().to_owned()
}

pub struct Client(pub Layer);

impl Client {
    pub fn new(config: &Value) -> Self {
        Self::with_embedder(config, None)
    }

    /// Without embedder and extractor, so that the graph alone is owed anything that can be paid.
    pub fn bare(config: &Value) -> Self {
        let config = LayerConfig::parse(&config.to_string()).expect("a valid configuration");
        Self(Layer::new(config, None, None).expect("a layer"))
    }

    pub fn with_embedder(config: &Value, embedder: Option<Arc<dyn Embedder>>) -> Self {
        let config = LayerConfig::parse(&config.to_string()).expect("a valid configuration");
        Self(Layer::new(config, embedder, Some(Arc::new(RulesExtractor))).expect("a layer"))
    }

    /// On a database and, where `neo4j` is said, on Neo4j.
    pub fn on(database: &Database, neo4j: bool) -> Self {
        Self::new(&config(&database.url(), neo4j.then(neo4j_uri).as_deref()))
    }

    pub async fn try_call(&self, op: &str, args: Value) -> Result<Value> {
        self.try_call_with(op, args, Value::Null).await
    }

    pub async fn try_call_with(&self, op: &str, args: Value, persistence: Value) -> Result<Value> {
        let request = json!({ "op": op, "args": args, "persistence": persistence }).to_string();
        let answer = self.0.call(&request, None, &CallContext::default()).await?;
        Ok(serde_json::from_str(&answer).expect("an answer is JSON"))
    }

    pub async fn call(&self, op: &str, args: Value) -> Value {
        self.try_call(op, args).await.unwrap_or_else(|error| panic!("{op}: {}", error.envelope()))
    }

    pub async fn fails(&self, op: &str, args: Value) -> Error {
        match self.try_call(op, args).await {
            Ok(value) => panic!("{op} went through: {value}"),
            Err(error) => error,
        }
    }

    /// Stores a memory that mentions these people; answers its id.
    pub async fn store(&self, user: &str, content: &str, people: &[&str]) -> String {
        let entities: Vec<Value> =
            people.iter().map(|name| json!({ "type": "person", "value": name })).collect();
        let memory = json!({ "userId": user, "content": content, "entities": entities });
        // A machine with much to do must not leave it owed.
        let patient = json!({ "graphWaitMs": 20_000 });
        let answer = self.try_call_with("store", memory, patient).await.expect("stored");
        answer["memory"]["id"].as_str().expect("an id").to_owned()
    }

    pub async fn percentage(&self) -> u64 {
        self.call("syncStats", json!({})).await["syncPercentage"].as_u64().expect("a number")
    }
}

/// An embedder for tests: letters counted, so that like texts have like vectors.
pub struct Letters(Space);

impl Letters {
    pub fn embedder() -> Arc<dyn Embedder> {
        Arc::new(Self(Space { model: "letters".into(), dimensions: 26 }))
    }
}

#[async_trait]
impl Embedder for Letters {
    fn space(&self) -> &Space {
        &self.0
    }

    fn is_paid(&self) -> bool {
        false
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        let count = |text: &String| {
            let mut vector = vec![0.01; 26];
            for byte in text.to_ascii_lowercase().bytes().filter(u8::is_ascii_lowercase) {
                vector[usize::from(byte - b'a')] += 1.0;
            }
            Some(vector)
        };
        Ok(texts.iter().map(count).collect())
    }
}
