/*
 * Whose code runs: the function of a backend that is being called.
 *
 * Written by what calls a backend, read by the handler of exceptions: no lock, no allocation.
 */
#ifndef SBX_PLUGIN_CALLING_H
#define SBX_PLUGIN_CALLING_H

/* A call begins; function NULL: it is over.  name: the backend's, lives until then. */
void sbx_calling_mark(const char *name, const char *function);

/* The DLL that is loaded, a HMODULE; NULL: none.  name: the backend's, lives as long as it is. */
void sbx_calling_module(const char *name, void *module);

/* The backend whose call is being made, or whose code is at `address`, and its function; or NULL. */
const char *sbx_calling(const char **function, const void *address);

#endif
