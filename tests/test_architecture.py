"""Imports run one way: flows -> model -> pipeline; and starting is quick."""

import ast
import subprocess
import sys
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
