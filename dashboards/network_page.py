"""What suffers together: the graph of places and problems, and beside it the same as sentences, for those who cannot see a graph."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import NamedTuple

from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h, raw
from dashboards.frame import View, panel
from dashboards.graph_layout import layout
from dashboards.labels import Named, labels
from dashboards.words import clock, count_of, duration, number
from detectors.network import FEWEST_WEEKS
from streams.runtime.store.network import Found, Link

WIDTH, HEIGHT, EDGE = 1000.0, 720.0, (120.0, 45.0)  # of the sheet, and of the rim that names may need
LETTER = 10.5  # width of one in a name, on this sheet
DRAWN = 60  # links; more can be read, not seen
LISTED = 200
SAME_SECONDS = 300  # less than that is no lead
Series = tuple[str, str]  # ids of place and keyword


class Spot(NamedTuple):
    """One circle: who, where on the sheet, how large."""

    series: Series
    x: float
    y: float
    size: float


def network_page(view: View, catalogue: Catalogue, found: Found, now: float) -> Node:
    """`found` is the network as the store keeps it."""
    said = _empty(found)
    if found.until is not None and not said:
        said = f"{count_of(len(found.links), 'pair')} over {found.weeks} weeks, as of {clock(found.until, view.zone, now)}."
    graph = panel("As a graph", _graph(found.links[:DRAWN], catalogue), _legend(len(found.links)), class_="netgraph")
    pairs = [_sentence(one, catalogue, found.weeks) for one in found.links[:LISTED]]
    more = len(found.links) - len(pairs)
    listed = panel(
        "Pair by pair",
        h("ul", pairs, class_="lines pairs"),
        h("p", f"And {more} more, likelier by chance.", class_="quiet small") if more else None,
        note="least likely by chance first",
    )
    return h(
        "article",
        h("div", h("h1", "What suffers together"), class_="titleline"),
        h("p", said, class_="lede"),
        h("div", graph, listed, class_="columns two net") if found.links else None,
        _how(),
    )


def _empty(found: Found) -> str | None:
    """Why there is nothing to see."""
    if found.until is None:
        return "Not known yet: it is worked out when the first day (UTC) has ended."
    if found.weeks < FEWEST_WEEKS:
        return f"Not known yet: {FEWEST_WEEKS} weeks of history are needed, {count_of(found.days, 'day')} so far."
    if not found.links:
        return f"Nothing suffers together more often than habits bring about, over {found.weeks} weeks."
    return None


def _how() -> Node:
    return h(
        "details",
        h("summary", "How this is judged"),
        h(
            "p",
            "An excess is a time in which a place, or a problem at a place, was unusual (chance below 1 in 1,000, two people at least). Two are "
            "linked when their excesses begin within two hours of each other more often than when the days of one change places within each "
            "week, so that hours, weekends and bad weeks do not count; one link in twenty may still be chance. A place is never linked to what "
            "lies in it, for they have the same people. That two suffer together does not say that one makes the other suffer.",
        ),
        class_="panel how",
    )


def name_of(series: Series, catalogue: Catalogue) -> str:
    """`Newark`, `delays at Newark`."""
    place, keyword = series
    return catalogue.short(place) if keyword == "*" else f"{catalogue.keyword(keyword)} at {catalogue.short(place)}"


def address_of(series: Series) -> str:
    """Its page."""
    place, keyword = series
    return f"/place/{place}" if keyword == "*" else f"/place/{place}?keyword={keyword}"


def told(link: Link, weeks: int) -> str:
    """`14 times within 2 h in 8 weeks, by chance 3`."""
    return f"{count_of(link.times, 'time')} within 2 h in {weeks} weeks, by chance {number(link.by_chance)}"


def lead(link: Link, catalogue: Catalogue) -> str:
    """Who begins."""
    if link.lag_seconds < SAME_SECONDS:
        return "at the same time"
    return f"{name_of((link.place, link.keyword), catalogue)} first, by {duration(link.lag_seconds)}"


def _sentence(link: Link, catalogue: Catalogue, weeks: int) -> Node:
    ends = (link.place, link.keyword), (link.other_place, link.other_keyword)
    one, other = (h("a", name_of(end, catalogue), href=address_of(end)) for end in ends)
    key = " ".join((*ends[0], *ends[1]))
    names = h("span", one, " and ", other, ": ", h("b", told(link, weeks)))
    return h("li", names, h("span", lead(link, catalogue), class_="quiet"), key=key)


def _legend(count: int) -> Node:
    more = f"the {DRAWN} least likely by chance of {count}" if count > DRAWN else None
    return h(
        "p",
        h("span", h("i", class_="k-place"), "place"),
        h("span", h("i", class_="k-problem"), "problem at a place"),
        h("span", "larger: linked to more · thicker: more often · arrow: to what suffers later"),
        h("span", more) if more else None,
        class_="legend small quiet",
    )


def _graph(links: list[Link], catalogue: Catalogue) -> Node:
    spots = _spots(links)
    lines = "".join(_line(one, spots, catalogue) for one in links)
    circles = [_circle(spot, catalogue) for spot in spots.values()]
    named = _named(spots, links, catalogue)
    svg = h(
        "svg",
        raw("g", ARROW + lines, class_="links", aria_hidden="true", key=f"links{hash(lines)}"),
        h("g", circles, class_="dots"),
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        role="group",
        aria_label="Graph: lines join what suffers together; the list says the same",
    )
    return h("div", svg, labels(named, WIDTH, HEIGHT, LETTER, len(named)), class_="map")


def _spots(links: list[Link]) -> dict[Series, Spot]:
    degree: Counter[Series] = Counter()
    for one in links:
        degree.update([(one.place, one.keyword), (one.other_place, one.other_keyword)])
    order = list(degree)  # as the links bring them: linked ones near each other
    number_of = {series: number_ for number_, series in enumerate(order)}
    edges = [(number_of[one.place, one.keyword], number_of[one.other_place, one.other_keyword]) for one in links]
    at = layout(len(order), edges, WIDTH - 2 * EDGE[0], HEIGHT - 2 * EDGE[1]) + EDGE
    return {
        series: Spot(series, float(x), float(y), 9.0 + 1.5 * min(degree[series], 8))
        for series, (x, y) in zip(order, at, strict=True)
    }


ARROW = (
    '<defs><marker id="later" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="14" markerHeight="14" markerUnits="userSpaceOnUse" '
    'orient="auto"><path d="M0 0.8L7 4L0 7.2z" class="arrowhead"/></marker></defs>'
)


def _line(link: Link, spots: dict[Series, Spot], catalogue: Catalogue) -> str:
    one, other = spots[link.place, link.keyword], spots[link.other_place, link.other_keyword]
    x, y = other.x - one.x, other.y - one.y
    long = max((x * x + y * y) ** 0.5, 1.0)
    x, y = x / long, y / long
    ends = one.x + x * one.size, one.y + y * one.size, other.x - x * (other.size + 3), other.y - y * (other.size + 3)
    thick = min(7.0, 1.5 + link.times / 6)
    arrow = ' marker-end="url(#later)"' if link.lag_seconds >= SAME_SECONDS else ""
    names = (name_of(spot.series, catalogue) for spot in (one, other))
    said = escape(
        f"{' and '.join(names)}: {link.times} times, by chance {number(link.by_chance)}; {lead(link, catalogue)}"
    )
    x1, y1, x2, y2 = ends
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{thick:.1f}"{arrow}>'
        f"<title>{said}</title></line>"
    )


def _circle(spot: Spot, catalogue: Catalogue) -> Node:
    x, y, size, name = spot.x, spot.y, spot.size, escape(name_of(spot.series, catalogue))
    if spot.series[1] == "*":
        shape, tone = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>', "place"
    else:
        corner = f'x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:.1f}" height="{2 * size:.1f}"'
        shape, tone = f'<rect {corner} rx="4"/>', "problem"
    inside = raw("g", f"{shape}<title>{name}</title>")
    return h(
        "a",
        inside,
        href=address_of(spot.series),
        class_=tone,
        aria_label=name_of(spot.series, catalogue),
        key=" ".join(spot.series),
    )


def _named(spots: dict[Series, Spot], links: list[Link], catalogue: Catalogue) -> list[Named]:
    """The most linked first, their names away from their lines."""
    away: dict[Series, tuple[float, float]] = dict.fromkeys(spots, (0.0, 0.0))
    for link in links:
        ends = spots[link.place, link.keyword], spots[link.other_place, link.other_keyword]
        for one, other in (ends, ends[::-1]):
            x, y = away[one.series]
            away[one.series] = x + one.x - other.x, y + one.y - other.y
    order = sorted(spots.values(), key=lambda s: -s.size)
    return [Named(" ".join(s.series), name_of(s.series, catalogue), s.x, s.y, s.size, away[s.series]) for s in order]
