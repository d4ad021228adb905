"""Analyses kept between calls, and shared by replicas: SQLite by default, or PostgreSQL."""

from analysis.store.analyses import AnalysisStore, Filter
from analysis.store.database import open_database
from analysis.store.outbox import Message
from analysis.store.records import Look, New, Record, Status

__all__ = ["AnalysisStore", "Filter", "Look", "Message", "New", "Record", "Status", "open_database"]
