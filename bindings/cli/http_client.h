// One host over HTTP: libcurl is included in http_client.cc alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "secret_text.h"

namespace latchkey::cli {

struct HttpReply {
  long status = 0;
  SecretText body;         // a new key comes in one
  std::string request_id;  // of the host's log; empty = it gave none
  std::string total;       // X-Total-Count
};

// Asks with one credential, and follows no redirect: the credential goes to the host that was
// named, or nowhere. Connections are kept for the next request. Single-threaded.
class HttpClient {
 public:
  // `address` as http://127.0.0.1:61016 or https://keys.nowhere.com/latchkey; `ca_file` empty = the
  // system's certificates. Throws a usage Refusal; says so when the credential would travel in the
  // clear.
  HttpClient(const std::string& address, const std::string& ca_file, const SecretText& credential);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `path` from "/v0" on, encoded; `body` is JSON, empty = none. Throws a Refusal about `thing`
  // when there is no reply; a reply of any status is one.
  HttpReply Send(const char* method, const std::string& path, std::string_view body,
                 const std::string& thing);

  // The address as it may be shown.
  const std::string& shown_address() const { return shown_address_; }

 private:
  struct Curl;
  std::unique_ptr<Curl> curl_;
  std::string shown_address_;
};

// `text` for a segment of a path or a value of a query.
std::string PercentEncoded(std::string_view text);

}  // namespace latchkey::cli
