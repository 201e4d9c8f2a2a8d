"""The same build wherever the work runs."""

import ctypes
import errno
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import dask
import psutil
import pytest
from distributed import LocalCluster

from flows.interrupts import hear_termination, interrupts_wait
from flows.runners import gpus
from flows.runners.base import WorkerDied
from flows.runners.opening import open_runner
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


@pytest.fixture
def interruptible():
    """This process hears Ctrl-C, which a shell keeps from its jobs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_process_never_hears_of_a_stop_and_this_one_later(stop, interruptible) -> None:
    hear_termination()
    with open_runner("processes", 1, None) as runner:
        heard = "__import__('signal').pthread_sigmask(0, [])"
        assert stop in runner.submit(eval, heard).result()
    assert stop not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    reached = False
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(stop)
        reached = True
    assert reached


def seen(runner, on_gpu):
    """What a worker sees of the GPUs."""
    return runner.submit(os.getenv, gpus.VISIBLE, on_gpu=on_gpu)


def test_without_a_gpu_there_is_one_pool_and_its_environment_is_this_ones(monkeypatch):
    monkeypatch.setattr("flows.runners.processes.gpu_names", list)
    monkeypatch.setenv(gpus.VISIBLE, "as it was")
    with open_runner("processes", 1, None) as runner:
        assert not runner.has_gpus
        pids = {runner.submit(os.getpid, on_gpu=gpu).result() for gpu in (True, False)}
        assert len(pids) == 1
        assert seen(runner, on_gpu=True).result() == "as it was"


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr("flows.runners.processes.gpu_names", lambda: ["0", "GPU-7c2"])
    with open_runner("processes", 1, None) as runner:
        yield runner


def test_work_on_a_gpu_goes_to_workers_that_have_one_each(two_gpus, tmp_path):
    assert two_gpus.has_gpus
    assert two_gpus.workers == 1
    assert seen(two_gpus, on_gpu=False).result() == ""
    meeting = tmp_path / "meeting"
    os.mkfifo(meeting)  # opening either end waits for the other: no worker does both
    calls = [f"open({str(meeting)!r}, {how!r}) and __import__('os').environ" for how in "wr"]
    met = [two_gpus.submit(eval, f"({call}).copy()", on_gpu=True) for call in calls]
    assert {one.result()[gpus.VISIBLE] for one in met} == {"0", "GPU-7c2"}
    assert {one.result()["OMP_NUM_THREADS"] for one in met} == {"1"}


def test_workers_that_share_a_gpu_work_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr("flows.runners.processes.gpu_names", lambda: ["0"])
    meeting = tmp_path / "meeting"
    os.mkfifo(meeting)  # opening either end waits for the other: no worker does both
    with open_runner("processes", 1, None, per_gpu=2) as runner:
        calls = [f"open({str(meeting)!r}, {how!r}) and __import__('os').environ" for how in "wr"]
        met = [runner.submit(eval, f"({call}).copy()", on_gpu=True) for call in calls]
        assert [one.result()[gpus.VISIBLE] for one in met] == ["0", "0"]


@pytest.mark.parametrize("on_gpu", [True, False])
def test_an_error_on_either_side_ends_the_workers_of_both(monkeypatch, on_gpu):
    monkeypatch.setattr("flows.runners.processes.gpu_names", lambda: ["0"])
    with pytest.raises(ZeroDivisionError), open_runner("processes", 1, None) as runner:
        pids = [runner.submit(os.getpid, on_gpu=gpu).result() for gpu in (True, False)]
        workers = [psutil.Process(pid) for pid in pids]
        runner.submit(time.sleep, 600, on_gpu=not on_gpu)
        runner.submit(eval, "1 / 0", on_gpu=on_gpu).result()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


class Driver:
    """CUDA's, with so many GPUs."""

    def __init__(self, count):
        self._count = count

    def cuInit(self, _):
        return 0 if self._count else 100  # CUDA_ERROR_NO_DEVICE

    def cuDeviceGetCount(self, count):
        count._obj.value = self._count
        return 0


@pytest.mark.parametrize(
    ("visible", "count", "names"),
    [
        (None, 0, []),
        (None, 3, ["0", "1", "2"]),
        ("2,0", 2, ["2", "0"]),
        ("GPU-7c2", 1, ["GPU-7c2"]),
        ("1,-1,2", 1, ["1"]),
        ("", 0, []),
    ],
)
def test_gpus_are_named_as_the_environment_names_them(monkeypatch, visible, count, names):
    if visible is None:
        monkeypatch.delenv(gpus.VISIBLE, raising=False)
    else:
        monkeypatch.setenv(gpus.VISIBLE, visible)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(count))
    monkeypatch.setattr(gpus, "_torch_has_cuda", lambda: True)
    assert gpus.gpu_names() == names


@pytest.mark.parametrize(("cuda", "names"), [("None", []), ("'12.8'", ["0"])])
def test_a_gpu_that_torch_can_t_use_is_none(monkeypatch, tmp_path, cuda, names):
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(1))
    (tmp_path / "version.py").write_text(f"cuda = {cuda}\n")
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(gpus, "find_spec", lambda name: spec)
    assert gpus.gpu_names() == names


def _check(opening) -> None:
    with opening as runner:
        assert runner.workers == 1
        assert runner.is_here
        assert runner.submit(os.path.samefile, ".", Path.cwd()).result()
        assert runner.submit(os.getpid).result() != os.getpid()
        assert runner.submit(max, 3, 5, on_gpu=True).result() == 5
        with pytest.raises(FileNotFoundError) as error:
            runner.submit(os.listdir, "no-such-folder").result()
        with pytest.raises(WorkerDied, match="the same command goes on from here"):
            runner.submit(os._exit, 1).result()
    assert error.value.errno == errno.ENOENT


def test_processes_raise_the_errors_as_they_were() -> None:
    _check(open_runner("processes", 1, None))


def test_a_pool_whose_worker_died_takes_no_more_work() -> None:
    with open_runner("processes", 1, None) as runner:
        first = runner.submit(os._exit, 1)
        with pytest.raises(WorkerDied):
            first.result()
        with pytest.raises(WorkerDied):
            runner.submit(os.getpid)


def test_dask_calls_in_other_processes_and_raises_the_errors_as_they_were() -> None:
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        _check(open_runner("dask", 1, None))


def test_a_cluster_at_an_address_is_not_taken_for_this_machine() -> None:
    with (
        LocalCluster(1, processes=False, threads_per_worker=1, dashboard_address=None) as cluster,
        open_runner("dask", 3, cluster.scheduler_address) as runner,
    ):
        assert (runner.workers, runner.is_here) == (1, False)


def test_a_worker_with_threads_would_mix_up_what_its_engines_say() -> None:
    with (
        LocalCluster(1, processes=False, threads_per_worker=2, dashboard_address=None) as cluster,
        pytest.raises(InputError, match="has several threads.*--nthreads 1"),
        open_runner("dask", 1, cluster.scheduler_address),
    ):
        pass


def test_dask_on_this_machine_has_a_worker_for_each_gpu(monkeypatch):
    monkeypatch.setattr("flows.runners.dask.gpu_names", lambda: ["GPU-7c2"])
    with open_runner("dask", 1, None, per_gpu=2) as runner:
        assert (runner.workers, runner.has_gpus) == (1, True)
        resources = [one["resources"] for one in runner.client.scheduler_info()["workers"].values()]
        assert sorted(map(str, resources)) == ["{'CORE': 1}", "{'GPU': 1}", "{'GPU': 1}"]
        assert [seen(runner, on_gpu).result() for on_gpu in (True, False)] == ["GPU-7c2", ""]


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
