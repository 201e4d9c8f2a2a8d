"""Checkpoints on a full disk, and damaged ones: a sentence that says what to do."""

import resource
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from model.training import checkpoint
from model.training.checkpoint import Position
from pipeline.errors import InputError


@contextmanager
def room_for(size):
    """Files of this process may have so many bytes, as if the disk ended there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def optimizer(module):
    return {"optimizer": torch.optim.AdamW(module.parameters())}


def save(folder, step):
    module = nn.Linear(30, 30)
    rest = optimizer(module)
    module(torch.ones(30)).sum().backward()
    rest["optimizer"].step()
    checkpoint.save(folder, Position(0, step), module, rest, keep=2)
    return module


@pytest.mark.parametrize("size", [2000, 8000])
def test_a_disk_that_ends_in_either_file_is_an_os_error_and_nothing_of_it_stays(tmp_path, size):
    save(tmp_path, 1)
    with room_for(size), pytest.raises(OSError, match="can't be written, is the disk full"):
        save(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00-00000001"]
    assert checkpoint.read_position(checkpoint.newest(tmp_path)).step == 1


@pytest.mark.parametrize("name", ["rest.pt", "position.json", "trained.safetensors"])
@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"{1"), lambda p: p.unlink()])
def test_a_damaged_checkpoint_says_to_remove_it_and_that_leaves_the_one_before(
    tmp_path, name, damage
):
    module = save(tmp_path, 1)
    save(tmp_path, 2)
    place = checkpoint.newest(tmp_path)
    damage(place / name)
    with pytest.raises(InputError, match=f"'{place}.*; remove"):
        checkpoint.read_position(place)
        checkpoint.restore(place, module, optimizer(module))


def test_of_a_damaged_checkpoint_nobody_is_told_to_run_what_it_says(tmp_path):
    module = save(tmp_path, 1)
    (checkpoint.newest(tmp_path) / "rest.pt").write_bytes(bytes(400))
    with pytest.raises(InputError, match=r"damaged \(rest\.pt is no checkpoint's\); remove it"):
        checkpoint.restore(checkpoint.newest(tmp_path), module, optimizer(module))


@pytest.mark.parametrize("held", [{}, [], {"optimizer": {}}, {"optimizer": {"param_groups": [1]}}])
def test_a_checkpoint_of_another_kind_is_damaged(tmp_path, held):
    module = save(tmp_path, 1)
    torch.save(held, checkpoint.newest(tmp_path) / "rest.pt")
    with pytest.raises(InputError, match=r"is damaged .*; remove it"):
        checkpoint.restore(checkpoint.newest(tmp_path), module, optimizer(module))


def test_weights_of_a_checkpoint_are_removed_with_it_and_the_best_with_the_training(tmp_path):
    module = save(tmp_path, 1)
    place = checkpoint.newest(tmp_path)
    (place / "trained.safetensors").write_bytes(b"{1")
    with pytest.raises(InputError, match=f"remove '{place}': the training goes on from the one"):
        checkpoint.restore(place, module, optimizer(module))
    with pytest.raises(InputError, match=f"best-align.* remove '{tmp_path}', and .* begins anew"):
        checkpoint.load_best(tmp_path, "align", module)


def test_a_position_without_what_was_read_is_no_beginning_of_the_data(tmp_path):
    save(tmp_path, 1)
    file = checkpoint.newest(tmp_path) / "position.json"
    file.write_text('{"stage": 0, "step": 1, "best_ua": 0.5}')
    with pytest.raises(InputError, match=r"damaged \('batches'\); remove it"):
        checkpoint.read_position(checkpoint.newest(tmp_path))
