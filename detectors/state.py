"""Snapshots: named arrays and a small JSON head, with a version and a checksum; nothing that could run code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"OVHD\x01"
DIGEST_BYTES = 16
Arrays = dict[str, npt.NDArray[Any]]


def pack(kind: str, meta: Mapping[str, object], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """`kind` names the detector and the version of its state; equal states give equal bytes."""
    layout = [[name, a.dtype.str, list(a.shape)] for name, a in sorted(arrays.items())]
    head = json.dumps({"kind": kind, "meta": meta, "arrays": layout}, sort_keys=True).encode()
    body = b"".join(
        [len(head).to_bytes(4, "big"), head, *(np.ascontiguousarray(a).tobytes() for _, a in sorted(arrays.items()))]
    )
    return MAGIC + hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() + body


def unpack(kind: str, state: bytes) -> tuple[dict[str, Any], Arrays]:
    """Meta and arrays of a snapshot; ValueError when it is damaged or of another kind."""
    begin = len(MAGIC) + DIGEST_BYTES
    if state[: len(MAGIC)] != MAGIC or len(state) < begin + 4:
        raise ValueError("state: not a detector's snapshot")
    body = memoryview(state)[begin:]
    if hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() != state[len(MAGIC) : begin]:
        raise ValueError("state: damaged, the checksum does not fit")
    length = int.from_bytes(body[:4], "big")
    head = json.loads(bytes(body[4 : 4 + length]))
    if head["kind"] != kind:
        raise ValueError(f"state: of {head['kind']!r}, wanted {kind!r}")
    at, arrays = 4 + length, {}
    for name, dtype, shape in head["arrays"]:
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        arrays[name] = np.frombuffer(body[at : at + size], np.dtype(dtype)).reshape(shape).copy()
        at += size
    return head["meta"], arrays
