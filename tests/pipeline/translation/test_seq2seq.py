"""Languages, budgets and beams of the encoder-decoder translators."""

from __future__ import annotations

import shutil

import pytest
import torch

from pipeline.pretrained.named import ModelError
from pipeline.records import Failure
from pipeline.translation.base import Translation
from pipeline.translation.generation import generate_by_cap, token_cap
from pipeline.translation.madlad import Madlad
from pipeline.translation.nllb import Nllb
from tests.checkpoints import text
from tests.pipeline.translation.conftest import SENTENCES


def test_beams_are_independent_of_the_batch_too(folders):
    translate = Nllb(model=str(folders / "nllb"), beams=3).load()
    together = translate(SENTENCES, "en", "de")
    assert together == [translate([one], "en", "de")[0] for one in SENTENCES]


def test_a_small_budget_changes_nothing(folders, translate):
    frugal = Nllb(model=str(folders / "nllb"), beams=1, tokens_per_batch=1).load()
    assert frugal(SENTENCES, "en", "de") == translate("nllb")


def test_a_model_translates_back_as_well(folders):
    translate = Nllb(model=str(folders / "nllb"), beams=1).load()
    assert translate(SENTENCES[:1], "de", "en") != translate(SENTENCES[:1], "en", "de")


def test_a_language_that_the_model_lacks_is_named_with_the_fix(folders):
    translate = Nllb(model=str(folders / "m2m100"), beams=1).load()
    with pytest.raises(ModelError, match=r"'eng_Latn' for English.*name a model that has it"):
        translate(SENTENCES, "en", "de")


def test_a_model_of_several_targets_is_told_which(engines, folders):
    tokenizer = engines["marian"].open(folders / "opus-mt-en-zh").tokenizer
    assert engines["marian"].steer(tokenizer, "en", "zh").prefix == ">>cmn_Hans<< "
    with pytest.raises(ModelError, match=r"has none for German among >>cmn_Hans<<"):
        engines["marian"].steer(tokenizer, "en", "de")
    tokenizer = engines["marian"].open(folders / "opus-mt-en-de").tokenizer
    assert engines["marian"].steer(tokenizer, "en", "de").prefix == ""


@pytest.mark.parametrize(
    ("known", "target", "prefix"),
    [
        ((">>fr<<", ">>pt<<", ">>pt_BR<<"), "pt", ">>pt<< "),  # opus-mt-en-ROMANCE
        ((">>cmn<<", ">>cmn_Hans<<", ">>cmn_Hant<<"), "zh", ">>cmn_Hans<< "),
        ((">>ara<<", ">>arz<<"), "ar", ">>ara<< "),
    ],
)
def test_older_and_newer_names_of_a_target_are_known(engines, tmp_path, known, target, prefix):
    tokenizer = engines["marian"].open(text.tiny_marian(tmp_path / "m", targets=known)).tokenizer
    assert engines["marian"].steer(tokenizer, "en", target).prefix == prefix


def test_an_answer_without_end_is_cut_off_at_the_cap_and_marked(folders):
    running = Madlad(model=str(folders / "madlad"), beams=1).open(folders / "madlad")
    running.model.generation_config.suppress_tokens = [running.tokenizer.eos_token_id]
    answers = running.translate(SENTENCES, "en", "de")
    assert all(answer.hit_length_cap for answer in answers)
    assert len(running.tokenizer(answers[2].text).input_ids) <= token_cap(16) + 1


def test_a_sign_that_the_model_cannot_spell_is_no_translation(folders):
    running = Nllb(model=str(folders / "nllb"), beams=1).open(folders / "nllb")
    steering = running.settings.steer(running.tokenizer, "en", "de")
    whole = running.tokenizer("ja").input_ids
    unknown = [*whole[:-1], running.tokenizer.unk_token_id, whole[-1]]
    assert isinstance(running._read(steering, whole), Translation)
    said = running._read(steering, unknown)
    assert isinstance(said, Failure)
    assert "<unk>" in said.error


def test_marian_does_not_end_what_was_cut_off(folders, engines):
    """Its configuration forces the end mark at the cap, which would look like a whole text."""
    running = engines["marian"].open(folders / "opus-mt-en-de")
    forced = running.model.generation_config
    assert 0 in (forced.forced_eos_token_id, running.model.config.forced_eos_token_id)
    with torch.no_grad():  # it never chooses the end mark by itself
        running.model.final_logits_bias[:, 0] = -1e4
    assert all(answer.hit_length_cap for answer in running.translate(SENTENCES, "en", "de"))


def test_out_of_memory_halves_the_batch_and_is_written_down(
    folders, translate, monkeypatch, caplog
):
    import torch

    running = Nllb(model=str(folders / "nllb"), beams=1).open(folders / "nllb")
    generate = running.model.generate

    def small(input_ids, **rest):
        if len(input_ids) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return generate(input_ids=input_ids, **rest)

    monkeypatch.setattr(running.model, "generate", small)
    same_length = [SENTENCES[0], SENTENCES[2], SENTENCES[0]]
    assert running.translate(same_length, "en", "de") == translate("nllb", same_length)
    assert "out of memory on a batch of" in caplog.text


def test_a_sentence_that_has_no_room_alone_fails_alone(folders, monkeypatch):
    import torch

    running = Nllb(model=str(folders / "nllb"), beams=1).open(folders / "nllb")
    generate = running.model.generate
    longest = len(running.tokenizer(SENTENCES[3].text).input_ids)

    def small(input_ids, **rest):
        if input_ids.shape[1] >= longest:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return generate(input_ids=input_ids, **rest)

    monkeypatch.setattr(running.model, "generate", small)
    answers = running.translate(SENTENCES, "en", "de")
    assert answers[3] == Failure(
        "translate", "out of memory on this row alone: CUDA out of memory."
    )
    assert not any("out of memory" in str(answer) for answer in answers[:3])


def test_another_bug_is_no_lack_of_memory(folders, monkeypatch):
    running = Nllb(model=str(folders / "nllb"), beams=1).open(folders / "nllb")

    def broken(**_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(running.model, "generate", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        running.translate(SENTENCES, "en", "de")


def test_pickled_weights_are_read_only_if_the_recipe_allows(folders, translate, tmp_path):
    copy = text.pickle_weights(shutil.copytree(folders / "nllb", tmp_path / "pickled"))
    with pytest.raises(ModelError, match=r"no safetensors.*allow_pickle: true"):
        Nllb(model=str(copy), beams=1).load()
    allowed = Nllb(model=str(copy), beams=1, allow_pickle=True).load()
    assert allowed(SENTENCES, "en", "de") == translate("nllb")


def test_texts_of_different_caps_are_never_in_one_batch():
    seen = []

    def generate(batch, cap):
        seen.append((cap, sorted(map(len, batch))))
        return [Translation("x") for _ in batch]

    lengths = [1, 16, 17, 32, 33]
    encoded = [[0] * length for length in lengths]
    caps = [token_cap(length) for length in lengths]
    generate_by_cap(generate, encoded, caps, budget=1000, longest=100)
    assert seen == [(112, [33]), (80, [17, 32]), (48, [1, 16])]


def test_a_blank_answer_fails():
    answers = generate_by_cap(lambda batch, cap: [Translation("")], [[1]], [16], 100, 100)
    assert answers == [Failure("translate", "the model wrote nothing")]
