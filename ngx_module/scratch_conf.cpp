#include "scratch_conf.h"

#include <new>
#include <utility>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kPoolSize = 4096;
constexpr std::size_t kMostMessages = 16;

// Behind time, level, process and thread: "... [emerg] 12#12: MESSAGE\n".
std::string message_of(std::string_view line) {
  const std::size_t process = line.find('#');
  const std::size_t begin = process == line.npos ? line.npos : line.find(": ", process);
  if (begin != line.npos) line.remove_prefix(begin + 2);
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  return std::string(line);
}

}  // namespace

ScratchConf::ScratchConf(std::string_view prefix) : use_stderr_(ngx_use_stderr) {
  log_.log_level = NGX_LOG_WARN;
  log_.writer = on_message;
  log_.wdata = this;
  ngx_pool_t* pool = ngx_create_pool(kPoolSize, &log_);
  if (pool == nullptr) throw std::bad_alloc();
  cycle_.pool = conf_.pool = conf_.temp_pool = pool;
  cycle_.log = conf_.log = &log_;
  cycle_.conf_prefix = cycle_.prefix = copy(pool, prefix);
  conf_.cycle = &cycle_;
  conf_.args = ngx_array_create(pool, 10, sizeof(ngx_str_t));
  // A debugging nginx keeps what it reads, for "nginx -T".
  ngx_rbtree_init(&cycle_.config_dump_rbtree, &cycle_.config_dump_sentinel, ngx_str_rbtree_insert_value);
  if (conf_.args == nullptr || cycle_.conf_prefix.data == nullptr ||
      ngx_array_init(&cycle_.config_dump, pool, 1, sizeof(ngx_conf_dump_t)) != NGX_OK) {
    ngx_destroy_pool(pool);
    throw std::bad_alloc();
  }
  // While nginx starts it would print each message as well, at a level that stops it.
  if (use_stderr_ != 0) ngx_use_stderr = 0;
}

ScratchConf::~ScratchConf() {
  if (use_stderr_ != 0) ngx_use_stderr = use_stderr_;
  ngx_destroy_pool(conf_.pool);
}

std::vector<std::string> ScratchConf::take_errors() { return std::exchange(errors_, {}); }
std::vector<std::string> ScratchConf::take_warnings() { return std::exchange(warnings_, {}); }

void ScratchConf::on_message(ngx_log_t* log, ngx_uint_t level, u_char* line, size_t length) {
  auto& self = *static_cast<ScratchConf*>(log->wdata);
  auto& messages = level <= NGX_LOG_ERR ? self.errors_ : self.warnings_;
  if (messages.size() >= kMostMessages) return;
  try {
    messages.push_back(message_of({reinterpret_cast<const char*>(line), length}));
  } catch (...) {
    // Without memory the reading fails just as well, and says so.
  }
}

}  // namespace sallyport::ngx
