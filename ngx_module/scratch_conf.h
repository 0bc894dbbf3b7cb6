// Reading configuration beside nginx's own reading: by the same parser, with the same messages, for whoever has no ngx_conf_t,
// as a worker and its thread.
#pragma once

#include "ngx.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::ngx {

// Memory, messages and place of one reading; none of it is nginx's own, so any thread may use one.
class ScratchConf {
 public:
  // Relative paths begin in `prefix`, the folder of nginx.conf with a slash at the end. Throws bad_alloc.
  explicit ScratchConf(std::string_view prefix);
  ~ScratchConf();
  ScratchConf(const ScratchConf&) = delete;
  ScratchConf& operator=(const ScratchConf&) = delete;

  ngx_conf_t* get() { return &conf_; }

  // What was said at level emerg and above, and below, since the last call: "MESSAGE in FILE:LINE".
  std::vector<std::string> take_errors();
  std::vector<std::string> take_warnings();

 private:
  static void on_message(ngx_log_t* log, ngx_uint_t level, u_char* line, size_t length);

  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
  ngx_log_t log_{};
  ngx_cycle_t cycle_{};
  ngx_conf_t conf_{};
  ngx_uint_t use_stderr_;
};

}  // namespace sallyport::ngx
