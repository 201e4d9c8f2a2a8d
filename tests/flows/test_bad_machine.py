"""What a machine lacks is said and stored nowhere: once it is there the same command goes on."""

import sys

PROGRAM = """
import json, math, os, struct, sys, wave
for line in sys.stdin:
    asked = json.loads(line)
    if asked["text"] == "Geh weg!" and os.path.exists("BUSY"):
        print('{"error": "the device is busy"}', flush=True)
        continue
    with wave.open(asked["out"], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        for at in range(16000):
            loud = (0.6 + 0.4 * math.sin(at / 900)) * math.exp(-9 * (at * 150 / 16000 % 1))
            file.writeframesraw(struct.pack("<h", int(12000 * loud)))
    print("{}", flush=True)
"""


def test_a_program_that_is_installed_late_speaks_every_line(workbench):
    program = workbench.folder / "speak"
    workbench.rows = workbench.rows[:1]
    engine = {"engine": "command", "command": [str(program)], "reference": "none"}
    workbench.recipe["synthesis"] = engine
    error = workbench.build("--allow-commands", code=1)["error"].replace("\n", "")
    assert "error: synthesis.command: 'speak' can't be started: No such file" in error
    assert "see that it runs on every machine that works for this build" in error
    assert not list((workbench.folder / "work").glob("takes/**/*.parquet"))
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    result = workbench.build("--allow-commands")
    assert (result["kept"] + result["rejected"], result["failed"]) == (4, 0)


def test_what_failed_for_a_while_is_tried_again_if_asked(workbench):
    program, busy = workbench.folder / "speak.py", workbench.folder / "busy"
    program.write_text(PROGRAM.replace("BUSY", str(busy)))
    busy.touch()
    engine = {"engine": "command", "command": [sys.executable, str(program)], "reference": "none"}
    workbench.recipe["synthesis"] = engine
    assert workbench.build("--allow-commands", code=1)["failed"] == 2
    card = (workbench.out / "README.md").read_text(encoding="utf-8")
    assert "the device is busy" in card
    before = workbench.hashes("work/takes")
    busy.unlink()
    assert workbench.build("--allow-commands", code=1)["failed"] == 2
    result = workbench.build("--allow-commands", "--retry-failed")
    assert (result["failed"], result["kept"] + result["rejected"]) == (0, 16)
    after = workbench.hashes("work/takes")
    assert sum(after[name] != before[name] for name in before) == 1
    assert "the device is busy" not in (workbench.out / "README.md").read_text(encoding="utf-8")
    assert workbench.build("--allow-commands", "--retry-failed")["failed"] == 0
