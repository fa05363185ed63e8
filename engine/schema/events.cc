// The fields of each event's body, by tag: append only.
#include "schema/events.h"

#include "codec/key.h"
#include "schema/fields.h"

namespace latchkey {
namespace {

template <typename A, MaybeConst<Revoked> R>
void Fields(A& a, R& r) {
  a.Id(1, r.uuid);
  a.Id(2, r.owner);
  a.Number(3, r.kind);
  a.Number(4, r.creation_s);
  a.Text(5, r.name);
  a.Fixed(6, r.tag);
}

template <typename R>
Bytes EncodeFields(const R& r) {
  FieldWriter writer({});
  Fields(writer, r);
  return writer.Finish();
}

template <typename R>
Status DecodeFields(ByteView fields, R* r) {
  FieldReader reader(fields);
  Fields(reader, *r);
  Bytes unknown;  // an event is never written again, so what is unknown need not be kept
  return reader.Finish(&unknown);
}

// A record inside a body: its key, then its fields.
Bytes Nest(ByteView key, const Bytes& fields) { return Bytes(key) + fields; }

struct EncodeBody {
  Bytes operator()(const OwnerPut& e) const { return Nest(e.owner.uuid.view(), e.owner.Encode()); }
  Bytes operator()(const GrantPut& e) const {
    FieldWriter w({});
    w.Id(1, e.project);
    w.Id(2, e.user);
    w.Number(3, e.role);
    return w.Finish();
  }
  Bytes operator()(const GrantRemoved& e) const {
    FieldWriter w({});
    w.Id(1, e.project);
    w.Id(2, e.user);
    return w.Finish();
  }
  Bytes operator()(const KindPut& e) const {
    return Nest(KeyWriter().Be16(e.kind.kind).view(), e.kind.Encode());
  }
  Bytes operator()(const CredentialCreated& e) const {
    return Nest(e.credential.uuid.view(), e.credential.Encode());
  }
  Bytes operator()(const CredentialRenamed& e) const {
    FieldWriter w({});
    w.Id(1, e.uuid);
    w.Id(2, e.owner);
    w.Number(3, e.kind);
    w.Number(4, e.creation_s);
    w.Text(5, e.name_before);
    w.Text(6, e.name);
    return w.Finish();
  }
  Bytes operator()(const CredentialRevoked& e) const {
    FieldWriter w({});
    w.Text(1, EncodeFields(e.credential));
    w.Number(2, e.revoked_s);
    w.Text(3, e.reason);
    return w.Finish();
  }
  Bytes operator()(const SweepStarted& e) const { return e.sweep.Encode(); }
  Bytes operator()(const Swept& e) const {
    Bytes list;
    for (const Revoked& credential : e.credentials) {
      const Bytes one = EncodeFields(credential);
      list += KeyWriter().Be16(static_cast<uint16_t>(one.size())).view();
      list += one;
    }
    FieldWriter w({});
    w.Number(1, e.sweep);
    w.Number(2, e.done);
    w.Text(3, list);
    return w.Finish();
  }
  Bytes operator()(const ClockAccepted&) const { return {}; }
};

Status Damaged() { return Status::Error(Code::kCorruption, "an event does not read as one"); }

Status DecodeSwept(ByteView body, Swept* swept) {
  FieldReader r(body);
  Bytes list;
  r.Number(1, swept->sweep);
  r.Number(2, swept->done);
  r.Text(3, list);
  Bytes unknown;
  LATCHKEY_TRY(r.Finish(&unknown));
  KeyReader reader(list);
  while (!reader.AtEnd()) {
    uint16_t size = 0;
    ByteView one;
    if (!reader.Be16(&size) || !reader.Raw(size, &one)) return Damaged();
    LATCHKEY_TRY(DecodeFields(one, &swept->credentials.emplace_back()));
  }
  return Status::Ok();
}

Result<EventBody> DecodeNested(EventType type, ByteView body) {
  if (type == EventType::kKindPut) {
    KeyReader key(body);
    uint16_t number = 0;
    if (!key.Be16(&number)) return Damaged();
    LATCHKEY_TRY_ASSIGN(KindRecord kind, KindRecord::Decode(number, body.substr(2)));
    return EventBody(KindPut{std::move(kind)});
  }
  if (body.size() < Uuid::kSize) return Damaged();
  const Uuid uuid = Uuid::From(body.substr(0, Uuid::kSize));
  const ByteView fields = body.substr(Uuid::kSize);
  if (type == EventType::kOwnerPut) {
    LATCHKEY_TRY_ASSIGN(OwnerRecord owner, OwnerRecord::Decode(uuid, fields));
    return EventBody(OwnerPut{std::move(owner), {}});
  }
  LATCHKEY_TRY_ASSIGN(CredentialRecord credential, CredentialRecord::Decode(uuid, fields));
  return EventBody(CredentialCreated{std::move(credential)});
}

Result<EventBody> DecodeFlat(EventType type, uint64_t number, ByteView body) {
  FieldReader r(body);
  Bytes unknown;
  switch (type) {
    case EventType::kGrantPut: {
      GrantPut e;
      r.Id(1, e.project);
      r.Id(2, e.user);
      r.Number(3, e.role);
      LATCHKEY_TRY(r.Finish(&unknown));
      return EventBody(e);
    }
    case EventType::kGrantRemoved: {
      GrantRemoved e;
      r.Id(1, e.project);
      r.Id(2, e.user);
      LATCHKEY_TRY(r.Finish(&unknown));
      return EventBody(e);
    }
    case EventType::kCredentialRenamed: {
      CredentialRenamed e;
      r.Id(1, e.uuid);
      r.Id(2, e.owner);
      r.Number(3, e.kind);
      r.Number(4, e.creation_s);
      r.Text(5, e.name_before);
      r.Text(6, e.name);
      LATCHKEY_TRY(r.Finish(&unknown));
      return EventBody(std::move(e));
    }
    case EventType::kCredentialRevoked: {
      CredentialRevoked e;
      Bytes credential;
      r.Text(1, credential);
      r.Number(2, e.revoked_s);
      r.Text(3, e.reason);
      LATCHKEY_TRY(r.Finish(&unknown));
      LATCHKEY_TRY(DecodeFields(credential, &e.credential));
      return EventBody(std::move(e));
    }
    case EventType::kSweepStarted: {
      LATCHKEY_TRY_ASSIGN(SweepRecord sweep, SweepRecord::Decode(number, body));
      return EventBody(SweepStarted{std::move(sweep)});
    }
    case EventType::kSwept: {
      Swept e;
      LATCHKEY_TRY(DecodeSwept(body, &e));
      return EventBody(std::move(e));
    }
    case EventType::kClockAccepted:
      return EventBody(ClockAccepted{});
    default:
      return Status::Error(Code::kUnsupported, "an event was written by a newer latchkey");
  }
}

}  // namespace

Bytes Event::Encode() const {
  FieldWriter writer({});
  writer.Number(1, time_s);
  writer.Id(2, actor);
  writer.Text(3, std::visit(EncodeBody{}, body));
  return Bytes(1, static_cast<char>(type())) + writer.Finish();
}

Result<Event> DecodeEvent(uint64_t number, ByteView type_and_fields) {
  if (type_and_fields.empty()) return Damaged();
  const auto type = static_cast<EventType>(type_and_fields[0]);
  Event event;
  event.number = number;
  Bytes body;
  FieldReader reader(type_and_fields.substr(1));
  reader.Number(1, event.time_s);
  reader.Id(2, event.actor);
  reader.Text(3, body);
  Bytes unknown;
  LATCHKEY_TRY(reader.Finish(&unknown));
  const bool nested = type == EventType::kOwnerPut || type == EventType::kKindPut ||
                      type == EventType::kCredentialCreated;
  Result<EventBody> decoded = nested ? DecodeNested(type, body) : DecodeFlat(type, number, body);
  if (!decoded.ok()) return decoded.status();
  event.body = std::move(decoded).value();
  return event;
}

}  // namespace latchkey
