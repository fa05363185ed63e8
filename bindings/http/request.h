// One request, as the operations see it.
#pragma once

#include <latchkey/latchkey.h>

#include <string>
#include <string_view>
#include <vector>

#include "address.h"
#include "body.h"
#include "log.h"
#include "target.h"

namespace latchkey::http {

// Texts are borrowed from the connection, and live as long as the request.
struct Request {
  latchkey_uuid id = {};
  std::string_view method;
  std::string_view raw_target;
  bool has_authorization = false;
  std::string_view authorization;
  bool has_content_type = false;
  std::string_view content_type;
  Address client;  // behind trusted proxies
  Body body;

  // It came while the host was shutting down.
  bool too_late = false;

  // Filled by the site.
  Target target;
  size_t route = kNoRoute;
  std::vector<std::string_view> parameters;  // of the path, still encoded

  // For the host's own log: who asked, and why a credential was refused.
  latchkey_uuid caller = {};
  Word refused_because = "";
};

// The name is a literal; so is the value, mostly, and then it is not copied.
struct Header {
  const char* name;
  const char* literal;
  std::string text;
  const char* value() const { return literal != nullptr ? literal : text.c_str(); }
};

struct Reply {
  unsigned status = 200;
  std::string body;
  std::vector<Header> headers;

  Reply() = default;
  Reply(unsigned status_code, std::string text) : status(status_code), body(std::move(text)) {}
  void Add(const char* name, const char* literal) { headers.push_back({name, literal, {}}); }
  void Add(const char* name, std::string text) {
    headers.push_back({name, nullptr, std::move(text)});
  }
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = default;
  // A reply may hold a new key.
  ~Reply();
};

}  // namespace latchkey::http
