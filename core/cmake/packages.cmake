# What is installed, and what `--target package` makes of it below packages/: a zip, where wixl is found an MSI, and beside them
# their checksums, a list of what is in them (SPDX), and manifests of scoop and winget.
#
# The same sources give the same bytes, in whatever folder and time zone: the files bear the time SOURCE_DATE_EPOCH, or that of
# the commit.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|ARM64|arm64)$")
    set(architecture arm64)
else()
    set(architecture x64)
endif()

install(TARGETS sbx sbx-runner sbx-setup sbx_probe RUNTIME DESTINATION .)
install(TARGETS sbx_backend_none sbx_backend_unelevated sbx_backend_elevated LIBRARY DESTINATION backends RUNTIME DESTINATION backends)
install(TARGETS sbx_stub_ssh sbx_stub_scp sbx_stub_sftp RUNTIME DESTINATION stubs)
install(FILES ${PROJECT_BINARY_DIR}/bin/stubs/ssh.cmd ${PROJECT_BINARY_DIR}/bin/stubs/scp.cmd ${PROJECT_BINARY_DIR}/bin/stubs/sftp.cmd
    DESTINATION stubs)
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION .)
install(FILES ${PROJECT_SOURCE_DIR}/config/sbx.toml DESTINATION . RENAME sbx.reference.toml)
file(GLOB schemas CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/config/*.schema.json ${PROJECT_SOURCE_DIR}/core/*/*.schema.json)
install(FILES ${schemas} DESTINATION schemas)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION licenses RENAME sbx.txt)
install(FILES ${mimalloc_dir}/LICENSE DESTINATION licenses RENAME mimalloc.txt)
install(FILES ${cjson_dir}/LICENSE DESTINATION licenses RENAME cJSON.txt)

if(DEFINED ENV{SOURCE_DATE_EPOCH})
    set(epoch $ENV{SOURCE_DATE_EPOCH})
else()
    execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct OUTPUT_VARIABLE epoch ERROR_QUIET
        OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT epoch)
    set(epoch 1767225600) # sources without a history: 2026-01-01
endif()

set(CPACK_GENERATOR ZIP)
set(CPACK_PACKAGE_NAME sbx)
set(CPACK_PACKAGE_VENDOR "the sbx authors")
set(CPACK_PACKAGE_FILE_NAME sbx-${PROJECT_VERSION}-windows-${architecture})
set(CPACK_INCLUDE_TOPLEVEL_DIRECTORY OFF)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_THREADS 1)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/packages/before.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/packages/after.cmake)
set(CPACK_SBX_TEMPLATES ${CMAKE_CURRENT_LIST_DIR}/packages)
set(CPACK_SBX_ARCHITECTURE ${architecture})
foreach(library mimalloc cjson)
    string(TOUPPER ${library} upper)
    set(CPACK_SBX_${upper} ${${library}_version})
    set(CPACK_SBX_${upper}_URL ${${library}_url})
endforeach()
set(CPACK_SBX_EPOCH ${epoch})
set(SBX_RELEASE_URL "" CACHE STRING "Where the packages will lie; with it manifests of scoop and winget are made")
set(SBX_SIGN "" CACHE FILEPATH "A program that signs the file it is given, in place (packages/README.md)")
set(CPACK_SBX_SIGN "${SBX_SIGN}")
set(CPACK_SBX_RELEASE_URL "${SBX_RELEASE_URL}")
include(CPack)
