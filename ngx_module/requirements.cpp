#include "requirements.h"

#include "bridge.h"
#include "login/gate.h"
#include "request_ctx.h"
#include "session_lookup.h"

namespace sallyport::ngx {

namespace {

std::vector<login::Requirement> evaluate(ngx_http_request_t* r, const RequireLine& line) {
  std::vector<login::Requirement> evaluated;
  evaluated.reserve(line.size());
  for (const RequireConf& require : line) {
    ngx_str_t value{};
    auto* complex = const_cast<ngx_http_complex_value_t*>(&require.value);
    if (ngx_http_complex_value(r, complex, &value) != NGX_OK) value = {};
    evaluated.push_back({require.key, require.attribute, view(value)});
  }
  return evaluated;
}

// An attribute lies behind the front of the record.
bool is_met(ngx_http_request_t* r, const login::Requirement& requirement,
            const session::RecordView& session) {
  if (requirement.key != login::RequireKey::kAttribute) return login::meets(requirement, session);
  RequestState* state = find_state(r);
  const session::RecordView* whole = state == nullptr ? nullptr : whole_record(r, *state);
  return whole != nullptr && login::meets(requirement, *whole);
}

}  // namespace

std::optional<std::string> missing_access(ngx_http_request_t* r, const LocConf& location,
                                          const session::RecordView& session) {
  for (const RequireLine& line : location.require_lines) {
    const std::vector<login::Requirement> requirements = evaluate(r, line);
    bool met = false;
    for (const login::Requirement& requirement : requirements) {
      met = met || is_met(r, requirement, session);
    }
    if (!met) return login::describe(requirements);
  }
  return std::nullopt;
}

}  // namespace sallyport::ngx
