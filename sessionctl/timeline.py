"""A session's story over a recorded visit: when it was set, refreshed, regenerated, flashed, cleared or lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from sessionctl.diff import Change, compare_flash, compare_values
from sessionctl.inspection.stored import ref_of
from sessionctl.refusals import refusals
from sessionctl.sources.base import Source, kept_until, parse_set_cookie, which_counts
from sessionctl.sources.har import Exchange, gather
from sessionctl.unsent import SOURCE, Kept, Unsent, kept, site_of, why_unsent
from sessionctl.visit_values import Read, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Setup

Kind = Literal[
    "sent", "set", "refreshed", "changed", "flashed", "regenerated", "replaced", "cleared", "lost", "not-sent",
    "refused", "same-id-at-login", "two-cookies",
]  # fmt: skip

FLAGS: Mapping[str, str] = {
    "refused": "error",
    "same-id-at-login": "error",
    "two-cookies": "warning",
    "lost": "warning",
    "not-sent": "warning",
}
"""Kinds of events that are faults, with their severity."""

_LOGIN_NAME = r"(?i)(^|/)(log[-_]?in|sign[-_]?in|auth(enticate)?|sessions?|callback)"
_LOGIN = re.compile(rf"{_LOGIN_NAME}(/|\.|$)")
_LOGIN_END = re.compile(rf"{_LOGIN_NAME}(\.\w+)?/?$")
_DENIED = frozenset({401, 403})
_ELSEWHERE = frozenset({302, 303, 307})
_DONE = frozenset({200, 201, 202, 204})
_OTHER_END = re.compile(r"(?i)(log|sign)[-_]?(out|up|off)|regist|passw|reset|forgot|recover|confirm")
_USER = re.compile(
    r"(?i)^_?(auth_)?(user_?(id|name)?|uid|account_?id|member_?id|sub|passport|warden\.user\..*)$"
)


class Event(NamedTuple):
    """One step of the story and the request that did it. `time` is in Unix seconds; `ref` names the session.

    `detail` says more in words, `changes` are those of the data. `reason` is why the application does not take the
    value, where a key was given that tells.
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
    reason: str | None = None

    @property
    def severity(self) -> str | None:
        """`error` or `warning` where the event is a fault."""
        return "error" if self.reason is not None else FLAGS.get(self.kind)


@dataclass(slots=True)
class _State:
    """What the browser holds for a host, as far as the visit shows. `places` are the cookies by domain and path."""

    value: str | None = None
    decoded: Decoded | None = None
    places: dict[tuple[str, str], Kept] = field(default_factory=dict)


class _Jar:
    """A state for each host; hosts that a Domain attribute has joined share one."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}
        self._sites: dict[str, list[_State]] = {}

    def of(self, exchange: Exchange) -> _State:
        """The state of the host that was asked."""
        host = urlsplit(exchange.url).hostname or ""
        for place, state in self._states.items():
            domains = {domain for domain, _ in state.places}
            if place == host or any(domain and f".{host}".endswith(f".{domain}") for domain in domains):
                return state
        state = self._states[host] = _State()
        self._sites.setdefault(site_of(host), []).append(state)
        return state

    def why_unsent(self, exchange: Exchange) -> Unsent | None:
        """Why the browser has not sent the cookie that it has for this host, or for one of the same site."""
        state = self.of(exchange)
        near = self._sites.get(site_of(urlsplit(exchange.url).hostname or ""), [])
        held = [state] if state.value is not None else [one for one in near if one.value is not None]
        cookies = [cookie for one in held for cookie in one.places.values()]
        return why_unsent(cookies, exchange.url, exchange.started or 0.0)


def story(visit: Sequence[Exchange], setup: Setup) -> list[Event]:
    """What happened to the session cookie, in order. The cookie is the one that was named, else the likeliest.

    Hosts have cookies of their own, as in the browser. With keys each new value is judged as of its request, and
    encrypted ones are opened, which without them show as changed or set. Raises `MalformedCookieError` where the visit
    has no cookies.
    """
    name = setup.cookie_name or gather(visit).source(None).name or ""
    jar = _Jar()
    events: list[Event] = []
    asked = [exchange for exchange in visit if exchange.went_out]
    reader = Reader(name, setup)
    told = set[str]()
    last = {_value(exchange.taken(name), name): number for number, exchange in enumerate(asked)}
    for number, exchange in enumerate(asked):
        state = jar.of(exchange)
        gone = last.get(state.value, -1) < number and exchange.method != "OPTIONS"
        if exchange.method != "OPTIONS" and _value(exchange.taken(name), name) is None:
            why = jar.why_unsent(exchange)
            events += _unsent(exchange, name, state, why, told, gone=gone)
        events += _sent(exchange, name, state, reader)
        before = state.decoded
        answered = list(_answered(exchange, name, state, reader))
        events += answered
        events += _login(exchange, name, before, state, answered)
    return events


def _event(kind: Kind, exchange: Exchange, name: str, decoded: Decoded | None = None, **more: Any) -> Event:
    ref = ref_of(decoded.id) if decoded is not None and decoded.id else None
    return Event(kind, name, exchange.started, exchange.method, exchange.url, exchange.status, ref, **more)


def _judged(kind: Kind, exchange: Exchange, name: str, read: Read, detail: str = "", **more: Any) -> Event:
    """The event of a new value, with why the application does not take it."""
    told = "; ".join(words for words in (detail, read.refusal) if words)
    return _event(kind, exchange, name, read.decoded, detail=told, mend=read.mend, reason=read.reason, **more)


def _unsent(
    exchange: Exchange, name: str, state: _State, why: Unsent | None, told: set[str], *, gone: bool
) -> Iterator[Event]:
    """What a request without the cookie tells: that it is lost, or, once for each reason, why it was not sent.

    Where nothing tells why, only one that is `gone` is lost: browsers leave it out of a manifest's, and send it again
    with the next request. To other paths, hosts and schemes much goes that needs no session: that it was not sent is
    told where the answer may come from its want.
    """
    is_lost = state.value is not None and (
        gone if why is None or why.code == "secure" else why.code == "expired"
    )
    if is_lost:
        detail, mend = (
            "the browser sends it no more",
            "look at SameSite, and at what deletes it: a script, the user",
        )
        if why is not None:
            detail, mend = f"{detail}: {why.message}", why.mend
        yield _event(
            "lost", exchange, name, state.decoded, detail=detail, mend=mend, source=SOURCE if why else ""
        )
        state.value = state.decoded = None
        state.places.clear()
    elif why is not None and why.code not in told and _is_missed(exchange, why.code):
        told.add(why.code)
        yield _event("not-sent", exchange, name, state.decoded, detail=f"the browser does not send it: {why.message}",
                     mend=why.mend, source=SOURCE)  # fmt: skip


def _is_missed(exchange: Exchange, code: str) -> bool:
    """Whether the answer may be what it is for want of the cookie: a refusal, a way to the log-in, another page."""
    if code == "secure" or (code == "host" and exchange.shows_page):
        return exchange.shows_page or exchange.status in _DENIED
    return exchange.status in _DENIED or exchange.status in _ELSEWHERE


def _sent(exchange: Exchange, name: str, state: _State, reader: Reader) -> Iterator[Event]:
    """What the request tells that has the cookie: one from before the visit, one that changed elsewhere."""
    cookies = exchange.taken(name)
    value = _value(cookies, name)
    if name in exchange.sent_twice:
        takes_last, whose = which_counts(exchange.sent_twice[name], name)
        yield _event("two-cookies", exchange, name, state.decoded, source="RFC 6265bis 5.8",
                     detail=f"the browser sends two cookies of this name; {whose} the "
                            f"{'last' if takes_last else 'first'}, and browsers send the one of the longer Path first, "
                            "of alike ones the older",
                     mend="clear the one with the other Domain or Path, and set one alone")  # fmt: skip
    if value is None or value == state.value:
        return
    found = reader.read(value, cookies, exchange.started)
    if state.value is None:
        yield _judged("sent", exchange, name, found, detail="the browser has it from before")
    else:
        yield _judged(
            "replaced", exchange, name, found, detail="another value than the one that was set last"
        )
    state.value, state.decoded = value, found.decoded or state.decoded


def _answered(exchange: Exchange, name: str, state: _State, reader: Reader) -> Iterator[Event]:
    """What the response sets."""
    found = [
        cookie for cookie in map(parse_set_cookie, exchange.set_cookies) if _belongs(cookie.name or "", name)
    ]
    for cookie in found:
        for refusal in refusals(cookie, exchange.url):
            yield _event("refused", exchange, cookie.name or name, state.decoded,
                         detail=f"a browser refuses this Set-Cookie: {refusal.message}", mend=refusal.mend,
                         source=refusal.source)  # fmt: skip
    taken = [cookie for cookie in found if not refusals(cookie, exchange.url)]
    if not taken:
        return
    yield from _doubled(exchange, name, taken, state)
    values = {cookie.name or "": cookie.value or "" for cookie in taken}
    value = _value(values, name)
    if not value or all(_is_over(cookie, exchange) for cookie in taken):
        if state.value is not None:
            yield _event("cleared", exchange, name, state.decoded)
        state.value = state.decoded = None
        state.places.clear()
        return
    read = reader.read(value, values, exchange.started)
    kind = _compare(state, value, read.decoded)
    yield _judged(kind, exchange, name, read, **_more(state.decoded, read.decoded))
    state.value, state.decoded = value, read.decoded


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


def _doubled(exchange: Exchange, name: str, found: Iterable[Source], state: _State) -> Iterator[Event]:
    """Two cookies of one name live side by side where Domain or Path differ."""
    for cookie in found:
        if cookie.name != name:
            continue
        held = kept(cookie, exchange.url, exchange.started or 0.0)
        place = held.place
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
            state.places[place] = held


def _place_text(place: tuple[str, str]) -> str:
    domain, path = place
    return f"Domain={domain}; Path={path}" if domain else f"Path={path}"


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
