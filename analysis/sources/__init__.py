"""Metric sources, one a file, all behind the port in `analysis.sources.port`."""
