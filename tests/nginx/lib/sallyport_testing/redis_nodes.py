"""Two nginx nodes that share a Redis: the same site on both, for the same host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .keys import KeyPair
from .nginx import Nginx
from .redis_server import RedisServer
from .saml_idp import TestIdp
from .shifted_clock import ShiftedClock
from .site import SamlSite
from .upstream import EchoUpstream

SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef"


class RedisSites:
    """Makes sites whose sessions are in Redis; the first is `a`, the second `b`."""

    def __init__(
        self, folder: Path, make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, tls_key: KeyPair
    ) -> None:
        self._folder = folder
        self._make_nginx = make_nginx
        self._upstream = upstream
        self._idp = idp
        self._tls_key = tls_key
        self.made: list[SamlSite] = []

    def secret_file(self, text: str = SECRET, name: str = "secret") -> Path:
        path = self._folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def metadata(self) -> Path:
        """A file with the IdP's metadata, for an `idp_block`."""
        return self._idp.write_metadata(self._folder / "metadata.xml")

    def make(
        self,
        redis: RedisServer | str,
        *,
        lines: str = "",
        secret: str | None = None,
        workers: int = 1,
        clock: ShiftedClock | None = None,
        http: str = "",
        **parts: str,
    ) -> SamlSite:
        """A running node; `redis` is the server or what `server` is to say, `lines` go into saml_redis."""
        nginx = self._make_nginx(workers=workers, **({} if clock is None else {"clock": clock}))
        site = SamlSite(nginx, self._upstream, self._idp, self._tls_key)
        server = redis if isinstance(redis, str) else redis.address
        http = f"""
        saml_redis main {{
            server {server};
            {lines}
        }}
        saml_session_store redis=main;
        saml_secret_file {secret or self.secret_file()};
        {http}
        """
        self.made.append(site)
        return site.start(http=http, **parts)

    def pair(self, redis: RedisServer | str, **options: str) -> tuple[SamlSite, SamlSite]:
        return self.make(redis, **options), self.make(redis, **options)
