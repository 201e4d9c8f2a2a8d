"""`m5ser predict` as a person calls it."""

import io
import json
import shutil

import numpy as np
import pytest
import yaml
from rich.console import Console

from flows.evaluate import Predictions
from model.network.encoder import load_encoder
from model.recipe.architecture import WhisperEncoder
from pipeline.audio import READABLE, encode_flac
from pipeline.emotions import EMOTIONS
from pipeline.engine import M5SER_VERSION
from pipeline.errors import InputError
from tests.flows.calling import call
from tests.model.tiny import RATE, tone, write_whisper


def test_prediction_in_batches_is_that_of_single_files(place, tmp_path):
    paths = [tmp_path / f"{number}.flac" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(encode_flac(tone("sad", "en", "anna", 3 * number), RATE))
    together = json.loads(call("predict", place / "m", *paths).output.splitlines()[-1])
    arguments = (place / "m", *paths, "--batch-size", 1, "--device", "cpu")
    alone = json.loads(call("predict", *arguments).output.splitlines()[-1])
    for path in map(str, paths):
        assert together[path] == pytest.approx(alone[path], abs=1e-3)


def test_prediction_takes_any_file_and_any_labels(place, tmp_path):
    path = tmp_path / "a.flac"
    path.write_bytes(encode_flac(tone("sad", "en", "anna", 5), RATE))
    found = json.loads(call("predict", place / "m", path).output.splitlines()[-1])[str(path)]
    assert max(found, key=found.get) == "sad"
    others = call("predict", place / "m", path, "--labels", "calm, bored")
    assert set(json.loads(others.output.splitlines()[-1])[str(path)]) == {"calm", "bored"}


def test_a_long_file_is_heard_to_its_end(place, tmp_path):
    """A file of two windows has the geometric mean of what each of them has alone."""
    parts = [tone(emotion, "en", "anna", 500)[: 20 * RATE] for emotion in ("sad", "happy")]
    clips = {"sad": parts[0], "happy": parts[1], "long": np.concatenate(parts)}
    for name, samples in clips.items():
        (tmp_path / f"{name}.flac").write_bytes(encode_flac(samples, RATE))
    paths = [tmp_path / f"{name}.flac" for name in clips]
    found = json.loads(call("predict", place / "m", *paths).output.splitlines()[-1])
    sad, happy, long = (found[str(path)] for path in paths)
    assert long != pytest.approx(sad, abs=0.05)
    expected = {label: (sad[label] * happy[label]) ** 0.5 for label in sad}
    total = sum(expected.values())
    assert long == pytest.approx({k: v / total for k, v in expected.items()}, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--labels", "calm"), "name two or more"),
        (("--labels", "calm,,sad"), "name two or more"),
        (("--labels", ""), "name two or more"),
        (("--device", "mps"), "has no 'mps': say cpu or auto"),
    ],
)
def test_prediction_says_what_is_wrong(place, tmp_path, arguments, message):
    path = tmp_path / "a.flac"
    path.write_bytes(encode_flac(tone("sad", "en", "anna", 5), RATE))
    result = call("predict", place / "m", path, *arguments)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("at_once", [1, 16])
def test_a_file_that_can_t_be_used_costs_the_others_nothing(place, tmp_path, at_once):
    first, empty, last = (tmp_path / name for name in ("a.flac", "b.flac", "c.flac"))
    for path in (first, last):
        path.write_bytes(encode_flac(tone("sad", "en", "anna", 5), RATE))
    empty.write_bytes(b"")
    files = (first, empty, tmp_path, tmp_path / "none.wav", last)
    result = call("predict", place / "m", *files, "--batch-size", at_once)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [name for name, one in found.items() if "sad" in one] == [str(first), str(last)]
    reasons = [
        f"'{empty}' can't be decoded: Format not recognised. {READABLE}",
        f"'{tmp_path}' can't be read: Is a directory",
        f"'{tmp_path / 'none.wav'}' can't be read: No such file or directory",
    ]
    assert [one["error"] for one in found.values() if "error" in one] == reasons
    assert result.stderr.splitlines() == [f"error: {reason}" for reason in reasons]


def test_where_no_file_can_be_used_there_is_no_table(place, tmp_path):
    found = Predictions((), EMOTIONS, np.empty((0, len(EMOTIONS))), {"a": "'a' is none"})
    console = Console(file=io.StringIO())
    found.print_to(console)
    assert console.file.getvalue() == ""


def printed(files, **console):
    console = Console(width=80, file=io.StringIO(), **console)
    probabilities = np.full((len(files), len(EMOTIONS)), 1 / len(EMOTIONS))
    Predictions(tuple(files), EMOTIONS, probabilities).print_to(console)
    return console.file.getvalue().splitlines()


def test_a_narrow_table_cuts_neither_files_nor_labels():
    name = "/long/" * 20 + "file.wav"
    lines = printed([name], force_terminal=True, color_system=None, highlight=False)
    assert lines[0].split() == ["file", "emotion", *EMOTIONS]
    assert "".join(line[: lines[0].index("emotion")].strip() for line in lines[1:]) == name


def test_predictions_that_are_piped_are_a_line_a_file():
    names = ["/long/" * 40 + "a [red] one.wav", "b [dim].wav", "c.wav"]
    header, *lines = printed(names)
    assert header.split() == ["file", "emotion", *EMOTIONS]
    assert [line.rsplit(maxsplit=1 + len(EMOTIONS))[0] for line in lines] == names
    assert {line.split()[-1] for line in lines} == {"0.14"}


def test_probabilities_as_json_have_four_places():
    found = Predictions(("a",), ("x", "y"), np.array([[0.12345678, 0.87654321]], np.float32))
    assert json.dumps(found.as_dict()) == '{"a": {"x": 0.1235, "y": 0.8765}}'


def repinned(place, tmp_path, **encoder):
    """The trained model as if it had been trained on a Whisper whose weights are others now."""
    shutil.copytree(place / "m", tmp_path / "m")
    (tmp_path / "m" / "training.yaml").unlink()
    held = yaml.safe_load((tmp_path / "m" / "recipe.yaml").read_text())
    held["encoder"] = {"engine": "whisper", "sha256": "ab" * 32, "device": "cpu", **encoder}
    (tmp_path / "m" / "recipe.yaml").write_text(yaml.safe_dump(held))
    return call("predict", tmp_path / "m", tmp_path / "a.flac")


def test_a_model_of_other_bundled_weights_names_the_m5ser_that_wrote_it(place, tmp_path):
    result = repinned(place, tmp_path, model="small-espeak")
    assert result.exit_code == 2
    assert f"with the SHA-256 {'ab' * 32}, and the one here is another" in result.output
    assert f"the m5ser that wrote the model ({M5SER_VERSION}, and this is" in result.output
    assert "change the recipe" not in result.output


def test_a_model_of_other_weights_asks_for_its_own(place, tmp_path):
    path = write_whisper(tmp_path / "whisper.safetensors")
    result = repinned(place, tmp_path, model=path)
    assert result.exit_code == 2
    assert "put the weights that it was trained on in its place, or train it" in result.output
    assert "change the recipe" not in result.output


def test_a_model_whose_encoder_was_on_a_gpu_is_asked_on_a_cpu(place, tmp_path):
    path = write_whisper(tmp_path / "whisper.safetensors")
    settings = WhisperEncoder(model=path, device="mps")
    with pytest.raises(InputError, match="has no 'mps'"):
        load_encoder(settings)
    shutil.copytree(place / "m", tmp_path / "m")
    recipe = (tmp_path / "m" / "recipe.yaml").read_text()
    held = {**yaml.safe_load(recipe), "encoder": settings.model_dump(mode="json")}
    (tmp_path / "m" / "recipe.yaml").write_text(yaml.safe_dump(held))
    clip = encode_flac(tone("sad", "en", "anna", 5), RATE)
    (tmp_path / "a.flac").write_bytes(clip)
    result = call("predict", tmp_path / "m", tmp_path / "a.flac", "--device", "cpu")
    assert result.exit_code == 0, result.output
