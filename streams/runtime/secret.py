"""The key of author tokens: given, or made once and kept in the data folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from streams.runtime.settings import Settings


def author_secret(settings: Settings) -> bytes:
    """32 bytes. Workers that share a data folder share them, whichever is first."""
    if settings.service.secret is not None:
        return hashlib.blake2b(settings.service.secret.get_secret_value().encode(), digest_size=32).digest()
    path: Path = settings.service.data / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f".secret-{os.getpid()}")
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(made, path)  # the first one wins, and no one reads half of it
        made.unlink()
    return path.read_bytes()
