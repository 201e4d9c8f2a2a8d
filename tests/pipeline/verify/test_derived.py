"""What follows from the rest of a set, the ledger and the row index, is made anew and compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.layout import MANIFEST
from pipeline.dataset.manifest import manifest_text, write_manifest
from pipeline.verify.folder import verify_folder


@pytest.mark.parametrize("content", ["", "{}", "\xff"])
def test_a_ledger_that_was_emptied(my_tones: Path, content: str) -> None:
    (my_tones / "provenance.json").write_text(content, encoding="latin-1")
    write_manifest(my_tones)
    [problem] = verify_folder(my_tones, listen=False).problems
    assert (problem.check, problem.where[:15]) == ("origin", "provenance.json")


def test_a_ledger_that_says_another_licence(my_tones: Path) -> None:
    path = my_tones / "provenance.json"
    path.write_text(path.read_text().replace('"licence": "Apache-2.0"', '"licence": "CC0-1.0"', 1))
    write_manifest(my_tones)
    [told] = verify_folder(my_tones, listen=False).sentences()
    assert told.startswith("origin: provenance.json, line ")
    assert "it is not what recipe, build and rows give" in told
    assert told.endswith('\'"licence": "Apache-2.0",\'')


def _other_hash(index: pa.Table) -> pa.Table:
    hashes = pa.array([bytes(32), *index["sha256"].to_pylist()[1:]], pa.binary(32))
    return index.set_column(2, "sha256", hashes)


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (_other_hash, "it is not what the data gives in 1 rows, first of test-angry-0.de.0"),
        (lambda index: index.slice(0, 0), "in 36 rows, first of test-angry-0.de.0"),
        (lambda index: index.slice(0, 35), "in 1 rows, first of train-sad-1.fr.0"),
        (lambda index: pa.concat_tables([index, index.slice(0, 1)]), "in 1 rows, first of test-"),
        (lambda index: index.drop_columns(["sha256"]), "the column 'sha256' is missing"),
    ],
    ids=["hash", "empty", "cut", "longer", "column"],
)
def test_a_row_index_that_is_another_than_the_data(
    my_tones: Path, forge: Callable[[pa.Table], pa.Table], said: str
) -> None:
    path = my_tones / "rows.parquet"
    pq.write_table(forge(pq.read_table(path)), path)
    _refresh_manifest(my_tones)
    [problem] = verify_folder(my_tones, listen=False).problems
    assert (problem.check, problem.where) == ("index", "rows.parquet")
    assert said in problem.what


def _refresh_manifest(folder: Path) -> None:
    """The manifest over the files as they lie there; `write_manifest` makes the row index anew."""
    facts = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.name != MANIFEST)
    (folder / MANIFEST).write_text(manifest_text(facts, folder, files), encoding="utf-8")
