//! One suite, every graph store.

mod neo4j {
    crate::conformance_tests!(crate::common::neo4j::subject);
}

mod postgres {
    crate::conformance_tests!(crate::common::postgres::subject);
}
