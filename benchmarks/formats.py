"""What other tools make of the corpus, beside sessionctl: which cookies each reads and verifies.

A peer is asked as its documentation says, with the keys and the parameters (salt, digest, age limit, time) of
each case. Of the cookies that the framework accepted and for which there are keys it counts how many the peer
reads (gives the same data) and verifies; of those that the framework refused, how many the peer takes all the
same. Peers that are not installed are named and left out: pip install --group peers.
Usage: python benchmarks/formats.py > docs/formats/peers.md
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
import warnings
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from sessionctl import formats
from sessionctl.encoding import percent_decode, unquote
from sessionctl.errors import SessionctlError
from sessionctl.formats.base import DEFAULT_MAX_AGE
from sessionctl.signing import KeyRing
from sessionctl.sources import read_cookie

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.cases import cookie_cases


class Case(NamedTuple):
    """A cookie of the corpus as a peer gets it."""

    row: dict[str, Any]
    text: str
    keys: KeyRing
    options: dict[str, str]
    max_age: float | None
    cookies: dict[str, str]

    @property
    def format(self) -> str:
        """The name of its format."""
        return self.row["format"]

    def option(self, name: str) -> str:
        """An option of the case, else the framework's default."""
        return self.options.get(name) or formats.get(self.format).option(name)


class Peer:
    """One tool: the formats that it says it knows, and its two answers. Any exception is a no."""

    package: str
    formats: tuple[str, ...]

    def read(self, case: Case) -> Any:
        """The data of a cookie; by way of verification where the tool knows no other."""
        raise NotImplementedError

    def verify(self, case: Case) -> bool:
        """Whether the cookie is genuine."""
        raise NotImplementedError


class Sessionctl(Peer):
    """This tool."""

    package = "sessionctl"
    formats = tuple(formats.names())

    def _asked(self, case: Case) -> tuple[formats.Format, dict[str, Any]]:
        form = formats.get(
            case.format, **{key.replace("-", "_"): value for key, value in case.options.items()}
        )
        return form, {
            "cookie_name": case.row.get("cookie_name"), "cookies": case.cookies, "now": case.row.get("now"),
            "max_age": DEFAULT_MAX_AGE if case.row.get("max_age") is None else case.row["max_age"],
        }  # fmt: skip

    def read(self, case: Case) -> Any:
        form, context = self._asked(case)
        return form.decode(case.text, case.keys, **context).data

    def verify(self, case: Case) -> bool:
        form, context = self._asked(case)
        return form.verify(case.text, case.keys, **context).valid


class FlaskUnsign(Peer):
    """flask-unsign, by its library."""

    package = "flask-unsign"
    formats = ("flask",)

    def read(self, case: Case) -> Any:
        from flask_unsign.session import decode

        return decode(case.text)

    def verify(self, case: Case) -> bool:
        from flask_unsign.session import verify

        known = {"salt": case.option("salt"), "legacy": case.option("epoch") != "0"}
        return any(verify(case.text, secret.text or secret.bytes, **known) for secret in case.keys)


class ItsDangerous(Peer):
    """itsdangerous, with the class and parameters of the case."""

    package = "itsdangerous"
    formats = ("native", "flask", "starlette", "itsdangerous")

    def _load(self, case: Case) -> Any:
        import itsdangerous

        keys = [secret.bytes for secret in reversed(case.keys)]
        if case.format == "starlette":
            signer = itsdangerous.TimestampSigner(keys)
            return json.loads(_unbase64(signer.unsign(unquote(case.text), max_age=case.max_age)))
        native = case.format == "native"
        kind = case.options.get("signer", "URLSafeTimedSerializer")
        scheme = {
            "key_derivation": "hmac" if native else case.option("key-derivation"),
            "digest_method": getattr(hashlib, "sha256" if native else case.option("digest")),
        }
        timed = {"max_age": case.max_age} if kind.startswith("Time") or "Timed" in kind else {}
        made = getattr(itsdangerous, kind)
        if kind in ("Signer", "TimestampSigner"):
            salt = case.options.get("salt", "itsdangerous.Signer")
            signer = made(keys, salt=salt, sep=case.option("separator"), **scheme)
            return signer.unsign(unquote(case.text), **timed).decode()
        return made(keys, salt=case.option("salt"), signer_kwargs=scheme).loads(unquote(case.text), **timed)

    def read(self, case: Case) -> Any:
        return self._load(case)

    def verify(self, case: Case) -> bool:
        self._load(case)
        return True


class DjangoSigning(Peer):
    """django.core.signing, with the kind and parameters of the case."""

    package = "Django"
    formats = ("django", "django-signed")

    def _load(self, case: Case) -> Any:
        from django.conf import settings
        from django.core import signing

        if not settings.configured:
            settings.configure()
        text, kind = unquote(case.text), case.options.get("kind", "dumps")
        in_cookie = kind in ("set_signed_cookie", "messages")
        keys = [_prefixed(secret) if in_cookie else _text(secret) for secret in case.keys]
        salts = _django_salts(kind, case)
        for salt in salts:
            timed = signing.TimestampSigner if kind not in ("Signer", "sign_object") else signing.Signer
            signer = timed(
                key=keys[0], fallback_keys=keys[1:], salt=salt, algorithm=case.option("digest").partition(",")[0],
                sep=case.options.get("separator", ":"),
            )  # fmt: skip
            age = {"max_age": case.max_age} if timed is signing.TimestampSigner else {}
            try:
                packed = kind in ("dumps", "messages", "sign_object")
                return signer.unsign_object(text, **age) if packed else signer.unsign(text, **age)
            except signing.SignatureExpired:
                raise
            except signing.BadSignature:
                if salt == salts[-1]:
                    raise
        return None

    def read(self, case: Case) -> Any:
        return self._load(case)

    def verify(self, case: Case) -> bool:
        self._load(case)
        return True


class PyJwt(Peer):
    """PyJWT, with every algorithm that it has."""

    package = "PyJWT"
    formats = ("jwt",)
    ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
                  "ES512", "ES256K", "EdDSA")  # fmt: skip

    def read(self, case: Case) -> Any:
        import jwt

        return jwt.decode(_token(case), options={"verify_signature": False})

    def verify(self, case: Case) -> bool:
        import jwt

        for secret in case.keys:
            try:
                text = secret.text or ""
                key = jwt.PyJWK.from_json(text).key if text[:1] == "{" else secret.text or secret.bytes
                jwt.decode(_token(case), key, algorithms=self.ALGORITHMS, options={"verify_aud": False})
            except jwt.InvalidSignatureError:
                continue
            return True
        return False


class Badsecrets(Peer):
    """badsecrets, every module of it, with the keys of the case as its list."""

    package = "badsecrets"
    formats = ("flask", "django", "django-signed", "express", "cookie-session", "jwt", "authjs", "rails", "rack",
               "laravel", "itsdangerous")  # fmt: skip

    def _found(self, case: Case) -> bool:
        from badsecrets import modules_loaded

        keys = [f"{text}\n" for text in case.row["keys"]]
        name = case.row.get("cookie_name")
        signature = case.cookies.get(f"{name}.sig")
        texts = dict.fromkeys((case.text, unquote(case.text), percent_decode(case.text)))
        for make in modules_loaded.values():
            module = make()
            module.load_resources = lambda _names, keys=keys: keys
            if module.check_secret_args == 1:
                asked = [[text] for text in texts]
            else:
                asked = [[f"{name}={case.text}", signature]] if signature else []
            if any(_answers(module, words) for words in asked):
                return True
        return False

    def read(self, case: Case) -> Any:
        raise NotImplementedError  # it tells the secret, not the content

    def verify(self, case: Case) -> bool:
        return self._found(case)


def _answers(module: Any, words: list[Any]) -> bool:
    try:
        return bool(module.check_secret(*words))
    except Exception:
        return False


def _text(secret: Any) -> Any:
    return secret.text if secret.text is not None else secret.bytes


def _prefixed(secret: Any) -> bytes:
    return b"django.http.cookies" + secret.bytes


def _django_salts(kind: str, case: Case) -> list[str | None]:
    """The salts that Django tries, None for the one of the class."""
    salt = case.option("salt")
    if kind == "set_signed_cookie":
        name = case.row["cookie_name"]
        return [f"django.http.cookies.v2:{len(salt)}:{salt}{name}", f"{name}{salt}"]
    if kind == "messages":
        return ["django.contrib.messages"]
    return [salt or ("django.core.signing" if kind == "dumps" else None)]


def _token(case: Case) -> str:
    return percent_decode(unquote(case.text)).removeprefix("Bearer ")


def _unbase64(data: bytes) -> bytes:
    import base64

    return base64.b64decode(data)


# -- the corpus -----------------------------------------------------------------------------------


def cases() -> list[Case]:
    """The cookies of the corpus that have keys."""
    found = []
    for row in cookie_cases():
        if row["format"] not in formats.names() or not row.get("keys"):
            continue
        source = read_cookie(row["input"], row.get("cookie_name"))
        if source.value:
            options = {name: str(value) for name, value in (row.get("options") or {}).items()}
            form = formats.get(row["format"])
            max_age = form.default_max_age if row.get("max_age") is None else row["max_age"]
            keys = KeyRing.parse(row["keys"])
            found.append(Case(row, source.value, keys, options, max_age, dict(source.cookies)))
    return found


class _Clock(datetime):
    moment = 0.0

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.fromtimestamp(cls.moment, tz or UTC)


def asked(peer: Peer, case: Case) -> tuple[bool, bool]:
    """Whether the peer reads the cookie as the framework did, and whether it takes it for genuine."""
    now = case.row.get("now") or time.time()
    _Clock.moment = now
    with patch("time.time", return_value=now), _jwt_clock():
        return _same(peer, case), _takes(peer, case)


def _jwt_clock() -> Any:
    try:
        import jwt.api_jwt
    except ImportError:
        return patch("time.time")
    return patch.object(jwt.api_jwt, "datetime", _Clock)


def _same(peer: Peer, case: Case) -> bool:
    try:
        found = peer.read(case)
    except Exception:
        return False
    data = case.row["data"]
    wanted = [data] if data is not None else [case.row.get("value_b64"), case.row.get("session_data")]
    return _plain(found) in wanted


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _takes(peer: Peer, case: Case) -> bool:
    try:
        return peer.verify(case)
    except SessionctlError:
        return False
    except Exception:
        return False


# -- the page ---------------------------------------------------------------------------------------


class Tally(NamedTuple):
    """Counts of one peer and format: genuine cookies read and verified, refused ones taken."""

    read: int = 0
    verified: int = 0
    wrong: int = 0

    def plus(self, *, genuine: bool, read: bool, taken: bool) -> Tally:
        """With one more case."""
        if genuine:
            return Tally(self.read + read, self.verified + taken, self.wrong)
        return Tally(self.read, self.verified, self.wrong + taken)


def installed() -> list[Peer]:
    """The peers that can be asked; the others are named on stderr."""
    peers: list[Peer] = []
    for kind in (Sessionctl, FlaskUnsign, ItsDangerous, DjangoSigning, PyJwt, Badsecrets):
        try:
            if kind is not Sessionctl:
                version(kind.package)
        except PackageNotFoundError:
            print(f"LEFT OUT: {kind.package} is not installed (pip install --group peers)", file=sys.stderr)
        else:
            peers.append(kind())
    return peers


def is_certain(row: dict[str, Any]) -> bool:
    """Whether there is but one right answer: none that hangs on the release or the leniency of a framework."""
    return len(row.get("accept") or [row["expect"]]) == 1


def main() -> None:
    """Print the page."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    peers = installed()
    table: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    genuine_of: dict[str, int] = defaultdict(int)
    refused_of: dict[str, int] = defaultdict(int)
    for case in filter(lambda case: is_certain(case.row), cases()):
        genuine = case.row["expect"] == "valid"
        (genuine_of if genuine else refused_of)[case.format] += 1
        for peer in peers:
            if case.format in peer.formats:
                read, taken = asked(peer, case)
                tally = table[case.format][peer.package]
                table[case.format][peer.package] = tally.plus(genuine=genuine, read=read, taken=taken)
    print(page(peers, table, genuine_of, refused_of), end="")


def page(
    peers: list[Peer],
    table: dict[str, dict[str, Tally]],
    genuine_of: dict[str, int],
    refused_of: dict[str, int],
) -> str:
    """The Markdown of it all."""
    names = [peer.package for peer in peers]
    heads = [f"{name} {'' if name == 'sessionctl' else version(name)}".strip() for name in names]
    rows = [["format", "genuine", "refused", *heads], ["---"] * (len(heads) + 3)]
    for name in formats.names():
        if genuine_of[name] or refused_of[name]:
            cells = [_cell(table[name].get(peer)) for peer in names]
            rows.append([name, str(genuine_of[name]), str(refused_of[name]), *cells])
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return TEXT.format(table=lines, python=".".join(map(str, sys.version_info[:3])))


def _cell(tally: Tally | None) -> str:
    if tally is None:
        return ""
    wrong = f", takes {tally.wrong}" if tally.wrong else ""
    return f"{tally.read} / {tally.verified}{wrong}"


TEXT = """# Beside other tools

<!-- made by benchmarks/formats.py; do not edit -->

The cookies of `tests/corpus`, which real frameworks wrote or damaged copies of them, given to this tool and to others,
each with the right keys and parameters and at the time of the case. `genuine` and `refused` count the cookies by what
the framework said; cases on which its releases differ are left out. A cell says how many of the genuine ones the tool
reads (gives the data that the framework had) / verifies, and `takes` how many of the refused ones it calls genuine.
An empty cell: the tool does not know the format. sessionctl is held to these same cases by its own tests.

{table}

- flask-unsign looks for the key of a session cookie and knows no age limit, no digest but SHA-1 and no key derivation
  but Flask's; it gives the data as Python objects, so a cookie with Flask's tags does not count as read.
- itsdangerous and Django are the frameworks' own libraries, asked with the parameters of the case; they give data only
  with the key. Django 5 does not read the pickles that its older releases wrote.
- PyJWT knows signed tokens alone, not the encrypted ones (JWE).
- badsecrets looks for known keys; the key of the case is its whole list here. It tells the key, never the data, and
  looks neither at the age nor at the name that a cookie was made for.
- What these tools do not do at all: other formats, stored sessions, names and reasons of what is wrong.

Made with Python {python}: `python benchmarks/formats.py > docs/formats/peers.md`.
"""


if __name__ == "__main__":
    main()
