"""What the tests do in Chromium: log in at SimpleSAMLphp's form, look at a page, take pictures of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from idps.settings import USERS

SECONDS = 20
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


class Chromium:
    """One browser; `screenshots` is where pictures go."""

    def __init__(self, driver: Chrome, screenshots: Path) -> None:
        self.driver = driver
        self._screenshots = screenshots

    @property
    def url(self) -> str:
        return self.driver.current_url

    def open(self, url: str) -> None:
        self.driver.get(url)

    def find(self, selector: str) -> WebElement:
        """The first element of this CSS selector, waited for."""
        return WebDriverWait(self.driver, SECONDS).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def text(self, selector: str = "body") -> str:
        return self.find(selector).text

    def wait_for(self, condition: Callable[["Chromium"], bool], what: str) -> None:
        WebDriverWait(self.driver, SECONDS).until(lambda _: condition(self), f"waited for {what}, now at {self.url}")

    def click(self, selector: str) -> None:
        """Click, and wait until the page has gone."""
        element = self.find(selector)
        page = self.driver.find_element(By.TAG_NAME, "html").id
        element.click()
        self.wait_for(lambda each: each.driver.find_element(By.TAG_NAME, "html").id != page, "another page")

    def log_in(self, user: str = "student") -> None:
        """Fill in the identity provider's form and send it."""
        self.find("input[name=username]").send_keys(user)
        self.find("input[name=password]").send_keys(USERS[user].password)
        self.click("button[type=submit], input[type=submit], #submit_button")

    def console(self) -> list[str]:
        """Warnings and errors of the console since the last call; blocked by a policy among them. That an identity
        provider has no icon is none of ours."""
        messages = [each["message"] for each in self.driver.get_log("browser") if each["level"] in ("WARNING", "SEVERE")]
        return [each for each in messages if "/favicon.ico - " not in each]

    def take_pictures(self, name: str) -> None:
        """The page in light and dark, on a desk and on a phone; no picture may scroll sideways."""
        self._screenshots.mkdir(parents=True, exist_ok=True)
        for scheme in ("light", "dark"):
            self._command(
                "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
            )
            self._shoot(f"{name}-{scheme}")
        self._command("Emulation.setEmulatedMedia", features=[])
        self._command("Emulation.setDeviceMetricsOverride", **PHONE)
        self._shoot(f"{name}-phone")
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        self._command("Emulation.clearDeviceMetricsOverride")
        assert wide <= PHONE["width"], f"{name} is {wide} pixels wide on a phone"

    def _shoot(self, name: str) -> None:
        self.driver.save_screenshot(str(self._screenshots / f"{name}.png"))

    def _command(self, name: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(name, arguments)
