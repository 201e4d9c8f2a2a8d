"""The command engine, with a little program of the test's own."""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydantic import ValidationError

from pipeline.audio import Clip
from pipeline.errors import InputError
from pipeline.recipe import Recipe
from pipeline.records import Failure
from pipeline.synthesis.base import Speech, SpeechRequest, Synthesize
from pipeline.synthesis.command import Command

PROGRAM = """
import json, math, os, struct, sys, time, wave
print("loading", file=sys.stderr)
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
def tone(path, hz, seconds=0.5, rate=16000):
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        for i in range(int(seconds * rate)):
            file.writeframesraw(struct.pack("<h", int(9000 * math.sin(6.28 * hz * i / rate))))
for line in sys.stdin:
    asked = json.loads(line)
    text = asked["text"]
    if text == "crash with a child":
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open(sys.argv[1], "a").write(f"{child.pid}\\n")
        sys.exit("lost a worker")
    if text == "crash":
        sys.exit("the model has no such voice")
    if text == "hang":
        time.sleep(60)
    if text == "chatter":
        print("I am thinking", flush=True); continue
    if text == "refuse":
        print(json.dumps({"error": "no letter"}), flush=True); continue
    if text == "deaf":
        os.close(1); time.sleep(60)
    if text == "endless":
        sys.stdout.write("x" * 300_000); sys.stdout.flush(); time.sleep(60)
    if text == "deep":
        print("[" * 100_000, flush=True); continue
    if text == "marked":
        error = "no\\x1b[31m\\nletter\\ud800" + "!" * 999
        print(json.dumps({"error": error}), flush=True); continue
    if text == "folder":
        os.rmdir(os.path.dirname(asked["out"]))
    if text == "murmur":
        sys.stderr.write("hm" * 1_000_000)
    if text == "latin":
        sys.stdout.buffer.write(b'{"error": "caf\\xe9"}\\n'); sys.stdout.flush(); continue
    if text == "noise":
        open(asked["out"], "w").write("noise")
    elif text == "long":
        tone(asked["out"], 200, 3)
    elif text != "nothing":
        loud = sum(os.path.getsize(r) for r in asked["references"])
        tone(asked["out"], 100 + asked["seed"] + len(asked["emotion"]) + loud % 97)
    answer = json.dumps({"hit_length_cap": text == "capped"})
    print(answer if text != "twice" else answer + "\\n" + answer, flush=True)
    if text == "last":
        sys.exit(7)
"""


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    return tmp_path / "pids"


@pytest.fixture
def engine(tmp_path: Path, pids: Path) -> Command:
    program = tmp_path / "speak.py"
    program.write_text(PROGRAM)
    command = (sys.executable, "-I", str(program), str(pids))
    return Command(command=command, timeout_s=20, longest_s=2).allowed()


def request(text: str, seed: int = 0, **fields: object) -> SpeechRequest:
    return SpeechRequest(text, "de", "anna", seed, **fields)  # type: ignore[arg-type]


def reference(seconds: float = 0.4) -> Clip:
    return Clip(np.full(round(16_000 * seconds), 0.1, np.float32), 16_000, 1)


def spoken(synthesize: Synthesize, *requests: SpeechRequest) -> list[np.ndarray]:
    answers = synthesize(requests)
    assert all(isinstance(one, Speech) for one in answers), answers
    return [one.samples for one in answers if isinstance(one, Speech)]


def test_it_speaks_with_all_that_it_is_told(engine: Command) -> None:
    synthesize = engine.load()
    first, again, other_seed, other_emotion, after_clip = spoken(
        synthesize, request("ja"), request("ja"), request("ja", 50),
        request("ja", emotion="happy"), request("ja", references=(reference(),)),
    )  # fmt: skip
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other_seed)
    assert not np.array_equal(first, other_emotion)
    assert not np.array_equal(first, after_clip)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crash", "status 1: the model has no such voice"),
        ("chatter", "'I am thinking', which is no JSON object"),
        ("refuse", "no letter"),
        ("nothing", "is not a file"),
        ("noise", "can't be decoded"),
        ("long", "door.longest_s is 2"),
        ("latin", "'python': caf\ufffd"),
        (
            "endless",
            f"answered '{'x' * 60}', which is no JSON object; what else it has",
        ),
        ("deep", "which is no JSON object"),
        ("marked", f"'python': no [31m letter\\ud800{'!' * 99}"),
    ],
)
def test_what_it_cannot_speak_fails_alone(engine: Command, text: str, message: str) -> None:
    before, failed, after = engine.load()([request("ja"), request(text), request("ja")])
    assert isinstance(before, Speech)
    assert isinstance(failed, Failure)
    assert message in failed.error
    assert isinstance(after, Speech)


def test_an_answer_too_many_is_not_taken_for_the_next_one(engine: Command, pids: Path) -> None:
    answers = engine.load()([request("twice"), request("ja"), request("ja")])
    assert [type(one) for one in answers] == [Speech, Failure, Speech]
    assert isinstance(answers[1], Failure)
    assert "after its answer: it answers a question by one line" in answers[1].error
    assert len(pids.read_text().split()) == 2


def test_what_it_says_beside_its_answers_fills_no_disk(engine: Command, tmp_path: Path) -> None:
    hasty = engine.model_copy(update={"timeout_s": 2.0})
    spoken_of, failed = hasty.load()([request("murmur"), request("hang")])
    assert isinstance(spoken_of, Speech)
    assert isinstance(failed, Failure)
    assert failed.error.endswith("hm" * 20)
    assert len(failed.error) < 500


def test_a_program_that_takes_its_folder_away_loses_no_batch(engine: Command) -> None:
    answers = engine.load()([request("ja", references=()), request("folder"), request("ja")])
    assert isinstance(answers[1], Failure)


@pytest.mark.parametrize("wrong", [{"timeout_s": 1e300}, {"command": ("a\0b",)}])
def test_what_no_machine_can_do_is_refused_in_the_recipe(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Command.model_validate({"command": ("a",), **wrong})


def test_a_program_that_goes_between_takes_costs_one_at_most(engine: Command, pids: Path) -> None:
    synthesize = engine.load()
    spoken(synthesize, request("ja"), request("last"))
    psutil.wait_procs([psutil.Process(int(pids.read_text()))], timeout=5)
    answers = synthesize([request("ja"), request("nein")])
    assert [type(one) for one in answers] == [Failure, Speech]
    assert isinstance(answers[0], Failure)
    assert "status 7" in answers[0].error or "has ended" in answers[0].error


def test_what_a_program_has_started_ends_with_it(engine: Command, pids: Path) -> None:
    hasty = engine.model_copy(update={"timeout_s": 2.0})
    _, failed = hasty.load()([request("ja"), request("crash with a child")])
    assert isinstance(failed, Failure)
    child = int(pids.read_text().splitlines()[-1])
    with suppress(psutil.NoSuchProcess):
        gone, there = psutil.wait_procs([psutil.Process(child)], timeout=5)
        assert gone or there[0].status() == psutil.STATUS_ZOMBIE


def test_a_program_that_closes_its_output_is_started_anew(engine: Command) -> None:
    hasty = engine.model_copy(update={"timeout_s": 2.0})
    _, failed, after = hasty.load()([request("ja"), request("deaf"), request("ja")])
    assert isinstance(failed, Failure)
    assert "closed its standard output, where answers are written" in failed.error
    assert isinstance(after, Speech)


def test_a_short_answer_is_taken_and_its_longest_is_more_than_the_shortest(engine: Command) -> None:
    with pytest.raises(ValueError, match="longest_s"):
        Command(command=("speak",), longest_s=0.1)
    short = engine.model_copy(update={"longest_s": 0.25})
    [failed] = short.load()([request("ja")])
    assert isinstance(failed, Failure)
    assert "door.longest_s is 0.25" in failed.error


def test_what_takes_too_long_fails_alone(engine: Command) -> None:
    hasty = engine.model_copy(update={"timeout_s": 2.0})
    before, failed, after = hasty.load()([request("ja"), request("hang"), request("ja")])
    assert isinstance(before, Speech)
    assert isinstance(failed, Failure)
    assert "did not answer within 2 s: loading" in failed.error
    assert isinstance(after, Speech)


def test_it_is_started_once_and_anew_after_a_crash(engine: Command, pids: Path) -> None:
    synthesize = engine.load()
    assert not pids.exists()
    spoken(synthesize, request("ja"))
    spoken(synthesize, request("ja"), request("nein"))
    assert len(pids.read_text().split()) == 1
    synthesize([request("crash"), request("ja")])
    assert len(pids.read_text().split()) == 2


def test_it_ends_with_the_engine(engine: Command, pids: Path) -> None:
    synthesize = engine.load()
    spoken(synthesize, request("ja"))
    program = psutil.Process(int(pids.read_text()))
    del synthesize
    _, running = psutil.wait_procs([program], timeout=5)
    assert running == []


def test_a_take_that_was_cut_off_is_marked(engine: Command) -> None:
    capped, whole = engine.load()([request("capped"), request("ja")])
    assert isinstance(capped, Speech)
    assert isinstance(whole, Speech)
    assert capped.hit_length_cap
    assert not whole.hit_length_cap


def test_a_program_that_is_not_there_is_a_sentence_and_no_failed_take(tmp_path: Path) -> None:
    absent = Command(command=(str(tmp_path / "absent"),)).allowed()
    said = r"synthesis.command: 'absent' can't be started: No such file .*; see that it runs on"
    with pytest.raises(OSError, match=said):
        absent.load()([request("ja")])


def test_a_program_that_never_answers_anything_is_no_failed_take(engine: Command) -> None:
    synthesize = engine.load()
    for texts in (["crash"], ["crash", "chatter"]):
        with pytest.raises(OSError, match=r"synthesis.command: .* status 1: the model has no such"):
            synthesize([request(text) for text in texts])
    assert isinstance(synthesize([request("crash"), request("ja")])[0], Failure)
    assert isinstance(synthesize([request("crash")])[0], Failure)


def test_a_program_that_is_silent_from_the_start_is_no_failed_take(
    engine: Command, pids: Path
) -> None:
    hasty = engine.model_copy(update={"timeout_s": 0.5})
    with pytest.raises(OSError, match=r"synthesis.command: .* did not answer within 5 s"):
        hasty.load()([request("hang"), request("hang")])
    assert len(pids.read_text().split()) == 1


def test_the_same_engine_speaks_once_its_program_is_there(engine: Command) -> None:
    program = Path(engine.command[2])
    away = program.rename(program.with_name("away.py"))
    synthesize = engine.load()
    with pytest.raises(OSError, match=r"can't open file .*speak.py"):
        synthesize([request("ja"), request("nein")])
    away.rename(program)
    assert len(spoken(synthesize, request("ja"))) == 1


def test_nothing_runs_without_the_persons_leave(engine: Command) -> None:
    stranger = Command.model_validate(engine.model_dump())
    with pytest.raises(InputError, match="--allow-commands"):
        stranger.load()
    with pytest.raises(ValueError, match="_allowed"):
        Command.model_validate({**engine.model_dump(), "_allowed": True})


def test_leave_goes_to_the_workers_and_into_no_fingerprint(engine: Command) -> None:
    stranger = Command.model_validate(engine.model_dump())
    assert engine.fingerprint() == stranger.fingerprint()
    pickle.loads(pickle.dumps(engine.pinned())).refuse_unless_allowed()  # noqa: S301
    with pytest.raises(InputError):
        pickle.loads(pickle.dumps(stranger)).refuse_unless_allowed()  # noqa: S301


def test_a_program_without_a_gpu_waits_for_none_and_is_billed_as_such() -> None:
    plain, on_cpu = (Command(command=("a",), **own) for own in ({}, {"device": "cpu"}))
    assert (plain.wants_gpu, on_cpu.wants_gpu) == (True, False)
    assert [one.prices()["command"].device for one in (plain, on_cpu)] == ["cuda", "cpu"]


def test_a_recipe_asks_for_no_language_that_it_does_not_speak() -> None:
    fields = {"name": "a", "corpus": {"engine": "quickstart"}, "languages": ["de", "fr"]}
    command = {"engine": "command", "command": ["a"]}
    assert Recipe.model_validate({**fields, "synthesis": command}).synthesis.languages is None
    with pytest.raises(ValidationError, match=r"fr: unknown to synthesis \(command\)"):
        Recipe.model_validate({**fields, "synthesis": {**command, "speaks": ["de"]}})
