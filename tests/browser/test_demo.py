"""A person at the demo: deep link, login form, application, logout."""

from __future__ import annotations

import os
import subprocess

import pytest

from chromium import Chromium
from demo.page import DEEP_LINK
from demo.stack import Stack
from sallyport_testing.nginx import module_under_test
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.ports import free_port


def test_login_at_a_deep_link_and_logout(demo: Stack, chromium: Chromium) -> None:
    chromium.open(demo.base_url + DEEP_LINK)
    assert chromium.url.startswith(demo.idp.base_url)
    chromium.log_in()
    chromium.wait_for(lambda each: each.url == demo.base_url + DEEP_LINK, "the deep link")
    assert chromium.text("#user") == "student@example.com"
    assert chromium.text("h1") == "Stu Dent"
    assert chromium.text("#request") == f"GET {DEEP_LINK} HTTP/1.1"
    page = chromium.text("main")
    for shown in ("Engineering", "Trial", "Space Member", "DevOps", "Space Developer", "X-SSO-User"):
        assert shown in page
    assert chromium.console() == []
    chromium.take_pictures("application")

    chromium.click("header button")
    assert chromium.url == demo.base_url + "/saml/logout"
    assert chromium.text("h1") == "You are logged out"
    assert chromium.console() == []
    chromium.take_pictures("logged-out")

    chromium.open(demo.base_url + "/public")
    assert chromium.text("h1") == "Nobody is logged in"
    chromium.take_pictures("public")
    # The identity provider still knows the user: no form this time.
    chromium.open(demo.base_url + "/")
    chromium.wait_for(lambda each: each.url == demo.base_url + "/", "the application")
    assert chromium.text("#user") == "student@example.com"


def test_names_beyond_ascii_and_groups_with_commas(demo: Stack, chromium: Chromium) -> None:
    chromium.open(demo.base_url + "/platform")
    chromium.log_in("employee")
    chromium.wait_for(lambda each: each.url == demo.base_url + "/platform", "the page of the group")
    assert chromium.text("h1") == "Em Ployée"
    assert [each.text for each in chromium.driver.find_elements("css selector", ".chip")] == [
        "Engineering", "Platform", "R&D, worldwide",
    ]  # fmt: skip
    chromium.take_pictures("application-employee")


def test_a_page_of_another_group(demo: Stack, chromium: Chromium) -> None:
    chromium.open(demo.base_url + "/platform")
    chromium.log_in()
    chromium.wait_for(lambda each: each.url == demo.base_url + "/platform", "the refused page")
    assert chromium.text("h1") == "You do not have access to this page"
    assert 'the group "Platform"' in chromium.text("main")
    assert [each for each in chromium.console() if "403" not in each] == []
    chromium.take_pictures("forbidden")


@pytest.mark.skipif("SALLYPORT_PRELOAD" in os.environ, reason="the script runs nginx without a sanitizer's runtime")
def test_the_scripts_own_check() -> None:
    command = [REPOSITORY / "scripts/demo", "--check", "--port", str(free_port()), "--idp-port", str(free_port())]
    environment = {**os.environ, "SALLYPORT_MODULE": str(module_under_test())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "check passed" in done.stdout
    assert '"user": "student@example.com"' in done.stdout
