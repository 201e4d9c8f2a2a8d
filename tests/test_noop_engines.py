"""The engines that do nothing answer as the engines do whose places they take."""

from benchmarks.noop import noop_recipe
from pipeline.emotions import EMOTIONS
from pipeline.judges.base import JudgeContext, JudgeItem
from pipeline.records import Utterance
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.translation.base import Sentence, Translation


def test_a_line_goes_through_all_of_them():
    recipe = noop_recipe(9, ["en", "de"], 1, 4)
    rows = list(recipe.corpus.read())
    assert [type(row) for row in rows] == [Utterance] * 9
    assert {row.emotion for row in rows} == set(EMOTIONS)
    sentences = [Sentence(row.text, row.emotion) for row in rows]
    lines = recipe.translation.load()(sentences, "en", "de")
    assert lines == [Translation(row.text) for row in rows]
    request = SpeechRequest(lines[0].text, "de", "s0", 1)
    [spoken] = recipe.synthesis.load()([request])
    assert isinstance(spoken, Speech)
    assert spoken.phone_count == 1
    [judge] = recipe.judges
    item = JudgeItem("a", spoken.samples, lines[0].text, "de", "sad", "s0")
    [scores] = judge.load(JudgeContext(("de",)))([item])
    assert set(scores) == set(judge.scores)
