"""Training: it learns, a killed run goes on as if nothing had been, and no failure is silent."""

import pytest
import torch
from accelerate.state import AcceleratorState

from model.data.load import load_clips
from model.evaluation.inference import verdicts
from model.network.encoder import load_encoder
from model.network.ser import make_model, trained_parameters
from model.recipe.training import Losses
from model.training import checkpoint, loop
from model.training.journal import read_metrics
from model.training.loop import Diverged, Trainer
from model.training.objective import Objective
from pipeline.errors import InputError
from pipeline.metrics import confusion, rates
from tests.model.tiny import EVERYTHING, TINY, tiny_recipe, write_set

STAGES = [
    {
        "name": "align",
        "languages": ["en"],
        "steps": 4,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "losses": {"contrast": 0.5, "auxiliary": 0.5},
    },
    {
        "name": "transfer",
        "steps": 5,
        "batch_size": 8,
        "accumulate": 2,
        "paired": True,
        "learning_rate": 1e-3,
        "losses": EVERYTHING,
    },
]
RUNNING = {"validate_every": 2, "save_every": 2}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = write_set(tmp_path_factory.mktemp("set"))
    recipe = recipe_of(folder)
    encoder = load_encoder(recipe.encoder)
    cache = tmp_path_factory.mktemp("cache")

    def load(split, names=None):
        return load_clips(recipe.data, split, recipe.labels, encoder, cache, names)

    train = load("train")
    return train, load("validation", train.speaker_names)


def recipe_of(folder="set", **changes):
    data = {"sets": [{"engine": "folder", "path": str(folder)}]}
    return tiny_recipe(**{"data": data, "stages": STAGES, "running": RUNNING, **changes})


def trainer(clips, folder, advance=lambda *_: None, **changes):
    recipe = recipe_of(**changes)
    model = make_model(recipe, clips[0].encoder.width)
    return Trainer(recipe, *clips, folder, advance), model


def weights(model):
    return {name: p.detach().clone() for name, p in trained_parameters(model).items()}


class Kill(BaseException):
    """Stands for a process that ends here."""


def kill_at(stage, step):
    def advance(name, done, _):
        if (name, done) == (stage, step):
            raise Kill

    return advance


@pytest.mark.parametrize("where", [("align", 3), ("align", 4), ("transfer", 1), ("transfer", 4)])
def test_a_killed_run_that_goes_on_equals_the_uninterrupted_one(clips, tmp_path, where):
    whole, model = trainer(clips, tmp_path / "whole")
    wanted = weights(whole.run(model))
    killed, model = trainer(clips, tmp_path / "cut", kill_at(*where))
    with pytest.raises(Kill):
        killed.run(model)
    torch.manual_seed(99)
    again, model = trainer(clips, tmp_path / "cut")
    found = weights(again.run(model))
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert read_metrics(tmp_path / "cut") == read_metrics(tmp_path / "whole")
    newest = [checkpoint.newest(tmp_path / name) for name in ("cut", "whole")]
    assert newest[0].name == newest[1].name
    tensors = [(place / "trained.safetensors").read_bytes() for place in newest]
    assert tensors[0] == tensors[1]


def test_it_learns_what_can_be_learned(clips, tmp_path):
    stages = [{**STAGES[0], "steps": 80, "batch_size": 8, "learning_rate": 1e-2, "languages": None}]
    running = {"validate_every": 40, "save_every": 80}
    one, model = trainer(clips, tmp_path, stages=stages, running=running)
    probabilities, embeddings = verdicts(one.run(model), clips[1], one.recipe.labels)
    assert embeddings.shape == (24, 16)
    counts = confusion(clips[1].rows.emotions, probabilities.argmax(axis=1), 3)
    assert rates(counts)[1] > 0.8
    losses = [float(row["total"]) for row in read_metrics(tmp_path)]
    assert losses[-1] < losses[0] / 2


def test_accumulated_batches_are_one_large_batch(clips):
    recipe = recipe_of(qformer={**TINY["qformer"], "dropout": 0.0})
    batches = [clips[0].batch([0, 9, 17]), clips[0].batch([3])]
    together = clips[0].batch([0, 9, 17, 3])
    gradients = []
    for cut in (batches, [together]):
        model = make_model(recipe, clips[0].encoder.width)
        objective = Objective(model, recipe.labels, 2, 8)
        tokens = sum(objective.word_tokens(batch.emotions) for batch in cut)
        for batch in cut:
            found = objective(batch, Losses(), recipe.prompts[0], 0.5, tokens / len(cut))
            (found["total"] / len(cut)).backward()
        gradients.append(model.projection.weight.grad)
    assert gradients[0].abs().max() > 0
    assert torch.allclose(*gradients, atol=1e-6)


@pytest.fixture
def other_precision():
    """Let an accelerator of another precision be made: accelerate keeps one state a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.parametrize(
    ("running", "tolerance"), [({"precision": "bf16"}, 0.02), ({"gradient_checkpointing": True}, 0)]
)
def test_half_precision_and_checkpointed_gradients_train_alike(
    clips, tmp_path, other_precision, running, tolerance
):
    def losses_of(name, **more):
        AcceleratorState._reset_state(reset_partial_state=True)
        found = []
        loop, model = trainer(
            clips,
            tmp_path / name,
            lambda _stage, _step, losses: found.append(float(losses["total"])),
            running={**RUNNING, **more},
        )
        loop.run(model)
        assert {p.dtype for p in trained_parameters(model).values()} == {torch.float32}
        return found

    assert losses_of("other", **running) == pytest.approx(losses_of("plain"), abs=tolerance)


@pytest.mark.parametrize("name", ["word", "contrast", "supervised_contrast", "auxiliary"])
def test_every_loss_can_be_had_alone_and_moves_the_queries(clips, name):
    recipe = recipe_of()
    objective = Objective(make_model(recipe, clips[0].encoder.width), recipe.labels, 2, 8)
    losses = Losses.model_validate({"word": 0.0, name: 1.0})
    found = objective(clips[0].batch(range(12)), losses, recipe.prompts[0], 0.5, 40.0)
    assert set(found) == {name, "total"}
    found["total"].backward()
    gradient = objective.model.qformer.queries.grad
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


def test_the_adversary_pulls_the_embedding_against_its_own_classifier(clips):
    recipe = recipe_of(qformer={**TINY["qformer"], "dropout": 0.0})
    batch = clips[0].batch(range(12))
    gradients = {}
    for progress in (0.0, 1.0):
        model = make_model(recipe, clips[0].encoder.width)
        objective = Objective(model, recipe.labels, 2, 8)
        losses = Losses(auxiliary=1e-12, word=0.0, adversary=1.0)
        objective(batch, losses, recipe.prompts[0], progress, 40.0)["total"].backward()
        gradients[progress] = model.qformer.queries.grad.abs().max()
        assert objective.speaker[0].weight.grad.abs().max() > 0
    assert gradients[0.0] < 1e-9 < gradients[1.0]


def test_a_loss_that_is_not_a_number_stops_and_says_where(clips, tmp_path, monkeypatch):
    one, model = trainer(clips, tmp_path)
    forward = Objective.forward
    calls = []

    def spoiled(self, *arguments):
        calls.append(1)
        found = forward(self, *arguments)
        return {n: v * float("nan") for n, v in found.items()} if len(calls) == 4 else found

    monkeypatch.setattr(Objective, "forward", spoiled)
    with pytest.raises(
        Diverged, match=r"'align', step 4: word.* lower stages\.align\.learning_rate"
    ):
        one.run(model)
    place = checkpoint.newest(tmp_path)
    assert checkpoint.read_position(place).step == 2
    checkpoint.restore(place, Objective(model, one.recipe.labels, 2, 8), {})
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_a_full_disk_leaves_the_checkpoint_before(clips, tmp_path, monkeypatch):
    one, model = trainer(clips, tmp_path)
    write = torch.save
    calls = []

    def full(held, path):
        calls.append(1)
        if len(calls) == 2:
            path.write_bytes(b"half of it")
            raise OSError(28, "No space left on device")
        write(held, path)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        one.run(model)
    assert [path.name for path in tmp_path.glob("checkpoint*")] == ["checkpoint-00-00000002"]
    monkeypatch.setattr(torch, "save", write)
    wanted, model = trainer(clips, tmp_path.with_name("whole"))
    expected = weights(wanted.run(model))
    again, model = trainer(clips, tmp_path)
    found = weights(again.run(model))
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_only_the_newest_checkpoints_are_kept(clips, tmp_path):
    one, model = trainer(clips, tmp_path)
    one.run(model)
    names = sorted(path.name for path in tmp_path.glob("checkpoint*"))
    assert names == ["checkpoint-01-00000004", "checkpoint-01-00000005"]


def test_a_checkpoint_of_another_architecture_is_refused(clips, tmp_path):
    one, model = trainer(clips, tmp_path)
    one.run(model)
    other, model = trainer(clips, tmp_path, qformer={**TINY["qformer"], "width": 32})
    with pytest.raises(InputError, match="is of another architecture: .* weights differ"):
        other.run(model)


def test_a_stage_without_rows_is_named(clips, tmp_path):
    one, model = trainer(clips, tmp_path, stages=[{**STAGES[0], "languages": ["fa"]}])
    with pytest.raises(InputError, match=r"stages\.align\.languages: no clip is in fa; .* de, en"):
        one.run(model)
    one, model = trainer(clips, tmp_path, stages=[{**STAGES[0], "languages": ["en", "fa", "jp"]}])
    with pytest.raises(InputError, match=r"stages\.align\.languages: no clip is in fa, jp; "):
        one.run(model)
    one, model = trainer(
        clips, tmp_path, stages=[{**STAGES[0], "languages": ["en"], "only": "synthetic"}]
    )
    with pytest.raises(InputError, match=r"stages\.align: no clip is left of languages .*en"):
        one.run(model)


def test_stages_choose_human_or_synthetic_rows(clips):
    for only, share in (("human", 0.0), ("synthetic", 1.0)):
        stage = recipe_of(stages=[{**STAGES[0], "languages": None, "only": only}]).stages[0]
        assert loop.stage_clips(clips[0], stage).synthetic.mean() == share
