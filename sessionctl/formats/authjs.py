"""Auth.js 5 and NextAuth.js 4: the session as an encrypted token.

    HEADER "." "." IV "." CIPHERTEXT "." TAG        JWE (RFC 7516) with `alg: dir`; see `jwt`

    Auth.js 5     {"alg":"dir","enc":"A256CBC-HS512","kid":K}, IV 16 bytes, TAG 32
                  key = HKDF-SHA256(secret, salt NAME, info "Auth.js Generated Encryption Key (NAME)", 64)
                  NAME is the cookie's name, K the SHA-512 thumbprint (RFC 7638) of the key; A256GCM with a
                  key of 32 bytes and K by SHA-256 is read too
    NextAuth 4    {"alg":"dir","enc":"A256GCM"}, IV 12 bytes, TAG 16
                  key = HKDF-SHA256(secret, salt "", info "NextAuth.js Generated Encryption Key", 32);
                  with a salt of its own it is the HKDF's, and " (SALT)" ends the info

The claims hold `iat`, `exp` (30 days later) and `jti`; 15 seconds of leeway are granted. A token of more than
3.9 KB stands in the cookies NAME.0, NAME.1, ..., whose common NAME is the salt.
Sources: @auth/core 0.41.3 jwt.js, lib/utils/cookie.js; next-auth 4.24.15 jwt/index.js; jose 6.2.17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.errors import BadSignatureError, MalformedCookieError
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict
from sessionctl.formats.judging import first_opened
from sessionctl.formats.jwt import bare, judge_claims, odd_text, read_content, shown_time
from sessionctl.signing import jose
from sessionctl.signing.jose_keys import Key
from sessionctl.signing.mac import Hmac, compare_digest

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

_LEEWAY = 15
_THIRTY_DAYS = 30 * 24 * 60 * 60
_V5_NAMES = ("authjs.session-token", "__Secure-authjs.session-token")
_V4_NAMES = ("next-auth.session-token", "__Secure-next-auth.session-token")
_KEY_SIZES = {"A256CBC-HS512": 64, "A256GCM": 32}


class Authjs(Format):
    """The session token of Auth.js and NextAuth.js."""

    name = "authjs"
    chunks = True
    summary = "Auth.js 5 (@auth/core) and NextAuth.js 4: encrypted session tokens"
    cookie_names = _V5_NAMES + _V4_NAMES
    options = (
        Option(
            "salt",
            "",
            "what the key is derived with: Auth.js the cookie's name (its default), NextAuth.js nothing",
        ),
        Option(
            "kind",
            "auto",
            "create: for which release; auto goes by the cookie's name",
            ("auto", "authjs", "next-auth"),
        ),
    )
    example = (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiMDhQT0xpZHdMTFNldlItY0MybjFuT3Fvc3"
        "FHRWc5LWhmUHkzNTExWFpSeVl5RWlqZHBoM0R6eEFqMkVWYjI4Vjd3UzZPY0EzRWFuVEc3LUV4OTZlYVEifQ..ywb1"
        "A7vtEnpUd4hvzwHNjw.pGCwRbovkWEaTw-cDtTj-Rm-o1NYgHMK5HCNS_mZehINP9mX0pWNJw0pWrgfjt6JBGIXLLK"
        "UcMe_3tO4hTECOQKZ6tZt1oVx3cB9jO8i_InLRdGWviebb_PvfiwzZSxqPQ2EkqfoRE7kRRMYdSN25g.GDrXyTE7MZ"
        "zlrNth3KZ4V5HMrgpBzcKiMyNwrhpDbIc"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._enc = ""
        """The encryption of the text that is written anew."""

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = bare(text)
        if text[:2] != "ey" or text.count(".") != 4 or not text.isascii():  # noqa: PLR2004 - five parts
            return 0.0
        header, parts = _read(text)
        if parts[1] or header["alg"] != "dir":
            return 0.0
        jose.check_encrypted(header, parts)
        named = cookie_name in self.cookie_names
        if "kid" in header:
            return 0.97 if named else 0.9
        if header["enc"] != "A256GCM" or set(header) != {"alg", "enc"}:
            return 0.2
        if cookie_name is None:
            return 0.6
        return 0.97 if named else 0.4

    def _decode(self, text: str, context: Context) -> Decoded:
        header, parts = _read(bare(text))
        jose.check_encrypted(header, parts)
        _, (_, content) = self._open(header, parts, context)
        data, kind = read_content(content)
        claims = data if isinstance(data, dict) else {}
        return Decoded(
            data=data,
            payload_type=kind,
            encrypted=True,
            issued_at=shown_time(claims.get("iat")),
            expires_at=shown_time(claims.get("exp")),
            algorithm=f"dir {header['enc']}",
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        header, parts = _read(bare(text))
        jose.check_encrypted(header, parts)
        index, (_, content) = self._open(header, parts, context)
        data, _ = read_content(content)
        if not isinstance(data, dict):
            raise MalformedCookieError("the key fits, but the content is no JSON object")
        return judge_claims(
            data, context, index, algorithm=f"dir {header['enc']}", leeway=_LEEWAY, warnings=odd_text(text)
        )

    def _encode(self, content: Content, context: Context) -> str:
        secret = context.keys.newest
        kind = self.option("kind")
        if kind == "auto":
            kind = "next-auth" if "next-auth" in (context.cookie_name or "") else "authjs"
        enc = self._enc or ("A256GCM" if kind == "next-auth" else "A256CBC-HS512")
        header = {"alg": "dir", "enc": enc}
        key = self._keys(secret, enc, kind, context)[0]
        if enc != "A256GCM":
            header["kid"] = thumbprint(key.octets)
        return jose.encrypt(header, jsontext.dumps_bytes(_with_claims(content.data, context)), key)

    def _open(
        self, header: dict[str, Any], parts: list[str], context: Context
    ) -> tuple[int, tuple[str, bytes]]:
        """The index of the secret that opens the token; the kind of release that made it, and its content."""
        if header["alg"] != "dir" or header["enc"] not in _KEY_SIZES:
            raise MalformedCookieError(
                "Auth.js writes and reads no token with this encryption ('alg' and 'enc')"
            )
        text, kid = ".".join(parts), header.get("kid")
        kinds = ("authjs",) if kid is not None or header["enc"] != "A256GCM" else ("next-auth", "authjs")

        def opens(secret: Secret) -> tuple[str, bytes] | None:
            for kind in kinds:
                for key in self._keys(secret, header["enc"], kind, context):
                    if kid is None or _same(kid, key):
                        found = jose.decrypt(text, header, key, context.max_size)
                        if found is not None:
                            return kind, found
            return None

        try:
            return first_opened(context, opens)
        except BadSignatureError:
            raise BadSignatureError(self._why_not(kid, header["enc"], context)) from None

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        return {"kind": self._made(text, context)[0]}

    def inherit(self, text: str, context: Context) -> None:
        """The first releases of Auth.js 5 encrypt as NextAuth.js 4 does, and read nothing else."""
        kind, enc = self._made(text, context)
        if kind == self.option("kind"):
            self._enc = enc

    def _made(self, text: str, context: Context) -> tuple[str, str]:
        """For which release a token was made, and how it is encrypted."""
        header, parts = _read(bare(text))
        jose.check_encrypted(header, parts)
        return self._open(header, parts, context)[1][0], header["enc"]

    def _keys(self, secret: Secret, enc: str, kind: str, context: Context) -> list[Key]:
        """The keys that a secret gives, one for every salt that may be meant."""
        if self.given("salt"):
            salts: tuple[str, ...] = (self.option("salt"),)
        elif kind == "next-auth":
            salts = ("",)
        else:
            salts = (context.cookie_name,) if context.cookie_name else _V5_NAMES
        return [self.kept(derive_key, secret, _KEY_SIZES[enc], kind, salt) for salt in salts]

    def _why_not(self, kid: Any, enc: str, context: Context) -> str:
        """What to do about a token that no secret opens; its `kid` tells the key and name it had."""
        if kid is not None:
            keys = [key for secret in context.keys for key in self._keys(secret, enc, "authjs", context)]
            if any(_same(kid, key) for key in keys):
                return "it was made with this secret, but it was changed or damaged since"
            for name in _V5_NAMES:
                if any(_same(kid, derive_key(key, _KEY_SIZES[enc], "authjs", name)) for key in context.keys):
                    return (
                        f"the secret fits, but the token was made for a cookie named {name!r} (--cookie-name)"
                    )
        count = len(context.keys)
        nothing = f"none of the {count} secrets opens" if count > 1 else "the secret does not open"
        if kid is None and enc == "A256GCM":
            return f"{nothing} the token, or the token was changed"
        return f"{nothing} the token; the name of its cookie counts too (--cookie-name, or -O salt=NAME)"


def _read(text: str) -> tuple[dict[str, Any], list[str]]:
    parts = jose.split(text)
    if len(parts) != 5:  # noqa: PLR2004 - JWE
        raise MalformedCookieError("an Auth.js token is encrypted: five parts with dots between them")
    return jose.read_header(parts[0]), parts


def derive_key(secret: Secret, size: int, kind: str, salt: str) -> Key:
    """The key of a secret, in bytes (`size`): HKDF with SHA-256 (RFC 5869)."""
    library = "NextAuth.js" if kind == "next-auth" else "Auth.js"
    suffix = f" ({salt})" if salt or kind == "authjs" else ""
    info = f"{library} Generated Encryption Key{suffix}".encode("utf-8", "replace")
    expand = Hmac(Hmac(salt.encode("utf-8", "replace")).digest(secret.bytes))
    block, octets = b"", b""
    for count in range(1, size // 32 + 1):
        block = expand.digest(block + info + bytes((count,)))
        octets += block
    return Key("oct", octets=octets)


def thumbprint(octets: bytes) -> str:
    """The `kid` of a key (RFC 7638): SHA-512 for 64 bytes, SHA-256 for 32."""
    import hashlib

    jwk = f'{{"k":"{b64encode_urlsafe(octets)}","kty":"oct"}}'.encode()
    return b64encode_urlsafe(hashlib.new(f"sha{len(octets) * 8}", jwk).digest())


def _same(kid: Any, key: Key) -> bool:
    return isinstance(kid, str) and compare_digest(
        kid.encode("utf-8", "replace"), thumbprint(key.octets).encode()
    )


def _with_claims(data: Any, context: Context) -> Any:
    """The session with the claims that every token has, where it lacks them."""
    if not isinstance(data, dict):
        return data
    import uuid

    issued_at, limit = int(context.now), context.age_limit(_THIRTY_DAYS)
    claims: dict[str, Any] = {"iat": issued_at, "exp": None, "jti": str(uuid.uuid4())}
    if limit is None:
        del claims["exp"]
    else:
        claims["exp"] = issued_at + int(limit)
    return {**data, **{name: value for name, value in claims.items() if name not in data}}
