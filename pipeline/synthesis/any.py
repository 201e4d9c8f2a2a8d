"""The family of synthesizers, told apart by their field `engine`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.synthesis.command import Command
from pipeline.synthesis.espeak import Espeak
from pipeline.synthesis.seamless import SeamlessSpeech
from pipeline.synthesis.vits.engine import Vits
from pipeline.synthesis.xtts.engine import Xtts

AnySynthesizer = Annotated[
    Espeak | Xtts | Vits | SeamlessSpeech | Command, Field(discriminator="engine")
]
