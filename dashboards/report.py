"""The report of a replay: one HTML file that needs nothing else, no script, no request; light and dark, screen and paper."""

from __future__ import annotations

from datetime import datetime
from html import escape as e
from importlib.resources import files

from alerting.model import iso
from dashboards.report_card import card, moment, row_of
from dashboards.report_chart import timeline
from dashboards.report_data import Report
from dashboards.theme import DARK, LIGHT
from dashboards.words import count_of, duration, number
from streams.evaluation import Evaluation, LabelResult
from streams.labels import KINDS

KIND_WORDS = {"city": "name a city", "region": "name a region only", "no_place": "name no place"}
MAX_ROWS = 400


def render(report: Report) -> str:
    """The whole file. Everything that came from outside is escaped."""
    sentence = in_short(report)
    sections = [
        _head(report, sentence),
        _section("timeline", "Timeline", _timeline(report)),
        _section("incidents", "Incidents", _incidents(report)),
        _section("misses", "Missed and unanswered", _misses(report)),
        _section("quality", "Data quality", _quality(report)),
        _section("settings", "Settings", _settings(report)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Replay: {e(report.pack)}</title><style>{_style()}</style></head>\n<body>{''.join(sections)}</body></html>\n"
    )


def in_short(report: Report) -> str:
    """The result in a sentence: what was heard, found, how soon, and at what price."""
    weeks = count_of(round(report.weeks), "week") if report.weeks >= 2 else duration(report.weeks * 7 * 86400)
    heard = f"{weeks}, {count_of(report.records, 'complaint')}, {count_of(report.places, 'place')}"
    if report.evaluation is None or not report.evaluation.labels:
        confirmed = sum(one.confirmed_at is not None for one in report.incidents)
        return f"{heard}: {count_of(len(report.incidents), 'incident')}, {confirmed:,} of them confirmed. No known disruptions to compare with."
    result = report.evaluation
    reachable = result.reachable
    found = (
        f"{reachable.answered} of {count_of(reachable.labels, 'reachable disruption')} found"
        if reachable.labels
        else f"{result.answered} of {count_of(result.labels, 'known disruption')} found"
    )
    price = "" if result.unanswered_per_week is None else f", {rate(result.unanswered_per_week)}"
    return f"{heard}: {found}{_median(result)}{price}."


def rate(value: float) -> str:
    """`0.07 unanswered incidents a week`: small rates with the digits that matter."""
    told = f"{value:.2g}" if value < 10 else f"{value:.0f}"
    return f"{told} unanswered {'incident' if told == '1' else 'incidents'} a week"


def _median(result: Evaluation) -> str:
    if result.delay_hours_median is None:
        return ""
    seconds = result.delay_hours_median * 3600
    return f", median {duration(abs(seconds))} {'after' if seconds >= 0 else 'before'} the stated start"


def _head(report: Report, sentence: str) -> str:
    span = f"{moment(report.first, report.zone)} to {moment(report.last, report.zone)}"
    figures = _figures(report)
    return (
        f'<header><p class="brand">overheard · replay of <b>{e(report.pack)}</b></p><h1>{e(sentence)}</h1>'
        f'<p class="quiet">{span} · times in {e(report.zone)} unless said otherwise</p>{figures}{_by_precision(report)}'
        '<nav><a href="#timeline">Timeline</a><a href="#incidents">Incidents</a><a href="#misses">Missed and unanswered</a>'
        '<a href="#quality">Data quality</a><a href="#settings">Settings</a></nav></header>'
    )


def _figures(report: Report) -> str:
    result = report.evaluation
    confirmed = sum(one.confirmed_at is not None for one in report.incidents)
    boxes = [
        (f"{len(report.incidents):,}", f"incidents, {confirmed:,} confirmed"),
        (f"{report.people:,}", "people heard about a problem"),
    ]
    if result and result.labels:
        boxes.insert(0, (f"{result.answered} of {result.labels}", "known disruptions found, reachable or not"))
        boxes.append((f"{result.unanswered:,}", "incidents that no label explains; labels are never complete"))
    return (
        '<dl class="figures">'
        + "".join(f"<div><dt>{e(text)}</dt><dd>{e(value)}</dd></div>" for value, text in boxes)
        + "</dl>"
    )


def _by_precision(report: Report) -> str:
    result = report.evaluation
    if not result or sum(result.by_precision[kind].labels > 0 for kind in KINDS) < 2:
        return ""
    parts = [
        f"{share.answered} of the {share.labels} that {KIND_WORDS[kind]}"
        for kind in KINDS
        if (share := result.by_precision[kind]).labels
    ]
    return f'<p class="quiet">Found: {e("; ".join(parts))}.</p>'


def _section(id: str, title: str, inside: str) -> str:
    return f'<section id="{id}"><h2>{title}</h2>{inside}</section>\n'


def _timeline(report: Report) -> str:
    rows = report.evaluation.rows if report.evaluation else ()
    answering = {id for row in rows for id in row.incidents}
    legend = (
        '<p class="legend"><span><i class="spot found"></i>found</span><span><i class="spot missed"></i>missed</span>'
        '<span><i class="spot faint"></i>too few people spoke</span>'
        '<span><i class="dot confirmed"></i>confirmed</span><span><i class="dot suspected"></i>suspected</span>'
        '<span><i class="dot confirmed open"></i>hollow: no label explains it</span></p>'
        if rows
        else '<p class="legend"><span><i class="dot confirmed"></i>confirmed</span><span><i class="dot suspected"></i>suspected</span></p>'
    )
    cards = {card.incident.id for card in report.cards}
    return timeline(report.volume, rows, report.incidents, answering, cards, report.zone) + legend


def _incidents(report: Report) -> str:
    if not report.incidents:
        return (
            f'<p class="calm">Nothing unusual: {report.records:,} records, {report.people:,} people, and no series rose above chance'
            f" at this alert budget. {count_of(report.signals, 'signal')} stayed below the gates.</p>"
        )
    shown = {one.incident.id for one in report.cards}
    others = [one for one in report.incidents if one.id not in shown]
    rest = ""
    if others:
        rest = f'<h3>{count_of(len(others), "further incident")}</h3><p class="quiet">Without a label, or smaller than those above.</p>'
        rest += _table(
            ("Since", "What", "People", "Usual", "Tier"), [row_of(one, report.zone) for one in others[:MAX_ROWS]]
        )
        rest += (
            f'<p class="quiet">{len(others) - MAX_ROWS:,} more are in incidents.jsonl.</p>'
            if len(others) > MAX_ROWS
            else ""
        )
    note = f'<p class="quiet">{count_of(report.signals, "signal")} never passed the gates and are only in incidents.jsonl.</p>'
    return "".join(card(one) for one in report.cards) + rest + note


def _misses(report: Report) -> str:
    result = report.evaluation
    if result is None or not result.labels:
        return '<p class="calm">No labels were given, so nothing can be called found or missed.</p>'
    missed = [row for row in result.rows if not row.answered and row.reachable]
    faint = [row for row in result.rows if not row.answered and not row.reachable]
    by_id = {one.id: one for one in report.incidents}
    unanswered = [by_id[id] for id in result.unanswered_incidents]
    head = ("When", "What", "Where", "People there", "Gate")
    parts = [f"<h3>Missed, though enough people spoke: {len(missed)}</h3>"]
    parts.append(
        _table(head, [_label_row(row, report.zone) for row in missed]) if missed else '<p class="calm">None.</p>'
    )
    if faint:
        parts.append(
            f"<details><summary>{count_of(len(faint), 'disruption')} that too few people spoke of</summary>"
            '<p class="quiet">Under 3 people, or under three times the median of the same hours over the eight weeks before.</p>'
            + _table(head, [_label_row(row, report.zone) for row in faint])
            + "</details>"
        )
    parts.append(f"<h3>Incidents no label explains: {len(unanswered):,}</h3>")
    if unanswered:
        parts.append('<p class="quiet">Not proven false: labels are never complete.</p>')
        rows = [row_of(one, report.zone, why=True) for one in unanswered[:MAX_ROWS]]
        parts.append(_table(("Since", "What", "People", "Usual", "Tier", "Why it was told"), rows))
    else:
        parts.append('<p class="calm">None.</p>')
    return "".join(parts)


def _label_row(row: LabelResult, zone: str) -> list[str]:
    start = datetime.fromisoformat(row.start).timestamp()
    people = f"{row.people:,}, usually {number(row.usual)}"
    return [moment(start, zone), e(row.what), e(row.where), e(people), e(row.why or "")]


def _quality(report: Report) -> str:
    dead = sum(count for _, count in report.dead)
    parts = [f"<p>{_dead_sentence(report, dead)}</p>"]
    head = (
        "Source",
        "Records",
        "About a problem",
        "Placed",
        "With author",
        "Duplicates",
        "Copies",
        "Late",
        "Too old",
        "Clock change",
    )
    rows = []
    for name, one in report.sources[:50]:
        placed, authors = _share(one.placed, one.complaints), _share(one.authors, one.records)
        counts = (one.duplicates, one.copies, one.late, one.old, one.clock_changes)
        rows.append(
            [
                e(name),
                f"{one.records:,}",
                f"{one.complaints:,}",
                placed,
                authors,
                *(f"{c:,}" for c in counts),
            ]
        )
    parts.append(_table(head, rows, numbers=True))
    parts += [f'<p class="notice">{e(notice)}</p>' for notice in report.notices]
    if report.gaps:
        gaps = sorted(report.gaps, key=lambda gap: -gap.usual)
        listed = [
            [moment(gap.start, report.zone), duration(gap.end - gap.start), f"about {number(gap.usual)}"]
            for gap in sorted(gaps[:20], key=lambda gap: gap.start)
        ]
        parts.append(
            f"<h3>{count_of(len(gaps), 'gap')} without any record</h3>"
            + _table(("From", "Length", "Usual in such a time"), listed)
        )
    else:
        parts.append('<p class="quiet">No gap: no silence so long that 20 records would have been usual in it.</p>')
    return "".join(parts)


def _dead_sentence(report: Report, dead: int) -> str:
    if not dead:
        return f"All {report.records:,} records could be read."
    reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in report.dead)
    return (
        f"{dead:,} of {report.records:,} records ({_share(dead, report.records)}) could not be counted: {e(reasons)}."
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g} %" if whole else "–"


def _settings(report: Report) -> str:
    rows = "".join(f"<div><dt>{e(name)}</dt><dd>{e(value)}</dd></div>" for name, value in report.settings)
    span = f"<div><dt>event time</dt><dd>{iso(report.first)} to {iso(report.last)}</dd></div>"
    return f'<p>To repeat it:</p><pre>{e(report.command)}</pre><dl class="settings">{rows}{span}</dl>'


def _table(head: tuple[str, ...], rows: list[list[str]], numbers: bool = False) -> str:
    """Cells are markup already. On a phone each cell is named beside its value."""
    top = "".join(f'<th scope="col">{e(name)}</th>' for name in head)
    classes = [
        ' class="why"' if name.startswith(("Gate", "Why")) else ' class="people"' if name.startswith("People") else ""
        for name in head
    ]
    names = [f'{kind} data-name="{e(name)}"' for name, kind in zip(head, classes, strict=True)]
    body = "".join(
        "<tr>" + "".join(f"<td{name}>{cell}</td>" for name, cell in zip(names, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table{" class=numbers" if numbers else ""}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _style() -> str:
    light, dark = ("".join(f"--{name}:{colour};" for name, colour in palette.items()) for palette in (LIGHT, DARK))
    sheet = (files("dashboards") / "report.css").read_text("utf-8")
    return f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n{sheet}"
