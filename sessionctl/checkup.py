"""Is this session cookie as safe as it should be? Its attributes, size, age, ID, signature, contents and secret.

The rules are those of OWASP's Session Management Cheat Sheet, and of the standards that it rests on. Each finding
names the rule's source and what mends it.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sessionctl.cookie import MAX_AGE
from sessionctl.duration import human_seconds
from sessionctl.errors import MalformedCookieError, SessionctlError
from sessionctl.identify import Setup, identify
from sessionctl.inspection import Report, inspect
from sessionctl.refusals import RFC, refusals
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.sources.har import Exchange, gather
from sessionctl.sources.likeliest import ANTI_FORGERY, purpose_of
from sessionctl.strength import LEAST_ID_BITS, WELL_KNOWN, id_bits, weakness_of
from sessionctl.timeline import FLAGS, story
from sessionctl.unrecognised import why_cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sessionctl.sources.base import Source

Severity = Literal["error", "warning", "note"]

OWASP = "OWASP Session Management Cheat Sheet"

DAY = 86400.0

ABSOLUTE_DAYS = 30
"""After how many days without renewal a session is told to be old; OWASP itself has 4 to 8 hours for office work."""

CLOCKS_APART = 60
"""Seconds by which the clocks of two hosts may differ without a word."""

GUESS_SECONDS = 0.5
"""How long well-known secrets are tried."""

_CSRF = "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, Using Cookies with Host Prefixes"
_KEY_RULE = "RFC 7518 3.2; OWASP Cryptographic Storage Cheat Sheet, Key Generation"
_MEND_KEY = "make one: sessionctl secret new; keep the old one behind it until its cookies have expired"

_SENSITIVE = re.compile(
    r"(?i)passw|pwd$|secret|ssn$|social_security|card_?(number|no)|cvv|cvc|iban|api_?key|access_?token|refresh_?token|"
    r"private_?key|^pin$"
)
_PERSONAL = re.compile(r"(?i)^e?mail(_address)?$|phone|birth|^address$|full_?name|^(first|last)_?name$")
_FINGERPRINTS = frozenset({
    "PHPSESSID", "JSESSIONID", "CFID", "CFTOKEN", "ASP.NET_SessionId", "connect.sid", "laravel_session", "_session_id",
    "rack.session", "beaker.session.id", "CAKEPHP", "ci_session", "sessionid",
})  # fmt: skip


class Finding(NamedTuple):
    """One thing that is wrong or ought to be known.

    `severity` is `error` for a fault, `warning` for what is weak, `note` for what is good to know. `source`
    names the rule, `mend` says what to do. `where` is the cookie, or the request of a recorded visit.
    """

    code: str
    severity: Severity
    message: str
    source: str
    mend: str
    where: str = ""


def examine(source: Source, setup: Setup, *, url: str | None = None) -> list[Finding]:
    """All findings on one cookie, the gravest first.

    The keys of the setup are judged too; attributes only where the source has them (a Set-Cookie header, a
    storageState). Where it has them the text may be of no known format: it is taken for an ID. Raises
    `MalformedCookieError` for another text of none. What is no session by its name is not judged as one.
    """
    purpose = purpose_of(source.name or "") if source.value else None
    if purpose is not None or source.clears:
        told = _cleared(source, url) if purpose is None else _of_no_session(source, url, purpose)
        return _sorted(finding._replace(where=source.name or "") for finding in told)
    try:
        report = inspect(source, setup)
    except MalformedCookieError as error:
        if source.attributes is None or not source.value or setup.format is not None:
            raise
        told = _of_no_format(source, url, str(error))
        return _sorted(finding._replace(where=source.name or "") for finding in told)
    found = [
        *_attributes(source, url),
        *_size(report),
        *_cut(report),
        *_signature(report),
        *_not_yet(report),
        *_age(report),
        *_identifier(report.id),
        *_contents(report),
        *_name(report.cookie_name),
        *_secrets(setup.keys),
        *_well_known(source, setup, report),
    ]
    return _sorted(finding._replace(where=report.cookie_name or "") for finding in found)


def examine_visit(visit: Sequence[Exchange], setup: Setup) -> list[Finding]:
    """All findings on the session cookie of a recorded visit, and on what the browser and the server did with it."""
    basket = gather(visit)
    source = basket.source(setup.cookie_name)
    source = source._replace(attributes=_last_attributes(visit, source.name) or source.attributes)
    url = next((exchange.url for exchange in visit if _sets(exchange, source.name)), visit[0].url)
    found = examine(source, setup, url=url)
    if purpose_of(source.name or "") is not None:
        return found
    codes = {finding.code for finding in found}
    for event in story(visit, setup._replace(cookie_name=source.name)):
        severity = FLAGS.get(event.kind)  # a value that is not genuine is told of the last one, above
        if severity is not None and event.kind not in codes:
            kind: Severity = "error" if severity == "error" else "warning"
            where = f"{event.method} {event.url}"
            found.append(Finding(event.kind, kind, event.detail, event.source or OWASP, event.mend, where))
    return _sorted([*found, *_transport(visit, source.name or "")])


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The gravest severity among findings; None where there are none."""
    severities = {finding.severity for finding in findings}
    return next((severity for severity in _ORDER if severity in severities), None)


_ORDER: tuple[Severity, ...] = ("error", "warning", "note")


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(dict.fromkeys(findings), key=lambda finding: _ORDER.index(finding.severity))


def _of_no_format(source: Source, url: str | None, why: str) -> Iterator[Finding]:
    """What can be told of a cookie whose text no known framework has written: an ID of a server's own making."""
    cut = why_cut(source.value or "", source.name) or (why if "was cut" in why else None)
    if cut is not None:
        yield _lost_end(cut)
        yield from _attributes(source, url)
        return
    yield from _attributes(source, url)
    yield from _identifier(source.value)
    yield from _name(source.name)
    yield Finding("unknown-format", "note", "its text is of no known format; it was judged as a bare ID",
                  "sessionctl formats", "-f NAME names its format")  # fmt: skip


def _cleared(source: Source, url: str | None) -> Iterator[Finding]:
    """An empty cookie, by which a server ends a session: browsers may refuse that too, and then it stays."""
    yield Finding("cleared", "note", "it is empty: the server ends the session by it", f"{RFC} 5.7",
                  "give the header that sets it to have the session judged")  # fmt: skip
    if source.attributes is not None:
        yield from _refused(source, url)


def _of_no_session(source: Source, url: str | None, purpose: str) -> Iterator[Finding]:
    """What can be told of a cookie that is for something else: whether browsers keep it, and of a token its reach.

    A page's own script may have to read an anti-forgery token, to send it back in a header.
    """
    message = f"by its name it holds {purpose}, and was not judged as a session"
    yield Finding("no-session", "note", message, "what cookies of this name are for",
                  "if it is one all the same, give it as session=VALUE")  # fmt: skip
    if source.attributes is None:
        return
    yield from _refused(source, url)
    if purpose == ANTI_FORGERY:
        if "secure" not in source.attributes:
            yield Finding("no-secure", "warning", "it also travels over plain http", _CSRF, "add Secure")
        yield from _reach(source.name or "", source.attributes)


# -- the cookie's attributes --------------------------------------------------------------------------


def _attributes(source: Source, url: str | None) -> Iterator[Finding]:
    attributes = source.attributes
    if attributes is None:
        return
    yield from _refused(source, url)
    if "httponly" not in attributes:
        yield _owasp(
            "no-httponly", "error", "any script on the page can read it", "HttpOnly Attribute", "add HttpOnly"
        )
    if "secure" not in attributes:
        yield _owasp(
            "no-secure", "error", "it also travels over plain http", "Secure Attribute", "add Secure"
        )
    yield from _same_site(attributes)
    yield from _reach(source.name or "", attributes)
    yield from _persistence(attributes)


def _refused(source: Source, url: str | None) -> Iterator[Finding]:
    for refusal in refusals(source, url):
        message = f"browsers refuse it: {refusal.message}"
        yield Finding(refusal.code, "error", message, refusal.source, refusal.mend)


def _owasp(code: str, severity: Severity, message: str, section: str, mend: str) -> Finding:
    return Finding(code, severity, message, f"{OWASP}, {section}", mend)


def _same_site(attributes: Mapping[str, str]) -> Iterator[Finding]:
    value = attributes.get("samesite", "").lower()
    if value not in ("lax", "strict", "none"):
        message = "without SameSite it is left to each browser whether other sites' requests carry it"
        yield _owasp("no-samesite", "warning", message, "SameSite Attribute", "say SameSite=Lax, or Strict")
    elif value == "none":
        message = "SameSite=None: other sites' requests carry it, so every change needs an anti-forgery token"
        yield _owasp(
            "samesite-none-sent",
            "warning",
            message,
            "SameSite Attribute",
            "SameSite=Lax where nothing embeds you",
        )


def _reach(name: str, attributes: Mapping[str, str]) -> Iterator[Finding]:
    if attributes.get("domain", "").strip("."):
        message = "Domain hands it to every subdomain, also to one that is weaker or somebody else's"
        yield _owasp("wide-domain", "warning", message, "Domain and Path Attributes", "leave Domain out")
    elif not name.lower().startswith(("__host-", "__secure-", "__http-")) and "secure" in attributes:
        message = "without the __Host- prefix another subdomain, or plain http, can put its own value in place of it"
        mend = f"call it __Host-{name or 'session'}, with Path=/ and no Domain"
        yield Finding("no-prefix", "note", message, f"{RFC} 4.1.3.2", mend)


def _persistence(attributes: Mapping[str, str]) -> Iterator[Finding]:
    age = attributes.get("max-age", "")
    seconds = float(age) if age.isdecimal() else 0.0
    if seconds > MAX_AGE:
        message = f"Max-Age of {human_seconds(seconds)}: browsers cut it to 400 days"
        yield Finding(
            "max-age-capped", "warning", message, f"{RFC} 5.5", "set it anew while the session is used"
        )
    if seconds > DAY or "expires" in attributes:
        message = "it survives the browser's end: on a shared machine the next person is logged in"
        yield _owasp(
            "persistent", "note", message, "Expire and Max-Age Attributes", "leave Max-Age and Expires out"
        )


# -- the cookie's text --------------------------------------------------------------------------------


def _size(report: Report) -> Iterator[Finding]:
    if report.size > report.limit:
        message = f"{report.size} bytes: browsers drop it without a word over {report.limit}"
        yield Finding(
            "too-large", "error", message, f"{RFC} 5.6", "keep an ID in the cookie, and the rest in a store"
        )
    elif report.size > report.limit * 3 // 4:
        message = f"{report.size} of {report.limit} bytes: a little more data, and browsers drop it"
        yield Finding("nearly-too-large", "warning", message, f"{RFC} 5.6", "keep less in the session")


def _cut(report: Report) -> Iterator[Finding]:
    for warning in report.warnings:
        if warning.code == "cut":
            yield _lost_end(warning.message)


def _lost_end(message: str) -> Finding:
    return Finding("cut", "error", message, "how its format writes it",
                   "give the whole text: browsers drop a cookie that is too long, they never cut one")  # fmt: skip


def _signature(report: Report) -> Iterator[Finding]:
    if report.status == "unsigned" and not report.is_id:
        message = "nothing shows that it is genuine: anybody can write another user into it"
        yield _owasp("unsigned", "error", message, "Session ID Content", "sign it, or keep only an ID in it")
    if report.status == "invalid":
        yield Finding("not-genuine", "error", report.verdict.detail or "the signature does not fit", "the given keys",
                      "sessionctl inspect says what is wrong with it")  # fmt: skip
    algorithm = (report.algorithm or "").lower()
    if "md5" in algorithm:
        yield Finding("weak-hash", "warning", f"signed with {report.algorithm}", "NIST SP 800-131A",
                      "use HMAC-SHA256")  # fmt: skip
    elif "sha1" in algorithm.replace("-", "").replace("hmacsha", "sha"):
        yield Finding("old-hash", "note", f"signed with {report.algorithm}: not broken as an HMAC, but on its way out",
                      "NIST SP 800-131A", "use HMAC-SHA256 where the framework lets you")  # fmt: skip


def _not_yet(report: Report) -> Iterator[Finding]:
    """A cookie of a later time: what its framework says of it, else how far its own times lie ahead."""
    made, begins = report.issued_at or report.now, _not_before(report) or report.now
    refused = report.verdict.reason == "not-yet-valid" or (
        report.verdict.reason == "expired" and made > report.now
    )
    if refused:
        message = report.verdict.detail
    elif made > report.now + CLOCKS_APART:
        message = f"made {human_seconds(made - report.now)} in the future, by a clock that is wrong"
    elif begins > report.now + CLOCKS_APART:
        message = f"not valid for another {human_seconds(begins - report.now)}"
    else:
        return
    rule = "RFC 7519 4.1.5" if report.format == "jwt" else "how its framework judges its time"
    yield Finding("not-yet-valid", "error" if refused else "warning", message, rule,
                  "set the clocks of the hosts that make and read it, by NTP")  # fmt: skip


def _not_before(report: Report) -> float | None:
    """When a JWT begins to count; None where that is no date."""
    if report.format != "jwt" or not isinstance(report.data, dict):
        return None
    from sessionctl.formats.jwt import shown_time

    return shown_time(report.data.get("nbf"))


def _age(report: Report) -> Iterator[Finding]:
    if report.expired:
        yield _owasp(
            "expired", "note", "it has expired", "Session Expiration", "nothing: this is how it should end"
        )
    elif report.issued_at is not None and report.now - report.issued_at > ABSOLUTE_DAYS * DAY:
        message = f"it is {human_seconds(report.now - report.issued_at)} old and still accepted"
        yield _owasp("old", "warning", message, "Absolute Timeout", "end sessions after a time, used or not")
    timeless = report.expires_at is None and report.issued_at is None and report.found is None
    if timeless and not (report.is_id or report.is_value or report.is_malformed):
        message = "no time stands in it: a copy is valid for as long as the secret is"
        yield _owasp(
            "no-expiry",
            "warning",
            message,
            "Session Expiration",
            "keep a time of creation in the session, and check it",
        )
    elif report.expires_at is not None and report.expires_at - (report.issued_at or report.now) > 366 * DAY:
        message = f"it is accepted for {human_seconds(report.expires_at - (report.issued_at or report.now))}"
        yield _owasp("long-life", "warning", message, "Absolute Timeout", "shorten it")


def _name(cookie_name: str | None) -> Iterator[Finding]:
    if cookie_name in _FINGERPRINTS:
        message = f"its name {cookie_name} tells which framework you use"
        yield _owasp(
            "default-name", "note", message, "Session ID Name Fingerprinting", "call it something like id"
        )


# -- the ID -------------------------------------------------------------------------------------------


def _identifier(session_id: object) -> Iterator[Finding]:
    if not isinstance(session_id, str) or session_id == "":
        return
    if re.fullmatch(
        r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?1[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}", session_id
    ):
        yield _owasp("time-id", "error", "the ID is a UUID of version 1, made of time and machine: it can be guessed",
                     "Session ID Entropy", "make IDs with a cryptographic random generator")  # fmt: skip
        return
    bits = id_bits(session_id)
    if bits < LEAST_ID_BITS:
        told = f"{bits:.0f} bits of entropy at the most" if bits >= 1 else "hardly any entropy"
        message = f"the ID has {told}, and {LEAST_ID_BITS} bits are the least"
        yield _owasp("weak-id", "error", message, "Session ID Entropy", "make IDs of 128 random bits or more")
    elif bits < 2 * LEAST_ID_BITS - 10:
        message = f"the ID has about {bits:.0f} bits of entropy"
        yield _owasp("short-id", "note", message, "Session ID Length", "128 bits or more is usual today")


# -- what is in it ------------------------------------------------------------------------------------


def _contents(report: Report) -> Iterator[Finding]:
    if report.encrypted or not isinstance(report.data, (dict, list)) or report.found:
        return
    keys = list(dict.fromkeys(_keys(report.data)))
    secret = [key for key in keys if _SENSITIVE.search(key)]
    personal = [key for key in keys if _PERSONAL.search(key) and key not in secret]
    mend = "keep it in a store on the server, or encrypt the cookie"
    if secret:
        message = f"whoever has the cookie reads {', '.join(secret[:5])}: it is signed at most, not encrypted"
        yield _owasp("secret-data", "error", message, "Session ID Content", mend)
    if personal:
        message = f"it shows personal data: {', '.join(personal[:5])}"
        yield _owasp("personal-data", "warning", message, "Session ID Content", mend)


def _keys(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict) and depth < 10:  # noqa: PLR2004 - deeper than any session
        for key, item in value.items():
            yield str(key)
            yield from _keys(item, depth + 1)
    elif isinstance(value, list) and depth < 10:  # noqa: PLR2004
        for item in value:
            yield from _keys(item, depth + 1)


# -- the secret ---------------------------------------------------------------------------------------


def _secrets(keys: KeyRing) -> Iterator[Finding]:
    for index, secret in enumerate(keys):
        yield from secret_findings(secret, f"key {index}" if len(keys) > 1 else "the secret")


def secret_findings(secret: Secret, name: str = "the secret") -> Iterator[Finding]:
    """What is weak about a secret; nothing of the secret itself is told."""
    weakness = weakness_of(secret)
    if weakness is not None:
        code, severity, words = weakness
        yield _secret(code, severity, f"{name} {words}", _MEND_KEY)


def _secret(code: str, severity: Severity, message: str, mend: str) -> Finding:
    return Finding(code, severity, message, _KEY_RULE, mend)


def _well_known(source: Source, setup: Setup, report: Report) -> Iterator[Finding]:
    """Whether a secret of the tutorials verifies the cookie, whatever keys were given."""
    if report.verdict.key_index is not None and setup.keys:
        return
    deadline = time.monotonic() + GUESS_SECONDS
    for guess in WELL_KNOWN:
        if time.monotonic() > deadline:
            return
        try:
            known = identify(
                source, setup._replace(keys=KeyRing([guess]), format=setup.format or report.format)
            )
        except SessionctlError:
            continue
        if known.verdict.key_index is not None:
            yield _secret("known-secret", "error", "its secret stands in tutorials: anybody can sign one",
                          "change the secret now: sessionctl secret new")  # fmt: skip
            return


# -- a recorded visit ---------------------------------------------------------------------------------


def _transport(visit: Sequence[Exchange], name: str) -> Iterator[Finding]:
    for exchange in visit:
        plain = exchange.url.startswith("http://") and not re.match(
            r"http://(localhost|127\.|\[::1\])", exchange.url
        )
        if plain and (name in exchange.sent or _sets(exchange, name)):
            yield Finding("plain-http", "error", "the session cookie travelled over plain http",
                          f"{OWASP}, Transport Layer Security", "serve the whole site over https, with HSTS",
                          f"{exchange.method} {exchange.url}")  # fmt: skip
            return


def _sets(exchange: Exchange, name: str | None) -> bool:
    return any(text.partition("=")[0].strip() == name for text in exchange.set_cookies)


def _last_attributes(visit: Sequence[Exchange], name: str | None) -> Mapping[str, str] | None:
    """The attributes with which the session was last set, not those with which it was cleared."""
    from sessionctl.sources.base import parse_set_cookie

    found = [
        cookie.attributes
        for exchange in visit
        for cookie in map(parse_set_cookie, exchange.set_cookies)
        if cookie.name == name and cookie.value
    ]
    return found[-1] if found else None
