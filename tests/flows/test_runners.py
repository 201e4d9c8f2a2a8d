"""The same build wherever the work runs."""

import errno
import os

import pytest

from flows.runners.base import open_runner
from pipeline.errors import InputError


def test_processes_have_no_address() -> None:
    with pytest.raises(InputError, match=r"--address: .* add --runner dask or ray"):
        open_runner("processes", 1, "tcp://127.0.0.1:8786")


def test_a_worker_process_has_what_it_needs_before_the_first_work() -> None:
    with open_runner("processes", 1, None) as runner:
        loaded = runner.submit(
            eval, "__import__('sys').modules.keys() >= {'pipeline.stages.judge'}"
        )
        assert loaded.result()


def _check(opening) -> None:
    with opening as runner:
        assert runner.workers == 1
        assert runner.submit(os.getpid).result() != os.getpid()
        assert runner.submit(max, 3, 5, on_gpu=True).result() == 5
        with pytest.raises(FileNotFoundError) as error:
            runner.submit(os.listdir, "no-such-folder").result()
    assert error.value.errno == errno.ENOENT


def test_dask_calls_in_other_processes_and_raises_the_errors_as_they_were() -> None:
    _check(open_runner("dask", 1, None))


def test_ray_calls_in_other_processes_and_raises_the_errors_as_they_were() -> None:
    try:
        _check(open_runner("ray", 1, None))
    except Exception as error:
        if "timed out during startup" not in str(error):
            raise
        pytest.skip("Ray gives its agent 15 s to start, and this machine is too busy for that")


def test_no_scheduler_at_the_address(monkeypatch) -> None:
    monkeypatch.setattr("flows.runners.dask._TIMEOUT_S", 1)
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at tcp://127.0.0.1:9"),
        open_runner("dask", 1, "tcp://127.0.0.1:9"),
    ):
        pass
