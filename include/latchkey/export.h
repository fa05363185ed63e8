/* How the functions of latchkey.h are exported and checked by the compiler. Included by latchkey.h;
 * nothing here needs to be included or defined by hand.
 *
 *   LATCHKEY_API       the function is part of the library's interface
 *   LATCHKEY_MUST_USE  a caller that drops the result gets a warning: a code that nobody reads is
 *                      how a refused key gets in
 */
#ifndef LATCHKEY_EXPORT_H_
#define LATCHKEY_EXPORT_H_

#if defined(__GNUC__) || defined(__clang__)
#define LATCHKEY_API __attribute__((visibility("default")))
#define LATCHKEY_MUST_USE __attribute__((warn_unused_result))
#else
#define LATCHKEY_API
#define LATCHKEY_MUST_USE
#endif

#endif /* LATCHKEY_EXPORT_H_ */
