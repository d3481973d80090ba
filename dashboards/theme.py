"""Colours of the page, light and dark, and the style sheet they go into.

Tiers and shades differ in lightness, not in hue alone, and text keeps 4.5 : 1 on its ground (tests check both).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

LIGHT = {
    "paper": "#f4f5f3",
    "panel": "#ffffff",
    "ink": "#1a2126",
    "soft": "#57626b",
    "faint": "#8d979e",
    "line": "#e6e9e7",
    "edge": "#cbd1cf",
    "hover": "#eceeed",
    "hover-glass": "rgba(20, 30, 40, 0.07)",
    "link": "#1d5a86",
    "focus": "#1d6fb8",
    "brand": "#1d5a86",
    "shadow": "0 8px 28px rgba(20, 30, 40, 0.14)",
    "confirmed": "#b3261e",
    "confirmed-tint": "#fcecea",
    "on-tier": "#ffffff",
    "suspected": "#8a5000",
    "suspected-edge": "#d98a1b",
    "suspected-tint": "#fdf3e1",
    "signal": "#3c6283",
    "signal-tint": "#e6eef5",
    "ok": "#2a6a57",
    "ok-tint": "#e4f1ec",
    "blind-ink": "#3e464c",
    "hatch": "#9aa3a8",
    "hatch-faint": "#dfe3e4",
    "bar": "#7b97ad",
    "band": "#e3ebf1",
    "ghost": "#8d979e",
    "land": "#e9edec",
    "land-state": "#e1e6e5",
    "border": "#ffffff",
    "struck": "#f3cfc8",
    "g0": "#f4f5f3",
    "g1": "#f9dcae",
    "g2": "#f3b263",
    "g3": "#b3430c",
    "on-g2": "#1a2126",
    "on-g3": "#ffffff",
}
DARK = {
    "paper": "#0f1417",
    "panel": "#171d21",
    "ink": "#e8ecee",
    "soft": "#a4b0b8",
    "faint": "#75818a",
    "line": "#252d33",
    "edge": "#3a454c",
    "hover": "#232b31",
    "hover-glass": "rgba(230, 240, 250, 0.08)",
    "link": "#8dc2ea",
    "focus": "#7ab8f0",
    "brand": "#8dc2ea",
    "shadow": "0 8px 28px rgba(0, 0, 0, 0.5)",
    "confirmed": "#ff8d7e",
    "confirmed-tint": "#3a1d1a",
    "on-tier": "#2a0805",
    "suspected": "#f2b95c",
    "suspected-edge": "#d9993a",
    "suspected-tint": "#30250f",
    "signal": "#97bddb",
    "signal-tint": "#1b2a36",
    "ok": "#7fcdb3",
    "ok-tint": "#17302a",
    "blind-ink": "#d4dadd",
    "hatch": "#5f6a71",
    "hatch-faint": "#2a3238",
    "bar": "#6c8ba3",
    "band": "#22303b",
    "ghost": "#8d979e",
    "land": "#222a2f",
    "land-state": "#283137",
    "border": "#171d21",
    "struck": "#54302b",
    "g0": "#1d2428",
    "g1": "#4a3414",
    "g2": "#9a5f16",
    "g3": "#ffab5c",
    "on-g2": "#ffffff",
    "on-g3": "#241000",
}


def _variables(palette: dict[str, str], scheme: str) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in palette.items()) + f"color-scheme:{scheme};"


@lru_cache(maxsize=1)
def style_sheet() -> str:
    """The whole style sheet: the device's wish decides, a chosen theme overrules it."""
    light, dark = _variables(LIGHT, "light"), _variables(DARK, "dark")
    return (
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f":root:has([data-theme=light]){{{light}}}:root:has([data-theme=dark]){{{dark}}}\n"
        + (files("dashboards") / "theme.css").read_text("utf-8")
    )


def plain_page(title: str, body: str) -> str:
    """A page without live parts: sign-in, the description of the API."""
    head = f'<meta charset="utf-8"><title>{title}</title><meta name="viewport" content="width=device-width">'
    main = f'<main class="nicegui-content" id="main">{body}</main>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{style_sheet()}</style></head>'
        f'<body><div class="nicegui-layout">{main}</div></body></html>'
    )
