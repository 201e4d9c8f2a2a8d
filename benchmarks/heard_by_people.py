"""Do judges that were fitted on people alone hear the emotions of a set's clips?

    python -m benchmarks.heard_by_people builds/quickstart [--corpus DIR] [--nemo DIR]

UAR on four emotions of the kept synthetic clips of a dataset folder, by judges fitted on the clips
of RAVDESS below --corpus (English) and of nEMO below --nemo (Polish): eGeMAPS, z-scored within each
speaker of a language, and an SVM (`emotion_judges`). Beside it what each judge makes of people: the
clips of the other corpus, and RAVDESS's own with the speakers held out. Silence before and after
the human clips is cut off, as takes have none. The last line is one JSON object.
"""

from __future__ import annotations

import json
from pathlib import Path

import librosa
import numpy as np
import pyarrow.dataset as ds
from rich.console import Console
from rich.table import Table

from benchmarks.emotion_judges import EMOTIONS, Judged, nemo, uar_by_speaker, uar_of_others
from benchmarks.script import HUMAN_SPEECH, parser_of
from model.data.clips import read_audio
from pipeline.audio import open_recording
from pipeline.corpora.base import Door
from pipeline.corpora.ravdess import Ravdess
from pipeline.prosody.profile import to_rate
from pipeline.records import Utterance

_COLUMNS = ["audio", "emotion", "language", "speaker_id", "is_synthetic"]
_SILENT_BELOW_PEAK_DB = 40.0


def main() -> None:
    """Ask the judges, print the table and the JSON line."""
    parser = parser_of(__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--corpus", type=Path, default=HUMAN_SPEECH / "ravdess")
    parser.add_argument("--nemo", type=Path, default=HUMAN_SPEECH / "nemo")
    options = parser.parse_args()
    english, polish = ravdess(options.corpus), nemo(options.nemo, trimmed)
    takes = synthetic(options.dataset)
    found = {
        "RAVDESS": {
            "takes": uar_of_others(english, takes),
            "people of its corpus": uar_by_speaker(english, english),
            "people of the other": uar_of_others(english, polish),
        },
        "nEMO": {
            "takes": uar_of_others(polish, takes),
            "people of its corpus": uar_by_speaker(polish, polish),
            "people of the other": uar_of_others(polish, english),
        },
    }
    table = Table("judge fitted on", *found["nEMO"], title="UAR, four emotions, chance .25")
    for judge, row in found.items():
        table.add_row(judge, *(f"{value:.2f}" for value in row.values()))
    Console().print(table)
    rounded = {judge: {n: round(v, 3) for n, v in row.items()} for judge, row in found.items()}
    print(json.dumps({"uar": rounded, "clips": len(takes.emotions)}))


def trimmed(samples: np.ndarray) -> np.ndarray:
    """A clip at 16 kHz without the silence before and after the speech."""
    return np.asarray(librosa.effects.trim(samples, top_db=_SILENT_BELOW_PEAK_DB)[0])


def ravdess(folder: Path) -> Judged:
    """The clips of RAVDESS of the four emotions."""
    clips, emotions, speakers = [], [], []
    for one in Ravdess(path=folder).read():
        if isinstance(one, Utterance) and one.recording and one.emotion in EMOTIONS:
            clip = open_recording(one.recording, Door())
            clips.append(trimmed(to_rate(clip.samples, clip.sampling_rate)))
            emotions.append(one.emotion)
            speakers.append(one.speaker)
    return Judged.of(clips, emotions, speakers)


def synthetic(dataset: Path) -> Judged:
    """The kept synthetic clips of a dataset folder, each speaker by language."""
    wanted = ds.field("is_synthetic") & ds.field("emotion").isin(EMOTIONS)
    shards = sorted(dataset.glob("data/*/*.parquet"))
    rows = ds.dataset(shards).to_table(columns=_COLUMNS, filter=wanted).to_pylist()
    return Judged.of(
        [read_audio(row["audio"]["bytes"], None) for row in rows],
        [row["emotion"] for row in rows],
        [f"{row['speaker_id']} {row['language']}" for row in rows],
    )


if __name__ == "__main__":
    main()
