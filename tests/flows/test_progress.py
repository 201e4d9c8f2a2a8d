"""What is told of a transfer where there is no terminal."""

import io

from rich.console import Console

from flows.progress import NowAndThen


def test_every_tenth_is_told_once():
    said = io.StringIO()
    tell = NowAndThen("sent", Console(file=said))
    for done in range(0, 1001):
        tell(done * 1000, 1_000_000)
    lines = said.getvalue().splitlines()
    assert (lines[0], lines[-1]) == ("sent 0.0 of 1.0 MB", "sent 1.0 of 1.0 MB")
    assert len(lines) == 11


def test_nothing_to_send_is_told_too():
    said = io.StringIO()
    NowAndThen("sent", Console(file=said))(0, 0)
    assert said.getvalue() == "sent 0.0 of 0.0 MB\n"
