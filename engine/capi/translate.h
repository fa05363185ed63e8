// Between C structs and the engine's own: sizes checked, text bounded, nothing written beyond what
// the caller's struct_size covers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "latchkey/latchkey.h"
#include "service/credentials.h"
#include "service/verify.h"

namespace latchkey {

inline constexpr size_t kStructSizeMax = 4096;

inline Status CheckStructSize(size_t struct_size, size_t first_size) {
  if (struct_size < first_size || struct_size > kStructSizeMax) {
    return Status::Error(Code::kInvalidArgument,
                         "struct_size is not the size of a struct of this or a later version");
  }
  return Status::Ok();
}

// The size of a struct in its first version: a caller may know no more of it.
template <typename T>
inline constexpr size_t kFirstSize = sizeof(T);
template <>
inline constexpr size_t kFirstSize<latchkey_open_options> = offsetof(latchkey_open_options,
                                                                     directory_budget_bytes);
template <>
inline constexpr size_t kFirstSize<latchkey_stats> = offsetof(latchkey_stats, directories);

// Copies a caller's options; what his version did not have yet is 0. What a later
// version appended must be 0: this library cannot honour it.
template <typename T>
Status TakeOptions(const T* in, T* options) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (in == nullptr) return Status::Error(Code::kInvalidArgument, "the options are NULL");
  size_t struct_size = 0;
  std::memcpy(&struct_size, in, sizeof struct_size);
  LATCHKEY_TRY(CheckStructSize(struct_size, kFirstSize<T>));
  const auto* bytes = reinterpret_cast<const unsigned char*>(in);
  const size_t known_size = std::min(struct_size, sizeof(T));
  if (std::any_of(bytes + known_size, bytes + struct_size,
                  [](unsigned char b) { return b != 0; })) {
    return Status::Error(Code::kInvalidArgument,
                         "the options ask for something that this version does not have");
  }
  *options = T{};
  std::memcpy(options, in, known_size);
  return Status::Ok();
}

// A caller's result struct, or none. Written last, by Give(), or zeroed when nothing was given:
// until then an argument may well point into it (`rename(store, &credential.uuid, ...,
// &credential)`).
template <typename T>
class Out {
 public:
  explicit Out(T* out) : out_(out) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (out_ == nullptr) return;
    std::memcpy(&struct_size_, out_, sizeof struct_size_);
    status_ = CheckStructSize(struct_size_, kFirstSize<T>);
  }
  ~Out() {
    if (!given_) Write(T{});
  }
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;

  const Status& status() const { return status_; }
  // For results that must not be NULL.
  Status Required() const {
    if (out_ == nullptr) return Status::Error(Code::kInvalidArgument, "the result is NULL");
    return status_;
  }
  void Give(const T& value) {
    given_ = true;
    Write(value);
  }
  // As Give(), but `write(T*)` puts every member but struct_size where the caller wants it: wide
  // copies of what narrow stores wrote a moment ago make the processor wait.
  template <typename WriteMembers>
  void GiveInPlace(WriteMembers&& write) {
    static_assert(kFirstSize<T> == sizeof(T), "a caller may have room for less");
    given_ = true;
    if (out_ == nullptr || !status_.ok()) return;
    write(out_);
    ClearRest();
  }

 private:
  void Write(T value) {
    if (out_ == nullptr || !status_.ok()) return;
    value.struct_size = struct_size_;
    std::memcpy(out_, &value, std::min(struct_size_, sizeof value));
    ClearRest();
  }
  // What a later version has and this one does not know.
  void ClearRest() {
    if (struct_size_ <= sizeof(T)) return;
    std::memset(reinterpret_cast<unsigned char*>(out_) + sizeof(T), 0, struct_size_ - sizeof(T));
  }
  T* out_;
  size_t struct_size_ = 0;
  bool given_ = false;
  Status status_ = Status::Ok();
};

// A caller's array of result structs, each as large as its first element says.
template <typename T>
class OutArray {
 public:
  OutArray(T* rows, size_t capacity)
      : rows_(reinterpret_cast<unsigned char*>(rows)), capacity_(capacity) {
    if (capacity == 0) return;
    if (rows == nullptr) {
      status_ = Status::Error(Code::kInvalidArgument, "the array of rows is NULL");
      return;
    }
    std::memcpy(&struct_size_, rows, sizeof struct_size_);
    status_ = CheckStructSize(struct_size_, sizeof(T));
  }
  const Status& status() const { return status_; }
  size_t capacity() const { return capacity_; }
  void Give(size_t i, const T& value) {
    std::memcpy(rows_ + i * struct_size_, &value, sizeof value);
    Begin(i);
  }
  // A row where it will lie: a size of the caller's may put it anywhere.
  using Unaligned [[gnu::aligned(1)]] = T;
  // For whoever writes all its members himself. Writes its struct_size, and zeros behind what this
  // library knows.
  Unaligned* Begin(size_t i) {
    unsigned char* row = rows_ + i * struct_size_;
    std::memcpy(row, &struct_size_, sizeof struct_size_);
    if (struct_size_ > sizeof(T)) std::memset(row + sizeof(T), 0, struct_size_ - sizeof(T));
    return reinterpret_cast<Unaligned*>(row);
  }

 private:
  unsigned char* rows_;
  size_t capacity_;
  size_t struct_size_ = 0;
  Status status_ = Status::Ok();
};

// Text as pointer and size. NULL with a size is a mistake; NULL without one is empty.
Status TakeText(const void* data, size_t size, ByteView* text);
// As TakeText(), where NULL means "not given".
Status TakeOptionalText(const char* data, size_t size, std::optional<ByteView>* text);
Status TakeRequiredText(const void* data, size_t size, ByteView* text);
Status TakeSort(uint32_t sort, OwnerSort* out);
Status TakeKind(uint32_t kind, uint16_t* out);
Status TakeJwtKey(const latchkey_jwt_key* in, latchkey_jwt_key* copy, JwtKey* out);
// NULL = nil.
Uuid TakeUuid(const latchkey_uuid* uuid);
inline Uuid TakeUuid(const latchkey_uuid& uuid) { return TakeUuid(&uuid); }

inline latchkey_uuid GiveUuid(const Uuid& uuid) {
  latchkey_uuid out;
  std::memcpy(out.bytes, uuid.bytes.data(), Uuid::kSize);
  return out;
}
Epoch TakeEpoch(const latchkey_epoch& epoch);
latchkey_owner GiveOwner(const OwnerRecord& owner);
latchkey_credential GiveCredential(const CredentialView& view);
// Every member but struct_size.
void GiveVerdict(const Verdict& verdict, latchkey_verdict* out);
// Copies at most N - 1 bytes and a NUL; what is stored always fits.
template <size_t N>
void GiveText(ByteView text, char (&out)[N]) {
  const size_t size = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), size);
  out[size] = '\0';
}

}  // namespace latchkey
