#!/usr/bin/env python3
"""Kills a fixing run at random moments and looks at what is left on the disk. No part of the tests, since it takes long.

    python3 tests/kills.py TRAILCHECK FOLDER [TIMES]

TRAILCHECK  the program, best a release build
FOLDER      a project; it is copied, and never touched itself
TIMES       how many runs are killed (1000)

Each run starts from a fresh copy with `--fix --unsafe-fixes` and is killed after a random time, every second one
while files are being written. Whatever the moment, each file must hold its old bytes or those that an undisturbed run
writes, none may be lost, and nothing may be left but hidden temporary files, which are counted. Exit 1 otherwise.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def read(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def start(program: str, folder: Path) -> subprocess.Popen:
    command = [program, "check", ".", "--fix", "--unsafe-fixes", "--quiet", "--fail-on", "never"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet)


def fresh(source: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    return folder


def first_change(folder: Path, old: dict[str, bytes], run: subprocess.Popen) -> None:
    """Waits until a file has changed, or a temporary one has appeared."""
    names = [name for name in old if name.endswith(".py")]
    stamps = {name: (folder / name).stat().st_ino for name in names}
    while run.poll() is None:
        for name in names:
            if (folder / name).stat().st_ino != stamps[name]:
                return
        time.sleep(0.0002)


def main() -> int:
    program = str(Path(sys.argv[1]).resolve())
    source = Path(sys.argv[2])
    times = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        folder = fresh(source, Path(place) / "copy")
        old = read(folder)
        began = time.monotonic()
        if start(program, folder).wait() != 0:
            print("an undisturbed run fails", file=sys.stderr)
            return 1
        whole = time.monotonic() - began
        new = read(folder)
        changing = [name for name in old if old[name] != new[name]]
        print(f"{len(changing)} of {len(old)} files change, an undisturbed run takes {whole:.2f} s")
        mixed = lost = strange = temporary = partly = killed = 0
        for number in range(times):
            folder = fresh(source, folder)
            run = start(program, folder)
            if number % 2:
                first_change(folder, old, run)
                time.sleep(chance.uniform(0, 0.01))
            else:
                time.sleep(chance.uniform(0, whole))
            if run.poll() is None:
                killed += 1
                os.kill(run.pid, signal.SIGKILL)
            run.wait()
            now = read(folder)
            lost += sum(name not in now for name in old)
            wrong = [name for name in old if name in now and now[name] not in (old[name], new[name])]
            mixed += len(wrong)
            extra = [name for name in now if name not in old]
            hidden = [name for name in extra if Path(name).name.startswith(".trailcheck-")]
            temporary += len(hidden)
            strange += len(extra) - len(hidden)
            done = sum(now.get(name) == new[name] for name in changing)
            partly += 0 < done < len(changing)
        print(f"{times} runs, {killed} killed before their end, {partly} of them with some files written and some not")
        print(f"{mixed} mixed, {lost} lost, {strange} other files, {temporary} temporary files left")
        return 1 if mixed or lost or strange else 0


if __name__ == "__main__":
    sys.exit(main())
