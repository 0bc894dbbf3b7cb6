"""Starts and stops the demo's parts: the identity provider, the application, nginx with the module."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from idps.child_process import ChildProcess, wait_until_accepts
from idps.settings import ServiceProvider
from idps.simplesamlphp import SimpleSamlPhp

from .app import Application

_HERE = Path(__file__).resolve().parent
_NGINX = "/usr/sbin/nginx"


def choose_port(wanted: int) -> int:
    """The wanted port of localhost, or the next one that is free."""
    for port in range(wanted, min(wanted + 100, 65536)):
        # Browsers ask ::1 first: somebody else there would be taken for us.
        if _is_free(port) and not _answers_on_ipv6(port):
            return port
    raise RuntimeError(f"no free port from {wanted} on")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers_on_ipv6(port: int) -> bool:
    try:
        socket.create_connection(("::1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Stack:
    """Everything the demo runs; a context manager. Browsers reach it as `localhost`.

    Both servers share that host name, so their cookies have different names; as they are one site, a login
    works over plain http.
    """

    def __init__(
        self, module: Path, folder: Path, port: int, idp_port: int, *, before_nginx: Sequence[str] = ()
    ) -> None:
        """`before_nginx` are words of the command line before nginx's own."""
        self.module = module
        self._before_nginx = before_nginx
        self.port = choose_port(port)
        # Never the site's own, which is still free now.
        self.idp_port = choose_port(self.port + 1 if idp_port == self.port else idp_port)
        self.folder = folder / str(self.port)
        self.base_url = f"http://localhost:{self.port}"
        self._idp: SimpleSamlPhp | None = None
        self._app: Application | None = None
        self._nginx: ChildProcess | None = None

    @property
    def idp(self) -> SimpleSamlPhp:
        assert self._idp is not None, "the demo does not run"
        return self._idp

    @property
    def error_log(self) -> Path:
        return self.folder / "error.log"

    @property
    def access_log(self) -> Path:
        return self.folder / "access.log"

    @property
    def idp_log(self) -> Path:
        return self.folder / "idp" / "log" / "simplesamlphp.log"

    def __enter__(self) -> "Stack":
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "tmp").mkdir(parents=True)
        self._idp = SimpleSamlPhp(self.folder / "idp", self.idp_port, host="localhost")
        entity_id, acs = f"{self.base_url}/saml/metadata", f"{self.base_url}/saml/acs"
        self._idp.register(ServiceProvider(entity_id, acs))
        self._idp.start()
        self._idp.write_metadata(self.folder / "idp-metadata.xml")
        self._app = Application()
        self._start_nginx()

    def _start_nginx(self) -> None:
        assert self._app is not None
        values = {
            "MODULE": self.module,
            "USER": "user www-data;" if os.geteuid() == 0 else "",
            "FOLDER": self.folder,
            "APP_PORT": self._app.port,
            "PORT": self.port,
        }
        text = (_HERE / "nginx.conf").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        config = self.folder / "nginx.conf"
        config.write_text(text)
        command = [*self._before_nginx, _NGINX, "-p", str(self.folder), "-c", str(config), "-e", str(self.error_log)]
        self._nginx = ChildProcess(command, self.folder / "nginx-output.log")
        wait_until_accepts(self._nginx, self.port)

    def wait(self) -> str:
        """Wait until a part ends by itself, and say which."""
        assert self._nginx is not None and self._idp is not None
        while True:
            if self._nginx.wait(1):
                return f"nginx ended, see {self.error_log}"
            if not self._idp.running:
                return f"the identity provider ended, see {self.folder / 'idp' / 'output.log'}"

    def stop(self) -> None:
        """End every part with all its processes."""
        if self._nginx is not None:
            self._nginx.end_group()
        if self._app is not None:
            self._app.stop()
        if self._idp is not None:
            self._idp.stop()
