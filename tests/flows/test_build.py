"""The whole build: what it leaves, what it does not do again, and that it is the same each time."""

import errno
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import datasets
import duckdb
import pandas as pd
import polars as pl
import psutil
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.runners.base import WorkerDied
from flows.runners.processes import OnThisMachine
from pipeline.cards.describe import describe
from pipeline.errors import InputError
from pipeline.judges.clipping import Clipping
from pipeline.pretrained.batching import halving


def wait_until(condition):
    """Look every 50 ms, for at most two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def descendants(pid):
    """Workers, Prefect's server, and what they started."""
    children = psutil.Process(pid).children(recursive=True)
    assert len(children) >= 3
    return children


class Elsewhere(OnThisMachine):
    """Workers that share the work store and nothing else."""

    is_here = False

    def submit(self, function, *arguments, on_gpu=False):
        assert function is not describe
        return super().submit(function, *arguments, on_gpu=on_gpu)


def alive(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_build_leaves_a_folder_that_everybody_can_read(drawing_workbench, tmp_path):
    workbench = drawing_workbench
    result = workbench.build()
    assert (result["kept"], result["rejected"], result["failed"]) == (8, 8, 0)
    assert {"README.md", "MANIFEST.json", "recipe.yaml", "report.html", "failures.parquet"} <= {
        path.name for path in workbench.out.iterdir()
    }
    assert (workbench.out / "figures" / "counts.png").read_bytes().startswith(b"\x89PNG")
    pattern = f"{workbench.out}/data/*/*.parquet"
    assert duckdb.sql(f"SELECT count(*) FROM '{pattern}'").fetchall() == [(8,)]
    assert pl.scan_parquet(pattern).select(pl.len()).collect().item() == 8
    assert len(pd.concat(pd.read_parquet(p) for p in workbench.out.glob("data/*/*.parquet"))) == 8
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(workbench.out), "de", cache_dir=cache)
    assert sum(split.num_rows for split in loaded.values()) == 4
    streamed = datasets.load_dataset(str(workbench.out), "rejects", streaming=True)["rejects"]
    row = next(iter(streamed.cast_column("audio", datasets.Audio(decode=False))))
    assert row["reason"] == "best_take"
    assert row["audio"]["bytes"].startswith(b"fLaC")


def test_a_second_build_does_nothing_and_a_changed_gate_only_decides_again(workbench):
    workbench.build()
    first = workbench.hashes("work")
    written = workbench.out.stat().st_mtime_ns
    workbench.build()
    assert workbench.hashes("work") == first
    assert workbench.out.stat().st_mtime_ns == written
    changed = workbench.build("--set", "gates.length.min=99")
    assert (changed["kept"], changed["rejected"]) == (0, 16)
    assert changed["reasons"] == {"length": 16}
    assert workbench.hashes("work") == first


def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(workbench):
    workbench.build()
    expected = workbench.hashes()
    for folder in ("work", "out"):
        (workbench.folder / folder).rename(workbench.folder / f"{folder}-uninterrupted")
    running = subprocess.Popen(
        workbench.process(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    takes = workbench.folder / "work" / "takes"
    wait_until(lambda: list(takes.rglob("*.parquet")))
    children = descendants(running.pid)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    wait_until(lambda: not any(alive(child) for child in children))
    assert not workbench.out.exists()
    assert 0 < len(list(takes.rglob("*.parquet"))) < 8
    # In this process, by one thread instead of two worker processes: neither changes a byte.
    workbench.build()
    assert workbench.hashes() == expected


def test_a_build_that_is_killed_after_its_flows_leaves_no_server(workbench):
    running = subprocess.Popen(
        workbench.process(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until((workbench.folder / ".out.partial").exists)
    children = descendants(running.pid)
    assert any("uvicorn" in child.cmdline() for child in children)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    wait_until(lambda: not any(alive(child) for child in children))
    assert not workbench.out.exists()


def test_a_set_that_a_cluster_made_is_described_on_this_machine(workbench, monkeypatch):
    with ThreadPoolExecutor(1) as executor:

        @contextmanager
        def opened(name, workers, address, per_gpu):
            yield Elsewhere(executor, 1)

        monkeypatch.setattr("flows.runners.opening.open_runner", opened)
        monkeypatch.chdir(workbench.folder)
        assert workbench.build("--limit", "1", "--out", "out")["kept"] == 2
    assert (workbench.out / "report.html").is_file()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_build_ends_at_once_and_says_how_to_go_on(workbench, stop):
    # The whole group hears of it, as from a terminal or a cluster: Prefect's server too.
    running = subprocess.Popen(
        workbench.process(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    # Within a flow, for whose length Prefect takes SIGTERM.
    takes = workbench.folder / "work" / "takes"
    wait_until(lambda: list(takes.rglob("*.parquet")))
    children = descendants(running.pid)
    os.killpg(running.pid, stop)
    _, errors = running.communicate(timeout=20)
    assert running.returncode == 130, errors
    assert errors.endswith("stopped; the same command goes on from here\n")
    assert "Traceback" not in errors
    wait_until(lambda: not any(alive(child) for child in children))
    assert not workbench.out.exists()
    assert workbench.build()["kept"] == 8


def test_one_utterance_is_a_dry_run_of_the_whole(workbench):
    assert workbench.build("--limit", "1")["kept"] == 2
    assert json.loads((workbench.out / "build.json").read_text())["limit"] == 1
    card = (workbench.out / "README.md").read_text(encoding="utf-8")
    assert "**This is a dry run** of the first utterance of the corpus" in card
    workbench.build()
    assert "limit" not in json.loads((workbench.out / "build.json").read_text())


def test_what_no_speech_depends_on_makes_none_anew(workbench):
    workbench.build()
    made = workbench.hashes("work/takes") | workbench.hashes("work/scores")
    for row in workbench.rows:
        row["licence"] = "CC-BY-4.0"
    workbench.build("--set", "corpus.door.longest_text=400")
    assert workbench.hashes("work/takes") | workbench.hashes("work/scores") == made
    [shard, *_] = workbench.out.glob("data/*/*.parquet")
    assert set(pq.read_table(shard)["licence"].to_pylist()) == {"CC-BY-4.0"}
    workbench.rows[0]["emotion"] = "happy"
    workbench.build()
    assert len(workbench.hashes("work/takes")) == len(made) // 4 + 2


def test_a_correction_that_changes_no_word_is_named_as_who_wrote_the_line(workbench):
    corrections = workbench.folder / "corrections.tsv"
    corrections.write_text("en\tde\n", encoding="utf-8")
    workbench.recipe["corrections"] = str(corrections)
    workbench.recipe["licences"]["corrections.tsv"] = "CC0-1.0"
    workbench.build()
    made = workbench.hashes("work/takes")
    corrections.write_text("en\tde\nGo away!\tGeh weg!\n", encoding="utf-8")
    workbench.build()
    assert workbench.hashes("work/takes") == made
    rows = [
        row
        for part in ("data", "rejects")
        for path in workbench.out.glob(f"{part}/de/*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    told = {row["translator"] for row in rows if row["source_text"] == "Go away!"}
    assert told == {"correction"}


def test_rows_say_what_they_are(workbench):
    workbench.build()
    rows = [
        row
        for path in sorted(workbench.out.glob("data/*/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert {row["language"] for row in rows} == {"en", "de"}
    assert all(row["is_synthetic"] and row["neutral_from"] == "published" for row in rows)
    assert {(row["source_text"], row["text"]) for row in rows} >= {("Go away!", "Geh weg!")}
    assert all(row["duration_s"] > 0.2 and row["scores"]["duration_s"] > 0.2 for row in rows)
    voices = {row["speaker_id"]: row["voice"] for row in rows}
    assert len(set(voices.values())) == len(voices) == 4


def test_languages_of_other_scripts_are_built_judged_and_described(drawing_workbench):
    bench = drawing_workbench
    bench.rows = bench.rows[:2]
    table = {
        "en": ["Go away!", "What a lovely day!"],
        "ar": ["اذهب بعيدا!", "يا له من يوم جميل!"],
        "ja": ["あっちへいって！", "なんてすてきなひ！"],
        "pl": ["Odejdź!", "Co za piękny dzień!"],
    }
    lines = ["\t".join(table), *("\t".join(row) for row in zip(*table.values(), strict=True))]
    (bench.folder / "memory.tsv").write_text("\n".join(lines), encoding="utf-8")
    bench.recipe |= {
        "languages": ["ar", "ja", "pl"],
        "text_judges": [{"engine": "language"}, {"engine": "form"}],
        "text_gates": {
            "language": {"score": "text_language_probability", "min": 0.5},
            "script": {"score": "text_script_share", "min": 1.0},
        },
        "judges": [*bench.recipe["judges"], {"engine": "expressivity"}],
    }
    assert bench.build()["kept"] == 6
    rows = {
        row["text"]: row
        for path in bench.out.glob("data/*/*.parquet")
        for row in pq.read_table(path).to_pylist()
    }
    assert set(rows) == {*table["ar"], *table["ja"], *table["pl"]}
    assert rows["Odejdź!"]["language"] == "pl"
    assert all(row["scores"]["syllables_per_s"] > 0 for row in rows.values())
    card = (bench.out / "README.md").read_text(encoding="utf-8")
    assert "in Arabic, Japanese and Polish" in card
    assert "- ar\n- ja\n- pl\n" in card


class Recording(ThreadPoolExecutor):
    """One thread, and the engines of all that was judged in it."""

    def __init__(self):
        super().__init__(1)
        self.judged = set()

    def submit(self, function, *arguments):
        stage = next((one for one in arguments if callable(one) and one.__name__ == "run"), None)
        if stage is not None and stage.__module__ == "pipeline.stages.judge":
            self.judged |= {judge.engine for judge in arguments[-2]}
        return super().submit(function, *arguments)


def test_on_a_machine_with_a_gpu_only_what_wants_it_goes_there(workbench, monkeypatch):
    workbench.build()
    expected = workbench.hashes()
    for folder in ("work", "out"):
        (workbench.folder / folder).rename(workbench.folder / f"{folder}-on-cores")
    with Recording() as on_cores, Recording() as on_gpu:

        @contextmanager
        def opened(name, workers, address, per_gpu):
            yield OnThisMachine(on_cores, 1, on_gpu)

        monkeypatch.setattr("flows.runners.opening.open_runner", opened)
        monkeypatch.setattr(Clipping, "uses_gpu", True)
        workbench.build()
    assert on_gpu.judged == {"clipping"}
    assert on_cores.judged == {"duration", "prosody"}
    assert workbench.hashes() == expected


def test_batches_that_had_to_be_halved_are_told_and_change_no_byte(workbench, monkeypatch):
    assert workbench.build()["halved"] == {}
    expected = workbench.hashes()
    for folder in ("work", "out"):
        (workbench.folder / folder).rename(workbench.folder / f"{folder}-in-one")

    def on_a_small_machine(key, load):
        judge = load()

        def narrow(items):
            if len(items) > 1:
                raise MemoryError("no room")
            return judge(items)

        return lambda items: halving(narrow, items, "judge")

    monkeypatch.setattr("pipeline.stages.judge.loaded", on_a_small_machine)
    spoken = [word for word in workbench.command() if word != "--json"]
    said = CliRunner().invoke(app, spoken).output
    assert workbench.hashes() == expected
    # Two takes of each of eight lines by three judges.
    assert "judge: memory ran out 24x, and batches went on in halves" in " ".join(said.split())


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "takes"), 1, "No space left on device"),
        (InputError("synthesis.model: there is no 'x'; name another"), 2, "synthesis.model: there"),
        (ModuleNotFoundError("no TTS", name="TTS"), 2, "the module 'TTS' is missing"),
        (WorkerDied(), 1, f"{WorkerDied()}\n"),
    ],
)
def test_the_error_of_a_work_is_told_though_others_were_to_follow_it(
    workbench, monkeypatch, error, code, said
):
    tried = []

    def fails(key, load):
        tried.append(key)
        raise error

    monkeypatch.setattr("pipeline.stages.synthesize.loaded", fails)
    told = workbench.build("--limit", "1", code=code)["error"]
    assert f"error: {said}" in told
    assert len(tried) <= 2  # once in each language
    assert not list((workbench.folder / "work").glob("takes/**/*.parquet"))
