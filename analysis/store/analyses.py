"""The analyses of a service: begun once for each key, leased for each look, never judged twice."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, Row, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from analysis.store import outbox, versions
from analysis.store.outbox import Message
from analysis.store.records import AHEAD_S, Look, New, Record, Status
from analysis.store.schema import ANALYSES, RECORDINGS
from analysis.store.versions import Version

_A = ANALYSES.c
_OURS = {"leased_by", "leased_until"}
_COLUMNS = [column for column in ANALYSES.columns if column.name not in _OURS]
# A report has hundreds of kilobytes, and a list hundreds of analyses.
_WITHOUT_REPORT = [column for column in _COLUMNS if column.name != "report"]
_PURGED_AT_ONCE = 100
_TRIES = 10  # at a generation that other replicas claim at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which analyses to list; `None` leaves a field open.

    Attributes:
        key_part: What the key contains.
        configs: Configurations that may be shown.
        namespaces: Namespaces that may be shown.
        before: Show what sorts before this id: the cursor of the next page.
    """

    key: str | None = None
    key_part: str | None = None
    config: str | None = None
    namespace: str | None = None
    status: str | None = None
    verdict: str | None = None
    configs: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None
    before: str | None = None


class AnalysisStore:
    """The analyses kept in one database, by any number of processes."""

    def __init__(self, engine: Engine) -> None:
        """Use a database whose tables are up to date."""
        self._engine = engine

    def begin(self, new: New, now: float) -> Record:
        """Fetch the analysis of this key, or begin it.

        Whoever asks for something else under the same key gets a new generation: judging the old
        one would answer a question that nobody asked.
        """
        for _ in range(_TRIES):
            latest = self.latest(new.key)
            if latest is not None and new.is_answered_by(latest, now):
                return latest
            try:
                return self._insert(new, now, latest.generation + 1 if latest else 1)
            except IntegrityError:  # another call was faster; take what it began
                continue
        raise RuntimeError(f"the key {new.key!r} changes faster than it can be begun")

    def _insert(self, new: New, now: float, generation: int) -> Record:
        values: dict[str, Any] = {
            "key": new.key,
            "identity": new.identity,
            "config": new.config,
            "config_text": new.config_text,
            "version": new.version,
            "namespace": new.namespace,
            "due": new.due,
            "id": _new_id(now),
            "generation": generation,
            "request": dict(new.request),
            "warnings": [],
            "status": Status.RUNNING.value,
            "summary": "no look has been made yet",
            "looks": 0,
            "created": now,
            "updated": now,
            "leased_by": "",
            "leased_until": 0.0,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(ANALYSES).values(values))
            if new.keeps_version:
                versions.keep(connection, _version(new, now))
        begun = self.get(values["id"])
        if begun is None:
            raise RuntimeError(f"analysis {values['id']} was removed while it was begun")
        return begun

    def get(self, analysis: str, *, report: bool = True) -> Record | None:
        """Find an analysis by its id, with its report or without."""
        return self._one(select(*_columns(report=report)).where(_A.id == analysis))

    def latest(self, key: str, *, report: bool = True) -> Record | None:
        """Find the newest analysis of a key, with its report or without."""
        of_key = select(*_columns(report=report)).where(_A.key == key)
        return self._one(of_key.order_by(_A.generation.desc()).limit(1))

    def _one(self, query: Any) -> Record | None:  # noqa: ANN401 - SQLAlchemy's Select is generic
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _record(row)

    def find(self, wanted: Filter, limit: int, *, reports: bool = False) -> list[Record]:
        """List analyses, newest first, with their reports or without."""
        query = select(*_columns(report=reports)).order_by(_A.id.desc()).limit(limit)
        for name in ("key", "config", "namespace", "status", "verdict"):
            if (value := getattr(wanted, name)) is not None:
                query = query.where(_A[name] == value)
        if wanted.key_part is not None:
            query = query.where(_A.key.contains(wanted.key_part, autoescape=True))
        if wanted.configs is not None:
            query = query.where(_A.config.in_(wanted.configs))
        if wanted.namespaces is not None:
            query = query.where(_A.namespace.in_(wanted.namespaces))
        if wanted.before is not None:
            query = query.where(_A.id < wanted.before)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def due(self, now: float, limit: int) -> list[str]:
        """Name analyses whose next look is due and that nobody is looking at."""
        query = select(_A.id).where(*_waits(now)).order_by(_A.due).limit(limit)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def claim(self, analysis: str, owner: str, now: float, until: float) -> bool:
        """Take the lease of a running analysis whose look is due; tell whether it is ours now."""
        return self._change(
            update(ANALYSES)
            .where(_A.id == analysis, *_waits(now))
            .values(leased_by=owner, leased_until=until)
        )

    def renew(self, analyses: Sequence[str], owner: str, until: float) -> None:
        """Keep the leases of looks that are still under way."""
        held = update(ANALYSES).where(_A.id.in_(analyses), _A.leased_by == owner)
        with self._engine.begin() as connection:
            connection.execute(held.values(leased_until=until))

    def finish(
        self, analysis: str, owner: str, look: Look, now: float, tell: Sequence[str] = ()
    ) -> bool:
        """Keep a look and give the lease back; nothing is kept if the lease is another's by now.

        Args:
            analysis: Which.
            owner: Who holds the lease.
            look: What to keep.
            now: Epoch seconds.
            tell: Targets that are to be told of it.
        """
        values: dict[str, Any] = {
            "status": look.status.value,
            "verdict": look.verdict,
            "score": look.score,
            "summary": look.summary,
            "looks": _A.looks + 1,
            "due": look.due,
            "updated": now,
            "leased_by": "",
            "leased_until": 0.0,
        }
        if look.report is not None:
            values["report"] = dict(look.report)
            values["warnings"] = list(look.report.get("warnings", ()))
        held = (_A.id == analysis, _A.leased_by == owner, _A.status == Status.RUNNING.value)
        with self._engine.begin() as connection:
            kept = connection.execute(update(ANALYSES).where(*held).values(values)).rowcount == 1
            if kept:
                outbox.post(connection, analysis, tell, now)
            if kept and look.recording is not None:
                connection.execute(delete(RECORDINGS).where(RECORDINGS.c.analysis == analysis))
                row = {"analysis": analysis, "packed": look.recording}
                connection.execute(insert(RECORDINGS).values(row))
        return kept

    def release(self, analysis: str, owner: str, due: float) -> None:
        """Give a lease back without a look, to be tried again at `due`."""
        self._change(
            update(ANALYSES)
            .where(_A.id == analysis, _A.leased_by == owner)
            .values(leased_by="", leased_until=0.0, due=due)
        )

    def shorten(self, record: Record, end: float, due: float) -> Record:
        """Let a running analysis end at `end` at the latest, with a look at `due`."""
        request = {**record.request, "end": min(end, float(record.request["end"]))}
        running = (_A.id == record.id, _A.status == Status.RUNNING.value)
        self._change(update(ANALYSES).where(*running).values(request=request, due=due))
        return self.get(record.id) or record

    def amend(self, record: Record, request: Mapping[str, Any]) -> None:
        """Change what is kept of a request, be the analysis running or not."""
        self._change(update(ANALYSES).where(_A.id == record.id).values(request=dict(request)))

    def cancel(self, analysis: str, now: float) -> bool:
        """End a running analysis without a verdict; tell whether it was running."""
        return self._change(
            update(ANALYSES)
            .where(_A.id == analysis, _A.status == Status.RUNNING.value)
            .values(status=Status.CANCELED.value, updated=now, summary="canceled by its caller")
        )

    def recording(self, analysis: str) -> bytes | None:
        """Give the packed answers that the newest look was judged by."""
        query = select(RECORDINGS.c.packed).where(RECORDINGS.c.analysis == analysis)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def purge(self, before: float) -> int:
        """Remove what ended before an instant; give the number of analyses removed."""
        removed = 0
        while gone := self._purge_some(before):
            removed += gone
        return removed

    def _purge_some(self, before: float) -> int:
        """Remove a few, so that no writer waits long: a year's worth takes SQLite a minute."""
        # What ended before was begun before, and that has an index.
        ended = (_A.status != Status.RUNNING.value, _A.updated < before, _A.created < before)
        old = select(_A.id).where(*ended).order_by(_A.created).limit(_PURGED_AT_ONCE)
        with self._engine.connect() as connection:
            ids = list(connection.execute(old).scalars())
        with self._engine.begin() as connection:
            connection.execute(delete(RECORDINGS).where(RECORDINGS.c.analysis.in_(ids)))
            return connection.execute(delete(ANALYSES).where(_A.id.in_(ids), *ended)).rowcount

    def claim_messages(self, now: float, until: float, limit: int) -> list[Message]:
        """Take messages that are due."""
        return outbox.claim(self._engine, now, until, limit)

    def retry_message(self, message: str, due: float) -> None:
        """Keep a message that nobody heard for another try."""
        outbox.retry(self._engine, message, due)

    def drop_message(self, message: str) -> None:
        """Remove a message that was heard, or that nobody will hear."""
        outbox.drop(self._engine, message)

    def ping(self) -> None:
        """Make sure that the database answers."""
        with self._engine.connect() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _change(self, statement: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's Update is generic
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1


def _columns(*, report: bool) -> list[Column[Any]]:
    return _COLUMNS if report else _WITHOUT_REPORT


def _waits(now: float) -> tuple[ColumnElement[bool], ...]:
    """Select what is to be looked at, as `Record.is_due` does, and what nobody is looking at."""
    return (
        _A.status == Status.RUNNING.value,
        or_(_A.due <= now, _A.updated > now + AHEAD_S),
        or_(_A.leased_until <= now, _A.leased_until > now + AHEAD_S),
    )


def _new_id(now: float) -> str:
    """Give an id that sorts by time: 12 hex digits of milliseconds, 16 of chance."""
    return f"{int(now * 1000):012x}{secrets.token_hex(8)}"


def _version(new: New, now: float) -> Version:
    return Version(
        config=new.config,
        version=new.version,
        text=new.config_text,
        first_used=now,
        last_used=now,
    )


def _record(row: Row[Any]) -> Record:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    values["status"] = Status(values["status"])
    values["warnings"] = tuple(values["warnings"])
    return Record(**{"report": None} | values)
