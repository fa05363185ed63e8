#include "json_body.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "limits.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

static_assert(Body::kPadding >= simdjson::SIMDJSON_PADDING);

constexpr const char* kUnparsable = "unable to parse JSON body: ";
constexpr uint64_t kScopeBitMax = 63;

}  // namespace

struct JsonBody::Impl {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  size_t used_size = 0;

  ~Impl() { Wipe(); }
  void Wipe() {
    if (parser.doc.string_buf) explicit_bzero(parser.doc.string_buf.get(), used_size);
    used_size = 0;
  }

  // False when it is not there; throws when it is there twice.
  bool Find(std::string_view member, simdjson::dom::element* out) const {
    bool found = false;
    for (const simdjson::dom::key_value_pair field : object) {
      if (field.key != member) continue;
      if (found) Refuse(member, "it is given twice");
      found = true;
      *out = field.value;
    }
    return found;
  }
  bool FindValue(std::string_view member, simdjson::dom::element* out) const {
    return Find(member, out) && !out->is_null();
  }
};

namespace {

// What a body leaves behind for the next one of its thread, so that small ones allocate nothing.
constexpr size_t kUsualBytes = 1024;
constexpr size_t kKeptBytesMax = size_t{64} << 10;
thread_local std::unique_ptr<JsonBody::Impl> t_spare;

}  // namespace

JsonBody::JsonBody(const Body& body)
    : impl_(t_spare != nullptr ? std::move(t_spare) : std::make_unique<Impl>()) {
  const std::string_view text = body.view();
  // The parser copies each text with five bytes more than it has itself, and a text takes three
  // bytes more than itself in JSON.
  impl_->used_size = 5 * text.size() / 3;
  if (text.empty()) throw Refusal(400, std::string(kUnparsable) + "the body is empty");
  if (impl_->parser.capacity() < text.size() &&
      impl_->parser.allocate(std::max(text.size(), kUsualBytes), limits::kJsonDepthMax) !=
          simdjson::SUCCESS) {
    throw Refusal(503, "No memory for the request, please retry.", 1);
  }
  simdjson::dom::element root;
  const auto error = impl_->parser.parse(text.data(), text.size(), false).get(root);
  if (error == simdjson::DEPTH_ERROR) {
    throw Refusal(400, std::string(kUnparsable) + "it is nested too deeply");
  }
  if (error != simdjson::SUCCESS) {
    throw Refusal(400, std::string(kUnparsable) + "it is not JSON in UTF-8");
  }
  if (root.get(impl_->object) != simdjson::SUCCESS) {
    throw Refusal(400, std::string(kUnparsable) + "it is not an object");
  }
}

JsonBody::~JsonBody() {
  impl_->Wipe();
  if (impl_->parser.capacity() <= kKeptBytesMax) t_spare = std::move(impl_);
}

bool JsonBody::HasNull(std::string_view member) const {
  simdjson::dom::element value;
  return impl_->Find(member, &value) && value.is_null();
}

std::optional<std::string_view> JsonBody::Text(std::string_view member) const {
  simdjson::dom::element value;
  if (!impl_->FindValue(member, &value)) return std::nullopt;
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) Refuse(member, "it is not a string");
  return text;
}

std::optional<bool> JsonBody::Truth(std::string_view member) const {
  simdjson::dom::element value;
  if (!impl_->FindValue(member, &value)) return std::nullopt;
  bool truth = false;
  if (value.get(truth) != simdjson::SUCCESS) Refuse(member, "it is true or false");
  return truth;
}

std::optional<int64_t> JsonBody::Whole(std::string_view member, int64_t min, int64_t max) const {
  simdjson::dom::element value;
  if (!impl_->FindValue(member, &value)) return std::nullopt;
  int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < min || number > max) {
    Refuse(member,
           "it is a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

std::optional<std::vector<std::string_view>> JsonBody::Texts(std::string_view member,
                                                             size_t count_max) const {
  simdjson::dom::element value;
  if (!impl_->FindValue(member, &value)) return std::nullopt;
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) Refuse(member, "it is not an array");
  std::vector<std::string_view> texts;
  for (const simdjson::dom::element element : array) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) Refuse(member, "it holds what is not a string");
    if (texts.size() == count_max) {
      Refuse(member, "it has more than " + std::to_string(count_max) + " entries");
    }
    texts.push_back(text);
  }
  if (texts.empty()) Refuse(member, "it is empty");
  return texts;
}

std::optional<uint64_t> JsonBody::Scopes(std::string_view member) const {
  simdjson::dom::element value;
  if (!impl_->FindValue(member, &value)) return std::nullopt;
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) Refuse(member, "it is not an array");
  uint64_t scopes = 0;
  for (const simdjson::dom::element element : array) {
    std::string_view word;
    uint64_t bit = 0;
    if (element.get(word) == simdjson::SUCCESS
            ? word != "verify"
            : element.get(bit) != simdjson::SUCCESS || bit > kScopeBitMax) {
      Refuse(member, "a scope is \"verify\" or a number from 0 to 63");
    }
    scopes |= uint64_t{1} << bit;
  }
  return scopes;
}

void JsonBody::Refuse(std::string_view member, std::string_view rule) {
  throw Refusal(400, kUnparsable + std::string(member) + ": " + std::string(rule));
}

}  // namespace latchkey::http
