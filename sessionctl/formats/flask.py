r"""Flask's session cookie, and Quart's: itsdangerous' URLSafeTimedSerializer over tagged JSON.

    payload "." timestamp "." signature

    payload    URL-safe base64 without padding of compact JSON, or "." and the same of its zlib stream where
               that is shorter
    timestamp  6 characters: Unix seconds (Flask 0.10 to 0.12 on itsdangerous 0.24: since 2011)
    signature  27 characters: HMAC-SHA1 over "payload.timestamp"
    key        HMAC-SHA1(SECRET_KEY, "cookie-session")

The signing is drawn in `sessionctl.formats.timed_token`. What JSON has not is an object with one key, a tag:

    {" t": [...]}  tuple          {" b": base64}  bytes        {" m": text}  Markup
    {" u": hex}    UUID           {" d": HTTP date}  datetime
    {" di": {"KEY__": value}}     a dict whose only key is itself a tag

Flashed messages are tuples of category and text under `_flashes`. Under the same name and with the same secret
Flask-Session has a cookie that is the ID of a stored session, unsigned or as itsdangerous' Signer signs it:

    43 characters of a token, or a UUID before 0.5 [ "." signature ]

Sources: Flask 3.1.3 sessions.py, json/tag.py, helpers.py (`flash`); 0.12.5 sessions.py; Quart 0.22.0
sessions.py; Flask-Session 0.8.0 base.py, 0.3.1 sessions.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sessionctl.encoding import unquote
from sessionctl.errors import MalformedCookieError, MalformedError, UnserializableValueError
from sessionctl.formats import flask_tags, timed_token
from sessionctl.formats.base import MAX_SIZE, Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.django import names_session
from sessionctl.formats.judging import unsigned_id
from sessionctl.payload import python_json
from sessionctl.signing.django import COMPRESSED, pack, unpack
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, HMAC_SHA1
from sessionctl.signing.macs import Macs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FLASHES = "_flashes"

_OWN_KEYS = frozenset({FLASHES, "_permanent", "_user_id", "_fresh", "csrf_token"})
"""Keys that Flask, Flask-Login and Flask-WTF write: who finds one knows that it is a session of Flask's."""

_NO_OBJECT, _SPACED = 0.3, 0.5
"""The confidence that another value is Flask's, and an object in JSON with spaces: `serializer = json` makes it."""

_BROKEN = 0.6
"""The confidence where the parts are as they must be, but what is compressed was altered, or is too large."""

_NO_SESSION = Warn("no-session", "the payload is no object, so Flask would fail on it")


class Flask(Format):
    """The session cookie of Flask and Quart."""

    name = "flask"
    summary = "Flask 0.10 and later, and Quart: the session in the cookie"
    cookie_names = ("session",)
    options = (
        Option(
            "salt",
            "cookie-session",
            "salt of the key: the session interface's `salt`",
            usual=timed_token.SALTS,
        ),
        Option("key-derivation", "hmac", "how the key is derived", timed_token.DERIVATIONS),
        Option("digest", "sha1", "hash of key and signature", tuple(DIGEST_SIZES)),
        timed_token.EPOCH,
    )
    default_max_age = (
        2678400.0  # PERMANENT_SESSION_LIFETIME: 31 days, whether or not the session is permanent
    )
    age_setting = "PERMANENT_SESSION_LIFETIME"
    example = "eyJ1c2VyX2lkIjo0MiwidXNlcm5hbWUiOiJhbGljZSJ9.awP70w.ztx6gJoVYfMU0-5LnD-jhCLFNFY"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        scheme = (self.option("salt"), self.option("key-derivation"), self.option("digest"))
        self._macs = Macs(lambda secret: timed_token.hmac_of(secret, *scheme), DIGEST_SIZES)
        self._algorithm = ALGORITHMS[self.option("digest")]
        self._epoch = timed_token.parse_epoch(self.option("epoch"))

    def _detect(self, text: str, cookie_name: str | None) -> float:
        token = timed_token.split(unquote(text))
        digest = timed_token.digest_of(token.signature)
        if digest is None or (self.given("digest") and digest != self.option("digest")):
            return 0.0
        if token.value.endswith("=") or not timed_token.is_plausible_time(timed_token.seconds(token.stamp)):
            return 0.0
        try:
            payload = unpack(token.value, MAX_SIZE)
        except MalformedCookieError:
            return _BROKEN if token.value.startswith(COMPRESSED) else 0.0
        session = timed_token.read_json(payload)
        if not isinstance(session, dict):
            return _NO_OBJECT
        if timed_token.is_spaced(session, payload):
            return _SPACED
        usual = 0.0 if digest == "sha1" else -0.04
        return usual + _confidence(session, payload, cookie_name)

    def _decode(self, text: str, context: Context) -> Decoded:
        text = unquote(text)
        if (stored := _stored_id(text)) is not None:
            return _decoded_id(*stored)
        token = timed_token.split(text)
        data = timed_token.read_json(unpack(token.value, context.max_size))
        issued_at = timed_token.seconds(token.stamp, self._epoch)
        return Decoded(
            data=data,
            flash=_flashed(data),
            issued_at=issued_at,
            algorithm=self._algorithm,
            warnings=_odd(data) + timed_token.odd_time(issued_at),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        text = unquote(text)
        if (stored := _stored_id(text)) is not None:
            return _verdict_on_id(text, stored[1], context)
        token = timed_token.split(text)
        if not context.keys:
            self._decode(text, context)  # what cannot be read is told before the want of a key
        index, odd = timed_token.find_key(token, self._macs, context.keys)
        issued_at = timed_token.seconds(token.stamp, self._epoch)
        payload = unpack(token.value, context.max_size)
        data = timed_token.read_json(payload)
        if b'{" ' in payload:
            flask_tags.resolve(data)
        return timed_token.judge(
            context,
            context.age_limit(self.default_max_age),
            index,
            issued_at,
            old=self._epoch != 0,
            algorithm=self._algorithm,
            value=payload.decode(),
            warnings=odd + _odd(data) + timed_token.odd_time(issued_at),
        )

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "a Flask session is an object")
        payload = pack(python_json.dumps(content.data).encode("ascii"))
        stamp = int(context.now) - self._epoch
        return timed_token.sign(payload, self._macs.of(context.keys)[0], issued_at=stamp)

    def trials(self, text: str) -> Iterator[Mapping[str, str]]:
        """Also several options at once, but not what a URLSafeTimedSerializer of its own does: see itsdangerous."""
        yield from super().trials(text)
        for ways in timed_token.trials(self, unquote(text).rpartition(".")[2]):
            if ways.get("key-derivation") != "django-concat":
                yield ways

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """`data` with a message as `flask.flash(value, key)` adds it: `key` is its category."""
        if not isinstance(data, dict):
            raise UnserializableValueError("", "a Flask session is an object")
        flashes = data.get(FLASHES, [])
        if not isinstance(flashes, list):
            raise UnserializableValueError(FLASHES, "the messages are no list")
        return {**data, FLASHES: [*flashes, {flask_tags.TUPLE: [key, value]}]}

    def for_people(self, decoded: Decoded) -> Any:
        """The data with Flask's tags resolved: dates in ISO 8601, bytes as text or base64."""
        try:
            return flask_tags.resolve(decoded.data)
        except MalformedError:
            return decoded.data


def _confidence(session: dict[str, Any], payload: bytes, cookie_name: str | None) -> float:
    """For an object that is signed and timed: bare itsdangerous writes the same, so its content decides."""
    own = 0.02 if _OWN_KEYS & session.keys() or b'{" ' in payload else 0.0
    if cookie_name is None:
        return 0.92 + own
    if cookie_name in Flask.cookie_names:
        return 0.97 + own
    return (0.94 if names_session(cookie_name) or own else 0.8) + own


# -- Flask-Session ------------------------------------------------------------------------------------


def _stored_id(text: str) -> tuple[str, str | None] | None:
    """The ID of a stored session and its signature, or None where the text is none: a payload begins with `ey`."""
    if text.count(".") > 1:
        return None
    found = re.fullmatch(r"((?!ey[IJ]|e30)[\w-]{22,86})(?:\.([\w-]{27}))?", text, re.ASCII)
    return None if found is None else (found[1], found[2])


def _decoded_id(session_id: str, signature: str | None) -> Decoded:
    return Decoded(
        data=session_id,
        id=session_id,
        signed=signature is not None,
        payload_type="text",
        algorithm=HMAC_SHA1 if signature else None,
    )


def _verdict_on_id(text: str, signature: str | None, context: Context) -> Verdict:
    if signature is None:
        return unsigned_id(context, ", of a session of Flask-Session", "flask-session")
    from sessionctl.formats.itsdangerous import flask_session

    return flask_session().judge(text, context)


# -- what a session holds -----------------------------------------------------------------------------


def _odd(data: Any) -> tuple[Warn, ...]:
    return () if isinstance(data, dict) else (_NO_SESSION,)


def _flashed(data: Any) -> list[dict[str, Any]] | None:
    """The flashed messages with their categories, or None where there are none."""
    flashes = data.get(FLASHES) if isinstance(data, dict) else None
    if not isinstance(flashes, list):
        return None
    try:
        messages = flask_tags.resolve(flashes)
    except MalformedError:
        return None
    pairs = [item for item in messages if isinstance(item, list) and len(item) == 2]  # noqa: PLR2004 - a pair
    return [{"category": category, "message": message} for category, message in pairs] or None
