"""Sessions move with their IDs and the life left, and a run can be repeated."""

from __future__ import annotations

import io
import json
import os
import random
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import MalformedError, NotSupportedError, UsageError
from sessionctl.fleet import Selection, copy, export, import_, parse_where
from sessionctl.fleet.compressed import reading, writing
from sessionctl.storage.base import RecordStorage
from tests.fleet.conftest import DAY, add, opened, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Stores = dict[str, RecordStorage]


@pytest.fixture
def stores(request: pytest.FixtureRequest, tmp_path: Path, unique_prefix: str) -> Iterator[Stores]:
    """An empty store of files, Redis and Memcached, whose sessions live 10 days."""
    places = {"fs": "fs", "redis": "redis_server", "memcached": "memcached_server", "fs2": "fs"}
    made = {
        name: opened(url_of(request, place, tmp_path, f"{name}-{unique_prefix}"), ttl=10 * DAY)
        for name, place in places.items()
    }
    yield made
    for store in made.values():
        store.close()


def life_left(store: RecordStorage, session_id: str) -> float:
    stored = store.peek(store.key_of(session_id))
    assert stored is not None
    end = store.expiry_of(stored)
    assert end is not None
    return end - time.time()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("fs", "fs2"),
        ("fs", "memcached"),
        ("memcached", "fs"),
        ("redis", "fs"),
        ("redis", "memcached"),
    ],
)
def test_copy(stores: Stores, source: str, target: str) -> None:
    """The records are the same bytes under the same ID, with the life that was left."""
    origin, place = stores[source], stores[target]
    for number in range(5):
        add(origin, f"id-{number}", age=number * DAY, userId=number, flash={"notice": "Grüße"})
    moved = copy(origin, place)
    assert (moved.matched, moved.written, moved.verified, moved.complete) == (5, 5, True, True)
    for number in range(5):
        name = f"id-{number}"
        there = place.peek(place.key_of(name))
        here = origin.peek(origin.key_of(name))
        assert there is not None
        assert here is not None
        assert there.text == here.text
        assert life_left(place, name) == pytest.approx((10 - number) * DAY, abs=3)
        assert place.read(name).get("userId") == number


CHAIN_SLACK = {"fs": 0.5, "memcached": 2.1, "fs2": 2.1}
"""Seconds by which a life may differ after each step: milliseconds, then Memcached's whole seconds, twice rounded."""


def test_a_chain_of_copies_keeps_records_and_lives(stores: Stores) -> None:
    """Redis to files to Memcached to files: 1,000 records are the same bytes, and each ends when it would have."""
    origin = stores["redis"]
    fractions = random.Random(6)
    for number in range(1000):
        add(
            origin, f"id-{number}", age=fractions.uniform(0, 9.9 * DAY), userId=number, flash={"notice": "hi"}
        )
    wanted = {
        origin.hash_of(entry.key): (origin.load(entry.key), entry.expires_at) for entry in origin.scan()
    }
    source = origin
    for name, slack in CHAIN_SLACK.items():
        moved = copy(source, stores[name])
        assert (moved.written, moved.verified, moved.complete) == (1000, True, True)
        source = stores[name]
        there = {
            source.hash_of(entry.key): (source.load(entry.key), entry.expires_at) for entry in source.scan()
        }
        assert there.keys() == wanted.keys()
        for digest, (record, ends) in wanted.items():
            found, end = there[digest]
            assert found is not None
            assert record is not None
            assert found.text == record.text
            assert end == pytest.approx(ends, abs=slack)


def test_copy_to_another_redis(redis_server: Any, unique_prefix: str) -> None:
    """Between two stores of Redis the ID travels, whatever it is."""
    with (
        opened(f"{redis_server.url}?prefix={unique_prefix}1:", ttl=DAY) as origin,
        opened(f"{redis_server.url}?prefix={unique_prefix}2:") as place,
    ):
        add(origin, "Grüße/ *[x]", a=1)
        assert copy(origin, place).written == 1
        assert place.read("Grüße/ *[x]").get("a") == 1
        assert life_left(place, "Grüße/ *[x]") == pytest.approx(DAY, abs=3)


def test_copy_from_another_framework(redis_server: Any, tmp_path: Path, unique_prefix: str) -> None:
    """Sessions of connect-redis become sessions here under the same ID, with the life left."""
    redis_server.ask("SET", f"{unique_prefix}abc", '{"cookie":{"path":"/"},"userId":42}', "EX", 5000)
    place = opened(f"fs:{tmp_path}/from-express", ttl=DAY)
    with opened(f"{redis_server.url}?layout=connect-redis&prefix={unique_prefix}") as origin:
        assert copy(origin, place).written == 1
    assert place.read("abc").get("userId") == 42
    assert life_left(place, "abc") == pytest.approx(5000, abs=3)


@pytest.mark.parametrize("source", ["fs", "memcached"])
def test_hashes_do_not_go_to_redis(stores: Stores, source: str) -> None:
    """What keeps only a hash of the ID is refused where the ID is needed, and the reason is told."""
    add(stores[source], "a")
    with pytest.raises(NotSupportedError, match="SHA-256"):
        copy(stores[source], stores["redis"])


def test_second_run_skips(stores: Stores) -> None:
    """What is the same is skipped; what differs is kept unless it may be overwritten."""
    origin, place = stores["fs"], stores["fs2"]
    for number in range(4):
        add(origin, f"id-{number}", age=2 * DAY, n=number)
    copy(origin, place)
    add(origin, "id-new", n=9)
    session = origin.read("id-0")
    session.set("n", "changed at the source")
    origin.save(session)
    again = copy(origin, place)
    assert (again.written, again.same, again.kept) == (1, 3, 1)
    assert copy(origin, place, overwrite="older").written == 1
    assert place.read("id-0").get("n") == "changed at the source"
    session = place.read("id-1")
    session.set("n", "changed at the target")
    place.save(session)
    assert copy(origin, place, overwrite="older").kept == 1
    assert copy(origin, place, overwrite="always").written == 1
    assert place.read("id-1").get("n") == 1


def test_selection_and_dry_run(stores: Stores) -> None:
    """Only what is meant travels, and in a dry run nothing does."""
    add(stores["fs"], "a", role="admin")
    add(stores["fs"], "b")
    chosen = Selection(where=(parse_where("role=admin"),))
    assert copy(stores["fs"], stores["fs2"], chosen, dry_run=True).written == 1
    assert list(stores["fs2"].scan()) == []
    assert copy(stores["fs"], stores["fs2"], chosen).written == 1


def test_expired_and_corrupt_stay(stores: Stores) -> None:
    """What has no life left does not travel; what cannot be read is told, and the rest goes on."""
    origin = stores["fs"]
    add(origin, "expired", age=11 * DAY)
    add(origin, "good")
    Path(origin.location_of(add(origin, "torn"))).write_text("[{")
    moved = copy(origin, stores["fs2"])
    assert (moved.written, moved.expired, moved.unreadable, moved.exit_status) == (1, 1, 1, 3)


def test_what_expired_in_the_target_is_replaced(stores: Stores) -> None:
    """A record whose life ran out there is none, be it another session's or the same bytes."""
    origin, place = stores["fs"], stores["fs2"]
    for name, value in (("same", 1), ("other", 2)):
        add(origin, name, userId=1)
        add(place, name, age=11 * DAY, userId=value)
    moved = copy(origin, place)
    assert (moved.written, moved.same, moved.kept, moved.verified) == (2, 0, 0, True)
    assert [place.read(name).get("userId") for name in ("same", "other")] == [1, 1]


def test_a_life_that_would_be_lost_is_told(stores: Stores, tmp_path: Path) -> None:
    """Files without ttl end nothing: sessions that had an end are counted as endless."""
    add(stores["redis"], "a")
    assert copy(stores["redis"], opened(f"fs:{tmp_path}/endless")).endless == 1


def exported(store: RecordStorage, **options: Any) -> bytes:
    out = io.BytesIO()
    export(store, out, **options)
    return out.getvalue()


@pytest.mark.parametrize(("source", "target"), [("redis", "fs"), ("fs", "memcached"), ("redis", "redis")])
def test_export_and_import(
    stores: Stores, source: str, target: str, redis_server: Any, unique_prefix: str
) -> None:
    """What was exported is imported with the same values, ID and life."""
    origin = stores[source]
    values = {"text": "Grüße \u2028", "n": 1.0, "big": 2**53, "deep": {"a": [None, True]}}
    add(origin, "a", age=DAY, flash={"f": 1}, **values)
    lines = exported(origin).splitlines(keepends=True)
    assert [len(lines), json.loads(lines[0])["sessionctl"], json.loads(lines[-1])["sessions"]] == [
        3,
        "export",
        1,
    ]
    with opened(f"{redis_server.url}?prefix=other-{unique_prefix}", ttl=10 * DAY) as other:
        place = other if target == "redis" else stores[target]
        moved = import_(place, lines)
        assert (moved.written, moved.complete, moved.problems, moved.exit_status) == (1, True, [], 0)
        session = place.read("a")
        assert (session.data[0], session.flashed) == (values, {"f": 1})
        assert life_left(place, "a") == pytest.approx(9 * DAY, abs=3)


def test_time_of_creation_travels(tmp_path: Path) -> None:
    """What `lifetime` counts from is exported and imported to the millisecond."""
    origin = opened(f"fs:{tmp_path}/a", lifetime=DAY)
    place = opened(f"fs:{tmp_path}/b", lifetime=DAY)
    key = add(origin, "a", n=1)
    import_(place, exported(origin).splitlines(keepends=True))
    here, there = origin.load(key), place.load(key)
    assert here is not None
    assert there is not None
    assert here.text == there.text


def test_torn_export(stores: Stores) -> None:
    """A torn last line is told, and the rest is imported."""
    for number in range(3):
        add(stores["fs"], f"id-{number}", n=number)
    data = exported(stores["fs"])
    torn = data[: data.rindex(b'{"id"') + 30]
    moved = import_(stores["fs2"], torn.splitlines(keepends=True))
    assert (moved.written, moved.complete, moved.exit_status) == (2, False, 3)
    assert "line 4" in moved.problems[0]
    assert "ends early" in moved.problems[0]


def test_missing_lines_are_told(stores: Stores) -> None:
    """Lines that were taken out, or changed, do not go unnoticed."""
    for number in range(3):
        add(stores["fs"], f"id-{number}", n=number)
    lines = exported(stores["fs"]).splitlines(keepends=True)
    assert "counts 3" in import_(stores["fs2"], [*lines[:2], lines[-1]]).problems[0]
    assert "no last line" in import_(stores["fs2"], lines[:-1]).problems[0]


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b"{}\n",
        b"nonsense\n",
        b'{"id":"a","values":[]}\n',
        b'{"id":7,"values":{}}\n',
        b'{"hash":"../../etc/passwd","values":{}}\n',
        b'{"id":"a","hash":"00","values":{}}\n',
        b'{"id":"a","values":{},"modified_at":"yesterday"}\n',
        b'{"id":"a","values":{},"expires_at":5}\n',
        b"\xff\xfe\n",
    ],
)
def test_bad_line(stores: Stores, line: bytes) -> None:
    """A line that is no session is told by its number, and the next is imported."""
    add(stores["fs"], "a", n=1)
    head, good, trailer = exported(stores["fs"]).splitlines(keepends=True)
    moved = import_(stores["fs2"], [head, line, good, trailer])
    assert (moved.written, moved.unreadable) == (1, 1)
    assert "line 2" in moved.problems[0]


@pytest.mark.parametrize("first", [b"", b"nonsense\n", b"{}\n", b"[]\n"])
def test_no_export(stores: Stores, first: bytes) -> None:
    """What does not begin as an export cannot be read."""
    with pytest.raises(MalformedError):
        import_(stores["fs"], [first] if first else [])


def test_hashes_are_not_imported_into_redis(stores: Stores) -> None:
    """An export of files holds no IDs, which Redis needs."""
    add(stores["fs"], "a")
    with pytest.raises(NotSupportedError):
        import_(stores["redis"], exported(stores["fs"]).splitlines(keepends=True))


def test_redaction(stores: Stores) -> None:
    """Redacted values, IDs and hashes are nowhere in the export, and it cannot be imported."""
    add(stores["redis"], "private-id", email="a@b.c", user={"name": "Mary", "n": 1}, flash={"code": "s3cret"},
        list=[{"name": "Ann"}])  # fmt: skip
    data = exported(stores["redis"], redact=["email", "user.name", "flash.code", "list.name"])
    key = stores["redis"].hash_of(stores["redis"].key_of("private-id"))
    for word in (b"a@b.c", b"Mary", b"s3cret", b"private-id", b"Ann", key.encode()):
        assert word not in data
    assert b'"n":1' in data
    with pytest.raises(UsageError, match="redacted"):
        import_(stores["redis"], data.splitlines(keepends=True))
    assert b"Mary" not in exported(stores["redis"], redact=["*"])


def test_redaction_hides_every_place(stores: Stores) -> None:
    """What a path may mean is hidden wherever it lies: keys with dots, flash of the same name, items of lists."""
    add(stores["redis"], "i", a={"x": 1, "b": {"c": "s3cret1"}}, **{"a.b": {"c": "s3cret2"}, "a.b.c": "s3cret3"},
        list=[{"b": "s3cret4"}], flash={"a.b.c": "s3cret5", "flash": {"x": "s3cret6"}}, flesh={"x": 1})  # fmt: skip
    data = exported(stores["redis"], redact=["a.b.c", "list.0", "flash.x"])
    assert b"s3cret" not in data
    assert b'"x":1' in data
    assert b'"list":[' in exported(stores["redis"], redact=[f"list.{'9' * 5000}"])


@pytest.mark.parametrize("name", ["x.ndjson", "x.ndjson.gz", "x.ndjson.zst"])
def test_files(tmp_path: Path, name: str) -> None:
    """A file is compressed by its ending, private, and read back whatever it is called."""
    if name.endswith(".zst"):
        pytest.importorskip("zstandard")
    path = tmp_path / name
    lines = [f"line {number}\n".encode() for number in range(1000)]
    with writing(str(path)) as out:
        for line in lines:
            out.write(line)
    assert path.stat().st_mode & 0o777 == 0o600
    other = path.rename(tmp_path / "no-ending")
    with reading(str(other)) as source:
        assert list(source) == lines


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    """A FIFO, as a shell's `>(...)`, gets the bytes and stays one; a link is followed."""
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(tmp_path / "target")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    for path in (fifo, link):
        with writing(str(path)) as out:
            out.write(b"x")
    assert os.read(reader, 2) == b"x"
    os.close(reader)
    assert fifo.is_fifo()
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_a_failed_export_leaves_no_file(tmp_path: Path) -> None:
    """A file takes its name only when it is whole."""
    with pytest.raises(TypeError), writing(str(tmp_path / "x.gz")) as out:
        out.write("text, which no binary file takes")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_torn_compressed_file(stores: Stores, tmp_path: Path, ending: str) -> None:
    """Of a compressed file that breaks off, what can be read is imported, and the rest is told."""
    if ending == "zst":
        pytest.importorskip("zstandard")
    for number in range(600):
        add(stores["fs"], f"id-{number}", text=secrets.token_hex(300))
    path = tmp_path / f"x.{ending}"
    with writing(str(path)) as out:
        export(stores["fs"], out)
    path.write_bytes(path.read_bytes()[:-200])
    with reading(str(path)) as lines:
        moved = import_(stores["fs2"], lines)
    assert not moved.complete
    assert moved.problems
    assert 0 < moved.written < 600


def test_a_full_disk_is_told_with_the_file() -> None:
    """What cannot be written names its file, though the system says no more than that there is no room."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"), writing("/dev/full") as out:
        out.write(b"x" * 100_000)


@pytest.mark.parametrize(
    "start", [b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x28\xb5\x2f\xfd"], ids=["gzip", "zstd"]
)
def test_what_is_not_compressed_as_it_says(stores: Stores, tmp_path: Path, start: bytes) -> None:
    """A file that begins as a compressed one and is none is no export."""
    if start[0] == 0x28:
        pytest.importorskip("zstandard")
    path = tmp_path / "x"
    path.write_bytes(start + b"\xf3garbage" * 20)
    with reading(str(path)) as lines, pytest.raises(MalformedError):
        import_(stores["fs"], lines)


def test_an_id_that_is_no_text(stores: Stores) -> None:
    """Half of a surrogate pair as an ID is told with its line, and the rest is imported."""
    add(stores["redis"], "one", a=1)
    head, line, _ = exported(stores["redis"]).splitlines(keepends=True)
    moved = import_(stores["fs"], [head, b'{"id":"\\ud800","values":{}}\n', line])
    assert (moved.written, len(moved.problems)) == (1, 2)


@pytest.mark.parametrize("dry_run", [False, True])
def test_another_frameworks_store_is_no_target(tmp_path: Path, dry_run: bool) -> None:
    """It is refused once, before anything is read: not the source, not the lines of an export."""
    source = opened(f"fs:{tmp_path}/source")
    add(source, "a", userId="mj")
    source.scan = lambda *_: pytest.fail("the source was read")  # type: ignore[method-assign]
    target = opened(f"fs:{tmp_path}/target?layout=php")
    with pytest.raises(NotSupportedError, match="another framework's store is read, never changed"):
        copy(source, target, dry_run=dry_run)
    with pytest.raises(NotSupportedError, match="never changed"):
        import_(target, iter(lambda: pytest.fail("a line was read"), None), dry_run=dry_run)


def test_nothing_is_verified_where_something_failed(tmp_path: Path) -> None:
    """A session that could not be moved leaves the run unverified, though the others came through."""
    source, target = opened(f"fs:{tmp_path}/source"), opened(f"fs:{tmp_path}/target")
    add(source, "a", n=1)
    Path(source.location_of(add(source, "b", n=2))).write_text("[")
    moved = copy(source, target)
    assert (moved.written, moved.failed, moved.is_same, moved.verified) == (1, 1, True, False)
