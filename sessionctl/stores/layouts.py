"""The stores of other frameworks that can be read: `?layout=NAME` in the URL of a storage.

A layout says how records are named in files, and on Redis or Memcached, and which framework's they are. Names,
prefixes and hashes are the frameworks' defaults; `prefix=` in the URL replaces the prefix.
Sources: where the modules of the records say, illuminate/session 8 and 12 FileSessionHandler.php, gorilla/sessions
1.2.1 store.go, phpredis 6 redis_session.c, laravel/framework 8 to 12 config/cache.php and config/database.php,
boj/redistore 1.2, alexedwards/scs redisstore, rack 2.2 and 3.1 lib/rack/session/abstract/id.rb.
"""

from __future__ import annotations

from typing import NamedTuple

from sessionctl.errors import UsageError
from sessionctl.stores.rules import Rule, beaker, halves, plain, rack_private, scs_hashed
from sessionctl.wording import did_you_mean

_DJANGO = ("cache", "cached_db")
_DJANGO_PREFIXES = tuple(f":1:django.contrib.sessions.{name}" for name in _DJANGO)
_LARAVEL_PREFIXES = (
    "laravel_database_laravel_cache:",  # Laravel 8 and 9
    "laravel_database_laravel_cache_",  # 10 and 11
    "laravel-database-laravel-cache-",  # 12
)
_TOKEN = r"[A-Za-z0-9_-]{16,}"  # noqa: S105 - a shape
_HEX_32 = r"[0-9a-f]{32}"
_CACHELIB_COUNT = frozenset(
    {
        "2029240f6d1128be89ddc32729463129",
        "79bc207ee04a581ab2348ca1f3494e64cd0ec36128735b8c6bc85ddd8fe1938c",
    }
)
"""The file in which cachelib and Werkzeug's cache count their files: MD5 and SHA-256 of `__wz_cache_count`."""


class Layout(NamedTuple):
    """One kind of store: how it names its records in files and on servers; None where it has none there.

    `record` is what `read_record` is asked for, None where the bytes tell best; `formats` are the cookies
    whose usual store this is. `cookie_names` are the framework's names for its cookie, where no format tells.
    `max_age` is the framework's default for how many seconds after its last change a file is dropped on reading,
    but for a session whose item `own_end` is set; an application sets it by `age_setting`.
    """

    name: str
    summary: str
    record: str | None
    formats: tuple[str, ...] = ()
    files: Rule | None = None
    servers: Rule | None = None
    cookie_names: tuple[str, ...] = ()
    max_age: float | None = None
    own_end: str | None = None
    age_setting: str = ""

    def rule(self, *, in_files: bool) -> Rule:
        """The rule for a place. Raises `UsageError` where the framework keeps nothing there."""
        rule = self.files if in_files else self.servers
        if rule is None:
            where = "on a server (redis:, memcached:)" if in_files else "in files (fs:)"
            raise UsageError(f"layout {self.name!r} lies {where}")
        return rule


_LAYOUTS = (
    Layout(
        "connect-redis", "express-session on Redis, and @fastify/session", "express",
        ("express", "fastify-cookie"), servers=Rule(("sess:",)),
    ),
    Layout(
        "connect-memcached", "express-session on Memcached", "express",
        ("express", "fastify-cookie"), servers=Rule(shape=_TOKEN),
    ),
    Layout(
        "express-file", "session-file-store", "express",
        ("express", "fastify-cookie"), files=Rule(suffixes=(".json",), shape=r"[\w-]+"),
        age_setting="ttl",
    ),
    Layout(
        "koa-redis", "koa-session with an external store", "koa",
        ("cookie-session",), servers=Rule(shape=_TOKEN),
    ),
    Layout(
        "react-router-file", "React Router and Remix 2: createFileSessionStorage", "react-router",
        ("react-router",), files=Rule(folders=halves, depth=1, shape=r"[0-9a-f]{16}"),
    ),
    Layout(
        "django-cache", "Django: sessions.backends.cache and cached_db", "django",
        ("django", "django-signed"),
        Rule(_DJANGO_PREFIXES, (".djcache",), hashes=("md5",)), Rule(_DJANGO_PREFIXES),
    ),
    Layout(
        "django-file", "Django: sessions.backends.file", "django",
        ("django", "django-signed"), files=Rule(("sessionid",), shape=r"[0-9a-z]{32}"),
        max_age=1209600.0, own_end="_session_expiry",  # set by `set_expiry`
        age_setting="SESSION_COOKIE_AGE",
    ),
    Layout(
        "flask-session", "Flask-Session on Redis, Memcached, or in files of cachelib", "flask-session",
        ("flask", "itsdangerous"),
        Rule(("session:",), hashes=("sha256", "md5"), no_records=_CACHELIB_COUNT), Rule(("session:",)),
    ),
    Layout(
        "cachelib", "cachelib and Werkzeug's cache: files", "cachelib",
        (), files=Rule(("", "session:"), hashes=("sha256", "md5"), no_records=_CACHELIB_COUNT),
    ),
    Layout(
        "starsessions", "starsessions on Redis", "starsessions",
        ("starlette",), Rule(("starsessions.", "")), Rule(("starsessions.", ""), shape=r"[0-9a-f]{32,}"),
    ),
    Layout(
        "sanic", "sanic-session on Redis and Memcached", "sanic",
        (), Rule(("session:", ""), shape=_HEX_32), Rule(("session:",)), ("session",),
    ),
    Layout(
        "litestar", "Litestar: ServerSideSessionConfig", "litestar",
        ("litestar",), Rule(hashes=("blake2s",)), Rule(("LITESTAR:",)),
    ),
    Layout(
        "aiohttp-redis", "aiohttp-session: RedisStorage, MemcachedStorage", "aiohttp",
        ("aiohttp",), servers=Rule(("AIOHTTP_SESSION_",)),
    ),
    Layout(
        "beaker", "Beaker: type=file, ext:redis", "beaker",
        ("beaker",), Rule(suffixes=(".cache",), folders=beaker, depth=3, shape=_HEX_32),
        Rule(("beaker_cache:",), (":session",)),
    ),
    Layout(
        "cherrypy", "CherryPy: FileSession", "cherrypy", (), Rule(("session-",), shape=r"[0-9a-f]{40}"),
        cookie_names=("session_id",),
    ),
    Layout(
        "werkzeug-file", "secure-cookie and Werkzeug: FilesystemSessionStore", "werkzeug",
        ("werkzeug",), Rule(("werkzeug_", "secure_cookie_"), (".sess", ".session"), shape=r"[0-9a-f]{40}"),
    ),
    Layout(
        "php", "PHP and Symfony: files, phpredis, php-memcached", "php",
        ("php",), Rule(("sess_",), shape=r"[A-Za-z0-9,-]+"),
        Rule(("PHPREDIS_SESSION:", "memc.sess.key.", "memc.sess.")),
    ),
    Layout(
        "laravel-file", "Laravel: SESSION_DRIVER=file", "laravel",
        ("laravel",), files=Rule(shape=r"[A-Za-z0-9]{40}"),
        max_age=7200.0, age_setting="session.lifetime",
    ),
    Layout(
        "laravel-redis", "Laravel: SESSION_DRIVER=redis", "laravel",
        ("laravel",), servers=Rule(_LARAVEL_PREFIXES),
    ),
    Layout(
        "gorilla", "gorilla/sessions: FilesystemStore, boj/redistore", "gorilla",
        ("gorilla",), Rule(("session_",), shape=r"[A-Z2-7]{52}"), Rule(("session_",)),
        max_age=2592000.0,  # of NewFilesystemStore: its codec counts from the save, which is the file's time too
        age_setting="MaxAge",
    ),
    Layout(
        "scs", "alexedwards/scs", "scs",
        (), Rule(forms=(plain, scs_hashed), shape=_TOKEN),
        Rule(("scs:session:", ""), forms=(plain, scs_hashed), shape=_TOKEN), ("session",),
    ),
    Layout(
        "rack-redis", "redis-rack, and Rails' cache store, in Marshal", "rack",
        ("rack", "rails"),
        servers=Rule(("rack:session:", "_session_id:"), forms=(rack_private, plain)),
    ),
)  # fmt: skip

_OTHER_NAMES = {
    "express": "connect-redis",
    "session-file-store": "express-file",
    "django": "django-cache",
    "symfony": "php",
    "laravel": "laravel-redis",
    "koa": "koa-redis",
    "aiohttp": "aiohttp-redis",
    "werkzeug": "werkzeug-file",
    "secure-cookie": "werkzeug-file",
    "gorilla-file": "gorilla",
    "litestar-file": "litestar",
    "react-router": "react-router-file",
    "rack": "rack-redis",
}

_OTHER_NAMES_IN = {
    "fs": {"express": "express-file", "django": "django-file", "laravel": "laravel-file"},
    "memcached": {"express": "connect-memcached"},
}
"""What a framework's own name means in a place, by its scheme, where that is another layout than elsewhere."""


def names() -> list[str]:
    """The names of all layouts."""
    return [layout.name for layout in _LAYOUTS]


def every() -> tuple[Layout, ...]:
    """All layouts, for tables."""
    return _LAYOUTS


def get(name: str, scheme: str = "") -> Layout:
    """The layout of a name, which may mean another in a place of that scheme.

    Raises `UsageError`, which names the nearest.
    """
    wanted = _OTHER_NAMES_IN.get(scheme, {}).get(name) or _OTHER_NAMES.get(name, name)
    for layout in _LAYOUTS:
        if layout.name == wanted:
            return layout
    raise UsageError(f"there is no layout {name!r}{did_you_mean(name, names())} ({', '.join(names())})")


def cookie_names(format_name: str | None, url: str | None) -> list[str]:
    """The names that a framework gives its session's cookie: that of the format, else of the layout in a URL.

    Empty where neither names one. Raises `UnknownFormatError` and `UsageError`.
    """
    from urllib.parse import parse_qsl

    from sessionctl import formats

    if format_name is not None:
        return [*formats.get(format_name).cookie_names]
    place, _, query = (url or "").partition("?")
    name = dict(parse_qsl(query)).get("layout")
    if name is None:
        return []
    layout = get(name, place.partition(":")[0])
    return [
        *layout.cookie_names,
        *(each for kind in layout.formats for each in formats.get(kind).cookie_names),
    ]


def usual(format_name: str, *, in_files: bool) -> list[Layout]:
    """The layouts in which the sessions of a cookie format usually lie."""
    return [
        layout
        for layout in _LAYOUTS
        if format_name in layout.formats and (layout.files if in_files else layout.servers) is not None
    ]
