"""A store of another framework is opened through its layout: from an ID, or a cookie, to the session."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import open_storage
from sessionctl.errors import CorruptRecordError, NotSupportedError, StorageError, UsageError
from sessionctl.signing import KeyRing
from sessionctl.stores import layouts
from sessionctl.stores.storage import LayoutStorage
from tests.cli.conftest import Answer
from tests.stores.cases import content_of, is_malformed, record_cases, session_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import MemcachedServer, RedisServer

Run = Callable[..., Answer]

LAYOUTS = {
    ("aiohttp-session", "redis"): "aiohttp-redis",
    ("beaker", "file"): "beaker",
    ("beaker", "redis"): "beaker",
    ("cherrypy", "file"): "cherrypy",
    ("django", "file"): "django-file",
    ("django", "redis"): "django-cache",
    ("express-session", "redis"): "connect-redis",
    ("express-session", "memcached"): "connect-memcached",
    ("flask-session", "redis"): "flask-session",
    ("flask-session", "file"): "flask-session",
    ("gorilla-sessions", "file"): "gorilla",
    ("laravel", "file"): "laravel-file",
    ("litestar", "file"): "litestar",
    ("litestar", "redis"): "litestar",
    ("php-native-session", "file"): "php",
    ("react-router-7", "file"): "react-router-file",
    ("react-router-8", "file"): "react-router-file",
    ("remix-2", "file"): "react-router-file",
    ("sanic-session", "redis"): "sanic",
    ("starsessions", "redis"): "starsessions",
    ("symfony-session", "file"): "php",
    ("secure-cookie", "file"): "werkzeug-file",
    ("werkzeug-securecookie", "file"): "werkzeug-file",
}


USUAL = "session:"
"""The prefix of Flask-Session, which its cases name though it is the default."""


def layout_of(row: dict[str, Any]) -> str | None:
    if (row["key"] or "").endswith(".djcache"):
        return "django-cache"
    return LAYOUTS.get((row["framework"], row.get("store") or ""))


def id_of(row: dict[str, Any]) -> str:
    """The ID under which the application knows the session."""
    if row.get("session_id"):
        return str(row["session_id"])
    value = (row.get("sid_cookie") or {}).get("value") or ""
    if row["framework"] == "beaker":
        return value[-32:]
    if row["framework"] == "flask-session" and (row.get("params") or {}).get("sid"):
        return str(row["params"]["sid"])
    if row["framework"] == "flask-session":
        return value.split(".")[0]
    return value or row["key"].partition("_")[2].rpartition(".")[0].removeprefix("cookie_") or row["key"]


def prefix_of(row: dict[str, Any]) -> str:
    """What stands before the ID where the application chose that itself, for the URL."""
    options = (row.get("params") or {}).get("store_options") or {}
    prefix = options.get("prefix") or (row.get("params") or {}).get("prefix") or USUAL
    return "" if prefix == USUAL else f"&prefix={prefix}"


def of_store(*stores: str) -> list[Any]:
    return [
        pytest.param(row, id=row["id"])
        for row in record_cases()
        if row.get("store") in stores and layout_of(row) and not is_malformed(row)
        and not row["id"].endswith(("-tampered", "-truncated"))
    ]  # fmt: skip


def write_file(directory: Path, row: dict[str, Any]) -> None:
    """Put a record where its framework keeps it."""
    key = row["key"]
    path = f"container_file/{key[:1]}/{key[:2]}/{key}" if row["framework"] == "beaker" else key
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_bytes(content_of(row) or b"")


def opened(url: str, row: dict[str, Any] | None = None, **options: Any) -> LayoutStorage:
    storage = open_storage(url, **options)
    assert isinstance(storage, LayoutStorage)
    if row is not None:
        storage.keys = KeyRing.parse(row.get("keys") or [])
    return storage


def check(storage: LayoutStorage, row: dict[str, Any]) -> None:
    """The session of the case's ID is there, as the framework kept it, and a scan lists it."""
    key = storage.key_of(id_of(row))
    stored = storage.load(key)
    assert stored is not None, key
    context = {"now": row["now"], "cookie_name": row.get("cookie_name"), "options": row.get("options") or {}}
    record = storage.record_of(key, stored, **context)
    try:
        assert record.data == session_of(row)
    except KeyError:
        assert record.payload_type
    listed = {entry.key: entry for entry in storage.scan()}
    assert listed[key].ref == storage.ref_of(key)
    assert listed[key].size == len(content_of(row) or b"")


@pytest.mark.parametrize("row", of_store("file"))
def test_file(row: dict[str, Any], tmp_path: Path) -> None:
    """A file is found by its session's ID."""
    write_file(tmp_path, row)
    check(opened(f"fs:{tmp_path}?layout={layout_of(row)}{prefix_of(row)}", row), row)


@pytest.mark.parametrize("row", of_store("redis"))
def test_redis(row: dict[str, Any], redis_server: RedisServer) -> None:
    """A key of Redis is found by its session's ID."""
    redis_server.ask("FLUSHALL")
    redis_server.ask("SET", row["key"], content_of(row), "EX", 1000)
    with opened(f"{redis_server.url}?layout={layout_of(row)}{prefix_of(row)}", row) as storage:
        check(storage, row)


@pytest.mark.parametrize("row", of_store("memcached"))
def test_memcached(row: dict[str, Any], memcached_server: MemcachedServer) -> None:
    """An item of Memcached is found by its session's ID."""
    with closing(memcached_server.client()) as client:
        client.set(row["key"], content_of(row), noreply=False)
    with opened(f"{memcached_server.url}?layout={layout_of(row)}{prefix_of(row)}", row) as storage:
        stored = storage.load(storage.key_of(id_of(row)))
        assert stored is not None
        assert storage.record_of(row["key"], stored).data == session_of(row)


def cookie_of(row: dict[str, Any]) -> str:
    """The cookie that names the session, as a browser sends it."""
    if row.get("input"):
        return str(row["input"])
    return f"{(row.get('sid_cookie') or {}).get('name', 'session')}={id_of(row)}"


def words_for(row: dict[str, Any]) -> list[str]:
    """What the command line is told beside the cookie and the store."""
    words = [word for key in row.get("keys") or [] for word in ("--secret", key)]
    if row.get("input"):  # else the options are those of the record
        words += ["--cookie-name", row["cookie_name"], "-f", row["format"]]
        words += [word for key, value in row["options"].items() for word in ("-O", f"{key}={value}")]
    return [*words, "--now", str(row["now"]), "--json"]


def is_good(row: dict[str, Any]) -> bool:
    """Whether cookie and record are both as the framework wants them."""
    return row["expect"] == "valid" and row.get("store_expect", "valid") == "valid"


def check_report(answer: Answer, row: dict[str, Any]) -> None:
    """The report shows the stored session, and the exit status judges it."""
    report = answer.json
    assert report["found"] is True, report
    try:
        assert report["data"] == session_of(row)
    except KeyError:
        assert report["record"]
    assert answer.status == (0 if is_good(row) else 1), report


@pytest.mark.parametrize("row", of_store("file"))
def test_inspect_files(row: dict[str, Any], run: Run, tmp_path: Path) -> None:
    """`inspect` goes from the cookie to the stored session in one step."""
    write_file(tmp_path / "store", row)
    place = f"fs:{tmp_path}/store?layout={layout_of(row)}{prefix_of(row)}"
    check_report(run("inspect", cookie_of(row), "-s", place, *words_for(row)), row)


@pytest.mark.parametrize("row", of_store("redis"))
def test_inspect_redis(row: dict[str, Any], run: Run, redis_server: RedisServer) -> None:
    """The same on Redis."""
    redis_server.ask("FLUSHALL")
    redis_server.ask("SET", row["key"], content_of(row))
    place = f"{redis_server.url}?layout={layout_of(row)}{prefix_of(row)}"
    check_report(run("inspect", cookie_of(row), "-s", place, *words_for(row)), row)


@pytest.mark.parametrize(
    "row",
    [
        param
        for param in of_store("file", "redis")
        if not prefix_of(param.values[0])
        and any(
            param.values[0]["format"] in layout.formats
            for layout in layouts.every()
            if layout.name == layout_of(param.values[0])
        )
    ],
)
def test_usual_layout(row: dict[str, Any], run: Run, tmp_path: Path, redis_server: RedisServer) -> None:
    """With `-f` the framework's usual store is meant, without its name."""
    if row["store"] == "redis":
        redis_server.ask("FLUSHALL")
        redis_server.ask("SET", row["key"], content_of(row))
        place = redis_server.url
    else:
        write_file(tmp_path / "store", row)
        place = f"fs:{tmp_path}/store"
    check_report(run("inspect", cookie_of(row), "-s", place, "-f", row["format"], *words_for(row)), row)


PHP = b'user|s:5:"alice";visits|i:3;'


@pytest.fixture
def php(tmp_path: Path) -> LayoutStorage:
    """A store of PHP with one session, `known`."""
    (tmp_path / "sess_known").write_bytes(PHP)
    return opened(f"fs:{tmp_path}?layout=php")


def test_read(php: LayoutStorage) -> None:
    """`read` gives the session, and a new one for an ID that is not there."""
    session = php.read("known")
    assert dict(session) == {"user": "alice", "visits": 3}
    assert not session.is_new
    assert php.read("unknown").is_new


def test_a_session_that_is_named(php: LayoutStorage, run: Run, tmp_path: Path) -> None:
    """A session found by its ID is found, also where PHP would not have made such an ID."""
    answer = run("inspect", "--id", "known", "-s", php.url, "--json")
    assert (answer.status, answer.json["found"], answer.json["data"]) == (
        0,
        True,
        {"user": "alice", "visits": 3},
    )


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (b"", {}),  # what `session_start()` leaves where nothing is set
        (b"a:0:{}", {}),
        (b'a:2:{i:0;s:1:"x";i:1;i:2;}', {"0": "x", "1": 2}),
    ],
)
def test_arrays_of_php(content: bytes, data: dict[str, Any], run: Run, tmp_path: Path) -> None:
    """An empty session of PHP, and one of numbered values, are sessions too when stores are gone through."""
    (tmp_path / "sess_known").write_bytes(content)
    url = f"fs:{tmp_path}?layout=php"
    listed = run("list", "--data", "--json", "-s", url).json
    assert (listed["data"], listed.get("problem")) == (data, None)
    assert run("doctor", "-s", url, "--json").status == 0


def test_a_record_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    """What is wrong with a record is told once, and once which record it is."""
    (tmp_path / "sess_known").write_bytes(b"\0")
    url = f"fs:{tmp_path}?layout=php"
    assert run("list", "--data", "--json", "-s", url).json["problem"].count("the record is") == 1
    assert run("export", "-", "-s", url).err.count(url) == 1


@pytest.mark.parametrize("move", ["set", "destroy", "regenerate"])
def test_read_only(php: LayoutStorage, move: str, tmp_path: Path) -> None:
    """Every change is refused, and the file stays as it was."""
    session = php.read("known")
    if move == "set":
        session.set("user", "mallory")
    elif move == "destroy":
        session.destroy()
    else:
        session.regenerate_id(delete_old=True)
    with pytest.raises(NotSupportedError, match="read, never changed"):
        php.save(session)
    assert [path.name for path in tmp_path.iterdir()] == ["sess_known"]
    assert (tmp_path / "sess_known").read_bytes() == PHP


@pytest.mark.parametrize("name", ["store", "touch", "delete", "move", "check_sweep"])
def test_primitives_refuse(php: LayoutStorage, name: str) -> None:
    """No primitive writes."""
    with pytest.raises(NotSupportedError):
        getattr(php, name)(*([] if name == "check_sweep" else ["sess_known", None]))


def test_new_session_is_refused(php: LayoutStorage) -> None:
    """No session is begun in another framework's store."""
    session = php.read(None)
    session["a"] = 1
    with pytest.raises(NotSupportedError):
        php.save(session)


@pytest.mark.parametrize("identity", ["../outside", "..", ".", "", "a/../../b", "a\0b", "x" * 300, "\udcff"])
def test_hostile_id(identity: str, tmp_path: Path) -> None:
    """An ID from outside cannot lead out of the directory, nor break the reading."""
    (tmp_path / "store").mkdir()
    (tmp_path / "outside").write_bytes(PHP)
    for layout in ("laravel-file", "php", "express-file", "beaker", "react-router-file"):
        storage = opened(f"fs:{tmp_path}/store?layout={layout}")
        assert storage.read(identity).is_new


def test_symbolic_link(php: LayoutStorage, tmp_path: Path) -> None:
    """A link is not followed, and not listed."""
    (tmp_path / "sess_link").symlink_to(tmp_path / "sess_known")
    with pytest.raises(CorruptRecordError):
        php.load("sess_link")
    assert [entry.key for entry in php.scan()] == ["sess_known"]


@pytest.mark.parametrize("kind", ["directory", "fifo"])
def test_no_regular_file(php: LayoutStorage, tmp_path: Path, kind: str) -> None:
    """What is no regular file is neither waited for nor read."""
    path = tmp_path / "sess_other"
    path.mkdir() if kind == "directory" else os.mkfifo(path)
    with pytest.raises(CorruptRecordError):
        php.load("sess_other")


def test_corrupt(php: LayoutStorage, tmp_path: Path) -> None:
    """A record that cannot be read is named by its ref, not its ID."""
    (tmp_path / "sess_broken").write_bytes(b'user|s:99:"alice";')
    with pytest.raises(CorruptRecordError, match=hashlib.sha256(b"broken").hexdigest()[:12]) as caught:
        php.read("broken")
    assert "broken" not in str(caught.value)


def test_directory_of_others(tmp_path: Path) -> None:
    """A directory that is not there holds no session; one that may not be read is an error."""
    assert opened(f"fs:{tmp_path}/none?layout=php").read("known").is_new
    assert list(opened(f"fs:{tmp_path}/none?layout=php").scan()) == []


def test_unreachable_server() -> None:
    """A server that is not there is an error, not an empty store."""
    with pytest.raises(StorageError):
        opened("redis://127.0.0.1:1/0?layout=connect-redis").read("known")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("fs:x?layout=phq", "did you mean 'php'"),
        ("fs:x?layout=connect-redis", "on a server"),
        ("redis://localhost?layout=express-file", "in files"),
        ("memory:?layout=php", "fs:DIR"),
        ("fs:x?layout=php&colour=red", "colour"),
        ("fs:x?layout=php&depth=many", "depth"),
    ],
)
def test_usage(url: str, message: str) -> None:
    """A layout that cannot be is told, with what could be."""
    with pytest.raises(UsageError, match=message):
        open_storage(url)


def test_php_depth(tmp_path: Path) -> None:
    """PHP's `save_path = "2;DIR"` is `depth=2`."""
    (tmp_path / "k/n").mkdir(parents=True)
    (tmp_path / "k/n/sess_known").write_bytes(PHP)
    storage = opened(f"fs:{tmp_path}?layout=php&depth=2")
    assert storage.read("known")["user"] == "alice"
    assert [entry.key for entry in storage.scan()] == ["k/n/sess_known"]


def test_life_on_server(redis_server: RedisServer) -> None:
    """What the server says about the end counts too, whichever is first."""
    redis_server.ask("SET", "sess:known", '{"cookie":{"path":"/","expires":null},"a":1}', "EX", 100)
    with opened(f"{redis_server.url}?layout=connect-redis") as storage:
        stored = storage.load("sess:known")
        assert stored is not None
        assert stored.expires_at is not None
        assert 90 < stored.expires_at - storage.clock() <= 100


def test_rack_private_id(redis_server: RedisServer) -> None:
    """Rack's stores name a session by its private ID, a hash of the one in the cookie."""
    private = f"2::{hashlib.sha256(b'public').hexdigest()}"
    redis_server.ask("SET", f"rack:session:{private}", b'\x04\x08{\x06I"\tuser\x06:\x06ETI"\nalice\x06;\x00T')
    with opened(f"{redis_server.url}?layout=rack-redis") as storage:
        assert dict(storage.read("public")) == {"user": "alice"}


def test_commands_refuse(run: Run, tmp_path: Path) -> None:
    """The commands that write end 2 and leave the store as it was."""
    store = tmp_path / "store"
    store.mkdir()
    (store / "sess_known0123456789abcdefghi").write_bytes(PHP)
    place = ["-s", f"fs:{store}?layout=php"]
    identity = ["--id", "known0123456789abcdefghi"]
    assert run("get", *identity, "user", *place).text == "alice"
    for words in (["set", *identity, "a=1"], ["create", "--set", "a=1"], ["destroy", *identity]):
        answer = run(*words, *place)
        assert answer.status == 2, words
    assert run("inspect", *identity, *place, "--json").json["data"] == {"user": "alice", "visits": 3}
    assert [path.name for path in store.iterdir()] == ["sess_known0123456789abcdefghi"]


def test_missing_session(run: Run, tmp_path: Path) -> None:
    """A cookie whose session is not in the store ends 1, and says which store was asked."""
    answer = run(
        "inspect",
        "sessionid=brz0bn6th4khpbcza4t7wnrph2ggxkoe",
        "-s",
        f"fs:{tmp_path}?layout=django-file",
        "--json",
    )
    assert answer.status == 1
    assert answer.json["found"] is False
    assert "layout=django-file" in answer.json["storage"]


def test_wrong_key_for_record(run: Run, tmp_path: Path) -> None:
    """A record that a key does not fit is shown, told to be altered, and ends 1."""
    row = next(case for case in record_cases() if case["id"] == "django-store-v61-file-basic")
    write_file(tmp_path, row)
    cookie = f"sessionid={id_of(row)}"
    answer = run("inspect", cookie, "-s", f"fs:{tmp_path}?layout=django-file", "--secret", "other", "--json")
    assert answer.status == 1
    assert answer.json["record"]["signature"]["status"] == "invalid"
    assert "record-signature" in [warning["code"] for warning in answer.json["warnings"]]


def test_encrypted_without_key(run: Run, tmp_path: Path) -> None:
    """An encrypted record without its key is found, and what is missing is said."""
    row = next(case for case in record_cases() if case["id"] == "laravel8-session-file-encrypted-php")
    write_file(tmp_path, row)
    answer = run(
        "inspect", f"laravel_session={id_of(row)}", "-s", f"fs:{tmp_path}?layout=laravel-file", "--json"
    )
    assert answer.json["found"] is True
    assert "no-key" in [warning["code"] for warning in answer.json["warnings"]]


BEAKER_COOKIE = "beaker.session.id=e72f4775c1bcc193416c9ffb7bcd273285bae561901849e3267340079911c9b4bd51e276"
BEAKER_RECORD = (
    "gASV5QAAAAAAAAB9lIwHc2Vzc2lvbpSM1HN5cDMxOGdaRThPQTZabTFmSmkvRGc9PWdIVmthdmRnUjBkenlkYlJVOSs2QkJpUGNWNHZodnhGR1hZ"
    "SWxZeHhNOXZtdEVJd3BOclYzdWJNaDlLWUI0MkVYYUN2M3VoRFdoSEhSZzJLcC9BbEpUN2lVS3oya01Hb1ZLWmpTZ2NTaXdKVUgzT1hUd1hoWDY0"
    "VXJ4L0EzdDlLbUhWcVJJSEtpR280MFFBb2RKTjNtK3dZVkN4RER6bWt0YktkOWx4S2RLL21KUnFqdEhnZjFVeWk5QkI3lHMu"
)
"""By Beaker 1.14.1: `type=file` with a secret, a validate_key and an encrypt_key."""


@pytest.mark.parametrize("keys", [("sec", "val", "enc"), ("val", "enc", "sec"), ("old", "sec", "val", "enc")])
def test_three_keys_of_beaker(run: Run, tmp_path: Path, keys: tuple[str, ...]) -> None:
    """The secret signs the ID in the cookie, a pair of keys opens the record: all are given together."""
    name = BEAKER_COOKIE[-32:]
    file = tmp_path / "container_file" / name[:1] / name[:2] / f"{name}.cache"
    file.parent.mkdir(parents=True)
    file.write_bytes(base64.b64decode(BEAKER_RECORD))
    words = [f"--secret={key}" for key in keys]
    answer = run("inspect", "--json", "-s", f"fs:{tmp_path}?layout=beaker", *words, "--", BEAKER_COOKIE)
    assert answer.status == 0
    assert answer.json["signature"]["key_index"] == keys.index("sec")
    assert answer.json["data"]["a"] == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("2029240f6d1128be89ddc32729463129", b"J\x03\x00\x00\x00.\x80\x02K\x03."),
        ("79bc207ee04a581ab2348ca1f3494e64cd0ec36128735b8c6bc85ddd8fe1938c", b"\0\0\0\0\x80\x05K\x03."),
    ],
    ids=["Werkzeug 0.16.1, MD5", "cachelib 0.17, SHA-256"],
)
def test_the_count_of_a_cache_is_no_session(run: Run, tmp_path: Path, name: str, content: bytes) -> None:
    """The file in which a cache counts its files is not taken for a session that cannot be read."""
    (tmp_path / name).write_bytes(content)
    for layout in ("cachelib", "flask-session"):
        assert run("list", "--json", "-s", f"fs:{tmp_path}?layout={layout}").out == ""


@pytest.mark.parametrize("layout", layouts.every(), ids=lambda layout: layout.name)
def test_every_name_is_taken_apart(layout: layouts.Layout) -> None:
    """What a rule makes of an ID it takes apart again, so that a scan finds what a look-up does."""
    ids = ["a" * 40, "A" * 52, "0" * 32, "brz0bn6th4khpbcza4t7wnrph2ggxkoe", "a" * 16]
    for rule in (layout.files, layout.servers):
        if rule is not None:
            found = {rule.id_of(name) for each in ids for name in rule.names(each)}
            assert found & {*ids, ""}, layout.name


@pytest.mark.parametrize(
    ("name", "in_files", "on_redis", "on_memcached"),
    [
        ("express", "express-file", "connect-redis", "connect-memcached"),
        ("django", "django-file", "django-cache", "django-cache"),
        ("laravel", "laravel-file", "laravel-redis", "laravel-redis"),
    ],
)
def test_a_framework_name_goes_by_the_place(
    tmp_path: Path, name: str, in_files: str, on_redis: str, on_memcached: str
) -> None:
    """A framework that has a layout for each place is opened by the one that lies there."""
    places = {f"fs:{tmp_path}": in_files, "redis://h": on_redis, "memcached://h": on_memcached}
    for place, layout in places.items():
        with open_storage(f"{place}?layout={name}") as storage:
            assert isinstance(storage, LayoutStorage)
            assert storage.layout.name == layout


def test_id_that_looks_like_a_cookie(run: Run, tmp_path: Path) -> None:
    """A bare ID that another format would claim is still looked up in the store that was named."""
    identity = "rca5s8h9onui1egclkj800rfjb"
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / f"session-{identity}").write_bytes(b'{"a":1}')
    place = f"fs:{tmp_path}/store?layout=starsessions&prefix=session-"
    assert run("inspect", f"PHPSESSID={identity}", "-s", place, "--json").json["data"] == {"a": 1}


def test_memcached_is_not_listed(memcached_server: MemcachedServer) -> None:
    """What cannot be listed says so, in place of an empty list."""
    with (
        opened(f"{memcached_server.url}?layout=connect-memcached") as storage,
        pytest.raises(NotSupportedError),
    ):
        list(storage.scan())
