"""The user's own pack file, to which promotions add keywords, and from which undoing takes them. Shipped packs are never changed.

The file changes before the act is kept, and is put back where that fails; a program that dies in between leaves a keyword that counts and is
in no act.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from alerting.model import Control
from alerting.standing import kept
from streams.pack import SHIPPED, Pack, PackError, pack_file, parse_pack
from streams.promotion import BOM, PromotionError, check_promotable, demoted, promoted
from streams.runtime.kafka import topics
from streams.runtime.settings import Settings
from streams.runtime.store.reader import Reader

log = structlog.get_logger(__name__)


class Change(NamedTuple):
    """The file's text before and after."""

    path: Path
    before: str
    after: str

    def make(self) -> None:
        """Write it, unless the file is another by now. Raises PromotionError."""
        _replace(self.path, self.before, self.after)

    def take_back(self) -> None:
        """Write what was there, as far as nobody else has written since."""
        try:
            _replace(self.path, self.after, self.before)
        except PromotionError as error:
            log.error("the pack keeps a keyword whose promotion was not recorded", reason=str(error))


class OwnPack:
    """One pack's file; what was promoted before is asked of the store and remembered from this process."""

    def __init__(
        self, name: str, reader: Callable[[], Reader], refuses: Callable[[Pack], str | None] = lambda _: None
    ) -> None:
        """`reader`: opens the store when first needed. `refuses`: why a pack cannot follow the one in use."""
        self.name = name
        self._reader = reader
        self._refuses = refuses
        self._done: dict[
            str, Control
        ] = {}  # promotions and undoings of this process: the store shows them a moment later
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def changed(self, control: Control) -> AsyncIterator[str | None]:
        """With the file changed as the act asks, and put back where it cannot be kept; the new text, None for what is no matter of the pack.

        Raises PromotionError, and OSError where the store cannot be asked.
        """
        if control.kind not in ("promote", "undo"):
            yield None
            return
        async with self._lock:
            change = await asyncio.to_thread(self._change, control)
            try:
                yield None if change is None else change.after.removeprefix(BOM)
            except BaseException:
                if change is not None:
                    change.take_back()
                raise
            if change is not None:
                self._done[control.id] = control

    def _change(self, control: Control) -> Change | None:
        try:
            undone = self._undone(control) if control.kind == "undo" else None
            if control.kind == "promote":
                self._check(control)
        except SQLAlchemyError as error:
            raise OSError(f"the store does not answer: {type(error).__name__}") from error
        if control.kind == "undo" and undone is None:
            return None
        path = own_file(self.name)
        before = _read(path)
        after = promoted(before, control, str(path)) if undone is None else demoted(before, undone, str(path))
        if after is None:
            return None
        if refused := self._refuses(parse_pack(after.removeprefix(BOM), str(path))):
            raise PromotionError(refused)
        change = Change(path, before, after)
        change.make()
        return change

    def _undone(self, control: Control) -> Control | None:
        """The promotion that an undo takes back; None where it takes back something else, or what was taken back before."""
        id = control.value or ""
        done = self._done.get(id) or self._reader().control(id)
        if done is None or done.kind != "promote":
            return None
        return next((one for one in self._standing(done.incident or "") if one.id == id), None)

    def _check(self, control: Control) -> None:
        id = control.incident or ""
        found = self._reader().incident(id)
        if not found:
            raise PromotionError(f"there is no incident {id!r}")
        check_promotable(found[-1])
        for one in self._standing(id):
            raise PromotionError(f"it was promoted to {one.keywords[0]!r} already; undo that first")

    def _standing(self, incident: str) -> list[Control]:
        """Promotions of an incident that were not taken back."""
        known = {one.id: one for one in (*self._reader().controls(incident), *self._done.values())}
        return [one for one in kept(known.values()) if one.kind == "promote" and one.incident == incident]


def own_file(name: str) -> Path:
    """The file of a pack that belongs to the user. Raises PromotionError for a shipped one, with the way to an own."""
    try:
        path = pack_file(name).resolve()
    except PackError as error:
        raise PromotionError(str(error)) from None
    if path.is_relative_to(SHIPPED.resolve()):
        own = f"my-{path.stem}.toml"
        raise PromotionError(
            f"{path.stem!r} is a shipped pack, which is not changed. Make it yours: {shlex.join(['cp', str(path), own])}, "
            f'put pack = "{own}" into the configuration, start again; what was learnt stays'
        )
    return path


def as_change(control: Control, text: str) -> Control:
    """The change of the pack that a promotion or its undoing brings, for logs whose readers do not follow the file."""
    return Control(id=f"pack:{control.id}"[:64], kind="pack", at=control.at, author=control.author, value=text,
                   reason=f"{control.kind} {control.value if control.kind == 'undo' else control.keywords[0]}", via=control.via)  # fmt: skip


def replay_command(settings: Settings, keyword: str, config: Path | None = None) -> str:
    """What replays the past with the pack as it is now. `config`: the configuration's file, where it is known."""
    service, kafka = settings.service, settings.kafka
    words = ["overheard", "replay"]
    if kafka is None:
        words += ["--store", make_url(service.store_url).render_as_string()]
    else:
        topic = f"kafka://{topics.COMPLAINTS.full(kafka.prefix)}"
        words += [topic, "--config", "CONFIG" if config is None else str(config)]
    words += ["--pack", settings.pack]
    for option, value, usual in (
        ("--budget", service.budget_per_week, 0.25),
        ("--lateness", service.lateness_seconds, 60.0),
        ("--detector", service.detector, "default"),
    ):
        words += [option, f"{value:g}" if isinstance(value, float) else value] if value != usual else []
    return shlex.join([*words, "--out", f"replay-{keyword.replace('/', '-')}"])


def _read(path: Path) -> str:
    """Every byte of it, line ends as they are. Raises PromotionError."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PromotionError(f"{path} cannot be read: {error}") from error


def _replace(path: Path, before: str, after: str) -> None:
    """All of it or nothing: a file beside it, of the same rights, takes its name."""
    try:
        with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            beside = Path(file.name)
            try:
                file.write(after.encode())
                file.flush()
                os.fsync(file.fileno())
                shutil.copymode(path, beside)
                if _read(path) != before:
                    raise PromotionError(f"{path} was changed by somebody just now: look at it, and try again")
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise PromotionError(f"{path} cannot be written: {error.strerror or error}") from error
