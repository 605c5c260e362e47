# mimalloc, cJSON, cmocka: a source folder SBX_SOURCES/NAME when there is one (tests/sources
# fills the default), else the pinned release from the project's own page.
include(FetchContent)

if(NOT SBX_SOURCES)
    if(DEFINED ENV{SBX_CACHE})
        set(SBX_SOURCES "$ENV{SBX_CACHE}/sources")
    elseif(DEFINED ENV{XDG_CACHE_HOME})
        set(SBX_SOURCES "$ENV{XDG_CACHE_HOME}/sbx/sources")
    elseif(DEFINED ENV{HOME})
        set(SBX_SOURCES "$ENV{HOME}/.cache/sbx/sources")
    endif()
endif()

# Sets ${name}_dir to the folder with the sources, ${name}_version, ${name}_url.
function(sbx_source name url sha256)
    string(REGEX MATCH "[0-9]+\\.[0-9.]+[0-9]" version ${url})
    set(${name}_version ${version} PARENT_SCOPE)
    set(${name}_url ${url} PARENT_SCOPE)
    if(EXISTS "${SBX_SOURCES}/${name}/.complete")
        set(${name}_dir "${SBX_SOURCES}/${name}" PARENT_SCOPE)
        return()
    endif()
    # only the sources: a subfolder that is not there adds no targets
    FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256} DOWNLOAD_EXTRACT_TIMESTAMP ON SOURCE_SUBDIR none)
    FetchContent_MakeAvailable(${name})
    set(${name}_dir "${${name}_SOURCE_DIR}" PARENT_SCOPE)
endfunction()

sbx_source(cjson https://github.com/DaveGamble/cJSON/archive/refs/tags/v1.7.15.tar.gz
    5308fd4bd90cef7aa060558514de6a1a4a0819974a26e6ed13973c5f624c24b2)
add_library(cjson STATIC ${cjson_dir}/cJSON.c)
target_include_directories(cjson SYSTEM PUBLIC ${cjson_dir})
set_target_properties(cjson PROPERTIES C_EXTENSIONS ON)

if(WIN32)
    sbx_source(mimalloc https://github.com/microsoft/mimalloc/archive/refs/tags/v2.0.9.tar.gz
        4a29edae32a914a706715e2ac8e7e4109e25353212edeed0888f4e3e15db5850)
    add_library(mimalloc STATIC ${PROJECT_SOURCE_DIR}/core/base/mimalloc_library.c)
    target_include_directories(mimalloc SYSTEM PUBLIC ${mimalloc_dir}/include PRIVATE ${mimalloc_dir}/src)
    target_compile_definitions(mimalloc PRIVATE MI_STATIC_LIB=1 NDEBUG=1 _WIN32_WINNT=0x0A00)
    target_compile_options(mimalloc PRIVATE -Os -ffunction-sections -fdata-sections)
    set_target_properties(mimalloc PROPERTIES C_EXTENSIONS ON)
    target_link_libraries(mimalloc PUBLIC psapi)
endif()

if(SBX_TESTS)
    sbx_source(cmocka https://cmocka.org/files/1.1/cmocka-1.1.5.tar.xz
        f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6)
    add_library(cmocka STATIC ${cmocka_dir}/src/cmocka.c)
    target_include_directories(cmocka SYSTEM PUBLIC ${cmocka_dir}/include PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/cmocka)
    set_target_properties(cmocka PROPERTIES C_EXTENSIONS ON)
    target_compile_definitions(cmocka PUBLIC CMOCKA_STATIC=1 PRIVATE HAVE_CONFIG_H=1)
    if(WIN32)
        file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/cmocka/config.h
            "#define HAVE_INTTYPES_H 1\n#define HAVE_STDINT_H 1\n#define HAVE_TIME_H 1\n#define HAVE_IO_H 1\n#define HAVE_MALLOC_H 1\n#define HAVE_UNISTD_H 1\n#define WORDS_SIZEOF_VOID_P 8\n")
    else()
        file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/cmocka/config.h
            "#define HAVE_INTTYPES_H 1\n#define HAVE_STDINT_H 1\n#define HAVE_TIME_H 1\n#define HAVE_UNISTD_H 1\n#define HAVE_SIGNAL_H 1\n#define HAVE_STRUCT_TIMESPEC 1\n#define HAVE_CLOCK_GETTIME 1\n#define HAVE_CLOCK_REALTIME 1\n")
    endif()
endif()
