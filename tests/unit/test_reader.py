"""One reader takes every body apart: each event by its exact bytes, whatever is wrong with its neighbours."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects.body import reader
from telemetry.dialects.body.json_text import NotJson, loads
from telemetry.dialects.body.reader import LARGEST_BATCH, LARGEST_EVENT, Element, read, read_one
from telemetry.dialects.body.structure import MOST_TOKENS, MOST_TOKENS_OF_EVENT, Scan, TooMuchStructure, has_more

JSON_TYPE = "application/json"
LINES = ["application/x-ndjson", "application/ndjson; charset=utf-8", "application/jsonl"]
OTHERS = [JSON_TYPE, "text/plain", ""]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.builds(lambda value, ascii_: json.dumps(value, ensure_ascii=ascii_), JSON, st.booleans()).filter(
    lambda text: not re.search(r"[\ud800-\udfff]", text)
)
NO_JSON = st.sampled_from(["NaN", "1e400", "-Infinity", "9" * 5_000, '{"a":NaN}', "[1e999]", "{bad}", "nil", '"\t"'])
BLANKS = st.text(" \t\r\n", max_size=3)


def taken(body: bytes | str, media_type: str = JSON_TYPE) -> tuple[list[Element], bool]:
    elements, is_batch = read(body.encode() if isinstance(body, str) else body, media_type, lambda element: element)
    return list(elements), is_batch


def raws(body: bytes | str, media_type: str = JSON_TYPE) -> list[bytes]:
    return [element.raw for element in taken(body, media_type)[0]]


@given(st.lists(TEXTS | NO_JSON, min_size=1, max_size=6), st.data())
def test_each_element_is_its_exact_bytes_and_stands_for_itself(texts: list[str], data: st.DataObject) -> None:
    padded = [data.draw(BLANKS) + text + data.draw(BLANKS) for text in texts]
    array = f"[{','.join(padded)}]"
    envelope = '{"api_key" : "k", "events" : ' + array + data.draw(BLANKS) + "}"
    for body in (array, envelope, "\ufeff" + array, "\ufeff \n" + envelope + "\n"):
        elements, is_batch = taken(body)
        assert is_batch
        assert [element.raw for element in elements] == [text.encode() for text in texts]
        assert [element.wrong is None for element in elements] == [is_json(text) for text in texts]
        assert [element.value for element in elements if not element.wrong] == [
            json.loads(text) for text in texts if is_json(text)
        ]


def is_json(text: str) -> bool:
    try:
        loads(text.encode())
    except NotJson:
        return False
    return True


@given(st.text(alphabet='[]{},:"1a \\\n', max_size=30) | st.text(max_size=20))
def test_whatever_it_is_no_byte_gets_lost(text: str) -> None:
    elements, is_batch = taken(text)
    if not is_batch:
        assert [element.raw for element in elements] == [text.encode()]
    elif is_json(text) and isinstance(loads(text.encode()), list):
        assert [element.value for element in elements] == loads(text.encode())


@given(st.text(alphabet='[]{},:"1a \\eNv', max_size=30))
def test_both_ways_to_take_a_body_apart_agree(text: str) -> None:
    """Where parsing gets through, scanning finds the same."""
    for body in (f"[{text}]", f'{{"events":[{text}]}}', f'{{"events":[1],"a":{text}}}'):
        assert outcome(reader._parsed, body) in {None, outcome(reader._scanned, body)}


def outcome(way: Callable[[bytes], Iterator[Element]], body: str) -> str | None:
    try:
        return repr([element.raw for element in way(body.encode())])
    except (NotJson, reader._KeepWhole, reader._NotBatch):
        return None


@pytest.mark.parametrize("media_type", LINES + OTHERS)
def test_one_event_a_line_is_told_by_content_whatever_the_media_type(media_type: str) -> None:
    lines = ['{"a":1}', '{"b":"\u2028"}', '{"c":NaN}', '  {"d":4} ', '{"e":5}']
    elements, is_batch = taken("\ufeff" + "\r\n\n".join(lines) + "\n", media_type)
    assert is_batch
    assert [element.raw.decode() for element in elements] == [line.strip() for line in lines]
    assert [element.wrong for element in elements] == [None, None, "NaN is no JSON value", None, None]


def test_lines_are_taken_as_they_come_where_the_media_type_says_so() -> None:
    assert raws('{"a":1}', LINES[0]) == [b'{"a":1}']
    assert raws("1\nnonsense\n", LINES[0]) == [b"1", b"nonsense"]
    assert taken("", LINES[0])[1] is False


@pytest.mark.parametrize(
    "body",
    ['{"a":1}\n1', '{"a":1', '{"a":1}\n{"b":2', "{x}\n{y}", '{"a":1} {"b":2}', "1\n2", '{"a":\n{"b":NaN}\n}', "", " \n",
     "[1,,2]", "[1,]", "[1 2", '[{"a":1},{"b":]', '[{"a":1}}', '{"events":[1]', '{"events":[1]]', '{"events":[1}',
     "[1]x", '{"events":[1]} x', "{,}", '{"a"}', '"', "\\", '{"events":[NaN],"events":[1]}', '{"events":[1],"z":1}']
)  # fmt: skip
def test_anything_else_that_cannot_be_taken_apart_is_one_event(body: str) -> None:
    elements, is_batch = taken(body)
    assert (raws(body), is_batch) == ([body.encode()], False)
    assert elements[0].wrong


@pytest.mark.parametrize(
    "body", ['{"events":5}', '{"events":{"a":[1]}}', '{"a":{"events":[1]}}', "{}", "5", '"x"', '{"":1}']
)
def test_one_value_is_one_event(body: str) -> None:
    assert taken(body) == ([Element(body.encode(), json.loads(body))], False)
    assert read_one(body.encode()) == Element(body.encode(), json.loads(body))


def test_an_empty_batch_has_no_events() -> None:
    assert taken("[]") == taken('{"events":[ ]}') == taken('{"\\u0065vents":[]}') == ([], True)


@pytest.mark.parametrize("body", ["[{}]", '{"events":[{}]}', "{}\n{}"])
def test_five_hundred_events_are_a_batch_and_one_more_is_none(body: str) -> None:
    separator = "\n" if "\n" in body else ","
    start, end = body.split("{}", maxsplit=1)[0], body.rsplit("{}", maxsplit=1)[-1]
    full, surplus = (start + separator.join(["{}"] * count) + end for count in (LARGEST_BATCH, LARGEST_BATCH + 1))
    assert len(taken(full)[0]) == LARGEST_BATCH
    (whole,), is_batch = taken(surplus)
    assert (whole.raw, whole.wrong, is_batch) == (surplus.encode(), "More than 500 events", False)


# ── what takes much memory or time for what it says


def test_an_element_with_too_much_structure_is_wrong_alone() -> None:
    much = "[" + "[]," * (MOST_TOKENS_OF_EVENT // 3) + "[]]"
    elements, is_batch = taken(f'[{{"a":1}},{much},{{"b":2}}]')
    assert is_batch
    assert [element.wrong for element in elements] == [None, f"More than {MOST_TOKENS_OF_EVENT:,} tokens", None]
    assert [element.raw for element in elements] == [b'{"a":1}', much.encode(), b'{"b":2}']


@pytest.mark.parametrize("piece", ["[],", "1,", "{},", '"",', '{"a":1},', "[[[["])
def test_a_body_with_too_much_structure_is_kept_whole(piece: str) -> None:
    body = "[[" + piece * MOST_TOKENS
    (whole,), is_batch = taken(body)
    assert (whole.raw == body.encode(), is_batch) == (True, False)
    assert whole.wrong


def test_an_event_of_many_bytes_is_kept_and_not_understood() -> None:
    body = b'{"a":"' + b"x" * LARGEST_EVENT + b'"}'
    assert read_one(body) == Element(body, None, "More than 8,388,608 bytes")
    assert read_one(body[:-10] + b'"}').wrong is None


def test_text_costs_no_tokens_whatever_is_in_it() -> None:
    text = json.dumps({"log": '",[{}]' * 100_000, "more": "\\" * 100_000})
    assert read_one(text.encode()).value == json.loads(text)
    assert not has_more(text.encode(), 7)
    assert has_more(text.encode(), 6)


@given(JSON)
def test_tokens_are_strings_brackets_and_commas(value: object) -> None:
    def tokens(value: object) -> int:
        match value:
            case str():
                return 1
            case list():
                return 2 + max(0, len(value) - 1) + sum(map(tokens, value))
            case dict():
                return 2 + max(0, len(value) - 1) + len(value) + sum(map(tokens, value.values()))
        return 0

    body = json.dumps(value).encode()
    assert sum(1 for _ in Scan(body).tokens()) == tokens(value)
    assert has_more(body, tokens(value)) is False
    with pytest.raises(TooMuchStructure):
        list(Scan(body + b"[]", tokens(value) + 1).tokens())
