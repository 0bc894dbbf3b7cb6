#include "redis_cluster.h"

#include "bridge.h"
#include "redis_single.h"

namespace sallyport::ngx {

namespace {

// While something is wrong the map is asked for each round; else to notice what no redirection tells.
constexpr ngx_msec_t kRound = 200;
constexpr unsigned kRoundsBetweenMaps = 50;
// After redirections, at most once in:
constexpr ngx_msec_t kBetweenMaps = 100;

}  // namespace

RedisCluster::RedisCluster(const RedisConf& conf, RedisWatcher& watcher)
    : conf_(conf), watcher_(watcher), members_(*this, conf) {
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = ngx_cycle->log;
  timer_.cancelable = 1;
}

RedisCluster::~RedisCluster() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

void RedisCluster::start() {
  ask_map();
  ngx_add_timer(&timer_, kRound);
}

std::vector<redis::Command> RedisCluster::greeting() { return data_greeting(conf_); }

std::optional<std::string> RedisCluster::check_greeting(std::size_t, const redis::Reply& reply) {
  return check_data_greeting(reply);
}

bool RedisCluster::send(RedisRequest& request) {
  if (members_.has_map()) {
    RedisNode* node = members_.of_slot(request.command().slot);
    return node != nullptr && node->send(request);
  }
  if (has_failed_) return false;
  waiting_.push_back({&request, 0});
  request.wait_at(&waiting_.back());
  return true;
}

bool RedisCluster::find_any(RedisAddress* address, std::string* name) {
  RedisNode* node = members_.next_up();
  return node != nullptr && node->find_address(address, name);
}

// A message reaches every node of the cluster. While none of ours serves, nothing is known.
bool RedisCluster::is_right(const RedisAddress& address) {
  return members_.any_at(address) || !members_.all_serve();
}

void RedisCluster::ask_map() {
  if (map_request_.is_pending() || ngx_exiting) return;
  asked_at_ = ngx_current_msec;
  RedisNode* node = members_.next_up();
  if (node != nullptr) {
    map_host_ = members_.find(*node)->is.at.host;
  } else {
    const RedisServer& server = conf_.servers[seeds_++ % conf_.servers.size()];
    map_host_ = server.at.host;
    seed_ = std::make_unique<RedisNode>(*this, conf_, std::make_unique<ServerLocator>(conf_, server));
    node = seed_.get();
  }
  map_request_.prepare(on_map, this, redis::cluster_nodes());
  if (!node->send(map_request_)) map_failed(problem_);
}

void RedisCluster::on_map(void* owner, redis::OwnedReply reply) {
  auto& self = *static_cast<RedisCluster*>(owner);
  if (reply == nullptr) return self.map_failed(self.problem_);
  self.take_map(redis::Reply(reply.get()));
}

void RedisCluster::take_map(const redis::Reply& reply) {
  auto map = reply.kind() == redis::ReplyKind::kText ? redis::SlotMap::parse(reply.text(), map_host_) : std::nullopt;
  if (!map) {
    return map_failed(reply.is_error() ? "the server says: " + std::string(reply.text().substr(0, 200))
                                       : "the server knows no slots of a cluster");
  }
  const bool is_complete = map->is_complete();
  has_failed_ = false;
  is_map_old_ = false;
  members_.take(std::move(*map));
  if (!is_complete) gone("the cluster has slots that no master serves");
  if (members_.all_serve()) watcher_.on_redis_back();
  serve_waiting();
}

void RedisCluster::map_failed(const std::string& problem) {
  has_failed_ = true;
  if (members_.has_map()) return;
  gone("no node tells of the cluster: " + problem);
  give_up(std::move(waiting_));
  waiting_.clear();
}

void RedisCluster::serve_waiting() {
  RedisPlaces waiting = std::move(waiting_);
  waiting_.clear();
  while (!waiting.empty()) {
    RedisRequest* request = take_first(waiting);
    if (request != nullptr && !send(*request)) request->answer(nullptr);
  }
}

void RedisCluster::on_reply(RedisNode& node, RedisRequest& request, redis::OwnedReply reply) {
  const redis::Reply view(reply.get());
  // (The question for the map belongs to nobody else, and a seed must not be left while it answers.)
  if (&request != &map_request_ && view.is_error() && redirect(node, request, view)) return;
  request.answer(std::move(reply));
}

// False: the answer is the answer.
bool RedisCluster::redirect(const RedisNode& from, RedisRequest& request, const redis::Reply& reply) {
  if (redis::error_kind(reply.text()) == redis::ErrorKind::kClusterDown) want_map();
  auto redirect = redis::parse_redirect(reply.text());
  if (!redirect) return false;
  const bool is_moved = redis::error_kind(reply.text()) == redis::ErrorKind::kMoved;
  if (is_moved) want_map();
  if (!request.may_be_redirected()) return false;
  const ClusterMember* member = members_.find(from);
  if (redirect->to.host.empty()) redirect->to.host = member == nullptr ? map_host_ : member->is.at.host;
  RedisNode* node = members_.at(redirect->to);
  if (node == nullptr) return false;
  return is_moved ? node->send(request) : node->send_asking(request);
}

void RedisCluster::want_map() {
  is_map_old_ = true;
  if (static_cast<ngx_msec_int_t>(ngx_current_msec - asked_at_) >= static_cast<ngx_msec_int_t>(kBetweenMaps)) ask_map();
}

void RedisCluster::on_up(RedisNode&) {
  if (members_.all_serve()) watcher_.on_redis_back();
}

void RedisCluster::on_down(RedisNode& node, const std::string& problem) {
  if (&node == seed_.get()) {
    problem_ = problem;
    return;
  }
  const ClusterMember* member = members_.find(node);
  if (member != nullptr && member->has_slots) gone("its node " + text_of(member->is.at) + ": " + problem);
}

void RedisCluster::gone(const std::string& problem) { watcher_.on_redis_gone(problem); }

void RedisCluster::look_after() {
  members_.clear_away();
  if (seed_ != nullptr && seed_->is_idle() && members_.next_up() != nullptr) seed_.reset();
  const bool is_due = ++rounds_ % kRoundsBetweenMaps == 0;
  if (is_due || is_map_old_ || has_failed_ || !members_.all_serve()) ask_map();
}

void RedisCluster::on_timer(ngx_event_t* event) {
  auto& self = *static_cast<RedisCluster*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.look_after();
    return true;
  });
  ngx_add_timer(event, kRound);
}

}  // namespace sallyport::ngx
