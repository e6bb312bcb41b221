/* A listener: a new connection to it goes to a group of buckets, which choose a target by a hash of the connection (or of its source). Each
 * target has as many buckets as its weight, under ids of its own: the bucket whose id and packet hash highest is chosen, so when one
 * leaves only its own connections find another (see lb.md for the figures behind that). */
#include "vnet/feature/lb/lb_private.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "vnet/model/router_mac.h"
#include "vnet/pipeline/priority.h"

/* Where a listener is met: by the balancer's own address, or from outside by its elastic IP. */
struct entrance {
    const struct listener *listener;
    struct ip ip;
    uint32_t vni;
    bool is_external;
};

/* The rows' counts are the listener's. */
static struct flow_builder *
begin(struct block *b, uint16_t priority, const struct entrance *e)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_DONE, priority);
    match_family(fb, IP_V4);
    match_u64(fb, LAYOUT_VNI, e->vni);
    match_u64(fb, LAYOUT_EXTERNAL, e->is_external);
    match_u64(fb, of_field_whole(OF_CT_NW_DST), ip4_u32(e->ip));
    match_u64(fb, of_field_whole(OF_CT_NW_PROTO), e->listener->proto);
    match_u64(fb, of_field_whole(OF_CT_TP_DST), e->listener->port);
    flow_tell_removal(fb);
    return fb;
}

/* A connection that nobody has chosen a target for. What is sent again before any answer came is new, too, but translated already: chosen anew by
 * what it looks like now it would be carried to another target than it is addressed to, for as long as it is repeated. From outside the router has
 * had the packet, and does what remains. */
static void
new_row(struct block *b, const struct entrance *e)
{
    struct flow_builder *fb = begin(b, PRIORITY_DONE_LISTENER, e);
    match_u64(fb, LAYOUT_SG_INBOUND, 0);
    match_ct_state(fb, OF_CT_TRK | OF_CT_NEW, OF_CT_TRK | OF_CT_INV | OF_CT_NEW);
    match_u64(fb, LAYOUT_CT_BALANCED, 0);
    if (!e->is_external) {
        act_dec_ttl(fb);
        act_set_mac(fb, OF_ETH_SRC, ROUTER_MAC);
        act_set_ip(fb, OF_REG4, e->ip);
        act_set(fb, LAYOUT_ORIGINAL_DST_PORT, e->listener->port);
    }
    act_group(fb, e->listener->o.number);
    block_flow_end(b);
}

static void
chosen_row(struct block *b, const struct entrance *e, bool is_inbound)
{
    struct flow_builder *fb = begin(b, PRIORITY_DONE_COUNTED, e);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK | OF_CT_INV);
    match_u64(fb, LAYOUT_CT_BALANCED, 1);
    match_u64(fb, LAYOUT_SG_INBOUND, is_inbound);
    lb_chosen_end(b, is_inbound);
}

static void
entrance_rows(struct block *b, const struct entrance *e)
{
    new_row(b, e);
    chosen_row(b, e, false);
    chosen_row(b, e, true);
}

/* ---- the buckets ---- */

struct bucket {
    uint32_t id, target;
};

struct buckets {
    const struct view *view;
    struct lb_health group;
    struct bucket *v;
    size_t n, cap;
};

static bool
is_taken(const struct buckets *buckets, uint32_t id)
{
    for (size_t i = 0; i < buckets->n; i++)
        if (buckets->v[i].id == id)
            return true;
    return false;
}

/* Ids are a target's own wherever numbers do not collide in their low bits; then the younger one's move up. */
static void
bucket_add(struct buckets *buckets, uint32_t target, unsigned share)
{
    uint32_t id = (target << 8 | share) % FLOW_BUCKET_ID_MAX;
    while (is_taken(buckets, id))
        id = (id + 1) % FLOW_BUCKET_ID_MAX;
    buckets->v = mem_grow(buckets->v, &buckets->cap, buckets->n + 1, sizeof *buckets->v);
    buckets->v[buckets->n++] = (struct bucket){ id, target };
}

static void
add_target(void *aux, uint32_t number)
{
    struct buckets *buckets = aux;
    struct target_facts f;
    if (!target_facts_get(buckets->view, number, &f) || !target_is_chosen(buckets->view, &buckets->group, f.target))
        return;
    for (unsigned share = 0; share < f.target->weight; share++)
        bucket_add(buckets, number, share);
}

static int
bucket_order(const void *a_, const void *b_)
{
    const struct bucket *a = a_, *b = b_;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void
group_of(struct block *b, const struct listener *listener, const struct lb *lb, const struct buckets *buckets)
{
    const struct of_field source[] = { of_field_whole(OF_IPV4_SRC) };
    const struct of_field all[] = {
        of_field_whole(OF_IPV4_SRC),
        of_field_whole(OF_IPV4_DST),
        of_field_whole(OF_IP_PROTO),
        of_field_whole(listener->proto == L4_TCP ? OF_TCP_SRC : OF_UDP_SRC),
        of_field_whole(listener->proto == L4_TCP ? OF_TCP_DST : OF_UDP_DST),
    };
    bool is_by_source = lb->affinity == LB_AFFINITY_SOURCE;
    const struct flow_group group = {
        .kind = FLOW_GROUP_SELECT_HASH,
        .fields = is_by_source ? source : all,
        .n_fields = is_by_source ? sizeof source / sizeof source[0] : sizeof all / sizeof all[0],
    };
    group_begin(b->fb, listener->o.number, b->cookie, &group);
    for (size_t i = 0; i < buckets->n; i++) {
        bucket_begin(b->fb, buckets->v[i].id, 1);
        act_set(b->fb, LAYOUT_TARGET, buckets->v[i].target);
        act_resubmit(b->fb, STAGE_LB_NEW);
    }
    block_add(b, group_end(b->fb, b->arena));
}

void
lb_flows_listener(struct block *b, uint32_t number)
{
    const struct listener *listener = model_listener(b->view->model, number);
    const struct lb *lb = listener ? model_lb(b->view->model, listener->lb) : NULL;
    struct buckets buckets = { .view = b->view };
    if (!lb)
        return;
    buckets.group = lb_health_of(b->view, listener->tg);
    lb_each_target(b->view, listener->tg, add_target, &buckets);
    if (buckets.n)
        qsort(buckets.v, buckets.n, sizeof *buckets.v, bucket_order);
    group_of(b, listener, lb, &buckets);
    free(buckets.v);

    uint32_t vni = model_vpc(b->view->model, listener->vpc)->vni;
    struct placement p;
    entrance_rows(b, &(struct entrance){ listener, lb->ip, vni, false });
    if (placement_of(b->view, lb->o.number, &p) && p.lb && p.holder->number == b->host)
        entrance_rows(b, &(struct entrance){ listener, p.eip->ip, vni, true });
}
