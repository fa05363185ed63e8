#include "server.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "deadlines.h"
#include "limits.h"
#include "workers.h"

namespace latchkey::http {
namespace {

constexpr size_t kReadBytes = 4096;

// One request on its way through, from its first line until its reply is sent.
struct Exchange {
  explicit Exchange(const char* raw_target) : target(raw_target) { request.raw_target = target; }

  const std::string target;
  Request request;
  Reply reply;
  Deadline* deadline = nullptr;
  int64_t begun_us = 0;
  unsigned status = 0;          // of the reply; 0 = there was none
  unsigned refused_status = 0;  // the body cannot be taken; what comes of it is dropped
  size_t dropped_bytes = 0;
  bool headers_read = false;
  bool answered = false;
};

int64_t SteadyUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000} + now.tv_nsec / 1000;
}

std::string_view HeaderOf(MHD_Connection* connection, const char* name, bool* found) {
  const char* value = nullptr;
  size_t size = 0;
  *found = MHD_lookup_connection_value_n(connection, MHD_HEADER_KIND, name, std::strlen(name),
                                         &value, &size) == MHD_YES;
  return value == nullptr ? std::string_view() : std::string_view(value, size);
}

// Whether a proxy before us may take another length of the body for true than we do, and so see
// another request behind it: several lengths, or one beside chunks (RFC 9112, section 6.3).
bool HasDoubtfulLength(MHD_Connection* connection) {
  struct Found {
    int lengths = 0;
    bool chunks = false;
  } found;
  const auto look = [](void* out, MHD_ValueKind, const char* name, const char*) {
    auto* into = static_cast<Found*>(out);
    if (strcasecmp(name, "Content-Length") == 0) ++into->lengths;
    if (strcasecmp(name, "Transfer-Encoding") == 0) into->chunks = true;
    return MHD_YES;
  };
  MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &found);
  return found.lengths + (found.chunks ? 1 : 0) > 1;
}

// All values of X-Forwarded-For, in the order in which they came.
std::string ForwardedFor(MHD_Connection* connection) {
  std::string joined;
  const auto add = [](void* out, MHD_ValueKind, const char* name, const char* value) {
    if (value != nullptr && strcasecmp(name, "X-Forwarded-For") == 0) {
      static_cast<std::string*>(out)->append(",").append(value);
    }
    return MHD_YES;
  };
  MHD_get_connection_values(connection, MHD_HEADER_KIND, add, &joined);
  return joined;
}

}  // namespace

struct Server::Impl {
  ServerSettings settings;
  Handler* handler;
  const Log* log;
  DeadlineWatch watch;
  MHD_Daemon* daemon = nullptr;
  int quiesced_fd = -1;  // the number of the listening socket, once Drain() has taken it back
  std::unique_ptr<Workers> workers;
  std::mutex drain_mutex;
  std::condition_variable drained;
  std::atomic<size_t> exchanges = 0;

  void Start();
  int64_t RequestDeadline() const { return SteadyMs() + settings.request_timeout_s * 1000; }

  // The callbacks of libmicrohttpd. What they call never throws.
  static void* OnTarget(void* self, const char* target, MHD_Connection* connection);
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char*,
                              const char* method, const char*, const char* data, size_t* size,
                              void** exchange);
  static void OnDone(void* self, MHD_Connection*, void** exchange, MHD_RequestTerminationCode);
  static void OnConnection(void* self, MHD_Connection* connection, void** deadline,
                           MHD_ConnectionNotificationCode code);
  static size_t LeaveEscaped(void*, MHD_Connection*, char* text) { return std::strlen(text); }
  static void OnLog(void* self, const char* format, va_list arguments);

  MHD_Result ReadHeaders(MHD_Connection* connection, const char* method, Exchange* exchange);
  MHD_Result ReadBody(MHD_Connection* connection, Exchange* exchange, const char* data,
                      size_t* size);
  MHD_Result Answer(MHD_Connection* connection, Exchange* exchange);
  MHD_Result Send(MHD_Connection* connection, Exchange* exchange);
  void SendRaw(MHD_Connection* connection, Exchange* exchange);
};

void* Server::Impl::OnTarget(void* self, const char* target, MHD_Connection* connection) {
  auto* impl = static_cast<Impl*>(self);
  auto* exchange = new Exchange(target);
  exchange->begun_us = SteadyUs();
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  exchange->deadline = static_cast<Deadline*>(info->socket_context);
  exchange->deadline->Set(impl->RequestDeadline());
  impl->exchanges.fetch_add(1);
  return exchange;
}

MHD_Result Server::Impl::OnRequest(void* self, MHD_Connection* connection, const char*,
                                   const char* method, const char*, const char* data, size_t* size,
                                   void** pointer) {
  auto* impl = static_cast<Impl*>(self);
  auto* exchange = static_cast<Exchange*>(*pointer);
  if (!exchange->headers_read) return impl->ReadHeaders(connection, method, exchange);
  if (*size > 0) return impl->ReadBody(connection, exchange, data, size);
  return impl->Answer(connection, exchange);
}

MHD_Result Server::Impl::ReadHeaders(MHD_Connection* connection, const char* method,
                                     Exchange* exchange) {
  exchange->headers_read = true;
  Request& request = exchange->request;
  request.method = method;
  request.authorization = HeaderOf(connection, "Authorization", &request.has_authorization);
  request.content_type = HeaderOf(connection, "Content-Type", &request.has_content_type);
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  request.client = Address::FromSockaddr(info->client_addr);
  if (settings.trusted_proxies.Contains(request.client)) {
    request.client =
        ClientAddress(request.client, ForwardedFor(connection), settings.trusted_proxies);
  }
  handler->Begin(&request);

  if (exchange->target.size() > limits::kTargetBytesMax) {
    exchange->refused_status = 414;
  } else if (MHD_get_connection_values(connection, MHD_HEADER_KIND, nullptr, nullptr) >
             static_cast<int>(limits::kHeadersMax)) {
    exchange->refused_status = 431;
  }
  if (HasDoubtfulLength(connection)) {
    exchange->reply = handler->Refuse(request, 400);
    exchange->reply.Add("Connection", "close");
    return Send(connection, exchange);
  }
  bool has_size = false;
  const std::string size_text(HeaderOf(connection, "Content-Length", &has_size));
  const unsigned long long size = has_size ? std::strtoull(size_text.c_str(), nullptr, 10) : 0;
  if (size > limits::kBodyBytesMax && exchange->refused_status == 0) exchange->refused_status = 413;
  // So much is not worth reading to its end: libmicrohttpd closes the connection after this.
  if (size > limits::kBodyBytesMax + limits::kBodyDroppedBytesMax) {
    exchange->reply = handler->Refuse(request, exchange->refused_status);
    return Send(connection, exchange);
  }
  return MHD_YES;
}

MHD_Result Server::Impl::ReadBody(MHD_Connection* connection, Exchange* exchange, const char* data,
                                  size_t* size) {
  Body& body = exchange->request.body;
  if (exchange->refused_status == 0 && !body.Append(data, *size)) {
    exchange->refused_status = *size > limits::kBodyBytesMax - body.size() ? 413 : 503;
    body.Clear();
  }
  if (exchange->refused_status != 0) {
    exchange->dropped_bytes += *size;
    if (exchange->dropped_bytes > limits::kBodyDroppedBytesMax) {
      SendRaw(connection, exchange);
      return MHD_NO;
    }
  }
  *size = 0;
  return MHD_YES;
}

MHD_Result Server::Impl::Answer(MHD_Connection* connection, Exchange* exchange) {
  exchange->deadline->Suspend();
  Request* request = &exchange->request;
  if (exchange->answered) return Send(connection, exchange);
  exchange->answered = true;
  if (exchange->refused_status != 0) {
    exchange->reply = handler->Refuse(*request, exchange->refused_status);
    return Send(connection, exchange);
  }
  if (workers == nullptr || !handler->MayWait(*request)) {
    exchange->reply = handler->Answer(request);
    return Send(connection, exchange);
  }
  MHD_suspend_connection(connection);
  const bool taken = workers->Submit([this, connection, exchange, request] {
    exchange->reply = handler->Answer(request);
    MHD_resume_connection(connection);  // which calls OnRequest() again
  });
  if (!taken) {
    exchange->reply = handler->Refuse(*request, 503);
    MHD_resume_connection(connection);
  }
  return MHD_YES;
}

MHD_Result Server::Impl::Send(MHD_Connection* connection, Exchange* exchange) {
  exchange->request.body.Clear();
  Reply& reply = exchange->reply;
  // Borrowed: the exchange goes when the reply has been sent.
  MHD_Response* response =
      MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_PERSISTENT);
  if (response == nullptr) return MHD_NO;
  for (const Header& header : reply.headers) {
    MHD_add_response_header(response, header.name, header.value());
  }
  const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
  MHD_destroy_response(response);
  exchange->status = reply.status;
  exchange->deadline->Set(RequestDeadline());
  return queued;
}

// libmicrohttpd takes a reply before a body or behind it, never within. To a body that does not
// end, the reply is written past it, and the connection closed.
void Server::Impl::SendRaw(MHD_Connection* connection, Exchange* exchange) {
  exchange->reply = handler->Refuse(exchange->request, exchange->refused_status);
  const Reply& reply = exchange->reply;
  exchange->status = reply.status;
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " " +
                     MHD_get_reason_phrase_for(reply.status) + "\r\n";
  for (const Header& header : reply.headers) {
    text.append(header.name).append(": ").append(header.value()).append("\r\n");
  }
  text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\nConnection: close\r\n\r\n";
  text += reply.body;
  if (settings.tls != nullptr) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_record_send(static_cast<gnutls_session_t>(info->tls_session), text.data(), text.size());
  } else {
    const ssize_t sent =
        send(exchange->deadline->fd(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) exchange->status = 0;
  }
}

void Server::Impl::OnDone(void* self, MHD_Connection*, void** pointer, MHD_RequestTerminationCode) {
  auto* impl = static_cast<Impl*>(self);
  auto* exchange = static_cast<Exchange*>(*pointer);
  if (exchange == nullptr) return;
  *pointer = nullptr;
  if (exchange->headers_read) {
    impl->handler->Done(exchange->request, exchange->status, exchange->reply.body.size(),
                        SteadyUs() - exchange->begun_us);
  }
  exchange->deadline->Set(impl->RequestDeadline() + int64_t{limits::kIdleTimeoutS} * 1000);
  delete exchange;
  if (impl->exchanges.fetch_sub(1) == 1) {
    const std::lock_guard lock(impl->drain_mutex);
    impl->drained.notify_all();
  }
}

void Server::Impl::OnConnection(void* self, MHD_Connection* connection, void** context,
                                MHD_ConnectionNotificationCode code) {
  auto* impl = static_cast<Impl*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    Deadline* deadline = impl->watch.Add(info->connect_fd);
    deadline->Set(impl->RequestDeadline());
    *context = deadline;
    impl->handler->ConnectionOpened();
  } else if (*context != nullptr) {
    impl->watch.Remove(static_cast<Deadline*>(*context));
    *context = nullptr;
    impl->handler->ConnectionClosed();
  }
}

// Broken handshakes and the like: of no use to an operator one by one, and they can be provoked.
void Server::Impl::OnLog(void* self, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  size_t size = std::strlen(text);
  while (size > 0 && text[size - 1] == '\n') --size;
  static_cast<Impl*>(self)->log->Say(Log::Level::kInfo, std::string_view(text, size));
}

void Server::Impl::Start() {
  unsigned flags =
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
  if (settings.tls != nullptr) flags |= MHD_USE_TLS;
  const auto value = [](auto number) { return static_cast<intptr_t>(number); };
  const auto call = [](auto function) { return reinterpret_cast<intptr_t>(function); };
  std::vector<MHD_OptionItem> options = {
      {MHD_OPTION_EXTERNAL_LOGGER, call(&OnLog), this},
      {MHD_OPTION_LISTEN_SOCKET, value(settings.listen_fd), nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, value(limits::kConnectionsMax), nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, value(limits::kIdleTimeoutS), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, value(limits::kConnectionMemoryBytes), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_INCREMENT, value(kReadBytes), nullptr},
      {MHD_OPTION_URI_LOG_CALLBACK, call(&OnTarget), this},
      {MHD_OPTION_UNESCAPE_CALLBACK, call(&LeaveEscaped), nullptr},
      {MHD_OPTION_NOTIFY_COMPLETED, call(&OnDone), this},
      {MHD_OPTION_NOTIFY_CONNECTION, call(&OnConnection), this},
  };
  if (settings.threads > 1) {
    options.push_back({MHD_OPTION_THREAD_POOL_SIZE, value(settings.threads), nullptr});
  }
  if (settings.limit_per_address) {
    options.push_back(
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, value(limits::kConnectionsPerAddressMax), nullptr});
  }
  if (settings.tls != nullptr) {
    options.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(Tls::kPriorities)});
    options.push_back({MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&Tls::Retrieve)});
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  daemon = MHD_start_daemon(flags, 0, nullptr, nullptr, &OnRequest, this, MHD_OPTION_ARRAY,
                            options.data(), MHD_OPTION_END);
  if (daemon == nullptr) throw std::runtime_error("the HTTP server could not be started");
}

Server::Server(ServerSettings settings, Handler* handler, const Log* log)
    : impl_(std::make_unique<Impl>()) {
  impl_->settings = std::move(settings);
  impl_->handler = handler;
  impl_->log = log;
  if (impl_->settings.workers > 0) {
    impl_->workers = std::make_unique<Workers>(impl_->settings.workers, limits::kWaitersMax);
  }
  impl_->Start();
}

Server::~Server() {
  // libmicrohttpd does not stop while a connection is suspended; the workers resume them all.
  impl_->workers.reset();
  MHD_stop_daemon(impl_->daemon);
  if (impl_->quiesced_fd >= 0) close(impl_->quiesced_fd);
}

bool Server::Drain(int64_t timeout_s) {
  impl_->quiesced_fd = MHD_quiesce_daemon(impl_->daemon);
  // From now on the port refuses. A thread may just be taking the socket out of its set, and stands
  // that it is gone from there, but not that its number is: another socket gets the number.
  const int unbound_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (unbound_fd >= 0 && impl_->quiesced_fd >= 0) dup3(unbound_fd, impl_->quiesced_fd, O_CLOEXEC);
  if (unbound_fd >= 0) close(unbound_fd);
  std::unique_lock lock(impl_->drain_mutex);
  return impl_->drained.wait_for(lock, std::chrono::seconds(timeout_s),
                                 [this] { return impl_->exchanges == 0; });
}

}  // namespace latchkey::http
