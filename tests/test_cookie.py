"""`Cookie`: what browsers keep, what is signed, and what is taken for genuine."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadSignature, URLSafeTimedSerializer

from sessionctl import (
    Cookie,
    CookieAttributeError,
    CookieTooLargeError,
    KeyRing,
    SecretError,
    Session,
    UnknownFormatError,
    UnserializableValueError,
    UsageError,
    open_storage,
)
from sessionctl.cookie import MAX_AGE, find, set_cookie
from sessionctl.signing.mac import Hmac
from sessionctl.testing import Clock

FORMATS = ["native", "remix"]
LAX = "SameSite=Lax; Secure"
DAY = timedelta(days=1)


def made(name: str = "session", **attributes: object) -> str:
    """The Set-Cookie text of the value `v` in an unsigned cookie."""
    return Cookie(name, format="remix", **attributes).serialize("v")


def header(set_cookie: str) -> str:
    """What a browser sends back."""
    return set_cookie.partition(";")[0]


class TestAttributes:
    """What stands behind the value, and what a browser would refuse"""

    def test_the_defaults_are_safe(self) -> None:
        """Without a word the cookie is HttpOnly, Secure, Lax, and for the whole site."""
        assert made() == "session=dg==; HttpOnly; Path=/; SameSite=Lax; Secure"

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            pytest.param({"domain": "example.com"}, f"; Domain=example.com; HttpOnly; Path=/; {LAX}", id="domain"),
            pytest.param({"path": "/a"}, f"; HttpOnly; Path=/a; {LAX}", id="path"),
            pytest.param({"path": None, "same_site": None, "secure": False, "http_only": False}, "", id="none of them"),
            pytest.param({"same_site": "strict"}, "; HttpOnly; Path=/; SameSite=Strict; Secure", id="case of SameSite"),
            pytest.param(
                {"partitioned": True, "same_site": "None"},
                "; HttpOnly; Partitioned; Path=/; SameSite=None; Secure",
                id="CHIPS",
            ),
            pytest.param({"max_age": 60.9}, f"; HttpOnly; Max-Age=60; Path=/; {LAX}", id="whole seconds"),
            pytest.param({"max_age": timedelta(hours=1)}, f"; HttpOnly; Max-Age=3600; Path=/; {LAX}", id="timedelta"),
            pytest.param({"max_age": -5}, f"; HttpOnly; Max-Age=0; Path=/; {LAX}", id="negative age"),
            pytest.param({"max_age": MAX_AGE}, f"; HttpOnly; Max-Age={MAX_AGE}; Path=/; {LAX}", id="400 days"),
            pytest.param(
                {"expires": datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))},
                f"; Expires=Sat, 31 Jan 2026 10:00:00 GMT; HttpOnly; Path=/; {LAX}",
                id="date in GMT",
            ),
            pytest.param({"path": "/" + "a" * 1023}, f"; HttpOnly; Path=/{'a' * 1023}; {LAX}", id="1024 bytes"),
        ],
    )  # fmt: skip
    def test_attributes_are_written(self, attributes: dict, expected: str) -> None:
        """Each attribute stands as RFC 6265bis writes it, in the order of Remix."""
        assert made(**attributes) == f"session=dg=={expected}"
        assert Cookie("session", format="remix").serialize("v", **attributes) == f"session=dg=={expected}"
        assert set_cookie("session", "dg==", **attributes) == f"session=dg=={expected}"

    @pytest.mark.parametrize(
        ("name", "attributes"),
        [
            pytest.param("__Host-id", {"secure": False}, id="__Host- without Secure"),
            pytest.param("__Host-id", {"path": "/a"}, id="__Host- with a path"),
            pytest.param("__Host-id", {"path": None}, id="__Host- without a path"),
            pytest.param("__Host-id", {"domain": "example.com"}, id="__Host- with a domain"),
            pytest.param("__HOST-id", {"domain": "example.com"}, id="__Host- in another case"),
            pytest.param("__Secure-id", {"secure": False}, id="__Secure- without Secure"),
            pytest.param("__sEcUrE-id", {"secure": False}, id="__Secure- in another case"),
            pytest.param("__Http-id", {"http_only": False}, id="__Http- without HttpOnly"),
            pytest.param("__Host-Http-id", {"http_only": False}, id="__Host-Http- without HttpOnly"),
            pytest.param("id", {"partitioned": True, "secure": False}, id="Partitioned without Secure"),
            pytest.param("id", {"same_site": "None", "secure": False}, id="SameSite=None without Secure"),
            pytest.param("id", {"same_site": "Loose"}, id="unknown SameSite"),
            pytest.param("id", {"max_age": MAX_AGE + 1}, id="more than 400 days"),
            pytest.param("id", {"max_age": float("inf")}, id="for ever"),
            pytest.param("id", {"max_age": float("nan")}, id="no number"),
            pytest.param("id", {"max_age": "30"}, id="age as text without its unit"),
            pytest.param("id", {"expires": datetime(2026, 1, 31)}, id="date without a zone"),  # noqa: DTZ001
            pytest.param("id", {"expires": 1}, id="date as a number"),
            pytest.param("id", {"path": "/a;b"}, id="semicolon in the path"),
            pytest.param("id", {"path": "a"}, id="path without a slash"),
            pytest.param("id", {"path": "/a\r\nSet-Cookie: b"}, id="line break in the path"),
            pytest.param("id", {"path": "/" + "a" * 1024}, id="path over 1024 bytes"),
            pytest.param("id", {"domain": "ex\x00ample"}, id="NUL in the domain"),
            pytest.param("id", {"domain": "exämple.com"}, id="domain beyond ASCII"),
            pytest.param("id", {"domain": "a" * 1025}, id="domain over 1024 bytes"),
            pytest.param("id", {"domain": 1}, id="domain as a number"),
            pytest.param("id", {"samesite": "Lax"}, id="unknown attribute"),
        ],
    )
    def test_what_a_browser_would_refuse_is_an_error(self, name: str, attributes: dict) -> None:
        """A cookie that would be dropped or cut short without a word is refused when it is made."""
        with pytest.raises(CookieAttributeError):
            made(name, **attributes)
        with pytest.raises(CookieAttributeError):
            set_cookie(name, "v", **attributes)

    @pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a,b", 'a"b', "a\n", "ä", "a\x00", "(a)"])
    def test_a_name_is_a_token(self, name: str) -> None:
        """A name is a token of RFC 9110."""
        with pytest.raises(CookieAttributeError):
            made(name)

    @pytest.mark.parametrize("name", ["__Host-id", "__Secure-id", "__Http-id", "__Host-Http-id"])
    def test_the_defaults_satisfy_every_prefix(self, name: str) -> None:
        """A prefix needs no further words."""
        assert made(name).startswith(f"{name}=dg==; ")

    def test_clearing_keeps_the_place(self) -> None:
        """The empty value clears the cookie where it was set: same domain, path and partition."""
        cookie = Cookie("id", format="remix", domain="example.com", path="/a", partitioned=True, max_age=60)
        assert cookie.serialize("") == (
            "id=; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; "
            "Partitioned; Path=/a; SameSite=Lax; Secure"
        )

    def test_nothing_to_send_is_no_cookie(self) -> None:
        """The storage's None must not clear the cookie by mistake."""
        with pytest.raises(UsageError):
            Cookie("id", format="remix").serialize(None)

    def test_attributes_are_a_copy(self) -> None:
        """What `attributes` gives out changes nothing."""
        cookie = Cookie("id", format="remix", max_age=5)
        cookie.attributes["max_age"] = 6
        assert cookie.attributes == {
            "path": "/",
            "http_only": True,
            "secure": True,
            "same_site": "Lax",
            "max_age": 5,
        }


class TestSize:
    """4096 bytes of name and value"""

    def test_the_limit_counts_name_and_value(self) -> None:
        """Exactly 4096 bytes pass, the next is an error."""
        name = "n" * 8
        limit = 4096 - len(name)
        assert limit % 4 == 0
        assert len(header(Cookie(name, format="remix").serialize("v" * (limit // 4 * 3)))) == 4096 + len("=")
        with pytest.raises(CookieTooLargeError) as caught:
            Cookie(name, format="remix").serialize("v" * (limit // 4 * 3 + 1))
        assert (caught.value.size, caught.value.limit) == (4100, 4096)

    @pytest.mark.parametrize("format", FORMATS)
    def test_the_largest_keys_are_named(self, format: str) -> None:  # noqa: A002
        """Who gets the error sees which keys to move out of the cookie, flash too."""
        storage = open_storage("cookie:")
        session = Session()
        digest = hashlib.sha256()
        for key, size in (("small", 10), ("avatar", 3000), ("cart", 1500)):
            digest.update(key.encode())
            session.set(key, base64.b85encode(hashlib.shake_256(digest.digest()).digest(size)).decode())
        session.flash("notice", base64.b85encode(hashlib.shake_256(b"notice").digest(900)).decode())
        with pytest.raises(CookieTooLargeError) as caught:
            Cookie("id", ["s"], format).serialize(storage.save(session))
        assert [key for key, _ in caught.value.largest] == ["avatar", "cart", "flash.notice"]
        assert "avatar (37" in str(caught.value)
        assert caught.value.size > caught.value.limit

    def test_an_id_that_is_too_long_names_no_keys(self) -> None:
        """A value that is no session is only too large."""
        with pytest.raises(CookieTooLargeError) as caught:
            Cookie("id", format="remix").serialize("x" * 5000)
        assert caught.value.largest == ()

    def test_large_native_values_are_compressed(self) -> None:
        """A session that repeats itself fits where its plain text would not."""
        value = json.dumps({"i": "x", "d": [{"text": "abcdefgh" * 1000}, {}]})
        text = Cookie("id", ["s"]).serialize(value)
        assert header(text).startswith("id=.")
        assert Cookie("id", ["s"]).parse(header(text)) == value


class TestSecrets:
    """Key rings and rotation"""

    @pytest.mark.parametrize("secrets", ["secret", b"secret"])
    def test_a_bare_secret_is_refused(self, secrets: str | bytes) -> None:
        """A text in place of a list would be a ring of single letters."""
        with pytest.raises(SecretError, match="list"):
            Cookie("id", secrets)

    @pytest.mark.parametrize("secrets", [None, 5])
    @pytest.mark.parametrize("name", ["native", "remix"])
    def test_no_list_is_refused(self, secrets: int | None, name: str) -> None:
        """A variable that is not set is no empty ring, which would leave a Remix cookie unsigned."""
        with pytest.raises(SecretError, match="list"):
            Cookie("id", secrets, name)

    @pytest.mark.parametrize("secrets", [[""], [b""], [None], ["s", 1]])
    def test_what_is_no_secret_is_refused(self, secrets: list) -> None:
        """A secret is text or bytes, and not empty."""
        with pytest.raises(SecretError):
            Cookie("id", secrets)

    def test_native_needs_a_secret(self) -> None:
        """The native format is never unsigned."""
        with pytest.raises(SecretError):
            Cookie("id", [])

    def test_other_formats_are_not_for_cookies(self) -> None:
        """`Cookie` writes native and remix alone."""
        with pytest.raises(UnknownFormatError, match="native and remix"):
            Cookie("id", ["s"], "flask")

    def test_a_key_ring_is_taken_as_it_is(self) -> None:
        """`secrets` may be a KeyRing."""
        ring = KeyRing(["a", "b"])
        assert Cookie("id", ring).keys is ring

    @pytest.mark.parametrize("format", FORMATS)
    def test_rotation(self, format: str) -> None:  # noqa: A002
        """A cookie of the old key is genuine and says so; the next one is signed with the new key."""
        old, both, new = (Cookie("id", secrets, format) for secrets in (["old"], ["new", "old"], ["new"]))
        sent = header(old.serialize("value"))
        verdict = both.verify(sent)
        assert (verdict.valid, verdict.value, verdict.key_index, verdict.keys) == (True, "value", 1, 2)
        assert verdict.needs_resign
        again = header(both.serialize(verdict.value))
        verdict = both.verify(again)
        assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 0, False)
        assert new.parse(again) == "value"
        assert new.parse(sent) is None
        assert old.parse(again) is None

    @pytest.mark.parametrize("format", FORMATS)
    def test_repr_shows_no_secret(self, format: str) -> None:  # noqa: A002
        """A cookie may stand in a log."""
        cookie = Cookie("id", ["hunter2"], format)
        assert repr(cookie) == f"<Cookie id {format}>"
        assert "hunter2" not in repr(cookie.keys) + repr(cookie.keys.newest) + repr(vars(cookie))


class TestGenuine:
    """What is taken for genuine, and what not"""

    @pytest.mark.parametrize("format", FORMATS)
    @given(value=st.text(min_size=1, max_size=60))
    def test_every_value_comes_back(self, format: str, value: str) -> None:  # noqa: A002
        """What was serialized is parsed to the same text, whatever it looks like."""
        cookie = Cookie("id", ["s"], format)
        text = cookie.serialize(value)
        assert text.isascii()
        assert cookie.parse(header(text)) == value

    @pytest.mark.parametrize("format", FORMATS)
    def test_half_of_a_surrogate_pair_is_refused(self, format: str) -> None:  # noqa: A002
        """A value that has no UTF-8 is an error of ours, or comes back as it was."""
        cookie = Cookie("id", ["s"], format)
        for value in ("\ud800", '{"i":"\ud800"}'):
            try:
                text = cookie.serialize(value)
            except UnserializableValueError:
                continue
            assert cookie.parse(header(text)) == value

    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize("value", ["id", json.dumps({"i": "x", "d": [{"a": "ä"}, {}]}), "x" * 900])
    def test_only_the_canonical_text_is_genuine(self, format: str, value: str) -> None:  # noqa: A002
        """Every other text than the one that was sent is refused: each character changed, dropped, doubled, padded."""
        cookie = Cookie("id", ["s"], format)
        text = header(cookie.serialize(value)).removeprefix("id=")
        assert cookie.parse(f"id={text}") == value
        spots = range(len(text)) if len(text) < 300 else range(0, len(text), 17)
        others = {
            text[:spot] + other + text[spot + 1 :]
            for spot in spots
            for other in ("A", "B", "-", "_", "+", "/", "=", ".", "")
        }
        others |= {text + tail for tail in ("=", "==", "A", ".", "\t\x0b", "%")} | {
            f".{text}",
            text.swapcase(),
            text[::-1],
        }
        others.discard(text)
        accepted = [other for other in others if cookie.parse(f"id={other}") is not None]
        assert accepted == []

    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param(None, "malformed", id="no header"),
            pytest.param("other=1", "malformed", id="another cookie"),
            pytest.param("id=abc", "malformed", id="no dots"),
            pytest.param("id=é.é.é", "malformed", id="not ASCII"),
            pytest.param("id=abcd.efgh.ijkl", "bad-signature", id="no signature of ours"),
        ],
    )
    def test_verify_says_why_not(self, format: str, text: str | None, reason: str) -> None:  # noqa: A002
        """`parse` answers None, `verify` the reason, in a word and in a sentence."""
        cookie = Cookie("id", ["s"], format)
        verdict = cookie.verify(text)
        assert (verdict.valid, verdict.reason, verdict.value) == (False, reason, None)
        assert verdict.detail
        assert cookie.parse(text) is None

    @pytest.mark.parametrize("format", FORMATS)
    def test_an_empty_cookie_is_the_empty_value(self, format: str) -> None:  # noqa: A002
        """A cleared cookie that still comes is "", and a storage begins a new session for it."""
        cookie = Cookie("id", ["s"], format)
        for text in ("id=", 'id=""', "id=  ; a=b"):
            assert cookie.parse(text) == ""
            assert cookie.verify(text).valid

    def test_a_native_cookie_expires(self) -> None:
        """A native cookie older than `max_age` is not genuine any more, and `verify` says so."""
        clock = Clock()
        cookie = Cookie("id", ["s"], max_age=60, clock=clock)
        text = header(cookie.serialize("value"))
        clock.move(58)
        assert cookie.parse(text) == "value"
        clock.move(4)
        assert cookie.parse(text) is None
        verdict = cookie.verify(text)
        assert (verdict.valid, verdict.expired, verdict.reason, verdict.value) == (
            False,
            True,
            "expired",
            None,
        )
        assert Cookie("id", ["s"], clock=clock).parse(text) == "value"

    @pytest.mark.parametrize("format", FORMATS)
    @given(text=st.text(max_size=80) | st.text('abcAB01-_+/=. ";{}', max_size=80))
    def test_any_text_is_answered(self, format: str, text: str) -> None:  # noqa: A002
        """Any header gives an answer, and `parse` and `verify` agree."""
        cookie = Cookie("id", ["s"], format)
        for sent in (text, f"id={text}", f"a=b; id={text}; c=d"):
            verdict = cookie.verify(sent)
            assert cookie.parse(sent) == verdict.value
            assert verdict.valid == (verdict.reason is None)


class TestItsdangerous:
    """The native format is itsdangerous' own"""

    def bare(self, secret: str | list[str] = "s") -> URLSafeTimedSerializer:
        """What the documentation tells a reader in bare itsdangerous to write."""
        return URLSafeTimedSerializer(
            secret,
            salt="sessionctl.cookie",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    @given(
        values=st.dictionaries(
            st.text(max_size=5), st.text(max_size=50) | st.integers(-(2**53), 2**53), max_size=4
        ),
        size=st.sampled_from([0, 0, 2000]),
    )
    def test_bare_itsdangerous_reads_our_sessions(self, values: dict, size: int) -> None:
        """What we write, compressed or not, a few lines of itsdangerous read."""
        storage = open_storage("cookie:")
        session = Session("the-id", data=(values, {}))
        session.set("filler", "x" * size)
        text = header(Cookie("id", ["s"]).serialize(storage.save(session)))
        assert self.bare().loads(text.removeprefix("id=")) == {
            "i": "the-id",
            "d": [{**values, "filler": "x" * size}, {}],
        }

    @given(st.text(min_size=1, max_size=40))
    def test_bare_itsdangerous_reads_our_ids(self, value: str) -> None:
        """A value that is no JSON object stands as JSON text."""
        text = header(Cookie("id", ["s"]).serialize(value)).removeprefix("id=")
        read = self.bare().loads(text)
        assert read == value if isinstance(read, str) else json.loads(value) == read

    @given(
        values=st.dictionaries(st.text(max_size=5), st.text(max_size=50) | st.booleans(), max_size=4),
        size=st.sampled_from([0, 0, 2000]),
    )
    def test_we_read_what_bare_itsdangerous_writes(self, values: dict, size: int) -> None:
        """What itsdangerous writes, compressed or not, is a session here."""
        data = {"i": "the-id", "d": [{**values, "filler": "x" * size}, {}]}
        text = self.bare().dumps(data)
        session = open_storage("cookie:").read(Cookie("id", ["s"]).parse(f"id={text}"))
        assert (session.id, session.data) == ("the-id", (data["d"][0], {}))

    def test_times_agree(self) -> None:
        """The time in the cookie is the same for both."""
        cookie = Cookie("id", ["s"])
        text = header(cookie.serialize("value")).removeprefix("id=")
        _, stamp = self.bare().loads(text, return_timestamp=True)
        assert cookie.verify(f"id={text}").issued_at == stamp.timestamp()
        assert abs(stamp - datetime.now(UTC)) < timedelta(seconds=5)

    def test_rotation_agrees(self) -> None:
        """Itsdangerous' ring runs oldest first, ours newest first; both read both."""
        text = header(Cookie("id", ["new", "old"]).serialize("value")).removeprefix("id=")
        assert self.bare(["old", "new"]).loads(text) == "value"
        with pytest.raises(BadSignature):
            self.bare("old").loads(text)
        assert (
            Cookie("id", ["new", "old"]).parse(f"id={self.bare(['older', 'old']).dumps('value')}") == "value"
        )


class TestRemix:
    """The remix format is Remix 3's"""

    def test_the_text_is_remixs(self) -> None:
        """Standard base64 of the value, a dot, the HMAC of that base64 without padding."""
        payload = base64.b64encode(b"value").decode()
        tag = base64.b64encode(Hmac(b"s").digest(payload.encode())).decode().rstrip("=")
        assert Cookie("id", ["s"], "remix").serialize("value").startswith(f"id={payload}.{tag};")

    def test_without_secrets_it_is_not_signed(self) -> None:
        """An empty ring makes plain base64, and its verdict names no algorithm."""
        cookie = Cookie("id", format="remix")
        assert cookie.parse("id=dmFsdWU=") == "value"
        verdict = cookie.verify("id=dmFsdWU=")
        assert (verdict.valid, verdict.algorithm, verdict.key_index) == (True, None, None)
        assert cookie.parse("id=dmFsdWU") is None


class TestFind:
    """The Cookie header"""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("id=a", "a"), ("a=b; id=c", "c"), ("a=b;id=c", "c"), ("id=a; id=b", "a"), ("  id  =  a  ", "a"),
            ('id="a"', "a"), ('id="', '"'), ('id="a', '"a'), ("id=a=b==", "a=b=="), ("id=", ""), ("id", None),
            ("xid=a", None), ("idx=a", None), ("ID=a", None), ("a=id=b", None), ("a=x id=b", None), (";;; id=a;;", "a"),
            ("x=session; session=y; id=a", "a"), ("", None), (None, None), ("id; id=a", "a"),
            ("id =a; id=b", "a"), ("xid=1; id=2", "2"), ("idx=1; id=2", "2"), ('a="; id=b"', 'b"'), ("a=id; id=b", "b"),
        ],
    )  # fmt: skip
    def test_the_first_cookie_of_the_name_counts(self, text: str | None, value: str | None) -> None:
        """Spaces around name and value are not theirs, nor are quotes around the value; the name counts exactly."""
        assert find(text, "id") == value


@pytest.mark.parametrize("text", ["a;b", "a\r\nb: c", "a\x00", "a\x7f"])
def test_a_text_that_no_cookie_can_have(text: str) -> None:
    """A text that would end the cookie or the header is refused."""
    with pytest.raises(CookieAttributeError):
        set_cookie("session", text)


def test_a_header_may_be_bytes() -> None:
    """ASGI gives headers as bytes; they are read as the text would be, whatever else stands in them."""
    cookie = Cookie("session", ["key"])
    text = f"a=\xff; {cookie.serialize('value').partition(';')[0]}"
    for header in (text, text.encode("latin-1")):
        assert cookie.parse(header) == "value"
        assert cookie.verify(header).value == "value"
    assert cookie.parse(b"") is None
