r"""Beaker (Pylons, TurboGears, Pyramid with pyramid_beaker): sessions in the cookie, or their signed ID.

    40 hex digits of HMAC-SHA1(key, rest)  rest

    kind    rest                                                        key
    cookie  standard base64 with padding of the session                 validate_key
    cookie  nonce, standard base64 of the session encrypted             validate_key
    id      the session's ID, 32 hex digits                             secret

    session   pickle of protocol 2, or a zlib stream, always, of JSON (data_serializer=json); a dict with
              `_id`, `_creation_time`, `_accessed_time`, and in newer releases `_domain` and `_path`
    nonce     base64 text, used as it is: 24 characters of 16 bytes, or 8 of 6 (encrypt_nonce_bits=48, and
              releases before 1.8)

Keys and ciphers are drawn in `sessionctl.signing.beaker`. `timeout` counts from `_accessed_time`. The value is never
quoted; quotes around it are taken off.
Sources: Beaker 1.14.1, 1.8.1 and 1.6.5 session.py, util.py, crypto/.
"""

from __future__ import annotations

import contextlib
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.encoding import b64encode, decompress
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.formats.base import MAX_SIZE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import first_fit, genuine, judge_age
from sessionctl.payload import python_json
from sessionctl.signing.beaker import CIPHERS, aes_key, decrypt, encrypt, mac_of, neighbours, pairs, split
from sessionctl.signing.keys import KeyRing
from sessionctl.signing.mac import HMAC_SHA1, compare_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.signing.keys import Secret

_ID = 32  # hex digits of a UUID
_NONCE, _OLD_NONCE = 24, 8  # characters of a nonce: of 16 bytes, and of 6 before 1.8
_HEX = frozenset("0123456789abcdef")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


class Opened(NamedTuple):
    """The serialized session, the place of its key in the ring, and the cipher it was under."""

    data: bytes
    key_index: int | None
    cipher: str | None = None


class Beaker(Format):
    """The session cookie of Beaker."""

    name = "beaker"
    takes_last_cookie = True
    summary = "Beaker: sessions in the cookie, signed or encrypted, and signed IDs"
    cookie_names = ("beaker.session.id",)
    options = (
        Option(
            "crypto-type",
            "none",
            "the crypto module of an encrypted session; secrets come in pairs: validate_key, encrypt_key",
            ("none", *CIPHERS),
        ),
        Option("encrypt-nonce-bits", "128", "encrypt_nonce_bits; 48 before Beaker 1.8"),
        Option("kind", "cookie", "the session itself or its ID", ("cookie", "id")),
        Option(
            "data-serializer", "pickle", "how a new session is written; reading sees it", ("pickle", "json")
        ),
    )
    example = (
        "03567200af729ec1d0b7bb8e9544db43e32b40b5eJxtjEsOwjAQQ69SZY0gvxGUy0TuZBCR0hQ16Qpxd0hhyc5Pz/ZThbjM"
        "SEVdh7LlfBhUeKDdP6hOqlOKPRsPrbUTWLC/wE12upEbRZNzwoRe3aqs37q3PyyYpc+RE8t+x6ugpaWElnZlziN568nQUXcP"
        "ZqlV4j//egMIoDGT"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        bits = self.option("encrypt-nonce-bits")
        if not (bits.isascii() and bits.isdigit() and len(bits) <= 4 and int(bits) and int(bits) % 8 == 0):  # noqa: PLR2004
            raise UsageError("option 'encrypt-nonce-bits' is a multiple of 8")
        self._nonce_bytes = int(bits) // 8
        self._nonce_size = (4 * self._nonce_bytes // 3 + 3) & ~3

    # -- detect -----------------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        tag, rest = split(text)
        if not _HEX.issuperset(tag) or not rest or not _BASE64.issuperset(rest):
            return 0.0
        named = cookie_name in self.cookie_names
        if _is_id(rest):
            return 0.95 if named else 0.3
        if _looks_encrypted(rest):
            return 0.95 if named else 0.86
        if rest.startswith(("gAJ9", "eJ", "eN", "eF")):
            data, _ = _load(_b64(rest), MAX_SIZE)
            ours = isinstance(data, dict) and not {"_id", "_creation_time", "_accessed_time"}.isdisjoint(data)
            return 0.97 if ours else 0.85 if named else 0.2
        if named:
            return 0.85
        whole = len(rest) % 4 == 0 and "=" not in rest.rstrip("=")
        return 0.45 if whole and not _HEX.issuperset(rest) else 0.1  # a hash is digits to its end

    # -- decode and verify ------------------------------------------------------------------------

    def _decode(self, text: str, context: Context) -> Decoded:
        _, rest = split(text)
        if self._is_id(rest):
            return Decoded(data=rest, id=rest, payload_type="text", algorithm=HMAC_SHA1)
        opened = self._open(text, context) if self._is_encrypted(rest, context) else Opened(_b64(rest), None)
        data, payload_type = _load(opened.data, context.max_size)
        return Decoded(
            data=data,
            id=_id_of(data),
            issued_at=_accessed(data),
            encrypted=opened.cipher is not None,
            payload_type=payload_type,
            algorithm=_algorithm(opened.cipher),
            warnings=_odd(data),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        tag, rest = split(text)
        if self._is_id(rest):
            index = self._signer(tag, rest, context)
            return genuine(context, index, algorithm=HMAC_SHA1, value=rest)
        if self._is_encrypted(rest, context):
            opened = self._open(text, context)
        else:
            opened = Opened(_b64(rest), self._signer(tag, rest, context))
        data, _ = _load(opened.data, context.max_size)
        verdict = genuine(
            context,
            opened.key_index,
            issued_at=_accessed(data),
            algorithm=_algorithm(opened.cipher),
            value=rest,
            warnings=_odd(data),
        )
        return judge_age(verdict, context, context.age_limit(self.default_max_age))

    def _is_id(self, rest: str) -> bool:
        return self.option("kind") == "id" if self.given("kind") else _is_id(rest)

    def _is_encrypted(self, rest: str, context: Context) -> bool:
        """Whether it was said to be encrypted, or looks so; a nonce of 6 bytes is seen in that nothing else is.

        With an odd number of secrets, which are no pairs, what is broken is not taken for encrypted.
        """
        if self.given("crypto-type"):
            return self.option("crypto-type") != "none"
        return _looks_encrypted(rest) or (len(context.keys) % 2 == 0 and not _begins(rest))

    def _signer(self, tag: str, rest: str, context: Context) -> int:
        """The index of the key that signed. Raises `NoKeyError` and `BadSignatureError`."""
        return first_fit(context, lambda secret: self._fits(secret, tag, rest))

    def _fits(self, secret: Secret, tag: str, rest: str) -> bool:
        mac = self.kept(mac_of, secret)
        return compare_digest(
            mac.digest(rest.encode("utf-8", "replace")).hex().encode(), tag.encode("utf-8", "replace")
        )

    def _open(self, text: str, context: Context) -> Opened:
        """The session of an encrypted cookie. Raises `NoKeyError` and `BadSignatureError`."""
        tag, rest = split(text)
        boxes = self._boxes(rest)
        signed = False
        for index, validate_key, encrypt_key in pairs(context.keys):
            if not self._fits(validate_key, tag, rest):
                continue
            signed = True
            for nonce, box in boxes:
                key = aes_key(encrypt_key.bytes, validate_key.bytes + nonce)
                for cipher in self._ciphers():
                    plain = decrypt(cipher, key, box)
                    if plain is not None and (
                        cipher == "AES-256-GCM" or _is_session(plain, context.max_size)
                    ):
                        return Opened(plain, index, cipher)
        if signed:
            raise BadSignatureError("the validate_key fits, but the encrypt_key (or crypto-type) does not")
        raise BadSignatureError("the signature does not fit the validate_key")

    def _boxes(self, rest: str) -> list[tuple[bytes, bytes]]:
        """Nonce and what is encrypted, by the size that was asked for, else by each of the two.

        Raises `MalformedCookieError` where what follows is no base64, whatever the size.
        """
        sizes = (self._nonce_size,) if self.given("encrypt-nonce-bits") else (_NONCE, _OLD_NONCE)
        found = []
        for size in sizes:
            with contextlib.suppress(MalformedCookieError):
                found.append((rest[:size].encode("utf-8", "replace"), _b64(rest[size:])))
        return found or [(b"", _b64(rest[sizes[0] :]))]

    def _ciphers(self) -> list[str]:
        """The cipher that was asked for, or both."""
        kind = self.option("crypto-type")
        return ["AES-256-GCM", "AES-256-CTR"] if kind == "none" else [CIPHERS[kind]]

    # -- records of the other backends ------------------------------------------------------------

    def decode_record(
        self, data: bytes, keys: KeyRing | Iterable[str | bytes] = (), **context: Any
    ) -> Decoded:
        """What the text in a file or a Redis record says: a session without signature, perhaps encrypted.

        Of an encrypted one the nonce of either size is tried, unless `encrypt-nonce-bits` is given. Its
        validate_key and encrypt_key follow each other in the ring, anywhere: the `secret` of the ID may be there
        too. Raises `MalformedError`, `NoKeyError` and `BadSignatureError`.
        """
        text = data.decode("ascii", "replace")
        given = Context(keys=keys if isinstance(keys, KeyRing) else KeyRing(keys), **context)
        opened = self._open_record(text, given)
        session, payload_type = _load(opened.data, given.max_size)
        return Decoded(
            data=session,
            id=_id_of(session),
            issued_at=_accessed(session),
            encrypted=opened.cipher is not None,
            signed=opened.cipher is not None,
            payload_type=payload_type,
            algorithm=opened.cipher,
            warnings=_odd(session),
        )

    def _open_record(self, text: str, context: Context) -> Opened:
        if not _looks_encrypted(text):
            with contextlib.suppress(MalformedCookieError):
                plain = _b64(text)
                if plain[:1] in (b"\x80", b"\x78") and _is_session(plain, context.max_size):
                    return Opened(plain, None)
        candidates = list(neighbours(context.keys))
        with contextlib.suppress(MalformedCookieError):
            for nonce, box in self._boxes(text):
                for index, validate_key, encrypt_key in candidates:
                    key = aes_key(encrypt_key.bytes, validate_key.bytes + nonce)
                    for cipher in self._ciphers():
                        session = decrypt(cipher, key, box)
                        if session is not None and _is_session(session, context.max_size):
                            return Opened(session, index, cipher)
        raise BadSignatureError("the session does not open with the validate_key and encrypt_key given")

    # -- encode -----------------------------------------------------------------------------------

    def _encode(self, content: Content, context: Context) -> str:
        validate_key = context.keys.newest
        if self.option("kind") == "id":
            rest = content.data if isinstance(content.data, str) and content.data else content.id
            if not rest:
                raise UsageError("kind=id signs a session's ID: the data are to be one JSON string")
        else:
            rest = self._seal(_dump(content.data, self.option("data-serializer")), context)
        return f"{self.kept(mac_of, validate_key).digest(rest.encode('utf-8', 'replace')).hex()}{rest}"

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        payload_type = self._decode(text, context).payload_type
        if payload_type == "pickle":
            from sessionctl.payload import pickle

            _, rest = split(text)
            encrypted = self._is_encrypted(rest, context)
            pickle.check_plain(self._open(text, context).data if encrypted else _b64(rest))
        return {"data-serializer": payload_type}

    def _seal(self, data: bytes, context: Context) -> str:
        if self.option("crypto-type") == "none":
            return b64encode(data)
        import os

        _, validate_key, encrypt_key = next(pairs(context.keys))
        nonce = b64encode(os.urandom(self._nonce_bytes))[: self._nonce_size]
        key = aes_key(encrypt_key.bytes, validate_key.bytes + nonce.encode("ascii"))
        return nonce + b64encode(encrypt(CIPHERS[self.option("crypto-type")], key, data))


def _is_id(rest: str) -> bool:
    return len(rest) == _ID and _HEX.issuperset(rest)


def _looks_encrypted(rest: str) -> bool:
    """Whether a nonce of 16 bytes stands in front: base64 ends in == there, and goes on."""
    return len(rest) > _NONCE and rest[_NONCE - 2 : _NONCE] == "==" and "=" not in rest[: _NONCE - 2]


def _begins(rest: str) -> bool:
    """Whether it begins like a session that is not encrypted: base64 of a pickle or of a zlib stream."""
    return rest[:2] in ("gA", "eJ", "eN", "eF", "eA")


def _b64(text: str) -> bytes:
    """Base64 as Python reads it: foreign characters are dropped, padding is needed."""
    try:
        return a2b_base64(text.encode("ascii", "ignore"))
    except Base64Error:
        raise MalformedCookieError("the session is not base64, or has lost its padding") from None


def _load(data: bytes, max_size: int) -> tuple[Any, str]:
    """The session of its bytes, and how it was serialized. Raises `MalformedCookieError`."""
    try:
        if data[:1] == b"\x78":
            return python_json.loads(decompress(data, max_size).decode()), "json"
        if data[:1] != b"\x80":
            raise MalformedCookieError("the session is neither a pickle nor compressed JSON")
        from sessionctl.payload import pickle

        return pickle.loads(data), "pickle"
    except UnicodeDecodeError:
        raise MalformedCookieError("the session is not UTF-8") from None
    except MalformedCookieError:
        raise
    except MalformedError as error:
        raise MalformedCookieError(f"the session is {error}") from None


def _is_session(plain: bytes, max_size: int) -> bool:
    """Whether the plaintext of a cipher without a tag makes sense."""
    try:
        _load(plain, max_size)
    except MalformedCookieError:
        return False
    return True


def _dump(data: Any, serializer: str) -> bytes:
    if not isinstance(data, dict):
        raise UnserializableValueError("", "a Beaker session is an object")
    if serializer == "json":
        import zlib

        return zlib.compress(python_json.dumps(data, spaced=True).encode("ascii"))
    from sessionctl.payload import pickle

    return pickle.dumps(data)


def _algorithm(cipher: str | None) -> str:
    return HMAC_SHA1 if cipher is None else f"{HMAC_SHA1}, {cipher}"


def _accessed(data: Any) -> float | None:
    accessed = data.get("_accessed_time") if isinstance(data, dict) else None
    return float(accessed) if isinstance(accessed, (int, float)) and abs(accessed) < 1 << 62 else None


def _id_of(data: Any) -> str | None:
    found = data.get("_id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else None


def _odd(data: Any) -> tuple[Warn, ...]:
    if isinstance(data, dict):
        return ()
    return (Warn("no-session", "the payload is no object: Beaker would fail to read a session"),)
