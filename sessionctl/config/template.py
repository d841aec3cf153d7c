"""The commented file that `config init` writes."""

from __future__ import annotations

import os

from sessionctl.config.places import PROJECT_FILE
from sessionctl.config.projects import Proposal
from sessionctl.errors import ConfigError

_HEAD = """\
# sessionctl.toml: how to look into this project's sessions.
# What counts: option, environment, this file, your own config.toml, default.
# 'sessionctl config trust' lets its storages and secrets count;
# 'sessionctl config check' reads it over.
"""

_EMPTY = Proposal(
    "app",
    "no framework was recognized: fill it in",
    "native",
    "session",
    ("env:SESSION_SECRET",),
    "fs:sessions",
)


def render(proposals: list[Proposal]) -> str:
    """The text of a configuration with a profile for each proposal, the first of them the default."""
    chosen = proposals or [_EMPTY]
    profiles = "\n".join(_profile(proposal) for proposal in chosen)
    return f"{_HEAD}\ndefault_profile = {_text(chosen[0].name)}\n\n{profiles}"


def _profile(proposal: Proposal) -> str:
    lines = [f"# {_visible(proposal.because)}", f"[profiles.{proposal.name}]"]
    lines += [f"format = {_text(proposal.format)}", f"cookie_name = {_text(proposal.cookie_name)}"]
    lines += [f"# {_visible(note)}" for note in proposal.notes]
    if proposal.secrets:
        lines.append(
            f"secrets = [{', '.join(map(_text, proposal.secrets))}]      # newest first; env:NAME, file:PATH"
        )
    lines += [f"# {_visible(note)}" for note in proposal.storage_notes]
    if proposal.storage:
        lines.append(f"storage = {_text(proposal.storage)}      # a guess at the place")
    elif not proposal.storage_notes:
        lines.append('# storage = "redis://localhost/0"      # where the cookie holds an ID alone')
    lines += _max_age(proposal)
    return "\n".join(lines) + "\n"


def _max_age(proposal: Proposal) -> list[str]:
    if proposal.lifetime is None:
        return ['# max_age = "30d"']
    setting, place, max_age = proposal.lifetime
    if max_age is None:
        return [
            f"# {_visible(f'{setting} ({place})')} says how long a session lives; here as",
            '# max_age = "30d"',
        ]
    return [f"max_age = {_text(max_age)}      # {_visible(f'{setting} ({place})')}"]


def _text(value: str) -> str:
    """A TOML basic string; what has no glyph is escaped, as all of it may be (TOML 1.0)."""
    return '"' + "".join(_character(char) for char in value) + '"'


def _character(char: str) -> str:
    return char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}"


def _visible(comment: str) -> str:
    """A comment of one line: a file's name may hold line breaks, and what would follow would count."""
    return comment if comment.isprintable() else ascii(comment)[1:-1]


def write(path: str, text: str, *, force: bool) -> None:
    """Write a new file. Raises `ConfigError` where there is one already, unless `force`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        file = os.open(path, flags, 0o644 if path.endswith(PROJECT_FILE) else 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; --force writes over it") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)
