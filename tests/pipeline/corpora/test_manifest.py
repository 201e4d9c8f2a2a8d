"""Manifests: the same in every format; a bad row is named, and so is what is no table."""

import errno
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.base import Dropped, Unreadable
from pipeline.corpora.listing import BadListing
from pipeline.corpora.manifest import Manifest
from pipeline.records import Utterance

ROW = {"text": "Hello there.", "emotion": "joy", "speaker": "me", "licence": "CC0-1.0"}


def write_manifest(folder, rows, suffix):
    path = folder / f"list{suffix}"
    if suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        comma = "," if suffix == ".csv" else "\t"
        names = list(rows[0])
        lines = [comma.join(str(row.get(name) or "") for name in names) for row in rows]
        path.write_text("\n".join([comma.join(names), *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_manifest_says_the_same_in_every_format(tmp_path, suffix):
    rows = [
        {**ROW, "path": "clips/a.wav", "start": 0.5, "end": 1.5, "gender": "female", "id": "x1"},
        {**ROW, "path": None, "start": None, "end": None, "gender": "male", "id": "x2"},
    ]
    path = write_manifest(tmp_path, rows, suffix)
    first, second = Manifest(path=path, labels={"joy": "happy"}).read()
    assert (first.id, first.emotion, first.speaker) == ("x1", "happy", "me")
    assert first.recording.path == tmp_path / "clips/a.wav"
    assert (first.recording.start_s, first.recording.end_s) == (0.5, 1.5)
    assert second.recording is None
    assert second.gender == "male"


def test_your_labels_are_found_in_any_case_and_texts_are_composed(tmp_path):
    rows = [{**ROW, "emotion": "WUT", "text": "The cafe\u0301 is closed."}]
    path = write_manifest(tmp_path, rows, ".jsonl")
    [entry] = Manifest(path=path, labels={"Wut": "angry"}).read()
    assert (entry.emotion, entry.text) == ("angry", "The caf\u00e9 is closed.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "../../etc/passwd"}, "leads out of the list's folder"),
        ({"path": "/etc/passwd"}, "leads out of the list's folder"),
        ({"text": None}, "text"),
        ({"speaker": ""}, "speaker"),
        ({"speaker": float("nan")}, "speaker None: Input should be a valid string"),
        ({"path": "a.wav", "start": 2.0, "end": 1.0}, "start 2 is not before end 1"),
        ({"start": -1}, "start"),
        ({"gender": "loud"}, "gender"),
        ({"start": float("nan")}, "start nan: Input should be a finite number"),
        ({"end": float("inf")}, "end inf: Input should be a finite number"),
        (
            {"text": "half a \ud800 pair"},
            "text 'half a \\ud800 pair': Input should be",
        ),
        (
            {"path": "half a \udc80 pair.wav"},
            "path 'half a \\udc80 pair.wav': Input",
        ),
        ({"path": "loop.wav"}, "'loop.wav' is a link that leads to itself"),
        ({"id": "../../x"}, "id: '../../x' would lead out of a folder"),
        ({"speaker": "me\nyou"}, "speaker: 'me\\nyou' has control characters"),
    ],
)
def test_a_bad_row_is_named_and_the_others_live(tmp_path, change, message):
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    path = write_manifest(tmp_path, [{**ROW, **change}, ROW], ".jsonl")
    bad, good = Manifest(path=path, labels={"joy": "happy"}).read()
    assert isinstance(bad, Unreadable)
    assert "list-000001" in bad.error
    assert message in bad.error
    assert isinstance(good, Utterance)


def test_a_column_by_another_name_is_refused_in_whichever_row_it_comes(tmp_path):
    path = write_manifest(tmp_path, [ROW, {**ROW, "file": "a.wav"}], ".jsonl")
    with pytest.raises(BadListing, match="call 'file' path"):
        list(Manifest(path=path).read())


def test_what_a_list_says_moves_no_cursor(tmp_path):
    rows = [{**ROW, "emotion": "\x1b[2Jodd"}, {**ROW, "id": "\x1b[2J", "speaker": ""}]
    dropped, bad = Manifest(path=write_manifest(tmp_path, rows, ".jsonl")).read()
    assert dropped.label == "[2Jodd"
    assert bad.error.isprintable()


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.wav").touch()
    (tmp_path / "data" / "a.wav").symlink_to(tmp_path / "secret.wav")
    path = write_manifest(tmp_path / "data", [{**ROW, "path": "a.wav"}], ".jsonl")
    (bad,) = Manifest(path=path).read()
    assert "leads out of the list's folder" in bad.error


def test_lines_that_are_not_json_are_named(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_text('{"text": \n[1, 2]\n' + f'{{"start": {"1" * 5000}}}\n' + json.dumps(ROW) + "\n")
    entries = list(Manifest(path=path, labels={"joy": "happy"}).read())
    assert [type(entry).__name__ for entry in entries] == ["Unreadable"] * 3 + ["Utterance"]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_text("x" * 200_000)
    with pytest.raises(BadListing, match="a line has over"):
        list(Manifest(path=path).read())


def test_an_unknown_ending_and_an_unmapped_label(tmp_path):
    path = write_manifest(tmp_path, [ROW], ".jsonl")
    assert list(Manifest(path=path).read()) == [Dropped("list-000001", "joy")]
    other = path.rename(tmp_path / "list.xlsx")
    with pytest.raises(BadListing, match=r"'.xlsx': a manifest is"):
        list(Manifest(path=other).read())


def test_one_speaker_is_one_however_the_name_is_spaced_and_composed(tmp_path):
    spelled = ["Zo\u00eb", "Zoe\u0308 ", " Zo\u00eb"]
    rows = [
        {**ROW, "speaker": name, "licence": " CC0-1.0", "gender": "female "} for name in spelled
    ]
    path = write_manifest(tmp_path, rows, ".jsonl")
    entries = list(Manifest(path=path, labels={"joy": "happy"}).read())
    assert {(one.speaker, one.licence, one.gender) for one in entries} == {
        ("Zo\u00eb", "CC0-1.0", "female")
    }


@pytest.mark.parametrize("gender", [["f"], {"is": "f"}, 1])
def test_a_gender_that_is_no_text_is_a_bad_row(tmp_path, gender):
    path = write_manifest(tmp_path, [{**ROW, "gender": gender}], ".jsonl")
    (entry,) = Manifest(path=path, labels={"joy": "happy"}).read()
    assert f"gender {gender!r}: Input should be 'female', 'male' or 'unknown'" in entry.error


def test_a_gender_may_be_a_letter(tmp_path):
    said = ["F", "m", "Female", ""]
    path = write_manifest(tmp_path, [{**ROW, "gender": one} for one in said], ".jsonl")
    entries = list(Manifest(path=path, labels={"joy": "happy"}).read())
    assert [one.gender for one in entries] == ["female", "male", "female", "unknown"]


HEADER = "path,text,emotion,speaker,licence\n"
LINE = "a.wav,Hello there.,joy,me,CC0-1.0\n"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", (HEADER + LINE.replace("me", "Zoë")).encode("cp1252"), "not UTF-8.*: save it"),
        ("a.csv", (HEADER + LINE).encode("utf-16"), "not UTF-8.*: save it"),
        ("a.jsonl", '{"speaker": "Zoë"}'.encode("cp1252"), "not UTF-8.*: save it"),
        (
            "a.csv",
            (HEADER + LINE).replace(",", ";").encode(),
            "no column text, .*'path;text;emo.*put com",
        ),
        ("a.csv", b"path,text,emotion,speaker\n", "no column licence; its columns are 'path'"),
        ("a.csv", b"", "its columns are none"),
        ("a.csv", (HEADER + 'a.wav,"Hello,joy,me,\n' + LINE).encode(), "line 2: unexpected end"),
        ("a.csv", (HEADER + f"a.wav,{'a' * 200_000}\n").encode(), "a line has over 100000 char"),
        ("a.parquet", b"PAR1 and no more", "can't be read as Parquet"),
    ],
)
def test_a_file_that_is_no_table_is_said_in_a_sentence(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadListing, match=f"corpus.path: '{name}'.*{message}"):
        list(Manifest(path=tmp_path / name).read())


@pytest.mark.parametrize("place", [4, 100, -300, -20])
def test_damaged_parquet_is_said_in_a_sentence(tmp_path, place):
    path = write_manifest(tmp_path, [ROW] * 300, ".parquet")
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(BadListing, match="corpus.path: 'list.parquet' can't be read as Parquet"):
        list(Manifest(path=path).read())


def test_parquet_that_cannot_be_read_now_is_an_error_of_the_system(tmp_path, monkeypatch):
    path = write_manifest(tmp_path, [ROW], ".parquet")

    def fails(*arguments, **options):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", fails)
    with pytest.raises(OSError, match="Input/output error"):
        list(Manifest(path=path).read())


@pytest.mark.parametrize(
    ("values", "called"),
    [
        (pa.array([10**8], pa.int32()).cast(pa.date32()), r"date32\[day\]"),
        (pa.array([2**62], pa.int64()).cast(pa.timestamp("us")), r"timestamp\[us\]"),
        (pa.array([1], pa.timestamp("us", "Mars/Phobos")), "timestamp.*Mars/Phobos"),
        (pa.array([b"\xff"]), "binary"),
    ],
)
def test_a_parquet_column_of_what_is_no_text_or_number_is_named(tmp_path, values, called):
    path = tmp_path / "list.parquet"
    pq.write_table(pa.Table.from_pylist([ROW]).append_column("start", values), path)
    with pytest.raises(BadListing, match=f"its column 'start' holds {called}.*: write text into"):
        list(Manifest(path=path).read())


def test_categories_and_decimals_are_text_and_numbers(tmp_path):
    path = tmp_path / "list.parquet"
    table = pa.Table.from_pylist([{**ROW, "path": "a.wav", "start": Decimal("0.50")}])
    emotion = table.column("emotion").dictionary_encode()
    pq.write_table(table.drop(["emotion"]).append_column("emotion", emotion), path)
    (entry,) = Manifest(path=path, labels={"joy": "happy"}).read()
    assert (entry.emotion, entry.recording.start_s) == ("happy", 0.5)


def test_parquet_without_a_column_is_said_in_a_sentence(tmp_path):
    path = write_manifest(tmp_path, [{"text": "Hello.", "emotion": "joy"}], ".parquet")
    with pytest.raises(BadListing, match=r"no column speaker, licence; its columns are 'text'"):
        list(Manifest(path=path).read())


def test_a_column_that_stands_twice_is_refused(tmp_path):
    written = tmp_path / "list.csv"
    written.write_text("text,emotion,speaker,licence,text\nHello.,joy,me,CC0-1.0,Bye.\n")
    binary = tmp_path / "list.parquet"
    columns = [[value] for value in ("Hello.", "joy", "me", "CC0-1.0", "Bye.")]
    pq.write_table(pa.table(columns, names=[*ROW, "text"]), binary)
    for path in (written, binary):
        with pytest.raises(BadListing, match=f"'{path.name}' has more than one column text: leave"):
            list(Manifest(path=path).read())


def test_a_comma_in_a_text_does_not_move_its_columns(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(HEADER + "a.wav,No, I can't!,joy,me,CC0-1.0\n" + LINE)
    bad, good = Manifest(path=path, labels={"joy": "happy"}).read()
    assert "has 6 fields, and the first line 5: put a text" in bad.error
    assert good.text == "Hello there."


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_empty_field_is_a_missing_one_in_every_format(tmp_path, suffix):
    empty = {"path": "", "gender": "", "id": ""}
    null = {"path": None, "gender": None, "id": None}
    path = write_manifest(tmp_path, [{**ROW, **empty}, {**ROW, **null}], suffix)
    for entry in Manifest(path=path, labels={"joy": "happy"}).read():
        assert (entry.recording, entry.gender, entry.id[:5]) == (None, "unknown", "list-")


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_text(json.dumps(ROW) + "\n", encoding="utf-8-sig")
    assert list(Manifest(path=path).read()) == [Dropped("list-000001", "joy")]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("column", "meant"),
    [("file", "path"), ("Path", "path"), ("sex", "gender"), ("gendr", "gender"), ("ID", "id")],
)
def test_a_column_by_another_name_makes_no_other_set(tmp_path, ending, column, meant):
    path = write_manifest(tmp_path, [{**ROW, column: "a"}], ending)
    with pytest.raises(BadListing, match=f"call '{column}' {meant}"):
        list(Manifest(path=path).read())


def test_a_needed_column_is_guessed_at(tmp_path):
    row = {"license" if name == "licence" else name: value for name, value in ROW.items()}
    path = write_manifest(tmp_path, [row], ".csv")
    with pytest.raises(BadListing, match=r"has no column licence.*call 'license' licence"):
        list(Manifest(path=path).read())


def test_columns_of_one_s_own_are_left_alone(tmp_path):
    own = {"part": 1, "stars": 2, "mid": 3, "intensity": "strong", "path": "", "file": "a.wav"}
    path = write_manifest(tmp_path, [{**ROW, **own}], ".csv")
    [entry] = Manifest(path=path, labels={"joy": "happy"}).read()
    assert isinstance(entry, Utterance)
    assert entry.recording is None


def test_a_bad_row_is_called_by_its_own_id(tmp_path):
    path = write_manifest(tmp_path, [{**ROW, "id": "mine-7", "gender": "x"}], ".csv")
    [bad] = Manifest(path=path).read()
    assert bad.error.startswith("row list-000001 (id mine-7): gender 'x': ")
