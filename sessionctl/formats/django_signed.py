r"""What Django signs besides sessions: `signing.dumps`, signed cookies, flashed messages.

    kind               text                             salt of the key
    dumps              payload ":" timestamp ":" sig    django.core.signing
    set_signed_cookie  value ":" timestamp ":" sig      "django.http.cookies.v2:" length ":" salt name
                                                        before Django 5.2.19: name salt
    messages           payload ":" timestamp ":" sig    django.contrib.messages
      of Django 3.1    JSON ":" timestamp ":" sig       the same
      before 3.1       40 hex digits "$" JSON           key = SHA-1("django.contrib.messages" + SECRET_KEY)
    Signer             value ":" sig                    django.core.signing.Signer
    TimestampSigner    value ":" timestamp ":" sig      django.core.signing.TimestampSigner
    sign_object        payload ":" sig                  django.core.signing.Signer

Value, payload, timestamp, signature and key are as `sessionctl.signing.django` draws them. In cookies
(`set_signed_cookie`, `messages`) the SECRET_KEY has "django.http.cookies" before it. The text stands in
double quotes with octal escapes where `http.cookies` wants them: a byte is a Latin-1 character on Python 3,
a byte of UTF-8 on Python 2. Messages never expire.
Sources: Django 5.2, 4.2, 3.2 and 3.0 core/signing.py, http/request.py, contrib/messages/storage/cookie.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.encoding import b64encode_urlsafe_tag, quote, unquote
from sessionctl.errors import BadSignatureError, MalformedCookieError, MalformedError, UsageError
from sessionctl.formats.base import MAX_SIZE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.django import DIGEST_HELP, EARLIEST, LATEST, SIGNATURES, names_session
from sessionctl.formats.judging import first_fit, genuine, genuine_within
from sessionctl.formats.timed_token import is_mixed
from sessionctl.payload import python_json
from sessionctl.payload.django_messages import are_messages, flash_in_list, flashed
from sessionctl.signing import django as signing
from sessionctl.signing.mac import HMAC_SHA1, Hmac, compare_digest
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret
    from sessionctl.signing.macs import Macs

SALTS = {
    "dumps": "django.core.signing",
    "set_signed_cookie": "",
    "messages": "django.contrib.messages",
    "Signer": "django.core.signing.Signer",
    "TimestampSigner": "django.core.signing.TimestampSigner",
    "sign_object": "django.core.signing.Signer",
}
_SALTS = ("registration", "account", "password_reset", "activation", "email_confirmation")
"""Salts that are often met: of django-registration, of django-allauth, of tutorials."""
_UNTIMED = ("Signer", "sign_object")
_TEXTS = ("set_signed_cookie", "Signer", "TimestampSigner")
_COOKIES = ("set_signed_cookie", "messages")
_OLD_TAG = 40  # hex digits of SHA-1
_NO_PAYLOAD = object()
_BASE64_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")
_is_packed = re.compile(r"\.?[\w=-]*", re.ASCII).fullmatch


class _Look(NamedTuple):
    """What the look of a text tells: which call made it, and the payload and parts that were read to tell it."""

    kind: str
    payload: Any = _NO_PAYLOAD
    signed: signing.Signed | None = None
    issued_at: float | None = None


class DjangoSigned(Format):
    """Text signed by `django.core.signing`."""

    name = "django-signed"
    takes_last_cookie = True
    summary = "Django: signing.dumps, set_signed_cookie, messages, Signer"
    cookie_names = ("messages",)
    options = (
        Option(
            "kind",
            "dumps",
            "which call of Django made it; where it is not given the text is asked",
            tuple(SALTS),
        ),
        Option("salt", "", "the argument `salt` of that call; empty: Django's own", usual=_SALTS),
        Option("digest", "sha256", DIGEST_HELP),
        Option("separator", ":", "the argument `sep` of the signer"),
        Option(
            "legacy-salt",
            "true",
            "set_signed_cookie: the salt of old passes too (SIGNED_COOKIE_LEGACY_SALT_FALLBACK), or only it",
            ("true", "false", "only"),
        ),
    )
    example = (
        "W1siX19qc29uX21lc3NhZ2UiLDAsMjAsImhlbGxvIiwiIl1d:1xVPfy:i1MrhwekupGLwzoMOzVJdCeA89kewfkRSfGyNTCYGqw"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._digests = signing.parse_digests(self.option("digest"))
        self._layout = ""
        self._settled: dict[tuple[str, int], Macs] = {}  # what has fit, by kind and length of the signature
        self._separator = self.option("separator")
        if _BASE64_CHARS.issuperset(self._separator):
            raise UsageError(
                "option 'separator' must hold a character that is no letter, digit, '-', '_' or '='"
            )

    # -- detect -----------------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = unquote(text)
        if _old_parts(text) is not None:
            return 0.97 if are_messages(_decode_json(text[_OLD_TAG + 1 :])) else 0.0
        value, _, signature = text.rpartition(self._separator)
        if len(signature) not in SIGNATURES or not _BASE64_CHARS.issuperset(signature) or "=" in signature:
            return 0.0
        body, found, stamp = value.rpartition(self._separator)
        if not found or _plausible_time(stamp) is None:
            return 0.0 if not value else 0.45 if is_mixed(signature) else 0.3
        data = _payload(body, MAX_SIZE)
        if are_messages(data):
            return 0.98 if cookie_name == "messages" else 0.95
        if isinstance(data, dict):
            return 0.85 if cookie_name and not names_session(cookie_name) else 0.5
        return 0.87

    # -- decode -----------------------------------------------------------------------------------

    def _decode(self, text: str, context: Context) -> Decoded:
        text = unquote(text)
        kind = self._look(text, context.max_size).kind
        if kind == "messages" and _old_parts(text) is not None:
            data = _decode_json(text[_OLD_TAG + 1 :])
            return Decoded(data=data, flash=flashed(data), algorithm=HMAC_SHA1, warnings=_odd(kind, data))
        signed = signing.split(text, self._separator, timed=kind not in _UNTIMED)
        data, payload_type = self._read(kind, signed.value, context.max_size)
        return Decoded(
            data=data,
            flash=flashed(data) if kind == "messages" else None,
            issued_at=signing.seconds(signed.stamp) if kind not in _UNTIMED else None,
            payload_type=payload_type,
            algorithm=signed.algorithm,
            warnings=_odd(kind, data),
        )

    def _look(self, text: str, max_size: int) -> _Look:
        """The kind that was asked for, else the one that the text looks like; and what was read to tell it."""
        if self.given("kind"):
            return _Look(self.option("kind"))
        if _old_parts(text) is not None:
            return _Look("messages")
        try:
            signed = signing.split(text, self._separator)
        except MalformedCookieError:
            value, _, _ = text.rpartition(self._separator)
            return _Look("Signer" if value and self._separator not in value else "dumps")
        issued_at = _plausible_time(signed.stamp)
        if issued_at is None:
            return _Look("dumps")
        data = _payload(signed.value, max_size)
        kind = "messages" if are_messages(data) else "set_signed_cookie" if data is _NO_PAYLOAD else "dumps"
        return new_tuple(_Look, (kind, data, signed, issued_at))

    def _read(self, kind: str, value: str, max_size: int) -> tuple[Any, str]:
        if kind in _TEXTS:
            return value, "text"
        if kind == "messages" and value.startswith("["):
            return _decode_json(value), "json"
        return signing.read(signing.unpack(value, max_size))

    # -- verify -----------------------------------------------------------------------------------

    def _verify(self, text: str, context: Context) -> Verdict:
        plain = unquote(text)
        kind, payload, found, issued_at = self._look(plain, context.max_size)
        if kind == "messages" and _old_parts(plain) is not None:
            return self._verify_old(plain, context)
        signed = found or signing.split(plain, self._separator, timed=kind not in _UNTIMED)
        index, legacy = self._find(kind, signed, _latin(text, plain), context)
        if payload is _NO_PAYLOAD:
            payload, _ = self._read(kind, signed.value, context.max_size)
        algorithm = signed.algorithm
        odd = _odd(kind, payload) + ((LEGACY_SALT,) if legacy else ())
        if kind in _UNTIMED:
            return genuine(context, index, algorithm=algorithm, value=signed.value, warnings=odd)
        if issued_at is None:
            issued_at = signing.seconds(signed.stamp)
        limit = context.age_limit(None)
        return genuine_within(
            context, limit, index, issued_at, algorithm=algorithm, value=signed.value, warnings=odd
        )

    def _find(
        self, kind: str, signed: signing.Signed, latin: str | None, context: Context
    ) -> tuple[int, bool]:
        """The index of the key that signed, and whether it did so with the salt of older releases."""
        place, given = (kind, len(signed.signature)), signed.signature
        try:
            if latin is None and place in self._settled:
                macs = self._settled[place]
                return macs.find(context.keys, signed.message, given, b64encode_urlsafe_tag), False
            readings = [signed]
            if latin is not None:
                readings.append(signing.split(latin, self._separator, timed=kind not in _UNTIMED))
            prefix = signing.COOKIE_KEY_PREFIX if kind in _COOKIES else b""
            salts = self._salts(kind, context.cookie_name or "")
            digest = signing.digest_of(signed.signature, self._digests) if context.keys else self._digests[0]
            if len(salts) == len(readings) == 1:
                macs = self.macs(signing.signer, salts[0], digest, prefix)
                index = macs.find(context.keys, signed.message, given, b64encode_urlsafe_tag)
                if kind != "set_signed_cookie":  # whose salt has the cookie's name in it
                    self._settled[place] = macs
                return index, False

            def salt_of(secret: Secret) -> str | None:
                for salt in salts:
                    mac = self.kept(signing.signer, secret, salt, digest, prefix)
                    if any(signing.fits(mac, reading) for reading in readings):
                        return salt
                return None

            index = first_fit(context, lambda secret: salt_of(secret) is not None)
        except BadSignatureError as error:
            raise BadSignatureError(f"{error}{self._hint(kind, context)}") from None
        legacy = len(salts) > 1 and salt_of(context.keys[index]) == salts[1]
        return index, legacy

    def _salts(self, kind: str, cookie_name: str) -> list[str]:
        """The salts that pass, best first."""
        salt = self.option("salt")
        if kind != "set_signed_cookie":
            return [salt or SALTS[kind]]
        new, old = f"django.http.cookies.v2:{len(salt)}:{salt}{cookie_name}", f"{cookie_name}{salt}"
        return {"true": [new, old], "false": [new], "only": [old]}[self.option("legacy-salt")]

    def _hint(self, kind: str, context: Context) -> str:
        if kind == "set_signed_cookie" and not context.cookie_name:
            return "; the name of the cookie is signed too: give name=value or --cookie-name"
        if not self.given("kind"):
            return f"; it was taken for kind={kind}"
        return ""

    def _verify_old(self, text: str, context: Context) -> Verdict:
        """Messages of Django before 3.1."""
        tag, value = text[:_OLD_TAG].encode(), _bytes(text[_OLD_TAG + 1 :])
        index = first_fit(context, lambda secret: compare_digest(self._old_tag(secret, value), tag))
        data = _decode_json(text[_OLD_TAG + 1 :])
        return genuine(
            context, index, algorithm=HMAC_SHA1, value=text[_OLD_TAG + 1 :], warnings=_odd("messages", data)
        )

    def _old_tag(self, secret: Secret, value: bytes) -> bytes:
        """The signature of messages of Django before 3.1, in hexadecimal digits."""
        salt = self.option("salt") or SALTS["messages"]
        return self.kept(_old_mac, secret, salt).digest(value).hex().encode("ascii")

    # -- encode -----------------------------------------------------------------------------------

    def _encode(self, content: Content, context: Context) -> str:
        kind = self.option("kind")
        if kind in _TEXTS:
            if not isinstance(content.data, str):
                raise UsageError(f"kind={kind} signs text: the data are to be one JSON string")
            body = content.data
        else:
            body = python_json.dumps(content.data)
            if kind == "messages" and self._layout == "tag":
                return quote(
                    f"{self._old_tag(context.keys.newest, body.encode('ascii')).decode('ascii')}${body}"
                )
            if kind != "messages" or self._layout != "text":
                body = signing.pack(body.encode("ascii"), compress=kind == "messages")
        if kind not in _UNTIMED:
            body = f"{body}{self._separator}{signing.stamp_of(context.now)}"
        if kind == "set_signed_cookie" and not context.cookie_name:
            raise UsageError("kind=set_signed_cookie signs the cookie's name too: give --cookie-name")
        salt = self._salts(kind, context.cookie_name or "")[0]
        prefix = signing.COOKIE_KEY_PREFIX if kind in _COOKIES else b""
        mac = self.kept(signing.signer, context.keys.newest, salt, self._digests[0], prefix)
        return quote(signing.sign(body, mac, self._separator))

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        return {"kind": self._look(unquote(text), context.max_size).kind}

    def inherit(self, text: str, context: Context) -> None:  # noqa: ARG002 - needs no key
        """Messages keep the layout of their release, for Django before 3.2 reads no other."""
        plain = unquote(text)
        self._layout = "tag" if _old_parts(plain) is not None else "text" if plain.startswith("[") else ""

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """The list of messages with one more; `key` is its level (`success`) or its tags."""
        if self.option("kind") != "messages":
            return super().with_flash(data, key, value)
        return flash_in_list(data, key, value)


LEGACY_SALT = Warn(
    "legacy-salt",
    "signed with name + salt as before Django 5.2.19: a cookie of another name and salt may pass for it",
)


def _old_parts(text: str) -> tuple[str, str] | None:
    """Tag and JSON of messages as they were before Django 3.1, or None."""
    tag = text[:_OLD_TAG]
    if text[_OLD_TAG : _OLD_TAG + 1] != "$" or not frozenset("0123456789abcdef").issuperset(tag):
        return None
    return tag, text[_OLD_TAG + 1 :]


def _old_mac(secret: Secret, salt: str) -> Hmac:
    import hashlib

    return Hmac(hashlib.sha1(salt.encode() + secret.bytes).digest(), "sha1")


def _plausible_time(stamp: str) -> float | None:
    try:
        issued_at = signing.seconds(stamp)
    except MalformedError:
        return None
    return issued_at if EARLIEST < issued_at < LATEST else None


def _payload(value: str, max_size: int) -> Any:
    """The object of a payload, or `_NO_PAYLOAD`. Raises `MalformedCookieError` for a compressed one that is broken."""
    if not _is_packed(value):
        return _NO_PAYLOAD
    try:
        return signing.read(signing.unpack(value, max_size))[0]
    except MalformedError:
        if value.startswith(signing.COMPRESSED):
            raise
        return _NO_PAYLOAD


def _decode_json(text: str) -> Any:
    try:
        return python_json.loads(text)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


def _latin(text: str, plain: str) -> str | None:
    """The text un-quoted as Python 3 does, with octal escapes as characters, where that differs."""
    if plain.isascii() or "\\" not in text:
        return None
    return "".join(map(chr, plain.encode("utf-8", "surrogatepass")))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _odd(kind: str, data: Any) -> tuple[Warn, ...]:
    if kind != "messages" or are_messages(data) or data == []:
        return ()
    return (Warn("no-messages", "the payload is no list of Django's messages"),)
