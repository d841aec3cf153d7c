"""What --json prints is what docs/schemas says, no key more and none less."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from sessionctl import formats
from sessionctl.cli import manual
from tests.cli.conftest import Answer
from tests.test_errors import TREE
from tests.visits import exchange, har

Run = Callable[..., Answer]

SCHEMAS = Path(__file__).resolve().parent.parent.parent / "docs" / "schemas"
FLASK = formats.get("flask").example
LEAVES = [
    words.replace(" ", "-") for words, command, _ in manual.commands() if not hasattr(command, "commands")
]

CALLS: dict[str, list[list[str]]] = {
    "create": [["--set", "a=1"], ["-f", "cookie-session", "--secret", "x"], ["--count", "3"], ["-s", "cookie:"]],
    "set": [["{cookie}", "b=1"], ["{cookie}", "b=1", "--output", "pair"], ["--where", "a=1", "c=2", "--yes"]],
    "unset": [["{cookie}", "a"], ["--where", "a=1", "a", "--dry-run"]],
    "flash": [["{cookie}", "n=1"], ["--where", "a=1", "n=2"]],
    "regenerate": [["{cookie}"], ["-s", "cookie:", "--delete-old", "--secret", "k", "{own}"]],
    "decode": [["{cookie}"], [FLASK], ["--record", "{record}"], ["-f", "iron", formats.get("iron").example]],
    "inspect": [
        ["{cookie}"], [FLASK], [f"Set-Cookie: session={FLASK}; Path=/"], ["--id", "{id}"],
        ["{cookie}", "--diff-with", FLASK],
    ],
    "verify": [["{cookie}"], [FLASK], ["-f", "flask", "--secret", "x", FLASK], ["nonsense.text", "-f", "flask"]],
    "get": [["{cookie}", "a"], ["{cookie}", "nothing"]],
    "destroy": [["{cookie}"], ["-s", "cookie:", "--secret", "k", "{own}"], ["--where", "a=1", "--dry-run"]],
    "diff": [["{cookie}", FLASK], ["{cookie}", "{cookie}"]],
    "timeline": [["{har}"]],
    "list": [[], ["--data", "--reveal"], ["--columns", "a"]],
    "stats": [[]],
    "copy": [["{store}", "fs:{folder}/other"], ["{store}", "fs:{folder}/other", "--dry-run"]],
    "export": [["{folder}/out.ndjson"], ["-"], ["-", "--redact", "a"]],
    "import": [["{folder}/in.ndjson", "-s", "fs:{folder}/third"]],
    "doctor": [["Set-Cookie: session={cookie}; Path=/"], ["--har", "{har}"], [], ["-s", "fs:{folder}/nowhere"]],
    "purge": [["--older-than", "1d"], ["--older-than", "1d", "--dry-run", "--now", "4000000000"]],
    "formats": [["flask"], []],
    "config-path": [[]],
    "config-show": [[], ["--secret", "x", "-f", "flask"]],
    "config-init": [["--print"]],
    "config-check": [[]],
    "config-trust": [["{toml}"], ["{toml}", "--revoke"]],
    "secret-new": [[]],
    "help": [["cron"], []],
    "completion": [["bash"], ["zsh"], ["fish"]],
    "watch": [["--for", "0s"], ["{cookie}", "--for", "0s"], ["--where", "a=1", "--for", "0s"]],
}  # fmt: skip

STORELESS = ("formats", "copy", "help", "completion", "secret-new", "timeline")


@pytest.fixture
def names(run: Run, tmp_path: Path) -> dict[str, str]:
    """What the calls name in braces; the default storage is a store in the test's own directory."""
    store = f"fs:{tmp_path}/store"
    made = run("create", "--set", "a=1", "--json", "-s", store).json
    (tmp_path / "record").write_text("userId|i:42;")
    (tmp_path / "visit.har").write_bytes(har(exchange(0, "GET", "/", 200, "", f"session={FLASK}; Path=/")))
    (tmp_path / "sessionctl.toml").write_text("[profiles.a]\n")
    run("export", str(tmp_path / "in.ndjson"), "-s", store)
    own = run("create", "--set", "a=1", "-s", "cookie:", "--secret", "k").text
    return {
        "cookie": made["cookie"], "id": made["id"], "own": own, "store": store, "folder": str(tmp_path),
        "record": str(tmp_path / "record"), "har": str(tmp_path / "visit.har"),
        "toml": str(tmp_path / "sessionctl.toml"),
    }  # fmt: skip


TIMES = FormatChecker(formats=())


@TIMES.checks("date-time")
def is_utc(text: object) -> bool:
    """Whether a time is ISO 8601 in UTC; null is none."""
    return (
        not isinstance(text, str)
        or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text) is not None
    )


def schema(name: str) -> dict[str, Any]:
    """A schema by its command."""
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def closed(part: Any) -> Any:
    """The same schema, in which an object has no key that is not named."""
    if isinstance(part, dict):
        made = {key: closed(value) for key, value in part.items()}
        if "properties" in made:
            made.setdefault("additionalProperties", False)
        return made
    return [closed(item) for item in part] if isinstance(part, list) else part


def check(name: str, answer: dict[str, Any]) -> None:
    """Raise where an answer is not as its schema, or the error's, says; of `inspect` it may be both."""
    if name == "inspect" and "error" in answer and "signature" in answer:
        check("error", {"error": answer["error"]})
        answer = {key: value for key, value in answer.items() if key != "error"}
    chosen = "error" if "error" in answer else "diff" if name == "inspect" and "same" in answer else name
    Draft202012Validator(closed(schema(chosen)), format_checker=TIMES).validate(answer)


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in CALLS.items() for call in calls], ids=str
)
def test_answers_are_as_the_schema_says(run: Run, names: dict[str, str], name: str, call: list[str]) -> None:
    """Each line that --json prints is valid, and has no key that the schema does not name."""
    words = [word.format(**names) if "{" in word and word != FLASK else word for word in call]
    stored = "-s" not in call and not name.startswith("config") and name not in STORELESS
    place = ["-s", names["store"]] if stored else []
    answer = run(*name.split("-"), "--json", *place, *words)
    lines = answer.out.splitlines()
    assert lines, answer
    for line in lines:
        check(name, json.loads(line))


def test_a_failure_is_as_the_schema_says(run: Run) -> None:
    """An error has the same form on every command."""
    for arguments in (["inspect", "nonsense"], ["decode", "-f", "nope", "x"], ["create", "-s", "nope:"]):
        check("error", run(*arguments, "--json").json)


def check_lines(run: Run, name: str, *words: str) -> None:
    """Raise where a line of an answer is not as its schema says, or a failure ends 0; stderr is silent."""
    answer = run(*name.split(), "--json", *words)
    for line in answer.out.splitlines():
        given = json.loads(line)
        check(name.replace(" ", "-"), given)
        assert answer.status or "error" not in given, answer
    assert answer.out or answer.status == 0, answer


@pytest.mark.parametrize("name", formats.names())
def test_every_format_is_answered_as_the_schema_says(run: Run, names: dict[str, str], name: str) -> None:
    """Its example, cut and altered, with a key and without, on every command that takes a COOKIE, and made anew."""
    text, form = formats.get(name).example, ["-f", name]
    key = ["--secret", "0123456789abcdef" * 4]
    for command in ("decode", "inspect", "verify"):
        for words in (
            [text],
            [text, *form, *key],
            [text[: len(text) // 2], *form],
            [f"{text}x", *form, *key],
        ):
            check_lines(run, command, *words)
    check_lines(run, "inspect", text, "-s", names["store"])
    check_lines(run, "diff", text, FLASK)
    check_lines(run, "doctor", f"Set-Cookie: session={text}; Domain=x", "--url", "http://x.test/", *form)
    check_lines(run, "create", *form)
    check_lines(
        run, "create", "--set", "a=1", *form, *key, "--output", "playwright", "--url", "http://x.test/"
    )
    for command, words in (("get", ["a"]), ("set", ["a=1"]), ("unset", ["a"]), ("flash", ["a=1"])):
        check_lines(run, command, text, *words, *form, *key)
    for command in ("regenerate", "destroy"):
        check_lines(run, command, text, *form, *key, "-s", names["store"])


SESSIONS: list[list[str]] = [
    ["{cookie}"], ["Cookie: a=b; session={cookie}"], ["{own}", "--secret", "k"], ["{own}", "--secret", "other"],
    ["nonsense"], [""], ["--id", "{id}"], ["--id", "nobody's"], ["--ref", "000000000000"], ["--ref", "no ref"],
    ["--har", "{har}"], ["--har", "{record}"], ["--har", "{folder}/none"], ["--cookie-jar", "{record}"],
    ["@{folder}/none"], ["{cookie}", "--now", "2100-01-01"], ["{cookie}", "--now", "never"], ["{cookie}", "-f", "no"],
    ["{cookie}", "-p", "no"], ["{cookie}", "-O", "a=b"], ["{cookie}", "--max-age", "long"],
    ["a=b; c=d", "--cookie-name", "e"], ["{cookie}", "--cookie-name", "a b"], ["{cookie}", "--secret", "hex:zz"],
    ["{cookie}", "--secret-file", "{folder}/none"], ["{cookie}", "--no-such-option"],
    ["{cookie}", "-s", "redis://127.0.0.1:1/0"], ["{cookie}", "-s", "fs:"], ["{cookie}", "-s", "memory:"],
    ["{cookie}", "-s", "no:"],
]  # fmt: skip


@pytest.mark.parametrize("session", SESSIONS, ids=" ".join)
def test_every_session_is_answered_as_the_schema_says(
    run: Run, names: dict[str, str], session: list[str]
) -> None:
    """However a session is named, and whatever is wrong with it, on every command that takes one."""
    words = [word.format(**names) for word in session]
    place = [] if "-s" in words else ["-s", names["store"]]
    for command, more in (
        ("inspect", []), ("decode", []), ("verify", []), ("doctor", []), ("get", ["a"]), ("watch", ["--for", "0s"]),
        ("set", ["b=2"]), ("unset", ["b"]), ("flash", ["n=1"]), ("regenerate", []), ("destroy", []),
    ):  # fmt: skip
        check_lines(run, command, *place, *words, *more)


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "memcached://127.0.0.1:1", "cookie:", "no:", "fs:", "redis://[::1"]
)
def test_every_store_is_answered_as_the_schema_says(run: Run, names: dict[str, str], url: str) -> None:
    """A store that is away, keeps nothing or is none, on every command that takes one."""
    for command, words in (
        ("create", []), ("list", []), ("stats", []), ("purge", ["--older-than", "1d"]), ("export", ["-"]),
        ("import", [f"{names['folder']}/in.ndjson"]), ("destroy", ["--where", "a=1"]), ("doctor", []),
        ("inspect", ["--ref", "000000000000"]), ("diff", ["id:x", "ref:000000000000"]), ("watch", ["--for", "0s"]),
    ):  # fmt: skip
        check_lines(run, command, "-s", url, *words)
    check_lines(run, "copy", url, f"fs:{names['folder']}/other")


def test_error_codes_are_those_of_the_schema() -> None:
    """A program may rely on the list being whole: every class of error, and two for what is none of them."""
    known = schema("error")["properties"]["error"]["properties"]["code"]["enum"]
    assert set(known) == {kind.code for kind in TREE} | {"io", "internal"}


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_a_schema(name: str) -> None:
    """A schema that is one, with a title, and calls that try it."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["title"]
    assert name in CALLS
