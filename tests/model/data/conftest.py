"""A tiny encoder, and a tiny set."""

import pytest

from model.network.encoder import load_encoder
from model.recipe.architecture import RandomEncoder
from tests.model.tiny import WIDTH, write_set


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(RandomEncoder(width=WIDTH, heads=2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("set"))
