"""Serves one made-up day: `python -m tests.browser.stage DAY PORT ACTS_FILE`; acts go to the file,
as JSON lines; the store lies beside it. The day `locked` is the storm behind a token.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from alerting.model import Control
from alerting.policy import Policy
from dashboards.server import mount
from dashboards.settings import PageSettings
from streams.promotion import PromotionError
from streams.runtime.own_pack import replay_command
from streams.runtime.settings import Settings
from tests.dashboards.made_up import NOW, WINDOW, Keywords, Places
from tests.dashboards.made_up_weeks import ALL_DAYS

TOKEN = "open-sesame"


def main(day: str, port: int, acts: Path) -> None:
    async def act(control: Control) -> None:
        if control.kind == "promote" and control.keywords == ("delay",):
            raise PromotionError("'delay' is in own.toml already: choose another id")
        with acts.open("ab") as file:
            file.write(msgspec.json.encode(control) + b"\n")

    settings = PageSettings(port=port, timezone="America/New_York")
    if day == "locked":
        settings = settings.model_copy(update={"host": "0.0.0.0", "token": SecretStr(TOKEN)})
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    reader = ALL_DAYS["storm" if day == "locked" else day]().store(acts.with_suffix(".sqlite"))
    mount(
        app, reader, act, settings, places=Places(), keywords=Keywords(), policy=Policy(window_seconds=WINDOW), now=lambda: NOW,
        replay=partial(replay_command, Settings(pack="own.toml")),
    )  # fmt: skip
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
