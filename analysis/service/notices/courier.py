"""Carries what is in the outbox to whom it is for, and comes back until it is heard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests
from sqlalchemy.exc import SQLAlchemyError

from analysis.service.notices import messages
from analysis.service.notices.targets import Address, Target
from analysis.service.operations import Operations
from analysis.store import AnalysisStore, Message

LOG = logging.getLogger("serinus.notices")
TICK_S = 1.0
AT_ONCE = 20
TIMEOUT_S = 10.0
LEASE_S = 30.0
FIRST_S, LONGEST_S = 5.0, 3600.0  # between the tries
GIVES_UP_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a courier works with.

    Attributes:
        targets: Who is told, by name.
        public_url: Address that links point to.
    """

    store: AnalysisStore
    targets: Mapping[str, tuple[Target, Address]]
    clock: Callable[[], float]
    operations: Operations
    public_url: str


class Courier:
    """Sends on a thread of its own, so that no verdict waits for a receiver."""

    def __init__(self, route: Route) -> None:
        """Prepare; `start` begins to send."""
        self._route = route
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="courier")

    def start(self) -> None:
        """Begin to send; where nobody is to be told there is nothing to do."""
        if self._route.targets:
            self._thread.start()

    def stop(self) -> None:
        """End after what is being sent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(TICK_S):
            try:
                self._round(self._route.clock())
            except SQLAlchemyError as error:
                LOG.warning("the store does not answer: %s", error.__class__.__name__)

    def _round(self, now: float) -> None:
        for message in self._route.store.claim_messages(now, now + LEASE_S, AT_ONCE):
            if self._stopped.is_set():
                return
            self._deliver(message, now)

    def _deliver(self, message: Message, now: float) -> None:
        store = self._route.store
        failure = self._send(message, now)
        self._route.operations.noticed(message.target, heard=failure is None)
        if failure is None or now - message.created > GIVES_UP_S:
            store.drop_message(message.id)
        else:
            store.retry_message(message.id, now + wait_s(message.tries))
        if failure is not None:
            about = {"analysis": message.analysis, "result": "not heard"}
            LOG.warning("%s: %s", message.target, failure, extra=about)

    def _send(self, message: Message, now: float) -> str | None:
        """Send a message; say what went wrong, without the address, which may be a secret."""
        record = self._route.store.get(message.analysis)
        known = self._route.targets.get(message.target)
        if record is None or known is None:
            return None  # removed since: there is nothing to tell, or nobody
        target, address = known
        sent = messages.body(target.form, record, self._route.public_url)
        headers = messages.headers(target.form, sent, address.secret, now)
        try:
            answer = requests.post(
                address.url, sent, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            return f"no answer ({error.__class__.__name__})"
        return None if answer.ok else f"answered {answer.status_code}"


def wait_s(tries: int) -> float:
    """Give how long to wait after so many tries that nobody heard."""
    return min(LONGEST_S, FIRST_S * 2.0**tries)
