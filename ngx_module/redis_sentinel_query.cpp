#include "redis_sentinel_query.h"

#include "bridge.h"

namespace sallyport::ngx {

SentinelQuery::SentinelQuery(const RedisConf& conf, Handler handler, void* owner)
    : conf_(conf), handler_(handler), owner_(owner), search_(conf, on_found, this), connection_(*this, conf) {}

std::vector<redis::Command> SentinelQuery::greeting() {
  std::vector<redis::Command> commands;
  if (!conf_.sentinel_password.empty()) {
    commands.push_back(redis::authenticate(conf_.sentinel_username, conf_.sentinel_password));
  }
  commands.push_back(redis::ping());
  return commands;
}

std::optional<std::string> SentinelQuery::check_greeting(std::size_t, const redis::Reply& reply) {
  if (reply.kind() == redis::ReplyKind::kStatus) return std::nullopt;
  return "it says: " + std::string(reply.text().substr(0, 200));
}

void SentinelQuery::ask() {
  is_asking_ = true;
  tries_left_ = conf_.servers.size();
  ask_current();
}

void SentinelQuery::ask_current() {
  if (connection_.is_closed()) return search_.find(server());
  if (!connection_.is_ready()) return;
  request_.prepare(on_answer, this, redis::sentinel_master(conf_.master));
  connection_.send(request_, static_cast<ngx_msec_t>(conf_.timeout));
}

void SentinelQuery::leave_sentinel() {
  request_.cancel();
  (void) connection_.close();
  current_ = (current_ + 1) % conf_.servers.size();
}

void SentinelQuery::on_found(void* owner, const RedisAddress* address, const std::string& found) {
  auto& self = *static_cast<SentinelQuery*>(owner);
  if (address == nullptr) return self.failed(found);
  std::string problem;
  const std::string& name = self.conf_.tls_name.empty() ? self.server().at.host : self.conf_.tls_name;
  if (!self.connection_.open(*address, name, &problem)) self.failed(problem);
}

void SentinelQuery::on_ready(RedisConnection&) {
  if (is_asking_) ask_current();
}

// With it goes what was asked.
void SentinelQuery::on_lost(RedisConnection&, const RedisLoss& loss, RedisPlaces unanswered) {
  while (!unanswered.empty()) take_first(unanswered);
  if (is_asking_) failed(loss.problem);
}

void SentinelQuery::on_answer(void* owner, redis::OwnedReply reply) {
  static_cast<SentinelQuery*>(owner)->take(redis::Reply(reply.get()));
}

void SentinelQuery::take(const redis::Reply& reply) {
  if (const auto master = redis::master_address(reply)) {
    is_asking_ = false;
    return handler_(owner_, &*master, {});
  }
  failed(reply.is_error() ? "it says: " + std::string(reply.text().substr(0, 200))
                          : "it knows no master \"" + conf_.master + "\"");
}

void SentinelQuery::failed(const std::string& problem) {
  const std::string where = server().text;
  leave_sentinel();
  if (--tries_left_ > 0) return ask_current();
  is_asking_ = false;
  handler_(owner_, nullptr, "no sentinel names the master; the last one asked is " + where + ": " + problem);
}

}  // namespace sallyport::ngx
