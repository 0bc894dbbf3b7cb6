#include "worker.h"

#include "bridge.h"
#include "conf.h"
#include "session_zone.h"
#include "test_build.h"
#include "xml/document.h"
#include "xml/signing.h"

namespace sallyport::ngx {

namespace {

constexpr unsigned kRefusalsPerSecond = 10;

Worker* instance = nullptr;

// Without keys nothing is ever signed, and xmlsec1 need not be there.
bool has_own_keys(const MainConf& conf) {
  for (const SrvConf* server : conf.servers) {
    if (server->keys != nullptr && !server->keys->empty()) return true;
  }
  return false;
}

}  // namespace

Worker* worker() { return instance; }

bool Worker::may_log_refusal(time_t second, unsigned* suppressed) {
  *suppressed = 0;
  if (second != second_) {
    *suppressed = suppressed_;
    second_ = second;
    logged_ = 0;
    suppressed_ = 0;
  }
  if (logged_ >= kRefusalsPerSecond) {
    ++suppressed_;
    return false;
  }
  ++logged_;
  return true;
}

ngx_int_t start_worker(ngx_cycle_t* cycle) {
  return fence<ngx_int_t>(NGX_ERROR, cycle->log, [&]() -> ngx_int_t {
    auto* conf = static_cast<MainConf*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_saml_module));
    if (conf == nullptr || !conf->active) return NGX_OK;
    xml::initialize_parser();
    if (has_own_keys(*conf)) {
      if (Status signing = xml::initialize_signing(); !signing.ok()) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "saml: xmlsec1 does not start: %s",
                      signing.error().detail.c_str());
        return NGX_ERROR;
      }
    }
    instance = new Worker(session_zone(conf)->secret());
    make_up_sessions(cycle, *conf);
    return NGX_OK;
  });
}

void stop_worker(ngx_cycle_t* cycle) {
  report_stopwatches(cycle->log);
  delete instance;
  instance = nullptr;
}

}  // namespace sallyport::ngx
