"""No key of ours can be read in what is kept, however it was spelled and wherever it stood; all else stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.body.masking import body_api_key, masked
from telemetry.dialects.body.structure import MOST_TOKENS
from telemetry.domain.api_key import KEY_CHARACTERS, KEY_PREFIXES, SECRET_CHARACTERS, KeyKind, without_keys
from telemetry.domain.environment import Environment
from telemetry.services.api_keys import new_key, with_new_secret

KEYS = st.builds(
    lambda prefix, secret: prefix + secret,
    st.sampled_from(KEY_PREFIXES),
    st.text(KEY_CHARACTERS, min_size=SECRET_CHARACTERS, max_size=SECRET_CHARACTERS),
)
KEY = "tk_prod_" + "Az-9_" * 8


def escaped(text: str, data: st.DataObject) -> str:
    """As JSON may spell it."""
    return "".join(data.draw(st.sampled_from((each, f"\\u{ord(each):04x}", f"\\u{ord(each):04X}"))) for each in text)


@pytest.mark.parametrize("environment", Environment)
def test_keys_have_the_shape_that_is_looked_for(environment: Environment) -> None:
    for kind in KeyKind:
        secret = with_new_secret(new_key(kind, "x", frozenset({environment}), None)).secret
        assert without_keys(f"a {secret} b") == f"a {'*' * len(secret)} b"
        assert masked(secret.encode()) == b"*" * len(secret)


@given(KEYS, st.text(max_size=10), st.text(max_size=10), st.data())
def test_a_key_is_hidden_anywhere_and_the_body_says_the_same_otherwise(
    key: str, before: str, after: str, data: st.DataObject
) -> None:
    spelled = escaped(key, data)
    inner = json.dumps(before)[1:-1] + spelled + json.dumps(after)[1:-1]
    body = f'{{"text_data":"{inner}","n":1}}'.encode()
    hidden = masked(body)
    assert len(hidden) == len(body)
    said = json.loads(hidden)
    assert key not in said["text_data"]
    assert said["n"] == 1
    assert said["text_data"].startswith(before)
    assert key.encode() not in hidden


@given(st.text(max_size=20).filter(lambda text: "\ud800" not in text), st.data())
def test_the_text_of_api_key_is_hidden_where_keys_are_expected(secret: str, data: st.DataObject) -> None:
    name = escaped("api_key", data)
    value = json.dumps(secret)
    member = f'"{name}" : {value}'
    hidden = f'"{name}" : "{"*" * (len(value.encode()) - 2)}"'
    for body in (
        f"{{{member}}}",
        f"{{{member},{member}}}",
        f'{{"a":[{{"b":1}}],{member},"payload":{{{member}}}}}',
        f'[{{{member}}},{{"payload":{{"x":{{}},{member}}}}}]',
        f'{{"events":[{{{member}}},1,{{"a":[],{member}}}],{member}}}',
        f"{{{member}}}\n{{{member}}}",
        f'{{{member},"broken":NaN',
    ):
        assert masked(body.encode()).decode() == body.replace(member, hidden)


@pytest.mark.parametrize(
    "body",
    ['{"metadata":{"api_key":"theirs"}}', '{"payload":{"meta":{"api_key":"theirs"}}}', '[[{"api_key":"theirs"}]]',
     '{"api_key":5}', '{"api_key":null,"x":"api_key"}', '{"x":"\\"api_key\\":\\"no\\""}', '{"api_keys":"a"}',
     '"api_key"', '{"events":{"api_key":"theirs"}}', '{"api_key":["theirs"]}', "tk_prod_short",
     '{"api_key":{"payload":{"api_key":"x"}}}']
)  # fmt: skip
def test_what_is_no_key_stays(body: str) -> None:
    assert masked(body.encode()) == body.encode()


def test_masking_leaves_json_that_was_json() -> None:
    after_tab, after_backslash = f'{{"a":"\\t{KEY[1:]}"}}', f'{{"a":"\\\\{KEY}"}}'
    assert json.loads(masked(after_tab.encode())) == {"a": "\t" + "*" * (len(KEY) - 1)}
    assert json.loads(masked(after_backslash.encode())) == {"a": "\\" + "*" * len(KEY)}
    odd = f'{{"a":"\\\\u0074{KEY[1:]}"}}'  # a backslash, then u0074k_prod_...: no key
    assert json.loads(masked(odd.encode())) == json.loads(odd)


def test_in_a_body_with_too_much_structure_it_is_hidden_wherever_it_stands() -> None:
    body = b'{"a":[' + b"[]," * MOST_TOKENS + b'{"api_key":"secret"}],"api_key":"more"}'
    hidden = masked(body)
    assert len(hidden) == len(body)
    assert b"secret" not in hidden
    assert b"more" not in hidden


@pytest.mark.parametrize(
    ("body", "key"),
    [('{"api_key":"k"}', "k"), ('{"api_key":"a","api\\u005fkey":"\\u0062"}', "b"), ('{"a":{"api_key":"k"}}', None),
     ('[{"api_key":"k"}]', None), ('{"api_key":5}', None), ("", None),
     ('{"events":[{"api_key":"a"}],"api_key":"b"}', "b"), ('\ufeff{"api_key":"k"}', "k")],
)  # fmt: skip
def test_the_key_of_a_body_is_its_own(body: str, key: str | None) -> None:
    assert body_api_key(body.encode()) == key


def test_what_is_counted_is_what_is_stored() -> None:
    body = {
        "data_type": "text",
        "text_data": "x",
        "data_group": "g",
        "user_identifier": KEY,
        "hwid": KEY,
    }
    event = getkeymanager.parse(json.dumps(body).encode(), "application/json").events[0]
    assert (event.user_id, event.hwid) == ("*" * len(KEY), "*" * len(KEY))
    assert event == getkeymanager.parse_one(event.raw)
    usage = reo.parse(json.dumps({"payload": {"user_id": KEY, "api_key": "x"}, "api_key": KEY}).encode())
    assert usage.user_id == "*" * len(KEY)
    assert KEY.encode() not in usage.raw


@pytest.mark.parametrize(
    "name", ["\\e", "\\x61pi_key", "\\141pi_key", "\\N{DIGIT ONE}", "\\u", "\\u00", "\\\\u0061pi_key", "\\"]
)
@pytest.mark.filterwarnings("error")
def test_names_with_escapes_that_json_has_not_are_other_names(name: str) -> None:
    """Python has more escapes than JSON: they are not understood, and nothing warns of them."""
    body = f'{{"{name}":"stays","api_key":"secret"}}'.encode()
    if name != "\\":  # this one eats its closing quote
        assert masked(body) == body.replace(b"secret", b"******")
    assert body_api_key(body) in {"secret", None}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_key_is_hidden_in_bodies_of_wide_characters(encoding: str) -> None:
    body = f'{{"api_key":"{KEY}","text":"stays"}}'
    hidden = masked(body.encode(encoding))
    assert hidden.decode(encoding) == body.replace(KEY, "*" * len(KEY))
