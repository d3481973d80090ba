"""Every act in chromium: its form fits the screen, says what it did, and can be taken back; hostile words stay words."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.alerting.notify.hostile import PAGES, PAYLOADS

FOLDS = ["Assign", "Snooze", "Silence", "Note", "Intervention"]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1920, 1100, 390])
def test_the_form_of_every_act_lies_on_the_screen(serve: Any, visit: Any, width: int, scheme: str) -> None:
    page, trouble = visit(serve("storm").url + "/incident/a1b2c3d4", width=width, scheme=scheme)
    for fold in FOLDS:
        summary = page.locator(".actions summary", has_text=fold)
        summary.click()
        box = page.locator(".actions details[open] form").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width, fold
        summary.click()
    assert fits(page)
    page.goto(serve("storm").url + "/desk")
    for fold in ("New silence", "Plan an event"):
        page.locator("summary", has_text=fold).click()
    assert fits(page)
    assert trouble.errors == []


def test_a_snooze_and_an_assignment_say_what_they_did_and_are_taken_back(serve: Any, visit: Any) -> None:
    served = serve("storm")
    page, _ = visit(served.url + "/incident/e5f6a7b9")
    page.locator("summary", has_text="Assign").click()
    page.get_by_label("To whom").fill("Kim O'Neil")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("Assigned to Kim O'Neil.")).to_be_visible()
    expect(page.locator(".lede")).to_contain_text("assigned to Kim O'Neil")
    page.locator("summary", has_text="Snooze").click()
    page.locator(".actions details[open] select").select_option("3600")
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_text("Snoozed until 08:43")).to_be_visible()
    expect(page.locator(".lede")).to_contain_text("silenced until 08:43")
    page.get_by_role("button", name="Undo: operator snoozed it until 08:43").click()
    expect(page.get_by_text("Taken back: the snooze.")).to_be_visible()
    expect(page.locator(".lede")).not_to_contain_text("silenced")
    assert [c["kind"] for c in served.controls()][-3:] == ["assign", "snooze", "undo"]
    assert {c["via"] for c in served.controls()[-3:]} == {"page"}


def test_an_unnamed_incident_is_promoted_by_a_form_that_keeps_what_is_typed_and_taken_back(
    serve: Any, visit: Any
) -> None:
    served = serve("calm")
    page, trouble = visit(served.url + "/incident/0dd00001", width=390)
    page.locator("summary", has_text="Promote").click()
    box = page.locator(".actions details[open] form").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    keyword, phrases = page.get_by_label("Keyword (its id in the pack)"), page.get_by_label("Phrases, one a line")
    assert (keyword.input_value(), phrases.input_value()) == ("kiosk-frozen", "kiosk frozen\ngate shut\ncafé")
    keyword.fill("delay")
    page.get_by_label("What people call it").fill('"dead" <b>kiosks</b>')
    phrases.fill("kiosk frozen\ndead kiosk")
    page.evaluate(
        """() => fetch('/api/incidents/0dd00001/note', {method: 'POST', headers: {'content-type': 'application/json'},
            body: JSON.stringify({author: 'bo', text: 'seen'})})"""
    )
    expect(page.locator(".timeline")).to_contain_text("bo noted: seen")
    assert (keyword.input_value(), phrases.input_value()) == (
        "delay",
        "kiosk frozen\ndead kiosk",
    )  # the page moved under it
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.locator("h1")).to_have_text("Not recorded")
    expect(page.locator(".lede")).to_have_text("'delay' is in own.toml already: choose another id.")
    assert fits(page)
    page.get_by_label("Keyword (its id in the pack)").fill("kiosks")  # the other fields are as they were typed
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("status").get_by_text("Promoted to the keyword kiosks")).to_be_visible()
    expect(page.locator("code")).to_contain_text(
        "overheard replay --store sqlite:///var/store.sqlite --pack own.toml --out replay-kiosks"
    )
    expect(page.locator(".lede")).to_contain_text("promoted to the keyword kiosks")
    expect(page.locator(".timeline")).to_contain_text(
        'kiosks ("dead" <b>kiosks</b>), heard by “kiosk frozen”, “dead kiosk”'
    )
    assert fits(page)
    made = served.controls()[-1]
    assert (made["kind"], made["keywords"], made["value"]) == ("promote", ["kiosks"], "kiosk frozen\ndead kiosk")
    page.get_by_role("button", name="Undo: operator promoted it").click()
    expect(page.get_by_text("Taken back: the promotion")).to_be_visible()
    expect(page.locator("summary", has_text="Promote")).to_be_visible()
    assert [e for e in trouble.errors if "400 (Bad Request)" not in e] == []  # of what was refused


def test_a_silence_by_place_and_problem_and_a_planned_event_are_made_and_ended_at_the_desk(
    serve: Any, visit: Any
) -> None:
    served = serve("storm")
    page, _ = visit(served.url + "/desk")
    page.locator("summary", has_text="New silence").click()
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.locator("h1")).to_have_text("Not recorded")
    expect(page.locator(".lede")).to_contain_text("would match all")
    page.get_by_role("link", name="Back").click()
    page.locator("summary", has_text="New silence").click()
    form = page.locator("form[action='/desk/silence']")
    form.locator("[name=place]").fill("MIA")
    form.locator("[name=keyword]").select_option("security")
    form.locator("[name=reason]").fill("new scanners")
    form.get_by_role("button").click()
    expect(page.locator(".stands")).to_contain_text("Miami, Florida: security queue")
    expect(page.locator(".stands")).to_contain_text("Holds back 1 incident")
    page.locator("summary", has_text="Plan an event").click()
    form = page.locator("form[action='/desk/event']")
    form.locator("[name=place]").fill("JFK")
    form.locator("[name=end]").fill("2026-02-23T20:00")
    form.get_by_role("button").click()
    expect(page.locator(".stands").nth(1)).to_contain_text("JFK, New York: any problem")
    expect(page.get_by_text("Planned: until 20:00 3 × as many complaints are expected.")).to_be_visible()
    page.get_by_role("button", name="End now: Miami").click()
    expect(page.get_by_text("No silence stands.")).to_be_visible()
    page.get_by_role("button", name="End now: JFK").click()
    expect(page.get_by_text("None planned.")).to_be_visible()


def test_hostile_words_of_people_stay_words(serve: Any, visit: Any) -> None:
    served = serve("storm")
    page, trouble = visit(served.url + "/incident/d4e5f6a7")
    page.locator("summary", has_text="Assign").click()
    page.get_by_label("To whom").fill(PAGES[1])
    page.get_by_role("button", name="Assign", exact=True).click()
    page.evaluate(
        """async texts => { for (const text of texts) {
            const body = JSON.stringify({author: text.slice(0, 80) || 'x', text: text.slice(0, 2000)});
            const headers = {'content-type': 'application/json'};
            await fetch('/api/incidents/d4e5f6a7/note', {method: 'POST', body, headers});
        } }""",
        list(PAYLOADS),
    )
    said = {c["value"] for c in served.controls() if c["kind"] == "note"}
    assert set(PAGES) <= said
    for path in ("/incident/d4e5f6a7", "/desk", "/"):
        page.goto(served.url + path)
        page.wait_for_selector("h1")
        page.wait_for_timeout(300)
        assert (
            page.evaluate(
                "window.__hit === undefined && document.querySelectorAll('main script, main img, main iframe, main svg[onload]').length"
            )
            == 0
        )
        assert trouble.outside == []
    assert [e for e in trouble.errors if "Failed to load resource" not in e] == []
