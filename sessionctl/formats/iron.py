"""Iron seals: iron-session, @hapi/iron (hapi's cookies, @hapi/yar) and h3 (Nuxt, Nitro, TanStack Start).

    "Fe26.2" "*" ID "*" SALT "*" IV "*" BOX "*" EXPIRY "*" MAC_SALT "*" MAC  [ "~2" ]

The parts and their keys are drawn in `sessionctl.signing.iron`. The rounds are 1 everywhere but in h3 2, which takes
8192. What is inside BOX: iron-session the session, h3 `{"id","createdAt","data"}`, yar `{"id","_store"}` with flash
under `_store._flash`.
Sources: @hapi/iron 7.0.1 lib/index.js; iron-webcrypto 2.0.0; iron-session 6.3.1, 8.0.4, 9.0.1 src/core.ts;
h3 1.15.11, 2.0.8 src/utils/session.ts; @hapi/yar lib/index.js.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    NotSupportedError,
    SecretError,
    UsageError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, first_opened, genuine, judge_age, rest_of_life
from sessionctl.signing.iron import KEY_SIZES, MAC_SIZE, PREFIX, Seal, derive, make_box, split, unbox
from sessionctl.signing.keys import Secret
from sessionctl.signing.mac import Hmac, compare_digest
from sessionctl.signing.macs import wrong_length

if TYPE_CHECKING:
    from collections.abc import Iterator

_SKEW = 60
_SHORTEST_PASSWORD = 32
_FOURTEEN_DAYS = 14 * 24 * 60 * 60
_MAX_ROUNDS = 1_000_000
_VERSION = "2"
_PROTO = "__proto__"

_NON_CANONICAL = Warn(
    "non-canonical", "the mac is not the text that an encoder writes; iron-session before 9 refuses it"
)
_LEGACY_ROUNDS = Warn(
    "legacy-rounds", "sealed with 1 round of PBKDF2; h3 2 reads it and seals it anew with 8192"
)
_NO_VERSION = Warn(
    "no-version", "it does not end in ~2: iron-session 8 and older read only its member 'persistent'"
)
_NO_TIME = Warn("no-time", "an age limit was given, but the seal does not say when it was made")


class _Opened(NamedTuple):
    """What a seal held, and how many rounds of PBKDF2 its keys took."""

    data: Any
    rounds: int


class Iron(Format):
    """A sealed session of iron-session, hapi or h3."""

    name = "iron"
    chunks = True
    summary = "Iron seals: iron-session, @hapi/iron and yar, h3 (Nuxt)"
    cookie_names = ("iron-session", "session", "h3", "nuxt-session", "sid")
    options = (
        Option("cipher", "aes-256-cbc", "how the content is encrypted", tuple(KEY_SIZES)),
        Option(
            "iterations", "1,8192", "rounds of PBKDF2 for the encryption key, tried in order; the first seals"
        ),
        Option("integrity-iterations", "", "the same for the key of the mac; empty: as `iterations`"),
        Option(
            "integrity-secret",
            "",
            "a second password for the mac (text, hex:, base64:, @FILE); empty: the same",
        ),
        Option(
            "kind",
            "auto",
            "create: for which library; auto goes by the data",
            ("auto", "iron-session", "h3", "hapi"),
        ),
        Option(
            "password-id", "", "create: the ID of the password; empty: iron-session counts, others have none"
        ),
    )
    example = (
        "Fe26.2*1*507b1dc1ac4ad557270d8077637348fc931c0afa7fd4360ab9af9996d84e383b*KOxFnD09OEyxS_el"
        "UqMoRA*CNi6E5Ix2Zdw4Qe5EYxtFQ*1768435200000*22964ada90cd0d097874edbb262bd28821488631b28fb5"
        "134109388c2a770215*DlMYgTbN-RxzuGdY_1Me-aCoxkQ0q_5JVXaiyzxo3bc~2"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        rounds = _rounds("iterations", self.option("iterations"))
        mac_rounds = _rounds(
            "integrity-iterations", self.option("integrity-iterations") or self.option("iterations")
        )
        if len(mac_rounds) == 1:
            mac_rounds *= len(rounds)
        if len(rounds) == 1:
            rounds *= len(mac_rounds)
        if len(rounds) != len(mac_rounds):
            raise UsageError("options 'iterations' and 'integrity-iterations' list as many rounds each")
        self._rounds = tuple(zip(rounds, mac_rounds, strict=True))

    # -- the four questions -----------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - any name will do
        if not text.startswith(PREFIX):
            return 0.0
        try:
            split(text)
        except MalformedCookieError:
            return 0.6  # a seal that was cut or damaged
        return 0.99

    def _decode(self, text: str, context: Context) -> Decoded:
        seal = split(text)
        _, opened = self._first_opened(seal, context)
        data = opened.data
        identifier = data.get("id") if isinstance(data, dict) else None
        return Decoded(
            data=data,
            id=identifier if isinstance(identifier, str) and _shape(data) != "iron-session" else None,
            flash=_flash(data),
            issued_at=_created(data),
            expires_at=seal.expires_at,
            encrypted=True,
            algorithm=self._algorithm(),
            warnings=self._odd(seal, opened),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        seal = split(text)
        index, opened = self._first_opened(seal, context)
        limit, issued_at = context.age_limit(None), _created(opened.data)
        warnings = self._odd(seal, opened)
        if limit is not None and issued_at is None:
            warnings += (_NO_TIME,)
        verdict = genuine(
            context,
            index,
            algorithm=self._algorithm(),
            issued_at=issued_at,
            expires_at=seal.expires_at,
            warnings=warnings,
        )
        if seal.expires_at is not None and seal.expires_at <= context.now - _SKEW:
            return expire(verdict, seal.expires_at, context)
        return judge_age(verdict, context, limit)

    def without_key(self, text: str) -> Decoded:
        """The seal says when it expires."""
        return super().without_key(text)._replace(expires_at=split(text).expires_at)

    def life_like(self, decoded: Decoded, context: Context) -> float | None:
        """The seal ends when the one before would have."""
        return rest_of_life(decoded, context)

    def _encode(self, content: Content, context: Context) -> str:
        import secrets

        secret = context.keys.newest
        mac_secret = self._mac_secret(secret)
        for password in (secret, mac_secret):
            if password.text is not None and len(password.text) < _SHORTEST_PASSWORD:
                raise SecretError(f"iron refuses passwords of fewer than {_SHORTEST_PASSWORD} characters")
        kind = self.option("kind") if self.option("kind") != "auto" else _shape(content.data)
        rounds, mac_rounds = self._rounds[0]
        salt = "" if secret.text is None else secrets.token_hex(32)
        mac_salt = "" if mac_secret.text is None else secrets.token_hex(32)
        iv = secrets.token_bytes(16)
        try:
            key = derive(secret, salt, rounds, KEY_SIZES[self.option("cipher")])
            mac_key = derive(mac_secret, mac_salt, mac_rounds, MAC_SIZE)
            box = make_box(self.option("cipher"), key, iv, jsontext.dumps_bytes(content.data))
        except WrongKeyTypeError as error:
            raise SecretError(str(error)) from None
        parts = (
            PREFIX,
            self._password_id(kind, len(context.keys)),
            salt,
            b64encode_urlsafe(iv),
            b64encode_urlsafe(box),
            _expiry(context, _FOURTEEN_DAYS if kind == "iron-session" else None),
        )
        body = "*".join(parts)
        seal = f"{body}*{mac_salt}*{b64encode_urlsafe(Hmac(mac_key).digest(body.encode('ascii')))}"
        return f"{seal}~2" if kind == "iron-session" else seal

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        seal = split(text)
        index, opened = self._first_opened(seal, context)
        shape = _shape(opened.data)
        kind = "iron-session" if seal.version else "h3" if shape == "h3" else "hapi"
        # The newest password seals, and the ID of an older one is not its own.
        password_id = seal.password_id if kind != "iron-session" and index == 0 else ""
        return {"kind": kind, "iterations": str(opened.rounds), "password-id": password_id}

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """A message added as @hapi/yar does: `_store._flash.KEY` is a list. Others have no flash messages."""
        if _shape(data) != "hapi" or not isinstance(data["_store"], dict):
            raise NotSupportedError(
                "of the iron formats only @hapi/yar has flash messages: data with 'id' and '_store'"
            )
        store = data["_store"]
        flash: dict[str, Any] = store["_flash"] if isinstance(store.get("_flash"), dict) else {}
        before = flash.get(key, [])
        messages = [*(before if isinstance(before, list) else [before]), value]
        return {**data, "_store": {**store, "_flash": {**flash, key: messages}}}

    # -- how ----------------------------------------------------------------------------------------

    def _first_opened(self, seal: Seal, context: Context) -> tuple[int, _Opened]:
        """The index of the first key that opens the seal, and what it holds; raises as `first_opened` does."""
        try:
            return first_opened(context, lambda secret: self._open(seal, secret))
        except WrongKeyTypeError:
            raise
        except BadSignatureError as error:
            if len(seal.mac) != MAC_SIZE:
                raise BadSignatureError(wrong_length(len(seal.mac), ("sha256",), bytes)) from None
            lengths = [len(secret.text) for secret in context.keys if secret.text is not None]
            if max(lengths, default=_SHORTEST_PASSWORD) >= _SHORTEST_PASSWORD:
                raise
            short = f"iron refuses passwords of fewer than {_SHORTEST_PASSWORD} characters, and this has {max(lengths)}"
            raise BadSignatureError(f"{error}; {short}") from None

    def _open(self, seal: Seal, secret: Secret) -> _Opened | None:
        """What the seal holds, or None where the key is another; the mac is checked before anything else."""
        mac_secret = self._mac_secret(secret)
        if (secret.text is None) != (seal.salt == ""):
            made = "from bytes (hex:, base64:)" if seal.salt == "" else "from a password (text)"
            raise WrongKeyTypeError(
                f"the keys of this seal were made {made}, and the secret is of the other kind"
            )
        for rounds, mac_rounds in self._rounds:
            mac_key = derive(mac_secret, seal.mac_salt, mac_rounds, MAC_SIZE)
            fits = compare_digest(Hmac(mac_key).digest(seal.body.encode("ascii")), seal.mac)
            as_text = seal.canonical or seal.version  # iron-session 9 alone compares bytes, not text
            if not (fits and as_text):
                continue
            key = derive(secret, seal.salt, rounds, KEY_SIZES[self.option("cipher")])
            try:
                return _Opened(_parse(self._unbox(seal, key), tolerant=bool(seal.version)), rounds)
            except MalformedCookieError:
                if not self.given("integrity-secret"):
                    raise
        return None

    def _unbox(self, seal: Seal, key: bytes) -> bytes:
        content = unbox(self.option("cipher"), key, seal)
        if content is None:
            what = "another 'cipher', or a mac with a password of its own ('integrity-secret')"
            raise MalformedCookieError(f"the mac fits, but the content cannot be decrypted: {what}")
        return content

    def _mac_secret(self, secret: Secret) -> Secret:
        given = self.option("integrity-secret")
        return self.kept(_second_secret, secret, given) if given else secret

    def _password_id(self, kind: str, count: int) -> str:
        given = self.option("password-id")
        if given and not (given.isascii() and given.replace("_", "a").isalnum()):
            raise UsageError("option 'password-id' has letters, digits and _ alone")
        return given or (str(count) if kind == "iron-session" else "")

    def _algorithm(self) -> str:
        return f"{self.option('cipher').upper()} HMAC-SHA256"

    def _odd(self, seal: Seal, opened: _Opened) -> tuple[Warn, ...]:
        shape = _shape(opened.data)
        found = (
            (_NON_CANONICAL, not seal.canonical),
            (_LEGACY_ROUNDS, shape == "h3" and seal.salt != "" and opened.rounds == 1),
            (
                _NO_VERSION,
                shape == "iron-session" and seal.password_id.isdecimal() and seal.version != _VERSION,
            ),
        )
        return tuple(warning for warning, is_so in found if is_so)


def _rounds(name: str, text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [0]
    if not all(0 < count <= _MAX_ROUNDS for count in found):
        raise UsageError(f"option {name!r} of format 'iron' is one or more numbers from 1 to {_MAX_ROUNDS}")
    return found


def _expiry(context: Context, default: float | None) -> str:
    limit = context.age_limit(default)
    return "" if not limit else str(int((context.now + limit) * 1000))


def _second_secret(_: Secret, text: str) -> Secret:
    return Secret.parse(text)


def _parse(content: bytes, *, tolerant: bool) -> Any:
    """The JSON inside. @hapi/iron refuses a member `__proto__`, iron-session (`tolerant`) does not."""
    text = content.decode("utf-8", "replace")
    try:
        data = jsontext.loads(text)
    except MalformedError as error:
        raise MalformedCookieError(f"the mac fits, but the content is {error}") from None
    if not tolerant and "proto" in text and any(_PROTO in item for item in _objects(data)):
        raise MalformedCookieError(
            "the mac fits, but the content has a member __proto__, which @hapi/iron refuses"
        )
    return data


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    """All objects in JSON data, at any depth."""
    left = [data]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield item
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


# -- what stands inside -------------------------------------------------------------------------------


def _shape(data: Any) -> str:
    """Which library's data they look like."""
    if isinstance(data, dict) and isinstance(data.get("id"), str):
        if "createdAt" in data:
            return "h3"
        if "_store" in data:
            return "hapi"
    return "iron-session"


def _created(data: Any) -> float | None:
    """When h3 made the session, in seconds."""
    created = data["createdAt"] if _shape(data) == "h3" else 0
    if type(created) in (int, float) and 0 < created < 1e14:  # noqa: PLR2004 - a date of this calendar
        return float(created) / 1000
    return None


def _flash(data: Any) -> Any:
    """The flashed messages of @hapi/yar."""
    store = data["_store"] if _shape(data) == "hapi" else None
    return store.get("_flash") if isinstance(store, dict) else None
