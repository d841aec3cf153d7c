# ruff: noqa: E501 - files of others, as they are
"""A project's framework is seen from its files, and none of its code is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats
from sessionctl.config.projects import propose
from sessionctl.config.template import render
from sessionctl.duration import parse_duration
from sessionctl.storage.registry import open_storage

if TYPE_CHECKING:
    from pathlib import Path

EXPRESS = """
const express = require('express')
const session = require('express-session')
const app = express()
app.use(session({
  name: 'sid',
  secret: [process.env.NEW_SECRET, process.env.OLD_SECRET],
  cookie: { maxAge: 1000 },
}))
"""
REMIX_2 = """
import { createCookieSessionStorage } from "@remix-run/node";
export const storage = createCookieSessionStorage({
  cookie: { name: "__app", httpOnly: true, secrets: [process.env.APP_SECRET!] },
});
"""
REMIX_3 = """
import { createCookie } from '@remix-run/cookie'
export const cookie = createCookie('sid', { secrets: [process.env.COOKIE_SECRET] })
"""
RAILS = 'require_relative "boot"\nmodule WebShop\n  class Application < Rails::Application\n  end\nend\n'
FLASK = "from flask import Flask\nraise SystemExit('this must not run')\napp.config['SECRET_KEY'] = os.environ.get('SHOP_KEY')\napp.config['SESSION_COOKIE_NAME'] = 'shop'\n"

PROJECTS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "Flask": ({"shop/__init__.py": FLASK}, {"format": "flask", "cookie_name": "shop", "secrets": ("env:SHOP_KEY",)}),
    "Flask with the secret in its code": (
        {"app.py": "from flask import Flask\napp.secret_key = 'hunter2secret'\n"},
        {"format": "flask", "secrets": ("env:SECRET_KEY",)},
    ),
    "Flask by its requirements": ({"requirements.txt": "flask>=3\nFlask-Session\n"}, {"storage": "redis://localhost/0?layout=flask-session"}),
    "Express": (
        {"package.json": '{"dependencies": {"express": "5", "express-session": "1", "connect-redis": "8"}}', "server.js": EXPRESS},
        {
            "format": "express", "cookie_name": "sid", "secrets": ("env:NEW_SECRET", "env:OLD_SECRET"),
            "storage": "redis://localhost/0?layout=connect-redis",
        },
    ),
    "Flask-Session in files": (
        {"requirements.txt": "flask\nflask-session\n", "app.py": 'import flask\napp.config.update(SESSION_TYPE="filesystem", SESSION_FILE_DIR="/var/s")\n'},
        {"storage": "fs:/var/s?layout=flask-session"},
    ),
    "Flask-Session in its own directory": (
        {"requirements.txt": "flask\nflask-session\n", "app.py": 'app.config["SESSION_TYPE"] = "filesystem"\napp.config["SESSION_KEY_PREFIX"] = "a&b:"\n'},
        {"storage": "fs:flask_session?layout=flask-session&prefix=a%26b:"},
    ),
    "Flask-Session on a Redis of its own": (
        {
            "requirements.txt": "flask\nflask-session\n",
            "app.py": 'CONFIG = {"SESSION_TYPE": "redis", "SESSION_KEY_PREFIX": "shop:"}\napp.config["SESSION_REDIS"] = redis.from_url("redis://:hunter2@cache:6380/3")\n',
        },
        {"storage": "redis://cache:6380/3?layout=flask-session&prefix=shop:&password_env=REDIS_PASSWORD"},
    ),
    "Flask-Session in a database": (
        {"requirements.txt": "flask\nflask-session\n", "app.py": 'app.config["SESSION_TYPE"] = "sqlalchemy"\n'},
        {"storage": None},
    ),
    "Flask-Session on Memcached": (
        {"requirements.txt": "flask\nflask-session\n", "app.py": 'app.config["SESSION_TYPE"] = "memcached"\n'},
        {"storage": "memcached://localhost?layout=flask-session"},
    ),
    "Express on a Redis of its own": (
        {
            "package.json": '{"dependencies": {"express-session": "1", "connect-redis": "8"}}',
            "app.mjs": "const client = createClient({ url: 'redis://cache:6379/2' })\nnew RedisStore({ client, prefix: 'myapp:' })\n",
        },
        {"storage": "redis://cache:6379/2?layout=connect-redis&prefix=myapp:"},
    ),
    "Express with cookie-session": (
        {"package.json": '{"dependencies": {"cookie-session": "2"}}', "a.js": "app.use(cookieSession({ name: 'sess', keys: [process.env.K] }))"},
        {"format": "cookie-session", "cookie_name": "sess", "secrets": ("env:K",)},
    ),
    "Remix 2": (
        {"package.json": '{"dependencies": {"@remix-run/node": "2"}}', "app/sessions.ts": REMIX_2},
        {"format": "react-router", "cookie_name": "__app", "secrets": ("env:APP_SECRET",)},
    ),
    "Remix 3": (
        {"package.json": '{"dependencies": {"@remix-run/session": "0"}}', "app/session.ts": REMIX_3},
        {"format": "remix", "cookie_name": "sid", "secrets": ("env:COOKIE_SECRET",)},
    ),
    "Rails": ({"config/application.rb": RAILS}, {"format": "rails", "cookie_name": "_web_shop_session", "secrets": ("env:SECRET_KEY_BASE",)}),
    "Rails on Redis": (
        {"config/application.rb": RAILS, "config/initializers/session_store.rb": "Rails.application.config.session_store :redis_store, key: '_x'"},
        {"format": "rack", "cookie_name": "_x", "storage": "redis://localhost/0?layout=rack-redis"},
    ),
}  # fmt: skip


def build(directory: Path, files: dict[str, str]) -> None:
    """Write a project's files."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


@pytest.mark.parametrize(("files", "expected"), PROJECTS.values(), ids=PROJECTS)
def test_proposal(tmp_path: Path, files: dict[str, str], expected: dict[str, Any]) -> None:
    """The proposal has the framework's format and what its code says."""
    build(tmp_path, files)
    best = propose(str(tmp_path))[0]
    assert {key: getattr(best, key) for key in expected} == expected


@pytest.mark.parametrize("files", [files for files, _ in PROJECTS.values()], ids=PROJECTS)
def test_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    """The file is TOML whose formats, options and storages exist, and it copies no secret out of the code."""
    monkeypatch.setenv("REDIS_PASSWORD", "pw")
    build(tmp_path, files)
    text = render(propose(str(tmp_path)))
    assert "hunter2" not in text
    for profile in tomllib.loads(text)["profiles"].values():
        formats.get(profile["format"])
        if "storage" in profile:
            open_storage(profile["storage"])


@pytest.mark.interop
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", {"cookie_name": "sessionid", "storage": None, "secrets": ()}),
        (
            'SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"\nSESSION_COOKIE_NAME = "sid"\n',
            {"cookie_name": "sid", "secrets": ("env:DJANGO_SECRET_KEY",)},
        ),
        (
            'SESSION_ENGINE = "django.contrib.sessions.backends.file"\n',
            {"storage": "fs:/tmp?layout=django-file"},
        ),
        (
            'SESSION_ENGINE = "django.contrib.sessions.backends.cache"\n',
            {"storage": "redis://localhost/1?layout=django-cache"},
        ),
        (
            (
                'SESSION_ENGINE = "django.contrib.sessions.backends.cache"\n'
                'CACHES = {"default": {"LOCATION": "redis://:hunter2@cache:6379/1"}}\n'
            ),
            {"storage": "redis://cache:6379/1?layout=django-cache&password_env=REDIS_PASSWORD"},
        ),
        (
            (
                'SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"\n'
                'CACHES = {"default": {"LOCATION": "rediss://web:hunter2@cache/1"}}\n'
            ),
            {"storage": "rediss://web@cache/1?layout=django-cache&password_env=REDIS_PASSWORD"},
        ),
    ],
)
def test_a_real_django_project(tmp_path: Path, more: str, expected: dict[str, Any]) -> None:
    """What `django-admin startproject` made is recognized, with its session engine."""
    made = subprocess.run(
        [sys.executable, "-m", "django", "startproject", "shop", tmp_path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("Django IS MISSING: config init was not tried on a real project")
    with (tmp_path / "shop/settings.py").open("a") as settings:
        settings.write(more)
    best = propose(str(tmp_path))[0]
    assert best.format == "django"
    assert {key: getattr(best, key) for key in expected} == expected
    text = render([best])
    assert not re.search("django-insecure|hunter2", text)
    in_cookie = best.secrets != ()
    assert ("# the cookie holds an ID alone, which no secret signs\n" in text) is not in_cookie
    signed = best.storage is None or "django-file" in best.storage
    secrets = '# secrets = ["env:DJANGO_SECRET_KEY"]      # SECRET_KEY, which signs what is stored\n'
    assert (secrets in text) is (signed and not in_cookie)


@pytest.mark.parametrize(
    ("name", "text"),
    [("x.py", "\n" * 250_000), ("Gemfile", "\n" * 250_000), ("x.js", "Session({" * 28_000)],
)
def test_hostile_files_take_no_time(tmp_path: Path, name: str, text: str) -> None:
    """What is long and nearly fits is searched once, not once a line."""
    build(tmp_path, {name: text, "package.json": '{"cookie-session": "1"}'})
    begun = time.process_time()
    propose(str(tmp_path))
    assert time.process_time() - begun < 5


def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    """What is no regular file is not read."""
    os.mkfifo(tmp_path / "app.py")
    assert propose(str(tmp_path)) == []


def test_names_of_files_are_no_configuration(tmp_path: Path) -> None:
    """A file's name and a cookie's stay in their line of the proposal, whatever is in them."""
    for name in (b"a\n[profiles.evil]\n#.py", b"b\xff.py"):
        (tmp_path / os.fsdecode(name)).write_text(
            'import flask\nSESSION_COOKIE_NAME = "a\N{GRINNING FACE}\x7f"\n'
        )
        text = render(propose(str(tmp_path)))
        profiles = tomllib.loads(text.encode().decode())["profiles"]
        assert profiles.keys() == {"flask"}
        assert profiles["flask"]["cookie_name"] == "a\N{GRINNING FACE}\x7f"
        (tmp_path / os.fsdecode(name)).unlink()


def test_nothing_known(tmp_path: Path) -> None:
    """A directory of other things gives a file to fill in, which is right as it stands."""
    (tmp_path / "notes.txt").write_text("flask of tea")
    assert propose(str(tmp_path)) == []
    assert tomllib.loads(render([]))["default_profile"] == "app"


def test_dependencies_are_not_searched(tmp_path: Path) -> None:
    """What lies in node_modules or a virtual environment is not the project's own."""
    build(tmp_path, {"venv/lib/x.py": FLASK, "node_modules/x/index.js": EXPRESS, ".hidden/app.py": FLASK})
    assert propose(str(tmp_path)) == []


@pytest.mark.parametrize(("requirements", "notes"), [("flask\n", []), ("flask\nFlask-Session\n", [-1])])
def test_a_note_about_the_store_stands_above_it(tmp_path: Path, requirements: str, notes: list[int]) -> None:
    """Only a project that has Flask-Session is told of it, where its storage is named."""
    build(tmp_path, {"app.py": FLASK, "requirements.txt": requirements})
    lines = render(propose(str(tmp_path))).splitlines()
    storage = next(number for number, line in enumerate(lines) if "storage = " in line)
    assert [number - storage for number, line in enumerate(lines) if "Flask-Session" in line] == notes


DJANGO = "INSTALLED_APPS = ['django.contrib.sessions']\n"
SERVER = (
    "const s = require('{0}')\napp.use(express.static('x', {{ maxAge: 5 }}))\napp.use({1}({{\n  {2}\n}}))\n"
)


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (
            {"manage.py": "django", "shop/settings.py": f"# SESSION_COOKIE_AGE = 1\n{DJANGO}SESSION_COOKIE_AGE = 3600\n"},
            'max_age = "1h"      # SESSION_COOKIE_AGE (shop/settings.py:3)',
        ),
        (
            {"manage.py": "django", "settings.py": f"{DJANGO}SESSION_COOKIE_AGE: int = 60 * 60 * 24 * 14  # two weeks\n"},
            'max_age = "14d"      # SESSION_COOKIE_AGE (settings.py:2)',
        ),
        (
            {"manage.py": "django", "settings.py": f'{DJANGO}SESSION_COOKIE_AGE = int(env("AGE"))\n'},
            "# SESSION_COOKIE_AGE (settings.py:2) says how long a session lives; here as",
        ),
        (
            {"app.py": FLASK + 'app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(minutes=5)\n'},
            'max_age = "5m"      # PERMANENT_SESSION_LIFETIME (app.py:5)',
        ),
        (
            {"app.py": FLASK + "app.permanent_session_lifetime = datetime.timedelta(1, hours=12)\n"},
            'max_age = "36h"      # PERMANENT_SESSION_LIFETIME (app.py:5)',
        ),
        ({"app.py": FLASK + "app.config.update(PERMANENT_SESSION_LIFETIME=90, X=1)\n"}, 'max_age = "90s"'),
        ({"app.py": FLASK + 'C = {"PERMANENT_SESSION_LIFETIME": 2_400}\n'}, 'max_age = "40m"'),
        ({"app.py": FLASK + "PERMANENT_SESSION_LIFETIME = 60 // 2\n"}, '# max_age = "30d"'),
        ({"app.py": FLASK + "PERMANENT_SESSION_LIFETIME = timedelta(minutes=DAY)\n"}, '# max_age = "30d"'),
        ({"app.py": FLASK + "if PERMANENT_SESSION_LIFETIME == 5: pass\n"}, '# max_age = "30d"'),
        (
            {"package.json": '{"express-session": "1"}', "server.js": EXPRESS},
            'max_age = "1s"      # maxAge (server.js:8)',
        ),
        (
            {
                "package.json": '{"express-session": "1"}',
                "a.js": SERVER.format("express-session", "session", "// maxAge: 1,\n  cookie: { maxAge: 1000 * 60 * 60 } // an hour"),
            },
            'max_age = "1h"      # maxAge (a.js:5)',
        ),
        (
            {
                "package.json": '{"cookie-session": "2"}',
                "a.js": SERVER.format("cookie-session", "cookieSession", "keys: [k],\n  maxAge: 24 * 60 * 60 * 1000,"),
            },
            'max_age = "1d"      # maxAge (a.js:5)',
        ),
        (
            {"package.json": '{"express-session": "1"}', "a.js": SERVER.format("express-session", "session", "secret: s")},
            '# max_age = "30d"',
        ),
        (
            {
                "package.json": '{"express-session": "1"}',
                "a.js": SERVER.format("express-session", "session", "cookie: { maxAge: ONE_DAY }"),
            },
            "# maxAge (a.js:4) says how long a session lives; here as",
        ),
    ],
)  # fmt: skip
def test_the_lifetime_is_the_projects(tmp_path: Path, files: dict[str, str], line: str) -> None:
    """How long a session lives is taken from the framework's setting, or the setting is named with its line."""
    build(tmp_path, files)
    text = render(propose(str(tmp_path)))
    (profile,) = tomllib.loads(text)["profiles"].values()
    assert any(each.startswith(line) for each in text.splitlines()), text
    assert ("max_age" in profile) is line.startswith("max_age")
    if "max_age" in profile:
        assert parse_duration(profile["max_age"]) > 0
