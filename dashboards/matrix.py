"""Place × problem of the last hour as a table: the number says how many people, the shade how unusual that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.words import count_of, people, usual
from streams.runtime.store.reader import Cell

ROWS, COLUMNS = 12, 8
NEAR = ("spot", "airport", "city")
VIEWS = {"near": "Places", "county": "Counties", "region": "Regions", "country": "Countries"}
GRADES = ("as usual", "above the usual", "well above the usual", "far above the usual")
GRADE_WIDTHS = (
    1.0,
    2.0,
    4.0,
)  # the excess in widths of the usual band; p-values of single windows say too little of an hour
LEAST_WIDTH = 0.5
LONG_WORD = 11  # characters that a column holds
LEAST_PEOPLE = 2  # one person is never a crowd, however rare


class Grid(NamedTuple):
    """The chosen rows and columns, most unusual first, and the cells by (place, keyword)."""

    places: list[str]
    keywords: list[str]
    cells: dict[tuple[str, str], Cell]
    left_out: int  # places with people that did not fit


def known(cell: Cell) -> bool:
    """Whether anything is known of what is usual there; a new series has neither an expectation nor a chance."""
    return cell.expected >= 1e-3 or cell.p_value < 1.0


def grade(cell: Cell) -> int:
    """0 to 3: how far the count stands above the band of the usual; 0 where that is not known."""
    if not known(cell) or cell.voices < LEAST_PEOPLE:
        return 0
    width = max(cell.upper - cell.expected, LEAST_WIDTH)
    return sum(cell.voices - cell.expected > width * limit for limit in GRADE_WIDTHS)


def choose(
    cells: Sequence[Cell], catalogue: Catalogue, view: str = "near", rows: int = ROWS, columns: int = COLUMNS
) -> Grid:
    """The rows and columns worth showing."""
    levels = NEAR if view == "near" else (view,)
    wanted = {"*", *catalogue.top_keywords()}
    near = {p for p in {c.place for c in cells} if catalogue.place(p).level in levels}
    by_key = {(c.place, c.keyword): c for c in cells if c.keyword in wanted and c.place in near and c.voices}
    weight: dict[str, tuple[int, float, int]] = {}
    for cell in by_key.values():
        old = weight.get(cell.place, (0, 0.0, 0))
        above = max(0.0, cell.voices - cell.expected) if known(cell) else 0.0
        weight[cell.place] = max(old[0], grade(cell)), max(old[1], above), max(old[2], cell.voices)
    redundant = {
        outer
        for place in weight
        for outer in catalogue.above(place)
        if outer in weight and weight[outer][2] == weight[place][2]
    }
    places = sorted(weight.keys() - redundant, key=lambda p: (*(-w for w in weight[p]), p))
    top = [k for k in catalogue.top_keywords() if any((p, k) in by_key for p in places[:rows])]
    loud = sorted(top, key=lambda k: -_column_weight(k, places[:rows], by_key))[:columns]
    keywords = ["*", *(k for k in top if k in loud)]
    return Grid(places[:rows], keywords, by_key, max(0, len(places) - rows))


def _column_weight(keyword: str, places: Iterable[str], cells: dict[tuple[str, str], Cell]) -> float:
    found = [cells[p, keyword] for p in places if (p, keyword) in cells]
    return sum(100 * grade(c) + c.voices for c in found)


def matrix(grid: Grid, catalogue: Catalogue, view: str, blind: Mapping[str, Sequence[str]]) -> Node:
    """The table with its legend and the switch of levels; `blind`: silent sources by the places they usually report from."""
    switch = h(
        "nav",
        [
            h("a", name, href=f"/?level={key}", aria_current="true" if key == view else None)
            for key, name in VIEWS.items()
        ],
        class_="switch",
        aria_label="Size of places",
    )
    if not grid.places:
        return h("div", switch, h("p", "No complaint with a place of this size in the last hour.", class_="empty"))
    head = h(
        "tr",
        h("th", "Place", scope="col"),
        [h("th", h("a", _breakable(catalogue.keyword(k)), href=f"/keyword/{k}"), scope="col") for k in grid.keywords],
    )
    silent = {place: sources for place in grid.places if (sources := _silent(place, blind, catalogue))}
    body = [_row(place, grid, catalogue, silent.get(place)) for place in grid.places]
    more = f"{count_of(grid.left_out, 'more place')}, less unusual." if grid.left_out else None
    caption = h("caption", "People in the last hour by place and problem", class_="sr")
    width = f"min-width:{11 + 4.6 * len(grid.keywords):.1f}rem"
    table = h("table", caption, h("thead", head), h("tbody", body), class_="matrix", style=width)
    return h("div", switch, h("div", table, class_="scroll", tabindex=0, role="region", aria_label="Place by problem"),
             _legend(bool(silent)), h("p", more, class_="quiet small more") if more else None)  # fmt: skip


def _breakable(name: str) -> str:
    """Long words with a soft hyphen, for narrow columns."""
    return " ".join(f"{w[:7]}\u00ad{w[7:]}" if len(w) > LONG_WORD else w for w in name.split())


def _silent(place: str, blind: Mapping[str, Sequence[str]], catalogue: Catalogue) -> Sequence[str]:
    """The silent sources of a place or of the nearest one above it that has some."""
    return next((blind[one] for one in (place, *catalogue.above(place)) if one in blind), ())


def _row(place: str, grid: Grid, catalogue: Catalogue, silent: Sequence[str] | None) -> Node:
    name = catalogue.short(place)
    link = h("a", name, href=f"/place/{place}", title=catalogue.full_name(place))
    told = f"{' and '.join(silent)} not seen: the counts are too low" if silent else None
    return h(
        "tr",
        h("th", link, h("span", "blind", class_="blindtag", title=told) if silent else None, scope="row"),
        [_cell(place, keyword, grid.cells.get((place, keyword)), catalogue) for keyword in grid.keywords],
        class_="blind" if silent else None,
        key=place,
    )


def _cell(place: str, keyword: str, cell: Cell | None, catalogue: Catalogue) -> Node:
    if cell is None or not cell.voices:
        return h("td", h("span", "·", aria_hidden="true"), h("span", "nobody", class_="sr"), key=keyword)
    level = grade(cell)
    told = told_of(cell)
    where = f"{catalogue.place(place).name}, {catalogue.keyword(keyword)}"
    link = h(
        "a",
        f"{cell.voices:,}",
        href=f"/place/{place}?keyword={keyword}",
        title=f"{where}: {told}",
        aria_label=f"{where}: {told}",
    )
    return h("td", link, class_=f"g{level}", key=keyword)


def told_of(cell: Cell) -> str:
    """`41 people, usually 0 to 3, far above the usual`."""
    if not known(cell):
        return f"{people(cell.voices)}, what is usual is not known yet"
    return f"{people(cell.voices)}, {usual(cell.expected)}, {GRADES[grade(cell)]}"


def _legend(blind: bool) -> Node:
    swatches = [h("span", h("i", class_=f"g{i}", aria_hidden="true"), name) for i, name in enumerate(GRADES)]
    if blind:
        swatches.append(h("span", h("i", class_="hatched", aria_hidden="true"), "partly blind: a source is silent"))
    return h("p", swatches, class_="legend small quiet")
