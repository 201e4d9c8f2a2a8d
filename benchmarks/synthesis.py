"""How fast a take is made on one core: espeak-ng, prosody transfer (three takes a line), FLAC.

    python -m benchmarks.synthesis [--lines N]

Prints the times real time by step, and of a naive way measured in the same run: WORLD's own chain
(dio, stonemask, cheaptrick, d4c, synthesize) anew for every take. The last line is one JSON object.
Times are of the processor, so a busy machine changes little.
"""

from __future__ import annotations

import io
import json
import resource
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice, product

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.script import parser_of
from pipeline.emotions import EMOTIONS
from pipeline.languages import Language
from pipeline.prosody.frames import RATE
from pipeline.prosody.target import from_emotion
from pipeline.prosody.transfer import Shaper
from pipeline.synthesis.base import Speech, SpeechRequest
from pipeline.synthesis.espeak import Espeak
from pipeline.synthesis.voices import voices_of

TEXTS: dict[Language, str] = {
    "en": "I can't believe you came all the way here just to see me.",
    "de": "Ich kann nicht glauben, dass du nur meinetwegen gekommen bist.",
    "fr": "Je n'arrive pas à croire que tu sois venu rien que pour me voir.",
    "it": "Non posso credere che tu sia venuto fin qui solo per vedermi.",
    "es": "No puedo creer que hayas venido hasta aquí solo para verme.",
    "zh": "真不敢相信你大老远跑来就是为了看我。",
}
STRENGTHS = (0.8, 1.0, 1.2)


@dataclass
class Clock:
    """Processor seconds by step, children's included."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what happens inside to a step."""
        start = _processor_s()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + _processor_s() - start

    @property
    def total_s(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds.values())


def _processor_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Run both ways and print them."""
    parser = parser_of(__doc__)
    parser.add_argument("--lines", type=int, default=60, help="lines to speak, three takes each")
    lines = parser.parse_args().lines
    threadpool_limits(1)  # as in a worker; a spinning second thread would count as our time
    ours(6, Clock())  # imports and first calls
    naive(6, Clock())
    clocks = {"ours": Clock(), "naive": Clock()}
    spoken_s = {"ours": ours(lines, clocks["ours"]), "naive": naive(lines, clocks["naive"])}
    speed = {name: spoken_s[name] / clocks[name].total_s for name in clocks}
    _print(clocks, speed)
    result = {
        "synthesis_x_realtime": round(speed["ours"], 1),
        "naive_x_realtime": round(speed["naive"], 1),
        "synthesis_vs_naive": round(speed["ours"] / speed["naive"], 2),
    }
    print(json.dumps(result))


def ours(lines: int, clock: Clock) -> float:
    """Speak, shape and encode as a build does; returns seconds of audio made."""
    spoken_s = 0.0
    for number, speech in enumerate(_speak(lines, clock)):
        target = from_emotion(EMOTIONS[number % len(EMOTIONS)], number)
        with clock.step("analysis"):
            shaper = Shaper(speech)
        for take, strength in enumerate(STRENGTHS):
            with clock.step("takes"):
                samples, _ = shaper.take(target, strength, take)
            with clock.step("flac"):
                _encode(samples)
            spoken_s += len(samples) / RATE
    return spoken_s


def naive(lines: int, clock: Clock) -> float:
    """The same takes by WORLD's own chain, each with an analysis of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyworld

    spoken_s = 0.0
    for number, speech in enumerate(_speak(lines, clock)):
        target = from_emotion(EMOTIONS[number % len(EMOTIONS)], number)
        samples = speech.samples.astype(np.float64)
        for strength in STRENGTHS:
            with clock.step("analysis"):
                f0_hz, times_s = pyworld.dio(samples, RATE)
                f0_hz = pyworld.stonemask(samples, f0_hz, times_s, RATE)
                envelope = pyworld.cheaptrick(samples, f0_hz, times_s, RATE)
                aperiodicity = pyworld.d4c(samples, f0_hz, times_s, RATE)
            with clock.step("takes"):
                moved_hz = f0_hz * 2 ** (strength * target.f0_level_st / 12)
                hop_ms = 5.0 / target.rate_ratio**strength
                made = pyworld.synthesize(moved_hz, envelope, aperiodicity, RATE, hop_ms)
            with clock.step("flac"):
                _encode(made / np.abs(made).max())
            spoken_s += len(made) / RATE
    return spoken_s


def _speak(lines: int, clock: Clock) -> list[Speech]:
    voices = product(voices_of("unknown"), TEXTS)
    requests = [
        SpeechRequest(TEXTS[language], language, voice, 0)
        for voice, language in islice(cycle(voices), lines)
    ]
    synthesize: Callable[..., list[object]] = Espeak().load()
    with clock.step("espeak"):
        spoken = synthesize(requests)
    return [speech for speech in spoken if isinstance(speech, Speech)]


def _encode(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _print(clocks: dict[str, Clock], speed: dict[str, float]) -> None:
    table = Table("way", "x real time", *(f"{step} %" for step in clocks["ours"].seconds))
    for name, clock in clocks.items():
        shares = (f"{100 * value / clock.total_s:.0f}" for value in clock.seconds.values())
        table.add_row(name, f"{speed[name]:.1f}", *shares)
    Console().print(table)


if __name__ == "__main__":
    main()
