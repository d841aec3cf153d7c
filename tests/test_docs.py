"""Documentation is tested: examples run, and every command and format has its page."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from sessionctl import Session, formats
from sessionctl.cli import main
from tests import pages
from tests.cli.conftest import Answer, home, run
from tests.cli.test_terminal import screen

__all__ = ["home", "run"]

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
Run = Callable[..., Answer]


def commands() -> dict[str, click.Command]:
    """Every command by its words, those of groups too."""
    context = click.Context(main)
    found: dict[str, click.Command] = {}
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {sub}": leaf for sub, leaf in command.commands.items()}
    return found


def test_readme_python(tmp_path: Path) -> None:
    """The README's Python runs, one block after the other."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))
    assert code.count("assert") >= 8
    exec(compile(code.replace("/tmp/sessions", str(tmp_path / "s")), "README.md", "exec"), {})


def test_library_session() -> None:
    """What the library guide says of a session's members is so."""
    text = (ROOT / "docs/library.md").read_text(encoding="utf-8")
    section = text.partition("## Session\n")[2].partition("\n## ")[0]
    code = "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))
    assert code.count("assert") >= 4
    exec(code, {})
    members = {name for name in dir(Session) if not name.startswith("_")}
    for_storages = {"collect_changes", "merged_into", "mark_saved"}
    table = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    assert members - for_storages - set(re.findall(r"`(\w+)", table)) == set()


def test_readme_report(home: Path) -> None:
    """The report at the top of the README is what the program prints at a terminal."""
    shown = re.search(r'\$ sessionctl inspect "(.*?)" --secret "\$SECRET_KEY"\n(.*?)```', README, re.DOTALL)
    assert shown is not None
    assert (
        screen(80, "inspect", shown[1], "--secret", "tiger", "--now", "1795444787") == shown[2].splitlines()
    )


def test_readme_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's session at the terminal runs, and prints what it shows."""
    block = next(
        text for text in re.findall(r"```console\n(.*?)```", README, re.DOTALL) if "sessionctl create" in text
    )
    cookie = ""
    for line, shown in re.findall(r"\$ (.*)\n((?:[^$].*\n)*)", block):
        words = shlex.split(line.removeprefix("COOKIE=$(").removesuffix(")"), comments=True)
        if "fs:/var/lib/app/sessions" in words:
            continue
        answer = run(*(cookie if word == "$COOKIE" else word for word in words[1:]))
        assert answer.status == 0, (line, answer)
        if line.startswith("COOKIE="):
            cookie = answer.text
        else:
            assert answer.out == shown


FORMAT_PAGES = [ROOT / f"docs/formats/{name}.md" for name in formats.names()]
GUIDES = [
    "start", "completion", "configuration", "fixtures", "fleet", "plugins", "seeing", "sources", "stores",
]  # fmt: skip
PAGES = [
    *FORMAT_PAGES,
    *(ROOT / f"docs/{name}.md" for name in GUIDES),
    ROOT / "docs/storages/cookie.md",
    ROOT / "docs/storages/memory.md",
    *sorted((ROOT / "docs/tutorials").glob("*-*.md")),
]


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_runs(path: Path, tmp_path: Path) -> None:
    """Whoever types what a page shows, from top to bottom, sees what it shows."""
    for step, printed in pages.run_page(path.read_text(encoding="utf-8"), tmp_path):
        expected = "" if step.shown is None else step.shown
        fits = pages.fits(expected, printed, pages.reading_of(path))
        assert fits, f"{step.command}\n-- the page\n{expected}\n-- now\n{printed}"


def test_a_page_that_shows_something_else_is_found() -> None:
    """Only what differs at every run may differ; three dots stand for any lines."""
    printed = "session  ref 3f2a9c41d07e (2 seconds ago)\nvalues\n  userId  42\n"
    assert pages.fits("session  ref a767bc4b5b94 (1 second ago)\nvalues\n  userId  42\n", printed)
    assert pages.fits("session  ref a767bc4b5b94 (1 second ago)\n...\n", printed)
    assert not pages.fits("session  ref a767bc4b5b94 (1 second ago)\nvalues\n  userId  43\n", printed)
    assert not pages.fits("", printed)


@pytest.mark.parametrize("words", commands())
def test_command_has_help_and_examples(words: str) -> None:
    """Every command says what it does, and shows an example of itself."""
    command = commands()[words]
    assert command.help
    if not isinstance(command, click.Group):
        assert f"sessionctl {words}" in command.help


@pytest.mark.parametrize("name", formats.names())
def test_format_has_a_page_and_an_example(name: str) -> None:
    """Every format has a page, a summary, options with help, and an example that it reads."""
    form = formats.get(name)
    page = ROOT / "docs" / "formats" / f"{name}.md"
    assert len(page.read_text(encoding="utf-8")) > 800
    assert form.summary
    assert all(option.help for option in form.options)
    assert form.example
    assert form.detect(form.example, cookie_name=next(iter(form.cookie_names), None)) > 0.3


SECTIONS = [
    "Where the secret is",
    "Look at one",
    "Layout",
    "Options",
    "Make one",
    "What it cannot tell",
]


@pytest.mark.parametrize("path", FORMAT_PAGES, ids=lambda path: path.stem)
def test_format_page_is_whole(path: Path) -> None:
    """A format's page shows a cookie and has every section and option, and no command that is not run."""
    page = path.read_text(encoding="utf-8")
    head, *parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert [name for name in sections if name in SECTIONS] == SECTIONS
    assert "\n    " in head
    assert re.search(r"^\$ sessionctl (inspect|verify|decode) ", sections["Look at one"], re.MULTILINE)
    assert "\n    " in sections["Layout"] or "\n| " in sections["Layout"]
    told = re.findall(r"^\| `([a-z-]+)` \|", sections["Options"], re.MULTILINE)
    assert sorted(told) == sorted(option.name for option in formats.get(path.stem).options)
    run = "\n".join(step.command for step in pages.steps_of(page))
    shown = re.findall(r"^(?: {4}|\$ )?(?:\w+=\$\()?(sessionctl [a-z].*)$", page, re.MULTILINE)
    assert [line for line in shown if line not in run] == []


@pytest.mark.slow
def test_pictures_are_fresh() -> None:
    """The pictures of the terminal show what the commands print."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/make-screens", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_picture_is_lost() -> None:
    """Each is shown by a page, and each page's picture is there."""
    shown = set()
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
            shown.add((path.parent / target).resolve())
    assert shown == set((ROOT / "docs/screens").iterdir())


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.stem
)
def test_nothing_is_fetched_from_a_registry(path: Path) -> None:
    """No page has pip install this package by its name: it is on no registry, and what is there would be another's."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"(pip3?|uv|pipx|poetry)\s+(install|add|tool install)\s+[^\n`]*['\" ]sessionctl\b", text
    )


def test_no_page_is_lost() -> None:
    """Every page of the documentation is reached from another."""
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    linked = {"index.md", "formats/index.md", "storages/index.md"}
    for path in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#]+\.md)", path.read_text(encoding="utf-8")):
            linked.add((path.parent / target).resolve().relative_to((ROOT / "docs").resolve()).as_posix())
    assert pages <= linked
