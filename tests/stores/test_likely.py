"""Where no session of ours is met, another framework's are recognised, and the layout that opens them is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import open_storage
from sessionctl.fleet import examine
from sessionctl.stores.likely import LOOK, Likely, likely_layout
from tests.cli.conftest import Answer
from tests.servers import MemcachedServer
from tests.stores.test_layouts import layout_of, of_store, prefix_of, write_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import RedisServer

Run = Callable[..., Answer]

NAMELESS = {"starsessions-v1-redis-basic", "starsessions-v1-redis-rich"}
"""Whose key is a bare ID, and whose record any framework could write."""


def is_usual(case: Any) -> bool:
    """Whether the application left the names as the framework has them."""
    row = case.values[0]
    return not prefix_of(row) and row["id"] not in NAMELESS


def rows_of(store: str) -> list[Any]:
    return list(filter(is_usual, of_store(store)))


def set_record(server: RedisServer, row: dict[str, Any]) -> None:
    """The one key of a server."""
    from tests.stores.cases import content_of

    server.ask("FLUSHALL")
    server.ask("SET", row["key"], content_of(row), "EX", 1000)


@pytest.mark.parametrize("row", rows_of("file"))
def test_files_of_every_framework(row: dict[str, Any], tmp_path: Path) -> None:
    """A file that a framework wrote tells its layout."""
    write_file(tmp_path, row)
    found = likely_layout(open_storage(f"fs:{tmp_path}"))
    assert found == Likely(str(layout_of(row)), 1, 1, all_seen=True)


@pytest.mark.parametrize("row", rows_of("redis"))
def test_keys_of_every_framework(row: dict[str, Any], redis_server: RedisServer) -> None:
    """A key of Redis that a framework wrote tells its layout."""
    set_record(redis_server, row)
    with open_storage(redis_server.url) as storage:
        assert likely_layout(storage) == Likely(str(layout_of(row)), 1, 1, all_seen=True)


def test_what_is_no_session(tmp_path: Path, redis_server: RedisServer) -> None:
    """Files and keys of something else are nobody's sessions."""
    (tmp_path / "package.json").write_text('{"name": "app"}')
    (tmp_path / "sess_notes").write_text("[to do] | later")
    redis_server.ask("FLUSHALL")
    redis_server.ask("SET", "sess:lock", "1")
    redis_server.ask("SET", "cache:page:1", '{"cookie": "no"}')
    redis_server.ask("LPUSH", "sess:queue", "1")
    with open_storage(redis_server.url) as storage:
        assert likely_layout(storage) is None
    assert likely_layout(open_storage(f"fs:{tmp_path}")) is None
    assert likely_layout(open_storage(f"fs:{tmp_path}/missing")) is None


def test_ours_is_ours(tmp_path: Path, redis_server: RedisServer) -> None:
    """Where one session of ours lies nothing is said of the others, under whatever prefix it is."""
    set_record(redis_server, of_store("redis")[0].values[0])
    for url in (f"fs:{tmp_path}", redis_server.url, f"{redis_server.url}?prefix=myapp:"):
        with open_storage(url) as storage:
            session = storage.read(None)
            session.set("userId", "mj")
            storage.save(session)
            assert likely_layout(storage) is None


@pytest.mark.parametrize(
    ("there", "asked", "found"),
    [
        ("", "prefix=myapp:", "session:"),
        ("prefix=shop_", "", "shop_"),
        ("prefix=a:b:", "prefix=a:", None),
        ("prefix=a:b:", "prefix=b:", "a:b:"),
    ],
    ids=["not the usual", "not its own", "a longer one", "a shorter one"],
)
@pytest.mark.parametrize(
    "session_id", [None, "5f0c3e6e-7d0e-4f5c-9d5e-0a1b2c3d4e5f"], ids=["ours", "Remix's"]
)
def test_ours_under_another_prefix_in_redis(
    redis_server: RedisServer, there: str, asked: str, found: str | None, session_id: str | None
) -> None:
    """Our own sessions under another prefix are no other framework's, and the prefix is named."""
    redis_server.ask("FLUSHALL")
    redis_server.ask("SET", "cache:page", "{}")
    saved(f"{redis_server.url}?unknown_ids=reuse&{there}", session_id)
    with open_storage(f"{redis_server.url}?{asked}") as storage:
        expected = None if found is None else Likely("", 1, 2, all_seen=True, prefix=found)
        assert likely_layout(storage) == expected


def saved(url: str, session_id: str | None = None) -> None:
    with open_storage(url) as storage:
        session = storage.read(session_id)
        session.set("userId", "mj")
        storage.save(session)


def test_ours_under_another_prefix_elsewhere(tmp_path: Path) -> None:
    """So it is of files and of Memcached, where names have hashes; a record that is none of ours tells nothing."""
    server = MemcachedServer(tmp_path)
    server.start()
    try:
        for place in (f"fs:{tmp_path}/store", server.url):
            saved(f"{place}?prefix=shop-")
            with open_storage(f"{place}?prefix=nobody-") as storage:
                assert likely_layout(storage) == Likely("", 1, 1, all_seen=True, prefix="shop-")
    finally:
        server.kill()
    next((tmp_path / "store").glob("*/*")).write_text('{"cookie": {}}')
    with open_storage(f"fs:{tmp_path}/store") as storage:
        assert likely_layout(storage) is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("list", "but 1 session lies under another prefix: give prefix=session: in the URL"),
        ("destroy --where a=1", "but 1 session lies under another prefix: give prefix=session: in the URL"),
        ("get --id x a", "has no session under its prefix, but others lie there under 'session:'"),
        ("doctor", "note: other-prefix (1)"),
    ],
)
def test_a_wrong_prefix_is_told(run: Run, redis_server: RedisServer, command: str, said: str) -> None:
    """Who gives a prefix under which nothing lies learns which there is."""
    redis_server.ask("FLUSHALL")
    run("create", "--set", "a=1", "-s", f"{redis_server.url}?ttl=1d")
    answer = run(*command.split(), "-s", f"{redis_server.url}?prefix=nobody:&ttl=1d")
    assert said in answer.err + answer.out
    assert "sanic" not in answer.err + answer.out


def test_the_look_is_bounded(redis_server: RedisServer) -> None:
    """Of many keys the first are looked at, and the hint says so."""
    record = json.dumps({"cookie": {"originalMaxAge": 1000, "path": "/"}, "user_id": "mj"})
    redis_server.ask("FLUSHALL")
    with redis_server.client() as client:
        client.mset({f"sess:{number:032}": record for number in range(2 * LOOK)})
        before = client.info("commandstats")
        with open_storage(redis_server.url) as storage:
            found = likely_layout(storage)
        after = client.info("commandstats")
    assert found == Likely("connect-redis", LOOK, LOOK, all_seen=False)
    assert after["cmdstat_scan"]["calls"] - before.get("cmdstat_scan", {"calls": 0})["calls"] <= LOOK // 50


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "memcached://127.0.0.1:1"])
def test_a_down_server_is_not_judged(url: str) -> None:
    """Nothing is raised where the look fails."""
    with open_storage(url) as storage:
        assert likely_layout(storage) is None


EXPRESS = "look like connect-redis: add ?layout=connect-redis"
CHANGES = "look like connect-redis: another framework's store is read (?layout=connect-redis), never changed"


@pytest.fixture
def express(redis_server: RedisServer) -> str:
    """A Redis that holds what express-session left there."""
    rows = [case.values[0] for case in rows_of("redis") if layout_of(case.values[0]) == "connect-redis"]
    from tests.stores.cases import content_of

    redis_server.ask("FLUSHALL")
    for row in rows:
        redis_server.ask("SET", row["key"], content_of(row), "EX", 1000)
    return redis_server.url


@pytest.mark.parametrize(
    ("command", "out", "hint"),
    [
        ("list", "", EXPRESS),
        ("list --json --where userId=42", "", EXPRESS),
        ("stats", "{url}: 0 sessions, 0 bytes\n", EXPRESS),
        ("watch --where userId=42 --for 0s", "", EXPRESS),
        ("copy {url} fs:{tmp}/copy -q", "", None),
        ("destroy --where userId=42", "0\n", CHANGES),
        ("destroy --where userId=42 -q", "0\n", None),
        ("destroy --where userId=42 --json", None, CHANGES),
        ("set --where userId=42 role=admin", "0\n", CHANGES),
        ("purge --older-than 30d --expired -q", "", None),
        ("purge --expired --json", None, CHANGES),
    ],
)
def test_commands(
    run: Run, express: str, tmp_path: Path, command: str, out: str | None, hint: str | None
) -> None:
    """What met nothing of ours says whose sessions lie there, on stderr alone, and ends as it did."""
    words = command.format(url=express, tmp=tmp_path).split()
    answer = run(*words, *([] if words[0] == "copy" else ["-s", f"{express}?ttl=30d"]))
    assert answer.status == 0
    assert out is None or answer.out == out.format(url=express)
    if hint is None:
        assert answer.err == ""
    else:
        assert f"no session of sessionctl's here, but 4 entries {hint}" in answer.err


def test_copy_and_export(run: Run, express: str, tmp_path: Path) -> None:
    """Moving nothing says the same, and with the layout named it moves them."""
    assert EXPRESS in run("copy", express, f"fs:{tmp_path}/copy").err
    assert EXPRESS in run("export", "-", "-s", express).err
    copied = run("copy", f"{express}?layout=connect-redis", f"fs:{tmp_path}/copy?ttl=30d", "--json")
    assert copied.json["matched"] == 4
    assert copied.json["written"] + copied.json["expired"] == 4


def test_doctor(run: Run, express: str) -> None:
    """The doctor's note names the layout, and the command that lists what is there."""
    with open_storage(express) as storage:
        (found,) = [finding for finding in examine(storage) if finding.code == "other-framework"]
    assert (found.severity, found.count) == ("note", 4)
    assert found.command == f"sessionctl list -s '{express}?layout=connect-redis'"
    listed = run("list", "--json", "-s", f"{express}?layout=connect-redis")
    assert len(listed.out.splitlines()) == 4


def test_records_under_our_prefix_are_not_to_be_destroyed(run: Run, redis_server: RedisServer) -> None:
    """Flask-Session's keys begin as ours: its sessions are named as its own, not as broken ones of ours."""
    row = next(case.values[0] for case in rows_of("redis") if layout_of(case.values[0]) == "flask-session")
    set_record(redis_server, row)
    with open_storage(redis_server.url) as storage:
        codes = [finding.code for finding in examine(storage)]
    assert "other-framework" in codes
    assert "corrupt" not in codes
    answer = run("destroy", "--where", "user_id=mj", "-s", redis_server.url)
    assert "1 entry looks like flask-session: another framework's store is read" in answer.err


@pytest.mark.parametrize(
    "command", ["purge --older-than 1s", "purge --expired", "destroy --corrupt", "set --where a b=1"]
)
def test_a_sweep_spares_records_under_our_prefix(run: Run, redis_server: RedisServer, command: str) -> None:
    """What another framework keeps where ours would lie is refused before anything is deleted or changed."""
    row = next(case.values[0] for case in rows_of("redis") if layout_of(case.values[0]) == "flask-session")
    set_record(redis_server, row)
    url = f"{redis_server.url}?ttl=40d"
    answer = run(*command.split(), "-s", url)
    assert (answer.status, answer.out) == (2, "")
    assert "under the prefix 'session:', but 1 entry looks like flask-session" in answer.err
    stats = run("stats", "-s", url)
    assert "1 corrupt" in stats.out
    assert "add ?layout=flask-session" in stats.err
    run("create", "--set", "a=1", "-s", url)
    assert run("destroy", "--where", "a=1", "-s", url).out == "1\n"


@pytest.mark.parametrize(
    "command", ["list", "list --data --json", "watch --for 0s", "watch --where a=1 --for 0s"]
)
def test_what_only_looks_names_the_owner(run: Run, redis_server: RedisServer, command: str) -> None:
    """Who lists or watches another framework's sessions under our own prefix is told so; of our own nothing is said."""
    row = next(case.values[0] for case in rows_of("redis") if layout_of(case.values[0]) == "flask-session")
    set_record(redis_server, row)
    answer = run(*command.split(), "-s", redis_server.url)
    assert answer.status == 0
    assert answer.err.count("1 entry looks like flask-session: add ?layout=flask-session") == 1
    assert run(*command.split(), "-s", redis_server.url, "-q").err == ""
    redis_server.ask("FLUSHALL")
    run("create", "--set", "a=1", "-s", redis_server.url)
    assert "looks like" not in run(*command.split(), "-s", redis_server.url).err


def test_a_sweep_spares_the_few_among_many(run: Run, redis_server: RedisServer) -> None:
    """However much else lies on the server, what lies under our prefix is looked at."""
    row = next(case.values[0] for case in rows_of("redis") if layout_of(case.values[0]) == "flask-session")
    set_record(redis_server, row)
    redis_server.ask("EVAL", "for i = 1, 20000 do redis.call('SET', 'cache:' .. i, 1) end", "0")
    answer = run("purge", "--older-than", "1s", "-s", f"{redis_server.url}?ttl=40d")
    redis_server.ask("FLUSHALL")
    assert answer.status == 2
    assert "1 entry looks like flask-session" in answer.err


@pytest.mark.parametrize("command", ["doctor", "destroy --where a=1", "purge --older-than 1d"])
def test_a_directory_of_another_framework(run: Run, tmp_path: Path, command: str) -> None:
    """Where a directory is refused, whose it is is said there."""
    row = next(case.values[0] for case in rows_of("file") if layout_of(case.values[0]) == "django-file")
    write_file(tmp_path / "store", row)
    answer = run(*command.split(), "-s", f"fs:{tmp_path}/store")
    assert answer.status == 2
    assert (
        "its only entry is no directory of two hexadecimal digits; 1 entry looks like django-file"
        in answer.err
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("list", "sessionctl: no session of php here, but 1 entry looks like django-file: give ?layout=django-file\n"),
        ("stats", "no session of php here, but 1 entry looks like django-file"),
        ("inspect sessionid=gn9cik6uaeoto3m4oki7xbe8bk3byw5t", "no such session, but 1 entry looks like django-file"),
        ("doctor", "note: other-framework (1): another framework's sessions, of django-file"),
    ],
)  # fmt: skip
def test_a_wrong_layout(run: Run, tmp_path: Path, command: str, said: str) -> None:
    """Where nothing is of the layout that was named, what lies there is told as where none was."""
    row = next(case.values[0] for case in rows_of("file") if layout_of(case.values[0]) == "django-file")
    write_file(tmp_path, row)
    answer = run(*command.split(), "-s", f"fs:{tmp_path}?layout=php")
    assert said in " ".join((answer.out + answer.err).split()) + "\n"
    right = run(*command.split(), "-s", f"fs:{tmp_path}?layout=django-file")
    assert "looks like" not in right.out + right.err


@pytest.mark.parametrize("asked", ["connect-redis", "connect-memcached", "gorilla"])
def test_a_wrong_layout_on_redis(run: Run, express: str, asked: str) -> None:
    """So it is of keys; where the records are of the layout's kind but not under its names, the right one is named."""
    answer = run("list", "-s", f"{express}?layout={asked}")
    assert (answer.out == "") is (asked != "connect-redis")
    told = f"no session of {asked} here, but 4 entries look like connect-redis: give ?layout=connect-redis"
    assert (told in answer.err) is (asked != "connect-redis")


SHOP = "1 entry under shop: looks like connect-redis: "
EXPRESS_ID = "cpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx"
EXPRESS_COOKIE = f"connect.sid=s%3A{EXPRESS_ID}.GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38"


@pytest.fixture
def shop(redis_server: RedisServer) -> str:
    """A Redis with a cache, and one session of express-session under a prefix of the application's own."""
    redis_server.ask("FLUSHALL")
    redis_server.ask("SET", "cache:page:1", '{"a": 1}')
    redis_server.ask(
        "SET", f"shop:{EXPRESS_ID[::-1]}", '{"cookie": {"path": "/", "originalMaxAge": 1}, "user": "mj"}'
    )
    return redis_server.url


@pytest.mark.parametrize(
    ("query", "asked", "hint"),
    [
        ("?layout=connect-redis", ["sess:cpg6…"], f"{SHOP}give prefix=shop:"),
        ("", ["session:cpg6…", "sess:cpg6…", "cpg6…"], f"{SHOP}add ?layout=connect-redis&prefix=shop:"),
        ("?layout=sanic", ["session:cpg6…"], f"{SHOP}give ?layout=connect-redis&prefix=shop:"),
        ("?layout=connect-redis&prefix=shop:", ["shop:cpg6…"], "it may be the wrong store"),
    ],
)
def test_what_was_asked(run: Run, shop: str, query: str, asked: list[str], hint: str) -> None:
    """Where a session is not found, the keys that were asked are shown, never a whole ID, and a better prefix."""
    words = ["inspect", EXPRESS_COOKIE, "--secret", "s3cr3t", "-s", f"{shop}{query}"]
    answer, told = run(*words), run(*words, "--json").json
    assert (answer.status, told["found"], told["asked"]) == (1, False, asked)
    assert f"asked    {', '.join(asked)}\n" in answer.out
    assert EXPRESS_ID not in answer.out
    assert f"NOT FOUND in {shop}{query} (-s)" in answer.out
    assert hint in " ".join(answer.out.split())


def test_an_empty_database(run: Run, redis_server: RedisServer) -> None:
    """Where nothing lies at all, that is said."""
    redis_server.ask("FLUSHALL")
    for query in ("", "?layout=connect-redis"):
        answer = run("inspect", EXPRESS_COOKIE, "--secret", "s3cr3t", "-s", f"{redis_server.url}{query}")
        assert "nothing at all lies there; is it the right server and database?" in " ".join(
            answer.out.split()
        )


def test_names_that_are_hashes_are_whole(run: Run, tmp_path: Path) -> None:
    """Of files whose names have a hash of the ID the whole name is shown."""
    cookie = run("create", "--set", "a=1", "-s", f"fs:{tmp_path}/a", "--secret", "k").text
    (tmp_path / "b").mkdir()
    (asked,) = run("inspect", cookie, "-s", f"fs:{tmp_path}/b", "--secret", "k", "--json").json["asked"]
    assert (tmp_path / "a" / asked).is_file()
    found = run("inspect", cookie, "-s", f"fs:{tmp_path}/a", "--secret", "k", "--json").json
    assert (found["found"], found["asked"]) == (True, [])


def test_the_usual_prefix_where_another_was_given(run: Run, express: str) -> None:
    """Who gives a prefix though the sessions lie under the framework's own is told of that."""
    answer = run("list", "-s", f"{express}?layout=connect-redis&prefix=nobody:")
    assert "4 entries under sess: look like connect-redis: give prefix=sess:" in answer.err


def test_doctor_of_a_layout_asks_the_server(run: Run, express: str) -> None:
    """What is wrong with a server is said of another framework's sessions on it too."""
    codes = {json.loads(line)["code"] for line in run("doctor", "--json", "-s", express).out.splitlines()}
    of_layout = run("doctor", "--json", "-s", f"{express}?layout=connect-redis")
    assert codes - {"other-framework"} == {"not-persistent"}
    assert json.loads(of_layout.out.splitlines()[0])["code"] == "not-persistent"
    assert of_layout.status == 1


def test_age_by_ttl(run: Run, express: str) -> None:
    """With `ttl` the server's expiry tells the age of another framework's session; without, that is asked for."""
    url = f"{express}?layout=connect-redis"
    assert len(run("list", "--json", "--older-than", "1h", "-s", f"{url}&ttl=2h").out.splitlines()) == 4
    assert run("list", "--older-than", "3h", "-s", f"{url}&ttl=2h").out == ""
    refused = run("list", "--older-than", "1h", "-s", url)
    assert (refused.status, "tells no age without ttl" in refused.err) == (2, True)
