"""A real PostgreSQL on a free loopback port, for the length of a `with` block."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

READY_WITHIN_S = 60.0
# PostgreSQL refuses to run as root: there it runs as the user whom its package made.
_USER = "postgres"


class RealPostgres:
    """A server with one empty database.

    Attributes:
        url: The database, in SQLAlchemy's form; set while the `with` block runs.
    """

    def __init__(self, programs: Path) -> None:
        """Use the programs in a folder; entering the block starts the server."""
        self._programs = programs
        self._home = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.url = ""

    def __enter__(self) -> Self:
        """Create the cluster, start, and wait until it answers."""
        self._home = Path(tempfile.mkdtemp(prefix="postgres-"))
        try:
            if os.getuid() == 0:
                shutil.chown(self._home, _USER)
            self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", self._data)
            self._port = _free_port()
            self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the server and remove its data."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self._home / "data")

    def start(self) -> None:
        """Start, also again after `stop`, on the same port with the same data."""
        command = [str(self._programs / "postgres"), "-D", self._data, "-p", str(self._port)]
        options = [
            *("-c", "listen_addresses=127.0.0.1"),
            *("-c", f"unix_socket_directories={self._home}"),
            *("-c", "fsync=off"),
        ]
        with (self._home / "log").open("ab") as log:
            user, group = _owner()
            self._process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, user=user, group=group
            )
        self._wait()

    def stop(self) -> None:
        """Stop at once, as a machine that fails does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        limit = time.monotonic() + READY_WITHIN_S
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        while time.monotonic() < limit:
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{(self._home / 'log').read_text()}")

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), *words]
        user, group = _owner()
        subprocess.run(
            command,
            check=True,
            cwd=self._home,
            stdout=subprocess.DEVNULL,
            user=user,
            group=group,
        )


def _owner() -> tuple[int, int] | tuple[None, None]:
    if os.getuid() != 0:
        return None, None
    owner = pwd.getpwnam(_USER)
    return owner.pw_uid, owner.pw_gid


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
