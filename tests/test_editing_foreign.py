"""A cookie of another framework that is changed is written as it was: kind, algorithm, serializer, order, end."""

from __future__ import annotations

import json
import pickle
import re
from base64 import b64decode, urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote as url_unquote

import pytest

from sessionctl import KeyRing, NotSupportedError, editing, formats
from sessionctl.editing.made import OWN
from sessionctl.encoding import unquote
from sessionctl.errors import BadSignatureError, CookieTooLargeError, SecretError
from sessionctl.formats.base import DEFAULT_MAX_AGE
from sessionctl.identify import Setup, Target
from sessionctl.payload import etf, gob, gob_writer, marshal, rails_msgpack
from sessionctl.payload.marshal_values import Hash, Object, String, Symbol
from sessionctl.sources import Source, read_cookie
from tests.cases import cookie_cases

NOW = 1_795_425_000.0
KEY = "a secret of more than 32 characters, for tests"
DJANGO_31 = (
    r'''"[[\"__json_message\"\0540\05420\054\"hello\"]]:1xocE4:Iy6bemhgkR9SV97BQHcoWlZ1lf9-o22zdSuSREyAbdI"'''
)
"""What Django 3.1.14 wrote, with the key that the test names."""
SORTED = {"werkzeug"}
"""Formats that write the names in the order of the alphabet."""


def _cases() -> list[Any]:
    found = []
    for row in cookie_cases():
        name = row["format"]
        if name in formats.names() and name not in OWN and row["expect"] == "valid" and row.get("keys"):
            found.append(pytest.param(row, id=row["id"]))
    return found


def _opened(row: dict[str, Any]) -> tuple[Source, Setup, formats.Format]:
    options = {key: str(value) for key, value in (row.get("options") or {}).items()}
    form = formats.get(row["format"], **{key.replace("-", "_"): value for key, value in options.items()})
    setup = Setup(
        format=row["format"], options=options, keys=KeyRing.parse(row["keys"]), now=float(row.get("now") or NOW),
        max_age=DEFAULT_MAX_AGE if row.get("max_age") is None else row["max_age"],
    )  # fmt: skip
    return read_cookie(row["input"], row.get("cookie_name")), setup, form


def _read(form: formats.Format, source: Source, setup: Setup) -> tuple[formats.Verdict, formats.Decoded]:
    context = {
        "cookie_name": source.name,
        "cookies": source.cookies,
        "now": setup.now,
        "max_age": setup.max_age,
    }
    text = source.value or ""
    return form.verify(text, setup.keys, **context), form.decode(text, setup.keys, **context)


def _changed(source: Source, setup: Setup, **change: Any) -> Source:
    made = editing.change(Target(source=source), setup, **change)
    pair = {source.name: made.cookie or ""} if source.name else {}
    return source._replace(value=made.cookie, cookies={**source.cookies, **made.companions, **pair})


@pytest.mark.parametrize("row", _cases())
def test_written_as_before(row: dict[str, Any]) -> None:
    """Every session of the corpus that can be changed stays of its kind, genuine, in order and as long-lived."""
    source, setup, form = _opened(row)
    _, before = _read(form, source, setup) if form.holds_session else (None, None)
    if before is None or not isinstance(before.data, dict):
        with pytest.raises(NotSupportedError):
            editing.change(Target(source=source), setup, values={"added": 1})
        return
    try:
        new = _changed(source, setup, values={"added": 1})
    except (NotSupportedError, SecretError, BadSignatureError, CookieTooLargeError):
        return  # a pickle with more than JSON has, a public key, alg none, over the limit
    verdict, after = _read(form, new, setup)
    assert verdict.valid
    data = {**before.data, "added": 1}
    assert json.dumps(after.data, sort_keys=form.name in SORTED) == json.dumps(
        data, sort_keys=form.name in SORTED
    )
    assert (after.payload_type, after.encrypted) == (before.payload_type, before.encrypted)
    if before.algorithm != "AES-128-GCM":  # of plug_crypto before 2.1, which newer ones do not write
        assert after.algorithm == before.algorithm
    assert after.expires_at == pytest.approx(before.expires_at, abs=1)


BYTE_FOR_BYTE = {"cookie-session", "django", "django-signed", "flask", "itsdangerous", "jwt", "starlette"}


def _is_usual(row: dict[str, Any]) -> bool:
    """Whether a case is signed JSON with an object in it, written as its library writes it, by a key that signs."""
    if row["format"] not in BYTE_FOR_BYTE or "noncanonical" in row["id"] or "v024-URLSafeSer" in row["id"]:
        return False
    source, setup, form = _opened(row)
    verdict, decoded = _read(form, source, setup)
    is_signed_object = (
        decoded.payload_type == "json" and not decoded.encrypted and isinstance(decoded.data, dict)
    )
    if not is_signed_object or verdict.warnings or verdict.key_index is None:
        return False
    try:
        form.encode({}, KeyRing([setup.keys[verdict.key_index]]))
    except SecretError:
        return False  # a public key
    return True


USUAL = [case for case in _cases() if _is_usual(case.values[0])]


def test_every_format_has_usual_cases() -> None:
    """None of the formats that are kept byte for byte goes untested."""
    assert {case.values[0]["format"] for case in USUAL} == BYTE_FOR_BYTE
    assert len(USUAL) > 160


@pytest.mark.parametrize("row", USUAL)
def test_byte_for_byte(row: dict[str, Any]) -> None:
    """Signed JSON to which a value is added and taken away again, in the second it was made, is the same text."""
    source, setup, form = _opened(row)
    verdict, before = _read(form, source, setup)
    assert verdict.key_index is not None
    setup = setup._replace(keys=KeyRing([setup.keys[verdict.key_index]]), now=before.issued_at or setup.now)
    new = _changed(_changed(source, setup, values={"added": 1}), setup, unset=["added"])
    assert (new.value or "").strip('"') == (source.value or "").strip('"')


def _source(name: str, text: str) -> Source:
    return Source(name, text, {name: text})


@pytest.mark.parametrize(
    "value",
    [b"bytes", (1, 2), {1, 2}, datetime(2026, 1, 1, tzinfo=UTC), {1: 2}, [b"deep"], {"a": {"b": (1,)}}],
    ids=repr,
)
@pytest.mark.parametrize("name", ["beaker", "bottle", "django", "pyramid", "werkzeug"])
def test_pickle_with_more_than_json(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that holds bytes, tuples, dates or sets is not changed, for they would be lost."""
    options = {} if name == "bottle" else {"data-serializer" if name == "beaker" else "serializer": "pickle"}
    form = formats.get(name, **{key.replace("-", "_"): word for key, word in options.items()})
    monkeypatch.setattr("sessionctl.payload.pickle.dumps", pickle.dumps)
    text = form.encode({"user": 1, "value": value}, [KEY], cookie_name="session", now=NOW)
    setup = Setup(format=name, keys=KeyRing([KEY]), now=NOW)
    with pytest.raises(NotSupportedError, match="the pickle holds what JSON has not"):
        editing.change(Target(source=_source("session", text)), setup, values={"user": 2})


def test_plain_pickle_is_changed() -> None:
    """A pickle of what JSON has is written as a pickle again."""
    form = formats.get("django", serializer="pickle")
    data = {"user": "ż", "list": [1, 2.5, None, True, {"a": []}]}
    text = form.encode(data, [KEY], now=NOW)
    setup = Setup(format="django", keys=KeyRing([KEY]), now=NOW)
    new = editing.change(Target(source=_source("sessionid", text)), setup, values={"n": 1}).cookie or ""
    decoded = formats.get("django").decode(new)
    assert (decoded.payload_type, decoded.data) == ("pickle", {**data, "n": 1})


def test_options_win() -> None:
    """What is asked for by an option is written, whatever the text was."""
    text = formats.get("jwt", alg="HS512").encode({"a": 1}, [KEY * 2])
    setup = Setup(format="jwt", keys=KeyRing([KEY * 2]), now=NOW)
    kept = editing.change(Target(source=_source("t", text)), setup, values={"a": 2}).cookie or ""
    assert formats.get("jwt").decode(kept).algorithm == "HS512"


def test_header_of_a_token() -> None:
    """The header of a signed token stays to the letter: its order, a `kid`, a missing `typ`."""
    from sessionctl.encoding import b64encode_urlsafe
    from sessionctl.signing.mac import Hmac

    head = b64encode_urlsafe(b'{"kid":"2026", "alg":"HS256"}')
    body = f"{head}.{b64encode_urlsafe(json.dumps({'a': 1}).encode())}"
    text = f"{body}.{b64encode_urlsafe(Hmac(KEY.encode()).digest(body.encode()))}"
    setup = Setup(format="jwt", keys=KeyRing([KEY]), now=NOW)
    new = editing.change(Target(source=_source("t", text)), setup, values={"a": 2}).cookie or ""
    assert new.partition(".")[0] == head
    assert formats.get("jwt").verify(new, [KEY]).valid


@pytest.mark.parametrize("name", ["aiohttp", "pyramid"])
def test_a_session_stays_as_old_as_it_is(name: str) -> None:
    """The time of creation that lies in the session is kept, so that a change does not lengthen its life."""
    key = "0" * 43 if name == "aiohttp" else KEY
    keys = KeyRing([bytes(32)] if name == "aiohttp" else [key])
    text = formats.get(name).encode({"a": 1}, keys, cookie_name="s", now=NOW - 600)
    setup = Setup(format=name, keys=keys, now=NOW)
    new = editing.change(Target(source=_source("s", text)), setup, values={"a": 2}).cookie or ""
    if name == "aiohttp":
        assert formats.get(name).decode(new, keys).issued_at == NOW - 600
    else:
        renewed, created, session = json.loads(urlsafe_b64decode(new + "=" * (-len(new) % 4))[64:])
        assert (renewed, created, session) == (int(NOW), NOW - 600, {"a": 2})


@pytest.mark.parametrize("encrypt", ["false", "true"])
@pytest.mark.parametrize("life", [3600, None], ids=["an hour", "for ever"])
def test_a_token_of_phoenix_stays_as_old_as_it_is(encrypt: str, life: float | None) -> None:
    """Whether its own limit holds or the reader's, which counts from the signing; --max-age makes it a new one."""
    options = {"kind": "token", "salt": "user", "encrypt": encrypt}
    form, keys = formats.get("plug", **options), KeyRing([KEY])
    text = form.encode({"a": 1}, keys, now=NOW - 600, max_age=life)
    setup = Setup(format="plug", options=options, keys=keys, now=NOW)
    new = editing.change(Target(source=_source("t", text)), setup, values={"a": 2}).cookie or ""
    decoded = form.decode(new, keys)
    assert decoded.data == {"a": 2}
    assert decoded.issued_at == NOW - 600
    assert decoded.expires_at == (None if life is None else NOW - 600 + life)
    assert form.verify(new, keys, now=NOW, max_age=599).reason == "expired"
    longer = editing.change(Target(source=_source("t", text)), setup._replace(max_age=7200), values={"a": 2})
    assert form.decode(longer.cookie or "", keys).issued_at == NOW
    assert form.decode(longer.cookie or "", keys).expires_at == NOW + 7200


def test_the_end_of_rails() -> None:
    """A Rails cookie that expires does so when it would have, unless --max-age says otherwise."""
    keys = KeyRing([KEY])
    text = formats.get("rails").encode({"a": 1}, keys, cookie_name="s", now=NOW, max_age=3600)
    setup = Setup(format="rails", keys=keys, now=NOW + 600)
    source = _source("s", text)
    new = editing.change(Target(source=source), setup, values={"a": 2}).cookie or ""
    assert formats.get("rails").decode(new, keys).expires_at == NOW + 3600
    longer = editing.change(Target(source=source), setup._replace(max_age=7200), values={"a": 2}).cookie or ""
    assert formats.get("rails").decode(longer, keys).expires_at == NOW + 600 + 7200


@pytest.mark.parametrize(
    ("name", "options", "data", "place", "looks"),
    [
        ("rack", {}, {"session_id": "ab" * 32, "a": 1}, "session_id", "[0-9a-f]{64}"),
        ("rails", {"serializer": "marshal"}, {"session_id": "ab" * 16, "a": 1}, "session_id", "[0-9a-f]{32}"),
        ("beaker", {}, {"_id": "ab" * 16, "a": 1}, "_id", "[0-9a-f]{32}"),
        ("iron", {}, {"id": "5eed0000-0000-4000-8000-000000000000", "createdAt": 1, "data": {"a": 1}}, "id",
         "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ],
)  # fmt: skip
def test_a_new_id_inside(
    name: str, options: dict[str, str], data: dict[str, Any], place: str, looks: str
) -> None:
    """A framework that keeps an ID inside its cookie gets a new one there, of the same looks; all else stays."""
    keys = KeyRing([KEY * 2])
    cookie_name = "_app_session" if name == "rails" else "session"
    text = formats.get(name, **options).encode(data, keys, cookie_name=cookie_name, now=NOW)
    setup = Setup(format=name, options=options, keys=keys, now=NOW)
    source = _source(cookie_name, text)
    made = editing.regenerate(Target(source=source), setup, delete_old=False)
    changed = _source(cookie_name, made.cookie or "")
    verdict, after = _read(formats.get(name, **options), changed, setup)
    assert verdict.valid
    assert made.id == after.id == after.data[place] != data[place]
    assert re.fullmatch(looks, after.data[place])
    assert {**after.data, place: data[place]} == data
    assert made.revoked
    assert not editing.regenerate(Target(source=source), setup, delete_old=True).revoked


def test_the_id_of_rack_stays_an_object() -> None:
    """Rack asks the ID that Marshal keeps for its `public_id`; a text has none."""
    row = next(row for row in cookie_cases("rack") if row["id"] == "rack2-marshal-small")
    source, setup, _ = _opened(row)
    made = editing.regenerate(Target(source=source), setup, delete_old=False)
    payload = b64decode(url_unquote(made.cookie or "").partition("--")[0])
    assert b"Rack::Session::SessionId\x06" in payload
    assert marshal.loads(payload) == {**row["data"], "session_id": made.id}


def test_no_id_inside() -> None:
    """A member that is called `id` is no session's ID where the framework has none."""
    keys = KeyRing([KEY])
    source = _source("session", formats.get("flask").encode({"id": "x", "session_id": "y"}, keys, now=NOW))
    with pytest.raises(NotSupportedError, match="no session ID"):
        editing.regenerate(Target(source=source), Setup(format="flask", keys=keys, now=NOW), delete_old=False)


def test_flash_in_a_list() -> None:
    """Messages of Django that lie in a cookie of their own get one more, though there is no object to set in."""
    keys = KeyRing([KEY])
    messages = [["__json_message", 0, 20, "hello", ""]]
    text = formats.get("django-signed", kind="messages").encode(messages, keys, now=NOW)
    setup = Setup(format="django-signed", keys=keys, now=NOW)
    source = _source("messages", text)
    new = editing.change(Target(source=source), setup, flash={"success": "saved"}).cookie or ""
    flash = formats.get("django-signed").decode(new).flash
    assert [message["message"] for message in flash] == ["hello", "saved"]
    with pytest.raises(NotSupportedError, match="no object"):
        editing.change(Target(source=source), setup, values={"a": 1})


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        pytest.param(None, r"[0-9a-f]{40}\$\[\[", id="before 3.1"),
        pytest.param(DJANGO_31, r"\[\[", id="3.1"),
    ],
)
def test_messages_keep_the_layout_of_their_release(text: str | None, begins: str) -> None:
    """Django before 3.2 does not read messages as 3.2 and later write them."""
    row = next(row for row in cookie_cases("django-signed") if row["id"] == "django-v30-messages-cookie")
    if text is not None:
        row = {
            **row,
            "input": f"messages={text}",
            "keys": ["k\u00e9y secret"],
            "options": {"kind": "messages"},
        }
    source, setup, form = _opened(row)
    before = _read(form, source, setup)[1].data
    changed = _changed(source, setup, flash={"success": "saved, too"})
    verdict, after = _read(form, changed, setup)
    assert verdict.valid
    assert after.data == [*before, ["__json_message", 0, 25, "saved, too", ""]]
    assert re.match(begins, unquote(changed.value or ""))


@pytest.mark.parametrize("name", ["bottle", "django"])
def test_python_2_reads_the_pickle(name: str) -> None:
    """A pickle is written in protocol 2, for Django 1.11 and Bottle 0.12 still run on Python 2."""
    options = {"serializer": "pickle"} if name == "django" else {}
    text = formats.get(name, **options).encode({"a": 1}, [KEY], cookie_name="session", now=NOW)
    body = text.partition("?")[2].strip('"') if name == "bottle" else text.partition(":")[0]
    assert urlsafe_b64decode(body + "=" * (-len(body) % 4)).startswith(b"\x80\x02")


# -- what JSON has not ------------------------------------------------------------------------------------


def _payload(name: str, row: dict[str, Any]) -> bytes:
    source, setup, form = _opened(row)
    like = form.like(source.value or "", setup.context(name, source))
    return bytes(getattr(like, "_payload" if name == "plug" else "_before"))


@pytest.mark.parametrize("name", ["plug", "rack", "rails"])
def test_an_untouched_payload_is_written_as_it_was(name: str) -> None:
    """Marshal and Erlang terms of the frameworks come out to the byte, symbols, atoms and objects included."""
    told = 0
    for row in (case.values[0] for case in _cases() if case.values[0]["format"] == name):
        try:
            before = _payload(name, row)
        except NotSupportedError:
            continue
        told += _is_same(before)
    assert told > 5


def _is_same(before: bytes) -> bool:
    if before[:2] == marshal.SIGNATURE and b"@" not in before.replace(
        b"@public_id", b""
    ):  # links are written out
        assert marshal.dumps_like(marshal.loads(before), before) == before
        return True
    if before[:1] == b"\x83":
        assert etf.dumps(etf.like(etf.loads(before), before)) == before
        return True
    return False


TIME = Object(ord("u"), Symbol("Time"))
TIME.content = String(b"\x20\x80\x1e\xc0\x00\x00\x00\x00")
ROLE = Symbol("admin")


@pytest.mark.parametrize(
    ("name", "options"), [("rails", {"serializer": "marshal"}), ("rack", {"mode": "signed"})]
)
def test_ruby_values_stay(name: str, options: dict[str, str]) -> None:
    """A symbol, a time and a hash with symbols for keys are what they were, when another value is set."""
    inner = Hash()
    inner.pairs = [(Symbol("id"), 7), (Symbol("role"), ROLE)]
    text = formats.get(name, **options).encode(
        {"user": inner, "at": TIME, "n": 1}, [KEY * 2], cookie_name="s"
    )
    setup = Setup(format=name, keys=KeyRing([KEY * 2]))
    new = (
        editing.change(Target(source=_source("s", text)), setup, values={"n": 2, "word": "new"}).cookie or ""
    )
    form = formats.get(name)
    like = form.like(new, setup.context(name, _source("s", new)))
    inner.pairs[1] = (Symbol("role"), ROLE)
    assert like._before == marshal.dumps({"user": inner, "at": TIME, "n": 2, "word": "new"})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b'\x04\x08{\x06I"\x06a\x06:\x06ET}\x00i\x00', "a hash with a default"),
        (b'\x04\x08{\x06I"\x06a\x06:\x06ETC:\x0bString"\x06b', "a String, which is of a built-in class"),
        (b'\x04\x08{\x06I"\x06a\x06:\x06ETc\x0bString', "a class or module"),
    ],
)
def test_ruby_values_that_would_be_lost(payload: bytes, what: str) -> None:
    """A Marshal payload with what is not written here is not changed, and the refusal names it."""
    with pytest.raises(NotSupportedError, match=what):
        marshal.dumps_like({"a": {}, "b": 1}, payload)


def test_two_ruby_keys_of_one_name() -> None:
    """A hash with a symbol and a text of one name for keys is not changed: JSON has one of them alone."""
    both = Hash()
    both.pairs = [(Symbol("a"), 1), ("a", 2)]
    with pytest.raises(NotSupportedError, match="one name"):
        marshal.dumps_like({"a": 2, "b": 1}, marshal.dumps(both))


def test_symbols_in_the_message_pack_of_rails() -> None:
    """A symbol in MessagePack would become text, so the session is not changed; a large integer does no harm."""
    symbol = rails_msgpack.SIGNATURE + b"\x81\xa1a\xc7\x05\x00admin"
    assert rails_msgpack.loads(symbol) == {"a": "admin"}
    with pytest.raises(NotSupportedError, match="a symbol"):
        rails_msgpack.check_plain(symbol)
    rails_msgpack.check_plain(rails_msgpack.dumps({"a": 1 << 70, "b": [None, 1.5, {"c": "d"}]}))


@pytest.mark.parametrize("kind", ["session", "token"])
def test_erlang_terms_stay(kind: str) -> None:
    """An atom and a tuple are what they were, when another value is set beside them."""
    options = {"session": {"signing_salt": "s"}, "token": {"kind": "token", "salt": "s"}}[kind]
    kept = {"role": etf.Atom("admin"), "at": (2026, 11, 23), "in": {"deep": etf.Atom("x"), "n": 1}}
    text = formats.get("plug", **options).encode({**kept, "n": 1}, [KEY], now=NOW)
    given = {name.replace("_", "-"): value for name, value in options.items()}
    setup = Setup(format="plug", options=given, keys=KeyRing([KEY]), now=NOW)
    new = editing.change(Target(source=_source("t", text)), setup, values={"n": 2}).cookie or ""
    assert new == formats.get("plug", **options).encode({**kept, "n": 2}, [KEY], now=NOW)


def test_erlang_terms_stay_in_a_map_that_is_changed() -> None:
    """A message is flashed beside one that is an atom; a large map, of which levels are read again, may be beside."""
    kept = {
        "cart": {str(n): [n, {"at": (n, etf.Atom("x"))}] for n in range(500)},
        "phoenix_flash": {"info": etf.Atom("x")},
    }
    new = {**kept, "phoenix_flash": {"info": "x", "error": "no"}}
    written = etf.dumps(etf.like(etf.loads(etf.dumps(new)), etf.dumps(kept)))
    assert written == etf.dumps({**kept, "phoenix_flash": {"info": etf.Atom("x"), "error": "no"}})


def _gob_of(value: dict[str, Any], **options: bool) -> tuple[str, Setup]:
    gorilla = formats.get("gorilla")
    gorilla._text_keys = options.get("text_keys", False)  # type: ignore[attr-defined]
    return gorilla.encode(value, [KEY], cookie_name="s", now=NOW), Setup(
        format="gorilla", keys=KeyRing([KEY]), now=NOW
    )


@pytest.mark.parametrize("text_keys", [False, True])
def test_the_map_of_go_stays_of_its_type(text_keys: bool) -> None:
    """`map[string]interface{}` does not become `map[interface{}]interface{}`, which Go refuses, nor the reverse."""
    text, setup = _gob_of({"a": 1}, text_keys=text_keys)
    new = editing.change(Target(source=_source("s", text)), setup, values={"a": 2}).cookie
    assert new == _gob_of({"a": 2}, text_keys=text_keys)[0]


def test_the_map_of_go_is_written_as_go_writes_it() -> None:
    """The empty `map[string]interface{}` of Go itself differs in the number of the type alone."""
    row = next(row for row in cookie_cases("gorilla") if row["id"] == "securecookie-gob-empty")
    signed = urlsafe_b64decode(row["input"].partition("=")[2])
    of_go = urlsafe_b64decode(signed.split(b"|")[1])
    assert gob.check_plain(of_go)
    ours = gob_writer.dumps({}, text_keys=True)
    assert ours == of_go.replace(b"\xff\x81", b"\xff\x87").replace(b"\xff\x82", b"\xff\x88")


def test_go_values_that_would_change_their_type() -> None:
    """An int64 would come back as int, so the session is not changed."""
    plain = gob_writer.dumps({"n": 5})
    value, at = plain.index(b"\xff\x84\x00"), plain.index(b"\x03int")
    size = bytes([plain[value - 1] + 2])  # of the message
    int64 = plain[: value - 1] + size + plain[value:at] + b"\x05int64" + plain[at + 4 :]
    assert gob.loads(int64) == {"n": 5}
    assert gob.check_plain(plain) is False
    with pytest.raises(NotSupportedError, match="int64"):
        gob.check_plain(int64)
