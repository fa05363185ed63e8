#include "site.h"

#include <sys/random.h>

#include <cstring>
#include <stdexcept>

#include "limits.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    segments.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(segments.back().size());
  }
  return segments;
}

bool IsParameter(std::string_view segment) { return segment.starts_with('{'); }

// Compared as text, whichever of its characters were sent as escapes.
bool Matches(std::string_view word, std::string_view segment) {
  if (segment.find('%') == std::string_view::npos) return segment == word;
  return DecodeSegment(segment) == word;
}

// Version 4; drawn many at a time, since each request needs one.
latchkey_uuid RandomUuid() {
  constexpr size_t kDrawn = 64;
  static thread_local latchkey_uuid drawn[kDrawn];
  static thread_local size_t left = 0;
  if (left == 0) {
    // Up to 256 bytes at a time come whole, or not at all (getrandom(2)); it cannot fail then.
    for (size_t i = 0; i < kDrawn; i += 16) {
      if (getrandom(&drawn[i], 16 * sizeof drawn[0], 0) < 0) throw std::runtime_error("getrandom");
    }
    left = kDrawn;
  }
  latchkey_uuid uuid = drawn[--left];
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

// The method as a word of ours: a reply repeats nothing that was sent.
const char* MethodWord(std::string_view method) {
  for (const char* word : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == word) return word;
  }
  return "OPTIONS";
}

Reply ErrorReply(const Request& request, unsigned status, const std::string& message,
                 int64_t retry_after_s) {
  nlohmann::ordered_json json;
  json["request_id"] = to_string(request.id);
  if (status == 500) json["error_code"] = to_string(RandomUuid());
  json["message"] = message;
  Reply reply(status, json.dump(2));
  if (status == 401) reply.Add("WWW-Authenticate", "Bearer");
  if (retry_after_s > 0) reply.Add("Retry-After", std::to_string(retry_after_s));
  return reply;
}

}  // namespace

std::vector<RouteName> RouteNames() {
  std::vector<RouteName> names;
  for (const Route& route : Routes()) names.push_back({route.method, route.path});
  return names;
}

Site::Site(Host* host) : host_(host) {
  for (size_t i = 0; i < Routes().size(); ++i) {
    const Route& route = Routes()[i];
    // Routes of one path stand together in the table.
    if (i == 0 || std::strcmp(route.path, Routes()[i - 1].path) != 0) {
      paths_.push_back({SplitPath(route.path), {}, ""});
    }
    Path& path = paths_.back();
    path.routes.push_back(i);
    path.methods.append(path.methods.empty() ? "" : ", ").append(route.method);
  }
}

const Site::Path* Site::FindPath(const Target& target) const {
  for (const Path& path : paths_) {
    if (path.segments.size() != target.segments.size()) continue;
    bool fits = true;
    for (size_t i = 0; fits && i < path.segments.size(); ++i) {
      fits = IsParameter(path.segments[i]) || Matches(path.segments[i], target.segments[i]);
    }
    if (fits) return &path;
  }
  return nullptr;
}

void Site::Begin(Request* request) {
  request->id = RandomUuid();
  request->too_late = host_->draining();
  try {
    request->target = SplitTarget(request->raw_target);
  } catch (const Refusal&) {
    return;  // Answer() meets it again, and says so
  }
  const Path* path = FindPath(request->target);
  if (path == nullptr) return;
  const std::string_view method = request->method == "HEAD" ? "GET" : request->method;
  for (const size_t route : path->routes) {
    if (method == Routes()[route].method) request->route = route;
  }
  for (size_t i = 0; i < path->segments.size(); ++i) {
    if (IsParameter(path->segments[i])) request->parameters.push_back(request->target.segments[i]);
  }
}

bool Site::MayWait(const Request& request) const {
  return request.route != kNoRoute && Routes()[request.route].may_wait;
}

Reply Site::Dispatch(Request* request) {
  if (request->too_late && request->route != kNoRoute && Routes()[request->route].uses_store) {
    throw Refusal(503, "The server is shutting down, please retry.", 1);
  }
  if (request->route != kNoRoute) return Routes()[request->route].operation(host_, request);
  const Target target = SplitTarget(request->raw_target);
  const Path* path = FindPath(target);
  if (path == nullptr) throw Refusal(404, "Not Found");
  if (request->method == "OPTIONS") {
    Reply reply = JsonReply(200, nullptr);
    reply.Add("Access-Control-Allow-Methods", path->methods);
    return reply;
  }
  Reply reply = ErrorReply(*request, 405, "Method Not Allowed", 0);
  reply.Add("Allow",
            (path->methods.starts_with("GET") ? "HEAD, " : "") + path->methods + ", OPTIONS");
  return reply;
}

Reply Site::Answer(Request* request) {
  Reply reply;
  try {
    reply = Dispatch(request);
  } catch (const Refusal& refusal) {
    reply = ErrorReply(*request, refusal.status(), refusal.what(), refusal.retry_after_s());
  } catch (const Error& error) {
    const Refusal refusal = RefusalOf(error);
    if (refusal.status() == 500) host_->log().Say(Log::Level::kError, error.what());
    reply = ErrorReply(*request, refusal.status(), refusal.what(), refusal.retry_after_s());
  } catch (const std::exception& error) {
    host_->log().Say(Log::Level::kError, error.what());
    reply = ErrorReply(*request, 500, "Internal server error", 0);
  }
  AddCommonHeaders(*request, &reply);
  return reply;
}

Reply Site::Refuse(const Request& request, unsigned status) {
  const char* message = "Service temporarily unavailable, please retry.";
  if (status == 400) message = "The request has more than one length";
  if (status == 413) message = "The request body has more than 4194304 bytes";
  if (status == 414) message = "The request target has more than 8192 bytes";
  if (status == 431) message = "The request has more than 100 headers";
  Reply reply = ErrorReply(request, status, message, status == 503 ? 1 : 0);
  AddCommonHeaders(request, &reply);
  return reply;
}

void Site::AddCommonHeaders(const Request& request, Reply* reply) const {
  bool has_methods = false;
  reply->headers.reserve(16);
  for (const Header& header : reply->headers) {
    has_methods = has_methods || std::strcmp(header.name, "Access-Control-Allow-Methods") == 0;
  }
  if (reply->status != 204) reply->Add("Content-Type", "application/json");
  reply->Add("X-Request-Id", to_string(request.id));
  reply->Add("Access-Control-Allow-Origin", "*");
  if (!has_methods) reply->Add("Access-Control-Allow-Methods", MethodWord(request.method));
  reply->Add("Access-Control-Allow-Headers", "Content-Type, Authorization");
  reply->Add("Access-Control-Expose-Headers", "X-Total-Count, Link, X-Request-Id, Retry-After");
  reply->Add("Cache-Control", "no-store");
  reply->Add("X-Content-Type-Options", "nosniff");
  if (host_->draining()) reply->Add("Connection", "close");
}

void Site::Done(const Request& request, unsigned status, uint64_t bytes, int64_t duration_us) {
  host_->metrics().CountRequest(request.route, static_cast<int>(status), duration_us);
  if (!host_->log().access()) return;
  AccessEntry entry;
  entry.request_id = request.id;
  entry.method = request.method;
  entry.route = request.route;
  entry.status = static_cast<int>(status);
  entry.bytes = bytes;
  entry.duration_us = duration_us;
  entry.client = request.client;
  entry.caller = request.caller;
  entry.reason = request.refused_because;
  host_->log().Access(entry);
}

}  // namespace latchkey::http
