#include "vnet/feature/eip/eip_private.h"

#include <string.h>

#include "vnet/packet/ipv4.h"
#include "vnet/packet/userdata.h"

/* Back to whoever on the physical network sent it. */
static bool
answer_too_big(const struct packet_in *in, struct icmp_error *error, struct bytes *out)
{
    struct of_field mtu = LAYOUT_PATH_MTU;
    if (in->packet_len < ETHERNET_HEADER)
        return false;
    memcpy(error->mac.b, in->packet + sizeof error->mac.b, sizeof error->mac.b);
    error->mtu = in->reg[mtu.id - OF_REG0] >> mtu.ofs;
    return icmp_error_answer(error, in->packet, in->packet_len, out);
}

bool
eip_resume(const struct packet_in *in, struct bytes *out)
{
    struct icmp_inner inner;
    struct icmp_error error;
    if (userdata_get_inner(in->userdata, in->userdata_len, &inner))
        return icmp_inner_rewrite(&inner, in->packet, in->packet_len, out);
    return userdata_get_error(in->userdata, in->userdata_len, &error) && answer_too_big(in, &error, out);
}
