"""Where lines are broken, and where not."""

from __future__ import annotations

import pytest

from sessionctl.cli.wrapping import fold


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("wrote 3 of 3 sessions, in 0.1 s, verified", ["wrote 3 of 3 sessions, in 0.1", "  s, verified"]),
        ("storage      fs:/srv/shop  (default)", ["storage      fs:/srv/shop", "  (default)"]),
        (f"it is /{'x' * 40} there", ["it is", f"  /{'x' * 40} there"]),
        (f"as /{'x' * 40}, /{'y' * 40}", ["as", f"  /{'x' * 40},", f"  /{'y' * 40}"]),
        ("it is told by 'sessionctl help exit'", ["it is told by", "  'sessionctl help exit'"]),
        ("make one: sessionctl secret new; keep it", ["make one:", "  sessionctl secret new; keep", "  it"]),
        ("give it as one of the kind -f NAME", ["give it as one of the kind", "  -f NAME"]),
        ("the cookie's name, the user's ID", ["the cookie's name, the user's", "  ID"]),
        ("ユーザー名のクッキーは ユーザーのもの", ["ユーザー名のクッキーは", "  ユーザーのもの"]),
    ],
    ids=[
        "words",
        "a path",
        "a long path",
        "long paths",
        "in quotes",
        "behind a colon",
        "option",
        "apostrophes",
        "wide",
    ],
)
def test_where_lines_break(text: str, lines: list[str]) -> None:
    """Between words; a command or a path stays whole, and what is longer than a line is left to the terminal."""
    assert fold(text, 30) == lines
    assert fold(text, 300) == [text]


def test_what_stands_beside() -> None:
    """Lines are set in below what they belong to, or where that leaves no room the two move together."""
    text = "  fs:DIR        files, one a session, in a directory"
    assert fold(text, 50, 16) == ["  fs:DIR        files, one a session, in a", "                directory"]
    assert fold(text, 30, 16) == ["  fs:DIR  files, one a", "    session, in a directory"]
    path = "/" + "x" * 80
    assert fold(f"storage      {path}", 60, 13) == [f"storage      {path}"]
