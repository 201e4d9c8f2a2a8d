"""A set arrives on the Hub whole or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pipeline.cards.own_section import with_own_section
from pipeline.dataset.layout import CARD, MANIFEST
from pipeline.dataset.manifest import read_manifest, write_manifest
from pipeline.errors import InputError
from pipeline.hub.package import open_package
from pipeline.hub.push import Push, move_main
from pipeline.hub.repository import connect
from pipeline.hub.retry import HubUnreachable
from tests.hub_repositories import Blob, Repo
from tests.hub_server import Fault, Hub
from tests.publishing import NAME, publishing
from tests.tiny_set import write_set


def test_a_set_arrives_whole_and_private(hub: Hub, tones: Path) -> None:
    published = publishing(tones)
    repo = hub.dataset(NAME)
    assert (repo.private, published.private, published.sent) == (True, True, 15)
    assert {*repo.files()} == {
        *read_manifest(tones).files,
        MANIFEST,
        "CHANGES.md",
        ".gitattributes",
    }
    for name, entry in json.loads(repo.files()[MANIFEST])["files"].items():
        assert hashlib.sha256(repo.files()[name]).hexdigest() == entry["sha256"], name
    assert published.revision == repo.branches["main"]


def test_the_main_branch_moves_once_and_nothing_is_left(hub: Hub, tones: Path) -> None:
    publishing(tones)
    assert [commit.title for commit in hub.dataset(NAME).history("main")] == [
        "Publish tones",
        "initial commit",
    ]
    assert list(hub.dataset(NAME).branches) == ["main"]


def test_what_the_hub_has_is_not_sent_again(hub: Hub, tones: Path) -> None:
    first = publishing(tones)
    hub.uploaded.clear()
    again = publishing(tones)
    assert (again.sent, again.there, again.commits) == (0, 15, 0)
    assert again.revision == first.revision
    assert not hub.uploaded


def test_a_cut_connection_is_taken_up_again(hub: Hub, tones: Path, waits: list[float]) -> None:
    hub.faults = [Fault("PUT /large", times=10, cut=True)]
    publishing(tones)
    assert hub.faults[0].times == 0
    assert len(hub.uploaded) == len(set(hub.uploaded)), "a file that had arrived was sent again"
    assert hub.dataset(NAME).files()[MANIFEST]
    assert len(waits) >= 10


@pytest.mark.parametrize("where", ["commit/main", "commit/m5ser", "repos/create", "tree", "whoami"])
def test_a_call_that_fails_is_made_again(
    hub: Hub, tones: Path, where: str, waits: list[float]
) -> None:
    hub.faults = [Fault(where, times=1, status=503), Fault(where, times=1, cut=True)]
    publishing(tones)
    assert [fault.times for fault in hub.faults] == [0, 0]
    assert hub.dataset(NAME).history("main")[0].title == "Publish tones"


def test_the_hub_says_how_long_to_wait(hub: Hub, tones: Path, waits: list[float]) -> None:
    hub.faults = [Fault("commit/main", status=429, headers={"Retry-After": "37"})]
    publishing(tones)
    assert 37 in waits


def test_a_push_that_was_stopped_shows_nothing_and_goes_on(
    hub: Hub, tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.hub.push._BATCH_FILES", 4)
    passed = Fault("POST /api/.*/commit/m5ser", times=2, before=lambda: None)
    hub.faults = [passed, Fault("POST /api/.*/commit/m5ser", times=99, status=503)]
    with pytest.raises(HubUnreachable, match="goes on from there"):
        publishing(tones)
    assert set(hub.dataset(NAME).files()) == {".gitattributes"}
    hub.faults, sent = [], len(hub.uploaded)
    published = publishing(tones)
    assert (published.sent, published.there) == (15 - 8, 8)
    assert len(hub.uploaded) - sent < 15 - 8 + 5, "what lay in the third batch was there already"
    assert MANIFEST in hub.dataset(NAME).files()


def test_a_commit_whose_answer_was_lost_is_not_made_twice(hub: Hub, tones: Path) -> None:
    publishing(tones)
    repo = hub.dataset(NAME)
    tree = repo.commits[repo.branches["main"]].files
    repo.branches["main"] = next(
        c.oid for c in repo.commits.values() if c.title == "initial commit"
    )

    def answer_is_lost() -> None:
        repo.add("main", "Publish tones", "", tree)

    hub.faults = [Fault("commit/main", before=answer_is_lost, status=502)]
    publishing(tones)
    assert len(repo.history("main")) == 2


def test_someone_elses_commit_is_read_and_kept(hub: Hub, tones: Path) -> None:
    hub.faults = [Fault("commit/main", before=lambda: hub.dataset(NAME).put("notes.txt", b"mine"))]
    publishing(tones)
    files = hub.dataset(NAME).files()
    assert files["notes.txt"] == b"mine"
    assert MANIFEST in files


def test_commits_without_end_are_given_up(hub: Hub, tones: Path) -> None:
    numbers = iter(range(99))
    hub.faults = [
        Fault(
            "commit/main",
            times=99,
            before=lambda: hub.dataset(NAME).put("notes.txt", b"%d" % next(numbers)),
        )
    ]
    with pytest.raises(InputError, match="changed by others 5 times"):
        publishing(tones)


def test_a_changed_set_is_a_new_revision_that_says_what_changed(
    hub: Hub, tones: Path, tmp_path: Path
) -> None:
    publishing(tones, tag="v1")

    def change(rows: list) -> list:
        rows[0] = (rows[0][0], {**rows[0][1], "text": "something else"})
        return [pair for pair in rows if pair[1]["take_id"] != "test-sad-1.de.0"]

    gates = {"length": {"score": "duration_s", "min": 0.2}}
    changed = write_set(
        tmp_path / "changed", change, "cd" * 32, gates=gates, languages=["en", "de"]
    )
    published = publishing(changed, tag="v2")
    repo = hub.dataset(NAME)
    newest, oldest, _ = repo.history("main")
    assert newest.title == (
        "Publish tones v2: 0 rows added, 13 removed, 1 changed; gates changed: length.min"
    )
    assert "de: 0 added, 1 removed, 0 changed" in newest.description
    assert repo.tags == {"v1": oldest.oid, "v2": newest.oid}
    assert not [name for name in repo.files() if name.startswith("data/fr/")]
    assert [name for name in repo.files("v1") if name.startswith("data/fr/")]
    changes = repo.files()["CHANGES.md"].decode()
    assert changes.index("## v2") < changes.index("gate length.min: 0.1 → 0.2")
    assert changes.index("gate length.min") < changes.index("## v1")
    assert published.difference
    assert published.there > 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.yaml", b"name: [1"),
        ("recipe.yaml", b"- 1"),
        ("recipe.yaml", b"\xff\xfe"),
        ("rows.parquet", b"no parquet"),
    ],
    ids=["no-yaml", "no-mapping", "no-text", "no-rows"],
)
def test_what_nothing_can_be_compared_with_is_named_and_left(
    hub: Hub, tones: Path, smaller: Path, name: str, content: bytes
) -> None:
    publishing(tones)
    repo = hub.dataset(NAME)
    repo.put(name, content)
    before = repo.branches["main"]
    with pytest.raises(InputError, match=rf"{name}.* is (not|no text in UTF-8).* what m5ser wrote"):
        publishing(smaller)
    assert repo.branches["main"] == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{}", "m5ser: Field required"), (b"[", "Invalid JSON"), (b"\xff\xfe", "no text in UTF-8")],
    ids=["empty", "no-json", "no-text"],
)
def test_a_manifest_that_was_damaged_on_the_hub_is_named_with_what_to_do(
    hub: Hub, tones: Path, content: bytes, said: str
) -> None:
    publishing(tones)
    repo = hub.dataset(NAME)
    repo.put(MANIFEST, content)
    before = repo.branches["main"]
    with pytest.raises(InputError, match=f"{MANIFEST}.*{said}.*; put back there the one of the"):
        publishing(tones)
    assert repo.branches["main"] == before


def test_public_is_asked_for_and_comes_last(hub: Hub, tones: Path) -> None:
    assert publishing(tones, public=True).private is False
    calls = [one for one in hub.requests if one.startswith(("PUT /api", "POST /api"))]
    assert calls[-1] == f"PUT /api/datasets/{NAME}/settings"


def test_a_person_who_writes_on_the_card_is_not_overwritten(
    hub: Hub, tones: Path, smaller: Path
) -> None:
    publishing(tones)
    card = hub.dataset(NAME).files()[CARD].decode()
    hub.dataset(NAME).put(CARD, f"{card}\n## From the curator\n\nListen to it first.\n".encode())
    for _ in range(2):
        publishing(smaller)
        found = hub.dataset(NAME).files()[CARD].decode()
        assert found.count("## From the curator\n\nListen to it first.") == 1
        assert "in English and German" in found
    manifest = json.loads(hub.dataset(NAME).files()[MANIFEST])
    assert manifest["files"][CARD]["sha256"] == hashlib.sha256(found.encode()).hexdigest()


def test_a_section_that_was_filled_in_after_the_first_publish_arrives(
    hub: Hub, my_tones: Path
) -> None:
    publishing(my_tones)

    def write(text: str) -> None:
        card = (my_tones / CARD).read_text(encoding="utf-8")
        (my_tones / CARD).write_text(with_own_section(card, f"\n{text}\n"), encoding="utf-8")
        write_manifest(my_tones)

    write("Ask Ada.")
    first = publishing(my_tones)
    assert (first.commits, first.own_section_left_out) == (1, False)
    assert "Ask Ada." in hub.dataset(NAME).files()[CARD].decode()
    write("Ask Ben.")
    second = publishing(my_tones)
    assert (second.commits, second.own_section_left_out) == (0, True)
    assert "Ask Ada." in hub.dataset(NAME).files()[CARD].decode()


def test_a_line_of_ours_that_was_changed_on_the_hub_stops_the_push(
    hub: Hub, tones: Path, smaller: Path
) -> None:
    publishing(tones)
    card = hub.dataset(NAME).files()[CARD].decode()
    edited = card.replace("synthetic emotional speech", "the best speech", 2)
    hub.dataset(NAME).put(CARD, edited.encode())
    with pytest.raises(InputError, match="changed by hand on the Hub, at the line"):
        publishing(smaller)
    assert hub.dataset(NAME).files()[CARD].decode() == edited
    assert list(hub.dataset(NAME).branches) == ["main"]


def test_a_header_line_of_a_person_is_to_be_taken_away(
    hub: Hub, tones: Path, smaller: Path
) -> None:
    publishing(tones)
    card = hub.dataset(NAME).files()[CARD].decode()
    edited = card.replace("---\n", "---\nextra_gated_prompt: Agree first.\n", 1)
    hub.dataset(NAME).put(CARD, edited.encode())
    with pytest.raises(InputError, match="'extra_gated_prompt.*added to the header: take that"):
        publishing(smaller)


def test_a_person_s_commit_may_be_titled_like_ours(hub: Hub, tones: Path, smaller: Path) -> None:
    publishing(tones)
    card = hub.dataset(NAME).files()[CARD].decode()
    own = f"{card}\n## Contact\n\nAsk Ada.\n".encode()
    hub.dataset(NAME).put(CARD, own, title="Publish contact of the curator")
    publishing(smaller)
    assert "Ask Ada." in hub.dataset(NAME).files()[CARD].decode()


def test_two_who_publish_at_once_do_not_mix_their_data(
    hub: Hub, tones: Path, smaller: Path
) -> None:
    """The other one's whole publish falls between the first one's data and its last commit."""
    publishing(smaller)
    before = Fault("POST /api/.*/commit/main", before=lambda: publishing(smaller))
    hub.faults = [before]
    publishing(tones)
    assert before.times == 0
    files = hub.dataset(NAME).files()
    for name, entry in json.loads(files[MANIFEST])["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == entry["sha256"], name
    assert list(hub.dataset(NAME).branches) == ["main"]


def test_data_that_is_not_on_its_branch_is_not_published(hub: Hub, tones: Path) -> None:
    push = Push(open_package(tones), connect(NAME, "dataset", must_write=True), None)
    push.repository.create()
    with pytest.raises(InputError, match="parquet is no longer on the branch m5ser-publish"):
        move_main(push)
    assert MANIFEST not in hub.dataset(NAME).files()


def test_somebody_else_on_the_same_branch_is_said(hub: Hub, tones: Path) -> None:
    hub.faults = [Fault("POST /api/.*/commit/m5ser-publishing-", status=412)]
    with pytest.raises(InputError, match="somebody else publishes the same to 'org/tones'"):
        publishing(tones)
    assert publishing(tones).sent == 15


def test_a_repository_that_was_made_by_hand_keeps_its_text(hub: Hub, tones: Path) -> None:
    repo = hub.repos["dataset", NAME] = Repo("dataset", NAME, private=False)
    repo.put(CARD, b"---\nlicense: mit\n---\n\nWe meet on Tuesdays.\n")
    published = publishing(tones)
    card = repo.files()[CARD].decode()
    assert "We meet on Tuesdays." in card
    assert "license: mit" not in card
    assert published.private is False


def test_files_of_others_stay(hub: Hub, tones: Path, smaller: Path) -> None:
    publishing(tones)
    hub.dataset(NAME).put("notes.txt", b"mine")
    publishing(smaller)
    assert hub.dataset(NAME).files()["notes.txt"] == b"mine"


def test_blobs_are_hashed_as_git_does() -> None:
    from pipeline.hub.repository import git_oid

    assert Blob(b"hello\n").oid == git_oid(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
