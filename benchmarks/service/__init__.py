"""What the service adds to the queries of Prometheus."""
