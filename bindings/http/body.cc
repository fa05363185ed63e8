#include "body.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "limits.h"

namespace latchkey::http {
namespace {

std::atomic<size_t> g_bodies_bytes = 0;

bool Reserve(size_t bytes) {
  if (g_bodies_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes <=
      limits::kBodiesBytesMax) {
    return true;
  }
  g_bodies_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

}  // namespace

Body::~Body() { Clear(); }

void Body::Clear() {
  if (data_ == nullptr) return;
  explicit_bzero(data_, size_);
  std::free(data_);
  g_bodies_bytes.fetch_sub(capacity_, std::memory_order_relaxed);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

bool Body::Append(const char* data, size_t size) {
  if (size > limits::kBodyBytesMax - size_) return false;
  if (size_ + size + kPadding > capacity_) {
    const size_t wanted = std::max(size_ + size, 2 * size_) + kPadding;
    if (!Reserve(wanted)) return false;
    char* grown = static_cast<char*>(std::calloc(1, wanted));
    if (grown == nullptr) {
      g_bodies_bytes.fetch_sub(wanted, std::memory_order_relaxed);
      return false;
    }
    if (size_ > 0) std::memcpy(grown, data_, size_);
    const size_t kept = size_;
    Clear();
    data_ = grown;
    size_ = kept;
    capacity_ = wanted;
  }
  std::memcpy(data_ + size_, data, size);
  size_ += size;
  return true;
}

}  // namespace latchkey::http
