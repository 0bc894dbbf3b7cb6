#include "redis_sentinel.h"

#include "bridge.h"
#include "redis_single.h"

namespace sallyport::ngx {

namespace {

// A master that was replaced while it lives (a planned failover, a partition) is noticed so soon.
constexpr ngx_msec_t kRound = 1000;

}  // namespace

class RedisSentinel::Locator final : public RedisLocator {
 public:
  explicit Locator(RedisSentinel& sentinel) : sentinel_(sentinel) {}
  void locate(RedisNode&) override { sentinel_.locate(); }

 private:
  RedisSentinel& sentinel_;
};

RedisSentinel::RedisSentinel(const RedisConf& conf, RedisWatcher& watcher)
    : conf_(conf), watcher_(watcher), query_(conf, on_answer, this), search_(conf, on_found, this),
      node_(*this, conf, std::make_unique<Locator>(*this)) {
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = ngx_cycle->log;
  timer_.cancelable = 1;
}

RedisSentinel::~RedisSentinel() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

void RedisSentinel::start() {
  node_.start();
  ngx_add_timer(&timer_, kRound);
}

// A server that was a master may have become a replica meanwhile, and takes no writes.
std::vector<redis::Command> RedisSentinel::greeting() {
  std::vector<redis::Command> commands = data_greeting(conf_);
  commands.push_back(redis::replication_info());
  return commands;
}

std::optional<std::string> RedisSentinel::check_greeting(std::size_t, const redis::Reply& reply) {
  if (reply.kind() != redis::ReplyKind::kText) return check_data_greeting(reply);
  if (redis::is_master(reply.text())) return std::nullopt;
  return text_of(master_.at) + " is not a master (yet)";
}

void RedisSentinel::on_reply(RedisNode& node, RedisRequest& request, redis::OwnedReply reply) {
  const redis::Reply view(reply.get());
  const bool is_replica = view.is_error() && redis::error_kind(view.text()) == redis::ErrorKind::kReadOnly;
  request.answer(std::move(reply));
  if (is_replica) node.restart(text_of(master_.at) + " is a replica now");
}

void RedisSentinel::on_up(RedisNode&) { watcher_.on_redis_back(); }

// The sentinel that named it may be behind the times.
void RedisSentinel::on_down(RedisNode&, const std::string& problem) {
  is_locating_ = false;
  if (!query_.is_asking()) query_.leave_sentinel();
  watcher_.on_redis_gone(problem);
}

void RedisSentinel::locate() {
  is_locating_ = true;
  if (!query_.is_asking()) query_.ask();
}

void RedisSentinel::on_answer(void* owner, const redis::NodeAddress* master, const std::string& problem) {
  auto& self = *static_cast<RedisSentinel*>(owner);
  if (self.is_locating_) {
    if (master != nullptr) return self.connect_to(*master);
    self.is_locating_ = false;
    return self.node_.not_located(problem);
  }
  // While the master serves, sentinels may come and go.
  if (master != nullptr && self.node_.is_up()) self.compare(*master);
}

void RedisSentinel::connect_to(const redis::NodeAddress& master) {
  rumour_.reset();
  master_.at = master;
  master_.text = text_of(master);
  search_.find(master_);
}

void RedisSentinel::on_found(void* owner, const RedisAddress* address, const std::string& problem) {
  auto& self = *static_cast<RedisSentinel*>(owner);
  if (!self.is_locating_) return;
  self.is_locating_ = false;
  if (address == nullptr) return self.node_.not_located(problem);
  self.node_.located(*address, self.conf_.tls_name.empty() ? self.master_.at.host : self.conf_.tls_name);
}

// One sentinel that is cut off from the others may be wrong: a second one has to say the same.
void RedisSentinel::compare(const redis::NodeAddress& master) {
  if (master == master_.at) return rumour_.reset();
  const bool is_alone = conf_.servers.size() == 1;
  if (is_alone || (rumour_ && *rumour_ == master && rumoured_by_ != query_.sentinel())) {
    return node_.restart("the sentinels name another master, " + text_of(master));
  }
  rumour_ = master;
  rumoured_by_ = query_.sentinel();
  query_.leave_sentinel();
  query_.ask();
}

void RedisSentinel::look_after() {
  if (!query_.is_asking() && node_.is_up() && !ngx_exiting) query_.ask();
}

void RedisSentinel::on_timer(ngx_event_t* event) {
  auto& self = *static_cast<RedisSentinel*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.look_after();
    return true;
  });
  ngx_add_timer(event, kRound);
}

}  // namespace sallyport::ngx
