"""Which format a cookie text is of: by its looks, and for certain by a key that verifies."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sessionctl import formats
from sessionctl.errors import (
    MalformedCookieError,
    MalformedError,
    MissingExtraError,
    RefusedError,
    SecretError,
    UsageError,
)
from sessionctl.formats import registry
from sessionctl.formats.base import DEFAULT_MAX_AGE, MAX_SIZE, Context, Format
from sessionctl.formats.judging import refused
from sessionctl.formats.registry import SURE
from sessionctl.signing.keys import KeyRing
from sessionctl.sources.base import no_such_cookie
from sessionctl.verdict import Verdict, Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Decoded
    from sessionctl.sources import Source
    from sessionctl.storage.base import SessionStorage

_UNJUDGED = Verdict(valid=False, reason="no-key")

WORTH_TELLING = 0.1
"""The confidence below which a format is not even a guess: any text of letters may be an ID of PHP."""

_JWT = "jwt"
_KEYGRIP = "cookie-session"
_EXPRESS, _EXPRESS_NAME = "express", "connect.sid"
SIGNED_APART = 0.9
"""How sure it is that a cookie whose signature is another, `NAME.sig`, is one that Keygrip signed."""

_SURELY_ANOTHER = 0.85
"""The confidence from which a text is told to be of another format than the one that was asked for."""

_LEFT_OUT = ("...", "\u2026", "truncated")
"""What programs write in place of what they do not show."""

ALIKE = 0.05
"""The difference in confidence below which two formats are not told apart."""


class Setup(NamedTuple):
    """What a person works with: storage, keys, format and clock, and which of them were asked for.

    `default_keys` serve the `native` format alone, where no keys were given. `storage_source` and
    `keys_source` say where they come from, for messages; `keys_missing` says why the keys or options of a
    profile cannot be had, where that is so.
    """

    storage: SessionStorage | None = None
    storage_given: bool = False
    storage_source: str = "the default"
    keys: KeyRing = KeyRing()
    keys_source: str = "none"
    keys_missing: str = ""
    default_keys: KeyRing = KeyRing()
    format: str | None = None
    options: Mapping[str, str] = MappingProxyType({})
    cookie_name: str | None = None
    max_age: float | None = DEFAULT_MAX_AGE
    max_size: int = MAX_SIZE
    now: float | None = None

    def keys_for(self, name: str) -> KeyRing:
        """The ring for a format: the one given, else for `native` the default's."""
        return self.keys or (self.default_keys if name == "native" else self.keys)

    def open(self, name: str) -> Format:
        """The format with the options that were asked for; those of another format do not reach it."""
        if self.format in (None, name):
            return formats.get(name, **{key.replace("-", "_"): value for key, value in self.options.items()})
        return formats.get(name)

    def context(self, name: str, source: Source | None = None) -> Context:
        """What a format is told beside the text."""
        return Context(
            keys=self.keys_for(name),
            cookie_name=(source.name if source else None) or self.cookie_name,
            cookies=source.cookies if source else {},
            now=time.time() if self.now is None else self.now,
            max_age=self.max_age,
            max_size=self.max_size,
        )


class Target(NamedTuple):
    """The session that is meant: a cookie, or an ID or a ref in the storage."""

    source: Source | None = None
    id: str | None = None
    ref: str | None = None

    @property
    def attributes(self) -> Mapping[str, str] | None:
        """Those of the Set-Cookie header that the cookie came from; None where it came otherwise."""
        return None if self.source is None else self.source.attributes


class Identified(NamedTuple):
    """The format of a text, the other candidates (best first, the chosen one included), and the verdict."""

    format: Format
    text: str
    context: Context
    verdict: Verdict
    candidates: tuple[str, ...]
    rivals: tuple[str, ...] = ()
    """Formats whose texts look just like this one."""
    twins: tuple[str, ...] = ()
    """The other values of the cookie's name in its header."""

    @property
    def settled(self) -> bool:
        """Whether a key has settled the format."""
        return self.verdict.key_index is not None

    def decode(self) -> Decoded:
        """What the text says. Raises as `Format.decode` does."""
        context = self.context._asdict()
        return self.format.decode(self.text, context.pop("keys"), **context)

    @property
    def hides(self) -> bool:
        """Whether it is no cookie of the format, while one that looks like it came along and does not count."""
        if not self.twins or self.verdict.reason != "malformed":
            return False
        name = self.context.cookie_name
        return any(self.format.detect(twin, cookie_name=name) >= SURE for twin in self.twins)

    def looks_otherwise(self) -> Warn | None:
        """The note on a text that is not of the format that was asked for, and by its looks of another."""
        found = formats.detect(self.text, cookie_name=self.context.cookie_name)
        best, score = next((one for one in found if one[0] != self.format.name), ("", 0.0))
        if score < _SURELY_ANOTHER:
            return None
        return Warn("other-format", f"by its looks it is a cookie of {best}: -f {best}")

    def doubt(self) -> Warn | None:
        """The note on a text that no key has proved, and that a program may not have shown whole."""
        if self.settled or not any(sign in self.text for sign in _LEFT_OUT):
            return None
        from sessionctl.unrecognised import cut_by_showing

        cut = cut_by_showing(self.text)
        return None if cut is None else Warn("cut", f"is it whole? It looks as if {cut}")


def identify(
    source: Source,
    setup: Setup,
    *,
    judge: bool = True,
    mend: bool = False,
    forms: dict[str, Format] | None = None,
) -> Identified:
    """The format of a cookie, and the verdict on it; without `judge` no verdict where no key could settle it.

    With `mend` a text of no format is also taken for one that was damaged, which takes a while to find: its end or
    its first character was lost, or it was encoded too often.
    `forms` keeps the formats that were opened, with what they derive from keys, for the next cookie.

    Raises `MalformedCookieError` where the cookie is missing or of no known format, `UsageError` for options
    that none of the formats takes that it may be of, and `MissingExtraError` where the likeliest format needs a
    library that is not installed and no key settles another.
    """
    if source.value is None:
        raise no_such_cookie(source)
    if source.clears:
        return _hiding(source, setup, forms) or _cleared(source, setup, forms)
    if setup.format is not None:
        named = _judge(setup.format, [(setup.format, 1.0)], source, setup, judge=judge, forms=forms)
        if not mend or named.verdict.reason != "malformed":
            return named
        note = named.looks_otherwise()
        return _with_doubt(named, detected=False) if note is None else _noting(named, note)
    return _identify(source, setup, _detected(source, setup), judge=judge, mend=mend, forms=forms)


def _identify(
    source: Source,
    setup: Setup,
    found: list[tuple[str, float]],
    *,
    judge: bool,
    mend: bool,
    forms: dict[str, Format] | None,
) -> Identified:
    """As `identify`, of a text that looks like the formats that were found."""
    if not found:
        return _judge_cut(source, setup, [], judge=judge, mend=mend, forms=forms)
    tried, missing = [], None
    for name in _worth_trying(found, source, setup):
        try:
            one = _judge(name, found, source, setup, judge=judge, forms=forms)
        except MissingExtraError as error:
            missing = missing or error
            continue
        if one.settled:
            return one
        tried.append(one)
    if found[0][1] < SURE:
        names = [name for name, score in found if score >= WORTH_TELLING]
        return _judge_cut(source, setup, names, judge=judge, mend=mend, forms=forms)
    if missing is not None and found[0][0] not in (one.format.name for one in tried):
        raise missing  # the likeliest format could not be tried
    if not mend:
        return tried[0]
    return _judge_mended(source, setup, found[0], judge=judge, forms=forms) or _with_doubt(tried[0])


def _with_doubt(known: Identified, *, detected: bool = True) -> Identified:
    """As it is, with a note on a text that seems not to be whole."""
    note = known.doubt()
    if note is None and known.verdict.reason == "malformed":
        from sessionctl.unrecognised import why_broken, why_cut

        name = known.context.cookie_name
        why = why_cut(known.text, name)
        if why is None and detected and not _is_readable(known):
            why = why_broken(known.format.name, name)
        note = Warn("cut", why) if why else None
    return _noting(known, note) if note else known


def _is_readable(known: Identified) -> bool:
    """Whether it is a whole text of its format, whatever else its framework refuses it for."""
    try:
        known.decode()
    except MalformedError:
        return False
    except RefusedError:
        pass
    return True


def _cleared(source: Source, setup: Setup, forms: dict[str, Format] | None) -> Identified:
    """What a server has put in place of a session that it ended: an empty text, or what stands for one."""
    if setup.format is None:
        setup = setup._replace(options={})
    name = setup.format or "native"
    known = _judge(name, [(name, SURE)], source._replace(value=""), setup, judge=True, forms=forms)
    by = {"deleted": "PHP", "null": "Starlette"}.get(source.value or "")
    note = f"{source.value!r} is what {by} sends in place of an empty value"
    return known if by is None else _noting(known, Warn("cleared-by", note))


def judge_like(
    name: str, looks: tuple[str, str | None], context: Context, setup: Setup, forms: dict[str, Format]
) -> Verdict | None:
    """As `identify` of a text (`looks`: it and the cookie's name), where a key fits it as one of this format.

    None where no key does, or one fits it too as one of a format that it looks more like.
    """
    text, cookie_name = looks
    preferred = registry.preferred(name, text, cookie_name=cookie_name)
    if preferred is None:
        return None
    for other in (*preferred, name):
        form = opened(other, setup, forms)
        try:
            verdict = form.judge(text, context)
        except MissingExtraError:
            continue
        if verdict.key_index is None:
            continue
        if other == name != _JWT and registry.may_be(name, _JWT, text, cookie_name=cookie_name):
            known = Identified(form, text, context, verdict, (name, _JWT))
            return None if confuses(known) else verdict
        return verdict if other == name else None
    return None


def _judge_mended(
    source: Source,
    setup: Setup,
    found: tuple[str, float],
    *,
    judge: bool,
    forms: dict[str, Format] | None,
) -> Identified | None:
    """A text that something has damaged, as what it was before; None where it is likelier what was `found`.

    No framework mends it, so with keys it is refused, also where one fits what it was before.
    """
    from sessionctl.unrecognised import SURELY, mended

    whole = mended(source.value or "", source.name)
    if (
        whole is None
        or whole.format == found[0]
        or (found[1] and whole.surety < max(SURELY, found[1] + ALIKE))
    ):
        return None
    before = source._replace(name=whole.cookie_name, value=whole.text)
    known = _judge(whole.format, [(whole.format, SURE)], before, setup, judge=judge, forms=forms)
    if not known.context.keys:
        note = f"{whole.fault}: the application refuses it; here it is read as it was before"
        return _noting(known, Warn("damaged", note))
    if known.settled and not confuses(known):
        warnings = (Warn("hint", whole.mend),)
        return known._replace(verdict=refused("bad-signature", whole.fault, known.context, warnings=warnings))
    verdict = known.verdict
    detail = f"{verdict.detail}; besides, {whole.fault}"
    reason = verdict.reason or "bad-signature"
    return known._replace(verdict=verdict._replace(valid=False, reason=reason, detail=detail))


def _judge_cut(
    source: Source,
    setup: Setup,
    names: list[str],
    *,
    judge: bool,
    mend: bool,
    forms: dict[str, Format] | None,
) -> Identified:
    """A text that is no format's, as what it was before it was damaged: encoded too often, or without its end.

    Raises `MalformedCookieError`, which says what else may have happened to it.
    """
    from sessionctl.unrecognised import cut_by_showing, lost_end, shown_part, why_unrecognised

    whole = _judge_mended(source, setup, ("", 0.0), judge=judge, forms=forms) if mend else None
    if whole is not None:
        return whole
    if (hiding := _hiding(source, setup, forms)) is not None:
        return hiding
    text = source.value or ""
    shown = shown_part(text)
    name = lost_end(shown, source.name) if mend else None
    if name is None:
        which = f"{source.name}: " if len(source.cookies) > 1 else ""
        raise MalformedCookieError(which + why_unrecognised(text, source.name, names))
    cut = _judge(name, [(name, SURE)], source._replace(value=shown), setup, judge=judge, forms=forms)
    why = cut_by_showing(text) or "was the text cut?"
    return _noting(cut, Warn("cut", f"it looks like a cookie of {name} whose end is missing: {why}"))


def _hiding(source: Source, setup: Setup, forms: dict[str, Format] | None) -> Identified | None:
    """A text that is none of the format of another value of its name, as what that framework makes of it.

    None where no other value came along that is surely of a format.
    """
    if not source.twins:
        return None
    from sessionctl.sources.likeliest import framework_of

    form = framework_of(source.twins, source.name or "")
    name = setup.format or (None if form is None else form.name)
    if name is None or not _takes_options(name, setup):
        return None
    known = _judge(name, [(name, SURE)], source, setup, judge=True, forms=forms)
    if source.clears:
        known = known._replace(verdict=refused("malformed", "the value that counts is empty", known.context))
    if not known.hides:
        return None if source.clears else known
    if known.context.keys:
        return known  # which will tell whether the other one fits
    place = "last" if known.format.takes_last_cookie else "first"
    note = f"another value of {source.name} there looks like a cookie of {name}, but {name} takes the {place}"
    return _noting(known, Warn("two-cookies", note))


def _noting(known: Identified, note: Warn) -> Identified:
    return known._replace(verdict=known.verdict._replace(warnings=(*known.verdict.warnings, note)))


def _detected(source: Source, setup: Setup) -> list[tuple[str, float]]:
    """The formats that a cookie may be of, with the options that were given, best first."""
    text = source.value or ""
    found = _by_companion(formats.detect(text, cookie_name=source.name), source)
    if _is_bare_express(found, source):
        found = sorted(found, key=lambda item: item[0] != _EXPRESS)
    if not setup.options:
        return found
    scores = dict(_with_options(found, setup))
    for name in formats.names():
        if _has_options(name, setup) and _takes_options(name, setup):
            score = setup.open(name).detect(text, cookie_name=source.name)
            scores[name] = max(scores.get(name, 0.0), score)
    return sorted(((name, score) for name, score in scores.items() if score), key=lambda item: -item[1])


def _by_companion(found: list[tuple[str, float]], source: Source) -> list[tuple[str, float]]:
    """As found, with `cookie-session` where `NAME.sig` came along, whatever its value: koa-session's may be an ID."""
    if source.name is None or f"{source.name}.sig" not in source.cookies:
        return found
    scores = dict(found)
    scores[_KEYGRIP] = max(scores.get(_KEYGRIP, 0.0), SIGNED_APART)
    return sorted(scores.items(), key=lambda item: -item[1])


def _is_bare_express(found: list[tuple[str, float]], source: Source) -> bool:
    """Whether it is express-session's cookie by its name, without `s:`: that others sign alike makes it no other's."""
    if source.name != _EXPRESS_NAME:
        return False
    best = next((name for name, _ in found if name not in registry.OF_A_VALUE), None)
    return best == _EXPRESS and not (source.value or "").startswith(("s:", "s%3A"))


def _with_options(found: list[tuple[str, float]], setup: Setup) -> list[tuple[str, float]]:
    """Those of the formats that can be opened with the options that were given: these tell which was meant."""
    having = [(name, score) for name, score in found if _takes_options(name, setup)]
    if found and not having:
        for name, _ in found:
            if _has_options(name, setup):
                setup.open(name)  # which says what is wrong with the value
        given, names = ", ".join(sorted(setup.options)), ", ".join(name for name, _ in found[:3])
        raise UsageError(
            f"no format that this may be of ({names}) takes the option {given}; -f names another"
        )
    return having


def _has_options(name: str, setup: Setup) -> bool:
    """Whether the format has all the options that were given, whatever their values."""
    having = {option.name for option in formats.get(name).options}
    return having.issuperset(option.replace("_", "-") for option in setup.options)


def _takes_options(name: str, setup: Setup) -> bool:
    try:
        setup.open(name)
    except UsageError:
        return False
    return True


def _worth_trying(found: list[tuple[str, float]], source: Source, setup: Setup) -> list[str]:
    """The likeliest format, and all others for which there is a key that could settle it."""
    best, *others = (name for name, _ in found)
    if best == _EXPRESS and _is_bare_express(found, source):
        others = [name for name in others if name not in registry.OF_A_VALUE]
    return [best, *(name for name in others if setup.keys_for(name))]


def _judge(
    name: str,
    found: list[tuple[str, float]],
    source: Source,
    setup: Setup,
    *,
    judge: bool,
    forms: dict[str, Format] | None,
) -> Identified:
    form = opened(name, setup, forms)
    context = setup.context(name, source)
    text = source.value or ""
    scores = dict(found)
    others = [other for other in scores if other != name]
    rivals = tuple(other for other in others if scores[name] - scores[other] < ALIKE)
    verdict = form.judge(text, context) if judge or context.keys else _UNJUDGED
    known = Identified(form, text, context, verdict, (name, *others), rivals, source.twins)
    if confuses(known):
        why = "the key fits as a shared secret alone, and it is one of a pair, whose public half anybody may have"
        verdict = refused("wrong-key-type", f"{why}; -f {name} takes it nonetheless", context)
    return known._replace(verdict=verdict)


def confuses(known: Identified) -> bool:
    """Whether what may be a JWT is genuine as another format by a key of a pair, in PEM, DER or JWK.

    Whoever has the public key can make such a text: the attack by key-type confusion.
    """
    index = known.verdict.key_index
    if index is None or known.format.name == _JWT or _JWT not in known.candidates:
        return False
    from sessionctl.signing.jose_keys import read_keys

    try:
        return any(key.kty != "oct" for key in read_keys(known.context.keys[index]))
    except (SecretError, MissingExtraError):  # it is plainly such a key, and cannot be read here
        return True


def opened(name: str, setup: Setup, forms: dict[str, Format] | None) -> Format:
    """The format as `Setup.open` makes it, kept in `forms` if they are given."""
    if forms is None:
        return setup.open(name)
    if name not in forms:
        forms[name] = setup.open(name)
    return forms[name]
