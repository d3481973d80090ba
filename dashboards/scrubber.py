"""Going back in time: a strip with steps, a slider over the day and a field for any moment; links that stay in the past."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from alerting.model import Incident
from dashboards.dom import Node, h
from dashboards.frame import View
from dashboards.live import Live, midnight
from dashboards.words import at_text, local, zone_of

STEPS = ((-86400, "−1 day"), (-3600, "−1 hour"), (-60, "−1 min"), (60, "+1 min"), (3600, "+1 hour"), (86400, "+1 day"))
KEYS = {"ArrowLeft": -60, "ArrowRight": 60, "PageUp": -86400, "PageDown": 86400}
PAGES = ("/?", "/incident/", "/place/", "/keyword/", "/why-not", "/export/", "/report")  # those that know of the past
TIMED = re.compile(r"[?&]at=")


class DayLine(NamedTuple):
    """The slider's day in the viewer's zone, [begin, end) as far as it has come, and when incidents were first told in it."""

    begin: float
    end: float
    told: list[float]


def read_day(live: Live, at: float, zone: str, now: float) -> DayLine:
    """Reads the store. A day of a clock change has its 23 or 25 hours."""
    begin = midnight(at, zone)
    tomorrow = local(begin, zone).date() + timedelta(days=1)
    end = min(now, datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone_of(zone)).timestamp())
    found: Sequence[Incident] = live.reader.incidents(since=begin, until=end)
    return DayLine(
        begin, end, sorted(told for i in found if (told := i.suspected_at) is not None and begin <= told < end)
    )


def stepped(act: Sequence[str], at: float, begin: float, now: float) -> float | None:
    """Where an act of the strip leads from `at`; None is now. `begin`: of the day on the slider."""
    kind, *told = act
    if kind == "step":
        goal = at + float(told[0])
    elif kind == "keys":
        goal = (
            at + (60 if "Shift" in told else 1) * KEYS.get(told[0], 0)
            if told[0].startswith("Arrow")
            else at + KEYS[told[0]]
        )
    elif kind == "slide":
        goal = begin + 60 * float(told[0])
    else:
        return None
    return goal if goal < now else None


def strip(at: float, day: DayLine, view: View, asked: dict[str, str]) -> Node:
    """Says what is looked at, and leads elsewhere; `asked`: what else the address asks for, kept by the field."""
    here = local(at, view.zone)
    minutes = int((day.end - day.begin) // 60)
    said = f"{here:%a} {here.day} {here:%b} {here.year}, {here:%H:%M}{'' if at % 60 == 0 else f':{here:%S}'} {here:%Z}"
    buttons = [h("button", name, type="button", act=("step", str(seconds)), key=name) for seconds, name in STEPS]
    slider = h("q-slider", min=0, max=minutes, model_value=int((at - day.begin) // 60), act=("slide",), dense="",
               aria_label=f"Time of {here:%A}", aria_valuetext=f"{here:%H:%M} {here:%Z}", key="slider")  # fmt: skip
    length = max(1.0, day.end - day.begin)
    ticks = [h("i", style=f"left:{100 * (t - day.begin) / length:.2f}%", key=str(t)) for t in day.told]
    moves = h(
        "fieldset",
        h("div", buttons[:3], class_="steps"),
        h("div", slider, h("div", ticks, class_="ticks", aria_hidden="true"), class_="dayline"),
        h("div", buttons[3:], class_="steps"),
        act=("keys",),
        aria_label="Step through time; arrow keys: a minute, with Shift an hour; page keys: a day",
    )
    field = h(
        "form",
        [h("input", type="hidden", name=name, value=value, key=name) for name, value in asked.items()],
        h(
            "input",
            type="datetime-local",
            name="at",
            value=f"{here:%Y-%m-%dT%H:%M}",
            aria_label=f"Moment ({view.zone})",
        ),
        h("button", "Go", type="submit"),
        method="get",
    )
    told = h("p", h("b", "As it looked at "), h("time", said, datetime=at_text(at)), class_="asof", role="status")
    back = h("button", "Back to now", type="button", act=("now",), class_="primary")
    return h("section", told, back, moves, field, class_="past", aria_label="A past moment", key="strip")


def staying(node: Node, at: float) -> Node:
    """The tree with its links to pages that know of the past leading to the same moment there."""
    attrs, href = node.attrs, node.attrs.get("href")
    if isinstance(href, str) and (href == "/" or href.startswith(PAGES)) and not TIMED.search(href):
        attrs = {**attrs, "href": f"{href}{'&' if '?' in href else '?'}at={at_text(at)}"}
    return node._replace(attrs=attrs, children=tuple(staying(child, at) for child in node.children))
