"""Where cookie text comes from: a bare value, a pair, a header.

The way in is `read_cookie`: it takes what a person pasted and gives the one cookie that is meant, as the
header carried it (quotes and percent signs stay), with the cookies that came along.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.encoding import is_canonical_b64
from sessionctl.errors import MalformedCookieError, UsageError
from sessionctl.jsontext import loads_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a cookie's name is made of (RFC 9110, 5.6.2)."""

LONGEST_NAME = 40
"""Characters over which `TEXT=` is no name with an empty value, but a value that ends in padding."""

_CHUNK = r"[.-](\d{1,3})$"
_ATTRIBUTES = frozenset(
    {"path", "httponly", "secure", "samesite", "max-age", "expires", "domain", "partitioned"}
)


class Source(NamedTuple):
    """One cookie as it was found.

    `value` is None where the cookie that was asked for is not there. `cookies` holds all of the header,
    `attributes` those of a Set-Cookie header, with names in lower case.
    """

    name: str | None
    value: str | None
    cookies: Mapping[str, str] = MappingProxyType({})
    attributes: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


def read_cookie(text: str, cookie_name: str | None = None) -> Source:
    """The cookie in a bare value, `name=value`, a `Cookie:` or a `Set-Cookie:` header.

    Of several cookies it is the one named `cookie_name`, its chunks (`NAME.0`, `NAME-1`) joined.
    Raises `MalformedCookieError` where there is no text at all.
    """
    text = text.strip()
    if not text:
        raise MalformedCookieError("the cookie is empty")
    kind, colon, rest = text.partition(":")
    if colon and kind.strip().lower() == "set-cookie":
        return _set_cookie(rest)
    if colon and kind.strip().lower() == "cookie":
        return _pick(parse_cookie_header(rest), cookie_name)
    name, equals, value = text.partition("=")
    name = name.rstrip()
    if not equals or not name or not _TOKEN.issuperset(name) or _is_padded_base64(text):
        return Source(cookie_name, text)
    if not value.strip() and len(name) > LONGEST_NAME:
        return Source(cookie_name, text)
    if ";" not in text:
        return _pick({name: value.strip()}, cookie_name)
    return _set_cookie(text) if _is_set_cookie(text) else _pick(parse_cookie_header(text), cookie_name)


def parse_cookie_header(header: str) -> dict[str, str]:
    """The cookies of a `Cookie` header (RFC 6265, 5.4), raw; of one name the first counts."""
    cookies: dict[str, str] = {}
    for part in _split(header):
        name, equals, value = part.partition("=")
        if equals:
            cookies.setdefault(name.strip(), value.strip())
    return cookies


def _split(header: str) -> list[str]:
    """The parts between semicolons, but not those inside double quotes that close before the next pair."""
    if '"' not in header:
        return header.split(";")
    return re.findall(r'(?:[^;"]|"(?:[^"\\]|\\.)*"|")+', header)


def _is_padded_base64(text: str) -> bool:
    """Whether the first `=` is base64's padding, not the end of a name: `eyJpZCI6MX0=`, `eyJpZCI6MX0=.mac`.

    What stands before it is base64 of a whole number of bytes; after it comes nothing, or a separator.
    """
    bare = text.partition("=")[0]
    padded = len(bare) + len(text[len(bare) :]) - len(text[len(bare) :].lstrip("="))
    if len(bare) < 16 or padded % 4 or text[padded : padded + 1] not in ("", *".-:|?!;"):  # noqa: PLR2004
        return False
    if text[padded:] and ("-" in bare or "_" in bare):
        return False
    return is_canonical_b64(bare)


def _is_set_cookie(text: str) -> bool:
    return any(part.partition("=")[0].strip().lower() in _ATTRIBUTES for part in _split(text)[1:])


def _set_cookie(text: str) -> Source:
    first, *rest = _split(text)
    name, equals, value = first.partition("=")
    if not equals:
        raise MalformedCookieError("the Set-Cookie header has no name=value")
    attributes = {}
    for part in rest:
        key, _, setting = part.partition("=")
        attributes[key.strip().lower()] = setting.strip()
    name, value = name.strip(), value.strip()
    return Source(name, value, {name: value}, attributes)


def _pick(cookies: dict[str, str], name: str | None) -> Source:
    if name is None:
        if not cookies:
            raise MalformedCookieError("the header has no cookie")
        name = _likeliest(cookies)
    if name in cookies and not cookies[name].startswith("__chunked__"):
        return Source(name, cookies[name], cookies)
    joined = join_chunks(cookies, name)
    return Source(name, joined, cookies, notes=("joined from chunks",) if joined is not None else ())


def _likeliest(cookies: Mapping[str, str]) -> str:
    """The first cookie, but no companion signature, and the base name of chunks."""
    names = [name for name in cookies if not (name.endswith(".sig") and name[:-4] in cookies)] or list(
        cookies
    )
    return re.sub(_CHUNK, "", names[0]) if re.search(_CHUNK, names[0]) else names[0]


def join_chunks(cookies: Mapping[str, str], name: str) -> str | None:
    """A value that was cut over `NAME.0`, `NAME.1`, ... or `NAME-0`, ..., in numeric order; else None."""
    parts: dict[int, str] = {}
    for key, value in cookies.items():
        match = re.search(_CHUNK, key)
        if match and key[: match.start()] == name:
            parts[int(match[1])] = value
    return "".join(parts[index] for index in sorted(parts)) if parts else None


# -- files --------------------------------------------------------------------------------------------


def read_file(path: str) -> bytes:
    """The content of a file. Raises `UsageError`."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror}") from None


def read_cookie_jar(content: bytes, name: str | None) -> Source:
    """The cookie of a Netscape cookie file (curl, wget, yt-dlp), the last of its name.

    Lines are `domain, subdomains, path, secure, expires, name, value` with tabs; `#HttpOnly_` in front of the
    domain marks a cookie that scripts cannot see. Raises `MalformedCookieError`.
    """
    cookies: dict[str, str] = {}
    for line in content.decode(errors="surrogateescape").splitlines():
        if line.startswith("#") and not line.startswith("#HttpOnly_"):
            continue
        fields = line.split("\t")
        if len(fields) == 7:  # noqa: PLR2004 - the format's number
            cookies[fields[5]] = fields[6]
    if not cookies:
        raise MalformedCookieError("the file has no line of a Netscape cookie jar")
    return _pick(cookies, name)


def read_har(content: bytes, name: str | None) -> Source:
    """The last value that a cookie had in a HAR file (HTTP Archive 1.2), set or sent.

    Raises `MalformedCookieError`.
    """
    cookies: dict[str, str] = {}
    archive = loads_bytes(content)
    try:
        for entry in archive["log"]["entries"]:
            for message in (entry["request"], entry["response"]):
                cookies.update({cookie["name"]: cookie["value"] for cookie in message.get("cookies", ())})
    except (KeyError, TypeError, AttributeError):
        raise MalformedCookieError(
            "the file is no HAR: it has no log.entries with requests and responses"
        ) from None
    cookies = {
        key: value for key, value in cookies.items() if isinstance(key, str) and isinstance(value, str)
    }
    if not cookies:
        raise MalformedCookieError("the HAR file has no cookies; some browsers leave them out unless asked")
    return _pick(cookies, name)
