"""Recorded deployments as Parquet: one folder that DuckDB, Spark and pandas read as well."""
