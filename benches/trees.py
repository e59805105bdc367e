"""The Python files that are measured: fetched or copied into a folder of their own, multiplied, and changed."""

import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent


def fetch(into: Path) -> list[Path]:
    """Takes the pinned packages apart and answers with their folders.

    pip looks them up where it is set up to, and holds them against their digests. Nothing of them is run.
    """
    wheels = into / "wheels"
    options = ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--require-hashes", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(wheels)]
    subprocess.run([*command, "--requirement", str(HERE / "packages.txt")], check=True)
    folders = []
    for wheel in sorted(wheels.glob("*.whl")):
        folder = into / "packages" / wheel.name.split("-")[0]
        unpack(wheel, folder)
        folders.append(folder)
    return folders


def unpack(wheel: Path, folder: Path) -> None:
    """Writes the Python files of a package below a folder, and none beside it."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            parts = PurePosixPath(entry.filename).parts
            is_safe = parts and not entry.filename.startswith("/") and ".." not in parts and "\\" not in entry.filename
            if entry.is_dir() or not is_safe or not entry.filename.endswith(".py"):
                continue
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(entry))


def gather(trailcheck: Path, folders: list[Path], into: Path) -> list[Path]:
    """Copies the Python files that trailcheck would check, each folder below its name; answers with the copies.

    Files that are ignored, and what says so, stay behind, and so does every configuration: what is left is the same for
    all tools, by whatever rules they choose files. An empty `pyproject.toml` says where each project begins, as in life.
    """
    copies = []
    for folder in folders:
        name, number = folder.resolve().name, 2
        while (into / name).exists():
            name, number = f"{folder.resolve().name}_{number}", number + 1
        command = [str(trailcheck), "check", "--isolated", "--show-files", "."]
        listed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        for path in filter(lambda path: path.endswith(".py"), listed.splitlines()):
            target = into / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, target)
        if (into / name).exists():
            (into / name / "pyproject.toml").touch()
            copies.append(into / name)
    return copies


def python_files(folder: Path) -> list[Path]:
    """The Python files below a folder, in an order that never changes."""
    return sorted(folder.rglob("*.py"))


def size(files: list[Path]) -> tuple[int, int]:
    """The bytes and the lines of files. Having been read, they are in the system's memory for every tool."""
    texts = [file.read_bytes() for file in files]
    return sum(map(len, texts)), sum(text.count(b"\n") for text in texts)


def beside(tree: Path, times: int, into: Path) -> Path:
    """So many copies of a tree side by side: as many programs more."""
    for number in range(times):
        shutil.copytree(tree, into / f"copy_{number}")
    return into


def within(tree: Path, times: int, into: Path) -> Path:
    """A tree in which each module stands so many times under names of its own: one program as many times larger.

    What the others import is the first of them, so that everything that is called has as many more callers. Files that
    mean something by their name, such as `__init__.py`, `models.py` and `admin.py`, would be only modules under another,
    which is what most of a large program is.
    """
    shutil.copytree(tree, into)
    for file in python_files(tree):
        if file.stem != "__init__":
            for number in range(1, times):
                shutil.copyfile(file, into / file.relative_to(tree).with_stem(f"{file.stem}_{number}"))
    return into


class Changes:
    """One file after the other, each changed for one run and restored: in small projects and in large ones."""

    ADDED = "\n\n# A change.\ndef changed_{number}(value):\n    return value\n"

    def __init__(self, projects: list[Path]):
        chance = random.Random(8)
        by_size = sorted(filter(None, map(python_files, projects)), key=len)
        # The smallest, the largest, the next smallest, the next largest.
        self.order = []
        while by_size:
            files = by_size.pop(0 if len(self.order) % 2 == 0 else -1)
            chance.shuffle(files)
            self.order.append(files)
        self.number = 0
        self.changed: tuple[Path, bytes] | None = None

    def make(self) -> int:
        """Changes the next file and answers with how many files its project has."""
        files = self.order[self.number % len(self.order)]
        turn = self.number // len(self.order)
        file = files[turn % len(files)]
        before = file.read_bytes()
        self.changed = (file, before)
        file.write_bytes(before.rstrip(b"\r\n") + self.ADDED.format(number=self.number).encode())
        self.number += 1
        return len(files)

    def undo(self) -> None:
        """Restores what was changed last."""
        if self.changed:
            file, before = self.changed
            file.write_bytes(before)
            self.changed = None
