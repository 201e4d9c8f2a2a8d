"""Four short recordings by two speakers, spoken by espeak-ng, in a manifest."""

from __future__ import annotations

import json
from pathlib import Path

import soundfile

from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import Espeak

_LINES = (
    ("anna", "female", "neutral", "The train to the city leaves at nine."),
    ("anna", "female", "angry", "Go away and leave me alone!"),
    ("bert", "male", "neutral", "The shop is open until six today."),
    ("bert", "male", "happy", "What a wonderful day this is!"),
)


def write(folder: Path) -> None:
    """Write `manifest.jsonl` and its clips into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = Espeak()
    taken: list[str] = []
    rows = []
    for number, (speaker, gender, emotion, text) in enumerate(_LINES):
        voice = engine.voice_for(speaker, gender, taken)
        [speech] = engine.load()([SpeechRequest(text, "en", voice, seed=0)])
        if not isinstance(speech, Speech):
            raise TypeError(f"espeak-ng failed on {text!r}: {speech.error}")
        name = f"{number}.wav"
        soundfile.write(folder / name, speech.samples, speech.sampling_rate)
        rows.append(
            {"id": f"line-{number}", "path": name, "text": text, "emotion": emotion,
             "speaker": speaker, "gender": gender, "licence": "CC0-1.0"}
        )  # fmt: skip
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_text(text, encoding="utf-8")
