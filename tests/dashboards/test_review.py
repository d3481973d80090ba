"""What suffers together, and how good it is, as the pages say it: sentences, figures, a graph that lies the same every time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from dashboards.catalogue import Catalogue
from dashboards.dom import Node, text_of, walk
from dashboards.frame import View
from dashboards.graph_layout import layout
from dashboards.network_page import network_page
from dashboards.quality import WEEKS, read_quality
from dashboards.quality_page import quality_page
from streams.runtime.store.network import Found, Link, read
from streams.runtime.store.reader import Reader
from tests.dashboards.made_up import DAY, HOUR, NOW, Keywords, Log, Places, site

VIEW = View("America/New_York", "kim")
NAMES = Catalogue(Places(), Keywords())
Days = Callable[[str], Reader]


def shown(found: Found) -> Node:
    return network_page(VIEW, NAMES, found, NOW)


def link(**fields: object) -> Link:
    plain = {"place": "airport:EWR", "keyword": "*", "other_place": "airport:JFK", "other_keyword": "*", "times": 14, "by_chance": 3.04,
             "p_value": 1e-5, "lag_seconds": 60.0}  # fmt: skip
    return Link(**{**plain, **fields})  # type: ignore[arg-type]


def test_a_pair_is_a_sentence_with_what_chance_would_bring() -> None:
    said = text_of(shown(Found([link()], NOW // 86400 * 86400, 8, 56)))
    assert "Newark and JFK : 14 times within 2 h in 8 weeks, by chance 3.0 at the same time" in said
    later = text_of(shown(Found([link(keyword="delay", other_keyword="baggage", lag_seconds=1500.0)], NOW, 8, 56)))
    assert "delays at Newark and baggage at JFK" in later
    assert "delays at Newark first, by 25 min" in later


def test_a_name_cannot_become_markup() -> None:
    page = shown(Found([link(place="<script>alert(1)</script>")], NOW, 8, 56))
    trusted = [node.html for node in walk(page) if node.html is not None]
    assert any("&lt;script&gt;" in html for html in trusted)
    assert not any("<script" in html for html in trusted)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Found([], None, 0, 0), "when the first day (UTC) has ended"),
        (Found([], NOW, 1, 9), "3 weeks of history are needed, 9 days so far"),
        (Found([], NOW, 8, 56), "Nothing suffers together more often than habits bring about, over 8 weeks"),
    ],
)
def test_nothing_to_see_is_a_sentence_too(found: Found, said: str) -> None:
    assert said in text_of(shown(found))


def test_every_end_of_a_pair_is_a_link_in_list_and_graph(day: Days) -> None:
    found = read(day("weeks").engine)
    assert len(found.links) >= 8
    page = shown(found)
    hrefs = Counter(str(node.attrs["href"]) for node in walk(page) if node.tag == "a")
    for one in found.links:
        for place, keyword in ((one.place, one.keyword), (one.other_place, one.other_keyword)):
            assert hrefs[f"/place/{place}" + ("" if keyword == "*" else f"?keyword={keyword}")] >= 2


def test_circles_lie_on_the_sheet_apart_and_the_same_every_time() -> None:
    chance = np.random.default_rng(1)
    edges = [(int(a), int(b)) for a, b in chance.integers(0, 40, (60, 2)) if a != b]
    at = layout(40, edges, 800.0, 500.0)
    assert np.array_equal(at, layout(40, edges, 800.0, 500.0))
    assert at.min() >= 0
    assert (at <= (800.0, 500.0)).all()
    assert min(np.linalg.norm(at[a] - at[b]) for a, b in combinations(range(40), 2)) > 5
    near = np.mean([np.linalg.norm(at[a] - at[b]) for a, b in edges])
    assert near < 0.8 * np.mean([np.linalg.norm(at[a] - at[b]) for a, b in combinations(range(40), 2)])
    assert layout(1, [], 800.0, 500.0).tolist() == [[400.0, 250.0]]


def test_quality_counts_what_was_told_once_by_week_rule_route_and_problem(day: Days) -> None:
    reader = day("weeks")
    found = read_quality(site(reader, Log()).live, NOW, "America/New_York")
    first = NOW // DAY * DAY - (WEEKS - 1) * 7 * DAY + 5 * HOUR  # NOW is a Monday; five hours from Greenwich
    told = [i for i in reader.incidents(limit=1000) if (i.suspected_at or 0.0) >= first and not i.drill]
    assert found.total.told == len(told)
    assert found.total.real == sum(i.verdict == "real" for i in told)
    assert found.total.unanswered == sum(i.verdict is None for i in told)
    for group in (found.weeks, found.rules):
        assert sum(one.told for one in group) == len(told)
    assert sum(one.told for one in found.problems) == sum("unnamed" not in i.marks for i in told)
    assert {one.name: one.told for one in found.routes} == Counter(c for i in told for c in reader.told().get(i.id, ()))
    assert found.after == 300.0
    assert found.ahead is not None
    assert found.ahead > 0
    assert found.ahead_of == len(
        {c.incident for c in reader.controls() if c.kind == "intervention"} & {i.id for i in told}
    )


def test_an_intervention_that_was_taken_back_is_not_what_was_first_done(day: Days) -> None:
    desk = site(day("weeks"), Log())
    before = read_quality(desk.live, NOW, "UTC")
    one = next(i for i in desk.reader.incidents(limit=1000) if i.id == "pa570001")  # nothing was done about it
    made = asyncio.run(desk.acts.intervention(one, "kim", "Sent people."))
    assert read_quality(desk.live, NOW, "UTC").ahead_of == before.ahead_of + 1
    asyncio.run(desk.acts.undo(made.id, "kim"))
    after = read_quality(desk.live, NOW, "UTC")
    assert (after.ahead, after.ahead_of) == (before.ahead, before.ahead_of)


def test_precision_is_of_those_judged_and_a_dash_where_none_was(day: Days) -> None:
    place = site(day("weeks"), Log())
    found = read_quality(place.live, NOW, "UTC")
    assert found.total.precision == (found.total.real + found.total.known) / (found.total.told - found.total.unanswered)
    board = place.live._read(NOW, place.reader.status(NOW))
    said = text_of(quality_page(board, VIEW, NAMES, found))
    assert f"{found.total.real + found.total.known} of {found.total.judged} judged were real or a known event" in said
    assert "1 of 3" in said
    quiet = site(day("blind"), Log())
    nothing = read_quality(quiet.live, NOW, "UTC")
    assert "Nothing was told yet" in text_of(quality_page(board, VIEW, NAMES, nothing))
