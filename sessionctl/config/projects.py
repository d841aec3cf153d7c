"""Which framework a project uses and how it keeps sessions, read off its files; none of its code is run."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from sessionctl.config.lifetimes import Lifetime, of_javascript, of_python
from sessionctl.storage.address import without_password
from sessionctl.stores.rows import READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_FILES = 400
MAX_BYTES = 256 * 1024
MAX_DEPTH = 4

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO would be waited for
_SKIPPED = frozenset({
    "node_modules", "venv", "env", "site-packages", "dist", "build", "vendor", "tmp", "log", "__pycache__",
    "migrations", "public", "static", "coverage",
})  # fmt: skip


class Proposal(NamedTuple):
    """What a profile for a project would be.

    `because` says what was seen, `storage` and `secrets` are None where nothing tells; `notes` and `storage_notes`
    are for comments in the file, above the secrets and the storage. `lifetime` is the setting that says how long
    a session lives.
    """

    name: str
    because: str
    format: str
    cookie_name: str
    secrets: tuple[str, ...] = ()
    storage: str | None = None
    notes: tuple[str, ...] = ()
    storage_notes: tuple[str, ...] = ()
    lifetime: Lifetime | None = None


class Found(NamedTuple):
    """A place in a project's files: the value, and where it stands."""

    value: str
    place: str


class Project:
    """The files of a directory, as far as they are text of a reasonable size."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """The text of a file; empty where there is none."""
        if name not in self._texts:
            self._texts[name] = self._read(os.path.join(self.directory, name))
        return self._texts[name]

    def _read(self, path: str) -> str:
        try:
            with open(os.open(path, _READ), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return ""
                return file.read(MAX_BYTES).decode(errors="replace")
        except OSError:
            return ""

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return os.path.isfile(os.path.join(self.directory, name))

    def files(self, *endings: str) -> Iterator[str]:
        """The names of the project's own files with these endings, nearest first."""
        count = 0
        for place, folders, names in os.walk(self.directory):
            inner = os.path.relpath(place, self.directory)
            depth = 0 if inner == "." else inner.count(os.sep) + 1
            folders[:] = sorted(
                name for name in folders if name not in _SKIPPED and name[0] != "." and depth < MAX_DEPTH
            )
            for name in sorted(names):
                if name.endswith(endings):
                    count += 1
                    if count > MAX_FILES:
                        return
                    yield name if inner == "." else os.path.join(inner, name)

    def find(self, pattern: str, *endings: str) -> Found | None:
        """The first group of the first match in a file with one of these endings."""
        sought = re.compile(pattern)
        for name in self.files(*endings):
            text = self.text(name)
            if match := sought.search(text):
                return Found(match[1], f"{name}:{text.count(chr(10), 0, match.start(1)) + 1}")
        return None

    def depends_on(self, package: str) -> bool:
        """Whether the project's list of dependencies names a package."""
        name = "[-_.]".join(map(re.escape, re.split("[-_.]", package)))
        lists = ("requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg", "setup.py")
        if any(re.search(rf"(?im)(^|[\"'\s]){name}([\"'\s=<>~!\[;@]|$)", self.text(file)) for file in lists):
            return True
        return f'"{package}"' in self.text("package.json") or bool(
            re.search(rf"(?m)^[ \t]*gem ['\"]{re.escape(package)}['\"]", self.text("Gemfile"))
        )


def propose(directory: str) -> list[Proposal]:
    """A profile for each framework that the project seems to use, the likeliest first."""
    project = Project(directory)
    detectors: tuple[Callable[[Project], Proposal | None], ...] = (_django, _rails, _remix, _express, _flask)
    return [found for detect in detectors if (found := detect(project)) is not None]


_PYTHON_ENV = r"(?:environ(?:\.get\(|\[)|getenv\(|env(?:\.str)?\(|config\()\s*[\"'](\w+)[\"']"
_NODE_ENV = r"process\.env(?:\.|\[[\"'])(\w+)"


_SIGNED = ("db", "file")
"""Django's stores whose records are signed; what lies in its cache is not."""


def _django(project: Project) -> Proposal | None:
    if not (project.has("manage.py") or project.find(r"(INSTALLED_APPS)\s*=", ".py")):
        return None
    if "django" not in project.text("manage.py").lower() and not project.find(r"(django\.contrib)", ".py"):
        return None
    engine = project.find(r"SESSION_ENGINE\s*=\s*[\"']([\w.]+)[\"']", ".py")
    name = project.find(r"SESSION_COOKIE_NAME\s*=\s*[\"']([^\"']+)[\"']", ".py")
    kind = engine.value.rpartition(".")[2] if engine else "db"
    secrets, notes = _secret(
        project, r"(?m)^[ \t]*SECRET_KEY\s*=\s*([^\n]+)", _PYTHON_ENV, "DJANGO_SECRET_KEY", ".py"
    )
    storage, more = _django_store(project, kind)
    if kind != "signed_cookies":
        stored = (*notes, f'secrets = ["{secrets[0]}"]      # SECRET_KEY, which signs what is stored')
        notes = ("the cookie holds an ID alone, which no secret signs", *(stored if kind in _SIGNED else ()))
        secrets = ()
    return Proposal(
        "django", f"manage.py; sessions in {kind}{_at(engine)}", "django",
        name.value if name else "sessionid", secrets, storage, notes, more,
        of_python(project, "SESSION_COOKIE_AGE"),
    )  # fmt: skip


def _django_store(project: Project, kind: str) -> tuple[str | None, tuple[str, ...]]:
    if kind == "file":
        path = project.find(r"SESSION_FILE_PATH\s*=\s*[\"']([^\"']+)[\"']", ".py")
        return f"fs:{path.value if path else '/tmp'}?layout=django-file", ()  # noqa: S108 - Django's own default
    if kind in ("cache", "cached_db"):
        redis = project.find(r"LOCATION[\"']?\s*:\s*[\"'](rediss?://[^\"']+)[\"']", ".py")
        return _on_redis(redis.value if redis else "redis://localhost/1", "django-cache")
    if kind == "signed_cookies":
        return None, ()
    return None, ("sessions are rows of the database; this reads one (sqlite3 FILE in place of psql -Atc for SQLite):",
                  READERS["django"])  # fmt: skip


def _on_redis(url: str, layout: str, prefix: Found | None = None) -> tuple[str, tuple[str, ...]]:
    """The store on a Redis, whose password is left where it is, and what to say of that."""
    bare = without_password(url)
    given = f"layout={layout}{_option('prefix', prefix)}"
    mark = "&" if "?" in bare else "?"
    if bare == url:
        return f"{url}{mark}{given}", ()
    note = "its password is not copied: REDIS_PASSWORD is to hold it"
    return f"{bare}{mark}{given}&password_env=REDIS_PASSWORD", (note,)


def _option(name: str, found: Found | None) -> str:
    """An option more in a URL's query, where its value was found."""
    return f"&{name}={quote(found.value, safe=':/')}" if found else ""


def _flask(project: Project) -> Proposal | None:
    used = project.find(r"(?m)^[ \t]*(?:from|import)\s+(flask)\b", ".py")
    if not used and not project.depends_on("flask"):
        return None
    name = project.find(r"SESSION_COOKIE_NAME[\"'\]]*\s*=\s*[\"']([^\"']+)[\"']", ".py")
    pattern = r"(?:\bSECRET_KEY[\"'\]]*|\.secret_key)\s*=\s*([^\n]+)"
    secrets, notes = _secret(project, pattern, _PYTHON_ENV, "SECRET_KEY", ".py")
    storage, more = _flask_store(project) if project.depends_on("flask-session") else (None, ())
    because = f"flask{_at(used)}"
    cookie_name = name.value if name else "session"
    lifetime = of_python(project, "PERMANENT_SESSION_LIFETIME")
    return Proposal("flask", because, "flask", cookie_name, secrets, storage, notes, more, lifetime)


def _flask_store(project: Project) -> tuple[str | None, tuple[str, ...]]:
    """Flask-Session's, by its own settings and defaults (0.8, defaults.py)."""

    def setting(name: str, value: str = r"[\"']([^\"'\n]+)[\"']") -> Found | None:
        return project.find(rf"\b{name}[\"'\]]*\s*[=:]\s*{value}", ".py")

    kind, prefix = setting("SESSION_TYPE"), setting("SESSION_KEY_PREFIX")
    whose = "Flask-Session: the cookie holds an ID alone, the session lies in the store"
    if kind is not None and kind.value == "filesystem":
        folder = setting("SESSION_FILE_DIR")
        place = folder.value if folder else "flask_session"
        return f"fs:{place}?layout=flask-session{_option('prefix', prefix)}", (whose,)
    if kind is not None and kind.value == "memcached":
        return f"memcached://localhost?layout=flask-session{_option('prefix', prefix)}", (whose,)
    if kind is not None and kind.value != "redis":
        return None, (f"{whose}: {kind.value} ({kind.place}); 'sessionctl decode --record -' reads a record",)
    url = setting("SESSION_REDIS", r"[^\n]*?[\"'](rediss?://[^\"'\s]+)[\"']")
    storage, more = _on_redis(url.value if url else "redis://localhost/0", "flask-session", prefix)
    return storage, (whose, *more)


def _express(project: Project) -> Proposal | None:
    sources = (".js", ".mjs", ".cjs", ".ts")
    given = r"(?:\bsecrets?|\bkeys)\s*:\s*(\[?[^\n]+)"
    lifetime = of_javascript(project, r"[sS]ession\(\s*\{", "maxAge", *sources)
    if project.depends_on("express-session"):
        called = project.find(r"(?s)session\(\s*\{(.{0,1500})", *sources)
        name = (
            re.search(r"\bname\s*:\s*[\"'`]([^\"'`]+)", called.value.partition("\n})")[0]) if called else None
        )
        secrets, notes = _secret(project, given, _NODE_ENV, "SESSION_SECRET", *sources)
        storage, more = _express_store(project, *sources)
        return Proposal("express", f"express-session in package.json{_at(called)}", "express",
                        name[1] if name else "connect.sid", secrets, storage, notes, more, lifetime)  # fmt: skip
    if project.depends_on("cookie-session"):
        found = project.find(r"(?s)[sS]ession\(\s*\{.{0,600}?\bname\s*:\s*[\"'`]([^\"'`]+)", *sources)
        secrets, notes = _secret(project, given, _NODE_ENV, "SESSION_SECRET", *sources)
        return Proposal("express", "cookie-session in package.json", "cookie-session",
                        found.value if found else "session", secrets, None, notes, (), lifetime)  # fmt: skip
    return None


def _express_store(project: Project, *sources: str) -> tuple[str | None, tuple[str, ...]]:
    if project.depends_on("connect-redis"):
        url = project.find(r"[\"'`](rediss?://[^\"'`\s${}]+)[\"'`]", *sources)
        prefix = project.find(r"RedisStore\(\{[^}]{0,600}?\bprefix\s*:\s*[\"'`]([^\"'`${}]+)[\"'`]", *sources)
        return _on_redis(url.value if url else "redis://localhost/0", "connect-redis", prefix)
    if project.depends_on("connect-memcached"):
        return "memcached://localhost?layout=connect-memcached", ()
    return ("fs:sessions?layout=express-file" if project.depends_on("session-file-store") else None), ()


def _remix(project: Project) -> Proposal | None:
    package = project.text("package.json")
    own = re.search(r'"(@remix-run/session[\w-]*|remix)"', package)
    two = re.search(r'"(@remix-run/(?:node|react|server-runtime)|react-router|@react-router/node)"', package)
    sources = (".ts", ".tsx", ".js", ".mjs", ".jsx")
    found = project.find(r"(create(?:Cookie|File|Memory)?SessionStorage|createCookie)\b", *sources)
    if own is None and not (two and found):
        return None
    called = r"(?s)(?:createCookie\(\s*|name\s*:\s*)[\"'`]([^\"'`]+)[\"'`]"
    name = project.find(called, *sources)
    secrets, notes = _secret(project, r"secrets\s*:\s*(\[[^\n]*)", _NODE_ENV, "SESSION_SECRET", *sources)
    storage = None
    if found and found.value == "createFileSessionStorage":
        folder = project.find(r"\bdir\s*:\s*[\"'`]([^\"'`]+)", *sources)
        storage = f"fs:{folder.value if folder else 'sessions'}?layout=react-router-file"
    kind = "react-router" if two and not own else "remix"
    because = f"{(own or two or [''])[0].strip(chr(34))} in package.json{_at(found)}"
    usual = "__session" if kind == "react-router" else "session"
    return Proposal("remix", because, kind, name.value if name else usual, secrets, storage, notes)


def _rails(project: Project) -> Proposal | None:
    application = project.text("config/application.rb")
    if "Rails::Application" not in application:
        return None
    text = project.text("config/initializers/session_store.rb") + application
    store = re.search(r"session_store\s+:?(\w+)", text)
    key = re.search(r"key:\s*[\"']([^\"']+)[\"']", text)
    module = re.search(r"(?m)^[ \t]*module\s+(\w+)", application)
    usual = f"_{re.sub(r'(?<!^)(?=[A-Z])', '_', module[1]).lower()}_session" if module else "_session_id"
    kind = store[1] if store else "cookie_store"
    in_cookie = kind == "cookie_store"
    secrets = ("env:SECRET_KEY_BASE",) if in_cookie else ()
    sealed = project.has("config/credentials.yml.enc")
    notes = ("secret_key_base: 'bin/rails runner \"puts Rails.application.secret_key_base\"' prints it,",
             "where it is in the encrypted credentials") if sealed else ()  # fmt: skip
    storage = "redis://localhost/0?layout=rack-redis" if kind in ("redis_store", "cache_store") else None
    return Proposal("rails", f"config/application.rb; sessions in {kind}", "rails" if in_cookie else "rack",
                    key[1] if key else usual, secrets, storage, notes)  # fmt: skip


def _secret(
    project: Project, pattern: str, environment: str, usual: str, *endings: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The environment variable that the code takes its secret from; a secret in the code itself is not copied."""
    found = project.find(pattern, *endings)
    if found is None:
        return (f"env:{usual}",), ("no secret was seen in the code: the variable is a guess",)
    names = re.findall(environment, found.value)
    if names:
        return tuple(f"env:{name}" for name in dict.fromkeys(names)), ()
    return (f"env:{usual}",), (f"{found.place} holds the secret: set the variable",)


def _at(found: Found | None) -> str:
    return f" ({found.place})" if found else ""
