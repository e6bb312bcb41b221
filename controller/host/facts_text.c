#include "controller/host/facts_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/flow/field.h"

#define DOWN "/down"

char *
facts_text(const struct runtime_host *r)
{
    char ip[IP_STRLEN];
    char *value = mem_printf("%s %u %u %u %u %u %u", ip_format(r->encap_ip, ip), (unsigned) r->encap, r->mtu, r->tunnel_port[ENCAP_GENEVE],
                             r->tunnel_port[ENCAP_VXLAN], r->is_gateway, r->is_dead);
    for (size_t i = 0; i < r->n_uplinks; i++) {
        const struct runtime_uplink *u = &r->uplinks[i];
        char mtu[8] = "";
        if (u->mtu)
            snprintf(mtu, sizeof mtu, "/%u", u->mtu);
        char *longer = mem_printf("%s %s:%u%s%s", value, u->network, u->ofport, mtu, u->is_down ? DOWN : "");
        free(value);
        value = longer;
    }
    return value;
}

void
facts_uplink_add(struct runtime_host *r, const struct runtime_uplink *but_network, const char *network)
{
    if (!but_network->ofport || r->n_uplinks == RUNTIME_UPLINKS_MAX)
        return;
    struct runtime_uplink *u = &r->uplinks[r->n_uplinks++];
    *u = *but_network;
    snprintf(u->network, sizeof u->network, "%s", network);
}

/* What follows a port's number. */
static const char *
parse_state(const char *text, struct runtime_uplink *u)
{
    unsigned mtu;
    int used = 0;
    u->mtu = 0;
    if (sscanf(text, "/%5u%n", &mtu, &used) == 1 && mtu <= UINT16_MAX) {
        u->mtu = (uint16_t) mtu;
        text += used;
    }
    size_t n = strcspn(text, " ");
    u->is_down = n == strlen(DOWN) && !strncmp(text, DOWN, n);
    return text + n;
}

static void
parse_uplinks(const char *text, struct runtime_host *r)
{
    char network[sizeof r->uplinks[0].network];
    struct runtime_uplink u = { .ofport = 0 };
    for (int used; sscanf(text, " %63[^: ]:%u%n", network, &u.ofport, &used) == 2;) {
        text = parse_state(text + used, &u);
        if (u.ofport <= OF_PORT_MAX)
            facts_uplink_add(r, &u, network);
    }
}

bool
facts_text_parse(const char *text, struct runtime_host *r)
{
    char ip[IP_STRLEN];
    unsigned encap, mtu, is_gateway, is_dead;
    int used = 0;
    if (sscanf(text, "%45s %u %u %u %u", ip, &encap, &mtu, &r->tunnel_port[0], &r->tunnel_port[1]) != 5 || !ip_parse(ip, &r->encap_ip)
        || encap > ENCAP_VXLAN || mtu > UINT16_MAX || r->tunnel_port[0] > OF_PORT_MAX || r->tunnel_port[1] > OF_PORT_MAX)
        return false;
    r->encap = encap;
    r->mtu = mtu;
    if (sscanf(text, "%*s %*u %*u %*u %*u %u %u%n", &is_gateway, &is_dead, &used) == 2 && used) {
        r->is_gateway = is_gateway;
        r->is_dead = is_gateway && is_dead;
        parse_uplinks(text + used, r);
    }
    return true;
}
