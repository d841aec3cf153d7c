"""A configuration file: its tables, and for every mistake the file, the line, the key and the nearest right key."""

from __future__ import annotations

import math
import os
import re
import tomllib
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sessionctl.errors import ConfigError, UsageError
from sessionctl.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Kind = Literal["project", "user"]

MAX_BYTES = 1 << 20
"""The longest file that is read."""

TOP_KEYS = ("default_profile", "profiles")

_HEADER = re.compile(r"\s*\[\[?\s*([^\]#]+?)\s*\]")
_KEY = re.compile(r"\s*([\w\"'.\- ]+?)\s*=")
_LINE = re.compile(r"at line (\d+), column \d+")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_options(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(item, (str, int)) or _is_finite(item) for item in value.values()
    )


def _is_finite(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


def _is_url(value: Any) -> bool:
    return _is_text(value) and ":" in value


def _is_duration(value: Any) -> bool:
    if not isinstance(value, str):
        return (type(value) is int or _is_finite(value)) and value >= 0
    from sessionctl.duration import parse_duration

    try:
        return value.lower() == "none" or parse_duration(value) >= 0
    except UsageError:
        return False


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


class _Rule(NamedTuple):
    """What a key's value must be, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


SETTINGS: Mapping[str, _Rule] = {
    "storage": _Rule('a storage\'s URL as text, "fs:DIR" or "redis://host/0"', _is_url),
    "secrets": _Rule('a list of texts, newest first: ["env:NAME", "file:PATH"]', _is_texts),
    "cookie_name": _Rule("a cookie's name as text, without blanks, '=', ';' and ','", _is_name),
    "format": _Rule("a format's name as text", _is_text),
    "options": _Rule('a table of the format\'s options: { salt = "..." }', _is_options),
    "max_age": _Rule('a duration as text, "30d", or seconds', _is_duration),
    "url": _Rule("a URL as text, for --output", _is_text),
}  # fmt: skip


class Mistake(NamedTuple):
    """What is wrong at one place of a file; `line` counts from 1, 0 where it is not known."""

    path: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.path}, line {self.line}" if self.line else self.path
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigFile(NamedTuple):
    """One file that was read. `trusted` says whether its storage and secrets count."""

    kind: Kind
    path: str
    text: str
    tables: Mapping[str, Any]
    trusted: bool
    open_mode: bool

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """The profiles by name; none where they are no table, which is a mistake."""
        found = self.tables.get("profiles")
        return found if isinstance(found, dict) else {}

    def line(self, *keys: str) -> int:
        """The line of a key, or of the nearest table around it; 0 where neither is there."""
        best, depth = 0, 0
        for number, path in _paths(self.text):
            common = sum(1 for _ in _same(path, keys))
            if common > depth:
                best, depth = number, common
        return best

    def mistake(self, keys: tuple[str, ...], message: str) -> Mistake:
        """A mistake at a key."""
        return Mistake(self.path, self.line(*keys), ".".join(keys), message)

    def mistakes(self) -> Iterator[Mistake]:
        """Everything that is not as a configuration file should be, in the order of the file."""
        for key in self.tables:
            if key not in TOP_KEYS:
                yield self.mistake((key,), f"there is no such setting{near(key, TOP_KEYS)}")
        if not isinstance(self.tables.get("default_profile", ""), str):
            yield self.mistake(("default_profile",), "it is the name of a profile, as text")
        profiles = self.tables.get("profiles", {})
        if not isinstance(profiles, dict):
            yield self.mistake(("profiles",), "it is no table; a profile begins with [profiles.NAME]")
            return
        for name, profile in profiles.items():
            yield from self._profile_mistakes(name, profile)

    def _profile_mistakes(self, name: str, profile: Any) -> Iterator[Mistake]:
        if not isinstance(profile, dict):
            hint = (
                f": did you forget the profile's name, [profiles.NAME]{near(name, SETTINGS)}"
                if name in SETTINGS
                else ""
            )
            yield self.mistake(("profiles", name), f"it is no table{hint}")
            return
        for key, value in profile.items():
            place = ("profiles", name, key)
            if key not in SETTINGS:
                yield self.mistake(place, f"there is no such setting{near(key, SETTINGS)}")
            elif not SETTINGS[key].fits(value):
                yield self.mistake(place, f"it is {SETTINGS[key].words}")
        if self.kind == "project" and _runs(profile.get("secrets")):
            yield self.mistake(
                ("profiles", name, "secrets"),
                "command: counts in your own configuration file alone, since a project must not run programs",
            )


def _runs(secrets: Any) -> bool:
    return _is_texts(secrets) and any(text.startswith("command:") for text in secrets)


def read_config(path: str, kind: Kind) -> ConfigFile | None:
    """The file at a path; None where there is none. Raises `ConfigError` for the first mistake in it."""
    file = parse_config(path, kind)
    if file is not None:
        for mistake in file.mistakes():
            raise ConfigError(str(mistake))
    return file


def parse_config(path: str, kind: Kind) -> ConfigFile | None:
    """As `read_config`, without a look at the keys. Raises `ConfigError` where it cannot be read or is no TOML."""
    from sessionctl.config import trust

    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path} has more than {MAX_BYTES} bytes, which is no configuration")
    try:
        text = content.removeprefix(BOM_UTF8).decode()  # which editors of Windows write
        tables = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(str(Mistake(path, line, "", "it is no UTF-8"))) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(_syntax(path, text, str(error)))) from None
    except RecursionError:
        raise ConfigError(f"{path}: it is nested too deep") from None
    except ValueError:  # of `int`, for more digits than Python reads
        raise ConfigError(f"{path}: a number in it has too many digits") from None
    trusted = kind == "user" or trust.is_trusted(path, content)
    return ConfigFile(kind, path, text, tables, trusted, bool(mode & 0o077))


def _syntax(path: str, text: str, problem: str) -> Mistake:
    found = _LINE.search(problem)
    line = int(found[1]) if found else text.count("\n") + 1
    return Mistake(path, line, "", f"no TOML: {_LINE.sub('', problem).replace(' ()', '').strip()}")


def near(name: str, known: Iterable[str]) -> str:
    """The nearest right name as the end of a message; where none is near, all of them."""
    names = sorted(known)
    return did_you_mean(name, names) or (f"; there are {', '.join(names)}" if names else "")


# -- lines --------------------------------------------------------------------------------------------


def _paths(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every table and key of a TOML text, with its line. tomllib keeps no lines."""
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield number, table
        elif key := _KEY.match(line):
            yield number, [*table, *_parts(key[1])]
            inner = re.findall(r"[{,]\s*([\w\-]+)\s*=", line)
            yield from ((number, [*table, *_parts(key[1]), name]) for name in inner)


def _parts(dotted: str) -> list[str]:
    return [bare or quoted for quoted, bare in re.findall(r"[\"']([^\"']*)[\"']|([\w\-]+)", dotted)]


def _same(path: list[str], keys: tuple[str, ...]) -> Iterator[str]:
    for one, other in zip(path, keys, strict=False):
        if one != other:
            return
        yield one
