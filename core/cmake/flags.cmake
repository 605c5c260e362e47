# One INTERFACE target carries the language, warnings and hardening of all own code.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(sbx_flags INTERFACE)
target_include_directories(sbx_flags INTERFACE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/core ${PROJECT_SOURCE_DIR}/core/include)
target_compile_definitions(sbx_flags INTERFACE SBX_VERSION="${PROJECT_VERSION}")
target_compile_options(sbx_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wvla -Wundef -Wcast-qual -Wwrite-strings $<$<BOOL:${SBX_WERROR}>:-Werror>)

if(SBX_SANITIZE)
    # for the libraries too, so that a mistake is seen where it happens
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()

if(WIN32)
    target_compile_definitions(sbx_flags INTERFACE
        UNICODE _UNICODE WIN32_LEAN_AND_MEAN NOMINMAX _WIN32_WINNT=0x0A00 NTDDI_VERSION=0x0A000006
        __USE_MINGW_ANSI_STDIO=0)
    target_compile_options(sbx_flags INTERFACE -fstack-protector-strong -ffunction-sections -fdata-sections -Os)
    target_compile_definitions(sbx_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
    target_link_options(sbx_flags INTERFACE -static -fstack-protector-strong -Wl,--gc-sections
        -Wl,--dynamicbase,--nxcompat,--high-entropy-va,--no-insert-timestamp $<$<CONFIG:Release>:-s>)
endif()
include(CheckCCompilerFlag)
check_c_compiler_flag(-ftrivial-auto-var-init=zero SBX_HAVE_AUTO_VAR_INIT)
if(SBX_HAVE_AUTO_VAR_INIT)
    target_compile_options(sbx_flags INTERFACE -ftrivial-auto-var-init=zero)
endif()
