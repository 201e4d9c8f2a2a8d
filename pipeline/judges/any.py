"""The family of judges of takes, told apart by their field `engine`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.judges.autopcp import AutoPcp
from pipeline.judges.clipping import Clipping
from pipeline.judges.dimensions import Dimensions
from pipeline.judges.duration import Duration
from pipeline.judges.emotion import SpeechEmotion
from pipeline.judges.expressivity import Expressivity
from pipeline.judges.probe import Probe
from pipeline.judges.prosody import Prosody
from pipeline.judges.quality import Quality
from pipeline.judges.speaker import Speaker
from pipeline.judges.speech import Speech
from pipeline.judges.transcript import Whisper
from pipeline.judges.wavlm import WavlmSpeaker

AnyJudge = Annotated[
    Duration
    | Clipping
    | Speech
    | Quality
    | Speaker
    | WavlmSpeaker
    | Prosody
    | Expressivity
    | Probe
    | SpeechEmotion
    | Dimensions
    | AutoPcp
    | Whisper,
    Field(discriminator="engine"),
]
