"""Records are read as data and never run, whatever they hold; what is none is refused."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import pickle
import random
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from sessionctl.errors import MalformedError, SessionctlError, UnknownFormatError
from sessionctl.signing import KeyRing
from sessionctl.stores import read_record, record_names
from tests.limits import assert_quick, assert_small
from tests.stores.cases import content_of, record_cases

# -- nothing is run -----------------------------------------------------------------------------------


class _Attack:
    """What unpickles to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (eval, (f"__import__('pathlib').Path({str(self.path)!r}).write_text('run')",))


def _old_django(payload: bytes) -> bytes:
    return base64.b64encode(b"0" * 40 + b":" + payload)


def _new_django(payload: bytes) -> bytes:
    text = base64.urlsafe_b64encode(payload).rstrip(b"=") + b":1xVPfy"
    key = hashlib.sha256(b"django.contrib.sessions.SessionStoresignerkey").digest()
    tag = base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).rstrip(b"=")
    return text + b":" + tag


WRAPPED = {
    "bare": lambda attack: pickle.dumps({"a": attack}),
    "protocol 0": lambda attack: pickle.dumps({"a": attack}, 0),
    "alone": pickle.dumps,
    "cachelib": lambda attack: struct.pack("=I", 0) + pickle.dumps({"a": attack}),
    "django cache": lambda attack: pickle.dumps(1.5) + zlib.compress(pickle.dumps({"a": attack})),
    "django cache expiry": lambda attack: pickle.dumps(attack) + zlib.compress(pickle.dumps({})),
    "django before 3.1": lambda attack: _old_django(pickle.dumps({"a": attack})),
    "django": lambda attack: _new_django(pickle.dumps({"a": attack})),
    "cherrypy": lambda attack: pickle.dumps(({"a": attack}, attack)),
    "beaker": lambda attack: pickle.dumps({"session": {"a": attack}}),
    "beaker text": lambda attack: pickle.dumps(
        {"session": base64.b64encode(pickle.dumps({"a": attack}, 2)).decode()}
    ),
    "beaker redis": lambda attack: pickle.dumps(base64.b64encode(pickle.dumps({"a": attack}, 2)).decode()),
}


@pytest.mark.parametrize("kind", WRAPPED)
@pytest.mark.parametrize("name", [None, "django", "flask-session", "beaker", "cherrypy", "pickle"])
def test_pickle_is_not_run(kind: str, name: str | None, tmp_path: Path) -> None:
    """A pickle that would write a file writes none; the same bytes do where Python loads them."""
    path = tmp_path / "run"
    content = WRAPPED[kind](_Attack(path))
    with contextlib.suppress(SessionctlError):
        read_record(content, name, keys=["key"])
    assert not path.exists()
    if kind == "bare":
        pickle.loads(content)
        assert path.exists()


def test_pickle_shows_what_it_names() -> None:
    """What a pickle would have called is named, not called."""
    record = read_record(pickle.dumps({"a": _Attack(Path("/nowhere"))}))
    assert record.data["a"]["__type__"].endswith("eval")
    assert record.payload_type == "pickle"


@pytest.mark.parametrize("module", ["this", "antigravity", "idlelib.idle"])
def test_nothing_is_imported(module: str) -> None:
    """A module that a pickle names is not imported."""
    sys.modules.pop(module, None)
    read_record(b"\x80\x02}U\x01ac" + module.encode() + b"\nanything\ns.")
    assert module not in sys.modules


OBJECTS = {
    "php": b'user|O:8:"Shutdown":1:{s:4:"file";s:4:"/tmp";}',
    "php that writes itself": b'user|C:11:"ArrayObject":2:{x}}',
    "laravel": b'a:2:{s:6:"_token";s:40:"'
    + b"t" * 40
    + b'";s:1:"x";O:9:"Monolog\\H":1:{s:4:"file";s:4:"/tmp";}}',
    "marshal": b'\x04\x08{\x06I"\x06x\x06:\x06ETo:\x15Gem::Requirement\x06:\x12@requirements[\x00',
    "marshal that loads itself": b"\x04\x08{\x06i\x00U:\x0dGem::Foo[\x06i\x00",
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_are_shown(kind: str) -> None:
    """Objects of PHP and Ruby are shown with the name of their class."""
    record = read_record(OBJECTS[kind])
    assert "__type__" in json.dumps(record.data)


# -- what is no record --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"hello world", b"\x00", b"\xff\xfe", b"GA1.2.123.456", b"<html></html>", b"[]", b"[1,2]", b"null", b"42",
        b'"text"', b"\x89PNG\r\n\x1a\n", b"\x7fELF", b"d41d8cd98f00b204e9800998ecf8427e", b"\x80", b"\x04", b"a:",
        b"eyJhbGciOiJub25lIn0.e30.", b"{", b"\xef\xbb\xbf{}", b"-----BEGIN PRIVATE KEY-----", b"PK\x03\x04",
    ],
)  # fmt: skip
def test_no_record(content: bytes) -> None:
    """Other bytes get no name."""
    with pytest.raises(MalformedError):
        read_record(content)


def test_empty_file() -> None:
    """An empty file is an empty session of PHP."""
    record = read_record(b"")
    assert (record.format, record.data) == ("php", [])


def test_unknown_name() -> None:
    """A name that is none is refused, with the nearest."""
    with pytest.raises(UnknownFormatError, match="did you mean 'cherrypy'"):
        read_record(b"{}", "cherypy")


@pytest.mark.parametrize("name", record_names())
def test_named_garbage(name: str) -> None:
    """Bytes that are not what the name says are refused with an error of ours."""
    for content in (b"\x00\x01\x02", b"x", b"\xff" * 50, b'{"a"', b"\x80\x04K"):
        with pytest.raises(SessionctlError):
            read_record(content, name, keys=["key", "other"])


def test_too_large() -> None:
    """Over 16 MiB is no session."""
    with pytest.raises(MalformedError, match="too many"):
        read_record(b"{" + b" " * (16 << 20))


def test_bomb() -> None:
    """A compressed session is bounded by max_size."""
    content = pickle.dumps(1.5) + zlib.compress(pickle.dumps({"a": "x" * (2 << 20)}))
    with pytest.raises(MalformedError, match="max-size"):
        read_record(content)
    assert len(read_record(content, max_size=4 << 20).data["a"]) == 2 << 20


MIB = 1 << 20
HEAVY = {
    "nested JSON": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "nested php_serialize": b"a:1:{i:0;" * 10_000 + b"i:1;" + b"}" * 10_000,
    "nested php": b"x|" + b"a:1:{i:0;" * 10_000 + b"i:1;" + b"}" * 10_000,
    "nested pickle": b"\x80\x02" + b"]" * 10_000 + b"a" * 9_999 + b".",
    "nested msgpack": b"\x81\xa1a" * 10_000 + b"\x01",
    "nested marshal": b"\x04\x08" + b"[\x06" * 10_000 + b"i\x06",
    "a long pickle": b"\x80\x02}" + b"(U\x01aK\x01u" * 20_000 + b".",
    "many values": b'{"a":[' + b"1," * (MIB // 2) + b"1]}",
    "many objects": b'{"a":[' + b"{}," * (MIB // 3) + b"1]}",
    "many PHP variables": b"a|i:1;" * (MIB // 6),
    "duplicate keys": b"{" + b'"a":1,' * (MIB // 6) + b'"a":1}',
    "digits": b'{"a":' + b"9" * MIB + b"}",
    "spaces": b"{" + b" " * MIB + b"}",
    "base64": b"QUFB" * (MIB // 4),
    "base64 of a bomb": base64.b64encode(zlib.compress(bytes(64 * MIB))),
    "a bomb": zlib.compress(bytes(64 * MIB)),
    "a pickled bomb": pickle.dumps(1.5) + zlib.compress(pickle.dumps({"a": "x" * (64 * MIB)})),
    "NUL": bytes(MIB),
    "0xff": b"\xff" * MIB,
    "letters": b"a" * MIB,
    "bars": b"a|" * (MIB // 2),
    "lines": b"a\n" * (MIB // 2),
    "texts of lying lengths": b's:2147483647:"' + b"x" * MIB,
}


@pytest.mark.parametrize("name", [None, *record_names()])
@pytest.mark.parametrize("content", HEAVY.values(), ids=HEAVY)
def test_heavy(content: bytes, name: str | None) -> None:
    """What is nested, long, compressed or endless ends in 100 ms, with a record or an error of ours."""
    assert_quick(lambda: read_record(content, name, keys=["key", "other"]))


@pytest.mark.parametrize("content", HEAVY.values(), ids=HEAVY)
def test_small(content: bytes) -> None:
    """What is nested, long, compressed or endless takes no more than 50 MiB."""
    assert_small(lambda: read_record(content, keys=["key", "other"]))


@pytest.mark.parametrize("name", [None, *record_names()])
@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "9" * 400, "1e300", "NaN", "-1", "true", "null", '"x"', "[]"]
)
def test_numbers_past_any_range(number: str, name: str | None) -> None:
    """Times and lifetimes that are none give a record or an error of ours, and JSON of it, in any layout."""
    members = ("created", "expires", "_expire", "_maxAge", "_creation_time", "_accessed_time", "__lastAccess")
    flat = ",".join(f'"{member}":{number}' for member in members)
    cookie = f'"cookie":{{"originalMaxAge":{number},"expires":{number}}},"data":{{}}'
    for text in (
        f"{{{flat}}}",
        f"{{{flat},{cookie}}}",
        f"[{{}},{{}},{{{flat}}}]",
        f'{{"session":{{{flat}}},"created":{number}}}',
        f'{{"a":1,"__metadata__":{{"lifetime":{number},"created":{number},"last_access":{number}}}}}',
    ):
        with contextlib.suppress(SessionctlError):
            json.dumps(read_record(text.encode(), name, keys=["key"]).as_json(), allow_nan=False)


def _samples() -> list[Any]:
    """One short record of every kind that the corpus has."""
    found: dict[str, Any] = {}
    for row in record_cases():
        content = content_of(row) or b""
        kind = f"{row['framework']} {row.get('store')} {content[:2]!r}"
        if kind not in found or len(content) < len(found[kind][0]):
            found[kind] = (content, KeyRing.parse(row.get("keys") or []))
    return [pytest.param(*value, id=kind) for kind, value in found.items()]


@pytest.mark.parametrize(("content", "keys"), _samples())
def test_cut_and_flipped(content: bytes, keys: KeyRing) -> None:
    """Cut at every length and with every byte flipped, a record gives a session or an error of ours."""
    chance, places = random.Random(5), range(min(len(content), 1000))
    cut = [content[:at] for at in places]
    flipped = [
        content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :] for at in places
    ]
    for each in cut + flipped:
        try:
            json.dumps(read_record(each, keys=keys).as_json())
        except SessionctlError:
            continue


# -- kinds that the corpus does not have --------------------------------------------------------------

LARAVEL = b'a:1:{s:6:"_token";s:40:"%s";}' % (b"t" * 40)


@pytest.mark.parametrize(
    ("content", "name", "data"),
    [
        (b's:%d:"%s";' % (len(LARAVEL), LARAVEL), "laravel", {"_token": "t" * 40}),
        (base64.b64encode(LARAVEL), "laravel", {"_token": "t" * 40}),
        (b'{"_token":"x","_flash":{"old":["a"],"new":[]},"a":1}', "laravel", None),
        (b'{"a":1,"__metadata__":{"lifetime":60,"created":5.0,"last_access":7.0}}', "starsessions", None),
        (b'{"a":1,"_session":true}', "koa", {"a": 1}),
        (b'[{"a":1},{"b":2},{"created":5000}]', "native", {"a": 1}),
        (b"\x81\xa1a\x01", "msgpack", {"a": 1}),
        (b'\x04\x08{\x06I"\tuser\x06:\x06ETI"\nalice\x06;\x00T', "marshal", {"user": "alice"}),
        (pickle.dumps({"_auth_user_id": "1"}), "django", {"_auth_user_id": "1"}),
        (pickle.dumps({"a": 1}), "pickle", {"a": 1}),
        (b'{"data":{"__flash_m__":"x"},"expires":"2026-11-24T08:42:50.968Z"}', "react-router", {"__flash_m__": "x"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_kinds(content: bytes, name: str, data: Any) -> None:
    """What a record is shows in its bytes."""
    record = read_record(content)
    assert record.format == name
    assert data is None or record.data == data


CACHED = {
    "Werkzeug 0.16.1 by Flask-Session 0.3.1": ("SkwNM2sugASVGQAAAAAAAAB9lCiMCl9wZXJtYW5lbnSUiIwBYZRLAXUu", "cachelib"),
    "cachelib 0.6.0": ("gASVBgAAAAAAAABKTg0zay6ABJUZAAAAAAAAAH2UKIwKX3Blcm1hbmVudJSIjAFhlEsBdS4=", "cachelib"),
    "cachelib 0.6.0 on Redis": ("IYAElRkAAAAAAAAAfZQojApfcGVybWFuZW50lIiMAWGUSwF1Lg==", "cachelib"),
    "Django 1.6.11": ("gAJHQdrFhZAAAAAugAJ9cQEoVQd1c2VyX2lkcQJLKlUEbmFtZXEDWAQAAABab8OrcQR1Lg==", "django"),
}  # fmt: skip
"""Entries of caches of old: the pickle of an expiry, then that of a session."""


@pytest.mark.parametrize(("content", "name"), CACHED.values(), ids=CACHED)
@pytest.mark.parametrize("named", [False, True], ids=["by its bytes", "by its name"])
def test_caches_of_old(content: str, name: str, named: bool) -> None:
    """The session is read, and its end where it has one."""
    record = read_record(base64.b64decode(content), name if named else None)
    assert record.format == name
    if name == "django":
        assert record.data == {"user_id": 42, "name": "Zoë"}
        assert record.expires_at == 1796609600.0
    else:
        assert record.data == {"_permanent": True, "a": 1}
        assert (record.expires_at is None) == (content[:4] == "IYAE")


DJANGO_REDIS = {
    "none-msgpack": (
        "hKd1c2VyX2lkKq1fYXV0aF91c2VyX2lkoTehZaPigqyjcGFk2Tx4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eH"
        "h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg="
    ),
    "zlib-pickle": "eJxrYJlawgABtVM0ethLi1OL4jNTpnhr9fDGJ5aWZMTDRHoYzYE4dUoP86OmNUCyIBEoZlNBAZhSqgcA8dQ0Xg==",
    "zlib-json": "eJyrViotTi2Kz0xRslIwMdJRUIpPLC3JiEcIKpkrAUVTQayYUiODxGQQtyARLFVBAVCqBQDo9S21",
    "zlib-msgpack": "eJxrWV5anFoUn5mitTY+sbQkIx7KXWi+MHXxo6Y1iwsSU27aVFAAANLELec=",
}
"""What django-redis 5.4 wrote, by compressor and serializer, in base64."""


@pytest.mark.parametrize("content", DJANGO_REDIS.values(), ids=DJANGO_REDIS)
def test_django_redis(content: str) -> None:
    """Sessions that django-redis packed are Django's."""
    record = read_record(base64.b64decode(content), "django")
    assert record.data == {"user_id": 42, "_auth_user_id": "7", "e": "€", "pad": "x" * 60}
    assert read_record(base64.b64decode(content)).data == record.data


RAILS_IN_A_DATABASE = (
    b"BAh7CUkiD3Nlc3Npb25faWQGOgZFVEkiJWFiYWJhYmFiYWJhYmFiYWJhYmFi\n"
    b"YWJhYmFiYWJhYmFiBjsAVEkiBnUGOwBUaQpJIgpmbGFzaAY7AFR7B0kiDGRp\n"
    b"c2NhcmQGOwBUWwBJIgxmbGFzaGVzBjsAVHsGSSILbm90aWNlBjsAVEkiB2hp\n"
    b"BjsAVEkiCHBhZAY7AFRJIkF4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n"
    b"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHgGOwBU\n"
)
"""What Ruby's `Base64.encode64(Marshal.dump(session))` gives, as activerecord-session_store does it."""


def test_rails_in_a_database() -> None:
    """activerecord-session_store keeps Marshal in base64, or JSON, bare or under `value`."""
    record = read_record(RAILS_IN_A_DATABASE)
    assert (record.format, record.payload_type, record.flash) == ("rails", "marshal", {"notice": "hi"})
    assert (record.data["session_id"], record.data["u"]) == ("ab" * 16, 5)
    text = json.dumps(record.data)
    for content in (text, f'{{"value": {text}}}'):
        again = read_record(content.encode(), "rails")
        assert (again.data, again.payload_type, again.flash) == (record.data, "json", {"notice": "hi"})
    with pytest.raises(MalformedError):
        read_record(RAILS_IN_A_DATABASE[:100], "rails")


@pytest.mark.parametrize("old", [False, True], ids=["signing.dumps", "before 3.1"])
def test_altered_record_of_django(old: bool) -> None:
    """An altered payload that can be read no more is a signature that does not fit, as Django answers."""
    content = _old_django(b'{"a"\x00}') if old else _new_django(b'{"a":1}')
    content = content if old else b"eyJhIgAxfQ" + content[10:]
    record = read_record(content, keys=KeyRing(["key"]))
    assert (record.format, record.data, record.status) == ("django", None, "invalid")
    with pytest.raises(MalformedError):
        read_record(content)


def test_base64_of_old_django() -> None:
    """What is foreign to base64 is dropped where the name is told, as Django before 3.1 did."""
    content = _old_django(b'{"a":1}')
    assert read_record(content[:9] + b"-" + content[9:], "django").data == {"a": 1}


@pytest.mark.parametrize(
    ("content", "flash"),
    [
        (
            (
                b"}U\t_messages(lcdjango.contrib.messages.storage.base\nMessage\n)\x81}(U\x05levelK\x14"
                b"U\x07messageU\x02hiU\nextra_tagsU\x01xubas."
            ),
            [{"level": "info", "message": "hi", "tags": "x"}],
        ),
        (b'[{"a":1},{"b":2}]', {"b": 2}),
        (b'{"data":{"__flash_m__":"x"}}', {"m": "x"}),
        (b'{"_permanent":true,"_flashes":[["message","hi"]]}', [["message", "hi"]]),
        (b'{"_token":"x","_flash":{"old":["a"],"new":[]},"a":1}', {"a": 1}),
        (b'{"cookie":{"path":"/","expires":null},"flash":{"info":["hi"]}}', {"info": ["hi"]}),
        (b'{"cookie":{"path":"/","expires":null}}', None),
    ],
    ids=["django 1.4", "remix", "react-router", "flask", "laravel", "connect-flash", "none"],
)
def test_flash(content: bytes, flash: Any) -> None:
    """Flashed messages are shown where the framework keeps them."""
    assert read_record(content).flash == flash


def test_candidates() -> None:
    """Where several frameworks write just the same, all are named, and `-f` settles it."""
    record = read_record(b'{"user_id":42}')
    assert record.format == "json"
    assert {"sanic", "litestar", "starsessions"} <= set(record.candidates)
    assert read_record(b'{"user_id":42}', "sanic").format == "sanic"


def test_as_json() -> None:
    """The JSON has the keys of `decode`, times in ISO 8601."""
    told = read_record(b'{"a":1,"_expire":1795512212770,"_maxAge":86400000}').as_json(now=1795512213)
    assert told["expires_at"] == "2026-11-24T09:23:32.770Z"
    assert told["expired"] is True
    assert (told["signed"], told["encrypted"], told["payload_type"], told["id"]) == (
        False,
        False,
        "json",
        None,
    )
