// One description of a record's fields serves both directions: a function template
//
//   template <typename A, MaybeConst<OwnerRecord> R>
//   void Fields(A& a, R& r) {
//     a.Number(1, r.creation_s);
//     a.Text(2, r.name);
//   }
//
// that names the fields in ascending order of their tags, run by FieldWriter to encode and by
// FieldReader to decode. What is absent keeps its default; what is unknown is kept.
#pragma once

#include <array>
#include <type_traits>

#include "base/uuid.h"
#include "codec/record.h"

namespace latchkey {

// A record to be written, which is const, or one that is read into.
template <typename R, typename Record>
concept MaybeConst = std::is_same_v<std::remove_const_t<R>, Record>;

class FieldWriter {
 public:
  explicit FieldWriter(ByteView unknown) { writer_.Keep(unknown); }

  template <typename T>
  void Number(uint8_t tag, T v) {
    writer_.Number(tag, static_cast<uint64_t>(v));
  }
  void Text(uint8_t tag, const Bytes& text) { writer_.Text(tag, text); }
  void Id(uint8_t tag, const Uuid& uuid) {
    if (!uuid.is_nil()) writer_.Text(tag, uuid.view());
  }
  template <size_t N>
  void Fixed(uint8_t tag, const std::array<uint8_t, N>& bytes) {
    writer_.Text(tag, View(bytes));
  }
  Bytes Finish() { return writer_.Finish(); }

 private:
  RecordWriter writer_;
};

class FieldReader {
 public:
  explicit FieldReader(ByteView fields) : reader_(fields) { more_ = reader_.Next(); }

  template <typename T>
  void Number(uint8_t tag, T& v) {
    if (!At(tag)) return;
    const uint64_t number = reader_.number();
    v = static_cast<T>(number);
    // A value that the type cannot hold was not written by us: better damage than a wrong number.
    if (static_cast<uint64_t>(v) != number) damaged_ = true;
    more_ = reader_.Next();
  }
  template <typename T>  // Bytes, or a ByteView that borrows from the record
  void Text(uint8_t tag, T& text) {
    if (!At(tag)) return;
    text = reader_.text();
    more_ = reader_.Next();
  }
  void Id(uint8_t tag, Uuid& uuid) { Fixed(tag, uuid.bytes); }
  template <size_t N>
  void Fixed(uint8_t tag, std::array<uint8_t, N>& bytes) {
    if (!At(tag)) return;
    if (!reader_.Fixed(bytes.data(), N)) damaged_ = true;
    more_ = reader_.Next();
  }

  // Reads what is left; CORRUPTION if anything was not as written.
  Status Finish(Bytes* unknown) {
    while (more_) Skip();
    *unknown = reader_.unknown();
    LATCHKEY_TRY(reader_.status());
    if (damaged_)
      return Status::Error(Code::kCorruption, "a field of a record has a foreign shape");
    return Status::Ok();
  }

 private:
  bool At(uint8_t tag) {
    while (more_ && reader_.tag() < tag) Skip();
    return more_ && reader_.tag() == tag;
  }
  void Skip() {
    reader_.Keep();
    more_ = reader_.Next();
  }
  RecordReader reader_;
  bool more_ = false;
  bool damaged_ = false;
};

}  // namespace latchkey
