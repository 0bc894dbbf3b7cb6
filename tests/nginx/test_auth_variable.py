"""`auth_saml $variable`: which variables may say "off", and that no client can."""

from __future__ import annotations

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.nginx import Nginx
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.upstream import EchoUpstream

CONFIGURATION = """
saml_idp acme { metadata %%folder%%/idp.xml; }
saml_entity_id https://sp.example.com/;
saml_base_url http://acme.app.example.com:%%port:site%%;
%%maps%%
server {
    listen 127.0.0.1:%%port:site%%;
    server_name %%server_name%%;
    location %%location%% {
        %%before%%
        auth_saml %%variable%%;
        proxy_pass http://%%upstream%%;
    }
}
"""


def start(nginx: Nginx, idp: TestIdp, upstream: EchoUpstream, **parts: str) -> None:
    idp.write_metadata(nginx.folder / "idp.xml")
    defaults = {"maps": "", "server_name": "_", "location": "/", "before": ""}
    nginx.configure(CONFIGURATION, upstream=upstream.address, **{**defaults, **parts})
    nginx.allow_in_log(r"reason=unknown_idp")
    nginx.start()


CLIENT_CHOSEN = {
    "capture_of_the_host": (
        {"server_name": r"~^(?<tenant>[a-z]+)\.app\.example\.com$", "variable": "$tenant"},
        "off.app.example.com", "/secret"),
    "host": ({"variable": "$host"}, "off", "/secret"),
    "host_in_braces": ({"variable": "${host}"}, "off", "/secret"),
    "capture_of_the_path": (
        {"location": r"~ ^/t/(?<tenant>[a-z]+)/", "variable": "$tenant"},
        "acme.app.example.com", "/t/off/secret"),
    "set_from_an_argument": (
        {"before": "set $org $arg_org;", "variable": "$org"},
        "acme.app.example.com", "/secret?org=off"),
    "set_upper_case": (
        {"before": "set $Org $arg_org;", "variable": "$Org"},
        "acme.app.example.com", "/secret?org=off"),
}


@pytest.mark.parametrize("case", CLIENT_CHOSEN.values(), ids=CLIENT_CHOSEN)
def test_a_client_cannot_say_off(nginx: Nginx, idp: TestIdp, upstream: EchoUpstream,
                                 browser: Browser, case) -> None:
    parts, host, path = case
    start(nginx, idp, upstream, **parts)
    response = browser.get(f"http://{host}:{nginx.port('site')}{path}")
    assert response.status == 403
    assert upstream.requests == []
    nginx.wait_for_log("reason=unknown_idp")


def test_a_capture_may_name_the_idp(nginx: Nginx, idp: TestIdp, upstream: EchoUpstream,
                                    browser: Browser) -> None:
    start(nginx, idp, upstream, server_name=r"~^(?<tenant>[a-z]+)\.app\.example\.com$",
          variable="$tenant")
    site = f"http://acme.app.example.com:{nginx.port('site')}"
    assert browser.get(f"{site}/page").status == 302
    other = f"http://other.app.example.com:{nginx.port('site')}"
    assert Browser().get(f"{other}/page").status == 403


@pytest.mark.parametrize("block", ["map $host $org", "geo $remote_addr $org"], ids=["map", "geo"])
def test_off_of_a_computed_variable_means_public(nginx: Nginx, idp: TestIdp,
                                                 upstream: EchoUpstream, browser: Browser,
                                                 block: str) -> None:
    start(nginx, idp, upstream, maps=block + " { default off; }", variable="$org")
    response = browser.get(f"http://acme.app.example.com:{nginx.port('site')}/page")
    assert response.status == 200
    assert not response.echo().with_prefix("X-SSO-")


def test_a_map_chooses_idp_public_and_unknown(nginx: Nginx, idp: TestIdp, upstream: EchoUpstream,
                                              browser: Browser) -> None:
    start(nginx, idp, upstream, variable="$org", maps="""
        map $host $org {
            acme.app.example.com  acme;
            www.app.example.com   off;
            default               "";
        }""")
    port = nginx.port("site")
    assert browser.get(f"http://acme.app.example.com:{port}/").status == 302
    assert browser.get(f"http://www.app.example.com:{port}/").status == 200
    assert browser.get(f"http://off:{port}/").status == 403
