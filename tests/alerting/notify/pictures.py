"""Draws what people see of a page, for looking at and for the README: `PYTHONPATH=. python tests/alerting/notify/pictures.py FOLDER`.

Slack is drawn by hand from the blocks, near to what its own page shows; the mail is the mail.
"""

from __future__ import annotations

import email
import email.policy
import re
import sys
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import sync_playwright

GOLDEN = Path(__file__).parent / "golden"
STYLE = """body{font:15px/1.47 Lato,system-ui,sans-serif;color:#1d1c1d;margin:0;padding:12px 16px;background:#fff;max-width:620px}
.who{font-weight:900;margin-bottom:4px}.who span{background:#e8e8e8;border-radius:2px;font-size:10px;padding:1px 4px;margin-left:4px}
.header{font-size:18px;font-weight:900;margin:6px 0}.section{margin:8px 0;white-space:pre-wrap;overflow-wrap:anywhere}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 12px}.quote{border-left:4px solid #ddd;padding-left:12px;display:block}
.context{font-size:12px;color:#616061;margin:8px 0}.actions{margin:10px 0;display:flex;flex-wrap:wrap;gap:8px}
.button{border:1px solid #bbb;border-radius:8px;padding:6px 12px;font-weight:700;font-size:14px}a{color:#1264a3;text-decoration:none}
.reply{border-left:2px solid #ddd;margin:10px 0 0 6px;padding-left:12px;font-size:14px}"""


def _text(one: dict[str, Any]) -> str:
    text = one["text"]
    if one["type"] == "plain_text":
        return str(text)
    text = re.sub(r"<(https://[^|]+)\|([^>]*)>", r'<a href="\1">\2</a>', text)
    text = re.sub(r"^>(.*)$\n?", r'<span class="quote">\1</span>', text, flags=re.M)
    return re.sub(r"\*([^*]+)\*", r"<b>\1</b>", text)


def _block(block: dict[str, Any]) -> str:
    kind = block["type"]
    if "fields" in block:
        inner = "".join(f"<div>{_text(one)}</div>" for one in block["fields"])
        return f'<div class="section fields">{inner}</div>'
    if kind == "actions":
        inner = "".join(f'<span class="button">{_text(one["text"])}</span>' for one in block["elements"])
    elif kind == "context":
        inner = " ".join(map(_text, block["elements"]))
    else:
        inner = _text(block["text"])
    return f'<div class="{kind}">{inner}</div>'


def slack(name: str) -> str:
    """As HTML; calls after the first are replies."""
    first, *replies = orjson.loads((GOLDEN / "slack" / f"{name}.json").read_bytes())
    body = "".join(map(_block, first["blocks"]))
    body += "".join(f'<div class="reply">{_text({"type": "mrkdwn", "text": one["text"]})}</div>' for one in replies)
    who = '<div class="who">overheard<span>APP</span></div>'
    return f'<!DOCTYPE html><meta charset="utf-8"><style>{STYLE}</style>{who}{body}'


def mail(name: str) -> str:
    made = email.message_from_bytes((GOLDEN / "email" / f"{name}.eml").read_bytes(), policy=email.policy.default)
    page = made.get_body(("html",))
    assert page is not None
    return str(page.get_content())


def draw(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for what, drawn in (("slack", slack), ("email", mail)):
            for name in ("page", "update", "late", "resolve", "digest", "trouble"):
                for width, scheme in ((390, "light"), (390, "dark"), (900, "light")):
                    page = browser.new_page(viewport={"width": width, "height": 200}, color_scheme=scheme)
                    page.set_content(drawn(name))
                    page.screenshot(path=folder / f"{what}-{name}-{width}-{scheme}.png", full_page=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
