// From a server's name to its address: by nginx's `resolver` where there is one, else what start found.
#pragma once

#include "ngx.h"

#include <string>
#include <vector>

#include "redis_address.h"
#include "redis_conf.h"

namespace sallyport::ngx {

class RedisHostSearch {
 public:
  // `address` is null where none is found, `problem` says why.
  using Handler = void (*)(void* owner, const RedisAddress* address, const std::string& problem);

  RedisHostSearch(const RedisConf& conf, Handler handler, void* owner) : conf_(conf), handler_(handler), owner_(owner) {}
  ~RedisHostSearch() { cancel(); }
  RedisHostSearch(const RedisHostSearch&) = delete;
  RedisHostSearch& operator=(const RedisHostSearch&) = delete;

  // Calls the handler at once or later; one search at a time. `server` must stay. Of several addresses each search gives
  // another one.
  void find(const RedisServer& server);
  void cancel();

 private:
  static void on_resolved(ngx_resolver_ctx_t* context);
  bool ask_resolver(const std::string& host);
  void take(const std::vector<RedisAddress>& addresses, const std::string& problem);

  const RedisConf& conf_;
  Handler handler_;
  void* owner_;
  const RedisServer* server_ = nullptr;
  ngx_resolver_ctx_t* context_ = nullptr;
  std::size_t turn_ = 0;
};

}  // namespace sallyport::ngx
