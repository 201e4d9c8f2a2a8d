"""Human recordings come in from a corpus: in the splits of their takes, and with what is wrong."""

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from model.data import load_clips
from model.encoder import load_encoder
from model.recipe import DataSettings, RandomEncoder
from pipeline.corpora.base import CorpusMissing
from pipeline.errors import InputError
from tests.model.tiny import PITCH_HZ, RATE, SPEAKERS, WIDTH, tone

LABELS = tuple(PITCH_HZ)


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(RandomEncoder(width=WIDTH, heads=2))


@pytest.fixture
def manifest(tmp_path):
    """A recording of each emotion by each speaker, and one of an emotion that is none of ours."""
    rows = []
    for emotion in LABELS:
        for number, speaker in enumerate(SPEAKERS):
            name = f"{speaker}-{emotion}"
            soundfile.write(tmp_path / f"{name}.wav", wave(emotion, speaker, number), RATE)
            rows.append({"id": name, "path": f"{name}.wav", "emotion": emotion, "speaker": speaker})
    rows.append({"id": "odd", "path": "anna-sad.wav", "emotion": "bored", "speaker": "anna"})
    return write(tmp_path / "list.csv", rows)


def wave(emotion, speaker, number):
    return [*tone(emotion, "en", speaker, number)] * 2


def write(path, rows):
    fields = ["id", "path", "text", "emotion", "speaker", "licence"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        for row in rows:
            writer.writerow({"text": "A text.", "licence": "CC0-1.0", **row})
    return path


def load(manifest, encoder, wanted="train", **settings):
    own = {"engine": "corpus", "corpus": {"engine": "manifest", "path": str(manifest)}}
    data = DataSettings.model_validate({"sets": [{**own, **settings}], "most_unusable": 0.2})
    return load_clips(data, wanted, LABELS, encoder, manifest.parent / "cache")


def test_recordings_are_rows_of_people(manifest, encoder):
    clips = load(manifest, encoder, language="pl")
    assert len(clips) == len(LABELS) * len(SPEAKERS)
    assert sorted(clips.sources())[0] == "manifest/anna-angry"
    assert set(clips.speakers()) == {"manifest/anna", "manifest/bela"}
    assert set(clips.languages()) == {"pl"}
    assert not clips.synthetic.any()
    assert clips.dropped == {"label 'bored'": 1}


def test_their_frames_are_those_of_the_file(manifest, encoder):
    clips = load(manifest, encoder)
    number = clips.names.to_pylist().index("manifest/bela-sad")
    samples, _ = soundfile.read(manifest.parent / "bela-sad.wav", dtype="float32")
    [own], [held] = encoder.encode([samples]), clips.frames([number])
    assert abs(held - own).max() < 5e-3


def test_all_are_of_one_split(manifest, encoder):
    assert len(load(manifest, encoder, "test", split="test")) == 6
    with pytest.raises(InputError, match="no set has a split 'validation'"):
        load(manifest, encoder, "validation", split="test")


def takes(folder, split, names, part="data"):
    """Rows of a dataset folder, as far as they are read here."""
    place = folder / part / "de"
    place.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "corpus": ["manifest"] * len(names),
            "source_id": pa.array(names, pa.string()),
            "split": pa.array([split] * len(names), pa.string()),
        }
    )
    pq.write_table(table, place / f"{split}-00000-of-00001.parquet")


def test_each_follows_its_takes_kept_or_not(manifest, encoder, tmp_path):
    built = tmp_path / "built"
    takes(built, "train", ["anna-sad", "anna-happy"])
    takes(built, "test", ["bela-sad"])
    takes(built, "train", ["anna-angry"], part="rejects")
    trained = load(manifest, encoder, like=str(built))
    assert sorted(trained.sources()) == [
        "manifest/anna-angry", "manifest/anna-happy", "manifest/anna-sad",
    ]  # fmt: skip
    assert list(load(manifest, encoder, "test", like=str(built)).sources()) == ["manifest/bela-sad"]


def test_what_changes_is_read_again(manifest, encoder):
    load(manifest, encoder)
    soundfile.write(manifest.parent / "bela-sad.wav", wave("angry", "anna", 9), RATE)
    clips = load(manifest, encoder)
    samples, _ = soundfile.read(manifest.parent / "bela-sad.wav", dtype="float32")
    number = clips.names.to_pylist().index("manifest/bela-sad")
    assert abs(clips.frames([number])[0] - encoder.encode([samples])[0]).max() < 5e-3


def test_what_can_t_be_used_is_counted(manifest, encoder):
    (manifest.parent / "bela-sad.wav").write_bytes(b"RIFF")
    clips = load(manifest, encoder)
    assert len(clips) == 5
    assert clips.dropped == {"label 'bored'": 1, "unusable audio": 1}


def test_too_much_of_it_stops_with_the_reason(manifest, encoder, tmp_path):
    rows = [{"id": str(n), "emotion": "sad", "speaker": "anna"} for n in range(3)]
    texts = write(tmp_path / "texts.csv", rows)
    with pytest.raises(InputError, match="'manifest/0' is a text without a recording"):
        load(texts, encoder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"like": "nowhere"}, "like: 'nowhere' is no dataset folder"),
        ({"corpus": {"engine": "manifest", "path": "nowhere.csv"}}, "there is no file"),
    ],
)
def test_what_is_not_there_is_named(manifest, encoder, change, said):
    with pytest.raises((InputError, CorpusMissing), match=said):
        load(manifest, encoder, **change)


def test_a_bad_row_is_named(manifest, encoder):
    with manifest.open("a") as file:
        file.write("x,../../outside.wav,A text.,sad,anna,CC0-1.0\n")
    with pytest.raises(InputError, match="leaves the manifest's folder; correct or remove it"):
        load(manifest, encoder)
