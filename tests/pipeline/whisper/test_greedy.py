"""The judge's tokens are `whisper.decode`'s, whatever the draft."""

from __future__ import annotations

import random
from functools import cache

import pytest
import torch
import whisper
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.whisper.drafting import Draft
from pipeline.whisper.encoding import encode_mels, log_mel
from pipeline.whisper.greedy import GreedyDecoder, Hypothesis
from pipeline.whisper.rules import greedy_rules
from tests.checkpoints.whisper import tiny_whisper
from tests.pipeline.whisper.sounds import clip

LANGUAGES = ("de", "en", "zh")
CLIPS = 6


def whole(tokens, other, rng):
    return list(tokens)


def wrong(tokens, other, rng):
    return [rng.randrange(50_000) for _ in range(9)]


def end_cut(tokens, other, rng):
    return tokens[: len(tokens) // 2]


def start_cut(tokens, other, rng):
    return tokens[len(tokens) // 3 :]


def noisy(tokens, other, rng):
    kept = [token for token in tokens if rng.random() > 0.2]
    return [token if rng.random() > 0.2 else rng.randrange(50_000) for token in kept]


def of_another_clip(tokens, other, rng):
    return list(other)


def empty(tokens, other, rng):
    return []


DRAFTS = (whole, wrong, end_cut, start_cut, noisy, of_another_clip, empty)


@cache
def model(seed, end_after, n_vocab=51865):
    return tiny_whisper(seed, end_after=end_after, n_vocab=n_vocab)


@cache
def frames(seed, end_after):
    mels = [log_mel(clip(0.3 + 0.3 * i, i), 80) for i in range(CLIPS)]
    return encode_mels(model(seed, end_after), mels, 200)


@cache
def expected(seed, end_after):
    return [
        whisper.decode(
            model(seed, end_after),
            frames(seed, end_after)[i],
            whisper.DecodingOptions(language=LANGUAGES[i % 3], without_timestamps=True, fp16=False),
        )
        for i in range(CLIPS)
    ]


def decoded(seed, end_after, drafts, items=range(CLIPS), rounds=None):
    rules = [greedy_rules(model(seed, end_after), LANGUAGES[i % 3]) for i in items]
    hypotheses = [
        Hypothesis(own, Draft(draft, own)) for own, draft in zip(rules, drafts, strict=True)
    ]
    heard = frames(seed, end_after)[list(items)]
    lengths = torch.full((len(heard),), heard.shape[1])
    GreedyDecoder(model(seed, end_after), rules[0], []).run(hypotheses, heard, lengths, rounds)
    return hypotheses


@pytest.mark.parametrize("end_after", [None, 12, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.__name__)
def test_tokens_are_those_of_whisper_decode(seed, end_after, draft):
    results = expected(seed, end_after)
    rng = random.Random(seed)
    drafts = [draft(results[i].tokens, results[i - 1].tokens, rng) for i in range(CLIPS)]
    for hypothesis, result in zip(decoded(seed, end_after, drafts), results, strict=True):
        assert hypothesis.tokens == result.tokens
        average = hypothesis.log_probability / (len(hypothesis.tokens) + 1)
        assert average == pytest.approx(result.avg_logprob, abs=1e-4)


def edited(tokens, edits):
    """Replace, drop or insert a token at each place."""
    tokens = list(tokens)
    for place, kind, token in edits:
        at = place % (len(tokens) + 1)
        tokens[at : at + (kind != "insert")] = [] if kind == "drop" else [token]
    return tokens


EDITS = st.lists(
    st.tuples(
        st.integers(0, 40), st.sampled_from(["replace", "drop", "insert"]), st.integers(0, 50_256)
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(edits=EDITS, seed=st.sampled_from([0, 1, 2]), end_after=st.sampled_from([12, 3]))
def test_no_edit_of_the_draft_changes_the_tokens(edits, seed, end_after):
    results = expected(seed, end_after)
    drafts = [edited(result.tokens, edits) for result in results]
    found = [hypothesis.tokens for hypothesis in decoded(seed, end_after, drafts)]
    assert found == [result.tokens for result in results]


def test_the_models_end_early_and_late():
    lengths = {len(r.tokens) for end in (None, 12, 3) for s in (0, 1, 2) for r in expected(s, end)}
    assert min(lengths) < 5
    assert max(lengths) == 32
    assert len(lengths) > 5


@pytest.mark.parametrize("end_after", [None, 12])
def test_batched_equals_single(end_after):
    drafts = [result.tokens[:4] for result in expected(0, end_after)]
    together = [hypothesis.tokens for hypothesis in decoded(0, end_after, drafts)]
    alone = [decoded(0, end_after, [drafts[i]], [i])[0].tokens for i in range(CLIPS)]
    assert together == alone


def test_a_right_draft_is_proved_in_one_pass():
    drafts = [result.tokens for result in expected(1, 12)]
    assert all(hypothesis.done for hypothesis in decoded(1, 12, drafts, rounds=1))


def test_padding_behind_an_items_frames_is_not_heard():
    rules = greedy_rules(model(0, 12), "de")
    short = frames(0, 12)[:1, :40]
    padded = torch.cat([short, torch.full_like(short, 1e3)], dim=1)
    tokens = []
    for heard, lengths in ((short, [40]), (padded, [40])):
        hypothesis = Hypothesis(rules, Draft([], rules))
        decoder = GreedyDecoder(model(0, 12), rules, [])
        decoder.run([hypothesis], heard, torch.tensor(lengths))
        tokens.append(hypothesis.tokens)
    assert tokens[0] == tokens[1]


def test_language_logits_are_those_of_detect_language():
    rules = greedy_rules(model(0, 12), "de")
    ids = rules.tokenizer.all_language_tokens
    hypothesis = Hypothesis(rules, Draft([], rules))
    GreedyDecoder(model(0, 12), rules, ids).run(
        [hypothesis], frames(0, 12)[:1], torch.tensor([100]), rounds=1
    )
    probabilities = torch.tensor(hypothesis.language_logits).softmax(0).tolist()
    _, detected = whisper.detect_language(model(0, 12), frames(0, 12)[0])
    assert probabilities == pytest.approx(list(detected.values()), abs=1e-5)


def test_an_english_only_model_decodes_alike():
    english = model(0, 12, 51864)
    mel = encode_mels(english, [log_mel(clip(1.0), 80)], 200)
    rules = greedy_rules(english, "en")
    hypothesis = Hypothesis(rules, Draft([], rules))
    GreedyDecoder(english, rules, []).run([hypothesis], mel, torch.tensor([100]))
    options = whisper.DecodingOptions(language="en", without_timestamps=True, fp16=False)
    assert hypothesis.tokens == whisper.decode(english, mel[0], options).tokens


def test_bfloat16_runs_and_gives_finite_log_probabilities():
    half = tiny_whisper(0, end_after=12)
    for module in half.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv1d):
            module.to(torch.bfloat16)
    heard = encode_mels(half, [log_mel(clip(1.0), 80)], 200)
    rules = greedy_rules(half, "de")
    hypothesis = Hypothesis(rules, Draft([], rules))
    GreedyDecoder(half, rules, []).run([hypothesis], heard, torch.tensor([100]))
    assert heard.dtype == torch.bfloat16
    assert hypothesis.done
    assert -1e3 < hypothesis.log_probability < 0
