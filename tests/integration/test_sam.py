"""The template is valid, and builds for the Lambda runtime."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".venv-sam" / "bin" / "sam"


def sam(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs SAM CLI with this Python first on PATH: it builds with the runtime's own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = os.environ | {"SAM_CLI_TELEMETRY": "0", "PATH": path, "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run([SAM, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def test_the_template_is_valid() -> None:
    result = sam("validate", "--lint")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 13) and "CI" not in os.environ, reason="SAM builds with python3.13, which is not here"
)
def test_it_builds(tmp_path: Path) -> None:
    result = sam("build", "--build-dir", str(tmp_path / "build"), "--cache-dir", str(tmp_path / "cache"))
    assert result.returncode == 0, result.stdout + result.stderr
    built = {path.name for path in (tmp_path / "build").iterdir() if path.is_dir()}
    functions = {path.name for path in (ROOT / "functions").iterdir()}
    assert len(built) == len(functions) + 2
    assert {path.name for path in (tmp_path / "build" / "DashboardFunction").iterdir()} == {"app.py", "dist"}
    assert (tmp_path / "build" / "CoreLayer" / "python" / "telemetry" / "settings.py").exists()
    assert {path.name for path in (tmp_path / "build" / "IngestFunction").iterdir()} == {"app.py", "__pycache__"}
    core = next((tmp_path / "build" / "DependenciesLayer" / "python").glob("pydantic_core/*.so"))
    assert "aarch64" in core.name
    for root in ("DependenciesLayer/python", "CoreLayer/python", "IngestFunction"):
        assert_has_bytecode(tmp_path / "build" / root)
    assert_ingest_loads_alone(tmp_path / "build")
    shutil.rmtree(tmp_path / "build")


def assert_has_bytecode(root: Path) -> None:
    """Every module has bytecode, for this Python, that holds whatever the times of the files are."""
    sources = list(root.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = Path(importlib.util.cache_from_source(str(source)))
        head = bytecode.read_bytes()[:8]
        assert head[:4] == importlib.util.MAGIC_NUMBER, source
        assert int.from_bytes(head[4:8], "little") == 0b01, source  # by hash, which is not compared


def assert_ingest_loads_alone(build: Path) -> None:
    """Ingest needs nothing but what was built, as unpacked from a zip file: with other times, and nowhere to write."""
    for path in build.rglob("*.py"):
        os.utime(path, (0, 0))
    roots = ("IngestFunction", "DependenciesLayer/python", "CoreLayer/python")
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(str(build / root) for root in roots)}
    loads = [sys.executable, "-S", "-B", "-v", "-c", "import app"]
    run = subprocess.run(loads, env=variables, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2_000:]
    ours = [line for line in run.stderr.splitlines() if str(build) in line]
    assert [line for line in ours if line.startswith("# code object from") and ".pyc" not in line] == []
    assert any("matches" in line and "app.py" in line for line in ours)
