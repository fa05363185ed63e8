/* What latchkey.hpp hands out and takes: errors, UUIDs, secrets, verdicts, queries, the walk over a
 * list. Included by latchkey.hpp; never needed by itself. */
#ifndef LATCHKEY_VALUES_HPP_
#define LATCHKEY_VALUES_HPP_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "latchkey/latchkey.h"

/* Outside of the namespace, since the compiler looks for them where latchkey_uuid is declared. */
inline bool operator==(const latchkey_uuid& a, const latchkey_uuid& b) noexcept {
  return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
inline bool operator!=(const latchkey_uuid& a, const latchkey_uuid& b) noexcept {
  return !(a == b);
}
inline bool operator<(const latchkey_uuid& a, const latchkey_uuid& b) noexcept {
  return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
}

namespace latchkey {

using Uuid = latchkey_uuid;
using Owner = latchkey_owner;
using Grant = latchkey_grant;
using Credential = latchkey_credential;
using Epoch = latchkey_epoch;
using Backup = latchkey_backup;

/* A call failed. what() is the rule that was broken, or the code's own sentence; never a secret. */
class Error : public std::exception {
 public:
  explicit Error(latchkey_code code) noexcept : code_(code), text_(latchkey_error_text()) {
    if (*text_ == '\0') text_ = latchkey_code_text(code);
  }
  latchkey_code code() const noexcept { return code_; }
  const char* what() const noexcept override { return text_; }

 private:
  latchkey_code code_;
  const char* text_; /* static memory */
};

inline void throw_if_failed(latchkey_code code) {
  if (code != LATCHKEY_OK) throw Error(code);
}

/* A zeroed struct of latchkey.h that knows its size. */
template <typename T>
T sized() noexcept {
  T out{};
  out.struct_size = sizeof(T);
  return out;
}

inline std::string_view name_of(const Credential& row) noexcept {
  return {row.name, row.name_size};
}
inline std::string_view name_of(const Owner& row) noexcept { return {row.name, row.name_size}; }
inline std::string_view slug_of(const Credential& row) noexcept { return row.slug; }
inline std::string_view slug_of(const Owner& row) noexcept { return row.slug; }
inline std::string_view email_of(const Owner& row) noexcept { return row.email; }

inline std::string to_string(const Uuid& uuid) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  return text;
}
inline Uuid to_uuid(std::string_view text) {
  Uuid out{};
  throw_if_failed(latchkey_uuid_parse(text.data(), text.size(), &out));
  return out;
}
inline bool is_nil(const Uuid& uuid) noexcept { return uuid == Uuid{}; }

/* One line, to be kept elsewhere than the store and its backups. */
inline std::string to_string(const Epoch& epoch) {
  char text[LATCHKEY_EPOCH_TEXT_SIZE];
  latchkey_epoch_format(&epoch, text);
  return text;
}
inline Epoch to_epoch(std::string_view text) {
  auto out = sized<Epoch>();
  throw_if_failed(latchkey_epoch_parse(text.data(), text.size(), &out));
  return out;
}

/* The plaintext of a new key. Wiped when it goes, and when it is moved from; cannot be copied, and
 * no stream takes it. reveal() is the one word to search for when looking for where secrets go. */
class Secret {
 public:
  Secret() noexcept = default;
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept { take(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  template <typename Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

  std::string_view reveal() const noexcept { return {bytes_, size_}; }
  bool empty() const noexcept { return size_ == 0; }
  void wipe() noexcept {
    volatile char* byte = bytes_; /* volatile: the compiler may not leave the last writes out */
    for (std::size_t i = 0; i < sizeof bytes_; ++i) byte[i] = 0;
    size_ = 0;
  }

 private:
  friend class Store;
  void take(Secret& other) noexcept {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    size_ = other.size_;
    other.wipe();
  }
  char bytes_[LATCHKEY_NEW_SECRET_BYTES_MAX] = {};
  std::size_t size_ = 0;
};

struct Issued {
  Secret secret;
  Credential credential;
};

/* True only when allowed. `code` is OK, DENIED, or what kept the call from judging at all. */
struct Verdict {
  latchkey_code code = LATCHKEY_INTERNAL;
  latchkey_verdict detail{};
  explicit operator bool() const noexcept { return code == LATCHKEY_OK; }
  const char* reason_text() const noexcept { return latchkey_reason_text(detail.reason); }
};

template <typename Row>
struct Page {
  std::vector<Row> rows;
  std::uint64_t total = 0;
};

/* The options of the C calls with text as views. What is left out means the same as there. */
struct NewOwner {
  std::uint32_t sort = LATCHKEY_OWNER_USER;
  std::string_view name;
  std::optional<std::string_view> slug = {};
  std::optional<std::string_view> email = {};
  bool admin = false;
  std::uint32_t visibility = LATCHKEY_VISIBILITY_PUBLIC;
  Uuid uuid = {};
  Uuid actor = {};
};
struct OwnerChange {
  std::optional<std::string_view> name = {};
  std::optional<std::string_view> slug = {};
  std::optional<std::string_view> email = {};
  bool remove_email = false;
  std::optional<bool> admin = {};
  std::optional<bool> locked = {};
  std::optional<std::uint32_t> visibility = {};
  Uuid actor = {};
};
struct NewCredential {
  Uuid owner;
  std::uint32_t kind = LATCHKEY_KIND_USER_KEY;
  std::string_view name;
  std::optional<std::int64_t> ttl_s = {};
  std::uint64_t scopes = 0;
  std::int64_t not_before_s = 0;
  std::string_view metadata = {};
  Uuid uuid = {};
  Uuid creator = {};
  Uuid minted_by = {};
};
struct ListQuery {
  Uuid owner = {};        /* credentials */
  std::uint32_t kind = 0; /* of credentials; for owners LATCHKEY_OWNER_* */
  bool revoked = false;   /* for owners: deleted */
  bool descending = false;
  std::uint32_t page = 1;
  std::uint32_t page_size = LATCHKEY_PAGE_SIZE_DEFAULT;
  std::optional<std::string_view> name = {};
  std::optional<std::string_view> slug = {};
  std::string_view search = {};
};

namespace detail {
/* NULL means "not given" in C, so what is given but empty needs a place to point at. */
inline void put(std::string_view text, const char** data, std::size_t* size) noexcept {
  *data = text.data() != nullptr ? text.data() : "";
  *size = text.size();
}
inline void put(const std::optional<std::string_view>& text, const char** data,
                std::size_t* size) noexcept {
  if (text) put(*text, data, size);
}
inline latchkey_list_options list_options(const ListQuery& query) noexcept {
  auto out = sized<latchkey_list_options>();
  out.owner = query.owner;
  out.kind = query.kind;
  out.revoked = query.revoked;
  out.descending = query.descending;
  out.page = query.page;
  out.page_size = query.page_size;
  put(query.name, &out.name, &out.name_size);
  put(query.slug, &out.slug, &out.slug_size);
  put(query.search, &out.search, &out.search_size);
  return out;
}
inline const Uuid* or_null(const Uuid& uuid) noexcept { return is_nil(uuid) ? nullptr : &uuid; }
} /* namespace detail */

/* Walks a list in its order without skipping or repeating a row when others come and go meanwhile:
 * `for (const latchkey_credential& row : store.credentials(query))`. Reads page_size rows at a
 * time; query.page does not matter. The query's views and the store must outlive it. One pass. */
class CredentialRange {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Credential;
    using difference_type = std::ptrdiff_t;
    using pointer = const Credential*;
    using reference = const Credential&;

    iterator() = default;
    explicit iterator(CredentialRange* range) : range_(range) {}
    reference operator*() const { return range_->rows_[range_->place_]; }
    pointer operator->() const { return &**this; }
    iterator& operator++() {
      ++range_->place_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const iterator& other) const { return at_end() == other.at_end(); }
    bool operator!=(const iterator& other) const { return !(*this == other); }

   private:
    bool at_end() const { return range_ == nullptr || !range_->fill(); }
    CredentialRange* range_ = nullptr;
  };

  CredentialRange(latchkey_store* store, const ListQuery& query)
      : store_(store), options_(detail::list_options(query)) {
    if (options_.page_size == 0) options_.page_size = LATCHKEY_PAGE_SIZE_DEFAULT;
  }
  iterator begin() { return iterator(this); }
  iterator end() { return iterator(); }

 private:
  /* True when there is a row at place_. */
  bool fill() {
    if (place_ < count_) return true;
    if (cursor_.done != 0) return false;
    rows_.assign(options_.page_size, sized<Credential>());
    count_ = place_ = 0;
    throw_if_failed(latchkey_credential_list_next(store_, &options_, &cursor_, rows_.data(),
                                                  rows_.size(), &count_));
    if (count_ == 0) cursor_.done = 1;
    return count_ > 0;
  }
  latchkey_store* store_;
  latchkey_list_options options_;
  latchkey_cursor cursor_ = sized<latchkey_cursor>();
  std::vector<Credential> rows_;
  std::size_t place_ = 0;
  std::size_t count_ = 0;
};

} /* namespace latchkey */

#endif /* LATCHKEY_VALUES_HPP_ */
