/*
 * The filtering platform's engine (BFE): sessions and transactions.
 *
 * Its library is loaded by setup alone: a launch has no use for it.
 *
 * Source: MSDN "FwpmEngineOpen0", "FWPM_SESSION0", "FwpmTransactionBegin0", "Object Management".  One thread.
 */
#ifndef SBX_ELEVATED_ENGINE_H
#define SBX_ELEVATED_ENGINE_H

#include <windows.h>
#include <fwpmu.h>

#include "base/error.h"

typedef struct sbx_engine {
    void *handle, *library;
} sbx_engine;

/* dynamic: what is added goes when the session ends, whatever ends it.  `engine` begins as { 0 }.  SBX_E_UNAVAILABLE: it does
 * not run. */
sbx_status sbx_engine_open(sbx_engine *engine, int dynamic, sbx_error *err);
void sbx_engine_close(sbx_engine *engine); /* a transaction that is not at its end changes nothing */

/* SBX_E_REFUSED: not for this user. */
sbx_status sbx_engine_failed(uint32_t code, const char *op, sbx_error *err);

/* What of the library is used: X(type, name, arguments). */
#define SBX_FWPM(X)                                                                                                    \
    X(DWORD, EngineOpen0, (const WCHAR *, UINT32, void *, const FWPM_SESSION0 *, HANDLE *))                            \
    X(DWORD, EngineClose0, (HANDLE))                                                                                   \
    X(DWORD, TransactionBegin0, (HANDLE, UINT32))                                                                      \
    X(DWORD, TransactionCommit0, (HANDLE))                                                                             \
    X(DWORD, TransactionAbort0, (HANDLE))                                                                              \
    X(DWORD, ProviderAdd0, (HANDLE, const FWPM_PROVIDER0 *, void *))                                                   \
    X(DWORD, ProviderDeleteByKey0, (HANDLE, const GUID *))                                                             \
    X(DWORD, ProviderGetByKey0, (HANDLE, const GUID *, FWPM_PROVIDER0 **))                                             \
    X(DWORD, SubLayerAdd0, (HANDLE, const FWPM_SUBLAYER0 *, void *))                                                   \
    X(DWORD, SubLayerDeleteByKey0, (HANDLE, const GUID *))                                                             \
    X(DWORD, SubLayerGetByKey0, (HANDLE, const GUID *, FWPM_SUBLAYER0 **))                                             \
    X(DWORD, FilterAdd0, (HANDLE, const FWPM_FILTER0 *, void *, UINT64 *))                                             \
    X(DWORD, FilterDeleteById0, (HANDLE, UINT64))                                                                      \
    X(DWORD, FilterCreateEnumHandle0, (HANDLE, const void *, HANDLE *))                                                \
    X(DWORD, FilterEnum0, (HANDLE, HANDLE, UINT32, FWPM_FILTER0 ***, UINT32 *))                                        \
    X(DWORD, FilterDestroyEnumHandle0, (HANDLE, HANDLE))                                                               \
    X(void, FreeMemory0, (void **))

#define SBX_FWPM_MEMBER(type, name, arguments) type(WINAPI *name) arguments;
typedef struct sbx_fwpm {
    SBX_FWPM(SBX_FWPM_MEMBER)
} sbx_fwpm;

/* Filled by sbx_engine_open: fwpm.FilterAdd0 is FwpmFilterAdd0. */
extern sbx_fwpm sbx_fwpm_table;

#endif
