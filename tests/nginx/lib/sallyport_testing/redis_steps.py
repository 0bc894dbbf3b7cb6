"""What the tests of the Redis store do again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

from .browser import Browser
from .redis_server import RedisServer
from .site import SamlSite

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


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until it holds."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"waited {seconds} s for {what}"
        time.sleep(0.01)
    return time.monotonic() - begin


def wait_for_subscribers(redis: RedisServer, count: int) -> None:
    def subscribed() -> bool:
        answer = redis.command("PUBSUB", "NUMSUB", "sso:events")
        assert isinstance(answer, list)
        return answer[1] == count

    wait_until(subscribed, 10, f"{count} subscribers")
