"""Memory and CPU that a body costs the ingest function: run as a program, which prints a JSON line for each.

A warm process is forked for each body, so that none finds what another left behind. The environment is the caller's.
"""

import gc
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.lambdas import ROOT, Context, http_event, load_function

INFLATED = 16 * 1024 * 1024
OCTETS = "application/octet-stream"
EVENT = {
    "data_type": "numeric-single-value", "numeric_data_single_value": 1.5, "data_group": "usage", "flags": [],
    "product_version": "1", "product_id": "acme-desktop",
    "user_identifier": "someone@example.com", "hwid": "9b74c9897bac770ffc029102a200c5de",
    "country": "DE", "metadata": {"os": "linux", "cpu_count": 8, "locale": "de-DE"}, "event_at": 1795249799,
}  # fmt: skip


def ordinary(count: int = 500) -> bytes:
    """A batch as SDKs send it."""
    return json.dumps([EVENT | {"event_id": f"e{number}"} for number in range(count)]).encode()


def filled(start: str, piece: str, end: str) -> bytes:
    """As many pieces as a gzip body may hold, on the wire."""
    text = start.encode() + piece.encode() * ((INFLATED - len(start) - len(end)) // len(piece.encode())) + end.encode()
    return gzip.compress(text, 1)


def in_event(metadata: str) -> str:
    """The beginning of an event up to some of its metadata."""
    return json.dumps(EVENT | {"metadata": 0})[:-1].replace('"metadata": 0', f'"metadata":{metadata}')


def batch_of(piece: str) -> bytes:
    """Five hundred events that have as much structure as fits."""
    each = INFLATED // 500 - 400
    return gzip.compress(
        ("[" + ",".join([in_event(f"[{piece * (each // len(piece))}0]") + "}"] * 500) + "]").encode(), 1
    )


LONG_TEXT = '{"a":"\U0001f600\\n' + "x" * 8_380_000 + '"}'

BODIES: Mapping[str, Callable[[], bytes]] = {
    "metadata of []": lambda: filled(in_event('{"a":['), "[],", "[]]}}"),
    "[1,1,…]": lambda: filled("[", "1,", "1]"),
    "[{},…]": lambda: filled("[", "{},", "{}]"),
    '{"events":[1,…]}': lambda: filled('{"events":[', "1,", "1]}"),
    "deep": lambda: filled("", "[", ""),
    "deep in an event": lambda: filled(in_event('{"a":['), "[", ""),
    "objects": lambda: filled("[", '{"a":{}},', "{}]"),
    "names": lambda: filled("{", '"api_key":"x",', '"a":1}'),
    "names with escapes": lambda: filled("{", '"\\u0061pi_key":"\\u0061",', '"a":1}'),
    "one name, then much": lambda: filled('{"api_key":"x","a":[', '"",', '""]}'),
    "empty strings": lambda: filled("[", '"",', '""]'),
    "quotes": lambda: filled("", '"', ""),
    "escaped quotes": lambda: filled('"', '\\"', '"'),
    "escapes": lambda: filled(in_event('{"a":"'), "\\u00e9", '"}}'),
    "emoji": lambda: filled(in_event('{"a":"'), "\U0001f600", '"}}'),
    "latin text with one emoji": lambda: filled(in_event('{"a":"\U0001f600\\n'), "abcdefgh", '"}}'),
    "emoji, understood": lambda: gzip.compress(
        (in_event('{"a":"\U0001f600\\n' + "x" * 8_380_000 + '"}') + "}").encode(), 1
    ),
    "long numbers": lambda: filled("[", "9" * 4_000 + ",", "1]"),
    "endless number": lambda: filled('{"a":', "9", "}"),
    "blank lines": lambda: filled("", "\n", ""),
    "lines": lambda: filled("", "{}\n", ""),
    "backslashes": lambda: filled("", "\\", ""),
    "percents": lambda: filled("", "%74", ""),
    "keys": lambda: filled("", f"tk_prod_{'a' * 40}", ""),
    "500 events of 32 KB": lambda: batch_of('"abcdefghijklmnopqrstuvwxyz",'),
    "500 events of much structure": lambda: batch_of("[],"),
    "500 events of objects": lambda: batch_of('{"a":1},'),
    "random bytes": lambda: Random(1).randbytes(4_400_000),
    "nearly gzip": lambda: gzip.compress(Random(1).randbytes(4_300_000), 1)[:-9],
}


def measured(api_key: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """What this program prints: first of an ordinary batch, then of these bodies."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.body_costs", api_key, *names],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": "layers/core:."}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [json.loads(line) for line in run.stderr.splitlines() if line.startswith('{"name"')]


def main() -> None:
    """Prints `{"name", "status", "megabytes", "cpu"}` for an ordinary batch, then for each body that is asked for."""
    function, headers = load_function("ingest"), {"x-api-key": sys.argv[1], "content-type": OCTETS}

    def send(body: bytes) -> int:
        event = http_event("/api/v1/telemetry", body, headers)
        return int(function.handler(event, Context(milliseconds_left=600_000))["statusCode"])

    send(ordinary(2))
    for name in ("ordinary", *sys.argv[2:]):
        body = ordinary() if name == "ordinary" else BODIES[name]()
        gc.collect()
        if pid := os.fork():
            os.waitpid(pid, 0)
            continue
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        began = time.process_time()
        status = send(body)
        cpu = time.process_time() - began
        found = {"name": name, "status": status, "megabytes": peak_megabytes(), "cpu": cpu}
        sys.stderr.write(json.dumps(found) + "\n")
        sys.stderr.flush()
        os._exit(0)


def peak_megabytes() -> float:
    """Of this process, of which the function is all but the body as it was made."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
