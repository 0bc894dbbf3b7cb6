#include "upgrade_watch.h"

#include <errno.h>
#include <unistd.h>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

constexpr ngx_msec_t kInterval = 1000;  // milliseconds; shorter than the clock skew that is added to what is noted

}  // namespace

std::unique_ptr<UpgradeWatch> UpgradeWatch::start(const ngx_cycle_t& cycle, SessionZone& zone) {
  if (!ngx_inherited) return nullptr;
  const auto* core = reinterpret_cast<const ngx_core_conf_t*>(ngx_get_conf(cycle.conf_ctx, ngx_core_module));
  std::unique_ptr<UpgradeWatch> watch(new UpgradeWatch(std::string(view(core->oldpid)), cycle.log, zone));
  return watch->look() ? std::move(watch) : nullptr;
}

UpgradeWatch::UpgradeWatch(std::string old_pid_file, ngx_log_t* log, SessionZone& zone)
    : old_pid_file_(std::move(old_pid_file)), zone_(zone) {
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = log;
  timer_.cancelable = 1;
}

UpgradeWatch::~UpgradeWatch() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

// False: the older one is gone.
bool UpgradeWatch::look() {
  // Where the folder is closed to workers nobody can tell: then it is as if the older one were there.
  if (access(old_pid_file_.c_str(), F_OK) != 0 && errno == ENOENT) return false;
  zone_.follow_another();
  ngx_add_timer(&timer_, kInterval);
  return true;
}

void UpgradeWatch::on_timer(ngx_event_t* event) { (void) static_cast<UpgradeWatch*>(event->data)->look(); }

}  // namespace sallyport::ngx
