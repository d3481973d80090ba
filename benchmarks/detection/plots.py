"""Two plots as SVG files of our own making: no dependency draws without a browser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from benchmarks.detection.figures import Rows

WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT, TOP = 760, 440, 64, 48, 190, 34
COLORS = ("#0b6", "#c33", "#36c", "#e80", "#938", "#09a", "#963", "#777", "#a70", "#5a5")
OURS = ("default", "weekly")
Points = list[tuple[float, float]]


def draw(rows: Rows, folder: Path) -> list[Path]:
    """Writes what the works that were run allow."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for work, title in (("stream", "complaints"), ("stream_long", "complaints, half an hour to 12 hours")):
        if rows.get(work):
            lines = curves(rows[work], 3, scale=15.0)
            text = chart(
                lines,
                f"Delay against false alarms: {title}",
                "false episodes a series and week",
                "mean delay in minutes, missed ones at full length",
            )
            written.append(_write(folder / f"delay-{work}.svg", text))
    if rows.get("outbreaks"):
        text = chart(
            curves(rows["outbreaks"], 2),
            "Outbreaks found against false positives",
            "false positives a week",
            "outbreaks found",
        )
        written.append(_write(folder / "pod-outbreaks.svg", text))
    return written


def curves(rows: list[dict[str, Any]], column: int, scale: float = 1.0) -> dict[str, Points]:
    """Means over seeds by detector: (false alarms, value), where every seed got that quiet."""
    found: dict[str, Points] = {}
    for name in dict.fromkeys(row["detector"] for row in rows):
        kept = [row["curve"] for row in rows if row["detector"] == name and "curve" in row]
        if kept:
            stacked = np.array(kept, float)
            good = (stacked[:, :, 1] > 0).all(0) & np.isfinite(stacked[:, :, column]).all(0)
            mean = stacked.mean(0)
            found[name] = [(float(mean[i, 0]), scale * float(mean[i, column])) for i in np.flatnonzero(good)]
    return {name: points for name, points in found.items() if points}


def chart(lines: Mapping[str, Points], title: str, across: str, up: str) -> str:
    """Lines over a logarithmic axis; the names stand where the lines end."""
    xs = [math.log10(x) for points in lines.values() for x, _ in points]
    low, high = min(xs), max(max(xs), min(xs) + 1e-9)
    top = max(max(y for points in lines.values() for _, y in points), 1e-9) * 1.05

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (math.log10(x) - low) / (high - low) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / top * (HEIGHT - BOTTOM - TOP),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="{LEFT}" y="20" font-size="15">{escape(title)}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{escape(across)}</text>',
        f'<text transform="translate(14 {HEIGHT - BOTTOM}) rotate(-90)">{escape(up)}</text>',
    ]
    for power in range(math.ceil(low), math.floor(high) + 1):
        x, y = place(10.0**power, 0)
        parts.append(f'<path d="M{x:.1f} {TOP}V{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{10.0**power:g}</text>')
    for value in _ticks(top):
        x, y = place(10**low, value)
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - RIGHT}" stroke="#eee"/>')
        parts.append(f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    parts += _lines(lines, place)
    return "\n".join([*parts, "</svg>\n"])


def _ticks(top: float) -> list[float]:
    """Round values from 0 to `top`, four to ten of them."""
    step = 10.0 ** math.floor(math.log10(top))
    step *= 0.2 if top / step < 2 else 0.5 if top / step < 5 else 1.0
    return [round(number * step, 6) for number in range(int(top / step) + 1)]


def _lines(lines: Mapping[str, Points], place: Any) -> list[str]:
    parts = []
    ends = sorted((place(*points[-1])[1], name) for name, points in lines.items())
    at = 0.0
    labels = {}
    for y, name in ends:
        at = max(y, at + 14)
        labels[name] = at
    for number, (name, points) in enumerate(lines.items()):
        color, style = COLORS[number % len(COLORS)], f'stroke-width="{3 if name in OURS else 1.5}"'
        if name == "oracle":
            color, style = "#111", 'stroke-width="1.5" stroke-dasharray="5 4"'
        path = "L".join("{:.1f} {:.1f}".format(*place(*point)) for point in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}" {style}/>')
        parts += [
            '<circle cx="{:.1f}" cy="{:.1f}" r="2.5" fill="{}"/>'.format(*place(*point), color) for point in points
        ]
        x = place(*points[-1])[0]
        parts.append(f'<text x="{x + 8:.1f}" y="{labels[name] + 4:.1f}" fill="{color}">{escape(name)}</text>')
    return parts


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
