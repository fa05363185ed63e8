// Reading one line: members, their forms, and the digest of what it names.
#include "service/import_line.h"

#include "base/limits.h"
#include "base/text.h"
#include "crypto/jwt.h"
#include "service/credentials.h"

namespace latchkey {
namespace {

Status Bad(Literal text) { return Status::Error(Code::kInvalidArgument, text); }

class Line {
 public:
  explicit Line(JsonObjectReader* json) : json_(*json) {}

  Result<std::optional<ByteView>> OptionalText(ByteView name) { return json_.String(name); }
  Result<ByteView> Text(ByteView name, Literal missing) {
    LATCHKEY_TRY_ASSIGN(const std::optional<ByteView> text, OptionalText(name));
    return text.has_value() ? Result<ByteView>(*text) : Result<ByteView>(Bad(missing));
  }
  Result<Uuid> Id(ByteView name, Literal missing) {
    LATCHKEY_TRY_ASSIGN(const ByteView text, Text(name, missing));
    return NotNil(ParseUuid(text));
  }
  Result<Uuid> OptionalId(ByteView name) {
    LATCHKEY_TRY_ASSIGN(const std::optional<ByteView> text, OptionalText(name));
    if (!text.has_value()) return Uuid{};
    return NotNil(ParseUuid(*text));
  }
  // 0 when absent.
  Result<int64_t> Time(ByteView name) {
    LATCHKEY_TRY_ASSIGN(const std::optional<int64_t> time, json_.Whole(name));
    if (time.value_or(0) < 0 || time.value_or(0) > limits::kTimeMaxS) {
      return Bad("a time is not one from 1970 to 9999, in Unix seconds");
    }
    return time.value_or(0);
  }
  Result<bool> Flag(ByteView name) {
    LATCHKEY_TRY_ASSIGN(const std::optional<bool> flag, json_.Boolean(name));
    return flag.value_or(false);
  }

 private:
  // All zero means "none" everywhere else, so it names nothing.
  static Result<Uuid> NotNil(Result<Uuid> uuid) {
    if (uuid.ok() && uuid->is_nil()) return Bad("a UUID is all zero");
    return uuid;
  }
  JsonObjectReader& json_;
};

Status ReadName(Line* line, Bytes* name) {
  LATCHKEY_TRY_ASSIGN(const ByteView text, line->Text("name", "the line has no `name`"));
  LATCHKEY_TRY(CheckName(text));
  *name = text;
  return Status::Ok();
}

Result<CreateOwner> ReadOwner(Engine& engine, Line* line, OwnerSort sort) {
  CreateOwner command;
  command.imported = true;
  OwnerRecord& owner = command.owner;
  owner.sort = sort;
  LATCHKEY_TRY_ASSIGN(owner.uuid, line->Id("uuid", "the line has no `uuid`"));
  LATCHKEY_TRY(ReadName(line, &owner.name));
  LATCHKEY_TRY_ASSIGN(const ByteView slug, line->Text("slug", "the line has no `slug`"));
  LATCHKEY_TRY(CheckSlug(slug));
  command.slug.given = slug;
  LATCHKEY_TRY_ASSIGN(command.slug.suffix, engine.NewSlugSuffix());
  LATCHKEY_TRY_ASSIGN(owner.creation_s, line->Time("created"));
  return command;
}

Result<CreateOwner> ReadUser(Engine& engine, Line* line) {
  LATCHKEY_TRY_ASSIGN(CreateOwner command, ReadOwner(engine, line, OwnerSort::kUser));
  LATCHKEY_TRY_ASSIGN(const std::optional<ByteView> email, line->OptionalText("email"));
  if (email.has_value()) {
    LATCHKEY_TRY(CheckEmail(*email));
    command.owner.email = *email;
  }
  LATCHKEY_TRY_ASSIGN(command.owner.admin, line->Flag("admin"));
  LATCHKEY_TRY_ASSIGN(command.owner.locked, line->Flag("locked"));
  return command;
}

Result<CreateOwner> ReadProject(Engine& engine, Line* line) {
  LATCHKEY_TRY_ASSIGN(CreateOwner command, ReadOwner(engine, line, OwnerSort::kProject));
  LATCHKEY_TRY_ASSIGN(const ByteView visibility,
                      line->Text("visibility", "the line has no `visibility`"));
  if (visibility != "public" && visibility != "private") {
    return Bad("`visibility` is neither public nor private");
  }
  command.owner.is_private = visibility == "private";
  LATCHKEY_TRY_ASSIGN(command.owner.deleted_s, line->Time("deleted"));
  return command;
}

Result<SetGrant> ReadGrant(Line* line) {
  SetGrant command;
  command.imported = true;
  LATCHKEY_TRY_ASSIGN(command.project, line->Id("project", "the line has no `project`"));
  LATCHKEY_TRY_ASSIGN(command.user, line->Id("user", "the line has no `user`"));
  LATCHKEY_TRY_ASSIGN(const ByteView role, line->Text("role", "the line has no `role`"));
  if (role == "viewer") {
    command.role = Role::kViewer;
  } else if (role == "developer") {
    command.role = Role::kDeveloper;
  } else if (role == "maintainer") {
    command.role = Role::kMaintainer;
  } else {
    return Bad("`role` is none of viewer, developer and maintainer");
  }
  return command;
}

Result<InnerDigest> ReadDigest(Line* line) {
  LATCHKEY_TRY_ASSIGN(const ByteView hex, line->Text("sha256", "the line has no `sha256`"));
  InnerDigest digest;
  if (!HexDecode(hex, digest.bytes.data(), digest.bytes.size())) {
    return Bad("`sha256` is not 64 hexadecimal digits");
  }
  return digest;
}

// The digest stands for the token; of the rest only the claims are kept. The signature is not
// checked: whoever imports vouches for it.
Result<InnerDigest> ReadJwt(Line* line, CredentialRecord* record) {
  LATCHKEY_TRY_ASSIGN(const ByteView jwt, line->Text("jwt", "the line has no `jwt`"));
  if (!IsWellFormedJwt(jwt)) return Bad("`jwt` is not a JWT signed with HS256");
  LATCHKEY_TRY(ReadClaims(jwt).status());
  LATCHKEY_TRY_ASSIGN(record->claims, ClaimsJson(jwt));
  return Sha256(jwt);
}

Result<CreateCredential> ReadCredential(Engine& engine, Line* line, uint16_t kind) {
  CreateCredential command;
  command.imported = true;
  CredentialRecord& record = command.credential;
  record.kind = kind;
  LATCHKEY_TRY_ASSIGN(record.uuid, line->Id("uuid", "the line has no `uuid`"));
  if (kind == kind::kProjectKey) {
    LATCHKEY_TRY_ASSIGN(record.owner, line->Id("project", "the line has no `project`"));
    LATCHKEY_TRY_ASSIGN(record.creator, line->OptionalId("creator"));
  } else {
    LATCHKEY_TRY_ASSIGN(record.owner, line->Id("user", "the line has no `user`"));
  }
  LATCHKEY_TRY(ReadName(line, &record.name));
  LATCHKEY_TRY_ASSIGN(record.creation_s, line->Time("creation"));
  LATCHKEY_TRY_ASSIGN(record.expires_s, line->Time("expiration"));
  if (record.creation_s == 0) return Bad("the line has no `creation`");
  if (record.expires_s == 0) return Bad("the line has no `expiration`");
  LATCHKEY_TRY_ASSIGN(command.revoked_s, line->Time("revoked"));
  command.slug.base = Slugify(record.name);
  LATCHKEY_TRY_ASSIGN(command.slug.suffix, engine.NewSlugSuffix());
  Result<InnerDigest> digest = kind == kind::kUserToken ? ReadJwt(line, &record) : ReadDigest(line);
  if (!digest.ok()) return digest.status();
  LATCHKEY_TRY(Protect(engine, *digest, &record));
  return command;
}

template <typename T>
Result<decltype(Command::body)> Body(Result<T> part) {
  if (!part.ok()) return part.status();
  return decltype(Command::body)(std::move(*part));
}

Result<decltype(Command::body)> ReadBody(Engine& engine, Line* line, ByteView type) {
  if (type == "user") return Body(ReadUser(engine, line));
  if (type == "project") return Body(ReadProject(engine, line));
  if (type == "grant") return Body(ReadGrant(line));
  if (type == "user_key") return Body(ReadCredential(engine, line, kind::kUserKey));
  if (type == "project_key") return Body(ReadCredential(engine, line, kind::kProjectKey));
  if (type == "user_token") return Body(ReadCredential(engine, line, kind::kUserToken));
  return Bad("`type` is none of user, project, grant, user_key, project_key and user_token");
}

}  // namespace

Result<Command> ReadImportLine(Engine& engine, const Uuid& actor, ByteView text,
                               JsonObjectReader* json) {
  LATCHKEY_TRY(json->Parse(text, limits::kImportLineBytesMax));
  Line line(json);
  LATCHKEY_TRY_ASSIGN(const ByteView type, line.Text("type", "the line has no `type`"));
  Command command;
  command.time_s = engine.clock().NowS();
  command.actor = actor;
  LATCHKEY_TRY_ASSIGN(command.body, ReadBody(engine, &line, type));
  return command;
}

}  // namespace latchkey
