// Tagged records. Reading accepts only what writing makes, so each record has one spelling and its
// MAC covers the meaning as well as the bytes.
#include "codec/record.h"

#include <cassert>
#include <utility>

namespace latchkey {
namespace {

constexpr size_t kSizeBytesMax = 4;
constexpr size_t kTypicalBytes = 320;  // of a credential; so that it does not grow five times
constexpr size_t kFieldBytesMax = (size_t{1} << (7 * kSizeBytesMax)) - 1;

struct Field {
  ByteView whole;  // tag, size and value
  ByteView value;
  uint8_t tag() const { return static_cast<uint8_t>(whole.front()); }
};

// Takes one field off `rest`. False if it is cut short, empty, or its size is not in its shortest
// form: then there would be two records that mean the same.
bool TakeField(ByteView* rest, Field* field) {
  size_t size = 0;
  size_t header = 1;
  for (bool more = true; more; ++header) {
    if (header > kSizeBytesMax || header >= rest->size()) return false;
    const auto byte = static_cast<uint8_t>((*rest)[header]);
    more = (byte & 0x80) != 0;
    if (!more && byte == 0) return false;
    size |= static_cast<size_t>(byte & 0x7F) << (7 * (header - 1));
  }
  if (rest->size() - header < size) return false;
  field->whole = rest->substr(0, header + size);
  field->value = field->whole.substr(header);
  rest->remove_prefix(field->whole.size());
  return true;
}

}  // namespace

RecordWriter& RecordWriter::Number(uint8_t tag, uint64_t v) {
  char bytes[8];
  StoreLe64(bytes, v);
  size_t size = sizeof bytes;
  while (size > 0 && bytes[size - 1] == 0) --size;
  return Text(tag, {bytes, size});
}

RecordWriter& RecordWriter::Text(uint8_t tag, ByteView bytes) {
  assert(tag > last_tag_);
  last_tag_ = tag;
  MergeBelow(tag);
  if (bytes.empty()) return *this;
  if (out_.empty()) out_.reserve(kTypicalBytes);
  Header(tag, bytes.size());
  out_.append(bytes);
  return *this;
}

RecordWriter& RecordWriter::Keep(ByteView unknown_fields) {
  assert(last_tag_ == 0 && kept_.empty());
  kept_ = unknown_fields;
  return *this;
}

Bytes RecordWriter::Finish() {
  constexpr int kAboveEveryTag = 256;
  MergeBelow(kAboveEveryTag);
  last_tag_ = 0;
  return std::exchange(out_, {});
}

void RecordWriter::MergeBelow(int tag) {
  while (!kept_.empty() && static_cast<uint8_t>(kept_.front()) <= tag) {
    Field field;
    const bool taken = TakeField(&kept_, &field);
    assert(taken);  // RecordReader::unknown() holds whole fields only
    if (!taken) return;
    if (field.tag() < tag) out_.append(field.whole);  // what is written now replaces what was kept
  }
}

void RecordWriter::Header(uint8_t tag, size_t size) {
  assert(size <= kFieldBytesMax);  // no limit of ours is near it
  out_.push_back(static_cast<char>(tag));
  for (; size >= 0x80; size >>= 7) out_.push_back(static_cast<char>(size | 0x80));
  out_.push_back(static_cast<char>(size));
}

bool RecordReader::Next() {
  if (damaged_ || rest_.empty()) return false;
  Field field;
  if (!TakeField(&rest_, &field) || field.tag() <= tag_) {
    damaged_ = true;
    return false;
  }
  tag_ = field.tag();
  field_ = field.whole;
  value_ = field.value;
  return true;
}

uint64_t RecordReader::number() {
  if (value_.size() > sizeof(uint64_t) || value_.empty() || value_.back() == '\0') {
    damaged_ = true;
    return 0;
  }
  char bytes[sizeof(uint64_t)] = {};
  std::memcpy(bytes, value_.data(), value_.size());
  return LoadLe64(bytes);
}

bool RecordReader::Fixed(uint8_t* out, size_t size) {
  if (value_.size() != size) {
    damaged_ = true;
    return false;
  }
  std::memcpy(out, value_.data(), size);
  return true;
}

void RecordReader::Keep() { unknown_.append(field_); }

Status RecordReader::status() const {
  return damaged_ ? Status::Error(Code::kCorruption, "a stored record is damaged") : Status::Ok();
}

}  // namespace latchkey
