"""Which of several cookies is the session: by what the value looks like, and by the name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sessionctl import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sessionctl.formats import Format

# Names under which frameworks keep sessions: session, connect.sid, PHPSESSID, _app_session, sb-x-auth-token.
SESSION_NAME = re.compile(
    r"(?i)sess|(?:^|[._-])s?sid$|^sid[._-]|auth|^koa[.:]|^beaker|login|^token$|jwt|remember"
)

ANTI_FORGERY = "an anti-forgery token"

# What else cookies are for, by their names: signed at times, but never the session.
_PURPOSES = (
    (ANTI_FORGERY, re.compile(r"(?i)csrf|xsrf|anti-?forgery|requestverification|authenticity_token")),
    ("analytics or a vendor's own data", re.compile(
        r"(?i)^(?!_\w+_session$)(_ga(_|$)|_gid$|_gat(_|$)|_gcl_|__utm|_fb[cp]$|_hj|__hs|.*hubspot|ajs_|amp(litude)?_|mp_|"
        r"intercom|optimizely|__cf|cf_|_pk_|_uet|__stripe|datadog|_dd_)"
    )),  # _NAME_session is Rails' own, whatever the NAME
    ("messages for the next page", re.compile(r"(?i)^messages$")),
    ("consent or a preference", re.compile(r"(?i)^(?!.*sess).*(consent|^theme|lang|locale|timezone|^tz$)")),
)  # fmt: skip

SURE = 0.4
"""The sureness from which a text, or one that was mended, is taken for a value and not for something around one."""

_FOR_NAME, _AGAINST_NAME = 0.5, 0.8


REMEMBERS = re.compile(r"(?i)remember")
"""The name of a cookie that logs a user in anew where the session is gone: it stands behind the session itself."""


def rank(cookies: Mapping[str, str]) -> list[str]:
    """The names, those that look most like a session first; ties keep their order."""
    scores = {name: _score(name, value) for name, value in cookies.items()}
    return sorted(scores, key=lambda name: -scores[name])


def purpose_of(name: str) -> str | None:
    """What a cookie of this name is for, in words, where that is no session; else None."""
    return next((purpose for purpose, pattern in _PURPOSES if pattern.search(name)), None)


def _score(name: str, value: str) -> float:
    found = formats.detect(value, cookie_name=name) if value else []
    score = found[0][1] if found else 0.0
    if purpose_of(name) is not None:
        return score - _AGAINST_NAME
    if REMEMBERS.search(name):
        return score / 2
    return score + (_FOR_NAME if SESSION_NAME.search(name) else 0.0)


def framework_of(values: Iterable[str], name: str) -> Format | None:
    """The format that one of these values of a cookie is surely of; None where there is none."""
    found = [ranked[0] for value in values if (ranked := formats.detect(value, cookie_name=name))]
    best, score = max(found, key=lambda item: item[1], default=("", 0.0))
    return formats.get(best) if score >= SURE else None


def sureness(text: str, name: str | None = None) -> float:
    """How sure it is, from 0 to 1, that a text is a session cookie of a known format."""
    found = formats.detect(text, cookie_name=name)
    return found[0][1] if found else 0.0
