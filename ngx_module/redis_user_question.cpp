#include "redis_user_question.h"

#include <iterator>

#include "policy/user_fields.h"
#include "redis/topology.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kFields = std::size(policy::kUserFieldNames);

// A key of another type, made by somebody else, is not ours and is written over.
bool is_memory(const redis::Reply& reply) {
  return !reply.is_error() || redis::error_kind(reply.text()) == redis::ErrorKind::kWrongType;
}

policy::UserFields fields_of(std::string_view key, const redis::Reply& reply) {
  const auto field = [&](std::size_t i) {
    return reply.at(i).is_nil() ? std::nullopt : policy::UserFields::Field(reply.at(i).text());
  };
  return {key, field(0), field(1), field(2), field(3)};
}

}  // namespace

RedisUserQuestion::RedisUserQuestion(const redis::Keys& keys, Handler handler, void* owner)
    : keys_(keys), handler_(handler), owner_(owner), exchange_(on_replies, this) {}

bool RedisUserQuestion::ask(RedisClient& client, Wanted wanted) {
  wanted_ = std::move(wanted);
  if (wanted_.list) listed_keys_ = policy::listed_keys(wanted_.user, wanted_.email);
  static const std::vector<std::string_view> kNames(std::begin(policy::kUserFieldNames), std::end(policy::kUserFieldNames));
  std::vector<redis::Command> commands;
  for (const session::Key& key : wanted_.memory_keys) commands.push_back(redis::get(keys_.user_memory(key)));
  for (const std::string& key : listed_keys_) commands.push_back(redis::hash_fields(keys_.user(key), kNames));
  return exchange_.start(client, std::move(commands), true);
}

void RedisUserQuestion::on_replies(void* owner, std::vector<redis::OwnedReply> replies) {
  auto& self = *static_cast<RedisUserQuestion*>(owner);
  self.take(std::move(replies));
  self.handler_(self.owner_);
}

void RedisUserQuestion::take(std::vector<redis::OwnedReply> replies) {
  replies_ = std::move(replies);
  for (std::size_t i = 0; i < replies_.size(); ++i) {
    const redis::Reply reply(replies_[i].get());
    if (replies_[i] == nullptr) return fail(nullptr);
    const bool is_answer = i < wanted_.memory_keys.size()
                               ? is_memory(reply)
                               : reply.kind() == redis::ReplyKind::kArray && reply.size() == kFields;
    if (!is_answer) return fail(&reply);
  }
  if (wanted_.list) take_list();
}

void RedisUserQuestion::fail(const redis::Reply* reply) {
  was_refused_ = reply != nullptr;
  problem_ = "Redis could not be asked for the user";
  if (reply != nullptr && reply->is_error()) problem_ += ": " + std::string(reply->text().substr(0, 200));
}

void RedisUserQuestion::take_list() {
  std::vector<policy::UserFields> users;
  for (std::size_t i = 0; i < listed_keys_.size(); ++i) {
    users.push_back(fields_of(listed_keys_[i], redis::Reply(replies_[wanted_.memory_keys.size() + i].get())));
  }
  list_ = std::make_shared<const policy::UserList>(policy::list_of(users));
}

std::optional<std::string> RedisUserQuestion::sealed_memory(session::Key* key) const {
  for (std::size_t i = 0; i < wanted_.memory_keys.size() && i < replies_.size(); ++i) {
    const redis::Reply reply(replies_[i].get());
    if (replies_[i] == nullptr || reply.kind() != redis::ReplyKind::kText) continue;
    *key = wanted_.memory_keys[i];
    return std::string(reply.text());
  }
  return std::nullopt;
}

}  // namespace sallyport::ngx
