//! From the options to the driver's pool.

use std::time::Duration;

use neo4rs::{ConfigBuilder, Graph};
use url::{Host, Url};

use crate::config::Neo4jOptions;
use crate::error::{Error, Result};

const DEFAULT_PORT: u16 = 7687;
const SCHEMES: [&str; 6] = ["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"];

/// A connection that was cut without a word (Aura and many NATs do that to idle ones) is noticed before its next use.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long the driver may wait for the RESET that precedes each use of a pooled connection; then it takes another.
const RESET_TIMEOUT: Duration = Duration::from_secs(2);

/// All that a statement of ours answers, which is read whole: each further page would be a round trip.
const ROWS_AT_ONCE: usize = 100_000;

#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// The time limit of one statement, its repetitions included; longer while the server answers others.
    pub operation_timeout: Duration,
    pub max_connections: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { operation_timeout: Duration::from_secs(10), max_connections: 8 }
    }
}

/// The server's address. Error messages never repeat the URI: people put passwords into it.
pub(super) fn endpoint(options: &Neo4jOptions) -> Result<(Host<String>, u16)> {
    let invalid = |problem: &str| Error::invalid("neo4j.uri", problem);
    let url = Url::parse(options.uri.reveal()).map_err(|error| invalid(&format!("is no URI ({error})")))?;
    if !SCHEMES.contains(&url.scheme()) {
        let schemes = SCHEMES.map(|scheme| format!("{scheme}://")).join(", ");
        return Err(invalid(&format!("must start with one of {schemes}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "must not contain a user or password; neo4j.user and neo4j.password are for them",
        ));
    }
    // For schemes it does not know, `Url` takes an IPv4 address for a name.
    match url.host_str().filter(|host| !host.is_empty()).map(Host::parse) {
        Some(Ok(host)) => Ok((host, url.port().unwrap_or(DEFAULT_PORT))),
        _ => Err(invalid("names no valid host")),
    }
}

/// A pool that connects at its first use.
pub(super) fn pool(options: &Neo4jOptions, tuning: Tuning) -> Result<Graph> {
    crate::tls::use_ring();
    // The driver's "connection timeout" ends each wait for an answer too: it must not be below our own limits.
    let mut builder = ConfigBuilder::new()
        .uri(options.uri.reveal())
        .user(&options.user)
        .password(options.password.reveal())
        .max_connections(tuning.max_connections)
        .connection_timeout(super::exchange::longest(tuning.operation_timeout))
        .fetch_size(ROWS_AT_ONCE)
        .tcp_keepalive(KEEPALIVE)
        // What this release of the driver calls so is the time limit of the RESET.
        .idle_timeout(RESET_TIMEOUT);
    if let Some(database) = &options.database {
        builder = builder.db(database.as_str());
    }
    // The driver's message may repeat the URI.
    builder.build().and_then(Graph::connect).map_err(|_| Error::invalid("neo4j.uri", "the driver refuses it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::error::Reason;

    fn host_and_port(uri: &str) -> Result<(String, u16)> {
        let options = Neo4jOptions {
            uri: Secret::new(uri),
            user: "neo4j".into(),
            password: Secret::new("canary"),
            database: None,
        };
        endpoint(&options).map(|(host, port)| (host.to_string(), port))
    }

    #[test]
    fn reads_host_and_port() {
        assert_eq!(host_and_port("bolt://127.0.0.1:7688").unwrap(), ("127.0.0.1".into(), 7688));
        assert_eq!(host_and_port("neo4j+s://x.example.org").unwrap(), ("x.example.org".into(), 7687));
        assert_eq!(host_and_port("bolt://[::1]:7688").unwrap(), ("[::1]".into(), 7688));
    }

    #[test]
    fn tells_addresses_from_names() {
        let options = |uri| Neo4jOptions {
            uri: Secret::new(uri),
            user: String::new(),
            password: Secret::new(""),
            database: None,
        };
        assert!(matches!(endpoint(&options("bolt://127.0.0.1")), Ok((Host::Ipv4(_), _))));
        assert!(matches!(endpoint(&options("bolt://[::1]")), Ok((Host::Ipv6(_), _))));
        assert!(matches!(endpoint(&options("bolt://localhost")), Ok((Host::Domain(_), _))));
    }

    #[test]
    fn refuses_what_is_no_address_without_repeating_it() {
        let uris = [
            "",
            "canary",
            "http://canary:1",
            "bolt://u:canary@h",
            "bolt://canary@h",
            "bolt://",
            "bolt://canary:x",
        ];
        for uri in uris {
            let error = host_and_port(uri).expect_err(uri);
            assert_eq!(error.reason, Reason::InvalidArgument);
            assert_eq!(error.details["field"], "neo4j.uri");
            assert!(!error.envelope().to_string().contains("canary"), "{uri}");
        }
    }
}
