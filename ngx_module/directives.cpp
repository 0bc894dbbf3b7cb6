// The module's table of directives: where each may stand, how many words it takes, who reads it.
#include "directives.h"

#include "conf_value.h"

namespace sallyport::ngx {

namespace {

constexpr ngx_uint_t kHttp = NGX_HTTP_MAIN_CONF;
constexpr ngx_uint_t kServer = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF;
constexpr ngx_uint_t kLocation = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

constexpr Word<Mode> kModes[] = {{"require", Mode::kRequire}, {"optional", Mode::kOptional}};
constexpr Word<LoginPage> kLoginPages[] = {{"auto", LoginPage::kAuto},
                                           {"always", LoginPage::kAlways}};
constexpr Word<HeaderFormat> kHeaderFormats[] = {{"list", HeaderFormat::kList},
                                                 {"json", HeaderFormat::kJson}};
constexpr Word<bool> kOverflows[] = {{"refuse", false}, {"cut", true}};
constexpr Word<OnUnauthenticated> kUnauthenticated[] = {{"auto", OnUnauthenticated::kAuto},
                                                        {"redirect", OnUnauthenticated::kRedirect},
                                                        {"401", OnUnauthenticated::k401}};
constexpr Word<SignRequests> kSignRequests[] = {
    {"on", SignRequests::kOn}, {"off", SignRequests::kOff}, {"auto", SignRequests::kAuto}};

}  // namespace

ngx_command_t kCommands[] = {
    // Protecting locations.
    {ngx_string("auth_saml"), kLocation | NGX_CONF_1MORE, Directive<set_auth_saml>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("auth_saml_mode"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::mode, word_value<Mode, kModes>>::set, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_login_page"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::login_page, word_value<LoginPage, kLoginPages>>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_force_authn"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::force_authn, force_authn_value>::set, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_require"), kLocation | NGX_CONF_1MORE, Directive<add_require>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_space"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::space, space_value>::set, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_headers"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::headers_prefix, headers_prefix_value>::set, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_header"), kLocation | NGX_CONF_TAKE2, Directive<add_header>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_header_format"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::header_format, word_value<HeaderFormat, kHeaderFormats>>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_header_limit"), kLocation | NGX_CONF_TAKE2, Directive<set_header_limit>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_header_overflow"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::overflow_cut, word_value<bool, kOverflows>>::set, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_allow_preflight"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::allow_preflight, word_value<bool, kFlag>>::set, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_unauthenticated"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::unauthenticated, word_value<OnUnauthenticated, kUnauthenticated>>::set,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_cache_shared"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::cache_shared, word_value<bool, kFlag>>::set, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_end_upgraded"), kLocation | NGX_CONF_TAKE1,
     Value<&LocConf::end_upgraded, word_value<bool, kFlag>>::set, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_endpoints"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
     Directive<set_endpoints_here>::set, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    // The service provider.
    {ngx_string("saml_entity_id"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::entity_id, entity_id_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_base_url"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::base_url, base_url_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_endpoint"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::endpoint, endpoint_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_certificate"), kServer | NGX_CONF_TAKE1, Directive<add_certificate>::set,
     NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_certificate_key"), kServer | NGX_CONF_TAKE1,
     Directive<add_certificate_key>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_sign_requests"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::sign_requests, word_value<SignRequests, kSignRequests>>::set,
     NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_secret_file"), kServer | NGX_CONF_TAKE12,
     Value<&SrvConf::secret_files, secret_files_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_clock_skew"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::clock_skew, clock_skew_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_max_assertion_age"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::max_assertion_age, positive_time_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_max_message_size"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::max_message_size, message_size_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_max_metadata_size"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::max_metadata_size, metadata_size_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_login_template"), kServer | NGX_CONF_TAKE1, Value<&SrvConf::login_template, template_value>::set,
     NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_error_template"), kServer | NGX_CONF_TAKE1, Value<&SrvConf::error_template, template_value>::set,
     NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_strip"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::strip, word_value<bool, kFlag>>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},

    // Sessions.
    {ngx_string("saml_session_zone"), kHttp | NGX_CONF_TAKE1, Directive<set_session_zone>::set,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_session_store"), kHttp | NGX_CONF_TAKE1, Directive<set_session_store>::set,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_session_timeout"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::session_timeout, positive_time_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("saml_session_idle_timeout"), kServer | NGX_CONF_TAKE1,
     Value<&SrvConf::idle_timeout, time_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_cookie"), kServer | NGX_CONF_TAKE1234,
     Value<&SrvConf::cookie, cookie_value>::set, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr},

    {ngx_string("saml_redis"), kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     Directive<read_redis_block>::set, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    // Identity providers.
    {ngx_string("saml_cache_path"), kHttp | NGX_CONF_TAKE1, Value<&MainConf::cache_path, cache_path_value>::set,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_idp_directory"), kHttp | NGX_CONF_TAKE1, Value<&MainConf::idp_directory, idp_directory_value>::set,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("saml_idp"), kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     Directive<read_idp_block>::set, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("saml_policy"), kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     Directive<read_policy_block>::set, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    ngx_null_command,
};

}  // namespace sallyport::ngx
