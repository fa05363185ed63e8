// Whatever a request holds, the host answers it with a code of its own, in JSON, and no error
// repeats what was sent. An input is a request as text: "POST /v0/verify", header lines, an empty
// line, the body. In it stand $ADMIN, $SESSION (the administrator's, too), $USER, $PROJECT and
// $VERIFIER for credentials that are good, and $ME, $KEY and $THING for the UUIDs of the user, of
// his key, and of his project.
//
// clang++ -fsanitize=fuzzer links this as it is; elsewhere driver.cc has the main().
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "bindings/http/site.h"
#include "fuzz/target.h"
#include "support/temp_dir.h"

namespace latchkey::http {
namespace {

using fuzz::Fail;

// In no message of the host, so that an error with it repeats its request.
constexpr std::string_view kCanary = "c4n4ry";
constexpr unsigned kStatuses[] = {200, 201, 204, 400, 401, 403, 404, 405, 409, 413};

Options HostOptions(const std::string& jwt_secret_path) {
  std::ofstream(jwt_secret_path) << "only these inputs are signed with it";
  Options options;
  options.guess_burst = 0;  // thousands of guesses are the point
  options.jwt_secret_path = jwt_secret_path;
  options.accept_untracked_tokens = true;
  return options;
}

// A host over a store of its own, without sockets.
class World {
 public:
  World() : log_(Log::Format::kJson, RouteNames(), open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    host_.LoadJwtSecret();
    const std::string path = dir_ / "store";
    auto open = sized<latchkey_open_options>();
    open.path = path.c_str();
    open.mode = LATCHKEY_OPEN_CREATE;
    host_.Open(open);
    MakeRows();
  }

  Site& site() { return site_; }

  std::string WithSecrets(std::string text) const {
    Replace(&text, "$ADMIN", admin_key_);
    Replace(&text, "$SESSION", session_);
    Replace(&text, "$ME", to_string(user_));
    Replace(&text, "$KEY", user_key_uuid_);
    Replace(&text, "$THING", to_string(project_));
    Replace(&text, "$USER", user_key_);
    Replace(&text, "$PROJECT", project_key_);
    Replace(&text, "$VERIFIER", verifier_key_);
    return text;
  }
  bool HoldsSecret(std::string_view text) const {
    for (const std::string& secret :
         {admin_key_, session_, user_key_, project_key_, verifier_key_}) {
      if (text.find(secret) != std::string_view::npos) return true;
    }
    return false;
  }
  // An input may take away what the others need; then they get another.
  void Mend() {
    Store& store = host_.store();
    const bool good = store.verify(admin_key_) && store.verify(user_key_) &&
                      store.verify(verifier_key_) && store.verify(project_key_) &&
                      store.get_owner(LATCHKEY_OWNER_USER, to_string(admin_)).admin != 0 &&
                      store.authorize(user_, project_, LATCHKEY_ROLE_MAINTAINER);
    if (!good) MakeRows();
  }

 private:
  void MakeRows() {
    Store& store = host_.store();
    const std::string email = "muriel." + std::to_string(++made_) + "@farm.example";
    NewOwner admin = {LATCHKEY_OWNER_USER, "Muriel Bagge"};
    admin.admin = true;
    admin.email = email;
    admin_ = store.create_owner(admin).uuid;
    user_ = store.create_owner({LATCHKEY_OWNER_USER, "Eustace Bagge"}).uuid;
    project_ = store.create_owner({LATCHKEY_OWNER_PROJECT, "The Thing"}).uuid;
    store.set_grant(project_, user_, LATCHKEY_ROLE_MAINTAINER);
    admin_key_ = MakeKey(admin_, LATCHKEY_KIND_USER_KEY, 0);
    user_key_ = MakeKey(user_, LATCHKEY_KIND_USER_KEY, 0);
    user_key_uuid_ = to_string(store.identify_secret(user_key_).uuid);
    verifier_key_ = MakeKey(user_, LATCHKEY_KIND_USER_KEY, 1);
    project_key_ = MakeKey(project_, LATCHKEY_KIND_PROJECT_KEY, 0);
    session_ = Store::issue_session(host_.jwt_secret()->key(), email, LATCHKEY_SESSION_TTL_MAX_S);
  }
  std::string MakeKey(const Uuid& owner, uint32_t kind, uint64_t scopes) {
    NewCredential wanted = {owner, kind, "fuzz"};
    wanted.scopes = scopes;
    return std::string(host_.store().create_credential(wanted).secret.reveal());
  }
  static void Replace(std::string* text, std::string_view name, const std::string& value) {
    for (size_t at = 0; (at = text->find(name, at)) != std::string::npos; at += value.size()) {
      text->replace(at, name.size(), value);
    }
  }

  const test::TempDir dir_;
  const Options options_ = HostOptions(dir_ / "jwt-secret");
  Log log_;
  Metrics metrics_{RouteNames()};
  Host host_{&options_, &log_, &metrics_};
  Site site_{&host_};
  Uuid admin_ = {};
  Uuid user_ = {};
  Uuid project_ = {};
  int made_ = 0;
  std::string admin_key_;
  std::string session_;
  std::string user_key_;
  std::string user_key_uuid_;
  std::string project_key_;
  std::string verifier_key_;
};

// Takes a line off the front. What ends a line for a socket, or a text for libmicrohttpd, is not in
// it.
std::string_view TakeLine(std::string_view* rest) {
  std::string_view line = rest->substr(0, rest->find('\n'));
  rest->remove_prefix(std::min(line.size() + 1, rest->size()));
  return line.substr(0, line.find_first_of(std::string_view("\r\0", 2)));
}

// `text` must live as long as the request.
void ReadRequest(std::string_view text, Request* request) {
  AddressSet proxies;
  proxies.AddCidr("10.0.0.0/8");
  const std::string_view line = TakeLine(&text);
  const size_t space = std::min(line.find(' '), line.size());
  request->method = line.substr(0, space);
  request->raw_target = line.substr(std::min(space + 1, line.size()));
  for (std::string_view header; !(header = TakeLine(&text)).empty();) {
    const size_t colon = std::min(header.find(": "), header.size());
    const std::string_view name = header.substr(0, colon);
    const std::string_view value = header.substr(std::min(colon + 2, header.size()));
    if (name == "Authorization") {
      request->has_authorization = true;
      request->authorization = value;
    } else if (name == "Content-Type") {
      request->has_content_type = true;
      request->content_type = value;
    } else if (name == "X-Forwarded-For") {
      request->client = ClientAddress(*Address::Parse("10.0.0.1"), value, proxies);
    }
  }
  request->body.Append(text.data(), text.size());
}

bool IsHeaderText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void CheckError(const Request& request, const Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (!json.is_object() || !json.contains("message") || !json["message"].is_string()) {
    Fail("an error without a message", reply.body);
  }
  if (json.value("request_id", "") != to_string(request.id)) {
    Fail("an error of another request", reply.body);
  }
}

void Check(const World& world, const Request& request, const Reply& reply) {
  if (std::find(std::begin(kStatuses), std::end(kStatuses), reply.status) == std::end(kStatuses)) {
    Fail("a code that does not belong here", std::to_string(reply.status) + " " + reply.body);
  }
  std::string sent = reply.body;
  for (const Header& header : reply.headers) {
    if (!IsHeaderText(header.value())) Fail("a header that is not plain text", header.name);
    sent.append("\n").append(header.value());
  }
  // As if the answer to a wrong method showed the body.
  if (fuzz::Canary(reply.status == 405)) sent.append(request.body.view());
  if (reply.status == 204 && !reply.body.empty()) Fail("a 204 with a body", reply.body);
  if (reply.status >= 400) {
    CheckError(request, reply);
    if (world.HoldsSecret(sent)) Fail("an error repeats a credential");
    if (sent.find(kCanary) != std::string::npos) Fail("an error repeats its request", sent);
  } else if (reply.status != 204 && !nlohmann::json::accept(reply.body)) {
    Fail("a reply that is not JSON", reply.body);
  }
}

}  // namespace

void RunInput(std::string_view input) {
  static const auto world = std::make_unique<World>();
  const std::string text = world->WithSecrets(std::string(input));
  Request request;
  ReadRequest(text, &request);
  world->site().Begin(&request);
  const Reply reply = world->site().Answer(&request);
  Check(*world, request, reply);
  world->site().Done(request, reply.status, reply.body.size(), /*duration_us=*/1);
  if (reply.status < 300 && request.method != "GET") world->Mend();
}

}  // namespace latchkey::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  latchkey::http::RunInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
