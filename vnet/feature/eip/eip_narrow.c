/* What leaves by a public address and is too big for the physical network: an uplink may take less than guests send each other by a jumbo underlay. Feature
 * uplink has looked at its size. */
#include "vnet/feature/eip/eip_private.h"
#include "vnet/model/public_mac.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/priority.h"

static void
begin(struct block *b, const struct placement *p, uint8_t fragment)
{
    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_OUT, PRIORITY_PUBLIC_OUT_TOO_BIG);
    match_u64(fb, LAYOUT_POOL, p->pool->o.number);
    match_u64(fb, LAYOUT_TOO_BIG, 1);
    match_ip_src(fb, ip_prefix_host(p->eip->ip));
    match_ip_frag(fb, IP_V4, fragment, OF_FRAG_ANY);
}

/* Pieces pass PUBLIC_IN as the whole did. An answer is for the public address, and comes in there as one of the outside's routers would; so it finds its
 * guest, perhaps by the tunnel that the packet came from. */
static void
end(struct block *b, const struct placement *p, struct bytes *userdata)
{
    act_meter(b->fb, p->eip->o.number);
    act_controller_pause(b->fb, LAYOUT_CONTROLLER_ID, userdata->data, userdata->n);
    act_set(b->fb, LAYOUT_TOO_BIG, 0);
    act_set(b->fb, of_field_whole(OF_IN_PORT), 0);
    act_resubmit(b->fb, STAGE_PUBLIC_IN);
    block_flow_end(b);
    bytes_done(userdata);
}

void
eip_narrow_rows(struct block *b, const struct placement *p)
{
    struct bytes whole = BYTES_INIT, fragment = BYTES_INIT;
    uint16_t mtu = runtime_narrow_uplink(b->here, p->pool->uplink);
    struct icmp_error error = {
        .kind = ICMP_FRAGMENTATION_NEEDED,
        .router = public_mac_of_ip(p->eip->ip),
        .gateway = subnet_gateway(p->subnet),
        .prefix_len = p->subnet->cidr.len,
    };
    if (!mtu)
        return;
    begin(b, p, 0);
    userdata_put_error(&whole, &error);
    end(b, p, &whole);

    begin(b, p, OF_FRAG_ANY);
    userdata_put_split(&fragment, mtu);
    end(b, p, &fragment);
}
