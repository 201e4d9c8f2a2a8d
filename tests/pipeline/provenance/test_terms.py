from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.layout import REJECTED_LINES
from pipeline.dataset.licence import licence_of
from pipeline.dataset.reading import open_folder
from pipeline.provenance.components import Component, components_of, ledger
from pipeline.provenance.licences import LICENCES, NOT_SHAREABLE
from pipeline.provenance.terms import LicenceError, check_claim, resulting_licence
from tests.pipeline.provenance.resolved import recipe

OURS = Component(
    name="ours", kind="corpus", licence="Apache-2.0", read_in="its LICENSE", covers_output=True
)
ACTED = ledger()["corpus", "ravdess"]
SERIES = ledger()["corpus", "meld"]
OPEN = resulting_licence([OURS], ["Apache-2.0"])
LLAMA, CPML = "LicenseRef-Llama-3-Community", "LicenseRef-CPML-1.0"
NOT_SOLD = resulting_licence([ACTED], ["CC-BY-NC-SA-4.0"])


def test_the_strictest_licence_wins_and_the_reasons_name_who_asks() -> None:
    licence = resulting_licence(components_of(recipe(corpus={"engine": "ravdess"})), ["MIT"])
    assert (licence.spdx, licence.may_share) == ("CC-BY-NC-SA-4.0", True)
    assert "the corpus ravdess" in licence.reasons[0]
    assert "no commercial use" in licence.reasons[0]
    assert licence.reasons[-1].startswith("MIT (rows that name it)")


def test_a_licence_that_does_not_cover_the_output_does_not_count() -> None:
    espeak = ledger()["synthesizer", "espeak"]
    assert resulting_licence([espeak, OURS], []).spdx == "Apache-2.0"


@pytest.mark.parametrize(
    "unknown",
    [
        {"translation": {"engine": "memory", "path": "memory.tsv"}},
        {"translation": {"engine": "nllb", "model": "checkpoints/mine"}},
        {"translation": {"engine": "llm", "model": "meta-llama/Llama-3.1-8B-Instruct"}},
        {"translation": {"engine": "llm", "model": "huggyllama/llama-30b"}},
        {"synthesis": {"engine": "command"}},
        {"synthesis": {"engine": "vits", "model": {"de": "voices/anna"}}},
    ],
)
def test_what_the_ledger_can_not_know_blocks_sharing_until_the_recipe_says_it(
    unknown: dict[str, Any],
) -> None:
    blocked = resulting_licence(components_of(recipe(**unknown)), ["Apache-2.0"])
    assert not blocked.may_share
    name = blocked.reasons[0].partition(":")[0]
    assert f"{{{name}: SPDX id}}" in blocked.reasons[0]
    said = resulting_licence(
        components_of(recipe(**unknown, licences={name: "CC-BY-4.0"})), ["Apache-2.0"]
    )
    assert (said.spdx, said.may_share) == ("CC-BY-4.0", True)


@pytest.mark.parametrize(
    ("translator", "synthesizer", "spdx"),
    [
        ("facebook/nllb-200-distilled-600M", "facebook/mms-tts-deu", "CC-BY-NC-4.0"),
        ("google/madlad400-3b-mt", "coqui/XTTS-v2", "LicenseRef-CPML-1.0"),
        ("google/madlad400-3b-mt", "facebook/seamless-expressive", "LicenseRef-Seamless"),
    ],
)
def test_models_bring_their_own_terms(translator: str, synthesizer: str, spdx: str) -> None:
    neural = recipe(
        translation={"engine": "nllb", "model": translator},
        synthesis={"engine": "vits", "model": synthesizer},
    )
    licence = resulting_licence(components_of(neural), ["Apache-2.0"])
    assert (licence.spdx, licence.may_share) == (spdx, True)


def test_a_licence_that_nobody_has_read_blocks_sharing_until_the_recipe_says_it() -> None:
    name = "facebook/m2m100_418M"
    assert not ledger()["model", "*m2m100*"].read_in
    unread = recipe(translation={"engine": "m2m100", "model": name})
    licence = resulting_licence(components_of(unread), ["Apache-2.0"])
    assert not licence.may_share
    assert "MIT, which was not verified" in licence.reasons[0]
    said = resulting_licence(components_of({**unread, "licences": {name: "CC-BY-NC-4.0"}}), [])
    assert (said.spdx, said.may_share) == ("CC-BY-NC-4.0", True)


def test_a_judge_that_nobody_has_read_blocks_nothing() -> None:
    judged = recipe(judges=[{"engine": "wavlm", "model": "microsoft/wavlm-base-plus-sv"}])
    assert resulting_licence(components_of(judged), ["Apache-2.0"]).spdx == "Apache-2.0"


def test_autopcp_s_network_and_comparator_are_each_a_component() -> None:
    pin = "c" * 64
    judge = {
        "engine": "autopcp", "model": "facebook/wav2vec2-large-xlsr-53", "revision": "a" * 40,
        "comparator": "models/AutoPCP-multilingual-v2", "comparator_sha256": pin,
    }  # fmt: skip
    used = {one.name: one for one in components_of(recipe(judges=[judge]))}
    assert used["facebook/wav2vec2-large-xlsr-53"].licence == "Apache-2.0"
    comparator = used["models/AutoPCP-multilingual-v2"]
    assert (comparator.licence, comparator.revision) == (None, pin[:12])
    assert resulting_licence(tuple(used.values()), ["Apache-2.0"]).spdx == "Apache-2.0"


def test_a_judge_s_licence_does_not_reach_the_clips() -> None:
    judged = recipe(judges=[{"engine": "emotion", "model": "some/classifier"}])
    assert resulting_licence(components_of(judged), ["Apache-2.0"]).spdx == "Apache-2.0"


def test_text_that_belongs_to_others_blocks_sharing() -> None:
    licence = resulting_licence([SERIES], ["GPL-3.0-only"])
    assert (licence.spdx, licence.may_share) == (NOT_SHAREABLE, False)
    assert "television series" in licence.reasons[0]


@pytest.mark.parametrize("unknown", ["my own", "", "CC-BY-9.0"])
def test_an_unknown_row_licence_blocks_sharing_and_is_named(unknown: str) -> None:
    licence = resulting_licence([ledger()["corpus", "manifest"]], ["CC-BY-4.0", unknown])
    assert not licence.may_share
    assert f"'{unknown}'" in licence.reasons[0]
    assert "not known" in licence.reasons[0]


def test_a_licence_that_is_spelled_otherwise_is_guessed() -> None:
    licence = resulting_licence([], ["CC BY-NC-SA 4.0", "my own"])
    assert not licence.may_share
    assert "not known (did you mean 'CC-BY-NC-SA-4.0'?)" in licence.reasons[0]
    assert "did you mean" not in licence.reasons[1]


def test_licences_that_each_ask_to_be_the_only_one_block_sharing() -> None:
    licence = resulting_licence([], ["CC-BY-SA-4.0", "CC-BY-NC-4.0"])
    assert not licence.may_share
    assert "can't both be kept" in licence.reasons[0]


@pytest.mark.parametrize(
    ("rows", "spdx"),
    [
        ([LLAMA, "CC-BY-NC-4.0"], f"CC-BY-NC-4.0 AND {LLAMA}"),
        ([CPML, "CC-BY-NC-4.0"], f"CC-BY-NC-4.0 AND {CPML}"),
        ([LLAMA, CPML, "MIT"], f"{CPML} AND {LLAMA}"),
        ([LLAMA, "Apache-2.0", "CC0-1.0"], LLAMA),
    ],
)
def test_terms_of_a_maker_s_own_hold_beside_those_of_others(rows: list[str], spdx: str) -> None:
    licence = resulting_licence([], rows)
    assert (licence.spdx, licence.may_share) == (spdx, True)
    assert len(licence.reasons) == len(rows)


@pytest.mark.parametrize("same", ["ODbL-1.0", "CC-BY-NC-SA-4.0"])
def test_terms_of_a_maker_s_own_are_not_under_the_same_licence(same: str) -> None:
    licence = resulting_licence([], [same, CPML])
    assert (licence.spdx, licence.may_share) == (NOT_SHAREABLE, False)
    assert "can't both be kept" in licence.reasons[0]


@pytest.mark.parametrize(
    ("rows", "claim"),
    [
        ([LLAMA], "CC-BY-NC-4.0"),
        ([LLAMA], CPML),
        (["CC-BY-NC-4.0"], CPML),
        ([LLAMA, "CC-BY-NC-4.0"], LLAMA),
        ([LLAMA, "CC-BY-NC-4.0"], "CC-BY-NC-4.0"),
    ],
)
def test_a_claim_that_lacks_a_condition_is_an_error(rows: list[str], claim: str) -> None:
    computed = resulting_licence([], rows)
    with pytest.raises(LicenceError, match=f"claim {computed.spdx}"):
        check_claim(claim, computed)


@pytest.mark.parametrize(
    "claim", [f"{LLAMA} AND CC-BY-NC-4.0", f"{LLAMA} AND {CPML} AND CC-BY-NC-4.0"]
)
def test_a_claim_may_be_several_licences(claim: str) -> None:
    check_claim(claim, resulting_licence([], [LLAMA, "CC-BY-NC-4.0"]))
    with pytest.raises(LicenceError, match="'mine' is no SPDX id"):
        check_claim(f"{claim} AND mine", OPEN)


@pytest.mark.parametrize(
    ("rows", "claim", "why"),
    [
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0 AND CC-BY-NC-4.0", "can't both be kept"),
        ("CC-BY-SA-4.0", "GPL-3.0-only AND CC-BY-SA-4.0", "can't both be kept"),
        (LLAMA, f"{LLAMA} AND CC-BY-NC-SA-4.0", "can't both be kept"),
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0 AND CC-BY-NC-ND-4.0", "CC-BY-NC-ND-4.0: it allows no"),
        ("Apache-2.0", "CC-BY-ND-4.0", "CC-BY-ND-4.0: it allows no derived works"),
    ],
)
def test_a_claim_that_no_set_could_keep_is_an_error(rows: str, claim: str, why: str) -> None:
    computed = resulting_licence([], [rows])
    with pytest.raises(LicenceError, match=f"{why}.*claim {computed.spdx}"):
        check_claim(claim, computed)


def test_a_claim_may_add_a_licence_that_the_other_covers() -> None:
    check_claim("CC-BY-SA-4.0 AND CC-BY-4.0", resulting_licence([], ["CC-BY-SA-4.0"]))


def test_rows_that_may_take_a_later_version_go_with_rows_that_may_not() -> None:
    later, only = "GPL-3.0-or-later", "GPL-3.0-only"
    both = resulting_licence([], [later, only])
    assert (both.spdx, both.may_share) == (only, True)
    check_claim(only, resulting_licence([], [later]))
    with pytest.raises(LicenceError, match=f"claim {only}"):
        check_claim(later, both)


def test_no_derivatives_blocks_sharing_because_takes_are_derived() -> None:
    assert not resulting_licence([], ["CC-BY-ND-4.0"]).may_share


def test_a_set_without_any_licence_may_not_be_shared() -> None:
    licence = resulting_licence([ledger()["corpus", "manifest"]], [])
    assert (licence.may_share, licence.reasons) == (False, ("no row names a licence",))


def test_the_order_of_components_and_rows_does_not_matter() -> None:
    rows = ["CC-BY-4.0", "Apache-2.0", "MIT"]
    assert resulting_licence([OURS], rows) == resulting_licence([OURS], rows[::-1])


@pytest.mark.parametrize("claim", [None, "Apache-2.0", "apache-2.0", "CC-BY-NC-4.0"])
def test_a_claim_as_strict_or_stricter_passes(claim: str | None) -> None:
    check_claim(claim, OPEN)


@pytest.mark.parametrize("claim", ["MIT", "CC0-1.0"])
def test_a_laxer_claim_is_an_error_with_the_fix(claim: str) -> None:
    with pytest.raises(LicenceError, match=r"ask for Apache-2\.0.*claim Apache-2\.0"):
        check_claim(claim, OPEN)


@pytest.mark.parametrize("claim", ["Apache-2.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0"])
def test_share_alike_can_not_be_claimed_as_anything_else(claim: str) -> None:
    with pytest.raises(LicenceError, match=r"CC-BY-NC-SA-4\.0"):
        check_claim(claim, NOT_SOLD)


def test_any_claim_over_a_set_that_may_not_be_shared_is_an_error() -> None:
    with pytest.raises(LicenceError, match="may not be shared"):
        check_claim("CC-BY-NC-ND-4.0", resulting_licence([SERIES], []))


def test_an_unknown_claim_is_an_error_that_lists_what_is_known() -> None:
    with pytest.raises(LicenceError, match=r"'free for all' is no SPDX id.*MIT, BSD-3-Clause"):
        check_claim("free for all", OPEN)


def test_every_licence_states_its_conditions() -> None:
    assert LICENCES[0].conditions() == "no conditions"
    assert all(terms.conditions() for terms in LICENCES)


def test_a_line_that_was_never_spoken_brings_its_licence(
    make_dataset_folder: Callable[..., Path],
) -> None:
    folder = make_dataset_folder("glob[1]")
    with open_folder(folder) as dataset:
        before = licence_of(dataset)
    line = {"source_id": "s-1", "language": "de", "text": "Nein.", "licence": "CC-BY-NC-4.0"}
    pq.write_table(pa.Table.from_pylist([line]), folder / REJECTED_LINES)
    with open_folder(folder) as dataset:
        after = licence_of(dataset)
    assert before.spdx != after.spdx == "CC-BY-NC-4.0"
