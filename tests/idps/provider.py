"""What both identity providers have in common: settings in a file, a key, a process."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from .child_process import ChildProcess, wait_until_accepts
from .key_pair import make_key_pair
from .settings import ServiceProvider, Settings, User

EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


class IdentityProvider:
    """An IdP on 127.0.0.1:`port` that browsers reach under `host`; state and keys live in `folder`."""

    metadata_path: str
    sso_path: str

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        host: str = "127.0.0.1",
        users: Mapping[str, User] | None = None,
        name_id_attribute: str = "email",
        name_id_format: str = EMAIL_FORMAT,
        more_settings: Mapping[str, object] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.port = port
        self.base_url = f"http://{host}:{port}"
        self.entity_id = self.base_url + self.metadata_path
        self.sso_url = self.base_url + self.sso_path
        self.key_file, self.certificate_file = make_key_pair(self.folder)
        self._process: ChildProcess | None = None
        self._settings = Settings(
            values={
                "base_url": self.base_url + "/",
                "entity_id": self.entity_id,
                "folder": str(self.folder),
                "key_file": str(self.key_file),
                "certificate_file": str(self.certificate_file),
                "name_id_attribute": name_id_attribute,
                "name_id_format": name_id_format,
                **(more_settings or {}),
            }
        )
        if users is not None:
            self._settings.users = dict(users)
        self._write()

    def command(self) -> Sequence[str]:
        """What to run."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What the process needs in its environment, beside ours and the settings file."""
        return {}

    @property
    def users(self) -> Mapping[str, User]:
        return self._settings.users

    def set_user(self, name: str, user: User) -> None:
        """Add or replace a user, from the next login on."""
        self._settings.users[name] = user
        self._write()

    def register(self, provider: ServiceProvider) -> None:
        """Serve this SP from now on; one of the same entity ID is replaced."""
        self._settings.service_providers[provider.entity_id] = provider
        self._write()

    def start(self) -> "IdentityProvider":
        environment = {**os.environ, "SALLYPORT_IDP_SETTINGS": str(self._settings_file), **self.environment()}
        self._process = ChildProcess(self.command(), self.folder / "output.log", env=environment)
        wait_until_accepts(self._process, self.port)
        return self

    def metadata(self) -> bytes:
        """The IdP's metadata document, asked of the running server."""
        url = f"http://127.0.0.1:{self.port}{self.metadata_path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read()

    def write_metadata(self, path: Path) -> Path:
        """Write the metadata to a file and return its path."""
        path.write_bytes(self.metadata())
        return path

    def stop(self) -> None:
        """End the server and all its workers."""
        process, self._process = self._process, None
        if process is not None:
            process.end_group(grace=0.3)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.alive()

    def wait(self) -> None:
        """Wait until the server exits."""
        if self._process is not None:
            self._process.wait(None)

    @property
    def _settings_file(self) -> Path:
        return self.folder / "settings.json"

    def _write(self) -> None:
        self._settings.write(self._settings_file)

    def __enter__(self) -> "IdentityProvider":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
