"""Going back in time in chromium: by address, buttons, keys, slider and field; each viewer's zone; the way back."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

THEN = "/?at=2026-02-23T12:18Z"


def test_a_past_moment_is_reached_by_address_and_left_step_by_step(serve: Any, visit: Any) -> None:
    served = serve("storm")
    page, trouble = visit(served.url + THEN)
    told = page.locator(".asof")
    expect(told).to_have_text("As it looked at Mon 23 Feb 2026, 07:18 EST")
    expect(page.locator("li.incident", has_text="Dallas")).to_have_count(0)
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="+1 min").click()
    expect(told).to_contain_text("07:19")
    page.get_by_role("button", name="−1 hour").click()
    expect(told).to_contain_text("06:19")
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("06:18")
    page.keyboard.press("Shift+ArrowRight")
    expect(told).to_contain_text("07:18")
    page.keyboard.press("PageUp")
    expect(told).to_contain_text("Sun 22 Feb 2026, 07:18")
    assert page.url.endswith("/?at=2026-02-22T12:18Z")
    page.get_by_role("button", name="Back to now").click()
    expect(page.locator(".past")).to_have_count(0)
    expect(page.locator("li.incident", has_text="Dallas")).to_be_visible()
    assert page.url == served.url + "/"
    page.get_by_role("button", name="Look back").click()
    expect(told).to_contain_text("07:42")
    assert trouble.errors == []
    assert trouble.outside == []


def test_the_slider_goes_through_the_day_by_mouse_and_by_key(serve: Any, visit: Any) -> None:
    page, trouble = visit(serve("storm").url + THEN)
    slider = page.get_by_role("slider", name="Time of Monday")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    told = page.locator(".asof")
    expect(told).to_contain_text("03:5")  # the middle of what has been of the day
    before = told.inner_text()
    slider.locator("[tabindex]").focus()
    page.keyboard.press("ArrowRight")
    expect(told).not_to_have_text(before)
    expect(slider).to_have_attribute("aria-valuetext", told.inner_text().split(", ")[1])
    assert trouble.errors == []


def test_the_field_takes_the_viewers_zone_and_the_address_tells_utc(serve: Any, visit: Any) -> None:
    page, _ = visit(serve("storm").url + THEN, zone="Europe/Berlin")
    told = page.locator(".asof")
    expect(told).to_contain_text("13:18 CET", timeout=3000)
    page.get_by_label("Moment (Europe/Berlin)").fill("2026-02-23T12:00")
    page.get_by_role("button", name="Go").click()
    expect(told).to_contain_text("12:00 CET")
    assert page.url.endswith("/?at=2026-02-23T11:00Z")


def test_links_stay_in_the_past_and_what_is_shown_fits(serve: Any, visit: Any) -> None:
    served = serve("storm")
    page, trouble = visit(served.url + THEN, width=390)
    page.get_by_role("link", name="JFK Terminal 4 · baggage").last.click()
    expect(page.locator("h1")).to_contain_text("20 people since 07:03")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(page.locator(".asof")).to_be_visible()
    for path in ("/", "/place/airport:JFK", "/keyword/baggage", "/incident/d4e5f6a7"):
        page.goto(f"{served.url}{path}?at=2026-02-23T12:18Z")
        expect(page.locator(".asof")).to_contain_text("07:18")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
    expect(page.locator("h1")).to_have_text("Not opened yet then")
    assert trouble.errors == []


def test_what_is_no_past_moment_is_said(serve: Any, visit: Any) -> None:
    page, _ = visit(serve("storm").url + "/?at=tomorrow")
    expect(page.get_by_text("“tomorrow” is no moment of the past: this is now.")).to_be_visible()
    expect(page.locator(".past")).to_have_count(0)


def test_a_browser_is_told_what_changed_since_its_last_look_until_it_says_seen(serve: Any, visit: Any) -> None:
    served = serve("storm")
    page, trouble = visit(served.url + "/")
    expect(page.locator(".sincelook")).to_have_count(0)  # a first look
    page.context.add_cookies([{"name": "overheard_looked", "value": "1771846200.1771848600", "url": served.url}])
    page.goto(served.url + "/")
    expect(page.locator(".sincelook")).to_contain_text("Since your last look, 07:10:")
    expect(page.locator("li.incident", has_text="Dallas").locator(".sincemark")).to_have_text("new")
    page.reload()
    expect(page.locator(".sincelook")).to_contain_text("Since your last look, 07:10:")
    page.get_by_role("button", name="Seen").click()
    expect(page.locator(".sincelook")).to_have_count(0)
    expect(page.locator(".sincemark")).to_have_count(0)
    page.reload()
    expect(page.locator("li.incident").first).to_be_visible()
    expect(page.locator(".sincelook")).to_have_count(0)
    assert trouble.errors == []
