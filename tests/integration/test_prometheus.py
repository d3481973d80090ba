"""The whole chain on real servers: a service is scraped, a rule of ours fires, Alertmanager tells a receiver."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from service import SUNDAY, Running, complaint, lines

from dashboards.grafana.build import GENERATED
from tests.alerting.notify.receiver import Answer, Receiver
from tests.alertmanager import HOST, Alertmanager
from tests.prometheus import Prometheus

pytestmark = [
    pytest.mark.alertmanager,
    pytest.mark.prometheus,
    pytest.mark.usefixtures("alertmanager_programs", "prometheus_programs"),
]
SECONDS = 30.0


def told(sink: Receiver) -> dict[str, dict[str, Any]]:
    """The alerts that came, by name."""
    bodies: list[dict[str, Any]] = [request.json() for request in sink.requests]
    return {
        alert["labels"]["alertname"]: alert
        for body in bodies
        for alert in body["alerts"]
        if alert["status"] == "firing"
    }


async def until(holds: Callable[[], Any], what: str) -> Any:
    """What it gives once that is something."""
    end = time.monotonic() + SECONDS
    while not (found := await asyncio.to_thread(holds)):
        assert time.monotonic() < end, f"{what}: not within {SECONDS:.0f} s"
        await asyncio.sleep(0.1)
    return found


def test_what_is_wrong_with_a_service_reaches_people_through_prometheus(service: Callable[..., Running]) -> None:
    async def lived() -> None:
        async with AsyncExitStack() as stack:
            sink = await stack.enter_async_context(Receiver(lambda _: Answer()))
            alertmanager = Alertmanager(f"{sink.url}/hook", group_wait="1s")
            stack.callback(alertmanager.end)
            await asyncio.to_thread(alertmanager.start)
            running = service()
            await asyncio.to_thread(running.start)
            await asyncio.to_thread(running.wait)
            prometheus = Prometheus(f"{HOST}:{running.port}", alertmanager.url.removeprefix("http://"))
            stack.callback(prometheus.end)
            await asyncio.to_thread(prometheus.start)
            await _chain(running, prometheus, sink)

    asyncio.run(lived())


async def _chain(running: Running, prometheus: Prometheus, sink: Receiver) -> None:
    def shows(expression: str, value: float) -> bool:
        return any(found == value for _, found in prometheus.query(expression))

    await until(lambda: shows('up{job="overheard"}', 1) and shows("sum(overheard_dead_letters_total)", 0), "a scrape")
    assert await until(lambda: "OverheardWatchdog" in told(sink), "the watchdog")
    good = [complaint(number, SUNDAY + number, "Houston", FIRST) for number in range(30)]
    later = complaint(99, SUNDAY + 900, "Boston", FIRST)
    broken = [{**one, "id": f"b{number}", "created_at": "yesterday"} for number, one in enumerate(good)]
    await asyncio.to_thread(running.post, lines([*good, later, *broken]))
    named = 'overheard_series_people{keyword="*"} * on (place) group_left (name) overheard_place_info{name="Houston"}'
    await until(lambda: shows(named, 30), "30 people shown")
    await until(lambda: shows('sum(overheard_records_total{source="twitter:test"})', 31), "31 records written")
    letters = await until(lambda: told(sink).get("OverheardDeadLetters"), "dead letters are told")
    assert letters["labels"]["reason"] == "bad_time"
    assert letters["annotations"]["runbook"] == "docs/runbooks.md#overhearddeadletters"
    old = await until(lambda: told(sink).get("OverheardNotClosing"), "told that nothing newer is judged")  # than 2024
    assert old["labels"]["severity"] == "page"
    await until(lambda: not prometheus.query('ALERTS{alertname="OverheardDown"}'), "what fired at the start is over")
    await asyncio.to_thread(_panels_answer, prometheus)
    sink.requests.clear()
    await asyncio.to_thread(running.kill)
    down = await until(lambda: told(sink).get("OverheardDown"), "told that it is down")
    assert down["annotations"]["summary"] == "No process of overheard answers."


def _panels_answer(prometheus: Prometheus) -> None:
    """Every panel's PromQL is understood, and gives rows where the service shows the metric."""
    shown = {found["__name__"] for found, _ in prometheus.query('{__name__=~"overheard_.+"}')}
    answered = 0
    for path in GENERATED.glob("*.json"):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for expression in (target["expr"] for target in panel["targets"] if "expr" in target):
                rows = prometheus.query(expression.replace("$__rate_interval", "1m"))
                if not expression.endswith("> 0") and set(re.findall(r"overheard_[a-z_]+", expression)) <= shown:
                    assert rows, f"{panel['title']}: {expression}"
                    answered += 1
    assert answered > 12


class _First:
    """Stands in for chance: the first of everything."""

    @staticmethod
    def choice(found: Any) -> Any:
        return found[0]


FIRST: Any = _First()
