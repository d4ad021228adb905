"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import crds

IN_CI = os.environ.get("CI") == "true"

# A machine under load is slow, not wrong. CI tries the same examples every time: a change is
# judged by what it did, and new examples are found at a desk, where somebody looks at them.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if IN_CI else "desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """The programs of a real Prometheus."""

    server: Path
    promtool: Path


@pytest.fixture(scope="session")
def requires_prometheus() -> Prometheus:
    """Give the programs of a real Prometheus; without them skip at a desk, fail in CI."""
    server, promtool = shutil.which("prometheus"), shutil.which("promtool")
    if server and promtool:
        return Prometheus(server=Path(server), promtool=Path(promtool))
    missing = "prometheus and promtool are not on the PATH; tools/servers installs them"
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def requires_chromium() -> Path:
    """Give the program of a real browser; without it skip at a desk, fail in CI."""
    if found := shutil.which("chromium"):
        return Path(found)
    missing = "there is no chromium on the PATH; tools/servers installs it"
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def requires_victoria() -> Path:
    """Give the program of a real VictoriaMetrics; without it skip at a desk, fail in CI."""
    names = ("victoria-metrics", "victoria-metrics-prod")
    if found := next((path for name in names if (path := shutil.which(name))), None):
        return Path(found)
    missing = "victoria-metrics is not on the PATH; tools/servers installs it"
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def requires_postgres() -> Path:
    """Give the folder of a real PostgreSQL's programs; without them skip at a desk, fail in CI."""
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found := ([Path(on_path)] if on_path else installed):
        return found[-1].resolve().parent  # the other programs stand beside the real one
    missing = "there is no initdb; tools/servers installs PostgreSQL"
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def requires_openssl() -> Path:
    """Give the program that makes certificates; without it skip at a desk, fail in CI."""
    if found := shutil.which("openssl"):
        return Path(found)
    if IN_CI:
        pytest.fail("openssl is not on the PATH")
    pytest.skip("openssl is not on the PATH")


@pytest.fixture(scope="session")
def requires_crds() -> crds.Crds:
    """Give the schemas of Argo's and Flagger's resources; without Go skip at a desk, fail in CI."""
    missing = "there is no Go toolchain: the schemas of the real projects are not read"
    if shutil.which("go"):
        try:
            return crds.load()
        except crds.UnavailableError as error:
            missing = f"Go's modules cannot be fetched: {error}"
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)
