"""A page that tells nothing of its clips, from a draw that is even and repeatable."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter

import pyarrow.parquet as pq
import pytest

from pipeline.dataset.reading import open_folder
from pipeline.errors import InputError
from pipeline.listening import page
from pipeline.listening.draw import Draw, draw_clips, draw_id
from pipeline.listening.page import write_page
from pipeline.provenance.flac import comments_of
from tests.tiny_set import write_set


def drawn(folder, **settings):
    with open_folder(folder) as dataset:
        return draw_clips(dataset, Draw(**settings))


def embedded(text, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.S)
    return json.loads(found.group(1))


def test_languages_and_emotions_are_drawn_evenly(tones):
    counts = Counter((clip.language, clip.emotion) for clip in drawn(tones, clips=18))
    assert set(counts.values()) == {2}
    assert len(counts) == 9


def test_a_draw_is_repeatable_and_another_seed_draws_others(tones):
    first = drawn(tones, clips=9)
    assert first == drawn(tones, clips=9)
    assert {clip.take_id for clip in first} != {
        clip.take_id for clip in drawn(tones, clips=9, seed=1)
    }
    assert draw_id(first) != draw_id(drawn(tones, clips=9, seed=1))


def test_rejected_takes_are_those_that_a_gate_refused(tones):
    clips = drawn(tones, clips=3, rejected=100)
    with open_folder(tones) as dataset:
        refused = dataset.rows("SELECT take_id FROM rejects WHERE len(failed_gates) > 0")
    assert {clip.take_id for clip in clips if not clip.kept} == {row["take_id"] for row in refused}
    assert sum(clip.kept for clip in clips) == 3
    assert refused


def test_a_take_that_lost_to_a_better_one_is_not_called_rejected(tmp_path):
    folder = write_set(tmp_path / "set")
    [shard] = (folder / "rejects" / "de").glob("*.parquet")
    rows = pq.read_table(shard)
    lost = ["best_take", *rows["reason"].to_pylist()[1:]]
    at = rows.schema.get_field_index("reason")
    pq.write_table(rows.set_column(at, rows.schema.field(at), [lost]), shard)
    clips = drawn(folder, clips=0, rejected=100, languages=("de",))
    assert [clip.take_id for clip in clips] == rows["take_id"].to_pylist()[1:]


def test_a_language_can_be_chosen(tones):
    assert {clip.language for clip in drawn(tones, languages=("de",))} == {"de"}
    with pytest.raises(InputError, match="has no take in zh"):
        drawn(tones, languages=("zh",))


def test_the_page_tells_nothing_of_a_clip(tones, tmp_path):
    out = tmp_path / "test.html"
    clips = write_page(tones, Draw(clips=9, rejected=3), out)
    text = out.read_text("utf-8")
    test, audio = embedded(text, "test"), embedded(text, "audio")
    assert test["clips"] == [clip.key for clip in clips] == sorted(audio)
    assert test["emotions"] == ["angry", "happy", "sad"]
    for clip in clips:
        assert clip.take_id not in text
        assert clip.source_id not in text
        flac = base64.b64decode(audio[clip.key])
        assert clip.take_id.encode() not in flac
        assert comments_of(flac)["COMMENT"] == "synthetic speech"


def test_the_same_draw_gives_the_same_bytes(tones, tmp_path):
    for name in ("one", "other"):
        write_page(tones, Draw(clips=5), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_page_asks_nothing_of_the_network(tones, tmp_path):
    write_page(tones, Draw(clips=1), tmp_path / "page")
    text = (tmp_path / "page").read_text("utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"?https?:", text)


def test_a_hostile_name_is_text(make_dataset_folder, tmp_path):
    folder = make_dataset_folder(recipe={"name": "</script><script>alert(1)</script>"})
    write_page(folder, Draw(clips=2), tmp_path / "page")
    assert "<script>alert(1)" not in (tmp_path / "page").read_text("utf-8")


def test_more_audio_than_a_page_holds_is_refused(tones, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "_AUDIO_BYTES", 1000)
    with pytest.raises(InputError, match="--clips 9, --rejected 0: .* draw fewer"):
        write_page(tones, Draw(clips=9), tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_answers_can_be_saved_before_the_last_clip(tones, tmp_path):
    """The button is in no section, of which the page shows one at a time."""
    write_page(tones, Draw(clips=2), tmp_path / "page")
    text = (tmp_path / "page").read_text("utf-8")
    body, script = text.split("<noscript>")
    *sections, rest = re.split(r"</section>", body)
    assert [len(re.findall("<section", one)) for one in sections] == [1, 1, 1]
    assert not any('id="save"' in one for one in sections)
    assert '<button id="save" disabled>' in rest
    assert 'element("save").disabled = done === 0;' in script


def test_the_page_asks_which_languages_are_understood(tones, tmp_path):
    write_page(tones, Draw(clips=9, languages=("de", "fr")), tmp_path / "page")
    text = (tmp_path / "page").read_text("utf-8")
    asked = re.findall(r'type="checkbox" name="known" value="(\w+)">([^<]+)<', text)
    assert asked == [("de", "German"), ("fr", "French"), ("none", "none of them")]
    assert "listener, known: state.known, answers: state.answers" in text


def test_a_listener_may_hear_none_of_the_emotions(tones, tmp_path):
    write_page(tones, Draw(clips=1), tmp_path / "page")
    text = (tmp_path / "page").read_text("utf-8")
    choices = re.findall(r'type="radio" name="emotion" value="(\w+)"', text)
    assert choices == ["angry", "happy", "sad", "none"]
