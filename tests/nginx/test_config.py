"""What `nginx -t` accepts, refuses and warns of; every message names the place and the way out."""

from __future__ import annotations

import datetime
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.config_case import IDP, Case, accepted, ids, refused, warned
from sallyport_testing.idp_metadata import MetadataKey, aggregate_xml, entity_descriptor
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.paths import REPOSITORY, saml_module
from sallyport_testing.saml_idp import TestIdp

SSO = "https://idp.example.com/sso"
BY_HAND = (
    f"saml_idp hand {{ entity_id https://idp.example.com; sso_url {SSO}; "
    "certificate %%files%%/idp.crt; }"
)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Path:
    """The files that the cases name."""
    folder = tmp_path_factory.mktemp("conf")
    idp = TestIdp(keys.get("idp"))
    now = datetime.datetime.now(datetime.timezone.utc)
    past = now - datetime.timedelta(days=1)
    other = TestIdp(keys.get("idp"), entity_id="https://other.example.com/metadata")
    (folder / "idp.crt").write_bytes(idp.key.certificate_pem)
    idp.write_metadata(folder / "idp.xml")
    idp.write_metadata(folder / "expired.xml", valid_until=past)
    idp.write_metadata(folder / "six-days.xml", valid_until=now + datetime.timedelta(days=6))
    idp.write_metadata(folder / "eight-days.xml", valid_until=now + datetime.timedelta(days=8))
    idp.write_metadata(folder / "without-key.xml", keys=[])
    idp.write_metadata(folder / "encryption-only.xml", keys=[MetadataKey(idp.key, use="encryption")])
    idp.write_metadata(folder / "without-sso.xml", sso=[])
    idp.write_metadata(folder / "sp-only.xml", role="SPSSODescriptor")
    idp.write_metadata(folder / "wants-signed.xml", want_requests_signed=True)
    idp.write_metadata(folder / "with-slo.xml", slo=[(names.REDIRECT, "https://idp.example.com/slo")])
    (folder / "broken.xml").write_bytes(idp.metadata()[:-20])
    (folder / "doctype.xml").write_bytes(b"<!DOCTYPE x>\n" + idp.metadata().split(b"?>", 1)[1])
    (folder / "empty.xml").write_bytes(b"")
    (folder / "bad.html").write_text("<p>\n{{nobody}}")
    (folder / "step-up.conf").write_text("saml_force_authn 5m;\n")
    (folder / "space.conf").write_text("saml_space Trial;\n")
    (folder / "dead-end.html").write_text("{{#choices}}<p>{{name}}</p>{{/choices}}")
    (folder / "form.html").write_text('<form method="post" action="{{action}}"><input name="email"></form>')
    (folder / "twice.pem").write_bytes(2 * idp.key.certificate_pem)
    (folder / "cut.pem").write_bytes(idp.key.certificate_pem + idp.key.certificate_pem[:-40])
    (folder / "idps").mkdir()
    (folder / "text.txt").write_bytes(b"not XML, not PEM\n")
    several = [
        entity_descriptor(each.entity_id, [(names.REDIRECT, each.sso_url)], [MetadataKey(each.key)])
        for each in (idp, other)
    ]
    (folder / "two.xml").write_bytes(aggregate_xml(several))
    for name, kind in (("sp", "rsa2048"), ("sp2", "ec256"), ("weak", "rsa1024")):
        pair = keys.get(name, kind)
        (folder / f"{name}.crt").write_bytes(pair.certificate_pem)
        (folder / f"{name}.key").write_bytes(pair.key_pem)
        (folder / f"{name}.key").chmod(0o600)
    (folder / "for-all.key").write_bytes(keys.get("sp").key_pem)
    (folder / "for-all.key").chmod(0o644)
    (folder / "idp-lines.conf").write_text(f"sso_url {SSO};\ncertificate {folder}/idp.crt;\n")
    (folder / "bad-lines.conf").write_text("display_name ok;\nsso_url ftp://x;\n")
    return folder




def second_server(host: str, entity_id: str, more: str = "") -> str:
    """Another server, whose `server` is marked."""
    return f"""server {{ # HERE
        listen 127.0.0.1:%%port:two%%; server_name {host}; saml_entity_id {entity_id}; saml_base_url https://{host}:8443; {more}
        location / {{ auth_saml okta; }}
    }}"""


KEY = "saml_certificate %%files%%/sp.crt; saml_certificate_key %%files%%/sp.key;"

ACCEPTED = [
    Case("smallest"),
    Case("template_with_a_form", server="saml_login_template %%files%%/form.html;"),
    Case("metadata_for_eight_days", idp="saml_idp okta { metadata %%files%%/eight-days.xml; }"),
    Case("by_hand", idp=BY_HAND, location="auth_saml hand;"),
    Case("nothing_of_ours", idp="", location="", base="listen 127.0.0.1:%%port:site%%;"),
    Case("an_idp_that_nobody_uses", location="", base="listen 127.0.0.1:%%port:site%%;"),
    Case("several_idps", idp=IDP + BY_HAND, location="auth_saml okta hand;"),
    Case("variable", http="map $host $org { default okta; }", location="auth_saml $org;"),
    Case("inherited_from_http", http="auth_saml okta;", location=""),
    Case("inherited_from_server", server="auth_saml okta;", location=""),
    Case("off_inside", server="auth_saml okta;", location="auth_saml off;"),
    Case("service_provider_in_http",
         http="saml_entity_id https://x/; saml_base_url https://app.example.com:8443; " + KEY,
         base="listen 127.0.0.1:%%port:site%%;"),
    Case("key_pair", server=KEY),
    Case("two_key_pairs", server=KEY + "saml_certificate %%files%%/sp2.crt; "
         "saml_certificate_key %%files%%/sp2.key; saml_sign_requests on;"),
    Case("signed_where_wanted", idp="saml_idp okta { metadata %%files%%/wants-signed.xml; }", server=KEY),
    Case("one_of_an_aggregate", idp="saml_idp okta { metadata %%files%%/two.xml; "
         "metadata_entity https://other.example.com/metadata; }"),
    Case("slo_url_beside_metadata",
         idp="saml_idp okta { metadata %%files%%/idp.xml; slo_url https://idp.example.com/slo; }"),
    Case("same_entity_twice", idp=IDP + "saml_idp again { metadata %%files%%/idp.xml; }",
         location="auth_saml okta again;"),
    Case("both_bindings", idp="saml_idp hand { entity_id e; sso_url https://a/; sso_url https://a/ post; "
         "slo_url https://a/ post; certificate %%files%%/idp.crt; }", location="auth_saml hand;"),
    Case("include_inside_a_block", location="auth_saml hand;",
         idp="saml_idp hand { entity_id e; include %%files%%/idp-lines.conf; }"),
    Case("every_line_of_a_block", idp="""saml_idp okta {
        display_name "Example Ca$h Café"; metadata %%files%%/idp.xml; require_signed both;
        signature_algorithms rsa-sha256 ecdsa-sha384 rsa-pss-sha512 rsa-sha1; name_id_format persistent;
        authn_context urn:oasis:names:tc:SAML:2.0:ac:classes:Password urn:x:y minimum; force_authn on;
        user uid; attribute email mail urn:oid:0.9.2342.19200300.100.1.3; attribute shoe_size shoe;
        encryption_algorithms aes256-gcm aes192-gcm aes128-cbc rsa-oaep rsa-1_5
            http://www.w3.org/2001/04/xmlenc#aes256-cbc; require_encrypted off; allow_unsolicited off; }"""),
    Case("require_encrypted", idp="saml_idp okta { metadata %%files%%/idp.xml; require_encrypted on; }",
         server="saml_certificate %%files%%/sp2.crt; saml_certificate_key %%files%%/sp2.key; "
         "saml_certificate %%files%%/sp.crt; saml_certificate_key %%files%%/sp.key;"),
    Case("format_by_uri", idp="saml_idp okta { metadata %%files%%/idp.xml; "
         "name_id_format urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos; }"),
    Case("transient_with_an_attribute",
         idp="saml_idp okta { metadata %%files%%/idp.xml; name_id_format transient; user uid; }"),
    Case("every_location_directive", location="""auth_saml okta; auth_saml_mode require;
        saml_login_page always; saml_require group=A group=B; saml_require attr:urn:oid:1.2=x=y user=$arg_u;
        saml_headers X-Auth-; saml_header X-Who "$saml_user at $host"; saml_header_format json;
        saml_header_limit 2k 8k; saml_header_overflow cut; saml_allow_preflight on;
        saml_unauthenticated 401; saml_cache_shared on; saml_end_upgraded off; saml_force_authn 5m;"""),
    Case("words_in_capitals", idp="""saml_idp okta { metadata %%files%%/idp.xml; require_signed Both; require_encrypted OFF;
         authn_context urn:a Minimum; name_id_format Persistent; force_authn On; allow_unsolicited ON;
         policy main; }
         saml_idp hand { entity_id e; sso_url https://a/ Redirect; certificate %%files%%/idp.crt; }
         saml_policy main { role Member DEFAULT; group_sync ON; profile Every_Login; }""",
         http="saml_session_store SHM;", server="saml_strip ON; saml_sign_requests Auto; saml_cookie x samesite=Lax secure=ON;",
         location="""auth_saml okta; auth_saml_mode Require; saml_login_page ALWAYS; saml_force_authn OFF; saml_require Off;
         saml_space OFF; saml_headers OFF; saml_header_format JSON; saml_header_overflow Cut; saml_unauthenticated Redirect;"""),
    Case("auth_off_in_capitals", server="auth_saml okta;", location="auth_saml OFF;",
         locations="location /x { auth_saml okta; }"),
    Case("settings_of_outer_levels_for_some_locations",
         http="saml_force_authn 5m; auth_saml_mode require; saml_unauthenticated 401;",
         locations="location /x { } location /y { auth_saml off; }"),
    Case("included_twice_for_protected_ones",
         locations="location /x { auth_saml okta; include %%files%%/step-up.conf; location /x/a { } }"
         "location /y { include %%files%%/step-up.conf; location /y/a { auth_saml okta; } }"),
    Case("force_authn_off_without_auth", locations="location /x { saml_force_authn off; }"),
    Case("force_authn_off", location="auth_saml okta; saml_force_authn off;"),
    Case("every_server_directive", server="""saml_endpoint /auth/saml; saml_sign_requests off;
        saml_clock_skew 300s; saml_max_assertion_age 1h; saml_max_message_size 64k; saml_strip off;
        saml_session_timeout 1d; saml_session_idle_timeout 0;
        saml_cookie sid domain=.example.com samesite=none secure=on;"""),
    Case("sessions", http="saml_session_zone users:256k; saml_session_store shm;"),
    Case("headers_off_and_own", location="auth_saml okta; saml_headers off; saml_header X-SSO-User $saml_user;"),
    Case("own_header_under_another_prefix",
         location="auth_saml okta; saml_headers X-Auth-; saml_header X-SSO-User $saml_user;"),
    Case("own_headers_replace_outer_ones", http="saml_header X-SSO-User a;",
         location="auth_saml okta; saml_header X-B b;"),
    Case("key_of_the_server_replaces_the_outer_one", http="saml_certificate nosuch; saml_certificate_key nosuch;",
         server=KEY),
    Case("base_url_by_port_and_name", base="""listen 127.0.0.1:%%port:site%% ssl; server_name APP.example.com;
         ssl_certificate %%files%%/sp.crt; ssl_certificate_key %%files%%/sp.key; saml_entity_id e;
         saml_cookie x domain=app.example.com samesite=none;"""),
    Case("unix_socket_beside_one_port", base="""listen 127.0.0.1:%%port:site%% ssl; listen unix:%%folder%%/s;
         server_name app.example.com; ssl_certificate %%files%%/sp.crt; ssl_certificate_key %%files%%/sp.key;
         saml_entity_id e;"""),
    *(
        Case(f"second_server_{name}", idp=IDP + second_server(host, entity_id, more), server=cookie)
        for name, host, entity_id, cookie, more in (
            ("of_another_host", "b.example.com", "https://b/", "", ""),
            ("of_the_same_sp", "app.example.com", "https://app.example.com/saml/metadata", "", ""),
            ("with_its_own_cookie", "app.example.com", "https://b/", "", "saml_cookie other;"),
            ("of_another_domain", "b.example.org", "https://b/", "saml_cookie s domain=example.com;",
             "saml_cookie s domain=example.org;"),
        )
    ),
    Case("mistakes_of_servers_without_auth_saml_do_not_matter", location="", server="saml_certificate nosuch;"),
    *(
        Case(f"cache_path_to_be_made_{number}",
             idp=IDP + f"saml_cache_path %%folder%%/{path}; saml_idp x {{ metadata https://a/; }}")
        for number, path in enumerate(("copies", "copies/", "//copies"))
    ),
    Case("requirement_of_the_server", server="saml_require group=A;"),
    Case("requirements_with_variables",
         location='auth_saml okta; saml_require idp=$arg_i "space=$arg_s:" space=:$arg_r "group= $arg_g" space=A:B:C user=a"b;'),
    Case("requirement_of_an_idp_of_a_directory", http="saml_idp_directory %%files%%/idps;",
         location="auth_saml okta; saml_require idp=acme;"),
    Case("optional_drops_requirements", server="saml_require group=A;", locations="location /secret { "
         "auth_saml okta; return 200 a; }",
         location="auth_saml okta; auth_saml_mode optional; saml_require off;"),
    Case("endpoints_location", locations="location /saml/ { saml_endpoints; }"),
    Case("endpoints_location_of_a_protected_server", server="auth_saml okta;",
         locations="location ^~ /saml { saml_endpoints; }"),
    Case("endpoints_location_with_if",
         locations='location /saml/ { if ($arg_x) { set $x 1; } saml_endpoints; }'),
    Case("endpoints_location_by_expression", locations="location ~ ^/saml/ { saml_endpoints; }"),
]  # fmt: skip

REFUSED = [
    # auth_saml
    Case("unknown_idp", ('unknown IdP "nobody"', 'known: "okta"', "saml_idp nobody {"),
         location="auth_saml nobody; # HERE"),
    Case("no_idp_at_all", ('unknown IdP "okta"', "no saml_idp block yet"), idp=""),
    Case("name_twice", ('names "okta" twice',), location="auth_saml okta okta; # HERE"),
    Case("off_beside_a_name", ("stands alone", '"auth_saml off;"'), location="auth_saml okta off; # HERE"),
    Case("off_in_capitals_beside_a_name", ("stands alone",), location="auth_saml okta OFF; # HERE"),
    Case("variable_beside_a_name", ("a variable stands alone",), location="auth_saml okta $org; # HERE"),
    Case("variable_of_the_client", ("the client chooses", "map of $host"),
         location="auth_saml $arg_idp; # HERE"),
    Case("variable_of_the_cookie", ("the client chooses",), location="auth_saml ${cookie_idp}; # HERE"),
    *(
        Case(f"variable_of_the_client_{name.strip('$-{}').lower()}", ("the client chooses", "map of $host"),
             location=f"auth_saml {name}; # HERE")
        for name in ("$HTTP_IDP", "$Arg_x", "${HTTP_X}", "$Cookie_x", "$args", "$QUERY_STRING", "$is_args", "$uri",
                     "$document_uri", "$request_uri", "$request_body", "$remote_user", "$request_method", "$ssl_server_name",
                     "$request", "x-$content_type")
    ),
    *(
        Case(f"variable_without_a_name_{number}", ('a name behind "$"',), location=f"auth_saml {text}; # HERE")
        for number, text in enumerate(("$", "$-", "org$", "$$host", '"${}"'))
    ),
    Case("variable_without_idps", ("no saml_idp block",), idp="", http="map $host $org { default x; }",
         location="auth_saml $org; # HERE"),
    Case("unknown_variable", ('unknown "nosuch" variable',), location="auth_saml $nosuch;"),
    Case("auth_saml_twice", ('"auth_saml" directive is duplicate', "remove one"),
         location="auth_saml okta;\nauth_saml off; # HERE"),
    Case("mode", ('"auth_saml_mode" takes "require" or "optional"', '"maybe"'),
         location="auth_saml okta;\nauth_saml_mode maybe; # HERE"),
    Case("mode_twice", ('"auth_saml_mode" directive is duplicate',),
         location="auth_saml okta; auth_saml_mode require; auth_saml_mode require; # HERE"),
    Case("login_page", ('takes "auto" or "always"',), location="saml_login_page never; # HERE"),
    Case("unauthenticated", ('takes "auto", "redirect" or "401"',), location="saml_unauthenticated 403; # HERE"),
    Case("preflight", ('takes "on" or "off"',), location="saml_allow_preflight yes; # HERE"),
    Case("end_upgraded", ('takes "on" or "off"',), location="saml_end_upgraded 1; # HERE"),
    Case("force_authn", ('"saml_force_authn" must be at least 1s',), location="saml_force_authn 0; # HERE"),
    Case("force_authn_word", ('"saml_force_authn"', '"always"'), location="saml_force_authn always; # HERE"),
    Case("force_authn_twice", ('"saml_force_authn" directive is duplicate',),
         location="saml_force_authn 1m; saml_force_authn 1m; # HERE"),
    Case("cache_shared", ('takes "on" or "off"',), location="saml_cache_shared 1; # HERE"),
    Case("not_built_yet", ('unknown directive "saml_console"',), location="saml_console; # HERE"),
    # saml_require
    Case("require_without_auth", ('"saml_require" without "auth_saml"', "everybody could enter", "auth_saml NAME"),
         locations="location /x {\nsaml_require group=A; # HERE\n}"),
    Case("require_in_http_without_auth", ('"saml_require" without "auth_saml"',), location="",
         http="saml_require group=A; # HERE"),
    Case("force_authn_without_auth", ('"saml_force_authn" without "auth_saml"', "everybody could enter", "auth_saml NAME"),
         locations="location /x {\nsaml_force_authn 5m; # HERE\n}"),
    *(Case(f"{name}_of_an_included_file_without_auth", (f'"saml_{name}" without "auth_saml"', f"{file}.conf:1"),
           locations=f"location /x {{ auth_saml okta; include %%files%%/{file}.conf; }} "
                     f"location /y {{ include %%files%%/{file}.conf; }}")
      for name, file in (("force_authn", "step-up"), ("space", "space"))),
    Case("force_authn_in_http_without_auth", ('"saml_force_authn" without "auth_saml"',), location="",
         http="saml_force_authn 5m; # HERE"),
    Case("require_beside_optional", ('beside "auth_saml_mode optional"', '"saml_require off;"'),
         location="auth_saml okta; auth_saml_mode optional;\nsaml_require group=A; # HERE"),
    Case("require_inherited_beside_optional", ('beside "auth_saml_mode optional"',),
         server="saml_require group=A; # HERE", location="auth_saml okta; auth_saml_mode optional;"),
    Case("require_unknown_key", ('does not know the key "team"', "space, role, group, attr:NAME"),
         location="auth_saml okta;\nsaml_require team=A; # HERE"),
    Case("require_attribute_without_name", ('does not know the key "attr:"',),
         location="auth_saml okta;\nsaml_require attr:=A; # HERE"),
    *(Case(f"require_{name}", (says,), location=f"auth_saml okta;\nsaml_require {pair}; # HERE")
      for name, pair, says in (
          ("without_value", "group=", "a blank value never matches"),
          ("of_blanks", '"group= "', "a blank value never matches"),
          ("quoted_value", 'group="Engineering"', 'around the whole pair: "group=..."'),
          ("single_quotes", "role='Space Admin'", 'around the whole pair: "role=..."'),
          ("space_without_role", "space=Trial:", 'write "space=NAME" or "space=NAME:ROLE"'),
          ("role_without_space", "space=:Admin", 'write "space=NAME" or "space=NAME:ROLE"'),
          ("unknown_idp", "idp=okta idp=nosuch", '"saml_require idp=nosuch" names the unknown IdP; known: "okta"'),
      )),
    Case("require_unknown_idp_of_the_server", ('"saml_require idp=nosuch"',),
         server="saml_require idp=nosuch; # HERE\nsaml_require group=A;"),
    Case("require_without_equals", ('wants key=value, not "admins"',),
         location="auth_saml okta;\nsaml_require admins; # HERE"),
    Case("require_off_beside_a_pair", ('"off" stands alone',), location="auth_saml okta;\nsaml_require group=A off; # HERE"),
    Case("require_off_twice", ("twice",), location="auth_saml okta; saml_require off;\nsaml_require off; # HERE"),
    # headers
    Case("prefix_without_hyphen", ('ending in "-" like "X-SSO-"', '"X-SSO"'), location="saml_headers X-SSO; # HERE"),
    Case("prefix_of_a_blank", ("beginning of header names",), location='saml_headers "X SSO-"; # HERE'),
    Case("prefix_of_a_variable", ("without variables",), location="saml_headers $x-; # HERE"),
    Case("prefix_of_a_hyphen", ("beginning of header names",), location="saml_headers -; # HERE"),
    Case("HDR-NAME-with_a_blank", ("is not a header name",), location='saml_header "X A" v; # HERE'),
    Case("header_name_of_a_variable", ("is not a header name", "variables in the value only"), location="saml_header $x v; # HERE"),
    Case("HDR-NAME-with_a_colon", ("is not a header name",), location="saml_header X-A: v; # HERE"),
    Case("HDR-NAME-empty", ("is not a header name",), location='saml_header "" v; # HERE'),
    *(
        Case(f"HDR-NAME-{name}", (f'must not set "{name}"', '"X-App-User"'), location=f"saml_header {name} v; # HERE")
        for name in ("Host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Upgrade",
                     "cookie", "EXPECT", "Content_Length")
    ),
    Case("header_twice", ("stands here twice",), location="saml_header X-A a;\nsaml_header x_a b; # HERE"),
    Case("HDR-NAME-already_standard_inherited", ("saml_headers sends this header already",),
         http="saml_header X-SSO-User a; # HERE"),
    Case("key_of_the_outer_level_in_use", ("cannot read", "nosuch.key"),
         http="saml_certificate %%files%%/sp.crt; saml_certificate_key nosuch.key; # HERE"),
    Case("certificate_here_key_outside", ("1 times", "0 times", "at the same level"),
         http=KEY, server="saml_certificate %%files%%/sp2.crt; # HERE"),
    Case("base_url_of_a_port_with_both_schemes", ("speaks both http and https",), at_server=True,
         base="""listen 127.0.0.1:%%port:site%% ssl; listen 127.0.0.2:%%port:site%%; server_name a.example.com;
         ssl_certificate %%files%%/sp.crt; ssl_certificate_key %%files%%/sp.key; saml_entity_id e;"""),
    Case("header_already_standard", ("saml_headers sends this header already", '"saml_headers off;"'),
         location="auth_saml okta;\nsaml_header X-Sso-User a; # HERE"),
    Case("HDR-NAME-reserved", ("saml_headers sends this header already",),
         location="auth_saml okta; saml_headers X-A-;\nsaml_header X-A-Assertion a; # HERE"),
    Case("header_unknown_variable", ('unknown "nosuch" variable',), location="auth_saml okta; saml_header X-A $nosuch;"),
    Case("header_format", ('takes "list" or "json"',), location="saml_header_format xml; # HERE"),
    Case("header_limit_order", ("not smaller",), location="saml_header_limit 8k 4k; # HERE"),
    Case("header_limit_zero", ("limit of one value",), location="saml_header_limit 0 4k; # HERE"),
    Case("header_limit_huge", ("at most 64k",), location="saml_header_limit 4k 1m; # HERE"),
    Case("header_limit_word", ('"4kb" is not a size',), location="saml_header_limit 4kb 8k; # HERE"),
    Case("header_overflow", ('takes "refuse" or "cut"',), location="saml_header_overflow drop; # HERE"),
    # endpoints
    Case("endpoints_beside_auth", ('"saml_endpoints" beside "auth_saml"', "remove auth_saml"),
         locations="location /saml/ { auth_saml okta;\nsaml_endpoints; # HERE\n}"),
    Case("endpoints_in_a_public_server", ("auth_saml is on nowhere",), location="",
         locations="location /saml/ {\nsaml_endpoints; # HERE\n}"),
    Case("endpoints_of_one_path", ("does not cover every endpoint", "location /saml/ { saml_endpoints; }"),
         locations="location = /saml/acs {\nsaml_endpoints; # HERE\n}"),
    Case("endpoints_elsewhere", ("does not cover every endpoint",), server="saml_endpoint /auth;",
         locations="location /saml/ {\nsaml_endpoints; # HERE\n}"),
    Case("endpoints_and_a_proxy", ("beside another directive that answers",),
         locations="location /saml/ {\nsaml_endpoints; # HERE\nproxy_pass http://127.0.0.1:1; }"),
    Case("endpoint_without_slash", ('begins with "/"', 'not "saml"'), server="saml_endpoint saml; # HERE"),
    Case("endpoint_with_final_slash", ("does not end with it",), server="saml_endpoint /saml/; # HERE"),
    Case("endpoint_root", ('not "/"',), server="saml_endpoint /; # HERE"),
    Case("endpoint_with_dots", ("plain characters",), server="saml_endpoint /a/../b; # HERE"),
    Case("endpoint_with_query", ("plain characters",), server="saml_endpoint /saml?x; # HERE"),
    # the service provider
    Case("no_entity_id", ('no "saml_entity_id"', '"saml_entity_id https://app.example.com/saml/metadata;"', "nginx.conf:"),
         at_server=True, base="listen 127.0.0.1:%%port:site%%; server_name a.example.com;"),
    Case("entity_id_with_a_variable", ("without variables",),
         base="listen 127.0.0.1:%%port:site%%;\nsaml_entity_id https://$host/; # HERE"),
    Case("entity_id_empty", ("wants a URI",), base='listen 127.0.0.1:%%port:site%%;\nsaml_entity_id ""; # HERE'),
    Case("entity_id_twice", ('"saml_entity_id" directive is duplicate',), server="saml_entity_id x; # HERE"),
    *(
        Case(f"base_url_{name}", says, base=f"listen 127.0.0.1:%%port:site%%; saml_entity_id e;\n"
             f"saml_base_url {url}; # HERE")
        for name, url, says in (
            ("path", "https://app.example.com/app", ("must not have a path", "saml_endpoint")),
            ("query", "https://app.example.com?x", ("write scheme, host",)),
            ("scheme", "ftp://app.example.com", ("not an absolute http or https URL",)),
            ("bare_host", "app.example.com", ("not an absolute http or https URL",)),
            ("userinfo", "https://a@b.example.com", ("not an absolute http or https URL",)),
            ("variable", "https://$host", ("must not hold variables",)),
            ("empty", '""', ("not an absolute http or https URL",)),
        )
    ),
    *(
        Case(f"no_base_url_{name}", ('needs "saml_base_url"', says, '"saml_base_url https://app.example.com;"'),
             at_server=True, base=f"saml_entity_id e; {lines}")
        for name, lines, says in (
            ("several_names", "listen 127.0.0.1:%%port:site%%; server_name a.example.com b.example.com;", "several names"),
            ("no_name", "listen 127.0.0.1:%%port:site%%;", "no server_name"),
            ("underscore", "listen 127.0.0.1:%%port:site%%; server_name _;", "no server_name"),
            ("wildcard", "listen 127.0.0.1:%%port:site%%; server_name *.example.com;", "is a wildcard"),
            ("dot_wildcard", "listen 127.0.0.1:%%port:site%%; server_name .example.com;", "is a wildcard"),
            ("expression", "listen 127.0.0.1:%%port:site%%; server_name ~^a;", "regular expression"),
            ("several_ports", "listen 127.0.0.1:%%port:site%%; listen 127.0.0.1:%%port:two%%; server_name a.example.com;",
             "several ports"),
            ("unix_only", "listen unix:%%folder%%/x.sock; server_name a.example.com;", "listens on no port"),
        )
    ),
    Case("key_missing", ("0 times", "each certificate needs its key"), server="saml_certificate %%files%%/sp.crt; # HERE"),
    Case("certificate_missing", ("0 times",), server="saml_certificate_key %%files%%/sp.key; # HERE"),
    Case("key_of_another", ("is not the key of", "belong together"),
         server="saml_certificate %%files%%/sp.crt;\nsaml_certificate_key %%files%%/sp2.key; # HERE"),
    Case("pairs_crossed", ("is not the key of", "same order"),
         server="saml_certificate %%files%%/sp.crt; saml_certificate %%files%%/sp2.crt;\n"
         "saml_certificate_key %%files%%/sp2.key; # HERE\nsaml_certificate_key %%files%%/sp.key;"),
    Case("key_not_there", ("cannot read", "No such file or directory", "check the path"),
         server="saml_certificate %%files%%/sp.crt;\nsaml_certificate_key %%files%%/nosuch.key; # HERE"),
    Case("key_is_a_folder", ("it is not a file",),
         server="saml_certificate %%files%%/sp.crt;\nsaml_certificate_key %%files%%; # HERE"),
    Case("key_is_text", ('"saml_certificate_key"', "text.txt"),
         server="saml_certificate %%files%%/sp.crt;\nsaml_certificate_key %%files%%/text.txt; # HERE"),
    Case("certificate_is_a_key", ('"saml_certificate"', "sp.key"),
         server="saml_certificate %%files%%/sp.key; # HERE\nsaml_certificate_key %%files%%/sp.key;"),
    Case("weak_certificate", ('"saml_certificate"', "weak.crt"),
         server="saml_certificate %%files%%/weak.crt; # HERE\nsaml_certificate_key %%files%%/weak.key;"),
    Case("certificate_twice", ("twice: remove one",), server="saml_certificate %%files%%/sp.crt;\n"
         "saml_certificate %%files%%/sp.crt; # HERE"),
    Case("signing_without_key", ('"saml_sign_requests on" needs a key',), server="saml_sign_requests on; # HERE"),
    Case("sign_requests_word", ('takes "on", "off" or "auto"',), server="saml_sign_requests yes; # HERE"),
    Case("clock_skew", ("at most 300s", "NTP"), server="saml_clock_skew 301s; # HERE"),
    Case("clock_skew_word", ('"soon" is not a time',), server="saml_clock_skew soon; # HERE"),
    Case("assertion_age", ("at least 1s",), server="saml_max_assertion_age 0; # HERE"),
    Case("message_size_small", ("between 16k and 16m",), server="saml_max_message_size 1k; # HERE"),
    Case("message_size_large", ("between 16k and 16m",), server="saml_max_message_size 17m; # HERE"),
    Case("strip_in_a_location", ('"saml_strip" directive is not allowed here',), location="saml_strip off; # HERE"),
    Case("strip_word", ('takes "on" or "off"',), server="saml_strip no; # HERE"),
    # sessions
    Case("zone_without_size", ("wants name:size",), http="saml_session_zone saml; # HERE"),
    Case("zone_too_small", ("at least 256k",), http="saml_session_zone saml:255k; # HERE"),
    Case("zone_bad_size", ("is not a size",), http="saml_session_zone saml:big; # HERE"),
    Case("zone_twice", ('"saml_session_zone" directive is duplicate',),
         http="saml_session_zone saml:1m; saml_session_zone saml:2m; # HERE"),
    Case("zone_in_a_server", ('"saml_session_zone" directive is not allowed here',), server="saml_session_zone saml:1m; # HERE"),
    Case("zone_name_of_another_module", ('the shared memory zone "shared"',),
         http="limit_req_zone $host zone=shared:1m rate=1r/s; saml_session_zone shared:1m;"),
    Case("store_redis", ('unknown Redis "main"', "there is no saml_redis block yet", '"saml_redis main {'),
         http="saml_session_store redis=main; # HERE"),
    Case("store_word", ('takes "shm"',), http="saml_session_store disk; # HERE"),
    Case("session_timeout", ("at least 1s",), server="saml_session_timeout 0; # HERE"),
    Case("cookie_name", ("is not a cookie name",), server='saml_cookie "a b"; # HERE'),
    Case("cookie_name_of_a_variable", ("is not a cookie name", "without variables"), server="saml_cookie $x; # HERE"),
    Case("cookie_prefix", ("put before the name by itself",), server="saml_cookie __Host-x; # HERE"),
    Case("cookie_option", ('does not know "httponly"', "HttpOnly is always set"), server="saml_cookie x httponly; # HERE"),
    Case("cookie_same_site", ('"lax", "strict" or "none"',), server="saml_cookie x samesite=loose; # HERE"),
    Case("cookie_option_twice", ('"secure" twice',), server="saml_cookie x secure=on secure=off; # HERE"),
    Case("cookie_domain_elsewhere", ('"domain=example.org" does not cover "app.example.com"',),
         server="saml_cookie x domain=example.org; # HERE"),
    Case("cookie_domain_by_text_only", ("does not cover",), server="saml_cookie x domain=p.example.com; # HERE"),
    Case("cookie_domain_top_level", ("not a domain that hosts can share",), server="saml_cookie x domain=com; # HERE"),
    Case("cookie_domain_empty", ("not a domain that hosts can share",), server="saml_cookie x domain=; # HERE"),
    Case("cookie_none_without_https", ('refuse "samesite=none" without https',),
         base="listen 127.0.0.1:%%port:site%%; saml_entity_id e; saml_base_url http://app.example.com;\n"
         "saml_cookie x samesite=none; # HERE"),
    Case("cookie_secure_over_http", ('"secure=on" while saml_base_url is "http://app.example.com"',),
         base="listen 127.0.0.1:%%port:site%%; saml_entity_id e; saml_base_url http://app.example.com;\n"
         "saml_cookie x secure=on; # HERE"),
    # saml_idp
    Case("idp_name", ("wants a name",), idp='saml_idp "a b" { } # HERE'),
    Case("idp_called_off", ("wants a name",), idp="saml_idp off { } # HERE"),
    Case("idp_called_off_in_capitals", ("wants a name",), idp="saml_idp Off { } # HERE"),
    Case("idp_twice", ('named "okta" stands already at', "choose another name"), idp=IDP + "\nsaml_idp okta { # HERE\n}"),
    Case("idp_in_a_server", ('"saml_idp" directive is not allowed here',), server="saml_idp x { # HERE\n}"),
    Case("idp_empty", ('write "metadata FILE;", or by hand', "entity_id ID", "sso_url URL", "certificate FILE"),
         idp="saml_idp okta { # HERE\n}"),
    Case("idp_without_certificate", ("without metadata it also needs", '"certificate FILE;"'),
         idp=f"saml_idp okta {{ # HERE\nentity_id e; sso_url {SSO}; }}"),
    Case("template_missing", ("saml_login_template", "nosuch.html"), server="saml_login_template nosuch.html; # HERE"),
    Case("template_unknown_name", ('"saml_error_template"', "line 2", 'gives no "nobody"', "docs/templates.md"),
         server="saml_error_template %%files%%/bad.html; # HERE"),
    Case("idp_unsolicited_twice", ('"allow_unsolicited on" of saml_idp "other" and of saml_idp "okta"', "both have the entity ID",
                                   "write it in one of them"),
         idp=IDP.replace("}", "allow_unsolicited on; }") +
         "\nsaml_idp other {\nmetadata %%files%%/idp.xml;\nallow_unsolicited on; # HERE\n}"),
    *(
        Case(f"cache_path_{name}", says,
             idp=f"saml_cache_path {path}; # HERE\nsaml_idp okta {{ metadata https://idp.example.com/; }}")
        for name, path, says in (
            ("of_a_file", "%%files%%/text.txt", ("text.txt", "is not a folder")),
            ("below_a_file", "%%files%%/text.txt/x", ("cannot be made", "text.txt", "is no folder")),
            ("without_the_folder_around", "%%files%%/nosuch/x/", ("cannot be made", "nosuch/\" is no folder: make that one first")),
        )
    ),
    Case("idp_without_sso_url", ('"sso_url URL;"',),
         idp="saml_idp okta { # HERE\nentity_id e; certificate %%files%%/idp.crt; }"),
    *(
        Case(f"require_encrypted_{name}", ('"require_encrypted on" of saml_idp "okta"', "has no RSA key to decrypt with",
             'write "saml_certificate FILE;" and "saml_certificate_key FILE;"', '"require_encrypted off;"'),
             idp="saml_idp okta {\nmetadata %%files%%/idp.xml;\nrequire_encrypted on; # HERE\n}", server=server)
        for name, server in (
            ("without_key", ""),
            ("with_ec_key", "saml_certificate %%files%%/sp2.crt; saml_certificate_key %%files%%/sp2.key;"),
        )
    ),
    Case("idp_without_entity_id", ('"entity_id ID;"',),
         idp=f"saml_idp okta {{ # HERE\nsso_url {SSO}; certificate %%files%%/idp.crt; }}"),
    *(
        Case(f"idp_line_{name}", says, idp=f"saml_idp okta {{\n{line} # HERE\n}}")
        for name, line, says in (
            ("unknown", "logo x.png;", ('unknown line "logo"', 'saml_idp "okta"')),
            ("without_value", "metadata;", ("invalid number of values", "it takes 1")),
            ("two_values", "metadata a b;", ("invalid number of values",)),
            ("attribute_without_source", "attribute email;", ("at least 2",)),
            ("refresh_of_a_file", "metadata %%files%%/idp.xml;\nmetadata_refresh 5m;",
             ('"metadata_refresh" is for metadata by URL',)),
            ("refresh_too_often", "metadata https://idp.example.com/; metadata_refresh 10ms;", ("at least 1s",)),
            ("signer_without_metadata", "metadata_certificate %%files%%/idp.crt;", ('"metadata_certificate" without metadata',)),
            ("metadata_signer_twice", "metadata_certificate %%files%%/idp.crt; metadata_certificate %%files%%/idp.crt;",
             ("stands twice",)),
            ("unsolicited", "allow_unsolicited maybe;", ('takes "on" or "off"',)),
            ("encryption", "encryption_algorithms aes256-gcm tripledes-cbc;",
             ('does not know "tripledes-cbc"', "aes128-gcm, aes192-gcm, aes256-gcm, rsa-oaep", "rsa-1_5")),
            ("encryption_twice", "encryption_algorithms aes256-gcm rsa-oaep aes256-gcm;", ('names "aes256-gcm" twice',)),
            ("encryption_empty", "encryption_algorithms;", ("at least 1",)),
            ("encrypted_word", "require_encrypted yes;", ('takes "on" or "off"',)),
            ("metadata_url", "metadata https://idp.example.com/metadata;", ("needs a folder", '"saml_cache_path ')),
            ("metadata_http", "metadata http://idp.example.com/metadata;", ("https only",)),
            ("metadata_url_and_by_hand", f"metadata https://idp.example.com/; sso_url {SSO};", ("stands beside",)),
            ("sso_url_relative", "sso_url /sso;", ('"/sso" is not an absolute http or https URL',)),
            ("sso_url_script", "sso_url javascript:alert(1);", ("not an absolute http or https URL",)),
            ("sso_url_binding", f"sso_url {SSO} artifact;", ('takes "redirect" or "post"',)),
            ("sso_url_twice", f"sso_url {SSO}; sso_url {SSO} redirect;", ("stands twice for one binding",)),
            ("entity_id_twice", "entity_id a; entity_id b;", ('"entity_id" stands twice',)),
            ("entity_id_blank", 'entity_id "a b";', ("wants the IdP's entity ID",)),
            ("certificate_missing", "certificate nosuch.pem;", ("cannot read", "No such file")),
            ("certificate_text", "certificate %%files%%/text.txt;", ("certificate", "text.txt")),
            ("certificate_twice_in_one_file", "certificate %%files%%/twice.pem;", ("twice.pem", "stands twice")),
            ("certificate_cut_off", "certificate %%files%%/cut.pem;", ("cut.pem", "cannot be read")),
            ("certificate_weak", "certificate %%files%%/weak.crt;", ("weak.crt",)),
            ("certificate_twice", "certificate %%files%%/idp.crt; certificate %%files%%/idp.crt;", ("stands twice",)),
            ("require_signed", "require_signed no;", ('"any", "response", "assertion" or "both"',)),
            ("algorithm", "signature_algorithms hmac-sha256;", ('does not know "hmac-sha256"', "rsa-sha256")),
            ("algorithm_twice", "signature_algorithms rsa-sha256 rsa-sha256;", ("twice",)),
            ("name_id_format", "name_id_format mail;", ('"email", "persistent"',)),
            ("authn_context", "authn_context password;", ("takes URIs",)),
            ("authn_context_only_comparison", "authn_context exact;", ("takes URIs",)),
            ("authn_context_two_comparisons", "authn_context urn:a exact minimum;", ("takes URIs",)),
            ("authn_context_twice", "authn_context urn:a urn:a;", ("twice",)),
            ("force_authn", "force_authn always;", ('takes "on" or "off"',)),
            ("user_variable", "user $remote_user;", ("the name of an attribute",)),
            ("attribute_name", "attribute E-Mail mail;", ("lower-case letters",)),
            ("attribute_twice", "attribute email a; attribute email b;", ("stands twice",)),
            ("attribute_empty_source", 'attribute email "";', ("empty source",)),
            ("display_name", 'display_name "";', ("1 to 200 bytes",)),
            ("display_name_of_a_variable", "display_name $host;", ("takes no variables",)),
            ("display_name_with_a_variable", "display_name 'Login at ${host}';", ("takes no variables",)),
            ("nested_block", "sso { }", ('unexpected "{"',)),
            ("include_missing", "include nosuch.conf;", ("nosuch.conf", "No such file")),
        )
    ),
    Case("idp_include_with_a_mistake", ("bad-lines.conf:2", '"ftp://x" is not an absolute http'),
         idp="saml_idp okta { include %%files%%/bad-lines.conf; }"),
    Case("transient_user", ("a transient NameID is another one at each login", '"user ATTRIBUTE;"'),
         idp="saml_idp okta { metadata %%files%%/idp.xml;\nname_id_format transient; # HERE\n}"),
    Case("metadata_entity_without_metadata", ('"metadata_entity" without metadata',),
         idp="saml_idp okta {\nmetadata_entity e; # HERE\n}"),
    *(
        Case(f"metadata_beside_{line.split()[0]}", ("remove one of the two", line.split()[0]),
             idp=f"saml_idp okta {{ metadata %%files%%/idp.xml;\n{line}; # HERE\n}}")
        for line in ("entity_id e", f"sso_url {SSO}", "certificate %%files%%/idp.crt")
    ),
    Case("by_hand_before_metadata", ("remove one of the two",),
         idp=f"saml_idp okta {{ sso_url {SSO};\nmetadata %%files%%/idp.xml; # HERE\n}}"),
    Case("slo_url_beside_metadata_with_one", ("names a logout URL itself",),
         idp="saml_idp okta { metadata %%files%%/with-slo.xml;\nslo_url https://idp.example.com/x; # HERE\n}"),
    *(
        Case(f"metadata_{name}", (f"{name}.xml", *says), idp=f"saml_idp okta {{\nmetadata %%files%%/{name}.xml; # HERE\n}}")
        for name, says in (
            ("nosuch", ("cannot read", "No such file or directory", "check the path")),
            ("empty", ("it is empty",)),
            ("broken", ()),
            ("doctype", ()),
            ("expired", ("expired",)),
            ("without-key", ("KeyDescriptor",)),
            ("encryption-only", ("KeyDescriptor",)),
            ("without-sso", ("SingleSignOnService",)),
            ("sp-only", ("the metadata of a service provider",)),
            ("two", ("metadata_entity",)),
        )
    ),
    Case("metadata_entity_unknown", ("https://nosuch/",),
         idp="saml_idp okta {\nmetadata %%files%%/two.xml; # HERE\nmetadata_entity https://nosuch/;\n}"),
]  # fmt: skip

WARNED = [
    Case("template_without_a_way", ("nobody can log in by the page", 'dead-end.html"', '<a href="{{url}}">'),
         server="saml_login_template %%files%%/dead-end.html; # HERE"),
    Case("plain_http", ('is "http://app.example.com:', "over plain http", "saml_base_url"), at_server=True,
         base="listen 127.0.0.1:%%port:site%%; server_name app.example.com; saml_entity_id e;"),
    Case("requests_unsigned_though_wanted", ("wants signed requests", "saml_certificate_key"),
         idp="saml_idp okta { # HERE\nmetadata %%files%%/wants-signed.xml; }"),
    Case("metadata_for_six_days", ('six-days.xml" expires at 20', "(validUntil)", "an expired one is refused"),
         idp="saml_idp okta {\nmetadata %%files%%/six-days.xml; # HERE\n}"),
    Case("key_that_all_can_read", ("every user of this machine can read", 'for-all.key": "chmod 600" it'),
         server="saml_certificate %%files%%/sp.crt;\nsaml_certificate_key %%files%%/for-all.key; # HERE"),
    Case("signing_off_though_wanted", ("wants signed requests", '"saml_sign_requests off;"'),
         idp="saml_idp okta { # HERE\nmetadata %%files%%/wants-signed.xml; }", server=KEY + "saml_sign_requests off;"),
    Case("force_authn_switched_off", ('"saml_force_authn" has no effect',),
         locations="location /x { auth_saml off;\nsaml_force_authn 5m; # HERE\n}"),
    Case("mode_without_auth", ('"auth_saml_mode" has no effect',), locations="location /x {\nauth_saml_mode optional; # HERE\n}"),
    Case("unauthenticated_without_auth", ('"saml_unauthenticated" has no effect',),
         locations="location /x { auth_saml off;\nsaml_unauthenticated 401; # HERE\n}"),
    *(
        Case(f"cookie_shared_{name}", (f'the cookie "{shown}"', "nginx.conf:", '"saml_cookie OTHER;"'),
             server=cookie, http=second_server(host, "https://b/", more))
        for name, shown, host, cookie, more in (
            ("by_ports", "__Host-saml_session", "app.example.com", "", ""),
            ("by_domain", "s", "b.example.com", "saml_cookie s domain=example.com;", "saml_cookie s domain=example.com;"),
            ("by_one_domain", "s", "b.example.com", "saml_cookie s domain=example.com;", "saml_cookie s secure=off;"),
        )
    ),
    Case("requirement_switched_off", ('"saml_require" has no effect',), location="auth_saml okta;",
         locations="location /x { auth_saml off;\nsaml_require group=A; # HERE\n}"),
]  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED, ids=ids)
def test_accepted(nginx: Nginx, files: Path, case: Case) -> None:
    accepted(nginx, files, case)


@pytest.mark.parametrize("case", REFUSED, ids=ids)
def test_refused(nginx: Nginx, files: Path, case: Case) -> None:
    refused(nginx, files, case)


@pytest.mark.parametrize("case", WARNED, ids=ids)
def test_warned(nginx: Nginx, files: Path, case: Case) -> None:
    warned(nginx, files, case)


# Examples

EXAMPLES = REPOSITORY / "conf-examples"
DIRECTIVE = re.compile(r'ngx_string\("(\w+)"\)')
BLOCK_LINE = re.compile(r'^      \{"(\w+)", (?!.*\bread_later\b)\d', re.MULTILINE)
NOT_A_CONFIGURATION = {"users.conf"}  # what the others name as /etc/nginx/users.conf


def known_directives() -> set[str]:
    """The names in the module's tables."""
    tables = REPOSITORY / "ngx_module"
    found = DIRECTIVE.findall((tables / "directives.cpp").read_text())
    for lines in ("idp_lines.cpp", "policy_lines.cpp", "redis_lines.cpp"):
        found += BLOCK_LINE.findall((tables / lines).read_text())
    wanted = {"auth_saml", "saml_idp", "metadata", "saml_cookie", "saml_policy", "map_group"}
    assert wanted <= set(found), "the tables look different now"
    return set(found)


@pytest.fixture
def example_files(tmp_path: Path, files: Path) -> Path:
    """The files that the examples name, instead of /etc/nginx."""
    folder = tmp_path / "etc"
    folder.mkdir()
    for name, source in {
        "okta-metadata.xml": "idp.xml", "entra-metadata.xml": "idp.xml", "adfs-metadata.xml": "idp.xml",
        "partner-signing.crt": "idp.crt", "sp.crt": "sp.crt", "sp.key": "sp.key",
        "app.example.com.crt": "sp2.crt", "app.example.com.key": "sp2.key",
    }.items():  # fmt: skip
        shutil.copy(files / source, folder / name)
    shutil.copy(EXAMPLES / "users.conf", folder)
    (folder / "saml_idps").mkdir()
    (folder / "saml_idps" / "acme.conf").write_text(f"metadata {folder / 'okta-metadata.xml'};\n")
    (folder / "login.html").write_text("{{#choices}}{{url}}{{/choices}}")
    (folder / "error.html").write_text("{{heading}} {{reference}}")
    for name, text in (("saml.secret", "0123456789abcdef" * 4), ("redis.password", "secret"), ("sentinel.password", "secret")):
        (folder / name).write_text(text + "\n")
        (folder / name).chmod(0o600)
    return folder


@pytest.mark.parametrize("name", sorted({path.name for path in EXAMPLES.glob("*.conf")} - NOT_A_CONFIGURATION))
def test_example_loads(nginx: Nginx, example_files: Path, name: str) -> None:
    text = (EXAMPLES / name).read_text()
    inside = text[text.index("\nhttp {") + 7 : text.rindex("}")]
    inside = inside.replace("listen 443 ssl", "listen 127.0.0.1:%%port:site%% ssl")
    inside = inside.replace("/var/lib/nginx/saml", str(example_files / "copies"))
    nginx.configure("access_log off;" + inside.replace("/etc/nginx", str(example_files)))
    result = nginx.test()
    assert result.ok, result.output
    assert "[warn]" not in result.output


def test_reference_has_every_directive() -> None:
    """Each is explained (syntax, default, context) and used; nothing else is."""
    lines = (EXAMPLES / "reference.conf").read_text().splitlines()
    explained: set[str] = set()
    used: set[str] = set()
    for number, line in enumerate(lines):
        words = line.split()
        if re.match(r"^ +# [a-z_]+( .*)?(;|\})$", line):
            following = "\n".join(lines[number + 1 : number + 5])
            assert "default:" in following and "context:" in following, f"line {number + 1}: {line}"
            explained.add(words[1].rstrip(";"))
        elif words and not line.lstrip().startswith("#"):
            used.add(words[0].rstrip(";"))
    assert explained == known_directives()
    assert known_directives() <= used


def test_the_module_shows_only_what_nginx_looks_for() -> None:
    subprocess.run([REPOSITORY / "scripts/check-exports", saml_module()], check=True)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction's name is that of x86-64")
def test_the_compiler_leaves_prefetching_in() -> None:
    """GCC drops calls to what does nothing but prefetch, and no test of behaviour would notice."""
    disassemble = ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", saml_module()]
    code = subprocess.run(disassemble, check=True, stdout=subprocess.PIPE, text=True).stdout
    for table in ("SessionTable", "BucketTable"):
        body = re.search(rf"<sallyport::session::{table}::prefetch\([^\n]*>:\n(.*?)\n\n", code, re.DOTALL)
        assert body, table
        assert re.search(r"\tprefetch", body.group(1)), table
