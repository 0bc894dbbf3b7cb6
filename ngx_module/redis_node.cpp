#include "redis_node.h"

#include "bridge.h"

namespace sallyport::ngx {

namespace {

constexpr ngx_msec_t kFirstDelay = 50;
constexpr ngx_msec_t kLongestDelay = 500;
// Above so many answers on the way, one more connection is worth its while.
constexpr std::size_t kEnough = 64;
constexpr ngx_msec_t kBetweenExtras = 1000;

// Twice as long after each failure, a quarter of it by chance: workers and nodes do not come all at once.
ngx_msec_t delay_after(unsigned failures) {
  ngx_msec_t delay = kFirstDelay;
  for (unsigned i = 1; i < failures && delay < kLongestDelay; ++i) delay *= 2;
  if (delay > kLongestDelay) delay = kLongestDelay;
  return delay - static_cast<ngx_msec_t>(ngx_random()) % (delay / 4 + 1);
}

void move_to_end(RedisPlaces& from, RedisPlaces& to) {
  while (!from.empty()) {
    RedisRequest* request = take_first(from);
    if (request == nullptr) continue;
    to.push_back({request, 0});
    request->wait_at(&to.back());
  }
}

}  // namespace

void give_up(RedisPlaces places) {
  while (!places.empty()) {
    if (RedisRequest* request = take_first(places)) request->answer(nullptr);
  }
}

RedisNode::RedisNode(RedisNodeOwner& owner, const RedisConf& conf, std::unique_ptr<RedisLocator> locator)
    : owner_(owner), conf_(conf), locator_(std::move(locator)) {
  retry_.handler = on_retry;
  retry_.data = this;
  retry_.log = ngx_cycle->log;
  retry_.cancelable = 1;
}

RedisNode::~RedisNode() {
  if (retry_.timer_set) ngx_del_timer(&retry_);
}

void RedisNode::start() {
  if (!has_ready() && !is_opening() && !is_down_) open();
}

bool RedisNode::send(RedisRequest& request) {
  if (is_down_) return false;
  if (RedisConnection* connection = choose()) {
    connection->send(request, static_cast<ngx_msec_t>(conf_.timeout));
    return true;
  }
  if (!is_opening()) open();
  if (is_down_) return false;
  waiting_.push_back({&request, 0});
  request.wait_at(&waiting_.back());
  return true;
}

bool RedisNode::send_asking(RedisRequest& request) {
  if (is_down_) return false;
  RedisConnection* connection = choose();
  // Without a connection the slot's owner is asked again later; by then it may have moved.
  if (connection == nullptr) return send(request);
  connection->send_unheard(redis::asking(), static_cast<ngx_msec_t>(conf_.timeout));
  connection->send(request, static_cast<ngx_msec_t>(conf_.timeout));
  return true;
}

// The first one that is not busy, so that few connections carry much; null: none is ready.
RedisConnection* RedisNode::choose() {
  RedisConnection* least = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->is_ready()) continue;
    if (connection->unanswered() < kEnough) return connection.get();
    if (least == nullptr || connection->unanswered() < least->unanswered()) least = connection.get();
  }
  if (least != nullptr) open_one_more();
  return least;
}

bool RedisNode::has_ready() const {
  for (const auto& connection : connections_) {
    if (connection->is_ready()) return true;
  }
  return false;
}

bool RedisNode::is_opening() const {
  if (is_searching_) return true;
  for (const auto& connection : connections_) {
    if (!connection->is_ready() && !connection->is_closed()) return true;
  }
  return false;
}

// One that can be opened; null: there are as many as allowed.
RedisConnection* RedisNode::find_closed() {
  for (const auto& connection : connections_) {
    if (connection->is_closed()) return connection.get();
  }
  if (connections_.size() >= conf_.keepalive) return nullptr;
  connections_.push_back(std::make_unique<RedisConnection>(*this, conf_));
  return connections_.back().get();
}

void RedisNode::open() {
  is_searching_ = true;
  locator_->locate(*this);
}

void RedisNode::located(const RedisAddress& address, const std::string& name) {
  is_searching_ = false;
  address_ = address;
  name_ = name;
  has_address_ = true;
  RedisConnection* connection = find_closed();
  if (connection == nullptr) return;
  std::string problem;
  if (!connection->open(address, name, &problem)) not_located(problem);
}

void RedisNode::not_located(const std::string& problem) {
  is_searching_ = false;
  go_down(problem, {});
}

void RedisNode::open_one_more() {
  if (is_opening() || !has_address_ || static_cast<ngx_msec_int_t>(no_more_until_ - ngx_current_msec) > 0) return;
  RedisConnection* connection = find_closed();
  std::string problem;
  if (connection != nullptr && !connection->open(address_, name_, &problem)) {
    no_more_until_ = ngx_current_msec + kBetweenExtras;
  }
}

bool RedisNode::is_idle() const {
  for (const auto& connection : connections_) {
    if (connection->unanswered() > 0) return false;
  }
  return waiting_.empty();
}

bool RedisNode::find_address(RedisAddress* address, std::string* name) const {
  if (!is_up_ || !has_address_) return false;
  *address = address_;
  *name = name_;
  return true;
}

void RedisNode::on_ready(RedisConnection&) {
  failures_ = 0;
  if (!is_up_) {
    is_up_ = true;
    owner_.on_up(*this);
  }
  serve_waiting();
}

void RedisNode::serve_waiting() {
  RedisPlaces waiting = std::move(waiting_);
  waiting_.clear();
  while (!waiting.empty()) {
    RedisRequest* request = take_first(waiting);
    if (request != nullptr && !send(*request)) request->answer(nullptr);
  }
}

void RedisNode::on_reply(RedisRequest& request, redis::OwnedReply reply) {
  owner_.on_reply(*this, request, std::move(reply));
}

void RedisNode::on_lost(RedisConnection&, const RedisLoss& loss, RedisPlaces unanswered) {
  // A server that hangs, hangs on every connection.
  if (loss.is_timeout) return go_down(loss.problem, std::move(unanswered));
  if (has_ready()) {
    if (!loss.was_ready) no_more_until_ = ngx_current_msec + kBetweenExtras;
    return begin_again(std::move(unanswered));
  }
  if (!loss.was_ready) return go_down(loss.problem, std::move(unanswered));
  // It served until now: a restart, or an idle time-out of its own.
  begin_again(std::move(unanswered));
  if (!ngx_exiting && !is_opening() && !is_down_) open();
}

// What may be sent twice is sent again, the rest is given up.
void RedisNode::begin_again(RedisPlaces unanswered) {
  while (!unanswered.empty()) {
    RedisRequest* request = take_first(unanswered);
    if (request == nullptr) continue;
    if (!request->may_try_again() || !send(*request)) request->answer(nullptr);
  }
}

void RedisNode::go_down(const std::string& problem, RedisPlaces unanswered) {
  close_all(unanswered);
  move_to_end(waiting_, unanswered);
  is_down_ = true;
  ++failures_;
  ngx_add_timer(&retry_, delay_after(failures_));
  is_up_ = false;
  owner_.on_down(*this, problem);
  give_up(std::move(unanswered));
}

void RedisNode::close_all(RedisPlaces& unanswered) {
  for (const auto& connection : connections_) {
    RedisPlaces places = connection->close();
    move_to_end(places, unanswered);
  }
}

void RedisNode::restart(const std::string& problem) {
  if (!is_down_) go_down(problem, {});
}

void RedisNode::on_retry(ngx_event_t* event) {
  auto& self = *static_cast<RedisNode*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.is_down_ = false;
    if (!ngx_exiting) self.open();
    return true;
  });
}

}  // namespace sallyport::ngx
