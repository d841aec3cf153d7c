r"""Tornado's signed cookies: `set_signed_cookie`, once `set_secure_cookie`.

    2|1:0|10:1795423923|4:user|4:NDI=|841274b1...        version 2, since Tornado 3.2.1
      key version, time, name and value, each with its length in bytes before it
      64 hex digits of HMAC-SHA256(secret, all before them)

    NDI=|1795423923|841d1541...                          version 1
      40 hex digits of HMAC-SHA1(secret, name value time), with nothing between the three

    value    standard base64 with padding of any bytes: what they mean is up to the application
    time     Unix seconds in decimal
    secret   its UTF-8, as it is; where `cookie_secret` is a dict, that of the key version in the cookie

The name of the cookie is signed too. In version 1 digits could be moved from the value to the time, so
Tornado refuses a time that begins with 0 or lies more than 31 days ahead. A number of up to three digits
before the first `|` is a version, a longer one the value of version 1.
Source: Tornado 6.5 tornado/web.py, `create_signed_value` and `decode_signed_value`.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, hexlify
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.encoding import as_text, b64decode, b64encode, quote, unquote, utf8
from sessionctl.errors import BadSignatureError, MalformedCookieError, UsageError
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import first_fit, genuine_within
from sessionctl.payload import python_json
from sessionctl.signing.mac import HMAC_SHA1, HMAC_SHA256, Hmac, compare_digest
from sessionctl.verdict import new_tuple
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

DAY = 86400
_SHA1_DIGITS, _SHA256_DIGITS = 40, 64
_MAX_DIGITS = 18  # of a number: 64 bits hold it
_VERSIONS = 999  # a greater number before the first "|" is no version

NAME_UNCHECKED = Warn(
    "name-unchecked",
    "the name of the cookie is not known: Tornado would compare it with the one that was signed",
)


class Parts(NamedTuple):
    """A cookie of either version; `name` and `key_version` are None in version 1."""

    value: bytes
    stamp: bytes
    signature: bytes
    message: bytes
    """What is signed; in version 1 the name stands before it."""
    name: bytes | None = None
    key_version: int | None = None

    @property
    def algorithm(self) -> str:
        """What signs."""
        return HMAC_SHA1 if self.name is None else HMAC_SHA256


class Tornado(Format):
    """A cookie that Tornado signed."""

    name = "tornado"
    takes_last_cookie = True
    summary = "Tornado: set_signed_cookie (set_secure_cookie), versions 1 and 2"
    cookie_names = ("user",)
    options = (
        Option(
            "key-versions",
            "",
            "versions of the secrets in their order, with commas, where cookie_secret is a dict",
        ),
        Option("min-version", "1", "the oldest version that passes", ("1", "2")),
        Option("version", "2", "the version of a new cookie", ("1", "2")),
        Option("value-encoding", "text", "what the data of a new cookie are", ("text", "base64")),
    )
    default_max_age = 31.0 * DAY  # max_age_days
    age_setting = "max_age_days"
    example = (
        "2|1:0|10:1795423923|4:user|48:eyJ1c2VyX2lkIjogNDIsICJ1c2VybmFtZSI6ICJhbGljZSJ9|"
        "d4eb336d88fdfcaba733f690f4c7cc22928a97b9c265a7c68f54919f0f2b48b8"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._key_versions = _versions(self.option("key-versions"))

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = unquote(text)
        if text.count("|") < 2 or not text.isascii():  # noqa: PLR2004 - three parts
            return 0.0
        parts = _split(text)
        size = _SHA1_DIGITS if parts.name is None else _SHA256_DIGITS
        if len(parts.signature) != size or not _is_hex(parts.signature):
            return 0.0
        _number(parts.stamp)
        b64decode(parts.value.decode("ascii"))
        if parts.name is None:
            return 0.92
        return 0.98 if cookie_name is None or cookie_name.encode() == parts.name else 0.9

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        parts = _split(unquote(text))
        data, payload_type = as_text(_value(parts))
        return Decoded(
            data=data,
            issued_at=float(_number(parts.stamp)),
            payload_type=payload_type,
            algorithm=parts.algorithm,
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        parts = _split(unquote(text))
        index = (
            self._find_version_1(parts, context)
            if parts.name is None
            else self._find_version_2(parts, context)
        )
        issued_at = float(_number(parts.stamp))
        value, _ = as_text(_value(parts))
        verdict = genuine_within(
            context,
            context.age_limit(self.default_max_age),
            index,
            issued_at,
            algorithm=parts.algorithm,
            value=value,
            warnings=(NAME_UNCHECKED,) if context.cookie_name is None else (),
        )
        if verdict.valid and parts.name is None:
            _refuse_shifted(parts.stamp, issued_at, context.now)
        return verdict

    def _find_version_1(self, parts: Parts, context: Context) -> int:
        if self.option("min-version") == "2":
            raise MalformedCookieError("a cookie of version 1, and min-version is 2")
        if self._key_versions:
            raise BadSignatureError(
                "a cookie of version 1 has no key version, so Tornado cannot pick a key for it"
            )
        message = (context.cookie_name or "").encode("utf-8", "surrogatepass") + parts.message
        try:
            return self._first(context, "sha1", message, parts.signature)
        except BadSignatureError as error:
            if context.cookie_name is not None:
                raise
            raise BadSignatureError(f"{error}; the cookie's name is signed too: give name=value") from None

    def _find_version_2(self, parts: Parts, context: Context) -> int:
        only = self._only(parts.key_version, context)
        if only is None:
            index = self._first(context, "sha256", parts.message, parts.signature)
        else:
            index = first_fit(
                context,
                lambda secret: (
                    only == secret and self._fits(secret, "sha256", parts.message, parts.signature)
                ),
            )
        if context.cookie_name is not None and context.cookie_name.encode("utf-8", "replace") != parts.name:
            name = (parts.name or b"").decode("utf-8", "replace")
            raise BadSignatureError(
                f"signed by the key, but for a cookie named {name[:80]!r}, and this one has another name"
            )
        return index

    def _first(self, context: Context, digest: str, message: bytes, signature: bytes) -> int:
        return self.macs(_mac, digest).find(context.keys, message, signature, hexlify)

    def _fits(self, secret: Secret, digest: str, message: bytes, signature: bytes) -> bool:
        mac = self.kept(_mac, secret, digest)
        return compare_digest(hexlify(mac.digest(message)), signature)

    def _only(self, key_version: int | None, context: Context) -> Secret | None:
        """The one key that may verify, or None where the application has no key versions."""
        if not self._key_versions or not context.keys:
            return None
        self._check_versions(context)
        if key_version not in self._key_versions:
            raise BadSignatureError(f"the cookie names key version {key_version}, which key-versions has not")
        return context.keys[self._key_versions.index(key_version)]

    def _check_versions(self, context: Context) -> None:
        if len(self._key_versions) != len(context.keys):
            raise UsageError(
                f"key-versions names {counted(len(self._key_versions), 'key')}, not the {len(context.keys)} given"
            )

    def _encode(self, content: Content, context: Context) -> str:
        secret = context.keys.newest
        name = context.cookie_name or self.cookie_names[0]
        value = b64encode(self._raw(content.data))
        stamp = str(int(context.now))
        if self.option("version") == "1":
            mac = self.kept(_mac, secret, "sha1")
            return quote(f"{value}|{stamp}|{mac.digest(f'{name}{value}{stamp}'.encode()).hex()}")
        if self._key_versions:
            self._check_versions(context)
        key_version = str(self._key_versions[0] if self._key_versions else 0)
        fields = "|".join(f"{len(field.encode())}:{field}" for field in (key_version, stamp, name, value))
        message = f"2|{fields}|"
        return quote(f"{message}{self.kept(_mac, secret, 'sha256').digest(message.encode()).hex()}")

    def _raw(self, data: Any) -> bytes:
        """The bytes to sign: a text as it is, anything else as its JSON."""
        if not isinstance(data, str):
            return python_json.dumps(data, spaced=True).encode()
        if self.option("value-encoding") == "base64":
            return b64decode(data, "the data")
        try:
            return data.encode()
        except UnicodeEncodeError:
            raise UsageError("the data hold half of a surrogate pair, which UTF-8 has not") from None


def _mac(secret: Secret, digest: str) -> Hmac:
    return Hmac(secret.bytes, digest)


def _versions(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    numbers = text.split(",")
    if not all(number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS for number in numbers):
        raise UsageError("option 'key-versions' is numbers with commas between them: 2,1,0")
    return tuple(int(number) for number in numbers)


def _split(text: str) -> Parts:
    data = utf8(text)
    head, _, _ = data.partition(b"|")
    if not head.isdigit() or head.startswith(b"0") or len(head) > len(str(_VERSIONS)):
        return _split_version_1(data)
    if head not in (b"1", b"2"):
        raise MalformedCookieError(f"Tornado has no version {int(head)} of signed values")
    return _split_version_1(data) if head == b"1" else _split_version_2(data)


_STAMP = 10  # digits of the time from 2001 until 2286
_version_2 = re.compile(
    rb"(2\|1:(\d)\|10:(\d+)\|(\d{1,9}):([^|]*)\|(\d{1,9}):([^|]*)\|)(.*)", re.DOTALL
).fullmatch
"""What is nearly always written, in one step: one digit for the key's version, no bar in the name."""


def _split_version_1(data: bytes) -> Parts:
    parts = data.split(b"|")
    if len(parts) != 3:  # noqa: PLR2004 - value, time, signature
        raise MalformedCookieError(
            "a cookie of version 1 has a value, a time and a signature with | between them"
        )
    return Parts(parts[0], parts[1], parts[2], parts[0] + parts[1])


def _split_version_2(data: bytes) -> Parts:
    usual = _version_2(data)
    if usual is not None:
        signed, key_version, stamp, length, name, size, value, signature = usual.groups()
        if len(stamp) == _STAMP and len(name) == int(length) and len(value) == int(size):
            return new_tuple(Parts, (value, stamp, signature, signed, name, int(key_version)))
    key_version, at = _field(data, 2)
    stamp, at = _field(data, at)
    name, at = _field(data, at)
    value, at = _field(data, at)
    return Parts(value, stamp, data[at:], data[:at], name, _number(key_version))


def _field(data: bytes, start: int) -> tuple[bytes, int]:
    """The field that begins at `start`, and where the next one does."""
    colon = data.find(b":", start, start + _MAX_DIGITS)
    length = data[start:colon] if colon >= 0 else b""
    if not length.isdigit():
        raise MalformedCookieError("a field has no length before it")
    end = colon + 1 + int(length)
    if data[end : end + 1] != b"|":
        raise MalformedCookieError("a field is not as long as the number before it says")
    return data[colon + 1 : end], end + 1


def _number(number: bytes) -> int:
    if not number.isdigit() or len(number) > _MAX_DIGITS:
        raise MalformedCookieError("the time or the key version is no number")
    return int(number)


def _value(parts: Parts) -> bytes:
    """The value, read as Python's `b64decode` reads it: foreign characters are dropped, padding is needed."""
    try:
        return a2b_base64(parts.value)
    except Base64Error:
        raise MalformedCookieError("the value is not base64") from None


def _is_hex(data: bytes) -> bool:
    return frozenset(b"0123456789abcdef").issuperset(data)


def _refuse_shifted(stamp: bytes, issued_at: float, now: float) -> None:
    """Raise `MalformedCookieError` for a time to which digits of the value may have been moved."""
    if issued_at > now + 31 * DAY or stamp.startswith(b"0"):
        raise MalformedCookieError(
            "the signature fits, but the time begins with 0 or lies more than 31 days ahead: in version 1 "
            "Tornado takes that for digits moved from the value"
        )
