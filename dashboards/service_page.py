"""The page and API of a running service: what the front door adds to `run` and to the demo."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError

from dashboards.grafana.settings import grafana_settings
from dashboards.settings import PageSettings
from streams.runtime.section import SettingsError
from streams.runtime.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from streams.runtime.embedded import Service
    from streams.runtime.kafka.memory_service import MemoryService
    from streams.runtime.kafka.page_service import PageService


def page_settings(settings: Settings) -> PageSettings:
    """The `page` section with what the service decides: host, port, token, zone, lateness. Raises pydantic's ValidationError."""
    service = settings.service
    token = service.read_token()
    given: dict[str, Any] = {
        "host": service.host,
        "port": service.port,
        "token": SecretStr(token) if token else None,
        "timezone": service.timezone,
        "lateness_seconds": service.lateness_seconds,
    }
    return PageSettings.model_validate(given | settings.page)


def problems(settings: Settings) -> list[str]:
    """What is wrong with the `page` section, a line each."""
    try:
        page_settings(settings)
        grafana_settings(settings)
    except SettingsError as error:
        return error.problems
    except ValidationError as error:
        return [f"page.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    except OSError as error:
        return [f"service.token_file: {error.strerror}"]
    return []


def put_on(app: FastAPI, service: Service | MemoryService | PageService, now: Callable[[], float] = time.time) -> None:
    """Add the page to the service's app; `now` is the clock that people see."""
    from dashboards.server import mount  # not before it is needed: NiceGUI takes seconds
    from streams.runtime.own_pack import replay_command
    from streams.runtime.serving import PATHS

    live = mount(
        app,
        service.reader,
        service.append_control,
        page_settings(service.settings),
        places=service.pipeline.places,
        keywords=service.pipeline.keywords,
        policy=service.pipeline.alerts.policy,
        now=now,
        exempt=PATHS,
        replay=partial(replay_command, service.settings),
    )
    service.on_close.append(lambda: live.hear(service.pipeline.keywords))
