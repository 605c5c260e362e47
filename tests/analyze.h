/* For gcc -fanalyzer, which sees one file at a time: what these functions of other files return. */
#if __has_include("base/error.h")
#include "base/error.h"
#if __has_include("win/error.h")
#include "win/error.h"
#define sbx_fail_last(err, status, ...) ((sbx_fail_last)(err, status, __VA_ARGS__), (status))
#define sbx_fail_last_w(err, status, ...) ((sbx_fail_last_w)(err, status, __VA_ARGS__), (status))
#define sbx_fail_nt(err, status, ...) ((sbx_fail_nt)(err, status, __VA_ARGS__), (status))
#endif
#define sbx_fail(err, status, ...) ((sbx_fail)(err, status, __VA_ARGS__), (status))
#define sbx_fail_code(err, status, ...) ((sbx_fail_code)(err, status, __VA_ARGS__), (status))
#define sbx_fail_memory(err) ((sbx_fail_memory)(err), SBX_E_MEMORY)
#if __has_include("config/setting.h")
#include "config/setting.h"
#define sbx_diag_memory(diag) ((sbx_diag_memory)(diag), SBX_E_MEMORY)
#define sbx_item_fail(item, problem, diag) ((sbx_item_fail)(item, problem, diag), SBX_E_CONFIG)
#endif
#endif
