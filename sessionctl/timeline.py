"""A session's story over a recorded visit: when it was set, refreshed, regenerated, flashed, cleared or lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from sessionctl.diff import Change, compare_flash, compare_values
from sessionctl.errors import SessionctlError
from sessionctl.identify import Setup, identify
from sessionctl.inspection.stored import ref_of
from sessionctl.refusals import refusals
from sessionctl.sources.base import Source, kept_until, parse_set_cookie, which_counts
from sessionctl.sources.har import Exchange, gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sessionctl.formats.base import Decoded

Kind = Literal[
    "sent", "set", "refreshed", "changed", "flashed", "regenerated", "replaced", "cleared", "lost", "refused",
    "same-id-at-login", "two-cookies",
]  # fmt: skip

FLAGS: Mapping[str, str] = {
    "refused": "error",
    "same-id-at-login": "error",
    "two-cookies": "warning",
    "lost": "warning",
}
"""Kinds of events that are faults, with their severity."""

_LOGIN_NAME = r"(?i)(^|/)(log[-_]?in|sign[-_]?in|auth(enticate)?|sessions?|callback)"
_LOGIN = re.compile(rf"{_LOGIN_NAME}(/|\.|$)")
_LOGIN_END = re.compile(rf"{_LOGIN_NAME}(\.\w+)?/?$")
_DONE = frozenset({200, 201, 202, 204})
_OTHER_END = re.compile(r"(?i)(log|sign)[-_]?(out|up|off)|regist|passw|reset|forgot|recover|confirm")
_USER = re.compile(
    r"(?i)^_?(auth_)?(user_?(id|name)?|uid|account_?id|member_?id|sub|passport|warden\.user\..*)$"
)


class Event(NamedTuple):
    """One step of the story and the request that did it. `time` is in Unix seconds; `ref` names the session.

    `detail` says more in words, `changes` are those of the data.
    """

    kind: Kind
    cookie: str
    time: float | None
    method: str
    url: str
    status: int
    ref: str | None = None
    detail: str = ""
    changes: tuple[Change, ...] = ()
    mend: str = ""
    source: str = ""

    @property
    def severity(self) -> str | None:
        """`error` or `warning` where the event is a fault."""
        return FLAGS.get(self.kind)


@dataclass(slots=True)
class _State:
    """What the browser holds for a host, as far as the visit shows. `places` are domain and path of each cookie set."""

    value: str | None = None
    decoded: Decoded | None = None
    places: dict[tuple[str, str], str] = field(default_factory=dict)


class _Jar:
    """A state for each host; hosts that a Domain attribute has joined share one."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}

    def of(self, exchange: Exchange) -> _State:
        """The state of the host that was asked."""
        host = urlsplit(exchange.url).hostname or ""
        for place, state in self._states.items():
            domains = {domain for domain, _ in state.places}
            if place == host or any(domain and f".{host}".endswith(f".{domain}") for domain in domains):
                return state
        return self._states.setdefault(host, _State())


def story(visit: Sequence[Exchange], setup: Setup) -> list[Event]:
    """What happened to the session cookie, in order. The cookie is the one that was named, else the likeliest.

    Hosts have cookies of their own, as in the browser. Keys of the setup open encrypted cookies; without them an
    encrypted session shows as changed or set. Raises `MalformedCookieError` where the visit has no cookies.
    """
    name = setup.cookie_name or gather(visit).source(None).name or ""
    jar = _Jar()
    events: list[Event] = []
    asked = [exchange for exchange in visit if exchange.went_out]
    last = {_value(exchange.taken(name), name): number for number, exchange in enumerate(asked)}
    for number, exchange in enumerate(asked):
        state = jar.of(exchange)
        gone = last.get(state.value, -1) < number and exchange.method != "OPTIONS"
        events += _sent(exchange, name, state, setup, gone=gone)
        before = state.decoded
        answered = list(_answered(exchange, name, state, setup))
        events += answered
        events += _login(exchange, name, before, state, answered)
    return events


def _event(kind: Kind, exchange: Exchange, name: str, decoded: Decoded | None = None, **more: Any) -> Event:
    ref = ref_of(decoded.id) if decoded is not None and decoded.id else None
    return Event(kind, name, exchange.started, exchange.method, exchange.url, exchange.status, ref, **more)


def _sent(exchange: Exchange, name: str, state: _State, setup: Setup, *, gone: bool) -> Iterator[Event]:
    """What the request tells: a cookie from before the visit, one that changed elsewhere, one that is `gone`.

    A request without the cookie does not mean that: browsers leave it out of a manifest's or a preflight's, and
    send it again with the next one.
    """
    cookies = exchange.taken(name)
    value = _value(cookies, name)
    if name in exchange.sent_twice:
        takes_last, whose = which_counts(exchange.sent_twice[name], name)
        yield _event("two-cookies", exchange, name, state.decoded, source="RFC 6265bis 5.8",
                     detail=f"the browser sends two cookies of this name; {whose} the "
                            f"{'last' if takes_last else 'first'}, and browsers send the one of the longer Path first, "
                            "of alike ones the older",
                     mend="clear the one with the other Domain or Path, and set one alone")  # fmt: skip
    if value is None:
        if gone and state.value is not None and _covers(state, exchange.url):
            yield _event("lost", exchange, name, state.decoded, detail="the browser sends it no more",
                         mend="look at Expires, SameSite and Path of the Set-Cookie before")  # fmt: skip
            state.value = state.decoded = None
        return
    if value == state.value:
        return
    decoded = _decode(value, name, cookies, setup)
    if state.value is None:
        yield _event("sent", exchange, name, decoded, detail="the browser has it from before")
    else:
        yield _event(
            "replaced", exchange, name, decoded, detail="another value than the one that was set last"
        )
    state.value, state.decoded = value, decoded


def _covers(state: _State, url: str) -> bool:
    """Whether a path for which the cookie was set holds for the URL (RFC 6265bis, 5.1.4)."""
    place = urlsplit(url).path or "/"
    paths = [path for _, path in state.places] or ["/"]
    return any(place == path or place.startswith(path.rstrip("/") + "/") for path in paths)


def _answered(exchange: Exchange, name: str, state: _State, setup: Setup) -> Iterator[Event]:
    """What the response sets."""
    found = [
        cookie for cookie in map(parse_set_cookie, exchange.set_cookies) if _belongs(cookie.name or "", name)
    ]
    for cookie in found:
        for refusal in refusals(cookie, exchange.url):
            yield _event("refused", exchange, cookie.name or name, state.decoded,
                         detail=f"a browser refuses this Set-Cookie: {refusal.message}", mend=refusal.mend,
                         source=refusal.source)  # fmt: skip
    kept = [cookie for cookie in found if not refusals(cookie, exchange.url)]
    if not kept:
        return
    yield from _doubled(exchange, name, kept, state)
    values = {cookie.name or "": cookie.value or "" for cookie in kept}
    value = _value(values, name)
    if not value or all(_is_over(cookie, exchange) for cookie in kept):
        if state.value is not None:
            yield _event("cleared", exchange, name, state.decoded)
        state.value = state.decoded = None
        state.places.clear()
        return
    decoded = _decode(value, name, values, setup)
    yield _event(*_kind(state, value, decoded, exchange, name), **_more(state.decoded, decoded))
    state.value, state.decoded = value, decoded


def _kind(
    state: _State, value: str, decoded: Decoded | None, exchange: Exchange, name: str
) -> tuple[Kind, Exchange, str, Decoded | None]:
    return _compare(state, value, decoded), exchange, name, decoded


def _compare(state: _State, value: str, decoded: Decoded | None) -> Kind:
    old = state.decoded
    if state.value is None:
        return "set"
    if old is None or decoded is None:
        return "refreshed" if value == state.value else "changed"
    if old.id != decoded.id:
        return "regenerated"
    changes = list(compare_values(old.data, decoded.data))
    if (decoded.flash or {}) != (old.flash or {}) and decoded.flash:
        return "flashed"
    return "changed" if changes else "refreshed"


def _more(old: Decoded | None, new: Decoded | None) -> dict[str, Any]:
    if new is None or new.id == new.data:
        return {}
    before = old.data if old is not None and not isinstance(old.data, str) else {}
    flash = old.flash if old is not None else {}
    return {"changes": (*compare_values(before, new.data), *compare_flash(flash, new.flash))}


def _doubled(exchange: Exchange, name: str, kept: Iterable[Source], state: _State) -> Iterator[Event]:
    """Two cookies of one name live side by side where Domain or Path differ."""
    for cookie in kept:
        attributes = cookie.attributes or {}
        place = (
            attributes.get("domain", "").lstrip(".").lower(),
            attributes.get("path") or _default_path(exchange.url),
        )
        if cookie.name != name:
            continue
        others = [other for other in state.places if other != place]
        if others and not _is_over(cookie, exchange):
            detail = (
                f"set for {_place_text(place)} while one of this name for {_place_text(others[0])} is there"
            )
            yield _event("two-cookies", exchange, name, state.decoded, detail=detail, source="RFC 6265bis 5.7",
                         mend="set it with one Domain and Path everywhere")  # fmt: skip
        if _is_over(cookie, exchange):
            state.places.pop(place, None)
        else:
            state.places[place] = cookie.value or ""


def _place_text(place: tuple[str, str]) -> str:
    domain, path = place
    return f"Domain={domain}; Path={path}" if domain else f"Path={path}"


def _default_path(url: str) -> str:
    """RFC 6265bis, 5.1.4."""
    return urlsplit(url).path.rpartition("/")[0] or "/"


def _login(
    exchange: Exchange, name: str, before: Decoded | None, state: _State, answered: list[Event]
) -> Iterator[Event]:
    """A log-in that leaves the ID as it was: whoever knew the ID before is logged in now."""
    after = state.decoded
    if before is None or after is None or before.id is None or before.id != after.id:
        return
    gained = any(
        change.kind == "added" and change.part == "data" and _USER.match(change.path.partition(".")[0])
        for event in answered
        for change in event.changes
    )
    if gained or (exchange.method == "POST" and _logs_in(exchange)):
        yield _event(
            "same-id-at-login", exchange, name, after, detail="the session keeps its ID over the log-in: fixation",
            mend="regenerate the ID at every change of privilege, and end the old one",
            source="OWASP Session Management Cheat Sheet, Renew the Session ID After Any Privilege Level Change",
        )  # fmt: skip


def _logs_in(exchange: Exchange) -> bool:
    """Whether a POST was a log-in that succeeded: its path names one and it redirects; or, as of an API, the end of
    its path or its body names one, or its path and a password goes with it, and it is answered. A page is the form
    again: the log-in was refused.
    """
    path = urlsplit(exchange.url).path
    if 300 <= exchange.status < 400:  # noqa: PLR2004 - HTTP's
        return bool(_LOGIN.search(path)) or exchange.sent_login
    named = bool(_LOGIN_END.search(path)) or exchange.sent_login
    if exchange.sent_password and not _OTHER_END.search(path.rpartition("/")[2]):
        named = named or bool(_LOGIN.search(path))
    return named and exchange.status in _DONE and not exchange.shows_page


def _belongs(found: str, name: str) -> bool:
    return found in (name, f"{name}.sig") or bool(re.fullmatch(rf"{re.escape(name)}[.-]\d{{1,3}}", found))


def _value(cookies: Mapping[str, str], name: str) -> str | None:
    from sessionctl.sources.base import join_chunks

    return cookies[name] if name in cookies else join_chunks(cookies, name)


def _is_over(cookie: Source, exchange: Exchange) -> bool:
    """Whether a Set-Cookie ends the cookie: no value, Max-Age of nothing, or an Expires that has passed."""
    now = exchange.started or 0.0
    end = kept_until(cookie.attributes or {}, now)
    return not cookie.value if end is None else end <= now


def _decode(value: str, name: str, cookies: Mapping[str, str], setup: Setup) -> Decoded | None:
    """What the cookie says; None where it cannot be told."""
    try:
        known = identify(Source(name, value, cookies), setup, judge=False)
        context = known.context
        return known.format.decode(
            known.text,
            context.keys,
            cookie_name=context.cookie_name,
            cookies=context.cookies,
            now=context.now,
        )
    except SessionctlError:
        return None
