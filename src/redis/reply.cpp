#include "redis/reply.h"

#include <hiredis/hiredis.h>

#include <new>

namespace sallyport::redis {

namespace {

constexpr std::size_t kKeptBuffer = 16 * 1024;

}  // namespace

ReplyKind Reply::kind() const {
  switch (reply_->type) {
    case REDIS_REPLY_STATUS:
      return ReplyKind::kStatus;
    case REDIS_REPLY_INTEGER:
      return ReplyKind::kInteger;
    case REDIS_REPLY_NIL:
      return ReplyKind::kNil;
    case REDIS_REPLY_STRING:
      return ReplyKind::kText;
    case REDIS_REPLY_ARRAY:
      return ReplyKind::kArray;
    default:  // the gate lets nothing else in
      return ReplyKind::kError;
  }
}

bool Reply::is_ok() const { return kind() == ReplyKind::kStatus && text() == "OK"; }

std::string_view Reply::text() const {
  switch (kind()) {
    case ReplyKind::kStatus:
    case ReplyKind::kError:
    case ReplyKind::kText:
      return {reply_->str, reply_->len};
    default:
      return {};
  }
}

std::int64_t Reply::integer() const { return kind() == ReplyKind::kInteger ? reply_->integer : 0; }

std::size_t Reply::size() const { return kind() == ReplyKind::kArray ? reply_->elements : 0; }

Reply Reply::at(std::size_t i) const { return Reply(reply_->element[i]); }

void FreeReply::operator()(::redisReply* reply) const { freeReplyObject(reply); }

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr) throw std::bad_alloc();
  reader_->maxbuf = kKeptBuffer;
}

ReplyReader::~ReplyReader() { redisReaderFree(reader_); }

bool ReplyReader::feed(std::string_view bytes) {
  if (problem_ != nullptr) return false;
  const char* problem = gate_.scan(bytes);
  if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) problem = reader_->errstr;
  refused_ = problem;
  return problem == nullptr;
}

OwnedReply ReplyReader::next() {
  // What the gate refused is never parsed; what came whole before it is.
  if (problem_ != nullptr) return nullptr;
  if (taken_ < gate_.complete()) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_, &reply) == REDIS_OK && reply != nullptr) {
      ++taken_;
      return OwnedReply(static_cast<::redisReply*>(reply));
    }
    problem_ = reader_->err != 0 ? reader_->errstr : "an incomplete reply";
    return nullptr;
  }
  problem_ = refused_;
  return nullptr;
}

}  // namespace sallyport::redis
