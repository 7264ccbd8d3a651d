//! What the graph tells of entities: one suite through the service, on each graph.

mod neo4j {
    crate::graph_query_tests!(crate::common::graph_queries::on_neo4j);
}

mod postgres {
    crate::graph_query_tests!(crate::common::graph_queries::on_postgres);
}
