"""The pages that look back over weeks, in chromium: they fit, stay at home, lead on, and can be read without seeing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_page import fits


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("path", ["/network", "/quality"])
def test_both_pages_fit_and_stay_at_home(serve: Any, visit: Any, path: str, width: int, scheme: str) -> None:
    page, trouble = visit(serve("weeks").url + path, width=width, scheme=scheme)
    expect(page.locator(f'nav a[href="{path}"]')).to_have_attribute("aria-current", "page")
    page.wait_for_timeout(300)
    assert trouble == ([], [])
    assert fits(page)


def test_the_report_for_the_meeting_fits_a_phone(serve: Any, visit: Any) -> None:
    page, trouble = visit(serve("storm").url + "/report", width=390)
    table = page.get_by_role("group", name="Incidents of this time")
    assert table.evaluate("node => node.scrollWidth > node.clientWidth")  # it is moved inside its panel
    assert trouble == ([], [])
    assert fits(page)


def test_a_circle_leads_to_its_place_and_a_square_to_its_problem_there(serve: Any, visit: Any) -> None:
    page, _ = visit(serve("weeks").url + "/network")
    graph = page.locator(".netgraph svg")
    graph.get_by_role("link", name="delays at Atlanta").click()
    expect(page.locator("h1")).to_have_text("Atlanta: delays")
    page.go_back()
    graph.get_by_role("link", name="JFK", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("JFK: any problem")


def test_who_sees_no_graph_reads_the_same_and_phones_are_spared_it(serve: Any, visit: Any) -> None:
    page, _ = visit(serve("weeks").url + "/network", width=390)
    expect(page.locator(".netgraph")).to_be_hidden()
    pair = page.get_by_role("listitem").filter(has_text="Chicago O'Hare and Denver")
    expect(pair).to_contain_text("within 2 h in 8 weeks, by chance")
    expect(pair).to_contain_text("Chicago O'Hare first, by 49 min")
    page.get_by_text("How this is judged").click()
    expect(page.get_by_text("one link in twenty may still be chance")).to_be_visible()


def test_before_there_is_a_network_it_says_what_it_waits_for(serve: Any, visit: Any) -> None:
    page, trouble = visit(serve("calm").url + "/network")
    expect(page.locator(".lede")).to_contain_text("Not known yet")
    expect(page.locator(".netgraph")).to_have_count(0)
    page.goto(serve("calm").url + "/quality")
    expect(page.locator("h1")).to_contain_text("told, none judged yet")
    assert trouble == ([], [])


def test_a_verdict_given_now_is_counted_at_once(serve: Any, visit: Any) -> None:
    served = serve("weeks")
    page, _ = visit(served.url + "/quality")
    expect(page.locator("h1")).to_have_text("17 of 20 judged were real or a known event")
    other, _ = visit(served.url + "/incident/a1b2c3d4")
    other.get_by_role("button", name="Real", exact=True).click()
    expect(page.locator("h1")).to_have_text("18 of 21 judged were real or a known event", timeout=3000)
    other.get_by_role("button", name="Undo", exact=True).first.click()
    expect(page.locator("h1")).to_have_text("17 of 20 judged were real or a known event", timeout=3000)
