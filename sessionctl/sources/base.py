"""One cookie as it was found, and the two headers that carry cookies."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.encoding import is_canonical_b64
from sessionctl.errors import MalformedCookieError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a cookie's name is made of (RFC 9110, 5.6.2)."""

NAMED = 5
"""How many cookies a message names: a line's worth."""

LEAST_CHUNK = 3000
"""Characters that a full chunk has at least: frameworks fill 3,180 to 4,032 of the 4,096 bytes that browsers keep."""

_CHUNK = r"[.-](\d{1,3})$"
_QUOTED_OR_END = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*("|\\?\Z)|;', re.DOTALL)
"""What stands in double quotes, to its end or to that of the text; or the end of a part."""
_NEXT_COOKIE = r", (?=[!#$%&'*+\-.^_`|~0-9A-Za-z]+=)"
_TORNADO_1 = re.compile(r"\|\d{9,11}\|[0-9a-f]{40}$")
_WITH_COLON = r"[A-Za-z][\w-]*:sess(?:ion)?(?:\.sig)?"
_ATTRIBUTES = frozenset(
    {"path", "httponly", "secure", "samesite", "max-age", "expires", "domain", "partitioned"}
)

CLEARING = ("", '""', "deleted", "null")
"""Values with which servers end a session: see `Source.clears`."""


class Source(NamedTuple):
    """One cookie as it was found.

    `value` is None where the cookie that was asked for is not there. `cookies` holds all that came along,
    `attributes` those of a Set-Cookie header, with names in lower case. `notes` say what was done to get at
    the value.
    """

    name: str | None
    value: str | None
    cookies: Mapping[str, str] = MappingProxyType({})
    attributes: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    """The other values of the name that the same header has, which the framework does not look at."""
    sent: bool = False
    """Whether it came in a `Cookie` header, with all that the browser sends."""

    @property
    def clears(self) -> bool:
        """Whether the value is one by which a server ends a session.

        Django, Tornado and aiohttp send empty quotes. PHP sends `deleted` (ext/standard/head.c, `php_setcookie`) and
        Starlette's SessionMiddleware `null`, each with an Expires of 1970. Elsewhere these two are words that a
        framework refuses, but for `deleted` under PHP's own name.
        """
        if self.value not in ("deleted", "null"):
            return self.value in CLEARING
        end = kept_until(self.attributes or {}, 0.0)
        return (end is not None and end <= 1) or (self.name, self.value) == ("PHPSESSID", "deleted")


def no_such_cookie(source: Source) -> MalformedCookieError:
    """The error of a source in which the cookie that was asked for is not; it names those that are there."""
    there = f" among {_told(source.cookies)}" if source.cookies else ""
    return MalformedCookieError(
        f"there is no cookie {source.name or '?'!r}{there}; --cookie-name chooses another"
    )


def _no_session(source: Source, names: Sequence[str]) -> MalformedCookieError:
    """The error of a `Cookie` header without a session's cookie, which has one of these names."""
    return MalformedCookieError(
        f"no {names[0] if names else 'session cookie'} in this request: the browser does not send it, only "
        f"{_told(source.cookies)}; is one of these the session, --cookie-name names it"
    )


def _told(cookies: Mapping[str, str]) -> str:
    """The names, as many as a line holds."""
    names = list(cookies)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def is_name(text: str) -> bool:
    """Whether a text may be a cookie's name; the colon of `koa:sess`, koa-session's default before 6, as well."""
    return TOKEN.issuperset(text) or re.fullmatch(_WITH_COLON, text) is not None


def parse_cookie_header(header: str) -> dict[str, str]:
    """The cookies of a `Cookie` header (RFC 6265, 5.4), raw; of one name the first counts."""
    return parse_sent(header)[0]


def parse_sent(header: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The cookies of a `Cookie` header, of one name the first; and all values of a name that has several."""
    parts = (part.partition("=") for part in _split(header))
    return sent_together((name.strip(), value.strip()) for name, equals, value in parts if equals)


def sent_together(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """As `parse_sent`, of the names and values that came in one request."""
    cookies: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        first = cookies.setdefault(name, value)
        if name in several:
            several[name].append(value)
        elif first != value:
            several[name] = [first, value]
    return cookies, several


def pick_sent(header: str, name: str | None) -> Source:
    """As `pick`, of the cookies in a `Cookie` header. Raises `MalformedCookieError`."""
    cookies, several = parse_sent(header)
    found = pick(cookies, name)
    return settle(found, several[found.name or ""]) if found.name in several else found


def settle(found: Source, values: Sequence[str]) -> Source:
    """The cookie with the one of its values in one header that its framework takes, and a note on them.

    A cookie that was put together from chunks stays.
    """
    if found.name is None or found.value != values[0]:
        return found
    takes_last, whose = which_counts(values, found.name)
    value = values[-1] if takes_last else values[0]
    place, other = ("last", "first") if takes_last else ("first", "last")
    note = (
        f"{found.name} has {len(values)} values in one header; this is the {place}, as {whose} it, "
        f"where other frameworks take the {other}"
    )
    cookies = {**found.cookies, found.name: value}
    twins = tuple(other for other in values if other != value)
    return found._replace(value=value, cookies=cookies, notes=(*found.notes, note), twins=twins)


def which_counts(values: Sequence[str], name: str) -> tuple[bool, str]:
    """Whether the framework takes the last of several values of a name in one header; and who does, for a sentence."""
    from sessionctl.sources.likeliest import framework_of

    form = framework_of((values[0], values[-1]), name)
    whose = "most frameworks take" if form is None else f"{form.name} takes"
    return form is not None and form.takes_last_cookie, whose


def parse_set_cookie(text: str) -> Source:
    """The cookie of a `Set-Cookie` header with its attributes. Raises `MalformedCookieError`."""
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


def kept_until(attributes: Mapping[str, str], now: float) -> float | None:
    """When a browser drops a cookie that it gets now, in Unix seconds (RFC 6265bis, 5.7); None: when it ends itself.

    Max-Age counts before Expires, and either only where it can be read.
    """
    age = attributes.get("max-age", "")
    if age.isascii() and age.removeprefix("-").isdigit():
        return now + float(age)
    if "expires" not in attributes:
        return None
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        expires = parsedate_to_datetime(attributes["expires"].replace("-", " "))
        return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def split_set_cookies(text: str) -> list[str]:
    """The Set-Cookie texts of one header: HAR files join several by line breaks, and `Headers` in JavaScript by commas.

    The comma in the date of Expires does not part them.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    return [one for line in lines for one in (re.split(_NEXT_COOKIE, line) if ";" in line else [line])] or [
        text
    ]


def _split(header: str) -> list[str]:
    """The parts between semicolons, but not those inside double quotes that close before the next pair."""
    if '"' not in header:
        return header.split(";")
    parts, start = [], 0
    for found in _QUOTED_OR_END.finditer(header):
        if found[0] == ";":
            parts.append(header[start : found.start()])
            start = found.end()
        elif found[1] != '"':  # nothing closes this quote, nor any after it: they are characters like others
            first, *more = header[found.start() :].split(";")
            return [*parts, header[start : found.start()] + first, *more]
    return [*parts, header[start:]]


def is_set_cookie(text: str) -> bool:
    """Whether pairs without a header's name are those of a Set-Cookie header: they have attributes."""
    return any(part.partition("=")[0].strip().lower() in _ATTRIBUTES for part in _split(text)[1:])


def is_padded_base64(text: str) -> bool:
    """Whether the first `=` is base64's padding, not the end of a name: `eyJpZCI6MX0=`, `eyJpZCI6MX0=.mac`.

    What stands before it is base64 of a whole number of bytes; after it comes nothing, or a separator. What is
    as short as a name must be JSON, or have the time and the signature of Tornado's first version.
    """
    text = text.removeprefix("!")  # as Bottle begins
    bare = text.partition("=")[0]
    equals = len(text) - len(bare) - len(text[len(bare) :].lstrip("="))
    after = text[len(bare) + equals :]
    if equals > 2 or (len(bare) + equals) % 4:  # noqa: PLR2004 - base64 has at most two
        return False
    if len(bare) < 16 and not (_is_json(bare, after) or _TORNADO_1.match(after)):  # noqa: PLR2004
        return False
    if equals == 1 and after[:1] not in ("", *".-:|?!;"):
        return False
    if after and ("-" in bare or "_" in bare):
        return False
    return is_canonical_b64(bare)


def _is_json(bare: str, after: str) -> bool:
    """Whether base64 begins as that of a JSON object does, surely so where nothing follows its padding."""
    return (
        bare.startswith(("ey", "e3")) if after[:1] == "." else not after and bare.startswith(("eyJ", "e30"))
    )


def pick(cookies: Mapping[str, str], name: str | None) -> Source:
    """The cookie of that name among those that came together, its chunks joined; else the likeliest session.

    Raises `MalformedCookieError` where there are no cookies.
    """
    notes: tuple[str, ...] = ()
    if name is None:
        if not cookies:
            raise MalformedCookieError("the header has no cookie")
        name, notes = _likeliest(cookies)
    if name in cookies and not cookies[name].startswith("__chunked__"):
        return Source(name, cookies[name], cookies, notes=notes)
    joined = join_chunks(cookies, name)
    if joined is not None:
        notes = ("joined from chunks", *_missing(cookies, name), *notes)
    return Source(name, joined, cookies, notes=notes)


def pieces(source: Source) -> dict[str, str]:
    """The cookies that a value was put together from; of one that was not cut itself alone."""
    name, cookies = source.name or "", source.cookies
    if source.value is None or (name not in cookies and join_chunks(cookies, name) is None):
        return {name: source.value or ""}
    if source.value == cookies.get(name):
        return {name: source.value}
    return {key: cookies[key] for key in _chunks(cookies).get(name, {}).values()}


def _missing(cookies: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A note on the first chunk that is not there: one between others, or after a last one as long as the first.

    A cookie is cut in pieces of one length, and what is left comes last.
    """
    keys = _chunks(cookies)[name]
    first, last = keys[min(keys)], keys[max(keys)]
    missing = next((number for number in range(min(keys), max(keys)) if number not in keys), None)
    if missing is None and len(cookies[last]) < max(LEAST_CHUNK, len(cookies[first])):
        return ()
    start = first.rstrip("0123456789")
    if missing is None:
        return (f"the next chunk is missing, as it seems: give {start}{max(keys) + 1} too",)
    return (f"a chunk is missing: give {start}{missing} too",)


def choose(read: Callable[[str | None], Source], usual: Callable[[], Sequence[str]]) -> Source:
    """The cookie that is meant where no name was given: of several the one of a usual name, else the likeliest.

    `read` gives the cookie of a name, or without one the likeliest. `usual` are the names that the framework
    which was asked for gives its cookie; it is called where several cookies came together.

    Raises `MalformedCookieError` for a `Cookie` header with nothing but what by name and looks is no session.
    """
    found = read(None)
    if len(found.cookies) < 2 and not found.sent:  # noqa: PLR2004 - nothing to choose among
        return found
    names = usual()
    name = next((name for name in names if pick(found.cookies, name).value is not None), None)
    if name is None and found.sent and _is_no_session(found):
        raise _no_session(found, names)
    if name is None or name == found.name:
        return found
    chosen = read(name)
    others = ", ".join(other for other in chosen.cookies if other != name)
    note = f"of {len(chosen.cookies)} cookies, {name} has the framework's own name; the others: {others}"
    return chosen._replace(notes=(*chosen.notes, f"{note} (--cookie-name chooses)"))


def _is_no_session(source: Source) -> bool:
    """Whether a cookie is for something else by its name, and of no known format by its looks."""
    from sessionctl.sources.likeliest import SURE, purpose_of, sureness

    if source.value is None or purpose_of(source.name or "") is None:
        return False
    return sureness(source.value, source.name) < SURE


def _likeliest(cookies: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The cookie that looks most like a session, and a word about the others.

    Companion signatures do not count, and chunks count once, under their base name.
    """
    names = list(
        dict.fromkeys(_base_name(name, cookies) for name in cookies if not _is_companion(name, cookies))
    )
    if len(names) <= 1:
        return (names or list(cookies))[0], ()
    from sessionctl.sources.likeliest import REMEMBERS, purpose_of, rank

    joined = _joined(cookies)
    best, *others = rank({name: cookies.get(name) or joined.get(name, "") for name in names})
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    told = ", ".join(others[:NAMED])
    if REMEMBERS.search(best):
        note = f"{best} was taken, which is no session but logs its user in anew; the others: {told}{more}"
    elif purpose_of(best) is None:
        note = f"of {len(names)} cookies, {best} looks most like a session; the others: {told}{more}"
    else:
        note = (
            f"none of {len(names)} cookies looks like a session; {best} was taken, the others: {told}{more}"
        )
    return best, (f"{note} (--cookie-name chooses)",)


def _is_companion(name: str, cookies: Mapping[str, str]) -> bool:
    return name.endswith(".sig") and name[:-4] in cookies


def _base_name(name: str, cookies: Mapping[str, str]) -> str:
    match = re.search(_CHUNK, name)
    if match is None:
        return name
    base = name[: match.start()]
    alone = base not in cookies and not any(f"{base}{mark}0" in cookies for mark in ".-")
    return name if alone else base


def join_chunks(cookies: Mapping[str, str], name: str) -> str | None:
    """A value that was cut over `NAME.0`, `NAME.1`, ... or `NAME-0`, ..., in numeric order; else None."""
    return _joined(cookies).get(name)


def _joined(cookies: Mapping[str, str]) -> dict[str, str]:
    """All values that were cut over several cookies, by the name without its number."""
    return {
        name: "".join(cookies[keys[index]] for index in sorted(keys))
        for name, keys in _chunks(cookies).items()
    }


def _chunks(cookies: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """The names with a number at their end, by the name without it and the number."""
    chunks: dict[str, dict[int, str]] = {}
    for key in cookies:
        match = re.search(_CHUNK, key)
        if match:
            chunks.setdefault(key[: match.start()], {})[int(match[1])] = key
    return chunks
