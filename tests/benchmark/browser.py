"""Chromium, that looks at pages as people do."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PHONE, DESK, SHEET = 390, 1280, 688  # widths of a page, px; the last is an A4 sheet's between its margins
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


class Browser:
    """A page in Chromium.

    Args:
        driver: selenium's driver.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def open(self, page: Path, width: int = DESK, scheme: str = "light", media: str = "") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self._driver.get_log("browser")
        self._driver.get_log("performance")
        self._driver.get(page.as_uri())

    def ask(self, script: str) -> Any:
        """What a script returns that runs in the page."""
        return self._driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What the console says."""
        return [line["message"] for line in self._driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that the page has asked for, those inside it apart."""
        events = [json.loads(line["message"])["message"] for line in self._driver.get_log("performance")]
        asked = [
            event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
        ]
        return [address for address in asked if not address.startswith("data:")]

    def printed(self) -> bytes:
        """The page as PDF."""
        settings = {"preferCSSPageSize": True, "printBackground": True}
        return base64.b64decode(self._driver.execute_cdp_cmd("Page.printToPDF", settings)["data"])


@pytest.fixture(scope="session", name="browser")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium or no chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield Browser(opened)
    opened.quit()
