"""Who may look and act: a token everywhere but on loopback, same origin for what changes, and the page's headers."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.settings import PageSettings
from dashboards.theme import plain_page

Role = Literal["operations", "public"]
COOKIE = "overheard_token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
SIGN_IN = """<h1>Sign in to overheard</h1><p class="lede">{said}</p>
<form method="post" action="/sign-in" class="panel" style="max-width:24rem;display:grid;gap:.8rem;margin-top:1rem">
<label>Token<input type="password" name="token" autocomplete="current-password" autofocus required></label>
<button class="primary" type="submit">Sign in</button></form>"""


class Guard:
    """ASGI middleware; passes the role on as `scope["state"]["role"]`. `exempt`: path prefixes with own rules."""

    def __init__(self, app: ASGIApp, settings: PageSettings, exempt: tuple[str, ...] = ()) -> None:
        self.app = app
        self._settings = settings
        self._exempt = exempt
        names = {settings.host.casefold(), *(name.casefold() for name in settings.hosts)}
        self._names = names | LOOPBACK_NAMES if settings.token is None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or str(scope["path"]).startswith(self._exempt or ("\0",)):
            await self.app(scope, receive, send)
            return
        refused = await self._refuse(scope, receive)
        if refused is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, _with_headers(send))

    async def _refuse(self, scope: Scope, receive: Receive) -> Response | None:
        """The answer that ends the request here, None where it may go on."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._names is not None and host.rpartition(":")[0].casefold() not in self._names:
            name = host.casefold()
            if name not in self._names:  # a foreign name for this machine: a page elsewhere tries to read this one
                return JSONResponse({"detail": "unknown host name; add it to page.hosts"}, 421)
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE
        if (unsafe or "origin" in headers) and not _same_origin(headers, host):
            return JSONResponse({"detail": "this request comes from another site"}, 403)
        if scope["type"] == "http" and scope["path"] == "/sign-in" and scope["method"] == "POST":
            return await self._sign_in(scope, receive)
        role = self._role(headers)
        if role is None:
            return _unauthorised(scope, headers)
        if role == "public" and (unsafe or not str(scope["path"]).startswith("/api/")):
            return JSONResponse({"detail": "this token may only read /api"}, 403)
        scope.setdefault("state", {})["role"] = role
        return None

    def _role(self, headers: Headers) -> Role | None:
        if self._settings.token is None:
            return "operations"
        scheme, _, given = headers.get("authorization", "").partition(" ")
        token = given.strip() if scheme.casefold() == "bearer" else _cookie(headers)
        return self._role_of(token)

    def _role_of(self, token: str) -> Role | None:
        roles: tuple[tuple[Role, object], ...] = (
            ("operations", self._settings.token),
            ("public", self._settings.public_token),
        )
        for role, secret in roles:
            wanted = secret.get_secret_value() if hasattr(secret, "get_secret_value") else ""
            if wanted and hmac.compare_digest(wanted.encode(), token.encode()):
                return role
        return None

    async def _sign_in(self, scope: Scope, receive: Receive) -> Response:
        form = parse_qs((await _body(receive)).decode("utf-8", "replace"))
        token = (form.get("token") or [""])[0].strip()
        if self._role_of(token) is None:
            return HTMLResponse(plain_page("Sign in", SIGN_IN.format(said="That token is not known here.")), 401)
        answer = RedirectResponse("/", 303)
        secure = scope.get("scheme") == "https"
        answer.set_cookie(COOKIE, token, max_age=30 * 86400, httponly=True, samesite="strict", secure=secure)
        return answer


def _unauthorised(scope: Scope, headers: Headers) -> Response:
    challenge = {"www-authenticate": 'Bearer realm="overheard"'}
    if "text/html" in headers.get("accept", "") and not str(scope["path"]).startswith("/api/"):
        said = "This page can be reached from other machines, so it asks for the token of its settings."
        return HTMLResponse(plain_page("Sign in", SIGN_IN.format(said=said)), 401, challenge)
    return JSONResponse({"detail": "a bearer token is required"}, 401, challenge)


def _same_origin(headers: Headers, host: str) -> bool:
    """A browser names the origin of what changes; programs that send none carry no cookies of a victim either."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return urlsplit(origin).netloc.casefold() == host.casefold()


def _cookie(headers: Headers) -> str:
    return cookies(headers.get("cookie", "")).get(COOKIE, "")


def cookies(header: str) -> dict[str, str]:
    """The cookies of a request; an unreadable header is none."""
    try:
        return {key: morsel.value for key, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


async def _body(receive: Receive, limit: int = 8192) -> bytes:
    body = b""
    while len(body) <= limit:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:limit]


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", POLICY)
            headers.setdefault("x-content-type-options", "nosniff")
            headers.setdefault("referrer-policy", "same-origin")
        await send(message)

    return wrapped
