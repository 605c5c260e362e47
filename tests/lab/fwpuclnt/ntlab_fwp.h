/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the filtering platform's identifiers, and how fwpuclnt.dll passes objects to the server
 *
 * GUIDs and flags: fwpmu.h of the Windows SDK as the windows-sys crate (Win32/NetworkManagement/
 * WindowsFilteringPlatform) gives it; MSDN "Filtering Layer Identifiers", "Filtering Condition
 * Identifiers", "Filtering Sub-Layer Identifiers", "Access Right Identifiers".  The headers of
 * mingw-w64 have none of them.  Included by the server, the libraries and the lab's tests; who
 * includes it says INITGUID before.
 */

#ifndef NTLAB_FWP_H
#define NTLAB_FWP_H

/* layers */
DEFINE_GUID( FWPM_LAYER_ALE_AUTH_CONNECT_V4,        0xc38d57d1, 0x05a7, 0x4c33, 0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82 );
DEFINE_GUID( FWPM_LAYER_ALE_AUTH_CONNECT_V6,        0x4a72393b, 0x319f, 0x44bc, 0x84, 0xc3, 0xba, 0x54, 0xdc, 0xb3, 0xb6, 0xb4 );
DEFINE_GUID( FWPM_LAYER_ALE_AUTH_LISTEN_V4,         0x88bb5dad, 0x76d7, 0x4227, 0x9c, 0x71, 0xdf, 0x0a, 0x3e, 0xd7, 0xbe, 0x7e );
DEFINE_GUID( FWPM_LAYER_ALE_AUTH_LISTEN_V6,         0x7ac9de24, 0x17dd, 0x4814, 0xb4, 0xbd, 0xa9, 0xfb, 0xc9, 0x5a, 0x32, 0x1b );
DEFINE_GUID( FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4,    0xe1cd9fe7, 0xf4b5, 0x4273, 0x96, 0xc0, 0x59, 0x2e, 0x48, 0x7b, 0x86, 0x50 );
DEFINE_GUID( FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6,    0xa3b42c97, 0x9f04, 0x4672, 0xb8, 0x7e, 0xce, 0xe9, 0xc4, 0x83, 0x25, 0x7f );
DEFINE_GUID( FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, 0x1247d66d, 0x0b60, 0x4a15, 0x8d, 0x44, 0x71, 0x55, 0xd0, 0xf5, 0x3a, 0x0c );
DEFINE_GUID( FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V6, 0x55a650e1, 0x5f0a, 0x4eca, 0xa6, 0x53, 0x88, 0xf5, 0x3b, 0x26, 0xaa, 0x8c );

/* conditions; those of ICMP type and code are those of the two ports */
DEFINE_GUID( FWPM_CONDITION_ALE_USER_ID,       0xaf043a0a, 0xb34d, 0x4f86, 0x97, 0x9c, 0xc9, 0x03, 0x71, 0xaf, 0x6e, 0x66 );
DEFINE_GUID( FWPM_CONDITION_ALE_APP_ID,        0xd78e1e87, 0x8644, 0x4ea5, 0x94, 0x37, 0xd8, 0x09, 0xec, 0xef, 0xc9, 0x71 );
DEFINE_GUID( FWPM_CONDITION_FLAGS,             0x632ce23b, 0x5167, 0x435c, 0x86, 0xd7, 0xe9, 0x03, 0x68, 0x4a, 0xa8, 0x0c );
DEFINE_GUID( FWPM_CONDITION_IP_PROTOCOL,       0x3971ef2b, 0x623e, 0x4f9a, 0x8c, 0xb1, 0x6e, 0x79, 0xb8, 0x06, 0xb9, 0xa7 );
DEFINE_GUID( FWPM_CONDITION_IP_LOCAL_PORT,     0x0c1ba1af, 0x5765, 0x453f, 0xaf, 0x22, 0xa8, 0xf7, 0x91, 0xac, 0x77, 0x5b );
DEFINE_GUID( FWPM_CONDITION_IP_REMOTE_PORT,    0xc35a604d, 0xd22b, 0x4e1a, 0x91, 0xb4, 0x68, 0xf6, 0x74, 0xee, 0x67, 0x4b );
DEFINE_GUID( FWPM_CONDITION_IP_LOCAL_ADDRESS,  0xd9ee00de, 0xc1ef, 0x4617, 0xbf, 0xe3, 0xff, 0xd8, 0xf5, 0xa0, 0x89, 0x57 );
DEFINE_GUID( FWPM_CONDITION_IP_REMOTE_ADDRESS, 0xb235ae9a, 0x1d64, 0x49b8, 0xa4, 0x4c, 0x5f, 0xf3, 0xd9, 0x09, 0x50, 0x45 );

/* built-in sublayers and provider */
DEFINE_GUID( FWPM_SUBLAYER_UNIVERSAL,  0xeebecc03, 0xced4, 0x4380, 0x81, 0x9a, 0x27, 0x34, 0x39, 0x7b, 0x2b, 0x74 );
DEFINE_GUID( FWPM_SUBLAYER_MPSSVC_WF,  0xb3cdd441, 0xaf90, 0x41ba, 0xa7, 0x45, 0x7c, 0x60, 0x08, 0xff, 0x23, 0x01 );
DEFINE_GUID( FWPM_PROVIDER_MPSSVC_WF,  0xdecc16ca, 0x3f33, 0x4346, 0xbe, 0x1e, 0x8f, 0xb4, 0xae, 0x0f, 0x3d, 0x62 );

#define FWPM_SESSION_FLAG_DYNAMIC    0x01
#define FWPM_PROVIDER_FLAG_PERSISTENT 0x01
#define FWPM_SUBLAYER_FLAG_PERSISTENT 0x01
#define FWPM_FILTER_FLAG_PERSISTENT  0x01
#define FWPM_FILTER_FLAG_BOOTTIME    0x02
#define FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT 0x04
#define FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT 0x08
#define FWPM_FILTER_FLAG_DISABLED    0x20
#define FWPM_FILTER_FLAG_INDEXED     0x40
#define FWPM_TXN_READ_ONLY           0x01

#define FWPM_ACTRL_ADD               0x0001
#define FWPM_ACTRL_ADD_LINK          0x0002
#define FWPM_ACTRL_BEGIN_READ_TXN    0x0004
#define FWPM_ACTRL_BEGIN_WRITE_TXN   0x0008
#define FWPM_ACTRL_CLASSIFY          0x0010
#define FWPM_ACTRL_ENUM              0x0020
#define FWPM_ACTRL_OPEN              0x0040
#define FWPM_ACTRL_READ              0x0080
#define FWPM_ACTRL_READ_STATS        0x0100
#define FWPM_ACTRL_SUBSCRIBE         0x0200
#define FWPM_ACTRL_WRITE             0x0400

/* winerror.h; MSDN "WFP Error Codes" */
#ifndef FWP_E_IN_USE
#define FWP_E_CALLOUT_NOT_FOUND           0x80320001
#define FWP_E_CONDITION_NOT_FOUND         0x80320002
#define FWP_E_FILTER_NOT_FOUND            0x80320003
#define FWP_E_LAYER_NOT_FOUND             0x80320004
#define FWP_E_PROVIDER_NOT_FOUND          0x80320005
#define FWP_E_PROVIDER_CONTEXT_NOT_FOUND  0x80320006
#define FWP_E_SUBLAYER_NOT_FOUND          0x80320007
#define FWP_E_ALREADY_EXISTS              0x80320009
#define FWP_E_IN_USE                      0x8032000a
#define FWP_E_DYNAMIC_SESSION_IN_PROGRESS 0x8032000b
#define FWP_E_WRONG_SESSION               0x8032000c
#define FWP_E_NO_TXN_IN_PROGRESS          0x8032000d
#define FWP_E_TXN_IN_PROGRESS             0x8032000e
#define FWP_E_INCOMPATIBLE_TXN            0x80320011
#define FWP_E_TIMEOUT                     0x80320012
#define FWP_E_LIFETIME_MISMATCH           0x80320016
#define FWP_E_BUILTIN_OBJECT              0x80320017
#define FWP_E_NULL_POINTER                0x8032001c
#define FWP_E_INVALID_ENUMERATOR          0x8032001d
#define FWP_E_INVALID_FLAGS               0x8032001e
#define FWP_E_INVALID_NET_MASK            0x8032001f
#define FWP_E_INVALID_RANGE               0x80320020
#define FWP_E_NULL_DISPLAY_NAME           0x80320023
#define FWP_E_INVALID_ACTION_TYPE         0x80320024
#define FWP_E_INVALID_WEIGHT              0x80320025
#define FWP_E_MATCH_TYPE_MISMATCH         0x80320026
#define FWP_E_TYPE_MISMATCH               0x80320027
#define FWP_E_OUT_OF_BOUNDS               0x80320028
#define FWP_E_INVALID_PARAMETER           0x80320035
#endif

/* ---- what travels between fwpuclnt.dll and the server ---- */

enum ntlab_fwp_kind { NTLAB_FWP_PROVIDER, NTLAB_FWP_SUBLAYER, NTLAB_FWP_FILTER, NTLAB_FWP_KINDS };

enum ntlab_fwp_call
{
    NTLAB_FWP_BEGIN,       /* arg: FWPM_TXN_READ_ONLY or 0 */
    NTLAB_FWP_COMMIT,
    NTLAB_FWP_ABORT,
    NTLAB_FWP_ADD,         /* kind; an object with its security descriptor */
    NTLAB_FWP_DELETE,      /* kind; a key, or nothing and the id in arg */
    NTLAB_FWP_GET,         /* the same */
    NTLAB_FWP_ENUM,        /* kind; replies with all objects that may be read */
    NTLAB_FWP_FIREWALL     /* no session: replies in arg whether local firewall rules have effect; asked with arg 1, what the firewall is */
};

/* An object.  Behind this come name, description, provider data, service name, security descriptor
 * (self-relative) and conditions, each padded to eight bytes. */
struct ntlab_fwp_object
{
    unsigned int       size;             /* with all that follows */
    unsigned int       kind;
    GUID               key;
    GUID               provider;         /* zero: none */
    GUID               layer;
    GUID               sublayer;
    unsigned long long weight;
    unsigned long long effective_weight;
    unsigned long long context;
    unsigned long long id;
    unsigned int       weight_type;
    unsigned int       flags;
    unsigned int       action;
    unsigned int       condition_count;
    unsigned int       name_size;        /* strings with their terminating null, 0: NULL */
    unsigned int       description_size;
    unsigned int       data_size;
    unsigned int       service_size;
    unsigned int       sd_size;
    unsigned int       unused;
};

/* A condition.  Behind this comes the value: an integer of eight bytes, an address, or bytes; a range
 * is two integers or addresses of sixteen bytes each. */
struct ntlab_fwp_condition
{
    GUID         field;
    unsigned int match;
    unsigned int type;        /* FWP_DATA_TYPE */
    unsigned int range_type;  /* of both ends */
    unsigned int size;        /* of the value */
};

#define NTLAB_FWP_PADDED( size ) (((size) + 7) & ~7u)

#endif /* NTLAB_FWP_H */
