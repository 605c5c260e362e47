if(WIN32)
    enable_language(RC) # for sbx_resources; CMake does not allow it in a function
endif()

# sbx_library(NAME SOURCE...)          static library with the project's flags
# sbx_unit_test(NAME SOURCE... [LIBS ...])  cmocka test, run by CTest (under Wine when cross-built)
function(sbx_library name)
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC sbx_flags)
endfunction()

# Version information and manifest for an exe or DLL.  KIND: APP or DLL.
function(sbx_resources target kind description)
    set(SBX_RC_DESCRIPTION "${description}")
    get_target_property(SBX_RC_NAME ${target} OUTPUT_NAME)
    if(NOT SBX_RC_NAME)
        set(SBX_RC_NAME ${target})
    endif()
    set(SBX_RC_KIND ${kind})
    configure_file(${PROJECT_SOURCE_DIR}/core/cmake/version.rc.in ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc @ONLY)
    set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/${target}.rc PROPERTIES
        OBJECT_DEPENDS ${PROJECT_SOURCE_DIR}/core/cmake/sbx.manifest)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc)
endfunction()

# A backend: backends/NAME.dll with one export.
function(sbx_backend name description)
    add_library(sbx_backend_${name} MODULE ${ARGN})
    set_target_properties(sbx_backend_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin/backends)
    target_link_libraries(sbx_backend_${name} PRIVATE sbx_flags sbx_base)
    target_link_options(sbx_backend_${name} PRIVATE -Wl,--exclude-all-symbols)
    sbx_resources(sbx_backend_${name} DLL "${description}")
endfunction()

function(sbx_program name description)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    target_link_libraries(${name} PRIVATE sbx_flags)
    target_link_options(${name} PRIVATE -municode)
    sbx_resources(${name} APP "${description}")
endfunction()

function(sbx_unit_test name)
    cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE sbx_flags cmocka ${arg_LIBS})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    if(CMAKE_CROSSCOMPILING AND WIN32)
        add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/wine $<TARGET_FILE:${name}>)
    else()
        add_test(NAME ${name} COMMAND ${name})
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
