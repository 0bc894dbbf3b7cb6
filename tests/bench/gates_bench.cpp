// What a message costs that is made to cost much: each by itself, from the posted form to the verdict. All must
// stay below 10 ms of CPU (docs/PERFORMANCE.md).
#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "../unit/costly_encrypted.h"
#include "login/resolve_login.h"

namespace {

using namespace sallyport;

void answer(benchmark::State& state, const std::string& body, const login::Trust& trust) {
  std::string verdict;
  for (auto _ : state) {
    const auto form = login::parse_acs_form(body);
    login::FinishLogin input;
    input.trust = &trust;
    input.request_id = login_test::kRequestId;
    input.now = login_test::kNow;
    if (form.ok()) input.saml_response = form->saml_response;
    const auto login = form.ok() ? login::finish_login(input)
                                 : Result<login::FinishedLogin>(Error(form.error()));
    verdict = login.ok() ? "accepted" : reason_word(login.error().reason);
  }
  state.SetLabel(verdict);
  state.counters["bytes"] = static_cast<double>(body.size());
}

}  // namespace

int main(int argc, char** argv) {
  xml::initialize_parser();
  static const login::Trust trust = testing::costly_trust();
  auto messages = testing::costly_messages();
  for (auto& message : testing::costly_encrypted_messages()) messages.push_back(std::move(message));
  messages.push_back({"an ordinary login",
                      testing::form_of(login_test::response_xml(login_test::company_response())),
                      "accepted"});
  for (auto& [name, body, reason] : messages) {
    benchmark::RegisterBenchmark(name.c_str(), [body = std::move(body)](benchmark::State& state) {
      answer(state, body, trust);
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
