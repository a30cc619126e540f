"""The template is valid, and builds for the Lambda runtime."""

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
    core = next((tmp_path / "build" / "DependenciesLayer" / "python").glob("pydantic_core/*.so"))
    assert "aarch64" in core.name
    shutil.rmtree(tmp_path / "build")
