#include "session/handover.h"

#include "base/flat.h"

namespace sallyport::session {

namespace {

// The digits are the version of the layout.
constexpr std::string_view kOrderKind = "order1";
constexpr std::string_view kTicketKind = "ticket1";

}  // namespace

std::optional<std::string> HandoverCodec::seal_order(const LoginOrder& order, std::string_view sp_entity_id,
                                                     Random& random) {
  std::string plaintext;
  append_number(plaintext, order.made);
  append_number(plaintext, order.max_authn_age);
  append_text(plaintext, order.origin.host);
  append_text(plaintext, order.origin.handle);
  append_text(plaintext, order.origin.nonce);
  append_text(plaintext, order.idp);
  append_text(plaintext, order.return_url.size() > kMaxMarkerTarget ? "/" : order.return_url);
  return sealer_.seal(plaintext, {kOrderKind, sp_entity_id}, random);
}

std::optional<LoginOrder> HandoverCodec::open_order(std::string_view text, std::string_view sp_entity_id, Millis now) {
  const auto plaintext = sealer_.open(text, {kOrderKind, sp_entity_id});
  if (!plaintext) return std::nullopt;
  FlatReader reader(*plaintext);
  LoginOrder order;
  order.made = reader.number<Millis>();
  order.max_authn_age = reader.number<Millis>();
  order.origin.host = reader.text();
  order.origin.handle = reader.text();
  order.origin.nonce = reader.text();
  order.idp = reader.text();
  order.return_url = reader.text();
  if (!reader.complete() || !is_within(order.made, now, kAttemptLifetime)) return std::nullopt;
  return order;
}

std::optional<std::string> HandoverCodec::seal_ticket(const LoginTicket& ticket, std::string_view sp_entity_id,
                                                      Random& random) {
  std::string plaintext;
  append_number(plaintext, ticket.made);
  append_text(plaintext, ticket.origin.handle);
  append_text(plaintext, ticket.origin.nonce);
  append_text(plaintext, ticket.idp);
  append_text(plaintext, ticket.session_id);
  return sealer_.seal(plaintext, {kTicketKind, sp_entity_id, ticket.origin.host}, random);
}

std::optional<LoginTicket> HandoverCodec::open_ticket(std::string_view text, std::string_view sp_entity_id,
                                                      std::string_view host, Millis now) {
  const auto plaintext = sealer_.open(text, {kTicketKind, sp_entity_id, host});
  if (!plaintext) return std::nullopt;
  FlatReader reader(*plaintext);
  LoginTicket ticket;
  ticket.made = reader.number<Millis>();
  ticket.origin.host = host;
  ticket.origin.handle = reader.text();
  ticket.origin.nonce = reader.text();
  ticket.idp = reader.text();
  ticket.session_id = reader.text();
  if (!reader.complete() || !is_within(ticket.made, now, kTicketLifetime)) return std::nullopt;
  return ticket;
}

}  // namespace sallyport::session
