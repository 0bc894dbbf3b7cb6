#include "requirements.h"

#include "bridge.h"
#include "login/gate.h"
#include "policy/identity_headers.h"
#include "session_lookup.h"

namespace sallyport::ngx {

namespace {

std::string_view value_of(ngx_http_request_t* r, const ngx_http_complex_value_t& value) {
  ngx_str_t text{};
  auto* complex = const_cast<ngx_http_complex_value_t*>(&value);
  return ngx_http_complex_value(r, complex, &text) == NGX_OK ? view(text) : std::string_view();
}

std::vector<login::Requirement> evaluate(ngx_http_request_t* r, const RequireLine& line, const RequestCtx& ctx) {
  std::vector<login::Requirement> evaluated;
  evaluated.reserve(line.pairs.size());
  for (const RequireConf& require : line.pairs) {
    evaluated.push_back({require.key, require.attribute, value_of(r, require.value), ctx.space.name});
  }
  return evaluated;
}

// An attribute lies behind the front of the record.
bool is_met(ngx_http_request_t* r, const login::Requirement& requirement, const RequestCtx& ctx) {
  if (requirement.key != login::RequireKey::kAttribute) return login::meets(requirement, *ctx.session);
  const session::RecordView* whole = whole_record(r, *ctx.state);
  return whole != nullptr && login::meets(requirement, *whole);
}

std::optional<MissingAccess> missing_space(const RequestCtx& ctx) {
  if (!ctx.space.is_wanted || ctx.space.user_has_it) return std::nullopt;
  const std::vector<login::Requirement> wanted = {{login::RequireKey::kSpace, {}, ctx.space.name}};
  // Not describe_in_words(): a colon in a space's name separates no role here.
  return MissingAccess{"saml_space: " + login::describe(wanted),
                       ctx.space.name.empty() ? "a space, and the address that you opened names none"
                                              : "the space \"" + std::string(ctx.space.name) + '"'};
}

// An item of an encoded list as a value of its own; both are written alike unless a character is escaped.
bool as_value(ngx_http_request_t* r, std::string_view item, std::string_view& out) {
  out = item;
  if (item.find('%') == std::string_view::npos) return true;
  const ngx_str_t copied = copy(r->pool, policy::encode_value(policy::decode_value(item)));
  out = view(copied);
  return copied.data != nullptr;
}

}  // namespace

bool find_active_space(ngx_http_request_t* r, const LocConf& location, RequestCtx& ctx) {
  if (!location.space.is_set() || location.space.value->off) return true;
  ActiveSpace& space = ctx.space;
  space.is_wanted = true;
  space.name = value_of(r, location.space.value->value);
  if (space.name.empty()) return true;
  const auto pair = policy::find_pair(ctx.session->field(session::Field::kSpaces), space.name);
  if (!pair) return true;
  space.user_has_it = true;
  return as_value(r, pair->space, space.encoded_name) && as_value(r, pair->role, space.encoded_role);
}

std::optional<MissingAccess> missing_access(ngx_http_request_t* r, const LocConf& location, const RequestCtx& ctx) {
  if (auto space = missing_space(ctx)) return space;
  for (const RequireLine& line : location.require_lines) {
    const std::vector<login::Requirement> requirements = evaluate(r, line, ctx);
    bool met = false;
    for (const login::Requirement& requirement : requirements) {
      met = met || is_met(r, requirement, ctx);
    }
    if (!met) {
      return MissingAccess{"saml_require: " + login::describe(requirements),
                           login::describe_in_words(requirements)};
    }
  }
  return std::nullopt;
}

}  // namespace sallyport::ngx
