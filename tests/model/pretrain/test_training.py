"""The pretrainer at a tiny width: it learns, its checkpoint is a Whisper, a kill costs nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.pretrain.batches import IGNORED, Example, Order, batches, make_chunk
from model.pretrain.loop import Settings, _order, fresh, train
from model.pretrain.network import ALPHABET, Pretraining, Shape, complete, vocabulary
from pipeline.whisper.checkpoint import load_checkpoint, save_checkpoint
from pipeline.whisper.transcribing import Clip, Transcriber

TINY = Shape(
    width=16, heads=2, encoder_layers=2, decoder_layers=1, audio_context=400, text_context=64
)
LETTERS = {letter: index for index, letter in enumerate(ALPHABET)}


def example(letters="ab c", frames=60, language=0):
    random = np.random.default_rng(frames)
    return Example(
        language,
        random.normal(size=(80, frames)).astype(np.float16),
        ("", "a"),
        np.r_[np.zeros(frames // 2), np.ones(frames - frames // 2)].astype(np.int16),
        letters,
        np.linspace(0.1, 0.4, len(letters), dtype=np.float32),
    )


def batch(*examples):
    [made] = batches(examples, {}, LETTERS, 100.0, np.random.default_rng(0))
    return made


def test_a_batch_is_padded_as_whisper_pads_and_labels_stop_at_the_clip():
    made = batch(example("ab c", 60), example("", 40))
    short, long = (0, 1) if made.frames[0] == 20 else (1, 0)
    assert made.mel.shape[2] >= 60
    assert not made.mel[short, :, 40:].any()
    assert (made.phones[short, 20:] == IGNORED).all()
    assert (made.phones[long, :30] >= 0).all()
    assert (made.letters[short] == IGNORED).all()
    assert "".join(ALPHABET[i] for i in made.letters[long]) == "ab c"


def test_a_letter_is_heard_about_its_time():
    made = batch(example("ab c", 60))
    assert made.heard[0, 0, 5]
    assert not made.heard[0, 0, 25]
    assert not made.heard[0, 3, 5]


def test_losses_fall_on_a_batch_that_is_seen_again():
    torch.manual_seed(0)
    network = Pretraining(TINY)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    made = batch(example("ab c", 60), example("", 40, language=3))
    totals = []
    for _ in range(15):
        losses, own = network(made)
        optimiser.zero_grad()
        losses["total"].backward()
        optimiser.step()
        totals.append(losses["total"].item())
    assert totals[-1] < 0.6 * totals[0]
    assert own.shape == (2,)
    assert all(torch.isfinite(value) for value in losses.values())


def test_the_whole_vocabulary_gives_the_logits_of_the_small_one():
    state = fresh(Settings(clips=1, shape=TINY))
    whole = complete(state.network.state_dict(), TINY).float()
    mel, tokens = torch.randn(1, 80, 800), torch.tensor([[3, 4, 5]])
    with torch.no_grad():
        small = state.network.whisper(mel, tokens)
        large = whole(mel, torch.tensor(vocabulary())[tokens])
    assert torch.allclose(large[..., vocabulary()], small, atol=0.05)
    assert len(set(vocabulary())) == len(vocabulary())


def test_an_order_gives_the_same_examples_every_time():
    pytest.importorskip("wordfreq", reason="needs the extra `pretrain`")
    order = Order(seed=1, number=2, clips=3, longest=2, shares=(0.5, 0.5, 0.0, 0.0, 0.0, 0.0))
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        1, mp_context=get_context("forkserver"), max_tasks_per_child=1
    ) as pool:
        one, other = pool.map(make_chunk, [order, order])
    assert [e.letters for e in one] == [e.letters for e in other]
    assert all(np.array_equal(a.mel, b.mel) for a, b in zip(one, other, strict=True))


def test_a_killed_training_goes_on_as_if_nothing_had_been(tmp_path):
    pytest.importorskip("wordfreq", reason="needs the extra `pretrain`")
    settings = Settings(clips=24, chunk=8, batch_s=4.0, shape=TINY, warmup_steps=2)
    whole = train(settings, tmp_path / "whole.pt", tmp_path / "whole.safetensors", lambda _: None)

    def kill(state):
        if len(state.history) == 1:
            raise KeyboardInterrupt

    kept, out = tmp_path / "kept.pt", tmp_path / "small.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(settings, kept, out, kill)
    resumed = train(settings, kept, out, lambda _: None)
    assert resumed.history == whole.history
    assert len(whole.history) == 3
    for name, value in whole.average.items():
        assert torch.equal(value, resumed.average[name]), name

    checkpoint = load_checkpoint(str(out))
    assert checkpoint.spelling == "letters"
    assert out.stat().st_size < 200_000
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    [heard] = Transcriber(checkpoint, ["de", "zh"])([Clip(samples, "guten tag", "de")])
    assert set(heard.text) <= set(ALPHABET)


@pytest.fixture
def trained(tmp_path):
    """A checkpoint of the first part, learned from nothing at all."""
    state = fresh(Settings(clips=1, shape=TINY))
    path = tmp_path / "trained.safetensors"
    save_checkpoint(path, complete(state.average, TINY), "letters", vocabulary())
    return path


def test_a_layer_more_begins_as_if_it_were_not_there(trained):
    model = load_checkpoint(str(trained), dtype="float32").model
    deeper = Pretraining(replace(TINY, decoder_layers=3))
    deeper.begin_from(model)
    mel, tokens = torch.randn(1, 80, 800), torch.tensor([[3, 4, 5]])
    with torch.no_grad():
        before = model(mel, torch.tensor(vocabulary())[tokens])[..., vocabulary()]
        assert torch.allclose(deeper.whisper(mel, tokens), before, atol=1e-4)


def test_spelling_is_learned_and_hearing_is_kept(trained):
    torch.manual_seed(0)
    network = Pretraining(replace(TINY, decoder_layers=2))
    network.begin_from(load_checkpoint(str(trained), dtype="float32").model)
    before = {name: value.clone() for name, value in network.whisper.state_dict().items()}
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-2)
    made, letters = batch(example("ab c", 60)), []
    for _ in range(15):
        losses, _ = network(made)
        optimiser.zero_grad()
        losses["total"].backward()
        optimiser.step()
        letters.append(losses["letters"].item())
    assert set(losses) == {"letters", "align", "language", "total"}
    assert letters[-1] < 0.6 * letters[0]
    heard = ("encoder.conv", "encoder.blocks.0.", "encoder.positional", "decoder.mask")
    for name, value in network.whisper.state_dict().items():
        if name.startswith(heard):
            assert torch.equal(value, before[name]), name
    learned = ("encoder.blocks.1.", "decoder.blocks.0.", "decoder.blocks.1.")
    for name in learned:
        own = [key for key in before if key.startswith(name) and key.endswith("mlp.0.weight")]
        assert not torch.equal(network.whisper.state_dict()[own[0]], before[own[0]]), name


def test_a_checkpoint_of_other_sizes_is_refused(trained):
    model = load_checkpoint(str(trained), dtype="float32").model
    for other in (replace(TINY, width=32), replace(TINY, encoder_layers=3)):
        with pytest.raises(ValueError, match="does not fit"):
            Pretraining(other).begin_from(model)


def test_spelling_goes_on_from_a_checkpoint_with_longer_sentences(trained):
    settings = Settings(clips=24, chunk=8, shape=TINY, longest=12)
    assert _order(settings, [], 0).longest == 1
    learned = replace(settings, start=str(trained), sentences="folder")
    order = _order(learned, [], 0)
    assert (order.longest, order.sentences) == (12, "folder")
    state = fresh(learned)
    first = load_checkpoint(str(trained), dtype="float32").model.encoder.conv1.weight
    assert torch.equal(state.network.whisper.encoder.conv1.weight, first)
    held = [p for group in state.optimiser.param_groups for p in group["params"]]
    assert all(p.requires_grad for p in held)
