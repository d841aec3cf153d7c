"""The manual: topics in `sessionctl/manual/`, and the pages of commands made from the commands themselves."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import click

from sessionctl import __version__
from sessionctl.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_STATUS = (
    "0 done, or yes; 1 no; 2 wrong usage; 3 unreadable input; 4 the storage failed; 130 interrupted."
)

TOPICS = ("cookies", "storages", "formats", "configuration", "fixtures", "cron", "exit-codes")


def topic(name: str) -> str:
    """The text of a topic."""
    return (resources.files("sessionctl") / "manual" / f"{name}.md").read_text(encoding="utf-8")


def title(name: str) -> str:
    """The title of a topic."""
    return topic(name).partition("\n")[0].removeprefix("# ")


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command by its words, with its context; those of groups after the group."""
    top = click.Context(main, info_name="sessionctl", max_content_width=100, terminal_width=100)
    for name in main.list_commands(top):
        command = main.get_command(top, name)
        assert command is not None  # noqa: S101 - it was listed
        context = click.Context(command, parent=top, info_name=name, terminal_width=100)
        yield name, command, context
        if isinstance(command, click.Group):
            for sub, leaf in command.commands.items():
                yield f"{name} {sub}", leaf, click.Context(leaf, parent=context, info_name=sub)


def shared_options() -> list[tuple[str, str]]:
    """The options that mean the same on every command, with what they do and their environment variable."""
    from sessionctl.cli.page import SharedOption

    found: dict[str, tuple[str, str]] = {}
    for _, command, context in commands():
        for param in command.params:
            if isinstance(param, SharedOption) and param.name not in found:
                found[param.name or ""] = _record(param, context)
    return list(found.values())


def _record(param: click.Option, context: click.Context) -> tuple[str, str]:
    """Names and help of an option, also of one that a command's help leaves out."""
    names, text = click.Option.get_help_record(param, context) or ("", "")
    variable = param.envvar if isinstance(param.envvar, str) else None
    if param.name in ("secrets", "secret_file"):
        variable = f"SESSIONCTL_{'SECRET' if param.name == 'secrets' else 'SECRET_FILE'}"
    return names, f"{text} ({variable})" if variable else text


def parts_of(command: click.Command) -> tuple[str, list[str]]:
    """A command's description, and its examples, which stand behind a \\b."""
    text, _, examples = (command.help or "").partition("\b\n")
    return text.strip(), [f"    {line.strip()}" for line in examples.splitlines() if line.strip()]


# -- man pages ----------------------------------------------------------------------------------------


def man_pages() -> dict[str, str]:
    """All man pages by their file's name: `sessionctl.1`, one for each command, one for each topic in section 7."""
    pages = {"sessionctl.1": _main_page()}
    for words, command, context in commands():
        name = f"sessionctl-{words.replace(' ', '-')}"
        pages[f"{name}.1"] = _command_page(name, words, command, context)
    for name in TOPICS:
        pages[f"sessionctl-{name}.7"] = _topic_page(name)
    return pages


def _head(name: str, section: int, summary: str) -> list[str]:
    return [
        f'.TH "{_roff(name.upper())}" "{section}" "" "sessionctl {__version__}" "sessionctl"',
        ".SH NAME",
        f"{_roff(name)} \\- {_roff(summary)}",
    ]


def _main_page() -> str:
    lines = _head("sessionctl", 1, "look into the session cookies and stores of any web framework")
    lines += [
        ".SH SYNOPSIS",
        ".B sessionctl",
        r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
    ]
    lines += [*_paragraphs(main.help or ""), ".SH COMMANDS"]
    for words, command, _ in commands():
        lines += [
            ".TP",
            f"\\fBsessionctl\\-{_roff(words.replace(' ', '-'))}\\fR(1)",
            _roff(_summary(command)),
        ]
    lines += [".SH SHARED OPTIONS", *_option_lines(shared_options())]
    lines += [".SH EXIT STATUS", _roff(EXIT_STATUS), ".SH SEE ALSO"]
    lines.append(", ".join(f"\\fBsessionctl\\-{_roff(name)}\\fR(7)" for name in TOPICS))
    return "\n".join(lines) + "\n"


def _command_page(name: str, words: str, command: click.Command, context: click.Context) -> str:
    from sessionctl.cli.page import SharedOption

    text, examples = parts_of(command)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        *_head(name, 1, _summary(command)),
        ".SH SYNOPSIS",
        f".B sessionctl {_roff(words)}",
        _roff(usage),
    ]
    lines += [".SH DESCRIPTION", *_paragraphs(text)]
    own = [
        param
        for param in command.params
        if isinstance(param, click.Option) and not isinstance(param, SharedOption)
    ]
    if own:
        lines += [
            ".SH OPTIONS",
            *_option_lines([_record(param, context) for param in own if not param.hidden]),
        ]
    shared = [min(param.opts, key=len) for param in command.params if isinstance(param, SharedOption)]
    if shared:
        lines += [".SH SHARED OPTIONS", _roff(" ".join(shared)), ".PP", r"See \fBsessionctl\fR(1)."]
    if examples:
        lines += [".SH EXAMPLES", ".nf", *map(_roff, examples), ".fi"]
    lines += [".SH EXIT STATUS", _roff(EXIT_STATUS), ".SH SEE ALSO", r"\fBsessionctl\fR(1)"]
    return "\n".join(lines) + "\n"


def _topic_page(name: str) -> str:
    lines = [*_head(f"sessionctl-{name}", 7, title(name)), ".SH DESCRIPTION"]
    inside = False
    for line in topic(name).splitlines()[1:]:
        code = line.startswith("    ")
        if code != inside and line:
            lines.append(".nf" if code else ".fi")
            inside = code
        lines.append(_roff(line) if line.strip() else ".PP")
    return "\n".join([*lines, *([".fi"] if inside else [])]) + "\n"


def _summary(command: click.Command) -> str:
    return re.split(r"(?<=[.?:])\s", " ".join((command.help or "").split()), maxsplit=1)[0].rstrip(".:")


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield _roff(" ".join(paragraph.split()))


def _option_lines(records: list[tuple[str, str]]) -> Iterator[str]:
    for names, text in records:
        yield from (".TP", f"\\fB{_roff(names)}\\fR", _roff(text))


def _roff(text: str) -> str:
    """Text as roff takes it: no control line, no escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text
