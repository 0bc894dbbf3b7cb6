"""A site that many tests share: started once per file, since starting nginx takes longer than a login."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .idp_metadata import MetadataKey
from .keys import KeyPair, KeyStore
from .nginx import Nginx, module_under_test
from .refusals import LOG_FORMAT
from .saml_idp import TestIdp
from .site import SamlSite
from .upstream import EchoUpstream


@contextmanager
def running_site(
    folder: Path,
    keys: KeyStore,
    *,
    workers: int = 2,
    tls: bool = True,
    more_idp_keys: Sequence[KeyPair] = (),
    recipients: Sequence[KeyPair] = (),
    **parts: str,
) -> Iterator[SamlSite]:
    """A started `SamlSite` that logs what `Refusals` reads; stopped and checked at the end. `more_idp_keys` stand in the
    metadata beside the usual one, `recipients` are the site's own keys for encryption; parts as for `SamlSite.configure`."""
    with EchoUpstream() as upstream, Nginx(folder, module=module_under_test(), workers=workers) as nginx:
        idp = TestIdp(keys.get("idp"), more_keys=more_idp_keys, recipients=recipients)
        site = SamlSite(nginx, upstream, idp, keys.tls("app.example.com"), tls=tls)
        parts["http"] = LOG_FORMAT + parts.get("http", "")
        if more_idp_keys:
            listed = [MetadataKey(key) for key in (site.idp.key, *more_idp_keys)]
            parts["idp_block"] = f"metadata {site.idp.write_metadata(folder / 'idp-metadata.xml', keys=listed)};"
        yield site.start(**parts)
