"""Work shared among threads that never hold up the end of the program.

`ThreadPoolExecutor` joins its threads when the interpreter ends, so after Ctrl-C the user
would wait for the slowest server. These threads are daemons: whoever waits for their results
may go at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TypeVar

from analysis.sources.prometheus_http.deadline import Deadline

Task = TypeVar("Task")
Result = TypeVar("Result")
Outcomes = Iterator[tuple[Task, Result | Exception]]


@contextmanager
def crew(
    tasks: Sequence[Task],
    hands: Iterable[Callable[[Task], Result]],
    deadline: Deadline,
    ends: Callable[[Result | Exception], bool],
) -> Iterator[Outcomes[Task, Result]]:
    """Put every hand to work on a thread of its own.

    Args:
        tasks: What is to be done.
        hands: Who does it, a thread each.
        deadline: When to give up.
        ends: Whether going on is useless after this outcome; asked about one outcome after
            the other, by the thread that has it, before that thread begins another task.

    Yields:
        The tasks with their results, or with what was raised over them, as they are done; it
        ends at the deadline. Leaving the block stops the deadline, and with it the threads.
    """
    todo: SimpleQueue[Task] = SimpleQueue()
    done: SimpleQueue[tuple[Task, Result | Exception]] = SimpleQueue()
    for task in tasks:
        todo.put(task)
    one_by_one = threading.Lock()

    def report(task: Task, outcome: Result | Exception) -> None:
        with one_by_one:
            done.put((task, outcome))
            if ends(outcome):
                deadline.stop()

    try:
        for hand in hands:
            _start(hand, todo, report, deadline)
        yield _collect(done, len(tasks), deadline)
    finally:
        deadline.stop()


def _start(
    hand: Callable[[Task], Result],
    todo: SimpleQueue[Task],
    report: Callable[[Task, Result | Exception], None],
    deadline: Deadline,
) -> None:
    def work() -> None:
        for task in _remaining(todo, deadline):
            try:
                outcome: Result | Exception = hand(task)
            except Exception as error:  # noqa: BLE001 - the thread that asked raises it
                outcome = error
            report(task, outcome)

    threading.Thread(target=work, daemon=True, name="prometheus-query").start()


def _remaining(todo: SimpleQueue[Task], deadline: Deadline) -> Iterator[Task]:
    while deadline.left_s() > 0:
        try:
            yield todo.get_nowait()
        except Empty:
            return


def _collect(
    done: SimpleQueue[tuple[Task, Result | Exception]], count: int, deadline: Deadline
) -> Outcomes[Task, Result]:
    for _ in range(count):
        try:
            yield done.get(timeout=deadline.left_s())
        except Empty:
            return
