"""Examples that the demo gave, shortened: a file in `recorded/` for each operation that has none written in code.

A file has `sent` and `answered`; in these, by media type, examples by what they show. The text of a file is one string.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from telemetry.description.operations import Json, with_examples

FOLDER = Path(__file__).parent / "recorded"


def add_recorded_examples(paths: Mapping[str, Mapping[str, Json]]) -> None:
    """Adds to each operation the examples of its file. Aliases share what they are aliases of."""
    for operations in paths.values():
        for operation in operations.values():
            file = FOLDER / f"{operation['operationId']}.json"
            if file.exists():
                _add(operation, json.loads(file.read_text()))


def _add(operation: Json, recorded: Json) -> None:
    answers = operation["responses"].items()
    contents = {
        "sent": operation.get("requestBody", {}).get("content", {}),
        "answered": next(answer["content"] for status, answer in answers if status.startswith("2")),
    }
    for direction, by_media_type in recorded.items():
        for media_type, examples in by_media_type.items():
            content = contents[direction][media_type]
            contents[direction][media_type] = with_examples(content, examples)
