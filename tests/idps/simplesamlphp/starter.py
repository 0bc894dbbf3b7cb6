"""SimpleSAMLphp on PHP's built-in server, with our router and a configuration that reads our settings."""

from __future__ import annotations

import os
from pathlib import Path

from ..provider import IdentityProvider

_HERE = Path(__file__).resolve().parent
_INSTALLED = Path("/usr/share/simplesamlphp/www")
_NO_DEPRECATIONS = "22527"  # E_ALL without E_DEPRECATED and E_STRICT: the package is older than this PHP


class SimpleSamlPhp(IdentityProvider):
    """Debian's SimpleSAMLphp. Signs response and assertion unless the registered SP says otherwise."""

    metadata_path = "/saml2/idp/metadata.php"
    sso_path = "/saml2/idp/SSOService.php"

    def __init__(self, folder: Path, port: int, **options) -> None:
        if not (_INSTALLED / "module.php").exists():
            raise RuntimeError("SimpleSAMLphp is not there: apt-get install --no-install-recommends simplesamlphp")
        super().__init__(folder, port, more_settings={"secret_salt": os.urandom(16).hex()}, **options)
        for each in ("sessions", "tmp", "data", "log"):
            (self.folder / each).mkdir(exist_ok=True)

    def command(self) -> list[str]:
        settings = ["-d", "display_errors=0", "-d", f"error_reporting={_NO_DEPRECATIONS}"]
        return ["php", *settings, "-S", f"127.0.0.1:{self.port}", "-t", str(_INSTALLED), str(_HERE / "router.php")]

    def environment(self) -> dict[str, str]:
        return {"SIMPLESAMLPHP_CONFIG_DIR": str(_HERE / "config"), "PHP_CLI_SERVER_WORKERS": "4"}
