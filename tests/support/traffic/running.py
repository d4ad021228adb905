"""Programs on free loopback ports, ended by their process when the stack of exits unwinds."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support.ending import end
from tests.support.traffic.layer import FAILING, PODS, Addresses

ROOT = Path(__file__).resolve().parents[3]
READY_WITHIN_S, POLL_S = 60.0, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where programs run.

    Attributes:
        exits: Ends them.
        folder: Holds their files and logs.
    """

    exits: ExitStack
    folder: Path

    def write(self, name: str, text: str) -> Path:
        """Write a program's configuration."""
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return file

    def run(self, name: str, command: Sequence[str], address: str, path: str) -> None:
        """Start a program, and wait until it answers a path with 200 at an address."""
        log = self.folder / f"{name}.log"
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, **home}
            )
        self.exits.callback(end, process)
        limit = time.monotonic() + READY_WITHIN_S
        while process.poll() is None and time.monotonic() < limit:
            if _is_ready(address, path):
                return
            time.sleep(POLL_S)
        raise RuntimeError(f"{name} did not start; its log:\n{log.read_text()}")

    def serve(self, instruments: str, **options: str) -> Addresses:
        """Start the three versions of the service, each in a process of its own."""
        addresses = {version: free_address() for version in FAILING}
        for version, address in addresses.items():
            words = {"address": address, "version": version, **options}
            flags = [f"--{name}={value}" for name, value in words.items()]
            command = [sys.executable, "-m", "tests.support.traffic.service", instruments, *flags]
            self.run(f"{instruments}-{version}", command, address, "/metrics")
        return addresses


def program(name: str) -> str | None:
    """Find a program: of a package beside the interpreter, on the path, or of the system."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"]
    return shutil.which(name, path=os.pathsep.join(places))


def free_address() -> str:
    """Give an address on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def pod_scrapes(job: str, addresses: Addresses) -> tuple[Mapping[str, object], ...]:
    """Scrape every version with the labels that Kubernetes' discovery gives a pod."""
    targets = [
        {"targets": [address], "labels": {"namespace": "shop", "pod": PODS[version]}}
        for version, address in addresses.items()
    ]
    return ({"job_name": job, "static_configs": targets},)


def _is_ready(address: str, path: str) -> bool:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
