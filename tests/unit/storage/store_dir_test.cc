#include "storage/store_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/store_marker.h"
#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

constexpr uint32_t kFormat = 1;

Uuid UuidOf(uint8_t first) {
  Uuid uuid;
  uuid.bytes[0] = first;
  uuid.bytes[15] = 0xab;
  return uuid;
}

Marker ExampleMarker() {
  Marker marker;
  marker.format_reader_min = 1;
  marker.format_writer_min = 1;
  marker.store_id = UuidOf(0x11);
  marker.peppers = {{1, {0xde, 0xad}}, {7, {0xbe, 0xef}}};
  return marker;
}

Ack ExampleAck(uint64_t number) { return {UuidOf(0x11), UuidOf(0x22), number}; }

// The text with a CRC that fits it, so that only the parser can object.
Bytes WithCrc(const Bytes& body) {
  const uint32_t crc = Crc32(body);
  char line[16];
  snprintf(line, sizeof line, "crc %08x\n", crc);
  return body + line;
}

class StoreDirTest : public testing::Test {
 protected:
  void CreateStore() {
    auto dir = StoreDir::Create(path_);
    ASSERT_TRUE(dir.ok()) << dir.status().why();
    ASSERT_TRUE(dir.value()->CreateAck(ExampleAck(0)).ok());
    ASSERT_TRUE(dir.value()->WriteMarker(ExampleMarker()).ok());
  }
  void ExpectRefused(Code code) {
    const auto before = ReadTree(temp_.path());
    EXPECT_EQ(StoreDir::Open(path_, kFormat).code(), code);
    EXPECT_EQ(ReadTree(temp_.path()), before);
  }
  Result<Ack> ReadAckOnce() {
    const auto dir = StoreDir::Open(path_, kFormat);
    EXPECT_TRUE(dir.ok());
    return dir.value()->ReadAck();
  }

  TempDir temp_;
  std::string path_ = temp_ / "store";
};

TEST_F(StoreDirTest, MarkerIsReadBack) {
  CreateStore();
  const auto dir = StoreDir::Open(path_, kFormat);
  ASSERT_TRUE(dir.ok()) << dir.status().why();
  const Marker& marker = dir.value()->marker();
  EXPECT_EQ(marker.format_reader_min, 1u);
  EXPECT_EQ(marker.format_writer_min, 1u);
  EXPECT_EQ(marker.store_id, UuidOf(0x11));
  ASSERT_EQ(marker.peppers.size(), 2u);
  EXPECT_EQ(marker.peppers[1].version, 7u);
  EXPECT_EQ(marker.peppers[1].value[1], 0xef);
  EXPECT_EQ(dir.value()->rocks_path(), path_ + "/rocks");
  EXPECT_GT(dir.value()->free_bytes(), 0u);
}

TEST_F(StoreDirTest, GoldenBytesDoNotChange) {
  const Bytes body =
      "latchkey store\n"
      "format 1 1\n"
      "id 11000000-0000-0000-0000-0000000000ab\n"
      "pepper 1 dead0000000000000000000000000000\n"
      "pepper 7 beef0000000000000000000000000000\n";
  EXPECT_EQ(FormatMarker(ExampleMarker()), WithCrc(body));
  const auto slot = FormatAckSlot({.sequence = 2, .ack = ExampleAck(0x0102)});
  EXPECT_EQ(HexEncode({slot.data(), 60}),
            "4c4b41434b000001"
            "0200000000000000"
            "110000000000000000000000000000ab"
            "220000000000000000000000000000ab"
            "0201000000000000"
            "00000000");
}

TEST_F(StoreDirTest, FolderAndFilesArePrivate) {
  CreateStore();
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0700u);
  for (const char* name : {"/LATCHKEY", "/ack"}) {
    ASSERT_EQ(stat((path_ + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u) << name;
  }
}

TEST_F(StoreDirTest, CreateTakesAnEmptyFolderOnly) {
  ASSERT_EQ(mkdir(path_.c_str(), 0755), 0);
  { ASSERT_TRUE(StoreDir::Create(path_).ok()); }
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0700u);
  WriteFile(path_ + "/.hidden", "");
  EXPECT_EQ(StoreDir::Create(path_).code(), Code::kConflict);
  WriteFile(temp_ / "file", "");
  EXPECT_EQ(StoreDir::Create(temp_ / "file").code(), Code::kConflict);
  EXPECT_EQ(StoreDir::Create(temp_ / "no/parent").code(), Code::kNotFound);
}

TEST_F(StoreDirTest, OpenSaysWhatIsNotAStore) {
  ExpectRefused(Code::kNotFound);
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  ExpectRefused(Code::kNotFound);
  WriteFile(path_ + "/LATCHKEY.tmp", FormatMarker(ExampleMarker()));
  ExpectRefused(Code::kInvalidArgument);  // a creation that was cut off
  WriteFile(path_ + "/LATCHKEY", "");
  ExpectRefused(Code::kInvalidArgument);
  WriteFile(path_ + "/LATCHKEY", Bytes(100000, 'x'));
  ExpectRefused(Code::kInvalidArgument);
  std::filesystem::remove_all(path_);
  WriteFile(path_, "a file");
  ExpectRefused(Code::kInvalidArgument);
}

TEST_F(StoreDirTest, NewerFormatIsToldBeforeAnythingElse) {
  CreateStore();
  WriteFile(path_ + "/LATCHKEY", "latchkey store\nformat 2 2 and more\nwhatever comes later\n");
  ExpectRefused(Code::kUnsupported);
  WriteFile(path_ + "/LATCHKEY", "latchkey store\nformat 99999999999 1\n");
  ExpectRefused(Code::kUnsupported);
  WriteFile(path_ + "/LATCHKEY", WithCrc("latchkey store\nformat 1 2\nid "
                                         "11000000-0000-0000-0000-0000000000ab\n"));
  EXPECT_EQ(StoreDir::Open(path_, kFormat).value()->marker().format_writer_min, 2u);
}

TEST_F(StoreDirTest, NoFlippedByteOfTheMarkerPasses) {
  const Bytes text = FormatMarker(ExampleMarker());
  ASSERT_TRUE(ParseMarker(text, kFormat).ok());
  for (size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_FALSE(ParseMarker(flipped, kFormat).ok()) << "byte " << at << " bit " << bit;
    }
  }
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseMarker(ByteView(text).substr(0, size), kFormat).ok()) << size;
  }
  Bytes flipped = text;
  flipped[30] ^= 1;
  EXPECT_EQ(ParseMarker(flipped, kFormat).code(), Code::kCorruption);
}

TEST_F(StoreDirTest, MarkerIsParsedStrictly) {
  const Bytes head = "latchkey store\nformat 1 1\n";
  const Bytes id = "id 11000000-0000-0000-0000-0000000000ab\n";
  const Bytes pepper = "pepper 1 dead0000000000000000000000000000\n";
  ASSERT_TRUE(ParseMarker(WithCrc(head + id + pepper), kFormat).ok());
  const Bytes bad[] = {
      "latchkey store\nformat 01 1\n" + id + pepper,
      "latchkey store\nformat 1 99999999999\n" + id + pepper,
      "latchkey store\nformat 1  1\n" + id + pepper,
      "latchkey store\nformat -1 1\n" + id + pepper,
      "latchkey store\r\nformat 1 1\n" + id + pepper,
      head + "id 11000000-0000-0000-0000-0000000000AB\n" + pepper,
      head + "id 110000000000000000000000000000ab----\n" + pepper,
      head + pepper,
      head + id + pepper + pepper,
      head + id + "pepper 2 dead0000000000000000000000000000\n" + pepper,
      head + id + "pepper 1 DEAD0000000000000000000000000000\n",
      head + id + "pepper 1 dead\n",
      head + id + pepper + "\n",
      head + id + pepper + "note x\n",
      head + id + "\n" + pepper,
  };
  for (const Bytes& body : bad) {
    const Bytes text = WithCrc(body);
    EXPECT_EQ(ParseMarker(text, kFormat).code(), Code::kInvalidArgument) << text;
  }
}

TEST_F(StoreDirTest, MarkerThatWouldNotParseIsNotWritten) {
  CreateStore();
  const auto dir = StoreDir::Open(path_, kFormat);
  ASSERT_TRUE(dir.ok());
  const auto before = ReadTree(path_);
  Marker marker = ExampleMarker();
  std::swap(marker.peppers[0], marker.peppers[1]);
  EXPECT_EQ(dir.value()->WriteMarker(marker).code(), Code::kInternal);
  EXPECT_EQ(ReadTree(path_), before);
  EXPECT_EQ(dir.value()->marker().peppers[0].version, 1u);
}

TEST_F(StoreDirTest, OneHandleAtATime) {
  CreateStore();
  {
    const auto dir = StoreDir::Open(path_, kFormat);
    ASSERT_TRUE(dir.ok());
    ExpectRefused(Code::kBusy);
    EXPECT_EQ(StoreDir::Create(path_).code(), Code::kBusy);
    const pid_t child = fork();
    if (child == 0) _exit(StoreDir::Open(path_, kFormat).code() == Code::kBusy ? 0 : 1);
    int result = -1;
    ASSERT_EQ(waitpid(child, &result, 0), child);
    EXPECT_EQ(result, 0) << "another process got the lock";
  }
  EXPECT_TRUE(StoreDir::Open(path_, kFormat).ok());
}

// A forked child has the same lock: ending there must not unlock us, living on must not keep it.
TEST_F(StoreDirTest, ForkNeitherStealsNorKeepsTheLock) {
  CreateStore();
  auto dir = StoreDir::Open(path_, kFormat);
  ASSERT_TRUE(dir.ok());
  int from_child[2];
  int to_child[2];
  ASSERT_EQ(pipe(from_child), 0);
  ASSERT_EQ(pipe(to_child), 0);
  const pid_t child = fork();
  if (child == 0) {
    dir.value().reset();  // as a host would that cleans up in the child
    char c = 'x';
    const bool told = write(from_child[1], &c, 1) == 1 && read(to_child[0], &c, 1) == 1;
    _exit(told ? 0 : 1);
  }
  char c = 0;
  ASSERT_EQ(read(from_child[0], &c, 1), 1);
  EXPECT_EQ(StoreDir::Open(path_, kFormat).code(), Code::kBusy) << "the child unlocked us";
  ASSERT_EQ(write(to_child[1], &c, 1), 1);
  waitpid(child, nullptr, 0);

  const pid_t keeper = fork();  // never closes its copy
  if (keeper == 0) {
    char wait = 0;
    _exit(read(to_child[0], &wait, 1) == 1 ? 0 : 1);
  }
  dir.value().reset();
  EXPECT_TRUE(StoreDir::Open(path_, kFormat).ok()) << "a child keeps the store";
  ASSERT_EQ(write(to_child[1], &c, 1), 1);
  waitpid(keeper, nullptr, 0);
  for (const int fd : {from_child[0], from_child[1], to_child[0], to_child[1]}) close(fd);
}

TEST_F(StoreDirTest, AckAlternatesAndTheNewestWins) {
  CreateStore();
  EXPECT_EQ(ReadFile(path_ + "/ack").size(), kAckFileSize);
  for (uint64_t number = 1; number <= 5; ++number) {
    {
      const auto dir = StoreDir::Open(path_, kFormat);
      ASSERT_TRUE(dir.value()->WriteAck(ExampleAck(number)).ok());
      ASSERT_TRUE(dir.value()->SyncAck().ok());
      EXPECT_EQ(dir.value()->ReadAck().value().event_number, number);
    }
    const Result<Ack> ack = ReadAckOnce();
    EXPECT_EQ(ack.value().event_number, number);
    EXPECT_EQ(ack.value().store_id, UuidOf(0x11));
    EXPECT_EQ(ack.value().history_id, UuidOf(0x22));
  }
  EXPECT_EQ(ReadFile(path_ + "/ack").size(), kAckFileSize);
}

// A write that was torn, or a byte that flipped: the other slot is what was acknowledged before.
TEST_F(StoreDirTest, DamagedSlotFallsBackToTheOther) {
  CreateStore();
  {
    const auto dir = StoreDir::Open(path_, kFormat);
    ASSERT_TRUE(dir.value()->WriteAck(ExampleAck(41)).ok());
    ASSERT_TRUE(dir.value()->WriteAck(ExampleAck(42)).ok());
  }
  const Bytes whole = ReadFile(path_ + "/ack");
  for (const size_t slot : {size_t{0}, kAckSlotStride}) {
    for (size_t at = slot; at < slot + kAckSlotSize; ++at) {
      Bytes damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
      WriteFile(path_ + "/ack", damaged);
      EXPECT_EQ(ReadAckOnce().value().event_number, slot == 0 ? 41u : 42u) << "byte " << at;
    }
  }
  // The next write goes over the damaged slot, not over the good one.
  Bytes damaged = whole;
  damaged[20] ^= 1;
  WriteFile(path_ + "/ack", damaged);
  {
    const auto dir = StoreDir::Open(path_, kFormat);
    ASSERT_TRUE(dir.value()->WriteAck(ExampleAck(43)).ok());
  }
  EXPECT_EQ(ReadFile(path_ + "/ack").substr(kAckSlotStride), whole.substr(kAckSlotStride));
  EXPECT_EQ(ReadAckOnce().value().event_number, 43u);
}

TEST_F(StoreDirTest, AckGoneIsCorruptionAndCanBeMadeAnew) {
  CreateStore();
  WriteFile(path_ + "/ack", Bytes(kAckFileSize, 'x'));
  EXPECT_EQ(ReadAckOnce().code(), Code::kCorruption);
  WriteFile(path_ + "/ack", "");
  EXPECT_EQ(ReadAckOnce().code(), Code::kCorruption);
  std::filesystem::remove(path_ + "/ack");
  EXPECT_EQ(ReadAckOnce().code(), Code::kCorruption);
  const auto dir = StoreDir::Open(path_, kFormat);
  EXPECT_EQ(dir.value()->WriteAck(ExampleAck(1)).code(), Code::kIo);
  EXPECT_EQ(dir.value()->SyncAck().code(), Code::kIo);
  ASSERT_TRUE(dir.value()->CreateAck(ExampleAck(9)).ok());
  ASSERT_TRUE(dir.value()->CreateAck(ExampleAck(10)).ok());
  ASSERT_TRUE(dir.value()->WriteAck(ExampleAck(11)).ok());
  EXPECT_EQ(dir.value()->ReadAck().value().event_number, 11u);
}

// The slot that is written second was once empty until then: a power cut that tore the first
// rewrite of the other one, and had not written it yet, left none.
TEST_F(StoreDirTest, ANewAckFileHasTwoWholeSlots) {
  for (const size_t torn : {size_t{0}, kAckSlotStride}) {
    const TempDir temp;
    const std::string path = temp / "store";
    {
      const auto dir = StoreDir::Create(path);
      ASSERT_TRUE(dir.ok());
      ASSERT_TRUE(dir.value()->CreateAck(ExampleAck(9)).ok());
      ASSERT_TRUE(dir.value()->WriteMarker(ExampleMarker()).ok());
    }
    std::fstream file(path + "/ack", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(torn + 20));
    file.put('x');
    file.close();
    const auto dir = StoreDir::Open(path, kFormat);
    ASSERT_TRUE(dir.ok());
    EXPECT_EQ(dir.value()->ReadAck().value().event_number, 9u);
  }
}

}  // namespace
}  // namespace latchkey::test
