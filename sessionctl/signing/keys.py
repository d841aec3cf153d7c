"""Secrets and the key ring: newest first, the first signs, all verify."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, overload

from sessionctl.encoding import b64decode, to_standard
from sessionctl.errors import MalformedCookieError, NoKeyError, SecretError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, SupportsIndex


class Secret:
    """One secret: text, or bytes where the framework wants bytes. Never shown by `repr`."""

    __slots__ = ("_bytes", "_text")

    def __init__(self, value: str | bytes) -> None:
        if not isinstance(value, (str, bytes)):
            raise SecretError(f"a secret is str or bytes, not {type(value).__name__}")
        if not value:
            raise SecretError("a secret is empty")
        self._text = value if isinstance(value, str) else None
        self._bytes = value if isinstance(value, bytes) else _encode(value)

    @classmethod
    def parse(cls, text: str) -> Secret:
        """A secret as the command line takes it.

        `text:...`, `hex:...`, `base64:...` (either alphabet, padded or not), `@FILE` (the content of
        the file without one last line break; a name has no control characters), anything else: the text
        itself. Raises `SecretError`.
        """
        kind, colon, rest = text.partition(":")
        if text.startswith("@") and not any(map(_is_binary, text)):
            return cls.read(os.path.expanduser(text[1:]))  # no shell does it behind the @
        if colon and kind == "text":
            return cls(_from_argument(rest))
        if colon and kind == "hex":
            return cls(_unhex(rest))
        if colon and kind == "base64":
            return cls(_unbase64(rest))
        return cls(_from_argument(text))

    @classmethod
    def read(cls, path: str) -> Secret:
        """The content of a file as a secret, without one last line break. Raises `SecretError`."""
        return cls(_read(path))

    @property
    def bytes(self) -> bytes:
        """The bytes: of text, its UTF-8, where a lone surrogate becomes U+FFFD."""
        return self._bytes

    @property
    def text(self) -> str | None:
        """The text, or None where the secret was given as bytes."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._text, self._bytes) == (other._text, other._bytes)

    def __hash__(self) -> int:
        return hash((self._text, self._bytes))

    def __repr__(self) -> str:
        return f"<Secret of {len(self._bytes)} bytes>"


class KeyRing(tuple[Secret, ...]):
    """The secrets of one application, newest first: the first signs, all verify.

    Raises `SecretError` for what is no list: a bare string would be a ring of single letters.
    """

    __slots__ = ()

    def __new__(cls, secrets: Iterable[str | bytes | Secret] = ()) -> Self:
        """A ring of secrets, or of what is to be one."""
        if isinstance(secrets, (str, bytes, Secret)):
            raise SecretError("secrets must be a list, newest first: [secret], not a bare secret")
        if not isinstance(secrets, Iterable):
            kind = "None" if secrets is None else type(secrets).__name__
            raise SecretError(f"secrets must be a list, newest first: [secret], not {kind}")
        return super().__new__(cls, [item if isinstance(item, Secret) else Secret(item) for item in secrets])

    @classmethod
    def parse(cls, texts: Iterable[str]) -> KeyRing:
        """The ring of secrets as the command line takes them; see `Secret.parse`."""
        return cls([Secret.parse(text) for text in texts])

    @property
    def newest(self) -> Secret:
        """The secret that signs. Raises `NoKeyError` where the ring is empty."""
        self.require()
        return self[0]

    def require(self) -> None:
        """Raise `NoKeyError` where the ring is empty."""
        if not self:
            raise NoKeyError("no secret was given; --secret or --secret-file gives one")

    def find(self, fits: Callable[[Secret], bool]) -> int | None:
        """The index of the first secret that fits, or None."""
        for index, secret in enumerate(self):
            if fits(secret):
                return index
        return None

    @overload
    def __getitem__(self, index: SupportsIndex) -> Secret: ...
    @overload
    def __getitem__(self, index: slice) -> KeyRing: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Secret | KeyRing:
        found = super().__getitem__(index)
        return found if isinstance(found, Secret) else KeyRing(found)

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self)} secrets>"


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).encode()


def _from_argument(text: str) -> str | bytes:
    """Bytes of an argument that were no UTF-8 come as surrogates (PEP 383); give them back as they were."""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(text)
        except UnicodeEncodeError:
            return text
    return text


def _is_binary(char: str) -> bool:
    """Whether a character speaks for a secret of random bytes that begins with "@", and against a file's name."""
    return char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"


def _read(path: str) -> str | bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(1 << 20)
    except OSError as error:
        raise SecretError(f"cannot read the secret file {path!r}: {error.strerror}") from None
    except ValueError:
        raise SecretError(f"cannot read the secret file {path!r}: no file has such a name") from None
    content = content.removesuffix(b"\n").removesuffix(b"\r")
    if not content:
        raise SecretError(f"the secret file {path!r} is empty")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise SecretError("a secret that begins with hex: is not hexadecimal") from None


def _unbase64(text: str) -> bytes:
    try:
        return b64decode(to_standard(text.strip()).rstrip("="))
    except MalformedCookieError:
        raise SecretError("a secret that begins with base64: is not base64") from None


def read_secret_file(path: str) -> KeyRing:
    """The ring of a file with one secret a line, newest first; empty lines do not count."""
    content = _read(path)
    if isinstance(content, bytes):
        raise SecretError(f"the secret file {path!r} is not UTF-8 text; use @FILE for a binary secret")
    content = content.removeprefix("\ufeff")  # as Windows' editors begin a file
    if content.startswith("-----BEGIN "):
        return KeyRing([content])
    lines = (line.removesuffix("\r") for line in content.split("\n"))  # a secret may hold U+2028
    return KeyRing.parse(line for line in lines if line)


def parse_option_secret(text: str) -> bytes:
    """The bytes of a secret that stands in a format option (`block-key=base64:...`)."""
    try:
        return Secret.parse(text).bytes
    except SecretError as error:
        raise UsageError(str(error)) from None
