#include "redis/topology.h"

#include <algorithm>
#include <charconv>

namespace sallyport::redis {

namespace {

// CRC-16/XMODEM, a nibble at a time.
std::uint16_t crc16(std::string_view bytes) {
  static constexpr std::uint16_t kTable[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                               0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
  unsigned crc = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    crc = (crc << 4 ^ kTable[(crc >> 12 ^ byte >> 4) & 15]) & 0xFFFF;
    crc = (crc << 4 ^ kTable[(crc >> 12 ^ byte) & 15]) & 0xFFFF;
  }
  return static_cast<std::uint16_t>(crc);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, Number most) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end || value > most) return std::nullopt;
  return static_cast<Number>(value);
}

// The text up to the separator, which is taken away with it; all of it where there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

// HOST:PORT, the host of an IPv6 address without brackets.
std::optional<NodeAddress> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 0xFFFF);
  if (!port || *port == 0 || colon > 255) return std::nullopt;
  return NodeAddress{std::string(text.substr(0, colon)), *port};
}

bool has_flag(std::string_view flags, std::string_view wanted) {
  while (!flags.empty()) {
    if (take_until(flags, ',') == wanted) return true;
  }
  return false;
}

}  // namespace

std::uint16_t key_slot(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % kSlots;
}

ErrorKind error_kind(std::string_view text) {
  struct Known {
    std::string_view word;
    ErrorKind kind;
  };
  static constexpr Known kKnown[] = {
      {"MOVED", ErrorKind::kMoved},          {"ASK", ErrorKind::kAsk},
      {"TRYAGAIN", ErrorKind::kTryAgain},    {"CLUSTERDOWN", ErrorKind::kClusterDown},
      {"LOADING", ErrorKind::kLoading},      {"MASTERDOWN", ErrorKind::kMasterDown},
      {"READONLY", ErrorKind::kReadOnly},    {"OOM", ErrorKind::kOutOfMemory},
      {"NOAUTH", ErrorKind::kNoAuth},        {"WRONGPASS", ErrorKind::kNoAuth},
      {"NOPERM", ErrorKind::kNoPermission},  {"WRONGTYPE", ErrorKind::kWrongType},
  };
  const std::string_view word = text.substr(0, text.find(' '));
  for (const Known& known : kKnown) {
    if (known.word == word) return known.kind;
  }
  return ErrorKind::kOther;
}

std::optional<Redirect> parse_redirect(std::string_view text) {
  const std::string_view word = take_until(text, ' ');
  if (word != "MOVED" && word != "ASK") return std::nullopt;
  const auto slot = parse_number<std::uint16_t>(take_until(text, ' '), kSlots - 1);
  const auto address = parse_address(text);
  if (!slot || !address) return std::nullopt;
  return Redirect{*slot, *address};
}

std::optional<SlotMap> SlotMap::parse(std::string_view text, std::string_view host) {
  SlotMap map;
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (!line.empty() && !map.add_line(line)) return std::nullopt;
  }
  if (map.masters_.empty()) return std::nullopt;
  // A server that has met no other does not know where it is.
  for (ClusterMaster& master : map.masters_) {
    if (master.at.host.empty()) master.at.host = std::string(host);
  }
  return map;
}

// ID HOST:PORT@BUSPORT[,NAME[,MORE...]] FLAGS MASTER PING PONG EPOCH LINK SLOT... (a slot that moves stands in brackets)
bool SlotMap::add_line(std::string_view line) {
  take_until(line, ' ');
  std::string_view place = take_until(line, ' ');
  const std::string_view flags = take_until(line, ' ');
  if (flags.empty()) return false;
  for (int i = 0; i < 5; ++i) take_until(line, ' ');
  if (!has_flag(flags, "master") || has_flag(flags, "noaddr") || has_flag(flags, "handshake") || line.empty()) {
    return true;
  }
  auto address = parse_address(take_until(place, '@'));
  if (!address || masters_.size() >= kNobody) return false;
  take_until(place, ',');
  masters_.push_back({std::move(*address), std::string(take_until(place, ','))});
  while (!line.empty()) {
    const std::string_view range = take_until(line, ' ');
    if (range.empty() || range.front() == '[') continue;
    if (!add_slots(range, static_cast<std::uint16_t>(masters_.size() - 1))) return false;
  }
  return true;
}

bool SlotMap::add_slots(std::string_view range, std::uint16_t owner) {
  const bool is_one = range.find('-') == std::string_view::npos;
  const auto first = parse_number<std::uint16_t>(take_until(range, '-'), kSlots - 1);
  const auto last = is_one ? first : parse_number<std::uint16_t>(range, kSlots - 1);
  if (!first || !last || *first > *last) return false;
  std::fill(owners_.begin() + *first, owners_.begin() + *last + 1, owner);
  return true;
}

bool SlotMap::is_complete() const {
  return std::find(owners_.begin(), owners_.end(), kNobody) == owners_.end();
}

std::optional<NodeAddress> master_address(const Reply& reply) {
  if (reply.kind() != ReplyKind::kArray || reply.size() != 2) return std::nullopt;
  const std::string_view host = reply.at(0).text();
  const auto port = parse_number<std::uint16_t>(reply.at(1).text(), 0xFFFF);
  if (host.empty() || host.size() > 255 || !port || *port == 0) return std::nullopt;
  return NodeAddress{std::string(host), *port};
}

bool is_master(std::string_view replication_info) {
  while (!replication_info.empty()) {
    std::string_view line = take_until(replication_info, '\n');
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line == "role:master") return true;
  }
  return false;
}

}  // namespace sallyport::redis
