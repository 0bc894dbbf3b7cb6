#include "xml/document.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "xml/byte_gate.h"
#include "xml/node_text.h"
#include "xml/shape_gate.h"

namespace sallyport::xml {
namespace {

xmlNode* next_element(xmlNode* node) {
  while (node != nullptr && node->type != XML_ELEMENT_NODE) node = node->next;
  return node;
}

// What the parser complained of first; it goes no further.
enum class Complaint { kNone, kWarning, kError };

// Why the parser refused, in its own words without the line end. It warns of forbidden things only:
// relative namespace names and xml:space.
Error parse_error(xmlParserCtxt& context, Complaint complaint) {
  const xmlError* last = xmlCtxtGetLastError(&context);
  if (last != nullptr && last->code == XML_ERR_NO_MEMORY) {
    return {Reason::kInternal, "out of memory"};
  }
  const bool warned = complaint == Complaint::kWarning;
  std::string detail = warned ? "XML that the parser warns of" : "not well-formed XML";
  if (last != nullptr && last->message != nullptr) {
    detail += ": ";
    detail += trim_blanks(last->message);
    detail += " (line " + std::to_string(last->line) + ")";
  }
  return {warned ? Reason::kXmlForbidden : Reason::kXmlInvalid, std::move(detail)};
}

// The parser's own verdicts, each by itself: whatever it minded is refused.
bool parsed_cleanly(const xmlParserCtxt& context, Complaint complaint, const xmlDoc* document) {
  return complaint == Complaint::kNone && document != nullptr && context.wellFormed == 1 &&
         context.nsWellFormed == 1 && context.errNo == XML_ERR_OK &&
         equals(document->version, "1.0");
}

// Ends the parsing from within an error handler: nothing more is read, nor reported.
void stop(xmlParserCtxt& context) {
#if LIBXML_VERSION < 21300
  // xmlStopParser of these releases frees the input, into which the functions that report an error
  // may still point. They read an input that has ended just as well.
  context.disableSAX = 1;
  context.instate = XML_PARSER_EOF;
  if (context.input != nullptr) context.input->cur = context.input->end;
#else
  xmlStopParser(&context);
#endif
}

// Called for errors and warnings of every kind. The parser would go on after each of them, and a
// sender can make it format one per byte. A template since newer releases of libxml2 hand over a
// constant error.
template <class AnyError>
void stop_at_first(void* data, AnyError* error) {
  auto& context = *static_cast<xmlParserCtxt*>(data);
  auto& complaint = *static_cast<Complaint*>(context._private);
  if (complaint != Complaint::kNone) return;
  complaint = error->level < XML_ERR_ERROR ? Complaint::kWarning : Complaint::kError;
  stop(context);
}

void discard(void*, const char*, ...) {}
// A template since newer releases of libxml2 hand over a constant error.
template <class AnyError>
void discard_structured(void*, AnyError*) {}

}  // namespace

Limits message_limits(std::size_t max_bytes) {
  Limits limits;
  limits.bytes = max_bytes;
  return limits;
}

Limits metadata_limits(std::size_t max_bytes) {
  Limits limits;
  limits.bytes = max_bytes;
  limits.depth = 64;
  limits.elements = 1'000'000;
  limits.ids = 1'000'000;
  limits.attributes_per_element = 64;
  limits.attributes = 4'000'000;
  limits.namespaces_per_element = 32;
  limits.namespace_lookups = 100'000'000;
  limits.allow_comments = true;
  return limits;
}

Limits aggregate_limits(std::size_t max_bytes) {
  Limits limits = metadata_limits(max_bytes);
  limits.elements = 20'000'000;
  limits.ids = 20'000'000;
  limits.attributes = 80'000'000;
  limits.namespace_lookups = 4'000'000'000;
  return limits;
}

std::string_view Element::local_name() const { return view_of(node_->name); }

std::string_view Element::namespace_uri() const {
  return node_->ns == nullptr ? std::string_view() : view_of(node_->ns->href);
}

bool Element::is(std::string_view namespace_uri, std::string_view local_name) const {
  if (namespace_uri.empty()) return node_->ns == nullptr && equals(node_->name, local_name);
  return is_named(node_, namespace_uri, local_name);
}

std::optional<std::string_view> Element::attribute(std::string_view name) const {
  return attribute_ns({}, name);
}

std::optional<std::string_view> Element::attribute_ns(std::string_view namespace_uri,
                                                      std::string_view name) const {
  for (const xmlAttr* attribute = node_->properties; attribute != nullptr;
       attribute = attribute->next) {
    if (!equals(attribute->name, name)) continue;
    const bool same_namespace = attribute->ns == nullptr
                                    ? namespace_uri.empty()
                                    : equals(attribute->ns->href, namespace_uri);
    if (same_namespace) return attribute_value(attribute);
  }
  return std::nullopt;
}

Element::Children Element::children() const { return Children(next_element(node_->children)); }

Element::Iterator& Element::Iterator::operator++() {
  node_ = next_element(node_->next);
  return *this;
}

std::optional<Element> Element::only_child(std::string_view namespace_uri,
                                           std::string_view local_name) const {
  std::optional<Element> found;
  for (const Element child : children()) {
    if (!child.is(namespace_uri, local_name)) continue;
    if (found) return std::nullopt;
    found = child;
  }
  return found;
}

std::size_t Element::count_children(std::string_view namespace_uri,
                                    std::string_view local_name) const {
  std::size_t count = 0;
  for (const Element child : children()) count += child.is(namespace_uri, local_name) ? 1 : 0;
  return count;
}

bool Element::has_child_elements() const { return next_element(node_->children) != nullptr; }

bool Element::has_stray_text() const {
  for (const xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE && !trim_blanks(view_of(child->content)).empty()) return true;
  }
  return false;
}

std::optional<std::string_view> Element::text() const {
  const xmlNode* only = node_->children;
  if (only == nullptr) return std::string_view();
  if (only->type != XML_TEXT_NODE || only->next != nullptr) return std::nullopt;
  return view_of(only->content);
}

Result<Document> Document::parse(std::string_view bytes, const Limits& limits) {
  Result<Gated> gated = pass_byte_gate(bytes, limits);
  if (!gated.ok()) return std::move(gated).error();
  const std::string_view text = gated->text;
  const CPtr<xmlParserCtxt, xmlFreeParserCtxt> context(xmlNewParserCtxt());
  if (context == nullptr) return Error{Reason::kInternal, "out of memory"};
  Complaint complaint = Complaint::kNone;
  context->_private = &complaint;
  context->sax->serror = stop_at_first;
  // Errors go to stop_at_first, so nothing is printed anyway; later releases keep from it, too, what
  // they are told not to report.
  constexpr std::size_t kMostWithoutHuge = 8'000'000;
  constexpr int kSilent = LIBXML_VERSION < 21300 ? XML_PARSE_NOERROR | XML_PARSE_NOWARNING : 0;
  constexpr int kOptions = XML_PARSE_NONET | XML_PARSE_NOCDATA | kSilent;
  // Short texts inside their nodes: fewer allocations, where no text is changed afterwards.
  const int compact = limits.allow_comments ? 0 : XML_PARSE_COMPACT;
  // What that would allow, the gates bound: it is about texts and documents of more than ten megabytes.
  const int huge = text.size() > kMostWithoutHuge ? XML_PARSE_HUGE : 0;
  // Without a name of the encoding: the gate left a text that the parser can take for nothing but
  // UTF-8, and a named one is converted to itself, into a copy that 2.9 uses even if it is not there.
  Document document(xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()),
                                      nullptr, nullptr, kOptions | compact | huge),
                    gated->weight);
  if (!parsed_cleanly(*context, complaint, document.raw())) {
    return parse_error(*context, complaint);
  }
  if (document.raw()->intSubset != nullptr || document.raw()->extSubset != nullptr) {
    return Error{Reason::kXmlForbidden, "a DTD"};
  }
  SALLYPORT_TRY(pass_shape_gate(document.raw(), limits));
  return document;
}

Element Document::root() const { return Element(xmlDocGetRootElement(doc_.get())); }

void initialize_parser() {
  xmlInitParser();
  xmlSetGenericErrorFunc(nullptr, discard);
  xmlSetStructuredErrorFunc(nullptr, discard_structured);
}

}  // namespace sallyport::xml
