"""The page's benchmark measures what it says: every update of a small run is seen, in a browser and at a socket."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import page

pytestmark = [pytest.mark.browser, pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")]


def test_every_close_is_seen_by_every_viewer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "SPEED", 30.0)
    monkeypatch.setattr(page, "SETTLE_SECONDS", 0.5)
    told = tmp_path / "told.json"
    command = ["page", "--viewers", "2", "--browsers", "1", "--closes", "2", "--series", "24", "--json", str(told)]
    monkeypatch.setattr(sys, "argv", command)
    page.main()
    found = page.json.loads(told.read_text(encoding="utf-8"))
    assert found["updates seen"] == found["updates awaited"] == 4
    assert 0 < found["commit to screen, median s"] < 2 * 60 / page.SPEED
    assert 0 < found["server, ms CPU a close"] < 5_000
    assert "| updates seen | 4 |" in capsys.readouterr().out
