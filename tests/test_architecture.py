"""Imports run one way, between the packages and within them; and starting is quick."""

import ast
import subprocess
import sys
import tomllib
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from pipeline.engine import M5SER_VERSION

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"pipeline": {"model", "flows", "prefect"}, "model": {"flows", "prefect"}}
HEAVY = {"torch", "librosa", "onnxruntime", "whisper", "prefect", "transformers", "matplotlib"}


def imported(path):
    """Top-level packages that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_run_one_way(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = {str(f): sorted(set(imported(f)) & FORBIDDEN[package]) for f in files}
    assert {name: packages for name, packages in wrong.items() if packages} == {}


def modules_imported(path, known):
    """Modules of ours that a file imports anywhere, a package where it names nothing in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (one for one in (inner, node.module) if one in known)


@pytest.mark.parametrize("depth", [2, None])
def test_nothing_imports_in_circles(depth):
    """Neither modules (None) nor, by their first two names, sub-packages."""
    files = [file for top in ("pipeline", "model", "flows") for file in (ROOT / top).rglob("*.py")]
    names = {".".join(f.relative_to(ROOT).with_suffix("").parts): f for f in files}
    graph = defaultdict(set)
    for name, file in names.items():
        room = ".".join(name.split(".")[:depth])
        rooms = {".".join(one.split(".")[:depth]) for one in modules_imported(file, names)}
        graph[room] |= rooms - {room}
    assert graph["pipeline.cards" if depth else "pipeline.cards.describe"]
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_help_loads_nothing_heavy():
    code = f"import sys, flows.cli; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == M5SER_VERSION


def test_the_locks_bring_no_gigabytes_and_no_address():
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")
        assert "torch==2.13.0\n" in text
        assert not any(word in text.lower() for word in ("nvidia", "triton", "://", "--find-links"))
