"""Checks that trailcheck says the same, byte for byte, however it is run: with 1, 2 and 8 threads, without a cache,
with an empty one, with a full one, and with one that another tree has filled.

    python3 benches/identity.py FOLDER … [--program FILE]

Every FOLDER is a tree; nothing is written into it. Compared are the exit code, what stands on stdout and stderr, and the
reports in all formats. Ends with 1 when anything differs.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import bare
from tools import Trailcheck, built

FORMATS = ("human", "concise", "jsonl", "sarif", "github", "gitlab", "junit", "markdown", "html")
THREADS = (1, 2, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a tree")
    parser.add_argument("--program", type=Path, help="the trailcheck to check; built as released if not given")
    arguments = parser.parse_args()
    trailcheck = Trailcheck((arguments.program or built()).resolve())
    differences = 0
    with tempfile.TemporaryDirectory(prefix="trailcheck-identity-") as work:
        for number, folder in enumerate(arguments.folders):
            ways = list(all_ways(trailcheck, Path(work) / f"cache_{number}", Path(work) / "shared"))
            expected = None
            different = []
            for name, options, threads in ways:
                said = answer(trailcheck, folder, options, threads, Path(work) / "reports")
                expected = expected or said
                parts = [part for part in expected if said.get(part) != expected[part]]
                if parts:
                    different.append(f"    {name}, {threads} threads: {', '.join(parts)}")
            differences += len(different)
            told = "DIFFERENT" if different else f"the same in {len(ways)} ways"
            print("\n".join([f"{folder.resolve().name}: {told}", *different]), flush=True)
    sys.exit(bool(differences))


def all_ways(trailcheck: Trailcheck, own: Path, shared: Path) -> Iterator[tuple[str, list[str], int]]:
    """Each way to run a check: its name, its options, its threads. The first is what the others are held against."""
    if not trailcheck.can_cache:
        yield from (("no cache known", [], threads) for threads in THREADS)
        return
    yield from (("no cache", ["--no-cache"], threads) for threads in THREADS)
    for threads in THREADS:
        # What the first run writes, the second reads.
        cache = ["--cache-dir", f"{own}_{threads}"]
        yield "an empty cache", cache, threads
        yield "a full cache", cache, threads
        # This one holds all trees before, too, and what other threads have written.
        yield "a shared cache", ["--cache-dir", str(shared)], threads


def answer(trailcheck: Trailcheck, folder: Path, options: list[str], threads: int, reports: Path) -> dict[str, str]:
    """The digest of each thing that a check says."""
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    command = [str(trailcheck.program), "check", ".", "--format", "json", *options]
    for name in FORMATS:
        command += ["--output", f"{name}={reports / name}"]
    # The day is given, so that no run says how long it took.
    environment = {**bare(), "RAYON_NUM_THREADS": str(threads), "SOURCE_DATE_EPOCH": "1767225600", "NO_COLOR": "1"}
    ran = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    parts = {"exit code": str(ran.returncode).encode(), "stdout": ran.stdout, "stderr": ran.stderr}
    parts |= {file.name: file.read_bytes() for file in reports.iterdir()}
    if ran.returncode not in (0, 1, 3):
        sys.exit(f"{folder}: trailcheck ended with {ran.returncode}\n{ran.stderr.decode(errors='replace')}")
    return {name: hashlib.sha256(text).hexdigest() for name, text in parts.items()}


if __name__ == "__main__":
    main()
