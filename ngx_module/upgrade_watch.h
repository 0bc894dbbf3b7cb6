// While a binary upgrade (USR2) is under way two zones remember used answers, each its own. The new nginx notes how long.
#pragma once

#include "ngx.h"

#include <memory>
#include <string>

#include "session_zone.h"

namespace sallyport::ngx {

class UpgradeWatch {
 public:
  // Null where no older nginx serves beside this one.
  static std::unique_ptr<UpgradeWatch> start(const ngx_cycle_t& cycle, SessionZone& zone);
  ~UpgradeWatch();

 private:
  UpgradeWatch(std::string old_pid_file, ngx_log_t* log, SessionZone& zone);
  static void on_timer(ngx_event_t* event);
  bool look();

  std::string old_pid_file_;  // there while the older one lives
  SessionZone& zone_;
  ngx_event_t timer_{};
};

}  // namespace sallyport::ngx
