"""How hard an ID or a secret is to guess, by its looks."""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Literal

from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

LEAST_ID_BITS = 64
"""Bits of entropy that a session ID must have (OWASP Session Management Cheat Sheet, Session ID Entropy)."""

GOOD_SECRET_BYTES, LEAST_SECRET_BYTES = 32, 16
"""A key as long as the hash is wanted (RFC 7518, 3.2); under 128 bits it can be guessed."""

LEAST_KINDS = 6
"""Different bytes that a secret must have: aaaa... and 121212... have fewer."""

WELL_KNOWN = (
    "secret", "keyboard cat", "changeme", "change me", "change-me", "password", "dev", "development", "test", "s3cret",
    "s3cr3t", "secretkey", "secret_key", "secret-key", "SECRET_KEY", "your secret key", "your-secret-key",
    "your_secret_key", "your-256-bit-secret", "supersecret", "super secret", "super-secret", "super secret key",
    "mysecret", "my secret", "my-secret", "my_secret", "mysecretkey", "my-secret-key", "session", "cookie", "app",
    "key", "admin", "default", "123456", "1234", "abc123", "qwerty", "shhhh", "shhhhhared-secret", "cat", "key1",
    "hard to guess string", "you-will-never-guess", "thisisasecret", "this is a secret", "topsecret", "not-so-secret",
    "temporary", "CHANGEME", "complex_password_at_least_32_characters_long", "averylogphrasebiggerthanthirtytwochars",
    "a secret with minimum length of 32 characters",
)  # fmt: skip
"""Secrets of tutorials and READMEs, which everybody knows."""


def weakness_of(secret: Secret) -> tuple[str, Literal["error", "warning"], str] | None:
    """What is weak about a secret: a code, how grave, and words without the secret; None for a good one."""
    text, size, kinds = secret.text, len(secret.bytes), len(set(secret.bytes))
    if text is not None and text.startswith("-----BEGIN "):
        return None
    if text in WELL_KNOWN:
        return "known-secret", "error", "stands in tutorials: anybody can sign with it"
    if text is not None and text.startswith("django-insecure-"):
        return "known-secret", "error", "is the one that startproject made for development"
    if size < LEAST_SECRET_BYTES or kinds < LEAST_KINDS:
        return "weak-secret", "error", f"can be guessed: {counted(size, 'byte')}, of {counted(kinds, 'kind')}"
    if text is not None and re.fullmatch(r"[A-Za-z]+([ _-][A-Za-z]+)+", text):
        return "phrase-secret", "warning", "is made of words, which can be guessed"
    if size < GOOD_SECRET_BYTES:
        return (
            "short-secret",
            "warning",
            f"has {size} bytes; {GOOD_SECRET_BYTES} are as many as SHA-256 makes use of",
        )
    return None


def id_bits(text: str) -> float:
    """The most bits of entropy that an ID of this look can have: by its alphabet and length, less where it repeats.

    Of a word with a number behind it (`user-42`) the number alone counts.
    """
    if counted := re.fullmatch(r"(?:[A-Za-z]{1,12}[-_.:]|(?=[a-z]*[g-z])[A-Za-z]{3,12})(\d+)", text):
        text = counted[1]
    size = next((size for pattern, size in _ALPHABETS if re.fullmatch(pattern, text)), 64)
    length = len(text) - text.count("-") if size == _HEX else len(text)
    most = length * math.log2(size)
    likely = min(_by_spread(text), _by_repetition(text), most * (1 - _steps(text)) * 1.4)
    return likely if likely < most * PATTERNED else most


PATTERNED = 0.55
"""The part of what its alphabet allows under which an ID is no longer taken for random; of a million random ones of
16 hexadecimal digits about one is."""

_HEX = 16
_ALPHABETS = (
    (r"\d+", 10), (r"[0-9a-f-]+|[0-9A-F-]+", _HEX), (r"[a-z]+|[A-Z]+", 26), (r"[a-z0-9]+|[A-Z0-9]+", 36),
)  # fmt: skip


def _by_spread(text: str) -> float:
    """Shannon's entropy of its characters, more for a short text uses its alphabet unevenly."""
    counts = Counter(text)
    bits = sum(count / len(text) * math.log2(len(text) / count) for count in counts.values())
    return bits * len(text) * 1.35


def _by_repetition(text: str) -> float:
    return len(zlib.compress(text.encode(errors="replace"), 9)) * 8.0


def _steps(text: str) -> float:
    """The part of neighbours that are equal or follow each other: 1 for `aaaa` and `12345`."""
    pairs = list(itertools.pairwise(text))
    near = sum(abs(ord(one) - ord(other)) <= 1 for one, other in pairs)
    return near / max(len(pairs), 1)
