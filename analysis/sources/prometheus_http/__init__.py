"""The parts the Prometheus source is made of, one subject a module."""
