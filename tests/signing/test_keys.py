"""Secrets and the key ring."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl import KeyRing, NoKeyError, Secret, SecretError, SessionctlError, UsageError
from sessionctl.signing.keys import parse_option_secret, read_secret_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("secret", b"secret", id="text"),
        pytest.param("schlüssel", "schlüssel".encode(), id="text is UTF-8"),
        pytest.param("text:hex:00", b"hex:00", id="text: takes the rest as it is"),
        pytest.param("text:@file", b"@file", id="text: before @"),
        pytest.param("hex:00fF", b"\x00\xff", id="hex"),
        pytest.param("base64:AP8=", b"\x00\xff", id="base64"),
        pytest.param("base64:AP8", b"\x00\xff", id="base64 without padding"),
        pytest.param("base64:-_-_", b"\xfb\xff\xbf", id="base64, URL-safe alphabet"),
        pytest.param("other:rest", b"other:rest", id="an unknown prefix is text"),
        pytest.param("\udcff", b"\xff", id="an argument that was no UTF-8"),
        pytest.param("\ud800", "\ufffd".encode(), id="half of a surrogate pair, as JavaScript encodes it"),
    ],
)
def test_a_secret_is_read_as_written_on_the_command_line(text: str, expected: bytes) -> None:
    """Each prefix says how the secret is written; without one it is text."""
    assert Secret.parse(text).bytes == expected


@pytest.mark.parametrize(
    "text",
    ["", "text:", "hex:", "hex:0", "hex:zz", "base64:", "base64:A", "base64:A B!", "@", "@/nowhere/at/all"],
)
def test_what_is_no_secret_is_an_error_that_does_not_show_it(text: str) -> None:
    """A secret that cannot be read is `SecretError`; the message repeats no part of it but a file's name."""
    with pytest.raises(SecretError) as caught:
        Secret.parse(text)
    rest = text.partition(":")[2]
    assert len(rest) < 3 or rest not in str(caught.value)


@given(st.text())
def test_any_text_is_a_secret_or_an_error(text: str) -> None:
    """Whatever is given gives bytes or an error of our tree."""
    with contextlib.suppress(SessionctlError):
        assert Secret.parse(text.removeprefix("@")).bytes


class TestFiles:
    """Secrets in files"""

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            pytest.param(b"secret\n", b"secret", id="one line break at the end is not its"),
            pytest.param(b"secret\r\n", b"secret", id="nor one of Windows"),
            pytest.param(b"secret\n\n", b"secret\n", id="a second one is"),
            pytest.param(b" secret ", b" secret ", id="spaces are"),
            pytest.param(b"\xff\x00", b"\xff\x00", id="binary"),
        ],
    )
    def test_at_file_is_its_content(self, tmp_path: Path, content: bytes, expected: bytes) -> None:
        """`@FILE` is the file's content without one last line break."""
        path = tmp_path / "key"
        path.write_bytes(content)
        assert Secret.parse(f"@{path}").bytes == expected

    def test_a_secret_file_is_a_ring(self, tmp_path: Path) -> None:
        """One secret a line, newest first, empty lines aside."""
        path = tmp_path / "keys"
        path.write_text("new\n\nhex:00ff\nold\n")
        assert [secret.bytes for secret in read_secret_file(str(path))] == [b"new", b"\x00\xff", b"old"]

    def test_a_secret_file_of_windows(self, tmp_path: Path) -> None:
        """A byte order mark and carriage returns belong to no secret; other line breaks of Unicode do."""
        path = tmp_path / "keys"
        path.write_bytes("\ufeffnew\r\nold\u2028\x85\r\n".encode())
        assert [secret.text for secret in read_secret_file(str(path))] == ["new", "old\u2028\x85"]

    def test_a_pem_file_is_one_key(self, tmp_path: Path) -> None:
        """A PEM block is not taken apart into lines."""
        path = tmp_path / "key.pem"
        path.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
        assert len(read_secret_file(str(path))) == 1

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff\n"])
    def test_a_file_without_secrets_is_an_error(self, tmp_path: Path, content: bytes) -> None:
        """An empty file and a binary one are told, by name."""
        path = tmp_path / "keys"
        path.write_bytes(content)
        with pytest.raises(SecretError, match="keys"):
            read_secret_file(str(path))

    def test_a_directory_is_an_error(self, tmp_path: Path) -> None:
        """What cannot be read is `SecretError`."""
        with pytest.raises(SecretError, match="cannot read"):
            Secret.parse(f"@{tmp_path}")


class TestRing:
    """`KeyRing`"""

    def test_the_newest_signs(self) -> None:
        """The first secret is the newest; an empty ring has none."""
        assert KeyRing(["new", "old"]).newest == Secret("new")
        with pytest.raises(NoKeyError):
            _ = KeyRing().newest

    def test_a_ring_is_a_sequence(self) -> None:
        """Rings have a length and slices, and name the index of what fits."""
        ring = KeyRing([b"a", "b", Secret("c")])
        assert (len(ring), ring[-1], list(ring[1:])) == (3, Secret("c"), [Secret("b"), Secret("c")])
        assert ring.find(lambda secret: secret.bytes == b"c") == 2
        assert ring.find(lambda secret: secret.bytes == b"d") is None

    def test_text_and_bytes_are_two_secrets(self) -> None:
        """Frameworks treat a text and bytes in different ways, so they are not equal."""
        assert Secret("a") != Secret(b"a")
        assert (Secret("a").text, Secret(b"a").text) == ("a", None)
        assert len({Secret("a"), Secret("a"), Secret(b"a")}) == 2

    def test_repr_shows_nothing(self) -> None:
        """Neither a secret nor a ring shows what it holds."""
        assert repr(Secret("hunter2")) == "<Secret of 7 bytes>"
        assert repr(KeyRing(["hunter2"])) == "<KeyRing of 1 secrets>"

    def test_an_option_secret_is_bytes(self) -> None:
        """A second secret in `-O` is written as any; what is none is wrong usage."""
        assert parse_option_secret("hex:00ff") == b"\x00\xff"
        with pytest.raises(UsageError):
            parse_option_secret("hex:0")
