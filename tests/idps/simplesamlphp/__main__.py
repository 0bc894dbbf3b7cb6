"""Run SimpleSAMLphp in the foreground for one service provider.

    PYTHONPATH=tests python3 -m idps.simplesamlphp --port 8081 --metadata-out idp.xml \\
        --sp-entity-id http://localhost:8080/saml/metadata --acs-url http://localhost:8080/saml/acs
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from ..settings import ServiceProvider, pem_to_base64, read_users
from .starter import SimpleSamlPhp


def main() -> None:
    parser = argparse.ArgumentParser(description="SimpleSAMLphp as an identity provider, for tests and demos")
    parser.add_argument("--port", type=int, required=True, help="listens on 127.0.0.1")
    parser.add_argument("--host", default="localhost", help="the host name that browsers use (default %(default)s)")
    parser.add_argument("--sp-entity-id", required=True)
    parser.add_argument("--acs-url", required=True)
    parser.add_argument("--slo-url")
    parser.add_argument("--sp-certificate", type=Path, help="PEM; then requests must be signed with its key")
    parser.add_argument("--metadata-out", type=Path, required=True, help="where the IdP's metadata goes")
    parser.add_argument("--users", type=Path, help="JSON: name to password and attributes")
    parser.add_argument("--folder", type=Path, help="keys and state (default: a temporary folder)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as temporary:
        users = read_users(options.users) if options.users else None
        idp = SimpleSamlPhp(options.folder or Path(temporary), options.port, host=options.host, users=users)
        certificate = pem_to_base64(options.sp_certificate.read_text()) if options.sp_certificate else None
        idp.register(
            ServiceProvider(
                options.sp_entity_id,
                options.acs_url,
                options.slo_url,
                certificate,
                validate_requests=certificate is not None,
            )
        )
        with idp:
            options.metadata_out.write_bytes(idp.metadata())
            print(f"SimpleSAMLphp: {idp.entity_id}", flush=True)
            try:
                idp.wait()
            except KeyboardInterrupt:
                pass


main()
