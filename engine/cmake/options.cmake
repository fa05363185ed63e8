# Compiler options that every target of ours shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # found in engine/, linked by tests/ too
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(LATCHKEY_WARNINGS_C -Wall -Wextra -Wpedantic)
set(LATCHKEY_WARNINGS_CXX
    ${LATCHKEY_WARNINGS_C} -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
    -Wunused-result -Wimplicit-fallthrough)
# g++ 12 sees std::string's operator+ copy a string onto itself, which it cannot (GCC bug 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND LATCHKEY_WARNINGS_CXX -Wno-restrict)
endif()
if(LATCHKEY_DEV)
  list(APPEND LATCHKEY_WARNINGS_C -Werror)
  list(APPEND LATCHKEY_WARNINGS_CXX -Werror)
endif()

add_library(latchkey_options INTERFACE)
target_compile_options(latchkey_options INTERFACE
                       "$<$<COMPILE_LANGUAGE:CXX>:${LATCHKEY_WARNINGS_CXX}>"
                       "$<$<COMPILE_LANGUAGE:C>:${LATCHKEY_WARNINGS_C}>")

if(LATCHKEY_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  if(LATCHKEY_LIBFUZZER)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      message(FATAL_ERROR "LATCHKEY_LIBFUZZER needs clang: cmake --preset fuzz")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
elseif(LATCHKEY_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(LATCHKEY_SANITIZE)
  message(FATAL_ERROR "LATCHKEY_SANITIZE must be empty, address or thread")
else()
  # The library reads what strangers send: a smashed stack or an overrun copy ends the process
  # instead of running on. The sanitizers do more of the same, and better.
  target_compile_options(latchkey_options INTERFACE
                         -fstack-protector-strong $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>
                         $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--no-undefined)
endif()

# Every range and iterator check of the standard library, where speed is not what is tested.
if(LATCHKEY_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
