#include "host_text.h"

#include <algorithm>
#include <charconv>

namespace latchkey::cli {
namespace {

constexpr size_t kMessageBytesMax = 2000;
// How a request is to be made: not for those who did not make it themselves.
constexpr std::string_view kHeaderHint = "Expected format is `Authorization";

void AddParameter(const char* name, const char* data, size_t size, std::string* query) {
  if (data == nullptr) return;
  *query += std::string("&") + name + "=" + PercentEncoded({data, size});
}

void AddText(const char* name, const char* data, size_t size, Json* body) {
  if (data != nullptr) (*body)[name] = std::string(data, size);
}

const char* VisibilityWord(uint32_t visibility) {
  return visibility == LATCHKEY_VISIBILITY_PRIVATE ? "private" : "public";
}

latchkey_code CodeOf(long status) {
  switch (status) {
    case 400:
    case 413:
      return LATCHKEY_INVALID_ARGUMENT;
    case 401:
      return LATCHKEY_DENIED;
    case 403:
      return LATCHKEY_FORBIDDEN;
    case 404:
      return LATCHKEY_NOT_FOUND;
    case 409:
      return LATCHKEY_CONFLICT;
    case 429:
    case 503:
      return LATCHKEY_BUSY;
    case 507:
      return LATCHKEY_NO_SPACE;
    default:
      return LATCHKEY_INTERNAL;
  }
}

// The host's own words, safe to show, each of its lines one of ours.
std::string MessageOf(const HttpReply& reply) {
  const Json json = Json::parse(reply.body.begin(), reply.body.end(), nullptr, false);
  if (!json.is_object() || !json.contains("message") || !json["message"].is_string()) return "";
  const std::string message =
      WithoutSecrets(json["message"].get_ref<const std::string&>().substr(0, kMessageBytesMax));
  std::string shown;
  for (size_t begin = 0; begin <= message.size();) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    const std::string_view line = std::string_view(message).substr(begin, end - begin);
    if (!line.empty() && !line.starts_with(kHeaderHint)) {
      shown += shown.empty() ? "" : "\n";
      shown += EscapeForTerminal(line);
    }
    begin = end + 1;
  }
  return shown;
}

}  // namespace

std::string OwnersPath(uint32_t sort) {
  return sort == LATCHKEY_OWNER_USER ? "/v0/users" : "/v0/projects";
}

const char* KeysSegment(const Noun& noun) {
  return noun.kind == LATCHKEY_KIND_USER_TOKEN ? "/tokens" : "/keys";
}

std::string ListQuery(const latchkey_list_options& options, const char* hidden_word) {
  std::string query = "?page=" + std::to_string(options.page) +
                      "&per_page=" + std::to_string(options.page_size) +
                      "&direction=" + (options.descending != 0 ? "desc" : "asc");
  if (options.revoked != 0) query += std::string("&") + hidden_word + "=true";
  AddParameter("name", options.name, options.name_size, &query);
  AddParameter("slug", options.slug, options.slug_size, &query);
  AddParameter("search", options.search, options.search_size, &query);
  return query;
}

std::string JsonText(const Json& json, const std::string& thing) {
  try {
    return json.dump();
  } catch (const Json::exception&) {
    RefuseUsage(thing, "a text in it is not UTF-8", "Mend it and try again.");
  }
}

Json OwnerBody(const latchkey_owner_create_options& options) {
  Json body;
  AddText("name", options.name, options.name_size, &body);
  AddText("slug", options.slug, options.slug_size, &body);
  AddText("email", options.email, options.email_size, &body);
  if (options.sort == LATCHKEY_OWNER_USER) {
    body["admin"] = options.admin != 0;
  } else {
    body["visibility"] = VisibilityWord(options.visibility);
  }
  return body;
}

Json OwnerBody(const latchkey_owner_update_options& options) {
  Json body;
  const auto is_set = [&](uint32_t bit) { return (options.set & bit) != 0; };
  if (is_set(LATCHKEY_OWNER_SET_NAME)) AddText("name", options.name, options.name_size, &body);
  if (is_set(LATCHKEY_OWNER_SET_SLUG)) AddText("slug", options.slug, options.slug_size, &body);
  if (is_set(LATCHKEY_OWNER_SET_EMAIL)) {
    body["email"] = nullptr;
    AddText("email", options.email, options.email_size, &body);
  }
  if (is_set(LATCHKEY_OWNER_SET_ADMIN)) body["admin"] = options.admin != 0;
  if (is_set(LATCHKEY_OWNER_SET_LOCKED)) body["locked"] = options.locked != 0;
  if (is_set(LATCHKEY_OWNER_SET_VISIBILITY)) {
    body["visibility"] = VisibilityWord(options.visibility);
  }
  return body;
}

SecretText VerifyBody(const latchkey_bytes& secret, uint64_t required_scopes) {
  std::string_view text(static_cast<const char*>(secret.data), secret.size);
  // JSON cannot carry every byte. What is no visible ASCII, or too long, is malformed whatever else
  // it is, and so is no text at all.
  const bool sendable =
      text.size() <= LATCHKEY_SECRET_BYTES_MAX && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7F && c != '"' && c != '\\';
      });
  if (!sendable) text = {};
  SecretText body;
  body.reserve(text.size() + 512);  // the scopes are at most 64 numbers
  body.append(R"({"token":")").append(text).append("\"");
  if (required_scopes != 0) {
    body.append(",\"scopes\":").append(wire::ScopesJson(required_scopes).dump());
  }
  body.append("}");
  return body;
}

std::string Hex(const uint8_t digest[32]) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < 32; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

uint64_t ReadTotal(const std::string& text) {
  uint64_t total = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, total);
  if (error != std::errc() || stopped != end) throw std::invalid_argument("no total");
  return total;
}

void RefuseStatus(const HttpReply& reply, const std::string& shown_address,
                  const Context& context) {
  const std::string message = MessageOf(reply);
  if (message.empty()) RefuseStranger(reply, shown_address, context);
  const latchkey_code code = CodeOf(reply.status);
  const std::string request =
      reply.request_id.empty() ? "" : "\nThe host's log has it as request " + reply.request_id;
  // Other than of a store that is opened here.
  std::string remedy;
  if (code == LATCHKEY_INTERNAL) remedy = "\nThis is a defect of the host: please report it.";
  if (code == LATCHKEY_NO_SPACE) remedy = "\nNothing was changed: make room on the host's device.";
  if (!remedy.empty()) throw Refusal(kFailure, context.thing, message + remedy + request);
  Remedies remedies = context.remedies;
  remedies.busy = "Try again in a moment.";
  // A path names an owner first, and that may be what is missing.
  if (message.starts_with("User not found.")) {
    remedies.not_found = OwnerContext(LATCHKEY_OWNER_USER, "").remedies.not_found;
  } else if (message.starts_with("Project not found.")) {
    remedies.not_found = OwnerContext(LATCHKEY_OWNER_PROJECT, "").remedies.not_found;
  }
  Refuse(code, context.thing, message + request, remedies);
}

void RefuseStranger(const HttpReply& reply, const std::string& shown_address,
                    const Context& context) {
  throw Refusal(
      kFailure, context.thing + ": host " + shown_address,
      "its answer (status " + std::to_string(reply.status) + ") is not that of a latchkey host",
      "See that the address (--host) is that of latchkeyd, and what stands before it.");
}

}  // namespace latchkey::cli
