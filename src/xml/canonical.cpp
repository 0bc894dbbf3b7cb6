#include "xml/canonical.h"

#include <libxml/c14n.h>
#include <libxml/tree.h>
#include <libxml/xmlIO.h>

#include "base/c_ptr.h"

namespace sallyport::xml {
namespace {

// Makes the document seem to hold nothing but the apex. Its parent stays, so that namespaces
// declared above are found. (A node filter would be asked for each node, attribute and namespace of
// the whole document.)
class OnlyElement {
 public:
  explicit OnlyElement(xmlNode* apex)
      : apex_(apex), first_(apex->doc->children), next_(apex->next) {
    apex_->doc->children = apex_;
    apex_->next = nullptr;
  }
  ~OnlyElement() {
    apex_->doc->children = first_;
    apex_->next = next_;
  }
  OnlyElement(const OnlyElement&) = delete;
  OnlyElement& operator=(const OnlyElement&) = delete;

 private:
  xmlNode* apex_;
  xmlNode* first_;
  xmlNode* next_;
};

// Bridges the link that leads to a child, so that a walk forward does not meet it.
class LeftOut {
 public:
  explicit LeftOut(xmlNode* child) : child_(child) {
    if (child_ != nullptr) link() = child_->next;
  }
  ~LeftOut() {
    if (child_ != nullptr) link() = child_;
  }
  LeftOut(const LeftOut&) = delete;
  LeftOut& operator=(const LeftOut&) = delete;

 private:
  xmlNode*& link() {
    return child_->prev == nullptr ? child_->parent->children : child_->prev->next;
  }
  xmlNode* child_;
};

// The array that libxml2 wants, ended by null.
std::vector<xmlChar*> as_array(const std::vector<std::string>& prefixes) {
  std::vector<xmlChar*> array;
  array.reserve(prefixes.size() + 1);
  for (const std::string& prefix : prefixes) {
    array.push_back(reinterpret_cast<xmlChar*>(const_cast<char*>(prefix.c_str())));
  }
  array.push_back(nullptr);
  return array;
}

// What came out, if it can be a whole element.
std::string whole_output(xmlOutputBuffer* output) {
  const xmlChar* content = xmlOutputBufferGetContent(output);
  const std::size_t size = xmlOutputBufferGetSize(output);
  if (output->error != 0 || content == nullptr || size == 0) return {};
  std::string octets(reinterpret_cast<const char*>(content), size);
  if (octets.front() != '<' || octets.back() != '>') return {};
  return octets;
}

}  // namespace

std::string canonicalize(const Element& apex, const Element* left_out,
                         const std::vector<std::string>& prefixes) {
  const CPtr<xmlOutputBuffer, xmlOutputBufferClose> output(xmlAllocOutputBuffer(nullptr));
  if (output == nullptr) return {};
  std::vector<xmlChar*> array = as_array(prefixes);
  const LeftOut without(left_out == nullptr ? nullptr : left_out->node());
  const OnlyElement only(apex.node());
  const int written = xmlC14NExecute(apex.node()->doc, nullptr, nullptr, XML_C14N_EXCLUSIVE_1_0,
                                     prefixes.empty() ? nullptr : array.data(), 0, output.get());
  return written < 0 ? std::string() : whole_output(output.get());
}

}  // namespace sallyport::xml
