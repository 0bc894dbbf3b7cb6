"""A real Chromium, and the demo that it logs in at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from chromium import Chromium
from demo.stack import Stack
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx, module_under_test, preload
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.ports import free_port

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--no-proxy-server", "--ignore-certificate-errors", "--window-size=1200,900",
    # Names of test sites are this machine; no other name is.
    "--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)  # fmt: skip


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return KeyStore(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The demo on free ports, running."""
    folder = tmp_path_factory.mktemp("demo")
    with Stack(module_under_test(), folder, free_port(), free_port(), before_nginx=preload()) as stack:
        yield stack


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """An nginx with the module: `configure`, then `start`."""
    with Nginx(tmp_path / "nginx", module=module_under_test()) as instance:
        yield instance


@pytest.fixture
def open_chromium(tmp_path: Path) -> Iterator[Callable[..., Chromium]]:
    """Starts Chromium with a fresh profile (`javascript=False`: without scripts)."""
    drivers: list[Chrome] = []

    def start(*, javascript: bool = True) -> Chromium:
        options = ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*_FLAGS, f"--user-data-dir={tmp_path / f'profile{len(drivers)}'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        log = str(tmp_path / f"chromedriver{len(drivers)}.log")
        drivers.append(Chrome(options=options, service=Service("/usr/bin/chromedriver", log_path=log)))
        return Chromium(drivers[-1], REPOSITORY / "build" / "screenshots")

    yield start
    for driver in drivers:
        driver.quit()


@pytest.fixture
def chromium(open_chromium: Callable[..., Chromium]) -> Chromium:
    """Chromium with a fresh profile."""
    return open_chromium()
