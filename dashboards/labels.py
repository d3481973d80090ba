"""Where names stand beside circles on a sheet: no name covers a circle or another name, and which one finds no room is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboards.dom import Node, h

TALL, GAP = 25.0, 6.0
Box = tuple[float, float, float, float]


class Named(NamedTuple):
    """A circle with its name; `away`: the direction the name had best lie in, none where both are 0."""

    key: str
    name: str
    x: float
    y: float
    size: float
    away: tuple[float, float] = (0.0, 0.0)


def labels(named: Sequence[Named], width: float, height: float, letter: float, most: int) -> list[Node]:
    """Up to `most` names, the first of them first; `letter`: how wide one is, in units of the sheet."""
    taken: list[Box] = [(n.x - n.size, n.y - n.size, n.x + n.size, n.y + n.size) for n in named]
    found: list[Node] = []
    for one in named:
        wide, gap = letter * len(one.name) + 8, one.size + GAP
        dx, dy = one.away
        sides = [
            (-dx, "right", one.x + gap, one.y - TALL / 2),
            (dx, "left", one.x - gap - wide, one.y - TALL / 2),
            (dy, "above", one.x - wide / 2, one.y - gap - TALL),
            (-dy, "below", one.x - wide / 2, one.y + gap),
        ]
        for _, side, left, top in sorted(sides, key=lambda option: option[0]):
            box = (left, top, left + wide, top + TALL)
            inside = left >= 0 and top >= 0 and box[2] <= width and box[3] <= height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                x = {"right": left, "left": box[2]}.get(side, one.x)
                place = f"left:{100 * x / width:.2f}%;top:{100 * (top + TALL / 2) / height:.2f}%"
                found.append(
                    h("span", one.name, class_=f"maplabel {side}", style=place, aria_hidden="true", key=one.key)
                )
                break
        if len(found) == most:
            break
    return found


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
