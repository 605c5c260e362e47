#include "elevated/secret.h"

#include <windows.h>
#include <bcrypt.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wincrypt.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/grants/sha256.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/library.h"
#include "win/wide.h"

#define FILE_MAX 4096u

/* What a blob of this machine must be opened with besides: a blob of another program, or of another user, is none. */
static sbx_status entropy_of(const char *user_sid, sbx_text *entropy, sbx_error *err)
{
    sbx_text_printf(entropy, "sbx elevated 1 %s", user_sid);
    return entropy->failed ? sbx_fail_memory(err) : SBX_OK;
}

static DATA_BLOB blob_of(const void *bytes, size_t count)
{
    const DATA_BLOB blob = {(DWORD)count, (BYTE *)(uintptr_t)bytes};

    return blob;
}

/* What it is called until it is whole. */
static sbx_status fresh_of(const char *path, sbx_text *fresh, sbx_error *err)
{
    sbx_text_printf(fresh, "%s.new", path);
    return fresh->failed ? sbx_fail_memory(err) : SBX_OK;
}

static sbx_status sddl_of(const char *user_sid, const char *group_sid, uint16_t **sddl_w, sbx_error *err)
{
    sbx_text sddl = {0};
    sbx_status st;

    sbx_text_printf(&sddl, "O:BAG:BAD:P(D;;FA;;;%s)(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;%s)", group_sid, user_sid);
    st = sddl.failed ? sbx_fail_memory(err) : sbx_wide(sddl.data, "access list", sddl_w, err);
    sbx_text_fini(&sddl);
    return st;
}

int sbx_secret_is_closed(const char *path, const char *user_sid, const char *group_sid)
{
    const SECURITY_INFORMATION what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    _Alignas(8) BYTE found[1024];
    PSECURITY_DESCRIPTOR wanted = NULL;
    PACL own = NULL, right = NULL;
    PSID owner = NULL, right_owner = NULL;
    BOOL there = FALSE, also = FALSE, defaulted;
    uint16_t *path_w = NULL, *sddl_w = NULL;
    HANDLE file = NULL;
    DWORD need = 0;
    int closed = 0;

    if (sddl_of(user_sid, group_sid, &sddl_w, NULL) == SBX_OK && sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        file = sbx_handle_from(CreateFileW(path_w, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                           NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    if (file && GetKernelObjectSecurity(file, what, found, sizeof(found), &need) &&
        ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &wanted, NULL) &&
        GetSecurityDescriptorOwner(found, &owner, &defaulted) &&
        GetSecurityDescriptorOwner(wanted, &right_owner, &defaulted) &&
        GetSecurityDescriptorDacl(found, &there, &own, &defaulted) &&
        GetSecurityDescriptorDacl(wanted, &also, &right, &defaulted) && owner && there && own && right)
        closed = EqualSid(owner, right_owner) && own->AclSize == right->AclSize && !memcmp(own, right, own->AclSize);
    sbx_handle_close(&file);
    LocalFree(wanted);
    sbx_free(path_w);
    sbx_free(sddl_w);
    return closed;
}

/* Made with its access list, in full, then moved over the old one. */
static sbx_status write_file(const char *path, const char *user_sid, const char *group_sid, const DATA_BLOB *data,
                             sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    sbx_text fresh = {0};
    uint16_t *path_w = NULL, *fresh_w = NULL, *sddl_w = NULL;
    HANDLE file = NULL;
    DWORD done = 0;
    sbx_status st;

    if ((st = fresh_of(path, &fresh, err)) != SBX_OK || (st = sddl_of(user_sid, group_sid, &sddl_w, err)) != SBX_OK ||
        (st = sbx_wide_path(path, &path_w, err)) != SBX_OK || (st = sbx_wide_path(fresh.data, &fresh_w, err)) != SBX_OK)
        goto out;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &attributes.lpSecurityDescriptor,
                                                              NULL)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", path);
        goto out;
    }
    sbx_file_delete(fresh.data, NULL); /* the rest of one that was cut short has another list, perhaps */
    file = sbx_handle_from(CreateFileW(fresh_w, GENERIC_WRITE, 0, &attributes, CREATE_NEW,
                                       FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    if (!file)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", fresh.data);
    else if (!WriteFile(file, data->pbData, data->cbData, &done, NULL) || done != data->cbData ||
             !FlushFileBuffers(file))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", fresh.data);
    sbx_handle_close(&file);
    if (st == SBX_OK)
        st = sbx_file_replace(fresh_w, path_w, path, err);
    if (st != SBX_OK)
        DeleteFileW(fresh_w);
out:
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(sddl_w);
    sbx_free(path_w);
    sbx_free(fresh_w);
    sbx_text_fini(&fresh);
    return st;
}

sbx_status sbx_secret_remove(const char *path, sbx_error *err)
{
    sbx_text fresh = {0};
    sbx_status st;

    if ((st = fresh_of(path, &fresh, err)) == SBX_OK && (st = sbx_file_delete(fresh.data, err)) == SBX_OK)
        st = sbx_file_delete(path, err);
    sbx_text_fini(&fresh);
    return st;
}

sbx_status sbx_secret_draw(sbx_secret *secret, sbx_error *err)
{
    static const char *const names[] = {"BCryptGenRandom"};
    struct {
        NTSTATUS(WINAPI *random)(BCRYPT_ALG_HANDLE, UCHAR *, ULONG, ULONG);
    } bcrypt; /* loaded by setup, not by each launch */
    void *library = NULL;
    NTSTATUS status;
    sbx_status st = sbx_library_load("bcrypt.dll", names, 1, &bcrypt, &library, err);

    if (st == SBX_OK) {
        status = bcrypt.random(NULL, secret->bytes, sizeof(secret->bytes), BCRYPT_USE_SYSTEM_PREFERRED_RNG);
        if (status < 0)
            st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "BCryptGenRandom", NULL);
    }
    if (library)
        FreeLibrary(library);
    return st;
}

sbx_status sbx_secret_make(const char *path, const char *user_sid, const char *group_sid, sbx_secret *secret,
                           sbx_error *err)
{
    DATA_BLOB plain = blob_of(secret->bytes, sizeof(secret->bytes)), sealed = {0, NULL}, extra;
    sbx_text entropy = {0};
    sbx_status st = entropy_of(user_sid, &entropy, err);

    if (st != SBX_OK || (st = sbx_secret_draw(secret, err)) != SBX_OK)
        goto out;
    extra = blob_of(entropy.data, entropy.length);
    if (!CryptProtectData(&plain, L"sbx", &extra, NULL, NULL, CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN,
                          &sealed))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CryptProtectData", NULL);
    else
        st = write_file(path, user_sid, group_sid, &sealed, err);
    LocalFree(sealed.pbData);
out:
    if (st != SBX_OK)
        sbx_secret_wipe(secret);
    sbx_text_fini(&entropy);
    return st;
}

sbx_status sbx_secret_read(const char *path, const char *user_sid, sbx_secret *secret, sbx_error *err)
{
    DATA_BLOB sealed, plain = {0, NULL}, extra;
    sbx_text entropy = {0};
    char *data = NULL;
    size_t length = 0;
    sbx_status st = entropy_of(user_sid, &entropy, err);

    if (st == SBX_OK && (st = sbx_file_read(path, FILE_MAX, &data, &length, err)) != SBX_OK && st != SBX_E_MEMORY) {
        st = SBX_E_UNAVAILABLE;
        if (err)
            err->status = st;
        if (err && !sbx_file_is_held(err))
            sbx_hint(err, "put it right with: sbx setup --repair");
    }
    if (st != SBX_OK)
        goto out;
    sealed = blob_of(data, length);
    extra = blob_of(entropy.data, entropy.length);
    if (!CryptUnprotectData(&sealed, NULL, &extra, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &plain)) {
        st = sbx_fail_last(err, SBX_E_UNAVAILABLE, "CryptUnprotectData", path);
        sbx_hint(err, "it is damaged, or of another machine; put it right with: sbx setup --repair");
    } else if (plain.cbData != sizeof(secret->bytes)) {
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "it is no secret of sbx", path);
        sbx_hint(err, "put it right with: sbx setup --repair");
    } else {
        memcpy(secret->bytes, plain.pbData, sizeof(secret->bytes));
    }
    if (plain.pbData)
        SecureZeroMemory(plain.pbData, plain.cbData);
    LocalFree(plain.pbData);
out:
    sbx_free(data);
    sbx_text_fini(&entropy);
    return st;
}

void sbx_secret_wipe(sbx_secret *secret)
{
    SecureZeroMemory(secret, sizeof(*secret));
}

sbx_status sbx_secret_password(const sbx_secret *secret, const char *account, uint32_t generation,
                               uint16_t password_w[SBX_PASSWORD_UNITS], sbx_error *err)
{
    /* 64 of them, so that each takes six bits without a remainder; none that a command line or SDDL would quote */
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char kinds[4] = {'A', 'a', '0', '-'}; /* the rules want three kinds of four, some four */
    static const uint8_t sizes[4] = {26, 26, 10, 1};
    uint8_t digest[32];
    char text[64];
    size_t i;

    (void)err;
    snprintf(text, sizeof(text), "%.32s %u", account, (unsigned)generation);
    sbx_sha256_keyed(secret->bytes, sizeof(secret->bytes), text, strlen(text), digest);
    for (i = 0; i + 1 < SBX_PASSWORD_UNITS; i++)
        password_w[i] = (uint16_t)(i < 4 ? kinds[i] + digest[i] % sizes[i] : letters[digest[i] & 63]);
    password_w[i] = 0;
    SecureZeroMemory(digest, sizeof(digest));
    return SBX_OK;
}
