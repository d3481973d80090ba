"""axe-core on every page, in light and in dark: names, landmarks, headings, tables, contrast, sizes to touch."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPEN = "document.querySelectorAll('main details').forEach(fold => fold.open = true)"
PAGES = [
    ("storm", "/"),
    ("storm", "/?wall"),
    ("storm", "/?at=2026-02-23T12:18Z"),
    ("storm", "/incident/a1b2c3d4"),
    ("storm", "/place/airport:JFK?keyword=baggage"),
    ("storm", "/keyword/*"),
    ("storm", "/why-not?place=SEA&keyword=seat"),
    ("storm", "/desk"),
    ("storm", "/report"),
    ("weeks", "/network"),
    ("weeks", "/quality"),
    ("blind", "/"),
    ("red", "/"),
    ("locked", "/"),
]


@pytest.mark.parametrize(("day", "path"), PAGES)
def test_axe_finds_nothing_on(serve: Any, visit: Any, day: str, path: str) -> None:
    page, _ = visit(serve(day).url + path)
    page.evaluate(OPEN)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, runOnly=["color-contrast"]) == []


def violations(page: Page, **options: Any) -> list[str]:
    """`rule (how bad): what to do, and where`, a line each."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:160]} {node.get('failureSummary', '')[-160:]!r}"
        for rule in found
        for node in rule["nodes"]
    ]
