//! TLS by one provider, whoever opens a connection.

/// Makes ring the process's provider. Two providers in one process make `neo4j+s` panic, so it is settled before the
/// first connection; a choice made before (by another addon) stands.
pub fn use_ring() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
