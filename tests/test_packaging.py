"""The four package names are ours: PyPI has unrelated projects called `detectors` and `alerting`."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("detectors", "alerting", "streams", "dashboards")


@pytest.mark.parametrize("name", OURS)
def test_the_import_is_the_one_in_this_tree(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / name


def test_no_other_distribution_installs_our_names() -> None:
    for distribution in importlib.metadata.distributions():
        if distribution.metadata["Name"] == "overheard":
            continue
        tops = {file.parts[0] for file in distribution.files or ()}
        assert not tops & set(OURS), distribution.metadata["Name"]


def test_every_locked_requirement_has_a_hash() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text, "a lock names no address"
