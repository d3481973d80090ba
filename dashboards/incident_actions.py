"""What one can do about an incident; every act asks only what it needs, says what it did, and can be undone."""

from __future__ import annotations

from alerting.case import UNNAMED
from alerting.messages import VERDICTS
from alerting.model import Incident
from dashboards.acts import PHRASES_CHARACTERS
from dashboards.dom import Child, Node, h
from streams.promotion import suggestion

SNOOZES = (("900", "15 minutes"), ("3600", "1 hour"), ("14400", "4 hours"), ("43200", "12 hours"))
SILENCES = (("3600", "1 hour"), ("14400", "4 hours"), ("43200", "12 hours"), ("86400", "1 day"), ("604800", "1 week"))


def actions(incident: Incident) -> Node:
    """Buttons for what needs no words, folds with a form for what does."""
    verdicts = [
        h("button", name.removeprefix("a ").capitalize(), type="button", act=("feedback", incident.id, verdict),
          aria_pressed="true" if incident.verdict == verdict else "false", key=verdict)
        for verdict, name in VERDICTS.items()
    ]  # fmt: skip
    ack = h("button", "Acknowledged" if incident.acked_by else "Acknowledge", type="button", act=("ack", incident.id),
            class_="primary" if not incident.acked_by else None, disabled=bool(incident.acked_by), key="ack")  # fmt: skip
    return h(
        "div",
        ack,
        _promotion(incident) if UNNAMED in incident.marks and incident.promoted_to is None else None,
        _fold(incident, "assign", "Assign…", "Assign", _line("To whom", "to", 80, required=True), why_line()),
        h("div", verdicts, class_="group", role="group", aria_label="Was it real?"),
        _fold(
            incident,
            "snooze",
            "Snooze…",
            "Snooze",
            _said(
                "No messages about this incident for a while. If it still goes on then, all who know are told again."
            ),
            lengths(SNOOZES),
            why_line(),
        ),
        _fold(
            incident,
            "silence",
            "Silence…",
            "Silence",
            _said("No messages about this place and problem for a while. Counting goes on, and the board shows it."),
            lengths(SILENCES),
            why_line(),
        ),
        _fold(incident, "note", "Note…", "Add note", _words("Note for the timeline")),
        _fold(
            incident, "intervention", "Intervention…", "Add intervention", _words("What was done about it, just now")
        ),
        class_="actions",
        role="group",
        aria_label="Actions",
    )


def _promotion(incident: Incident) -> Node:
    """Asks for what a pack wants to know of a keyword, with the words that were found."""
    found = suggestion(incident)
    text = h("textarea", "\n".join(found.phrases), name="phrases", rows=min(8, 2 + len(found.phrases)), required=True,
             maxlength=PHRASES_CHARACTERS)  # fmt: skip
    return _fold(
        incident,
        "promote",
        "Promote…",
        "Promote",
        _said("Makes these words a keyword of your pack: from then on they are counted, and told by that name."),
        _line("Keyword (its id in the pack)", "keyword", 128, required=True, value=found.keyword),
        _line("What people call it", "label", 80, required=True, value=found.label),
        h("label", "Phrases, one a line", text),
        _said("A text that holds any of them counts. Leave out words that mean other things too."),
        why_line(),
    )


def _fold(incident: Incident, act: str, summary: str, button: str, *fields: Child) -> Node:
    form = h(
        "form",
        list(fields),
        h("button", button, type="submit", class_="primary"),
        method="post",
        action=f"/incident/{incident.id}/{act}",
    )
    return h("details", h("summary", summary, class_="button"), form, key=act)


def lengths(choices: tuple[tuple[str, str], ...]) -> Node:
    """For how long."""
    options = [h("option", name, value=seconds) for seconds, name in choices]
    return h("label", "For", h("select", options, name="seconds"))


def why_line() -> Node:
    """The reason, for those who read it later."""
    return _line("Why (others will read it)", "reason", 200)


def _line(label: str, name: str, longest: int, *, required: bool = False, value: str | None = None) -> Node:
    field = h("input", name=name, maxlength=longest, required=required, autocomplete="off", value=value)
    return h("label", label, field)


def _words(label: str) -> Node:
    return h("label", label, h("textarea", name="text", rows=3, required=True, maxlength=2000))


def _said(text: str) -> Node:
    return h("p", text, class_="quiet small")
