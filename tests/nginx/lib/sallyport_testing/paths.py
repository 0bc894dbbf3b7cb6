"""Where things are: the repository, the module under test and the nginx binary that loads it."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
BUILD = REPOSITORY / "build"


def nginx_binary() -> str:
    """The nginx to run: `SALLYPORT_NGINX`, or Debian's."""
    return os.environ.get("SALLYPORT_NGINX", "/usr/sbin/nginx")


def saml_module() -> Path:
    """The module under test: `SALLYPORT_MODULE`, or where `scripts/build-nginx` leaves it."""
    given = os.environ.get("SALLYPORT_MODULE")
    return Path(given).resolve() if given else BUILD / "nginx/objs/ngx_http_saml_module.so"
