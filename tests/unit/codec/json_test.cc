#include "codec/json.h"

#include <gtest/gtest.h>

#include <map>

#include "base/limits.h"
#include "support/seed.h"

namespace latchkey {
namespace {

constexpr size_t kBytesMax = 4096;

Bytes Why(ByteView json) {
  JsonObjectReader reader;
  const Status status = reader.Parse(json, kBytesMax);
  EXPECT_EQ(status.code(), status.ok() ? Code::kOk : Code::kInvalidArgument);
  return status.why();
}

Bytes Nested(size_t depth, ByteView open, ByteView close) {
  Bytes out = R"({"a":)";
  for (size_t i = 1; i < depth; ++i) out.append(open);
  out.append("1");
  for (size_t i = 1; i < depth; ++i) out.append(close);
  return out.append("}");
}

TEST(Json, ReadsMembersByName) {
  JsonObjectReader reader;
  ASSERT_TRUE(reader
                  .Parse(R"( {"s":"text","n":-7,"t":true,"f":false,"z":null,"o":{"s":1},"a":[2],
                               "\u0065":"escaped name","":"no name"} )",
                         kBytesMax)
                  .ok());
  EXPECT_EQ(**reader.String("s"), "text");
  EXPECT_EQ(**reader.Whole("n"), -7);
  EXPECT_EQ(**reader.Boolean("t"), true);
  EXPECT_EQ(**reader.Boolean("f"), false);
  EXPECT_EQ(**reader.String("e"), "escaped name");
  EXPECT_EQ(**reader.String(""), "no name");
}

TEST(Json, NullAndAbsentAreTheSame) {
  JsonObjectReader reader;
  ASSERT_TRUE(reader.Parse(R"({"z":null})", kBytesMax).ok());
  for (const ByteView name : {"z", "absent"}) {
    ASSERT_TRUE(reader.String(name).ok());
    EXPECT_FALSE(reader.String(name)->has_value());
    ASSERT_TRUE(reader.Whole(name).ok());
    EXPECT_FALSE(reader.Whole(name)->has_value());
    ASSERT_TRUE(reader.Boolean(name).ok());
    EXPECT_FALSE(reader.Boolean(name)->has_value());
  }
}

TEST(Json, AnAbsentMemberIsNotItsNeighbour) {
  JsonObjectReader reader;
  ASSERT_TRUE(reader.Parse(R"({"b":1,"d":2})", kBytesMax).ok());
  for (const ByteView name : {"", "a", "bb", "c", "e", "B"}) {
    ASSERT_TRUE(reader.Whole(name).ok()) << name;
    EXPECT_FALSE(reader.Whole(name)->has_value()) << name;
  }
  EXPECT_EQ(**reader.Whole("b"), 1);
  EXPECT_EQ(**reader.Whole("d"), 2);
}

TEST(Json, AnotherTypeIsRefused) {
  JsonObjectReader reader;
  ASSERT_TRUE(reader.Parse(R"({"s":"1","n":1,"t":true,"o":{},"a":[],"d":1.5})", kBytesMax).ok());
  for (const ByteView name : {"n", "t", "o", "a", "d"}) {
    EXPECT_EQ(reader.String(name).code(), Code::kInvalidArgument) << name;
  }
  for (const ByteView name : {"s", "t", "o", "a", "d"}) {
    EXPECT_EQ(reader.Whole(name).code(), Code::kInvalidArgument) << name;
  }
  for (const ByteView name : {"s", "n", "o", "a", "d"}) {
    EXPECT_EQ(reader.Boolean(name).code(), Code::kInvalidArgument) << name;
  }
}

TEST(Json, WholeNumbersAreWholeAndFit) {
  JsonObjectReader reader;
  const std::map<ByteView, int64_t> right = {{"0", 0},
                                             {"-0", 0},
                                             {"4294967295", 4294967295},
                                             {"9223372036854775807", INT64_MAX},
                                             {"-9223372036854775808", INT64_MIN}};
  for (const auto& [text, number] : right) {
    ASSERT_TRUE(reader.Parse(Bytes(R"({"n":)").append(text).append("}"), kBytesMax).ok()) << text;
    ASSERT_TRUE(reader.Whole("n").ok()) << text;
    EXPECT_EQ(**reader.Whole("n"), number);
  }
  for (const ByteView wrong : {"1.0", "1e3", "1E0", "0.5", "-0.0", "9223372036854775808",
                               "18446744073709551615", "\"1\""}) {
    ASSERT_TRUE(reader.Parse(Bytes(R"({"n":)").append(wrong).append("}"), kBytesMax).ok()) << wrong;
    EXPECT_EQ(reader.Whole("n").code(), Code::kInvalidArgument) << wrong;
  }
}

TEST(Json, StringsAreUnescaped) {
  JsonObjectReader reader;
  ASSERT_TRUE(
      reader.Parse(R"({"s":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","z":"a\u0000b"})", kBytesMax).ok());
  EXPECT_EQ(**reader.String("s"), "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(**reader.String("z"), ByteView("a\0b", 3));
}

TEST(Json, EachRefusalNamesItsReason) {
  EXPECT_EQ(Why("{}"), "ok");
  EXPECT_EQ(Why("{\"a\":\"" + Bytes(kBytesMax, 'a') + "\"}"), "the JSON is too long");
  EXPECT_EQ(Why(R"({"a":1,"b":2,"a":3})"), "the JSON names a member twice");
  EXPECT_EQ(Why(R"({"a":1,"\u0061":2})"), "the JSON names a member twice");
  EXPECT_EQ(Why(R"({"a":null,"a":null})"), "the JSON names a member twice");
  EXPECT_EQ(Why("{\"a\":\"\xFF\"}"), "the JSON is not valid UTF-8");
  EXPECT_EQ(Why("{\"a\":\"\xED\xA0\x80\"}"), "the JSON is not valid UTF-8");
  EXPECT_EQ(Why("{\"a\":\"\xC0\x80\"}"), "the JSON is not valid UTF-8");
  EXPECT_EQ(Why("{\"\xFF\":1}"), "the JSON is not valid UTF-8");
  for (const ByteView tail : {"x", "{}", ",", "}", "]", "\"", "1"}) {
    EXPECT_EQ(Why(Bytes("{} ").append(tail)), "the JSON is followed by something else") << tail;
  }
  EXPECT_EQ(Why(ByteView("{}\0", 3)), "the JSON is followed by something else");
  for (const ByteView other : {"[]", "1", "\"a\"", "true", "null", "[{}]"}) {
    EXPECT_EQ(Why(other), "the JSON is not an object") << other;
  }
  for (const ByteView wrong : {R"({"a":1e999})", R"({"a":01})", R"({"a":-})", R"({"a":1.})",
                               R"({"a":99999999999999999999})"}) {
    EXPECT_EQ(Why(wrong), "the JSON holds a number that is malformed or out of range") << wrong;
  }
}

TEST(Json, HalfOfASurrogatePairIsRefused) {
  for (const ByteView half : {R"(\ud800)", R"(\udbff)", R"(\udc00)", R"(\udfff)", R"(\uD800)",
                              R"(\ud800\n)", R"(\ud800\u0041)", R"(\ud800\ud800)",
                              R"(\udc00\ud800)", R"(\ud83d\ude00\ud83d)", R"(\\\ud800)"}) {
    EXPECT_EQ(Why(Bytes(R"({"a":")").append(half).append("\"}")),
              "the JSON holds half of a surrogate pair")
        << half;
    EXPECT_EQ(Why(Bytes(R"({")").append(half).append("\":1}")),
              "the JSON holds half of a surrogate pair")
        << half;
    // Also where nobody looks.
    EXPECT_NE(Why(Bytes(R"({"a":[{"b":")").append(half).append("\"}]}")), "ok") << half;
  }
  EXPECT_EQ(Why(R"({"a":"\\ud800"})"), "ok");  // an escaped backslash, then letters
}

TEST(Json, WhatIsNoJsonIsRefused) {
  for (const ByteView wrong : {"",
                               " ",
                               "{",
                               "}",
                               "hello",
                               "{\"a\"}",
                               "{\"a\":}",
                               "{\"a\":1,}",
                               "{a:1}",
                               "{'a':1}",
                               "{\"a\":1 \"b\":2}",
                               "{\"a\":\"b}",
                               "{\"a\":\"\n\"}",
                               "{\"a\":\"\\x\"}",
                               "{\"a\":\"\\u12g4\"}",
                               "{\"a\":tru}",
                               "{\"a\":NaN}",
                               "{\"a\":[1}",
                               "{\"a\":1]",
                               "//\n{}",
                               "{\"a\":+1}",
                               "nul",
                               "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(Why(wrong), "the JSON is malformed") << wrong;
  }
}

TEST(Json, DepthIsBounded) {
  for (const auto& [open, close] : {std::pair<ByteView, ByteView>{"[", "]"}, {R"({"b":)", "}"}}) {
    EXPECT_EQ(Why(Nested(limits::kJsonDepthMax, open, close)), "ok");
    EXPECT_EQ(Why(Nested(limits::kJsonDepthMax + 1, open, close)), "the JSON is nested too deeply");
  }
  EXPECT_EQ(Why(R"({"a":"[[[[[[[[[[[[[[[[[[[[[\"[[[[[[[[[[[[[[[[[["})"), "ok");  // no brackets
}

TEST(Json, AHundredMegabytesOfBracketsAreRefusedAtTheFirstTooMany) {
  constexpr size_t kHuge = 100'000'000;
  JsonObjectReader reader;
  const Bytes brackets(kHuge, '[');
  EXPECT_STREQ(reader.Parse(brackets, kHuge).why(), "the JSON is nested too deeply");
  EXPECT_STREQ(reader.Parse(brackets, kHuge - 1).why(), "the JSON is too long");
}

TEST(Json, TheSizeLimitIsExact) {
  JsonObjectReader reader;
  EXPECT_TRUE(reader.Parse(R"({"a":1})", 7).ok());
  EXPECT_FALSE(reader.Parse(R"({"a":1})", 6).ok());
}

TEST(Json, EachObjectForgetsTheOneBefore) {
  JsonObjectReader reader;
  ASSERT_TRUE(reader.Parse(R"({"a":"first"})", kBytesMax).ok());
  ASSERT_TRUE(reader.Parse(R"({"b":1})", kBytesMax).ok());
  EXPECT_FALSE(reader.String("a")->has_value());
  for (const ByteView wrong : {"{", R"({"b":2,"b":3})", "[]", "{} x"}) {
    ASSERT_TRUE(reader.Parse(R"({"b":1})", kBytesMax).ok());
    ASSERT_FALSE(reader.Parse(wrong, kBytesMax).ok());
    EXPECT_FALSE(reader.Whole("b")->has_value()) << wrong;
  }
}

TEST(Json, TheTextNeedNotOutliveTheCall) {
  JsonObjectReader reader;
  {
    Bytes json = R"({"a":"borrowed from the reader"})";
    ASSERT_TRUE(reader.Parse(json, kBytesMax).ok());
    json.assign(json.size(), 'x');
  }
  EXPECT_EQ(**reader.String("a"), "borrowed from the reader");
}

TEST(AppendJsonString, GoldenText) {
  Bytes out = "x";
  AppendJsonString(ByteView("a\"\\/\b\f\n\r\t\0\x1F\x7F\xC3\xA9", 14), &out);
  EXPECT_EQ(out, "x\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7F\xC3\xA9\"");
  out.clear();
  AppendJsonString("", &out);
  EXPECT_EQ(out, "\"\"");
}

TEST(AppendJsonString, WhatIsWrittenIsReadBack) {
  LATCHKEY_TEST_RANDOM(random);
  JsonObjectReader reader;
  for (int step = 0; step < 5'000; ++step) {
    std::map<Bytes, Bytes> model;
    const auto text = [&random] {
      constexpr ByteView kPieces[] = {
          "\"", "\\", "u", "d800", "/", "\x7F", "\xC2\x85", "\xE2\x80\xA8", "\xF0\x9F\x94\x91",
          "{"};
      Bytes out;
      for (size_t left = random() % 8; left > 0; --left) {
        if (random() % 2) {
          out.push_back(static_cast<char>(random() % 0x20));
        } else {
          out.append(kPieces[random() % 10]);
        }
      }
      return out;
    };
    for (size_t left = random() % 6; left > 0; --left) model[text()] = text();
    Bytes json = "{";
    for (const auto& [name, value] : model) {
      if (json.size() > 1) json.push_back(',');
      AppendJsonString(name, &json);
      json.push_back(':');
      AppendJsonString(value, &json);
    }
    json.push_back('}');
    ASSERT_TRUE(reader.Parse(json, kBytesMax).ok()) << json;
    for (const auto& [name, value] : model) {
      ASSERT_TRUE(reader.String(name).ok());
      ASSERT_EQ(**reader.String(name), value) << json;
    }
  }
}

// Whatever the bytes are, the reader answers, and answers a second time the same.
TEST(Json, RandomDamageNeverCrashes) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr ByteView kWhole =
      R"({"kind":"user_key","name":"\u00e9\ud83d\ude00","n":[1,-2.5e3,{"x":null}],"t":true})";
  JsonObjectReader reader;
  int refused = 0;
  for (int step = 0; step < 20'000; ++step) {
    Bytes json(kWhole.substr(0, random() % 4 ? kWhole.size() : random() % kWhole.size()));
    for (size_t left = random() % 3; left > 0 && !json.empty(); --left) {
      json[random() % json.size()] =
          random() % 2 ? "{}[]\",:\\u0"[random() % 10] : static_cast<char>(random());
    }
    const Status first = reader.Parse(json, kBytesMax);
    const bool has_name = reader.String("name").ok() && reader.String("name")->has_value();
    ASSERT_TRUE(first.ok() || !has_name) << json;
    ASSERT_STREQ(reader.Parse(json, kBytesMax).why(), first.why()) << json;
    refused += first.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace latchkey
