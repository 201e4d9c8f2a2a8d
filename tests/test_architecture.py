"""Imports run one way, between the packages and within them; and starting is quick."""

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

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


def room(module):
    """The sub-package that a module is in, or the module itself where it lies above them."""
    return ".".join(module.split(".")[:2])


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = node.module if "." in node.module else None
            yield from (room(inner or f"{node.module}.{alias.name}") for alias in node.names)


def test_no_sub_packages_import_each_other_in_circles():
    graph = defaultdict(set)
    for package in ("pipeline", "model", "flows"):
        for file in (ROOT / package).rglob("*.py"):
            name = room(".".join(file.relative_to(ROOT).with_suffix("").parts))
            graph[name] |= set(imported_rooms(file)) - {name}
    assert "pipeline.dataset" in graph["pipeline.cards"]
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_help_loads_nothing_heavy():
    code = f"import sys, flows.cli; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_locks_bring_no_gigabytes_and_no_address():
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")
        assert "torch==2.13.0\n" in text
        assert not any(word in text.lower() for word in ("nvidia", "triton", "://", "--find-links"))
