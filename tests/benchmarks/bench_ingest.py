"""What ingest costs beside the least it could: cold start, CPU of an event, log bytes. Each beside its reference."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread

import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.ingest_cpu import Bench
from tests.integration.test_sam import sam
from tests.unit.test_costs import log_line
from tests.worlds.deployment import Deployment

LAYOUT = ("IngestFunction", "DependenciesLayer/python", "CoreLayer/python")
COLD_STARTS = 21

PRINT_CPU = "; import sys, time; sys.stderr.write(str(time.process_time()))"
COLD = "import app; assert vars(app.wired())['authenticator']" + PRINT_CPU
REFERENCE = "import botocore.session; botocore.session.get_session().create_client('dynamodb')" + PRINT_CPU


@contextmanager
def parameter_store() -> Iterator[str]:
    """Where SSM would be; it has the secret."""
    answer = json.dumps({"Parameter": {"Value": bytes(range(32)).hex()}}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def cpu_of(program: str, variables: Mapping[str, str]) -> float:
    """Of a new process, from its beginning on."""
    python = getattr(sys, "_base_executable", sys.executable)  # what a virtual environment adds is not Lambda's
    run = subprocess.run([python, "-B", "-c", program], env=variables, capture_output=True, text=True, check=True)
    return float(run.stderr.split()[-1])


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="SAM builds with python3.13, which is not here")
def test_cold_start(tmp_path: Path, figures: Figures) -> None:
    """Loading, the client and the secret, as `sam build` ships them; beside botocore's client from the same layer."""
    built = sam("build", "--build-dir", str(tmp_path / "build"), "--cache-dir", str(tmp_path / "cache"))
    assert built.returncode == 0, built.stderr
    with parameter_store() as ssm:
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(tmp_path / "build" / part) for part in LAYOUT),
            "AWS_LAMBDA_FUNCTION_NAME": "ingest", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c",
            "AWS_ENDPOINT_URL_SSM": ssm, "SECRET_PARAMETER": "/telemetry/secret", "TABLE_PREFIX": "telemetry",
            "RECORD_SHARDS": "2", "RETENTION_DAYS": "90", "LICENSE_CACHE_SECONDS": "60",
        }  # fmt: skip
        pairs = [(cpu_of(COLD, variables), cpu_of(REFERENCE, variables)) for _ in range(COLD_STARTS)]
    ours, reference = (median(values) for values in zip(*pairs, strict=True))
    ratio = median(mine / theirs for mine, theirs in pairs)
    of = f"botocore's client, built likewise: {reference * 1e3:.0f} ms of {ours * 1e3:.0f}"
    figures.note("cold start of ingest, CPU", ratio, "x", 1.35, of)


def test_cpu(deployment: Deployment, figures: Figures) -> None:
    bench = Bench(deployment)
    one, batch = bench.one_event(500), bench.batch_of_100(30)
    of = f"boto3's put_item: {one.plain * 1e6:.0f} us of {one.ours * 1e6:.0f}"
    figures.note("one event, CPU", one.ratio, "x", 1.4, of)
    of = f"BatchWriteItem, 25 a call: {batch.plain * 1e4:.0f} us of {batch.ours * 1e4:.0f}"
    figures.note("one event of a batch of 100, CPU", batch.ratio, "x", 1.5, of)


def test_log_bytes(deployment: Deployment, capfd: pytest.CaptureFixture[str], figures: Figures) -> None:
    Bench(deployment)
    ours = len(capfd.readouterr().out.encode())
    of = "the access log's line; Lambda's own lines are off"
    figures.note("log of a good request", ours + len(log_line()), "bytes", 280, of)
