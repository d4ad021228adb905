"""Analyses kept between calls, and shared by replicas: SQLite by default, or PostgreSQL."""

from analysis.store.analyses import AnalysisStore, Filter
from analysis.store.database import open_database
from analysis.store.documents import Document, DocumentStore, Kind
from analysis.store.outbox import Message
from analysis.store.records import Look, New, Record, Status
from analysis.store.versions import Version, VersionStore

__all__ = [
    "AnalysisStore",
    "Document",
    "DocumentStore",
    "Filter",
    "Kind",
    "Look",
    "Message",
    "New",
    "Record",
    "Status",
    "Version",
    "VersionStore",
    "open_database",
]
