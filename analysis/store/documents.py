"""Documents that callers keep in the service, by kind and id; the store does not read them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from analysis.store.schema import DOCUMENTS

_D = DOCUMENTS.c


class Kind(StrEnum):
    """What a document is."""

    CANARY_CONFIG = "canary_config"
    METRIC_SET_PAIRS = "metric_set_pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document.

    Attributes:
        kind: What it is.
        id: Its name among its kind.
        owner: Name of the token that wrote it first.
        body: What the caller sent, as plain values.
        created: Epoch seconds.
        updated: Epoch seconds.
    """

    kind: Kind
    id: str
    owner: str
    body: Any
    created: float
    updated: float


class DocumentStore:
    """The documents kept in one database."""

    def __init__(self, engine: Engine) -> None:
        """Use a database whose tables are up to date."""
        self._engine = engine

    def add(self, document: Document) -> bool:
        """Keep a new document; tell whether its id was free."""
        values = {
            "kind": document.kind.value,
            "id": document.id,
            "owner": document.owner,
            "body": document.body,
            "created": document.created,
            "updated": document.updated,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(DOCUMENTS).values(values))
        except IntegrityError:
            return False
        return True

    def replace(self, kind: Kind, name: str, body: Any, now: float) -> bool:  # noqa: ANN401 - plain values
        """Change what a document says; tell whether there is one."""
        change = update(DOCUMENTS).where(_D.kind == kind.value, _D.id == name)
        with self._engine.begin() as connection:
            return connection.execute(change.values(body=body, updated=now)).rowcount == 1

    def remove(self, kind: Kind, name: str) -> bool:
        """Remove a document; tell whether there was one."""
        gone = delete(DOCUMENTS).where(_D.kind == kind.value, _D.id == name)
        with self._engine.begin() as connection:
            return connection.execute(gone).rowcount == 1

    def get(self, kind: Kind, name: str) -> Document | None:
        """Find a document."""
        one = select(DOCUMENTS).where(_D.kind == kind.value, _D.id == name)
        with self._engine.connect() as connection:
            row = connection.execute(one).first()
        return None if row is None else _document(row)

    def of(self, kind: Kind, limit: int) -> list[Document]:
        """List the documents of a kind, in order of their ids."""
        some = select(DOCUMENTS).where(_D.kind == kind.value).order_by(_D.id).limit(limit)
        with self._engine.connect() as connection:
            return [_document(row) for row in connection.execute(some)]

    def purge(self, kind: Kind, before: float) -> int:
        """Remove what was not changed since an instant; give how many were removed."""
        old = delete(DOCUMENTS).where(_D.kind == kind.value, _D.updated < before)
        with self._engine.begin() as connection:
            return connection.execute(old).rowcount


def _document(row: Row[Any]) -> Document:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    return Document(**values | {"kind": Kind(values["kind"])})
