#include <latchkey/latchkey.h>

#include <algorithm>

#include "json_body.h"
#include "operations.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

constexpr std::string_view kJson = "application/json";

// Names are valid UTF-8; should one not be, the rest of the reply is still worth having.
std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Reply::~Reply() { explicit_bzero(body.data(), body.size()); }

Reply JsonReply(unsigned status, const nlohmann::ordered_json& json) {
  Reply reply(status, Dump(json));
  reply.Add("X-Total-Count", "1");
  return reply;
}

Reply ListReply(const nlohmann::ordered_json& rows, uint64_t total, const std::string& link) {
  Reply reply(200, Dump(rows));
  reply.Add("X-Total-Count", std::to_string(total));
  if (!link.empty()) reply.Add("Link", link);
  return reply;
}

Reply EmptyReply() {
  Reply reply(204, "");
  reply.Add("X-Total-Count", "0");
  return reply;
}

void RequireJson(const Request& request) {
  if (!request.has_content_type || request.content_type == kJson) return;
  std::string type(request.content_type.substr(0, request.content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  if (type != kJson) throw Refusal(400, "expected content type \"application/json\"");
}

void CheckName(std::string_view name) {
  if (latchkey_name_check(name.data(), name.size()) != LATCHKEY_OK) {
    JsonBody::Refuse("name", latchkey_error_text());
  }
}

}  // namespace latchkey::http
