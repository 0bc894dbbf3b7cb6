"""COOKIE-MULTI, FIXATION: session cookies that somebody else put beside ours, or before us, count for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http2_streams import exchange, pseudo_headers
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite

NAME = "__Host-saml_session"
VICTIM, ATTACKER = "victim@example.com", "attacker@example.com"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    http = "large_client_header_buffers 8 64k; http2_max_field_size 16k; http2_max_header_size 128k;"
    with running_site(tmp_path_factory.mktemp("tossing"), keys, listen="http2", http=http) as running:
        yield running


def session_of(site: SamlSite, user: str) -> str:
    browser = Browser()
    site.login(browser, name_id=user, attributes=())
    cookie = browser.cookies.get(NAME)
    assert cookie is not None
    return cookie.value


@pytest.fixture(scope="module")
def victim(site: SamlSite) -> str:
    return session_of(site, VICTIM)


@pytest.fixture(scope="module")
def attacker(site: SamlSite) -> str:
    return session_of(site, ATTACKER)


# Cookie header lines of V(ictim) and A(ttacker); whose session counts, None: nobody's.
Lines = Callable[[str, str], list[str]]
TOSSED: dict[str, tuple[Lines, str | None]] = {
    "both": (lambda v, a: [f"{NAME}={v}; {NAME}={a}"], None),
    "both_turned": (lambda v, a: [f"{NAME}={a}; {NAME}={v}"], None),
    "the_same_twice": (lambda v, a: [f"{NAME}={v}; {NAME}={v}"], None),
    "in_two_lines": (lambda v, a: [f"{NAME}={v}", f"{NAME}={a}"], None),
    "with_rubbish": (lambda v, a: [f"{NAME}=x; {NAME}={v}"], None),
    "with_an_empty_one": (lambda v, a: [f"{NAME}=; {NAME}={v}"], None),
    "with_no_value": (lambda v, a: [f"{NAME}; {NAME}={v}"], VICTIM),
    "three": (lambda v, a: [f"{NAME}={v}; {NAME}={a}; {NAME}={v}"], None),
    "other_case": (lambda v, a: [f"{NAME.lower()}={a}; {NAME}={v}"], VICTIM),
    "upper_case": (lambda v, a: [f"{NAME.upper()}={a}; {NAME}={v}"], VICTIM),
    "no_prefix": (lambda v, a: [f"saml_session={a}; {NAME}={v}"], VICTIM),
    "no_prefix_alone": (lambda v, a: [f"saml_session={a}"], None),
    "other_prefix": (lambda v, a: [f"__Secure-saml_session={a}; __Http-saml_session={a}"], None),
    "wide_blank_before": (lambda v, a: [f"\u2000{NAME}={a}".encode().decode("latin-1")], None),
    "nbsp_before": (lambda v, a: [f"\xa0{NAME}={a}"], None),
    "next_line_before": (lambda v, a: [f"\x85{NAME}={a}; x=1"], None),
    "soft_hyphen_inside": (lambda v, a: [f"__Host-saml\xad_session={a}"], None),
    "version": (lambda v, a: [f"$Version=1; {NAME}={v}; $Path=/"], VICTIM),
    "version_and_comma": (lambda v, a: [f"$Version=1,{NAME}={a}"], None),
    "comma": (lambda v, a: [f"x=1,{NAME}={a}"], None),
    "nameless": (lambda v, a: [f"={NAME}={a}"], None),
    "nameless_beside": (lambda v, a: [f"={NAME}={a}; {NAME}={v}"], VICTIM),
    "equals_twice": (lambda v, a: [f"{NAME}=={a}"], None),
    "quoted": (lambda v, a: [f'{NAME}="{a}"'], None),
    "quoted_beside": (lambda v, a: [f'{NAME}="{a}"; {NAME}={v}'], None),
    "quoted_other": (lambda v, a: [f'x="; {NAME}={v}; y="'], VICTIM),
    "inside_a_value": (lambda v, a: [f"x={NAME}={a}; {NAME}={v}"], VICTIM),
    "encoded_name": (lambda v, a: [f"__Host%2Dsaml_session={a}"], None),
    "encoded_value": (lambda v, a: [f"{NAME}={a[:-1]}%{ord(a[-1]):02x}"], None),
    "blank_before_equals": (lambda v, a: [f"{NAME} ={a}"], None),
    "blank_behind_equals": (lambda v, a: [f"{NAME}= {a}"], None),
    "tab_behind": (lambda v, a: [f"{NAME}={a}\tx"], None),
    "longer": (lambda v, a: [f"{NAME}={a}x"], None),
    "cut": (lambda v, a: [f"{NAME}={a[:-1]}"], None),
    "joined": (lambda v, a: [f"{NAME}={v}{a}"], None),
    "no_semicolon": (lambda v, a: [f"x=1 {NAME}={a}"], None),
    "semicolons": (lambda v, a: [f";;; {NAME}={v};;"], VICTIM),
    "two_hundred": (lambda v, a: ["; ".join(f"c{n}={a}" for n in range(200)) + f"; {NAME}={v}"], VICTIM),
    "two_hundred_ours": (lambda v, a: ["; ".join([f"{NAME}={a}"] * 200)], None),
    "sixty_kilobytes": (lambda v, a: [f"big={'x' * 60_000}; {NAME}={v}"], VICTIM),
    "huge_value": (lambda v, a: [f"{NAME}={v}{'A' * 60_000}"], None),
    "many_lines": (lambda v, a: [*[f"x{n}=1" for n in range(50)], f"{NAME}={v}"], VICTIM),
    "attempts_name": (lambda v, a: [f"{NAME}.{'A' * 16}={a}"], None),
}


def user_of(answer: Response) -> str | None:
    assert answer.status in (200, 302, 400), answer.status
    return answer.echo().header("X-SSO-User") if answer.status == 200 else None


@pytest.mark.parametrize("name", TOSSED, ids=[f"COOKIE-MULTI-{name}" for name in TOSSED])
def test_whose_session_counts(site: SamlSite, victim: str, attacker: str, name: str) -> None:
    """Over HTTP/1, and over HTTP/2 whole and as one crumb a cookie."""
    lines, user = TOSSED[name]
    sent = lines(victim, attacker)
    answer = Browser().request("GET", site.url("/"), headers=[("Cookie", line) for line in sent])
    assert user_of(answer) == user
    if max(map(len, sent)) > 8000:
        return
    head = [*pseudo_headers(site.base_url, "/"), ("accept", "text/html")]
    crumbs = [crumb for line in sent for crumb in line.split("; ")]
    for parts in (sent, crumbs):
        (answer,) = exchange(site.base_url, [[*head, *(("cookie", part) for part in parts)]])  # type: ignore[misc]
        # HTTP/2 has no list of bad bytes in names: what nginx refuses may be refused.
        assert answer is None or user_of(answer) == user


def test_fixation_by_every_cookie_that_can_be_planted(site: SamlSite, attacker: str) -> None:
    """FIXATION: whatever the browser held before: the login makes a new identifier, and the old ones are dead."""
    for planted in (attacker, "A" * 43, "x", attacker[:-1], attacker.swapcase()):
        browser = Browser()
        browser.cookies.put(site.url(), f"{NAME}={planted}; Path=/; Secure; HttpOnly")
        browser.cookies.put(site.url(), f"saml_session={planted}; Path=/")
        answered = site.idp.login(browser, site.url("/saml/login?return=/page"), name_id=VICTIM, attributes=())
        cookie = browser.cookies.get(NAME)
        assert answered.status == 303 and cookie is not None and cookie.value != planted
        assert browser.follow(answered).echo().header("X-SSO-User") == VICTIM
        other = Browser()
        other.cookies.put(site.url(), f"{NAME}={planted}; Path=/; Secure; HttpOnly")
        assert user_of(other.get(site.url("/page"))) is None


def test_fixation_of_an_attempt(site: SamlSite) -> None:
    """FIXATION, SWAPPED: the attacker's attempt, planted in the victim's browser, makes the victim nobody
    else, and the answer to it opens one session, in the browser that posts it."""
    attackers = Browser()
    request = site.idp.read_request(attackers.get(site.url("/page")))
    (attempt,) = attackers.cookies.named("saml_session.")
    victims = Browser()
    victims.cookies.put(site.url(), f"{attempt.name}={attempt.value}; Path=/; Secure; SameSite=None")
    answered = site.idp.post(victims, site.idp.answer(request, name_id=VICTIM, attributes=()))
    assert victims.follow(answered).echo().header("X-SSO-User") == VICTIM
    assert user_of(attackers.get(site.url("/page"))) is None
    again = site.idp.post(attackers, site.idp.answer(request, name_id=ATTACKER, attributes=()))
    assert again.status == 303
    assert victims.get(site.url("/page")).echo().header("X-SSO-User") == VICTIM
