"""Pushes that are refused, each before the Hub is changed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from flows.publish import PublishOutcome
from pipeline.dataset.layout import CARD, MANIFEST
from pipeline.dataset.manifest import read_manifest
from pipeline.errors import InputError
from tests.hub_calls import EXPIRED, READER
from tests.hub_repositories import Blob, Repo
from tests.hub_server import Fault, Hub
from tests.publishing import NAME, publishing


def test_a_set_that_is_too_large_is_refused_before_the_push(hub: Hub, my_tones: Path) -> None:
    shard = next(my_tones.glob("data/en/*.parquet"))
    with shard.open("r+b") as file:
        file.truncate(100 * 10**9)
    manifest = json.loads((my_tones / MANIFEST).read_text())
    manifest["files"][shard.relative_to(my_tones).as_posix()]["bytes"] = 100 * 10**9
    (my_tones / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"would hold 100 GB, .* and 10 GB are allowed"):
        publishing(my_tones, quota_bytes=10 * 10**9)
    assert not hub.repos


def test_what_is_there_counts_against_the_quota(hub: Hub, tones: Path) -> None:
    size = read_manifest(tones).total_bytes
    publishing(tones)
    assert publishing(tones, quota_bytes=2 * size).commits == 0


def test_data_of_a_given_up_publish_and_of_tags_counts_too(hub: Hub, smaller: Path) -> None:
    size = read_manifest(smaller).total_bytes
    assert publishing(smaller, tag="v1").unfinished == ()
    assert publishing(smaller, quota_bytes=size + 50_000).commits == 0
    repo = hub.dataset(NAME)
    for letter, branch in ((b"a", "m5ser-publishing-0123"), (b"b", "m5ser-publishing-4567")):
        repo.branches[branch] = repo.branches["main"]
        repo.add(branch, "Data of tones", "", {"data/en/x.parquet": Blob(letter * 60_000)})
    with pytest.raises(InputError, match=r"--quota: .* would hold .* are allowed"):
        publishing(smaller, quota_bytes=size + 50_000)
    done = publishing(smaller)
    assert done.unfinished == ("m5ser-publishing-0123", "m5ser-publishing-4567")
    assert set(repo.branches) == {"main", *done.unfinished}
    shown = Console(file=io.StringIO(), width=200)
    PublishOutcome(done).print_to(shown)
    fix = "`hf repos branch delete org/tones m5ser-publishing-0123 --type dataset`"
    assert fix in shown.file.getvalue()  # type: ignore[attr-defined]


def test_the_tags_of_earlier_sets_count_too(hub: Hub, tones: Path, smaller: Path) -> None:
    publishing(tones, tag="v1")
    publishing(smaller, tag="v2")
    both = read_manifest(tones).total_bytes
    with pytest.raises(InputError, match="--quota: "):
        publishing(smaller, quota_bytes=both)


def test_the_hubs_own_quota_is_told(hub: Hub, tones: Path) -> None:
    hub.quota = 1000
    with pytest.raises(InputError, match="no room for .* storage limit reached"):
        publishing(tones)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "there is no token for the Hub: run `hf auth login`"),
        ("hf_" + "y" * 34, "does not accept the token"),
        (EXPIRED, "does not accept the token: it is wrong or has expired"),
        (READER, "the token may not do this with 'org/tones'"),
    ],
)
def test_a_token_that_will_not_do(
    hub: Hub, tones: Path, monkeypatch: pytest.MonkeyPatch, token: str | None, said: str
) -> None:
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(InputError, match=said) as raised:
        publishing(tones)
    assert not token or token not in str(raised.value)
    assert not hub.uploaded


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tones", "say it as owner/name"),
        ("a/b/c", "say it as owner/name"),
        ("org/..", "is no name of a repository"),
        ("org/a b", "is no name of a repository"),
        ("other/tones", "the token may not do this with 'other/tones'"),
    ],
)
def test_a_name_that_will_not_do(hub: Hub, tones: Path, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        publishing(tones, name)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "does not accept the token"), (403, "the token may not do this"), (402, "no room for")],
)
def test_what_the_hub_refuses_while_xet_sends(
    hub: Hub, tones: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch, status: int,
    said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)
    hub.faults = [Fault("xet-write-token", times=99, status=status)]
    with pytest.raises(InputError, match=said):
        publishing(tones)
    assert any("xet-write-token" in request for request in hub.requests)
    assert not hub.uploaded
    assert waits == []


def test_a_name_that_a_model_has(hub: Hub, tones: Path) -> None:
    hub.repos["model", NAME] = Repo("model", NAME, private=False)
    with pytest.raises(InputError, match="'org/tones' is a model on the Hub"):
        publishing(tones)


def test_a_tag_that_is_taken(hub: Hub, tones: Path, smaller: Path) -> None:
    publishing(tones, tag="v1")
    assert publishing(tones, tag="v1").commits == 0
    before = hub.dataset(NAME).branches["main"]
    with pytest.raises(InputError, match="--tag: 'v1' names another revision"):
        publishing(smaller, tag="v1")
    assert hub.dataset(NAME).branches == {"main": before}


def test_a_tag_that_is_taken_is_refused_before_a_card_is_sent(hub: Hub, my_tones: Path) -> None:
    publishing(my_tones, tag="v1")
    before = hub.dataset(NAME).branches["main"]
    card = (my_tones / CARD).read_text(encoding="utf-8")
    (my_tones / CARD).write_text(card.replace("synthetic", "Synthetic"), encoding="utf-8")
    with pytest.raises(InputError, match="--tag: 'v1' names another revision"):
        publishing(my_tones, tag="v1")
    assert hub.dataset(NAME).branches == {"main": before}
    assert publishing(my_tones, tag="v2").commits == 1


def test_a_tag_that_is_no_name(hub: Hub, tones: Path) -> None:
    with pytest.raises(InputError, match="--tag: 'a b'"):
        publishing(tones, tag="a b")


def test_a_folder_without_a_manifest(hub: Hub, my_tones: Path) -> None:
    (my_tones / MANIFEST).unlink()
    with pytest.raises(InputError, match=rf"has no {MANIFEST}"):
        publishing(my_tones)
    assert not hub.requests


def test_a_shard_that_is_missing_or_cut_is_named(hub: Hub, my_tones: Path) -> None:
    first, second, *_ = sorted(my_tones.glob("data/*/*.parquet"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    with pytest.raises(InputError) as raised:
        publishing(my_tones)
    assert f"'{first.relative_to(my_tones)}' is missing" in str(raised.value)
    assert f"'{second.relative_to(my_tones)}' was changed" in str(raised.value)
