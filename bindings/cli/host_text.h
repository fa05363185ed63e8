// Requests to a host as text: paths, queries, bodies; and its refusals as messages for people.
#pragma once

#include <stdexcept>

#include "backend.h"
#include "http_client.h"

namespace latchkey::cli {

// "/v0/users", "/v0/projects"
std::string OwnersPath(uint32_t sort);
// "/tokens", "/keys"
const char* KeysSegment(const Noun& noun);
// "?page=1&per_page=8&...". `hidden_word` is the parameter for what is listed no more.
std::string ListQuery(const latchkey_list_options& options, const char* hidden_word);

// Throws a usage Refusal about `thing` when a text in it is not UTF-8.
std::string JsonText(const Json& json, const std::string& thing);
Json OwnerBody(const latchkey_owner_create_options& options);
Json OwnerBody(const latchkey_owner_update_options& options);
SecretText VerifyBody(const latchkey_bytes& secret, uint64_t required_scopes);
std::string Hex(const uint8_t digest[32]);

// Of the header X-Total-Count. Throws std::invalid_argument.
uint64_t ReadTotal(const std::string& text);

// For a status that is no success: its exit code, the host's own message, and the request id.
[[noreturn]] void RefuseStatus(const HttpReply& reply, const std::string& shown_address,
                               const Context& context);
// For a success whose body is not what a latchkey host sends.
[[noreturn]] void RefuseStranger(const HttpReply& reply, const std::string& shown_address,
                                 const Context& context);

// What `read` makes of the reply's JSON.
template <typename Read>
auto Understand(const HttpReply& reply, const std::string& shown_address, const Context& context,
                Read read) {
  try {
    Json json = Json::parse(reply.body.begin(), reply.body.end());
    return read(json);
  } catch (const Json::exception&) {
    RefuseStranger(reply, shown_address, context);
  } catch (const std::invalid_argument&) {
    RefuseStranger(reply, shown_address, context);
  }
}

}  // namespace latchkey::cli
