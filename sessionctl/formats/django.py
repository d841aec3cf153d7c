r"""Django's sessions in the cookie itself: the `signed_cookies` backend. Of all others, their ID.

    payload ":" timestamp ":" signature

    payload    URL-safe base64 without padding of compact JSON in ASCII, or of pickle (PickleSerializer, which
               Django 5.0 took out), or "." and the same of its zlib stream where that is shorter
    timestamp  Unix seconds in base 62, 6 characters today
    signature  43 characters: HMAC-SHA256; before Django 3.1 27 characters: HMAC-SHA1
    key        H("django.contrib.sessions.backends.signed_cookies" + "signer" + SECRET_KEY)

The signing is drawn in `sessionctl.signing.django`. The signature is looked at first, as text; a time in the
future passes; `_session_expiry` (`set_expiry`) is not looked at. Flashed messages of `SessionStorage` lie in
`_messages`, a JSON text inside the JSON. Django 1.x on Python 2 wrote the value in double quotes.

The other backends (db, cache, cached_db, file) keep the session in a store, and the cookie is its ID: 32 small
letters and digits, not signed.
Sources: Django 5.2, 3.2, 3.0 and 1.4 contrib/sessions/backends/signed_cookies.py, base.py, core/signing.py;
contrib/sessions/base_session.py (the table); contrib/messages/storage/session.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.encoding import b64encode_urlsafe_tag, unquote
from sessionctl.errors import MalformedCookieError, UnserializableValueError
from sessionctl.formats.base import MAX_SIZE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import genuine_within, unsigned_id
from sessionctl.payload import pickle_or_json, python_json
from sessionctl.payload.django_messages import MESSAGES_KEY, flash_in_session, flashed
from sessionctl.signing import django as signing
from sessionctl.signing.mac import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Mapping

SALT = "django.contrib.sessions.backends.signed_cookies"
EARLIEST, LATEST = 1_104_537_600, 4_102_444_800  # the years 2005, when Django came out, and 2100
SIGNATURES = (27, 43, 64, 86)  # of SHA-1, SHA-256, SHA-384 and SHA-512

_BROKEN = 0.6
"""The confidence where the parts are as they must be, but what is compressed was altered, or is too large."""

_ID = 32
_ID_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_HEX = frozenset("0123456789abcdef")

DIGEST_HELP = "hash of key and signature; sha1 before Django 3.1; several with commas: the first signs"


class Django(Format):
    """The session cookie of Django's `signed_cookies` backend, and the ID that the others write."""

    name = "django"
    takes_last_cookie = True
    summary = "Django: signed_cookies sessions, 1.4 and later"
    cookie_names = ("sessionid",)
    options = (
        Option("salt", SALT, "salt of the key"),
        Option("digest", "sha256", DIGEST_HELP),
        Option("serializer", "json", "how a new payload is written; reading sees it", ("json", "pickle")),
    )
    default_max_age = 1209600.0  # SESSION_COOKIE_AGE: two weeks
    age_setting = "SESSION_COOKIE_AGE"
    example = (
        "eyJ1c2VyX2lkIjo0MiwidXNlcm5hbWUiOiJhbGljZSJ9:1xVPfy:Cb3BkSVvpdZP1XxylstSzkbXQ2S3yODYMzp1LeEZaME"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._digests = signing.parse_digests(self.option("digest"))

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = unquote(text)
        if _is_id(text):  # of hexadecimal digits alone it is some other site's
            return 0.9 if cookie_name in self.cookie_names and not _HEX.issuperset(text) else 0.0
        if text.count(":") != 2:  # noqa: PLR2004 - three parts
            return 0.0
        signed = signing.split(text)
        if len(signed.signature) not in SIGNATURES or not EARLIEST < signing.seconds(signed.stamp) < LATEST:
            return 0.0
        try:
            payload = signing.unpack(signed.value, MAX_SIZE)
        except MalformedCookieError:
            return _BROKEN if signed.value.startswith(signing.COMPRESSED) else 0.0
        data, _ = signing.read(payload)
        return _confidence(cookie_name) if isinstance(data, dict) else 0.3

    def _decode(self, text: str, context: Context) -> Decoded:
        text = unquote(text)
        if _is_id(text):
            return Decoded(data=text, id=text, signed=False, payload_type="text")
        signed = signing.split(text)
        data, payload_type = signing.read(signing.unpack(signed.value, context.max_size))
        return Decoded(
            data=data,
            flash=flashed(data[MESSAGES_KEY]) if isinstance(data, dict) and MESSAGES_KEY in data else None,
            issued_at=signing.seconds(signed.stamp),
            payload_type=payload_type,
            algorithm=signed.algorithm,
            warnings=_odd(data),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        text = unquote(text)
        if _is_id(text):
            whose = ", of a session in Django's database, cache or files"
            return unsigned_id(context, whose, "django-cache, or django-file")
        signed = signing.split(text)
        # That there is no key comes before that the signature is of a digest which is none of ours.
        digest = signing.digest_of(signed.signature, self._digests) if context.keys else self._digests[0]
        macs = self.macs(signing.signer, self.option("salt"), digest)
        index = macs.find(context.keys, signed.message, signed.signature, b64encode_urlsafe_tag)
        data = signing.unpack(signed.value, context.max_size)
        content, payload_type = signing.read(data)
        return genuine_within(
            context,
            context.age_limit(self.default_max_age),
            index,
            signing.seconds(signed.stamp),
            algorithm=ALGORITHMS[digest],
            value=data.decode("latin-1") if payload_type == "json" else None,
            warnings=_odd(content),
        )

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "a Django session is an object")
        data = dump(content.data, self.option("serializer"))
        mac = self.macs(signing.signer, self.option("salt"), self._digests[0]).of(context.keys)[0]
        return signing.sign(f"{signing.pack(data)}:{signing.stamp_of(context.now)}", mac)

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        signed = signing.split(unquote(text))
        digest = signing.digest_of(signed.signature, self._digests)
        serializer = pickle_or_json.kept(signing.unpack(signed.value, context.max_size))
        return {"serializer": serializer, "digest": digest}

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """`data` with a message under `_messages`; `key` is its level (`success`) or its tags."""
        return flash_in_session(data, key, value)

    def remarks(self, data: Any, flash: Mapping[str, Any]) -> tuple[Warn, ...]:  # noqa: ARG002 - part of the interface
        """Django 5.2 contrib/messages/storage/fallback.py: where the cookie has no messages, it asks no further."""
        if not flash:
            return ()
        text = (
            "by default Django shows the messages of its 'messages' cookie, and those of the session only where that "
            "cookie says there are more: set MESSAGE_STORAGE to its SessionStorage, or make the cookie with "
            "-f django-signed -O kind=messages"
        )
        return (Warn("django-messages", text),)


def names_session(cookie_name: str) -> bool:
    """Whether a cookie's name sounds like that of a session."""
    name = cookie_name.lower()
    return "sess" in name or "sid" in name


def _is_id(text: str) -> bool:
    return len(text) == _ID and _ID_ALPHABET.issuperset(text)


def _confidence(cookie_name: str | None) -> float:
    """For an object that is signed and timed: `signing.dumps` writes the same, so the name decides."""
    if cookie_name is None:
        return 0.9
    if cookie_name in Django.cookie_names:
        return 0.98
    return 0.93 if names_session(cookie_name) else 0.6


def dump(data: Any, serializer: str) -> bytes:
    """The bytes of a payload: compact JSON, or a pickle that every Django with PickleSerializer reads."""
    if serializer == "pickle":
        from sessionctl.payload import pickle

        return pickle.dumps(data)
    return python_json.dumps(data).encode("ascii")


def _odd(data: Any) -> tuple[Warn, ...]:
    if isinstance(data, dict):
        return ()
    return (
        Warn(
            "no-session", "the payload is genuine or not, but no object: Django would fail to read a session"
        ),
    )
