"""What the tests of the Redis store do again and again."""

from __future__ import annotations

import threading

from .browser import Browser
from .redis_server import RedisServer
from .site import SamlSite
from .waiting import wait_until

SESSION = "__Host-saml_session"


def holder_of(cookie: str, site: SamlSite) -> Browser:
    """A browser with this session cookie for the site."""
    browser = Browser()
    browser.cookies.put(site.url(), f"{SESSION}={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax")
    return browser


def log_in(site: SamlSite, **changes: object) -> str:
    """A new session's cookie."""
    browser = Browser()
    assert site.login(browser, "/page", **changes).status == 200
    return value_of(browser)


def value_of(browser: Browser) -> str:
    cookie = browser.cookies.get(SESSION)
    assert cookie is not None
    return cookie.value


def is_in(site: SamlSite, cookie: str) -> bool:
    answer = holder_of(cookie, site).get(site.url("/page"))
    assert answer.status in (200, 302), answer.text
    return answer.status == 200


def log_out(site: SamlSite, cookie: str) -> None:
    answer = holder_of(cookie, site).post(site.url("/saml/logout"), {})
    assert answer.status == 200, answer.text


def wait_for_subscribers(redis: RedisServer, count: int) -> None:
    def subscribed() -> bool:
        answer = redis.command("PUBSUB", "NUMSUB", "sso:events")
        assert isinstance(answer, list)
        return answer[1] == count

    wait_until(subscribed, 10, f"{count} subscribers")


class Ear:
    """Listens to the channel as any client of Redis may."""

    def __init__(self, redis: RedisServer) -> None:
        self._client = redis.client()
        self._client.command("SUBSCRIBE", "sso:events")

    def next(self) -> bytes:
        message = self._client.read()
        assert isinstance(message, list)
        return bytes(message[2])  # type: ignore[arg-type]


class ConstantRequests:
    """Asks for a page with each cookie again and again, from one thread, and keeps what came back. On a busy machine it
    goes on for a while at the end, until there is enough to judge by."""

    ENOUGH = 50

    def __init__(self, site: SamlSite, cookies: list[str]) -> None:
        self._site = site
        self._holders = [holder_of(cookie, site) for cookie in cookies]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.statuses: list[int] = []

    def _run(self) -> None:
        while not self._end.is_set() or len(self.statuses) < self.ENOUGH:
            for holder in self._holders:
                self.statuses.append(holder.get(self._site.url("/page")).status)

    def __enter__(self) -> "ConstantRequests":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def assert_all_were(self, status: int) -> None:
        assert len(self.statuses) >= self.ENOUGH, len(self.statuses)
        assert set(self.statuses) == {status}, {each: self.statuses.count(each) for each in set(self.statuses)}


def try_to_log_in(site: SamlSite) -> int:
    """The status with which the answer of the IdP is taken."""
    return site.idp.login(Browser(), site.url("/page")).status


def wait_for_logins(site: SamlSite, seconds: float) -> float:
    """Seconds until logins work."""

    def works() -> bool:
        status = try_to_log_in(site)
        assert status in (303, 503), status
        return status == 303

    return wait_until(works, seconds, "logins to work")


def log_in_when_possible(site: SamlSite) -> str:
    wait_for_logins(site, 10)
    return log_in(site)
