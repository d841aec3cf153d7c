# ruff: noqa: E501 - files of others, as they are
"""Settings hold in the order option, environment, project, user, default; a project's file counts once trusted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer

Run = Callable[..., Answer]


@pytest.fixture
def project(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory deep in a project, as the working directory; the project's root is returned."""
    root = tmp_path / "project"
    (root / "src" / "app").mkdir(parents=True)
    monkeypatch.chdir(root / "src" / "app")
    return root


@pytest.fixture
def write(project: Path, home: Path) -> Callable[..., Path]:
    """Write the project's file, or the user's."""

    def call(text: str, *, user: bool = False) -> Path:
        path = home / ".config/sessionctl/config.toml" if user else project / "sessionctl.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    return call


Write = Callable[..., Path]


def shown(answer: Answer) -> dict[str, tuple[Any, str]]:
    """What `config show --json` said: each setting with its value and its source."""
    return {item["key"]: (item["value"], item["source"]) for item in answer.json["settings"]}


def test_order(run: Run, write: Write) -> None:
    """Each layer wins over those after it, key by key."""
    write('[profiles.shop]\ncookie_name = "user"\nformat = "remix"\nmax_age = "1d"\n', user=True)
    write('default_profile = "shop"\n[profiles.shop]\ncookie_name = "project"\nformat = "express"\n')
    assert shown(run("config", "show", "--json"))["cookie_name"][0] == "user"
    assert run("config", "trust").status == 0
    plain = shown(run("config", "show", "--json"))
    assert plain["cookie_name"][0] == "project"
    assert plain["cookie_name"][1].endswith("sessionctl.toml, line 3")
    assert plain["max_age"][0] == "1d"
    assert plain["max_age"][1].endswith("config.toml, line 4")
    assert shown(run("config", "show", "--json", SESSIONCTL_COOKIE_NAME="env"))["cookie_name"] == (
        "env",
        "SESSIONCTL_COOKIE_NAME",
    )
    both = run("config", "show", "--json", "--cookie-name", "opt", SESSIONCTL_COOKIE_NAME="env")
    assert shown(both)["cookie_name"] == ("opt", "--cookie-name")
    assert shown(both)["storage"][1] == "default"


def test_settings_hold_for_commands(run: Run, write: Write) -> None:
    """A default profile gives format, cookie name and secrets without an option; an option still wins."""
    write(
        'default_profile = "web"\n[profiles.web]\nformat = "flask"\ncookie_name = "sid"\nsecrets = ["env:KEY"]\n',
        user=True,
    )
    made = run("create", "--set", "a=1", "--json", KEY="s3cret").json
    assert (made["format"], made["cookie_name"]) == ("flask", "sid")
    assert run("verify", made["cookie"], KEY="s3cret").status == 0
    assert "the profile web" in run("inspect", made["cookie"], KEY="s3cret").out.splitlines()[0]
    assert run("verify", made["cookie"], "--secret", "other", KEY="s3cret").status == 1
    assert run("create", "-f", "native", "--json", KEY="s3cret").json["format"] == "native"


def test_options_of_another_format_stay_out(run: Run, write: Write) -> None:
    """The profile's format options do not reach a format that was asked for instead."""
    write('default_profile = "a"\n[profiles.a]\nformat = "express"\noptions = { prefix = "" }\n', user=True)
    assert run("create", "-f", "flask", "--secret", "x", "--set", "a=1").status == 0


def test_an_untrusted_project(run: Run, write: Write, project: Path) -> None:
    """Its storage and secrets do not count, which a warning says; what only tells how to read does count."""
    write(
        'default_profile = "p"\n[profiles.p]\nstorage = "fs:stolen"\nsecrets = ["text:evil"]\ncookie_name = "sid"\n'
    )
    made = run("create", "--set", "a=1", "--json")
    assert (made.status, made.json["cookie_name"]) == (0, "sid")
    assert "config trust" in made.err
    assert not (project / "stolen").exists()
    assert run("create", "-q").err == ""
    asked = run("create", "-p", "p")
    assert (asked.status, "config trust" in asked.err) == (2, True)
    assert run("create", "-p", "p", "-s", "cookie:", "--secret", "x").status == 0
    assert run("config", "show", "--json").json["withheld"] == ["storage", "secrets"]


def test_trust(run: Run, write: Write, project: Path) -> None:
    """Once trusted, the file counts, until it changes or is revoked; relative places are beside the file."""
    text = 'default_profile = "p"\n[profiles.p]\nstorage = "fs:store"\nsecrets = ["file:key"]\n'
    path = write(text)
    (project / "key").write_text("s3cret\n")
    assert run("config", "trust").status == 0
    made = run("create", "--set", "a=1", "--json")
    assert (made.err, made.json["storage"]) == ("", f"fs:{project}/store")
    assert run("verify", made.json["cookie"], "--secret", "s3cret").status == 0
    path.write_text(f"{text}# changed\n")
    assert "config trust" in run("create").err
    run("config", "trust", str(project))
    assert run("create").err == ""
    assert run("config", "trust", "--revoke", "--json").json["trusted"] is False
    assert "config trust" in run("create").err


def test_an_untrusted_choice_of_profile(run: Run, write: Write, home: Path) -> None:
    """A project does not choose among its user's storages and secrets, nor change a profile of theirs, untrusted."""
    user = f'[profiles.live]\nstorage = "fs:{home}/live"\nsecrets = ["text:own"]\nformat = "flask"\nmax_age = "1h"\n'
    write(user, user=True)
    write('default_profile = "live"\n[profiles.live]\nmax_age = "none"\n')
    answer = run("config", "show", "--json")
    assert answer.json["withheld"] == ["default_profile"] * 2
    assert (shown(answer)["storage"][1], shown(answer)["max_age"][0]) == ("default", "1h")
    assert "sets default_profile, and you have not trusted it" in run("list").err
    assert shown(run("config", "show", "--json", "-p", "live"))["storage"][0] == f"fs:{home}/live"
    assert shown(run("config", "show", "--json", "-p", "live"))["max_age"][0] == "1h"
    write(f'default_profile = "live"\n{user}', user=True)
    assert shown(run("config", "show", "--json"))["storage"][0] == f"fs:{home}/live"
    write(user, user=True)
    assert run("config", "trust").status == 0
    answer = run("config", "show", "--json")
    assert (answer.json["withheld"], shown(answer)["storage"][0]) == ([], f"fs:{home}/live")
    assert shown(answer)["max_age"][0] == "none"


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'1' * 5000}\n",
        f"a = {'[' * 5000}\n",
        f"# {'x' * (1 << 20)}\n",
        'default_profile = "a"\nprofiles = [1]\n',
        "[profiles.a]\nsecrets = 5\n",
        "[profiles.a]\nmax_age = nan\n",
        '[profiles.a]\nmax_age = "soon"\n',
        "[profiles.a]\nmax_age = -1\n",
        "[profiles.a]\noptions = { salt = inf }\n",
    ],
    ids=[
        "a long number",
        "nesting",
        "size",
        "a list of profiles",
        "secrets are a number",
        "nan",
        "no duration",
        "less than none",
        "inf",
    ],
)
def test_hostile_files(run: Run, write: Write, text: str) -> None:
    """Whatever stands in a project's file is a mistake in it, which every command and the check name."""
    path = write(text)
    for words in (["decode", "x"], ["config", "check"], ["config", "trust"]):
        answer = run(*words)
        assert (answer.status, str(path) in answer.out + answer.err) == (2, True), answer


def test_a_secret_s_file_of_any_name(run: Run, write: Write, home: Path) -> None:
    """A name with a character that no terminal shows is still a file's name, never itself the secret."""
    (home / "my\u00a0key").write_text("s3cret\n")
    write(f'default_profile = "p"\n[profiles.p]\nsecrets = ["file:{home}/my\u00a0key"]\n', user=True)
    made = run("create", "-s", "cookie:").text
    assert run("verify", made, "--secret", "s3cret").status == 0
    assert run("verify", made, "--secret", f"@{home}/my\u00a0key").status == 0
    write('default_profile = "p"\n[profiles.p]\nsecrets = ["file:\\u0000"]\n', user=True)
    assert (run("create").status, run("config", "check").status) == (2, 0)


def test_trust_is_kept_privately(run: Run, write: Write, home: Path) -> None:
    """The file that keeps it is the user's alone, and a broken one trusts nothing."""
    write('[profiles.p]\nstorage = "cookie:"\n')
    run("config", "trust")
    kept = next(home.rglob("trusted.json"))
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("[")
    assert run("create", "-p", "p").status == 2


def test_no_command_from_a_project(run: Run, write: Write, project: Path) -> None:
    """`command:` runs from the user's own file alone; in a project's it is a mistake, trusted or not."""
    marker = project / "ran"
    line = f"[profiles.p]\nsecrets = [\"command:sh -c 'touch {marker}; echo s3cret'\"]\n"
    write(line)
    for arguments in (
        ["config", "trust"],
        ["create", "-p", "p"],
        ["config", "show", "-p", "p"],
        ["config", "check"],
    ):
        answer = run(*arguments)
        assert answer.status == 2
        assert "command:" in answer.err + answer.out
    assert not marker.exists()
    (project / "sessionctl.toml").unlink()
    write(line, user=True)
    cookie = run("create", "-p", "p", "-s", "cookie:").text
    assert marker.exists()
    assert run("verify", cookie, "--secret", "s3cret").status == 0


def test_a_command_that_fails(run: Run, write: Write) -> None:
    """It is an error of the secret, without what the command printed."""
    write(
        '[profiles.p]\nsecrets = ["command:sh -c \'echo leak; exit 3\'"]\n[profiles.q]\nsecrets = ["command:/nonexistent"]\n',
        user=True,
    )
    for name in "pq":
        answer = run("create", "-p", name)
        assert (answer.status, "leak" in answer.err) == (2, False)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[profiles.a]\nstorge = "fs:x"\n', 2, ["profiles.a.storge", "'storage'"]),
        ('\n\n[profiles.a]\ncookie-name = "x"\n', 4, ["'cookie_name'"]),
        ('[profile.a]\nstorage = "fs:x"\n', 1, ["profile", "'profiles'"]),
        ('[profiles]\nstorage = "fs:x"\n', 2, ["profiles.storage"]),
        ('[profiles.a]\nsecrets = "env:X"\n', 2, ["list"]),
        ("[profiles.a]\nformat = 3\n", 2, ["text"]),
        ('[profiles.a]\nstorage = "sessions"\n', 2, ["URL"]),
        ('[profiles.a]\ncookie_name = "a b"\n', 2, ["name"]),
        ('[profiles.a]\noptions = { salt = ["x"] }\n', 2, ["table"]),
        ('profiles.a = { storge = "fs:x" }\n', 1, ["'storage'"]),
        ('default_profile = "shopp"\n[profiles.shop]\n', 1, ["'shop'"]),
        ("[profiles.a]\nstorage = fs:x\n", 2, ["TOML"]),
        ("[profiles.a\n", 1, ["TOML"]),
    ],
)  # fmt: skip
def test_mistakes(run: Run, write: Write, text: str, line: int, words: list[str]) -> None:
    """A mistake names the file, the line, the key and the nearest right key, at every command."""
    path = write(text, user=True)
    answer = run("create")
    assert answer.status == 2
    assert f"{path}, line {line}: " in answer.err
    for word in words:
        assert word in answer.err
    checked = run("config", "check", "--json")
    assert (checked.status, checked.json["findings"][0]["line"]) == (2, line)


@pytest.mark.parametrize(
    ("profile", "severity", "word"),
    [
        ('format = "flsk"', "error", "'flask'"),
        ('format = "flask"\noptions = { slat = "x" }', "error", "salt"),
        ('storage = "fs:"', "error", "fs:"),
        ('storage = "nonsense:x"', "error", "nonsense"),
        ('max_age = "soon"', "error", "duration"),
        ('secrets = ["env:SESSIONCTL_TEST_NOT_SET"]', "warning", "not set"),
        ('secrets = ["file:/nonexistent/key"]', "warning", "nonexistent"),
    ],
)
def test_check(run: Run, write: Write, profile: str, severity: str, word: str) -> None:
    """`config check` also looks at what the values come to, and ends 2 for an error alone."""
    write(f"[profiles.a]\n{profile}\n", user=True)
    answer = run("config", "check", "--json")
    assert [item["severity"] for item in answer.json["findings"]] == [severity]
    assert word in answer.json["findings"][0]["message"]
    assert answer.status == (2 if severity == "error" else 0)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('format = "flsk"', 3, "format"),
        ('format = "flask"\noptions = { slat = "x" }', 4, "options.slat"),
        ('storage = "nonsense:x"', 3, "storage"),
        ('storage = "fs:x?tll=3d"', 3, "storage"),
    ],
)
def test_wrong_values(run: Run, write: Write, text: str, line: int, key: str) -> None:
    """A value that cannot be names its file, line and key at any command, but for what an option replaces."""
    path = write(f'default_profile = "a"\n[profiles.a]\n{text}\n', user=True)
    answer = run("verify", "a.b.c")
    assert answer.status == 2
    assert f"{path}, line {line}: profiles.a.{key}: " in answer.err
    wrong = run("create", "-f", "flsk", "-s", "nonsense:x")
    assert str(path) not in wrong.err


def test_check_of_options(run: Run, write: Write) -> None:
    """What is wrong with a format option is told at its own line and key, with the nearest right one."""
    write('[profiles.a]\noptions = { digest = "sha0", slat = "x" }\nformat = "flask"\n', user=True)
    digest, slat = run("config", "check", "--json").json["findings"]
    assert (digest["line"], digest["key"], "sha512" in digest["message"]) == (
        2,
        "profiles.a.options.digest",
        True,
    )
    assert (slat["line"], slat["key"], "'salt'" in slat["message"]) == (2, "profiles.a.options.slat", True)


def test_open_modes(run: Run, write: Write) -> None:
    """A file with a secret of its own that others can read is a warning; one that names a variable is not."""
    path = write('[profiles.a]\nsecrets = ["text:hunter2secret"]\n', user=True)
    assert run("config", "check", "--json").json["findings"] == []
    path.chmod(0o644)
    warned = run("config", "check")
    assert (warned.status, "chmod 600" in warned.out) == (0, True)
    path.write_text('[profiles.a]\nsecrets = ["env:HOME"]\n')
    assert run("config", "check").out == ""


def test_secrets_are_hidden(run: Run, write: Write) -> None:
    """`config show` tells where secrets come from and never what they are, in files, options, URLs or the environment."""
    write(
        '[profiles.a]\nsecrets = ["text:hunter2secret", "env:KEY"]\nstorage = "redis://mj:hunter2secret@cache/0"\n'
        'options = { block-key = "hunter2secret" }\nformat = "gorilla"\n',
        user=True,
    )
    for arguments in (
        ["-p", "a"],
        ["-p", "a", "--secret", "hunter2secret"],
        ["-p", "a", "-O", "block-key=hunter2secret"],
    ):
        for json in ([], ["--json"]):
            answer = run("config", "show", *arguments, *json, SESSIONCTL_SECRET="hunter2secret")
            assert answer.status == 0
            assert "hunter2" not in answer.out + answer.err
    assert "env:KEY" in run("config", "show", "-p", "a").out


def test_both_variables_of_secrets_count(run: Run, project: Path) -> None:
    """The keys of SESSIONCTL_SECRET_FILE come behind SESSIONCTL_SECRET, as those of --secret-file behind --secret."""
    keys = project / "keys"
    keys.write_text("older\noldest\n")
    cookie = run("create", "-f", "flask", "--secret", "oldest", "--set", "a=1").text
    told = {"SESSIONCTL_SECRET": "newest", "SESSIONCTL_SECRET_FILE": str(keys)}
    variables = run("verify", cookie, "--json", **told).json
    options = run("verify", cookie, "--json", "--secret", "newest", "--secret-file", str(keys)).json
    assert (variables["key_index"], variables["keys"]) == (options["key_index"], options["keys"]) == (2, 3)
    assert run("verify", cookie, "--secret", "other", **told).status == 1
    (secrets,) = (
        line for line in run("config", "show", **told).out.splitlines() if line.startswith("secrets")
    )
    assert f"@{keys}" in secrets
    assert "(SESSIONCTL_SECRET and SESSIONCTL_SECRET_FILE)" in secrets


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("django", "from django_session"),
        ("flask", "in its cookies"),
        ("express", "?layout="),
        ("native", None),
    ],
)
def test_the_default_storage_is_not_the_application_s(
    run: Run, write: Write, name: str, told: str | None
) -> None:
    """Where a profile has another framework's format and no storage, a look into the default one is told as such."""
    write(f'default_profile = "a"\n[profiles.a]\nformat = "{name}"\n', user=True)
    for words in (
        ["list"],
        ["stats"],
        ["purge", "--older-than", "1d", "--dry-run"],
        ["get", "--id", "x", "k"],
    ):
        err = run(*words).err
        assert ("the profile a names no storage" in err, told is None or told in err) == (
            told is not None,
            True,
        )
        assert "names no storage" not in run(*words, "-q").err + run(*words, "-s", "fs:mine").err


def test_the_profile_s_cookie_name(run: Run, write: Write) -> None:
    """Of a header the profile's cookie is taken; where it is not there, the likeliest, with a word."""
    write('default_profile = "a"\n[profiles.a]\ncookie_name = "sid"\n', user=True)
    cookie = run("create", "--set", "a=1", "-s", "cookie:").text
    assert run("decode", f"Cookie: session=x; sid={cookie}", "--json").json["data"] == {"a": 1}
    other = run("decode", f"Cookie: theme=x; app_session={cookie}")
    assert (other.status, "'sid'" in other.err) == (0, True)
    assert run("inspect", f"Cookie: app_session={cookie}").status == 0
    assert run("decode", f"Cookie: app_session={cookie}", "--cookie-name", "sid").status == 3


def test_completion_of_profiles(process: Run, write: Write) -> None:
    """A TAB press offers the profiles of both files."""
    write("[profiles.one]\n", user=True)
    write("[profiles.two]\n")
    answer = process(_SESSIONCTL_COMPLETE="bash_complete", COMP_WORDS="sessionctl create -p ", COMP_CWORD="3")
    assert answer.out.split() == ["plain,one", "plain,two"]


def test_without_files_nothing_is_loaded(run: Run, project: Path) -> None:
    """No file, no profile: naming one says how to begin."""
    assert "config init" in run("create", "-p", "x").err
    assert run("config", "check").err.strip().endswith("nothing is wrong")
    assert os.listdir(project) == ["src"]


def test_init(run: Run, project: Path) -> None:
    """`config init` writes a file that `config check` finds right, and does not write over one."""
    (project / "app.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\napp.secret_key = os.environ['APP_KEY']\n"
    )
    answer = run("config", "init", str(project), "--json").json
    assert (answer["path"], answer["profiles"][0]["secrets"]) == (
        str(project / "sessionctl.toml"),
        ["env:APP_KEY"],
    )
    assert run("config", "init", str(project)).status == 2
    assert run("config", "init", str(project), "--force").status == 0
    run("config", "trust")
    assert run("config", "check", APP_KEY="x").status == 0
    made = run("create", "--set", "a=1", "--json", APP_KEY="s3cret").json
    assert made["format"] == "flask"


def test_init_says_where_the_secret_comes_from(run: Run, project: Path) -> None:
    """Who has a profile written learns how its variable is set, also from a .env file, which is not read by itself."""
    (project / "app.py").write_text("from flask import Flask\napp.secret_key = os.environ['APP_KEY']\n")
    said = " ".join(run("config", "init", str(project)).err.split())
    assert "export APP_KEY=..., or of a .env file: set -a; . ./.env; set +a" in said


def test_init_prints(run: Run, project: Path) -> None:
    """`--print` writes nothing."""
    assert "[profiles.app]" in run("config", "init", "--print").out
    assert not list(project.rglob("*.toml"))


def test_init_for_the_user(run: Run, home: Path, project: Path) -> None:
    """`--user` begins the user's own file, which others cannot read."""
    path = Path(run("config", "init", "--user").text)
    assert path == home / ".config/sessionctl/config.toml"
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_among_the_options(run: Run, write: Write, home: Path) -> None:
    """`@FILE` is read beside the configuration, `env:NAME` from the environment; an untrusted file's are not."""
    text = '[profiles.a]\nformat = "flask"\nsecrets = ["text:s3cret"]\noptions = { salt = "SALT" }\n'
    (write("", user=True).parent / "salt").write_text("pepper\n")
    expected = run(
        "create",
        "-f",
        "flask",
        "--secret",
        "s3cret",
        "-O",
        "salt=pepper",
        "--now",
        "1795423900",
        "--set",
        "a=1",
    ).text
    for given in ("@salt", "env:SALT"):
        write(text.replace("SALT", given, 1), user=True)
        assert run("create", "-p", "a", "--now", "1795423900", "--set", "a=1", SALT="pepper").text == expected
    write(text.replace("SALT", "@/etc/passwd", 1), user=True).unlink()
    write(text.replace("SALT", "@/etc/passwd", 1))
    assert run("config", "show", "-p", "a", "--json").json["withheld"] == ["secrets", "options"]


@pytest.mark.parametrize("name", ["password", "sentinel_password"])
def test_passwords_in_a_query_are_hidden(run: Run, write: Write, name: str) -> None:
    """A password in a storage's URL is shown nowhere, whosever it is; the name of a variable is."""
    url = f"redis+sentinel://h/m/0?{name}=hunter2pw&password_env=REDIS_PASSWORD"
    write(f'default_profile = "p"\n[profiles.p]\nstorage = "{url}"\n', user=True)
    for answer in (run("config", "show"), run("config", "show", "--json"), run("config", "show", "-s", url)):
        assert "hunter2pw" not in answer.out + answer.err
        assert "password_env=REDIS_PASSWORD" in answer.out


def test_an_untrusted_url(run: Run, write: Write) -> None:
    """A foreign project does not say to which server a cookie is to be sent."""
    write('default_profile = "p"\n[profiles.p]\nurl = "https://evil.test/"\n')
    assert run("create", "--output", "curl").status == 2
    run("config", "trust")
    assert "evil.test" in run("create", "--output", "curl").text


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "cannot be started: No such file or directory; no shell reads it"),
        ("sh -c 'exit 3'", "ended with 3 and 0 characters"),
        ("printf 'a", "cannot be read: No closing quotation"),
        ("sleep 20", "did not end within 5 seconds"),
        ("printf '\\\\351'", "printed no UTF-8"),
    ],
)
def test_a_command_that_gives_no_secret(
    run: Run, write: Write, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    """Why a secret's command gave none is said in words."""
    monkeypatch.setattr("sessionctl.config.settings.COMMAND_SECONDS", 5)
    write(f'[profiles.p]\nsecrets = ["command:{command}"]\n', user=True)
    answer = run("create", "-p", "p")
    assert answer.status == 2
    assert said in answer.err


def test_a_byte_order_mark(run: Run, write: Write) -> None:
    """A file as Windows' editors write it, with a byte order mark in front, is read as without."""
    write('\ufeffdefault_profile = "p"\n[profiles.p]\ncookie_name = "sid"\nformt = "flask"\n')
    answer = run("config", "check")
    assert "line 4: profiles.p.formt: there is no such setting; did you mean 'format'?" in answer.out
    write('\ufeffdefault_profile = "p"\n[profiles.p]\ncookie_name = "sid"\n')
    assert shown(run("config", "show", "--json"))["cookie_name"][0] == "sid"


def test_what_is_no_cookie_s_name(run: Run, write: Write) -> None:
    """What a cookie's name may not hold is said."""
    write('default_profile = "p"\n[profiles.p]\ncookie_name = "my sid"\n')
    assert "a cookie's name as text, without blanks" in run("config", "check").out


def test_options_of_no_format(run: Run, write: Write) -> None:
    """What is wrong on the command line is told where the profile has options and leaves the format open."""
    write('default_profile = "p"\n[profiles.p]\noptions = { salt = "a" }\n')
    answer = run("verify", "--secret", "k", "--cookie-name", "a b", "x=y")
    assert (answer.status, "no spaces" in answer.err) == (2, True), answer


def test_check_of_a_default_profile(run: Run, write: Write) -> None:
    """A project may name one of the user's own profiles, and neither file one that is nowhere."""
    write('default_profile = "shopp"\n[profiles.shop]\n')
    answer = run("config", "check")
    assert (answer.status, "line 1" in answer.out, "'shop'" in answer.out) == (2, True, True)
    write("[profiles.shopp]\n", user=True)
    assert run("config", "check").status == 0
    write('default_profile = "shop"\n[profiles.other]\n', user=True)
    assert run("config", "check").status == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the rule is that of XDG")
def test_a_relative_xdg_directory_is_ignored(run: Run, home: Path) -> None:
    """The files lie where they would without it, not in whatever directory one works in."""
    places = run("config", "path", "--json", XDG_CONFIG_HOME="rel", XDG_DATA_HOME="rel").json
    assert places == run("config", "path", "--json").json
    assert places["config"].startswith(str(home))


def test_keys_that_are_not_there(run: Run, write: Write, tmp_path: Path) -> None:
    """What needs no key of the profile works without it; what cannot do without says which variable is not set."""
    write(
        'default_profile = "p"\n[profiles.p]\nformat = "flask"\nsecrets = ["env:KEY_OF_A_TEST"]\n', user=True
    )
    store = f"fs:{tmp_path}/sessions"
    flask = run("create", "--set", "a=1", KEY_OF_A_TEST="one").text
    run("create", "--set", "a=1", "-f", "native", "--secret", "x", "-s", store)
    for words in (
        ["decode", flask],
        ["list", "-s", store],
        ["stats", "-s", store],
        ["doctor", "-s", store],
        ["export", "-", "-s", store],
        ["purge", "--older-than", "1d", "-s", store],
        ["destroy", "--where", "a=1", "-s", store],
    ):
        answer = run(*words)
        assert (answer.status, "KEY_OF_A_TEST" in answer.err) == (0, False), (words, answer)
    for words in (["verify", flask], ["set", flask, "a=2"], ["create", "-s", "cookie:"]):
        refused = run(*words)
        assert (refused.status, "KEY_OF_A_TEST, which is not set" in refused.err) == (2, True), words
    told = run("inspect", "--json", flask)
    assert told.status == 0
    assert [warning["code"] for warning in told.json["warnings"]] == ["keys-missing"]
    assert "KEY_OF_A_TEST" in told.json["warnings"][0]["message"]
    assert "KEY_OF_A_TEST" in run("diff", flask, flask).err
    got = run("get", flask, "a")
    assert (got.status, got.out, "KEY_OF_A_TEST" in got.err) == (0, "1\n", True)
    assert run("inspect", "--json", flask, KEY_OF_A_TEST="one").json["signature"]["status"] == "valid"
    sealed = run("create", "-f", "iron", "--secret", "p" * 32, "--set", "a=1").text
    needs = run("decode", "-f", "iron", sealed)
    assert (needs.status, "KEY_OF_A_TEST" in needs.err) == (1, True)


def test_a_command_runs_only_for_what_needs_it(run: Run, write: Write, tmp_path: Path) -> None:
    """The command of a `command:` secret is not run to list a store."""
    mark = tmp_path / "ran"
    write(f'default_profile = "p"\n[profiles.p]\nsecrets = ["command:touch {mark}"]\n', user=True)
    assert run("list", "-s", f"fs:{tmp_path}/none").status == 0
    assert not mark.exists()
    assert (run("verify", "x.y.z").status, mark.exists()) == (2, True)
