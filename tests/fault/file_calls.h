// Which folders the file calls of this process are told to (file_calls.cc).
#pragma once

namespace latchkey_test {

class Disk;

void AddDisk(Disk* disk);
// No file of it may be in use any more.
void RemoveDisk(Disk* disk);

}  // namespace latchkey_test
