"""The intake: what can't be opened is for the door to say, and stops nobody."""

import json

from pipeline.recipe_file import load_recipe
from pipeline.work.intake import take_in
from pipeline.work.store import open_store

ROW = {"text": "Hello there.", "emotion": "sad", "speaker": "me", "licence": "CC0-1.0"}


def test_a_recording_that_cannot_be_opened_comes_in_for_the_door_to_refuse(tmp_path):
    paths = ["a" * 300 + ".wav", "gone.wav", "."]
    lines = [json.dumps({**ROW, "path": path}) for path in paths]
    (tmp_path / "list.jsonl").write_text("\n".join(lines))
    recipe = load_recipe("own-recordings", [f"corpus.path={tmp_path / 'list.jsonl'}"])
    intake = take_in(open_store(str(tmp_path / "work")), recipe)
    assert (intake.utterances, intake.unreadable) == (3, [])
