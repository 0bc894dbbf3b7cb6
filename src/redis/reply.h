// A server's replies (RESP2), read by hiredis behind a gate: lengths are checked before its reader sees a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "redis/reply_gate.h"

struct redisReply;
struct redisReader;

namespace sallyport::redis {

enum class ReplyKind { kStatus, kError, kInteger, kNil, kText, kArray };

// A view of a reply or of an element of one; valid as long as the OwnedReply that it came from.
class Reply {
 public:
  explicit Reply(const ::redisReply* reply) : reply_(reply) {}

  ReplyKind kind() const;
  bool is_error() const { return kind() == ReplyKind::kError; }
  bool is_nil() const { return kind() == ReplyKind::kNil; }
  bool is_ok() const;              // the status "OK"
  std::string_view text() const;   // of a status, an error or a bulk string; else empty
  std::int64_t integer() const;    // of an integer; else 0
  std::size_t size() const;        // elements of an array; else 0
  Reply at(std::size_t i) const;   // i < size()

 private:
  const ::redisReply* reply_;
};

struct FreeReply {
  void operator()(::redisReply* reply) const;
};
using OwnedReply = std::unique_ptr<::redisReply, FreeReply>;

// Takes the bytes of one connection in any pieces. After a protocol error the connection is of no more use.
class ReplyReader {
 public:
  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // False: protocol error, or no memory. What came whole before it can still be taken by next().
  bool feed(std::string_view bytes);
  // The next complete reply; null: more bytes are needed, or the reader has failed, and problem() says why.
  OwnedReply next();
  bool has_failed() const { return problem_ != nullptr; }
  const char* problem() const { return problem_; }

 private:
  ReplyGate gate_;
  ::redisReader* reader_ = nullptr;
  std::uint64_t taken_ = 0;         // replies so far
  const char* refused_ = nullptr;   // behind what the gate has passed
  const char* problem_ = nullptr;
};

}  // namespace sallyport::redis
