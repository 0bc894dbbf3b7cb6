#include "xml/shape_gate.h"

#include <libxml/tree.h>
#include <libxml/xmlversion.h>

#include <algorithm>
#include <string>
#include <vector>

#include "xml/names.h"
#include "xml/node_text.h"

namespace sallyport::xml {
namespace {

constexpr std::size_t kMaxPrefixes = 16;
constexpr std::size_t kMaxPrefixBytes = 32;
constexpr std::size_t kMaxNamespaceBytes = 256;
constexpr std::size_t kMaxGrowth =
    4;  // namespace names written out, in multiples of the size limit
// Without memory for it, xmlNewNs of these releases leaves a namespace without its name, and nobody is told: elements would be
// in none, and the document another one.
constexpr bool kMayLoseNames = LIBXML_VERSION < 21300;
constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";

Error invalid(std::string detail) { return {Reason::kXmlInvalid, std::move(detail)}; }
Error forbidden(std::string detail) { return {Reason::kXmlForbidden, std::move(detail)}; }
Error too_many(std::string what, std::size_t limit) {
  return {Reason::kXmlLimits, std::move(what) + ", at most " + std::to_string(limit)};
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Whether the name begins with a scheme (RFC 3986 section 3.1). Canonicalization fails on relative
// namespace names, which has been used to make it yield nothing (CVE-2025-66475).
bool is_absolute_uri(std::string_view uri) {
  if (uri.empty() || !is_ascii_letter(uri.front())) return false;
  for (const char c : uri) {
    if (c == ':') return true;
    const bool in_scheme =
        is_ascii_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!in_scheme) return false;
  }
  return false;
}

// XML-DSig and XML-Enc name their identifiers `Id`, SAML names them `ID`.
bool names_ids_as_dsig_does(std::string_view namespace_uri) {
  return namespace_uri == kNsDsig || namespace_uri == kNsXenc ||
         namespace_uri == "http://www.w3.org/2009/xmldsig11#" ||
         namespace_uri == "http://www.w3.org/2009/xmlenc11#";
}

bool folds_to_id(const xmlChar* name) {
  return (name[0] | 0x20) == 'i' && (name[1] | 0x20) == 'd' && name[2] == '\0';
}

class ShapeWalk {
 public:
  explicit ShapeWalk(const Limits& limits) : limits_(limits) {}

  Status run(xmlDoc* document) {
    SALLYPORT_TRY(top_level(document));
    xmlNode* node = xmlDocGetRootElement(document);
    for (std::size_t depth = 1; depth > 0;) {
      if (node->type == XML_ELEMENT_NODE) {
        if (depth > limits_.depth) return too_many("too deep nesting", limits_.depth);
        in_scope_.resize(depth);
        SALLYPORT_TRY(element(node));
        if (node->children != nullptr) {
          node = node->children;
          ++depth;
          continue;
        }
      } else if (node->type != XML_TEXT_NODE) {
        return forbidden("a node that is neither element nor text");
      }
      while (depth > 0 && node->next == nullptr) {
        node = node->parent;
        --depth;
      }
      // The root's siblings were looked at before.
      if (depth <= 1) break;
      node = node->next;
    }
    return unique_ids();
  }

 private:
  // Beside the root: nothing, or comments.
  Status top_level(xmlDoc* document) {
    std::size_t roots = 0;
    for (xmlNode* node = document->children; node != nullptr;) {
      xmlNode* next = node->next;
      if (node->type == XML_ELEMENT_NODE) {
        ++roots;
      } else if (node->type == XML_COMMENT_NODE && limits_.allow_comments) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
      } else {
        return forbidden("a processing instruction, comment or DTD beside the root");
      }
      node = next;
    }
    if (roots != 1) return invalid("not exactly one root element");
    return Done{};
  }

  Status element(xmlNode* node) {
    if (++elements_ > limits_.elements) return too_many("too many elements", limits_.elements);
    SALLYPORT_TRY(namespaces(node));
    SALLYPORT_TRY(attributes(node));
    return children(node);
  }

  Status namespaces(const xmlNode* node) {
    std::size_t count = 0;
    for (const xmlNs* ns = node->nsDef; ns != nullptr; ns = ns->next) {
      if (++count > limits_.namespaces_per_element) {
        return too_many("too many namespaces on an element", limits_.namespaces_per_element);
      }
      if (kMayLoseNames && ns->href == nullptr) return Error{Reason::kInternal, "out of memory"};
      const std::string_view uri = view_of(ns->href);
      if (uri.size() > kMaxNamespaceBytes)
        return too_many("too long a namespace name", kMaxNamespaceBytes);
      if (!uri.empty() && !is_absolute_uri(uri)) return forbidden("a relative namespace name");
    }
    const std::size_t depth = in_scope_.size();
    in_scope_.back() = count + (depth > 1 ? in_scope_[depth - 2] : 0);
    if (in_scope_.back() > limits_.namespaces_in_scope) {
      return too_many("too many namespaces in scope", limits_.namespaces_in_scope);
    }
    return use_namespace(node->ns);
  }

  // Canonicalization writes a namespace's declaration out wherever it is used anew: a few bytes in
  // may become hundreds out.
  Status use_namespace(const xmlNs* ns) {
    if (ns == nullptr) return Done{};
    if (ns != last_used_) {
      last_used_ = ns;
      last_size_ = view_of(ns->href).size();
    }
    namespace_bytes_ += last_size_;
    if (namespace_bytes_ > kMaxGrowth * limits_.bytes) {
      return too_many("too large a canonical form", kMaxGrowth * limits_.bytes);
    }
    return Done{};
  }

  Status attributes(const xmlNode* node) {
    std::size_t count = 0;
    for (const xmlAttr* attribute = node->properties; attribute != nullptr;
         attribute = attribute->next) {
      if (++count > limits_.attributes_per_element) {
        return too_many("too many attributes on an element", limits_.attributes_per_element);
      }
      if (!is_plain_attribute(attribute)) return forbidden("an attribute value that is not text");
      SALLYPORT_TRY(use_namespace(attribute->ns));
      SALLYPORT_TRY(xml_attribute(attribute));
      if (folds_to_id(attribute->name)) SALLYPORT_TRY(identifier(node, attribute));
    }
    if (is_named(node, kExclusiveC14n, "InclusiveNamespaces")) return prefix_list(node);
    return Done{};
  }

  // Of xml:* only xml:lang, which changes nothing.
  static Status xml_attribute(const xmlAttr* attribute) {
    if (attribute->ns == nullptr || view_of(attribute->ns->href) != kXmlNamespace) return Done{};
    if (view_of(attribute->name) == "lang") return Done{};
    return forbidden("the attribute xml:" + std::string(view_of(attribute->name)));
  }

  // One attribute only may be an identifier, so that no two readers find different ones.
  Status identifier(const xmlNode* node, const xmlAttr* attribute) {
    const bool as_dsig = node->ns != nullptr && names_ids_as_dsig_does(view_of(node->ns->href));
    const std::string_view name = view_of(attribute->name);
    if (attribute->ns != nullptr || name != (as_dsig ? "Id" : "ID")) {
      return forbidden("an attribute that looks like an ID: " + std::string(name));
    }
    const std::string_view value = attribute_value(attribute);
    if (value.size() > limits_.id_bytes) return too_many("too long an ID", limits_.id_bytes);
    if (!is_ncname(value)) return invalid("an ID that is not an NCName");
    if (ids_.size() == limits_.ids) return too_many("too many IDs", limits_.ids);
    ids_.push_back(value);
    return Done{};
  }

  static Status prefix_list(const xmlNode* node) {
    for (const xmlAttr* attribute = node->properties; attribute != nullptr;
         attribute = attribute->next) {
      if (!is_short_prefix_list(attribute_value(attribute))) {
        return too_many("too long a PrefixList", kMaxPrefixes);
      }
    }
    return Done{};
  }

  Status children(xmlNode* node) {
    bool has_comment = false;
    for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
      if (child->type == XML_COMMENT_NODE) {
        if (!limits_.allow_comments) return forbidden("a comment");
        has_comment = true;
      } else if (child->type == XML_TEXT_NODE && child->next != nullptr &&
                 child->next->type == XML_TEXT_NODE) {
        return invalid("text in two nodes");
      }
    }
    if (has_comment && !drop_comments(node)) return Error{Reason::kInternal, "out of memory"};
    return Done{};
  }

  // By sorting: no sender can make it slow, as with a hash table.
  Status unique_ids() {
    std::sort(ids_.begin(), ids_.end());
    if (std::adjacent_find(ids_.begin(), ids_.end()) != ids_.end()) {
      return invalid("an ID that occurs twice");
    }
    return Done{};
  }

  const Limits& limits_;
  std::size_t elements_ = 0;
  std::vector<std::size_t> in_scope_;  // per depth: namespace declarations in scope
  const xmlNs* last_used_ = nullptr;
  std::size_t last_size_ = 0;
  std::size_t namespace_bytes_ = 0;  // of all names' namespaces
  std::vector<std::string_view> ids_;
};

}  // namespace

bool is_ncname(std::string_view text) {
  if (text.empty() || !(is_ascii_letter(text.front()) || text.front() == '_')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_ascii_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

bool is_short_prefix_list(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::size_t count = 0;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != text.npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    const std::string_view prefix = text.substr(at, end - at);
    if (++count > kMaxPrefixes || prefix.size() > kMaxPrefixBytes) return false;
    if (prefix != "#default" && !is_ncname(prefix)) return false;
    at = text.find_first_not_of(kBlanks, end);
  }
  return true;
}

Status pass_shape_gate(_xmlDoc* document, const Limits& limits) {
  return ShapeWalk(limits).run(document);
}

}  // namespace sallyport::xml
