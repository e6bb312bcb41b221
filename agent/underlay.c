#include "agent/underlay.h"

#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"

#define LOG_MODULE "underlay"
#include "base/log.h"

#define AGAIN_S 1

static struct log_limit losses = LOG_LIMIT(10);

struct underlay {
    struct event_base *base;
    struct nl_cache_mngr *manager; /* NULL: to be opened 'again' */
    struct nl_cache *links, *addresses;
    struct event *ready, *again;
    struct ip ip;
    bool has_told;
    struct underlay_facts told;
    underlay_changed *changed;
    void *aux;
};

/* The link that has the address: 0, none. */
static int
index_of(struct nl_cache *addresses, struct ip ip)
{
    for (struct nl_object *o = nl_cache_get_first(addresses); o; o = nl_cache_get_next(o)) {
        struct rtnl_addr *a = (struct rtnl_addr *) o;
        const struct nl_addr *local = rtnl_addr_get_local(a);
        unsigned n = ip.family == IP_V4 ? 4 : 16;
        if (local && nl_addr_get_family(local) == (ip.family == IP_V4 ? AF_INET : AF_INET6)
            && !memcmp(nl_addr_get_binary_addr(local), ip.b, n))
            return rtnl_addr_get_ifindex(a);
    }
    return 0;
}

static struct underlay_facts
facts_of(struct nl_cache *links, struct nl_cache *addresses, struct ip ip)
{
    struct underlay_facts facts = { .mtu = 0 };
    int index = ip.family == IP_NONE ? 0 : index_of(addresses, ip);
    struct rtnl_link *link = index ? rtnl_link_get(links, index) : NULL;
    if (!link)
        return facts;
    unsigned mtu = rtnl_link_get_mtu(link);
    strncpy(facts.device, rtnl_link_get_name(link), sizeof facts.device - 1);
    facts.mtu = mtu < UINT16_MAX ? (uint16_t) mtu : UINT16_MAX;
    facts.is_up = rtnl_link_get_flags(link) & IFF_LOWER_UP;
    rtnl_link_put(link);
    return facts;
}

bool
underlay_mtu(struct ip ip, uint16_t *mtu)
{
    struct nl_sock *socket = nl_socket_alloc();
    struct nl_cache *links = NULL, *addresses = NULL;
    struct underlay_facts facts = { .mtu = 0 };
    if (socket && !nl_connect(socket, NETLINK_ROUTE) && !rtnl_link_alloc_cache(socket, AF_UNSPEC, &links)
        && !rtnl_addr_alloc_cache(socket, &addresses))
        facts = facts_of(links, addresses, ip);
    if (addresses)
        nl_cache_free(addresses);
    if (links)
        nl_cache_free(links);
    nl_socket_free(socket);
    *mtu = facts.mtu;
    return facts.mtu;
}

/* ---- watching ---- */

static void
look(struct underlay *u)
{
    if (!u->manager || u->ip.family == IP_NONE)
        return;
    struct underlay_facts now = facts_of(u->links, u->addresses, u->ip);
    if (u->has_told && !memcmp(&now, &u->told, sizeof now))
        return;
    u->has_told = true;
    u->told = now;
    u->changed(u->aux, &now);
}

static void watch(struct underlay *);

/* Some of its news are lost (the socket was full): what is known is old, and only reading everything again tells what is so. */
static void
on_ready(evutil_socket_t fd, short what, void *aux)
{
    struct underlay *u = aux;
    int n = nl_cache_mngr_data_ready(u->manager);
    if (n >= 0) {
        look(u);
        return;
    }
    log_warn_limited(&losses, "the kernel's news are lost (%s); reading everything again", nl_geterror(n));
    watch(u);
}

static void
stop_watching(struct underlay *u)
{
    if (u->ready)
        event_free(u->ready);
    if (u->manager)
        nl_cache_mngr_free(u->manager);
    u->ready = NULL;
    u->manager = NULL;
}

/* Subscribes, then reads everything: nothing that happens from now on is missed. */
static bool
start_watching(struct underlay *u)
{
    if (nl_cache_mngr_alloc(NULL, NETLINK_ROUTE, NL_AUTO_PROVIDE, &u->manager)
        || nl_cache_mngr_add(u->manager, "route/link", NULL, NULL, &u->links)
        || nl_cache_mngr_add(u->manager, "route/addr", NULL, NULL, &u->addresses)) {
        stop_watching(u);
        return false;
    }
    u->ready = event_new(u->base, nl_cache_mngr_get_fd(u->manager), EV_READ | EV_PERSIST, on_ready, u);
    event_add(u->ready, NULL);
    return true;
}

/* Anew, until it works. */
static void
watch(struct underlay *u)
{
    struct timeval again = { AGAIN_S, 0 };
    stop_watching(u);
    if (start_watching(u))
        look(u);
    else
        evtimer_add(u->again, &again);
}

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    watch(aux);
}

struct underlay *
underlay_new(struct event_base *base, underlay_changed *changed, void *aux)
{
    struct underlay *u = mem_zalloc(sizeof *u);
    *u = (struct underlay){ .base = base, .changed = changed, .aux = aux };
    u->again = evtimer_new(base, on_again, u);
    if (start_watching(u))
        return u;
    log_warn("the kernel does not tell of links and addresses");
    underlay_free(u);
    return NULL;
}

void
underlay_free(struct underlay *u)
{
    if (!u)
        return;
    stop_watching(u);
    event_free(u->again);
    free(u);
}

void
underlay_set_address(struct underlay *u, struct ip ip)
{
    if (!u || ip_equal(u->ip, ip))
        return;
    u->ip = ip;
    u->has_told = false;
    look(u);
}
