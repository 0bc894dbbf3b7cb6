#include "redis_connection.h"

#include <openssl/x509v3.h>

#include "bridge.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kPoolSize = 512;

// Where replies are received, one connection at a time.
u_char receive_buffer[64 * 1024];

ngx_msec_t from_now(ngx_msec_t timeout) { return ngx_current_msec + timeout; }

bool is_past(ngx_msec_t deadline) { return static_cast<ngx_msec_int_t>(deadline - ngx_current_msec) <= 0; }

std::string os_error(ngx_err_t error) {
  u_char text[NGX_MAX_ERROR_STR];
  const u_char* end = ngx_strerror(error, text, sizeof(text));
  return {reinterpret_cast<char*>(text), static_cast<std::size_t>(end - text)};
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1) return ngx_socket_errno;
  return error;
}

RedisConnection& self_of(ngx_event_t* event) {
  return *static_cast<RedisConnection*>(static_cast<ngx_connection_t*>(event->data)->data);
}

}  // namespace

RedisConnection::RedisConnection(RedisConnectionOwner& owner, const RedisConf& conf) : owner_(owner), conf_(conf) {
  quiet_ = *ngx_cycle->log;
  quiet_.log_level = NGX_LOG_ALERT;
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = &quiet_;
  flush_.handler = on_flush;
  flush_.data = this;
  flush_.log = &quiet_;
}

RedisConnection::~RedisConnection() { release(); }

bool RedisConnection::open(const RedisAddress& address, const std::string& name, std::string* problem) {
  ngx_str_t text = borrow(address.text);
  ngx_sockaddr_t socket = address.socket;
  ngx_peer_connection_t peer{};
  peer.sockaddr = &socket.sockaddr;
  peer.socklen = address.length;
  peer.name = &text;
  peer.get = ngx_event_get_peer;
  peer.log = &quiet_;
  peer.log_error = NGX_ERROR_INFO;
  ngx_set_errno(0);
  const ngx_int_t rc = ngx_event_connect_peer(&peer);
  if (peer.connection == nullptr || (rc != NGX_OK && rc != NGX_AGAIN)) {
    const ngx_err_t error = ngx_errno;
    *problem = error == 0 ? "no connection of nginx's is free (worker_connections)"
                          : "connect() failed " + os_error(error);
    return false;
  }
  connection_ = peer.connection;
  connection_->pool = ngx_create_pool(kPoolSize, &quiet_);
  if (connection_->pool == nullptr) {
    release();
    *problem = "no memory";
    return false;
  }
  connection_->data = this;
  connection_->idle = 1;  // nginx asks it to close when the worker is to exit
  connection_->read->handler = on_read;
  connection_->write->handler = on_write;
  name_ = name;
  reader_.emplace();
  state_ = State::kConnecting;
  ++life_;
  ngx_add_timer(&timer_, static_cast<ngx_msec_t>(conf_.connect_timeout));
  // Never before this returns: an immediate success takes the way of a later one.
  if (rc == NGX_OK) {
    ngx_post_event(connection_->write, &ngx_posted_events);
  }
  return true;
}

void RedisConnection::send(RedisRequest& request, ngx_msec_t timeout) {
  append(request.command());
  expect_answer(&request, timeout);
}

void RedisConnection::send_unheard(const redis::Command& command, ngx_msec_t timeout) {
  append(command);
  expect_answer(nullptr, timeout);
}

void RedisConnection::send_pushed(const redis::Command& command) { append(command); }

RedisPlaces RedisConnection::close() {
  release();
  RedisPlaces unanswered = std::move(sent_);
  sent_.clear();
  return unanswered;
}

void RedisConnection::expect_answer(RedisRequest* request, ngx_msec_t timeout) {
  sent_.push_back({request, from_now(timeout)});
  if (request != nullptr) request->wait_at(&sent_.back());
  if (!timer_.timer_set) ngx_add_timer(&timer_, timeout);
}

// All that is appended in one turn of the event loop leaves in one write.
void RedisConnection::append(const redis::Command& command) {
  out_ += command.bytes;
  if (!flush_.posted) {
    ngx_post_event(&flush_, &ngx_posted_events);
  }
}

void RedisConnection::flush() {
  if (state_ != State::kGreeting && state_ != State::kReady) return;
  while (written_ < out_.size()) {
    auto* bytes = reinterpret_cast<u_char*>(out_.data()) + written_;
    const ssize_t sent = connection_->send(connection_, bytes, out_.size() - written_);
    if (sent == NGX_AGAIN) {
      if (ngx_handle_write_event(connection_->write, 0) != NGX_OK) fail("no event for writing");
      return;
    }
    if (sent <= 0) return fail("the connection broke while writing");
    written_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  written_ = 0;
}

void RedisConnection::connected() {
  if (const int error = connect_error(connection_->fd)) return fail("connect() failed " + os_error(error));
#if (NGX_SSL)
  if (conf_.is_tls) {
    state_ = State::kHandshake;
    if (!begin_handshake()) fail("TLS cannot be set up");
    return;
  }
#endif
  int one = 1;
  if (connection_->tcp_nodelay != NGX_TCP_NODELAY_DISABLED) {
    (void) setsockopt(connection_->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  }
  greet();
}

void RedisConnection::greet() {
  state_ = State::kGreeting;
  const std::vector<redis::Command> commands = owner_.greeting();
  greeting_size_ = commands.size();
  greeted_ = 0;
  for (const redis::Command& command : commands) append(command);
  if (ngx_handle_read_event(connection_->read, 0) != NGX_OK) fail("no event for reading");
}

void RedisConnection::read() {
  const unsigned life = life_;
  while (life == life_) {
    const ssize_t size = connection_->recv(connection_, receive_buffer, sizeof(receive_buffer));
    if (size == NGX_AGAIN) {
      if (ngx_handle_read_event(connection_->read, 0) != NGX_OK) fail("no event for reading");
      return;
    }
    if (size == 0) return fail("the server closed the connection");
    if (size < 0) return fail("the connection broke");
    const bool makes_sense = reader_->feed({reinterpret_cast<char*>(receive_buffer), static_cast<std::size_t>(size)});
    // What came whole before the nonsense is nevertheless the answer to what was asked.
    while (redis::OwnedReply reply = reader_->next()) {
      take(std::move(reply));
      if (life != life_) return;
    }
    if (!makes_sense || reader_->has_failed()) {
      return fail(std::string("the server's answer makes no sense: ") + reader_->problem());
    }
  }
}

// May end the connection.
void RedisConnection::take(redis::OwnedReply reply) {
  if (state_ == State::kGreeting) return take_greeting(std::move(reply));
  if (sent_.empty()) {
    if (!owner_.on_push(redis::Reply(reply.get()))) fail("the server sent an answer to nothing");
    return;
  }
  const unsigned life = life_;
  RedisRequest* request = take_first(sent_);
  if (request != nullptr) owner_.on_reply(*request, std::move(reply));
  if (life == life_) close_when_idle();
}

void RedisConnection::take_greeting(redis::OwnedReply reply) {
  if (auto problem = owner_.check_greeting(greeted_, redis::Reply(reply.get()))) return fail(std::move(*problem));
  if (++greeted_ < greeting_size_) return;
  state_ = State::kReady;
  ngx_del_timer(&timer_);
  const unsigned life = life_;
  owner_.on_ready(*this);
  if (life == life_) close_when_idle();
}

// The timer fires for the oldest place there was when it was set; places are in the order of their deadlines.
void RedisConnection::check_deadline() {
  if (state_ == State::kClosed) return;
  if (state_ != State::kReady) {
    return fail(state_ == State::kConnecting ? "connecting timed out" : "no greeting came in time", true);
  }
  if (sent_.empty()) return;
  const ngx_msec_t deadline = sent_.front().deadline;
  if (is_past(deadline)) return fail("an answer did not come in time", true);
  ngx_add_timer(&timer_, deadline - ngx_current_msec);
}

void RedisConnection::fail(std::string problem, bool is_timeout) {
  const RedisLoss loss{std::move(problem), state_ == State::kReady, is_timeout};
  owner_.on_lost(*this, loss, close());
}

void RedisConnection::release() {
  state_ = State::kClosed;
  ++life_;
  out_.clear();
  written_ = 0;
  reader_.reset();
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (flush_.posted) {
    ngx_delete_posted_event(&flush_);
  }
  if (connection_ == nullptr) return;
  ngx_pool_t* pool = connection_->pool;
#if (NGX_SSL)
  if (connection_->ssl != nullptr) {
    connection_->ssl->no_wait_shutdown = 1;
    connection_->ssl->no_send_shutdown = 1;
    (void) ngx_ssl_shutdown(connection_);
  }
#endif
  ngx_close_connection(connection_);
  connection_ = nullptr;
  if (pool != nullptr) ngx_destroy_pool(pool);
}

// An exiting worker keeps no connection that nobody waits for.
void RedisConnection::close_when_idle() {
  if (!ngx_exiting || state_ != State::kReady || !sent_.empty()) return;
  release();
}

void RedisConnection::on_read(ngx_event_t* event) {
  RedisConnection& self = self_of(event);
  fence<bool>(false, ngx_cycle->log, [&] {
    if (self.connection_->close) {
      self.connection_->close = 0;
      self.close_when_idle();
      return true;
    }
    if (self.state_ == State::kConnecting) return true;  // the write event follows
    self.read();
    return true;
  });
}

void RedisConnection::on_write(ngx_event_t* event) {
  RedisConnection& self = self_of(event);
  fence<bool>(false, ngx_cycle->log, [&] {
    if (self.state_ == State::kConnecting) {
      self.connected();
    } else {
      self.flush();
    }
    return true;
  });
}

void RedisConnection::on_timer(ngx_event_t* event) {
  auto& self = *static_cast<RedisConnection*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.check_deadline();
    return true;
  });
}

void RedisConnection::on_flush(ngx_event_t* event) {
  auto& self = *static_cast<RedisConnection*>(event->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    self.flush();
    return true;
  });
}

#if (NGX_SSL)

bool RedisConnection::begin_handshake() {
  if (ngx_ssl_create_connection(conf_.ssl, connection_, NGX_SSL_BUFFER | NGX_SSL_CLIENT) != NGX_OK) return false;
  if (!expect_name()) return false;
  const ngx_int_t rc = ngx_ssl_handshake(connection_);
  if (rc == NGX_AGAIN) {
    connection_->ssl->handler = on_handshake;
    return true;
  }
  on_handshake(connection_);
  return true;
}

// The certificate must be of that name, or of that address among its IP SANs.
bool RedisConnection::expect_name() {
  SSL* ssl = connection_->ssl->connection;
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name_.c_str()) == 1) return true;
  return SSL_set_tlsext_host_name(ssl, name_.c_str()) == 1 &&
         X509_VERIFY_PARAM_set1_host(parameters, name_.c_str(), name_.size()) == 1;
}

void RedisConnection::on_handshake(ngx_connection_t* c) {
  auto& self = *static_cast<RedisConnection*>(c->data);
  fence<bool>(false, ngx_cycle->log, [&] {
    const long verified = SSL_get_verify_result(c->ssl->connection);
    if (verified != X509_V_OK) {
      self.fail(std::string("the server's certificate is refused: ") + X509_verify_cert_error_string(verified));
    } else if (!c->ssl->handshaked) {
      self.fail("the TLS handshake failed");
    } else {
      c->read->handler = on_read;
      c->write->handler = on_write;
      self.greet();
    }
    return true;
  });
}

#endif

}  // namespace sallyport::ngx
