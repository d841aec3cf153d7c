"""JSON Web Tokens: PyJWT, python-jose, joserfc, jose, jsonwebtoken, hono/jwt, and whatever else writes them.

    HEADER "." PAYLOAD "." SIGNATURE                    signed (JWS)
    HEADER "." KEY "." IV "." CIPHERTEXT "." TAG        encrypted (JWE); KEY is empty with `dir`

    every part   URL-safe base64 without padding
    HEADER       JSON with `alg`, and `enc` where encrypted
    PAYLOAD      JSON: the claims, of which `iat`, `nbf` and `exp` are in Unix seconds
    SIGNATURE    over "HEADER.PAYLOAD": HS* 32, 48, 64 bytes; RS*, PS* the size of the key; ES* r and s, 64,
                 96, 132 bytes; EdDSA 64 (Ed25519) or 114 (Ed448)

The secret is text or bytes for HS* (used as it is, no derivation), PEM or JWK for the others, or a JWK set.
The kind of key decides what it may verify: a public key is never an HMAC secret, `alg: none` never verifies,
and keys that the token itself offers (`jwk`, `x5c`, `jku`, `x5u`) are neither used nor fetched.
Sources: RFC 7515 to 7519; PyJWT 2.15.1 api_jwt.py; jose 6.2.17 lib/jwt_claims_set.js, lib/jws_verify.js;
jsonwebtoken 9.0.3 verify.js.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sessionctl import jsontext
from sessionctl.duration import human_seconds
from sessionctl.encoding import as_text, b64decode_urlsafe, b64encode_urlsafe, percent_decode, unquote
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    SecretError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, first_opened, genuine, refused
from sessionctl.signing import jose
from sessionctl.signing.jose_keys import DIGESTS, Key, read_keys
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sessionctl.signing.keys import Secret
    from sessionctl.signing.mac import Hmac

T = TypeVar("T")

_FOREIGN_KEYS = ("jku", "x5u", "jwk", "x5c")
_LATEST = 253_402_300_799  # the end of the year 9999
_BEYOND = 1e18  # past every date; keeps sums of huge numbers from overflowing
_SHORT_SECRET = 32
_LAST_OF = {2: "AQgw", 3: "AEIMQUYcgkosw048"}  # last characters with no stray bits, by length modulo 4
_NAMES = ("access_token", "token", "jwt", "id_token", "session")

_NON_CANONICAL = Warn(
    "non-canonical", "the signature is not the text that an encoder writes; jose accepts it"
)
_NOT_AS_WRITTEN = Warn("non-canonical", "the token is not the text that an encoder writes; jose accepts it")
_KEY_IN_TOKEN = Warn(
    "key-in-token", "the header offers or names a key of its own, which is neither used nor fetched"
)
_WEAK_SECRET = Warn("weak-secret", "the secret is shorter than 32 bytes and may be guessed (RFC 7518 3.2)")
_NO_CLAIMS = Warn("no-claims", "the payload is no JSON object, so it is signed text but no JWT (RFC 7519)")
_NESTED = Warn("nested", "the payload is itself a token; decode it once more")
_FUTURE = Warn("issued-in-future", "it says it was issued later than now (iat); PyJWT refuses such a token")


class _Token(NamedTuple):
    """A token taken apart. `parts` are three where it is signed, five where it is encrypted."""

    header: dict[str, Any]
    parts: list[str]

    @property
    def encrypted(self) -> bool:
        return len(self.parts) > 3  # noqa: PLR2004 - those of a signed one


def _is_read(part: str) -> bool:
    """Whether a part is a payload of claims."""
    try:
        return isinstance(_payload(part)[0], dict)
    except MalformedCookieError:
        return False


class Jwt(Format):
    """A JSON Web Token as a cookie."""

    name = "jwt"
    summary = "JSON Web Tokens (JWS and JWE): PyJWT, jose, jsonwebtoken, python-jose, joserfc, hono/jwt"
    cookie_names = _NAMES
    options = (
        Option(
            "alg",
            "",
            "the only algorithm that may be; empty: any that fits the key (create: HS256, RS256, ...)",
        ),
        Option("enc", "", "create: encrypt, for instance A256GCM; alg is then dir unless given"),
    )
    example = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiIsImlhdCI6MTc2NzIyNTYwMH0."
        "FEHqSJkTZ2Qq9fYrAEJzfYu7ee56kDfI41xl3xXsLjk"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._header = ""
        self._last_header: tuple[str | None, dict[str, Any], tuple[Warn, ...]] = (None, {}, ())

    # -- the four questions -----------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = bare(text)
        if text[:2] != "ey" or "." not in text or not text.isascii():
            return 0.0
        header = jose.read_header(text.partition(".")[0])
        if not (jose.is_known(header["alg"]) or isinstance(header.get("enc"), str)):
            return 0.3 if header["alg"].lower() != "none" else 0.95
        try:
            return self._sound(text, cookie_name)
        except MalformedCookieError:
            if text.count(".") == 1 and _is_read(text.partition(".")[2]):
                return 0.95  # its signature was cut off: nobody else begins a text with such a header
            return 0.5  # a token that was cut or damaged

    def _sound(self, text: str, cookie_name: str | None) -> float:
        token = self._read(text)
        if not token.encrypted:
            b64decode_urlsafe(token.parts[2])
            return 0.97 if isinstance(_payload(token.parts[1])[0], dict) else 0.85
        jose.check_encrypted(token.header, token.parts)
        if token.header["alg"] != "dir":
            return 0.95
        return 0.55 if cookie_name is None else 0.65  # Auth.js writes such tokens too

    def _decode(self, text: str, context: Context) -> Decoded:
        token = self._read(bare(text))
        if not token.encrypted:
            data, kind = _payload(token.parts[1])
            signed = token.header["alg"].lower() != "none"
            return self._decoded(token, data, kind, signed=signed)
        jose.check_encrypted(token.header, token.parts)
        _, content = self._open(token, context)
        data, kind = read_content(content)
        return self._decoded(token, data, kind, encrypted=True)

    def _decoded(self, token: _Token, data: Any, kind: str, **more: Any) -> Decoded:
        claims = data if isinstance(data, dict) else {}
        return Decoded(
            data=data,
            payload_type=kind,
            issued_at=shown_time(claims.get("iat")),
            expires_at=shown_time(claims.get("exp")),
            algorithm=algorithm(token.header),
            warnings=_odd_header(token.header) + _odd_content(data),
            **more,
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        token = self._read(bare(text))
        header, parts = token
        warnings = self._last_header[2]
        if token.encrypted:
            jose.check_encrypted(header, parts)
            index, content = self._open(token, context)
            data, _ = read_content(content)
            warnings += odd_text(text)
        elif not jose.is_known(header["alg"]):
            return self._unsigned(token, context)
        else:
            index = self._check_signature(token, context)
            data, _ = _payload(parts[1])
            if _has_stray_bits(parts[2]):
                warnings += (_NON_CANONICAL,)
            if len(context.keys[index].bytes) < _SHORT_SECRET and header["alg"] in DIGESTS:
                warnings += (_WEAK_SECRET,)
        return judge_claims(data, context, index, algorithm=algorithm(header), warnings=warnings)

    def _encode(self, content: Content, context: Context) -> str:
        secret = context.keys.newest
        key = read_keys(secret)[0]
        payload = _dump(content.data)
        kid = {"kid": key.kid} if key.kid is not None else {}
        try:
            if self.option("enc"):
                alg = self.option("alg") or "dir"
                return jose.encrypt({"alg": alg, "enc": self.option("enc"), **kid}, payload, key)
            alg = self.option("alg") or jose.usual_alg(key)
            header = self._header or b64encode_urlsafe(
                jsontext.dumps_bytes({"alg": alg, "typ": "JWT", **kid})
            )
            body = f"{header}.{b64encode_urlsafe(payload)}"
            return f"{body}.{b64encode_urlsafe(jose.sign(alg, key, body.encode('ascii')))}"
        except WrongKeyTypeError as error:
            raise SecretError(str(error)) from None

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - needs no key
        header = self._read(bare(text)).header
        return {name: header[name] for name in ("alg", "enc") if isinstance(header.get(name), str)}

    def inherit(self, text: str, context: Context) -> None:  # noqa: ARG002 - needs no key
        """A signed token keeps its header to the letter."""
        token = self._read(bare(text))
        if not token.encrypted and self.option("alg") == token.header["alg"]:
            self._header = token.parts[0]

    # -- how ----------------------------------------------------------------------------------------

    def _read(self, text: str) -> _Token:
        """The parts and the header, which is kept for the next token: one application writes one header."""
        parts = jose.split(text)
        if self._last_header[0] != parts[0]:
            header = jose.read_header(parts[0])
            self._last_header = (parts[0], header, _odd_header(header))
        header = self._last_header[1]
        if "crit" in header:
            raise MalformedCookieError("the header demands extensions ('crit') that no library here knows")
        return _Token(header, parts)

    def _unsigned(self, token: _Token, context: Context) -> Verdict:
        if token.header["alg"].lower() != "none":
            raise MalformedCookieError("the header names an unknown signature algorithm ('alg')")
        detail = "the token says alg none: it carries no signature, and no key can make it genuine"
        return refused("bad-signature" if context.keys else "unsigned", detail, context)

    def _check_signature(self, token: _Token, context: Context) -> int:
        header, parts = token
        alg = header["alg"]
        message = f"{parts[0]}.{parts[1]}".encode("ascii")
        signature = b64decode_urlsafe(parts[2], "the signature")
        if alg in DIGESTS and self.option("alg") in ("", alg):
            try:
                return self.macs(_shared_mac, alg).find(context.keys, message, signature)
            except WrongKeyTypeError:
                pass  # not all keys are single shared secrets: each is asked
        return self._first(header, context, lambda key: jose.signs(alg, key, message, signature) or None)[0]

    def _open(self, token: _Token, context: Context) -> tuple[int, bytes]:
        text = ".".join(token.parts)
        header = token.header
        return self._first(header, context, lambda key: jose.decrypt(text, header, key, context.max_size))

    def _first(
        self, header: Mapping[str, Any], context: Context, opens: Callable[[Key], T | None]
    ) -> tuple[int, T]:
        """The index of the first secret with a key that opens the token, and what `opens` gave."""
        if self.option("alg") not in ("", header["alg"]):
            raise BadSignatureError(
                "the token names another algorithm than the one that is allowed (option 'alg')"
            )
        kid = header.get("kid")
        return first_opened(context, lambda secret: _try_keys(self.kept(read_keys, secret), kid, opens))


def _shared_mac(secret: Secret, alg: str) -> Hmac:
    """The HMAC of a secret that is octets alone. Raises `WrongKeyTypeError` for any other."""
    keys = read_keys(secret)
    if len(keys) > 1 or keys[0].kty != "oct":
        raise WrongKeyTypeError("the secret is no shared one")
    return keys[0].mac(alg)


def _try_keys(keys: tuple[Key, ...], kid: Any, opens: Callable[[Key], T | None]) -> T | None:
    """What the first key that fits gives. Of a JWK set only those are tried that the token names by `kid`."""
    if len(keys) == 1:
        return opens(keys[0])
    wrong: WrongKeyTypeError | None = None
    tried = False
    for key in keys:
        if kid is None or key.kid == kid:
            try:
                found = opens(key)
            except WrongKeyTypeError as error:
                wrong = error
                continue
            if found is not None:
                return found
            tried = True
    if wrong is not None and not tried:
        raise wrong
    return None


def odd_text(text: str) -> tuple[Warn, ...]:
    """The warning that an encrypted token has base64's padding, or stray bits."""
    token = bare(text)
    return () if jose.as_written(token) == token else (_NOT_AS_WRITTEN,)


def bare(text: str) -> str:
    """The token of a cookie text: without quotes, percent signs and the `Bearer` of FastAPI's tutorials."""
    if text[:2] == "ey" and "%" not in text:
        return text
    text = percent_decode(unquote(text))
    return text[7:].lstrip(" ") if text[:7].lower() == "bearer " else text


def _has_stray_bits(part: str) -> bool:
    """Whether base64 has padding, or low bits in its last character that stand for nothing."""
    without = _LAST_OF.get(len(part) % 4)
    return part[-1:] == "=" or (without is not None and part[-1:] not in without)


def algorithm(header: Mapping[str, Any]) -> str:
    """What a report calls the algorithm of a token."""
    enc = header.get("enc")
    return f"{header['alg']} {enc}" if isinstance(enc, str) else str(header["alg"])


def _payload(part: str) -> tuple[Any, str]:
    return read_content(b64decode_urlsafe(part))


def read_content(content: bytes) -> tuple[Any, str]:
    """What a token holds, as JSON can show it, and its `payload_type`."""
    try:
        return jsontext.loads_bytes(content), "json"
    except MalformedError:
        return as_text(content)


def _dump(data: Any) -> bytes:
    """JSON; a text stands as it is, unless a reader would take it for JSON then."""
    if isinstance(data, str) and read_content(data.encode("utf-8", "surrogatepass"))[1] != "json":
        return data.encode("utf-8", "replace")
    return jsontext.dumps_bytes(data)


def _odd_header(header: Mapping[str, Any]) -> tuple[Warn, ...]:
    return (_KEY_IN_TOKEN,) if any(name in header for name in _FOREIGN_KEYS) else ()


def _odd_content(data: Any) -> tuple[Warn, ...]:
    if isinstance(data, dict):
        return ()
    if isinstance(data, str) and data[:2] == "ey" and data.count(".") in (2, 4):
        return (_NO_CLAIMS, _NESTED)
    return (_NO_CLAIMS,)


# -- the times among the claims, which `authjs` shares ------------------------------------------------


def judge_claims(
    data: Any,
    context: Context,
    index: int,
    *,
    algorithm: str,
    warnings: tuple[Warn, ...] = (),
    leeway: float = 0,
) -> Verdict:
    """The verdict on a token whose key fits, by its claims (RFC 7519 4.1), as jose and PyJWT judge them.

    `exp` at or before now is expired, `nbf` after now is not yet valid; `leeway` in seconds is granted both.
    An age limit counts from `iat`. Raises `MalformedCookieError` for a time that is no number.
    """
    if not isinstance(data, dict):
        return genuine(context, index, algorithm=algorithm, warnings=warnings + _odd_content(data))
    iat, nbf, exp = _time(data, "iat"), _time(data, "nbf"), _time(data, "exp")
    limit, now = context.age_limit(None), context.now
    if iat is not None and iat > now + leeway:
        warnings += (_FUTURE,)
    expires_at = shown_time(exp) if limit is None else _ends(iat, exp, limit)
    verdict = new_tuple(Verdict, (  # as `genuine` makes it, without the price of its call
        True, None, "", index, len(context.keys), index > 0,
        shown_time(iat), expires_at, False, algorithm, None, warnings,
    ))  # fmt: skip
    if nbf is not None and nbf > now + leeway:
        return _too_early(verdict, nbf, context)
    if exp is not None and exp <= now - leeway:
        return expire(verdict, shown_time(exp), context)
    return verdict if limit is None else _judge_age(verdict, iat, limit + leeway, leeway, context)


def _judge_age(verdict: Verdict, iat: float | None, limit: float, leeway: float, context: Context) -> Verdict:
    """As jose's `maxTokenAge`: `iat` must be there and past. The `limit` includes the leeway."""
    if iat is None:
        raise MalformedCookieError(
            "an age limit was given, but the token does not say when it was issued (iat)"
        )
    if iat > context.now + leeway:
        return _too_early(verdict, iat, context)
    return expire(verdict, verdict.expires_at, context) if context.now - iat > limit else verdict


def _too_early(verdict: Verdict, start: float, context: Context) -> Verdict:
    detail = f"genuine, but not valid for another {human_seconds(start - context.now)}"
    return verdict._replace(valid=False, reason="not-yet-valid", detail=detail, needs_resign=False)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """A time claim in Unix seconds. Raises `MalformedCookieError` where it is no number."""
    value = claims.get(name)
    if type(value) is int or type(value) is float:
        return value if -_BEYOND < value < _BEYOND else math.copysign(_BEYOND, value > 0 or -1)
    if name in claims:
        raise MalformedCookieError(f"the signature fits, but the claim {name!r} is no number of seconds")
    return None


def _ends(iat: float | None, exp: float | None, limit: float) -> float | None:
    ends = [end for end in (exp, None if iat is None else iat + limit) if end is not None]
    return shown_time(min(ends)) if ends else None


def shown_time(value: Any) -> float | None:
    """A time as a report can show it: None where it is no date of this calendar."""
    if (type(value) is int or type(value) is float) and 0 <= value <= _LATEST:
        return float(value)
    return None
