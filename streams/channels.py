"""Channels: the ways complaints come in, a closed list. Two channels that agree corroborate each other."""

from __future__ import annotations

CHANNELS = ("posts", "calls", "tickets", "reports", "app", "email", "web", "other")
_BY_PREFIX = {
    "twitter": "posts",
    "x": "posts",
    "bluesky": "posts",
    "mastodon": "posts",
    "reddit": "posts",
    "facebook": "posts",
    "call": "calls",
    "calls": "calls",
    "phone": "calls",
    "ticket": "tickets",
    "tickets": "tickets",
    "complaints": "tickets",
    "helpdesk": "tickets",
    "zendesk": "tickets",
    "311": "reports",
    "open311": "reports",
    "app": "app",
    "email": "email",
    "mail": "email",
    "web": "web",
    "form": "web",
}


def channel_of(source: str) -> int:
    """The channel of a source that the configuration does not place, by the word before its first colon."""
    return CHANNELS.index(_BY_PREFIX.get(source.split(":", 1)[0].casefold(), "other"))
