/* Derives a host's facts from its rows, one key after the other; the first that is wrong becomes facts->error, a sentence with
 * key, value and what would be right. Values come from the host and are escaped where they are repeated. */
#include "ofproto/ovsdb/ovsdb_facts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

#define MTU_MIN 626 /* a guest's packets of 576 bytes and the encapsulation */
#define MTU_MAX 65535
#define SHOWN_MAX 80 /* bytes of a wrong value that are repeated */

static bool wrong(struct ovsdb_facts *, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool
wrong(struct ovsdb_facts *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->error, sizeof f->error, format, args);
    va_end(args);
    return false;
}

static bool
wrong_value(struct ovsdb_facts *f, const char *key, const char *value, const char *right)
{
    char shown[SHOWN_MAX];
    text_escape(shown, sizeof shown, value);
    return wrong(f, "external_ids:%s is '%s', not %s", key, shown, right);
}

static bool
is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char) s[i]) && !strchr("-_.", s[i]))
            return false;
    return n && n <= LIMIT_NAME;
}

/* What Linux takes as an interface's name, less the separators of vnet-uplinks. */
static bool
is_bridge_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isgraph((unsigned char) s[i]) || strchr("/:,", s[i]))
            return false;
    return n && n <= 15 && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.');
}

static bool
system_id(struct ovsdb_facts *f, const char *value)
{
    if (!value)
        return wrong(f, "external_ids:system-id is missing from the Open_vSwitch row; set it to the host's name");
    if (!is_name(value, strlen(value)))
        return wrong_value(f, "system-id", value, "letters, digits, '-', '_' and '.', at most 63");
    snprintf(f->system_id, sizeof f->system_id, "%s", value);
    return true;
}

static bool
encap_ip(struct ovsdb_facts *f, const char *value)
{
    if (!value)
        return wrong(f, "external_ids:vnet-encap-ip is missing from the Open_vSwitch row; set it to the host's IPv4 address "
                        "for tunnels");
    bool ok = ip_parse(value, &f->encap_ip) && f->encap_ip.family == IP_V4 && f->encap_ip.b[0] > 0 && f->encap_ip.b[0] < 224;
    return ok || wrong_value(f, "vnet-encap-ip", value, "an IPv4 unicast address such as 192.0.2.11");
}

static bool
mtu(struct ovsdb_facts *f, const char *value)
{
    f->mtu = 1500;
    if (!value)
        return true;
    size_t n = strlen(value);
    int number = n <= 5 && strspn(value, "0123456789") == n ? atoi(value) : 0;
    if (number < MTU_MIN || number > MTU_MAX)
        return wrong_value(f, "vnet-mtu", value, "a number from 626 to 65535");
    f->mtu = number;
    return true;
}

static bool
bridge(struct ovsdb_facts *f, const char *value)
{
    value = value ?: "br-int";
    if (!is_bridge_name(value, strlen(value)))
        return wrong_value(f, "vnet-bridge", value, "a bridge's name of at most 15 characters such as br-int");
    snprintf(f->bridge, sizeof f->bridge, "%s", value);
    return true;
}

/* One of two words; the first is the default. */
static bool
choice(struct ovsdb_facts *f, const char *key, const char *value, const char *const words[2], const char **chosen)
{
    *chosen = value ?: words[0];
    if (!strcmp(*chosen, words[0]) || !strcmp(*chosen, words[1]))
        return true;
    char right[48];
    snprintf(right, sizeof right, "'%s' or '%s'", words[0], words[1]);
    return wrong_value(f, key, value, right);
}

static bool
choices(struct ovsdb_facts *f, char *const *ids)
{
    const char *word;
    if (!choice(f, "vnet-encap-type", ids[OVSDB_ENCAP_TYPE], (const char *[]){ "geneve", "vxlan" }, &word))
        return false;
    snprintf(f->encap_type, sizeof f->encap_type, "%s", word);
    if (!choice(f, "vnet-datapath-type", ids[OVSDB_DATAPATH_TYPE], (const char *[]){ "system", "netdev" }, &word))
        return false;
    snprintf(f->datapath_type, sizeof f->datapath_type, "%s", word);
    if (!choice(f, "vnet-gateway", ids[OVSDB_GATEWAY], (const char *[]){ "false", "true" }, &word))
        return false;
    f->is_gateway = !strcmp(word, "true");
    return true;
}

static bool
uplink_add(struct ovsdb_facts *f, const char *whole, const char *item, size_t n)
{
    const char *colon = memchr(item, ':', n);
    size_t n_network = colon ? (size_t) (colon - item) : 0, n_bridge = colon ? n - n_network - 1 : 0;
    if (!colon || !is_name(item, n_network) || !is_bridge_name(colon + 1, n_bridge))
        return wrong_value(f, "vnet-uplinks", whole, "NETWORK:BRIDGE[,NETWORK:BRIDGE] such as public:br-ex");
    if (f->n_uplinks == OVSDB_UPLINKS_MAX)
        return wrong(f, "external_ids:vnet-uplinks names more than %d uplinks", OVSDB_UPLINKS_MAX);

    struct ovsdb_uplink *u = &f->uplinks[f->n_uplinks];
    memcpy(u->network, item, n_network);
    memcpy(u->bridge, colon + 1, n_bridge);
    for (size_t i = 0; i < f->n_uplinks; i++)
        if (!strcmp(f->uplinks[i].network, u->network))
            return wrong(f, "external_ids:vnet-uplinks names network '%s' twice; each network has one bridge", u->network);
    if (!strcmp(u->bridge, f->bridge))
        return wrong(f, "external_ids:vnet-uplinks has '%s' on '%s', which is the integration bridge; name another bridge", u->network,
                     u->bridge);
    f->n_uplinks++;
    return true;
}

static bool
uplinks(struct ovsdb_facts *f, const char *value)
{
    for (const char *item = value; item;) {
        size_t n = strcspn(item, ",");
        if (!uplink_add(f, value, item, n))
            return false;
        item = item[n] ? item + n + 1 : NULL;
    }
    return true;
}

const char *
ovsdb_bridge_datapath_type(const struct ovsdb_bridge_row *b)
{
    return b->datapath_type ?: "system";
}

static bool
datapath_types(struct ovsdb_facts *f, const struct ovsdb_rows *rows)
{
    for (size_t i = 0; i < f->n_uplinks; i++) {
        const char *name = f->uplinks[i].bridge;
        const struct ovsdb_bridge_row *b = (const void *) ovsdb_rows_named(rows, OVSDB_BRIDGE, name);
        if (!b || !strcmp(ovsdb_bridge_datapath_type(b), f->datapath_type))
            continue;
        char shown[SHOWN_MAX];
        text_escape(shown, sizeof shown, ovsdb_bridge_datapath_type(b));
        return wrong(f,
                     "uplink bridge '%s' has datapath type '%s' but integration bridge '%s' has '%s' "
                     "(external_ids:vnet-datapath-type): patch ports join only bridges of one type",
                     name, shown, f->bridge, f->datapath_type);
    }
    return true;
}

bool
ovsdb_facts_derive(const struct ovsdb_rows *rows, struct ovsdb_facts *f)
{
    const struct ovsdb_root_row *root = ovsdb_rows_root(rows);
    memset(f, 0, sizeof *f);
    if (!root)
        return false;
    char *const *ids = root->ids;
    f->row = root->row.uuid;
    (void) (system_id(f, ids[OVSDB_SYSTEM_ID]) && encap_ip(f, ids[OVSDB_ENCAP_IP]) && mtu(f, ids[OVSDB_MTU])
            && bridge(f, ids[OVSDB_INTEGRATION_BRIDGE]) && choices(f, ids) && uplinks(f, ids[OVSDB_UPLINKS]) && datapath_types(f, rows));
    return true;
}
