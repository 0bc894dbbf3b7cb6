// The module as nginx sees it: callbacks, phases, processes.
#include "bridge.h"
#include "conf.h"
#include "gate_handlers.h"
#include "leak_check.h"
#include "worker.h"

namespace sallyport::ngx {

namespace {

bool add_phase_handler(ngx_http_core_main_conf_t* core, ngx_http_phases phase,
                       ngx_http_handler_pt handler) {
  auto* slot = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[phase].handlers));
  if (slot == nullptr) return false;
  *slot = handler;
  return true;
}

ngx_int_t preconfiguration(ngx_conf_t* cf) {
  return fence<ngx_int_t>(NGX_ERROR, cf->log, [&]() -> ngx_int_t {
    if (add_variables(cf) != NGX_OK) return NGX_ERROR;
    note_built_in_variables(cf);
    return NGX_OK;
  });
}

ngx_int_t postconfiguration(ngx_conf_t* cf) {
  return fence<ngx_int_t>(NGX_ERROR, cf->log, [&]() -> ngx_int_t {
    if (finish_configuration(cf) != NGX_OK) return NGX_ERROR;
    auto* conf =
        static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_saml_module));
    // Without auth_saml anywhere, requests never meet us.
    if (!conf->active) return NGX_OK;
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    if (!add_phase_handler(core, NGX_HTTP_POST_READ_PHASE, post_read_handler) ||
        // The last one added runs first.
        !add_phase_handler(core, NGX_HTTP_SERVER_REWRITE_PHASE, endpoint_handler) ||
        !add_phase_handler(core, NGX_HTTP_SERVER_REWRITE_PHASE, server_rewrite_handler) ||
        !add_phase_handler(core, NGX_HTTP_REWRITE_PHASE, rewrite_handler) ||
        !add_phase_handler(core, NGX_HTTP_PREACCESS_PHASE, preaccess_handler) ||
        !add_phase_handler(core, NGX_HTTP_ACCESS_PHASE, access_handler) ||
        !add_phase_handler(core, NGX_HTTP_PRECONTENT_PHASE, precontent_handler)) {
      return NGX_ERROR;
    }
    install_response_filter();
    return NGX_OK;
  });
}

ngx_http_module_t context = {
    preconfiguration, postconfiguration,
    create_main_conf, nullptr,
    create_srv_conf,  merge_srv_conf,
    create_loc_conf,  merge_loc_conf,
};

}  // namespace

}  // namespace sallyport::ngx

ngx_module_t ngx_http_saml_module = {
    NGX_MODULE_V1,
    &sallyport::ngx::context,
    sallyport::ngx::kCommands,
    NGX_HTTP_MODULE,
    nullptr,                       // init master
    sallyport::ngx::kExpectLeaksOfTest,  // init module; null but under AddressSanitizer
    sallyport::ngx::start_worker,  // init process
    nullptr,                       // init thread
    nullptr,                       // exit thread
    sallyport::ngx::stop_worker,   // exit process
    nullptr,                       // exit master
    NGX_MODULE_V1_PADDING,
};
