"""One Grafana, spoken to through grafana-client; whatever goes wrong is a line that says what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from grafana_client.api import AsyncGrafanaApi
from grafana_client.client import (
    GrafanaBadInputError,
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaTimeoutError,
    GrafanaUnauthorizedError,
)
from niquests.exceptions import JSONDecodeError, RequestException, SSLError, TooManyRedirects

from dashboards.grafana.settings import GrafanaSettings

ADVICE = {  # by status
    403: "give the service account the role Editor",
    404: "is it Grafana that answers there, under that path?",
    409: "it was made by someone else at the same time: try again",
    412: "it was changed by someone else at the same time: try again",
    429: "it asks for rest: try again later",
}


class GrafanaError(RuntimeError):
    """Grafana did not do it; the message is one line. `status`: its answer's, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Server:
    """Use it as `async with`; one connection pool for all that is asked."""

    def __init__(self, settings: GrafanaSettings, token: str) -> None:
        self.url, self.timeout_seconds = settings.url, settings.timeout_seconds
        self.api = AsyncGrafanaApi.from_url(settings.url, credential=token, timeout=settings.timeout_seconds)
        self.client = self.api.client
        self.client.url = f"{settings.url}/api"  # it joins paths without a slash, and loses an IPv6 host's brackets
        self.client.s.trust_env = False
        self.client.s.max_redirects = 0  # a token goes where it was meant to go, or nowhere

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.s.close()

    async def asked(self, what: str, answer: Awaitable[Any]) -> dict[str, Any]:
        """The object Grafana answers with; `what` begins the line of what went wrong. Raises GrafanaError."""
        found = await self._answer(what, answer)
        if not isinstance(found, dict):
            raise self._not_grafana(what)
        return found

    async def listed(self, what: str, answer: Awaitable[Any]) -> list[dict[str, Any]]:
        """The list Grafana answers with. Raises GrafanaError."""
        found = await self._answer(what, answer)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._not_grafana(what)
        return found

    async def _answer(self, what: str, answer: Awaitable[Any]) -> Any:
        with self._plainly(what):
            return await answer

    def _not_grafana(self, what: str) -> GrafanaError:
        return GrafanaError(f"{what}: {self.url} answers, but not as Grafana does: check grafana.url")

    @contextmanager
    def _plainly(self, what: str) -> Iterator[None]:
        try:
            yield
        except GrafanaTimeoutError:
            line = f"{what}: no answer from {self.url} within {self.timeout_seconds:g} s: is it overloaded, or is something in between?"
            raise GrafanaError(line) from None
        except GrafanaUnauthorizedError:
            line = f"{what}: {self.url} refuses the token (401): set OVERHEARD_GRAFANA_TOKEN or grafana.token_file to a valid one"
            raise GrafanaError(line, 401) from None
        except GrafanaBadInputError as error:
            raise GrafanaError(f"{what}: Grafana cannot take it (400): {_said(error)}", 400) from None
        except GrafanaClientError as error:
            advice = ADVICE.get(error.status_code, "see Grafana's log")
            line = f"{what}: {self.url} answered {error.status_code}: {_said(error)}: {advice}"
            raise GrafanaError(line, error.status_code) from None
        except GrafanaServerError as error:
            line = f"{what}: {self.url} failed ({error.status_code}): {_said(error)}: see Grafana's log, then try again"
            raise GrafanaError(line, error.status_code) from None
        except JSONDecodeError:
            raise self._not_grafana(what) from None
        except TooManyRedirects:
            raise GrafanaError(
                f"{what}: {self.url} leads elsewhere: set grafana.url to the address it leads to"
            ) from None
        except SSLError as error:
            raise GrafanaError(f"{what}: the certificate of {self.url} is not trusted: {_line(error)}") from None
        except (GrafanaException, RequestException, OSError) as error:
            raise GrafanaError(f"{what}: cannot reach {self.url}: is Grafana running there? {_line(error)}") from None


def _said(error: GrafanaException) -> str:
    response = error.response
    said = response.get("message", response) if isinstance(response, dict) else response
    return _line(said)


def _line(said: object) -> str:
    return " ".join(str(said).split())[:200]
