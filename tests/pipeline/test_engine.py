"""What names what an engine makes."""

from __future__ import annotations

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
