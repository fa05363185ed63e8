# What `cmake --install` lays down: the shared library, the public headers, a CMake package
# (find_package(latchkey)), a pkg-config file, the programs latchkey and latchkeyd with their manual
# pages, completions and systemd units, and the documents. Everything finds its neighbours by
# relative path, so an installed tree can be moved.
if(NOT TARGET latchkey)
  return()
endif()

include(CMakePackageConfigHelpers)

if(NOT TARGET latchkey::latchkey)
  add_library(latchkey::latchkey ALIAS latchkey)
endif()
target_include_directories(latchkey PUBLIC
                           $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                           $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(LATCHKEY_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/latchkey)

install(TARGETS latchkey EXPORT latchkeyTargets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/latchkey
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES ${PROJECT_BINARY_DIR}/include/latchkey/version.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/latchkey)

install(EXPORT latchkeyTargets NAMESPACE latchkey:: DESTINATION ${LATCHKEY_CMAKE_DIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/latchkeyConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/latchkeyConfig.cmake
                              INSTALL_DESTINATION ${LATCHKEY_CMAKE_DIR}
                              NO_SET_AND_CHECK_MACRO)
# While the version begins with 0, a new minor version may break its users.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(LATCHKEY_COMPATIBILITY SameMinorVersion)
else()
  set(LATCHKEY_COMPATIBILITY SameMajorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/latchkeyConfigVersion.cmake
                                 COMPATIBILITY ${LATCHKEY_COMPATIBILITY})
install(FILES ${PROJECT_BINARY_DIR}/latchkeyConfig.cmake
              ${PROJECT_BINARY_DIR}/latchkeyConfigVersion.cmake
        DESTINATION ${LATCHKEY_CMAKE_DIR})

# Paths from where a file will lie to where it must reach, so that no prefix is written into it.
file(RELATIVE_PATH LATCHKEY_PC_TO_INCLUDE
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(${CMAKE_CURRENT_LIST_DIR}/latchkey.pc.in ${PROJECT_BINARY_DIR}/latchkey.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/latchkey.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

file(RELATIVE_PATH LATCHKEY_BIN_TO_LIB ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
foreach(program latchkey_cli latchkeyd)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/${LATCHKEY_BIN_TO_LIB}")
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

if(TARGET latchkey_cli)
  set(LATCHKEY_CLI_DIR ${PROJECT_SOURCE_DIR}/bindings/cli)
  install(FILES ${LATCHKEY_CLI_DIR}/latchkey.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${LATCHKEY_CLI_DIR}/completions/latchkey.bash RENAME latchkey
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${LATCHKEY_CLI_DIR}/completions/_latchkey
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${LATCHKEY_CLI_DIR}/completions/latchkey.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

if(TARGET latchkeyd)
  set(LATCHKEY_HTTP_DIR ${PROJECT_SOURCE_DIR}/bindings/http)
  install(FILES ${LATCHKEY_HTTP_DIR}/latchkeyd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
  # Not in LIBDIR: systemd reads lib/systemd/system whatever the library folder is called.
  install(FILES ${LATCHKEY_HTTP_DIR}/latchkeyd.service ${LATCHKEY_HTTP_DIR}/latchkeyd.socket
          DESTINATION lib/systemd/system)
endif()

foreach(document LICENSE README.md SECURITY.md CHANGELOG.md)
  install(FILES ${PROJECT_SOURCE_DIR}/${document} DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
endforeach()
