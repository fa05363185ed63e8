// Tagged records. A record is a sequence of fields in ascending order of their tags:
//
//   field   = tag (1 byte, 1..255), size (LEB128, at most 4 bytes), `size` bytes
//   number  = little-endian, without its leading zero bytes; 0 is an absent field
//   text    = as it is; an empty one is an absent field
//
// A reader takes the tags that it knows; the others are kept and written again by the next writer,
// so an older build does not lose what a newer one stored.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace latchkey {

// Fields must be written in ascending order of their tags (asserted). Unknown fields of the record
// that was read are merged in at their place by Keep().
class RecordWriter {
 public:
  RecordWriter& Number(uint8_t tag, uint64_t v);
  RecordWriter& Text(uint8_t tag, ByteView bytes);
  // Fields as RecordReader::unknown() gave them, to be merged in by tag. Call before the others.
  RecordWriter& Keep(ByteView unknown_fields);
  // The finished record; the writer is empty afterwards.
  Bytes Finish();

 private:
  void MergeBelow(int tag);
  void Header(uint8_t tag, size_t size);
  Bytes out_;
  ByteView kept_;
  int last_tag_ = 0;
};

// Reads the fields in order:
//
//   RecordReader reader(bytes);
//   while (reader.Next()) {
//     switch (reader.tag()) {
//       case kTagName: name = reader.text(); break;
//       case kTagCreation: creation = reader.number(); break;
//       default: reader.Keep();
//     }
//   }
//   LATCHKEY_TRY(reader.status());
class RecordReader {
 public:
  explicit RecordReader(ByteView record) : rest_(record) {}
  bool Next();  // false at the end, and on damage
  uint8_t tag() const { return tag_; }
  ByteView text() const { return value_; }  // borrowed from the record
  uint64_t number();  // damage if longer than 8 bytes or with a leading zero byte
  bool Fixed(uint8_t* out, size_t size);  // exactly `size` bytes, else damage
  void Keep();                            // remembers the current field as unknown
  const Bytes& unknown() const { return unknown_; }
  Status status() const;  // CORRUPTION: out of order, cut short, or a number that is not one

 private:
  ByteView rest_;
  ByteView field_;
  ByteView value_;
  Bytes unknown_;
  uint8_t tag_ = 0;
  bool damaged_ = false;
};

}  // namespace latchkey
