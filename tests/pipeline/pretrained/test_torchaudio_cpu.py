"""torchaudio beside a CPU-only torch."""

import subprocess
import sys

import pytest
import torch

from pipeline.pretrained import torchaudio_cpu


def test_torchaudio_imports_once_its_compiled_part_is_aside() -> None:
    if torch.version.cuda is not None:
        pytest.skip("this torch has CUDA, so torchaudio loads as it is")
    torchaudio_cpu.set_compiled_part_aside()
    assert torchaudio_cpu.loads()
    command = "import torchaudio; print(torchaudio.functional.resample.__name__)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.stdout.strip() == "resample", done.stderr


def test_only_libraries_are_renamed_and_only_once(tmp_path, monkeypatch) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "_torchaudio.abi3.so").write_bytes(b"compiled")
    (tmp_path / "lib" / "__init__.py").write_text("")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(
        torchaudio_cpu, "_compiled", lambda: sorted((tmp_path / "lib").glob("*.so"))
    )
    assert not torchaudio_cpu.loads()
    assert [path.name for path in torchaudio_cpu.set_compiled_part_aside()] == [
        "_torchaudio.abi3.so"
    ]
    assert torchaudio_cpu.loads()
    assert torchaudio_cpu.set_compiled_part_aside() == []
    assert sorted(path.name for path in (tmp_path / "lib").iterdir()) == [
        "__init__.py",
        "_torchaudio.abi3.so.needs-cuda",
    ]
