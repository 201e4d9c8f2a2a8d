from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import whisper

from pipeline.records import Failure
from pipeline.whisper.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pipeline.whisper.drafting import draft_tokens
from pipeline.whisper.encoding import encode_mels, log_mel
from pipeline.whisper.rules import greedy_rules
from pipeline.whisper.transcribing import Clip, Transcriber
from tests.checkpoints.whisper import tiny_whisper, word_vocabulary
from tests.pipeline.whisper.sounds import clip

LANGUAGES = ["de", "en", "zh"]


@pytest.fixture(scope="module")
def checkpoint():
    return Checkpoint(tiny_whisper(2, end_after=10, words_only=True), "tokens", "")


def clips(text="Das hat niemand gesagt"):
    return [Clip(clip(0.3 + 0.25 * i, i), text, LANGUAGES[i % 3]) for i in range(7)]


@pytest.mark.parametrize("window", ["full", "short"])
def test_batched_equals_single(checkpoint, window):
    together = Transcriber(checkpoint, LANGUAGES, window, batch_size=3)(clips())
    single = Transcriber(checkpoint, LANGUAGES, window, batch_size=1)
    for one, many in zip((single([c])[0] for c in clips()), together, strict=True):
        assert one.tokens == many.tokens
        assert one.text == many.text
        assert one.average_log_probability == pytest.approx(many.average_log_probability, abs=1e-4)
        assert one.language_probabilities == pytest.approx(many.language_probabilities, abs=1e-4)


def as_before(found, expected):
    """The same transcripts, their probabilities as far as sums in another order allow."""
    for one, other in zip(found, expected, strict=True):
        assert (one.tokens, one.text) == (other.tokens, other.text)
        for name in ("average_log_probability", "text_log_probability"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-5)
        assert one.language_probabilities == pytest.approx(other.language_probabilities, abs=1e-4)
    return True


@pytest.mark.parametrize("window", ["full", "short"])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_batch_that_does_not_fit_is_halved_wherever_it_broke_off(
    checkpoint, window, after, monkeypatch
):
    from pipeline.whisper.decoding import CachedDecoder

    transcriber = Transcriber(checkpoint, LANGUAGES, window, batch_size=7)
    expected = transcriber(clips())
    plain, widths = CachedDecoder.hidden, []

    def narrow(decoder, feeds, starts):
        widths.append(len(feeds))
        if len(feeds) > 2 and len(widths) > after:
            raise MemoryError("no room")
        return plain(decoder, feeds, starts)

    monkeypatch.setattr(CachedDecoder, "hidden", narrow)
    assert as_before(transcriber(clips()), expected)
    assert max(widths[after:]) > 2


def test_memory_that_runs_out_behind_a_pass_asks_nobody_again_who_is_done(checkpoint, monkeypatch):
    transcriber = Transcriber(checkpoint, LANGUAGES, batch_size=7)
    heard = transcriber(clips())
    drafts = [Clip(c.samples, t.text, c.language) for c, t in zip(clips(), heard, strict=True)]
    drafts[:2] = clips()[:2]
    expected = transcriber(drafts)
    plain, broken = torch.Tensor.clone, []

    def full(tensor):
        if len(broken) < 2:
            broken.append(tensor)
            raise MemoryError("no room")
        return plain(tensor)

    monkeypatch.setattr(torch.Tensor, "clone", full)
    assert as_before(transcriber(drafts), expected)
    assert len(broken) == 2


def test_a_clip_that_does_not_fit_alone_fails_alone(checkpoint, monkeypatch):
    def narrow(model, mels, frames):
        if frames > 100:
            raise MemoryError("no room")
        return encode_mels(model, mels, frames)

    transcriber = Transcriber(checkpoint, LANGUAGES, "short")
    fitting = [one for one in clips() if len(one.samples) <= 0.5 * 16_000]
    expected = transcriber(fitting)
    monkeypatch.setattr("pipeline.whisper.transcribing.encode_mels", narrow)
    found = transcriber.transcribe([transcriber.prepare(one) for one in clips()])
    failed = [one for one in found if isinstance(one, Failure)]
    assert failed == [Failure("judge", "out of memory on this row alone: no room")] * 6
    assert as_before([one for one in found if one not in failed], expected)
    with pytest.raises(MemoryError, match="this row alone"):
        transcriber(clips())


def test_the_draft_changes_nothing_but_the_number_of_passes(checkpoint, monkeypatch):
    from pipeline.whisper.decoding import CachedDecoder

    passes = []
    plain = CachedDecoder.hidden
    monkeypatch.setattr(CachedDecoder, "hidden", lambda *args: passes.append(1) or plain(*args))
    transcriber = Transcriber(checkpoint, LANGUAGES, batch_size=7)
    apart = transcriber(clips())
    slow = len(passes)
    drafts = [Clip(c.samples, t.text, c.language) for c, t in zip(clips(), apart, strict=True)]
    assert [t.tokens for t in transcriber(drafts)] == [t.tokens for t in apart]
    assert len(passes) - slow == 1
    assert slow > 3


def test_the_wanted_texts_probability_is_that_of_its_tokens_dictated(checkpoint):
    transcriber = Transcriber(checkpoint, LANGUAGES, batch_size=7)
    rules, model = greedy_rules(checkpoint.model, "de"), checkpoint.model
    one = clips()[0]
    wanted = [*draft_tokens(one.text, rules, "tokens"), rules.eot]
    frames = encode_mels(model, [log_mel(one.samples, 80)], 200)
    with torch.no_grad():
        logits = model.decoder(torch.tensor([[*rules.prompt, *wanted]]), frames)
    log_probs = logits[0, len(rules.prompt) - 1 : -1].log_softmax(-1)
    expected = log_probs.gather(1, torch.tensor(wanted)[:, None]).mean().item()
    for heard in (transcriber([one])[0], transcriber(clips())[0]):
        assert heard.text_log_probability == pytest.approx(expected, rel=1e-4)


def test_a_clip_of_several_windows_has_no_probability_of_the_text(checkpoint):
    [heard] = Transcriber(checkpoint, LANGUAGES)([Clip(clip(4.5), "ein langer Text", "de")])
    assert math.isnan(heard.text_log_probability)


def test_a_known_vocabulary_changes_nothing_but_the_work(checkpoint):
    known = replace(checkpoint, vocabulary=tuple(word_vocabulary()))
    for few, many in zip(
        Transcriber(known, LANGUAGES)(clips()),
        Transcriber(checkpoint, LANGUAGES)(clips()),
        strict=True,
    ):
        assert few.tokens == many.tokens
        assert few.average_log_probability == pytest.approx(many.average_log_probability, abs=1e-4)


def test_a_clip_of_one_window_is_transcribed_as_whisper_transcribe_does():
    model = tiny_whisper(2, audio_ctx=1500, end_after=10)
    ours = Transcriber(Checkpoint(model, "tokens", ""), ["de"])(
        [Clip(clip(3.0), "irgendetwas", "de")]
    )
    theirs = whisper.transcribe(
        model,
        clip(3.0),
        language="de",
        temperature=0.0,
        without_timestamps=True,
        no_speech_threshold=None,
        fp16=False,
    )
    assert ours[0].tokens == [t for segment in theirs["segments"] for t in segment["tokens"]]
    assert ours[0].text == theirs["text"].strip()


def test_a_clip_longer_than_the_window_is_heard_to_its_end(checkpoint):
    long = Clip(clip(4.5), "a text of several windows", "en")
    cut = Clip(long.samples[: 2 * 16_000], long.text, "en")
    transcriber = Transcriber(checkpoint, LANGUAGES)
    assert len(transcriber([long])[0].tokens) > len(transcriber([cut])[0].tokens)


def test_language_probabilities_are_of_the_recipes_languages_and_cool_down(checkpoint):
    sharp, flat = (
        Transcriber(checkpoint, LANGUAGES, language_temperature=t)(clips())[0] for t in (1.0, 100.0)
    )
    assert set(sharp.language_probabilities) == set(LANGUAGES)
    assert sum(sharp.language_probabilities.values()) == pytest.approx(1)
    assert max(flat.language_probabilities.values()) == pytest.approx(1 / 3, abs=0.05)
    assert max(sharp.language_probabilities.values()) > max(flat.language_probabilities.values())


def test_a_spelling_checkpoint_gets_spelled_drafts(tmp_path):
    model = tiny_whisper(2, end_after=10)
    letters = Transcriber(Checkpoint(model, "letters", ""), ["de"])
    tokens = Transcriber(Checkpoint(model, "tokens", ""), ["de"])
    clip_ = Clip(clip(1.0), "Guten Morgen", "de")
    assert len(letters.prepare(clip_)[0].hypothesis.draft.tokens) == len("Guten Morgen")
    assert len(tokens.prepare(clip_)[0].hypothesis.draft.tokens) < len("Guten Morgen")
    assert letters([clip_])[0].tokens == tokens([clip_])[0].tokens


def test_a_restored_checkpoint_never_says_an_unused_token(tmp_path):
    path = tmp_path / "small.safetensors"
    save_checkpoint(path, tiny_whisper(2, end_after=10), "tokens", word_vocabulary())
    transcripts = Transcriber(load_checkpoint(str(path)), LANGUAGES)(clips())
    assert {token for t in transcripts for token in t.tokens} <= set(word_vocabulary())


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        ("gut", "fr", "not one of the recipe's"),
        ("", "de", "no letter or digit"),
        ("gut " * 40, "de", "41 tokens, and Whisper writes at most 32"),
    ],
)
def test_what_cant_be_transcribed_is_said(checkpoint, text, language, message):
    transcriber = Transcriber(checkpoint, LANGUAGES)
    bad = Clip(clip(0.5), text, language)
    with pytest.raises(ValueError, match=message):
        transcriber([bad])


def test_a_long_text_is_allowed_over_several_windows(checkpoint):
    assert len(Transcriber(checkpoint, LANGUAGES).prepare(Clip(clip(4.5), "gut " * 40, "de"))) > 1


def test_an_unknown_language_names_those_that_are_known(checkpoint):
    with pytest.raises(ValueError, match="'xx' is unknown to this model"):
        Transcriber(checkpoint, ["de", "xx"])
    english = Checkpoint(tiny_whisper(n_vocab=51864), "tokens", "")
    with pytest.raises(ValueError, match=r"it knows \['en'\]"):
        Transcriber(english, ["de"])
