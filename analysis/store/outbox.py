"""What is to be told to others: written with the verdict, kept until it has been heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from analysis.store.records import AHEAD_S
from analysis.store.schema import OUTBOX

_O = OUTBOX.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to be told to one target.

    Attributes:
        id: Its name.
        analysis: What it is about.
        target: Who is to be told.
        tries: How often it was sent in vain.
        created: Epoch seconds.
    """

    id: str
    analysis: str
    target: str
    tries: int
    created: float


def post(connection: Connection, analysis: str, targets: Sequence[str], now: float) -> None:
    """Put a message for each target into the outbox, within the transaction of the verdict."""
    if not targets:
        return
    rows = [
        {
            "id": f"{analysis}.{number}",
            "analysis": analysis,
            "target": target,
            "tries": 0,
            "due": now,
            "leased_until": 0.0,
            "created": now,
        }
        for number, target in enumerate(targets)
    ]
    connection.execute(insert(OUTBOX), rows)


def claim(engine: Engine, now: float, until: float, limit: int) -> list[Message]:
    """Take messages that are due; those that another process takes first are its own."""
    free = or_(_O.leased_until <= now, _O.leased_until > now + AHEAD_S)
    due = (_O.due <= now, free)
    taken = []
    with engine.connect() as connection:
        found = connection.execute(select(OUTBOX).where(*due).order_by(_O.due).limit(limit)).all()
    for row in found:
        with engine.begin() as connection:
            mine = update(OUTBOX).where(_O.id == row.id, *due).values(leased_until=until)
            if connection.execute(mine).rowcount == 1:
                message = Message(
                    id=row.id,
                    analysis=row.analysis,
                    target=row.target,
                    tries=row.tries,
                    created=row.created,
                )
                taken.append(message)
    return taken


def retry(engine: Engine, message: str, due: float) -> None:
    """Keep a message that nobody heard for another try."""
    again = {"tries": _O.tries + 1, "due": due, "leased_until": 0.0}
    with engine.begin() as connection:
        connection.execute(update(OUTBOX).where(_O.id == message).values(again))


def drop(engine: Engine, message: str) -> None:
    """Remove a message."""
    with engine.begin() as connection:
        connection.execute(delete(OUTBOX).where(_O.id == message))
