"""Plug and Phoenix: the session cookie, signed and encrypted cookies, Phoenix.Token.

    SFMyNTY "." payload "." signature                              signed
    XCP "." base64                                                 encrypted, plug_crypto 2.1 and later
    QTEyOEdDTQ "." key "." nonce "." ciphertext "." tag            encrypted before

The parts and the keys are drawn in `sessionctl.signing.plug`. The payload is an Erlang term:

    %{key => value}                      a session; flash lies at "phoenix_flash"
    {data, signed_at, max_age}           put_resp_cookie and Phoenix.Token: milliseconds; seconds or :infinity

Sessions take their salts from the endpoint's `signing_salt` and `encryption_salt`, cookies their name and
"_cookie", tokens what the application says. Nothing is percent-encoded.
Sources: plug 1.19.2 lib/plug/session/cookie.ex, lib/plug/conn.ex; plug_crypto 2.1.1 lib/plug/crypto.ex;
phoenix 1.8 lib/phoenix/controller.ex.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl.encoding import as_text, b64decode_urlsafe, b64encode_urlsafe_tag
from sessionctl.errors import BadSignatureError, MalformedCookieError, MalformedError, NoKeyError, UsageError
from sessionctl.formats.base import DEFAULT_MAX_AGE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, first_opened, genuine, judge_age
from sessionctl.signing.plug import KeyParameters, Sealed, Signed, derive, make_mac, seal, sign, split, unlock

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

_FLASH: Final = "phoenix_flash"
_TOKEN_AGE: Final = 86400
_TUPLES: Final = (b"\x83h\x02", b"\x83h\x03")
_MOST_ITERATIONS: Final = 10_000_000
_LONGEST_KEY: Final = 1024

_FROM_THE_FUTURE: Final = Warn(
    "from-the-future", "the token was signed later than now; releases after plug_crypto 2.1.1 refuse it"
)
_NOT_CANONICAL: Final = Warn(
    "non-canonical", "the signature is not the text that Plug writes, though Plug accepts it"
)
_NOT_AS_WRITTEN: Final = Warn(
    "non-canonical", "the base64 is not the text that Plug writes, though Plug accepts it"
)


class Plug(Format):
    """The cookies of Plug and Phoenix."""

    name = "plug"
    summary = "Elixir Plug and Phoenix: sessions, signed and encrypted cookies, Phoenix.Token"
    cookie_names = ("_my_app_key",)
    options = (
        Option(
            "kind",
            "session",
            "Plug.Session, put_resp_cookie, or Phoenix.Token and Plug.Crypto",
            ("session", "cookie", "token"),
        ),
        Option("signing-salt", "", "signing_salt of Plug.Session"),
        Option("encryption-salt", "", "encryption_salt of Plug.Session: the session is encrypted"),
        Option("salt", "", "of a token; of a cookie its name and _cookie"),
        Option("digest", "sha256", "key_digest", ("sha256", "sha384", "sha512", "sha1")),
        Option("iterations", "1000", "key_iterations"),
        Option("key-length", "32", "key_length"),
        Option("encrypt", "false", "for writing cookies and tokens", ("false", "true")),
    )
    example = "SFMyNTY.g3QAAAABbQAAAAd1c2VyX2lkYSo.PLmfn41EshFSOGvMEbrAnw3dZKpq3RKUdGY6Ba_3Dgc"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._before: _Token | None = None
        """The token that is written anew, without its data."""
        self._payload = b""
        """The term of the text that is written anew."""

    # -- detection --------------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - any name will do
        found = split(text)
        if isinstance(found, Sealed):
            return 0.97
        if not found.is_whole:
            return 0.0
        return 0.98 if found.payload[:1] == b"\x83" else 0.5

    # -- reading ----------------------------------------------------------------------------------

    def _decode(self, text: str, context: Context) -> Decoded:
        found = split(text)
        payload = found.payload if isinstance(found, Signed) else self._open(found, context)[1]
        value, payload_type, warnings = _read(payload, context.max_size)
        token = None if self._kind(payload[:3]) == "session" else _token(value)
        data = value if token is None else token.data
        return Decoded(
            data=data,
            flash=_flash(data),
            issued_at=token and token.issued_at,
            expires_at=token and token.expires_at,
            encrypted=isinstance(found, Sealed),
            payload_type=payload_type,
            algorithm=found.algorithm,
            warnings=(*_odd(found), *warnings),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        found = split(text)
        if isinstance(found, Sealed):
            return self._verify_sealed(found, context)
        kind = self._kind(b64decode_urlsafe(found.payload_text[:4]))
        index, canonical = self._check(found, kind, context)
        warnings = () if canonical else (_NOT_CANONICAL,)
        verdict = genuine(context, index, algorithm=found.algorithm, warnings=warnings)
        return verdict if kind == "session" else _judge_token(verdict, found.payload, context)

    def _verify_sealed(self, found: Sealed, context: Context) -> Verdict:
        index, payload = self._open(found, context)
        resign = bool(index) or bool(found.wrapped)  # plug_crypto 2.1 writes another cipher
        verdict = genuine(
            context, index, algorithm=found.algorithm, needs_resign=resign, warnings=_odd(found)
        )
        return verdict if self._kind(payload[:3]) == "session" else _judge_token(verdict, payload, context)

    # -- the kind of a text -----------------------------------------------------------------------

    def _kind(self, head: bytes) -> str:
        """The kind that was asked for; else as the payload begins: tokens are tuples, sessions maps."""
        if self.given("kind"):
            return self.option("kind")
        if head not in _TUPLES:
            return "session"
        return "token" if self.given("salt") else "cookie"

    def _hidden_kind(self) -> str:
        """The kind of an encrypted text or a new one, where the payload does not tell."""
        if self.given("kind"):
            return self.option("kind")
        return "token" if self.given("salt") and not self.given("encryption-salt") else "session"

    # -- keys -------------------------------------------------------------------------------------

    def _check(self, found: Signed, kind: str, context: Context) -> tuple[int, bool]:
        """The index of the key that signed, and whether the signature is as Plug writes it.

        Raises `NoKeyError` or `BadSignatureError`.
        """
        if kind == "session" and self.option("encryption-salt"):
            raise BadSignatureError("the session is signed; with encryption-salt Plug takes encrypted ones")
        if not context.keys:
            raise NoKeyError("no secret was given; --secret takes secret_key_base")
        salt = self._salt(kind, "signing-salt", context)
        given = found.tag_text.encode("ascii")
        macs = self.macs(make_mac, salt, self._parameters, found.digest)
        index = macs.first(context.keys, found.message, given, b64encode_urlsafe_tag)
        if index is not None:
            return index, True
        # Plug reads it leniently: padding and stray low bits do no harm
        return macs.find(context.keys, found.message, found.tag), False

    def _open(self, found: Sealed, context: Context) -> tuple[int, bytes]:
        """The index of the key that fits, and the payload. Raises `NoKeyError` or `BadSignatureError`."""
        if not context.keys:
            raise NoKeyError("no secret was given; --secret takes secret_key_base")
        kind = self._hidden_kind()
        salt = self._salt(kind, "encryption-salt", context)
        signing_salt = ""
        if kind == "session" and found.wrapped:
            signing_salt = self._salt(kind, "signing-salt", context)

        def opens(secret: Secret) -> bytes | None:
            signing_key = self._key(secret, signing_salt) if signing_salt else b""
            return unlock(found, self._key(secret, salt), signing_key)

        return first_opened(context, opens)

    def _salt(self, kind: str, session_option: str, context: Context) -> str:
        """The salt of the key; raises `NoKeyError` where it is not known."""
        if kind == "session":
            if not self.option(session_option):
                raise NoKeyError(f"the salt of the session is needed too: -O {session_option}=...")
            return self.option(session_option)
        if self.given("salt"):
            return self.option("salt")
        if kind == "token":
            raise NoKeyError("the salt of the token is needed too: -O salt=...")
        if context.cookie_name is None:
            raise NoKeyError("the cookie's name is part of the key: --cookie-name, or -O salt=...")
        return f"{context.cookie_name}_cookie"

    @cached_property
    def _parameters(self) -> KeyParameters:
        iterations = self._number("iterations", _MOST_ITERATIONS)
        return KeyParameters(self.option("digest"), iterations, self._number("key-length", _LONGEST_KEY))

    def _number(self, name: str, most: int) -> int:
        text = self.option(name)
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= most):  # noqa: PLR2004
            raise UsageError(f"option {name!r} of format 'plug' is a number from 1 to {most}")
        return int(text)

    def _key(self, secret: Secret, salt: str) -> bytes:
        return self.kept(derive, secret, salt, self._parameters)

    # -- writing ----------------------------------------------------------------------------------

    def _encode(self, content: Content, context: Context) -> str:
        from sessionctl.payload import etf

        kind, secret = self._hidden_kind(), context.keys.newest
        if kind == "session":
            data = etf.like(content.data, self._payload) if self._payload else content.data
            payload, encrypted = etf.dumps(data), bool(self.option("encryption-salt"))
        else:
            data = etf.like_first(content.data, self._payload) if self._payload else content.data
            payload = _new_token(data, context, self._before)
            encrypted = self.option("encrypt") == "true"
        salt = self._salt(kind, "encryption-salt" if encrypted else "signing-salt", context)
        if encrypted:
            return seal(payload, self._key(secret, salt))
        return sign(payload, make_mac(secret, salt, self._parameters, "sha256"))

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        decoded = self._decode(text, context)
        if decoded.issued_at is None:
            return {"kind": "session"}
        kind = "token" if self.given("salt") else "cookie"
        return {"kind": kind, "encrypt": "true" if decoded.encrypted else "false"}

    def inherit(self, text: str, context: Context) -> None:
        """A cookie or a token keeps the time of its signing and its age limit, for readers count from the one.

        A reader that names no limit of its own takes that of the token (plug_crypto lib/plug/crypto.ex, decode).
        """
        found = split(text)
        self._payload = found.payload if isinstance(found, Signed) else self._open(found, context)[1]
        decoded = self._decode(text, context)
        if decoded.issued_at is not None:
            limit = None if decoded.expires_at is None else decoded.expires_at - decoded.issued_at
            self._before = _Token(None, decoded.issued_at, limit)

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """The session with a message where Phoenix.Controller keeps it."""
        if not isinstance(data, dict):
            raise UsageError("a flash message goes into a session, and the data are no object")
        return {**data, _FLASH: {**(_flash(data) or {}), key: value}}


def _odd(found: Signed | Sealed) -> tuple[Warn, ...]:
    if found.is_canonical():
        return ()
    return (_NOT_AS_WRITTEN if isinstance(found, Sealed) else _NOT_CANONICAL,)


def _read(payload: bytes, max_size: int) -> tuple[Any, str, tuple[Warn, ...]]:
    """The value of a payload, its type, and a warning where it is no term."""
    from sessionctl.payload import etf

    try:
        return etf.loads(payload, max_size=max_size), "etf", ()
    except MalformedError as error:
        value, kind = as_text(payload)
        return value, kind, (Warn("unreadable", f"the payload is not read: {error}"),)


def _flash(data: Any) -> dict[str, Any] | None:
    flash = data.get(_FLASH) if isinstance(data, dict) else None
    return flash if isinstance(flash, dict) else None


# -- tokens -------------------------------------------------------------------------------------------


class _Token(NamedTuple):
    """What a token or a cookie holds. Times are in seconds; `max_age` None sets no limit."""

    data: Any
    issued_at: float
    max_age: float | None

    @property
    def expires_at(self) -> float | None:
        """When it ends by what it says itself."""
        return None if self.max_age is None else self.issued_at + self.max_age


def _token(value: Any) -> _Token | None:
    """`{data, signed, max_age}`; older releases wrote `{data, signed}` and `%{data: ..., signed: ...}`."""
    if isinstance(value, dict) and value.keys() == {"data", "signed"}:
        value = [value["data"], value["signed"]]
    if not isinstance(value, list) or len(value) not in {2, 3}:
        return None
    data, signed, max_age = (*value, _TOKEN_AGE)[:3]
    limit = None if max_age == "infinity" else max_age
    if not _is_time(signed) or (limit is not None and not _is_time(limit)):
        return None
    return _Token(data, signed / 1000, limit)


def _is_time(value: Any) -> bool:
    return type(value) in {int, float} and abs(value) < 1 << 53


def _judge_token(verdict: Verdict, payload: bytes, context: Context) -> Verdict:
    """The verdict with the token's age, which `max_age` of the reader overrules."""
    token = _token(_read(payload, context.max_size)[0])
    if token is None:
        raise MalformedCookieError("the key fits, but there is no token inside: {data, signed at, max age}")
    limit = context.age_limit(token.max_age)
    verdict = verdict._replace(issued_at=token.issued_at)
    if token.issued_at > context.now + 1:
        verdict = verdict._replace(warnings=(*verdict.warnings, _FROM_THE_FUTURE))
    if limit is not None and limit <= 0:
        return expire(verdict, token.issued_at, context)
    return judge_age(verdict, context, limit)


def _new_token(data: Any, context: Context, before: _Token | None) -> bytes:
    """A token of now, or as old as the one before where no other life was asked for."""
    from sessionctl.payload import etf

    signed_at, age = context.now, context.max_age
    if age == DEFAULT_MAX_AGE:
        signed_at, age = (signed_at, _TOKEN_AGE) if before is None else (before.issued_at, before.max_age)
    if age is None or age == float("inf"):
        limit: Any = etf.Atom("infinity")
    else:
        limit = int(age) if age == int(age) else age
    return etf.dumps((data, round(signed_at * 1000), limit))
