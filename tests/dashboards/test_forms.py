"""Forms that are refused: why, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.desk_routes import add_desk
from dashboards.forms import add_forms
from dashboards.guard import Guard
from dashboards.site import Site
from streams.runtime.store.reader import Reader
from tests.alerting.notify.hostile import PAYLOADS
from tests.dashboards.made_up import Log, site

UNNAMED = "/incident/0dd00001/promote"


class Form(HTMLParser):
    """The form of a page: where it goes, and what it would send as it stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.sends: dict[str, str] = {}
        self.tags: list[str] = []
        self._field: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.tags.append(tag)
        self.action = given["action"] if tag == "form" else self.action
        if tag in ("input", "textarea", "select"):
            self._field = given["name"]
            self.sends[self._field] = given.get("value", "")
        if tag == "option" and "selected" in given and self._field:
            self.sends[self._field] = given["value"]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["textarea"] and self._field:
            self.sends[self._field] += data

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def desk(day: Callable[[str], Reader], log: Log) -> TestClient:
    return client(site(day("calm"), log))


def client(place: Site) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def unseen(*_: object) -> None:
        raise AssertionError("only forms are sent here")

    add_forms(place, app)
    add_desk(place, app, unseen)
    app.add_middleware(Guard, settings=place.settings)
    return TestClient(app, base_url="http://localhost:8080", follow_redirects=False)


def test_a_promotion_that_is_refused_comes_back_as_it_was_filled_in_and_can_be_sent_again(
    desk: TestClient, log: Log
) -> None:
    log.refused = "'delay' is in own.toml already: choose another id"
    typed = {
        "keyword": "delay",
        "label": '"dead" kiosks',
        "phrases": "kiosk frozen\ndead kiosk",
        "reason": "seen thrice",
    }
    answer = desk.post(UNNAMED, data=typed)
    assert answer.status_code == 400
    assert "'delay' is in own.toml already: choose another id." in unescape(answer.text)
    form = Form(answer.text)
    assert (form.action, form.sends) == (UNNAMED, typed)
    log.refused = None
    assert desk.post(form.action, data={**form.sends, "keyword": "kiosks"}).status_code == 303
    assert (log.controls[0].keywords, log.controls[0].value) == (("kiosks",), typed["phrases"])


def test_phrases_are_kept_whole_or_refused_never_cut(desk: TestClient, log: Log) -> None:
    lines = [f"{number:02} {'x' * 156}" for number in range(50)]
    sent = {"keyword": "kiosks", "label": "kiosks", "phrases": "\r\n".join(lines)}  # as browsers send line ends
    assert len(sent["phrases"]) > 8000
    assert desk.post(UNNAMED, data={**sent, "phrases": sent["phrases"] + "y" * 500}).status_code == 400
    assert desk.post(UNNAMED, data=sent).status_code == 303
    assert log.controls[0].value == "\n".join(lines)


def test_a_note_survives_a_full_log_and_a_chosen_length_a_wrong_place(desk: TestClient, log: Log) -> None:
    log.full = True
    answer = desk.post("/incident/c0ffee01/note", data={"text": "Gate B4 again,\nas on Monday"})
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.text
    assert Form(answer.text).sends == {"text": "Gate B4 again,\nas on Monday"}
    answer = desk.post(
        "/desk/silence", data={"place": "Gotham", "keyword": "baggage", "seconds": "43200", "reason": "x"}
    )
    assert "No place is known as “Gotham”" in answer.text
    assert Form(answer.text).sends == {"place": "Gotham", "keyword": "baggage", "seconds": "43200", "reason": "x"}


@pytest.mark.parametrize(
    "text", [text for text in PAYLOADS if "\ud83d" not in text]
)  # no form can send half a character
def test_hostile_words_come_back_as_words(desk: TestClient, log: Log, text: str) -> None:
    log.refused = text
    answer = desk.post(UNNAMED, data={"keyword": text, "label": text, "phrases": text, "reason": text})
    assert not {"script", "img", "iframe", "svg", "b", "object"} & set(Form(answer.text).tags)


def test_what_is_gone_is_said_and_nothing_is_recorded(desk: TestClient, log: Log) -> None:
    answer = desk.post("/incident/nope/note", data={"text": "x"})
    assert answer.status_code == 400
    assert "There is no such incident." in answer.text
    assert "<form" not in answer.text
    elsewhere = desk.post("/incident/c0ffee01/note", data={"text": "x"}, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 403
    assert log.controls == []
