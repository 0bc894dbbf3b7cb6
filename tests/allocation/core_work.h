// What the core does with memory, as pieces of work that can be done again and again.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sallyport::testing {

struct Work {
  std::string name;
  // Says in full what came out: "accepted" and all of the result, or "refused" and the reason. std::bad_alloc
  // passes through, as it does up to the module's fence.
  std::function<std::string()> run;
  // What of it counts, of an outcome that has parts which may differ.
  std::function<std::string(const std::string&)> describe = [](const std::string& outcome) {
    return outcome;
  };
  // Whether xmlsec1 signs, by way of libxml2's XPath: both lose blocks, and keys, where they have no memory.
  bool signs_by_xmlsec = false;
};

// Every answer to a login, good and hostile; metadata of an IdP, requests, forms, sealed cookies.
// The messages are made here: what they are made of needs memory as well.
std::vector<Work> core_work();

}  // namespace sallyport::testing
