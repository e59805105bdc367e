#!/usr/bin/env python3
"""Fixes a copy of a project and holds it against the original. `bench.sh` runs it.

    python3 tests/fixed.py TRAILCHECK FOLDER OPTION...

Says how many findings were fixed in how many files, how many files Python's own compile() took before and takes no more,
and how many findings are new: by file, rule, function and message. Exit 1 when there is one of either.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path


def compiles(path: Path) -> bool:
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def scan(program: str, folder: Path, *options: str) -> dict:
    command = [program, "check", ".", "--format", "json", *options]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"{folder.name}: {run.stderr}")
    return json.loads(run.stdout)


def findings(report: dict) -> Counter:
    found = Counter()
    for file in report["files"]:
        for finding in file["findings"]:
            found[file["path"], finding["rule"], finding["function"], finding["message"]] += 1
    return found


def main() -> int:
    program, source, options = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]), sys.argv[3:]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / source.name
        shutil.copytree(source, folder, symlinks=True)
        old = {path: (path.read_bytes(), compiles(path)) for path in folder.rglob("*.py")}
        before = findings(scan(program, folder))
        fixed = scan(program, folder, *options)
        after = findings(scan(program, folder))
        changed = [path for path, (text, _) in old.items() if path.read_bytes() != text]
        broken = [path for path in changed if old[path][1] and not compiles(path)]
        new = after - before
        changes = Counter(change["rule"] for file in fixed["files"] for change in file.get("changes", []))
    print(
        f"{source.name}: {sum(changes.values())} findings fixed in {len(changed)} files, "
        f"{len(broken)} files compile no more, {sum(new.values())} new findings; "
        f"{sum(before.values())} findings before, {sum(after.values())} after"
    )
    for rule, times in sorted(changes.items()):
        print(f"  {times:4} {rule}")
    for path in broken:
        print(f"  compiles no more: {path.relative_to(folder)}")
    for key in sorted(new):
        print("  new:", *key)
    return 1 if broken or new else 0


if __name__ == "__main__":
    sys.exit(main())
