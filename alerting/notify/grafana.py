"""Grafana's annotations: each incident, and each trouble of our own, is one region on every chart, found again by its tag, longer as it goes on.

Nothing is said by the region that the chart's own page does not say. The text is HTML to Grafana, which cleans it; it is escaped all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, ClassVar, Literal, Protocol
from urllib.parse import urlencode

import orjson
from pydantic import Field, SecretStr, field_validator

from alerting.message import Message, facts
from alerting.messages import shortened
from alerting.model import Incident
from alerting.notify.base import HttpSettings, Sent, Unsent
from alerting.notify.http import Address, Poster

DASHBOARD_UID = "overheard-board"
MOST_TEXT, MOST_TAG = 500, 100  # characters; Grafana keeps 100 of a tag
SECONDS_APART = 0.2


class Annotations(Protocol):
    """Grafana's API for annotations, from `/api/annotations` on; `path` is empty or `/number`. Each raises what its maker raises."""

    async def find(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Those that match."""

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make, change or delete one."""


class GrafanaSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "grafana"`."""

    kind: Literal["grafana"] = "grafana"
    url: Address
    token: SecretStr
    dashboard_uid: str = Field(default=DASHBOARD_UID, min_length=1, max_length=40)
    secret_fields: ClassVar = {"token": "of a Grafana service account with the role Editor"}

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr) -> SecretStr:
        letters = token.get_secret_value()
        if not letters or not letters.isascii() or not letters.isprintable() or " " in letters:
            raise ValueError("a token is one word of letters, digits and signs")
        return token

    def make(self, name: str) -> GrafanaChannel:
        api = PostedAnnotations(
            f"{self.url.rstrip('/')}/api/annotations", self.token.get_secret_value(), Poster.of(self)
        )
        return GrafanaChannel(api, self.dashboard_uid)


class GrafanaChannel:
    """One region a key; told again, it is the same region."""

    every_seconds = SECONDS_APART
    digests = False
    keyed = True

    def __init__(self, api: PostedAnnotations, dashboard_uid: str) -> None:
        self._api, self._dashboard = api, dashboard_uid

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        for one in messages:
            await upsert(self._api, region(one, now), self._dashboard)
        return Sent()

    async def close(self) -> None:
        await self._api.poster.close()


class PostedAnnotations:
    """The API through the poster, which looks where it posts to."""

    def __init__(self, url: str, token: str, poster: Poster) -> None:
        self.poster = poster
        self._url, self._headers = url, {"authorization": f"Bearer {token}"}

    async def find(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = await self.poster.ask("GET", f"{self._url}?{urlencode(params)}", headers=self._headers)
        found = _read(answer.content)
        if not isinstance(found, list) or not all(
            isinstance(one, dict) and isinstance(one.get("id"), int) for one in found
        ):
            raise Unsent("answers, but not as Grafana does")
        return found

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else orjson.dumps(body)
        headers = {**self._headers, "content-type": "application/json"}
        answer = await self.poster.ask(method, f"{self._url}{path}", content=content, headers=headers)
        found = _read(answer.content)
        return found if isinstance(found, dict) else {}


async def upsert(api: Annotations, wanted: Mapping[str, Any], dashboard_uid: str = DASHBOARD_UID) -> int:
    """Make the one annotation with the first of these tags what it should be; its number."""
    tag = wanted["tags"][0]
    found = await api.find({"tags": tag, "type": "annotation", "limit": "100"})
    own = sorted(int(one["id"]) for one in found if tag in one.get("tags", ()))
    if not own:
        answer = await api.ask("POST", "", {"dashboardUID": dashboard_uid, **wanted})
        return int(answer.get("id", 0))
    kept, *doubled = own  # doubled: an answer was lost, and two told at once
    await api.ask("PATCH", f"/{kept}", wanted)
    for number in doubled:
        await api.ask("DELETE", f"/{number}")
    return kept


def region(message: Message, now: float) -> dict[str, Any]:
    """The annotation of a message: from the beginning to the end, or to what is known of it so far."""
    told = facts(message, now)
    links = "".join(f'\n<a href="{escape(address)}">{escape(label)}</a>' for label, address in told.links)
    text = escape(shortened(told.headline, MOST_TEXT)) + links
    if message.incident is not None:
        return incident_region(message.incident, text)
    assert message.trouble is not None
    trouble = message.trouble
    tags = [f"trouble:{trouble.key}"[:MOST_TAG], "overheard", "over" if trouble.over else "trouble"]
    return _region(trouble.since, now, tags, text)


def incident_region(incident: Incident, text: str) -> dict[str, Any]:
    """The annotation of an incident; the first tag finds it again."""
    drill = ["drill"] if incident.drill else []
    tags = [f"incident:{incident.id}", "overheard", incident.state, *incident.keywords[:1], *drill]
    end = incident.resolved_at if incident.resolved_at is not None else incident.updated_at
    return _region(incident.onset, end, [tag[:MOST_TAG] for tag in tags], text)


def _region(start: float, end: float, tags: list[str], text: str) -> dict[str, Any]:
    """In milliseconds."""
    begin = round(start * 1000)
    return {"time": begin, "timeEnd": max(begin, round(end * 1000)), "tags": tags, "text": text}


def _read(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Unsent("answers, but not as Grafana does") from None
