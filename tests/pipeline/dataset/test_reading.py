from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cards.rules import describe, gates_of, limits, reasons_of, score_gates
from pipeline.dataset.reading import open_folder, score
from pipeline.settings_file import BadRecipe

Make = Callable[..., Path]


def test_views_count_kept_and_rejected(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        found = dataset.rows("SELECT split, count(*) AS n FROM takes GROUP BY ALL ORDER BY split")
        assert found == [{"split": "test", "n": 14}, {"split": "train", "n": 28}]
        assert dataset.value("SELECT count(*) FROM takes WHERE reason IS NULL") == 28
        assert dataset.value("SELECT count(*) FROM failures") == 2


def test_scores_are_columns_and_missing_is_nan(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        distances = f"SELECT {score('prosody_distance')} AS v FROM takes"
        values = dataset.columns(distances)["v"]
    assert values.dtype == np.float64
    assert np.isnan(values).sum() == 6  # neutral ones


def test_audio_comes_for_kept_and_rejected(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        found = dataset.audio(["s-sad-1-de-0", "s-sad-1-de-1"])
        assert dataset.audio([]) == {}
    assert set(found) == {"s-sad-1-de-0", "s-sad-1-de-1"}
    assert all(flac.startswith(b"fLaC") for flac in found.values())


def test_of_a_shard_the_row_groups_of_the_clips_alone_are_read(
    dataset_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [shard] = dataset_folder.glob("data/de/train-*.parquet")
    table = pq.read_table(shard)
    pq.write_table(table, shard, row_group_size=2)
    wanted = table.column("take_id")[3].as_py()
    groups: list[int] = []
    read = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, group: int, columns: list[str]) -> pa.Table:
        groups.extend([group] if "audio" in columns else [])
        return read(self, group, columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    with open_folder(dataset_folder) as dataset:
        assert dataset.audio([wanted]) == {wanted: table.column("audio")[3].as_py()["bytes"]}
    assert groups == [1]


@pytest.mark.parametrize("name", ["o'clock", "a[1]b", "what*", "ünï 中"])
def test_any_folder_name_will_do(make_dataset_folder: Make, name: str) -> None:
    with open_folder(make_dataset_folder(name)) as dataset:
        assert dataset.value("SELECT count(*) FROM kept") == 28


def test_a_recipe_whose_aliases_would_fill_the_memory_is_not_read(
    make_dataset_folder: Make,
) -> None:
    folder = make_dataset_folder()
    (folder / "recipe.yaml").write_text("a: &a [x, x]\nb: [*a, *a]\n")
    with pytest.raises(BadRecipe, match="aliases are not allowed"), open_folder(folder):
        pass


def test_a_folder_that_no_build_wrote_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"recipe\.yaml"), open_folder(tmp_path):
        pass


def test_gates_are_described_in_words(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        rules = reasons_of(dataset.recipe)
    assert rules["speech"] == "speech_share (of the clip) at least 0.5"
    assert rules["quality"] == (
        "dnsmos_ovrl (opinion score, 1 to 5) not of its lowest 10 % in its language; "
        "de: at least 2.5"
    )
    assert rules["emotion"] == (
        "at least 1 of 2: probe_probability at least 0.2; "
        "prosody_distance (1: a unit of error that we set) at most 1.5"
    )
    assert list(rules)[3:] == ["duplicate", "best_take", "balance"]


def test_limits_are_by_language_and_over_all_judged_takes(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        [gate] = score_gates(gates_of(dataset.recipe)["quality"])
        found = limits(dataset, gate)
        english = dataset.columns(
            f"SELECT {score('dnsmos_ovrl')} AS v FROM takes WHERE language = 'en'"
        )
    assert found["de"] == (2.5, np.inf)
    assert found["en"][0] == pytest.approx(np.quantile(english["v"], 0.1))


def test_a_gate_on_both_sides_names_both() -> None:
    gates = gates_of({"gates": {"rate": {"score": "phones_per_s", "min": 4, "max": 30}}})
    assert describe(gates["rate"]) == "phones_per_s (phones/s) at least 4 and at most 30"
