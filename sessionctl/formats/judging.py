"""Verdicts, made in one way by all formats, and which key of a ring it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sessionctl.duration import human_seconds
from sessionctl.errors import BadSignatureError, WrongKeyTypeError
from sessionctl.signing.macs import misfit
from sessionctl.verdict import Verdict, Warn, new_tuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.formats.base import Context, Decoded
    from sessionctl.signing.keys import Secret

T = TypeVar("T")


def refused(reason: str, detail: str, context: Context, **more: Any) -> Verdict:
    """The verdict "no", for one reason."""
    return Verdict(valid=False, reason=reason, detail=detail, keys=len(context.keys), **more)


ID_ALONE = "an ID alone"
"""How the verdict begins on an ID that the framework never signs."""


def unsigned_id(context: Context, whose: str = "", layouts: str = "") -> Verdict:
    """The verdict on the ID of a stored session that nothing signs; `layouts` are those of the stores to ask."""
    where = f" (inspect -s URL?layout={layouts})" if layouts else ""
    return refused(
        "unsigned", f"{ID_ALONE}{whose}: only its store can tell whether it is known{where}", context
    )


def first_fit(context: Context, fits: Callable[[Secret], bool]) -> int:
    """The index of the first key that fits; raises `NoKeyError` or `BadSignatureError`."""
    context.keys.require()
    index = context.keys.find(fits)
    if index is None:
        raise misfit(len(context.keys))
    return index


def first_opened(context: Context, opens: Callable[[Secret], T | None]) -> tuple[int, T]:
    """The index of the first key with which `opens` gives something, and what it gave.

    Raises as `first_fit` does, and `WrongKeyTypeError` where that is what `opens` raised for every key.
    """
    context.keys.require()
    wrong: list[WrongKeyTypeError] = []
    for index, secret in enumerate(context.keys):
        try:
            found = opens(secret)
        except WrongKeyTypeError as error:
            wrong.append(error)
        else:
            if found is not None:
                return index, found
    if len(wrong) == len(context.keys):
        raise wrong[0]
    opener = (
        "the key does not open it"
        if len(context.keys) == 1
        else f"none of the {len(context.keys)} keys opens it"
    )
    raise BadSignatureError(f"{opener}: it was made with another, or changed")


_UNOPENED = ("the key does not open", "the secret does not open", "the session does not open", "none of the ")


def says_unopened(detail: str) -> bool:
    """Whether a verdict's words are that no key opens the encrypted text."""
    return detail.startswith(_UNOPENED)


def genuine(
    context: Context,
    key_index: int | None,
    *,
    algorithm: str | None = None,
    value: str | None = None,
    issued_at: float | None = None,
    expires_at: float | None = None,
    warnings: tuple[Warn, ...] = (),
    needs_resign: bool | None = None,
) -> Verdict:
    """The verdict "yes"; a hit on an older key means that the cookie needs re-signing."""
    resign = bool(key_index) if needs_resign is None else needs_resign
    return new_tuple(Verdict, (
        True, None, "", key_index, len(context.keys), resign,
        issued_at, expires_at, False, algorithm, value, warnings,
    ))  # fmt: skip


def genuine_within(
    context: Context,
    limit: float | None,
    key_index: int | None,
    issued_at: float,
    *,
    algorithm: str | None = None,
    value: str | None = None,
    warnings: tuple[Warn, ...] = (),
) -> Verdict:
    """`genuine` and `judge_age` in one step, for formats whose every cookie has a time.

    Half as dear, as the verdict is made once.
    """
    expires_at = None if limit is None else issued_at + limit
    verdict = new_tuple(Verdict, (  # as `genuine` makes it, without the price of its call
        True, None, "", key_index, len(context.keys), bool(key_index),
        issued_at, expires_at, False, algorithm, value, warnings,
    ))  # fmt: skip
    if limit is not None and context.now - issued_at > limit:
        return expire(verdict, expires_at, context)
    return verdict


def rest_of_life(decoded: Decoded, context: Context) -> float | None:
    """The seconds until a text ends; None where it never does."""
    return None if decoded.expires_at is None else max(0.0, decoded.expires_at - context.now)


def judge_age(verdict: Verdict, context: Context, limit: float | None) -> Verdict:
    """A genuine verdict judged by its `issued_at`: older than `limit` seconds is expired, equal is not."""
    if limit is None or verdict.issued_at is None or not verdict.valid:
        return verdict
    expires_at = verdict.issued_at + limit
    if context.now - verdict.issued_at > limit:
        return expire(verdict, expires_at, context)
    return verdict._replace(expires_at=expires_at)


def expire(verdict: Verdict, expires_at: float | None, context: Context) -> Verdict:
    """The verdict of a genuine cookie that is too old."""
    ago = "" if expires_at is None else f" {human_seconds(context.now - expires_at)} ago"
    return verdict._replace(
        valid=False,
        reason="expired",
        expired=True,
        detail=f"genuine, but it expired{ago}",
        expires_at=expires_at,
    )
