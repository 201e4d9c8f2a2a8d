"""IEMOCAP, CREMA-D and ESD: tiny folders in their published structure, and several as one."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.corpora.base import CorpusMissing, Dropped, Unreadable
from pipeline.corpora.crema_d import CremaD
from pipeline.corpora.esd import Esd
from pipeline.corpora.iemocap import Iemocap
from pipeline.corpora.listing import BadListing
from pipeline.corpora.ravdess import Ravdess
from pipeline.corpora.several import Several


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)


EVALUATION = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.5000, 4.0000, 4.0000]
[12.0100 - 13.3925]\tSes01F_impro01_M002\tfru\t[1.5000, 4.0000, 4.0000]
[14.0100 - 15.3925]\tSes01F_impro01_F003\tsad\t[1.5000, 2.0000, 2.0000]
"""
TRANSCRIPTION = """Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.
Ses01F_impro01_M001 [010.0100-011.3925]: [LAUGHTER] I got  in! ++garbage++
Ses01F_impro01_M002 [012.0100-013.3925]: No.
"""


def test_iemocap_joins_labels_texts_and_clips(tmp_path):
    dialog = tmp_path / "Session1/dialog"
    write(dialog / "EmoEvaluation/Ses01F_impro01.txt", EVALUATION)
    write(dialog / "EmoEvaluation/._Ses01F_impro01.txt", "\0\0")
    write(dialog / "transcriptions/Ses01F_impro01.txt", TRANSCRIPTION)
    neutral, excited, frustrated, silent = Iemocap(path=tmp_path).read()
    assert (neutral.text, neutral.emotion, neutral.gender) == ("Excuse me.", "neutral", "female")
    clip = tmp_path / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    assert neutral.recording.path == clip
    assert (excited.text, excited.emotion) == ("I got in!", "happy")
    assert (neutral.speaker, excited.speaker) == ("iemocap-Ses01F", "iemocap-Ses01M")
    assert frustrated == Dropped("Ses01F_impro01_M002", "fru")
    assert isinstance(silent, Unreadable)
    assert "no line in its dialogue's transcription" in silent.error


def test_iemocap_without_evaluations_is_missing(tmp_path):
    with pytest.raises(CorpusMissing, match="No session has its evaluations"):
        list(Iemocap(path=tmp_path).read())


def test_crema_d_reads_its_names_and_its_demographics(tmp_path):
    for name in (
        "1001_DFA_ANG_XX",
        "1040_ITH_SAD_X",
        "1001_XXX_SAD_LO",
        "1001_IEO_SUR_HI",
        "other",
    ):
        touch(tmp_path / "AudioWAV" / f"{name}.wav")
    touch(tmp_path / "AudioWAV" / "._1001_DFA_ANG_XX.wav")
    write(tmp_path / "VideoDemographics.csv", "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,x,y\n")
    angry, surprised, unknown, sad, other = CremaD(path=tmp_path).read()
    assert (angry.text, angry.emotion) == ("Don't forget a jacket.", "angry")
    assert (angry.speaker, angry.gender) == ("crema-d-1001", "male")
    assert (sad.emotion, sad.gender) == ("sad", "unknown")
    assert surprised == Dropped("1001_IEO_SUR_HI", "SUR")
    assert "unknown sentence XXX" in unknown.error
    assert "not a CREMA-D file name" in other.error


def test_crema_d_s_actors_may_be_listed_in_any_encoding_and_must_be_a_table(tmp_path):
    touch(tmp_path / "1001_DFA_ANG_XX.wav")
    actors = tmp_path / "VideoDemographics.csv"
    actors.write_bytes(b"ActorID,Sex,Note\n1002\n1001,Female,\xe9\n")
    [entry] = CremaD(path=tmp_path).read()
    assert entry.gender == "female"
    actors.write_text("ActorID,Sex\n1001," + "x" * 200_000)
    with pytest.raises(BadListing, match=r"VideoDemographics.csv' is no CSV file: field larger"):
        list(CremaD(path=tmp_path).read())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_esd_reads_each_table_in_its_encoding(tmp_path, encoding):
    write(
        tmp_path / "0015/0015.txt",
        "0015_000001\tIt’s nine  o'clock.\tNeutral\n\n0015_000351 I know you. Angry \n"
        "0015_000701\tGo.\tBored\n0015_001051\tGone.\tSad\nnonsense\n",
        encoding,
    )
    touch(tmp_path / "0015/Neutral/0015_000001.wav")
    touch(tmp_path / "0015/Angry/train/0015_000351.wav")
    touch(tmp_path / "0001/Angry/0001_000351.wav")
    neutral, angry, bored, gone, nonsense = Esd(path=tmp_path).read()
    assert (neutral.text, neutral.emotion) == ("It’s nine  o'clock.", "neutral")
    assert (angry.text, angry.emotion) == ("I know you.", "angry")
    assert (angry.speaker, angry.gender) == ("esd-0015", "female")
    assert angry.recording.path == tmp_path / "0015/Angry/train/0015_000351.wav"
    assert bored == Dropped("0015_000701", "Bored")
    assert "no clip '0015_001051.wav'" in gone.error
    assert "0015.txt:6" in nonsense.error


def test_esd_without_its_english_speakers_is_missing(tmp_path):
    touch(tmp_path / "0001/Angry/0001_000351.wav")
    with pytest.raises(CorpusMissing, match="first of ESD's English speakers"):
        list(Esd(path=tmp_path).read())


@pytest.fixture
def two(tmp_path):
    """A folder of RAVDESS with one clip, and one of CREMA-D with one."""
    touch(tmp_path / "ravdess/03-01-05-01-02-01-01.wav")
    touch(tmp_path / "crema-d/1001_DFA_ANG_XX.wav")
    return (Ravdess(path=tmp_path / "ravdess"), CremaD(path=tmp_path / "crema-d"))


def test_several_corpora_come_one_after_the_other(two):
    corpus = Several(parts=two)
    assert [entry.corpus for entry in corpus.read()] == ["ravdess", "crema-d"]
    assert corpus.members == two


def test_all_parts_that_are_missing_are_named_with_the_way_to_do_without(two):
    parts = (*two, Ravdess(path=Path("gone-1")), Esd(path=Path("gone-2")))
    entries = Several(parts=parts).read()
    with pytest.raises(CorpusMissing) as caught:
        next(entries)
    ravdess, esd = str(caught.value).splitlines()
    assert "corpus.parts.2.path: there is no folder 'gone-1'" in ravdess
    assert "--set corpus.parts.2=null" in ravdess
    assert "corpus.parts.esd.path: there is no folder 'gone-2'" in esd
    assert "--set corpus.parts.esd=null" in esd


def test_null_leaves_a_part_out_and_none_at_all_is_refused(two):
    fields = {"parts": [two[0].model_dump(), None]}
    assert Several.model_validate(fields).members == two[:1]
    with pytest.raises(ValidationError, match="at least 1"):
        Several.model_validate({"parts": [None]})


def test_a_part_with_a_door_of_its_own_is_refused(two):
    fields = {"parts": [{**two[0].model_dump(), "door": {"longest_s": 5}}]}
    with pytest.raises(ValidationError, match=r"ravdess has a door of its own.*corpus\.door"):
        Several.model_validate(fields)


def test_ravdess_leaves_out_what_is_sung(tmp_path):
    for name in ("03-01-05-01-01-01-12", "03-02-05-01-01-01-12"):
        touch(tmp_path / "Actor_12" / f"{name}.wav")
    spoken, sung = Ravdess(path=tmp_path).read()
    assert (spoken.emotion, spoken.gender) == ("angry", "female")
    assert sung == Dropped("03-02-05-01-01-01-12", "song")


def test_crema_d_finds_its_demographics_beside_audio_wav(tmp_path):
    touch(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
    write(tmp_path / "VideoDemographics.csv", "ActorID,Age,Sex\n1001,51,Male\n")
    [clip] = CremaD(path=tmp_path / "AudioWAV").read()
    assert clip.gender == "male"
