"""What names what an engine makes."""

from __future__ import annotations

from typing import Literal

from pipeline.engine import Engine
from pipeline.judges.speech import Speech
from pipeline.synthesis.espeak import Espeak


def test_another_release_of_the_wheel_that_brings_a_model_is_another_fingerprint(monkeypatch):
    before = [engine().fingerprint() for engine in (Speech, Espeak)]
    assert before == [engine().fingerprint() for engine in (Speech, Espeak)]
    monkeypatch.setattr("pipeline.engine.release", lambda package: f"{package} 99")
    after = [engine().fingerprint() for engine in (Speech, Espeak)]
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_an_engine_whose_wheel_is_not_there_still_has_a_name(monkeypatch):
    monkeypatch.setattr(Speech, "wheels", ("no-such-package",))
    assert Speech().fingerprint() != Speech(threshold=0.4).fingerprint()


class Loud(Engine):
    engine: Literal["loud"] = "loud"
    level: float = 1.0
    """How loud it is."""


class Louder(Loud):
    level: float = 2.0


def test_a_field_is_described_by_its_docstring_or_that_of_the_base():
    for kind in (Loud, Louder):
        fields = kind.model_json_schema()["properties"]
        assert fields["level"]["description"] == "How loud it is."
        assert fields["engine"]["description"] == "Which of the engines it is."


def test_what_is_said_of_a_field_does_not_change_the_fingerprint():
    said = Loud().fingerprint()

    class Loud2(Engine):
        engine: Literal["loud"] = "loud"
        level: float = 1.0

    Loud2.__name__ = "Loud"
    assert Loud2().fingerprint() == said
