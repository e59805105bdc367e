"""The tools that are run: trailcheck in its ways, and its peers with the nearest rules they can express."""

import json
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from measure import Failed, Run, bare
from trees import HERE, Changes


class Case(NamedTuple):
    """One line of the comparison."""

    name: str
    # What it looks for.
    what: str
    run: Run
    # How many Python files it looks at.
    count: Callable[[], int]
    # What has to be so before each run, and after it; neither is measured.
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    is_slow: bool = False


class Peers:
    """The tools that trailcheck is held against, in a folder of programs."""

    PROGRAMS = ("ruff", "ast-grep", "semgrep", "rg")
    RUFF_RULES = "E722,S110,BLE001,B904,F821"

    def __init__(self, programs: Path):
        self.programs = programs
        missing = [name for name in self.PROGRAMS if not (programs / name).exists()]
        if missing:
            raise Failed(f"there is no {', '.join(missing)} in {programs}")

    @classmethod
    def installed(cls, into: Path) -> "Peers":
        """Installs the pinned versions into an environment of their own."""
        venv.create(into, with_pip=True)
        pip = [str(into / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(HERE / "tools.txt")], check=True)
        return cls(into / "bin")

    def versions(self) -> str:
        """The tools with their versions, as they tell them."""
        told = []
        for name in self.PROGRAMS:
            said = self.said([str(self.programs / name), "--version"], HERE)
            version = re.search(r"\d+(\.\d+)+", said)
            told.append(f"{name} {version.group() if version else '?'}")
        return ", ".join(told)

    def cases(self, tree: Path, threads: int) -> list[Case]:
        """Each tool on a tree, none with a cache, all with the same files and threads."""
        ruff = self.program("ruff", "check", ".", "--isolated", "--no-cache", "--exit-zero", "--output-format", "concise")
        # What ruff leaves out for the names of its folders is looked at, too.
        ruff += ["--config", "exclude = []"]
        rayon = {"RAYON_NUM_THREADS": str(threads)}
        ast_grep = self.program("ast-grep", "scan", ".", "--rule", str(HERE / "rules" / "ast-grep.yml"))
        ast_grep += ["--threads", str(threads), "--report-style", "short"]
        semgrep = self.program("semgrep", "scan", ".", "--config", str(HERE / "rules" / "semgrep.yml"))
        semgrep += ["--jobs", str(threads), "--metrics", "off", "--disable-version-check", "--no-git-ignore", "--quiet"]
        semgrep += ["--max-target-bytes", "0"]
        # Without a list of its own semgrep leaves out folders of tests and of other people's code.
        (tree / ".semgrepignore").write_text("# Nothing.\n")
        search = self.program("rg", "--threads", str(threads), "--no-ignore")
        count = [*search, "--count", "--word-regexp", "commit", "."]

        def ruff_files() -> int:
            return python_lines(self.said([*ruff, "--show-files"], tree))

        def ast_grep_files() -> int:
            counted = re.search(r"scannedFileCount=(\d+)", self.said([*ast_grep, "--inspect", "summary"], tree))
            return int(counted.group(1)) if counted else 0

        def semgrep_files() -> int:
            # To list what it would look at is an experiment of semgrep's own; it looks.
            command = [word for word in semgrep if word != "--quiet"]
            ran = subprocess.run([*command, "--json"], cwd=tree, capture_output=True, text=True, check=False)
            return len([path for path in json.loads(ran.stdout)["paths"]["scanned"] if path.endswith(".py")])

        def search_files() -> int:
            return python_lines(self.said([*search, "--files"], tree))

        return [
            Case("ripgrep", "one word, counted", Run(count, tree), search_files),
            Case("ruff", f"five rules: {self.RUFF_RULES}", Run([*ruff, "--select", self.RUFF_RULES], tree, rayon), ruff_files),
            Case("ruff, defaults", "its default rules", Run(ruff, tree, rayon), ruff_files),
            Case("ast-grep", "three rules", Run(ast_grep, tree), ast_grep_files, is_slow=True),
            Case("semgrep", "three rules", Run(semgrep, tree), semgrep_files, is_slow=True),
        ]

    def program(self, name: str, *words: str) -> list[str]:
        return [str(self.programs / name), *words]

    @staticmethod
    def said(command: list[str], folder: Path) -> str:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return ran.stdout + ran.stderr


class Trailcheck:
    """The program itself. The copy of a tree has no configuration, and none above it is looked for."""

    def __init__(self, program: Path):
        self.program = program
        self.can_cache = "--cache-dir" in Peers.said([str(program), "check", "--help"], HERE)

    def version(self) -> str:
        """The version, as it tells it."""
        return Peers.said([str(self.program), "--version"], HERE).strip()

    def command(self, *options: str) -> list[str]:
        """A whole check with all rules."""
        return [str(self.program), "check", ".", "--isolated", "--fail-on", "never", "--format", "concise", *options]

    def cold(self, tree: Path, threads: int) -> Run:
        """A check that knows nothing of an earlier one and leaves nothing for a later one."""
        options = ["--no-cache"] if self.can_cache else []
        return Run(self.command(*options), tree, {"RAYON_NUM_THREADS": str(threads)}, (0,))

    def cases(self, tree: Path, projects: list[Path], threads: int, cache: Path) -> list[Case]:
        """A check in all the ways it comes."""

        def files() -> int:
            return python_lines(Peers.said(self.command("--show-files"), tree))

        what = "all rules, whole program"
        cold = Case("trailcheck, cold", what, self.cold(tree, threads), files)
        if not self.can_cache:
            return [cold]
        cached = self.cold(tree, threads)._replace(command=self.command("--cache-dir", str(cache)))
        changes = Changes(projects)

        def remember() -> None:
            subprocess.run(cached.command, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=bare(), check=True)

        def restore() -> None:
            changes.undo()
            remember()

        def forget() -> None:
            shutil.rmtree(cache, ignore_errors=True)

        return [
            cold,
            Case("trailcheck, cold, writes its cache", what, cached, files, before=forget),
            Case("trailcheck, warm", what, cached, files),
            Case("trailcheck, one file changed", what, cached, files, before=changes.make, after=restore),
        ]


def python_lines(listed: str) -> int:
    """How many of the lines name a Python file."""
    return sum(line.strip().endswith(".py") for line in listed.splitlines())


def built(profile: str = "release") -> Path:
    """Builds trailcheck as it is released and answers with the program."""
    command = ["cargo", "build", "--quiet", "--message-format", "json", "--bin", "trailcheck", "--profile", profile]
    ran = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.stderr.write(ran.stderr)
        raise Failed("trailcheck cannot be built")
    found = [json.loads(line).get("executable") for line in ran.stdout.splitlines()]
    return Path(next(filter(None, reversed(found))))
