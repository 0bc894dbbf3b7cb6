#include "redis/reply.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::redis {
namespace {

std::string described(const Reply& reply) {
  switch (reply.kind()) {
    case ReplyKind::kStatus:
      return "+" + std::string(reply.text());
    case ReplyKind::kError:
      return "-" + std::string(reply.text());
    case ReplyKind::kInteger:
      return ":" + std::to_string(reply.integer());
    case ReplyKind::kNil:
      return "nil";
    case ReplyKind::kText:
      return "$" + std::string(reply.text());
    case ReplyKind::kArray:
      break;
  }
  std::string out = "[";
  for (std::size_t i = 0; i < reply.size(); ++i) out += (i == 0 ? "" : " ") + described(reply.at(i));
  return out + "]";
}

// What comes out of the bytes in pieces of that size; "!" at the end where the reader failed.
std::vector<std::string> read(std::string_view bytes, std::size_t piece) {
  ReplyReader reader;
  std::vector<std::string> out;
  while (!bytes.empty() && !reader.has_failed()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (const OwnedReply reply = reader.next()) out.push_back(described(Reply(reply.get())));
  }
  if (reader.has_failed()) out.push_back("!");
  return out;
}

std::vector<std::string> read(std::string_view bytes) {
  const auto whole = read(bytes, bytes.size());
  for (std::size_t piece = 1; piece < std::min<std::size_t>(bytes.size(), 40); ++piece) EXPECT_EQ(whole, read(bytes, piece));
  return whole;
}

using Replies = std::vector<std::string>;

TEST(ReplyReaderTest, ReadsEachKind) {
  EXPECT_EQ((Replies{"+OK"}), read("+OK\r\n"));
  EXPECT_EQ((Replies{"-ERR no"}), read("-ERR no\r\n"));
  EXPECT_EQ((Replies{":0", ":-12", ":9223372036854775807"}), read(":0\r\n:-12\r\n:9223372036854775807\r\n"));
  EXPECT_EQ((Replies{"nil", "nil"}), read("$-1\r\n*-1\r\n"));
  EXPECT_EQ((Replies{"$a\r\nb", "$"}), read("$4\r\na\r\nb\r\n$0\r\n\r\n"));
  EXPECT_EQ((Replies{"[$a nil :1]", "[]"}), read("*3\r\n$1\r\na\r\n$-1\r\n:1\r\n*0\r\n"));
  EXPECT_EQ((Replies{"[[:1 :2] [:3] +x]"}), read("*3\r\n*2\r\n:1\r\n:2\r\n*1\r\n:3\r\n+x\r\n"));
}

TEST(ReplyReaderTest, AnUnfinishedReplyIsNotThereYet) {
  for (const char* bytes : {"$5\r\nab", "*2\r\n:1\r\n", "+OK\r", "*", "$4\r\nabcd", "$4\r\nabcd\r"}) {
    EXPECT_EQ(Replies{}, read(bytes)) << bytes;
  }
}

TEST(ReplyReaderTest, WhatIsNoReplyFails) {
  for (const char* bytes :
       {"HTTP/1.1 400\r\n", "OK\r\n", "%1\r\n", "_\r\n", ">2\r\n", "#t\r\n", "$-2\r\n", "*-2\r\n", ":\r\n", ":+1\r\n", ":01\r\n",
        ":1a\r\n", ": 1\r\n", "$x\r\n", "$1\r\nab\r\n", "+OK\n", "+O\rK\r\n", "$99999999999999999999\r\n", "\r\n",
        ":9223372036854775808\r\n", "*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    EXPECT_EQ(Replies{"!"}, read(bytes)) << bytes;
  }
}

TEST(ReplyReaderTest, LimitsAreExact) {
  const std::string text(ReplyGate::kMostText, 'x');
  EXPECT_EQ(1u, read("$" + std::to_string(text.size()) + "\r\n" + text + "\r\n").size());
  EXPECT_EQ(Replies{"!"}, read("$" + std::to_string(text.size() + 1) + "\r\n"));
  EXPECT_EQ(Replies{"!"}, read("$2147483648\r\n"));
  std::string elements;
  for (std::size_t i = 0; i < ReplyGate::kMostElements; ++i) elements += ":1\r\n";
  EXPECT_EQ(1u, read("*16\r\n" + elements).size());
  EXPECT_EQ(Replies{"!"}, read("*17\r\n"));
  const std::string line(ReplyGate::kMostLine, 'x');
  EXPECT_EQ((Replies{"-" + line}), read("-" + line + "\r\n"));
  EXPECT_EQ(Replies{"!"}, read("-" + line + "x"));
}

TEST(ReplyReaderTest, DeepArraysFailAtOnce) {
  std::string bytes;
  for (int i = 0; i < 10000; ++i) bytes += "*1\r\n";
  EXPECT_EQ(Replies{"!"}, read(bytes, bytes.size()));
}

TEST(ReplyReaderTest, WhatCameWholeBeforeNonsenseIsTaken) {
  EXPECT_EQ((Replies{"+OK", ":1", "!"}), read("+OK\r\n:1\r\nnonsense"));
}

TEST(ReplyReaderTest, AFailedReaderStaysFailed) {
  ReplyReader reader;
  EXPECT_FALSE(reader.feed("nonsense\r\n"));
  EXPECT_EQ(nullptr, reader.next());
  EXPECT_TRUE(reader.has_failed());
  EXPECT_STREQ("not a reply of RESP2", reader.problem());
  EXPECT_FALSE(reader.feed("+OK\r\n"));
  EXPECT_EQ(nullptr, reader.next());
}

}  // namespace
}  // namespace sallyport::redis
