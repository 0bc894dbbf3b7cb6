#include "genuine.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz_target.h"
#include "second_opinion.h"
#include "xml/document.h"
#include "xml/signing.h"

namespace sallyport::fuzz {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> files(std::string_view extension) {
  std::vector<std::filesystem::path> all;
  for (const auto& each : std::filesystem::directory_iterator(SALLYPORT_SOURCE_DIR
                                                              "/tests/fuzz/genuine")) {
    if (each.path().extension() == extension) all.push_back(each.path());
  }
  std::sort(all.begin(), all.end());
  REQUIRE(!all.empty());
  return all;
}

GenuineMessages load() {
  xml::initialize_parser();
  REQUIRE(xml::initialize_signing().ok());
  GenuineMessages out;
  for (const auto& path : files(".pem")) {
    auto certificate = xml::Certificate::from_pem(contents(path));
    REQUIRE(certificate.ok());
    out.keys.push_back(certificate->key().raw());
    out.certificates.push_back(std::move(*certificate));
  }
  for (const auto& path : files(".xml")) {
    Genuine message;
    message.name = path.stem().string();
    message.text = contents(path);
    const auto response = read_message(message.text, out.certificates);
    REQUIRE(response.ok());
    std::string why_not;
    REQUIRE(is_confirmed(message.text, *response, out.keys, why_not));
    message.header = describe(response->header);
    message.assertion = describe(response->assertion);
    out.messages.push_back(std::move(message));
  }
  return out;
}

}  // namespace

const Genuine* GenuineMessages::find(const saml::VerifiedResponse& response) const {
  const std::string header = describe(response.header);
  const std::string assertion = describe(response.assertion);
  for (const Genuine& each : messages) {
    if (each.assertion != assertion) continue;
    if (!response.header.is_signed || each.header == header) return &each;
  }
  return nullptr;
}

const GenuineMessages& genuine_messages() {
  static const GenuineMessages all = load();
  return all;
}

Result<saml::VerifiedResponse> read_message(std::string_view document,
                                            const std::vector<xml::Certificate>& certificates) {
  saml::SignatureRules rules;
  rules.certificates = &certificates;
  return saml::read_response(document, rules, xml::message_limits(256 * 1024));
}

}  // namespace sallyport::fuzz
