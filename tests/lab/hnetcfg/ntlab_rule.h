/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: firewall rules
 *
 * ntlab_rule.c is the object INetFwRule3, ntlab_rule_filter.c what a rule has the filtering platform do,
 * ntlab_firewall.c the store, the collection and INetFwPolicy2.
 */

#ifndef NTLAB_RULE_H
#define NTLAB_RULE_H

#define RULE_ANY_PROTOCOL 256  /* NET_FW_IP_PROTOCOL_ANY, which Wine's headers lack */

enum rule_string
{
    RULE_NAME, RULE_DESCRIPTION, RULE_APPLICATION, RULE_SERVICE, RULE_LOCAL_PORTS, RULE_REMOTE_PORTS, RULE_LOCAL_ADDRESSES,
    RULE_REMOTE_ADDRESSES, RULE_ICMP, RULE_INTERFACE_TYPES, RULE_GROUPING, RULE_PACKAGE, RULE_OWNER, RULE_LOCAL_USERS,
    RULE_REMOTE_USERS, RULE_REMOTE_MACHINES, RULE_STRINGS
};

enum rule_number
{
    RULE_PROTOCOL, RULE_DIRECTION, RULE_ENABLED, RULE_PROFILES, RULE_EDGE, RULE_ACTION, RULE_EDGE_OPTIONS, RULE_SECURE,
    RULE_NUMBERS
};

struct rule
{
    INetFwRule INetFwRule_iface;
    LONG       ref;
    WCHAR      id[40];                  /* in the store, or empty */
    WCHAR     *strings[RULE_STRINGS];   /* NULL: not set */
    LONG       numbers[RULE_NUMBERS];
};

extern struct rule *ntlab_rule_new(void);
/* as it is stored; the caller frees the text */
extern WCHAR *ntlab_rule_to_text( const struct rule *rule );
extern struct rule *ntlab_rule_from_text( const WCHAR *id, const WCHAR *text );
/* one of ours, and not that of another library? */
extern struct rule *ntlab_rule_from_iface( INetFwRule *iface );

/* let the filters be those of the rule, or with NULL none; a Win32 or FWP_E_* error */
extern DWORD ntlab_rule_set_filters( const WCHAR *id, const struct rule *rule );

/* keep a changed rule */
extern HRESULT ntlab_rule_store( const struct rule *rule );

extern HRESULT ntlab_create_rule( IUnknown *outer, void **obj );
extern HRESULT ntlab_create_policy( IUnknown *outer, void **obj );

#endif /* NTLAB_RULE_H */
