#include "xml/canonical_tree.h"

#include <libxml/parserInternals.h>
#include <libxml/tree.h>

#include <cstring>
#include <memory_resource>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "xml/names.h"
#include "xml/node_text.h"

namespace sallyport::xml {

// All nodes and texts; nothing of it is freed by itself.
struct CanonicalTree::Memory {
  // The nodes of a message take some five times its octets: then they are one allocation.
  explicit Memory(std::string text) : octets(std::move(text)), arena(octets.size() * 5 + sizeof(xmlNode) * 8) {}

  template <class Node>
  Node* make() {
    return new (arena.allocate(sizeof(Node), alignof(Node))) Node{};
  }

  const std::string octets;
  std::pmr::monotonic_buffer_resource arena;
  xmlDoc document{};
  xmlNs xml_prefix{};
};

namespace {

// What `_private` of the documents of such trees points to: only then that of their elements is ours.
constexpr char kIsCanonical = 0;

// A qualified name (XML Names section 4), as it stands in the octets.
struct Name {
  std::string_view prefix;
  std::string_view local;
};

// What ends a run of bytes that stand for themselves: canonical form never holds these in another meaning, or XML
// never holds them there.
enum Stop : unsigned char { kInText = 1, kInValue = 2, kInName = 4, kInNamespace = 8 };

constexpr bool is_within(char c, char first, char last) { return c >= first && c <= last; }

// Of ASCII, and without the colon, which parts names; what else may stand in names is not looked into.
constexpr bool may_be_in_a_name(char c) {
  return is_within(c, 'a', 'z') || is_within(c, 'A', 'Z') || is_within(c, '0', '9') || c == '-' || c == '_' || c == '.';
}

struct StopTable {
  unsigned char of[256] = {};
  constexpr StopTable() {
    for (const char c : {'<', '&', '>'}) add(c, kInText);
    for (const char c : {'<', '&', '"'}) add(c, kInValue | kInNamespace);
    for (char c = 0; c < 0x20; ++c) add(c, c == '\t' || c == '\n' ? kInValue | kInNamespace : kInText | kInValue | kInNamespace);
    for (int c = 0; c < 0x80; ++c) add(static_cast<char>(c), may_be_in_a_name(static_cast<char>(c)) ? 0 : kInName);
  }
  constexpr void add(char c, unsigned char stop) { of[static_cast<unsigned char>(c)] |= stop; }
};
constexpr StopTable kStops;

struct Reference {
  std::string_view written;
  char character;
  unsigned char where;
};
// None in a namespace's name: libxml2 up to 2.9 keeps `&#38;` there for `&amp;`, and what is signed means one thing.
constexpr Reference kReferences[] = {{"&amp;", '&', kInText | kInValue}, {"&lt;", '<', kInText | kInValue},
                                     {"&gt;", '>', kInText},             {"&quot;", '"', kInValue},
                                     {"&#x9;", '\t', kInValue},          {"&#xA;", '\n', kInValue},
                                     {"&#xD;", '\r', kInText | kInValue}};

// Those of `xml` and `xmlns`, which stand for nothing else (XML Names section 3) and are never declared in canonical form.
bool is_reserved(const xmlChar* namespace_name) {
  return equals(namespace_name, "http://www.w3.org/XML/1998/namespace") ||
         equals(namespace_name, "http://www.w3.org/2000/xmlns/");
}

bool begins_a_name(char c) { return c != '-' && c != '.' && !(c >= '0' && c <= '9'); }

std::tuple<std::string_view, std::string_view> order_of(const xmlAttr& attribute) {
  return {attribute.ns == nullptr ? std::string_view() : view_of(attribute.ns->href), view_of(attribute.name)};
}

// Hangs a node behind its older siblings.
template <class Node>
void append(xmlNode* parent, Node*& first, Node*& last, Node* node) {
  node->parent = parent;
  node->prev = last;
  (last == nullptr ? first : last->next) = node;
  last = node;
}

}  // namespace

// Scans the octets, and writes the nodes' texts into a copy of them, where each ends with a NUL on what followed it.
class CanonicalTree::Reader {
 public:
  Reader(Memory& memory, const Limits& limits)
      : memory_(memory),
        octets_(memory.octets),
        copy_(static_cast<xmlChar*>(memory.arena.allocate(octets_.size() + 1, 1))),
        lookups_left_(limits.namespace_lookups),
        depth_(limits.depth) {
    std::memcpy(copy_, memory.octets.c_str(), octets_.size() + 1);
    open_.reserve(depth_);
  }

  Status run() {
    prepare();
    bool is_good = begin_element();
    while (is_good && !open_.empty()) {
      if (next() != '<') {
        is_good = text();
      } else {
        is_good = is_next("</") ? end_element() : begin_element();
      }
    }
    if (is_beyond_limits_) return Error{Reason::kXmlLimits, "too deep nesting, or too many namespaces, in the signed octets"};
    if (is_good && at_ == octets_.size() && is_utf8(octets_)) return Done{};
    return Error{Reason::kSignatureInvalid, "the signed octets are not in canonical form at byte " + std::to_string(at_)};
  }

 private:
  struct Open {
    xmlNode* node;
    std::size_t begin;
    std::string_view name;   // as written
    std::size_t namespaces;  // declared outside of it
  };

  struct Declared {
    std::string_view prefix;
    xmlNs* ns;
  };

  void prepare() {
    memory_.xml_prefix.type = XML_NAMESPACE_DECL;
    memory_.xml_prefix.href = XML_XML_NAMESPACE;
    memory_.xml_prefix.prefix = reinterpret_cast<const xmlChar*>("xml");
    xmlDoc& document = memory_.document;
    document.type = XML_DOCUMENT_NODE;
    document.doc = &document;
    document._private = const_cast<char*>(&kIsCanonical);
    // Else a search for the prefix would allocate one.
    document.oldNs = &memory_.xml_prefix;
  }

  // NUL at the end, which ends everything.
  char next() const { return at_ < octets_.size() ? octets_[at_] : '\0'; }
  bool is_next(std::string_view expected) const { return octets_.compare(at_, expected.size(), expected) == 0; }
  bool take(std::string_view expected) {
    if (!is_next(expected)) return false;
    at_ += expected.size();
    return true;
  }

  void pass_until(Stop stop) {
    while ((kStops.of[static_cast<unsigned char>(next())] & stop) == 0) ++at_;
  }

  bool name_part(std::string_view& out) {
    const std::size_t begin = at_;
    pass_until(kInName);
    out = octets_.substr(begin, at_ - begin);
    return !out.empty() && begins_a_name(out.front());
  }

  bool name(Name& out) {
    if (!name_part(out.local)) return false;
    if (!take(":")) return true;
    out.prefix = out.local;
    return name_part(out.local);
  }

  // In the copy, ended.
  const xmlChar* kept(std::string_view part) {
    xmlChar* begin = copy_ + (part.data() - octets_.data());
    begin[part.size()] = '\0';
    return begin;
  }

  // Up to what ends it, which is left; null when something stands there that canonical form writes otherwise.
  const xmlChar* value(Stop stop, char end) {
    const std::size_t begin = at_;
    pass_until(stop);
    std::size_t written = at_;
    while (next() == '&') {
      if (!reference(stop, written)) return nullptr;
      const std::size_t run = at_;
      pass_until(stop);
      std::memcpy(copy_ + written, octets_.data() + run, at_ - run);
      written += at_ - run;
    }
    if (next() != end) return nullptr;
    copy_[written] = '\0';
    return copy_ + begin;
  }

  bool reference(Stop stop, std::size_t& written) {
    for (const Reference& each : kReferences) {
      if ((each.where & stop) == 0 || !take(each.written)) continue;
      copy_[written++] = static_cast<xmlChar>(each.character);
      return true;
    }
    return false;
  }

  xmlNode* make_text(const xmlChar* content) {
    auto* node = memory_.make<xmlNode>();
    node->type = XML_TEXT_NODE;
    node->name = xmlStringText;
    node->content = const_cast<xmlChar*>(content);
    node->doc = &memory_.document;
    return node;
  }

  bool text() {
    const xmlChar* content = value(kInText, '<');
    if (content == nullptr) return false;
    hang(*open_.back().node, make_text(content));
    return true;
  }

  bool begin_element() {
    if (open_.size() >= depth_) return stop_at_limits();
    const std::size_t begin = at_;
    Name written;
    if (!take("<") || !name(written)) return false;
    auto* node = memory_.make<xmlNode>();
    node->type = XML_ELEMENT_NODE;
    node->doc = &memory_.document;
    open_.empty() ? hang_root(node) : hang(*open_.back().node, node);
    open_.push_back({node, begin, octets_.substr(begin + 1, at_ - begin - 1), in_scope_.size()});
    node->name = kept(written.local);
    return declarations(*node) && find(written.prefix, node->ns) && attributes(*node) && take(">");
  }

  static void hang(xmlNode& parent, xmlNode* node) { append(&parent, parent.children, parent.last, node); }

  void hang_root(xmlNode* node) {
    xmlDoc& document = memory_.document;
    append(reinterpret_cast<xmlNode*>(&document), document.children, document.last, node);
  }

  bool end_element() {
    const Open& open = open_.back();
    if (!take("</") || !take(open.name) || !take(">")) return false;
    auto* octets = memory_.make<std::string_view>();
    *octets = octets_.substr(open.begin, at_ - open.begin);
    open.node->_private = octets;
    in_scope_.resize(open.namespaces);
    open_.pop_back();
    return true;
  }

  // The default one first, then in the order of their prefixes.
  bool declarations(xmlNode& node) {
    xmlNs* last = nullptr;
    while (is_next(" xmlns=") || is_next(" xmlns:")) {
      take(" xmlns");
      std::string_view prefix;
      if (take(":") && (!name_part(prefix) || prefix == "xml" || prefix == "xmlns")) return false;
      if (last != nullptr && view_of(last->prefix) >= prefix) return false;
      auto* ns = memory_.make<xmlNs>();
      ns->type = XML_NAMESPACE_DECL;
      if (!take("=\"") || (ns->href = value(kInNamespace, '"')) == nullptr || !take("\"")) return false;
      if (!prefix.empty()) ns->prefix = kept(prefix);
      if (is_reserved(ns->href) || (ns->href[0] == '\0' && ns->prefix != nullptr)) return false;
      (last == nullptr ? node.nsDef : last->next) = ns;
      last = ns;
      in_scope_.push_back({prefix, ns});
    }
    return true;
  }

  // In the order of their namespaces' names, then of their own: so none is there twice.
  bool attributes(xmlNode& node) {
    xmlAttr* last = nullptr;
    while (take(" ")) {
      Name written;
      if (!name(written) || (written.prefix.empty() && written.local == "xmlns")) return false;
      auto* attribute = memory_.make<xmlAttr>();
      attribute->type = XML_ATTRIBUTE_NODE;
      attribute->doc = &memory_.document;
      if (!written.prefix.empty() && !find(written.prefix, attribute->ns)) return false;
      if (!attribute_value(*attribute)) return false;
      attribute->name = kept(written.local);
      if (last != nullptr && order_of(*last) >= order_of(*attribute)) return false;
      append(&node, node.properties, last, attribute);
    }
    return true;
  }

  bool attribute_value(xmlAttr& attribute) {
    const xmlChar* content = take("=\"") ? value(kInValue, '"') : nullptr;
    if (content == nullptr || !take("\"")) return false;
    xmlNode* text = make_text(content);
    text->parent = reinterpret_cast<xmlNode*>(&attribute);
    attribute.children = attribute.last = text;
    return true;
  }

  // The namespace that a prefix stands for; without prefix it may be none.
  bool find(std::string_view prefix, xmlNs*& out) {
    if (prefix == "xml") {
      out = &memory_.xml_prefix;
      return true;
    }
    if (in_scope_.size() > lookups_left_) return stop_at_limits();
    lookups_left_ -= in_scope_.size();
    for (auto each = in_scope_.rbegin(); each != in_scope_.rend(); ++each) {
      if (each->prefix != prefix) continue;
      // xmlns="" takes a default back.
      out = each->ns->href[0] == '\0' ? nullptr : each->ns;
      return true;
    }
    return prefix.empty();
  }

  bool stop_at_limits() {
    is_beyond_limits_ = true;
    return false;
  }

  Memory& memory_;
  const std::string_view octets_;
  xmlChar* const copy_;
  std::size_t lookups_left_;
  const std::size_t depth_;
  std::size_t at_ = 0;
  bool is_beyond_limits_ = false;
  std::vector<Open> open_;
  std::vector<Declared> in_scope_;
};

CanonicalTree::CanonicalTree(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}
CanonicalTree::CanonicalTree(CanonicalTree&&) noexcept = default;
CanonicalTree& CanonicalTree::operator=(CanonicalTree&&) noexcept = default;
CanonicalTree::~CanonicalTree() = default;

Result<CanonicalTree> CanonicalTree::read(std::string octets, const Limits& limits) {
  auto memory = std::make_unique<Memory>(std::move(octets));
  SALLYPORT_TRY(Reader(*memory, limits).run());
  return CanonicalTree(std::move(memory));
}

std::string_view CanonicalTree::octets() const { return memory_->octets; }

std::string_view CanonicalTree::octets_of(const Element& element) {
  const xmlNode* node = element.node();
  const bool is_ours = node->doc != nullptr && node->doc->_private == &kIsCanonical;
  return is_ours && node->_private != nullptr ? *static_cast<const std::string_view*>(node->_private) : std::string_view();
}

Element CanonicalTree::root() const { return Element(memory_->document.children); }

}  // namespace sallyport::xml
