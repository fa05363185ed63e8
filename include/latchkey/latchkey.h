/* latchkey: an in-process credential engine. This header is the whole C API, and its reference.
 *
 * Conventions
 *
 *  (1) Every function that can fail returns a latchkey_code. LATCHKEY_OK is 0. latchkey_verify()
 *      and latchkey_session_check() return LATCHKEY_OK only when the credential is allowed, so a
 *      host that looks only at the code fails closed.
 *  (2) Nothing has to be freed but the store handle. Results are plain structs in memory of the
 *      caller's; lists fill an array of the caller's; the secret goes into a buffer of the
 *      caller's.
 *  (3) Every options and result struct starts with `struct_size`, which the caller sets to
 *      sizeof(the struct) before the call. The library reads and writes no more than that, so a
 *      program built against an older header runs against a newer library; bytes of the caller's
 *      beyond what the library knows must be 0 in options, and are set to 0 in results. A
 *      struct_size smaller than the first version's, or larger than 4096, is
 *      LATCHKEY_INVALID_ARGUMENT.
 *  (4) Text comes in as pointer and size, need not end in NUL, and is never kept after the call;
 *      NULL with size 0 means "not given". Text goes out NUL-terminated in a fixed array with its
 *      size beside it where it may itself hold U+0000.
 *  (5) Times are whole Unix seconds (int64_t), UTC. Sizes are size_t, in bytes. UUIDs are 16 bytes.
 *  (6) Unless it says otherwise, a function may be called from any thread at any time, and a
 *      pointer that may be NULL says so; NULL anywhere else is LATCHKEY_INVALID_ARGUMENT.
 *  (7) On any code but LATCHKEY_OK a result struct holds zeros (struct_size kept), except where a
 *      function says what it holds. An argument may point into the result of the same call.
 *  (8) No exception leaves the library, nothing is printed, no signal or process state is touched.
 *  (9) A call that changes the store returns when the change is on the device (fsync) and in force:
 *      what latchkey_credential_revoke() has returned, no later latchkey_verify() on any thread
 *      contradicts. Its cost is one fsync, shared by all callers of the same moment.
 * (10) After fork() the child's copy of a handle answers LATCHKEY_UNSUPPORTED to everything but
 *      close, which there does nothing.
 *
 * Codes that every function with a store may return besides those it lists:
 *   INVALID_ARGUMENT  a NULL, a struct_size, or a value outside the limits below
 *   BUSY              the store is being closed, or is reopening itself after a failed write
 *   IO, CORRUPTION    the device failed, or what it gave back is not what was written
 *   UNSUPPORTED       the handle was inherited through fork()
 *   INTERNAL          a defect of latchkey, or no memory; the store is as it was
 * and every function that changes the store:
 *   OUTCOME_UNKNOWN   the write failed midway, or is done and could not be read back. A revocation
 *                     or lock is in force at once and is tried again when the store has healed;
 *                     whatever else it was may or may not have happened: look, then try again
 *   NO_SPACE          the device is full; nothing changed
 */
#ifndef LATCHKEY_LATCHKEY_H_
#define LATCHKEY_LATCHKEY_H_

#include <stddef.h>
#include <stdint.h>

#include "latchkey/export.h"
#include "latchkey/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Codes -------------------------------------------------------------------------------- */

/* What the caller can do about it. New codes may be added: treat an unknown one as a failure. */
typedef uint32_t latchkey_code;
#define LATCHKEY_OK 0u
#define LATCHKEY_INVALID_ARGUMENT 1u /* mend the call */
#define LATCHKEY_NOT_FOUND 2u        /* no such thing, or it belongs to another owner */
#define LATCHKEY_CONFLICT 3u         /* it exists already, or its state forbids it */
#define LATCHKEY_DENIED 4u           /* the credential is refused; the verdict says why */
#define LATCHKEY_FORBIDDEN 5u        /* the role does not allow it */
#define LATCHKEY_BUSY 6u             /* try again later */
#define LATCHKEY_OUTCOME_UNKNOWN 7u  /* look, then try again */
#define LATCHKEY_IO 8u               /* the device failed */
#define LATCHKEY_NO_SPACE 9u         /* make room */
#define LATCHKEY_CORRUPTION 10u      /* the store is damaged; nothing was changed */
#define LATCHKEY_WRONG_PEPPER 11u    /* the pepper file is missing, too open, or not this store's */
#define LATCHKEY_ROLLED_BACK 12u     /* it ends before what it has acknowledged, or an epoch */
#define LATCHKEY_GONE 13u            /* that part of the history has been trimmed */
#define LATCHKEY_UNSUPPORTED 14u     /* this build, kind or handle cannot do that */
#define LATCHKEY_INTERNAL 15u        /* a defect; please report it */

/* The sentence of a code, in static memory; never NULL. Any thread, never fails. Since ABI 1. */
LATCHKEY_API const char* latchkey_code_text(latchkey_code code);

/* The sentence of the rule that the latest failed call on this thread broke ("a name has at most 64
 * characters"), in static memory; never NULL, empty after a call that did not fail. It is one of a
 * fixed set of texts compiled into the library: never a secret, never the caller's bytes. For
 * people; programs look at the code. Since ABI 1. */
LATCHKEY_API const char* latchkey_error_text(void);

/* "x.y.z" of the library that is running, in static memory. Since ABI 1. */
LATCHKEY_API const char* latchkey_version(void);
/* The ABI number of the library that is running; compare with LATCHKEY_ABI. Since ABI 1. */
LATCHKEY_API uint32_t latchkey_abi(void);

/* ---- Limits ------------------------------------------------------------------------------- */

#define LATCHKEY_NAME_CHARACTERS_MAX 64 /* Unicode code points */
#define LATCHKEY_NAME_BYTES_MAX 256
#define LATCHKEY_SLUG_BYTES_MAX 64
#define LATCHKEY_EMAIL_BYTES_MAX 254
#define LATCHKEY_SECRET_BYTES_MAX 8192   /* what is longer is malformed, and is not hashed */
#define LATCHKEY_NEW_SECRET_BYTES_MAX 96 /* room for any generated secret and a NUL */
#define LATCHKEY_JWT_BYTES_MAX 8192      /* room for any session JWT and a NUL */
#define LATCHKEY_METADATA_BYTES_MAX 4096
#define LATCHKEY_REASON_BYTES_MAX 256
#define LATCHKEY_SEARCH_BYTES_MAX 1024
#define LATCHKEY_KEY_PREFIX_BYTES_MAX 32
#define LATCHKEY_TTL_MAX_S 4294967295 /* also the default: over 128 years */
#define LATCHKEY_SESSION_TTL_MAX_S 2592000
#define LATCHKEY_PAGE_SIZE_DEFAULT 8
#define LATCHKEY_DIRECTORY_BUDGET_DEFAULT 268435456 /* bytes */
#define LATCHKEY_VERIFY_BATCH_MAX 65536

/* ---- UUIDs -------------------------------------------------------------------------------- */

typedef struct latchkey_uuid {
  uint8_t bytes[16]; /* all zero = none */
} latchkey_uuid;

#define LATCHKEY_UUID_TEXT_SIZE 37 /* with its NUL */

/* Reads hyphenated, 32-digit, braced and urn:uuid: forms in any case. INVALID_ARGUMENT. Since
 * ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_uuid_parse(const char* text, size_t text_size,
                                                                 latchkey_uuid* out);
/* Writes 36 lower-case characters and a NUL. `uuid` and `text` must not be NULL. Since ABI 1. */
LATCHKEY_API void latchkey_uuid_format(const latchkey_uuid* uuid,
                                       char text[LATCHKEY_UUID_TEXT_SIZE]);

/* ---- Rules of names and slugs --------------------------------------------------------------- */

/* Whether the text could be a name: 1..64 Unicode characters of valid UTF-8, no Unicode white space
 * at either end. For a host that wants to refuse before it asks the store. INVALID_ARGUMENT: no;
 * latchkey_error_text() names the rule. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_name_check(const char* text,
                                                                 size_t text_size);
/* Whether the text could be a slug: 1..64 of [0-9a-z] and single inner hyphens. INVALID_ARGUMENT:
 * no. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_slug_check(const char* text,
                                                                 size_t text_size);

/* ---- The store ---------------------------------------------------------------------------- */

typedef struct latchkey_store latchkey_store;

#define LATCHKEY_OPEN_EXISTING 0u /* NOT_FOUND if there is none */
#define LATCHKEY_OPEN_CREATE 1u   /* make a new one; CONFLICT if there is one */
#define LATCHKEY_OPEN_OR_CREATE 2u

#define LATCHKEY_LOG_ERROR 0u
#define LATCHKEY_LOG_WARNING 1u
#define LATCHKEY_LOG_INFO 2u

/* `text` is valid during the call only; it never holds a secret. Called from any thread; must not
 * call into the same store. */
typedef void (*latchkey_log_function)(void* context, uint32_t level, const char* text);

/* The wall clock in milliseconds since the Unix epoch. Called from any thread, on every
 * verification; must not block. */
typedef int64_t (*latchkey_clock_function)(void* context);

/* How a store is loaded. Either way each answer rests on records that were made under the pepper;
 * that none was taken away, or put back as it once was, is known when all of them were read. */
#define LATCHKEY_LOAD_BEHIND 0u /* open returns at once, and the rest is read behind it */
#define LATCHKEY_LOAD_FIRST 1u  /* open returns when all was read and has added up */

/* How much has been loaded: `done` of `total` credentials. Called about ten times a second, and
 * once at the end, by a thread of the library's, or with LOAD_FIRST the caller's; never by two at
 * once. Must not call into the same store. `done` begins again when the store is reopened after a
 * failed write. */
typedef void (*latchkey_load_function)(void* context, uint64_t done, uint64_t total);

/* One moment of a store: its latest committed change, named so that nothing older can pass for it.
 * Kept outside the store and its backups, and given to a later open, it closes the one gap that the
 * store cannot close by itself: that all of it was replaced by an older copy of all of it. */
typedef struct latchkey_epoch {
  size_t struct_size;
  latchkey_uuid history_id;
  uint64_t event_number; /* 0 = before the first change */
  uint8_t event_id[16];  /* of that change; depends on all changes before it */
} latchkey_epoch;

#define LATCHKEY_EPOCH_TEXT_SIZE 91 /* with its NUL */

/* Reads "HISTORY/NUMBER/ID": a UUID, a decimal number, 32 hexadecimal digits, and nothing before,
 * between or behind them. INVALID_ARGUMENT when it is not that. Needs no store. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_epoch_parse(const char* text,
                                                                  size_t text_size,
                                                                  latchkey_epoch* out);
/* Writes that text and a NUL. Neither may be NULL; struct_size is not looked at. Never fails. Since
 * ABI 1. */
LATCHKEY_API void latchkey_epoch_format(const latchkey_epoch* epoch,
                                        char text[LATCHKEY_EPOCH_TEXT_SIZE]);

typedef struct latchkey_open_options {
  size_t struct_size;
  const char* path;        /* NUL-terminated; the store's folder */
  const char* pepper_path; /* NUL-terminated; NULL = path + ".pepper" */
  uint32_t mode;     /* LATCHKEY_OPEN_*; a new store makes its pepper file unless there is one */
  uint32_t reserved; /* 0 */
  latchkey_log_function log; /* NULL = silent */
  void* log_context;
  latchkey_clock_function clock; /* NULL = the system's */
  void* clock_context;
  uint64_t directory_budget_bytes; /* memory that all lists in use may take together; 0 =
                               LATCHKEY_DIRECTORY_BUDGET_DEFAULT. The one listed longest ago makes
                               room; what a running list still reads is not counted. An owner whose
                               list alone takes more (100 to 200 bytes a credential) has his lists
                               read from the store, with the same answers: see
                               latchkey_credential_list(). A list of users or projects that takes
                               more is made for each call and not kept */
  uint64_t memory_budget_bytes; /* what the table of credentials may take; 0 = what it needs, some
                                   100 bytes a credential; else 1 MiB or more. While one of its 256
                                   parts grows, it takes the size of that part more. What does not
                                   fit is answered from the store: see latchkey_verify() */
  uint32_t load;                /* LATCHKEY_LOAD_* */
  uint32_t load_reserved;       /* 0 */
  latchkey_load_function load_progress; /* NULL = nobody is told */
  void* load_context;
  const latchkey_epoch* epoch; /* the store must hold this very change, whatever it has taken since;
                                  NULL = nothing is demanded. A restored store holds those from
                                  before its backup. Cost: reads the changes since then */
} latchkey_open_options;

/* Opens or makes a store, and loads what verification needs into memory, behind the open unless
 * `load` says otherwise, by one thread, or two where there are 4,096 credentials or more. While
 * that goes on everything can be done; what is not loaded yet is answered from the store. If the
 * load finds the store damaged, or cannot read it, it tells the log function (level ERROR), and
 * from then on every function but latchkey_store_stats() and latchkey_store_close() returns
 * CORRUPTION or IO, and nothing more is written.
 *
 *   options  borrowed for the call, its functions until the store is closed.
 *   out      on OK a handle that the caller must give to latchkey_store_close(); NULL otherwise.
 *
 * NOT_FOUND no store there; CONFLICT something is there already (mode CREATE); INVALID_ARGUMENT
 * also: the folder is not a latchkey store; BUSY another process or handle holds it; WRONG_PEPPER;
 * UNSUPPORTED made by a newer latchkey: each of these leaves every byte as it was. ROLLED_BACK (the
 * store ends before what it has acknowledged, or does not hold `epoch`, or is not there although an
 * `epoch` was given and it would have been made), GONE (the change that `epoch` names has been
 * trimmed; nothing is today), CORRUPTION: no record was changed, though RocksDB may have turned its
 * log into tables; see latchkey_error_text().
 * With LOAD_FIRST, CORRUPTION and IO also: what the load found.
 * Cost: some 0.1 s, and up to 0.5 s after a crash, for what the log holds; reading all owners,
 * about 1 s a million; with LOAD_FIRST about 2 s a million credentials more, of two cores half of
 * that. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_store_open(const latchkey_open_options* options, latchkey_store** out);

/* Closes the store and frees the handle. BUSY while another thread is inside a call (the handle
 * stays good; try again). NULL is a harmless OK. On OK the handle is gone and must not be used
 * again. Since ABI 1. */
LATCHKEY_API latchkey_code latchkey_store_close(latchkey_store* store);

typedef struct latchkey_stats {
  size_t struct_size;
  latchkey_uuid store_id;
  latchkey_uuid history_id;
  uint64_t event_number; /* of the latest committed change */
  uint64_t users;        /* deleted ones not counted */
  uint64_t projects;
  uint64_t active; /* credentials not revoked; expired ones count here */
  uint64_t revoked;
  uint64_t sweeps_pending; /* mass revocations in force whose tombstones are still being written */
  uint64_t commits;        /* fsyncs since open */
  uint64_t commands;       /* changes asked for since open */
  uint64_t verify_table_bytes;
  uint64_t directory_bytes; /* memory of lists that are in use; at most directory_budget_bytes */
  uint64_t disk_bytes;
  uint64_t log_bytes;
  int64_t time_s; /* the time that verdicts use */
  uint32_t
      clock_jump_pending; /* 1: the clock jumped ahead; the jump is used but not remembered yet */
  uint32_t format;        /* of the store */
  uint64_t directories;   /* lists that are in use */
  uint64_t directories_evicted;    /* lists dropped since open to make room for others */
  uint64_t directory_budget_bytes; /* as the store was opened with */
  uint64_t verify_table_entries;
  uint64_t verify_table_missing; /* credentials that are answered from the store: not loaded yet, or
                                    beyond the memory budget */
  uint64_t load_done;            /* credentials that the load has read, */
  uint64_t load_total;           /* of so many that there were when the store was opened */
  uint32_t loading;              /* 1 = the load goes on */
  uint32_t reserved;
} latchkey_stats;

/* Counts and sizes. Answers also when the load has failed. While verify_table_missing is not 0 the
 * credentials of a mass revocation count as active until their tombstones are written. Cost:
 * microseconds, no device. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_store_stats(latchkey_store* store,
                                                                  latchkey_stats* out);

/* Remembers a clock that has jumped ahead (stats: clock_jump_pending): the operator says that it is
 * right. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_store_accept_clock(latchkey_store* store);

/* One finding of a check: `what` is one of a fixed set of sentences in static memory; `key` the
 * UUID of the record it is about, or all zero. */
typedef void (*latchkey_check_function)(void* context, const char* what, const latchkey_uuid* key);

/* Compares every record with every index, counter, MAC, seal and event, at one moment, while the
 * store is in use: changes and verifications go on. Waits until the store is loaded. OK when
 * nothing is wrong, CORRUPTION after at least one call of `found` (may be NULL), or without one
 * when the load has failed; BUSY also when a write has failed meanwhile. `found` is called by the
 * caller's thread and must not call into the same store. What to do then: latchkey_repair() with
 * dry_run says more; a backup is the better cure. Cost: reads the whole store, about 25 s of
 * processor time a million credentials. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_store_check(latchkey_store* store,
                                                                  latchkey_check_function found,
                                                                  void* context);

/* The latest change that is committed: every call that changed the store and has returned is in it.
 * To be kept where whoever can replace the store cannot write, and given to the next open; not in
 * the store's folder, nor in a backup. Nothing that it rests on is trimmed from the store. No codes
 * of its own. Cost: microseconds, no device. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_store_epoch(latchkey_store* store,
                                                                  latchkey_epoch* out);

/* ---- Backup and restore ------------------------------------------------------------------- */

/* Called with the bytes written so far, before the first and about once a megabyte; by the caller's
 * thread or one of the library's, never by two at once. Returning anything but 0 stops the backup,
 * which is then taken away and answers BUSY. Must not call into the same store. */
typedef int (*latchkey_backup_function)(void* context, uint64_t bytes);

typedef struct latchkey_backup_options {
  size_t struct_size;
  const char* path;  /* NUL-terminated; a folder for backups of this store alone. It is made if its
                       parent is there */
  uint32_t keep;     /* afterwards the oldest are dropped until this many are left; 0 = none is */
  uint32_t reserved; /* 0 */
  latchkey_backup_function progress; /* NULL = nobody is told */
  void* context;
} latchkey_backup_options;

typedef struct latchkey_backup {
  size_t struct_size;
  uint32_t number; /* from 1; the later, the higher */
  uint32_t reserved;
  int64_t time_s; /* by the system's clock */
  uint64_t bytes; /* of all its files, those that it shares with other backups included */
  uint64_t files;
  latchkey_uuid store_id;
  latchkey_uuid
      history_id;        /* the epoch of the moment when the backup began: it holds this change, */
  uint64_t event_number; /* and perhaps some that were committed while it began */
  uint8_t event_id[16];
} latchkey_backup;

/* Makes a backup of a store in use: all that was committed before the call, in a state that was
 * once whole. Tables that an earlier backup in the folder holds are not copied again. On the device
 * when it returns; one that was cut off, by a crash too, is none, and in nobody's way. Verification
 * goes on meanwhile. So do commits, which wait only while the files are listed, at its beginning,
 * and share the device with it afterwards: with a store of 100,000 keys the longest wait of a
 * create was 4.6 ms, and 0.9 ms without a backup (medians of 16 backups of 0.12 to 0.18 s, on a
 * quiet machine of two cores).
 *
 * A BACKUP NEVER HOLDS THE PEPPER. Without the pepper file no backup can be restored: keep a copy
 * of it, in another place than the backups.
 *
 * Waits until the store is loaded, so that one that does not add up makes no backups. `out` may be
 * NULL.
 *
 * NOT_FOUND the folder's parent is missing; INVALID_ARGUMENT also: there is something else in the
 * folder, or it is a file; CONFLICT it is for another store; BUSY also: another backup, restore or
 * verification uses the folder, `progress` stopped it, or a write of the store has failed
 * meanwhile; NO_SPACE on either device; IO also: the folder cannot be written. Dropping old ones
 * comes last: if that fails, with any of these, the new one is there. Several threads may call it
 * with different folders. Cost: reads and writes what is new since the last one, at most 4 MiB of
 * log among it; holds open what the store would remove meanwhile. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_store_backup(
    latchkey_store* store, const latchkey_backup_options* options, latchkey_backup* out);

/* The backups in a folder, the oldest first, as they say of themselves; restoring one checks it.
 * Fills up to `capacity` rows, whose struct_size the caller sets in the first (`rows` may be NULL
 * with capacity 0); *count is how many there are in all. One that was cut off, or that lacks a
 * file, is not listed. Needs no store and no pepper.
 *
 * NOT_FOUND no such folder; INVALID_ARGUMENT also: it is not one of backups; BUSY one is being made
 * there; CORRUPTION what is written on one does not read; IO; INTERNAL. Cost: reads a small file a
 * backup. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_backup_list(const char* path,
                                                                  latchkey_backup* rows,
                                                                  size_t capacity, size_t* count);

/* Reads all files of a backup (`number` 0 = the newest) and compares their checksums, which tells
 * damage. It takes no pepper, and so tells no forgery: restoring does.
 *
 * CORRUPTION it is damaged; NOT_FOUND no such folder or backup; INVALID_ARGUMENT also: not a folder
 * of backups; BUSY one is being made there; IO; INTERNAL. Any number of threads and processes at
 * once. Cost: reads the whole backup. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_backup_verify(const char* path,
                                                                    uint32_t number);

typedef struct latchkey_revocation {
  latchkey_uuid uuid;
  int64_t revoked_s; /* 0 = now */
} latchkey_revocation;

typedef struct latchkey_restore_options {
  size_t struct_size;
  const char* backup_path; /* NUL-terminated; a folder of backups */
  const char* path;        /* NUL-terminated; of the new store: nothing, or an empty folder */
  const char* pepper_path; /* NUL-terminated; NULL = path + ".pepper". It is read, never made */
  const char*
      damaged_path; /* NUL-terminated; the store that is given up, which is only read; NULL =
                               nothing is left of it */
  const latchkey_revocation* revocations; /* also to be revoked; NULL with 0 = none */
  size_t revocations_count;
  uint32_t number;   /* of the backup; 0 = the newest */
  uint32_t reserved; /* 0 */
} latchkey_restore_options;

typedef struct latchkey_restore_report {
  size_t struct_size;
  uint32_t number; /* of the backup */
  uint32_t reserved;
  latchkey_uuid store_id;   /* that of the backup */
  latchkey_uuid history_id; /* a new one */
  uint64_t shared_number;   /* up to this event the history is that of the backup */
  uint64_t event_number;    /* the latest, with what was carried over */
  uint64_t active;
  uint64_t revoked;
  uint64_t carried_revocations;      /* from the damaged store; so are the next three */
  uint64_t carried_mass_revocations; /* their tombstones are written after the first open */
  uint64_t carried_owners; /* locked, deleted, no admins any more, or their older tokens refused */
  uint64_t kept_unknown;   /* revoked ones that the backup did not have: they are there, revoked */
  uint64_t
      dropped_unknown; /* the same, where the backup has no place for them: unknown, so denied */
  uint64_t listed;     /* revoked because `revocations` says so */
  uint64_t listed_unknown;      /* on that list, and not in the store */
  uint64_t damaged_store_files; /* tables and logs of the damaged store, */
  uint64_t unreadable_files;    /* those that could not be read whole, */
  uint64_t unreadable_records;  /* and records in the others that are not what was written */
  uint64_t missing_revocations; /* that the damaged store says it had, and could not be read */
} latchkey_restore_report;

/* Makes a store from a backup. What was revoked does not come back: every tombstone, mass
 * revocation, lock and deletion that can still be read in the damaged store is carried over,
 * however little is left of it, and every credential of the list is revoked. What cannot be read is
 * counted and stops nothing: where missing_revocations, unreadable_files or unreadable_records is
 * not 0, hold the report against what you know. A file that is gone cannot be counted. Grants that
 * were taken away since the backup are not carried over.
 *
 * The new store has the id of the old one and a history of its own: an epoch from before the backup
 * fits it, a later one does not. Until the call has returned OK there is no store at `path`.
 * `out` may be NULL.
 *
 * CONFLICT there is something at `path`; NOT_FOUND no such folder, backup or damaged store, or the
 * parent of `path` is missing; INVALID_ARGUMENT also: not a folder of backups, the damaged store is
 * another one, or a time of the list is before 1970; WRONG_PEPPER it is missing, too open, or not
 * the one of the backup; UNSUPPORTED the backup is of a newer latchkey: all these are refused
 * before anything is made. BUSY a store at `path` or the damaged one is open, or a backup is being
 * made; CORRUPTION the backup is damaged, was altered, or is not what is written on it; IO, also
 * when the damaged store's folder cannot be listed; NO_SPACE; INTERNAL. What fails leaves an empty
 * folder at `path` at most.
 *
 * No store handle is needed; a store that was restored is to be opened like any. Cost: copies the
 * backup, reads all of it, and reads the damaged store once or twice; memory for each revocation
 * and owner of the damaged store, some 500 bytes. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_restore(const latchkey_restore_options* options, latchkey_restore_report* out);

/* ---- Kinds -------------------------------------------------------------------------------- */

#define LATCHKEY_KIND_USER_TOKEN 1u  /* legacy JWT of a user; imported, never created */
#define LATCHKEY_KIND_USER_KEY 2u    /* bencher_user_ and 30 characters */
#define LATCHKEY_KIND_PROJECT_KEY 3u /* bencher_run_ and 30 characters */
#define LATCHKEY_KIND_HOST_MIN 256u  /* a host's own kinds: 256..511 */
#define LATCHKEY_KIND_HOST_MAX 511u

#define LATCHKEY_FORMAT_JWT 1u
#define LATCHKEY_FORMAT_BASE62_30 2u     /* prefix + 30 of [0-9A-Za-z] */
#define LATCHKEY_FORMAT_BASE62_43_CRC 3u /* prefix + 43 of [0-9A-Za-z] + 6 of CRC-32 */

#define LATCHKEY_OWNER_USER 1u
#define LATCHKEY_OWNER_PROJECT 2u

typedef struct latchkey_kind {
  size_t struct_size;
  uint32_t kind;       /* LATCHKEY_KIND_HOST_MIN..MAX when registering */
  uint32_t format;     /* LATCHKEY_FORMAT_*; registering: 0 = BASE62_43_CRC, and never JWT */
  uint32_t owner_sort; /* LATCHKEY_OWNER_*: who may hold one */
  uint32_t reserved;   /* 0 */
  char name[LATCHKEY_SLUG_BYTES_MAX + 1];         /* a slug, "deploy-key" */
  char prefix[LATCHKEY_KEY_PREFIX_BYTES_MAX + 1]; /* 2..32 of [0-9a-z_], a letter first, '_' last */
} latchkey_kind;

/* Registers a kind of the host's own. Again with the same content: OK, nothing written. CONFLICT:
 * the number, name or prefix is taken by another, or one prefix begins with the other. Since
 * ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_kind_register(latchkey_store* store,
                                                                    const latchkey_kind* kind);
/* NOT_FOUND. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_kind_get(latchkey_store* store, uint32_t kind,
                                                               latchkey_kind* out);

/* ---- Owners: users and projects ----------------------------------------------------------- */

#define LATCHKEY_VISIBILITY_PUBLIC 0u
#define LATCHKEY_VISIBILITY_PRIVATE 1u

typedef struct latchkey_owner {
  size_t struct_size;
  latchkey_uuid uuid;
  uint32_t sort;       /* LATCHKEY_OWNER_* */
  uint32_t admin;      /* users: 1 = server admin */
  uint32_t locked;     /* users: 1 = all credentials are refused until unlocked */
  uint32_t visibility; /* projects: LATCHKEY_VISIBILITY_* */
  int64_t creation_s;
  int64_t deleted_s;           /* 0 = not deleted */
  int64_t tokens_not_before_s; /* users: untracked JWTs issued up to then are refused */
  size_t name_size;
  char name[LATCHKEY_NAME_BYTES_MAX + 1];
  char slug[LATCHKEY_SLUG_BYTES_MAX + 1];
  char email[LATCHKEY_EMAIL_BYTES_MAX + 1]; /* users; empty = none */
} latchkey_owner;

typedef struct latchkey_owner_create_options {
  size_t struct_size;
  uint32_t sort;
  uint32_t admin;
  uint32_t visibility;
  uint32_t reserved;   /* 0 */
  latchkey_uuid uuid;  /* all zero = one is made (version 7) */
  latchkey_uuid actor; /* who does this, for the history; all zero = nobody in particular */
  const char* name;    /* 1..64 characters, see latchkey_credential_create() */
  size_t name_size;
  const char* slug; /* NULL = made from the name, with a suffix if it is taken */
  size_t slug_size;
  const char* email; /* users; NULL = none */
  size_t email_size;
} latchkey_owner_create_options;

/* CONFLICT: UUID (deleted owners keep theirs), slug or e-mail is taken; repeated with a UUID of the
 * caller's and the same content it is OK, and `out` what is there. `out` may be NULL. Since
 * ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_owner_create(
    latchkey_store* store, const latchkey_owner_create_options* options, latchkey_owner* out);

/* By UUID (deleted ones too), else by slug, else, for users, by e-mail (ASCII case ignored): a text
 * that reads as a UUID is never a slug. NOT_FOUND; INVALID_ARGUMENT: none of the three. Since
 * ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_owner_get(latchkey_store* store,
                                                                uint32_t sort, const char* id,
                                                                size_t id_size,
                                                                latchkey_owner* out);

#define LATCHKEY_OWNER_SET_NAME 1u
#define LATCHKEY_OWNER_SET_SLUG 2u
#define LATCHKEY_OWNER_SET_EMAIL 4u /* revokes the user's legacy tokens in the same change */
#define LATCHKEY_OWNER_SET_ADMIN 8u
#define LATCHKEY_OWNER_SET_LOCKED 16u
#define LATCHKEY_OWNER_SET_VISIBILITY 32u

typedef struct latchkey_owner_update_options {
  size_t struct_size;
  latchkey_uuid uuid;
  latchkey_uuid actor;
  uint32_t set; /* LATCHKEY_OWNER_SET_*, at least one */
  uint32_t admin;
  uint32_t locked;
  uint32_t visibility;
  const char* name;
  size_t name_size;
  const char* slug;
  size_t slug_size;
  const char* email; /* NULL with SET_EMAIL takes it away */
  size_t email_size;
} latchkey_owner_update_options;

/* NOT_FOUND (a deleted one too); CONFLICT: slug or e-mail is taken. What is set to what it was
 * changes nothing. `out` may be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_owner_update(
    latchkey_store* store, const latchkey_owner_update_options* options, latchkey_owner* out);

/* Soft: its credentials are refused from now on (`deleted`), its slug and e-mail become free, its
 * name becomes "Deleted <uuid>", its UUID is never given again. NOT_FOUND; CONFLICT: deleted
 * already. `actor` may be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_owner_delete(latchkey_store* store,
                                                                   const latchkey_uuid* uuid,
                                                                   const latchkey_uuid* actor);

typedef struct latchkey_list_options {
  size_t struct_size;
  latchkey_uuid owner; /* credentials: whose; owners: ignored */
  uint32_t kind;       /* credentials: a kind; owners: LATCHKEY_OWNER_* */
  uint32_t revoked;    /* 0 = only active, 1 = only revoked (owners: only deleted) */
  uint32_t descending; /* 0 = by name, then creation, then UUID; 1 = exactly the reverse */
  uint32_t page;       /* from 1; 0 means 1 */
  uint32_t page_size;  /* rows a page; 0 = an empty page */
  uint32_t reserved;   /* 0 */
  const char* name;    /* exact; NULL = any */
  size_t name_size;
  const char* slug; /* exact; NULL = any */
  size_t slug_size;
  const char* search; /* substring, no wildcards, ASCII case ignored; NULL or empty = all */
  size_t search_size; /* over name and UUID; for tokens and owners over the slug too */
} latchkey_list_options;

/* A page of users or projects. See latchkey_credential_list(). Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_owner_list(latchkey_store* store, const latchkey_list_options* options,
                    latchkey_owner* rows, size_t capacity, size_t* count, uint64_t* total);

/* ---- Grants: one user's role on one project ------------------------------------------------ */

#define LATCHKEY_ROLE_NONE 0u
#define LATCHKEY_ROLE_VIEWER 1u
#define LATCHKEY_ROLE_DEVELOPER 2u
#define LATCHKEY_ROLE_MAINTAINER 3u

typedef struct latchkey_grant {
  size_t struct_size;
  latchkey_uuid project;
  latchkey_uuid user;
  uint32_t role;
  uint32_t reserved;
} latchkey_grant;

/* Sets or changes a role (VIEWER..MAINTAINER). NOT_FOUND: project or user, deleted ones included.
 * `actor` may be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_grant_set(latchkey_store* store,
                                                                const latchkey_uuid* project,
                                                                const latchkey_uuid* user,
                                                                uint32_t role,
                                                                const latchkey_uuid* actor);
/* NOT_FOUND: no such grant. `actor` may be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_grant_remove(latchkey_store* store,
                                                                   const latchkey_uuid* project,
                                                                   const latchkey_uuid* user,
                                                                   const latchkey_uuid* actor);
/* The grants of a project in order of the users' UUIDs, from the first user after `after` (NULL =
 * from the beginning). `rows` may be NULL when capacity is 0; `total` counts all. NOT_FOUND: the
 * project. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_grant_list(latchkey_store* store, const latchkey_uuid* project, const latchkey_uuid* after,
                    latchkey_grant* rows, size_t capacity, size_t* count, uint64_t* total);

/* OK when the user has at least `role` on the project, or is a server admin, and is neither locked
 * nor deleted; the project must not be deleted. FORBIDDEN otherwise; NOT_FOUND: no such user or
 * project. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_authorize(latchkey_store* store,
                                                                const latchkey_uuid* user,
                                                                const latchkey_uuid* project,
                                                                uint32_t role);

/* ---- Credentials -------------------------------------------------------------------------- */

typedef struct latchkey_credential {
  size_t struct_size;
  latchkey_uuid uuid;
  latchkey_uuid owner;
  latchkey_uuid creator;   /* user who made it; all zero = unknown */
  latchkey_uuid minted_by; /* credential that made it; all zero = none */
  latchkey_uuid revoked_by;
  uint32_t kind;
  uint32_t reserved;
  int64_t creation_s;
  int64_t not_before_s; /* 0 = from creation on */
  int64_t expires_s;
  int64_t revoked_s;    /* 0 = active */
  int64_t last_used_s;  /* 0 = never, or not known yet; up to 60 s behind; at most 4294967295 */
  uint64_t scopes;      /* 0 = limited by kind and owner alone */
  size_t metadata_size; /* latchkey_credential_metadata() gives the bytes */
  size_t name_size;
  char name[LATCHKEY_NAME_BYTES_MAX + 1];
  char slug[LATCHKEY_SLUG_BYTES_MAX + 1]; /* made from the name at creation; stays on rename */
} latchkey_credential;

typedef struct latchkey_credential_create_options {
  size_t struct_size;
  latchkey_uuid uuid; /* all zero = one is made (version 7) */
  latchkey_uuid owner;
  latchkey_uuid creator;   /* all zero = unknown */
  latchkey_uuid minted_by; /* the credential that asked for it; all zero = none */
  uint32_t kind;
  uint32_t has_ttl;     /* 0 = LATCHKEY_TTL_MAX_S, 1 = ttl_s */
  int64_t ttl_s;        /* 1..LATCHKEY_TTL_MAX_S */
  int64_t not_before_s; /* 0 = from now on */
  uint64_t scopes;
  const char* name;
  size_t name_size;
  const void* metadata; /* opaque to latchkey */
  size_t metadata_size;
} latchkey_credential_create_options;

/* Issues a credential. Its secret exists once, in the caller's buffer.
 *
 *   name             1..64 Unicode characters, valid UTF-8, no white space at either end.
 *   secret           caller's buffer of secret_capacity bytes, at least
 *                    LATCHKEY_NEW_SECRET_BYTES_MAX; on OK the secret and a NUL, on any other code
 *                    zeros. Wipe it after use.
 *   secret_size      its size without the NUL. May be NULL.
 *   out              may be NULL.
 *
 * NOT_FOUND: no such owner, or it is deleted; no such creator or minted_by; CONFLICT: the UUID is
 * taken (the secret of a create that was not answered cannot be had again: revoke that UUID, and
 * create another); FORBIDDEN: minted_by is revoked, and makes nothing more; UNSUPPORTED: kind
 * USER_TOKEN, or one that is not registered, or not for this sort of owner; INTERNAL also: the
 * random source failed. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_create(
    latchkey_store* store, const latchkey_credential_create_options* options, char* secret,
    size_t secret_capacity, size_t* secret_size, latchkey_credential* out);

/* By UUID, whoever owns it, whatever its state; its name and its revocation are of one moment.
 * NOT_FOUND. Cost: two reads of the store. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_get(latchkey_store* store,
                                                                     const latchkey_uuid* uuid,
                                                                     latchkey_credential* out);
/* By the text of its UUID, else by its slug, among the credentials of one owner and kind.
 * NOT_FOUND. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_find(latchkey_store* store,
                                                                      const latchkey_uuid* owner,
                                                                      uint32_t kind, const char* id,
                                                                      size_t id_size,
                                                                      latchkey_credential* out);

/* The opaque bytes given at creation. *size is how many there are; if that is more than `capacity`
 * nothing is copied (INVALID_ARGUMENT). `buffer` may be NULL when capacity is 0. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_metadata(
    latchkey_store* store, const latchkey_uuid* uuid, void* buffer, size_t capacity, size_t* size);

/* A legacy token as it may be shown: header.payload.REDACTED and a NUL. The signature is not
 * stored. UNSUPPORTED: not a USER_TOKEN. `text` has LATCHKEY_JWT_BYTES_MAX bytes at least. Since
 * ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_redacted_token(
    latchkey_store* store, const latchkey_uuid* uuid, char* text, size_t capacity, size_t* size);

/* Gives it another name; nothing else changes. NOT_FOUND. `actor` and `out` may be NULL. Since
 * ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_credential_rename(latchkey_store* store, const latchkey_uuid* uuid, const char* name,
                           size_t name_size, const latchkey_uuid* actor, latchkey_credential* out);

/* Revokes it for good: from the moment this returns OK no verification on any thread allows it, and
 * nothing ever makes it work again. NOT_FOUND; CONFLICT: revoked already. `reason` (0..256 bytes,
 * valid UTF-8), `actor` and `out` may be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_revoke(
    latchkey_store* store, const latchkey_uuid* uuid, const latchkey_uuid* actor,
    const char* reason, size_t reason_size, latchkey_credential* out);

/* A mass revocation: every credential that was made before this call and fits all that is given. */
typedef struct latchkey_sweep_options {
  size_t struct_size;
  latchkey_uuid owner;     /* all zero = any */
  latchkey_uuid creator;   /* all zero = any */
  latchkey_uuid minted_by; /* all zero = any */
  latchkey_uuid actor;
  uint32_t kind;           /* 0 = any */
  uint32_t everything;     /* must be 1 when nothing else narrows it, 0 otherwise */
  uint64_t scopes;         /* has all of these bits; 0 = any */
  int64_t issued_before_s; /* creation earlier than this; 0 = any */
  const char* reason;      /* may be NULL */
  size_t reason_size;
} latchkey_sweep_options;

/* In force for all of them when it returns; the tombstones are written behind it (stats:
 * sweeps_pending), also after a crash. Also sets tokens_not_before when it covers a user's tokens.
 * *covered (may be NULL) is how many active credentials it revoked. NOT_FOUND: the owner.
 * Cost: one fsync, and a walk over the verify table (some 30 ms a million credentials) when nothing
 * but kind and scopes, or `everything`, narrows it and the table holds every credential; with an
 * owner about 2 s a million of his, with creator, minted_by or issued_before alone, or a table that
 * does not, as much of the whole store. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_revoke_all(
    latchkey_store* store, const latchkey_sweep_options* options, uint64_t* covered);

/* A page of one owner's credentials of one kind, in the order of their names (bytewise), and how
 * many fit the filters in all, both of the same moment. A page past the end is empty.
 *
 *   rows      caller's array; rows[0].struct_size says the size of each element, at least when
 *             capacity > 0. May be NULL when capacity is 0.
 *   count     rows filled: at most page_size and capacity.
 *   total     may be NULL.
 *
 * NOT_FOUND: no such owner (a deleted one's are listed). Cost: microseconds; the first list of an
 * owner reads its index, about 1 s a million, and so does one after others have made it leave
 * memory (directory_budget_bytes). Where the list alone is larger than that budget, a page without
 * name, slug and search costs tens of microseconds near either end, other pages and searches about
 * 1 s a million rows that are walked over, and while the store reopens itself the answer is BUSY.
 * Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_list(
    latchkey_store* store, const latchkey_list_options* options, latchkey_credential* rows,
    size_t capacity, size_t* count, uint64_t* total);

/* A place in a list that neither skips nor repeats a row when others come and go between pages.
 * Plain data: copy it, keep it, store it. Zeroed (struct_size set) = the beginning. */
typedef struct latchkey_cursor {
  size_t struct_size;
  int64_t creation_s;
  latchkey_uuid uuid;
  uint32_t started; /* 0 = at the beginning */
  uint32_t done;    /* 1 = there was no further row */
  size_t name_size;
  char name[LATCHKEY_NAME_BYTES_MAX + 1];
} latchkey_cursor;

/* The next rows after the cursor, which is moved on; options->page is ignored. Otherwise as
 * latchkey_credential_list(), and without a search tens of microseconds also where the list is
 * larger than the budget. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_credential_list_next(
    latchkey_store* store, const latchkey_list_options* options, latchkey_cursor* cursor,
    latchkey_credential* rows, size_t capacity, size_t* count);

/* ---- Verification ------------------------------------------------------------------------- */

/* Why a credential was refused: the first that applies. For the host's own log and metrics; whoever
 * presented it should learn no more than "invalid". */
#define LATCHKEY_REASON_ALLOWED 0u
#define LATCHKEY_REASON_MALFORMED 1u
#define LATCHKEY_REASON_UNKNOWN 2u
#define LATCHKEY_REASON_REVOKED 3u
#define LATCHKEY_REASON_EXPIRED 4u
#define LATCHKEY_REASON_NOT_YET 5u
#define LATCHKEY_REASON_LOCKED 6u
#define LATCHKEY_REASON_DELETED 7u
#define LATCHKEY_REASON_SCOPE 8u

/* "allowed", "malformed", ...; in static memory, never NULL. Since ABI 1. */
LATCHKEY_API const char* latchkey_reason_text(uint32_t reason);

/* How JWTs are signed: HS256. Borrowed for the call. */
typedef struct latchkey_jwt_key {
  size_t struct_size;
  const void* secret; /* 1..4096 bytes */
  size_t secret_size;
  const char* issuer; /* the `iss` claim, exactly; 1..256 bytes */
  size_t issuer_size;
} latchkey_jwt_key;

typedef struct latchkey_verify_options {
  size_t struct_size;
  uint64_t required_scopes; /* all of these bits must be set on the credential */
  int64_t at_s;             /* 0 = now, by a clock that ticks every 1 to 10 ms; otherwise a what-if:
                               replaces the clock for this answer only */
  const latchkey_jwt_key* untracked_tokens; /* NULL = a token that is not in the store is unknown.
                               Given: such a token is allowed when its signature, issuer, audience
                               `api_key` and expiry hold, its user is live, and it was issued later
                               than the user's tokens_not_before */
} latchkey_verify_options;

typedef struct latchkey_verdict {
  size_t struct_size;
  uint32_t reason;     /* LATCHKEY_REASON_* */
  uint32_t kind;       /* 0 when unknown or malformed */
  latchkey_uuid uuid;  /* of the credential; all zero when unknown, malformed, or untracked */
  latchkey_uuid owner; /* whose it is; all zero when unknown or malformed */
  uint64_t scopes;
  int64_t expires_s;
  uint32_t jwt_signed; /* 1 = a JWT whose signature, issuer and audience were judged, and held: when
                          such a one is UNKNOWN, there is no such user, or it is older than he is */
  uint32_t reserved;
} latchkey_verdict;

/* Judges one presented secret.
 *
 *   secret   borrowed for the call; any bytes, not NUL-terminated; never kept, never logged. May be
 *            NULL when secret_size is 0.
 *   options  may be NULL: no scopes required, now, tracked tokens only.
 *   out      filled on OK and on DENIED; may be NULL.
 *
 * OK: allowed. DENIED: anything else; out->reason says what. BUSY, IO, CORRUPTION: not judged; the
 * store had to be asked, and could not be. out->reason is UNKNOWN then, and says nothing.
 * No lock, no allocation, no device, and the time it takes does not depend on how much of a guess
 * was right; untracked tokens excepted, and secrets that the table does not hold while it does not
 * hold every credential (stats: verify_table_missing, loading): these cost a few reads of the
 * store, some 10 us when they are cached, and their time tells whether the credential exists. So do
 * those that are right after a mass revocation by creator, minted_by or issued_before that was made
 * while the store could not be read, until it can be. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_verify(latchkey_store* store,
                                                             const void* secret, size_t secret_size,
                                                             const latchkey_verify_options* options,
                                                             latchkey_verdict* out);

typedef struct latchkey_bytes {
  const void* data;
  size_t size;
} latchkey_bytes;

/* Judges `count` secrets (at most LATCHKEY_VERIFY_BATCH_MAX), each as latchkey_verify() would.
 * `codes` has room for `count` codes: those of latchkey_verify(); `verdicts` may be NULL, else
 * verdicts[0].struct_size says the size of each element. Returns OK when each has its code,
 * whatever it is. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_verify_batch(
    latchkey_store* store, const latchkey_bytes* secrets, size_t count,
    const latchkey_verify_options* options, latchkey_code* codes, latchkey_verdict* verdicts);

/* Whose key is this? For leak reports: by the secret, or by its SHA-256 (32 bytes). Answers for
 * every state. NOT_FOUND. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_identify_secret(latchkey_store* store,
                                                                      const void* secret,
                                                                      size_t secret_size,
                                                                      latchkey_credential* out);
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_identify_sha256(latchkey_store* store,
                                                                      const uint8_t digest[32],
                                                                      latchkey_credential* out);

/* ---- Sessions: client JWTs, never stored -------------------------------------------------- */

typedef struct latchkey_session_options {
  size_t struct_size;
  const char* subject; /* `sub`: the user's e-mail, or the text of his UUID when he has none */
  size_t subject_size;
  int64_t now_s; /* `iat`; 0 = the system's clock */
  int64_t ttl_s; /* 1..LATCHKEY_SESSION_TTL_MAX_S */
} latchkey_session_options;

/* Signs a JWT with aud `client`, iss, iat, exp and sub. Needs no store. `text` has
 * LATCHKEY_JWT_BYTES_MAX bytes at least; on OK the JWT and a NUL. `size` may be NULL; *expires_s
 * (may be NULL) is its `exp`. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_session_issue(const latchkey_session_options* options, const latchkey_jwt_key* key,
                       char* text, size_t capacity, size_t* size, int64_t* expires_s);

/* Judges a client JWT: well-formed, signed by `key`, issuer, audience `client`, not expired (it
 * lives through its `exp` second), its user live, and issued no earlier than he was made, changed
 * his e-mail or had his tokens revoked. OK or DENIED; reason UNKNOWN stands for a bad signature,
 * issuer or audience, and, with out->jwt_signed 1, for the user. `at_s`: 0 = now. `out` may be
 * NULL; its owner is the user. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code
latchkey_session_check(latchkey_store* store, const char* jwt, size_t jwt_size,
                       const latchkey_jwt_key* key, int64_t at_s, latchkey_verdict* out);

/* ---- Import ------------------------------------------------------------------------------- */

/* Fills `buffer` with up to `capacity` bytes of NDJSON and returns how many; 0 = the end;
 * SIZE_MAX = reading failed (the import stops with IO; what was done stands). */
typedef size_t (*latchkey_read_function)(void* context, char* buffer, size_t capacity);
/* One refused line: its number from 1, a code, and a sentence in static memory. */
typedef void (*latchkey_refused_function)(void* context, uint64_t line, latchkey_code code,
                                          const char* text);
/* Called about once a second, and at the end. Returning anything but 0 stops the import (BUSY). */
typedef int (*latchkey_progress_function)(void* context, uint64_t lines, uint64_t bytes);

typedef struct latchkey_import_options {
  size_t struct_size;
  latchkey_read_function read;
  latchkey_refused_function refused;   /* may be NULL */
  latchkey_progress_function progress; /* may be NULL */
  void* context;                       /* given to all three */
  latchkey_uuid actor;
  uint32_t dry_run;  /* 1 = judge every line, write nothing */
  uint32_t reserved; /* 0 */
} latchkey_import_options;

typedef struct latchkey_import_report {
  size_t struct_size;
  uint64_t lines;
  uint64_t imported; /* made, or revoked because the line says so */
  uint64_t skipped;  /* there already, just so */
  uint64_t refused;
} latchkey_import_report;

/* Imports owners, grants and issued credentials from NDJSON, one object a line (README.md gives the
 * shapes). A line is whole or refused; a refused line stops nothing. Run again, it skips what is
 * there; a line that differs only by being revoked revokes. Written in atomic batches small enough
 * that no other change waits long: of 128 lines; or, if the store held no credential when the
 * import began, of as many lines as take about 300 ms (8,192 at the least), sorted into files,
 * which is faster, and which the background goes on merging when the import has returned. Lines
 * are read for their form on a thread of the library's; the functions given are called on the
 * caller's. Memory: twice the largest batch, and, for a store without credentials, some 6 bytes a
 * line more. OK also when lines were refused: see the report, which is filled on every code. `out`
 * may be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_import(latchkey_store* store,
                                                             const latchkey_import_options* options,
                                                             latchkey_import_report* out);

/* ---- Check and repair --------------------------------------------------------------------- */

/* How far a check is: `done` of `total` credentials. Called by the caller's thread, about every
 * thousand. Returning anything but 0 stops the check (BUSY). Must not call into the same store. */
typedef int (*latchkey_check_progress_function)(void* context, uint64_t done, uint64_t total);

typedef struct latchkey_check_options {
  size_t struct_size;
  latchkey_check_function found;             /* NULL = nobody is told */
  latchkey_check_progress_function progress; /* NULL = nobody is told */
  void* context;                             /* of both */
} latchkey_check_options;

typedef struct latchkey_check_report {
  size_t struct_size;
  uint64_t findings;
  uint64_t owners; /* what was looked at: deleted ones included, */
  uint64_t credentials;
  uint64_t tombstones; /* the revoked ones among them, */
  uint64_t events;     /* and the changes that are kept */
} latchkey_check_report;

/* As latchkey_store_check(), with progress and a report, which is filled on every code. `out` may
 * be NULL. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_store_check_report(
    latchkey_store* store, const latchkey_check_options* options, latchkey_check_report* out);

/* How many records and events a repair has read so far, in all its passes. Called by the caller's
 * thread, about every thousand. Returning anything but 0 stops the repair (BUSY): what is written
 * then is a part of what it would have written, and the next one ends it. */
typedef int (*latchkey_repair_function)(void* context, uint64_t read);

typedef struct latchkey_repair_options {
  size_t struct_size;
  const char* path;        /* NUL-terminated; the store's folder */
  const char* pepper_path; /* NUL-terminated; NULL = path + ".pepper". It is read, never made */
  uint32_t dry_run;        /* 1 = says what is wrong and what would be done, changes no byte */
  uint32_t accept_broken_events;     /* 1 = goes on where the history is lost, and revokes whatever
                                        cannot be shown not to have been revoked: see below */
  latchkey_check_function found;     /* a sentence for each finding, which also says what is done
                                        about it; NULL = nobody is told. Called by the caller's
                                        thread, before anything is written */
  latchkey_repair_function progress; /* NULL = nobody is told */
  void* context;                     /* of both */
} latchkey_repair_options;

/* What shows which records are right. */
#define LATCHKEY_PROOF_SUM 1u     /* they add up to what the head says */
#define LATCHKEY_PROOF_EVENTS 2u  /* the chain of events holds from the first to the last */
#define LATCHKEY_PROOF_NOTHING 3u /* neither does, or nothing shows that they are the latest */

typedef struct latchkey_repair_report {
  size_t struct_size;
  uint32_t proof;                 /* LATCHKEY_PROOF_*; 0 = the store could not be read so far */
  uint32_t needs_accept;          /* 1 = the history is lost: nothing is done without
                                   accept_broken_events */
  uint64_t findings;              /* 0 = the store was sound, and nothing was written */
  uint64_t indexes_mended;        /* entries and counts put right, put back or taken out */
  uint64_t records_written;       /* as they should be, and were not; those that follow included */
  uint64_t tombstones_restored;   /* revocations that had been taken away */
  uint64_t records_set_aside;     /* not believed: kept where nothing reads them */
  uint64_t credentials_withdrawn; /* revoked because nothing shows that they were not */
  uint64_t owners_withdrawn;      /* users locked, and no admins any more, for the same reason */
  uint64_t grants_withdrawn;      /* roles taken back, for the same reason */
  uint64_t events_lost;           /* changes that are no longer kept: the history that was lost */
  uint32_t history_begun;         /* 1 = a new history, which shares nothing with the lost one */
  uint32_t reserved;
  latchkey_uuid history_id;
  uint64_t event_number; /* of the latest change */
  uint64_t active;       /* credentials, as they are afterwards */
  uint64_t revoked;
} latchkey_repair_report;

/* Puts a damaged store right, while nobody has it open. First it looks, and writes nothing; a sound
 * store is left as it is, to the byte. Every index, count and sum is made again from the records;
 * the records from what shows them:
 *
 *   SUM      the records whose MACs hold are all there is; what else stands among them is set aside
 *   EVENTS   each record is written as the events have it; a tombstone that was taken away, too
 *   NOTHING  CORRUPTION, and nothing is written, unless accept_broken_events is 1. Then records
 *            whose MACs hold are kept, but every credential is revoked, every user locked and no
 *            admin, every project private, every role taken back: each of them may be a record
 *            that was put back
 *
 * A record whose MAC does not hold is never believed. A tombstone or mass revocation whose MAC
 * holds is never dropped, whatever the events say. Where the events are lost, but the records add
 * up, nothing has to be revoked; that too needs accept_broken_events, since a new history begins.
 * What RocksDB itself cannot read is not mended: restore a backup then.
 *
 *   options  borrowed for the call.
 *   out      may be NULL; filled on every code, with dry_run with what would be done.
 *
 * OK the store is sound now, or with dry_run could be made so. CORRUPTION the history is lost, and
 * that was not accepted (out->needs_accept is 1); or the marker, or RocksDB's files, cannot be
 * read. ROLLED_BACK marker and database are of two stores. NOT_FOUND no store; INVALID_ARGUMENT
 * also: the folder is none; BUSY somebody has the store open, or `progress` stopped it;
 * WRONG_PEPPER; UNSUPPORTED a newer latchkey has written to it; IO, NO_SPACE. Killed in the middle,
 * it leaves a store that the next repair ends. Cost: about 30 s of processor time a million
 * credentials to look, 60 more to write all of them anew; memory for the owners, and some 80 bytes
 * a credential where the events are the proof. Since ABI 1. */
LATCHKEY_API LATCHKEY_MUST_USE latchkey_code latchkey_repair(const latchkey_repair_options* options,
                                                             latchkey_repair_report* out);

#ifdef __cplusplus
}
#endif

#endif /* LATCHKEY_LATCHKEY_H_ */
