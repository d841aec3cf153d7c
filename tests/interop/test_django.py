"""What Django writes is read, and what is written is read by Django."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionctl import formats, open_storage
from sessionctl.fleet import Selection, select

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "new-key-ü", "old-key"
DATA = {"user_id": 42, "name": "Zoë 😀", "list": [1, None, {"x": 1.5}], "big": 2**70, "long": "x" * 500}


@pytest.fixture(scope="module", autouse=True)
def django() -> Any:
    """Django with sessions in cookies and one older key."""
    pytest.importorskip("django")
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            SECRET_KEY=KEY,
            SECRET_KEY_FALLBACKS=[OLD_KEY],
            SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
            MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
            USE_TZ=True,
        )
        django.setup()
    return django


def session(text: str) -> dict[str, Any]:
    """The session that Django reads from a cookie; {} where it refuses."""
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    return dict(SessionStore(text).items())


def request(**cookies: str) -> Any:
    """A request with these cookies, as they stand in the header."""
    from django.http import HttpRequest
    from django.http.cookie import parse_cookie

    made = HttpRequest()
    made.COOKIES = parse_cookie("; ".join(f"{name}={value}" for name, value in cookies.items()))
    return made


def test_django_reads_a_session() -> None:
    """A session made here is Django's, be it signed with the newest or an older key."""
    form = formats.get("django")
    assert session(form.encode(DATA, [KEY])) == DATA
    assert session(form.encode(DATA, [OLD_KEY])) == DATA
    assert session(form.encode(DATA, ["other"])) == {}


def test_a_session_of_django_is_read() -> None:
    """A session that Django saved verifies and says the same."""
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    store = SessionStore()
    store.update(DATA)
    store.save()
    form = formats.get("django")
    verdict = form.verify(store.session_key, [KEY])
    assert verdict.valid, verdict
    assert form.decode(store.session_key).data == DATA


def test_django_shows_a_flashed_message() -> None:
    """Messages flashed here are shown by both of Django's storages, with level and tags."""
    from django.contrib.messages.storage.cookie import CookieStorage
    from django.contrib.messages.storage.session import SessionStorage
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    flash = {"success": "Gespeichert; ü", "big": "x"}
    cookie = formats.get("django-signed", kind="messages").encode([], [KEY], flash=flash)
    with_session = request()
    with_session.session = SessionStore(formats.get("django").encode({}, [KEY], flash=flash))
    for storage in (CookieStorage(request(messages=cookie)), SessionStorage(with_session)):
        assert [(item.level, item.message, item.tags) for item in storage] == [
            (25, "Gespeichert; ü", "success"),
            (20, "x", "big info"),
        ]


def test_where_the_default_storage_looks_for_messages() -> None:
    """Django's default shows the cookie's, and the session's only behind a cookie that says that there are more."""
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    in_session = SessionStore(formats.get("django").encode({}, [KEY], flash={"success": "kept"}))

    def shown(**cookies: str) -> list[str]:
        asked = request(**cookies)
        asked.session = in_session
        return [item.message for item in FallbackStorage(asked)]

    form = formats.get("django-signed", kind="messages")
    assert shown() == []
    assert shown(messages=form.encode([], [KEY], flash={"success": "sent"})) == ["sent"]
    assert shown(messages=form.encode(["__messagesnotfinished__"], [KEY], flash={"success": "sent"})) == [
        "sent",
        "kept",
    ]


def test_messages_of_django_are_read() -> None:
    """A cookie of messages that Django wrote verifies and shows them."""
    from django.contrib.messages.storage.cookie import CookieStorage
    from django.http import HttpResponse

    storage, response = CookieStorage(request()), HttpResponse()
    storage.add(30, "Achtung: ü;", "extra")
    storage.update(response)
    text = response.cookies["messages"].coded_value
    form = formats.get("django-signed")
    assert form.verify(text, [KEY]).valid
    assert form.decode(text).flash == [{"level": "warning", "message": "Achtung: ü;", "tags": "extra"}]


@pytest.mark.parametrize("value", ["dark", "", "a:b:c", 'x y; z, "q" \\', "ü", "Ã¼"])
@pytest.mark.parametrize("salt", ["", "extra"])
def test_signed_cookies(value: str, salt: str) -> None:
    """A signed cookie goes both ways, with and without a salt."""
    from django.http import HttpResponse

    form = formats.get("django-signed", kind="set_signed_cookie", salt=salt)
    text = form.encode(value, [KEY], cookie_name="prefs")
    assert request(prefs=text).get_signed_cookie("prefs", salt=salt) == value
    response = HttpResponse()
    response.set_signed_cookie("prefs", value, salt=salt)
    theirs = response.cookies["prefs"].coded_value
    assert form.verify(theirs, [KEY], cookie_name="prefs").valid


def test_signers() -> None:
    """`dumps`, `Signer`, `TimestampSigner` and `sign_object` go both ways."""
    from django.core import signing

    def made(data: Any, **options: str) -> str:
        return formats.get("django-signed", **options).encode(data, [KEY])

    assert signing.loads(made(DATA)) == DATA
    assert signing.loads(made(DATA, salt="mine"), salt="mine") == DATA
    assert signing.Signer().unsign(made("v:1", kind="Signer")) == "v:1"
    assert signing.TimestampSigner(salt="s").unsign(made("v", kind="TimestampSigner", salt="s")) == "v"
    assert signing.Signer().unsign_object(made(DATA, kind="sign_object")) == DATA
    assert formats.get("django-signed").verify(signing.dumps(DATA, compress=True), [KEY]).valid
    theirs = signing.Signer(sep="/", algorithm="sha512").sign("v")
    form = formats.get("django-signed", kind="Signer", separator="/", digest="sha512")
    assert form.verify(theirs, [KEY]).valid


def test_a_row_of_the_database(tmp_path: Path) -> None:
    """The command that `inspect` tells of a `sessionid` reads the session that Django keeps in its database."""
    python, environment = (
        sys.executable,
        {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )

    def run(*words: str) -> str:
        return subprocess.run(
            words, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
        ).stdout

    run(python, "-m", "django", "startproject", "shop", ".")
    run(python, "manage.py", "migrate", "-v0")
    make = (
        "from django.contrib.sessions.backends.db import SessionStore; s = SessionStore(); s['user_id'] = 42; "
        "s.create(); print(s.session_key)"
    )
    session_id = run(python, "manage.py", "shell", "-v0", "-c", make).strip()
    report = run("sessionctl", "inspect", f"sessionid={session_id}")
    command = next(line.strip() for line in report.splitlines() if "psql -Atc" in line and "|" in line)
    assert session_id not in command
    told = command.replace("psql -Atc", "sqlite3 db.sqlite3").replace("'ID'", f"'{session_id}'")
    assert json.loads(run("sh", "-c", told)) == {"user_id": 42}
    assert "decode -f django --record -" in run("sessionctl", "config", "init", "--print")


@pytest.mark.parametrize("days", [13, 15])
@pytest.mark.parametrize("expiry", [None, 0, 3600, timedelta(days=30), timedelta(days=-1)])
def test_same_age_of_a_file(tmp_path: Path, days: int, expiry: Any) -> None:
    """A session of the file backend has expired exactly where Django drops it, `set_expiry` or not."""
    from django.contrib.sessions.backends.file import SessionStore

    class Store(SessionStore):  # type: ignore[misc]
        _storage_path = str(tmp_path)

    theirs = Store()
    theirs["a"] = 1
    theirs.set_expiry(expiry)
    theirs.save()
    changed = time.time() - days * 86400
    os.utime(tmp_path / f"sessionid{theirs.session_key}", (changed, changed))
    storage = open_storage(f"fs:{tmp_path}?layout=django-file")
    expired = list(select(storage, Selection(expired=True)))
    there = storage.read(theirs.session_key).has("a")
    assert (there, not expired) == ("a" in Store(theirs.session_key),) * 2
