#include "http_client.h"

#include <curl/curl.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "output.h"
#include "refusal.h"

namespace latchkey::cli {
namespace {

constexpr size_t kReplyBytesMax = size_t{64} << 20;
constexpr long kConnectTimeoutS = 10;
constexpr long kTotalTimeoutS = 120;
constexpr size_t kHeaderShownBytesMax = 64;

// libcurl keeps the credential and what it sends in memory of its own: wiped as it is given back.
void WipeAndFree(void* place) {
  if (place != nullptr) explicit_bzero(place, malloc_usable_size(place));
  std::free(place);
}

void* WipingRealloc(void* place, size_t size) {
  if (place == nullptr) return std::malloc(size);
  void* moved = std::malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, place, std::min(size, malloc_usable_size(place)));
  WipeAndFree(place);
  return moved;
}

void StartLibrary() {
  static const CURLcode started = curl_global_init_mem(
      CURL_GLOBAL_DEFAULT, std::malloc, WipeAndFree, WipingRealloc, strdup, std::calloc);
  if (started != CURLE_OK) throw Refusal(kFailure, "libcurl", curl_easy_strerror(started));
}

size_t KeepBody(char* data, size_t, size_t size, void* context) {
  auto* body = static_cast<SecretText*>(context);
  if (size > kReplyBytesMax - body->size()) return 0;
  body->append(data, size);
  return size;
}

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::string PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return "";
  const std::string copy = text;
  curl_free(text);
  return copy;
}

bool IsLoopback(const std::string& host) {
  const bool digits = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || (digits && host.starts_with("127."));
}

// The address without a slash at its end; `loopback_or_tls` = nobody can listen on the way.
std::string CheckedAddress(const std::string& address, bool* loopback_or_tls, bool* tls) {
  const std::string thing = "host " + Quoted(address);
  const char* remedy = "Such as http://127.0.0.1:61016 or https://keys.nowhere.com";
  CURLU* url = curl_url();
  const CURLUcode code = curl_url_set(url, CURLUPART_URL, address.c_str(), 0);
  const std::string scheme = PartOf(url, CURLUPART_SCHEME);
  const std::string host = PartOf(url, CURLUPART_HOST);
  const std::string user = PartOf(url, CURLUPART_USER) + PartOf(url, CURLUPART_PASSWORD);
  const std::string behind = PartOf(url, CURLUPART_QUERY) + PartOf(url, CURLUPART_FRAGMENT);
  std::string text = PartOf(url, CURLUPART_URL);
  curl_url_cleanup(url);
  *tls = scheme == "https";
  if (code != CURLUE_OK || (scheme != "http" && scheme != "https")) {
    RefuseUsage(thing, "an address begins with http:// or https://, and names a host", remedy);
  }
  if (!user.empty()) {
    RefuseUsage("host", "an address holds no user and no password",
                "Give the key with --key-file.");
  }
  if (!behind.empty() || address.find_first_of("?#") != std::string::npos) {
    RefuseUsage(thing, "an address holds no query and no fragment", remedy);
  }
  *loopback_or_tls = *tls || IsLoopback(host);
  while (text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace

struct HttpClient::Curl {
  ~Curl() {
    curl_easy_cleanup(handle);
    curl_slist_free_all(headers);
  }
  void AddHeader(const SecretText& line) {
    curl_slist* longer = curl_slist_append(headers, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers = longer;
  }
  std::string Header(const char* name) const {
    curl_header* header = nullptr;
    if (curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return "";
    const std::string_view value = header->value;
    return value.size() <= kHeaderShownBytesMax && IsVisibleAscii(value) ? std::string(value) : "";
  }

  CURL* handle = nullptr;
  curl_slist* headers = nullptr;
  std::string base;
  std::string ca_file;
  bool tls = false;
};

HttpClient::HttpClient(const std::string& address, const std::string& ca_file,
                       const SecretText& credential) {
  StartLibrary();
  curl_ = std::make_unique<Curl>();
  bool unheard = false;
  curl_->base = CheckedAddress(address, &unheard, &curl_->tls);
  curl_->ca_file = ca_file;
  shown_address_ = Quoted(curl_->base);
  if (credential.empty() || !IsVisibleAscii(credential)) {
    RefuseUsage("the key for the host", "a key is visible ASCII without white space",
                "Give the file that holds the key and nothing else.");
  }
  if (!unheard) {
    Complain("the key and every answer travel in the clear to " + shown_address_ +
             ", for everybody on the way to read. Use https://, or a tunnel to the host.");
  }
  curl_->handle = curl_easy_init();
  if (curl_->handle == nullptr) throw std::bad_alloc();
  curl_->AddHeader("Authorization: Bearer " + credential);
  curl_->AddHeader("Content-Type: application/json");
  curl_->AddHeader("Accept: application/json");
  curl_->AddHeader("Expect:");
}

HttpClient::~HttpClient() = default;

HttpReply HttpClient::Send(const char* method, const std::string& path, std::string_view body,
                           const std::string& thing) {
  HttpReply reply;
  char error[CURL_ERROR_SIZE] = "";
  CURL* handle = curl_->handle;
  curl_easy_reset(handle);  // options only: the connection stays
  const std::string url = curl_->base + path;
  const std::string agent = std::string("latchkey/") + latchkey_version();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  // A proxy reads what is not encrypted, so http:// goes to the host itself.
  if (!curl_->tls) curl_easy_setopt(handle, CURLOPT_PROXY, "");
  if (!curl_->ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, curl_->ca_file.c_str());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, kTotalTimeoutS);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, agent.c_str());
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, curl_->headers);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, KeepBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &reply.body);
  if (!body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);

  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) {
    const char* rule = code == CURLE_WRITE_ERROR ? "the answer has more than 64 MiB"
                       : error[0] != '\0'        ? error
                                                 : curl_easy_strerror(code);
    const bool unsent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                        code == CURLE_PEER_FAILED_VERIFICATION ||
                        code == CURLE_SSL_CACERT_BADFILE || std::strcmp(method, "GET") == 0;
    throw Refusal(kFailure, thing + ": host " + shown_address_,
                  EscapeForTerminal(WithoutSecrets(rule)),
                  unsent ? "See that the host runs and that this is its address (--host)."
                         : "It may or may not have happened: look, then try again.");
  }
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply.status);
  reply.request_id = curl_->Header("x-request-id");
  reply.total = curl_->Header("x-total-count");
  return reply;
}

std::string PercentEncoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const unsigned byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

}  // namespace latchkey::cli
