"""Rails: the session in an encrypted cookie, and the `signed`, `encrypted` and `permanent` cookie jars.

    C "--" I "--" T          encrypted, since Rails 5.2
    B "--" H                 signed, or encrypted before 5.2

The parts and the envelope in the payload are drawn in `sessionctl.signing.rails`. The serializer shows in the
bytes: `04 08` Marshal, `cc 80` MessagePack, else JSON. In the header the text is percent-encoded as in forms.
The key derivation uses SHA-256 since the defaults of 7.0, SHA-1 before; without the options `key-digest`,
`digest`, `cipher` and `kind` all are tried that the text can be of.
A cookie without a purpose is accepted by Rails, one that was made for a cookie of another name is not. The
session holds its own ID and `"flash": {"discard": [], "flashes": {name: message}}`.
Sources: Rails 6.1 and 7.2 actionpack/lib/action_dispatch/middleware/cookies.rb, flash.rb,
session/cookie_store.rb; activesupport/lib/active_support/messages/serializer_with_fallback.rb.
"""

from __future__ import annotations

import secrets
from binascii import hexlify
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import b64decode, b64encode
from sessionctl.errors import MalformedCookieError, NoKeyError, UsageError
from sessionctl.formats.base import DEFAULT_MAX_AGE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.django import names_session
from sessionctl.formats.judging import expire, first_opened, genuine, refused, rest_of_life
from sessionctl.formats.ruby_session import flash_of, hash_id, lacks_id, read_payload, with_id
from sessionctl.signing.macs import misfit
from sessionctl.signing.rails import (
    KEY_SIZES,
    Envelope,
    Sealed,
    derive,
    is_cbc,
    make_gcm,
    make_mac,
    open_cbc_text,
    seal_cbc_text,
    seal_gcm_text,
    split,
    unwrap,
    wrap,
)
from sessionctl.signing.ruby_text import (
    Signed,
    from_header,
    hex_tag,
    pasted,
    to_header,
)
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

_SIGNED_SALT: Final = "signed cookie"
_GCM_SALT: Final = "authenticated encrypted cookie"
_CBC_SALT: Final = "encrypted cookie"
_CBC_SIGNING_SALT: Final = "signed encrypted cookie"
_CBC: Final = "aes-256-cbc"

_SERIALIZERS: Final = {"json": "json", "marshal": "marshal", "msgpack": "message-pack"}
"""The option `serializer` by the type of a payload."""

_ESCAPED: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""What ActiveSupport's JSON escapes in text, so that it may stand in HTML."""

_NO_PURPOSE: Final = Warn(
    "no-purpose", "the cookie does not say which name it was made for; Rails accepts it under any name"
)
_PURPOSE_UNCHECKED: Final = Warn(
    "purpose-unchecked", "which cookie it was made for was not checked: its name is not known (--cookie-name)"
)


class _Opened(NamedTuple):
    """A payload that a key opened, and the digest of the key derivation and cipher that it took."""

    payload: bytes
    algorithm: str
    key_digest: str
    cipher: str = ""


class Rails(Format):
    """The cookies of Ruby on Rails."""

    name = "rails"
    summary = "Ruby on Rails 3 to 8: sessions, encrypted and signed cookies"
    cookie_names = ("_app_session", "_session_id")
    options = (
        Option("kind", "encrypted", "the cookie jar: sessions are encrypted", ("encrypted", "signed")),
        Option("key-digest", "sha256", "of the key derivation; Rails before 7.0: sha1", ("sha256", "sha1")),
        Option("digest", "sha1", "of signed cookies", ("sha1", "sha256", "sha384", "sha512")),
        Option("cipher", "aes-256-gcm", "of encrypted cookies", tuple(KEY_SIZES)),
        Option(
            "serializer",
            "json",
            "cookies_serializer, for writing; reading goes by the bytes",
            ("json", "marshal", "hybrid", "json-allow-marshal", "message-pack", "message-pack-allow-marshal"),
        ),
        Option(
            "metadata",
            "true",
            "whether the cookie says which name it is for",
            ("true", "false"),
            explains=False,
        ),
        Option("salt", "", "of the key; Rails' own unless it was changed"),
        Option("signing-salt", _CBC_SIGNING_SALT, "of the second key of aes-256-cbc"),
    )
    example = (
        "M0Td8xedd9uyn9VdrwuBeCQR%2FTusx5YQsaoPELZwmGDQgepN296vMxI1Bz0wcDLvchFk%2Bkx4ttARAV2XZwOnqpACp2vD"
        "5W%2FdWLFgMW8EslsGImSRPIgT%2FdySWhGjohPlzZU%2BM8FhU5pHKM5ZRY3S%2FrheSutZygfU8dr%2BdFwOCmM%2FWj6r"
        "bwbKsglXD3nr64%2BjTbgoMg%3D%3D--WXyWad%2FuU5xP0OW1--AuB%2FS10UbAo2kvyklyLDwQ%3D%3D"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._before = b""
        """The payload of the text that is written anew."""
        self._kind = self.option("kind") if self.given("kind") else None
        self._digest = self.option("digest") if self.given("digest") else None
        self._cipher, self._key_digest = self.option("cipher"), self.option("key-digest")
        self._key_digests = (self._key_digest,) if self.given("key-digest") else ("sha256", "sha1")
        """The digests of the key derivation to try: both, unless one was asked for."""
        self._signed_salt = self.option("salt") or _SIGNED_SALT
        self._has_metadata = self.option("metadata") == "true"

    # -- detection --------------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        found = split(from_header(text))
        if isinstance(found, Sealed):
            found.parts()
            return 0.97
        int(found.tag, 16)
        payload = b64decode(found.body)
        if is_cbc(found.body) or unwrap(payload).message is not payload:
            return 0.97
        value, kind, _ = read_payload(payload)
        if kind in {"text", "bytes"}:
            return 0.1
        named = _is_rails_name(cookie_name)
        if isinstance(value, dict) and "session_id" in value and not named:
            return 0.5  # Rack signs its sessions in the same way
        return 0.92 if named else 0.85

    # -- reading ----------------------------------------------------------------------------------

    def _decode(self, text: str, context: Context) -> Decoded:
        found = self._of_kind(split(from_header(text)))
        encrypted = self._is_encrypted(found)
        if isinstance(found, Signed) and not encrypted:
            payload, algorithm = b64decode(found.body), found.algorithm
        else:
            _, opened = self._open(found, context)
            payload, algorithm = opened.payload, opened.algorithm
        envelope = unwrap(payload)
        data, kind, warnings = read_payload(envelope.content())
        return Decoded(
            data=data,
            id=hash_id(data),
            flash=flash_of(data),
            expires_at=envelope.expires_at,
            encrypted=encrypted,
            payload_type=kind,
            algorithm=algorithm,
            warnings=(*pasted(text), *warnings),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        found = self._of_kind(split(from_header(text)))
        index, opened = self._open(found, context)
        envelope = unwrap(opened.payload)
        if self._is_for_another(envelope, context):
            purpose = f"{envelope.purpose!a:.80}"
            detail = f"the key fits, but the cookie was made for another name: its purpose is {purpose}"
            return refused("bad-signature", detail, context, algorithm=opened.algorithm)
        verdict = genuine(
            context,
            index,
            algorithm=opened.algorithm,
            expires_at=envelope.expires_at,
            needs_resign=bool(index) or (opened.cipher == _CBC != self._cipher),
            warnings=pasted(text) + self._unexpected(opened) + self._unproved(envelope, context),
        )
        if envelope.expires_at is not None and context.now >= envelope.expires_at:
            return expire(verdict, envelope.expires_at, context)
        return verdict

    def _is_for_another(self, envelope: Envelope, context: Context) -> bool:
        if not self._has_metadata or None in (envelope.purpose, context.cookie_name):
            return False
        return envelope.purpose != f"cookie.{context.cookie_name}"

    def _unproved(self, envelope: Envelope, context: Context) -> tuple[Warn, ...]:
        """What the purpose does not tell."""
        if not self._has_metadata:
            return ()
        if envelope.purpose is None:
            return (_NO_PURPOSE,)
        return (_PURPOSE_UNCHECKED,) if context.cookie_name is None else ()

    def _unexpected(self, opened: _Opened) -> tuple[Warn, ...]:
        """The options that were not given, and would have to be."""
        if opened.key_digest == self._key_digest and opened.cipher in ("", self._cipher):
            return ()
        differs = []
        if opened.key_digest != self._key_digest:
            differs.append(f"key-digest={opened.key_digest}")
        if opened.cipher and opened.cipher != self._cipher:
            differs.append(f"cipher={opened.cipher}")
        return tuple(Warn("other-option", f"the key fits with -O {option}") for option in differs)

    # -- the kind of a text -----------------------------------------------------------------------

    def _of_kind(self, found: Signed | Sealed) -> Signed | Sealed:
        """The parts, if they are of the kind and digest that were asked for."""
        if isinstance(found, Signed) and self._digest not in (None, found.digest):
            raise MalformedCookieError(
                f"the signature has the length of {found.digest}, not of {self._digest} (-O digest)"
            )
        if self._kind is not None:
            kind = "encrypted" if isinstance(found, Sealed) or is_cbc(found.body) else "signed"
            if kind != self._kind:
                raise MalformedCookieError(f"the cookie is {kind}, not {self._kind} (-O kind={kind})")
        return found

    def _is_encrypted(self, found: Signed | Sealed) -> bool:
        if isinstance(found, Sealed):
            return True
        return self._kind == "encrypted" if self._kind else is_cbc(found.body)

    # -- keys -------------------------------------------------------------------------------------

    def _open(self, found: Signed | Sealed, context: Context) -> tuple[int, _Opened]:
        """The index of the key that fits and what it opens; raises `NoKeyError` or `BadSignatureError`."""
        if not context.keys:
            raise NoKeyError("no secret was given; --secret takes Rails' secret_key_base")
        if isinstance(found, Signed):
            return self._open_signed(found, context)
        nonce, sealed = found.parts()
        return first_opened(context, lambda secret: self._open_gcm(secret, nonce, sealed))

    def _ciphers(self) -> tuple[str, ...]:
        """The ciphers to try. Rails that still writes CBC reads GCM, so that a rollback does no harm."""
        if not self.given("cipher"):
            return tuple(name for name in KEY_SIZES if name != _CBC)
        return ("aes-256-gcm",) if self._cipher == _CBC else (self._cipher,)

    def _open_gcm(self, secret: Secret, nonce: bytes, sealed: bytes) -> _Opened | None:
        salt = self.option("salt") or _GCM_SALT
        for cipher in self._ciphers():
            for key_digest in self._key_digests:
                payload = self.kept(make_gcm, secret, salt, key_digest, cipher).open(nonce, sealed)
                if payload is not None:
                    return _Opened(payload, cipher.upper(), key_digest, cipher)
        return None

    def _open_signed(self, found: Signed, context: Context) -> tuple[int, _Opened]:
        sealed = self._is_encrypted(found)
        salt = self.option("signing-salt") if sealed else self._signed_salt
        message, given = found.body.encode("ascii"), found.tag.encode("ascii")
        for key_digest in self._key_digests:
            macs = self.macs(make_mac, salt, key_digest, found.digest)
            index = macs.first(context.keys, message, given, hexlify)
            if index is not None and sealed:
                return index, self._open_cbc(found, context.keys[index], key_digest)
            if index is not None:
                parts = (b64decode(found.body), found.algorithm, key_digest, "")
                return index, new_tuple(_Opened, parts)
        raise misfit(len(context.keys))

    def _open_cbc(self, found: Signed, secret: Secret, key_digest: str) -> _Opened:
        key = self._cbc_key(secret, key_digest)
        algorithm = f"AES-256-CBC {found.algorithm}"
        return _Opened(open_cbc_text(key, found.body), algorithm, key_digest, _CBC)

    def _cbc_key(self, secret: Secret, key_digest: str) -> bytes:
        return self.kept(derive, secret, self.option("salt") or _CBC_SALT, key_digest, KEY_SIZES[_CBC])

    # -- writing ----------------------------------------------------------------------------------

    def wants_id(self, data: Any, cookie_name: str) -> bool:
        """A session does; other encrypted cookies hold what the application likes."""
        return self.option("kind") != "signed" and names_session(cookie_name) and lacks_id(data)

    def new_id(self) -> str:
        """32 hexadecimal digits (rack, abstract/id.rb, `generate_sid` with Rails' `sidbits` of 128)."""
        return secrets.token_hex(16)

    def _encode(self, content: Content, context: Context) -> str:
        secret = context.keys.newest
        if self.option("kind") == "signed":
            salt = self.option("salt") or _SIGNED_SALT
            return self._sign(self._payload(content.data, context), secret, salt, self.option("digest"))
        payload = self._payload(with_id(content.data, content.id), context)
        if self._cipher == _CBC:
            sealed = seal_cbc_text(self._cbc_key(secret, self._key_digest), payload)
            return self._sign(sealed, secret, self.option("signing-salt"), "sha1")
        gcm = self.kept(make_gcm, secret, self.option("salt") or _GCM_SALT, self._key_digest, self._cipher)
        return to_header(seal_gcm_text(gcm, payload))

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        found = split(from_header(text))
        _, opened = self._open(self._of_kind(found), context)
        envelope = unwrap(opened.payload)
        serializer = read_payload(envelope.content())[1]
        ways = {
            "kind": "encrypted" if self._is_encrypted(found) else "signed",
            "key-digest": opened.key_digest,
            "serializer": _SERIALIZERS.get(serializer, "json"),
            "metadata": "false" if envelope.purpose is None else "true",
        }
        if opened.cipher:
            return {**ways, "cipher": opened.cipher}
        return {**ways, "digest": found.digest} if isinstance(found, Signed) else ways

    def inherit(self, text: str, context: Context) -> None:
        """Keep the payload, so that what it holds beside JSON stays. Raises `NotSupportedError` where it cannot."""
        _, opened = self._open(self._of_kind(split(from_header(text))), context)
        self._before = unwrap(opened.payload).content()
        if read_payload(self._before)[1] == "msgpack":
            from sessionctl.payload import rails_msgpack

            rails_msgpack.check_plain(self._before)

    def life_like(self, decoded: Decoded, context: Context) -> float | None:
        """The cookie ends when the one before would have."""
        return rest_of_life(decoded, context)

    def _sign(self, payload: bytes, secret: Secret, salt: str, digest: str) -> str:
        body = b64encode(payload)
        mac = self.kept(make_mac, secret, salt, self._key_digest, digest)
        return to_header(f"{body}--{hex_tag(mac, body)}")

    def _payload(self, data: Any, context: Context) -> bytes:
        """The serialized data in their envelope: `max_age` is the time that Rails calls `expires`."""
        purpose = expires_at = None
        if self._has_metadata and context.cookie_name is not None:
            purpose = f"cookie.{context.cookie_name}"
        if context.max_age not in (None, DEFAULT_MAX_AGE):
            expires_at = context.now + (context.max_age or 0)
        return wrap(self._dump(data), purpose, expires_at)

    def _dump(self, data: Any) -> bytes:
        serializer = self.option("serializer")
        if serializer == "marshal":
            from sessionctl.payload import marshal

            return marshal.dumps_like(data, self._before)
        if serializer.startswith("message-pack"):
            from sessionctl.payload import rails_msgpack

            return rails_msgpack.dumps(data)
        return jsontext.dumps(data).translate(_ESCAPED).encode()

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """The session with a message where `ActionDispatch::Flash` keeps it."""
        if not isinstance(data, dict):
            raise UsageError("a flash message goes into a session, and the data are no object")
        return {**data, "flash": {"discard": [], "flashes": {**(flash_of(data) or {}), key: value}}}


def _is_rails_name(cookie_name: str | None) -> bool:
    """Whether the name is as Rails makes it of the application's: `_app_session`."""
    return (
        cookie_name is not None and cookie_name.startswith("_") and cookie_name.endswith(("_session", "_id"))
    )
