"""A worker that hangs ends itself, wherever it hangs, and its successor goes on with nothing wrong.

One thread of a real worker is held by `ptrace`, as one is that waits in the kernel for ever: asleep in its event loop, or in the midst of Python
code so that no other thread of Python runs either.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

import pytest
from deployment import Deployment, busy
from faults import Feed, judge, restart, tell
from service import SUNDAY
from test_kafka_kill import until_owned

from benchmarks.broker import Broker
from streams.runtime.kafka.watchdog import EXIT_STUCK

WATCHDOG_SECONDS = 5.0
MOST_SECONDS = 2 * WATCHDOG_SECONDS
ATTACH, DETACH, ALL = 16, 17, 0x40000000
RUNNING = -1
EPOLL = (232, 281, 22)  # epoll_wait, epoll_pwait; the latter of arm64

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def hold(thread: int) -> int:
    """Stop a thread and no other of its process; the system call it stood in, RUNNING where it stood in none."""
    if libc.ptrace(ATTACH, thread, None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(thread, ALL)
    told = Path(f"/proc/{thread}/syscall").read_text().split()[0]
    return RUNNING if told == "running" else int(told)


def hold_when(thread: int, wanted: tuple[int, ...]) -> None:
    """Hold it at a moment when it stands in one of these."""
    for _ in range(2000):
        if hold(thread) in wanted:
            return
        libc.ptrace(DETACH, thread, None, None)
        time.sleep(0.005)
    raise TimeoutError(f"{thread} was never in {wanted}")


@pytest.mark.timeout(150)
@pytest.mark.parametrize("where", ["asleep in the loop", "in Python"])
def test_a_hung_worker_ends_itself(broker: Broker, tmp_path: Path, where: str) -> None:
    name = where.replace(" ", "-").lower()
    deployment = Deployment(
        tmp_path, broker.address, prefix=f"hung-{name}", poll_records=200, watchdog_seconds=WATCHDOG_SECONDS
    )
    records = busy(9, 12_000)
    try:
        deployment.create()
        worker = deployment.start()
        until_owned(deployment)
        feed = Feed(deployment, records, 8.0)
        time.sleep(2)
        hold_when(worker.pid, EPOLL if where == "asleep in the loop" else (RUNNING,))
        began = time.monotonic()
        code = worker.wait(60)
        took = time.monotonic() - began
        said = deployment.log()
        restart(deployment)
        feed.join()
        deployment.tick(SUNDAY + 2 * 86400 + 60.0)
        deployment.settle(90)
        found = judge(deployment, records)
    finally:
        deployment.end()
    tell(f"hung {where}", f"exit {code} after {took:.1f} s", found)
    if where == "asleep in the loop":
        assert code == EXIT_STUCK
        assert "no progress" in said
    else:
        assert code == 1
        assert f"Timeout (0:00:{WATCHDOG_SECONDS + 1:02.0f})!" in said  # and where every thread stood
    assert took <= MOST_SECONDS
    assert found.wrong == 0
    assert found.redelivered > 0
