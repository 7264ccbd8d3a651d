update izzie_memory.graph_targets t set horizon_epoch = $2, horizon_revision = $3
where t.target = $1 and (t.horizon_epoch, t.horizon_revision) < ($2, $3)
