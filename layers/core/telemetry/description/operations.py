"""Operations, and what the document says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telemetry.description.schemas import Mode, Schemas

JSON = "application/json"

ANY_TEXT = {"type": "string"}

NOT_STORED = {"Cache-Control": "`no-store`"}
LINK = {"Link": '`<…>; rel="next"` leads to the next page, if there is one'}
FILE = (
    NOT_STORED
    | LINK
    | {
        "Export-Rows": "On the last page: the number of rows",
        "Export-SHA-256": "On the last page: the chained digest of all lines",
    }
)
"""Headers of a page of a file."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """A body: its model, or a schema of its own, and examples by what they show."""

    model: Any
    examples: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = JSON

    def described(self, schemas: Schemas, mode: Mode) -> Json:
        schema = self.model if isinstance(self.model, dict) else schemas.of(self.model, mode)
        return with_examples({"schema": schema}, self.examples)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: when it comes, its bodies by media type, and its headers by what they say."""

    meaning: str
    contents: Sequence[Content] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def described(self, schemas: Schemas) -> Json:
        found: Json = {"description": self.meaning}
        if self.headers:
            found["headers"] = {
                name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in self.headers.items()
            }
        if self.contents:
            found["content"] = {each.media_type: each.described(schemas, "serialization") for each in self.contents}
        return found


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path. `aliases` are other paths that do the same. `answers` are by status."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answers: Mapping[int, Answer | Json]
    security: Sequence[Json]
    description: str = ""
    parameters: Sequence[Json] = ()
    bodies: Sequence[Content] = ()
    aliases: Sequence[str] = ()

    def described(self, schemas: Schemas) -> Mapping[str, Json]:
        """By path."""
        found = {self.path: self._described(schemas)}
        for path in self.aliases:
            found[path] = {**found[self.path], "operationId": _id_of(self.method, path), "x-alias-of": self.id}
        return found

    def _described(self, schemas: Schemas) -> Json:
        found: Json = {"operationId": self.id, "tags": [self.tag], "summary": self.summary}
        if self.description:
            found["description"] = self.description
        if self.parameters:
            found["parameters"] = list(self.parameters)
        if self.bodies:
            contents = {each.media_type: each.described(schemas, "validation") for each in self.bodies}
            found["requestBody"] = {"required": True, "content": contents}
        found["responses"] = {
            str(status): answer.described(schemas) if isinstance(answer, Answer) else answer
            for status, answer in sorted(self.answers.items())
        }
        return found | {"security": list(self.security)}


def with_examples(content: Json, examples: Mapping[str, Any]) -> Json:
    """A body's content with examples by what they show."""
    found = {_key(name): {"summary": name, "value": value} for name, value in examples.items()}
    return content | ({"examples": found} if found else {})


def query(name: str, schema: Json, meaning: str, *, is_required: bool = False) -> Json:
    """A parameter of the query."""
    return {"name": name, "in": "query", "required": is_required, "description": meaning, "schema": schema}


def in_path(name: str, schema: Json, meaning: str) -> Json:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "description": meaning, "schema": schema}


def header(name: str, schema: Json, meaning: str) -> Json:
    """A header that may be sent."""
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": schema}


def _key(name: str) -> str:
    return "-".join("".join(each if each.isalnum() else " " for each in name.lower()).split())


def _id_of(method: str, path: str) -> str:
    return "_".join([method, *(part.replace("-", "_") for part in path.split("/") if part)])
