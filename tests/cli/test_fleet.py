"""The commands on many sessions, as they are used."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer
from tests.servers import wait_until

Run = Callable[..., Answer]

LIST_KEYS = ["ref", "key", "size", "modified_at", "expires_at", "data", "flash"]
PURGE_KEYS = {"scanned", "matched", "deleted", "failed", "bytes", "seconds", "complete", "dry_run"}


@pytest.fixture
def place(run: Run, tmp_path: Path) -> list[str]:
    """A store of three sessions, two of them of user 42."""
    options = ["-s", f"fs:{tmp_path}/store?ttl=30d"]
    run(
        "create",
        "--id",
        "first",
        "--set",
        "userId=42",
        "--set",
        "role=admin",
        "--flash",
        "notice=hi",
        *options,
    )
    run("create", "--id", "second", "--set", 'userId="42"', *options)
    run("create", "--id", "third", "--set", "userId=7", *options)
    return options


def rows(answer: Answer) -> list[Any]:
    assert answer.status == 0
    return [json.loads(line) for line in answer.out.splitlines()]


def test_list_json(run: Run, place: list[str]) -> None:
    """One object a line, with the keys of the contract, content and keys only where asked for."""
    listed = rows(run("list", "--json", *place))
    assert len(listed) == 3
    assert all(list(row) == LIST_KEYS for row in listed)
    assert all(row["key"] is None and row["data"] is None and row["flash"] is None for row in listed)
    assert all(
        len(row["ref"]) == 12 and row["modified_at"].endswith("Z") and row["expires_at"] for row in listed
    )
    found = rows(run("list", "--json", "--data", "--reveal", "--where", "role=admin", *place))[0]
    assert (found["data"], found["flash"]) == ({"userId": 42, "role": "admin"}, {"notice": "hi"})
    assert found["key"].startswith(found["ref"])


def test_list_piped(run: Run, place: list[str]) -> None:
    """Into a pipe: columns parted by tabs, without headings."""
    lines = run("list", "--columns", "userId,role,flash.notice", "--where", "role", *place).out.splitlines()
    assert [line.split("\t")[4:] for line in lines] == [["42", "admin", "hi"]]


def test_list_shows_nothing_that_a_terminal_obeys(run: Run, tmp_path: Path) -> None:
    """Tabs, line breaks and escapes in values break no column and reach no terminal."""
    options = ["-s", f"fs:{tmp_path}/store"]
    run("create", "--set", "k=a\tb\nc\x1b[31m", *options)
    answer = run("list", "--columns", "k", "--data", *options)
    assert answer.out.count("\n") == 1
    assert answer.out.count("\t") == 5
    assert "\x1b" not in answer.out


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--where", "userId=42"], 2),
        (["--where", "userId:=42"], 1),
        (["--where", "userId!=42"], 1),
        (["--id", "first"], 1),
        (["--older-than", "1h"], 0),
        (["--newer-than", "1h"], 3),
        (["--older-than", "1h", "--now", "4000000000"], 3),
        (["--expired", "--now", "4000000000"], 3),
        (["--limit", "2"], 2),
        (["--corrupt"], 0),
        (["--sort", "-size", "--limit", "1"], 1),
        (["--created-before", "30d"], 0),
        (["--created-before", "2999-01-01"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_selection(run: Run, place: list[str], options: list[str], count: int) -> None:
    """The options of a selection select."""
    assert len(rows(run("list", "--json", *options, *place))) == count


def test_list_by_ref(run: Run, place: list[str]) -> None:
    """A ref from the list names its session in the list."""
    ref = rows(run("list", "--json", "--id", "first", *place))[0]["ref"]
    assert [row["ref"] for row in rows(run("list", "--json", "--ref", ref, *place))] == [ref]


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--sort", "colour"],
        ["list", "--older-than", "soon"],
        ["list", "--where", "=1"],
        ["list", "--ref", "xyz"],
        ["list", "-s", "cookie:"],
        ["stats", "-s", "memory:"],
        ["purge"],
        ["purge", "--where", "a=1"],
        ["destroy", "cookie", "--where", "a=1"],
        ["destroy", "--id", "x", "--where", "a=1"],
        ["destroy", "--dry-run", "--id", "x"],
        ["set", "--where", "a=1"],
        ["copy", "fs:x"],
        ["copy", "fs:x", "cookie:"],
        ["copy", "fs:x", "redis://127.0.0.1:1/0"],
    ],
    ids=" ".join,
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage ends 2, with one line."""
    answer = run(*arguments)
    assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)


def test_table_on_a_terminal(run: Run, place: list[str]) -> None:
    """A terminal gets headings, and no line that is wider than it."""
    out = on_terminal("list", "--columns", "userId", *place)
    lines = out.splitlines()
    assert "REF" in lines[0]
    assert "userId" in lines[0]
    assert len(lines) == 4


def on_terminal(*arguments: str, answer: str = "") -> str:
    """What a run prints at a terminal, whose user types an answer."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sessionctl", *arguments], stdin=child, stdout=child, stderr=child,
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb"},
    )  # fmt: skip
    os.close(child)
    os.write(parent, answer.encode())
    out = b""
    try:
        while data := os.read(parent, 65536):
            out += data
    except OSError:
        pass
    os.close(parent)
    process.wait(timeout=20)
    return out.decode()


def test_destroy_where(run: Run, place: list[str]) -> None:
    """Every session that matches is ended, and how many is on stdout."""
    dry = run("destroy", "--where", "userId=42", "--dry-run", "--json", *place)
    assert dry.json == {"matched": 2, "destroyed": 0, "revocable": True, "dry_run": True}
    done = run("destroy", "--where", "userId=42", *place)
    assert (done.status, done.text, done.err) == (0, "2", "")
    nobody = run("destroy", "--where", "userId=42", *place)
    assert (nobody.status, nobody.text) == (0, "0")
    assert "no session matches" in nobody.err
    nothing = run("destroy", "--where", "userId=42", "--json", *place).json
    assert (nothing["matched"], nothing["destroyed"], nothing["revocable"]) == (0, 0, True)
    assert len(rows(run("list", "--json", *place))) == 1


@pytest.mark.parametrize(("answer", "left"), [("n\n", 3), ("y\n", 1)])
def test_destroy_asks_at_a_terminal(run: Run, place: list[str], answer: str, left: int) -> None:
    """At a terminal it says how many, and asks; no leaves all as it was."""
    assert "Destroy 2 sessions of fs:" in on_terminal(
        "destroy", "--where", "userId=42", *place, answer=answer
    )
    assert len(rows(run("list", "--json", *place))) == left


@pytest.mark.parametrize(
    "words", [("set", "x=1"), ("unset", "x"), ("flash", "x=1")], ids=lambda words: words[0]
)
def test_a_change_is_called_one(run: Run, place: list[str], words: tuple[str, ...]) -> None:
    """What would be set in sessions is asked as a change of them."""
    out = on_terminal(words[0], "--where", "userId=42", *words[1:], *place, answer="n\n")
    assert "Change 2 sessions of fs:" in out


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["stats"],
        ["export"],
        ["destroy"],
        ["set", "x=1"],
        ["purge", "--older-than", "0s"],
        ["watch", "--for", "0s"],
    ],
    ids=lambda words: words[0],
)
def test_a_condition_that_may_have_been_meant_otherwise(
    run: Run, place: list[str], command: list[str]
) -> None:
    """Where no session matches a value that looks like an operator, a hint names those that there are."""
    hint = "sessionctl: hint: 'userId=>2' is about the text '>2', and there is no operator '=>'"
    odd = run(*command, "--where", "userId=>2", *place)
    assert (odd.status, hint in odd.err) == (0, True)
    assert hint not in run(*command, "--where", "userId=>2", "--quiet", *place).err
    run("create", "--set", 'userId=">2"', *place)
    assert hint not in run(*command, "--where", "userId=>2", *place).err


def test_a_copy_under_such_a_condition(run: Run, place: list[str], tmp_path: Path) -> None:
    """`copy` gives the hint too."""
    copied = run("copy", "--where", "userId=*2", place[1], f"fs:{tmp_path}/target")
    assert "in which '*' is no wildcard" in copied.err


def test_purge_counts_bytes_in_words(run: Run, place: list[str]) -> None:
    """What goes is told in the units of `stats`."""
    run("create", "--set", f"x={'x' * 3000}", *place)
    assert (
        "4 of 4 sessions, 3.0 KiB, last saved"
        in run("purge", "--older-than", "1d", "--now", "4000000000", "--dry-run", *place).out
    )


def test_destroy_does_not_ask_with_yes(run: Run, place: list[str]) -> None:
    """--yes asks nothing."""
    assert "?" not in on_terminal("destroy", "--where", "userId=42", "--yes", *place)
    assert len(rows(run("list", "--json", *place))) == 1


def test_change_many(run: Run, place: list[str]) -> None:
    """`set`, `unset` and `flash` change all that match, and leave what waits."""
    assert run("set", "--where", "userId=42", "vip:=true", *place).text == "2"
    assert run("unset", "--where", "role", "role", "--json", *place).json["changed"] == 1
    assert run("flash", "--newer-than", "1d", "maintenance=at eight", *place).text == "3"
    first = rows(run("list", "--json", "--data", "--id", "first", *place))[0]
    assert first["data"] == {"userId": 42, "vip": True}
    assert first["flash"] == {"notice": "hi", "maintenance": "at eight"}


def test_stats(run: Run, place: list[str]) -> None:
    """Numbers as JSON, bars for people, and a sample says that it is one."""
    answer = run("stats", "--json", *place).json
    assert (answer["sessions"], answer["corrupt"], answer["by_expiry"]) == (3, 0, {"30d": 3})
    text = run("stats", *place).out
    assert "3 sessions" in text
    assert "█" in text
    assert "userId" in text
    assert "random sample of 2" in run("stats", "--sample", "2", *place).out


def test_purge(run: Run, place: list[str]) -> None:
    """The summary has the keys of the contract; with -v each session that goes has a line."""
    old = ["--older-than", "1d", "--now", "4000000000", *place]
    summary = run("purge", "--dry-run", "--json", *old).json
    assert summary.keys() >= PURGE_KEYS
    assert summary["oldest"] <= summary["newest"]
    lines = rows(run("purge", "--dry-run", "--json", "-v", *old))
    assert [("ref" in line) for line in lines] == [True, True, True, False]
    plain = run("purge", "--dry-run", "-v", *old)
    assert plain.out.count("\n") == 4
    assert "would delete 3 of 3" in plain.out
    assert run("purge", "--where", "userId=7", "--json", *old).json["deleted"] == 1
    assert run("purge", "--expired", "--now", "4000000000", "--json", *place).json["deleted"] == 2


def test_purge_tells_foreign_files(run: Run, place: list[str], tmp_path: Path) -> None:
    """What is no session is told on stderr, and not with --quiet: cron mails only failures."""
    (tmp_path / "store" / "notes.txt").write_text("x")
    told = run("purge", "--older-than", "1d", *place)
    assert "notes.txt" in told.err
    assert told.status == 0
    quiet = run("purge", "--older-than", "1d", "--quiet", *place)
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")


def test_purge_tells_failures_even_when_quiet(run: Run, place: list[str], tmp_path: Path) -> None:
    """What failed is told with --quiet too, and the run ends 4."""
    shard = next((tmp_path / "store").iterdir())
    kept = sum(1 for _ in shard.iterdir())
    held = os.open(shard, os.O_RDONLY)
    import fcntl

    fcntl.flock(held, fcntl.LOCK_EX)
    options = ["-s", f"{place[1]}&lock_timeout=0.1"]
    answer = run("purge", "--older-than", "1d", "--now", "4000000000", "--quiet", "--json", *options)
    os.close(held)
    assert answer.status == 4
    assert (answer.json["failed"], answer.json["deleted"]) == (1, 3 - kept)
    assert "lock" in answer.err


def test_purge_and_ctrl_c(run: Run, tmp_path: Path) -> None:
    """Ctrl-C ends a purge with its summary and 130."""
    store = f"fs:{tmp_path}/store"
    for number in range(40):
        run("create", "--set", f"n={number}", "-s", store)
    arguments = ["purge", "--older-than", "1d", "--now", "4000000000", "--rate", "4", "--json", "-s", store]
    process = subprocess.Popen([sys.executable, "-m", "sessionctl", *arguments], stdout=subprocess.PIPE)
    wait_until(lambda: len(list((tmp_path / "store").glob("*/*"))) < 40, "the first of many")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    summary = json.loads(out)
    assert process.returncode == 130
    assert summary["complete"] is False
    assert len(list((tmp_path / "store").glob("*/*"))) == 40 - summary["deleted"]


@pytest.mark.parametrize(
    "command", [["destroy", "--where", "n"], ["set", "--where", "n", "x=1"]], ids=lambda words: words[0]
)
def test_many_and_ctrl_c(run: Run, tmp_path: Path, command: list[str]) -> None:
    """Ctrl-C ends a run over many with the count of what was done, and 130."""
    shard = tmp_path / "store" / "00"
    shard.mkdir(parents=True, mode=0o700)
    for number in range(20_000):
        (shard / f"{number:062x}").write_text('[{"n":1},{}]')
    arguments = [*command, "--json", "-s", f"fs:{tmp_path}/store"]
    before = shard.stat().st_mtime_ns
    process = subprocess.Popen([sys.executable, "-m", "sessionctl", *arguments], stdout=subprocess.PIPE)
    while shard.stat().st_mtime_ns == before:
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    left = [path.read_text() for path in shard.iterdir()]
    really = 20_000 - len(left) if command[0] == "destroy" else sum("x" in text for text in left)
    told = json.loads(out)["destroyed" if command[0] == "destroy" else "changed"]
    assert 0 < really < 20_000
    assert really - told in (0, 1)  # the one that it was at


def test_failures_are_told_in_few_lines(run: Run, tmp_path: Path) -> None:
    """Of many records that cannot be read the first are told, and how many more there are."""
    shard = tmp_path / "store" / "00"
    shard.mkdir(parents=True, mode=0o700)
    for number in range(50):
        (shard / f"{number:062x}").write_text("[{")
    for command in (["list"], ["stats"], ["destroy"], ["purge", "--older-than", "1d", "--now", "4000000000"]):
        answer = run(*command, "--where", "n", "-s", f"fs:{tmp_path}/store")
        assert answer.status == 4
        assert answer.err.count("not JSON") == 20
        assert "and 30 more that failed" in answer.err


def test_closed_pipe(run: Run, place: list[str]) -> None:
    """`sessionctl list | head` says nothing, and ends as `SIGPIPE` would; so does a purge, which deletes no further."""
    store = Path(place[1][3:].partition("?")[0])
    for number in range(2000):
        path = store / "ab" / f"{number:062x}"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_text("[{},{}]")
    for command in ("list", "export -", "purge --older-than 1d --now 4000000000 -v --json"):
        line = (
            f"{sys.executable} -m sessionctl {command} -s '{place[1]}' | head -n 1; exit ${{PIPESTATUS[0]}}"
        )
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
        assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (141, b"", 1)
    assert len(list(store.glob("ab/*"))) > 1000


def test_copy(run: Run, place: list[str], tmp_path: Path) -> None:
    """A copy tells what it wrote, and a second one that all is there."""
    target = f"fs:{tmp_path}/other?ttl=30d"
    first = run("copy", place[1], target, "--json")
    assert (first.status, first.json["written"], first.json["verified"]) == (0, 3, True)
    again = run("copy", place[1], target)
    assert "wrote 0 of 3 sessions, 3 the same already" in again.out
    assert run("get", "--id", "first", "role", "-s", target).text == "admin"


@pytest.mark.parametrize("name", ["x.ndjson", "x.ndjson.gz"])
def test_export_and_import(run: Run, place: list[str], tmp_path: Path, name: str) -> None:
    """What was exported to a file is imported from it."""
    path = str(tmp_path / name)
    assert run("export", path, "--json", *place).json["sessions"] == 3
    moved = run("import", path, "--json", "-s", f"fs:{tmp_path}/other?ttl=30d")
    assert (moved.status, moved.json["written"]) == (0, 3)


def test_export_and_import_by_pipe(run: Run, place: list[str], tmp_path: Path) -> None:
    """`-` is standard output and standard input; a torn last line ends 3."""
    out = run("export", *place).out
    target = ["-s", f"fs:{tmp_path}/other?ttl=30d"]
    assert run("import", "-", "--json", *target, stdin=out).json["written"] == 3
    torn = run("import", "-", "--json", *target, stdin=out[: out.rindex('{"id"') + 20])
    assert (torn.status, torn.json["same"], torn.json["complete"]) == (3, 2, False)
    assert "ends early" in torn.err


def test_a_dry_run_says_that_it_is_one(run: Run, place: list[str]) -> None:
    """The number alone on standard output, and on standard error what would be done."""
    where = ["--where", "userId=42", "--dry-run", *place]
    assert run("destroy", *where)[1:] == ("2\n", "sessionctl: would destroy 2 sessions\n")
    assert run("set", *where, "role=guest")[1:] == ("2\n", "sessionctl: would change 2 sessions\n")
    assert run("unset", *where, "role", "--limit", "1")[1:] == ("1\n", "sessionctl: would change 1 session\n")
    assert run("destroy", *where, "-q")[1:] == ("2\n", "")
    assert run("destroy", *where, "--json").err == ""
    assert run("destroy", "--where", "userId=42", *place)[1:] == ("2\n", "")


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["real", "dry-run"])
def test_another_frameworks_store_is_no_target(
    run: Run, place: list[str], tmp_path: Path, dry_run: list[str]
) -> None:
    """One refusal, and nothing of a count: exit 2."""
    target = f"fs:{tmp_path}/php?layout=php"
    export = tmp_path / "sessions.ndjson"
    run("export", str(export), *place)
    for words in (["copy", place[1], target], ["import", str(export), "-s", target]):
        answer = run(*words, *dry_run)
        assert (answer.status, answer.out) == (2, "")
        assert answer.err == f"sessionctl: {target}: another framework's store is read, never changed\n"


def test_nothing_is_said_to_be_verified_where_something_failed(
    run: Run, place: list[str], tmp_path: Path
) -> None:
    """The line of a copy has the word only where every session came through."""
    assert ", verified" in run("copy", place[1], f"fs:{tmp_path}/first?ttl=30d").out
    key = rows(run("list", "--json", "--reveal", "--limit", "1", *place))[0]["key"]
    (tmp_path / "store" / key[:2] / key[2:]).write_text("[")
    answer = run("copy", place[1], f"fs:{tmp_path}/second?ttl=30d")
    assert "2 of 3 sessions, 1 failed" in answer.out
    assert "verified" not in answer.out.lower()


@pytest.mark.parametrize(
    "command", ["list", "stats", "export -", "copy", "destroy --where a=1", "purge --expired"]
)
def test_a_directory_that_is_not_there(run: Run, tmp_path: Path, command: str) -> None:
    """What looks into a misspelt path says that there is none, and ends 0."""
    missing = f"{tmp_path}/no/store"
    words = command.split()
    where = [f"fs:{missing}", f"fs:{tmp_path}/to"] if words == ["copy"] else ["-s", f"fs:{missing}?ttl=30d"]
    answer = run(*words, *where)
    assert answer.status == 0
    assert f"sessionctl: warning: there is no {missing}; is the path right?\n" in answer.err
    assert "verified" not in answer.out


def test_one_is_singular(run: Run, tmp_path: Path) -> None:
    """Messages count one session, one byte, one stranger, and two of each."""
    options, target = ["-s", f"fs:{tmp_path}/store?ttl=30d"], f"fs:{tmp_path}/target"
    run("create", "--id", "first", *options)
    assert "of 1 session, " in run("purge", "--older-than", "1d", *options).out
    assert run("export", str(tmp_path / "one"), *options).err == "sessionctl: exported 1 session\n"
    copied = run("copy", options[1], target)
    assert "wrote 1 of 1 session, in " in copied.out
    assert "1 session never ends there;" in copied.err
    (tmp_path / "store" / "README").write_text("x")
    purged = run("purge", "--older-than", "1d", *options)
    assert "1 in this store is no session of it, and was left alone: " in purged.err
    run("create", "--id", "second", *options)
    assert "of 2 sessions, " in run("purge", "--older-than", "1d", *options).out
    assert "2 sessions never end there;" in run("copy", options[1], f"fs:{tmp_path}/other").err


def test_import_of_what_is_no_export(run: Run, home: Path) -> None:
    """Nothing, or something else, on standard input ends 3."""
    for text in ("", "nonsense", '{"a":1}\n'):
        answer = run("import", "-", stdin=text)
        assert (answer.status, answer.out, answer.err.count("\n")) == (3, "", 1)


def test_redacted_export(run: Run, place: list[str]) -> None:
    """--redact hides the value, and every ID."""
    out = run("export", "-", "--redact", "role", *place).out
    assert "admin" not in out
    assert '"hash":null' in out


def test_doctor(run: Run, place: list[str], tmp_path: Path) -> None:
    """A sound store ends 0; findings end 1, are told with a command, and --fix mends the safe ones."""
    sound = run("doctor", *place)
    assert (sound.status, sound.out) == (0, "")
    path = next((tmp_path / "store").glob("*/*"))
    path.chmod(0o644)
    told = run("doctor", "--json", *place)
    assert told.status == 1
    assert told.json["code"] == "loose-mode"
    assert {"code", "severity", "message", "command"} <= told.json.keys()
    plain = run("doctor", *place).out
    assert "chmod" in plain
    assert f"  where: {path}\n" in plain
    assert run("doctor", "--fix", *place).status == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_unreachable_storage(run: Run) -> None:
    """A server that is not there ends 4, with one line."""
    for command in (
        ["list"],
        ["stats"],
        ["purge", "--older-than", "1d"],
        ["doctor"],
        ["destroy", "--where", "a"],
    ):
        answer = run(*command, "-s", "redis://127.0.0.1:1/0?ttl=1d")
        assert (answer.status, answer.out, answer.err.count("\n")) == (4, "", 1)
