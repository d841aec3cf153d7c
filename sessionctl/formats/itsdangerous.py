r"""Anything that itsdangerous signed, by each of its classes: tokens in links, IDs of Flask-Session.

    Signer                           text "." signature
    TimestampSigner                  text "." timestamp "." signature
    Serializer                       JSON "." signature
    TimedSerializer                  JSON "." timestamp "." signature
    URLSafeSerializer                payload "." signature
    URLSafeTimedSerializer           payload "." timestamp "." signature
    JSONWebSignatureSerializer       header "." payload "." signature        (before 2.1)
    TimedJSONWebSignatureSerializer  the same, with `iat` and `exp` in the header

    JSON     as `json.dumps` writes it, with spaces
    payload  URL-safe base64 without padding of compact JSON, or "." and the same of its zlib stream where
             that is shorter; a pickle instead of JSON where the application asked for it

The signing is drawn in `sessionctl.formats.timed_token`, the web signatures in `itsdangerous_jws`. Which
class it was is not in the text: without the option `signer` its shape tells. itsdangerous takes its keys
oldest first, a key ring is newest first. A Signer's text that does not fit is tried as an ID that Flask-Session
signed (SESSION_USE_SIGNER), with a salt and a derivation of its own.
Sources: itsdangerous 2.2.0 signer.py, timed.py, serializer.py, url_safe.py; 1.1.0 and 0.24 also jws.py;
Flask-Session 0.8.0 base.py, 0.5.0 and 0.3.1 sessions.py.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl.encoding import unquote, utf8
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    NotSupportedError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.formats import itsdangerous_jws as jws
from sessionctl.formats import timed_token
from sessionctl.formats.base import MAX_SIZE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.django import names_session
from sessionctl.formats.judging import genuine
from sessionctl.formats.remix import looks_like_id
from sessionctl.payload import pickle_or_json, python_json
from sessionctl.signing.django import COMPRESSED, pack, unpack
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES
from sessionctl.signing.macs import Macs
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class _Kind(NamedTuple):
    """What one class of itsdangerous does to a value."""

    salt: str
    timed: bool
    layout: str
    """`text`, `json` or `packed`."""


class _Shape(NamedTuple):
    """What the look of a text tells: the class that made it, and the content that was read to tell it."""

    kind: str
    token: timed_token.Token | None = None
    content: tuple[Any, str] | None = None
    issued_at: float | None = None

    def split(self, text: str, separator: str, kind: str) -> timed_token.Token:
        """As `timed_token.split`, but only if the look did not do so already."""
        if self.token is not None and kind == self.kind:
            return self.token
        return timed_token.split(text, separator, timed=_KINDS[kind].timed)

    def read(self, token: timed_token.Token, layout: str, max_size: int) -> tuple[Any, str]:
        """As `_read`, but only if the look did not do so already."""
        if self.content is not None and token is self.token:
            return self.content
        return _read(token.value, layout, max_size)

    def time(self, token: timed_token.Token, epoch: int) -> float:
        """As `timed_token.seconds`, but only if the look did not do so already."""
        if self.issued_at is not None and token is self.token:
            return self.issued_at
        return timed_token.seconds(token.stamp, epoch)


_KINDS: Final = {
    "URLSafeTimedSerializer": _Kind("itsdangerous", timed=True, layout="packed"),
    "URLSafeSerializer": _Kind("itsdangerous", timed=False, layout="packed"),
    "TimestampSigner": _Kind("itsdangerous.Signer", timed=True, layout="text"),
    "Signer": _Kind("itsdangerous.Signer", timed=False, layout="text"),
    "TimedSerializer": _Kind("itsdangerous", timed=True, layout="json"),
    "Serializer": _Kind("itsdangerous", timed=False, layout="json"),
}
_KIND_OF: Final = {(kind.timed, kind.layout): name for name, kind in _KINDS.items()}
_JWS: Final = ("JSONWebSignatureSerializer", "TimedJSONWebSignatureSerializer")
FLASK_SESSION: Final = {"signer": "Signer", "salt": "flask-session", "key_derivation": "hmac"}
"""How Flask-Session signs the ID of a session, as options of this format."""
NONE: Final = "none"
"""The digest of itsdangerous' `NoneAlgorithm`, which signs nothing."""

_ID: Final = 20
"""Characters from which a signed text is likelier an ID than anything else."""
_JSON_STARTS: Final = frozenset('{["-0123456789tfn')
_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")


class ItsDangerous(Format):
    """A text that one of itsdangerous' classes signed."""

    name = "itsdangerous"
    summary = (
        "itsdangerous: Signer, Serializer and their timed, URL-safe and JWS kinds; Flask-Session's signed IDs"
    )
    options = (
        Option(
            "signer",
            "URLSafeTimedSerializer",
            "class that made the text; without it the shape tells",
            (*_KINDS, *_JWS),
        ),
        Option(
            "salt",
            "itsdangerous",
            "salt of the key; of the two signers: itsdangerous.Signer",
            usual=timed_token.SALTS,
        ),
        Option(
            "key-derivation",
            "django-concat",
            "how the key is derived; of the JWS: none",
            timed_token.DERIVATIONS,
        ),
        Option(
            "digest",
            "sha1",
            "hash of key and signature; of the JWS: as the header says",
            (*DIGEST_SIZES, NONE),
        ),
        Option("separator", ".", "what stands between the parts"),
        timed_token.EPOCH,
    )
    example = "eyJ1c2VyX2lkIjo0MiwidXNlcm5hbWUiOiJhbGljZSJ9.awQB1A.K9jhMRIWYyfRGgL4g0vFYDvvrNk"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._epoch = timed_token.parse_epoch(self.option("epoch"))
        self._digest = self.option("digest")
        self._macs: dict[str, Macs] = {}
        self._separator = separator = self.option("separator")
        if not separator or set(separator) & _ALPHABET:
            raise UsageError("option 'separator' is a text without letters, digits, '-', '_' and '='")

    # -- which class it was -----------------------------------------------------------------------

    def _shape_of(self, text: str, max_size: int) -> _Shape:
        """The class that was asked for, else the one that the look of the text tells."""
        if self.given("signer"):
            return _Shape(self.option("signer"))
        separator = self._separator
        message, _, signature = text.rpartition(separator)
        value, found, stamp = message.rpartition(separator)
        issued_at = self._plausible_time(stamp) if found else None
        timed = issued_at is not None
        if not timed:
            value, stamp = message, ""
            header = jws.header_of(text) if separator == "." else None
            if header is not None:
                return _Shape(_JWS["exp" in header])
        layout, content = _layout_of(value)
        if content is not None and separator == "." and jws.is_header(text, content[0]):
            return _Shape(_JWS["exp" in content[0]])
        token = None
        if found or message:
            token = new_tuple(timed_token.Token, (message, value, stamp, signature))
        kept = content if max_size >= MAX_SIZE else None
        return new_tuple(_Shape, (_KIND_OF[timed, layout], token, kept, issued_at))

    def _plausible_time(self, stamp: str) -> float | None:
        try:
            issued_at = timed_token.seconds(stamp, self._epoch)
        except MalformedCookieError:
            return None
        return issued_at if timed_token.is_plausible_time(issued_at) else None

    # -- the four questions -----------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = unquote(text)
        shape = self._shape_of(text, MAX_SIZE)
        name = shape.kind
        if name in _JWS:
            return jws.confidence(text)
        kind = _KINDS[name]
        token = shape.split(text, self._separator, name)
        digest = timed_token.digest_of(token.signature)
        if digest is None or not token.value or (self.given("digest") and digest != self._digest):
            return 0.0
        if kind.timed and shape.issued_at is None and self._plausible_time(token.stamp) is None:
            return 0.0
        if kind.layout != "text":
            shape.read(token, kind.layout, MAX_SIZE)
        return _confidence(kind, token, digest, cookie_name)

    def _decode(self, text: str, context: Context) -> Decoded:
        text = unquote(text)
        shape = self._shape_of(text, context.max_size)
        name = shape.kind
        if name in _JWS:
            return jws.decode(text)
        kind = _KINDS[name]
        token = shape.split(text, self._separator, name)
        data, payload_type = shape.read(token, kind.layout, context.max_size)
        issued_at = shape.time(token, self._epoch) if kind.timed else None
        return Decoded(
            data=data,
            id=data if kind.layout == "text" and looks_like_id(data) else None,
            issued_at=issued_at,
            signed=bool(token.signature),
            payload_type=payload_type,
            algorithm=self._algorithm(token.signature),
            warnings=timed_token.odd_time(issued_at) if issued_at is not None else (),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        text = unquote(text)
        shape = self._shape_of(text, context.max_size)
        usual = self.option("signer")
        if shape.kind != usual:
            try:
                return self._verify_as(shape.kind, text, context, shape)
            except BadSignatureError:
                if self._may_be_flask_session(shape):
                    return flask_session().judge(text, context)
                if text.count(self._separator) == 1:  # the usual class writes a time too
                    raise
        return self._verify_as(usual, text, context, shape)

    def _encode(self, content: Content, context: Context) -> str:
        name = self.option("signer")
        if name in _JWS:
            return jws.encode(
                content.data, self._jws_scheme(), context, timed=name == _JWS[1], old=self._epoch != 0
            )
        kind = _KINDS[name]
        mac = None if self._digest == NONE else self._macs_of(name).of(context.keys)[0]
        stamp = int(context.now) - self._epoch if kind.timed else None
        return timed_token.sign(
            _write(content.data, kind.layout, old=self._epoch != 0), mac, self._separator, stamp
        )

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        decoded = self._decode(text, context)
        if decoded.payload_type == "pickle":
            raise NotSupportedError("the payload is a pickle, and what is changed is written as JSON")
        shape = self._shape_of(unquote(text), context.max_size)
        if self._may_be_flask_session(shape) and flask_session().judge(text, context).valid:
            return {name.replace("_", "-"): value for name, value in FLASK_SESSION.items()}
        digest = next((name for name, known in ALGORITHMS.items() if known == decoded.algorithm), NONE)
        return {"signer": shape.kind, "digest": digest}

    def trials(self, text: str) -> Iterator[Mapping[str, str]]:
        """Also several options at once."""
        yield from super().trials(text)
        yield from timed_token.trials(self, unquote(text).rpartition(self._separator)[2])

    # -- keys and verdicts ------------------------------------------------------------------------

    def _macs_of(self, name: str) -> Macs:
        macs = self._macs.get(name)
        if macs is None:
            salt = self.option("salt") if self.given("salt") else _KINDS[name].salt
            scheme = (salt, self.option("key-derivation"), self._digest)
            macs = self._macs[name] = Macs(lambda secret: timed_token.hmac_of(secret, *scheme), DIGEST_SIZES)
        return macs

    def _verify_as(self, name: str, text: str, context: Context, shape: _Shape) -> Verdict:
        if name in _JWS:
            return jws.verify(text, self._jws_scheme(), context, timed=name == _JWS[1])
        kind = _KINDS[name]
        token = shape.split(text, self._separator, name)
        if not context.keys:
            self._decode(text, context)  # what cannot be read is told before the want of a key
        index, odd = self._signed_by(token, name, context)
        issued_at = shape.time(token, self._epoch) if kind.timed else None
        data, payload_type = shape.read(token, kind.layout, context.max_size)
        algorithm = ALGORITHMS[self._digest] if token.signature else None
        value = data if payload_type == "text" else None
        if issued_at is None:
            return genuine(context, index, algorithm=algorithm, value=value, warnings=odd)
        odd += timed_token.odd_time(issued_at)
        return timed_token.judge(
            context,
            context.age_limit(self.default_max_age),
            index,
            issued_at,
            old=self._epoch != 0,
            algorithm=algorithm,
            value=value,
            warnings=odd,
        )

    def _signed_by(
        self, token: timed_token.Token, name: str, context: Context
    ) -> tuple[int | None, tuple[Warn, ...]]:
        if self._digest != NONE:
            return timed_token.find_key(token, self._macs_of(name), context.keys)
        if token.signature:
            raise BadSignatureError("the text has a signature, where digest=none takes none")
        return None, (jws.UNSIGNED,)

    def _may_be_flask_session(self, shape: _Shape) -> bool:
        """Whether the text may be an ID that Flask-Session signed: a Signer's, and no option says otherwise."""
        return shape.kind == FLASK_SESSION["signer"] and not self._given

    def _algorithm(self, signature: str) -> str | None:
        if not signature:
            return None
        digest = self._digest if self.given("digest") else timed_token.digest_of(signature) or self._digest
        return ALGORITHMS.get(digest)

    def _jws_scheme(self) -> jws.Scheme:
        """A JWS has its salt and derivation only where they were asked for."""
        salted = self.given("salt")
        derivation = self.option("key-derivation") if salted or self.given("key-derivation") else "none"
        return jws.Scheme(
            self.option("salt") if salted else "",
            derivation,
            self._digest if self.given("digest") else None,
        )


@cache
def flask_session() -> ItsDangerous:
    """The format set to what Flask-Session does, made once however many cookies are judged."""
    return ItsDangerous(**FLASK_SESSION)


# -- values -------------------------------------------------------------------------------------------


def _layout_of(value: str) -> tuple[str, tuple[Any, str] | None]:
    """How a value looks, `json`, `packed` or, where it is neither, `text`, and what it holds, if that can be read."""
    for layout in ("json", "packed") if value[:1] in _JSON_STARTS else ("packed",):
        try:
            return layout, _read(value, layout, MAX_SIZE)
        except MalformedError:
            continue
    return ("packed", None) if value.startswith(COMPRESSED) else ("text", (value, "text"))


def _read(value: str, layout: str, max_size: int) -> tuple[Any, str]:
    """What a value holds, and how it was serialized. Raises `MalformedCookieError`."""
    if layout == "text":
        return value, "text"
    data = unpack(value, max_size) if layout == "packed" else utf8(value)
    try:
        return pickle_or_json.loads(data)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


def _write(data: Any, layout: str, *, old: bool) -> str:
    if layout == "text":
        if not isinstance(data, str):
            raise UnserializableValueError(
                "", "a signer signs text; a serializer takes other values (-O signer=...)"
            )
        return data
    text = python_json.dumps(data, spaced=layout == "json")
    return text if layout == "json" else pack(_compact(data, text, old=old))


def _compact(data: Any, escaped: str, *, old: bool) -> bytes:
    """The JSON of the URL-safe classes: itsdangerous 1.0 and later write it in UTF-8, older ones in ASCII."""
    try:
        return escaped.encode("ascii") if old else python_json.dumps(data, ascii_only=False).encode()
    except UnicodeEncodeError:
        return escaped.encode("ascii")  # half of a surrogate pair, which UTF-8 has not


def _is_only_ours(value: str, signature: str, digest: str) -> bool:
    """Whether a signature that is not of SHA-1 is neither one of Node's, in standard base64, nor a mere word.

    A letter and random text is Google's SID, and what has another dot is a key of a web service.
    """
    if len(value) == 1 or "." in value:
        return False
    if digest == "sha256":
        return "-" in signature or "_" in signature
    return digest in ("sha384", "sha512") and timed_token.is_mixed(signature)


def _confidence(kind: _Kind, token: timed_token.Token, digest: str, cookie_name: str | None) -> float:
    """Flask and Starlette write what two of the classes write, and Node's frameworks sign with SHA-256."""
    usual, value = digest == "sha1", token.value
    if kind.layout == "text" and not kind.timed:
        if not value.isprintable():
            return 0.0
        if not usual:
            return 0.45 if _is_only_ours(value, token.signature, digest) else 0.2
        return 0.86 if looks_like_id(value) and len(value) >= _ID else 0.5
    if kind.timed:
        session = cookie_name is not None and names_session(cookie_name)
        return (0.86 if session or cookie_name is None else 0.9) if usual else 0.85
    if usual or kind.layout == "json":
        return 0.87
    return 0.5 if len(value) % 4 else 0.35  # a payload of whole groups may as well be one of Node's
