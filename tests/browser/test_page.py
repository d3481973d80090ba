"""The page in chromium: calm, storm, blind; wide and narrow; light and dark; by keyboard; live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import TOKEN

TITLES = {
    "calm": "Nothing unusual",
    "storm": "2 confirmed",
    "blind": "Nothing unusual in what is seen",
    "learning": "Nothing unusual so far",
    "red": "Not watching",
}
PATHS = ["/", "/?wall", "/incident/a1b2c3d4", "/place/airport:JFK?keyword=baggage", "/keyword/*", "/why-not?place=JFK"]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1920, 390])
@pytest.mark.parametrize("day", ["calm", "storm", "blind"])
def test_the_board_opens_fits_and_asks_nobody_outside(
    serve: Any, visit: Any, day: str, width: int, scheme: str
) -> None:
    page, trouble = visit(serve(day).url + "/", width=width, scheme=scheme)
    expect(page.locator("h1")).to_contain_text(TITLES[day])
    page.wait_for_timeout(300)
    assert trouble.outside == []
    assert trouble.errors == []
    assert fits(page)
    ground = page.evaluate("getComputedStyle(document.querySelector('.nicegui-layout')).backgroundColor")
    assert ground == ("rgb(244, 245, 243)" if scheme == "light" else "rgb(15, 20, 23)")


@pytest.mark.parametrize("day", ["learning", "red"])
def test_what_is_wrong_with_the_watcher_is_said(serve: Any, visit: Any, day: str) -> None:
    page, _ = visit(serve(day).url + "/")
    expect(page.locator("h1")).to_contain_text(TITLES[day])
    expect(page.locator(".banner")).to_be_visible()


@pytest.mark.parametrize("width", [1920, 390])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_fits_and_stays_at_home(serve: Any, visit: Any, path: str, width: int) -> None:
    page, trouble = visit(serve("storm").url + path, width=width)
    page.wait_for_timeout(300)
    assert trouble.outside == []
    assert trouble.errors == []
    assert fits(page)
    assert page.locator("html").get_attribute("lang") == "en-US"
    for landmark in ("header", "main", "h1"):
        assert page.locator(landmark).first.is_visible()
    assert page.locator("main").count() == 1


def test_the_keyboard_reaches_everything_and_shows_where_it_is(serve: Any, visit: Any) -> None:
    page, _ = visit(serve("storm").url + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id || location.hash") in ("main", "#main")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "[document.activeElement.tagName, document.activeElement.getAttribute('aria-label') ||"
                " document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    said = [text for _, text, _ in reached]
    assert "United States · cancellations" in said
    assert "Acknowledge JFK Terminal 4 · baggage" in said
    assert any("Chicago O'Hare, cancellations: 58 people" in text for text in said)
    assert all(outline == "solid" for tag, _, outline in reached if tag in ("A", "BUTTON", "SUMMARY") and tag != "a")


def test_an_ack_arrives_as_a_control_and_others_see_it_at_once(serve: Any, visit: Any) -> None:
    served = serve("storm")
    other, _ = visit(served.url + "/")
    page, trouble = visit(served.url + "/")
    row = page.locator("li.incident", has_text="JFK Terminal 4")
    row.get_by_role("button", name="Acknowledge JFK Terminal 4 · baggage").click()
    expect(page.get_by_role("status").filter(has_text="Acknowledged: others now see")).to_be_visible()
    expect(other.locator("li.incident", has_text="JFK Terminal 4")).to_contain_text("✓ operator", timeout=3000)
    last = served.controls()[-1]
    assert (last["kind"], last["incident"], last["author"]) == ("ack", "a1b2c3d4", "operator")
    page.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Acknowledge")).to_be_visible(timeout=3000)
    assert (served.controls()[-1]["kind"], served.controls()[-1]["value"]) == ("undo", last["id"])
    assert trouble.errors == []


def test_an_update_leaves_the_focus_and_the_open_folds_alone(serve: Any, visit: Any) -> None:
    served = serve("storm")
    reader, _ = visit(served.url + "/")
    reader.locator(".under summary").first.click()
    reader.locator(".matrix a").nth(20).focus()
    before = reader.evaluate("document.activeElement.getAttribute('href')")
    actor, _ = visit(served.url + "/")
    actor.locator("li.incident", has_text="Dallas").get_by_role("button", name="Acknowledge").click()
    expect(reader.locator("li.incident", has_text="Dallas")).to_contain_text("✓ operator", timeout=3000)
    assert reader.evaluate("document.activeElement.getAttribute('href')") == before
    assert reader.locator(".under").first.get_attribute("open") is not None
    actor.get_by_role("button", name="Undo").click()
    expect(reader.locator("li.incident", has_text="Dallas").get_by_role("button")).to_be_visible(timeout=3000)


def test_a_verdict_a_silence_and_a_note_say_what_they_did(serve: Any, visit: Any) -> None:
    served = serve("storm")
    page, _ = visit(served.url + "/incident/d4e5f6a7")
    page.get_by_role("button", name="Not real", exact=True).click()
    expect(page.get_by_text("Marked as not real.")).to_be_visible()
    expect(page.get_by_role("button", name="Not real", exact=True)).to_have_attribute("aria-pressed", "true")
    form = page.locator("details", has=page.locator("summary", has_text="Silence"))
    form.locator("summary").click()
    form.locator("select[name=seconds]").select_option("14400")
    form.get_by_label("Why").fill("login works again for most")
    form.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("Silenced until 11:43 (4 h)")).to_be_visible()
    page.locator("summary", has_text="Note").click()
    page.get_by_label("Note for the timeline").fill("<b>called</b> the app team")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Note added to the timeline.")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("operator noted: <b>called</b> the app team")
    kinds = [(c["kind"], c.get("value") or c.get("reason")) for c in served.controls() if c["incident"] == "d4e5f6a7"]
    assert kinds[-3:] == [
        ("feedback", "not_real"),
        ("silence", "login works again for most"),
        ("note", "<b>called</b> the app team"),
    ]


def test_times_are_told_in_the_viewers_zone(serve: Any, visit: Any) -> None:
    page, _ = visit(serve("storm").url + "/", zone="Europe/Berlin")
    expect(page.locator("li.incident", has_text="JFK Terminal 4")).to_contain_text("since 13:03 (40 min)", timeout=3000)
    expect(page.locator(".clock")).to_have_text("13:43")
    assert page.locator("time").first.get_attribute("title").endswith("UTC")


def test_a_name_and_colours_are_kept(serve: Any, visit: Any) -> None:
    served = serve("calm")
    page, _ = visit(served.url + "/")
    page.locator(".prefs summary").click()
    page.get_by_label("Your name").fill("Zoë Ångström")
    page.get_by_label("Colours").select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".prefs summary")).to_have_text("Zoë Ångström")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.nicegui-layout')).backgroundColor")
        == "rgb(15, 20, 23)"
    )


def test_behind_a_token_the_page_works_after_signing_in(serve: Any, visit: Callable[..., Any]) -> None:
    page, _ = visit(serve("locked").url + "/")
    expect(page.locator("h1")).to_have_text("Sign in to overheard")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_contain_text("2 confirmed")
    page.get_by_role("button", name="Acknowledge JFK Terminal 4 · baggage").click()
    expect(page.get_by_role("status").filter(has_text="Acknowledged")).to_be_visible()
