"""The map: outlines shipped with the package, drawn here as SVG; circles as large as the people above the expected.

Albers' conic for the lower 48 states, Equal Earth (Šavrič, Patterson, Jenny 2018) for the world, degrees for one area.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from dashboards.dom import Node, h, raw
from dashboards.labels import Named, labels

WIDTH, HEIGHT = 1000.0, 580.0
LOWER_48 = (-125.0, 24.0, -66.5, 49.6)  # west, south, east, north
WORLD = (-170.0, -56.0, 180.0, 78.0)
SMALLEST_AREA_DEGREES = 6.0
LABELS = 5
LETTER = 13.0  # width of one in a name, on this sheet
VEIL = 15.0  # how far the hatch of a blind place reaches beyond its circle
Box = tuple[float, float, float, float]
Project = Callable[[float, float], tuple[float, float]]


class Dot(NamedTuple):
    """A circle: `tier` colours it where an incident stands there, `above` is people above the expected."""

    place: str
    name: str
    lat: float
    lon: float
    above: float
    told: str
    tier: str | None = None
    blind: bool = False


def albers(lat: float, lon: float) -> tuple[float, float]:
    """Conic equal-area, standard parallels 29.5° and 45.5°; radians out, y upwards."""
    n = (math.sin(math.radians(29.5)) + math.sin(math.radians(45.5))) / 2
    c = math.cos(math.radians(29.5)) ** 2 + 2 * n * math.sin(math.radians(29.5))
    rho = math.sqrt(max(0.0, c - 2 * n * math.sin(math.radians(lat)))) / n
    theta = n * math.radians(lon + 96)
    return rho * math.sin(theta), -rho * math.cos(theta)


def equal_earth(lat: float, lon: float) -> tuple[float, float]:
    """Equal Earth; y upwards."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(lat)))
    t2 = t * t
    t6 = t2**3
    x = 2 * math.sqrt(3) * math.radians(lon) * math.cos(t) / (3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1))
    return x, t * (a1 + a2 * t2 + t6 * (a3 + a4 * t2))


class View(NamedTuple):
    """A part of the world as it is drawn: outlines as SVG paths, and where a point lies (0 … WIDTH, 0 … HEIGHT)."""

    paths: tuple[tuple[str, str, str], ...]  # (level, name, path)
    at: Project


def box_of(points: Sequence[tuple[float, float]]) -> Box:
    """The lower 48 states or the world where the points lie in them, else the area around them."""
    if not points:
        return WORLD
    if all(LOWER_48[1] <= lat <= LOWER_48[3] and LOWER_48[0] <= lon <= LOWER_48[2] for lat, lon in points):
        spread = max(max(p[i] for p in points) - min(p[i] for p in points) for i in (0, 1))
        if spread > SMALLEST_AREA_DEGREES or len(points) < 2:
            return LOWER_48
    lats, lons = [p[0] for p in points], [p[1] for p in points]
    tall, wide = max(lats) - min(lats), max(lons) - min(lons)
    if wide > 70 or tall > 45:
        return WORLD
    pad = max(1.5, SMALLEST_AREA_DEGREES - max(tall, wide)) / 2 + 0.1 * max(tall, wide)
    # whole degrees, so that a point more or less seldom makes a new view
    west, south = math.floor(min(lons) - pad), math.floor(max(-85.0, min(lats) - pad))
    return west, south, math.ceil(max(lons) + pad), math.ceil(min(85.0, max(lats) + pad))


@lru_cache(maxsize=1)
def outlines() -> list[dict[str, Any]]:
    """The features of the shipped file."""
    packed = (files("dashboards") / "outlines.geojson.gz").read_bytes()
    features: list[dict[str, Any]] = json.loads(gzip.decompress(packed))["features"]
    return features


@lru_cache(maxsize=8)
def view_of(box: Box) -> View:
    """The view of a box in degrees."""
    west, south, east, north = box
    squeeze = math.cos(math.radians((south + north) / 2))
    flat: Project = {LOWER_48: albers, WORLD: equal_earth}.get(box, lambda lat, lon: (lon * squeeze, lat))
    edge = [flat(south + (north - south) * i / 8, west + (east - west) * j / 8) for i in range(9) for j in range(9)]
    left, right = min(x for x, _ in edge), max(x for x, _ in edge)
    low, high = min(y for _, y in edge), max(y for _, y in edge)
    scale = min((WIDTH - 16) / (right - left), (HEIGHT - 16) / (high - low))
    dx, dy = (WIDTH - scale * (left + right)) / 2, (HEIGHT + scale * (low + high)) / 2

    def at(lat: float, lon: float) -> tuple[float, float]:
        x, y = flat(lat, lon)
        return dx + scale * x, dy - scale * y

    states = box != WORLD
    paths = []
    for feature in outlines():
        level, name = feature["properties"]["level"], feature["properties"]["name"]
        if (level == "region" and not states) or name == "Antarctica":
            continue
        path = "".join(_ring(ring, at, box) for ring in _rings(feature["geometry"]))
        if path:
            paths.append((level, name, path))
    return View(tuple(paths), at)


def _rings(geometry: dict[str, Any]) -> Iterable[list[list[float]]]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        yield from polygon


def _ring(ring: list[list[float]], at: Project, box: Box) -> str:
    """One ring as a path, points nearer than a pixel left out; empty where it lies outside the box."""
    west, south, east, north = box
    lons, lats = [p[0] for p in ring], [p[1] for p in ring]
    if max(lons) < west - 8 or min(lons) > east + 8 or max(lats) < south - 8 or min(lats) > north + 8:
        return ""
    kept: list[tuple[float, float]] = []
    for lon, lat in ring:
        x, y = at(max(-85.0, min(85.0, lat)), max(-180.0, min(180.0, lon)))
        if not kept or abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= 1.2:
            kept.append((x, y))
    if len(kept) < 3:
        return ""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept) + "Z"


def radius(above: float) -> float:
    """Area grows with the people above the expected; small ones stay visible."""
    return min(70.0, 5.0 + 3.2 * math.sqrt(max(0.0, above)))


HATCH = (
    '<defs><pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="0" y1="0" x2="0" y2="9" class="hatchline"/></pattern></defs>'
)


def world_map(dots: Sequence[Dot], blind_areas: Iterable[str] = (), struck_areas: Iterable[str] = ()) -> Node:
    """The map with its circles as links. `blind_areas` are hatched, `struck_areas` tinted; both by name."""
    view = view_of(box_of([(d.lat, d.lon) for d in dots]))
    blind, struck = set(blind_areas), set(struck_areas)
    land = "".join(
        f'<path class="{level}{" struck" if name in struck else ""}" d="{path}"/>'
        + (f'<path class="blind" d="{path}"><title>{escape(name)}: blind</title></path>' if name in blind else "")
        for level, name, path in view.paths
    )
    order = sorted(dots, key=lambda d: -d.above)
    circles = [_circle(dot, *view.at(dot.lat, dot.lon)) for dot in order]
    named = [Named(d.place, d.name, *view.at(d.lat, d.lon), radius(d.above)) for d in order if d.tier]
    svg = h(
        "svg",
        raw("g", HATCH + land, class_="land", aria_hidden="true", key=f"land{hash(land)}"),
        h("g", circles, class_="dots"),
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        role="group",
        aria_label="Map: circles are places with more people than expected",
    )
    return h("div", svg, labels(named, WIDTH, HEIGHT, LETTER, LABELS), class_="map")


def _circle(dot: Dot, x: float, y: float) -> Node:
    size = radius(dot.above)
    tone = dot.tier or ("above" if dot.above >= 1 else "usual")
    veil = f'<circle class="veil" cx="{x:.1f}" cy="{y:.1f}" r="{size + VEIL:.1f}"/>' if dot.blind else ""
    circle = raw("g", f'{veil}<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/><title>{escape(dot.told)}</title>')
    return h("a", circle, href=f"/place/{dot.place}", class_=tone, aria_label=dot.told, key=dot.place)
