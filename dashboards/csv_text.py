"""Tables as CSV that a spreadsheet opens as what they are: no text of a stranger becomes a formula there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from alerting.messages import plain

FORMULA = "=+-@＝＋－＠"  # what spreadsheets take for the beginning of one, in both widths
Value = str | int | float | None


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """UTF-8 with a byte order mark, for spreadsheets take it for an older encoding otherwise; numbers stay bare, texts are quoted."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows([_safe(value) for value in row] for row in (head, *rows))
    return file.getvalue().encode("utf-8-sig")


def _safe(value: Value) -> str | int | float:
    """On one line, and with a quote before it where it would be computed (OWASP, CSV injection)."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return round(value, 6)
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(tuple(FORMULA)) else text
