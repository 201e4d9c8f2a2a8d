"""The head of a card: what the Hub and `datasets` make of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import yaml
from datasets import Features
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCard, DatasetCardData

from pipeline.cards.card import write_card
from pipeline.provenance.licences import LICENCES, hub_licence


def header_of(folder: Path) -> dict[str, Any]:
    write_card(folder)
    _, head, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    parsed: dict[str, Any] = yaml.safe_load(head)
    return parsed


def test_the_features_are_those_of_the_shards(dataset_folder: Path) -> None:
    infos = {one["config_name"]: one for one in header_of(dataset_folder)["dataset_info"]}
    assert list(infos) == ["all", "en", "de", "rejects", "failures"]
    assert [name for name, one in infos.items() if "features" not in one] == ["en", "de"]
    for name, pattern in (("all", "data/*/*"), ("rejects", "rejects/*/*")):
        shard = next(dataset_folder.glob(f"{pattern}.parquet"))
        declared = Features.from_arrow_schema(pq.read_schema(shard))
        assert Features._from_yaml_list(infos[name]["features"]) == declared, name


def test_datasets_reads_the_head_and_counts_the_same_rows(dataset_folder: Path) -> None:
    header = header_of(dataset_folder)
    infos = DatasetInfosDict.from_dataset_card_data(DatasetCardData(**header))
    assert infos["all"].splits["train"].num_examples == 14
    assert infos["rejects"].splits["rejects"].num_examples == 14
    assert isinstance(infos["all"].features["audio"], datasets.Audio)
    sizes = [path.stat().st_size for path in dataset_folder.glob("data/*/*.parquet")]
    assert infos["all"].download_size == sum(sizes)


def test_the_set_loads_with_its_head(dataset_folder: Path, tmp_path: Path) -> None:
    header_of(dataset_folder)
    loaded = datasets.load_dataset(str(dataset_folder), "de", cache_dir=str(tmp_path / "cache"))
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 7, "test": 7}
    features = loaded["test"].features
    assert features["emotion_id"].names[0] == "angry"
    assert isinstance(features["audio"], datasets.Audio)
    declared = Features.from_arrow_schema(pq.read_schema(next(dataset_folder.glob("data/de/*"))))
    assert features == declared


def test_the_hub_s_own_class_reads_the_card(dataset_folder: Path) -> None:
    write_card(dataset_folder)
    card = DatasetCard.load(dataset_folder / "README.md")
    assert card.data.to_dict()["tags"][:2] == ["speech-emotion-recognition", "emotion"]
    assert "synthetic" in card.data.tags


def test_a_licence_that_the_hub_does_not_list_is_named_and_linked() -> None:
    for terms in LICENCES:
        fields = hub_licence(terms.spdx)
        assert fields["license"] == terms.hub_id
        if terms.hub_id == "other":
            assert fields["license_name"] == terms.spdx.removeprefix("LicenseRef-").casefold()
            assert fields["license_link"].startswith("https://")
    assert hub_licence("LicenseRef-no-redistribution")["license_name"] == "no-redistribution"


def test_licences_that_hold_together_are_named_in_the_head_and_linked_in_the_card(
    make_dataset_folder: Callable[..., Path], kept_rows: list[dict[str, Any]]
) -> None:
    kept_rows[0]["licence"] = "LicenseRef-Llama-3-Community"
    kept_rows[1]["licence"] = "CC-BY-NC-4.0"
    folder = make_dataset_folder(kept=kept_rows)
    header = header_of(folder)
    named = {"license": "other", "license_name": "cc-by-nc-4.0-and-llama-3-community"}
    assert {name: value for name, value in header.items() if name.startswith("license")} == named
    assert DatasetCardData(**header).to_dict()["license_name"] == named["license_name"]
    licence = (folder / "README.md").read_text(encoding="utf-8").split("## Licence\n")[1]
    assert (
        "**CC-BY-NC-4.0 AND LicenseRef-Llama-3-Community**: each of these must be kept" in licence
    )
    assert "[CC-BY-NC-4.0](https://spdx.org/licenses/CC-BY-NC-4.0.html), [Lic" in licence
    assert "[LicenseRef-Llama-3-Community](https://www.llama.com/llama3/license/)." in licence
    assert 'say "Built with Meta Llama 3"' in licence
    assert "the strictest of what" not in licence
