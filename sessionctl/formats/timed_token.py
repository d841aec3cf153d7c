"""How itsdangerous signs text, which Flask, Quart, Starlette and Flask-Session share.

    value SEP signature                    Signer, Serializer, URLSafeSerializer
    value SEP timestamp SEP signature      TimestampSigner, TimedSerializer, URLSafeTimedSerializer

    SEP        "."; the text is split from the right, so the value may hold it
    timestamp  seconds since the epoch, unsigned, big-endian without leading zero bytes, base64: 6 characters
               today; the epoch is that of Unix, but 2011-01-01 in itsdangerous 0.24 and older
    signature  HMAC over all before its separator, base64: 27 characters of SHA-1, 43 of SHA-256
    key        django-concat  H(salt + "signer" + secret)
               concat         H(salt + secret)
               hmac           HMAC-H(secret, salt)
               none           secret

Base64 is URL-safe without padding and read leniently, so that a signature has several texts. Signature first,
then time, then payload: what is forged is never decompressed or parsed.
Sources: itsdangerous 2.2.0, 1.1.0 and 0.24, signer.py, timed.py, encoding.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.duration import human_seconds
from sessionctl.encoding import b64decode_lenient, b64encode_urlsafe, b64encode_urlsafe_tag, utf8
from sessionctl.errors import MalformedCookieError, MalformedError, UsageError
from sessionctl.formats.base import Context, Option, Verdict, Warn
from sessionctl.formats.judging import expire
from sessionctl.payload import python_json
from sessionctl.signing.mac import Hmac
from sessionctl.signing.macs import Macs, signature_lengths
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.formats.base import Format
    from sessionctl.signing.keys import KeyRing, Secret

EPOCH_2011 = 1_293_840_000
"""What itsdangerous 0.24 and older take from the Unix time."""

EARLIEST, LATEST = 1_301_616_000, 4_102_444_800
"""Between April 2011, when itsdangerous came out, and 2100 lies the time of a plausible token."""

_DIGESTS_BY_LENGTH = {length: digest for digest, length in signature_lengths(b64encode_urlsafe_tag).items()}
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

DERIVATIONS = ("hmac", "django-concat", "concat", "none")

EPOCH = Option(
    "epoch", "0", f"Unix time that timestamps count from: {EPOCH_2011} for itsdangerous 0.24 and older"
)

SALTS = (
    *("cookie-session", "itsdangerous", "itsdangerous.Signer", "flask-session", "wtf-csrf-token"),
    *("confirm-salt", "reset-salt", "login-salt", "remember-salt", "change-salt", "change-email-salt"),
    *("us-setup-salt", "wan-salt", "tf-validity-salt", "tf-setup-salt", "refresh-token-salt"),
    *("quart auth salt", "fastapi-csrf-token"),
    *(
        "activate",
        "activate-salt",
        "confirm",
        "email-confirm",
        "email-confirm-salt",
        "email-confirmation-salt",
    ),
    *("password-reset", "password-reset-salt", "reset-password", "recover", "unsubscribe", "session", "auth"),
)
"""Salts that are often met, line by line: of Flask, itsdangerous, Flask-Session and Flask-WTF; the defaults of
Flask-Security 5.9, and its passkeys' and two factors'; of Quart-Auth and fastapi-csrf-protect; of tutorials."""

_MAX_SECONDS = 253_402_300_799  # the end of the year 9999, past which Python has no dates

NON_CANONICAL = Warn(
    "non-canonical", "the signature is not the text that itsdangerous writes, though itsdangerous accepts it"
)
OLD_EPOCH = Warn(
    "old-epoch",
    "the time lies before itsdangerous was made: the text is from 0.24 or older (-O epoch=1293840000)",
)


class Token(NamedTuple):
    """A signed text in its parts. `message` is what the signature is made over."""

    message: str
    value: str
    stamp: str
    signature: str


def split(text: str, separator: str = ".", *, timed: bool = True) -> Token:
    """The parts of a signed text; `stamp` is empty where it is not timed. Raises `MalformedCookieError`."""
    message, found, signature = text.rpartition(separator)
    if not found:
        raise MalformedCookieError(f"no signature: the text has no {separator!r}")
    if not timed:
        return Token(message, message, "", signature)
    value, found, stamp = message.rpartition(separator)
    if not found:
        raise MalformedCookieError(
            f"no timestamp: the text has a single {separator!r}, with nothing but a signature behind it"
        )
    return new_tuple(Token, (message, value, stamp, signature))


def seconds(stamp: str, epoch: int = 0) -> float:
    """The Unix seconds of a timestamp. Raises `MalformedCookieError`."""
    data = b64decode_lenient(stamp, "the timestamp")
    number = int.from_bytes(data, "big") + epoch
    if number > _MAX_SECONDS or len(data) > 8:  # noqa: PLR2004 - 64 bits
        raise MalformedCookieError("the timestamp is no number of seconds")
    return float(number)


def hmac_of(secret: Secret, salt: str, derivation: str, digest: str, mac_digest: str = "") -> Hmac:
    """The HMAC under the key that itsdangerous derives from a secret."""
    import hashlib

    key, salted = secret.bytes, salt.encode("utf-8", "surrogatepass")
    if derivation == "hmac":
        key = Hmac(key, digest).digest(salted)
    elif derivation != "none":
        between = b"signer" if derivation == "django-concat" else b""
        key = hashlib.new(digest, salted + between + key).digest()
    return Hmac(key, mac_digest or digest)


def find_key(token: Token, macs: Macs, keys: KeyRing) -> tuple[int, tuple[Warn, ...]]:
    """The index of the key that signed the text, and what is odd about the signature.

    Raises `NoKeyError` and `BadSignatureError`.
    """
    message = utf8(token.message)
    given = token.signature.encode("ascii", "replace")
    index = macs.first(keys, message, given, b64encode_urlsafe_tag)
    if index is not None:
        return index, ()
    try:
        tag = b64decode_lenient(token.signature)
    except MalformedCookieError:
        tag = b""
    if b64encode_urlsafe_tag(tag) != given:  # it is another text for these bytes, which may fit
        index = macs.first(keys, message, tag)
    if index is None:
        raise macs.misfit(keys, len(token.signature.rstrip("=")), b64encode_urlsafe_tag)
    return index, (NON_CANONICAL,)


def judge(
    context: Context,
    limit: float | None,
    key_index: int | None,
    issued_at: float,
    *,
    old: bool,
    algorithm: str | None,
    value: str | None,
    warnings: tuple[Warn, ...],
) -> Verdict:
    """The verdict on a genuine text, by its age in whole seconds; equal to the limit is valid.

    With a limit a time in the future is refused too, but not by `old` releases, before 2.0.
    """
    expires_at = None if limit is None else issued_at + limit
    verdict = new_tuple(Verdict, (  # as `genuine` makes it, without the price of its call
        True, None, "", key_index, len(context.keys), bool(key_index),
        issued_at, expires_at, False, algorithm, value, warnings,
    ))  # fmt: skip
    if limit is None:
        return verdict
    age = int(context.now) - issued_at
    if age > limit:
        return expire(verdict, expires_at, context)
    if age >= 0 or old:
        return verdict
    detail = (
        f"genuine, but made {human_seconds(-age)} in the future, by a clock that is wrong: "
        "itsdangerous 2.0 and later call that expired"
    )
    return verdict._replace(valid=False, reason="expired", detail=detail)


def sign(value: str, mac: Hmac | None, separator: str = ".", issued_at: int | None = None) -> str:
    """A value with its time, where it has one (in seconds since the epoch), and its signature."""
    if issued_at is not None:
        stamp = max(issued_at, 0).to_bytes(8, "big").lstrip(b"\0")
        value = f"{value}{separator}{b64encode_urlsafe(stamp)}"
    signature = b64encode_urlsafe(mac.digest(utf8(value))) if mac else ""
    return f"{value}{separator}{signature}"


def trials(form: Format, signature: str) -> Iterator[dict[str, str]]:
    """Salt, derivation and hash as they may go together where changing one alone does not do; the hash is of
    the signature's length.
    """
    digest = digest_of(signature) or form.option("digest")
    for salt in SALTS:
        for derivation in DERIVATIONS:
            ways = {"salt": salt, "key-derivation": derivation, "digest": digest}
            changed = {name: value for name, value in ways.items() if value != form.option(name)}
            if len(changed) > 1:
                yield changed


def parse_epoch(text: str) -> int:
    """The value of the option `epoch`. Raises `UsageError`."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_SECONDS)):
        return int(text)
    raise UsageError(f"option 'epoch' is a number of seconds, 0 or {EPOCH_2011}")


def odd_time(issued_at: float) -> tuple[Warn, ...]:
    """What is odd about the time of a text."""
    return (OLD_EPOCH,) if issued_at < EARLIEST else ()


def is_plausible_time(issued_at: float) -> bool:
    """Whether a text may have been made then, by either epoch."""
    return EARLIEST < issued_at < LATEST or EARLIEST < issued_at + EPOCH_2011 < LATEST


def digest_of(signature: str) -> str | None:
    """The digest whose signatures look like this text, or None where none's do."""
    signature = signature.rstrip("=")  # itsdangerous writes no padding, but takes it
    digest = _DIGESTS_BY_LENGTH.get(len(signature))
    return digest if set(signature) <= _ALPHABET else None


def is_mixed(signature: str) -> bool:
    """Whether a text has letters of both cases and digits, as base64 of a hash has, and hexadecimal has not."""
    return not (signature.islower() or signature.isupper()) and any(map(str.isdigit, signature))


def is_spaced(value: Any, data: bytes) -> bool:
    """Whether the JSON text of a value has spaces after `,` and `:`, as `json.dumps` writes it by itself."""
    if not value or (isinstance(value, dict) and b'": ' not in data):
        return False
    return python_json.dumps(value, spaced=True).encode("ascii") == data


def read_json(data: bytes) -> Any:
    """The value of a JSON payload in UTF-8. Raises `MalformedCookieError`."""
    try:
        return python_json.loads_bytes(data)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None
