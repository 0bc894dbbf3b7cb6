#include "body_reader.h"

#include <optional>
#include <string>

#include "bridge.h"
#include "request_ctx.h"

namespace sallyport::ngx {

namespace {

constexpr Millis kMaxReadingTime = kMinute;

struct BodyReader {
  std::size_t max_bytes;
  BodyHandler handler;
  BodyRefusal refusal;
  Millis started;
  std::string body;
};

enum class Take { kOk, kTooLarge, kUnreadable };

// Who has read the body before us (`mirror`, `client_body_early_read`) had what is large written to a file.
bool append_from_file(ngx_buf_t* buffer, std::size_t size, std::string& body) {
  const std::size_t before = body.size();
  body.resize(before + size);
  auto* place = reinterpret_cast<u_char*>(&body[before]);
  return ngx_read_file(buffer->file, place, size, buffer->file_pos) == static_cast<ssize_t>(size);
}

// Moves what has arrived into the buffer and gives nginx its own buffers back.
Take take_arrived(ngx_http_request_t* r, BodyReader& reader) {
  if (r->request_body == nullptr) return Take::kOk;
  for (ngx_chain_t* link = r->request_body->bufs; link != nullptr; link = link->next) {
    ngx_buf_t* buffer = link->buf;
    const bool in_file = ngx_buf_in_memory(buffer) == 0 && buffer->in_file != 0;
    const auto size = static_cast<std::size_t>(ngx_buf_size(buffer));
    if (size > reader.max_bytes - reader.body.size()) return Take::kTooLarge;
    if (in_file) {
      if (!append_from_file(buffer, size, reader.body)) return Take::kUnreadable;
      buffer->file_pos = buffer->file_last;
      continue;
    }
    reader.body.append(reinterpret_cast<char*>(buffer->pos), size);
    buffer->pos = buffer->last;
  }
  r->request_body->bufs = nullptr;
  return Take::kOk;
}

void on_readable(ngx_http_request_t* r);

BodyReader* reader_of(ngx_http_request_t* r) {
  RequestState* state = find_state(r);
  return state == nullptr ? nullptr : static_cast<BodyReader*>(state->body_reader);
}

// The request's end, or nullopt while more is to come.
std::optional<ngx_int_t> go_on(ngx_http_request_t* r, BodyReader& reader) {
  if (r->connection->read->timedout) {
    r->connection->timedout = 1;
    return NGX_HTTP_REQUEST_TIME_OUT;
  }
  for (;;) {
    const Take taken = take_arrived(r, reader);
    if (taken == Take::kUnreadable) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (taken == Take::kTooLarge) return reader.refusal(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    if (!r->reading_body) break;
    if (now() - reader.started > kMaxReadingTime) {
      return reader.refusal(r, NGX_HTTP_REQUEST_TIME_OUT);
    }
    const ngx_int_t rc = ngx_http_read_unbuffered_request_body(r);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) return rc;
    if (rc == NGX_AGAIN && r->request_body->bufs == nullptr) {
      r->read_event_handler = on_readable;
      return std::nullopt;
    }
  }
  r->read_event_handler = ngx_http_block_reading;
  return reader.handler(r, reader.body);
}

void on_readable(ngx_http_request_t* r) {
  const std::optional<ngx_int_t> failure = NGX_HTTP_INTERNAL_SERVER_ERROR;
  const auto rc = fence<std::optional<ngx_int_t>>(failure, r->connection->log,
                                                  [&] { return go_on(r, *reader_of(r)); });
  if (rc) ngx_http_finalize_request(r, *rc);
}

void on_body(ngx_http_request_t* r) { on_readable(r); }

}  // namespace

ngx_int_t read_body(ngx_http_request_t* r, std::size_t max_bytes, BodyHandler handler,
                    BodyRefusal refusal) {
  RequestState* state = require_state(r);
  if (state == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const off_t length = r->headers_in.content_length_n;
  if (length > 0 && static_cast<std::size_t>(length) > max_bytes) {
    return refusal(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
  }
  auto* reader = make_in_pool<BodyReader>(
      r->pool, BodyReader{max_bytes, handler, refusal, now(), std::string()});
  if (reader == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (length > 0) reader->body.reserve(static_cast<std::size_t>(length));
  state->body_reader = reader;

  r->request_body_no_buffering = 1;
  const ngx_int_t rc = ngx_http_read_client_request_body(r, on_body);
  return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

}  // namespace sallyport::ngx
