"""Fixtures of the black-box tests. Expensive things live for the session, each nginx for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idps.pysaml2 import Pysaml2Idp
from idps.samlp import SamlpIdp
from idps.simplesamlphp import SimpleSamlPhp
from sallyport_testing.browser import Browser
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.nginx import Nginx, module_under_test
from sallyport_testing.ports import free_port
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.shifted_clock import ShiftedClock
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    """Key pairs by name and kind, made once."""
    return KeyStore(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def simplesamlphp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    """SimpleSAMLphp, running; `register` the SP before a login."""
    idp = SimpleSamlPhp(tmp_path_factory.mktemp("simplesamlphp"), free_port(), host="idp.example.org")
    with idp:
        yield idp


@pytest.fixture(scope="session")
def samlp_idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlpIdp]:
    """The npm package samlp, running; `register` the SP before a login."""
    idp = SamlpIdp(tmp_path_factory.mktemp("samlp"), free_port(), host="idp.example.net")
    with idp:
        yield idp


@pytest.fixture(scope="session")
def pysaml2_idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pysaml2Idp]:
    """pysaml2, running; `register` the SP before a login."""
    idp = Pysaml2Idp(tmp_path_factory.mktemp("pysaml2"), free_port(), host="idp.example.info")
    with idp:
        yield idp


@pytest.fixture
def make_nginx(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    """Makes nginx instances (`saml=False`: without our module); each is stopped and checked at the end."""
    made: list[Nginx] = []

    def make(*, saml: bool = True, **options) -> Nginx:
        module = module_under_test() if saml else None
        made.append(Nginx(tmp_path / f"nginx{len(made)}", module=module, **options))
        return made[-1]

    yield make
    problems = []
    for each in made:
        try:
            each.stop()
        except AssertionError as problem:
            problems.append(str(problem))
        print(f"--- error log of {each.folder.name}\n" + "\n".join(each.error_log().splitlines()[-100:]))
    assert not problems, "\n".join(problems)


@pytest.fixture
def nginx(make_nginx: Callable[..., Nginx]) -> Nginx:
    """An nginx with the module under test: `configure`, then `start`."""
    return make_nginx()


@pytest.fixture
def plain_nginx(make_nginx: Callable[..., Nginx]) -> Nginx:
    """An nginx without the module."""
    return make_nginx(saml=False)


@pytest.fixture
def upstream() -> Iterator[EchoUpstream]:
    """An HTTP upstream that echoes."""
    with EchoUpstream() as server:
        yield server


@pytest.fixture
def browser() -> Browser:
    """A browser without cookies."""
    return Browser()


@pytest.fixture
def idp(keys: KeyStore) -> TestIdp:
    """The test IdP, with an RSA-2048 key."""
    return TestIdp(keys.get("idp"))


@pytest.fixture
def sp_key(keys: KeyStore) -> KeyPair:
    """An RSA-2048 key pair for the SP."""
    return keys.get("sp")


@pytest.fixture
def site(nginx: Nginx, upstream: EchoUpstream, idp: TestIdp, keys: KeyStore) -> SamlSite:
    """The smallest protected site over TLS, not started: `site.start(...)`."""
    return SamlSite(nginx, upstream, idp, keys.tls("app.example.com"))


@pytest.fixture
def clocked_site(
    tmp_path: Path, make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore
) -> SamlSite:
    """`site` with a clock that the test sets: `clocked_site.nginx.clock.shift(seconds)`."""
    nginx = make_nginx(clock=ShiftedClock(tmp_path / "clock"))
    return SamlSite(nginx, upstream, idp, keys.tls("app.example.com"))


@pytest.fixture
def http_site(nginx: Nginx, upstream: EchoUpstream, idp: TestIdp, keys: KeyStore) -> SamlSite:
    """The same over plain http."""
    return SamlSite(nginx, upstream, idp, keys.tls("app.example.com"), tls=False)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis, running."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def proxy(redis: RedisServer) -> Iterator[FaultProxy]:
    """A proxy in front of `redis` that can fail."""
    with FaultProxy(redis.port) as each:
        yield each


@pytest.fixture
def redis_sites(
    tmp_path: Path, make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore
) -> RedisSites:
    """Makes nodes that keep their sessions in a Redis."""
    return RedisSites(tmp_path, make_nginx, upstream, idp, keys.tls("app.example.com"))
