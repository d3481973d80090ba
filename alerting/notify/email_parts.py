"""How a message looks as a mail: plain text, and HTML that reads on a phone, in the dark, and without anything fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from alerting.digest import Digest, digest
from alerting.message import Facts, Message, facts
from alerting.messages import shortened

MOST_SUBJECT, MOST_TEXT, MOST_WHY = 200, 2000, 12
BASE = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
COLOURS = {"page": "#b42318", "chat": "#93580a", "over": "#1d6b3a"}  # on white 4.5 to 1 and more
DARK = {"page": "#ff8f85", "chat": "#f0b65a", "over": "#6fd492"}
STYLE = "@media (prefers-color-scheme:dark){" + (
    ".bg{background:#16181c!important}.card{background:#202329!important}"
    ".ink{color:#f1f2f4!important}.dim{color:#a9b0ba!important}.line{border-color:#3a3f47!important}"
    ".go{background:#f1f2f4!important;color:#16181c!important}"
    + "".join(f".{name}{{color:{colour}!important;border-color:{colour}!important}}" for name, colour in DARK.items())
    + "}"
)
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>{title}</title><style>{style}</style></head>
<body class="bg" style="margin:0;padding:0;background:#eef0f3">
<div style="display:none;max-height:0;overflow:hidden">{preview}</div>
<table role="presentation" class="bg" width="100%" cellpadding="0" cellspacing="0" style="background:#eef0f3">
<tr><td align="center" style="padding:12px">
<table role="presentation" class="card {state}" width="100%" cellpadding="0" cellspacing="0"
 style="max-width:600px;background:#ffffff;border-top:6px solid {colour};border-radius:6px;text-align:left;{base}">
{rows}
</table></td></tr></table></body></html>
"""
CELL = (
    '<tr><td class="{kind}" style="padding:{padding};color:#1f2329;font-size:16px;line-height:1.45;overflow-wrap:anywhere;{more}">'
    "{inner}</td></tr>"
)


def mail(messages: Sequence[Message], now: float, *, sender: str, to: Sequence[str]) -> EmailMessage:
    """One mail. Its Message-ID is the same at every attempt; later ones of a key answer the first."""
    first = messages[0]
    identity = hashlib.sha256(" ".join(one.id for one in messages).encode()).hexdigest()[:32]
    if len(messages) > 1:
        many = digest(messages, now)
        headline, text, html = many.headline, many.text(), _digest_page(many)
    else:
        said = facts(first, now)
        headline, text, html = said.headline, said.text(), _page(said)
    made = EmailMessage(policy=SMTP)
    made["From"] = f"overheard <{sender}>"
    made["To"] = ", ".join(to)
    made["Subject"] = shortened(headline, MOST_SUBJECT).replace("=?", "=\u2060?")  # that would be decoded
    made["Date"] = format_datetime(datetime.fromtimestamp(int(now), UTC))
    made["Message-ID"] = f"<{identity}@{sender.rpartition('@')[2]}>"
    if len(messages) == 1 and first.thread is not None and first.action != "open":
        made["In-Reply-To"] = made["References"] = first.thread
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(text + "\n", cte="quoted-printable")
    made.add_alternative(html, subtype="html", cte="quoted-printable")
    made.set_boundary(f"=_{identity}")
    return made


def _page(said: Facts) -> str:
    state = "over" if said.over else said.severity
    rows = [_cell(_words(said.headline), kind=state, more=f"font-size:20px;font-weight:700;color:{COLOURS[state]}")]
    rows.append(_cell(_table(said.rows), padding="0 20px 8px"))
    rows += [_quote(quote) for quote in said.quotes]
    if said.links:
        rows.append(_cell("".join(_button(label, url) for label, url in said.links), padding="12px 20px 4px"))
    if said.why and not said.over:
        gates = "How sure:<br>" + "<br>".join(_words(gate) for gate in said.why[:MOST_WHY])
        rows.append(_cell(gates, kind="dim", padding="8px 20px 0", more="font-size:13px;color:#5b6470"))
    preview = " · ".join(f"{label}: {text}" for label, text in said.rows[:3])
    return _whole(said.headline, preview, state, rows)


def _digest_page(many: Digest) -> str:
    rows = [_cell(_words(many.headline), kind="ink", more="font-size:20px;font-weight:700")]
    for line, url in many.lines:
        told = _words(line)
        inner = f'<a class="ink" href="{escape(url)}" style="color:#1f2329">{told}</a>' if url else told
        rows.append(_cell(inner, kind="ink line", padding="10px 20px", more="border-top:1px solid #dfe3e8"))
    if rest := many.rest():
        rows.append(_cell(_words(rest), kind="dim line", more="border-top:1px solid #dfe3e8;color:#5b6470"))
    if many.board is not None:
        rows.append(_cell(_button("Board", many.board), padding="4px 20px"))
    return _whole(many.headline, many.lines[0][0], "page", rows)


def _whole(title: str, preview: str, state: str, rows: Sequence[str]) -> str:
    rows = [*rows, _cell("Sent by overheard.", kind="dim", more="font-size:13px;color:#5b6470")]
    return PAGE.format(
        title=_words(title),
        preview=_words(preview),
        style=STYLE,
        state=state,
        colour=COLOURS[state],
        base=BASE,
        rows="\n".join(rows),
    )


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "\n".join(
        f'<tr><td class="dim" width="104" style="padding:3px 10px 3px 0;color:#5b6470;font-size:14px;line-height:1.45;vertical-align:top">'
        f"{_words(label)}</td>"
        f'<td class="ink" style="padding:3px 0;color:#1f2329;font-size:16px;line-height:1.45;overflow-wrap:anywhere">{_words(text)}</td></tr>'
        for label, text in rows
    )
    return f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0">\n{cells}\n</table>'


def _quote(text: str) -> str:
    inner = f'<div class="ink line" style="border-left:3px solid #c3c9d1;padding-left:12px">“{_words(text)}”</div>'
    return _cell(inner, padding="6px 20px")


def _button(label: str, url: str) -> str:
    return (
        f'<a class="go" href="{escape(url)}" style="display:inline-block;margin:0 8px 8px 0;padding:11px 12px;background:#1f2329;'
        f'color:#ffffff;border-radius:6px;text-decoration:none;font-size:15px;font-weight:600">{_words(label)}</a>'
    )


def _cell(inner: str, *, kind: str = "ink", padding: str = "16px 20px 12px", more: str = "") -> str:
    return CELL.format(kind=kind, padding=padding, more=more, inner=inner)


def _words(text: str) -> str:
    return escape(shortened(text, MOST_TEXT))
