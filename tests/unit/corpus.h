// The public test vectors: messages of other projects' test suites with what each needs and must come to.
// Their folder is CMake's SALLYPORT_CORPUS; where it is missing there are no cases.
#pragma once

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/instant.h"
#include "response_builder.h"

namespace sallyport::testing {

struct CorpusCase {
  std::string id;
  std::string message;  // base64, as it would be posted
  bool accept = false;  // with every switch of `requirements` on
  std::optional<bool> accept_strict;  // under a strict profile; nullopt: nobody has judged
  std::vector<std::string> requirements;
  std::string rejecting_stage;  // where another verifier stopped; empty: accepted or not judged
  std::string sp_entity_id;
  std::string acs_url;
  std::string idp_entity_id;
  std::vector<std::string> certificates;     // PEM
  std::vector<std::string> decryption_keys;  // PEM
  Millis clock = 0;
  std::optional<std::string> request_id;  // nullopt: unsolicited
  std::optional<std::string> name_id;     // of whom is let in
};

inline void PrintTo(const CorpusCase& vector, std::ostream* out) { *out << vector.id; }

inline std::string corpus_file(const std::string& name) {
  std::ifstream in(std::string(SALLYPORT_CORPUS_DIR) + '/' + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline bool has_corpus() { return !corpus_file("manifest.json").empty(); }

inline std::string existing_corpus_file(const nlohmann::json& name) {
  std::string bytes = corpus_file(name.get<std::string>());
  if (bytes.empty()) give_up("the corpus lacks " + name.get<std::string>());
  return bytes;
}

inline std::vector<std::string> existing_corpus_files(const nlohmann::json& names) {
  std::vector<std::string> all;
  for (const nlohmann::json& name : names) all.push_back(existing_corpus_file(name));
  return all;
}

inline std::optional<std::string> text_or_none(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

inline CorpusCase corpus_case(const nlohmann::json& entry) {
  CorpusCase out;
  out.id = entry.at("id");
  out.message = existing_corpus_file(entry.at("file"));
  if (entry.at("encoding") == "xml") out.message = base64_encode(out.message);
  out.accept = entry.at("expected") == "accept";
  if (const auto strict = text_or_none(entry.at("expected_strict"))) {
    out.accept_strict = *strict == "accept";
  }
  out.requirements = entry.at("requires").get<std::vector<std::string>>();
  out.rejecting_stage = text_or_none(entry.at("rejecting_stage")).value_or("");
  out.sp_entity_id = text_or_none(entry.at("sp_entity_id")).value_or("");
  out.acs_url = text_or_none(entry.at("acs_url")).value_or("");
  out.idp_entity_id = text_or_none(entry.at("idp_entity_id")).value_or("");
  out.certificates = existing_corpus_files(entry.at("cert_files"));
  out.decryption_keys = existing_corpus_files(entry.at("sp_decryption_key_files"));
  const auto clock = parse_instant(entry.at("clock").get<std::string>());
  if (!clock) give_up("no clock: " + out.id);
  out.clock = *clock;
  out.request_id = text_or_none(entry.at("request_id"));
  out.name_id = text_or_none(entry.at("expected_nameid"));
  return out;
}

inline const std::vector<CorpusCase>& corpus_cases() {
  static const std::vector<CorpusCase> all = [] {
    std::vector<CorpusCase> cases;
    if (!has_corpus()) return cases;
    const nlohmann::json manifest = nlohmann::json::parse(corpus_file("manifest.json"));
    for (const nlohmann::json& entry : manifest.at("cases")) cases.push_back(corpus_case(entry));
    return cases;
  }();
  return all;
}

}  // namespace sallyport::testing
