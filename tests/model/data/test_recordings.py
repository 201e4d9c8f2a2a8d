"""Human recordings come in from a corpus: in the splits of their takes, and with what is wrong."""

import csv
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from model.data.load import load_clips
from model.data.recordings import as_in_takes
from model.network.encoder import load_encoder
from model.recipe.architecture import RandomEncoder
from model.recipe.sets import DataSettings, FolderSet
from pipeline.corpora.base import CorpusMissing
from pipeline.errors import InputError
from tests.model.tiny import PITCH_HZ, RATE, SPEAKERS, WIDTH, tone, write_set

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
    assert sorted(clips.names.to_pylist())[0] == "manifest/anna-angry"
    assert {as_in_takes(name) for name in clips.speakers()} == {"manifest/anna", "manifest/bela"}
    assert set(clips.languages()) == {"pl"}
    assert not clips.synthetic.any()
    assert clips.dropped == {"label 'bored'": 1}


def another(folder, first):
    """Two recordings of a person of the same name as another's, in another list."""
    folder.mkdir()
    for number in (first, first + 1):
        soundfile.write(folder / f"{number}.wav", wave("sad", "anna", number), RATE)
    rows = [{"path": f"{n}.wav", "emotion": "sad", "speaker": "1"} for n in (first, first + 1)]
    return write(folder / "list.csv", rows)


def test_people_who_name_their_recordings_alike_are_not_each_other(encoder, tmp_path):
    ann, bob = (load(another(tmp_path / str(n), n), encoder) for n in (3, 7))
    assert ann.names.to_pylist() == bob.names.to_pylist()
    assert not ann.shared_utterances(bob)
    assert not ann.shared_speakers(bob)


def test_a_recording_is_itself_in_any_list(encoder, tmp_path):
    trained = load(another(tmp_path / "ann", 3), encoder)
    again = load(tmp_path / "ann" / "list.csv", encoder, "test", split="test")
    assert again.shared_utterances(trained) == ["manifest/list-000001", "manifest/list-000002"]
    assert again.shared_speakers(trained)
    copied = shutil.copytree(tmp_path / "ann", tmp_path / "copy") / "list.csv"
    other = load(copied.rename(copied.with_name("test.csv")), encoder)
    assert other.shared_utterances(trained) == ["manifest/test-000001", "manifest/test-000002"]


def test_lists_beside_each_other_share_their_speakers(encoder, tmp_path):
    trained = load(another(tmp_path / "ann", 3), encoder)
    soundfile.write(tmp_path / "ann" / "9.wav", wave("sad", "anna", 9), RATE)
    row = {"path": "9.wav", "emotion": "sad", "speaker": "1"}
    tested = load(write(tmp_path / "ann" / "test.csv", [row]), encoder)
    assert not tested.shared_utterances(trained)
    assert len(tested.shared_speakers(trained)) == 1


def test_recordings_are_known_by_the_takes_that_were_made_of_them(manifest, encoder, tmp_path):
    def made(row):
        name = row["source_id"].split("-", 1)[1].removesuffix("-0")
        parted = dict(zip(("emotion", "speaker"), name.split("-"), strict=False))
        source = f"{parted['speaker']}-{parted['emotion']}"
        return {**row, "corpus": "manifest", "source_id": source}

    folder = write_set(tmp_path / "set", made, splits=("train",))
    data = DataSettings(sets=(FolderSet(path=str(folder)),))
    takes = load_clips(data, "train", LABELS, encoder, tmp_path / "cache")
    clips = load(manifest, encoder, "test", split="test")
    assert len(clips.shared_utterances(takes)) == len(takes.shared_utterances(clips)) == 6
    assert len(clips.shared_speakers(takes)) == len(takes.shared_speakers(clips)) == 2


def test_their_frames_are_those_of_the_file(manifest, encoder):
    clips = load(manifest, encoder)
    number = clips.names.to_pylist().index("manifest/bela-sad")
    samples, _ = soundfile.read(manifest.parent / "bela-sad.wav", dtype="float32")
    [own], [held] = encoder.encode([samples]), clips.frames([number])
    assert abs(held - own).max() < 5e-3


def test_all_are_of_one_split(manifest, encoder):
    assert len(load(manifest, encoder, "test", split="test")) == 6
    with pytest.raises(InputError, match=r"no clip in 'validation' \(train 0, valid"):
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
    with pytest.raises(InputError, match="name them from there; correct or remove it"):
        load(manifest, encoder)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], r"the sets have no clip in 'test' \(validation 0, test 0\): build"),
        (["nobody"], "no recording and no row of 'test' was found"),
    ],
    ids=["no-takes", "takes-of-others"],
)
def test_recordings_without_takes_in_a_split_are_no_clips_of_it(
    manifest, encoder, tmp_path, names, said
):
    takes(tmp_path / "set", "train", ["anna-sad"])
    takes(tmp_path / "set", "test", names)
    with pytest.raises(InputError, match=said):
        load(manifest, encoder, "test", like=str(tmp_path / "set"))
