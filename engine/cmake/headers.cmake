# latchkey_headers: the public headers as seen in the source and build trees, for the targets that
# implement or test them. The library's own users get them from the target latchkey::latchkey.
configure_file(${PROJECT_SOURCE_DIR}/include/latchkey/version.h.in
               ${PROJECT_BINARY_DIR}/include/latchkey/version.h @ONLY)

add_library(latchkey_headers INTERFACE)
target_include_directories(latchkey_headers INTERFACE
                           ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
