"""Any program of yours as a synthesizer, over lines of JSON."""

from __future__ import annotations

import errno
import shlex
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import soundfile
from pydantic import Field, PrivateAttr

from pipeline.audio import BadAudio, Clip, open_recording
from pipeline.corpora.base import Door
from pipeline.errors import InputError
from pipeline.languages import Language
from pipeline.needs import Lack, Price
from pipeline.plain import plain
from pipeline.records import Failure, Gender, Recording
from pipeline.synthesis.base import ConditionedOn, Speech, SpeechRequest, Synthesize, Synthesizer
from pipeline.synthesis.conversation import Conversation, NoAnswer, NoProgram

_SHORTEST_S = 0.1
"""A shorter answer is a failure: the shortest in which prosody is measured."""
_DAY_S = 86_400.0

Word = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Of a command; the system takes none with a NUL."""


class Command(Synthesizer):
    """An outside program that speaks, for models whose dependencies clash with ours.

    It is started once for a worker, without a shell. For each take it reads one line of JSON from
    its standard input:

        {"text", "language", "voice", "emotion", "seed", "references": [WAV paths], "out": WAV path}

    writes a mono or stereo WAV file to `out`, and answers with one line on its standard output:
    `{}`, `{"hit_length_cap": true}`, or `{"error": "one sentence"}`. All else it has to say goes to
    standard error: a second line fails the take after it. It ends when its input does. Whatever it
    writes is checked as a recording is. If it crashes or takes too long, that take fails with its
    last words, and it is started anew. If it can't be started, or answers nothing at all, the
    machine is at fault: the build ends, and goes on with the same command once that is mended.

    A recipe may come from anyone, so it runs nothing until the person allows it on the command
    line, by `--allow-commands`. Licence, languages and paper are the program's.
    """

    engine: Literal["command"] = "command"
    version: ClassVar[int] = 1
    uses_gpu: ClassVar[bool] = True
    price: ClassVar[Price] = Price("cuda", 0.5, "speech_s", "assumed, of an unknown program")
    told_emotion: ClassVar[bool] = True
    command: Annotated[tuple[Word, ...], Field(min_length=1)]
    """The program and its arguments."""
    revision: str = ""
    """Of the program, in your own words: change it when the program's speech changes."""
    device: Literal["auto", "cpu"] = "auto"
    """`cpu`: it needs no GPU, and waits for none where there are some."""
    speaks: Annotated[tuple[Language, ...], Field(min_length=1)] | None = None
    """A recipe that asks for another language is refused (none: that is the program's to say)."""
    reference: ConditionedOn = "source"
    """The recordings that it is given; with any, a voice is its speaker's own."""
    timeout_s: Annotated[float, Field(gt=0, le=_DAY_S)] = 120.0
    """For one take; the first has to load the model too, and gets ten times as long."""
    longest_s: Annotated[float, Field(gt=_SHORTEST_S)] = 30.0
    """A longer answer is a failure."""
    _allowed: bool = PrivateAttr(default=False)

    @property
    def languages(self) -> frozenset[Language] | None:
        """Those that the recipe says it speaks."""
        return frozenset(self.speaks) if self.speaks else None

    def prices(self) -> Mapping[str, Price]:
        """What a program of its kind may cost, on its device."""
        return {self.title: self.price._replace(device="cpu" if self.device == "cpu" else "cuda")}

    @property
    def conditioned_on(self) -> ConditionedOn:
        """The recordings that it is given."""
        return self.reference

    @property
    def clones(self) -> bool:
        """Whether it is given any."""
        return self.reference != "none"

    @property
    def in_words(self) -> str:
        """The command as a shell would take it; what a terminal would act on or hide is spelled."""
        return "".join(
            one if one.isprintable() else one.encode("unicode_escape").decode()
            for one in shlex.join(self.command)
        )

    def lacks(self) -> Iterator[Lack]:
        """The program."""
        if shutil.which(self.command[0]) is None:
            fix = "install it, or correct synthesis.command"
            yield Lack(f"the program '{self.command[0]}'", fix)

    def allowed(self) -> Command:
        """The same settings, by a person's leave to run the command."""
        copy = self.model_copy()
        copy._allowed = True
        return copy

    def refuse_unless_allowed(self) -> None:
        """Let no recipe run a command that the person has not agreed to.

        Raises:
            InputError: nobody has.
        """
        if not self._allowed:
            raise InputError(
                f"synthesis.command: the recipe wants to run `{self.in_words}` on this machine; "
                "if you trust it, build with --allow-commands"
            )

    def voice_for(self, speaker: str, gender: Gender, taken: Collection[str]) -> str:
        """The source speaker; the program makes of the name what it can."""
        return speaker

    def load(self) -> Synthesize:
        """Start nothing yet: the program starts with the first take.

        What it gives raises an OSError where the program doesn't run on this machine.

        Raises:
            InputError: the person has not allowed it.
        """
        self.refuse_unless_allowed()
        conversation = Conversation(self.command, self.timeout_s)

        def synthesize(requests: Sequence[SpeechRequest]) -> list[Speech | Failure]:
            # What still writes there, or took the folder away, is no reason to lose the batch.
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                answers = [
                    self._answer(conversation, request, Path(folder), number)
                    for number, request in enumerate(requests)
                ]
            for answer in answers:
                if isinstance(answer, Failure) and not conversation.has_answered:
                    raise self._does_not_run(answer.error)
            return answers

        return synthesize

    def _answer(
        self, conversation: Conversation, request: SpeechRequest, folder: Path, number: int
    ) -> Speech | Failure:
        out, name = folder / f"{number}.wav", Path(self.command[0]).name
        try:
            reply = conversation.ask(_question(request, folder, out))
        except NoProgram as error:
            raise self._does_not_run(str(error)) from error
        except NoAnswer as error:
            return Failure("synthesize", str(error))
        if said := reply.get("error"):
            return Failure("synthesize", f"'{name}': {plain(str(said))}")
        try:
            clip = open_recording(
                Recording(out), Door(shortest_s=_SHORTEST_S, longest_s=self.longest_s)
            )
        except BadAudio as bad:
            return Failure("synthesize", f"'{name}' wrote no usable speech: {bad}")
        capped = reply.get("hit_length_cap") is True
        return Speech(clip.samples, clip.sampling_rate, hit_length_cap=capped)

    def _does_not_run(self, why: str) -> OSError:
        """For a person to mend: a machine without the program has nothing to say of any line."""
        fix = "see that it runs on every machine that works for this build"
        return OSError(errno.EIO, f"synthesis.command: {why}; {fix}", self.in_words)


def _question(request: SpeechRequest, folder: Path, out: Path) -> dict[str, Any]:
    return {
        "text": request.text,
        "language": request.language,
        "voice": request.voice,
        "emotion": request.emotion,
        "seed": request.seed,
        "references": [str(_written(clip, folder)) for clip in request.references],
        "out": str(out),
    }


def _written(clip: Clip, folder: Path) -> Path:
    """The clip as a file, written once for all takes that share it."""
    path = folder / f"reference-{clip.sha256[:16]}.wav"
    if not path.is_file():
        soundfile.write(path, clip.samples, clip.sampling_rate, subtype="FLOAT")
    return path
