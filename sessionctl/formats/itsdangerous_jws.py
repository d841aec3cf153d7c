r"""itsdangerous' JSON Web Signatures, which it had before 2.1.

    header "." payload "." signature

    header     URL-safe base64 without padding of `{"alg":"HS512"}`; the timed class adds `iat` and `exp` in
               Unix seconds, which a JWT has in its payload
    payload    the same of compact JSON, never compressed
    signature  HMAC-SHA256, -384 or -512 over "header.payload", by `alg`; none at all for `alg` none
    key        the secret itself; with a salt it is derived as by every signer, with SHA-1

An application takes one algorithm, HS256 by default up to 0.24 and HS512 in 1.x. Any of the three passes here
unless the option `digest` names one; `none` passes only so.
Sources: itsdangerous 1.1.0 and 0.24, jws.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl.encoding import b64decode_lenient, b64encode_urlsafe
from sessionctl.errors import BadSignatureError, MalformedCookieError, MalformedError, UsageError
from sessionctl.formats import timed_token
from sessionctl.formats.base import Context, Decoded, Verdict, Warn
from sessionctl.formats.judging import expire, genuine, judge_age
from sessionctl.payload import python_json
from sessionctl.signing.mac import ALGORITHMS
from sessionctl.signing.macs import Macs

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret
    from sessionctl.signing.mac import Hmac

UNSIGNED: Final = Warn("unsigned", "itsdangerous' NoneAlgorithm signs nothing: anybody can make such a text")

_DIGESTS: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512", "none": "none"}
_EXPIRES_IN = 3600
"""Seconds that a timed JWS lives unless told otherwise."""
_LATEST = 253_402_300_799  # the end of the year 9999, past which Python has no dates


class Scheme(NamedTuple):
    """How keys are derived; `digest` is None where any algorithm will do."""

    salt: str
    derivation: str
    digest: str | None


def header_of(text: str) -> dict[str, Any] | None:
    """The header of a text, or None where it is no JWS."""
    if not _has_three_parts(text):
        return None
    try:
        data = b64decode_lenient(text.partition(".")[0])
        if b"alg" not in data and b"\\" not in data:
            return None  # what most texts are is told without reading JSON
        header = _json(data, "header")
    except MalformedCookieError:
        return None
    return header if is_header(text, header) else None


def is_header(text: str, value: Any) -> bool:
    """Whether a text is a JWS of itsdangerous, where its first part has this value."""
    if not isinstance(value, dict) or not isinstance(value.get("alg"), str):
        return False
    return value["alg"] in _DIGESTS and _has_three_parts(text) and _has_payload(text)


def _has_payload(text: str) -> bool:
    """Whether the second part is JSON; where it is none, it is the time of a token whose session has an `alg`."""
    try:
        _part(text.split(".")[1], "payload")
    except MalformedCookieError:
        return False
    return True


def _has_three_parts(text: str) -> bool:
    return text[:2] == "ey" and text.count(".") == 2  # noqa: PLR2004 - between three parts


def confidence(text: str) -> float:
    """How sure it is that the text is of itsdangerous: a JWT has its times in the payload and a `typ`."""
    header = header_of(text) or {}
    if "typ" in header:
        return 0.0
    return 0.98 if {"iat", "exp"} <= header.keys() else 0.3


def decode(text: str) -> Decoded:
    """What the text says. Raises `MalformedCookieError`."""
    token = timed_token.split(text, timed=False)
    header, payload = _split(token.value)
    expires_at = _expiry(header.get("exp")) if "exp" in header else None
    return Decoded(
        data=_part(payload, "payload"),
        issued_at=_issued_at(header),
        expires_at=expires_at,
        signed=bool(token.signature),
        algorithm=_algorithm(header),
    )


def verify(text: str, scheme: Scheme, context: Context, *, timed: bool) -> Verdict:
    """The verdict; of a timed one by the `exp` of its header."""
    token = timed_token.split(text, timed=False)
    header, payload = _split(token.value)
    digest = _digest_of(header, scheme.digest)
    if digest != "none":
        macs = Macs(lambda secret: _hmac_of(secret, scheme, digest))
        index, odd = timed_token.find_key(token, macs, context.keys)
    elif token.signature:
        raise BadSignatureError('the header says alg "none", but there is a signature')
    else:
        index, odd = None, (UNSIGNED,)
    _part(payload, "payload")
    issued_at = _issued_at(header)
    verdict = genuine(context, index, algorithm=_algorithm(header), issued_at=issued_at, warnings=odd)
    if not timed:
        return verdict
    if "exp" not in header:
        raise BadSignatureError("the header has no exp, which a TimedJSONWebSignatureSerializer asks for")
    expires_at = _expiry(header["exp"])
    if expires_at < int(context.now):
        return expire(verdict, expires_at, context)
    return judge_age(verdict, context, context.age_limit(expires_at - issued_at if issued_at else None))


def encode(data: Any, scheme: Scheme, context: Context, *, timed: bool, old: bool) -> str:
    """The text of a value; `old` releases sign with HS256 unless told otherwise. Raises `UsageError`."""
    digest = scheme.digest or ("sha256" if old else "sha512")
    names = [name for name, known in _DIGESTS.items() if known == digest]
    if not names:
        raise UsageError(f"a JWS is signed with sha256, sha384 or sha512, not {digest}")
    header: dict[str, Any] = {"alg": names[0]}
    if timed:
        now = int(context.now)
        header |= {"iat": now, "exp": now + int(context.age_limit(_EXPIRES_IN) or _EXPIRES_IN)}
    value = ".".join(b64encode_urlsafe(python_json.dumps(part).encode("ascii")) for part in (header, data))
    mac = None if digest == "none" else _hmac_of(context.keys.newest, scheme, digest)
    return timed_token.sign(value, mac)


def _split(value: str) -> tuple[dict[str, Any], str]:
    """The header, read, and the payload as it stands. Raises `MalformedCookieError`."""
    head, dot, payload = value.partition(".")
    if not dot:
        raise MalformedCookieError("a JWS has a header, a payload and a signature, with dots between")
    header = _part(head, "header")
    if not isinstance(header, dict):
        raise MalformedCookieError("the header of the JWS is no object")
    return header, payload


def _part(text: str, what: str) -> Any:
    try:
        return _json(b64decode_lenient(text), what)
    except MalformedCookieError:
        raise MalformedCookieError(f"the {what} of the JWS is not base64 of JSON") from None


def _json(data: bytes, what: str) -> Any:
    try:
        return python_json.loads(data.decode())
    except (UnicodeDecodeError, MalformedError):
        raise MalformedCookieError(f"the {what} of the JWS is not base64 of JSON") from None


def _hmac_of(secret: Secret, scheme: Scheme, digest: str) -> Hmac:
    return timed_token.hmac_of(secret, scheme.salt, scheme.derivation, "sha1", digest)


def _digest_of(header: dict[str, Any], wanted: str | None) -> str:
    """The digest of the header's algorithm, where the application would take it."""
    name = header.get("alg")
    digest = _DIGESTS.get(name) if isinstance(name, str) else None
    if digest is None:
        raise BadSignatureError("the header names no algorithm of itsdangerous: HS256, HS384, HS512")
    if digest == "none" and wanted != "none":
        raise BadSignatureError(
            'the header says alg "none": nothing signs the text (-O digest=none takes it)'
        )
    if wanted is not None and digest != wanted:
        raise BadSignatureError(f"the header says alg {name}, where digest={wanted} is asked for")
    return digest


def _algorithm(header: dict[str, Any]) -> str | None:
    name = header.get("alg")
    return ALGORITHMS.get(_DIGESTS.get(name, "")) if isinstance(name, str) else None


def _issued_at(header: dict[str, Any]) -> float | None:
    issued_at = header.get("iat")
    if (
        isinstance(issued_at, bool)
        or not isinstance(issued_at, (int, float))
        or not 0 <= issued_at <= _LATEST
    ):
        return None
    return float(int(issued_at))


def _expiry(value: Any) -> float:
    """The moment of an `exp`: anything that `int` takes. Raises `MalformedCookieError`."""
    try:
        moment = int(value)
    except (TypeError, ValueError, OverflowError):
        moment = -1
    if not 0 <= moment <= _LATEST:
        raise MalformedCookieError("the exp of the header is no time")
    return float(moment)
