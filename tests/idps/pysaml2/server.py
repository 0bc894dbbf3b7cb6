"""An identity provider around pysaml2, for tests: a login form, users and service providers from the settings file (read
anew at each request, so that tests can change them)."""

from __future__ import annotations

import base64
import html
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_UNSPECIFIED, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

MD = "urn:oasis:names:tc:SAML:2.0:metadata"


def read_settings() -> dict[str, Any]:
    with open(os.environ["SALLYPORT_IDP_SETTINGS"], encoding="utf-8") as file:
        return json.load(file)


def sp_metadata(provider: dict[str, Any]) -> str:
    key = ""
    if provider["certificate"]:
        key = (
            '<md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
            f"{provider['certificate']}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        )
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" entityID="{html.escape(provider["entity_id"])}">'
        '<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f'{key}<md:AssertionConsumerService index="0" Binding="{BINDING_HTTP_POST}" '
        f'Location="{html.escape(provider["acs_url"])}"/></md:SPSSODescriptor></md:EntityDescriptor>'
    )


def make_server(settings: dict[str, Any]) -> Server:
    base = settings["base_url"].rstrip("/")
    config = {
        "entityid": settings["entity_id"],
        "key_file": settings["key_file"],
        "cert_file": settings["certificate_file"],
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "metadata": {"inline": [sp_metadata(each) for each in settings["service_providers"].values()]},
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [(base + "/sso", BINDING_HTTP_REDIRECT)]},
                "policy": {"default": {"name_form": NAME_FORMAT_UNSPECIFIED, "lifetime": {"minutes": 15}}},
            }
        },
    }
    return Server(config=IdPConfig().load(config))


def page(body: str) -> bytes:
    return f"<!DOCTYPE html><html><body>{body}</body></html>".encode()


def form(action: str, fields: dict[str, str], more: str = "") -> bytes:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items())
    return page(f'<form method="post" action="{html.escape(action)}">{hidden}{more}<button>Continue</button></form>')


def login_form(request: dict[str, str]) -> bytes:
    kept = {name: request.get(name, "") for name in ("SAMLRequest", "RelayState")}
    return form("/login", kept, '<input name="username"><input name="password" type="password">')


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        settings = read_settings()
        if parts.path == "/metadata":
            self.reply(str(entity_descriptor(make_server(settings).config)).encode(), "application/xml")
        elif parts.path == "/sso" and "SAMLRequest" in query:
            self.reply(login_form(query))
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        fields = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        settings = read_settings()
        user = settings["users"].get(fields.get("username", ""))
        if self.path != "/login" or "SAMLRequest" not in fields:
            return self.send_error(404)
        if user is None or user["password"] != fields.get("password"):
            return self.reply(login_form(fields))
        answer, action = self.answer(settings, user, fields["SAMLRequest"])
        self.reply(form(action, {"SAMLResponse": answer, "RelayState": fields.get("RelayState", "")}))

    @staticmethod
    def answer(settings: dict[str, Any], user: dict[str, Any], saml_request: str) -> tuple[str, str]:
        server = make_server(settings)
        request = server.parse_authn_request(saml_request, BINDING_HTTP_REDIRECT)
        where = server.response_args(request.message)
        provider = settings["service_providers"][where["sp_entity_id"]]
        response = server.create_authn_response(
            identity=user["attributes"],
            name_id=NameID(format=settings["name_id_format"], text=user["attributes"][settings["name_id_attribute"]][0]),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": settings["entity_id"]},
            sign_response=provider["sign_response"],
            sign_assertion=provider["sign_assertion"],
            in_response_to=where["in_response_to"],
            destination=where["destination"],
            sp_entity_id=where["sp_entity_id"],
            # Its own are those of SHA-1.
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
        )
        return base64.b64encode(str(response).encode()).decode(), where["destination"]

    def reply(self, body: bytes, content_type: str = "text/html; charset=utf-8") -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
