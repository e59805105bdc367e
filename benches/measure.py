"""Runs a program and says what it cost: seconds by the wall, and peak memory of it and all it started."""

import functools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """What one run cost."""

    seconds: float
    mebibytes: float


class Run(NamedTuple):
    """A program as it is started, and the codes it may end with."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = {}
    codes: Sequence[int] = (0, 1)


class Failed(Exception):
    """A program ended as it must not."""


def measured(run: Run, output: Path) -> Cost:
    """Runs a program, its output into a file."""
    timer = gnu_time()
    note = output.with_suffix(".peak")
    # A child counts the memory of who started it as its own; the timer is small, Python is not.
    words = [timer, "-f", "%M", "-o", str(note), *run.command] if timer else list(run.command)
    complaints = output.with_suffix(".err")
    environment = {**bare(), **run.environment}
    with output.open("wb") as out, complaints.open("wb") as err:
        started = time.perf_counter()
        child = subprocess.Popen(words, cwd=run.folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        family = Family(child.pid)
        family.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        family.stop()
    if child.returncode not in run.codes:
        last = complaints.read_text(errors="replace").splitlines()[-20:]
        raise Failed(f"{' '.join(run.command)}\nended with {child.returncode}:\n" + "\n".join(last))
    if timer:
        # A line that speaks of the exit code may come first.
        peak = int(note.read_text().split()[-1]) / 1024
    else:
        # macOS counts bytes, everyone else kibibytes.
        peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return Cost(seconds, max(peak, family.mebibytes))


def bare() -> dict[str, str]:
    """The environment without what would tell trailcheck how to work."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRAILCHECK_")}


@functools.cache
def gnu_time() -> str | None:
    """GNU's `time`, where it is there."""
    found = shutil.which("time")
    if not found:
        return None
    tried = subprocess.run([found, "-f", "%M", "true"], capture_output=True, check=False)
    return found if tried.returncode == 0 else None


class Family(threading.Thread):
    """Looks at a process and its descendants now and then, since what several of them hold at once is in no account.

    What they share is counted once, by the kernel's proportional figures. A short run is over before the first look.
    """

    EVERY = 0.25

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid = pid
        self.mebibytes = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.EVERY):
            members = descendants(self.pid)
            # One process has its account, which is exact.
            if len(members) > 1:
                self.mebibytes = max(self.mebibytes, sum(map(held, members)) / 1024)

    def stop(self) -> None:
        self.over.set()
        self.join()


def descendants(pid: int) -> list[int]:
    """The processes below one, without it where it only waits for one of them."""
    found, left = [], [pid]
    while left:
        at = left.pop()
        try:
            threads = os.listdir(f"/proc/{at}/task")
            for thread in threads:
                children = Path(f"/proc/{at}/task/{thread}/children").read_text().split()
                left.extend(int(child) for child in children)
        except OSError:
            continue
        if at != pid:
            found.append(at)
    return found


def held(pid: int) -> int:
    """The kibibytes a process holds, what it shares with others divided among them."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


@contextmanager
def processors(count: int) -> Iterator[None]:
    """Keeps all that is started inside to so many processors, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
