"""What --json prints is what docs/schemas says, no key more and none less."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sessionctl import formats
from sessionctl.cli import manual
from tests.cli.conftest import Answer
from tests.visits import exchange, har

Run = Callable[..., Answer]

SCHEMAS = Path(__file__).resolve().parent.parent.parent / "docs" / "schemas"
FLASK = formats.get("flask").example
LEAVES = [
    words.replace(" ", "-") for words, command, _ in manual.commands() if not hasattr(command, "commands")
]

CALLS: dict[str, list[list[str]]] = {
    "create": [["--set", "a=1"], ["-f", "cookie-session", "--secret", "x"], ["--count", "3"], ["-s", "cookie:"]],
    "set": [["{cookie}", "b=1"], ["--where", "a=1", "c=2", "--yes"]],
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
    "export": [["{folder}/out.ndjson"]],
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
    """Raise where an answer is not as its schema, or the error's, says."""
    chosen = "error" if "error" in answer else "diff" if name == "inspect" and "same" in answer else name
    Draft202012Validator(closed(schema(chosen))).validate(answer)


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


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_a_schema(name: str) -> None:
    """A schema that is one, with a title, and calls that try it."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["title"]
    assert name in CALLS
