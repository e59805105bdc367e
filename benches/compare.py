"""Measures trailcheck beside other tools, and writes what came of it as Markdown.

    python3 benches/compare.py [FOLDER …] [options]

Each FOLDER is a project; without one, pinned packages are fetched from the index that pip is set up with. Nothing is
measured where it lies: the Python files that trailcheck would check are copied into a throw-away folder. ruff, ast-grep,
semgrep and ripgrep are installed into an environment of their own, unless --tools names a folder that has them.

Every round runs every tool once, so that what disturbs the machine disturbs all of them.
"""

import argparse
import datetime
import os
import platform
import re
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import Cost, Failed, measured, processors
from tools import Case, Peers, Trailcheck, built
from trees import HERE, beside, fetch, gather, python_files, size, within

PAGE = HERE / "README.md"
FROM, UNTIL = "<!-- figures -->", "<!-- end of figures -->"


def main() -> None:
    arguments = asked()
    # Ended from outside, it takes its folder away, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(prefix="trailcheck-bench-", dir=arguments.work) as folder:
        try:
            text = report(arguments, Path(folder))
        except Failed as failed:
            sys.exit(str(failed))
    print(text)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(FROM)[0], page.split(UNTIL)[1]
        PAGE.write_text(f"{before}{FROM}\n\n{text}\n{UNTIL}{after}", encoding="utf-8")


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="a project to measure on")
    parser.add_argument("--packages", action="store_true", help="also fetch the pinned packages where folders are given")
    parser.add_argument("--program", type=Path, help="the trailcheck to measure; built as released if not given")
    parser.add_argument("--tools", type=Path, help="a folder that has ruff, ast-grep, semgrep and rg")
    parser.add_argument("--no-peers", action="store_true", help="run trailcheck only")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tool (default 5)")
    parser.add_argument("--slow-runs", type=int, help="runs of ast-grep and semgrep (default: as many)")
    parser.add_argument("--scale-runs", type=int, default=3, help="runs of each line of the scaling table (default 3)")
    parser.add_argument("--scale", type=Path, help="the tree to multiply (default: all of it; `none` for no scaling table)")
    parser.add_argument("--threads", type=int, default=2, help="threads and processors for each tool (default 2)")
    parser.add_argument("--work", type=Path, help="where to make the throw-away folder")
    parser.add_argument("--write", action="store_true", help="also put the figures into benches/README.md")
    return parser.parse_args()


def report(arguments: argparse.Namespace, work: Path) -> str:
    """Measures everything, and tells it."""
    trailcheck = Trailcheck((arguments.program or built()).resolve())
    folders = list(arguments.folders)
    if arguments.packages or not folders:
        say("fetching the packages")
        folders += fetch(work)
    tree = work / "tree"
    projects = gather(trailcheck.program, folders, tree)
    peers = None
    if not arguments.no_peers:
        say("looking for the tools" if arguments.tools else "installing the tools")
        peers = Peers(arguments.tools.resolve()) if arguments.tools else Peers.installed(work / "tools")
    files = python_files(tree)
    count, lines = size(files)
    threads = arguments.threads
    heading = [
        f"Measured on {datetime.date.today()} with {trailcheck.version()}"
        f"{' (its build has no cache yet)' if not trailcheck.can_cache else ''}"
        f"{', ' + peers.versions() if peers else ''}; {machine()}. The tree: {len(projects)} projects,"
        f" {len(files):,} Python files, {count / 1e6:.0f} MB, {lines / 1e6:.2f} million lines."
        f" Every tool has {threads} threads on {threads} processors, and the files are in memory."
    ]
    with processors(threads):
        cases = trailcheck.cases(tree, projects, threads, work / "cache")
        cases += peers.cases(tree, threads) if peers else []
        costs = interleaved(cases, arguments, work)
    seen = {case.name: case.count() for case in cases}
    parts = [*heading, "", *comparison(cases, costs, seen), "", *targets(costs)]
    if str(arguments.scale) != "none":
        parts += ["", *scaling(trailcheck, arguments, tree, work)]
    return "\n".join(parts) + "\n"


def interleaved(cases: list[Case], arguments: argparse.Namespace, work: Path) -> dict[str, list[Cost]]:
    """Runs every case once a round; slow ones may rest in the later rounds."""
    costs: dict[str, list[Cost]] = {case.name: [] for case in cases}
    slow_runs = arguments.slow_runs or arguments.runs
    for turn in range(max(arguments.runs, slow_runs)):
        for case in cases:
            if turn >= (slow_runs if case.is_slow else arguments.runs):
                continue
            case.before()
            try:
                cost = measured(case.run, work / "output")
            finally:
                case.after()
            costs[case.name].append(cost)
            say(f"round {turn + 1}: {case.name}: {told(cost)}")
    return costs


def comparison(cases: list[Case], costs: dict[str, list[Cost]], seen: dict[str, int]) -> list[str]:
    """The table of all tools, beside trailcheck without a cache."""
    base = time_of(costs, "trailcheck, cold")
    rows = [
        "| tool | what it looks for | files | runs | median | from – to | × cold trailcheck | peak memory |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case in cases:
        took = sorted(cost.seconds for cost in costs[case.name])
        median = statistics.median(took)
        rows.append(
            f"| {case.name} | {case.what} | {seen[case.name]:,} | {len(took)} | {seconds(median)}"
            f" | {seconds(took[0])} – {seconds(took[-1])} | {median / base:.2f} | {memory_of(costs, case.name):.0f} MiB |"
        )
    return rows


def targets(costs: dict[str, list[Cost]]) -> list[str]:
    """What trailcheck wants to be, and whether it is."""
    rows = ["| target | wanted | measured | met |", "| --- | ---: | ---: | --- |"]

    def row(what: str, wanted: str, limit: float, figure: float | None) -> None:
        if figure is None:
            rows.append(f"| {what} | {wanted} | – | not measured |")
        else:
            is_met = figure <= limit if wanted.startswith("≤") else figure >= limit
            rows.append(f"| {what} | {wanted} | {figure:.2f} × | {'yes' if is_met else 'no'} |")

    def ratio(one: str, other: str, figure=time_of) -> float | None:
        return figure(costs, one) / figure(costs, other) if costs.get(one) and costs.get(other) else None

    cold, warm, changed = "trailcheck, cold", "trailcheck, warm", "trailcheck, one file changed"
    row("cold, to ruff with five rules", "≤ 1.0 ×", 1.0, ratio(cold, "ruff"))
    row("ast-grep, to cold", "≥ 5 ×", 5.0, ratio("ast-grep", cold))
    row("semgrep, to cold", "≥ 60 ×", 60.0, ratio("semgrep", cold))
    row("warm, to ripgrep", "≤ 2.5 ×", 2.5, ratio(warm, "ripgrep"))
    row("one file changed, to warm", "≤ 1.2 ×", 1.2, ratio(changed, warm))
    row("peak memory, cold, to ruff with its defaults", "≤ 1.0 ×", 1.0, ratio(cold, "ruff, defaults", memory_of))
    return rows


def scaling(trailcheck: Trailcheck, arguments: argparse.Namespace, tree: Path, work: Path) -> list[str]:
    """What 2 × and 4 × a tree cost, as more programs and as a larger one, with one thread and with all."""
    if arguments.scale:
        gather(trailcheck.program, [arguments.scale], work / "scaled")
        tree = work / "scaled"
    grown = [
        ("–", 1, tree),
        *(("more programs", times, beside(tree, times, work / f"beside_{times}")) for times in (2, 4)),
        *(("a larger program", times, within(tree, times, work / f"within_{times}")) for times in (2, 4)),
    ]
    lines = [(*one, threads) for one in grown for threads in sorted({1, arguments.threads})]
    counts = {folder: len(python_files(folder)) for _, _, folder in grown}
    for folder in counts:
        size(python_files(folder))
    costs: dict[int, list[Cost]] = {line: [] for line in range(len(lines))}
    for turn in range(arguments.scale_runs):
        for line, (way, times, folder, threads) in enumerate(lines):
            with processors(threads):
                cost = measured(trailcheck.cold(folder, threads), work / "output")
            costs[line].append(cost)
            say(f"round {turn + 1}: {times} ×, {way}, {threads} threads: {told(cost)}")
    first = {}
    rows = [
        "| size | growth | files | threads | median | × of 1 × | peak memory | × of 1 × |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for line, (way, times, folder, threads) in enumerate(lines):
        cost = Cost(time_of(costs, line), memory_of(costs, line))
        base = first.setdefault(threads, cost)
        rows.append(
            f"| {times} × | {way} | {counts[folder]:,} | {threads} | {seconds(cost.seconds)}"
            f" | {cost.seconds / base.seconds:.2f} | {cost.mebibytes:.0f} MiB | {cost.mebibytes / base.mebibytes:.2f} |"
        )
    note = (
        "More programs: copies of the tree side by side. A larger program: each module stands as many times in its folder,"
        " under other names, so that what all import has as many more callers. Wanted: 4 × costs at most 4.4 ×."
    )
    return [*rows, "", note]


def time_of(costs: dict[Any, list[Cost]], name: Any) -> float:
    return statistics.median(cost.seconds for cost in costs[name])


def memory_of(costs: dict[Any, list[Cost]], name: Any) -> float:
    return max(cost.mebibytes for cost in costs[name])


def machine() -> str:
    """What the machine is like, without its name."""
    model = platform.machine()
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        model = found.group(1) if found else model
    except OSError:
        pass
    return f"{platform.system()}, {os.cpu_count()} processors ({model})"


def seconds(figure: float) -> str:
    return f"{figure:.3f} s" if figure < 1 else f"{figure:.2f} s"


def told(cost: Cost) -> str:
    return f"{seconds(cost.seconds)}, {cost.mebibytes:.0f} MiB"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
