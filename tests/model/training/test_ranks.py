"""Several processes train as one does: the same gradients, one that writes, none left behind."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
import yaml
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import distributed
from torch.distributed.tensor import DTensor

from model.network.ser import make_model
from model.training import ranks
from model.training.checkpoint import newest, read_position
from tests.model.tiny import EVERYTHING, TINY, WIDTH, tiny_recipe, write_llama, write_set

STAGE = {
    "name": "transfer",
    "steps": 3,
    "batch_size": 8,
    "paired": True,
    "learning_rate": 1e-3,
    "losses": EVERYTHING,
}


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """The settings of a frozen LLaMA with adapters; without dropout, whose chances are a rank's."""
    model, lora = write_llama(tmp_path_factory.mktemp("llama")), {"dropout": 0.0}
    return {"engine": "pretrained", "model": model, "dtype": "float32", "lora": lora}


def recipe_file(folder, llama, shard=False, **stage):
    recipe = {
        **TINY,
        "data": {"sets": [{"engine": "folder", "path": str(folder / "set")}]},
        "qformer": {**TINY["qformer"], "dropout": 0.0},
        "language_model": llama,
        "stages": [{**STAGE, **stage}],
        "running": {"validate_every": 1, "save_every": 2, "shard": shard},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def train(folder, ranks, out, command="train"):
    """Run a command in so many processes; what each has printed.

    A deadlock of two ranks is a failure after two minutes.
    """
    command = [sys.executable, "-m", "flows.cli", command, str(folder / "recipe.yaml")]
    command += ["--out", str(out), "--work", str(folder / "work"), "--json"]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    own = [
        {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(ranks), **meeting}
        for rank in range(ranks)
    ]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, **(one if ranks > 1 else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in own
    ]
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * ranks, said
    return [stdout for stdout, _ in said]


@pytest.fixture
def process_group():
    """This process as a group of one."""
    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_two_processes_that_split_the_llama_equal_one_that_accumulates(tmp_path, llama):
    write_set(tmp_path / "set")
    recipe_file(tmp_path, llama, shard=True)
    first, second = train(tmp_path, 2, tmp_path / "two")
    assert json.loads(first)["clips"] == 24
    assert second == ""
    recipe_file(tmp_path, llama, accumulate=2)
    train(tmp_path, 1, tmp_path / "one")
    two, one = (load_file(tmp_path / name / "model.safetensors") for name in ("two", "one"))
    assert two.keys() == one.keys()
    assert any("lora" in name for name in one)
    for name, wanted in one.items():
        torch.testing.assert_close(two[name], wanted, rtol=1e-4, atol=1e-6)
    rows = (tmp_path / "two" / "metrics.csv").read_text().splitlines()
    assert len(rows) == 1 + STAGE["steps"]
    places = [read_position(newest(tmp_path / name)) for name in ("two", "one")]
    assert [place.batches for place in places] == [2 * STAGE["steps"]] * 2


def test_an_ablation_in_two_processes_is_one(tmp_path):
    write_set(tmp_path / "set")
    recipe_file(tmp_path, TINY["language_model"], steps=1)
    recipe = yaml.safe_load((tmp_path / "recipe.yaml").read_text())
    first = {"name": "align", "steps": 1, "batch_size": 8}
    recipe["stages"] = [first, *recipe["stages"]]
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    said, nothing = train(tmp_path, 2, tmp_path / "arms", "ablate")
    assert nothing == ""
    assert json.loads(said) == json.loads((tmp_path / "arms" / "ablation.json").read_text())
    assert len(json.loads(said)) == 5


def test_only_what_is_frozen_is_split_and_nothing_comes_out_otherwise(llama, process_group):
    model = make_model(tiny_recipe(language_model=llama), WIDTH).eval()
    frames, lengths = torch.randn(2, 20, WIDTH), torch.tensor([20, 9])
    before = model.label_probabilities(model.hear(frames, lengths), ["angry", "sad"])
    ranks.shard(model, model.language_model.llama, torch.device("cpu"))
    split = {name for name, value in model.named_parameters() if isinstance(value, DTensor)}
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert any("mlp.up_proj" in name for name in split)
    assert any("lora" in name for name in trained)
    assert not split & trained
    after = model.label_probabilities(model.hear(frames, lengths), ["angry", "sad"])
    assert torch.equal(after, before)


def test_adapters_come_of_the_recipe_s_seed(llama):
    models = [make_model(tiny_recipe(language_model=llama), WIDTH) for _ in range(2)]
    adapters = [dict(model.named_parameters()) for model in models]
    names = [name for name in adapters[0] if "lora_A" in name]
    assert names
    assert all(torch.equal(adapters[0][name], adapters[1][name]) for name in names)


def test_a_llama_that_is_trained_whole_is_not_split():
    with pytest.raises(ValidationError, match=r"running\.shard: splits a frozen LLaMA"):
        tiny_recipe(running={"shard": True})
