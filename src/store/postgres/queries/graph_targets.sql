select target from izzie_memory.graph_targets
