"""The model hears alike in every batch, and its scores are those of a plain pass."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.network.language_model import need_language_model
from model.network.qformer import FrameInput
from model.network.ser import make_model, trained_parameters, trained_tensors
from model.recipe.architecture import Lora, PretrainedLlama
from model.training.objective import Objective
from pipeline.errors import InputError
from tests.model.tiny import TINY, WIDTH, tiny_recipe, write_llama

LENGTHS = [11, 40, 23]
LABELS = ("angry", "happy", "surprised and afraid")


def model(**changes):
    return make_model(tiny_recipe(**changes), WIDTH).eval()


def padded(lengths=LENGTHS, behind=0.0):
    torch.manual_seed(1)
    frames = torch.full((len(lengths), max(lengths), WIDTH), behind)
    for row, length in enumerate(lengths):
        frames[row, :length] = torch.randn(length, WIDTH)
    return frames, torch.tensor(lengths)


WINDOWED = {"qformer": {**TINY["qformer"], "queries": 2, "window_s": 0.33}}


@pytest.mark.parametrize("changes", [{}, WINDOWED])
def test_a_padded_batch_equals_single_clips(changes):
    one_model = model(**changes)
    frames, lengths = padded(behind=9.0)
    heard = one_model.hear(frames, lengths)
    together = one_model.label_probabilities(heard, LABELS)
    for row, length in enumerate(LENGTHS):
        alone = one_model.hear(frames[row : row + 1, :length], lengths[row : row + 1])
        assert torch.allclose(alone.embedding[0], heard.embedding[row], atol=1e-5)
        own = one_model.label_probabilities(alone, LABELS)[0]
        assert torch.allclose(own, together[row], atol=1e-5)


def test_windows_give_one_group_of_queries_each_and_mask_what_is_not_there():
    frames, lengths = padded()
    heard = model(**WINDOWED).hear(frames, lengths)
    assert heard.outputs.shape == (3, 2 * 3, 16)  # 40 frames are 3 windows of 17
    assert heard.mask.sum(dim=1).tolist() == [2, 6, 4]


def test_scores_of_packed_words_are_those_of_a_plain_pass():
    """Every word alone after its prefix, without masks, positions or packing."""
    one_model = model()
    frames, lengths = padded([40, 40])
    heard = one_model.hear(frames, lengths)
    prompt = one_model.prompts[0]
    tokens, counted = one_model._words(LABELS, 2)
    found = one_model.word_log_likelihood(heard, prompt, tokens, counted)
    prefix, _ = one_model._prefix(heard, prompt)
    llama = one_model.language_model.llama
    for label in range(len(LABELS)):
        word = tokens[0, label][counted[0, label]]
        behind = one_model.language_model.embed(word).expand(2, -1, -1)
        logits = llama(inputs_embeds=torch.cat([prefix, behind], dim=1)).logits
        foretold = logits[:, prefix.shape[1] - 1 : -1].log_softmax(dim=-1)
        plain = foretold[:, torch.arange(len(word)), word].sum(dim=1)
        assert torch.allclose(found[:, label], plain, atol=1e-4)


def test_the_label_set_is_open_and_its_order_does_not_matter():
    one_model = model()
    heard = one_model.hear(*padded())
    found = one_model.label_probabilities(heard, LABELS)
    turned = one_model.label_probabilities(heard, LABELS[::-1])
    assert torch.allclose(found.sum(dim=1), torch.ones(3))
    assert torch.allclose(found, turned.flip(1), atol=1e-5)


def test_prompts_are_averaged():
    one_model = model()
    heard = one_model.hear(*padded())
    both = one_model.label_probabilities(heard, LABELS).log()
    parts = []
    for prompt in one_model.prompts:
        one_model.prompts = (prompt,)
        parts.append(one_model.label_probabilities(heard, LABELS).log())
    assert torch.allclose(both, (sum(parts) / 2).log_softmax(dim=1), atol=1e-5)


@pytest.mark.parametrize("labels", [[], ["angry"], ["angry", "angry"], ["sad", "angry", "sad"]])
def test_a_label_set_without_a_choice_is_refused(labels):
    one_model = model()
    with pytest.raises(InputError, match="name two or more, each once"):
        one_model.label_probabilities(one_model.hear(*padded()), labels)


def test_text_embeddings_do_not_depend_on_their_neighbours():
    language_model = model().language_model
    together = language_model.embed_texts(["sad", "a much longer description"])
    assert torch.allclose(together[0], language_model.embed_texts(["sad"])[0], atol=1e-5)
    assert not together.requires_grad


def test_the_same_seed_makes_the_same_model_and_leaves_chance_alone():
    torch.manual_seed(5)
    one = trained_parameters(model())
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))
    two = trained_parameters(model())
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A llama with attention dropout."""
    return write_llama(tmp_path_factory.mktemp("llama"), attention_dropout=0.5)


def pretrained(folder, **settings):
    settings = {"engine": "pretrained", "model": str(folder), "dtype": "float32", **settings}
    return make_model(tiny_recipe(language_model=settings), WIDTH)


def test_frozen_parts_stay_in_eval_mode_and_only_adapters_train(checkpoint):
    one_model = pretrained(checkpoint).train()
    llama = one_model.language_model.llama
    training = {name for name, module in llama.named_modules() if module.training}
    assert training
    assert all("lora_dropout" in name for name in training)
    names = [n for n in trained_parameters(one_model) if n.startswith("language_model")]
    assert names
    assert all("lora_" in name for name in names)
    assert one_model.qformer.training


def test_without_adapters_nothing_of_the_language_model_trains(checkpoint):
    one_model = pretrained(checkpoint, lora=None).train()
    assert not any(module.training for module in one_model.language_model.llama.modules())
    assert not any(name.startswith("language_model") for name in trained_parameters(one_model))


def test_gradient_checkpointing_changes_no_gradient(checkpoint):
    gradients = []
    for checkpointed in (False, True):
        one_model = pretrained(checkpoint, lora={"dropout": 0.0})
        one_model.qformer.eval()
        if checkpointed:
            one_model.language_model.llama.activation_checkpointing_enable()
        one_model.language_model.train()
        tokens, counted = one_model._words(LABELS, 3)
        heard = one_model.hear(*padded())
        one_model.word_log_likelihood(heard, "a {speech} b", tokens, counted).sum().backward()
        gradients.append(one_model.projection.weight.grad)
    assert gradients[0].abs().max() > 0
    assert torch.allclose(*gradients, atol=1e-6)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=9)).save_pretrained(
        tmp_path
    )
    with pytest.raises(InputError, match="is a gpt2, not a llama"):
        pretrained(tmp_path)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=rf"language_model\.model: '{tmp_path}'"):
        pretrained(tmp_path)


def test_damaged_weights_are_a_sentence(tmp_path):
    write_llama(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"language_model\.model: .* can't be opened as Llama"):
        pretrained(tmp_path)


def test_a_llama_without_a_head_is_refused_and_not_given_a_random_one(tmp_path):
    write_llama(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"lacks 1 weights of a Llama.*lm_head"):
        pretrained(tmp_path)


def test_adapters_for_layers_that_are_not_there_are_refused(checkpoint):
    with pytest.raises(InputError, match=r"language_model\.lora\.modules: query: .* q_proj"):
        pretrained(checkpoint, lora={"modules": ["query"]})


def test_adapters_that_fit_nowhere_are_told_before_anything_is_encoded(checkpoint):
    lora = {"modules": ["query"]}
    settings = PretrainedLlama(model=str(checkpoint), dtype="float32", lora=lora)
    with pytest.raises(InputError, match=r"language_model\.lora\.modules: query"):
        need_language_model(settings)
    need_language_model(settings.model_copy(update={"lora": Lora()}))


def test_a_tokenizer_that_can_t_end_an_answer_is_refused(tmp_path):
    write_llama(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps({**settings, "eos_token": None}))
    with pytest.raises(InputError, match="has no end of text"):
        pretrained(tmp_path)


def test_the_sentence_start_is_no_part_of_a_text_s_embedding():
    language_model = model().language_model
    language_model.tokenizer.bos_token = language_model.tokenizer.pad_token
    start, *own = tokens = language_model.tokens("sad", start=True)
    assert start == language_model.tokenizer.pad_token_id
    hidden = language_model.llama.model(input_ids=torch.tensor([tokens])).last_hidden_state
    [found] = language_model.embed_texts(["sad"])
    assert torch.allclose(found, hidden[0, -len(own) :].mean(dim=0), atol=1e-6)


def test_held_texts_neither_follow_the_adapters_nor_their_dropout(checkpoint):
    objective = Objective(pretrained(checkpoint), ("angry", "sad"), speakers=1, shared_width=8)
    plain = pretrained(checkpoint, lora=None).language_model.embed_texts(objective.texts)
    objective.hold_texts()
    for name, weight in trained_parameters(objective).items():
        if "lora" in name:
            torch.nn.init.normal_(weight)
    objective.train()
    drifted = objective.model.language_model.embed_texts(objective.texts)
    assert not torch.allclose(drifted, plain, atol=1e-2)
    assert torch.equal(objective._held_texts, plain)


def test_a_language_model_that_is_trained_whole_gives_its_texts_anew():
    objective = Objective(model(), ("angry", "sad"), speakers=1, shared_width=8)
    objective.hold_texts()
    assert objective._held_texts is None


def test_code_that_lies_beside_the_weights_is_not_run(tmp_path, monkeypatch):
    write_llama(tmp_path)
    ran = tmp_path / "ran"
    (tmp_path / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((tmp_path / "config.json").read_text())
    own = {"auto_map": {"AutoConfig": "own.Config"}, "model_type": "own"}
    (tmp_path / "config.json").write_text(json.dumps({**config, **own}))
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(InputError, match=r"language_model\.model"):
        pretrained(tmp_path)
    assert not ran.exists()


def test_channels_are_scaled_as_in_training_and_that_is_saved():
    one_model = model()
    mean, deviation = torch.randn(WIDTH) * 100, torch.rand(WIDTH) * 10 + 1
    one_model.qformer.input.fit(mean, deviation)
    frames, _ = padded()
    found = one_model.qformer.input(frames * deviation + mean)
    assert torch.allclose(found, frames, atol=1e-3)
    saved = trained_tensors(one_model)
    assert torch.equal(saved["qformer.input.mean"], mean)
    assert torch.equal(saved["qformer.input.deviation"], deviation)


def test_layers_are_mixed_by_weights_that_are_learned():
    frames = torch.stack([torch.full((2, 5), 3.0), torch.full((2, 5), 9.0)], dim=-1)
    mix = FrameInput(2, layers=2)
    assert torch.allclose(mix(frames), torch.full((2, 5, 1), 6.0))
    with torch.no_grad():
        mix.mix.copy_(torch.tensor([0.0, 100.0]))
    assert torch.allclose(mix(frames), torch.full((2, 5, 1), 9.0))


def test_hidden_frames_are_hidden_in_training_alone():
    one_model = model(qformer={**TINY["qformer"], "dropout": 0.0, "frame_dropout": 0.5})
    frames, lengths = padded()
    used = [one_model.hear(frames, lengths).embedding for _ in range(2)]
    assert torch.equal(*used)
    one_model.train()
    trained = [one_model.hear(frames, lengths).embedding for _ in range(2)]
    assert not torch.allclose(*trained, atol=1e-6)
