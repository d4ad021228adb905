"""Past deployments judged again: read, spread over processes or a cluster, written, evaluated."""
